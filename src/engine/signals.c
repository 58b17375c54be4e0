/* Signals: what breakers and warm-up look at. A mid or spread at a whole second, or at the end of a fill's
 * horizon, is the one that stood when that time began: what comes at the same time is later. So it is the
 * same whenever it is worked out, and nothing needs to be done at the second itself. */
#include "engine/signals.h"

#include "base/assert.h"
#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

#define RATIO_ONE INT64_C(1000000000)
/* After a longer silence the seconds before are left out: by then the old variance is nothing. */
#define CATCH_UP_SECONDS INT64_C(3600)

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void hold(int64_t *since, bool condition, int64_t now)
{
    if (!condition)
        *since = TIME_NEVER;
    else if (*since == TIME_NEVER)
        *since = now;
}

static double ratio(int64_t value)
{
    return (double)value / (double)RATIO_ONE;
}

/* --- settings ------------------------------------------------------------------------------------- */

static void volatility_limits(struct signal_limits *limits,
                              const struct settings_instrument *settings)
{
    limits->volatility_decay =
        settings->volatility_half_life > 0 ? volatility_decay(settings->volatility_half_life) : 0;
    limits->volatility_restart_after = settings->volatility_restart_after;
    limits->volatility = ratio(settings->breaker_volatility);
    limits->volatility_clear = ratio(settings->breaker_volatility_clear);
    limits->volatility_calm = settings->breaker_volatility_calm;
    limits->volatility_window = settings->breaker_volatility_window;
    limits->volatility_samples = settings->breaker_volatility_samples;
    limits->volatility_factor = settings->breaker_volatility_factor;
    limits->move = settings->breaker_move;
    limits->move_window = settings->breaker_move_window;
}

void signals_limits(struct signal_limits *limits, const struct settings_instrument *settings)
{
    limits->warm_up_trades = settings->warm_up_trades;
    limits->warm_up_book_messages = settings->warm_up_book_messages;
    limits->warm_up_samples = settings->warm_up_samples;
    limits->warm_up_time_limit = settings->warm_up_time_limit;
    volatility_limits(limits, settings);
    limits->spread = settings->breaker_spread;
    limits->spread_least = settings->breaker_spread_least;
    limits->spread_time = settings->breaker_spread_time;
    limits->spread_window = settings->breaker_spread_window;
    limits->spread_samples = settings->breaker_spread_samples;
    limits->spread_clear = settings->breaker_spread_clear;
    limits->spread_calm = settings->breaker_spread_calm;
    limits->in_sync = settings->breaker_in_sync;
    limits->reference = settings->breaker_reference;
    limits->reference_time = settings->breaker_reference_time;
    limits->reference_clear = settings->breaker_reference_clear;
    limits->reference_calm = settings->breaker_reference_calm;
    limits->reference_peer = settings->breaker_reference_peer;
    limits->rejects = (uint32_t)settings->breaker_rejects;
    limits->rejects_of = (uint32_t)settings->breaker_rejects_of;
    limits->rejects_window = settings->breaker_rejects_window;
    limits->rejects_pause = settings->breaker_rejects_pause;
    limits->edge = ratio(settings->breaker_edge);
    limits->edge_fills = settings->breaker_edge_fills;
    limits->edge_horizon = settings->breaker_edge_horizon;
    limits->edge_factor = settings->breaker_edge_factor;
    limits->open_interest = settings->breaker_open_interest;
    limits->open_interest_window = settings->breaker_open_interest_window;
    limits->open_interest_readings = settings->breaker_open_interest_readings;
    limits->open_interest_pause = settings->breaker_open_interest_pause;
}

/* --- whole seconds -------------------------------------------------------------------------------- */

static void set_spread_bounds(struct signals *signals, const struct signal_limits *limits)
{
    int64_t median = spreads_median(&signals->spreads);
    int128 wide = (int128)median * limits->spread / RATIO_ONE;
    int128 close = (int128)median * limits->spread_clear / RATIO_ONE;
    int128 least = (int128)limits->spread_least * limits->spread_clear / limits->spread;
    signals->wide_bound = wide > limits->spread_least ? (int64_t)wide : limits->spread_least;
    signals->close_bound = (int64_t)(close > least ? close : least);
}

