/* The spool: a sink that writes, and a reader of what it wrote. */
#include "config.h"

#include "store/spool.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "engine/status.h"
#include "store/mids.h"

enum {
    SPOOL_BUFFER_BYTES = 1 << 16,
    MID_BYTES = 24 + 1 + EVENT_VENUE_ID_MAX, /* order, horizon, mid; trade */
    GATE_BYTES = 19,                         /* instrument, gate, blocked, at */
    BREAKER_BYTES = 12,                      /* instrument, breaker, state, since */
    ENDED_BYTES = 17                         /* order, at, by */
};

struct spool {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct sink loaded;
    FILE *file; /* NULL: `put` is another's */
    spool_put *put;
    void *put_context;
    struct engine *engine;
    unsigned instrument_count;
    int64_t sample_ns, next_sample;
    int64_t first_ns, last_ns;
    bool any, begins;          /* there was a start; the message is the first one */
    int filled;                /* instrument of the fill that the engine is taking, or -1 */
    struct message fill;       /* that fill */
    union event_record record; /* and its record */
    uint64_t fills;            /* that the engine had counted before */
    order_id sought;           /* an open order that the message may end; 0: none */
    /* By instrument and gate: what the engine had counted in this spell of blocking before the last start, on this tape
     * or on the one before, where it stands already. */
    uint64_t (*counted)[GATE_COUNT];
    struct mids *mids;
    unsigned
        kind; /* of the message that the engine is taking, where it is the run's or moves a mid */
    unsigned moved;   /* instrument whose mid that may move */
    int64_t moved_at; /* and when that is, at the venue where that is known */
    bool ended;       /* this session's end is taken down */
    struct spool_counts counts;
    char buffer[SPOOL_BUFFER_BYTES];
};

static int write_message(struct spool *spool, const struct message *message, enum spool_what what,
                         struct error *error)
{
    uint8_t bytes[SPOOL_RECORD_BYTES_MAX];
    size_t length = message_encode(message, bytes + SPOOL_HEAD_BYTES, EVENT_RECORD_BYTES_MAX);
    bytes[0] = (uint8_t)what;
    bytes_put_u16(bytes + 1, (uint16_t)length);
    return spool->put(spool->put_context, bytes, SPOOL_HEAD_BYTES + length, error);
}

static int write_mid(void *context, const struct spool_mid *mid, struct error *error)
{
    struct spool *spool = context;
    uint8_t bytes[SPOOL_HEAD_BYTES + MID_BYTES] = {SPOOL_MID};
    bytes_put_u16(bytes + 1, MID_BYTES);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES, mid->order);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 8, (uint64_t)mid->horizon_ns);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 16, (uint64_t)mid->mid2);
    bytes[SPOOL_HEAD_BYTES + 24] = mid->trade.length;
    memcpy(bytes + SPOOL_HEAD_BYTES + 25, mid->trade.bytes, EVENT_VENUE_ID_MAX);
    return spool->put(spool->put_context, bytes, sizeof bytes, error);
}

static int write_gate(struct spool *spool, enum spool_what what, unsigned instrument, unsigned gate,
                      uint64_t blocked, struct error *error)
{
    uint8_t bytes[SPOOL_HEAD_BYTES + GATE_BYTES] = {(uint8_t)what};
    bytes_put_u16(bytes + 1, GATE_BYTES);
    bytes_put_u16(bytes + SPOOL_HEAD_BYTES, (uint16_t)instrument);
    bytes[SPOOL_HEAD_BYTES + 2] = (uint8_t)gate;
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 3, blocked);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 11, (uint64_t)spool->last_ns);
    return spool->put(spool->put_context, bytes, sizeof bytes, error);
}

/* A spell of blocking, or a session in it, is over: what was counted in it that stands nowhere yet. */
static int write_counted(struct spool *spool, unsigned instrument, unsigned gate, uint64_t blocked,
                         struct error *error)
{
    uint64_t *counted = &spool->counted[instrument][gate];
    uint64_t more = blocked > *counted ? blocked - *counted : 0;
    *counted = 0;
    return more > 0 ? write_gate(spool, SPOOL_GATE, instrument, gate, more, error) : 0;
}

static int write_ended(struct spool *spool, order_id order, unsigned by, struct error *error)
{
    uint8_t bytes[SPOOL_HEAD_BYTES + ENDED_BYTES] = {SPOOL_ENDED};
    bytes_put_u16(bytes + 1, ENDED_BYTES);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES, order);
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 8, (uint64_t)spool->last_ns);
    bytes[SPOOL_HEAD_BYTES + 16] = (uint8_t)by;
    return spool->put(spool->put_context, bytes, sizeof bytes, error);
}

