/* The ops server: health, metrics, control and the dashboard, over HTTP on a thread of its own. It reads
 * what the loop's thread publishes and never makes it wait. (docs/operate.md)
 *
 *   ops_open      listens at once: alive, not ready
 *   ops_stand_by  waits for the account's lease: /health/ready says yes, for nothing is missing here
 *   ops_attach    there is a session: names, engine, a sink for the loop
 *   ops_drain     a shutdown has begun: not ready any more
 *   ops_detach    engine and names are about to go
 *   ops_close */
#ifndef CAPSTAN_OPS_OPS_H
#define CAPSTAN_OPS_OPS_H

#include "base/log.h"
#include "clock/clock.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "loop.h"

struct ops;

struct ops_options {
    /* Settings ops.…; copied. With ops.enabled off ops_open makes nothing, and `*ops` is NULL, which every
     * function here takes. */
    const struct settings_global *settings;
    const struct log *log;
    const struct clock *clock; /* of log lines */
    const char *token;         /* that commands need; NULL: that of ops.token_file */
    /* POST /api/command/shutdown, from the server's thread; NULL: not possible. */
    void (*stop)(void *context);
    void *context;
};

/* What a venue's health page knows. */
struct ops_venue_health {
    bool market;    /* its market data is whole */
    bool account;   /* its stream of our own orders stands, or none is wanted */
    size_t waiting; /* bytes that wait for the loop */
    /* Last sign of life of what tells this, by the session's clock; older than 5 s, it is not believed. */
    int64_t alive; /* 0: not told */
};

enum ops_check { OPS_CHECK_NONE, OPS_CHECK_FAILED, OPS_CHECK_WELL };

/* How a replay that is watched goes on. */
enum ops_playback_command {
    OPS_PLAYBACK_PAUSE,
    OPS_PLAYBACK_RESUME,
    OPS_PLAYBACK_STEP, /* pause behind so many more messages of the market */
    OPS_PLAYBACK_SPEED /* 1/1,000 of the tape's own speed; 0: as fast as it can */
};
struct ops_playback {
    bool paused, ended;
    int64_t speed; /* as OPS_PLAYBACK_SPEED */
};
/* The bounds of a speed that is not 0, and of a step. */
#define OPS_SPEED_LEAST INT64_C(1)
#define OPS_SPEED_MOST  INT64_C(1000000000)
#define OPS_STEP_MOST   INT64_C(1000000)

/* A session to show. What it points to must outlive ops_detach. Callbacks come from the server's thread and
 * must not wait; each may be NULL. */
enum { OPS_PATH_BYTES = 4096 };

struct ops_session {
    const char *mode; /* "live", "paper", "record", "replay" */
    const char *tape; /* the path of its first */
    /* Any thread: the path of the tape that is open; NULL: there is but one. */
    void (*open_tape)(void *context, char path[OPS_PATH_BYTES]);
    uint64_t epoch;        /* until a start tells another */
    struct engine *engine; /* the one that the loop steps; NULL: none (record) */
    const struct event_names *names;
    size_t orders_capacity;    /* setting orders.capacity */
    const struct clock *clock; /* that goes with ts_local */
    bool live; /* ts_local is stamped by that clock now: lags and delays are measured */
    /* How long the message that the loop was given last had waited, ns; on the loop's thread. */
    const int64_t *waited;
    const _Atomic int64_t *alive; /* last sign of life of the loop, by that clock */
    /* An operator's command for the engine; false: too many wait already. */
    bool (*post)(void *context, unsigned kind, const union event_record *record);
    /* NULL: what feed_connection records say counts. */
    void (*venue_health)(void *context, unsigned venue, struct ops_venue_health *health);
    enum ops_check (*database)(void *context);
    /* A replay's pace; both or neither. */
    void (*playback)(void *context, enum ops_playback_command command, int64_t value);
    void (*playback_state)(void *context, struct ops_playback *playback);
    void *context;
};

/* Listen and begin the thread. ERROR_INPUT: the address is none, the token's file can't be used; ERROR_SYSTEM:
 * the port is taken, no memory. */
int ops_open(struct ops **ops, const struct ops_options *options, struct error *error);
/* The port it listens on. */
unsigned ops_port(const struct ops *ops);
/* Any thread: whether the session waits for the lease of another one. */
void ops_stand_by(struct ops *ops, bool stands_by);
/* Once, before the loop runs. ERROR_SYSTEM: no memory. */
int ops_attach(struct ops *ops, const struct ops_session *session, struct error *error);
/* For the loop, as its last one; NULL where there is no server. */
struct sink *ops_sink(struct ops *ops);
/* A sink for the tape's place that passes all on to it and takes its time; `tape` itself without a server. */
struct sink *ops_timed(struct ops *ops, struct sink *tape);
/* Any thread: from now on /readyz and /health/ready say no. */
void ops_drain(struct ops *ops);
/* Not while the loop runs. Waits until no answer is being made of the session. Metrics are empty from then on. */
void ops_detach(struct ops *ops);
/* Ends connections and the thread. */
void ops_close(struct ops **ops);

#endif