static void sample(struct signals *signals, const struct signal_limits *limits, int64_t second)
{
    if (signals->mid2 == 0)
        return;
    volatility_sample(&signals->volatility, second, signals->mid2, limits->volatility_decay,
                      limits->volatility_window);
    if (limits->spread > 0) {
        spreads_sample(&signals->spreads, second, signals->spread,
                       limits->spread_window / NS_PER_SECOND);
        set_spread_bounds(signals, limits);
    }
}

/* Up to now by what stood until now. */
static void advance(struct engine *engine, struct instrument *instrument)
{
    struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    int64_t second = engine->now / NS_PER_SECOND;
    if (signals->next_second <= second) {
        if (second - signals->next_second > CATCH_UP_SECONDS)
            signals->next_second = second - CATCH_UP_SECONDS;
        for (; signals->next_second <= second; signals->next_second++)
            sample(signals, limits, signals->next_second);
    }
    if (limits->edge > 0 && markouts_settle(&signals->markouts, engine->now, signals->mid2) > 0)
        signals->bad |=
            markouts_are_bad(&signals->markouts, (uint64_t)limits->edge_fills, limits->edge);
    if (limits->move > 0)
        extremes_advance(&signals->move, engine->now, limits->move_window, signals->mid2);
}

/* --- book ----------------------------------------------------------------------------------------- */

/* Synchronised again. After a long time without, the estimate begins anew (rule 25). */
static void find_book(struct signals *signals, const struct signal_limits *limits, int64_t now)
{
    if (signals->lost_since != TIME_NEVER &&
        now - signals->lost_since > limits->volatility_restart_after)
        signals->volatility = (struct volatility){0};
    signals->lost_since = TIME_NEVER;
}

/* None of what is measured reaches over the time without a book. */
static void lose_book(struct signals *signals, int64_t now)
{
    if (signals->lost_since == TIME_NEVER)
        signals->lost_since = now;
    volatility_break(&signals->volatility);
    signals->move = (struct extremes){.part = signals->move.part};
    signals->mid2 = 0;
    signals->synced_since = TIME_NEVER;
    signals->wide_since = signals->close_since = TIME_NEVER;
    signals->calm_since = TIME_NEVER;
}

/* (ask - bid) / mid in 1e-9, rounded down. */
static int64_t spread_of(int64_t bid, int64_t ask)
{
    int64_t scaled, mid2 = bid + ask;
    if (__builtin_mul_overflow(ask - bid, 2 * RATIO_ONE, &scaled))
        return (int64_t)((int128)(ask - bid) * 2 * RATIO_ONE / mid2);
    return scaled / mid2;
}

/* The mid of a crossed or locked view is none: the last one stands. */
static void take_view(struct instrument *instrument)
{
    struct signals *signals = &instrument->signals;
    const struct top_view *top = &instrument->market.top;
    int64_t bid = top->price[SIDE_BUY], ask = top->price[SIDE_SELL];
    if (bid >= ask)
        return;
    signals->mid2 = bid + ask;
    if (instrument->limits.signal.spread > 0)
        signals->spread = spread_of(bid, ask);
    if (instrument->limits.signal.move > 0)
        extremes_add(&signals->move, signals->mid2);
}

/* --- reference ------------------------------------------------------------------------------------ */

static enum reference_distance distance_of(double off, double base,
                                           const struct signal_limits *limits)
{
    if (off >= base * ratio(limits->reference))
        return REFERENCE_OFF;
    return off < base * ratio(limits->reference_clear) ? REFERENCE_NEAR : REFERENCE_BETWEEN;
}

