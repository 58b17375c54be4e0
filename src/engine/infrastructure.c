/* The breakers around venues' requests and the database. */
#include "engine/infrastructure.h"

#include "base/assert.h"
#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

void infrastructure_init(struct infrastructure *infrastructure,
                         const struct settings_venue *settings)
{
    *infrastructure = (struct infrastructure){
        .failed = INT64_MIN,
        .passed = INT64_MIN,
        .trial = TIME_NEVER,
        .threshold = (uint64_t)settings->infrastructure_failures,
        .timeout = settings->infrastructure_timeout,
        .pace = settings->infrastructure_pace,
    };
}

void infrastructure_init_database(struct infrastructure *infrastructure,
                                  const struct settings_global *settings)
{
    *infrastructure = (struct infrastructure){
        .failed = INT64_MIN,
        .passed = INT64_MIN,
        .trial = TIME_NEVER,
        .threshold = (uint64_t)settings->database_failures,
        .timeout = settings->database_timeout,
    };
}

static struct infrastructure *at(struct engine *engine, unsigned venue)
{
    if (venue == INFRASTRUCTURE_DATABASE)
        return &engine->database;
    ASSERT(venue < engine->venue_count);
    return &engine->venues[venue].infrastructure;
}

/* --- states ----------------------------------------------------------------------------------- */

void infrastructure_take(struct engine *engine, const struct event_infrastructure *record)
{
    if (record->venue >= engine->venue_count && record->venue != INFRASTRUCTURE_DATABASE)
        return;
    struct infrastructure *infrastructure = at(engine, record->venue);
    infrastructure->state = record->state;
    infrastructure->failures = record->failures;
    infrastructure->since = engine->now;
    /* The database's trial is its next call, which leaves at once. */
    infrastructure->trial =
        record->venue == INFRASTRUCTURE_DATABASE && record->state == INFRASTRUCTURE_HALF_OPEN
            ? engine->now
            : TIME_NEVER;
    /* A request that nobody answered may be what opens it. On the tape it stands before this record, in a
     * run it is counted after: either way it is the first that passed. */
    if (infrastructure->passed != engine->now)
        infrastructure->passed = INT64_MIN;
    timers_common_moved(engine);
}

/* What waited for the breaker is looked at again. */
static void wake(struct engine *engine, unsigned venue)
{
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        if (venue != INFRASTRUCTURE_DATABASE &&
            engine->instruments[index].definition.venue != venue)
            continue;
        engine->instruments[index].pending_deadline = engine->now; /* a lower bound */
        timers_set(&engine->timers, index, engine->now);
        engine_mark_due(engine, index);
    }
}

static void change(struct engine *engine, unsigned venue, enum infrastructure_state state,
                   uint64_t failures)
{
    struct event_infrastructure record = {
        .venue = (uint8_t)venue, .state = (uint8_t)state, .failures = failures};
    if (engine->folding)
        return; /* the decision comes from the tape: it was made by that run's settings */
    engine_emit(engine, EVENT_infrastructure, EVENT_NONE_16)->infrastructure = record;
    infrastructure_take(engine, &record);
    wake(engine, venue);
}

void infrastructure_succeeded(struct engine *engine, unsigned venue)
{
    struct infrastructure *infrastructure = at(engine, venue);
    if (infrastructure->state == INFRASTRUCTURE_CLOSED)
        infrastructure->failures = 0;
    else if (infrastructure->trial != TIME_NEVER)
        change(engine, venue, INFRASTRUCTURE_CLOSED, 0);
}

void infrastructure_failed(struct engine *engine, unsigned venue)
{
    struct infrastructure *infrastructure = at(engine, venue);
    infrastructure->failed = engine->now;
    if (infrastructure->state == INFRASTRUCTURE_CLOSED) {
        infrastructure->failures++;
        if (infrastructure->threshold != 0 && infrastructure->failures >= infrastructure->threshold)
            change(engine, venue, INFRASTRUCTURE_OPEN, infrastructure->failures);
    } else if (infrastructure->trial != TIME_NEVER) {
        change(engine, venue, INFRASTRUCTURE_OPEN, infrastructure->failures + 1);
    }
}

void infrastructure_start(struct engine *engine)
{
    struct infrastructure *database = &engine->database;
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        engine->venues[venue].infrastructure.failed = INT64_MIN;
    database->failed = INT64_MIN;
    database->state = INFRASTRUCTURE_CLOSED;
    database->failures = 0;
    database->since = 0;
    database->passed = INT64_MIN;
    database->trial = TIME_NEVER;
}

/* --- requests --------------------------------------------------------------------------------- */

