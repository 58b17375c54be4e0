/* See ending.h. */
#include "config.h" /* POSIX names */

#include "live/ending.h"

#include <signal.h>

#include "base/log_writer.h"
#include "base/time.h"

static const char target[] = "capstan.live";

/* Behind the engine's own end by force the process has so long to close, and what is left of 30 s for its last lines
 * (time_limit.c); a second signal has less patience. Before the settings are known their default counts. */
#define CLOSE_NS         (4 * NS_PER_SECOND)
#define SECOND_SIGNAL_NS (5 * NS_PER_SECOND)
#define SHUTDOWN_NS      (28500 * NS_PER_MS)
/* Signals nearer than this are one. */
#define SIGNAL_ECHO_NS (500 * NS_PER_MS)

static void log_line(const struct ending *ending, const char *text, const struct log_field *fields,
                     size_t count)
{
    log_write(ending->options.log, LOG_INFO, target, clock_now(ending->options.clock), text, fields,
              count);
}

/* --- telling ---------------------------------------------------------------------------------------- */

static void post(const struct ending *ending, struct live_feed *feed, int signal)
{
    const union event_record record = {.shutdown = {.signal = (uint64_t)signal}};
    if (ending->options.has_engine)
        live_feed_post(feed, EVENT_shutdown, &record);
    else
        live_feed_end(feed);
}

/* For a first one `stopping` is set before, and ending_tell_what_came() looks at it behind the feed: whichever of the two
 * comes late sees what the other did, and `told` keeps both from telling. */
static void tell(struct ending *ending, int signal, bool is_first)
{
    struct live_feed *feed = atomic_load(&ending->feed);
    ops_drain(atomic_load(&ending->ops));
    if (feed && !(is_first && atomic_exchange(&ending->told, true)))
        post(ending, feed, signal);
}

void ending_tell_what_came(struct ending *ending)
{
    if (atomic_load(&ending->stopping))
        tell(ending, SIGTERM, true);
}

/* --- who asks --------------------------------------------------------------------------------------- */

static void limit_time(struct ending *ending, int64_t left_ns)
{
    struct time_limit *limit = atomic_load(&ending->limit);
    if (limit)
        time_limit_begin(limit, left_ns);
}

void ending_limit(struct ending *ending)
{
    limit_time(ending, SHUTDOWN_NS);
}

static int64_t first_limit(struct ending *ending)
{
    bool is_known = atomic_load(&ending->feed) != NULL;
    if (is_known && ending->force_after_ns < SHUTDOWN_NS - CLOSE_NS)
        return ending->force_after_ns + CLOSE_NS;
    return SHUTDOWN_NS;
}

/* `timeout` and some supervisors signal a process and its group: that is one wish, not two. */
static bool is_echo(struct ending *ending)
{
    int64_t now = clock_now(ending->options.monotonic);
    bool echo = ending->signalled != 0 && now - ending->signalled < SIGNAL_ECHO_NS;
    ending->signalled = now;
    return echo;
}

static const char *wish(int signal)
{
    return signal == SIGTERM   ? "SIGTERM: shutting down"
           : signal == SIGHUP  ? "SIGHUP, and no log file: shutting down"
           : signal == SIGALRM ? "the session's time is over: shutting down"
                               : "SIGINT: shutting down";
}

static void ask_by_signal(struct ending *ending, int signal)
{
    const struct log_field field = log_integer("signal", signal);
    bool is_timer = signal == SIGALRM, first = is_timer || !ending->had_signal;
    bool going_on = atomic_exchange(&ending->stopping, true);
    ending->had_signal = ending->had_signal || !is_timer;
    if (first && going_on) { /* by a command, or because the time of --for is over */
        log_line(ending, "a shutdown goes on already; another signal ends it by force", &field, 1);
        return;
    }
    limit_time(ending, going_on ? SECOND_SIGNAL_NS : first_limit(ending));
    log_line(ending, wish(signal), &field, 1);
    if (!is_timer)
        atomic_store(&ending->asked, true);
    tell(ending, signal, !going_on);
}

void ending_signal(struct ending *ending, int signal)
{
    struct log_writer *writer = ending->options.log->writer;
    if (signal == SIGHUP && log_writer_has_file(writer))
        log_writer_reopen(writer);
    else if (!is_echo(ending))
        ask_by_signal(ending, signal);
}

void ending_command(struct ending *ending)
{
    if (atomic_exchange(&ending->stopping, true))
        return;
    atomic_store(&ending->asked, true);
    limit_time(ending, first_limit(ending));
    log_line(ending, "an operator's command: shutting down", NULL, 0);
    tell(ending, SIGTERM, true);
}

/* --- its life --------------------------------------------------------------------------------------- */

static void caught(void *context, int signal)
{
    ending_signal(context, signal);
}

int ending_open(struct ending *ending, int64_t run_for_ns, struct error *error)
{
    struct time_limit *limit = NULL;
    int code = signals_open(&ending->signals, run_for_ns, caught, ending, error);
    if (code)
        return code;
    code = time_limit_open(&limit, ending->options.log, ending->options.clock, error);
    atomic_store(&ending->limit, limit);
    if (!code && atomic_load(&ending->stopping))
        limit_time(ending, first_limit(ending)); /* the signal was faster */
    return code;
}

void ending_drains(struct ending *ending, struct ops *ops)
{
    atomic_store(&ending->ops, ops);
}

void ending_goes_to(struct ending *ending, struct live_feed *feed, int64_t force_after_ns)
{
    ending->force_after_ns = force_after_ns;
    atomic_store(&ending->feed, feed);
}

void ending_lets_go(struct ending *ending)
{
    signals_close(&ending->signals); /* its thread may be telling just now */
    atomic_store(&ending->feed, NULL);
    atomic_store(&ending->ops, NULL);
}

void ending_close(struct ending *ending)
{
    struct time_limit *limit = atomic_load(&ending->limit);
    ending_lets_go(ending);
    time_limit_close(&limit);
    atomic_store(&ending->limit, NULL);
}