/* Mid against the mark, exactly. */
static enum reference_distance mark_distance(int64_t mid2, int64_t mark2,
                                             const struct signal_limits *limits)
{
    int128 off = (int128)(mid2 < mark2 ? mark2 - mid2 : mid2 - mark2) * RATIO_ONE;
    if (off >= (int128)mark2 * limits->reference)
        return REFERENCE_OFF;
    return off < (int128)mark2 * limits->reference_clear ? REFERENCE_NEAR : REFERENCE_BETWEEN;
}

static bool has_mid(const struct market *market)
{
    return market_has_view(market) && market->top.price[SIDE_BUY] < market->top.price[SIDE_SELL];
}

static int64_t mid2_of(const struct market *market)
{
    return market->top.price[SIDE_BUY] + market->top.price[SIDE_SELL];
}

/* The worst of mark and peer; a mark, or a peer's best prices, older than rule 14's 5 s are none. */
static enum reference_distance find_distance(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    const struct market *market = &instrument->market;
    enum reference_distance distance = REFERENCE_UNKNOWN;
    if (!has_mid(market))
        return REFERENCE_UNKNOWN;
    int64_t mid2 = mid2_of(market);
    if (market->mark.has && engine->now - market->mark.ts < ENGINE_MARK_FRESH_NS)
        distance = mark_distance(mid2, 2 * market->mark.value, limits);
    if (limits->reference_peer && signals->peer != EVENT_NONE_16) {
        const struct market *peer = &engine->instruments[signals->peer].market;
        if (has_mid(peer) && engine->now - peer->view_ts < ENGINE_MARK_FRESH_NS) {
            double theirs = (double)mid2_of(peer) * signals->peer_scale;
            double off = (double)mid2 - theirs;
            enum reference_distance other = distance_of(off < 0 ? -off : off, theirs, limits);
            distance = other > distance ? other : distance;
        }
    }
    return distance;
}

/* Something that the instrument is compared with has changed. */
static void reference_changed(struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    if (instrument->limits.signal.reference > 0 && instrument->limits.enabled &&
        find_distance(engine, index) != instrument->signals.distance)
        engine_mark_due(engine, index);
}

void signals_find_peers(struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        engine->instruments[index].signals.peer = engine->instruments[index].signals.follower =
            EVENT_NONE_16;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        struct instrument *instrument = &engine->instruments[index];
        const struct event_definition *own = &instrument->definition;
        for (unsigned step = 1; step < engine->instrument_count; step++) {
            unsigned at = (index + step) % engine->instrument_count;
            const struct event_definition *other = &engine->instruments[at].definition;
            if (other->base != own->base || other->quote != own->quote)
                continue;
            instrument->signals.peer = (uint16_t)at;
            engine->instruments[at].signals.follower = (uint16_t)index;
            instrument->signals.peer_scale = 1;
            for (int e = own->price_exponent; e < other->price_exponent; e++)
                instrument->signals.peer_scale *= 10;
            for (int e = other->price_exponent; e < own->price_exponent; e++)
                instrument->signals.peer_scale /= 10;
            break;
        }
    }
}

/* --- what happens --------------------------------------------------------------------------------- */

void signals_view_changed(struct engine *engine, unsigned index)
{
    unsigned follower = engine->instruments[index].signals.follower;
    if (follower != EVENT_NONE_16)
        reference_changed(engine, follower);
}

void signals_mark(struct engine *engine, unsigned index)
{
    reference_changed(engine, index);
}

void signals_book_lost(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    advance(engine, instrument);
    lose_book(&instrument->signals, engine->now);
    instrument->signals.lost |= instrument->market.gap;
}

/* The one that completes the warm-up makes the cycle due. */
void signals_book_message(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    if (++instrument->signals.book_messages ==
        (uint64_t)instrument->limits.signal.warm_up_book_messages)
        engine_mark_due(engine, index);
}

void signals_trade(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    if (++instrument->signals.trades == (uint64_t)instrument->limits.signal.warm_up_trades)
        engine_mark_due(engine, index);
}

