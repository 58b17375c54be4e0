/* The spool: a sink that writes, and a reader of what it wrote. */
#include "config.h"

#include "store/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { SPOOL_BUFFER_BYTES = 1 << 16 };

struct spool {
    struct sink sink; /* first: the loop holds a pointer to it */
    FILE *file;       /* NULL: `put` is another's */
    spool_put *put;
    void *put_context;
    struct engine *engine;
    unsigned instrument_count;
    int64_t sample_ns, next_sample;
    int64_t first_ns, last_ns;
    bool any;
    int filled;                /* instrument of the fill that the engine is taking, or -1 */
    struct message fill;       /* that fill */
    union event_record record; /* and its record */
    uint64_t fills;            /* that the engine had counted before */
    char buffer[SPOOL_BUFFER_BYTES];
};

static int write_message(struct spool *spool, const struct message *message, enum spool_why why,
                         struct error *error)
{
    uint8_t bytes[SPOOL_RECORD_BYTES_MAX];
    size_t length = message_encode(message, bytes + SPOOL_HEAD_BYTES, EVENT_RECORD_BYTES_MAX);
    bytes[0] = (uint8_t)why;
    bytes_put_u16(bytes + 1, (uint16_t)length);
    return spool->put(spool->put_context, bytes, SPOOL_HEAD_BYTES + length, error);
}

static int write_position(struct spool *spool, unsigned instrument, int64_t now, enum spool_why why,
                          struct error *error)
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
 * changed in it. That between two sessions makes none. */
static int take_samples(struct spool *spool, int64_t now, bool starts, struct error *error)
{
    int64_t due = spool->next_sample;
    spool->next_sample = (now / spool->sample_ns + 1) * spool->sample_ns;
    if (!spool->any || starts)
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

static int on_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    /* Books are built and the carry is read before the engine starts: not yet the run. */
    if (!spool->any && message->kind != EVENT_start)
        return 0;
    if (message->ts_local >= spool->next_sample &&
        take_samples(spool, message->ts_local, message->kind == EVENT_start, error))
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
    if (spool->filled < 0)
        return 0;
    unsigned instrument = (unsigned)spool->filled;
    spool->filled = -1;
    if (engine_counters(engine)->fills == spool->fills)
        return 0;
    if (write_message(spool, &spool->fill, SPOOL_MESSAGE, error))
        return error->code;
    return write_position(spool, instrument, spool->last_ns, SPOOL_FILL, error);
}

static int on_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    return is_wanted(decision->kind) ? write_message(spool, decision, SPOOL_MESSAGE, error) : 0;
}

static int put_into_file(void *context, const uint8_t *bytes, size_t length, struct error *error)
{
    if (fwrite(bytes, 1, length, context) == length)
        return 0;
    return error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                     strerror(errno));
}

int spool_open_into(struct spool **out, unsigned instrument_count, int64_t sample_ns,
                    spool_put *put, void *context, struct error *error)
{
    ASSERT(sample_ns > 0);
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool)
        return error_set(error, ERROR_SYSTEM, "no memory for the run database");
    spool->put = put;
    spool->put_context = context;
    spool->sink = (struct sink){
        .market = true, .message = on_message, .stepped = on_stepped, .decision = on_decision};
    spool->instrument_count = instrument_count;
    spool->sample_ns = sample_ns;
    spool->next_sample = INT64_MIN;
    spool->filled = -1;
    *out = spool;
    return 0;
}

int spool_open(struct spool **out, unsigned instrument_count, int64_t sample_ns,
               struct error *error)
{
    FILE *file = tmpfile();
    if (!file)
        return error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                         strerror(errno));
    int code = spool_open_into(out, instrument_count, sample_ns, put_into_file, file, error);
    if (code) {
        fclose(file);
        return code;
    }
    (*out)->file = file;
    setvbuf(file, (*out)->buffer, _IOFBF, sizeof(*out)->buffer);
    return 0;
}

void spool_close(struct spool **out)
{
    if (!*out)
        return;
    if ((*out)->file)
        fclose((*out)->file);
    free(*out);
    *out = NULL;
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

int spool_rewind(struct spool *spool, struct error *error)
{
    if (fflush(spool->file) == 0 && fseek(spool->file, 0, SEEK_SET) == 0)
        return 0;
    return error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                     strerror(errno));
}

int spool_next(struct spool *spool, union event_record *record, struct message *message,
               enum spool_why *why, bool *end, struct error *error)
{
    uint8_t bytes[SPOOL_RECORD_BYTES_MAX];
    *end = fread(bytes, 1, SPOOL_HEAD_BYTES, spool->file) != SPOOL_HEAD_BYTES;
    if (*end)
        return ferror(spool->file)
                   ? error_set(error, ERROR_SYSTEM, "temporary file of the run database: %s",
                               strerror(errno))
                   : 0;
    size_t length = bytes_get_u16(bytes + 1);
    ASSERT(length <= EVENT_RECORD_BYTES_MAX);
    if (fread(bytes + SPOOL_HEAD_BYTES, 1, length, spool->file) != length)
        return error_set(error, ERROR_SYSTEM, "temporary file of the run database is cut off");
    return spool_decode(bytes, record, message, why, error);
}

size_t spool_record_bytes(const uint8_t *bytes)
{
    return SPOOL_HEAD_BYTES + (size_t)bytes_get_u16(bytes + 1);
}

int spool_decode(const uint8_t *bytes, union event_record *record, struct message *message,
                 enum spool_why *why, struct error *error)
{
    size_t used;
    *why = (enum spool_why)bytes[0];
    return message_decode(bytes + SPOOL_HEAD_BYTES, spool_record_bytes(bytes) - SPOOL_HEAD_BYTES,
                          NULL, 0, record, message, &used, error);
}
