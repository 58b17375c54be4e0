/* What one live session consists of. Its parts share this, and nobody else includes it:
 *
 *   session.c            the whole of it, from the first look at the venues to the last word
 *   session_lease.h      waits for the account
 *   session_open.h       venues, tape, engine and what stands between them
 *   session_ops.h        its ops server
 *   session_databases.h  one a tape
 *   session_run.h        messages, tape after tape
 *   session_orders.h     the orders that its end may leave
 *   ending.h             who asks for the end; it knows nothing of the rest */
#ifndef CAPSTAN_LIVE_SESSION_PARTS_H
#define CAPSTAN_LIVE_SESSION_PARTS_H

#include "base/build_id.h"
#include "clock/clock.h"
#include "live/ending.h"
#include "live/heartbeat.h"
#include "live/lease.h"
#include "live/live_venue.h"
#include "live/names.h"
#include "live/paper.h"
#include "live/raw.h"
#include "live/rotator.h"
#include "live/session.h"
#include "live/session_store.h"
#include "live/unconfirmed.h"
#include "live/venues.h"
#include "live/watch.h"
#include "live/written_feed.h"
#include "ops/ops.h"
#include "run/live_tape.h"
#include "run/run_engine.h"

/* In the order in which it is opened. */
struct session {
    const struct session_options *options;
    struct session_clock clock;
    struct waker waker;
    struct ending ending;
    struct ops *ops; /* NULL: ops.enabled is no */
    struct lease lease;
    struct raw *raw;
    struct live_venues venues;
    struct live_names found;
    char *config_text;
    const struct event_names *names; /* the tape's */
    struct run_engine engine;
    char build_id[BUILD_ID_TEXT_MAX];
    char tape_path[ROTATION_PATH_BYTES]; /* of the chain's tape that is open */
    _Atomic uint64_t tape_number;
    struct live_tape *tape;
    struct rotator rotator;
    struct event_start start;
    struct heartbeat *heartbeat;
    struct live_feed *feed;
    struct written_feed written;
    struct live_venue venue;
    struct paper *paper;
    struct fold fold;
    struct session_store *store;        /* NULL: no database */
    struct session_store *ending_store; /* that of the tape before, until it is looked at again */
    struct session_store *left_stores;  /* of tapes whose database's thread hung then */
    atomic_bool database_is_well;
    struct watch *watch;
    struct unconfirmed *unconfirmed;
    bool swept_clean; /* without the engine, and each venue shows no order of ours */
    struct loop loop;
};

/* Where a session's log lines come from. */
#define SESSION_TARGET "capstan.live"
/* A log line at the session's time; any thread. */
#define session_log(session, level, text, fields, count)                                           \
    log_write((session)->options->log, level, SESSION_TARGET, clock_now(&(session)->clock.clock),  \
              text, fields, count)

/* `record` has none. */
static inline bool session_has_engine(const struct session *session)
{
    return session->options->mode != SESSION_RECORD;
}

#endif
