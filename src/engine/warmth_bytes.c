/* The warmth as bytes (engine/carrier.h): all of an engine's state that a start makes cold and that is no part of the
 * carry, but for the levels of its books, which a tape tells otherwise. At the end stand the hash of the walked state, so
 * that no field of it is left out, and that of the bytes. Written where a session goes on with another tape; no other
 * start reads it. */
#include "engine/carrier.h"

#include "base/assert.h"
#include "base/time.h"
#include "engine/walker.h"

enum { WARMTH_VERSION = 2, WORD_BITS = 64 };

/* Rates of assets have exponents near those of prices (engine/profit.c). */
enum { RATE_EXPONENT_MAX = 64 };

/* --- market ------------------------------------------------------------------------------------------------ */

#define MARKET_FIELD(name)   FIELD_OF(market, name, 0)
#define STAMPED_FIELDS(name) MARKET_FIELD(name.value), MARKET_FIELD(name.ts), MARKET_FIELD(name.has)

static const struct field market_fields[] = {MARKET_FIELD(top.price[SIDE_BUY]),
                                             MARKET_FIELD(top.quantity[SIDE_BUY]),
                                             MARKET_FIELD(top.has[SIDE_BUY]),
                                             MARKET_FIELD(top.price[SIDE_SELL]),
                                             MARKET_FIELD(top.quantity[SIDE_SELL]),
                                             MARKET_FIELD(top.has[SIDE_SELL]),
                                             MARKET_FIELD(top.sequence),
                                             MARKET_FIELD(view_ts),
                                             MARKET_FIELD(seen),
                                             MARKET_FIELD(book_seen),
                                             MARKET_FIELD(gap),
                                             MARKET_FIELD(trading),
                                             STAMPED_FIELDS(mark),
                                             STAMPED_FIELDS(index),
                                             STAMPED_FIELDS(trade),
                                             STAMPED_FIELDS(open_interest),
                                             STAMPED_FIELDS(open_interest_cap),
                                             STAMPED_FIELDS(last_mark2),
                                             MARKET_FIELD(mid2),
                                             MARKET_FIELD(funding_rate),
                                             MARKET_FIELD(funding_due),
                                             MARKET_FIELD(funding_told),
                                             MARKET_FIELD(mids.count),
                                             MARKET_FIELD(mids.behind)};

/* What a message said of the whole book. */
static void pass_book(struct carrier *carrier, unsigned index, struct book *book)
{
    uint64_t sequence =
        (uint64_t)carrier_pass(carrier, "book.sequence", index, book_sequence(book), 0, UINT64_MAX);
    int64_t ts = (int64_t)carrier_pass(carrier, "book.ts_local", index, book_ts_local(book),
                                       INT64_MIN, INT64_MAX);
    bool synchronised =
        carrier_pass(carrier, "book.synchronised", index, book_is_synchronised(book), 0, 1) != 0;
    if (carrier_is_reading(carrier))
        book_set_head(book, sequence, ts, synchronised);
}

/* Levels of a grid that a definition has made coarser since: told again, no engine takes them. */
struct off_tick {
    const struct limits *limits;
    uint64_t count;
};

static void count_off_tick(void *context, int64_t price, int64_t quantity)
{
    struct off_tick *off = context;
    (void)quantity;
    off->count += !limits_on_tick(off->limits, price);
}

static void pass_level(struct carrier *carrier, struct book *book, struct book_level level,
                       unsigned side)
{
    side = (unsigned)carrier_pass(carrier, "off.side", 0, side, 0, 1);
    level.price = (int64_t)carrier_pass(carrier, "off.price", 0, level.price, 1, BOOK_PRICE_MAX);
    level.quantity =
        (int64_t)carrier_pass(carrier, "off.quantity", 0, level.quantity, 1, INT64_MAX);
    if (carrier_is_reading(carrier) && carrier->fault == NULL &&
        !book_set(book, (enum side)side, level.price, level.quantity))
        carrier_refuse(carrier, "off.level", 0);
}

static void put_off_tick(struct carrier *carrier, const struct limits *limits, struct book *book)
{
    for (unsigned side = 0; side < 2; side++) {
        struct book_level level;
        for (bool more = book_best(book, (enum side)side, &level); more;
             more = book_next(book, (enum side)side, level.price, &level))
            if (!limits_on_tick(limits, level.price))
                pass_level(carrier, book, level, side);
    }
}

