/* Rows of the run database: what replay's one transaction and a live session's many write alike. */
#ifndef CAPSTAN_STORE_ROWS_H
#define CAPSTAN_STORE_ROWS_H

#include <sqlite3.h>

#include "store/spool.h"
#include "store/store.h"

/* The statements. X(name, SQL) */
#define STORE_STATEMENTS(X)                                                                        \
    X(run, "INSERT OR REPLACE INTO run VALUES (1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")        \
    X(instrument, "INSERT INTO instrument VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")             \
    X(order, "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                            \
    X(order_event, "INSERT INTO order_event VALUES (?,?,?,?,?,?)")                                 \
    X(fill, "INSERT INTO fill VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                           \
    X(fill_mid, "INSERT OR IGNORE INTO fill_mid SELECT id, ?3, ?4 FROM fill WHERE order_id = ?1"   \
                " AND trade = ?2 ORDER BY id DESC LIMIT 1")                                        \
    X(gate_block, "INSERT INTO gate_block VALUES (?,?,?) ON CONFLICT DO UPDATE SET"                \
                  " blocked = blocked + excluded.blocked")                                         \
    X(position, "INSERT INTO position VALUES (?,?,?,?,?,?,?,?,?,?,?)")                             \
    X(balance, "INSERT OR REPLACE INTO balance VALUES (?,?,?)")

enum store_statement {
#define X(name, sql) STORE_##name,
    STORE_STATEMENTS(X)
#undef X
        STORE_STATEMENT_COUNT
};

struct store {
    sqlite3 *database;
    sqlite3_stmt *statements[STORE_STATEMENT_COUNT];
    const struct event_names *names;
    const struct store_provenance *provenance;
    sqlite3_stmt *row; /* the one being bound */
    int column;        /* last bound, from 1 */
    bool failed;       /* a bind of this row failed */
    int64_t events, positions;
    const char *path;
};

/* SQLite's words, with the path. Returns ERROR_SYSTEM. */
int store_fail(const struct store *store, struct error *error);
/* Make the tables of an empty database; prepare the statements of one that has them. */
int store_make(struct store *store, struct error *error);
int store_prepare(struct store *store, struct error *error);
/* Finalize and close; SQLite's code. */
int store_shut(struct store *store);

int store_put_run(struct store *store, int64_t first_ns, int64_t last_ns, struct error *error);
int store_put_instruments(struct store *store, struct error *error);
/* A record of a spool. `events` and `positions` of the store count on. */
int store_put_entry(struct store *store, const struct spool_entry *entry, struct error *error);

#endif
