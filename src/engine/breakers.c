/* Market breakers: small state machines on the engine's time (trading-semantics 23). What they look at is
 * measured in signals.c; here stands what trips, what each does, and what clears it again. */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/time.h"

enum { MILLI = 1000, MILLI_RATIO = 1000000 /* 1/1,000 in 1e-9 */ };

void breakers_set(struct instrument *instrument, unsigned breaker, unsigned state, int64_t now)
{
    struct breakers *breakers = &instrument->breakers;
    ASSERT(breaker < BREAKER_COUNT);
    breakers->state[breaker] = (uint8_t)state;
    breakers->since[breaker] = now;
    breakers->worst = BREAKER_CLEAR;
    breakers->widen = false;
    for (unsigned i = 0; i < BREAKER_COUNT; i++) {
        breakers->widen |= breakers->state[i] >= BREAKER_WIDEN;
        if (breakers->state[i] > breakers->worst)
            breakers->worst = breakers->state[i];
    }
}

/* A change is a decision, and the instrument's cycle is due. */
static void tell(struct engine *engine, unsigned index, enum breaker breaker,
                 enum breaker_state state)
{
    struct instrument *instrument = &engine->instruments[index];
    if (engine->folding)
        return; /* the decision comes from the tape */
    breakers_set(instrument, breaker, state, engine->now);
    engine_emit(engine, EVENT_breaker, index)->breaker = (struct event_breaker){
        .instrument = (uint16_t)index, .breaker = (uint8_t)breaker, .state = (uint8_t)state};
    engine_mark_due(engine, index);
}

static inline void change(struct engine *engine, unsigned index, enum breaker breaker,
                          enum breaker_state state)
{
    if (engine->instruments[index].breakers.state[breaker] != state)
        tell(engine, index, breaker, state);
}

static bool lasted(int64_t since, int64_t duration, int64_t now)
{
    return since != TIME_NEVER && now - since >= duration;
}

/* --- one function a breaker ----------------------------------------------------------------------- */

static void update_stale(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    if (market->seen && engine->now - market->view_ts >= instrument->limits.stale_after &&
        !risk_is_off(engine, GATE_STALE))
        change(engine, index, BREAKER_STALE, BREAKER_CANCEL_ALL);
    else if (lasted(instrument->signals.synced_since, instrument->limits.signal.in_sync,
                    engine->now))
        change(engine, index, BREAKER_STALE, BREAKER_CLEAR);
}

static void update_gap(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    if ((instrument->market.gap || instrument->signals.lost) &&
        !risk_is_off(engine, GATE_UNSYNCHRONISED))
        change(engine, index, BREAKER_GAP, BREAKER_CANCEL_ALL);
    else if (lasted(instrument->signals.synced_since, instrument->limits.signal.in_sync,
                    engine->now))
        change(engine, index, BREAKER_GAP, BREAKER_CLEAR);
    instrument->signals.lost = false;
}

/* A jump cancels all, a high sigma widens; the worse of them stays until both are over. */
static void update_volatility(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    uint8_t state = instrument->breakers.state[BREAKER_VOLATILITY], wanted = BREAKER_CLEAR;
    if (limits->volatility > 0 && signals_know_volatility(engine, index) &&
        signals->volatility.sigma > limits->volatility * signals->volatility.mean)
        wanted = BREAKER_WIDEN;
    if (signals_are_moving(engine, index))
        wanted = BREAKER_CANCEL_ALL;
    if (wanted > state) {
        change(engine, index, BREAKER_VOLATILITY, (enum breaker_state)wanted);
        signals->calm_since = TIME_NEVER;
    } else if (lasted(signals->calm_since, limits->volatility_calm, engine->now)) {
        change(engine, index, BREAKER_VOLATILITY, BREAKER_CLEAR);
        signals->calm_since = TIME_NEVER;
    }
}

static void update_spread(struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct signal_limits *limits = &instrument->limits.signal;
    if (lasted(instrument->signals.wide_since, limits->spread_time, engine->now))
        change(engine, index, BREAKER_SPREAD, BREAKER_PAUSE);
    else if (lasted(instrument->signals.close_since, limits->spread_calm, engine->now))
        change(engine, index, BREAKER_SPREAD, BREAKER_CLEAR);
}

static void update_reference(struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct signal_limits *limits = &instrument->limits.signal;
    if (lasted(instrument->signals.off_since, limits->reference_time, engine->now))
        change(engine, index, BREAKER_REFERENCE, BREAKER_CANCEL_ALL);
    else if (lasted(instrument->signals.near_since, limits->reference_calm, engine->now))
        change(engine, index, BREAKER_REFERENCE, BREAKER_CLEAR);
}