static int write_breaker(struct spool *spool, unsigned instrument, unsigned breaker, unsigned state,
                         int64_t since, struct error *error)
{
    uint8_t bytes[SPOOL_HEAD_BYTES + BREAKER_BYTES] = {SPOOL_BREAKER};
    bytes_put_u16(bytes + 1, BREAKER_BYTES);
    bytes_put_u16(bytes + SPOOL_HEAD_BYTES, (uint16_t)instrument);
    bytes[SPOOL_HEAD_BYTES + 2] = (uint8_t)breaker;
    bytes[SPOOL_HEAD_BYTES + 3] = (uint8_t)state;
    bytes_put_u64(bytes + SPOOL_HEAD_BYTES + 4, (uint64_t)since);
    return spool->put(spool->put_context, bytes, sizeof bytes, error);
}

static int write_position(struct spool *spool, unsigned instrument, int64_t now,
                          enum spool_what what, struct error *error)
{
    union event_record record = {.final_position =
                                     engine_final_position(spool->engine, instrument)};
    const struct message message = {.ts_local = now,
                                    .stream = EVENT_STREAM(instrument, CHANNEL_SESSION),
                                    .kind = EVENT_final_position,
                                    .record = &record};
    return write_message(spool, &message, what, error);
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

/* Of what is learned, that an order stands for another level. */
static bool is_wanted(const struct message *message)
{
    unsigned kind = message->kind;
    if (kind == EVENT_learned)
        return message->record->learned.level != message->record->learned.next;
    return (kind >= EVENT_order_accepted && kind <= EVENT_order_status) || kind == EVENT_place ||
           kind == EVENT_cancel || kind == EVENT_modify || kind == EVENT_replace ||
           kind == EVENT_query || kind == EVENT_alarm || kind == EVENT_gate ||
           kind == EVENT_breaker || kind == EVENT_removed || kind == EVENT_pause ||
           kind == EVENT_adopted || kind == EVENT_final_position || kind == EVENT_final_balance;
}

int spool_end_session(struct spool *spool, struct error *error)
{
    if (!spool->any || spool->ended)
        return 0;
    spool->ended = true;
    int code = mids_finish(spool->mids, spool->last_ns, write_mid, spool, error);
    for (unsigned i = 0; !code && i < spool->instrument_count; i++)
        for (unsigned gate = 0; !code && gate < GATE_COUNT; gate++) {
            uint64_t blocked = engine_gate_blocked(spool->engine, i, (enum gate)gate);
            code = write_counted(spool, i, gate, blocked, error);
        }
    return code;
}

static int64_t venue_time(const struct message *message)
{
    return message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED) ? message->ts_venue
                                                                           : message->ts_local;
}

/* After the step: mids that the message moved. What loses books may do so for several instruments; a start that goes on
 * has books from before it, which the live session was not told again. */
static void note_mids(struct spool *spool)
{
    bool one =
        spool->kind == EVENT_top || spool->kind == EVENT_depth || spool->kind == EVENT_snapshot;
    bool loses = spool->kind == EVENT_gap || spool->kind == EVENT_feed_connection ||
                 spool->kind == EVENT_definition;
    int64_t bid, ask;
    if (!spool->any)
        return; /* not yet the run */
    for (unsigned i = 0; spool->kind == EVENT_start && i < spool->instrument_count; i++)
        mids_note(spool->mids, i, spool->moved_at, spool->engine);
    if (one && spool->moved < spool->instrument_count)
        mids_note(spool->mids, spool->moved, spool->moved_at, spool->engine);
    for (unsigned i = 0; loses && i < spool->instrument_count; i++)
        if (!engine_best_prices(spool->engine, i, &bid, &ask))
            mids_note(spool->mids, i, spool->moved_at, spool->engine);
}

static int write_breakers(struct spool *spool, unsigned instrument,
                          const struct engine_instrument_status *status, struct error *error)
{
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++)
        if (status->breakers[breaker] != BREAKER_CLEAR &&
            status->breakers_since[breaker] < spool->last_ns &&
            write_breaker(spool, instrument, breaker, status->breakers[breaker],
                          status->breakers_since[breaker], error))
            return error->code;
    return 0;
}