static void pass_off_tick(struct carrier *carrier, const struct limits *limits, struct book *book)
{
    struct off_tick off = {.limits = limits};
    for (unsigned side = 0; side < 2; side++)
        book_each(book, (enum side)side, count_off_tick, &off);
    uint64_t count = carrier_count(carrier, "off", off.count, UINT32_MAX);
    if (!carrier_is_reading(carrier) && count > 0)
        put_off_tick(carrier, limits, book);
    for (uint64_t i = 0; carrier_is_reading(carrier) && i < count && carrier->fault == NULL; i++)
        pass_level(carrier, book, (struct book_level){0, 0}, 0);
}

static void pass_mids(struct carrier *carrier, struct mid_ring *mids)
{
    uint64_t first = mids->count > ENGINE_MID_RING ? mids->count - ENGINE_MID_RING : 0;
    for (uint64_t i = first; i < mids->count && carrier->fault == NULL; i++) {
        int64_t *ts = &mids->ts[i % ENGINE_MID_RING], *mid2 = &mids->mid2[i % ENGINE_MID_RING];
        *ts = (int64_t)carrier_pass(carrier, "mids.ts", i, *ts, INT64_MIN, INT64_MAX);
        *mid2 = (int64_t)carrier_pass(carrier, "mids.mid2", i, *mid2, INT64_MIN, INT64_MAX);
    }
}

static void pass_market(struct carrier *carrier, unsigned index)
{
    struct instrument *instrument = &carrier->engine->instruments[index];
    struct market *market = &instrument->market;
    pass_off_tick(carrier, &instrument->limits, market->book);
    pass_book(carrier, index, market->book);
    PASS_FIELDS(carrier, market_fields, index, market);
    pass_mids(carrier, &market->mids);
}

/* --- what a definition changed ------------------------------------------------------------------------------- */

#define DEFINITION_FIELD(name) FIELD_OF(event_definition, name, 0)

static const struct field definition_fields[] = {DEFINITION_FIELD(tick),
                                                 DEFINITION_FIELD(lot),
                                                 DEFINITION_FIELD(minimum_notional),
                                                 DEFINITION_FIELD(maker_fee),
                                                 DEFINITION_FIELD(taker_fee),
                                                 FIELD_OF(event_definition, fee_asset, 0),
                                                 DEFINITION_FIELD(base_commission_exponent),
                                                 DEFINITION_FIELD(quote_commission_exponent),
                                                 FIELD_OF(event_definition, grid_basis, 0)};

/* What the definition made of the settings. */
static const struct field quote_fields[] = {
    FIELD_OF(limits, quote.half_spread_millitick, 0), FIELD_OF(limits, quote.step_millitick, 0),
    FIELD_OF(limits, quote.skew_millitick, 0), FIELD_OF(limits, quote.size, 0)};

static void pass_definition(struct carrier *carrier, unsigned index)
{
    struct instrument *instrument = &carrier->engine->instruments[index];
    PASS_FIELDS(carrier, definition_fields, index, &instrument->definition);
    if (carrier_is_reading(carrier) && carrier->fault == NULL &&
        (!event_definition_may_follow(&instrument->first_definition, &instrument->definition) ||
         !limits_redefine(&instrument->limits, &instrument->first_limits, &instrument->definition)))
        carrier_refuse(carrier, "definition", index);
    PASS_FIELDS(carrier, quote_fields, index, &instrument->limits);
}

/* --- signals ------------------------------------------------------------------------------------------------ */

#define SIGNAL_FIELD(name) FIELD_OF(signals, name, 0)

