/* Tapes that go on where another ended (docs/tape-format.md, "Rotation"): their names, and the records with which such
 * a tape begins: `predecessor`, then the carry of the engine in parts. */
#ifndef CAPSTAN_RUN_ROTATION_H
#define CAPSTAN_RUN_ROTATION_H

#include "run/run_engine.h"
#include "tape/appender.h"
#include "tape/tape.h"

enum {
    ROTATION_PATH_BYTES = 4096,
    ROTATION_NUMBER_MAX = 999999,
    ROTATION_PART_BYTES = 2 * EVENT_TEXT_MAX, /* of a carry, in one record */
    ROTATION_CARRY_BYTES_MAX = 1 << 28
};

/* --- names --------------------------------------------------------------------------------------------- */

/* The path of tape `number` of a chain, from 1: SESSION.tape, SESSION-0002.tape, … ERROR_INPUT where it is too long, or
 * its file's name is (EVENT_TEXT_MAX: it stands in a record). */
int rotation_path(const char *base, uint64_t number, char path[ROTATION_PATH_BYTES],
                  struct error *error);
/* A path's last part. */
const char *rotation_file(const char *path);
/* The newest tape of the chain that is there; 1 where none is. */
int rotation_newest(const char *base, uint64_t *number, struct error *error);
/* Whether another tape can be made at `path`: ERROR_SYSTEM where the disk has no room, ERROR_INPUT where one is there.
 * Leaves nothing behind. */
int rotation_room(const char *path, struct error *error);

/* --- the carry in parts ---------------------------------------------------------------------------------- */

/* What was read of a tape's beginning. Zero it before. */
struct rotation_carry {
    struct event_predecessor predecessor;
    bool follows; /* there was a predecessor */
    bool whole;   /* and all parts */
    uint8_t *bytes;
    size_t length, capacity;
    uint64_t parts; /* read so far */
};

/* A message of kind predecessor or carry. ERROR_INPUT where it is none that can stand there. */
int rotation_carry_take(struct rotation_carry *carry, const struct message *message,
                        struct error *error);
/* What stands at the beginning of the tape at `path`. */
int rotation_carry_read(struct rotation_carry *carry, const char *path, struct error *error);
/* Whether a session goes on with the tape: its first start is of the epoch that the tape before ended in. */
bool rotation_goes_on(const struct rotation_carry *carry, const struct event_start *start);
/* What was read, into an engine that is fresh: ERROR_INPUT where it is not whole, or a field does not fit. Nothing to do
 * where the tape follows none, or none with an engine. */
int rotation_carry_load(const struct rotation_carry *carry, struct engine *engine,
                        struct error *error);
/* The same with the warmth behind it, into an engine that was told the market that stands before the start: it goes on
 * as the one that wrote the tape did. ERROR_INPUT too where there is no warmth. */
int rotation_carry_load_warm(const struct rotation_carry *carry, struct engine *engine,
                             struct error *error);
void rotation_carry_close(struct rotation_carry *carry);

/* --- the next tape ------------------------------------------------------------------------------------------ */

/* What tape `number` tells of the one before at `path`, all of which is on the disk (tape_appender_sync), and in which
 * `epoch` was the last. */
struct event_predecessor rotation_describe(const struct tape_appender *appender, const char *path,
                                           uint64_t number, uint64_t epoch);

/* The beginning of a tape that follows. */
struct rotation_next {
    const char *path;                 /* where nothing is yet */
    const struct tape_header *header; /* that of the predecessor, or of other settings */
    struct event_predecessor predecessor;
    int64_t ts_local;                /* of its records: the predecessor's last */
    const struct run_engine *engine; /* whose carry it is; NULL: none (`record`) */
    bool warm;                       /* its session goes on: with its warmth */
    /* What the market told before and does not tell again, books included; times are set here. */
    const struct message *market;
    size_t market_count;
};

/* Write it whole, and give it its name only when it is on the disk. Market, carry and warmth are tried on a fresh engine
 * before: what could not be read again, or would be another engine, is refused. On failure nothing is left, and nothing has changed. */
int rotation_write(const struct rotation_next *next, struct error *error);
/* Take back what rotation_write() wrote, for good; ERROR_SYSTEM where it can't be: then it is what a start finds. */
int rotation_withdraw(const char *path, struct error *error);

/* Before the newest tape, number `number`, is gone on with: it must say that it is that, and the tape before it, where
 * it is there, is brought to its end, for a death may have come before. ERROR_INPUT where that has gone on since, or
 * another process writes it. */
int rotation_settle(const char *base, uint64_t number, struct error *error);
/* Remove what a death left of a tape behind number `number` that has not got its name yet. The newest tape is locked by
 * the caller. */
void rotation_tidy(const char *base, uint64_t number);
/* Whether `second` goes on where `first` ended: its predecessor is that tape, and its carry is what a fold of that
 * comes to. ERROR_DIFFERENT tells how it is not. */
int rotation_check(const char *first, const char *second, struct error *error);

#endif
