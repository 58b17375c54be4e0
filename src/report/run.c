/* Reads a run database into sums, query by query. */
#include "config.h"

#include "report/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/status.h"
#include "store/reader.h"

const int64_t run_horizons[RUN_HORIZONS] = {
#define X(ns) ns,
    SPOOL_HORIZONS(X)
#undef X
};

/* What is held while reading. `failed`: memory ran out, or a sum left the range of money. */
struct reading {
    struct run *run;
    struct store_reader *reader;
    bool no_memory, overflow;
};

static char *copy(struct reading *reading, const char *text)
{
    char *to = strdup(text);
    reading->no_memory |= !to;
    return to;
}

static void add(struct reading *reading, money *sum, money amount)
{
    reading->overflow |= !money_try_add(*sum, amount, sum);
}

/* `items` with room for one more; NULL where memory ran out. */
static void *with_room(struct reading *reading, void *items, size_t count, size_t *capacity,
                       size_t size)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity ? *capacity * 2 : 64;
    void *grown = realloc(items, more * size);
    if (!grown) {
        reading->no_memory = true;
        return NULL;
    }
    *capacity = more;
    return grown;
}

static void series_add(struct reading *reading, struct run_series *series, int64_t at_ns,
                       money amount)
{
    size_t capacity = series->capacity, same = series->capacity;
    int64_t *at = with_room(reading, series->at_ns, series->count, &capacity, sizeof *at);
    if (at)
        series->at_ns = at;
    money *amounts = with_room(reading, series->amount, series->count, &same, sizeof *amounts);
    if (amounts)
        series->amount = amounts;
    if (!at || !amounts)
        return;
    series->capacity = capacity;
    series->at_ns[series->count] = at_ns;
    series->amount[series->count++] = amount;
}

static void times_add(struct reading *reading, struct run_times *times, int64_t ns)
{
    int64_t *more = with_room(reading, times->ns, times->count, &times->capacity, sizeof *more);
    if (!more)
        return;
    times->ns = more;
    times->ns[times->count++] = ns;
}

/* --- values of a row ------------------------------------------------------------------------------- */

static unsigned read_word(struct reading *reading, int column, enum event_field_type type,
                          unsigned count, const char *what)
{
    const char *text = store_reader_text(reading->reader, column);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(text, event_enum_text(type, i)) == 0)
            return i;
    store_reader_refuse(reading->reader, column, what);
    return 0;
}

static unsigned read_side(struct reading *reading, int column)
{
    return read_word(reading, column, FIELD_SIDE, 2, "buy or sell");
}

/* The instrument that a column names; the first where it is none (the query has then failed). */
static struct run_instrument *read_instrument(struct reading *reading, int column)
{
    struct run *run = reading->run;
    int64_t id = store_reader_integer(reading->reader, column, 0, RUN_INSTRUMENTS_MAX - 1);
    if (id < (int64_t)run->instrument_count && run->instruments[id].known)
        return &run->instruments[id];
    store_reader_refuse(reading->reader, column, "an instrument");
    return &run->instruments[0];
}

static int finish(struct reading *reading, struct error *error)
{
    int code = store_reader_end(reading->reader, error);
    if (!code && reading->no_memory)
        code = error_set(error, ERROR_SYSTEM, "no memory for the report");
    if (!code && reading->overflow)
        code = error_set(error, ERROR_INPUT, "%s: is damaged: a sum leaves the range of money",
                         reading->run->path);
    return code;
}

/* --- provenance and instruments --------------------------------------------------------------------- */

