/* See watchdog.h. */
#include "config.h"

#include "live/watchdog.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/log_writer.h"
#include "base/time.h"
#include "live/heartbeat.h"
#include "live/names.h"
#include "live/signals.h"
#include "live/sweep.h"

#define LOOK_EVERY_NS (200 * NS_PER_MS)
/* One round of cancels; what it leaves is tried again. */
#define SWEEP_NS (30 * NS_PER_SECOND)
/* A venue may still take what left the engine before it died: it is looked at again, ever more rarely. */
#define AGAIN_LEAST_NS (10 * NS_PER_SECOND)
#define AGAIN_MOST_NS  (60 * NS_PER_SECOND)
/* And so where something is left, or a venue can't be asked. */
#define AGAIN_SOON_NS (2 * NS_PER_SECOND)

static const char target[] = "capstan.watchdog";

struct watchdog {
    const struct watchdog_options *options;
    struct session_clock clock;
    struct waker waker;
    atomic_bool stopping;
    struct heartbeat *heartbeat;
    struct credentials
        *credentials[LIVE_VENUES_MAX]; /* read once: an environment has them once only */
    int64_t seen;                      /* heartbeat's value when last looked at */
    int64_t changed;                   /* when it last changed, by our clock */
    int64_t sweep_at;
    int64_t again;  /* from one sweep to the next */
    bool silent;    /* that was said */
    bool lived;     /* a session was seen that had not ended */
    bool left;      /* orders may be left */
    bool turned_up; /* by the last sweep */
};

static void caught(void *context, int signal)
{
    struct watchdog *watchdog = context;
    if (signal == SIGHUP && log_writer_has_file(watchdog->options->log->writer)) {
        log_writer_reopen(watchdog->options->log->writer);
        return;
    }
    atomic_store(&watchdog->stopping, true);
}

static void say(struct watchdog *watchdog, enum log_level level, const char *text,
                const struct log_field *fields, size_t count)
{
    log_write(watchdog->options->log, level, target, clock_now(&watchdog->clock.clock), text,
              fields, count);
}

static int open_venues(struct watchdog *watchdog, struct live_venues *venues,
                       struct live_names *names, struct error *error)
{
    const struct live_venues_options options = {.config = watchdog->options->config,
                                                .trades = true,
                                                .clock = &watchdog->clock.clock,
                                                .engine = &watchdog->waker,
                                                .log = watchdog->options->log,
                                                .stop = &watchdog->stopping,
                                                .credentials = watchdog->credentials};
    int code = live_venues_open(venues, &options, error);
    return code ? code : live_names_make(names, venues->ios, venues->count, error);
}

/* Settings, keys and venues are tried at once, not only when they are needed. */
static int try_venues(struct watchdog *watchdog, struct error *error)
{
    struct live_venues venues = {0};
    struct live_names names = {0};
    int code = open_venues(watchdog, &venues, &names, error);
    live_venues_close(&venues);
    live_names_free(&names);
    return code;
}

/* A session that goes on looks after its orders itself. */
static bool engine_is_back(void *context)
{
    struct watchdog *watchdog = context;
    return atomic_load(&watchdog->stopping) ||
           atomic_load(&watchdog->heartbeat->alive) != watchdog->seen;
}

static void tell_swept(struct watchdog *watchdog, const struct sweep_result *result)
{
    const struct log_field fields[] = {
        log_unsigned("cancels", result->cancels), log_unsigned("remaining", result->remaining),
        log_unsigned("venues_without_answer", result->unheard),
        log_unsigned("venues_not_looked_at_twice", result->unsettled)};
    watchdog->turned_up = result->cancels > 0;
    watchdog->left = result->remaining > 0 || result->unheard > 0 || result->unsettled > 0;
    say(watchdog,
        watchdog->left        ? LOG_ERROR
        : result->cancels > 0 ? LOG_WARN
                              : LOG_INFO,
        watchdog->left ? "orders of the session may still rest; trying again"
                       : "no order of the session rests; looking again from time to time",
        fields, 4);
}

