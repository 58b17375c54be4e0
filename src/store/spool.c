/* The spool: a sink that writes, and a reader of what it wrote. */
#include "config.h"

#include "store/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "store/mids.h"

enum { SPOOL_BUFFER_BYTES = 1 << 16, SPOOL_HEAD_BYTES = 3, SPOOL_MID_BYTES = 24 };

struct spool {
    struct sink sink; /* first: the loop holds a pointer to it */
    FILE *file;
    struct engine *engine;
    unsigned instrument_count;
    int64_t sample_ns, next_sample;
    int64_t first_ns, last_ns;
    bool any;
    int filled;                /* instrument of the fill that the engine is taking, or -1 */
    struct message fill;       /* that fill */
    union event_record record; /* and its record */
    uint64_t fills;            /* that the engine had counted before */
    uint64_t events;           /* order events so far */
    uint64_t (*gate_blocked)[GATE_COUNT]; /* by instrument, as `gate` decisions told */
    struct mids *mids;
    int moved;        /* instrument whose book the engine is about to change, or -1 */
    int64_t moved_at; /* and when that is, at the venue where that is known */
    char buffer[SPOOL_BUFFER_BYTES];
};

static int write_entry(struct spool *spool, uint8_t *bytes, size_t length, enum spool_what what,
                       struct error *error)
{
    bytes[0] = (uint8_t)what;
    bytes_put_u16(bytes + 1, (uint16_t)length);
    if (fwrite(bytes, 1, SPOOL_HEAD_BYTES + length, spool->file) == SPOOL_HEAD_BYTES + length)
        return 0;
    return error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                     strerror(errno));
}

static int write_message(struct spool *spool, const struct message *message, enum spool_what what,
                         struct error *error)
{
    uint8_t bytes[SPOOL_HEAD_BYTES + EVENT_RECORD_BYTES_MAX];
    size_t length = message_encode(message, bytes + SPOOL_HEAD_BYTES, EVENT_RECORD_BYTES_MAX);
    spool->events += spool_is_order_event(message->kind);
    return write_entry(spool, bytes, length, what, error);
}

static int write_mid(void *context, const struct spool_mid *mid, struct error *error)
{
    uint8_t bytes[SPOOL_HEAD_BYTES + SPOOL_MID_BYTES];
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES, mid->fill);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 8, (uint64_t)mid->horizon_ns);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 16, (uint64_t)mid->mid2);
    return write_entry(context, bytes, SPOOL_MID_BYTES, SPOOL_MID, error);
}

static int write_position(struct spool *spool, unsigned instrument, int64_t now,
                          enum spool_what why, struct error *error)
{
    union event_record record = {.final_position =
                                     engine_final_position(spool->engine, instrument)};
    const struct message message = {.ts_local = now,
                                    .stream = EVENT_STREAM(instrument, CHANNEL_SESSION),
                                    .kind = EVENT_final_position,
                                    .record = &record};
    return write_message(spool, &message, why, error);
}

/* Samples due at or before `now`. A silence of many periods makes one sample, at its first: nothing
 * changed in it. */
static int take_samples(struct spool *spool, int64_t now, struct error *error)
{
    int64_t due = spool->next_sample;
    spool->next_sample = (now / spool->sample_ns + 1) * spool->sample_ns;
    if (!spool->any)
        return 0;
    for (unsigned i = 0; i < spool->instrument_count; i++)
        if (write_position(spool, i, due, SPOOL_SAMPLE, error))
            return error->code;
    return 0;
}

static bool is_wanted(unsigned kind)
{
    return (kind >= EVENT_order_accepted && kind <= EVENT_order_not_found) || kind == EVENT_place ||
           kind == EVENT_cancel || kind == EVENT_modify || kind == EVENT_replace ||
           kind == EVENT_query || kind == EVENT_alarm || kind == EVENT_gate ||
           kind == EVENT_breaker || kind == EVENT_removed || kind == EVENT_pause ||
           kind == EVENT_final_position || kind == EVENT_final_balance;
}

bool spool_is_order_event(unsigned kind)
{
    return is_wanted(kind) && kind != EVENT_final_position && kind != EVENT_final_balance;
}

static int64_t venue_time(const struct message *message)
{
    return message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED) ? message->ts_venue
                                                                           : message->ts_local;
}

static bool changes_book(unsigned kind)
{
    return kind == EVENT_depth || kind == EVENT_snapshot || kind == EVENT_gap;
}

static int on_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    spool->moved = changes_book(message->kind) ? EVENT_STREAM_INSTRUMENT(message->stream) : -1;
    spool->moved_at = venue_time(message);
    if (message->ts_local >= mids_deadline(spool->mids) &&
        mids_settle(spool->mids, message->ts_local, write_mid, spool, error))
        return error->code;
    if (!spool->any && message->kind < EVENT_start)
        return 0; /* books are built before the engine starts: not yet the run */
    if (message->ts_local >= spool->next_sample && take_samples(spool, message->ts_local, error))
        return error->code;
    if (!spool->any)
        spool->first_ns = message->ts_local;
    spool->any = true;
    spool->last_ns = message->ts_local;
    if (!is_wanted(message->kind))
        return 0;
    if (message->kind != EVENT_order_filled)
        return write_message(spool, message, SPOOL_MESSAGE, error);
    /* A venue may tell a trade twice; what the engine counts is the run's. */
    spool->filled = message->record->order_filled.instrument;
    spool->fills = engine_counters(spool->engine)->fills;
    spool->record = *message->record;
    spool->fill = *message;
    spool->fill.record = &spool->record;
    return 0;
}