static const struct field signal_fields[] = {SIGNAL_FIELD(book_messages),
                                             SIGNAL_FIELD(trades),
                                             SIGNAL_FIELD(cold_since),
                                             SIGNAL_FIELD(next_second),
                                             SIGNAL_FIELD(mid2),
                                             SIGNAL_FIELD(spread),
                                             SIGNAL_FIELD(synced_since),
                                             SIGNAL_FIELD(lost_since),
                                             SIGNAL_FIELD(calm_since),
                                             SIGNAL_FIELD(wide_since),
                                             SIGNAL_FIELD(close_since),
                                             SIGNAL_FIELD(wide_bound),
                                             SIGNAL_FIELD(close_bound),
                                             SIGNAL_FIELD(off_since),
                                             SIGNAL_FIELD(near_since),
                                             FIELD_OF(signals, distance, REFERENCE_OFF),
                                             SIGNAL_FIELD(lost),
                                             SIGNAL_FIELD(rejected),
                                             SIGNAL_FIELD(dropped),
                                             SIGNAL_FIELD(bad),
                                             SIGNAL_FIELD(volatility.variance),
                                             SIGNAL_FIELD(volatility.sigma),
                                             SIGNAL_FIELD(volatility.mean),
                                             SIGNAL_FIELD(volatility.mid2),
                                             SIGNAL_FIELD(volatility.samples),
                                             SIGNAL_FIELD(volatility.bucket)};

static int64_t pass_time(struct carrier *carrier, const char *name, uint64_t index, int64_t value)
{
    return (int64_t)carrier_pass(carrier, name, index, value, INT64_MIN, INT64_MAX);
}

static void pass_double(struct carrier *carrier, const char *name, uint64_t index, double *value)
{
    struct field field = {.name = name, .type = TYPE_DOUBLE};
    carrier_fields(carrier, &field, 1, index, value);
}

static void pass_volatility(struct carrier *carrier, struct volatility *volatility)
{
    for (unsigned i = 0; i < VOLATILITY_BUCKETS; i++) {
        pass_double(carrier, "volatility.sum", i, &volatility->sums[i]);
        volatility->counts[i] = (uint32_t)carrier_pass(carrier, "volatility.count", i,
                                                       volatility->counts[i], 0, UINT32_MAX);
    }
}

static void pass_extremes(struct carrier *carrier, unsigned index, struct extremes *extremes)
{
    static const struct field fields[] = {
        FIELD_OF(extremes, part, 0), FIELD_OF(extremes, older_low, 0),
        FIELD_OF(extremes, older_high, 0), FIELD_OF(extremes, older_count, 0)};
    PASS_FIELDS(carrier, fields, index, extremes);
    if (carrier_is_reading(carrier) && extremes->part < 0) /* a place in the ring */
        carrier_refuse(carrier, "extremes.part", index);
    for (unsigned at = 0; at <= EXTREMES_PARTS; at++) {
        uint32_t *count = &extremes->counts[at];
        *count = (uint32_t)carrier_pass(carrier, "extremes.count", at, *count, 0, UINT32_MAX);
        if (*count == 0)
            continue;
        extremes->low[at] = pass_time(carrier, "extremes.low", at, extremes->low[at]);
        extremes->high[at] = pass_time(carrier, "extremes.high", at, extremes->high[at]);
    }
}

/* Oldest first; they are sampled again. */
static void pass_spreads(struct carrier *carrier, struct spreads *spreads)
{
    const struct spreads *from = spreads;
    uint64_t count = carrier_count(carrier, "spreads", spreads->count, SPREADS_MAX);
    if (carrier_is_reading(carrier))
        *spreads = (struct spreads){.count = 0};
    for (uint64_t i = 0; i < count && carrier->fault == NULL; i++) {
        uint64_t slot = (from->oldest + i) % SPREADS_MAX;
        int64_t second =
            (int64_t)carrier_pass(carrier, "spreads.second", i, from->seconds[slot], 0, INT64_MAX);
        int64_t value = pass_time(carrier, "spreads.value", i, from->values[slot]);
        if (carrier_is_reading(carrier))
            spreads_sample(spreads, second, value, INT64_MAX);
    }
}

static void pass_markouts(struct carrier *carrier, struct markouts *markouts)
{
    static const struct field fields[] = {
        FIELD_OF(pending_markout, due, 0), FIELD_OF(pending_markout, price, 0),
        FIELD_OF(pending_markout, fee, 0), FIELD_OF(pending_markout, side, 1)};
    uint64_t count = carrier_count(carrier, "markouts.count", markouts->count, UINT64_MAX);
    uint64_t waiting = carrier_count(carrier, "waiting", markouts->waiting, MARKOUTS_PENDING);
    if (carrier_is_reading(carrier))
        *markouts = (struct markouts){.count = count, .waiting = (uint32_t)waiting};
    for (uint64_t i = 0; i < count && i < MARKOUTS_KEPT && carrier->fault == NULL; i++)
        pass_double(carrier, "markouts.value", i, &markouts->values[i]);
    for (uint64_t i = 0; i < waiting && carrier->fault == NULL; i++)
        PASS_FIELDS(carrier, fields, i,
                    &markouts->pending[(markouts->first + i) % MARKOUTS_PENDING]);
}