static int read_provenance(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    struct run_provenance *p = &reading->run->provenance;
    char **const texts[] = {&p->tape_name,         &p->tape_identity, &p->tape_grade, &p->run_grade,
                            &p->run_grade_reasons, &p->tool_version,  &p->build_id,   &p->config,
                            &p->config_hash,       &p->fingerprint};
    int64_t *const integers[] = {&p->seed,      &p->first_ns,         &p->last_ns,
                                 &p->events,    &p->messages,         &p->market_messages,
                                 &p->ticks,     &p->answers,          &p->cycles,
                                 &p->decisions, &p->invariant_checks, &p->invariant_violations};
    enum {
        TEXTS = sizeof texts / sizeof texts[0],
        INTEGERS = sizeof integers / sizeof integers[0]
    };
    int code = store_reader_query(
        reader, "run",
        "SELECT tape_name, tape_identity, tape_grade, run_grade, run_grade_reasons, tool_version,"
        " build_id, config, config_hash, fingerprint, seed, first_ns, last_ns, events, messages,"
        " market_messages, ticks, answers, cycles, decisions, invariant_checks, "
        "invariant_violations FROM run",
        error);
    if (code)
        return code;
    bool any = store_reader_next(reader);
    for (int i = 0; any && i < TEXTS; i++)
        *texts[i] = copy(reading, store_reader_text(reader, i));
    for (int i = 0; any && i < INTEGERS; i++)
        *integers[i] = store_reader_integer(reader, TEXTS + i, INT64_MIN, INT64_MAX);
    code = finish(reading, error);
    return code || any ? code
                       : error_set(error, ERROR_INPUT, "%s: is damaged: the table run has no row",
                                   reading->run->path);
}

/* The row of a session that goes on has no last message yet. */
static int read_end(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(reader, "order_event",
                                  "SELECT coalesce(max(at_ns), 0) FROM order_event", error);
    if (code)
        return code;
    int64_t last = store_reader_next(reader) ? store_reader_integer(reader, 0, 0, INT64_MAX) : 0;
    const struct run_provenance *p = &reading->run->provenance;
    reading->run->end_ns = last > p->last_ns ? last : p->last_ns;
    store_reader_next(reader);
    return finish(reading, error);
}

static void read_units(struct reading *reading, struct run_instrument *instrument)
{
    struct store_reader *reader = reading->reader;
    instrument->price_exponent =
        (int)store_reader_integer(reader, 7, DECIMAL_EXPONENT_MIN, DECIMAL_EXPONENT_MAX);
    instrument->quantity_exponent =
        (int)store_reader_integer(reader, 8, DECIMAL_EXPONENT_MIN, DECIMAL_EXPONENT_MAX);
    const char *text = store_reader_text(reader, 9);
    if (decimal_from_text(text, strlen(text), &instrument->multiplier) != NUMBER_VALUE ||
        instrument->multiplier.mantissa <= 0)
        store_reader_refuse(reader, 9, "a decimal above 0");
    text = store_reader_text(reader, 10);
    const struct number tick = number_from_text(text, strlen(text), instrument->price_exponent);
    instrument->tick = tick.units;
    if (tick.status != NUMBER_VALUE || tick.units <= 0)
        store_reader_refuse(reader, 10, "a price above 0");
}

static int read_instruments(struct reading *reading, struct error *error)
{
    struct run *run = reading->run;
    struct store_reader *reader = reading->reader;
    int code =
        store_reader_query(reader, "instrument",
                           "SELECT id, name, venue, contract, base, quote, settle, price_exponent,"
                           " quantity_exponent, multiplier, tick FROM instrument ORDER BY id",
                           error);
    if (code)
        return code;
    size_t capacity = 0;
    while (store_reader_next(reader)) {
        if (run->instrument_count == RUN_INSTRUMENTS_MAX) {
            store_reader_refuse(reader, 0, "8192 instruments at most");
            break;
        }
        /* Ids count from 0. */
        store_reader_integer(reader, 0, (int64_t)run->instrument_count,
                             (int64_t)run->instrument_count);
        struct run_instrument *more =
            with_room(reading, run->instruments, run->instrument_count, &capacity, sizeof *more);
        if (!more)
            break;
        run->instruments = more;
        struct run_instrument *instrument = &more[run->instrument_count++];
        *instrument = (struct run_instrument){.known = true};
        instrument->name = copy(reading, store_reader_text(reader, 1));
        instrument->venue = copy(reading, store_reader_text(reader, 2));
        instrument->contract = (uint8_t)read_word(reading, 3, FIELD_CONTRACT, CONTRACT_INVERSE + 1,
                                                  "spot, linear or inverse");
        instrument->base = copy(reading, store_reader_text(reader, 4));
        instrument->profit_asset = copy(
            reading, store_reader_text(reader, instrument->contract == CONTRACT_INVERSE ? 6 : 5));
        read_units(reading, instrument);
    }
    code = finish(reading, error);
    return code || run->instrument_count
               ? code
               : error_set(error, ERROR_INPUT, "%s: is damaged: it has no instrument", run->path);
}