/* A reading this much below the highest of the window. */
void signals_open_interest(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct signal_limits *limits = &instrument->limits.signal;
    struct extremes *readings = &instrument->signals.open_interest;
    int64_t low, high, value = instrument->market.open_interest.value;
    uint32_t count;
    if (limits->open_interest == 0)
        return;
    extremes_advance(readings, engine->now, limits->open_interest_window, 0);
    extremes_add(readings, value);
    bool known = extremes_get(readings, &low, &high, &count);
    ASSERT(known); /* by this one at least */
    if (count >= (uint64_t)limits->open_interest_readings &&
        (int128)value * RATIO_ONE <= (int128)high * (RATIO_ONE - limits->open_interest)) {
        instrument->signals.dropped = true;
        engine_mark_due(engine, index);
    }
}

/* The n-th newest of a ring, n > 0, is younger than the window. */
static bool newer_than(const int64_t *ring, uint64_t count, uint32_t n, int64_t since)
{
    return count >= n && ring[(count - n) % PLACE_ANSWERS_MAX] > since;
}

void signals_place_answered(struct engine *engine, const struct order *order, enum reject reason)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    const struct signal_limits *limits = &instrument->limits.signal;
    struct answers *answers = &instrument->signals.answers;
    bool first = order->state == ORDER_PENDING_NEW || order->state == ORDER_UNKNOWN;
    if (limits->rejects == 0 || !first || reason == REJECT_POST_ONLY)
        return;
    answers->all[answers->all_count++ % PLACE_ANSWERS_MAX] = engine->now;
    if (reason != REJECT_NONE)
        answers->bad[answers->bad_count++ % PLACE_ANSWERS_MAX] = engine->now;
    int64_t since = engine->now - limits->rejects_window;
    if (newer_than(answers->bad, answers->bad_count, limits->rejects, since) &&
        newer_than(answers->all, answers->all_count, limits->rejects_of, since)) {
        instrument->signals.rejected = true;
        engine_mark_due(engine, order->instrument);
    }
}

void signals_fill(struct engine *engine, const struct message *message)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    struct instrument *instrument = &engine->instruments[fill->instrument];
    const struct signal_limits *limits = &instrument->limits.signal;
    int64_t since = engine->now;
    if (limits->edge <= 0)
        return;
    /* Rule 33 counts from the fill's time at the venue, where that is known and not absurd. */
    if ((message->flags & MESSAGE_VENUE_TIME) && message->ts_venue <= engine->now &&
        message->ts_venue > engine->now - limits->edge_horizon)
        since = message->ts_venue;
    markouts_add(&instrument->signals.markouts,
                 (struct pending_markout){
                     .due = since + limits->edge_horizon,
                     .price = fill->price.units,
                     .fee = fill->liquidity == LIQUIDITY_TAKER ? instrument->definition.taker_fee
                                                               : instrument->definition.maker_fee,
                     .side = fill->side,
                 });
}

/* --- once a cycle --------------------------------------------------------------------------------- */

static void update_book(struct engine *engine, struct instrument *instrument)
{
    struct signals *signals = &instrument->signals;
    const struct market *market = &instrument->market;
    bool fresh = market->seen && engine->now - market->view_ts < instrument->limits.stale_after;
    bool synchronised = market_has_view(market) && !market->gap;
    if (synchronised) {
        find_book(signals, &instrument->limits.signal, engine->now);
        take_view(instrument);
    } else {
        lose_book(signals, engine->now);
    }
    hold(&signals->synced_since, synchronised && fresh, engine->now);
}

static void update_spread(struct engine *engine, unsigned index)
{
    struct signals *signals = &engine->instruments[index].signals;
    bool known = signals_know_spread(engine, index);
    hold(&signals->wide_since, known && signals->spread > signals->wide_bound, engine->now);
    hold(&signals->close_since, known && signals->spread < signals->close_bound, engine->now);
}

/* Volatility at ease: its mean is known, it is below the clearing multiple, and nothing jumps. Where no whole second
 * has seen a move both are 0, and nothing could be calmer. */
static void update_calm(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    bool calm = signals->mid2 != 0 && !signals_are_moving(engine, index);
    if (limits->volatility > 0)
        calm = calm && signals_know_volatility(engine, index) &&
               (signals->volatility.sigma == 0 ||
                signals->volatility.sigma < limits->volatility_clear * signals->volatility.mean);
    hold(&signals->calm_since, calm, engine->now);
}

