/* See engine_harness.h. */
#include "engine_harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

void harness_init(struct harness *harness)
{
    memset(harness, 0, sizeof *harness);
    harness->global.orders_capacity = 256;
    harness->global.audit_every = 1000;
    harness->global.shutdown_step_timeout = SECONDS(5);
    harness->global.shutdown_force_after = SECONDS(30);
    harness->global.safety_orphans = 4;
    harness->audit_each = true;
    harness->instrument_count = 1;
    for (unsigned venue = 0; venue < 2; venue++) {
        harness->venues[venue].rate_orders = 1000;
        harness->venues[venue].rate_cancel_reserve = 200000000;
        harness->venues[venue].account_exclusive = true;
    }
    for (unsigned i = 0; i < HARNESS_INSTRUMENTS; i++) {
        struct settings_instrument *settings = &harness->settings[i];
        settings->quote_enabled = true;
        settings->quote_levels = 1;
        settings->quote_size = LOTS(10);
        settings->quote_half_spread = TICKS(2);
        settings->quote_step = TICKS(1);
        settings->quote_skew = TICKS(0);
        settings->quote_interval = MILLISECONDS(100);
        settings->reconcile_price = TICKS(1);
        settings->reconcile_size = 250000000;
        settings->risk_position_limit = LOTS(1000);
        settings->risk_size_band = LOTS(0);
        settings->risk_orders_per_side = 64;
        settings->risk_collar = 50000000;
        settings->risk_far_collar = 500000000;
        settings->risk_open_interest_share = 50000000;
        settings->risk_open_interest_age = SECONDS(60);
        settings->safety_stale_after = SECONDS(3600);
        settings->order_pending_timeout = SECONDS(5);
        settings->order_cancel_retries = 3;
        settings->order_cancel_backoff = MILLISECONDS(250);
        settings->shutdown_timeout = SECONDS(10);
        settings->book_far_levels = 64;
        harness->definitions[i] = (struct event_definition){
            .instrument = (uint16_t)i,
            .contract = CONTRACT_LINEAR,
            .price_exponent = -1,
            .quantity_exponent = -3,
            .tick = 5,
            .lot = 1,
            .multiplier = 1,
            .base_commission_exponent = -8,
            .quote_commission_exponent = -8,
            .base = ASSET_BASE,
            .quote = ASSET_QUOTE,
            .settle = ASSET_QUOTE,
        };
    }
}

void harness_make(struct harness *harness)
{
    struct engine_config config = {
        .global = &harness->global,
        .venue_count = 2,
        .asset_count = HARNESS_ASSETS,
        .instrument_count = harness->instrument_count,
        .venues = harness->venues,
        .instruments = harness->settings,
        .definitions = harness->definitions,
        .account = harness->account,
        .audit_each_message = harness->audit_each,
    };
    harness->size = engine_size(&config);
    cr_assert_gt(harness->size, 0);
    harness->memory = aligned_alloc(64, harness->size);
    memset(harness->memory, 0xa5, harness->size);
    harness->engine = engine_init(harness->memory, harness->size, &config);
}

void harness_begin(struct harness *harness)
{
    union event_record record = {.start = {.epoch = 0, .seed = 1}};
    harness_record(harness, EVENT_start, EVENT_NONE_16, &record);
    for (uint8_t venue = 0; venue < 2; venue++) {
        record.snapshot_end = (struct event_snapshot_end){.venue = venue};
        harness_record(harness, EVENT_snapshot_end, EVENT_NONE_16, &record);
    }
}

void harness_start(struct harness *harness)
{
    harness_make(harness);
    harness_begin(harness);
}

void harness_close(struct harness *harness)
{
    cr_expect_eq(engine_counters(harness->engine)->invariant_violations, 0);
    free(harness->memory);
}

