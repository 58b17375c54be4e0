/* See live_database.h. */
#include "config.h"

#include "store/live_database.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"

enum { ATTEMPTS = 3, SQL_MAX = 256, PATH_BYTES_MAX = 4096 };
/* Steps of SQLite's machine between two looks at the clock; rows between two. */
enum { LOOK_STEPS = 2000, LOOK_ROWS = 64 };
#define BETWEEN_ATTEMPTS_NS (10 * NS_PER_MS)

static const char progress_schema[] = "CREATE TABLE progress ("
                                      "  id INTEGER PRIMARY KEY CHECK (id = 1),"
                                      "  epoch INTEGER NOT NULL," /* 0: of the sessions before */
                                      "  start_ns INTEGER NOT NULL,"
                                      "  applied INTEGER NOT NULL,"
                                      "  closed INTEGER NOT NULL CHECK (closed IN (0, 1))"
                                      ") STRICT;";

/* What `progress` and `run` say. */
struct found {
    bool empty;       /* there is no table at all */
    bool ours;        /* a live session's database */
    int64_t version;  /* of its tables */
    int64_t first_ns; /* of its tape's first session */
    int64_t epoch, start_ns, applied, closed;
};

/* --- reading what is there ------------------------------------------------------------------------ */

/* One row of integers; false where there is none. */
static int read_row(sqlite3 *database, const char *sql, int64_t *values, int count, bool *any)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *any = code == SQLITE_ROW;
    for (int i = 0; *any && i < count; i++)
        values[i] = sqlite3_column_int64(statement, i);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int find(sqlite3 *database, struct found *found)
{
    int64_t tables[2] = {0}, id = 0, progress[4] = {0};
    bool any;
    *found = (struct found){0};
    int code = read_row(database,
                        "SELECT count(*), coalesce(sum(name IN ('progress', 'run')), 0) FROM "
                        "sqlite_master",
                        tables, 2, &any);
    if (code == SQLITE_OK)
        code = read_row(database, "PRAGMA application_id", &id, 1, &any);
    if (code != SQLITE_OK)
        return code;
    found->empty = tables[0] == 0 && id == 0;
    if (id != STORE_APPLICATION_ID || tables[1] != 2)
        return SQLITE_OK;
    code = read_row(database, "PRAGMA user_version", &found->version, 1, &any);
    if (code != SQLITE_OK)
        return code;
    code = read_row(database, "SELECT epoch, start_ns, applied, closed FROM progress", progress, 4,
                    &any);
    if (code != SQLITE_OK || !any)
        return code;
    found->epoch = progress[0];
    found->start_ns = progress[1];
    found->applied = progress[2];
    found->closed = progress[3];
    code = read_row(database, "SELECT first_ns FROM run", &found->first_ns, 1, &found->ours);
    return code;
}

static int another(const char *path, struct error *error)
{
    return error_set(error, ERROR_INPUT,
                     "%s: holds something else than this tape's database; move it away or give "
                     "another name",
                     path);
}

static void read_grade(sqlite3 *database, struct live_database_grade *out)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, "SELECT run_grade, run_grade_reasons FROM run", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        const char *letter = (const char *)sqlite3_column_text(statement, 0);
        const char *reasons = (const char *)sqlite3_column_text(statement, 1);
        for (unsigned grade = 0; letter && reasons && grade < TAPE_GRADE_COUNT; grade++)
            if (strcmp(letter, tape_grade_letter((enum tape_grade)grade)) == 0)
                *out = (struct live_database_grade){(uint8_t)grade, strdup(reasons)};
    }
    sqlite3_finalize(statement);
}

int live_database_look(const char *path, int64_t first_start, struct live_database_grade *grade,
                       struct error *error)
{
    sqlite3 *database = NULL;
    struct found found = {0};
    struct stat status;
    *grade = (struct live_database_grade){.reasons = NULL};
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(error, ERROR_INPUT, "%s: is a folder; expected a database's name", path);
    int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(database, 100);
        code = find(database, &found);
        if (code == SQLITE_OK && found.ours && found.closed && found.version == STORE_VERSION)
            read_grade(database, grade);
    }
    sqlite3_close(database);
    if (code == SQLITE_NOTADB)
        return another(path, error);
    if (code != SQLITE_OK || found.empty)
        return 0;
    return found.ours && found.first_ns == first_start ? 0 : another(path, error);
}

bool live_database_is_unfinished(const char *path)
{
    sqlite3 *database = NULL;
    struct found found = {0};
    int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(database, 100);
        sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        code = find(database, &found);
    }
    sqlite3_close(database);
    /* A transaction that a death left can't be taken back by a reader. A file that it left without a table is none yet. */
    return code == SQLITE_READONLY ||
           (code == SQLITE_OK && (found.empty || (found.ours && !found.closed)));
}

/* --- opening -------------------------------------------------------------------------------------- */

static int64_t now_of(const struct live_database *database)
{
    return clock_now(database->options.clock);
}

static int is_late(void *context)
{
    const struct live_database *database = context;
    return now_of(database) >= database->deadline;
}

