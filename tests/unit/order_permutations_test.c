/* Answers in every order: histories of an order at its venue, told in all permutations and with each
 * answer repeated, against what the venue knows; and every word of a few answers, whether it makes sense
 * or not, against what must hold of any order. Quoting is off: the test sends by itself. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

enum { ANSWERS_MAX = 5, PRICE = 990, QUANTITY = 10 };

static struct harness h;
static order_id order;    /* the one under test */
static int64_t start;     /* position before it */
static uint64_t trade_at; /* trade ids of its fills count from here */

/* One answer. `trade` names a fill within its history, so that a repetition has the same. */
struct answer {
    uint8_t kind;
    uint8_t trade, reason;
    int64_t quantity, leaves, price;
};

#define ACCEPTED                                                                                   \
    {                                                                                              \
        .kind = EVENT_order_accepted                                                               \
    }
#define REJECTED                                                                                   \
    {                                                                                              \
        .kind = EVENT_order_rejected, .reason = REJECT_FUNDS                                       \
    }
#define FILL(n, q, left)                                                                           \
    {                                                                                              \
        .kind = EVENT_order_filled, .trade = n, .quantity = q, .leaves = left                      \
    }
#define CANCELLED(left)                                                                            \
    {                                                                                              \
        .kind = EVENT_order_cancelled, .leaves = left                                              \
    }
#define EXPIRED(left)                                                                              \
    {                                                                                              \
        .kind = EVENT_order_expired, .leaves = left                                                \
    }
#define NO_CANCEL(why)                                                                             \
    {                                                                                              \
        .kind = EVENT_cancel_rejected, .reason = why                                               \
    }
#define NO_MODIFY(why)                                                                             \
    {                                                                                              \
        .kind = EVENT_modify_rejected, .reason = why                                               \
    }
#define MODIFIED(p, left)                                                                          \
    {                                                                                              \
        .kind = EVENT_order_modified, .price = p, .leaves = left                                   \
    }
#define SEEN(left)                                                                                 \
    {                                                                                              \
        .kind = EVENT_order_status, .price = PRICE, .leaves = left                                 \
    }
#define UNKNOWN                                                                                    \
    {                                                                                              \
        .kind = EVENT_order_unknown                                                                \
    }
#define NOT_FOUND                                                                                  \
    {                                                                                              \
        .kind = EVENT_order_not_found                                                              \
    }

/* What we had sent when the answers began to come; but for a new order it was accepted before. */
enum sent {
    SENT_NEW,
    SENT_NOTHING,
    SENT_CANCEL,
    SENT_SMALLER,
    SENT_LARGER,
    SENT_DEARER,
    SENT_COUNT
};

struct history {
    const char *name;
    enum sent sent;
    int64_t rests; /* what the venue has left in the end */
    struct answer answers[ANSWERS_MAX];
};