/* Answers counted once don't count again after the pause. */
static void update_rejects(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct signals *signals = &instrument->signals;
    const struct breakers *breakers = &instrument->breakers;
    if (breakers->state[BREAKER_REJECTS] == BREAKER_CLEAR) {
        if (signals->rejected)
            change(engine, index, BREAKER_REJECTS, BREAKER_PAUSE);
    } else if (lasted(breakers->since[BREAKER_REJECTS], instrument->limits.signal.rejects_pause,
                      engine->now)) {
        change(engine, index, BREAKER_REJECTS, BREAKER_CLEAR);
        signals->answers = (struct answers){.all_count = 0};
    }
    signals->rejected = false;
}

/* Measured anew from here on, what learning took of them included. */
static void forget_markouts(struct instrument *instrument)
{
    instrument->signals.markouts = (struct markouts){.count = 0};
    instrument->learning.markouts = 0;
    instrument->learning.loss = 0;
}

/* The fills that tripped it are done with: the next step takes as many new ones. */
static void update_edge(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct signals *signals = &instrument->signals;
    uint8_t state = instrument->breakers.state[BREAKER_EDGE];
    if (signals->bad && state < BREAKER_PAUSE) {
        change(engine, index, BREAKER_EDGE, state == BREAKER_CLEAR ? BREAKER_WIDEN : BREAKER_PAUSE);
        forget_markouts(instrument);
    }
    signals->bad = false;
}

static void update_open_interest(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct breakers *breakers = &instrument->breakers;
    if (breakers->state[BREAKER_OPEN_INTEREST] == BREAKER_CLEAR) {
        if (instrument->signals.dropped)
            change(engine, index, BREAKER_OPEN_INTEREST, BREAKER_PAUSE);
    } else if (lasted(breakers->since[BREAKER_OPEN_INTEREST],
                      instrument->limits.signal.open_interest_pause, engine->now)) {
        change(engine, index, BREAKER_OPEN_INTEREST, BREAKER_CLEAR);
    }
    instrument->signals.dropped = false;
}

void breakers_update(struct engine *engine, unsigned index)
{
    signals_update(engine, index);
    update_stale(engine, index);
    update_gap(engine, index);
    update_volatility(engine, index);
    update_spread(engine, index);
    update_reference(engine, index);
    update_rejects(engine, index);
    update_edge(engine, index);
    update_open_interest(engine, index);
}

/* A pause with an end of its own that has passed, while nothing looked or nobody was there, is over with the
 * start: no cycle of its own follows for it, so that a second start finds the same. */
void breakers_restart(struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const int64_t *since = instrument->breakers.since;
    if (lasted(since[BREAKER_REJECTS], instrument->limits.signal.rejects_pause, engine->now))
        change(engine, index, BREAKER_REJECTS, BREAKER_CLEAR);
    if (lasted(since[BREAKER_OPEN_INTEREST], instrument->limits.signal.open_interest_pause,
               engine->now))
        change(engine, index, BREAKER_OPEN_INTEREST, BREAKER_CLEAR);
}

/* --- when next ------------------------------------------------------------------------------------ */

static void wait_for(int64_t *deadline, bool condition, int64_t since, int64_t duration)
{
    if (condition && since != TIME_NEVER && since + duration < *deadline)
        *deadline = since + duration;
}