/* --- profit over time ---------------------------------------------------------------------------------- */

static struct run_asset *asset_of(struct reading *reading, const char *name)
{
    struct run *run = reading->run;
    for (size_t i = 0; i < run->asset_count; i++)
        if (strcmp(run->assets[i].name, name) == 0)
            return &run->assets[i];
    struct run_asset *asset = &run->assets[run->asset_count];
    asset->name = copy(reading, name);
    if (asset->name)
        run->asset_count++;
    return asset;
}

static int make_assets(struct reading *reading, struct error *error)
{
    struct run *run = reading->run;
    run->assets = calloc(run->instrument_count + 1, sizeof *run->assets);
    run->venues = calloc(run->instrument_count + 1, sizeof *run->venues);
    if (!run->assets || !run->venues)
        return error_set(error, ERROR_SYSTEM, "no memory for the report");
    for (size_t i = 0; i < run->instrument_count; i++)
        asset_of(reading, run->instruments[i].profit_asset);
    return finish(reading, error);
}

/* All instruments have told of this time: one point of each asset's profit. A sample of which a position has no
 * mark, as after a restart, is none: what is not realised would count as nothing. */
static void end_sample(struct reading *reading, int64_t at_ns, bool bound)
{
    struct run *run = reading->run;
    for (size_t i = 0; i < run->asset_count; i++) {
        run->assets[i].worth = MONEY_ZERO;
        run->assets[i].unmarked = false;
    }
    for (size_t i = 0; i < run->instrument_count; i++) {
        struct run_asset *asset = asset_of(reading, run->instruments[i].profit_asset);
        add(reading, &asset->worth, run->instruments[i].worth);
        asset->unmarked |= run->instruments[i].unmarked;
    }
    for (size_t i = 0; i < run->asset_count; i++) {
        struct run_asset *asset = &run->assets[i];
        money below = MONEY_ZERO;
        if (asset->unmarked && !bound)
            continue;
        series_add(reading, &asset->equity, at_ns, asset->worth);
        if (money_compare(asset->worth, asset->peak) > 0)
            asset->peak = asset->worth;
        reading->overflow |= !money_try_subtract(asset->peak, asset->worth, &below);
        if (money_compare(below, asset->drawdown) > 0) {
            asset->drawdown = below;
            asset->drawdown_ns = at_ns;
        }
    }
}

static void subtract(struct reading *reading, money *from, money amount)
{
    reading->overflow |= !money_try_subtract(*from, amount, from);
}

static struct run_earned read_earned(struct reading *reading)
{
    struct store_reader *reader = reading->reader;
    struct run_earned now = {.position = store_reader_money(reader, 3),
                             .realised = store_reader_money(reader, 4),
                             .unrealised = store_reader_money(reader, 5),
                             .fees = store_reader_money(reader, 6),
                             .funding = store_reader_money(reader, 7)};
    now.net = now.realised;
    add(reading, &now.net, now.unrealised);
    add(reading, &now.net, now.funding);
    subtract(reading, &now.net, now.fees);
    return now;
}

/* Profit counts from where the run began, a position is what it is. */
static void read_position(struct reading *reading, struct run_instrument *instrument,
                          const char *why)
{
    struct store_reader *reader = reading->reader;
    const struct run_earned now = read_earned(reading), *before = &instrument->before;
    if (strcmp(why, "start") == 0)
        instrument->before = now;
    instrument->chain = now;
    instrument->position = now.position;
    instrument->realised = now.realised;
    instrument->unrealised = now.unrealised;
    instrument->fees = now.fees;
    instrument->funding = now.funding;
    instrument->worth = now.net;
    subtract(reading, &instrument->realised, before->realised);
    subtract(reading, &instrument->unrealised, before->unrealised);
    subtract(reading, &instrument->fees, before->fees);
    subtract(reading, &instrument->funding, before->funding);
    subtract(reading, &instrument->worth, before->net);
    series_add(reading, &instrument->inventory, store_reader_integer(reader, 1, 0, INT64_MAX),
               instrument->position);
    instrument->unmarked =
        money_compare(instrument->position, MONEY_ZERO) != 0 && store_reader_is_null(reader, 8);
    if (strcmp(why, "final") != 0)
        return;
    instrument->ended = true;
    instrument->mark_stale = store_reader_integer(reader, 9, 0, 1) == 1;
    free(instrument->mark);
    instrument->mark =
        store_reader_is_null(reader, 8) ? NULL : copy(reading, store_reader_text(reader, 8));
}

