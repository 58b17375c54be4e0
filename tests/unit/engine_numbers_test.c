/* Numbers without a value, in every field of every kind that the engine can be told (B14): nothing
 * crashes, nothing that is no number leaves, every invariant holds, and what belongs to an order is told
 * with its id. The table is that of the kinds itself, so a new field is tested when it is added. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine_harness.h"

static struct harness h;

/* What may stand where a price or quantity is expected. */
static const struct number bad_numbers[] = {
    {0, NUMBER_ABSENT},
    {0, NUMBER_NAN},
    {INT64_MAX, NUMBER_NAN},
    {0, NUMBER_INFINITE},
    {-1, NUMBER_INFINITE},
    {990, NUMBER_OFF_GRID},
    {0, NUMBER_OVERFLOW},
    {995, NUMBER_MALFORMED},
    {0, NUMBER_VALUE},
    {-5, NUMBER_VALUE},
    {-990, NUMBER_VALUE},
    {993, NUMBER_VALUE},
    {INT64_MAX, NUMBER_VALUE},
    {INT64_MIN, NUMBER_VALUE},
    {INT64_C(1) << 62, NUMBER_VALUE},
    {INT64_C(1) << 60, NUMBER_VALUE},
};
enum { BAD_NUMBERS = sizeof bad_numbers / sizeof *bad_numbers };

/* And in the other fields: integers of every width, names of things that are not there. */
static const int64_t bad_integers[] = {0, -1, 1, 7, 255, 65535, INT64_MAX, INT64_MIN};
enum { BAD_INTEGERS = sizeof bad_integers / sizeof *bad_integers };

/* What the instrument is: every kind of contract, a tick of one unit and of several. */
static const struct world {
    enum contract contract;
    int64_t tick;
} worlds[] = {
    {CONTRACT_LINEAR, 5}, {CONTRACT_LINEAR, 1}, {CONTRACT_SPOT, 5}, {CONTRACT_INVERSE, 5}};
static const struct world *world = &worlds[0];

static void shape_world(void)
{
    struct settings_instrument *settings = &h.settings[0];
    h.definitions[0].contract = (uint8_t)world->contract;
    h.definitions[0].tick = world->tick;
    if (world->contract == CONTRACT_INVERSE)
        h.definitions[0].settle = ASSET_BASE;
    settings->quote_half_spread = TICKS(10 / world->tick);
    settings->quote_step = TICKS(5 / world->tick);
    settings->quote_skew = TICKS(5 / world->tick);
    settings->reconcile_price = TICKS(5 / world->tick);
    settings->risk_size_band = LOTS(500);
    settings->learning_horizon = SECONDS(1);
    settings->learning_sizing = true;
}

/* Orders #1 buy 10 @ 99.0 (a modify to 5 travels) and #2 sell 10 @ 101.5 (a cancel travels), #3 buy. */
static void begin(void)
{
    harness_init(&h);
    h.settings[0].quote_levels = 2;
    shape_world();
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    for (order_id id = 1; id <= 4; id++)
        harness_accept(&h, id);
    orders_take_modify(h.engine,
                       &(struct event_modify){
                           .order = 1, .price = {990, NUMBER_VALUE}, .leaves = {5, NUMBER_VALUE}},
                       h.now);
    orders_take_cancel(h.engine, &(struct event_cancel){.order = 2}, h.now);
}

/* A record of that kind in which everything is well. */
static union event_record good_record(unsigned kind)
{
    union event_record record;
    const struct event_kind_info *info = event_kind_info(kind);
    memset(&record, 0, sizeof record);
    for (unsigned i = 0; i < info->field_count; i++) {
        char *at = (char *)&record + info->fields[i].offset;
        const order_id order = kind == EVENT_order_modified || kind == EVENT_modify_rejected    ? 1
                               : kind == EVENT_cancel_rejected || kind == EVENT_order_cancelled ? 2
                                                                                                : 3;
        const struct number price = {985, NUMBER_VALUE}, quantity = {4, NUMBER_VALUE};
        if (info->fields[i].type == FIELD_ORDER)
            memcpy(at, &order, sizeof order);
        if (info->fields[i].type == FIELD_PRICE)
            memcpy(at, &price, sizeof price);
        if (info->fields[i].type == FIELD_QUANTITY)
            memcpy(at, &quantity, sizeof quantity);
    }
    if (kind == EVENT_definition)
        record.definition = h.definitions[0];
    return record;
}