static int write_gates(struct spool *spool, unsigned instrument, uint32_t gates,
                       struct error *error)
{
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        if ((gates >> gate & 1) != 0 &&
            write_gate(spool, SPOOL_GATE_HELD, instrument, gate, 0, error))
            return error->code;
    return 0;
}

/* After a start: breakers that had tripped before it, on this tape or on the one that it follows, and gates that block
 * because the session goes on. */
static int write_held(struct spool *spool, struct error *error)
{
    struct engine_instrument_status status;
    for (unsigned i = 0; i < spool->instrument_count; i++) {
        engine_instrument_status(spool->engine, i, &status);
        if (write_breakers(spool, i, &status, error) || write_gates(spool, i, status.gates, error))
            return error->code;
    }
    return 0;
}

/* After the run's first start: what it begins with. */
static int write_beginning(struct spool *spool, struct error *error)
{
    for (unsigned i = 0; i < spool->instrument_count; i++)
        if (write_position(spool, i, spool->last_ns, SPOOL_START, error))
            return error->code;
    return 0;
}

static void count(struct spool *spool, unsigned kind)
{
    if (kind == EVENT_start)
        spool->counts.starts++;
    else if (kind == EVENT_tick)
        spool->counts.ticks++;
    else if (kind < EVENT_start)
        spool->counts.market++;
    else
        spool->counts.answers++;
}

/* Before a start is taken: its step may block already. */
static void note_counted(struct spool *spool, const struct message *message)
{
    for (unsigned i = 0; message->kind == EVENT_start && i < spool->instrument_count; i++)
        for (unsigned gate = 0; gate < GATE_COUNT; gate++)
            spool->counted[i][gate] = engine_gate_blocked(spool->engine, i, (enum gate)gate);
}

static int on_loaded(struct sink *sink, const struct message *message, struct error *error)
{
    (void)error;
    note_counted((struct spool *)((char *)sink - offsetof(struct spool, loaded)), message);
    return 0;
}

static int write_goes_on(struct spool *spool, struct error *error)
{
    const uint8_t bytes[SPOOL_HEAD_BYTES] = {SPOOL_GOES_ON};
    return spool->put(spool->put_context, bytes, sizeof bytes, error);
}

/* What is told of a message before anything of it is taken down. */
static int look_at(struct spool *spool, const struct message *message, struct error *error)
{
    spool->kind = message->kind;
    spool->moved = EVENT_STREAM_INSTRUMENT(message->stream);
    spool->moved_at = venue_time(message);
    if (message->kind == EVENT_start && spool->any &&
        (spool_end_session(spool, error) || write_goes_on(spool, error)))
        return error->code;
    if (message->kind == EVENT_start)
        spool->ended = false;
    if (message->ts_local < mids_deadline(spool->mids))
        return 0;
    return mids_settle(spool->mids, message->ts_local, write_mid, spool, error);
}

/* Messages that don't say by themselves whether they end an order. */
static bool may_end(unsigned kind)
{
    return kind == EVENT_order_filled || kind == EVENT_order_status ||
           kind == EVENT_order_not_found;
}

static int on_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    if (look_at(spool, message, error))
        return error->code;
    /* Books are built and the carry is read before the engine starts: not yet the run. */
    if (!spool->any && message->kind != EVENT_start)
        return 0;
    if (message->ts_local >= spool->next_sample &&
        take_samples(spool, message->ts_local, message->kind == EVENT_start, error))
        return error->code;
    note_counted(spool, message);
    spool->begins = !spool->any;
    if (!spool->any)
        spool->first_ns = message->ts_local;
    spool->any = true;
    spool->last_ns = message->ts_local;
    count(spool, message->kind);
    if (!is_wanted(message))
        return 0;
    if (may_end(message->kind) &&
        engine_order_is_open(spool->engine, message->record->order_not_found.order))
        spool->sought = message->record->order_not_found.order; /* each begins so */
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

static int take_sought(struct spool *spool, const struct engine *engine, struct error *error)
{
    const order_id order = spool->sought;
    spool->sought = 0;
    return order == 0 || engine_order_is_open(engine, order)
               ? 0
               : write_ended(spool, order, spool->kind, error);
}

static int take_start(struct spool *spool, struct error *error)
{
    int code = write_held(spool, error);
    return code || !spool->begins ? code : write_beginning(spool, error);
}