static int on_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    if (spool->moved >= 0)
        return mids_note(spool->mids, (unsigned)spool->moved, spool->moved_at,
                         engine_book(engine, (unsigned)spool->moved), error);
    if (spool->filled < 0)
        return 0;
    unsigned instrument = (unsigned)spool->filled;
    spool->filled = -1;
    if (engine_counters(engine)->fills == spool->fills)
        return 0;
    if (write_message(spool, &spool->fill, SPOOL_MESSAGE, error) ||
        mids_want(spool->mids, instrument, spool->events, venue_time(&spool->fill), error))
        return error->code;
    return write_position(spool, instrument, spool->last_ns, SPOOL_FILL, error);
}

static int on_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine;
    struct spool *spool = (struct spool *)sink;
    return mids_finish(spool->mids, spool->last_ns, write_mid, spool, error);
}

static int on_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    const struct event_gate *gate = &decision->record->gate;
    if (decision->kind == EVENT_gate && !gate->blocking)
        spool->gate_blocked[gate->instrument][gate->gate] += gate->blocked;
    return is_wanted(decision->kind) ? write_message(spool, decision, SPOOL_MESSAGE, error) : 0;
}

int spool_open(struct spool **out, unsigned instrument_count, int64_t sample_ns,
               struct error *error)
{
    ASSERT(sample_ns > 0);
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool)
        return error_set(error, ERROR_SYSTEM, "no memory for the run database");
    spool->sink = (struct sink){.market = true,
                                .message = on_message,
                                .stepped = on_stepped,
                                .decision = on_decision,
                                .finishing = on_finishing};
    spool->instrument_count = instrument_count;
    spool->sample_ns = sample_ns;
    spool->next_sample = INT64_MIN;
    spool->filled = -1;
    spool->moved = -1;
    spool->gate_blocked = calloc(instrument_count + 1u, sizeof *spool->gate_blocked);
    spool->file = tmpfile();
    int code = 0;
    if (!spool->gate_blocked)
        code = error_set(error, ERROR_SYSTEM, "no memory for the run database");
    else if (!spool->file)
        code = error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                         strerror(errno));
    else
        code = mids_open(&spool->mids, instrument_count, error);
    if (code) {
        spool_close(&spool);
        return code;
    }
    setvbuf(spool->file, spool->buffer, _IOFBF, sizeof spool->buffer);
    *out = spool;
    return 0;
}

void spool_close(struct spool **out)
{
    struct spool *spool = *out;
    if (!spool)
        return;
    *out = NULL;
    if (spool->file)
        fclose(spool->file);
    mids_close(&spool->mids);
    free(spool->gate_blocked);
    free(spool);
}

void spool_set_engine(struct spool *spool, struct engine *engine)
{
    spool->engine = engine;
}

struct sink *spool_sink(struct spool *spool)
{
    return &spool->sink;
}

bool spool_span(const struct spool *spool, int64_t *first_ns, int64_t *last_ns)
{
    *first_ns = spool->first_ns;
    *last_ns = spool->last_ns;
    return spool->any;
}

uint64_t spool_gate_blocked(const struct spool *spool, unsigned instrument, enum gate gate)
{
    ASSERT(instrument < spool->instrument_count && gate < GATE_COUNT);
    return spool->gate_blocked[instrument][gate] +
           engine_gate_blocked(spool->engine, instrument, gate);
}

int spool_rewind(struct spool *spool, struct error *error)
{
    if (fflush(spool->file) == 0 && fseek(spool->file, 0, SEEK_SET) == 0)
        return 0;
    return error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                     strerror(errno));
}

int spool_next(struct spool *spool, struct spool_entry *entry, bool *end, struct error *error)
{
    uint8_t head[SPOOL_HEAD_BYTES], bytes[EVENT_RECORD_BYTES_MAX];
    size_t used;
    *end = fread(head, 1, SPOOL_HEAD_BYTES, spool->file) != SPOOL_HEAD_BYTES;
    if (*end)
        return ferror(spool->file)
                   ? error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                               strerror(errno))
                   : 0;
    size_t length = bytes_get_u16(head + 1);
    ASSERT(length <= EVENT_RECORD_BYTES_MAX);
    if (fread(bytes, 1, length, spool->file) != length)
        return error_set(error, ERROR_SYSTEM, "temporary file of the run database is cut off");
    entry->what = (enum spool_what)head[0];
    if (entry->what != SPOOL_MID)
        return message_decode(bytes, length, NULL, 0, &entry->record, &entry->message, &used,
                              error);
    ASSERT(length == SPOOL_MID_BYTES);
    entry->mid = (struct spool_mid){bytes_get_u64(bytes), (int64_t)bytes_get_u64(bytes + 8),
                                    (int64_t)bytes_get_u64(bytes + 16)};
    return 0;
}
