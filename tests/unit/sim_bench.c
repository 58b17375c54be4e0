/* See tests/unit/sim_bench.h. */
#include "sim_bench.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct bench bench;

/* --- market ---------------------------------------------------------------------------------- */

static const char *const VENUES[] = {"v1"};
static const char *const ASSETS[] = {"ETH", "USDT", "BTC"};
static const char *const SYMBOLS[] = {"ETHUSDT", "ETHPERP", "ETHCOIN"};

static struct event_definition definition_of(unsigned instrument)
{
    return (struct event_definition){.instrument = (uint16_t)instrument,
                                     .contract = (uint8_t)instrument,
                                     .price_exponent = -1,
                                     .quantity_exponent = -1,
                                     .tick = 1,
                                     .lot = 1,
                                     .multiplier = 1,
                                     .taker_fee = 1000000, /* 10 bp */
                                     .fee_asset = FEE_IN_QUOTE,
                                     .base_commission_exponent = -8,
                                     .quote_commission_exponent = -8,
                                     .base = ETH,
                                     .quote = USDT,
                                     .settle = USDT};
}

void setup(void)
{
    memset(&bench, 0, sizeof bench);
    for (unsigned i = 0; i < 3; i++) {
        bench.definitions[i] = definition_of(i);
        bench.instrument_settings[i].book_far_levels = 64;
    }
    bench.definitions[INVERSE].settle = ETH;
    bench.definitions[INVERSE].fee_asset = FEE_IN_SETTLE;
    bench.names = (struct event_names){1, 3, 3, VENUES, ASSETS, SYMBOLS, bench.definitions};
    bench.global.orders_capacity = 64;
    bench.global.sim_reorder = ms(250);
    bench.venue_settings.sim_fill_on_cross = true;
    strcpy(bench.venue_settings.sim_balances.text, "1000000 USDT, 1000 ETH");
}

void teardown(void)
{
    if (bench.venue)
        bench.venue->close(bench.venue);
    if (bench.feed)
        bench.feed->close(bench.feed);
}

struct row level(int64_t price, int64_t quantity)
{
    return (struct row){.price = price, .quantity = quantity};
}

/* Begin a message of LINEAR that the venue stamps at `venue_ms`; bid() and so on add its rows. */
struct message *tell(enum event_kind kind, enum channel channel, double local_ms, double venue_ms)
{
    cr_assert_lt(bench.message_count, MESSAGES_MAX);
    struct message *message = &bench.messages[bench.message_count];
    *message = (struct message){.ts_local = ms(local_ms),
                                .ts_venue = ms(venue_ms),
                                .stream = EVENT_STREAM(LINEAR, channel),
                                .kind = (uint8_t)kind,
                                .flags = MESSAGE_VENUE_TIME,
                                .rows = &bench.rows[bench.row_count],
                                .record = &bench.records[bench.message_count]};
    bench.message_count++;
    return message;
}

void add_row(struct row row, uint8_t flags)
{
    cr_assert_lt(bench.row_count, ROWS_MAX);
    row.flags = flags;
    bench.rows[bench.row_count++] = row;
    bench.messages[bench.message_count - 1].row_count++;
}

static uint8_t snapshot_flag(void)
{
    return bench.messages[bench.message_count - 1].kind == EVENT_snapshot ? ROW_FROM_SNAPSHOT : 0;
}
void bid(int64_t price, int64_t quantity)
{
    add_row(level(price, quantity), snapshot_flag());
}
void ask(int64_t price, int64_t quantity)
{
    add_row(level(price, quantity), (uint8_t)(ROW_SELL | snapshot_flag()));
}