static int read_positions(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    struct run *run = reading->run;
    int64_t sample = -1; /* time of the sample that is being read */
    bool bound = false;  /* it is the start or the end */
    int code = store_reader_query(reader, "position",
                                  "SELECT why, at_ns, instrument, position, realised, unrealised,"
                                  " fees, funding, mark, mark_stale FROM position ORDER BY id",
                                  error);
    if (code)
        return code;
    while (store_reader_next(reader)) {
        const char *why = store_reader_text(reader, 0);
        bool fill = strcmp(why, "fill") == 0;
        int64_t at_ns = store_reader_integer(reader, 1, 0, INT64_MAX);
        if (sample >= 0 && (fill || at_ns != sample))
            end_sample(reading, sample, bound);
        sample = fill ? -1 : at_ns;
        bound = strcmp(why, "start") == 0 || strcmp(why, "final") == 0;
        read_position(reading, read_instrument(reading, 2), why);
        if (reading->no_memory)
            break;
    }
    if (sample >= 0)
        end_sample(reading, sample, bound);
    for (size_t i = 0; i < run->instrument_count; i++)
        add(reading, &asset_of(reading, run->instruments[i].profit_asset)->fees,
            run->instruments[i].fees);
    return finish(reading, error);
}

/* --- fills --------------------------------------------------------------------------------------------- */

/* Worth of a quantity at a price, in the asset of the profit. */
static money value_of(struct reading *reading, const struct run_instrument *instrument,
                      int64_t price_units, int64_t quantity)
{
    money value = MONEY_ZERO;
    const struct decimal *multiplier = &instrument->multiplier;
    int exponent = instrument->quantity_exponent + multiplier->exponent;
    bool fits = instrument->contract == CONTRACT_INVERSE
                    ? money_inverse_value(price_units, quantity, multiplier->mantissa,
                                          exponent - instrument->price_exponent, MONEY_EXPONENT,
                                          MONEY_HALF_EVEN, &value)
                    : money_linear_value(price_units, quantity, multiplier->mantissa,
                                         exponent + instrument->price_exponent, &value);
    reading->overflow |= !fits;
    return value;
}

static void add_fills(struct reading *reading, struct run_fills *fills, int64_t quantity,
                      money notional, money fee)
{
    fills->count++;
    fills->quantity += quantity;
    add(reading, &fills->notional, notional);
    add(reading, &fills->fees, fee);
}

static void add_fee(struct reading *reading, struct run_instrument *instrument, unsigned liquidity,
                    const char *asset, int64_t quantity, money notional, money fee)
{
    size_t i = 0;
    while (i < instrument->fee_count && (instrument->fee[i].liquidity != liquidity ||
                                         strcmp(instrument->fee[i].asset, asset) != 0))
        i++;
    if (i == instrument->fee_count) {
        struct run_fee *more =
            with_room(reading, instrument->fee, i, &instrument->fee_capacity, sizeof *more);
        if (!more)
            return;
        instrument->fee = more;
        instrument->fee[i] =
            (struct run_fee){.asset = copy(reading, asset), .liquidity = (uint8_t)liquidity};
        if (!instrument->fee[i].asset)
            return;
        instrument->fee_count++;
    }
    add_fills(reading, &instrument->fee[i].fills, quantity, notional, fee);
}

static unsigned read_level(struct reading *reading, int column)
{
    return (unsigned)store_reader_integer(reading->reader, column, 0, RUN_LEVELS_MAX - 1);
}

static void add_cause(struct run_level *level, unsigned cause)
{
    level->fills++;
    level->fills_by_cause[cause]++;
}

