/* The spool: what of a run goes to the run database, taken down as canonical bytes while the loop runs
 * and read back after it, so that the loop never waits for SQLite. */
#ifndef CAPSTAN_STORE_SPOOL_H
#define CAPSTAN_STORE_SPOOL_H

#include "base/time.h"
#include "loop.h"

/* What an entry of the spool is: a message of the run, a position and why it stands there, a mid. */
enum spool_what { SPOOL_MESSAGE, SPOOL_FILL, SPOOL_SAMPLE, SPOOL_MID };

/* The mid of a fill's book at the fill's time at the venue and a horizon more (trading-semantics 33). */
struct spool_mid {
    uint64_t
        fill; /* which message of the run the fill was, as spool_is_order_event counts, from 1 */
    int64_t horizon_ns; /* one of SPOOL_HORIZONS */
    int64_t mid2;       /* twice the mid, price units */
};

/* Horizons at which mids are taken, ns: 0 is the time of the fill itself. */
#define SPOOL_HORIZONS(X)                                                                          \
    X(0)                                                                                           \
    X(NS_PER_SECOND / 10)                                                                          \
    X(NS_PER_SECOND)                                                                               \
    X(10 * NS_PER_SECOND)                                                                          \
    X(60 * NS_PER_SECOND)

/* One entry read back. */
struct spool_entry {
    enum spool_what what;
    struct message message;    /* all but SPOOL_MID; a position is a final_position record */
    union event_record record; /* what `message` points to */
    struct spool_mid mid;      /* SPOOL_MID */
};

struct spool;

/* A spool in an unnamed temporary file. Positions are taken after each fill, and of all instruments
 * each `sample_ns` (aligned to whole multiples since 1970) as they stand just before that time. */
int spool_open(struct spool **spool, unsigned instrument_count, int64_t sample_ns,
               struct error *error);
void spool_close(struct spool **spool);
/* The engine that the loop steps; before it runs. */
void spool_set_engine(struct spool *spool, struct engine *engine);
struct sink *spool_sink(struct spool *spool);
/* ts_local of the engine's start and of the last message that passed; false where it did not start. */
bool spool_span(const struct spool *spool, int64_t *first_ns, int64_t *last_ns);

/* How often a gate blocked an instrument in the whole run. While the engine lives. */
uint64_t spool_gate_blocked(const struct spool *spool, unsigned instrument, enum gate gate);

/* Whether a message of that kind is one of the order events that the database numbers. */
bool spool_is_order_event(unsigned kind);
/* Read from the beginning; then each call gives the next entry, or sets *end. `entry` must stay where it is
 * while its message is used. */
int spool_rewind(struct spool *spool, struct error *error);
int spool_next(struct spool *spool, struct spool_entry *entry, bool *end, struct error *error);

#endif
