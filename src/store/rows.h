/* Rows of the run database: what replay's one transaction and a live session's many write alike. */
#ifndef CAPSTAN_STORE_ROWS_H
#define CAPSTAN_STORE_ROWS_H

#include <sqlite3.h>

#include "store/spool.h"
#include "store/store.h"

/* The statements. X(name, SQL) */
#define STORE_STATEMENTS(X)                                                                        \
    X(run, "INSERT OR REPLACE INTO run VALUES (1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")  \
    X(instrument, "INSERT INTO instrument VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")             \
    X(order, "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,NULL)")                \
    /* A fill that comes behind the end of what it leaves makes no order filled. */                \
    X(ended, "UPDATE orders SET ended = ?2, ended_ns = ?3 WHERE id = ?1 AND NOT (?2 = 'filled'"    \
             " AND coalesce((SELECT left_units FROM spell WHERE order_id = ?1 ORDER BY id DESC"    \
             " LIMIT 1), 0) > 0 AND EXISTS (SELECT 1 FROM order_event WHERE order_id = ?1"         \
             " AND kind IN ('order_cancelled', 'order_expired')))")                                \
    X(modify, "INSERT INTO modify VALUES (?,?,?,?,?,?,?,?,?,?,?,NULL)")                            \
    X(find_modify,                                                                                 \
      "SELECT * FROM (SELECT id, level, distance_millitick, price_units, leaves_units,"            \
      " answered_ns FROM modify WHERE order_id = ? ORDER BY id DESC LIMIT 1)"                      \
      " WHERE answered_ns IS NULL")                                                                \
    X(answer_modify, "UPDATE modify SET answered_ns = ?2 WHERE id = ?1")                           \
    X(first_spell, "INSERT INTO spell SELECT NULL, ?1, id, level, distance_millitick,"             \
                   " quantity_units, 0, quantity_units, NULL FROM orders WHERE id = ?2"            \
                   " AND NOT EXISTS (SELECT 1 FROM spell WHERE order_id = ?2)")                    \
    X(spell, "INSERT INTO spell VALUES (NULL,?1,?2,?3,?4,?5,0,?5,NULL)")                           \
    X(find_spell, "SELECT id, level, left_units FROM spell WHERE order_id = ? ORDER BY id DESC"    \
                  " LIMIT 1")                                                                      \
    X(rest_spell,                                                                                  \
      "UPDATE spell SET rested_units = max(rested_units, filled_units + ?2), left_units = ?2"      \
      " WHERE id = ?1")                                                                            \
    X(fill_spell, "UPDATE spell SET filled_units = filled_units + ?2,"                             \
                  " rested_units = max(rested_units, filled_units + ?2),"                          \
                  " left_units = max(left_units - ?2, 0) WHERE id = ?1")                           \
    X(end_spell, "UPDATE spell SET ended_ns = ?2 WHERE order_id = ?1 AND ended_ns IS NULL")        \
    X(order_event, "INSERT INTO order_event VALUES (?,?,?,?,?,?)")                                 \
    X(fill, "INSERT INTO fill VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                         \
    X(fill_mid, "INSERT OR IGNORE INTO fill_mid SELECT id, ?3, ?4 FROM fill WHERE order_id = ?1"   \
                " AND trade = ?2 ORDER BY id DESC LIMIT 1")                                        \
    X(gate_block, "INSERT INTO gate_block VALUES (?,?,?) ON CONFLICT DO UPDATE SET"                \
                  " blocked = blocked + excluded.blocked")                                         \
    X(begin_gate, "INSERT INTO gate_interval SELECT NULL,?1,?2,?3,NULL WHERE NOT EXISTS"           \
                  " (SELECT 1 FROM gate_interval WHERE instrument = ?1 AND gate = ?2"              \
                  " AND until_ns IS NULL)")                                                        \
    X(end_gate, "UPDATE gate_interval SET until_ns = ?3 WHERE instrument = ?1 AND gate = ?2"       \
                " AND until_ns IS NULL")                                                           \
    X(begin_breaker, "INSERT INTO breaker_interval SELECT NULL,?1,?2,?3,?4,NULL WHERE NOT EXISTS"  \
                     " (SELECT 1 FROM breaker_interval WHERE instrument = ?1 AND breaker = ?2"     \
                     " AND until_ns IS NULL)")                                                     \
    X(end_breaker, "UPDATE breaker_interval SET until_ns = ?3 WHERE instrument = ?1"               \
                   " AND breaker = ?2 AND until_ns IS NULL")                                       \
    X(position, "INSERT INTO position VALUES (?,?,?,?,?,?,?,?,?,?,?)")                             \
    X(last_position, "SELECT coalesce(max(id), 0) FROM position WHERE id <= ?")                    \
    X(drop_last_positions, "DELETE FROM position WHERE why = 'final'")                             \
    X(balance, "INSERT OR REPLACE INTO balance VALUES (?,?,?)")                                    \
    X(drop_balances, "DELETE FROM balance")

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