static const struct history histories[] = {
    {"filled in two", SENT_NEW, 0, {ACCEPTED, FILL(1, 4, 6), FILL(2, 6, 0)}},
    {"filled in three", SENT_NEW, 0, {ACCEPTED, FILL(1, 2, 8), FILL(2, 3, 5), FILL(3, 5, 0)}},
    {"cancelled by the venue", SENT_NEW, 0, {ACCEPTED, FILL(1, 4, 6), CANCELLED(6)}},
    {"rejected", SENT_NEW, 0, {REJECTED}},
    {"expired whole", SENT_NEW, 0, {ACCEPTED, EXPIRED(10)}},
    {"expired in part", SENT_NEW, 0, {ACCEPTED, FILL(1, 3, 7), EXPIRED(7)}},
    {"lost, then filled", SENT_NEW, 0, {UNKNOWN, ACCEPTED, FILL(1, 10, 0)}},
    {"lost, then seen", SENT_NEW, 6, {UNKNOWN, ACCEPTED, FILL(1, 4, 6), SEEN(6)}},
    {"lost, never there", SENT_NEW, 0, {UNKNOWN, NOT_FOUND, NOT_FOUND}},
    {"cancelled in part", SENT_CANCEL, 0, {FILL(1, 4, 6), CANCELLED(6)}},
    {"cancelled after two", SENT_CANCEL, 0, {FILL(1, 4, 6), FILL(2, 1, 5), CANCELLED(5)}},
    {"filled before its cancel", SENT_CANCEL, 0, {FILL(1, 10, 0), NO_CANCEL(REJECT_FILLED)}},
    {"cancel refused", SENT_CANCEL, 6, {FILL(1, 4, 6), NO_CANCEL(REJECT_RATE)}},
    {"cancel lost, filled", SENT_CANCEL, 0, {FILL(1, 4, 6), FILL(2, 6, 0), UNKNOWN, NOT_FOUND}},
    {"cancel lost, done", SENT_CANCEL, 0, {UNKNOWN, CANCELLED(10), NOT_FOUND}},
    {"smaller after a fill", SENT_SMALLER, 0, {FILL(1, 4, 6), MODIFIED(PRICE, 1), FILL(2, 1, 0)}},
    {"smaller, then filled", SENT_SMALLER, 0, {MODIFIED(PRICE, 5), FILL(1, 5, 0)}},
    {"too late to shrink", SENT_SMALLER, 0, {FILL(1, 10, 0), NO_MODIFY(REJECT_FILLED)}},
    {"shrink refused, seen", SENT_SMALLER, 6, {FILL(1, 4, 6), NO_MODIFY(REJECT_RATE), SEEN(6)}},
    {"shrunk, cancelled", SENT_SMALLER, 0, {MODIFIED(PRICE, 5), FILL(1, 2, 3), CANCELLED(3)}},
    {"larger, filled in part", SENT_LARGER, 6, {MODIFIED(PRICE, 14), FILL(1, 8, 6)}},
    {"larger after a fill", SENT_LARGER, 0, {FILL(1, 4, 6), MODIFIED(PRICE, 10), FILL(2, 10, 0)}},
    {"larger, cancelled", SENT_LARGER, 0, {MODIFIED(PRICE, 14), FILL(1, 8, 6), CANCELLED(6)}},
    {"growth refused", SENT_LARGER, 0, {NO_MODIFY(REJECT_RATE), FILL(1, 10, 0)}},
    {"too late to grow", SENT_LARGER, 0, {FILL(1, 10, 0), NO_MODIFY(REJECT_FILLED)}},
    {"moved, filled in two", SENT_DEARER, 0, {MODIFIED(995, 10), FILL(1, 4, 6), FILL(2, 6, 0)}},
    {"filled, moved, lost", SENT_DEARER, 6, {FILL(1, 4, 6), MODIFIED(995, 6), UNKNOWN}},
};

/* --- the engine's side -------------------------------------------------------------------------------- */

static void begin(void)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.global.orders_capacity = 64;
    harness_start(&h);
}

static const struct order_side *side(void)
{
    return &h.engine->instruments[0].sides[SIDE_BUY];
}

static int64_t position(void)
{
    return h.engine->instruments[0].position.units - start;
}

static bool is_live(void)
{
    return order_state_is_live(harness_order(&h, order)->state);
}