static void take(struct harness *harness, struct actions actions)
{
    cr_assert_leq(actions.count, HARNESS_DECISIONS);
    harness->count = actions.count;
    for (size_t i = 0; i < actions.count; i++) {
        harness->decisions[i] = actions.messages[i];
        harness->records[i] = *actions.messages[i].record;
        harness->decisions[i].record = &harness->records[i];
    }
}

void harness_give(struct harness *harness, const struct message *message)
{
    if (harness->before)
        harness->before(harness->context, message);
    take(harness, engine_step(harness->engine, message));
    if (harness->after)
        harness->after(harness->context);
}

void harness_record(struct harness *harness, enum event_kind kind, unsigned stream,
                    const union event_record *record)
{
    struct message message = {.ts_local = harness->now,
                              .kind = (uint8_t)kind,
                              .stream = (uint16_t)stream,
                              .record = record};
    harness_give(harness, &message);
}

void harness_book_at(struct harness *harness, unsigned instrument, enum event_kind kind,
                     uint64_t sequence, int64_t bid, int64_t bid_quantity, int64_t ask,
                     int64_t ask_quantity)
{
    struct row rows[2];
    uint32_t count = 0;
    uint8_t source = kind == EVENT_snapshot ? ROW_FROM_SNAPSHOT : 0;
    if (bid != 0)
        rows[count++] = (struct row){.price = bid, .quantity = bid_quantity, .flags = source};
    if (ask != 0)
        rows[count++] = (struct row){
            .price = ask, .quantity = ask_quantity, .flags = (uint8_t)(source | ROW_SELL)};
    unsigned channel = kind == EVENT_top ? CHANNEL_TOP : CHANNEL_DEPTH;
    struct message message = {.ts_local = harness->now,
                              .kind = (uint8_t)kind,
                              .stream = EVENT_STREAM(instrument, channel),
                              .sequence = sequence,
                              .row_count = count,
                              .rows = rows};
    harness_give(harness, &message);
}

void harness_book(struct harness *harness, unsigned instrument, enum event_kind kind, int64_t bid,
                  int64_t bid_quantity, int64_t ask, int64_t ask_quantity)
{
    harness_book_at(harness, instrument, kind, ++harness->sequence, bid, bid_quantity, ask,
                    ask_quantity);
}

void harness_trade(struct harness *harness, unsigned instrument, enum side aggressor, int64_t price,
                   int64_t quantity)
{
    struct row row = {
        .price = price, .quantity = quantity, .flags = aggressor == SIDE_SELL ? ROW_SELL : 0};
    struct message message = {.ts_local = harness->now,
                              .kind = EVENT_trade,
                              .stream = EVENT_STREAM(instrument, CHANNEL_TRADE),
                              .row_count = 1,
                              .rows = &row};
    harness_give(harness, &message);
}

void harness_tick(struct harness *harness, int64_t now)
{
    union event_record record = {.tick = {.deadline = now}};
    harness->now = now;
    harness_record(harness, EVENT_tick, EVENT_NONE_16, &record);
}

void harness_run_to(struct harness *harness, int64_t now)
{
    int64_t deadline;
    while ((deadline = engine_deadline(harness->engine)) <= now)
        harness_tick(harness, deadline);
    harness->now = now;
}

static unsigned instrument_of(struct harness *harness, order_id order)
{
    const struct order *found = orders_find(harness->engine, order);
    return found == NULL ? 0 : found->instrument;
}

static void answer(struct harness *harness, enum event_kind kind, unsigned instrument,
                   const union event_record *record)
{
    harness_record(harness, kind, EVENT_STREAM(instrument, CHANNEL_SESSION), record);
}

void harness_accept(struct harness *harness, order_id order)
{
    unsigned instrument = instrument_of(harness, order);
    union event_record record = {
        .order_accepted = {.instrument = (uint16_t)instrument, .order = order}};
    answer(harness, EVENT_order_accepted, instrument, &record);
}

