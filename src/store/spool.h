/* The spool: what of a run goes to the run database, taken down as canonical bytes while the loop runs
 * and read back after it, so that the loop never waits for SQLite. */
#ifndef CAPSTAN_STORE_SPOOL_H
#define CAPSTAN_STORE_SPOOL_H

#include "base/time.h"
#include "loop.h"

/* What a record of the spool is: a message of the run, a position and why it stands there, the mid of a fill,
 * what a gate blocked in a spell that is over or in a session that is, or a breaker that had tripped or a gate that blocked
 * when one began or went on; or that another session begins on the same tape, or this one goes on there, so that last words
 * before it are none; a position as the run began with it; or that an order has ended. */
enum spool_what {
    SPOOL_MESSAGE,
    SPOOL_FILL,
    SPOOL_SAMPLE,
    SPOOL_MID,
    SPOOL_GATE,
    SPOOL_BREAKER,
    SPOOL_GATE_HELD,
    SPOOL_GOES_ON,
    SPOOL_START,
    SPOOL_ENDED
};

/* The engine's mid just before a fill, or at the fill's time at the venue and a horizon more (store/mids.h). */
struct spool_mid {
    order_id order; /* of the fill, with its trade */
    struct venue_id trade;
    int64_t horizon_ns; /* one of SPOOL_HORIZONS */
    int64_t mid2;       /* twice the mid, price units */
};

/* Horizons at which mids are taken, ns: 0 is just before the fill. */
#define SPOOL_HORIZONS(X)                                                                          \
    X(0)                                                                                           \
    X(NS_PER_SECOND / 10)                                                                          \
    X(NS_PER_SECOND)                                                                               \
    X(10 * NS_PER_SECOND)                                                                          \
    X(60 * NS_PER_SECOND)

struct spool_gate {
    uint16_t instrument;
    uint8_t gate;     /* enum gate */
    uint64_t blocked; /* of this tape alone */
    int64_t at;       /* ts_local of the message behind it */
};

struct spool_breaker {
    uint16_t instrument;
    uint8_t breaker, state; /* enum breaker, enum breaker_state */
    int64_t since;          /* ts_local */
};

/* Messages that the engine was told, from its start on. Answers are all that is no market, no tick and no start. */
struct spool_counts {
    uint64_t market, ticks, answers, starts;
};

/* What an order ended by, where the message alone doesn't say so: EVENT_order_filled (leaves may be unknown), _status (the
 * venue says that it is over) or _not_found (it was given up). */
struct spool_ended {
    order_id order;
    int64_t at; /* ts_local */
    uint8_t by;
};

/* One record read back. */
struct spool_entry {
    enum spool_what what;
    struct message
        message; /* of the first three and SPOOL_START; a position is a final_position record */
    union event_record record; /* what `message` points to */
    struct spool_mid mid;
    struct spool_gate gate;
    struct spool_breaker breaker;
    struct spool_ended ended;
};

struct spool;

/* A record in a spool: what, the length of what follows (u16, little-endian), canonical bytes. */
enum { SPOOL_HEAD_BYTES = 3, SPOOL_RECORD_BYTES_MAX = SPOOL_HEAD_BYTES + EVENT_RECORD_BYTES_MAX };

/* Takes one record's bytes; an error ends the run. */
typedef int spool_put(void *context, const uint8_t *bytes, size_t length, struct error *error);

/* A spool in an unnamed temporary file. Positions are taken when the run begins (of a tape that goes on where another ended:
 * what that one left), after each fill, and of all instruments each `sample_ns` (aligned to whole multiples since 1970) as
 * they stand just before that time. */
int spool_open(struct spool **spool, unsigned instrument_count, int64_t sample_ns,
               struct error *error);
/* The same, its records given to `put` instead of a file; they can't be read back from here. */
int spool_open_into(struct spool **spool, unsigned instrument_count, int64_t sample_ns,
                    spool_put *put, void *context, struct error *error);
void spool_close(struct spool **spool);
/* The engine that the loop steps; before it runs. */
void spool_set_engine(struct spool *spool, struct engine *engine);
struct sink *spool_sink(struct spool *spool);
/* Another sink, where what the engine starts from is loaded behind the one before: told the start when it is. */
struct sink *spool_loaded_sink(struct spool *spool);
/* ts_local of the engine's start and of the last message that passed; false where it did not start. */
bool spool_span(const struct spool *spool, int64_t *first_ns, int64_t *last_ns);
struct spool_counts spool_counts(const struct spool *spool);

/* A session has ended at the last message that passed: what of it is known only then is taken down, once. The sink
 * does it itself where the loop ends or another session starts. */
int spool_end_session(struct spool *spool, struct error *error);

/* Read from the beginning; then each call gives the next record, or sets *end. `entry` must stay where it is while
 * its message is used. */
int spool_rewind(struct spool *spool, struct error *error);
int spool_next(struct spool *spool, struct spool_entry *entry, bool *end, struct error *error);

/* Length of the record that begins at `bytes` (of which the head must be there), and what it says. */
size_t spool_record_bytes(const uint8_t *bytes);
int spool_decode(const uint8_t *bytes, struct spool_entry *entry, struct error *error);

#endif