/* Every order that leaves is a number on the grid; the rest follows its own order. */
static void check_decisions(const char *kind, const char *field)
{
    for (size_t i = 0; i < h.count; i++) {
        const union event_record *record = &h.records[i];
        struct number price = record->place.price, quantity = record->place.quantity;
        if (h.decisions[i].kind == EVENT_modify) {
            price = record->modify.price;
            quantity = record->modify.leaves;
        } else if (h.decisions[i].kind != EVENT_place) {
            continue;
        }
        const struct event_definition *definition = &h.engine->instruments[0].definition;
        cr_assert(price.status == NUMBER_VALUE && price.units > 0 &&
                      price.units % definition->tick == 0 && quantity.status == NUMBER_VALUE &&
                      quantity.units > 0 && quantity.units % definition->lot == 0,
                  "%s.%s", kind, field);
    }
    /* More filled than there was is the venue's doing, and shown as invariant 6. */
    const struct engine_counters *counters = engine_counters(h.engine);
    cr_assert_eq(counters->invariant_violations - counters->violations_by_invariant[6], 0,
                 "%s.%s: %s", kind, field, counters->violation);
    cr_assert(counters->invariant_violations == 0 || strcmp(kind, "order_filled") == 0, "%s.%s: %s",
              kind, field, counters->violation);
}

/* Life goes on: the market moves both ways, time passes. */
static void go_on(const char *kind, const char *field)
{
    check_decisions(kind, field);
    h.now += MILLISECONDS(100);
    harness_book(&h, 0, EVENT_depth, 1005, 5, 1005, 0);
    check_decisions(kind, field);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1020, 7);
    check_decisions(kind, field);
    harness_run_to(&h, h.now + SECONDS(6));
    check_decisions(kind, field);
    harness_command(&h, COMMAND_CANCEL_ALL);
    check_decisions(kind, field);
}

/* A venue need not tell what is left of an order, nor that open interest has a cap. */
static bool may_be_absent(unsigned kind, const char *field)
{
    return strcmp(field, "cap") == 0 ||
           (strcmp(field, "leaves") == 0 &&
            (kind == EVENT_order_filled || kind == EVENT_order_cancelled ||
             kind == EVENT_order_expired));
}

/* What is no number was told by the last step, with the order that it belongs to. */
static void check_told(const struct event_kind_info *info, const struct event_field_info *field,
                       const struct number *number, order_id order)
{
    bool of_order = info->kind >= EVENT_order_accepted && info->kind != EVENT_venue_position &&
                    info->kind != EVENT_venue_entry;
    if (number->status == NUMBER_VALUE ||
        (number->status == NUMBER_ABSENT && may_be_absent(info->kind, field->name)))
        return;
    if (info->kind == EVENT_adopt) { /* an operator is told what became of his words */
        cr_assert_eq(harness_count(&h, EVENT_adopted), 1);
        cr_assert_neq(harness_find(&h, EVENT_adopted, 0)->adopted.result, ADOPTION_TAKEN);
        return;
    }
    cr_assert_eq(harness_count(&h, EVENT_removed), 1, "%s.%s", info->name, field->name);
    const struct event_removed *removed = &harness_find(&h, EVENT_removed, 0)->removed;
    cr_assert_eq(removed->order, of_order ? order : 0, "%s.%s", info->name, field->name);
    cr_assert(removed->price.status == number->status || removed->quantity.status == number->status,
              "%s.%s", info->name, field->name);
}