/* Local times follow the venue's by the floor. */
void snapshot(double at)
{
    tell(EVENT_snapshot, CHANNEL_DEPTH, at + FLOOR_MS, at);
}
void depth(double at)
{
    tell(EVENT_depth, CHANNEL_DEPTH, at + FLOOR_MS, at);
}
void trade(double at, uint8_t flags, int64_t price, int64_t quantity)
{
    tell(EVENT_trade, CHANNEL_TRADE, at + FLOOR_MS, at);
    add_row(level(price, quantity), flags);
}
void buy_trade(double at, int64_t price, int64_t quantity)
{
    trade(at, 0, price, quantity);
}
void sell_trade(double at, int64_t price, int64_t quantity)
{
    trade(at, ROW_SELL, price, quantity);
}

void level_of_ten(void)
{
    snapshot(1);
    bid(1000, 100);
    ask(1010, 100);
}

void two_asks(void)
{
    snapshot(1);
    bid(990, 10);
    ask(1000, 10);
    ask(1010, 20);
}

/* --- running --------------------------------------------------------------------------------- */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(bench.log + bench.log_length, LOG_MAX - bench.log_length, format, arguments);
    va_end(arguments);
    bench.log_length += (size_t)length;
    cr_assert_lt(bench.log_length, LOG_MAX);
}

static void note_fill(const struct event_order_filled *fill)
{
    cr_assert_lt(bench.fill_count, FILLS_MAX);
    bench.fills[bench.fill_count++] = *fill;
    char price[DECIMAL_TEXT_MAX], quantity[DECIMAL_TEXT_MAX], left[DECIMAL_TEXT_MAX];
    decimal_to_text(fill->price.units, -1, price);
    decimal_to_text(fill->quantity.units, -1, quantity);
    decimal_to_text(fill->leaves.units, -1, left);
    char fee[MONEY_TEXT_MAX];
    money_to_text(fill->fee, fee);
    note("fill #%d %s@%s %s left %s", (int)fill->order, quantity, price,
         event_enum_text(FIELD_FILL_CAUSE, fill->cause), left);
    if (fill->fee.atto != 0)
        note(" fee %s %s", fee, ASSETS[fill->fee_asset]);
}

static void note_reject(const char *what, order_id order, unsigned reason)
{
    note("%s #%d %s", what, (int)order, event_enum_text(FIELD_REJECT, reason));
}

/* One line an answer, its time in ms first. */
static void note_answer(const struct message *answer)
{
    const union event_record *r = answer->record;
    note("%g ", (double)answer->ts_local / 1e6);
    if (answer->kind == EVENT_order_accepted)
        note("accepted #%d", (int)r->order_accepted.order);
    else if (answer->kind == EVENT_order_filled)
        note_fill(&r->order_filled);
    else if (answer->kind == EVENT_order_rejected)
        note_reject("rejected", r->order_rejected.order, r->order_rejected.reason);
    else if (answer->kind == EVENT_cancel_rejected)
        note_reject("cancel rejected", r->cancel_rejected.order, r->cancel_rejected.reason);
    else if (answer->kind == EVENT_modify_rejected)
        note_reject("modify rejected", r->modify_rejected.order, r->modify_rejected.reason);
    else if (answer->kind == EVENT_order_cancelled)
        note("cancelled #%d left %d %s", (int)r->order_cancelled.order,
             (int)r->order_cancelled.leaves.units,
             event_enum_text(FIELD_CANCEL_CAUSE, r->order_cancelled.cause));
    else if (answer->kind == EVENT_order_modified)
        note("modified #%d %d@%d", (int)r->order_modified.order,
             (int)r->order_modified.leaves.units, (int)r->order_modified.price.units);
    else
        note("%s", event_kind_info(answer->kind)->name);
    note("\n");
}

void open_venue(void)
{
    struct error error;
    cr_assert_eq(memory_feed_open(&bench.feed, bench.messages, bench.message_count, &error), 0);
    struct sim_options options = {.feed = bench.feed,
                                  .names = &bench.names,
                                  .global = &bench.global,
                                  .venues = &bench.venue_settings,
                                  .instruments = bench.instrument_settings,
                                  .feed_floor_ns = ms(FLOOR_MS)};
    cr_assert_eq(sim_open(&bench.venue, &options, &error), 0, "%s", error.text);
}