static void tell(const struct answer *answer)
{
    union event_record record;
    struct number price = {answer->price, NUMBER_VALUE}, leaves = {answer->leaves, NUMBER_VALUE};
    memset(&record, 0, sizeof record);
    record.order_accepted.order = order; /* instrument and order stand first in all of them */
    switch (answer->kind) {
    case EVENT_order_rejected:
        record.order_rejected.reason = answer->reason;
        break;
    case EVENT_cancel_rejected:
        record.cancel_rejected.reason = answer->reason;
        break;
    case EVENT_modify_rejected:
        record.modify_rejected.reason = answer->reason;
        break;
    case EVENT_order_cancelled:
        record.order_cancelled.leaves = leaves;
        break;
    case EVENT_order_expired:
        record.order_expired.leaves = leaves;
        break;
    case EVENT_order_modified:
        record.order_modified.price = price;
        record.order_modified.leaves = leaves;
        break;
    case EVENT_order_status:
        record.order_status.price = price;
        record.order_status.leaves = leaves;
        break;
    case EVENT_order_filled:
        h.trade = trade_at + answer->trade - 1;
        harness_fill(&h, order, SIDE_BUY, PRICE, answer->quantity, answer->leaves);
        return;
    default:
        break;
    }
    harness_record(&h, answer->kind, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

static void send(enum sent sent)
{
    struct event_place place = {.order = orders_next_id(h.engine),
                                .side = SIDE_BUY,
                                .price = {PRICE, NUMBER_VALUE},
                                .quantity = {QUANTITY, NUMBER_VALUE}};
    struct event_modify modify = {.order = place.order,
                                  .price = {sent == SENT_DEARER ? 995 : PRICE, NUMBER_VALUE},
                                  .leaves = {sent == SENT_SMALLER  ? 5
                                             : sent == SENT_LARGER ? 14
                                                                   : QUANTITY,
                                             NUMBER_VALUE}};
    order = place.order;
    start = h.engine->instruments[0].position.units;
    trade_at += 16;
    orders_take_place(h.engine, &place, h.now);
    if (sent == SENT_NEW)
        return;
    harness_accept(&h, order);
    if (sent == SENT_CANCEL)
        orders_take_cancel(h.engine, &(struct event_cancel){.order = order}, h.now);
    else if (sent != SENT_NOTHING)
        orders_take_modify(h.engine, &modify, h.now);
}

/* Whatever the answers left: the venue knows nothing of it any longer. */
static void clear_away(void)
{
    const struct answer unknown = UNKNOWN, not_found = NOT_FOUND;
    tell(&unknown);
    for (int i = 0; i < 3 && is_live(); i++) {
        h.now += SECONDS(3);
        tell(&not_found);
    }
    cr_assert_not(is_live());
    cr_assert_eq(side()->leaves, 0);
}

/* What must hold of any order after any answer. */
static void check_order(const char *name)
{
    const struct order *at = harness_order(&h, order);
    bool live = is_live();
    cr_assert(order_state_holds(at->state, at->quantity, at->leaves, at->filled, live), "%s", name);
    cr_assert_eq(side()->count, live ? 1 : 0, "%s", name);
    cr_assert_eq(side()->leaves, live ? orders_worst_leaves(at) : 0, "%s", name);
}

/* --- histories ---------------------------------------------------------------------------------------- */

static void tell_history(const struct history *history, const struct answer *answers,
                         const unsigned *by, unsigned count)
{
    int64_t filled = 0, told = 0;
    bool seen[8] = {false}, ended = false;
    for (unsigned i = 0; i < ANSWERS_MAX && history->answers[i].kind != 0; i++)
        filled += history->answers[i].quantity;
    send(history->sent);
    for (unsigned i = 0; i < count; i++) {
        const struct answer *answer = &answers[by[i]];
        tell(answer);
        if (answer->kind == EVENT_order_filled && !seen[answer->trade]) {
            seen[answer->trade] = true;
            told += answer->quantity;
        }
        check_order(history->name);
        cr_assert_eq(position(), told, "%s", history->name);
        cr_assert_geq(position() + side()->leaves, filled + history->rests,
                      "%s: %lld and %lld after answer %u of %u%u%u%u%u", history->name,
                      (long long)position(), (long long)side()->leaves, i, by[0], by[1], by[2],
                      by[3], by[4]);
        cr_assert(!(ended && is_live()), "%s: it ended once", history->name);
        ended = !is_live();
    }
    clear_away();
}

/* Every order of the first `count` numbers in `by`, from `at` on (Heap's way is shorter, this is plain). */
static void permute(const struct history *history, const struct answer *answers, unsigned *by,
                    unsigned at, unsigned count)
{
    if (at == count) {
        tell_history(history, answers, by, count);
        return;
    }
    for (unsigned i = at; i < count; i++) {
        unsigned first = by[i];
        by[i] = by[at];
        by[at] = first;
        permute(history, answers, by, at + 1, count);
        by[at] = by[i];
        by[i] = first;
    }
}

static void tell_in_all_orders(void)
{
    for (size_t n = 0; n < sizeof histories / sizeof *histories; n++) {
        const struct history *history = &histories[n];
        unsigned count = 0, by[ANSWERS_MAX] = {0, 1, 2, 3, 4};
        struct answer answers[ANSWERS_MAX];
        memcpy(answers, history->answers, sizeof answers);
        while (count < ANSWERS_MAX && answers[count].kind != 0)
            count++;
        permute(history, answers, by, 0, count);
        for (unsigned again = 0; again < count && count < ANSWERS_MAX; again++) {
            answers[count] = answers[again];
            permute(history, answers, by, 0, count + 1);
        }
    }
}

Test(order_permutations, whatever_the_order_of_answers_no_less_counts_than_may_fill)
{
    begin();
    tell_in_all_orders();
    cr_expect_eq(h.engine->orders.surprises, 0);
    harness_close(&h);
}

/* --- words -------------------------------------------------------------------------------------------- */

static const struct answer alphabet[] = {
    ACCEPTED,
    REJECTED,
    FILL(1, 4, 6),
    FILL(2, 6, 0),
    CANCELLED(6),
    EXPIRED(10),
    UNKNOWN,
    NOT_FOUND,
    NO_CANCEL(REJECT_FILLED),
    NO_CANCEL(REJECT_RATE),
    NO_MODIFY(REJECT_RATE),
    NO_MODIFY(REJECT_NOT_FOUND),
    MODIFIED(PRICE, 5),
    MODIFIED(995, 14),
    SEEN(10),
};
enum { LETTERS = sizeof alphabet / sizeof *alphabet, WORD = 4 };

static void tell_word(enum sent sent, unsigned word)
{
    int64_t told = 0;
    bool seen[3] = {false}, ended = false;
    send(sent);
    for (unsigned i = 0; i < WORD; i++, word /= LETTERS) {
        const struct answer *answer = &alphabet[word % LETTERS];
        tell(answer);
        if (answer->kind == EVENT_order_filled && !seen[answer->trade]) {
            seen[answer->trade] = true;
            told += answer->quantity;
        }
        check_order("a word");
        cr_assert_eq(position(), told);
        cr_assert(!(ended && is_live()));
        ended = !is_live();
    }
    clear_away();
}

/* Rows that no history and no word reaches: requests that only the cycle sends, and repetitions. */
static void tell_the_rest(void)
{
    const struct answer unknown = UNKNOWN, whole = CANCELLED(10), known = MODIFIED(PRICE, 10);
    send(SENT_NEW);
    tell(&whole);
    send(SENT_CANCEL);
    tell(&known);
    clear_away();
    send(SENT_NOTHING);
    tell(&unknown);
    orders_take_cancel(h.engine, &(struct event_cancel){.order = order}, h.now);
    clear_away();
    send(SENT_NOTHING);
    harness_fill(&h, order, SIDE_BUY, PRICE, 4, 6);
    orders_take_modify(h.engine,
                       &(struct event_modify){.order = order,
                                              .price = {PRICE, NUMBER_VALUE},
                                              .leaves = {5, NUMBER_VALUE}},
                       h.now);
    clear_away();
    send(SENT_NOTHING);
    harness_fill(&h, order, SIDE_BUY, PRICE, 4, 6);
    orders_take_cancel(h.engine, &(struct event_cancel){.order = order}, h.now);
    clear_away();
}

/* Fills that contradict what was told before, from each live state. */
static void tell_doubts(void)
{
    const struct answer unknown = UNKNOWN, doubt = FILL(1, 10, 3), owing = FILL(1, 4, 0),
                        part = FILL(2, 2, 8), doubt_of_part = FILL(3, 8, 3);
    for (int lost = 0; lost < 2; lost++) {
        for (enum sent sent = SENT_NEW; sent < SENT_COUNT; sent++) {
            send(sent);
            if (lost)
                tell(&unknown);
            tell(&doubt);
            clear_away();
            send(sent);
            if (lost)
                tell(&unknown);
            tell(&owing);
            clear_away();
            send(sent);
            tell(&part);
            tell(lost ? &doubt_of_part : &owing);
            clear_away();
        }
    }
}

Test(order_permutations, whatever_is_answered_an_order_ends_once_and_trades_count_once)
{
    unsigned words = 1;
    for (unsigned i = 0; i < WORD; i++)
        words *= LETTERS;
    begin();
    for (enum sent sent = SENT_NEW; sent < SENT_COUNT; sent++)
        for (unsigned word = 0; word < words; word++)
            tell_word(sent, word);
    tell_in_all_orders();
    tell_doubts();
    tell_the_rest();
    const struct engine_counters *counters = engine_counters(h.engine);
    for (int state = 0; state < ORDER_STATE_COUNT; state++)
        for (int event = 0; event < ORDER_EVENT_COUNT; event++)
            cr_expect(!order_transition_exists((enum order_state)state, (enum order_event)event) ||
                          counters->order_events[state][event] > 0,
                      "row %s, event %d is never reached",
                      order_state_name((enum order_state)state), event);
    /* What a venue must not do, such as filling more than there was, is invariant 6 and nothing else. */
    cr_expect_eq(counters->invariant_violations, counters->violations_by_invariant[6]);
}