static void update_reference(struct engine *engine, unsigned index)
{
    struct signals *signals = &engine->instruments[index].signals;
    signals->distance = (uint8_t)find_distance(engine, index);
    hold(&signals->off_since, signals->distance == REFERENCE_OFF, engine->now);
    hold(&signals->near_since, signals->distance == REFERENCE_NEAR, engine->now);
}

/* Rule 25: the time limit is an alarm, it lets nothing through. */
static void update_warm_up(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct signals *signals = &instrument->signals;
    unsigned venue = instrument->definition.venue;
    int64_t limit = instrument->limits.signal.warm_up_time_limit;
    bool warm = signals_are_warm(engine, index);
    hold(&signals->cold_since, !warm, engine->now);
    if (warm) {
        if (alarm_is_raised(engine, index, venue, ALARM_WARM_UP_LATE))
            alarm_clear(engine, index, venue, ALARM_WARM_UP_LATE);
    } else if (limit > 0 && engine->now - signals->cold_since >= limit) {
        alarm_raise(engine, index, venue, ALARM_WARM_UP_LATE, 0);
    }
}

void signals_update(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct signal_limits *limits = &instrument->limits.signal;
    advance(engine, instrument);
    update_book(engine, instrument);
    if (limits->spread > 0)
        update_spread(engine, index);
    if (instrument->breakers.state[BREAKER_VOLATILITY] != BREAKER_CLEAR)
        update_calm(engine, index);
    if (limits->reference > 0)
        update_reference(engine, index);
    update_warm_up(engine, index);
}

/* --- what others ask ------------------------------------------------------------------------------ */

bool signals_are_warm(const struct engine *engine, unsigned index)
{
    const struct signals *signals = &engine->instruments[index].signals;
    const struct signal_limits *limits = &engine->instruments[index].limits.signal;
    return signals->trades >= (uint64_t)limits->warm_up_trades &&
           signals->book_messages >= (uint64_t)limits->warm_up_book_messages &&
           signals->volatility.samples >= (uint64_t)limits->warm_up_samples;
}

bool signals_know_volatility(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    return instrument->signals.mid2 != 0 &&
           instrument->signals.volatility.samples >=
               (uint64_t)instrument->limits.signal.volatility_samples;
}

bool signals_know_spread(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    return instrument->signals.mid2 != 0 && instrument->signals.spreads.count > 0 &&
           instrument->signals.spreads.count >= instrument->limits.signal.spread_samples;
}

bool signals_are_moving(const struct engine *engine, unsigned index)
{
    const struct signals *signals = &engine->instruments[index].signals;
    int64_t move = engine->instruments[index].limits.signal.move;
    int64_t low, high;
    uint32_t count;
    if (move == 0 || !extremes_get(&signals->move, &low, &high, &count))
        return false; /* there is a lowest and a highest mid exactly while there is a mid */
    return (int128)(signals->mid2 - low) * RATIO_ONE >= (int128)low * move ||
           (int128)(high - signals->mid2) * RATIO_ONE >= (int128)high * move;
}

/* The whole second at which `count` samples become `least`, or the next one. */
static int64_t second_of(const struct signals *signals, int64_t count, int64_t least)
{
    int64_t left = least - count - 1;
    return (signals->next_second + (left > 0 ? left : 0)) * NS_PER_SECOND;
}

/* The whole second at which a sample may change something: the one that completes the warm-up, one that takes
 * in a mid that has changed, one that lets a calm begin, one that moves a bound. */
