/* See time_limit.h. */
#include "config.h"

#include "live/time_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log_writer.h"
#include "base/time.h"

enum { NAMED_MAX = 1024 };
#define LOOK_EVERY_NS (20 * NS_PER_MS)
/* For the file, whose disk may hang too, and then for the log. */
#define FILE_NS (900 * NS_PER_MS)
#define LOG_NS  (400 * NS_PER_MS)
/* An engine that gave no sign of life for so long is cancelled for, so long before the end, and in so much of it. */
#define SILENT_NS      (2500 * NS_PER_MS)
#define CANCEL_LEFT_NS (3500 * NS_PER_MS)
#define CANCEL_NS      (2500 * NS_PER_MS)

static const char target[] = "capstan.live";

/* Of what is done for an engine that is silent. */
enum instead { INSTEAD_OFF, INSTEAD_WATCHING, INSTEAD_CANCELLING, INSTEAD_DONE };

struct time_limit {
    const struct log *log;
    const struct clock *clock;
    _Atomic int64_t until; /* monotonic; TIME_NEVER: it does not run */
    atomic_bool closing;
    struct open_orders *_Atomic orders;
    const struct unconfirmed *_Atomic unconfirmed;
    pthread_t thread;
    struct time_limit_engine engine;
    atomic_int instead;    /* enum instead */
    atomic_bool cancelled; /* no venue shows an order any more */
    /* at the end */
    struct open_order named[NAMED_MAX];
    size_t count, named_count;
    atomic_bool written;
};

static void doze(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
}

static void *cancel(void *context)
{
    struct time_limit *limit = context;
    bool clean = limit->engine.cancel(limit->engine.context, CANCEL_NS);
    atomic_store(&limit->cancelled, clean);
    atomic_store(&limit->instead, INSTEAD_DONE);
    return NULL;
}

static void cancel_if_silent(struct time_limit *limit)
{
    pthread_t thread;
    int watching = INSTEAD_WATCHING;
    if (atomic_load(&limit->until) - clock_now(&clock_monotonic) > CANCEL_LEFT_NS ||
        atomic_load(&limit->instead) != INSTEAD_WATCHING ||
        clock_now(limit->engine.clock) - atomic_load(limit->engine.alive) < SILENT_NS ||
        !atomic_compare_exchange_strong(&limit->instead, &watching, INSTEAD_CANCELLING))
        return;
    if (pthread_create(&thread, NULL, cancel, limit) == 0)
        pthread_detach(thread);
    else
        atomic_store(&limit->instead, INSTEAD_DONE);
}

static void *write_file(void *context)
{
    struct time_limit *limit = context;
    struct error error = {0};
    if (unconfirmed_write(atomic_load(&limit->unconfirmed), limit->named, limit->named_count,
                          &error))
        log_write(limit->log, LOG_ERROR, target, clock_now(limit->clock), error.text, NULL, 0);
    atomic_store(&limit->written, true);
    return NULL;
}

/* On a thread of its own, for the disk may be what hangs. */
static void write_down(struct time_limit *limit)
{
    pthread_t thread;
    const int64_t until = clock_now(&clock_monotonic) + FILE_NS;
    if (pthread_create(&thread, NULL, write_file, limit) != 0)
        return;
    while (!atomic_load(&limit->written) && clock_now(&clock_monotonic) < until)
        doze();
}

static _Noreturn void end_by_force(struct time_limit *limit)
{
    static const char text[] = "the shutdown did not end in time: the process ends by force";
    char line[LOG_LINE_MAX];
    struct open_orders *orders = atomic_load(&limit->orders);
    if (orders && atomic_load(&limit->unconfirmed) && atomic_load(&limit->cancelled)) {
        write_down(limit); /* nothing is left to name: it is removed */
    } else if (orders && atomic_load(&limit->unconfirmed)) {
        limit->count = open_orders_list(orders, limit->named, NAMED_MAX);
        limit->named_count = limit->count < NAMED_MAX ? limit->count : NAMED_MAX;
        unconfirmed_log(atomic_load(&limit->unconfirmed), limit->log, target,
                        clock_now(limit->clock), limit->named, limit->named_count);
        write_down(limit);
    }
    const struct log_field field = log_unsigned("orders_not_confirmed", limit->count);
    const int64_t now = clock_now(limit->clock);
    size_t length =
        log_format(limit->log, __FILE__, __LINE__, LOG_WARN, target, now, text, &field, 1, line);
    if (limit->log->writer)
        log_writer_last_words(limit->log->writer, line, length, LOG_NS);
    else
        log_write(limit->log, LOG_WARN, target, now, text, &field, 1);
    _exit(ERROR_SYSTEM);
}

static void *run(void *context)
{
    struct time_limit *limit = context;
    while (!atomic_load(&limit->closing)) {
        if (clock_now(&clock_monotonic) >= atomic_load(&limit->until))
            end_by_force(limit);
        cancel_if_silent(limit);
        doze();
    }
    return NULL;
}

int time_limit_open(struct time_limit **out, const struct log *log, const struct clock *clock,
                    struct error *error)
{
    struct time_limit *limit = calloc(1, sizeof *limit);
    if (!limit)
        return error_set(error, ERROR_SYSTEM, "no memory for a session");
    limit->log = log;
    limit->clock = clock;
    atomic_init(&limit->until, TIME_NEVER);
    if (pthread_create(&limit->thread, NULL, run, limit) != 0) {
        free(limit);
        return error_set(error, ERROR_SYSTEM, "no thread for the end of a session");
    }
    *out = limit;
    return 0;
}

void time_limit_begin(struct time_limit *limit, int64_t left_ns)
{
    int64_t until = clock_now(&clock_monotonic) + left_ns;
    int64_t before = atomic_load(&limit->until);
    while (until < before && !atomic_compare_exchange_weak(&limit->until, &before, until))
        ;
}

void time_limit_know(struct time_limit *limit, struct open_orders *orders,
                     const struct unconfirmed *unconfirmed)
{
    atomic_store(&limit->unconfirmed, unconfirmed);
    atomic_store(&limit->orders, orders);
}

void time_limit_engine(struct time_limit *limit, const struct time_limit_engine *engine)
{
    limit->engine = *engine;
    atomic_store(&limit->instead, INSTEAD_WATCHING);
}

void time_limit_engine_over(struct time_limit *limit)
{
    int watching = INSTEAD_WATCHING;
    atomic_compare_exchange_strong(&limit->instead, &watching, INSTEAD_OFF);
    while (atomic_load(&limit->instead) == INSTEAD_CANCELLING)
        doze();
}

void time_limit_close(struct time_limit **limit)
{
    if (!*limit)
        return;
    atomic_store(&(*limit)->closing, true);
    pthread_join((*limit)->thread, NULL);
    free(*limit);
    *limit = NULL;
}