static int read_fills(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(
        reader, "fill",
        "SELECT f.instrument, f.side, f.price_units, f.quantity_units, f.liquidity, f.fee,"
        " coalesce(f.fee_asset, ''), f.cause, f.level FROM fill f ORDER BY f.id",
        error);
    if (code)
        return code;
    while (!reading->no_memory && store_reader_next(reader)) {
        struct run_instrument *instrument = read_instrument(reading, 0);
        unsigned side = read_side(reading, 1);
        int64_t price = store_reader_integer(reader, 2, 1, EVENT_PRICE_MAX);
        int64_t quantity = store_reader_integer(reader, 3, 0, INT64_MAX);
        money notional = value_of(reading, instrument, price, quantity);
        money fee = store_reader_money(reader, 5);
        add_fills(reading, &instrument->fills[side], quantity, notional, fee);
        add_fee(reading, instrument,
                read_word(reading, 4, FIELD_LIQUIDITY, LIQUIDITY_TAKER + 1, "maker or taker"),
                store_reader_text(reader, 6), quantity, notional, fee);
        unsigned cause =
            read_word(reading, 7, FIELD_FILL_CAUSE, FILL_CAUSE_COUNT, "a fill's cause");
        if (!store_reader_is_null(reader, 8)) /* else its order was placed before the run */
            add_cause(&instrument->level[side][read_level(reading, 8)], cause);
    }
    return finish(reading, error);
}

/* Twice what a fill has gained at a mid of half `mid2`: side x (mid - price) x quantity. For inverse contracts
 * the worth in coin falls as the price rises. */
static money gain2_of(struct reading *reading, const struct run_instrument *instrument,
                      unsigned side, int64_t price, int64_t quantity, int64_t mid2)
{
    money gain = MONEY_ZERO;
    if (instrument->contract != CONTRACT_INVERSE) {
        gain = value_of(reading, instrument, mid2 - 2 * price, quantity);
    } else {
        /* quantity / (mid2 / 2) = 2 quantity / mid2. */
        money then = value_of(reading, instrument, mid2, 2 * quantity);
        money paid = value_of(reading, instrument, price, quantity);
        reading->overflow |= !money_try_subtract(paid, then, &gain);
        add(reading, &gain, gain);
    }
    return side == SIDE_BUY ? gain : money_negate(gain);
}

static int read_markouts(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(
        reader, "fill_mid",
        "SELECT m.horizon_ns, m.mid2_units, f.instrument, f.side, f.price_units, f.quantity_units"
        " FROM fill_mid m JOIN fill f ON f.id = m.fill ORDER BY m.fill, m.horizon_ns",
        error);
    if (code)
        return code;
    while (store_reader_next(reader)) {
        int64_t horizon_ns = store_reader_integer(reader, 0, 0, INT64_MAX);
        unsigned horizon = 0;
        while (horizon < RUN_HORIZONS && run_horizons[horizon] != horizon_ns)
            horizon++;
        if (horizon == RUN_HORIZONS) {
            store_reader_refuse(reader, 0, "one of the horizons");
            break;
        }
        int64_t mid2 = store_reader_integer(reader, 1, 1, 2 * EVENT_PRICE_MAX);
        struct run_instrument *instrument = read_instrument(reading, 2);
        unsigned side = read_side(reading, 3);
        int64_t price = store_reader_integer(reader, 4, 1, EVENT_PRICE_MAX);
        int64_t quantity = store_reader_integer(reader, 5, 0, INT64_MAX / 2);
        struct run_markout *markout = &instrument->markout[horizon];
        markout->measured++;
        add(reading, &markout->gain2, gain2_of(reading, instrument, side, price, quantity, mid2));
        add(reading, &markout->notional, value_of(reading, instrument, price, quantity));
    }
    return finish(reading, error);
}

/* --- orders -------------------------------------------------------------------------------------------- */

