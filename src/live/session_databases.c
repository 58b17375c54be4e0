/* See session_databases.h. */
#include "config.h"

#include "live/session_databases.h"

#include "base/time.h"
#include "live/session_parts.h"

/* What the database of a tape that has ended gets, beside the next tape's. */
#define STORE_ROTATE_NS (1 * NS_PER_SECOND)
/* What the last one gets behind the loop's end. */
#define STORE_CLOSE_NS (3 * NS_PER_SECOND)

/* That of the tape which is open. */
static int open_store(struct session *session, struct error *error)
{
    char path[ROTATION_PATH_BYTES];
    const char *base = session->options->database;
    if (base && rotation_path(base, session->tape_number, path, error))
        return error->code;
    const struct session_store_options options = {.path = base ? path : NULL,
                                                  .tape = session->tape_path,
                                                  .header = live_tape_header(session->tape),
                                                  .build_id = session->build_id,
                                                  .engine = &session->engine,
                                                  .fold = &session->fold,
                                                  .epoch = session->start.epoch,
                                                  .events_before = session->loop.events,
                                                  .feed = session->feed,
                                                  .healthy = &session->database_is_well,
                                                  .clock = &session->clock.clock,
                                                  .log = session->options->log};
    if (options.path)
        return session_store_open(&session->store, &options, error);
    if (session_has_engine(session) && session->venues.settings.global.database_required)
        return error_set(error, ERROR_INPUT,
                         "database.required: yes, but the session has no database; give one with "
                         "--db, or set it to no");
    return 0;
}

/* Nobody but who reads this makes it anew: that is work as long as its tape. */
static void tell_unfinished(struct session *session)
{
    char path[ROTATION_PATH_BYTES];
    struct error ignored;
    if (!session->options->database || session->tape_number <= 1 ||
        rotation_path(session->options->database, session->tape_number - 1, path, &ignored) != 0 ||
        !live_database_is_unfinished(path))
        return;
    const struct log_field field = log_text("file", path);
    session_log(session, LOG_WARN,
                "the database of the tape before was not finished: capstan project makes it anew",
                &field, 1);
}

int session_databases_open(struct session *session, struct error *error)
{
    tell_unfinished(session);
    return open_store(session, error);
}

static void close_store(struct session *session, struct session_store **store)
{
    if (session_store_close(store))
        return;
    session_log(session, LOG_ERROR, "the thread of a database hangs, and is left to itself", NULL,
                0);
    session_store_leave(&session->left_stores, store);
}

/* It ends by itself, while orders rest. Where even the one before has not (tapes of seconds), that is waited for: no more
 * than two threads write. */
static void end_store(struct session *session)
{
    bool healthy = session_store_health(session->store).healthy;
    close_store(session, &session->ending_store);
    session_store_end(session->store, &session->loop, healthy ? STORE_ROTATE_NS : 0);
    session->ending_store = session->store;
    session->store = NULL;
}

int session_databases_rotate(struct session *session, struct error *error)
{
    if (!session->options->database)
        return 0;
    if (session->store)
        end_store(session);
    session->fold = (struct fold){.first_start = INT64_MIN, .last_start = INT64_MIN};
    int code = open_store(session, error);
    if (code && !session->venues.settings.global.database_required) {
        session_log(session, LOG_ERROR, error->text, NULL, 0);
        atomic_store(&session->database_is_well, false); /* the next tape's may be */
        error->code = code = ERROR_NONE;
    }
    watch_set_store(session->watch, session->store);
    return code;
}

void session_databases_close(struct session *session)
{
    if (session->store)
        session_store_end(session->store, &session->loop, STORE_CLOSE_NS);
    close_store(session, &session->store);
    close_store(session, &session->ending_store);
    session_store_close_left(&session->left_stores);
}

enum ops_check session_databases_check(const struct session *session)
{
    if (!session->options->database)
        return OPS_CHECK_NONE;
    return atomic_load(&session->database_is_well) ? OPS_CHECK_WELL : OPS_CHECK_FAILED;
}