/* A venue may tell a trade twice: only what the engine counted is one. */
static int take_filled(struct spool *spool, const struct engine *engine, struct error *error)
{
    unsigned instrument = (unsigned)spool->filled;
    spool->filled = -1;
    if (engine_counters(engine)->fills == spool->fills)
        return 0;
    if (write_message(spool, &spool->fill, SPOOL_MESSAGE, error))
        return error->code;
    mids_want(spool->mids, &spool->record.order_filled, venue_time(&spool->fill));
    return write_position(spool, instrument, spool->last_ns, SPOOL_FILL, error);
}

static int on_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    note_mids(spool);
    if (spool->kind == EVENT_start && take_start(spool, error))
        return error->code;
    if (spool->filled >= 0 && take_filled(spool, engine, error))
        return error->code;
    return take_sought(spool, engine, error);
}

static int on_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine;
    return spool_end_session((struct spool *)sink, error);
}

static int on_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct spool *spool = (struct spool *)sink;
    if (is_wanted(decision) && write_message(spool, decision, SPOOL_MESSAGE, error))
        return error->code;
    if (decision->kind != EVENT_gate || decision->record->gate.blocking)
        return 0;
    const struct event_gate *gate = &decision->record->gate;
    return write_counted(spool, gate->instrument, gate->gate, gate->blocked, error);
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
    spool->sink = (struct sink){.market = true,
                                .message = on_message,
                                .stepped = on_stepped,
                                .decision = on_decision,
                                .finishing = on_finishing};
    spool->instrument_count = instrument_count;
    spool->sample_ns = sample_ns;
    spool->next_sample = INT64_MIN;
    spool->filled = -1;
    spool->counted = calloc(instrument_count ? instrument_count : 1, sizeof *spool->counted);
    int code = spool->counted ? mids_open(&spool->mids, instrument_count, error)
                              : error_set(error, ERROR_SYSTEM, "no memory for the run database");
    if (code) {
        free(spool->counted);
        free(spool);
    } else {
        *out = spool;
    }
    return code;
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
    mids_close(&(*out)->mids);
    free((*out)->counted);
    free(*out);
    *out = NULL;
}

void spool_set_engine(struct spool *spool, struct engine *engine)
{
    spool->engine = engine;
}

struct sink *spool_loaded_sink(struct spool *spool)
{
    spool->loaded = (struct sink){.message = on_loaded};
    return &spool->loaded;
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

struct spool_counts spool_counts(const struct spool *spool)
{
    return spool->counts;
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
    return spool_decode(bytes, entry, error);
}

size_t spool_record_bytes(const uint8_t *bytes)
{
    return SPOOL_HEAD_BYTES + (size_t)bytes_get_u16(bytes + 1);
}

int spool_decode(const uint8_t *bytes, struct spool_entry *entry, struct error *error)
{
    const uint8_t *body = bytes + SPOOL_HEAD_BYTES;
    size_t length = spool_record_bytes(bytes) - SPOOL_HEAD_BYTES, used;
    entry->what = (enum spool_what)bytes[0];
    if (entry->what == SPOOL_MID) {
        ASSERT(length == MID_BYTES);
        entry->mid = (struct spool_mid){.order = bytes_get_u64(body),
                                        .horizon_ns = (int64_t)bytes_get_u64(body + 8),
                                        .mid2 = (int64_t)bytes_get_u64(body + 16),
                                        .trade = {.length = body[24]}};
        memcpy(entry->mid.trade.bytes, body + 25, EVENT_VENUE_ID_MAX);
        return 0;
    }
    if (entry->what == SPOOL_GATE || entry->what == SPOOL_GATE_HELD) {
        ASSERT(length == GATE_BYTES);
        entry->gate = (struct spool_gate){bytes_get_u16(body), body[2], bytes_get_u64(body + 3),
                                          (int64_t)bytes_get_u64(body + 11)};
        return 0;
    }
    if (entry->what == SPOOL_GOES_ON)
        return 0;
    if (entry->what == SPOOL_ENDED) {
        ASSERT(length == ENDED_BYTES);
        entry->ended =
            (struct spool_ended){bytes_get_u64(body), (int64_t)bytes_get_u64(body + 8), body[16]};
        return 0;
    }
    if (entry->what == SPOOL_BREAKER) {
        ASSERT(length == BREAKER_BYTES);
        entry->breaker = (struct spool_breaker){bytes_get_u16(body), body[2], body[3],
                                                (int64_t)bytes_get_u64(body + 4)};
        return 0;
    }
    return message_decode(body, length, NULL, 0, &entry->record, &entry->message, &used, error);
}
