/* Breakers: small state machines on the engine's time. Here stand those that guard the book and the
 * operator's; each of the others is one more function in breakers_update(). */
#include "engine/engine_internal.h"

#include "base/assert.h"

enum { WIDEN_NUMERATOR = 2, WIDEN_DENOMINATOR = 1 }; /* trading-semantics 23 */

void breakers_set(struct instrument *instrument, unsigned breaker, unsigned state)
{
    struct breakers *breakers = &instrument->breakers;
    ASSERT(breaker < BREAKER_COUNT);
    breakers->state[breaker] = (uint8_t)state;
    breakers->worst = BREAKER_CLEAR;
    breakers->widen = false;
    for (unsigned i = 0; i < BREAKER_COUNT; i++) {
        breakers->widen |= breakers->state[i] == BREAKER_WIDEN;
        if (breakers->state[i] > breakers->worst)
            breakers->worst = breakers->state[i];
    }
}

/* A change is a decision, and the instrument's cycle is due. */
static void change(struct engine *engine, unsigned index, enum breaker breaker,
                   enum breaker_state state)
{
    struct instrument *instrument = &engine->instruments[index];
    if (instrument->breakers.state[breaker] == state)
        return;
    breakers_set(instrument, breaker, state);
    engine_emit(engine, EVENT_breaker, index)->breaker = (struct event_breaker){
        .instrument = (uint16_t)index, .breaker = (uint8_t)breaker, .state = (uint8_t)state};
    engine_mark_due(engine, index);
}

void breakers_update(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    bool stale = market->seen && engine->now - market->fresh_ts >= instrument->limits.stale_after &&
                 !risk_is_off(engine, GATE_STALE);
    bool gap = market->gap && !risk_is_off(engine, GATE_UNSYNCHRONISED);
    change(engine, index, BREAKER_STALE, stale ? BREAKER_CANCEL_ALL : BREAKER_CLEAR);
    change(engine, index, BREAKER_GAP, gap ? BREAKER_CANCEL_ALL : BREAKER_CLEAR);
}

int64_t breakers_deadline(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    int64_t deadline = signals_deadline(engine, index);
    int64_t stale = market->fresh_ts + instrument->limits.stale_after;
    if (market->seen && instrument->breakers.state[BREAKER_STALE] == BREAKER_CLEAR &&
        stale < deadline && !risk_is_off(engine, GATE_STALE))
        deadline = stale;
    return deadline;
}

void breakers_widen(const struct instrument *instrument, int64_t *numerator, int64_t *denominator)
{
    *numerator = instrument->breakers.widen ? WIDEN_NUMERATOR : 1;
    *denominator = instrument->breakers.widen ? WIDEN_DENOMINATOR : 1;
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
        change(engine, index, BREAKER_OPERATOR, BREAKER_CLEAR);
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
