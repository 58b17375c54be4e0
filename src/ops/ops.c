/* The ops server's thread and its life. See ops.h. */
#include "config.h" /* POSIX names */

#include "ops/ops.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "base/time.h"
#include "net/server.h"
#include "ops/http.h"

static const char target[] = "capstan.ops";

#define TICK_NS (500 * NS_PER_MS)
/* Of a request, from its first byte to its last, and of a connection that says nothing. */
#define PATIENCE_NS (5 * NS_PER_SECOND)
/* Below the loop and the venues' threads: what is asked of us must not cost them their turn. */
enum { NICENESS = 5 };

struct ops {
    struct ops_http http;
    struct net_server *server;
    struct ops_collect *attached;
    pthread_mutex_t attaching; /* of the pointer before: a drain comes from any thread */
    char allow_origin[SETTING_TEXT_MAX];
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    pthread_mutex_t answering; /* held while http.collect is used or changed */
};

/* --- the thread --------------------------------------------------------------------------------- */

static void request(void *context, struct net_client *client, const struct net_incoming *incoming)
{
    struct ops *ops = context;
    pthread_mutex_lock(&ops->answering);
    ops_http_request(&ops->http, client, incoming);
    pthread_mutex_unlock(&ops->answering);
}

static void closed(void *context, struct net_client *client)
{
    struct ops *ops = context;
    ops_http_closed(&ops->http, client);
}

static void tick(struct ops *ops)
{
    pthread_mutex_lock(&ops->answering);
    ops_http_tick(&ops->http);
    pthread_mutex_unlock(&ops->answering);
}

static void *run(void *context)
{
    struct ops *ops = context;
    struct error error = {0};
    int64_t next = clock_now(&clock_monotonic);
#ifdef __linux__ /* elsewhere threads have no priority of their own */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS); /* for better only */
#endif
    while (!atomic_load(&ops->stopping)) {
        int64_t now = clock_now(&clock_monotonic);
        if (now >= next) {
            tick(ops);
            next = now + TICK_NS;
        }
        if (net_server_poll(ops->server, next - now, &error)) {
            log_write(ops->http.log, LOG_ERROR, target, clock_now(ops->http.clock), error.text,
                      NULL, 0);
            nanosleep(&(struct timespec){.tv_nsec = 100 * NS_PER_MS}, NULL);
        }
    }
    return NULL;
}

/* Signals are for the session's own thread. */
static int start_thread(struct ops *ops, struct error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&ops->thread, NULL, run, ops);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_set(error, ERROR_SYSTEM, "no thread for the ops server: %s", strerror(failed));
    ops->running = true;
    return 0;
}

/* --- opening ------------------------------------------------------------------------------------ */

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static int listen_at(struct ops *ops, const struct settings_global *settings, struct error *error)
{
    const struct net_server_options options = {.address = settings->ops_address.text,
                                               .port = (uint16_t)settings->ops_port,
                                               .connections_max = OPS_CONNECTIONS_MAX,
                                               .header_bytes_max = OPS_HEADERS_MAX,
                                               .body_bytes_max = OPS_BODY_MAX,
                                               .unsent_bytes_max = OPS_UNSENT_MAX,
                                               .request_timeout_ns = PATIENCE_NS,
                                               .drops_oldest = true,
                                               .request = request,
                                               .closed = closed,
                                               .context = ops};
    struct error cause = {0};
    int code = net_server_open(&ops->server, &options, &cause);
    if (!code)
        return 0;
    return error_set(error, (enum error_code)code,
                     "ops.address, ops.port: %s; choose another port (ops.port), or none "
                     "(ops.enabled=no)",
                     cause.text);
}

static void tell_of_opening(const struct ops *ops, const struct settings_global *settings)
{
    const struct log_field fields[] = {log_text("address", settings->ops_address.text),
                                       log_integer("port", net_server_port(ops->server)),
                                       log_flag("commands", ops->http.token.text[0] != '\0')};
    bool open = !ops->http.loopback;
    log_write(ops->http.log, LOG_INFO, target, clock_now(ops->http.clock),
              open ? "health, metrics and dashboard, for every machine that reaches it"
                   : "health, metrics and dashboard, for this machine",
              fields, 3);
}

