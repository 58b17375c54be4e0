/* The L2 book against a plain sorted array, on walks, jumps, far levels, emptied sides, snapshots
 * and full tables. */
#include "engine/book.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { FAR_LEVELS = 4096, MODEL_LEVELS = 8192, ROWS = 512 };

/* --- the model ------------------------------------------------------------------------------- */

/* Levels of one side, best first. */
struct model_side {
    struct book_level levels[MODEL_LEVELS];
    size_t count;
};

struct model {
    struct model_side sides[2];
};

static bool is_better(unsigned side, int64_t a, int64_t b)
{
    return side == SIDE_BUY ? a > b : a < b;
}

static void model_set(struct model *model, unsigned which, int64_t price, int64_t quantity)
{
    struct model_side *side = &model->sides[which];
    size_t at = 0;
    while (at < side->count && is_better(which, side->levels[at].price, price))
        at++;
    bool there = at < side->count && side->levels[at].price == price;
    if (there && quantity) {
        side->levels[at].quantity = quantity;
    } else if (there) {
        side->count--;
        memmove(&side->levels[at], &side->levels[at + 1],
                (side->count - at) * sizeof *side->levels);
    } else if (quantity) {
        cr_assert_lt(side->count, MODEL_LEVELS);
        memmove(&side->levels[at + 1], &side->levels[at],
                (side->count - at) * sizeof *side->levels);
        side->levels[at] = (struct book_level){price, quantity};
        side->count++;
    }
}

/* --- fixtures -------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t random_below(uint64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % bound;
}

static struct book *book_new(unsigned far_levels)
{
    size_t size = (book_size(far_levels) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, size);
    cr_assert_not_null(memory);
    memset(memory, 0xa5, size); /* any content is allowed */
    return book_init(memory, size, far_levels);
}

static struct row row_of(unsigned side, int64_t price, int64_t quantity)
{
    return (struct row){.price = price, .quantity = quantity, .flags = side ? ROW_SELL : 0};
}

static bool apply(struct book *book, unsigned kind, const struct row *rows, size_t count)
{
    struct message message = {.ts_local = 7,
                              .sequence = 9,
                              .kind = (uint8_t)kind,
                              .row_count = (uint32_t)count,
                              .rows = rows};
    return book_apply(book, &message);
}

/* Whole sides, walks by book_next, sums and single levels: all must agree. */
static void compare(const struct book *book, const struct model *model)
{
    static struct book_level levels[MODEL_LEVELS + 1];
    for (unsigned which = 0; which < 2; which++) {
        const struct model_side *side = &model->sides[which];
        cr_assert_eq(book_level_count(book, which), side->count);
        cr_assert_eq(book_levels(book, which, levels, MODEL_LEVELS + 1), side->count);
        cr_assert_eq(memcmp(levels, side->levels, side->count * sizeof *levels), 0);
        size_t some = side->count / 2 + 1;
        size_t got = book_levels(book, which, levels, some);
        cr_assert_eq(got, side->count < some ? side->count : some);
        cr_assert_eq(memcmp(levels, side->levels, got * sizeof *levels), 0);
        struct book_level level;
        cr_assert_eq(book_best(book, which, &level), side->count > 0);
        if (side->count) {
            cr_assert_eq(level.price, side->levels[0].price);
            cr_assert_eq(level.quantity, side->levels[0].quantity);
        }
        for (unsigned probe = 0; probe < 8 && side->count; probe++) {
            size_t at = (size_t)random_below(side->count);
            int64_t price = side->levels[at].price, sum = 0;
            for (size_t i = 0; i <= at; i++)
                sum += side->levels[i].quantity;
            cr_assert_eq(book_quantity(book, which, price), side->levels[at].quantity);
            cr_assert_eq(book_quantity_to(book, which, price), sum);
            cr_assert_eq(book_next(book, which, price, &level), at + 1 < side->count);
            if (at + 1 < side->count)
                cr_assert_eq(level.price, side->levels[at + 1].price);
        }
    }
}

/* --- properties ------------------------------------------------------------------------------ */

/* How one random history moves. */
struct history {
    const char *name;
    int64_t middle;       /* where it begins */
    uint64_t step;        /* largest move of the middle between two messages */
    uint64_t jump;        /* largest rare move */
    uint64_t near;        /* spread of most levels */
    uint64_t far;         /* spread of some levels */
    unsigned remove_in_8; /* share of rows that remove */
    int64_t drift;        /* of the middle, each message */
};