static void pass_answers(struct carrier *carrier, struct answers *answers)
{
    uint64_t all = carrier_count(carrier, "answers", answers->all_count, UINT64_MAX);
    uint64_t bad = carrier_count(carrier, "answers.bad", answers->bad_count, UINT64_MAX);
    answers->all_count = all;
    answers->bad_count = bad;
    for (uint64_t i = 0; i < all && i < PLACE_ANSWERS_MAX && carrier->fault == NULL; i++)
        answers->all[i] = pass_time(carrier, "answers.all", i, answers->all[i]);
    for (uint64_t i = 0; i < bad && i < PLACE_ANSWERS_MAX && carrier->fault == NULL; i++)
        answers->bad[i] = pass_time(carrier, "answers.one", i, answers->bad[i]);
}

static void pass_signals(struct carrier *carrier, unsigned index)
{
    struct signals *signals = &carrier->engine->instruments[index].signals;
    PASS_FIELDS(carrier, signal_fields, index, signals);
    pass_volatility(carrier, &signals->volatility);
    pass_extremes(carrier, index, &signals->move);
    pass_extremes(carrier, index, &signals->open_interest);
    pass_spreads(carrier, &signals->spreads);
    pass_markouts(carrier, &signals->markouts);
    pass_answers(carrier, &signals->answers);
}

/* --- learning ------------------------------------------------------------------------------------------------ */

#define SIZES_FIELD(name) FIELD_OF(learning_sizes, name, 0)

static void pass_sizes(struct carrier *carrier, struct learning_sizes *sizes, uint64_t index)
{
    static const struct field fields[] = {
        SIZES_FIELD(made), SIZES_FIELD(usable),  SIZES_FIELD(count),    SIZES_FIELD(size),
        SIZES_FIELD(lot),  SIZES_FIELD(nearest), SIZES_FIELD(farthest), SIZES_FIELD(fair)};
    PASS_FIELDS(carrier, fields, index, sizes);
    for (unsigned level = 0; level < STRATEGY_LEVELS_MAX && sizes->usable; level++)
        sizes->sizes[level] = pass_time(carrier, "learning.sizes", level, sizes->sizes[level]);
}

static void pass_learning(struct carrier *carrier, unsigned index)
{
    static const struct field fields[] = {FIELD_OF(learning, markouts, 0),
                                          FIELD_OF(learning, loss, 0),
                                          FIELD_OF(learning, deadline, 0)};
    struct learning *learning = &carrier->engine->instruments[index].learning;
    PASS_FIELDS(carrier, fields, index, learning);
    for (unsigned side = 0; side < 2; side++)
        pass_sizes(carrier, &learning->sizes[side], 2 * (uint64_t)index + side);
}

/* --- instruments and venues ---------------------------------------------------------------------------------- */

#define INSTRUMENT_FIELD(name) FIELD_OF(instrument, name, 0)
#define REFUSALS_FIELDS(of)                                                                        \
    INSTRUMENT_FIELD(of.levels), INSTRUMENT_FIELD(of.at), INSTRUMENT_FIELD(of.until),              \
        INSTRUMENT_FIELD(of.back_off)