int ops_open(struct ops **out, const struct ops_options *options, struct error *error)
{
    const struct settings_global *settings = options->settings;
    *out = NULL;
    if (!settings->ops_enabled)
        return 0;
    struct ops *ops = calloc(1, sizeof *ops);
    if (!ops)
        return error_set(error, ERROR_SYSTEM, "no memory for the ops server");
    memcpy(ops->allow_origin, settings->ops_allow_origin.text, sizeof ops->allow_origin);
    ops->http.log = options->log;
    ops->http.clock = options->clock;
    ops->http.allow_origin = ops->allow_origin;
    ops->http.loopback = is_loopback(settings->ops_address.text);
    ops->http.stop = options->stop;
    ops->http.context = options->context;
    ops->http.started = clock_now(&clock_monotonic);
    ops_http_init(&ops->http);
    pthread_mutex_init(&ops->answering, NULL);
    pthread_mutex_init(&ops->attaching, NULL);
    int code = 0;
    if (options->token)
        snprintf(ops->http.token.text, sizeof ops->http.token.text, "%s", options->token);
    else
        code = ops_token_load(&ops->http.token, settings->ops_token_file.text, error);
    if (!code)
        code = listen_at(ops, settings, error);
    if (!code)
        code = start_thread(ops, error);
    if (code)
        ops_close(&ops);
    else
        tell_of_opening(ops, settings);
    *out = ops;
    return code;
}

unsigned ops_port(const struct ops *ops)
{
    return ops ? net_server_port(ops->server) : 0;
}

static void set_session(struct ops *ops, struct ops_collect *collect)
{
    pthread_mutex_lock(&ops->answering);
    ops->http.collect = collect;
    ops->http.view.ended = collect == NULL;
    ops->http.view.collect = NULL; /* what was copied of another is forgotten */
    ops->http.dashboard_made = 0;
    pthread_mutex_unlock(&ops->answering);
}

int ops_attach(struct ops *ops, const struct ops_session *session, struct error *error)
{
    if (!ops)
        return 0;
    struct ops_collect *collect;
    int code = ops_collect_open(&collect, session, error);
    if (code)
        return code;
    pthread_mutex_lock(&ops->attaching);
    ops->attached = collect;
    pthread_mutex_unlock(&ops->attaching);
    set_session(ops, collect);
    return 0;
}

struct sink *ops_sink(struct ops *ops)
{
    return ops && ops->attached ? &ops->attached->sink : NULL;
}

struct sink *ops_timed(struct ops *ops, struct sink *tape)
{
    return ops && ops->attached ? ops_collect_timed(ops->attached, tape) : tape;
}

void ops_stand_by(struct ops *ops, bool stands_by)
{
    if (ops)
        atomic_store(&ops->http.stands_by, stands_by);
}

void ops_drain(struct ops *ops)
{
    if (!ops)
        return;
    pthread_mutex_lock(&ops->attaching);
    if (ops->attached)
        ops_collect_drain(ops->attached);
    pthread_mutex_unlock(&ops->attaching);
}

void ops_detach(struct ops *ops)
{
    if (!ops)
        return;
    set_session(ops, NULL);
    pthread_mutex_lock(&ops->attaching);
    struct ops_collect *collect = ops->attached;
    ops->attached = NULL;
    pthread_mutex_unlock(&ops->attaching);
    ops_collect_close(&collect);
}

void ops_close(struct ops **out)
{
    struct ops *ops = *out;
    if (!ops)
        return;
    if (ops->running) {
        atomic_store(&ops->stopping, true);
        net_server_wake(ops->server);
        pthread_join(ops->thread, NULL);
    }
    net_server_close(&ops->server);
    ops_collect_close(&ops->attached);
    ops_http_free(&ops->http);
    pthread_mutex_destroy(&ops->answering);
    pthread_mutex_destroy(&ops->attaching);
    explicit_bzero(&ops->http.token, sizeof ops->http.token);
    free(ops);
    *out = NULL;
}