static const struct history histories[] = {
    {"walk", 6000000, 20, 20, 300, 40000, 2, 0},
    {"jumps", 5000000, 5, 100000, 2000, 200000, 3, 0},
    {"sparse", INT64_C(1) << 40, 3000, 3000000, 30000, INT64_C(1) << 35, 3, 0},
    {"low prices", 300, 3, 40, 200, 30000, 2, 0},
    {"highest prices", BOOK_PRICE_MAX - 50000, 40, 9000, 3000, 49000, 2, 0},
    {"emptying", 100000, 50, 50, 40, 90000, 7, 0},
    {"drift up", 100000, 5, 5, 30, 20000, 7, 40},
    {"drift down", 400000, 5, 5, 30, 20000, 7, -40},
};

static int64_t price_near(const struct history *history, int64_t middle, unsigned which)
{
    uint64_t spread = random_below(8) ? history->near : history->far;
    int64_t away = (int64_t)random_below(spread) + 1;
    if (random_below(50) == 0)
        away = -away; /* crossed books are the feed's affair, not the book's */
    if (which == SIDE_SELL)
        away = -away;
    if (away < 0 && middle > BOOK_PRICE_MAX + away)
        return BOOK_PRICE_MAX;
    return middle - away > 0 ? middle - away : 1;
}

static int64_t middle_after(const struct history *history, int64_t middle)
{
    uint64_t bound = random_below(200) ? history->step : history->jump;
    int64_t move = history->drift + (int64_t)random_below(2 * bound + 1) - (int64_t)bound;
    if (move > 0 && middle > BOOK_PRICE_MAX - 10 - move)
        move = -move;
    return middle + move > 10 ? middle + move : 10;
}

/* Removing is aimed at levels that are there, most often the best ones. */
static struct row random_row(const struct history *history, const struct model *model,
                             int64_t middle)
{
    unsigned which = (unsigned)random_below(2);
    const struct model_side *side = &model->sides[which];
    if (side->count && random_below(8) < history->remove_in_8) {
        size_t at = random_below(2) ? 0 : (size_t)random_below(side->count);
        return row_of(which, side->levels[at].price, 0);
    }
    int64_t quantity = random_below(10) ? (int64_t)random_below(1000) + 1 : 0;
    return row_of(which, price_near(history, middle, which), quantity);
}

static void run_history(const struct history *history, struct model *model, uint64_t seed)
{
    static struct row rows[ROWS];
    random_state = seed;
    memset(model, 0, sizeof *model);
    struct book *book = book_new(FAR_LEVELS);
    int64_t middle = history->middle;
    for (unsigned message = 0; message < 4000; message++) {
        bool snapshot = message == 0 || random_below(1000) == 0;
        size_t count = snapshot ? ROWS : (size_t)random_below(12) + 1;
        if (snapshot || model->sides[0].count + model->sides[1].count > 3000) {
            snapshot = true;
            memset(model, 0, sizeof *model);
        }
        for (size_t i = 0; i < count; i++) {
            rows[i] = random_row(history, model, middle);
            model_set(model, rows[i].flags & ROW_SELL, rows[i].price, rows[i].quantity);
        }
        cr_assert(apply(book, snapshot ? EVENT_snapshot : EVENT_depth, rows, count));
        if (message % 16 == 0)
            compare(book, model);
        middle = middle_after(history, middle);
    }
    compare(book, model);
    free(book);
}

