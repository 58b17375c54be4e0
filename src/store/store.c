/* Writes a spool to SQLite: one transaction, prepared statements, a new file renamed when whole. */
#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/rows.h"

enum { STORE_PATH_MAX = 4096 };

static int write_rows(struct store *store, struct spool *spool, struct error *error)
{
    struct spool_entry entry;
    int64_t first_ns, last_ns;
    bool end = false;
    if (store_put_instruments(store, error) || spool_rewind(spool, error))
        return error->code;
    while (!spool_next(spool, &entry, &end, error) && !end)
        if (store_put_entry(store, &entry, error))
            return error->code;
    if (!end)
        return error->code;
    spool_span(spool, &first_ns, &last_ns);
    return store_put_run(store, first_ns, last_ns, error);
}

static int open_database(struct store *store, const char *path, struct error *error)
{
    if (sqlite3_open_v2(path, &store->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(store->database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;", NULL,
                     NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(store->database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(store, error);
    int code = store_make(store, error);
    return code ? code : store_prepare(store, error);
}

static int write_database(struct store *store, const char *path, struct spool *spool,
                          struct error *error)
{
    int code = open_database(store, path, error);
    if (!code)
        code = write_rows(store, spool, error);
    if (!code && sqlite3_exec(store->database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        code = store_fail(store, error);
    if (store_shut(store) != SQLITE_OK && !code)
        code = error_set(error, ERROR_SYSTEM, "%s: cannot be closed", store->path);
    return code;
}

int store_write(const char *path, struct spool *spool, const struct store_provenance *provenance,
                struct error *error)
{
    char unfinished[STORE_PATH_MAX];
    struct store store = {
        .names = &provenance->header->names, .provenance = provenance, .path = path};
    int length = snprintf(unfinished, sizeof unfinished, "%s.unfinished-%ld", path, (long)getpid());
    if (length < 0 || length >= (int)sizeof unfinished)
        return error_set(error, ERROR_INPUT, "%s: path too long", path);
    if (unlink(unfinished) != 0 && errno != ENOENT)
        return error_set(error, ERROR_SYSTEM, "%s: %s", unfinished, strerror(errno));
    int code = write_database(&store, unfinished, spool, error);
    if (!code && rename(unfinished, path) != 0)
        code = error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    if (code)
        unlink(unfinished);
    return code;
}