static void count_outcome(struct reading *reading, struct run_instrument *instrument,
                          const char *outcome)
{
    const struct {
        const char *name;
        uint64_t *count;
    } outcomes[] = {{"open", &instrument->open},           {"filled", &instrument->filled},
                    {"cancelled", &instrument->cancelled}, {"rejected", &instrument->rejected},
                    {"expired", &instrument->expired},     {"not_found", &instrument->not_found}};
    instrument->sent++;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (strcmp(outcomes[i].name, outcome) != 0)
            continue;
        ++*outcomes[i].count;
        return;
    }
    store_reader_refuse(reading->reader, 1, "what became of an order");
}

static int read_orders(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(reader, "orders",
                                  "SELECT o.instrument, coalesce(v.outcome, 'open') FROM orders o"
                                  " JOIN order_outcome v ON v.id = o.id ORDER BY o.id",
                                  error);
    if (code)
        return code;
    while (store_reader_next(reader))
        count_outcome(reading, read_instrument(reading, 0), store_reader_text(reader, 1));
    return finish(reading, error);
}

static void read_spell(struct reading *reading, struct run_level *level)
{
    struct store_reader *reader = reading->reader;
    int64_t rested = store_reader_integer(reader, 3, 0, INT64_MAX);
    int64_t filled = store_reader_integer(reader, 4, 0, rested);
    int64_t since = store_reader_integer(reader, 6, 0, INT64_MAX), until = reading->run->end_ns;
    if (!store_reader_is_null(reader, 7))
        until = store_reader_integer(reader, 7, since, INT64_MAX);
    level->spells++;
    level->rested += rested;
    level->filled += filled;
    level->filled_whole += filled > 0 && filled == rested;
    level->filled_part += filled > 0 && filled < rested;
    level->time_ns += until > since ? until - since : 0;
    if (store_reader_is_null(reader, 5))
        return;
    level->distances++;
    level->distance += store_reader_integer(reader, 5, INT64_MIN, INT64_MAX);
}

static int read_spells(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code =
        store_reader_query(reader, "spell",
                           "SELECT o.instrument, o.side, s.level, s.rested_units, s.filled_units,"
                           " s.distance_millitick, s.at_ns, s.ended_ns FROM spell s JOIN orders o"
                           " ON o.id = s.order_id ORDER BY s.id",
                           error);
    if (code)
        return code;
    while (store_reader_next(reader)) {
        struct run_instrument *instrument = read_instrument(reading, 0);
        unsigned side = read_side(reading, 1);
        read_spell(reading, &instrument->level[side][read_level(reading, 2)]);
    }
    return finish(reading, error);
}

/* --- what kept us from quoting --------------------------------------------------------------------------- */

bool run_gate_is_whole(unsigned gate)
{
    return (engine_instrument_gates() >> gate & 1) != 0;
}

int64_t run_time_of(const struct run_intervals *intervals,
                    bool (*counts)(const struct run_interval *, unsigned what), unsigned what,
                    int64_t from, int64_t to)
{
    int64_t time = 0, reached = from;
    for (size_t i = 0; i < intervals->count; i++) {
        const struct run_interval *interval = &intervals->items[i];
        int64_t since = interval->since > reached ? interval->since : reached;
        int64_t until = interval->until < to ? interval->until : to;
        if (until <= since || !counts(interval, what))
            continue;
        time += until - since;
        reached = until;
    }
    return time;
}

static void read_interval(struct reading *reading, struct run_intervals *intervals, unsigned what,
                          unsigned state)
{
    struct store_reader *reader = reading->reader;
    struct run_interval *more =
        with_room(reading, intervals->items, intervals->count, &intervals->capacity, sizeof *more);
    if (!more)
        return;
    intervals->items = more;
    struct run_interval *interval = &more[intervals->count++];
    *interval = (struct run_interval){.since = store_reader_integer(reader, 2, 0, INT64_MAX),
                                      .until = reading->run->end_ns,
                                      .what = (uint8_t)what,
                                      .state = (uint8_t)state,
                                      .ended = !store_reader_is_null(reader, 3)};
    if (interval->ended)
        interval->until = store_reader_integer(reader, 3, interval->since, INT64_MAX);
    else if (interval->until < interval->since)
        interval->until = interval->since;
}