Test(book, agrees_with_a_sorted_array)
{
    struct model *model = calloc(1, sizeof *model);
    for (size_t i = 0; i < sizeof histories / sizeof *histories; i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            run_history(&histories[i], model, seed);
    free(model);
}

Test(book, set_agrees_with_apply)
{
    struct model *model = calloc(1, sizeof *model);
    struct book *one = book_new(FAR_LEVELS), *other = book_new(FAR_LEVELS);
    random_state = 5;
    for (unsigned i = 0; i < 20000; i++) {
        struct row row =
            random_row(&histories[i / 1000 % 5], model, histories[i / 1000 % 5].middle);
        model_set(model, row.flags & ROW_SELL, row.price, row.quantity);
        cr_assert(apply(one, EVENT_depth, &row, 1));
        cr_assert(book_set(other, row.flags & ROW_SELL, row.price, row.quantity));
        if (i % 100 == 0) {
            compare(one, model);
            compare(other, model);
        }
        if (model->sides[0].count > 2000 || model->sides[1].count > 2000) {
            memset(model, 0, sizeof *model);
            book_clear(one);
            book_clear(other);
        }
    }
    free(model);
    free(one);
    free(other);
}

/* --- single behaviours ----------------------------------------------------------------------- */

Test(book, a_new_book_is_empty_and_unsynchronised)
{
    struct book *book = book_new(64);
    struct book_level level;
    cr_assert_not(book_is_synchronised(book));
    cr_assert_not(book_best(book, SIDE_BUY, &level));
    cr_assert_not(book_next(book, SIDE_SELL, 1, &level));
    cr_assert_eq(book_quantity(book, SIDE_SELL, 100), 0);
    cr_assert_eq(book_quantity_to(book, SIDE_BUY, 100), 0);
    cr_assert_eq(book_levels(book, SIDE_BUY, &level, 1), 0);
    free(book);
}

Test(book, a_snapshot_replaces_and_synchronises)
{
    struct book *book = book_new(64);
    struct row first[] = {row_of(SIDE_BUY, 100, 5), row_of(SIDE_SELL, 101, 6),
                          row_of(SIDE_SELL, 900000, 1)};
    struct row second[] = {row_of(SIDE_BUY, 90, 2), row_of(SIDE_BUY, 91, 3),
                           row_of(SIDE_BUY, 91, 0)};
    cr_assert(apply(book, EVENT_snapshot, first, 3));
    cr_assert(book_is_synchronised(book));
    cr_assert(apply(book, EVENT_snapshot, second, 3));
    struct book_level level;
    cr_assert(book_best(book, SIDE_BUY, &level));
    cr_assert_eq(level.price, 90);
    cr_assert_not(book_best(book, SIDE_SELL, &level));
    cr_assert_eq(book_level_count(book, SIDE_SELL), 0);
    cr_assert_eq(book_sequence(book), 9);
    cr_assert_eq(book_ts_local(book), 7);
    free(book);
}

Test(book, numbers_without_value_are_left_out_and_counted)
{
    struct book *book = book_new(64);
    struct row rows[] = {row_of(SIDE_BUY, 100, 5),  row_of(SIDE_BUY, 0, 5),
                         row_of(SIDE_BUY, -3, 5),   row_of(SIDE_BUY, 99, -1),
                         row_of(SIDE_SELL, 101, 0), row_of(SIDE_SELL, 0, 0)};
    rows[4].price_status = NUMBER_NAN;
    rows[5].quantity_status = NUMBER_OVERFLOW;
    cr_assert(apply(book, EVENT_snapshot, rows, 6));
    cr_assert_eq(book_removed_numbers(book), 5);
    cr_assert_eq(book_level_count(book, SIDE_BUY), 1);
    cr_assert_eq(book_level_count(book, SIDE_SELL), 0);
    free(book);
}

Test(book, a_full_table_clears_and_unsynchronises)
{
    struct book *book = book_new(100); /* 128 */
    struct row best = row_of(SIDE_SELL, 1000, 1);
    cr_assert(apply(book, EVENT_snapshot, &best, 1));
    for (int64_t i = 0; i < 128; i++)
        cr_assert(book_set(book, SIDE_SELL, 1000000 + 7 * i, 1));
    cr_assert(book_is_synchronised(book));
    cr_assert_eq(book_far_levels_peak(book), 128);
    cr_assert(book_set(book, SIDE_SELL, 1000000, 2), "a level that is there needs no room");
    struct row more = row_of(SIDE_SELL, 2000000, 1);
    cr_assert_not(apply(book, EVENT_depth, &more, 1));
    cr_assert_not(book_is_synchronised(book));
    cr_assert_eq(book_level_count(book, SIDE_SELL), 0);
    cr_assert_eq(book_far_levels_peak(book), 128);
    free(book);
}

/* Rows outside the window wait, 32 of them, for the table's memory: the row after them finds the table full. */
Test(book, a_table_that_fills_within_a_message_clears_too)
{
    enum { ROOM = 128, WAIT = 32 };
    struct row rows[WAIT + 2];
    struct book *book = book_new(100); /* ROOM */
    rows[0] = row_of(SIDE_SELL, 1000, 1);
    cr_assert(apply(book, EVENT_snapshot, rows, 1));
    for (int64_t i = 0; i < ROOM - WAIT; i++)
        cr_assert(book_set(book, SIDE_SELL, 1000000 + 7 * i, 1));
    for (unsigned i = 0; i < WAIT; i++)
        rows[i] = row_of(SIDE_SELL, 2000000 + i, 1);
    rows[WAIT] = row_of(SIDE_SELL, 2000000, 0); /* takes one of them out again */
    rows[WAIT + 1] = row_of(SIDE_SELL, 3000000, 1);
    cr_expect(apply(book, EVENT_depth, rows, WAIT + 2));
    cr_expect_eq(book_level_count(book, SIDE_SELL), ROOM + 1);
    for (unsigned i = 0; i < WAIT; i++)
        rows[i].price = 4000000 + i;
    cr_expect_not(apply(book, EVENT_depth, rows, WAIT + 2));
    cr_expect_not(book_is_synchronised(book));
    cr_expect_eq(book_level_count(book, SIDE_SELL), 0);
    free(book);
}

Test(book, a_jump_that_pushes_too_many_levels_out_is_a_full_table)
{
    struct book *book = book_new(64);
    for (int64_t i = 0; i < 65; i++)
        cr_assert(book_set(book, SIDE_SELL, 1000000 + i, 1));
    cr_assert_not(book_set(book, SIDE_SELL, 10, 1));
    cr_assert_eq(book_level_count(book, SIDE_SELL), 0);
    free(book);
}

Test(book, sums_saturate)
{
    struct book *book = book_new(64);
    cr_assert(book_set(book, SIDE_BUY, 100, INT64_MAX));
    cr_assert(book_set(book, SIDE_BUY, 99, INT64_MAX));
    cr_assert(book_set(book, SIDE_BUY, BOOK_PRICE_MAX, 1));
    cr_assert_eq(book_quantity_to(book, SIDE_BUY, 99), INT64_MAX);
    cr_assert_eq(book_quantity_to(book, SIDE_BUY, 0), INT64_MAX);
    cr_assert_eq(book_quantity_to(book, SIDE_SELL, INT64_MAX), 0);
    free(book);
}

Test(book, extreme_prices_stand_side_by_side)
{
    struct book *book = book_new(64);
    struct book_level level;
    for (unsigned side = 0; side < 2; side++) {
        cr_assert(book_set(book, side, 1, 10));
        cr_assert(book_set(book, side, BOOK_PRICE_MAX, 20));
        cr_assert_eq(book_quantity(book, side, 1), 10);
        cr_assert_eq(book_quantity(book, side, BOOK_PRICE_MAX), 20);
    }
    cr_assert(book_next(book, SIDE_BUY, BOOK_PRICE_MAX, &level));
    cr_assert_eq(level.price, 1);
    cr_assert_not(book_next(book, SIDE_BUY, 1, &level));
    cr_assert(book_next(book, SIDE_SELL, 0, &level));
    cr_assert_eq(level.price, 1);
    cr_assert(book_next(book, SIDE_SELL, 1, &level));
    cr_assert_eq(level.price, BOOK_PRICE_MAX);
    cr_assert_not(book_next(book, SIDE_SELL, BOOK_PRICE_MAX, &level));
    free(book);
}

/* Where a window lies at the end of all prices, what is beyond is none of it. */
Test(book, an_unusable_price_is_no_level_of_any_window)
{
    static const int64_t good[] = {1, 3, BOOK_PRICE_MAX - 2, BOOK_PRICE_MAX};
    static const int64_t bad[] = {0, -1, -5, INT64_MIN, BOOK_PRICE_MAX + 1, BOOK_PRICE_MAX + 9};
    enum { GOOD = sizeof good / sizeof *good, BAD = sizeof bad / sizeof *bad };
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < GOOD; i++) {
            struct book *book = book_new(64);
            cr_assert(book_set(book, side, good[i], 7));
            for (unsigned k = 0; k < BAD; k++) {
                struct row row = row_of(side, bad[k], 5);
                cr_assert(apply(book, EVENT_depth, &row, 1));
                cr_assert_eq(book_removed_numbers(book), k + 1);
                cr_assert_eq(book_level_count(book, side), 1);
            }
            free(book);
        }
}