static int execute(struct live_database *database, const char *sql, struct error *error)
{
    return sqlite3_exec(database->store.database, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : store_fail(&database->store, error);
}

static int note_progress(struct live_database *database, struct error *error)
{
    char sql[SQL_MAX];
    const struct live_database_session *session = &database->session;
    snprintf(sql, sizeof sql,
             "INSERT OR REPLACE INTO progress VALUES (1, %" PRIu64 ", %" PRId64 ", %" PRIu64
             ", %d)",
             database->in_history ? 0 : session->epoch, session->start, database->applied,
             database->closed);
    return execute(database, sql, error);
}

static int64_t first_start(const struct live_database *database)
{
    return database->session.epoch_before ? database->session.first_start : database->session.start;
}

static int make(struct live_database *database, struct error *error)
{
    struct store *store = &database->store;
    database->in_history = database->session.epoch_before != 0;
    database->applied = 0;
    store->events = store->positions = 0;
    int code = execute(database, "BEGIN IMMEDIATE", error);
    if (!code)
        code = store_make(store, error);
    if (!code)
        code = execute(database, progress_schema, error);
    if (!code)
        code = store_prepare(store, error);
    if (!code)
        code = store_put_instruments(store, error);
    if (!code)
        code = store_put_run(store, first_start(database), database->session.start, error);
    if (!code)
        code = note_progress(database, error);
    return code ? code : execute(database, "COMMIT", error);
}

/* Where to go on; false: it can't be gone on with, and is to be made anew. */
static bool place(struct live_database *database, const struct found *found)
{
    const struct live_database_session *session = &database->session;
    bool this_process = found->start_ns == session->start;
    database->in_history = false;
    database->applied = (uint64_t)found->applied;
    if (found->version != STORE_VERSION)
        return false;
    if (this_process && found->epoch == (int64_t)session->epoch)
        return true;
    if (this_process && found->epoch == 0 && (database->history_made || found->applied == 0)) {
        database->in_history = true;
        return true;
    }
    database->applied = 0;
    return session->epoch_before != 0 && found->epoch == (int64_t)session->epoch_before &&
           found->start_ns == session->last_start && found->closed;
}

/* The last words of the session before are none any more: the run goes on. */
static int drop_last_words(struct live_database *database, struct error *error)
{
    return execute(
        database,
        "BEGIN IMMEDIATE; DELETE FROM position WHERE why = 'final'; DELETE FROM balance; "
        "COMMIT",
        error);
}

static int go_on(struct live_database *database, bool is_next, struct error *error)
{
    int64_t last[2] = {0};
    bool any;
    if (is_next && drop_last_words(database, error))
        return error->code;
    if (read_row(database->store.database,
                 "SELECT (SELECT coalesce(max(id), 0) FROM order_event),"
                 "       (SELECT coalesce(max(id), 0) FROM position)",
                 last, 2, &any) != SQLITE_OK)
        return store_fail(&database->store, error);
    database->store.events = last[0];
    database->store.positions = last[1];
    return store_prepare(&database->store, error);
}

static int open_file(struct live_database *database, struct error *error)
{
    const char *path = database->options.path;
    struct store *store = &database->store;
    struct stat status;
    *store = (struct store){.names = &database->options.provenance->header->names,
                            .provenance = database->options.provenance,
                            .path = path};
    if (sqlite3_open_v2(path, &store->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return store_fail(store, error);
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    database->device = status.st_dev;
    database->inode = status.st_ino;
    sqlite3_progress_handler(store->database, LOOK_STEPS, is_late, database);
    return 0;
}

static void set_wait(struct live_database *database, int attempts_left)
{
    int64_t left = database->deadline - now_of(database);
    int wait = left > 0 ? (int)(left / attempts_left / NS_PER_MS) : 0;
    sqlite3_busy_timeout(database->store.database, wait);
}

static int remake(struct live_database *database, int attempts_left, struct error *error)
{
    char journal[PATH_BYTES_MAX];
    const char *path = database->options.path;
    live_database_shut(database);
    snprintf(journal, sizeof journal, "%s-journal", path);
    if (unlink(path) != 0 || (unlink(journal) != 0 && errno != ENOENT))
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    database->remade++;
    int code = open_file(database, error);
    if (code)
        return code;
    set_wait(database, attempts_left);
    return make(database, error);
}

static int open_database(struct live_database *database, int attempts_left, struct error *error)
{
    struct found found;
    int code = open_file(database, error);
    if (code)
        return code;
    set_wait(database, attempts_left);
    if (find(database->store.database, &found) != SQLITE_OK)
        return store_fail(&database->store, error);
    if (found.empty)
        return make(database, error);
    if (!found.ours || found.first_ns != first_start(database))
        return another(database->options.path, error);
    bool is_next = found.epoch != 0 && found.epoch == (int64_t)database->session.epoch_before;
    return place(database, &found) ? go_on(database, is_next, error)
                                   : remake(database, attempts_left, error);
}

/* A file that was moved or removed can be written to: nobody would ever read it. */
static int check_place(const struct live_database *database, struct error *error)
{
    struct stat status;
    const char *path = database->options.path;
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    if (status.st_dev != database->device || status.st_ino != database->inode)
        return error_set(error, ERROR_SYSTEM, "%s: another file stands there now", path);
    return 0;
}

/* --- writing -------------------------------------------------------------------------------------- */

static int make_history(struct live_database *database, struct error *error)
{
    if (!database->in_history || database->history_made)
        return 0;
    int code = database->options.history(database->options.context, &database->history, error);
    database->history_made = !code;
    /* It takes as long as the tape is; the call begins after it. */
    database->deadline = now_of(database) + database->options.call_timeout_ns;
    return code;
}

/* Rows until half of the time is over: the other half is the commit's. */
static int put_rows(struct live_database *database, struct record_file *records,
                    struct error *error)
{
    const int64_t until = database->deadline - database->options.call_timeout_ns / 2;
    struct spool_entry entry;
    const uint8_t *bytes;
    int code = record_file_seek(records, database->applied, error);
    for (uint64_t row = 1; !code; row++) {
        code = record_file_next(records, &bytes, error);
        if (code || !bytes)
            break;
        code = spool_decode(bytes, &entry, error);
        if (!code)
            code = store_put_entry(&database->store, &entry, error);
        database->applied += !code;
        if (row % LOOK_ROWS == 0 && now_of(database) >= until)
            break;
    }
    return code;
}

static int write_rows(struct live_database *database, struct record_file *records,
                      struct error *error)
{
    int code = make_history(database, error);
    if (!code)
        code = execute(database, "BEGIN IMMEDIATE", error);
    if (!code && database->in_history) {
        code = put_rows(database, &database->history, error);
        if (!code && database->applied == database->history.count) {
            database->in_history = false;
            database->applied = 0;
        }
    } else if (!code) {
        code = put_rows(database, records, error);
    }
    if (!code)
        code = note_progress(database, error);
    return code ? code : execute(database, "COMMIT", error);
}

/* A database that SQLite finds damaged is put aside: the next call makes a new one. */
static void put_aside(const struct live_database *database)
{
    char aside[PATH_BYTES_MAX];
    const char *path = database->options.path;
    int length = snprintf(aside, sizeof aside, "%s.damaged", path);
    if (length > 0 && length < (int)sizeof aside)
        (void)rename(path, aside); /* where that fails the calls go on failing, and say so */
}

static int attempt(struct live_database *database, struct record_file *records, int attempts_left,
                   struct error *error)
{
    int code = 0;
    if (!database->store.database)
        code = open_database(database, attempts_left, error);
    else
        set_wait(database, attempts_left);
    if (!code)
        code = check_place(database, error);
    if (!code)
        code = write_rows(database, records, error);
    if (!code)
        return 0;
    bool damaged = sqlite3_errcode(database->store.database) == SQLITE_CORRUPT;
    live_database_shut(database); /* what of it is half done is rolled back */
    if (damaged)
        put_aside(database);
    return code;
}

int live_database_call(struct live_database *database, struct record_file *records,
                       struct error *error)
{
    const struct timespec pause = {.tv_nsec = BETWEEN_ATTEMPTS_NS};
    int code = ERROR_SYSTEM;
    database->deadline = now_of(database) + database->options.call_timeout_ns;
    for (int left = ATTEMPTS; code && left > 0; left--) {
        if (left < ATTEMPTS)
            nanosleep(&pause, NULL);
        if (left < ATTEMPTS && now_of(database) >= database->deadline)
            break;
        code = attempt(database, records, left, error);
    }
    return code;
}

uint64_t live_database_behind(const struct live_database *database,
                              const struct record_file *records)
{
    return database->in_history ? database->history.count - database->applied + records->count
                                : records->count - database->applied;
}

int live_database_finish(struct live_database *database, const struct store_provenance *provenance,
                         int64_t last_ns, struct error *error)
{
    int code = 0;
    database->deadline = now_of(database) + database->options.call_timeout_ns;
    if (!database->store.database)
        code = open_database(database, 1, error);
    else
        set_wait(database, 1);
    if (!code)
        code = check_place(database, error);
    database->closed = true;
    database->store.provenance = provenance;
    if (!code)
        code = execute(database, "BEGIN IMMEDIATE", error);
    if (!code)
        code = store_put_run(&database->store, first_start(database), last_ns, error);
    if (!code)
        code = note_progress(database, error);
    if (!code)
        code = execute(database, "COMMIT", error);
    live_database_shut(database);
    return code;
}

void live_database_init(struct live_database *database, const struct live_database_options *options,
                        const struct live_database_session *session)
{
    *database = (struct live_database){
        .options = *options, .session = *session, .history = {.descriptor = -1}};
    database->in_history = session->epoch_before != 0;
}

void live_database_shut(struct live_database *database)
{
    if (database->store.database)
        (void)store_shut(&database->store);
}

void live_database_close(struct live_database *database)
{
    live_database_shut(database);
    record_file_close(&database->history);
}