bool infrastructure_database_blocks(const struct engine *engine)
{
    return engine->database_required && engine->database.state != INFRASTRUCTURE_CLOSED;
}

bool infrastructure_blocks(const struct engine *engine, unsigned venue)
{
    return engine->venues[venue].infrastructure.state != INFRASTRUCTURE_CLOSED;
}

int64_t infrastructure_next(const struct engine *engine, unsigned venue)
{
    const struct infrastructure *infrastructure = &engine->venues[venue].infrastructure;
    if (infrastructure->state == INFRASTRUCTURE_OPEN && infrastructure->passed != INT64_MIN)
        return infrastructure->passed + infrastructure->pace;
    if (infrastructure->state == INFRASTRUCTURE_HALF_OPEN && infrastructure->trial != TIME_NEVER)
        return infrastructure->trial + INFRASTRUCTURE_TRIAL_NS;
    return INT64_MIN;
}

bool infrastructure_lets_through(const struct engine *engine, unsigned venue)
{
    const struct infrastructure *infrastructure = &engine->venues[venue].infrastructure;
    if (infrastructure->state == INFRASTRUCTURE_HALF_OPEN)
        return infrastructure->trial == TIME_NEVER;
    return infrastructure_next(engine, venue) <= engine->now;
}

void infrastructure_sent(struct engine *engine, unsigned venue, int64_t now)
{
    struct infrastructure *infrastructure = at(engine, venue);
    if (infrastructure->state == INFRASTRUCTURE_HALF_OPEN && infrastructure->trial == TIME_NEVER) {
        infrastructure->trial = now;
        timers_common_moved(engine);
    } else {
        infrastructure->passed = now;
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static int64_t deadline_of(const struct infrastructure *infrastructure)
{
    if (infrastructure->state == INFRASTRUCTURE_OPEN)
        return infrastructure->since + infrastructure->timeout;
    if (infrastructure->state != INFRASTRUCTURE_HALF_OPEN)
        return TIME_NEVER;
    return infrastructure->trial == TIME_NEVER ? infrastructure->since + infrastructure->pace
                                               : infrastructure->trial + INFRASTRUCTURE_TRIAL_NS;
}

int64_t infrastructure_deadline(const struct engine *engine)
{
    int64_t earliest = deadline_of(&engine->database);
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        int64_t deadline = deadline_of(&engine->venues[venue].infrastructure);
        if (deadline < earliest)
            earliest = deadline;
    }
    return earliest;
}

/* Half-open a cancel or query that is wanted has one pace of time to become the trial; then the engine
 * asks for the account's snapshot, which it can always use. */
static void venue_due(struct engine *engine, unsigned venue)
{
    const struct infrastructure *infrastructure = at(engine, venue);
    if (deadline_of(infrastructure) > engine->now)
        return;
    if (infrastructure->state == INFRASTRUCTURE_OPEN)
        change(engine, venue, INFRASTRUCTURE_HALF_OPEN, infrastructure->failures);
    else if (infrastructure->trial != TIME_NEVER)
        infrastructure_failed(engine, venue);
    if (venue != INFRASTRUCTURE_DATABASE && infrastructure->state == INFRASTRUCTURE_HALF_OPEN &&
        deadline_of(infrastructure) <= engine->now)
        sync_request(engine, venue);
}

void infrastructure_due(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        venue_due(engine, venue);
    venue_due(engine, INFRASTRUCTURE_DATABASE);
}

static void walk_one(struct walker *walker, const struct infrastructure *infrastructure,
                     unsigned venue)
{
    walker->field(walker, "infrastructure.state", venue, infrastructure->state);
    walker->field(walker, "infrastructure.failures", venue, (int64_t)infrastructure->failures);
    walker->field(walker, "infrastructure.since", venue, infrastructure->since);
    walker->field(walker, "infrastructure.passed", venue, infrastructure->passed);
    walker->field(walker, "infrastructure.trial", venue, infrastructure->trial);
    walker->field(walker, "infrastructure.threshold", venue, (int64_t)infrastructure->threshold);
    walker->field(walker, "infrastructure.timeout", venue, infrastructure->timeout);
    walker->field(walker, "infrastructure.pace", venue, infrastructure->pace);
}

void infrastructure_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        walk_one(walker, &engine->venues[venue].infrastructure, venue);
}

void infrastructure_walk_cold(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        walker->field(walker, "infrastructure.failed", venue,
                      engine->venues[venue].infrastructure.failed);
    walker->field(walker, "infrastructure.failed", INFRASTRUCTURE_DATABASE,
                  engine->database.failed);
    walk_one(walker, &engine->database, INFRASTRUCTURE_DATABASE);
    walker->field(walker, "infrastructure.database_required", 0, engine->database_required);
}