static const struct field instrument_fields[] = {INSTRUMENT_FIELD(gates.blocking),
                                                 INSTRUMENT_FIELD(gates.blocked_now),
                                                 INSTRUMENT_FIELD(last_cycle),
                                                 INSTRUMENT_FIELD(pending_deadline),
                                                 INSTRUMENT_FIELD(retry_deadline),
                                                 INSTRUMENT_FIELD(held_until),
                                                 INSTRUMENT_FIELD(wait_top[SIDE_BUY]),
                                                 INSTRUMENT_FIELD(wait_top[SIDE_SELL]),
                                                 REFUSALS_FIELDS(refusals[SIDE_BUY]),
                                                 REFUSALS_FIELDS(refusals[SIDE_SELL]),
                                                 REFUSALS_FIELDS(level_refusals[SIDE_BUY]),
                                                 REFUSALS_FIELDS(level_refusals[SIDE_SELL]),
                                                 INSTRUMENT_FIELD(reference4),
                                                 INSTRUMENT_FIELD(fair),
                                                 INSTRUMENT_FIELD(skew),
                                                 INSTRUMENT_FIELD(has_fair),
                                                 INSTRUMENT_FIELD(top_in_collar[SIDE_BUY]),
                                                 INSTRUMENT_FIELD(top_in_collar[SIDE_SELL]),
                                                 INSTRUMENT_FIELD(profit.worth),
                                                 INSTRUMENT_FIELD(profit.unknown),
                                                 INSTRUMENT_FIELD(profit.flat),
                                                 INSTRUMENT_FIELD(profit.pull)};

static void pass_blocked(struct carrier *carrier, struct gate_state *gates)
{
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        gates->blocked[gate] = (uint64_t)carrier_pass(carrier, "gates.blocked", gate,
                                                      gates->blocked[gate], 0, UINT64_MAX);
}

static void pass_instrument(struct carrier *carrier, unsigned index)
{
    struct instrument *instrument = &carrier->engine->instruments[index];
    pass_definition(carrier, index);
    pass_market(carrier, index);
    PASS_FIELDS(carrier, instrument_fields, index, instrument);
    pass_blocked(carrier, &instrument->gates);
    pass_signals(carrier, index);
    pass_learning(carrier, index);
    ASSERT(strategy_ladder.state_bytes == 0); /* else it is passed here */
}

static void pass_venue(struct carrier *carrier, unsigned venue)
{
    static const struct field fields[] = {FIELD_OF(venue_state, infrastructure.failed, 0),
                                          FIELD_OF(venue_state, rate.bucket, 0),
                                          FIELD_OF(venue_state, rate.sum, 0),
                                          FIELD_OF(venue_state, orders_stream.lost, 0),
                                          FIELD_OF(venue_state, orders_stream.again, 0),
                                          FIELD_OF(venue_state, orders_stream.blocked, 0),
                                          FIELD_OF(venue_state, orders_stream.pulled, 0)};
    struct venue_state *state = &carrier->engine->venues[venue];
    PASS_FIELDS(carrier, fields, venue, state);
    for (unsigned bucket = 0; bucket < RATE_RING; bucket++)
        state->rate.sent[bucket] = (uint32_t)carrier_pass(carrier, "rate.sent", bucket,
                                                          state->rate.sent[bucket], 0, UINT32_MAX);
}

static void pass_database(struct carrier *carrier)
{
#define DATABASE_FIELD(name) FIELD_OF(infrastructure, name, 0)
    static const struct field fields[] = {
        FIELD_OF(infrastructure, state, INFRASTRUCTURE_STATE_COUNT - 1),
        DATABASE_FIELD(failures),
        DATABASE_FIELD(since),
        DATABASE_FIELD(failed),
        DATABASE_FIELD(passed),
        DATABASE_FIELD(trial)};
#undef DATABASE_FIELD
    PASS_FIELDS(carrier, fields, 0, &carrier->engine->database);
}

/* --- profit ------------------------------------------------------------------------------------------------- */

#define PROFIT_FIELD(name) FIELD_OF(profit, name, 0)
#define ASSET_FIELD(name)  FIELD_OF(asset_profit, name, 0)

static const struct field profit_fields[] = {
    PROFIT_FIELD(chained), PROFIT_FIELD(touched),   PROFIT_FIELD(unknown),  PROFIT_FIELD(profit),
    PROFIT_FIELD(peak),    PROFIT_FIELD(day_start), PROFIT_FIELD(next_day), PROFIT_FIELD(remark)};

static const struct field asset_fields[] = {
    ASSET_FIELD(sum),      ASSET_FIELD(worth),    ASSET_FIELD(unknown),
    ASSET_FIELD(rate.bid), ASSET_FIELD(rate.ask), ASSET_FIELD(rate.exponent),
    ASSET_FIELD(rate_ts),  ASSET_FIELD(to),       ASSET_FIELD(divides)};