static void sweep_venues(struct watchdog *watchdog, struct live_venues *venues,
                         const struct live_names *names)
{
    const struct sweep_options options = {.waker = &watchdog->waker,
                                          .clock = &watchdog->clock.clock,
                                          .log = watchdog->options->log,
                                          .timeout_ns = SWEEP_NS,
                                          .stop = engine_is_back,
                                          .stop_context = watchdog};
    struct sweep_result result = {0};
    for (size_t v = 0; v < venues->count; v++)
        live_io_begin(venues->ios[v], &names->numbers[v]);
    sweep(venues, &options, &result);
    if (atomic_load(&watchdog->heartbeat->alive) == watchdog->seen)
        tell_swept(watchdog, &result);
    else
        say(watchdog, LOG_INFO, "a session goes on: it looks after its orders itself", NULL, 0);
}

static void sweep_once(struct watchdog *watchdog)
{
    struct live_venues venues = {0};
    struct live_names names = {0};
    struct error error = {0};
    if (open_venues(watchdog, &venues, &names, &error)) {
        watchdog->left = true;
        say(watchdog, LOG_ERROR, error.text, NULL, 0);
    } else if (!engine_is_back(watchdog)) {
        sweep_venues(watchdog, &venues, &names);
    }
    live_venues_close(&venues);
    live_names_free(&names);
}

/* Soon again where something is left; ever more rarely while nothing turns up. */
static void sweep_silent(struct watchdog *watchdog)
{
    watchdog->turned_up = false;
    sweep_once(watchdog);
    if (watchdog->left || watchdog->turned_up)
        watchdog->again = AGAIN_LEAST_NS;
    watchdog->sweep_at =
        clock_now(&watchdog->clock.clock) + (watchdog->left ? AGAIN_SOON_NS : watchdog->again);
    watchdog->again = watchdog->again < AGAIN_MOST_NS / 2 ? watchdog->again * 2 : AGAIN_MOST_NS;
}

static void note_change(struct watchdog *watchdog, int64_t alive, int64_t now)
{
    watchdog->lived = watchdog->lived || alive != HEARTBEAT_ENDED;
    watchdog->seen = alive;
    watchdog->changed = now;
    watchdog->sweep_at = now + watchdog->options->after_ns;
    watchdog->again = AGAIN_LEAST_NS;
    watchdog->silent = watchdog->left = false;
}

static void look(struct watchdog *watchdog)
{
    int64_t alive = atomic_load(&watchdog->heartbeat->alive);
    int64_t now = clock_now(&watchdog->clock.clock);
    if (alive != watchdog->seen)
        note_change(watchdog, alive, now);
    if (alive == HEARTBEAT_ENDED || now < watchdog->sweep_at)
        return;
    const struct log_field field = log_integer("silent_ms", (now - watchdog->changed) / NS_PER_MS);
    if (!watchdog->silent)
        say(watchdog, LOG_ERROR, "the engine gives no sign of life: cancelling its orders", &field,
            1);
    watchdog->silent = true;
    sweep_silent(watchdog);
}

static int watch(struct watchdog *watchdog, struct error *error)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
    int code = heartbeat_read(&watchdog->heartbeat, watchdog->options->tape, error);
    if (code)
        return code;
    note_change(watchdog, atomic_load(&watchdog->heartbeat->alive),
                clock_now(&watchdog->clock.clock));
    say(watchdog, LOG_INFO,
        watchdog->lived ? "watching" : "the last session has ended: waiting for the next", NULL, 0);
    while (!atomic_load(&watchdog->stopping) &&
           !(watchdog->lived && watchdog->seen == HEARTBEAT_ENDED)) {
        look(watchdog);
        nanosleep(&pause, NULL);
    }
    heartbeat_close(&watchdog->heartbeat);
    if (watchdog->left)
        return error_set(error, ERROR_SYSTEM, "orders of the session may still rest at a venue");
    return 0;
}

int watchdog_run(const struct watchdog_options *options, struct error *error)
{
    struct watchdog *watchdog = calloc(1, sizeof *watchdog);
    struct signals *signals = NULL;
    if (!watchdog)
        return error_set(error, ERROR_SYSTEM, "no memory for the watchdog");
    watchdog->options = options;
    session_clock_start(&watchdog->clock, INT64_MIN);
    int code = waker_open(&watchdog->waker, error);
    if (code) {
        free(watchdog);
        return code;
    }
    code = signals_open(&signals, TIME_NEVER, caught, watchdog, error);
    if (!code)
        code = try_venues(watchdog, error);
    if (!code)
        code = watch(watchdog, error);
    signals_close(&signals);
    for (size_t v = 0; v < LIVE_VENUES_MAX; v++)
        credentials_free(&watchdog->credentials[v]);
    waker_close(&watchdog->waker);
    free(watchdog);
    return code;
}