static int read_gate_intervals(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(reader, "gate_interval",
                                  "SELECT instrument, gate, since_ns, until_ns FROM gate_interval"
                                  " ORDER BY since_ns, id",
                                  error);
    if (code)
        return code;
    while (!reading->no_memory && store_reader_next(reader)) {
        struct run_instrument *instrument = read_instrument(reading, 0);
        read_interval(reading, &instrument->gates,
                      read_word(reading, 1, FIELD_GATE, GATE_COUNT, "a gate"), 0);
    }
    return finish(reading, error);
}

static int read_breakers(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(reader, "breaker_interval",
                                  "SELECT instrument, breaker, since_ns, until_ns, state FROM"
                                  " breaker_interval ORDER BY since_ns, id",
                                  error);
    if (code)
        return code;
    while (!reading->no_memory && store_reader_next(reader)) {
        struct run_instrument *instrument = read_instrument(reading, 0);
        unsigned breaker = read_word(reading, 1, FIELD_BREAKER, BREAKER_COUNT, "a breaker");
        read_interval(
            reading, &instrument->breakers, breaker,
            read_word(reading, 4, FIELD_BREAKER_STATE, BREAKER_CANCEL_ALL + 1, "its state"));
    }
    return finish(reading, error);
}

/* Those that the venue accepted (trading-semantics 33): its answer, or whatever it told that shows that it had them. */
static int read_placed(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(
        reader, "orders",
        "SELECT o.instrument, count(*) FROM orders o WHERE EXISTS (SELECT 1 FROM spell s"
        " WHERE s.order_id = o.id) OR o.ended IN ('filled', 'cancelled') OR EXISTS (SELECT 1 FROM "
        "order_event e"
        " WHERE e.order_id = o.id AND e.kind IN ('order_accepted', 'open_order', 'order_filled',"
        " 'order_cancelled', 'order_expired')) GROUP BY o.instrument",
        error);
    if (code)
        return code;
    while (store_reader_next(reader)) {
        struct run_instrument *instrument = read_instrument(reading, 0);
        instrument->placed = (uint64_t)store_reader_integer(reader, 1, 0, INT64_MAX);
    }
    return finish(reading, error);
}

static int read_gates(struct reading *reading, struct error *error)
{
    struct store_reader *reader = reading->reader;
    int code = store_reader_query(reader, "gate_block",
                                  "SELECT instrument, gate, blocked FROM gate_block", error);
    if (code)
        return code;
    while (store_reader_next(reader)) {
        struct run_instrument *instrument = read_instrument(reading, 0);
        unsigned gate = read_word(reading, 1, FIELD_GATE, GATE_COUNT, "a gate");
        instrument->gate_blocked[gate] = (uint64_t)store_reader_integer(reader, 2, 0, INT64_MAX);
    }
    return finish(reading, error);
}

/* --- times until an answer --------------------------------------------------------------------------- */

static struct run_venue *venue_of(struct reading *reading, const char *name)
{
    struct run *run = reading->run;
    for (size_t i = 0; i < run->venue_count; i++)
        if (strcmp(run->venues[i].name, name) == 0)
            return &run->venues[i];
    struct run_venue *venue = &run->venues[run->venue_count];
    venue->name = copy(reading, name);
    if (venue->name)
        run->venue_count++;
    return venue;
}