static void pass_words(struct carrier *carrier, const char *name, uint64_t *words)
{
    unsigned count = (carrier->engine->instrument_count + WORD_BITS - 1) / WORD_BITS;
    for (unsigned word = 0; word < count; word++)
        words[word] = (uint64_t)carrier_pass(carrier, name, word, words[word], 0, UINT64_MAX);
}

static void pass_asset(struct carrier *carrier, unsigned index)
{
    struct asset_profit *asset = &carrier->engine->profit.assets[index];
    PASS_FIELDS(carrier, asset_fields, index, asset);
    if (!carrier_is_reading(carrier))
        return;
    if ((asset->to >= carrier->engine->asset_count && asset->to != EVENT_NONE_16) ||
        asset->rate.exponent < -RATE_EXPONENT_MAX || asset->rate.exponent > RATE_EXPONENT_MAX)
        carrier_refuse(carrier, "rate", index);
}

static void pass_profit(struct carrier *carrier)
{
    struct engine *engine = carrier->engine;
    PASS_FIELDS(carrier, profit_fields, 0, &engine->profit);
    pass_words(carrier, "profit.dirty", engine->profit.dirty);
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        pass_asset(carrier, asset);
}

/* --- timers ------------------------------------------------------------------------------------------------- */

/* Deadlines as they are kept, which may be early: the state hashes are of these. */
static void pass_timers(struct carrier *carrier)
{
    static const struct field fields[] = {FIELD_OF(timers, settled, 0), FIELD_OF(timers, moved, 0)};
    struct timers *timers = &carrier->engine->timers;
    for (unsigned leaf = 0; leaf <= timers->common; leaf++) {
        int64_t deadline =
            pass_time(carrier, "deadline", leaf, timers->tree[timers->leaves + leaf]);
        if (carrier_is_reading(carrier))
            timers_set(timers, leaf, deadline);
    }
    PASS_FIELDS(carrier, fields, 0, timers);
}

/* --- all of it ----------------------------------------------------------------------------------------------- */

static void pass_engine(struct carrier *carrier)
{
    static const struct field fields[] = {
        FIELD_OF(engine, start_ts, 0),      FIELD_OF(engine, ordinal, 0),
        FIELD_OF(engine, own_book_next, 0), FIELD_OF(engine, sync_deadline, 0),
        FIELD_OF(engine, any_due, 0),       FIELD_OF(engine, within_frame, 0)};
    struct engine *engine = carrier->engine;
    carrier_same(carrier, "warmth.version", WARMTH_VERSION);
    PASS_FIELDS(carrier, fields, 0, engine);
    pass_words(carrier, "due", engine->due);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        pass_instrument(carrier, index);
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        pass_venue(carrier, venue);
    pass_database(carrier);
    pass_profit(carrier);
    pass_timers(carrier);
}

static void pass_all(struct carrier *carrier)
{
    struct walker_hash hash;
    pass_engine(carrier);
    if (carrier->fault == NULL) {
        walker_hash_init(&hash);
        engine_walk(carrier->engine, &hash.walker);
        carrier_same(carrier, "state", hash.hash);
    }
    carrier_bytes_hash(carrier);
    if (carrier_is_reading(carrier) && carrier->at != carrier->length)
        carrier_refuse(carrier, "end", carrier->at);
}

size_t engine_write_warmth(const struct engine *engine, uint8_t *out, size_t capacity)
{
    ASSERT(engine->magic == ENGINE_MAGIC && engine->warm && out != NULL);
    struct carrier carrier = {
        .engine = (struct engine *)(uintptr_t)engine, .out = out, .length = capacity};
    pass_all(&carrier);
    ASSERT(carrier.fault == NULL);
    return carrier.at;
}

const char *engine_read_warmth(struct engine *engine, const uint8_t *bytes, size_t length,
                               uint64_t *index)
{
    ASSERT(engine->magic == ENGINE_MAGIC && engine->started && !engine->warm);
    struct carrier carrier = {.engine = engine, .in = bytes, .length = length};
    pass_all(&carrier);
    engine->warm = carrier.fault == NULL;
    *index = carrier.index;
    return carrier.fault;
}