Test(book, the_hash_knows_levels_but_not_their_history)
{
    struct book *one = book_new(64), *other = book_new(64);
    struct row forward[] = {row_of(SIDE_BUY, 100, 5), row_of(SIDE_BUY, 9, 1),
                            row_of(SIDE_SELL, 5000000, 2)};
    struct row backward[] = {row_of(SIDE_SELL, 5000000, 2), row_of(SIDE_BUY, 9, 1),
                             row_of(SIDE_BUY, 100, 5)};
    cr_assert(apply(one, EVENT_snapshot, forward, 3));
    cr_assert(book_set(other, SIDE_BUY, 7000000, 5));
    cr_assert(apply(other, EVENT_snapshot, backward, 3));
    cr_assert_eq(book_hash(one), book_hash(other));
    cr_assert(book_set(other, SIDE_BUY, 100, 6));
    cr_assert_neq(book_hash(one), book_hash(other));
    free(one);
    free(other);
}

/* Far levels stand in a table by their hash, in which their order of coming shows. */
Test(book, the_hash_knows_far_levels_but_not_their_history)
{
    struct book *one = book_new(64), *other = book_new(64);
    cr_assert(book_set(one, SIDE_BUY, 1000000, 1));
    cr_assert(book_set(other, SIDE_BUY, 1000000, 1));
    for (int64_t i = 1; i <= 20; i++) {
        cr_assert(book_set(one, SIDE_BUY, 1000 * i, i));
        cr_assert(book_set(other, SIDE_BUY, 1000 * (21 - i), 21 - i));
    }
    cr_assert_eq(book_hash(one), book_hash(other));
    cr_assert(book_set(other, SIDE_BUY, 7000, 8));
    cr_assert_neq(book_hash(one), book_hash(other));
    cr_assert(book_set(other, SIDE_BUY, 7000, 7));
    cr_assert_eq(book_hash(one), book_hash(other));
    cr_assert(book_set(other, SIDE_BUY, 7000, 0));
    cr_assert_neq(book_hash(one), book_hash(other));
    free(one);
    free(other);
}

