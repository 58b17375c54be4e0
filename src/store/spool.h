/* The spool: what of a run goes to the run database, taken down as canonical bytes while the loop runs
 * and read back after it, so that the loop never waits for SQLite. */
#ifndef CAPSTAN_STORE_SPOOL_H
#define CAPSTAN_STORE_SPOOL_H

#include "loop.h"

/* Why a position stands in the spool. SPOOL_MESSAGE: it is a message of the run. */
enum spool_why { SPOOL_MESSAGE, SPOOL_FILL, SPOOL_SAMPLE };

struct spool;

/* A record in a spool: why, the length of what follows (u16, little-endian), canonical bytes. */
enum { SPOOL_HEAD_BYTES = 3, SPOOL_RECORD_BYTES_MAX = SPOOL_HEAD_BYTES + EVENT_RECORD_BYTES_MAX };

/* Takes one record's bytes; an error ends the run. */
typedef int spool_put(void *context, const uint8_t *bytes, size_t length, struct error *error);

/* A spool in an unnamed temporary file. Positions are taken after each fill, and of all instruments
 * each `sample_ns` (aligned to whole multiples since 1970) as they stand just before that time. */
int spool_open(struct spool **spool, unsigned instrument_count, int64_t sample_ns,
               struct error *error);
/* The same, its records given to `put` instead of a file; they can't be read back from here. */
int spool_open_into(struct spool **spool, unsigned instrument_count, int64_t sample_ns,
                    spool_put *put, void *context, struct error *error);
void spool_close(struct spool **spool);
/* The engine that the loop steps; before it runs. */
void spool_set_engine(struct spool *spool, struct engine *engine);
struct sink *spool_sink(struct spool *spool);
/* ts_local of the engine's start and of the last message that passed; false where it did not start. */
bool spool_span(const struct spool *spool, int64_t *first_ns, int64_t *last_ns);

/* Read from the beginning; then each call gives the next, and its reason. `record` receives the fields
 * that `message` points to. 0 with *message NULL at the end. A position is a final_position record. */
int spool_rewind(struct spool *spool, struct error *error);
int spool_next(struct spool *spool, union event_record *record, struct message *message,
               enum spool_why *why, bool *end, struct error *error);

/* Length of the record that begins at `bytes` (of which the head must be there), and what it says. */
size_t spool_record_bytes(const uint8_t *bytes);
int spool_decode(const uint8_t *bytes, union event_record *record, struct message *message,
                 enum spool_why *why, struct error *error);

#endif