static int64_t sample_deadline(const struct instrument *instrument)
{
    const struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    const uint8_t *state = instrument->breakers.state;
    /* The first mid has no return. */
    int64_t samples = (int64_t)signals->volatility.samples - (signals->volatility.mid2 == 0);
    int64_t deadline = TIME_NEVER;
    if (signals->mid2 == 0)
        return TIME_NEVER;
    if (state[BREAKER_VOLATILITY] != BREAKER_CLEAR)
        return second_of(signals, 0, 0);
    if (limits->volatility > 0 && signals->mid2 != signals->volatility.mid2)
        deadline = second_of(signals, samples, limits->volatility_samples);
    if ((int64_t)signals->volatility.samples < limits->warm_up_samples)
        deadline = earlier(deadline, second_of(signals, samples, limits->warm_up_samples));
    bool waits = state[BREAKER_SPREAD] != BREAKER_CLEAR && signals->close_since == TIME_NEVER;
    if (limits->spread > 0 && (waits || signals->spread > limits->spread_least))
        deadline =
            earlier(deadline, second_of(signals, signals->spreads.count, limits->spread_samples));
    return deadline;
}

int64_t signals_deadline(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    int64_t deadline = sample_deadline(instrument);
    if (limits->edge > 0 &&
        (int64_t)signals->markouts.count + signals->markouts.waiting >= limits->edge_fills)
        deadline = earlier(deadline, markouts_deadline(&signals->markouts));
    if (signals->cold_since != TIME_NEVER && limits->warm_up_time_limit > 0 &&
        !alarm_is_raised(engine, index, instrument->definition.venue, ALARM_WARM_UP_LATE))
        deadline = earlier(deadline, signals->cold_since + limits->warm_up_time_limit);
    return deadline;
}

/* --- state ---------------------------------------------------------------------------------------- */

void signals_reset(struct engine *engine, unsigned index)
{
    struct signals *signals = &engine->instruments[index].signals;
    *signals = (struct signals){
        .cold_since = engine->now,
        .next_second = engine->now / NS_PER_SECOND + 1,
        .synced_since = TIME_NEVER,
        .lost_since = engine->now,
        .calm_since = TIME_NEVER,
        .wide_since = TIME_NEVER,
        .close_since = TIME_NEVER,
        .off_since = TIME_NEVER,
        .near_since = TIME_NEVER,
        .peer = signals->peer,
        .follower = signals->follower,
        .peer_scale = signals->peer_scale,
    };
}

static void walk_answers(struct walker *walker, const struct answers *answers, unsigned instrument)
{
    walker->field(walker, "answers.all_count", instrument, (int64_t)answers->all_count);
    walker->field(walker, "answers.bad_count", instrument, (int64_t)answers->bad_count);
    for (unsigned i = 0; i < PLACE_ANSWERS_MAX && i < answers->all_count; i++)
        walker->field(walker, "answers.all", i, answers->all[i]);
    for (unsigned i = 0; i < PLACE_ANSWERS_MAX && i < answers->bad_count; i++)
        walker->field(walker, "answers.bad", i, answers->bad[i]);
}

#define FIELD(name) walker->field(walker, "signals." #name, instrument, (int64_t)signals->name)

void signals_walk(struct walker *walker, const struct engine *engine, unsigned instrument)
{
    const struct signals *signals = &engine->instruments[instrument].signals;
    FIELD(book_messages);
    FIELD(trades);
    FIELD(cold_since);
    FIELD(next_second);
    FIELD(mid2);
    FIELD(spread);
    FIELD(synced_since);
    FIELD(lost_since);
    FIELD(calm_since);
    FIELD(wide_since);
    FIELD(close_since);
    FIELD(wide_bound);
    FIELD(close_bound);
    FIELD(off_since);
    FIELD(near_since);
    FIELD(peer);
    FIELD(follower);
    FIELD(distance);
    FIELD(lost);
    FIELD(rejected);
    FIELD(dropped);
    FIELD(bad);
    volatility_walk(walker, &signals->volatility, instrument);
    extremes_walk(walker, &signals->move, "signals.move", instrument);
    extremes_walk(walker, &signals->open_interest, "signals.open_interest", instrument);
    spreads_walk(walker, &signals->spreads, instrument);
    markouts_walk(walker, &signals->markouts, instrument);
    walk_answers(walker, &signals->answers, instrument);
}
