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

static const char target[] = "capstan.watchdog";

struct watchdog {
    const struct watchdog_options *options;
    struct session_clock clock;
    struct waker waker;
    atomic_bool stopping;
    int64_t seen;    /* heartbeat's value when last looked at */
    int64_t changed; /* when it last changed, by our clock */
    bool swept;      /* since it last changed */
    bool left;       /* orders may be left */
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
                                                .stop = &watchdog->stopping};
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

static void tell_swept(struct watchdog *watchdog, const struct sweep_result *result)
{
    const struct log_field fields[] = {log_unsigned("cancels", result->cancels),
                                       log_unsigned("remaining", result->remaining),
                                       log_unsigned("venues_without_answer", result->unheard)};
    watchdog->left = result->remaining > 0 || result->unheard > 0;
    watchdog->swept = !watchdog->left;
    say(watchdog, watchdog->left ? LOG_ERROR : LOG_WARN,
        watchdog->left ? "orders of the session may still rest; trying again"
                       : "the session's orders are cancelled",
        fields, 3);
}

static void sweep_once(struct watchdog *watchdog)
{
    struct live_venues venues = {0};
    struct live_names names = {0};
    struct sweep_result result = {0};
    struct error error = {0};
    int code = open_venues(watchdog, &venues, &names, &error);
    if (code) {
        watchdog->left = true;
        say(watchdog, LOG_ERROR, error.text, NULL, 0);
    } else {
        for (size_t v = 0; v < venues.count; v++)
            live_io_begin(venues.ios[v], &names.numbers[v]);
        sweep(&venues, &watchdog->waker, &watchdog->clock.clock, watchdog->options->log, SWEEP_NS,
              &result);
        tell_swept(watchdog, &result);
    }
    live_venues_close(&venues);
    live_names_free(&names);
}

static void look(struct watchdog *watchdog, struct heartbeat *heartbeat)
{
    int64_t alive = atomic_load(&heartbeat->alive);
    int64_t now = clock_now(&watchdog->clock.clock);
    if (alive != watchdog->seen) {
        watchdog->seen = alive;
        watchdog->changed = now;
        watchdog->swept = false;
        return;
    }
    if (alive == HEARTBEAT_ENDED || watchdog->swept ||
        now - watchdog->changed < watchdog->options->after_ns)
        return;
    const struct log_field field = log_integer("silent_ms", (now - watchdog->changed) / NS_PER_MS);
    say(watchdog, LOG_ERROR, "the engine gives no sign of life: cancelling its orders", &field, 1);
    sweep_once(watchdog);
}

static int watch(struct watchdog *watchdog, struct error *error)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
    struct heartbeat *heartbeat;
    int code = heartbeat_read(&heartbeat, watchdog->options->tape, error);
    if (code)
        return code;
    watchdog->changed = clock_now(&watchdog->clock.clock);
    say(watchdog, LOG_INFO, "watching", NULL, 0);
    while (!atomic_load(&watchdog->stopping) && watchdog->seen != HEARTBEAT_ENDED) {
        look(watchdog, heartbeat);
        nanosleep(&pause, NULL);
    }
    heartbeat_close(&heartbeat);
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
    waker_close(&watchdog->waker);
    free(watchdog);
    return code;
}