static void tell(const struct event_kind_info *info, const struct event_field_info *field,
                 const void *value, size_t size)
{
    union event_record record;
    begin();
    record = good_record(info->kind);
    memcpy((char *)&record + field->offset, value, size);
    h.now += 1;
    harness_record(&h, info->kind, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    if (field->type == FIELD_PRICE || field->type == FIELD_QUANTITY)
        check_told(info, field, value, record.order_accepted.order);
    go_on(info->name, field->name);
    free(h.memory);
}

static size_t width_of(const struct event_field_info *field)
{
    static const uint8_t widths[] = {
#define T(type, c_type, size, text) [FIELD_##type] = sizeof(c_type),
        EVENT_FIELD_TYPES(T)
#undef T
    };
    return widths[field->type];
}

static void tell_field(const struct event_kind_info *info, const struct event_field_info *field)
{
    if (field->type == FIELD_PRICE || field->type == FIELD_QUANTITY) {
        for (unsigned i = 0; i < BAD_NUMBERS; i++)
            tell(info, field, &bad_numbers[i], sizeof bad_numbers[i]);
        return;
    }
    for (unsigned i = 0; i < BAD_INTEGERS; i++) {
        uint8_t bytes[sizeof(union event_record)];
        memset(bytes, bad_integers[i] < 0 ? 0xff : 0, sizeof bytes);
        memcpy(bytes, &bad_integers[i], sizeof bad_integers[i]);
        /* Enumerations and flags are checked by the decoder; exponents, ids and texts too. */
        if (field->type == FIELD_INSTRUMENT || field->type == FIELD_VENUE ||
            field->type == FIELD_ASSET || field->type == FIELD_ORDER ||
            field->type == FIELD_COUNT || field->type == FIELD_INTEGER ||
            field->type == FIELD_UNITS || field->type == FIELD_RATE || field->type == FIELD_MONEY ||
            field->type == FIELD_TIME || field->type == FIELD_DURATION)
            tell(info, field, bytes, width_of(field));
    }
}

static void tell_every_field(void)
{
    for (unsigned kind = 1; kind < EVENT_place; kind++) {
        const struct event_kind_info *info = event_kind_info(kind);
        if (info == NULL || info->field_count == 0 || kind == EVENT_start || kind == EVENT_tick)
            continue;
        for (unsigned i = 0; i < info->field_count; i++)
            tell_field(info, &info->fields[i]);
    }
}

Test(numbers, any_field_of_any_record_may_be_bad)
{
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
        world = &worlds[i];
        tell_every_field();
    }
}

/* The venue's clock may say anything. */
Test(numbers, any_venue_time_may_be_bad)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
    for (unsigned kind = 1; kind < EVENT_place; kind++) {
        const struct event_kind_info *info = event_kind_info(kind);
        if (info == NULL || info->field_count == 0 || kind == EVENT_start || kind == EVENT_tick)
            continue;
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
            begin();
            union event_record record = good_record(kind);
            struct message message = {.ts_local = ++h.now,
                                      .ts_venue = times[i],
                                      .flags = MESSAGE_VENUE_TIME,
                                      .kind = (uint8_t)kind,
                                      .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                      .record = &record};
            harness_give(&h, &message);
            go_on(info->name, "venue_time");
            free(h.memory);
        }
    }
}

Test(numbers, any_row_of_the_market_may_be_bad)
{
    static const unsigned kinds[] = {EVENT_depth, EVENT_snapshot, EVENT_trade, EVENT_top};
    for (size_t n = 0; n < 4; n++) {
        for (unsigned i = 0; i < 2 * BAD_NUMBERS; i++) {
            struct number bad = bad_numbers[i / 2];
            bool price = i % 2 == 0;
            struct row rows[3] = {
                {.price = 985, .quantity = 3, .flags = n == 1 ? ROW_FROM_SNAPSHOT : 0},
                {.price = price ? bad.units : 1005,
                 .price_status = price ? (uint8_t)bad.status : NUMBER_VALUE,
                 .quantity = price ? 4 : bad.units,
                 .quantity_status = price ? NUMBER_VALUE : (uint8_t)bad.status,
                 .flags = (uint8_t)(ROW_SELL | (n == 1 ? ROW_FROM_SNAPSHOT : 0))},
                {.price = 1010,
                 .quantity = 2,
                 .flags = (uint8_t)(ROW_SELL | (n == 1 ? ROW_FROM_SNAPSHOT : 0))}};
            begin();
            uint64_t before = engine_counters(h.engine)->removed_numbers;
            struct message message = {.ts_local = h.now,
                                      .kind = (uint8_t)kinds[n],
                                      .stream = EVENT_STREAM(0, n == 2   ? CHANNEL_TRADE
                                                                : n == 3 ? CHANNEL_TOP
                                                                         : CHANNEL_DEPTH),
                                      .sequence = ++h.sequence,
                                      .row_count = 3,
                                      .rows = rows};
            harness_give(&h, &message);
            /* A quantity of 0 says that the level is empty, and a large one is a large one. */
            bool well = !price && bad.status == NUMBER_VALUE && bad.units >= 0;
            cr_expect_eq(engine_counters(h.engine)->removed_numbers - before, well ? 0 : 1,
                         "kind %u, number %u", kinds[n], i);
            cr_expect_eq(harness_count(&h, EVENT_removed), well ? 0 : 1);
            go_on("row", price ? "price" : "quantity");
            free(h.memory);
        }
    }
}

/* --- resting orders ------------------------------------------------------------------------------------ */