/* The last far level goes, the window passes the place where it was, and the next far level must
 * still be found when the window reaches it. */
Test(book, a_far_level_that_went_hides_no_other)
{
    struct book *book = book_new(64);
    struct book_level level;
    cr_assert(book_set(book, SIDE_SELL, 100000, 1));
    cr_assert(book_set(book, SIDE_SELL, 112300, 1)); /* far, and gone again */
    cr_assert(book_set(book, SIDE_SELL, 112300, 0));
    cr_assert(book_set(book, SIDE_SELL, 112200, 1));
    cr_assert(book_set(book, SIDE_SELL, 100000, 0)); /* the window follows the best level */
    cr_assert(book_set(book, SIDE_SELL, 124500, 7)); /* far */
    cr_assert(book_set(book, SIDE_SELL, 124000, 1));
    cr_assert(book_set(book, SIDE_SELL, 112200, 0)); /* and now covers it */
    cr_assert_eq(book_quantity(book, SIDE_SELL, 124500), 7);
    cr_assert(book_next(book, SIDE_SELL, 124000, &level));
    cr_assert_eq(level.price, 124500);
    cr_assert_eq(book_level_count(book, SIDE_SELL), 2);
    free(book);
}

Test(book, a_price_that_is_none_holds_nothing)
{
    static const struct row rows[] = {{.price = 20, .quantity = 3},
                                      {.price = 25, .quantity = 4, .flags = ROW_SELL}};
    struct book *book = book_new(FAR_LEVELS);
    struct book_level level;
    cr_assert(apply(book, EVENT_snapshot, rows, 2));
    for (unsigned side = 0; side < 2; side++)
        cr_expect_eq(book_quantity(book, side, 0), 0);
    cr_expect_eq(book_quantity_to(book, SIDE_SELL, 0), 0); /* no ask is that low */
    cr_expect_eq(book_quantity_to(book, SIDE_BUY, 0), 3);  /* every bid is above it */
    cr_expect_not(book_next(book, SIDE_BUY, 0, &level));
    cr_assert(book_next(book, SIDE_SELL, 0, &level));
    cr_expect_eq(level.price, 25);
    free(book);
}

/* A far level that went leaves its price as the lowest far one; the window then moves past it. */
Test(book, a_window_moves_past_a_far_level_that_went)
{
    enum { FAR = 100000, FARTHER = 200000 };
    struct book *book = book_new(FAR_LEVELS);
    struct book_level level;
    const struct row first = row_of(SIDE_SELL, 1000, 1);
    cr_assert(apply(book, EVENT_snapshot, &first, 1));
    cr_assert(book_set(book, SIDE_SELL, FAR, 2));
    cr_assert(book_set(book, SIDE_SELL, FARTHER, 3));
    cr_assert(book_set(book, SIDE_SELL, FAR, 0));
    cr_assert(book_set(book, SIDE_SELL, 1000, 0));
    cr_assert(book_best(book, SIDE_SELL, &level));
    cr_expect(level.price == FARTHER && level.quantity == 3);
    cr_expect_eq(book_level_count(book, SIDE_SELL), 1);
    /* From far below the window the best is the next. */
    cr_assert(book_next(book, SIDE_SELL, 1, &level));
    cr_expect_eq(level.price, FARTHER);
    free(book);
}