int64_t breakers_deadline(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct signals *signals = &instrument->signals;
    const struct signal_limits *limits = &instrument->limits.signal;
    const struct market *market = &instrument->market;
    const uint8_t *state = instrument->breakers.state;
    const int64_t *since = instrument->breakers.since;
    int64_t deadline = signals_deadline(engine, index);
    bool stale = state[BREAKER_STALE] != BREAKER_CLEAR, gap = state[BREAKER_GAP] != BREAKER_CLEAR;
    wait_for(&deadline,
             market->seen && (!stale || signals->synced_since != TIME_NEVER) &&
                 !risk_is_off(engine, GATE_STALE),
             market->view_ts, instrument->limits.stale_after);
    if (instrument->breakers.worst == BREAKER_CLEAR && signals->wide_since == TIME_NEVER &&
        signals->off_since == TIME_NEVER)
        return deadline;
    wait_for(&deadline, stale || gap, signals->synced_since, limits->in_sync);
    wait_for(&deadline, state[BREAKER_VOLATILITY] != BREAKER_CLEAR, signals->calm_since,
             limits->volatility_calm);
    wait_for(&deadline, state[BREAKER_SPREAD] == BREAKER_CLEAR, signals->wide_since,
             limits->spread_time);
    wait_for(&deadline, state[BREAKER_SPREAD] != BREAKER_CLEAR, signals->close_since,
             limits->spread_calm);
    wait_for(&deadline, state[BREAKER_REFERENCE] == BREAKER_CLEAR, signals->off_since,
             limits->reference_time);
    wait_for(&deadline, state[BREAKER_REFERENCE] != BREAKER_CLEAR, signals->near_since,
             limits->reference_calm);
    wait_for(&deadline, state[BREAKER_REJECTS] != BREAKER_CLEAR, since[BREAKER_REJECTS],
             limits->rejects_pause);
    wait_for(&deadline, state[BREAKER_OPEN_INTEREST] != BREAKER_CLEAR, since[BREAKER_OPEN_INTEREST],
             limits->open_interest_pause);
    return deadline;
}

/* --- what a breaker does -------------------------------------------------------------------------- */

/* A breaker that is past widening has widened too: its factor holds for what would be wanted. */
void breakers_widen(const struct instrument *instrument, int64_t *numerator, int64_t *denominator)
{
    const struct breakers *breakers = &instrument->breakers;
    const struct signal_limits *limits = &instrument->limits.signal;
    int64_t factor = INT64_C(1000000000);
    *numerator = *denominator = 1;
    if (!breakers->widen)
        return;
    if (breakers->state[BREAKER_VOLATILITY] != BREAKER_CLEAR && limits->volatility_factor > factor)
        factor = limits->volatility_factor;
    if (breakers->state[BREAKER_EDGE] != BREAKER_CLEAR && limits->edge_factor > factor)
        factor = limits->edge_factor;
    *numerator = factor / MILLI_RATIO;
    *denominator = MILLI;
}

static void set_pause(struct engine *engine, unsigned index, bool paused, bool pulled)
{
    struct instrument *instrument = &engine->instruments[index];
    instrument->pulled = pulled;
    engine_mark_due(engine, index);
    if (instrument->paused == paused)
        return;
    instrument->paused = paused;
    engine_emit(engine, EVENT_pause, index)->pause =
        (struct event_pause){.instrument = (uint16_t)index, .paused = paused, .why = GATE_PAUSED};
}

/* What only the operator clears, and what can't be measured now and so would never clear by itself. */
static void reset(struct engine *engine, unsigned index)
{
    struct signals *signals = &engine->instruments[index].signals;
    change(engine, index, BREAKER_OPERATOR, BREAKER_CLEAR);
    change(engine, index, BREAKER_EDGE, BREAKER_CLEAR);
    forget_markouts(&engine->instruments[index]);
    if (!signals_know_volatility(engine, index))
        change(engine, index, BREAKER_VOLATILITY, BREAKER_CLEAR);
    if (!signals_know_spread(engine, index))
        change(engine, index, BREAKER_SPREAD, BREAKER_CLEAR);
    if (signals->distance == REFERENCE_UNKNOWN)
        change(engine, index, BREAKER_REFERENCE, BREAKER_CLEAR);
}

static void command_one(struct engine *engine, unsigned index, enum command command)
{
    switch (command) {
    case COMMAND_PAUSE:
        set_pause(engine, index, true, engine->instruments[index].pulled);
        break;
    case COMMAND_CANCEL_ALL:
        orders_retry_afresh(engine, index);
        set_pause(engine, index, true, true);
        break;
    case COMMAND_RESUME:
        set_pause(engine, index, false, false);
        break;
    case COMMAND_TRIP:
        change(engine, index, BREAKER_OPERATOR, BREAKER_CANCEL_ALL);
        break;
    case COMMAND_RESET:
        orders_retry_afresh(engine, index);
        alarms_reset(engine, index);
        reset(engine, index);
        break;
    case COMMAND_COUNT:
    default:
        break;
    }
}

void breakers_take_command(struct engine *engine, const struct event_command *command)
{
    if (command->instrument != EVENT_NONE_16) {
        if (command->instrument < engine->instrument_count)
            command_one(engine, command->instrument, command->command);
        return;
    }
    for (unsigned index = 0; index < engine->instrument_count; index++)
        command_one(engine, index, command->command);
    /* A drawdown is the account's: resuming one instrument does not end its pause. */
    if (command->command == COMMAND_RESUME)
        profit_resume(engine);
}