static void show(order_id id, struct number price, struct number leaves)
{
    union event_record record = {.open_order = {.order = id, .price = price, .leaves = leaves}};
    harness_record(&h, EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

Test(numbers, a_resting_order_without_a_price_is_left_out_and_can_be_cancelled)
{
    for (unsigned i = 0; i < BAD_NUMBERS; i++) {
        harness_init(&h);
        harness_start(&h);
        harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
        harness_accept(&h, 1);
        harness_accept(&h, 2);
        show(1, bad_numbers[i], (struct number){10, NUMBER_VALUE});
        cr_assert_eq(harness_count(&h, EVENT_removed), 1, "number %u", i);
        const struct event_removed *removed = &harness_find(&h, EVENT_removed, 0)->removed;
        cr_expect(removed->where == REMOVED_RESTING && removed->order == 1);
        cr_expect_eq(engine_counters(h.engine)->removed_numbers, 1);
        /* Its level is wanted elsewhere; it is neither moved nor cancelled, and counts. */
        harness_book(&h, 0, EVENT_depth, 980, 50, 0, 0);
        harness_book(&h, 0, EVENT_depth, 1000, 0, 985, 40);
        cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
        cr_expect_geq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10);
        harness_command(&h, COMMAND_CANCEL_ALL);
        cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_CANCEL);
        harness_cancelled(&h, 1, 10);
        cr_expect_eq(harness_order(&h, 1)->state, ORDER_CANCELLED);
        harness_close(&h);
    }
}

Test(numbers, a_price_that_can_be_used_again_brings_it_back)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    show(1, (struct number){0, NUMBER_NAN}, (struct number){10, NUMBER_VALUE});
    cr_expect(harness_order(&h, 1)->unpriced);
    /* The snapshot disagrees with what we hold, so the order is asked for, and the answer counts. */
    union event_record record = {
        .order_status = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {10, NUMBER_VALUE}}};
    harness_record(&h, EVENT_order_status, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    cr_expect_not(harness_order(&h, 1)->unpriced);
    harness_close(&h);
}

/* --- what is wanted ------------------------------------------------------------------------------------ */

Test(numbers, a_wanted_level_beyond_belief_is_removed)
{
    harness_init(&h);
    h.settings[0].quote_size = PLAIN(INT64_C(1) << 62, -3);
    h.settings[0].risk_position_limit = PLAIN(INT64_MAX, -3);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_assert_eq(harness_count(&h, EVENT_removed), 2);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.where, REMOVED_WANTED);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.reason, REJECT_QUANTITY);
    harness_close(&h);
}

/* --- the comparison ------------------------------------------------------------------------------------ */

enum { SORTED = 60 };

static void fill_candidates(struct candidates *candidates, unsigned seed)
{
    for (unsigned i = 0; i < SORTED; i++) {
        unsigned n = i * 7 + seed;
        candidates->list[i] = (struct candidate){
            .want = (uint8_t)(n % 4),
            .has_fair = n % 3 != 0,
            .distance = n % 5 == 0   ? INT64_MIN
                        : n % 5 == 1 ? INT64_MAX
                                     : (int64_t)(n % 5),
            .price = bad_numbers[n % BAD_NUMBERS].units,
            .side = (uint8_t)(n / 4 % 2),
            .instrument = (uint16_t)(n / 8 % 2),
            .order = n % 6,
            .level = (uint8_t)(n % 2),
        };
        candidates->order[i] = i;
    }
    candidates->count = SORTED;
}

static bool is_before(const struct candidate *a, const struct candidate *b)
{
    struct candidate pair[2] = {*a, *b};
    uint32_t order[2] = {0, 1};
    struct candidates two = {.list = pair, .order = order, .count = 2, .capacity = 2};
    reconcile_sort(&two);
    return order[0] == 0;
}

/* Whatever the numbers are: of three, the order of the first two and of the last two is the order of the
 * outer ones; and the order of sending does not depend on that of planning. */
Test(numbers, the_order_of_sending_is_total)
{
    static struct candidate list[SORTED];
    static uint32_t order[SORTED];
    struct candidates candidates = {.list = list, .order = order, .capacity = SORTED};
    fill_candidates(&candidates, 3);
    for (unsigned a = 0; a < SORTED; a++)
        for (unsigned b = 0; b < SORTED; b++)
            for (unsigned c = 0; c < SORTED; c++)
                if (is_before(&list[a], &list[b]) && is_before(&list[b], &list[c]))
                    cr_assert(is_before(&list[a], &list[c]), "%u %u %u", a, b, c);
    reconcile_sort(&candidates);
    for (unsigned i = 1; i < SORTED; i++)
        cr_expect(is_before(&list[order[i - 1]], &list[order[i]]));
}