/* As the loop does: advance, take one answer, advance again. */
void run_to(double at)
{
    struct error error;
    if (!bench.venue)
        open_venue();
    bench.now = ms(at);
    for (;;) {
        cr_assert_eq(bench.venue->advance(bench.venue, bench.now, &error), 0, "%s", error.text);
        const struct message *answer = bench.venue->answer(bench.venue, bench.now);
        if (!answer)
            return;
        note_answer(answer);
    }
}

void run_to_error(double at, const char *text)
{
    struct error error = {0};
    bench.now = ms(at);
    while (bench.venue->advance(bench.venue, bench.now, &error) == 0) {
        const struct message *answer = bench.venue->answer(bench.venue, bench.now);
        cr_assert_not_null(answer, "the run went on");
    }
    cr_expect_eq(error.code, ERROR_INPUT);
    cr_expect(strstr(error.text, text) != NULL, "%s", error.text);
}

void submit(double at, enum event_kind kind, union event_record *record, unsigned instrument)
{
    run_to(at);
    struct error error;
    struct message decision = {.ts_local = ms(at),
                               .stream = EVENT_STREAM(instrument, CHANNEL_SESSION),
                               .kind = (uint8_t)kind,
                               .record = record};
    cr_assert_eq(bench.venue->submit(bench.venue, &decision, &error), 0, "%s", error.text);
}

struct event_place place_of(unsigned instrument, int order, enum side side, int64_t price,
                            int64_t quantity)
{
    return (struct event_place){.instrument = (uint16_t)instrument,
                                .order = (order_id)order,
                                .side = (uint8_t)side,
                                .price = {price, NUMBER_VALUE},
                                .quantity = {quantity, NUMBER_VALUE}};
}

void send_place(double at, struct event_place place)
{
    union event_record record = {.place = place};
    submit(at, EVENT_place, &record, place.instrument);
}
void place(double at, int order, enum side side, int64_t price, int64_t quantity)
{
    send_place(at, place_of(LINEAR, order, side, price, quantity));
}
void place_as(double at, int order, enum side side, int64_t price, int64_t quantity,
              enum time_in_force time_in_force, bool post_only)
{
    struct event_place place = place_of(LINEAR, order, side, price, quantity);
    place.time_in_force = (uint8_t)time_in_force;
    place.post_only = post_only;
    send_place(at, place);
}
void cancel(double at, int order)
{
    union event_record record = {
        .cancel = {.instrument = LINEAR, .order = (order_id)order, .why = CANCEL_UNWANTED}};
    submit(at, EVENT_cancel, &record, LINEAR);
}
void replace(double at, int old, int order, enum side side, int64_t price, int64_t quantity)
{
    union event_record record = {.replace = {.instrument = LINEAR,
                                             .order = (order_id)order,
                                             .replaces = (order_id)old,
                                             .side = (uint8_t)side,
                                             .price = {price, NUMBER_VALUE},
                                             .quantity = {quantity, NUMBER_VALUE},
                                             .post_only = 1}};
    submit(at, EVENT_replace, &record, LINEAR);
}
void modify(double at, int order, enum side side, int64_t price, int64_t leaves)
{
    union event_record record = {.modify = {.instrument = LINEAR,
                                            .order = (order_id)order,
                                            .side = (uint8_t)side,
                                            .price = {price, NUMBER_VALUE},
                                            .leaves = {leaves, NUMBER_VALUE}}};
    submit(at, EVENT_modify, &record, LINEAR);
}

void expect(const char *log)
{
    cr_assert_str_eq(bench.log, log, "wanted:\n%sgot:\n%s", log, bench.log);
}

void expect_money(money amount, const char *text)
{
    char got[MONEY_TEXT_MAX];
    money_to_text(amount, got);
    cr_assert_str_eq(got, text, "wanted %s, got %s", text, got);
}

const struct sim_stats *stats(void)
{
    return sim_stats(bench.venue);
}