static int compare_times(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

static int read_times(struct reading *reading, enum run_request request, const char *sql,
                      struct error *error)
{
    struct store_reader *reader = reading->reader;
    struct run *run = reading->run;
    int code = store_reader_query(reader, "order_event", sql, error);
    if (code)
        return code;
    while (!reading->no_memory && store_reader_next(reader)) {
        struct run_venue *venue = venue_of(reading, read_instrument(reading, 0)->venue);
        if (!store_reader_is_null(reader, 1))
            times_add(reading, &venue->times[request],
                      store_reader_integer(reader, 1, INT64_MIN, INT64_MAX));
    }
    for (size_t i = 0; i < run->venue_count; i++)
        if (run->venues[i].times[request].count > 0)
            qsort(run->venues[i].times[request].ns, run->venues[i].times[request].count,
                  sizeof(int64_t), compare_times);
    return finish(reading, error);
}

/* A request's first answer is the first event of its order after it that only the venue can have caused. */
static int read_all_times(struct reading *reading, struct error *error)
{
    static const char place[] =
        "SELECT o.instrument, min(e.at_ns) - o.placed_ns FROM orders o JOIN order_event e"
        " ON e.order_id = o.id WHERE e.kind IN ('order_accepted', 'order_rejected',"
        " 'order_filled', 'order_cancelled', 'order_expired') AND o.replaces IS NULL GROUP BY o.id";
    static const char replace[] =
        "SELECT o.instrument, min(e.at_ns) - o.placed_ns FROM orders o JOIN order_event e"
        " ON e.order_id = o.id WHERE e.kind IN ('order_accepted', 'order_rejected',"
        " 'order_filled', 'order_cancelled', 'order_expired') AND o.replaces IS NOT NULL"
        " GROUP BY o.id";
    static const char cancel[] =
        "SELECT e.instrument, (SELECT min(x.at_ns) FROM order_event x WHERE x.order_id = e.order_id"
        " AND x.id > e.id AND x.kind IN ('order_cancelled', 'cancel_rejected')) - e.at_ns"
        " FROM order_event e WHERE e.kind = 'cancel'";
    static const char modify[] =
        "SELECT e.instrument, (SELECT min(x.at_ns) FROM order_event x WHERE x.order_id = e.order_id"
        " AND x.id > e.id AND x.kind IN ('order_modified', 'modify_rejected')) - e.at_ns"
        " FROM order_event e WHERE e.kind = 'modify'";
    int code = read_times(reading, RUN_PLACE, place, error);
    if (!code)
        code = read_times(reading, RUN_REPLACE, replace, error);
    if (!code)
        code = read_times(reading, RUN_CANCEL, cancel, error);
    return code ? code : read_times(reading, RUN_MODIFY, modify, error);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

int run_read(struct run *run, const char *path, struct error *error)
{
    static int (*const parts[])(struct reading *, struct error *) = {
        read_provenance, read_end,      read_instruments, make_assets,
        read_positions,  read_fills,    read_markouts,    read_orders,
        read_placed,     read_spells,   read_gates,       read_gate_intervals,
        read_breakers,   read_all_times};
    struct reading reading = {.run = run};
    run->path = path;
    int code = store_reader_open(&reading.reader, path, error);
    for (size_t i = 0; !code && i < sizeof parts / sizeof parts[0]; i++)
        code = parts[i](&reading, error);
    store_reader_close(&reading.reader);
    return code;
}

static void free_instrument(struct run_instrument *instrument)
{
    free(instrument->name);
    free(instrument->venue);
    free(instrument->profit_asset);
    free(instrument->base);
    free(instrument->mark);
    for (size_t i = 0; i < instrument->fee_count; i++)
        free(instrument->fee[i].asset);
    free(instrument->fee);
    free(instrument->gates.items);
    free(instrument->breakers.items);
    free(instrument->inventory.at_ns);
    free(instrument->inventory.amount);
}

void run_close(struct run *run)
{
    struct run_provenance *p = &run->provenance;
    char *const texts[] = {p->tape_name,         p->tape_identity, p->tape_grade, p->run_grade,
                           p->run_grade_reasons, p->tool_version,  p->build_id,   p->config,
                           p->config_hash,       p->fingerprint};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    for (size_t i = 0; i < run->instrument_count; i++)
        free_instrument(&run->instruments[i]);
    for (size_t i = 0; i < run->asset_count; i++) {
        free(run->assets[i].name);
        free(run->assets[i].equity.at_ns);
        free(run->assets[i].equity.amount);
    }
    for (size_t i = 0; i < run->venue_count; i++) {
        free(run->venues[i].name);
        for (unsigned request = 0; request < RUN_REQUESTS; request++)
            free(run->venues[i].times[request].ns);
    }
    free(run->instruments);
    free(run->assets);
    free(run->venues);
    *run = (struct run){0};
}

money run_net(const struct run_instrument *instrument)
{
    return instrument->worth;
}

int64_t run_percentile(const struct run_times *times, unsigned percent)
{
    ASSERT(times->count > 0 && percent <= 100);
    size_t rank = (times->count * percent + 99) / 100;
    return times->ns[rank > 0 ? rank - 1 : 0];
}