static void fill(struct harness *harness, unsigned instrument, order_id order, enum side side,
                 int64_t price, int64_t quantity, int64_t leaves)
{
    union event_record record = {.order_filled = {.instrument = (uint16_t)instrument,
                                                  .order = order,
                                                  .side = (uint8_t)side,
                                                  .price = {price, NUMBER_VALUE},
                                                  .quantity = {quantity, NUMBER_VALUE},
                                                  .leaves = {leaves, NUMBER_VALUE},
                                                  .cause = FILL_QUEUE,
                                                  .fee_asset = ASSET_QUOTE}};
    uint64_t id = ++harness->trade;
    record.order_filled.trade.length = 8;
    memcpy(record.order_filled.trade.bytes, &id, sizeof id);
    answer(harness, EVENT_order_filled, instrument, &record);
}

void harness_fill(struct harness *harness, order_id order, enum side side, int64_t price,
                  int64_t quantity, int64_t leaves)
{
    fill(harness, instrument_of(harness, order), order, side, price, quantity, leaves);
}

void harness_position(struct harness *harness, unsigned instrument, enum side side, int64_t price,
                      int64_t quantity)
{
    fill(harness, instrument, UINT64_C(0x7fffffff00000001), side, price, quantity, 0);
}

void harness_told_fill(struct harness *harness, int64_t made)
{
    union event_record record = {.order_filled = {.order = 77,
                                                  .side = SIDE_BUY,
                                                  .price = {1000, NUMBER_VALUE},
                                                  .quantity = {5, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .fee_asset = ASSET_QUOTE}};
    struct message message = {.ts_local = harness->engine->now,
                              .ts_venue = made,
                              .flags = MESSAGE_VENUE_TIME,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .kind = EVENT_order_filled,
                              .record = &record};
    engine_step(harness->engine, &message);
}

void harness_told_balance(struct harness *harness, int64_t made, uint8_t flags, int64_t total)
{
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    cr_assert(money_from_units(total, 0, &record.balance.total));
    struct message message = {.ts_local = harness->now,
                              .ts_venue = made,
                              .flags = flags,
                              .stream = EVENT_NONE_16,
                              .kind = EVENT_balance,
                              .record = &record};
    engine_step(harness->engine, &message);
}

void harness_cancelled(struct harness *harness, order_id order, int64_t leaves)
{
    unsigned instrument = instrument_of(harness, order);
    union event_record record = {.order_cancelled = {.instrument = (uint16_t)instrument,
                                                     .order = order,
                                                     .leaves = {leaves, NUMBER_VALUE},
                                                     .cause = CANCEL_REQUESTED}};
    answer(harness, EVENT_order_cancelled, instrument, &record);
}

void harness_reject(struct harness *harness, order_id order, enum reject reason)
{
    unsigned instrument = instrument_of(harness, order);
    union event_record record = {.order_rejected = {.instrument = (uint16_t)instrument,
                                                    .order = order,
                                                    .reason = (uint8_t)reason}};
    answer(harness, EVENT_order_rejected, instrument, &record);
}

void harness_command(struct harness *harness, enum command command)
{
    union event_record record = {
        .command = {.command = (uint8_t)command, .instrument = EVENT_NONE_16}};
    harness_record(harness, EVENT_command, EVENT_NONE_16, &record);
}

const union event_record *harness_find(const struct harness *harness, enum event_kind kind,
                                       size_t n)
{
    for (size_t i = 0; i < harness->count; i++)
        if (harness->decisions[i].kind == kind && n-- == 0)
            return &harness->records[i];
    return NULL;
}

size_t harness_count(const struct harness *harness, enum event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < harness->count; i++)
        count += harness->decisions[i].kind == kind;
    return count;
}

struct order *harness_order(struct harness *harness, order_id order)
{
    return orders_find(harness->engine, order);
}

uint32_t harness_blocking(const struct harness *harness)
{
    return harness->engine->instruments[0].gates.blocking;
}
