/* A block's payload from messages: gathers columns, then writes them one after the other. */
#include "tape/format.h"
#include "tape/payload.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "tape/stream_vbyte.h"

struct payload_encoder {
    unsigned block_events;
    size_t row_capacity;
    uint64_t feed_floor;
    const struct event_names *names;
    struct payload_counts counts;
    uint32_t events, head_count, status_count, slot_count;
    size_t record_bytes;
    uint64_t last_ts;
    uint64_t *column[PAYLOAD_COLUMNS];
    uint32_t column_count[PAYLOAD_COLUMNS];
    uint64_t *heads;      /* the distinct heads, as numbers */
    uint32_t *head_table; /* open addressing: index of a head + 1 */
    uint32_t head_mask;
    uint8_t *flags, *actions, *statuses, *records, *hashes;
    struct stream_state *streams;
};

static void *take(size_t count, size_t size, bool *failed)
{
    void *memory = calloc(count, size);
    *failed |= memory == NULL;
    return memory;
}

struct payload_encoder *payload_encoder_make(unsigned block_events, int64_t feed_floor_ns,
                                             const struct event_names *names)
{
    struct payload_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return NULL;
    size_t messages = block_events, rows = (size_t)block_events + EVENT_ROWS_MAX;
    uint32_t slots = 1;
    while (slots < 2 * block_events)
        slots *= 2;
    *encoder = (struct payload_encoder){.block_events = block_events,
                                        .row_capacity = rows,
                                        .feed_floor = (uint64_t)feed_floor_ns,
                                        .names = names,
                                        .head_mask = slots - 1};
    bool failed = false;
    for (unsigned c = 0; c < PAYLOAD_COLUMNS; c++)
        encoder->column[c] = take(c < COLUMN_PRICE ? messages : rows, sizeof(uint64_t), &failed);
    encoder->heads = take(messages, sizeof(uint64_t), &failed);
    encoder->head_table = take(slots, sizeof(uint32_t), &failed);
    encoder->flags = take(rows, 1, &failed);
    encoder->actions = take(rows, 1, &failed);
    encoder->statuses = take(rows, TAPE_PAYLOAD_STATUS_BYTES, &failed);
    encoder->records = take(messages, TAPE_RECORD_BYTES_MAX, &failed);
    encoder->hashes = take(TAPE_STATE_HASHES_MAX, TAPE_STATE_HASH_BYTES, &failed);
    encoder->streams = take(TAPE_STREAMS, sizeof(struct stream_state), &failed);
    if (failed) {
        payload_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void payload_encoder_free(struct payload_encoder *encoder)
{
    if (encoder == NULL)
        return;
    for (unsigned c = 0; c < PAYLOAD_COLUMNS; c++)
        free(encoder->column[c]);
    free(encoder->heads);
    free(encoder->head_table);
    free(encoder->flags);
    free(encoder->actions);
    free(encoder->statuses);
    free(encoder->records);
    free(encoder->hashes);
    free(encoder->streams);
    free(encoder);
}

uint32_t payload_encoder_events(const struct payload_encoder *encoder)
{
    return encoder->events;
}

struct payload_counts payload_encoder_counts(const struct payload_encoder *encoder)
{
    return encoder->counts;
}

static void push(struct payload_encoder *encoder, enum payload_column column, uint64_t value)
{
    encoder->column[column][encoder->column_count[column]++] = value;
}

/* Where a head stands in the hash table: its slot or the free one for it. */
static uint32_t head_slot(const struct payload_encoder *encoder, uint64_t head)
{
    uint32_t slot = (uint32_t)((head * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & encoder->head_mask;
    while (encoder->head_table[slot] != 0 && encoder->heads[encoder->head_table[slot] - 1] != head)
        slot = (slot + 1) & encoder->head_mask;
    return slot;
}

/* Number of a head in this block, given at its first use. */
static uint32_t head_index(struct payload_encoder *encoder, uint64_t head)
{
    uint32_t slot = head_slot(encoder, head);
    if (encoder->head_table[slot] == 0) {
        encoder->heads[encoder->head_count] = head;
        encoder->head_table[slot] = ++encoder->head_count;
    }
    return encoder->head_table[slot] - 1;
}

static enum venue_time_mode venue_time_mode(const struct payload_encoder *encoder,
                                            const struct message *message)
{
    int64_t ts = message->ts_venue;
    if (ts == 0)
        return VENUE_TIME_NONE;
    if ((uint64_t)ts == (uint64_t)message->ts_local - encoder->feed_floor)
        return VENUE_TIME_FLOOR;
    if (ts % NS_PER_MS == 0)
        return VENUE_TIME_MILLISECONDS;
    return ts % NS_PER_US == 0 ? VENUE_TIME_MICROSECONDS : VENUE_TIME_NANOSECONDS;
}

static void add_venue_time(struct payload_encoder *encoder, const struct message *message,
                           enum venue_time_mode mode, struct stream_state *stream)
{
    if (mode < VENUE_TIME_MILLISECONDS)
        return;
    int64_t unit = mode == VENUE_TIME_MILLISECONDS   ? NS_PER_MS
                   : mode == VENUE_TIME_MICROSECONDS ? NS_PER_US
                                                     : 1;
    int64_t expected = (int64_t)((uint64_t)message->ts_local - stream->lag);
    int64_t units_off = floor_units(message->ts_venue, unit);
    push(encoder, COLUMN_VENUE_TIME,
         zigzag((uint64_t)units_off - (uint64_t)floor_units(expected, unit)));
    stream->lag = (uint64_t)message->ts_local - (uint64_t)message->ts_venue;
}

static void add_row(struct payload_encoder *encoder, const struct row *row, bool last, bool ordered,
                    struct stream_state *stream)
{
    uint32_t index = encoder->counts.rows++;
    encoder->flags[index] = (uint8_t)((row->flags & ~ROW_LAST) | (last ? ROW_LAST : 0));
    uint64_t *price = &stream->price[row->flags & ROW_SELL];
    bool priced = row->price_status == NUMBER_VALUE;
    push(encoder, COLUMN_PRICE, priced ? zigzag((uint64_t)row->price - *price) : 0);
    if (priced)
        *price = (uint64_t)row->price;
    bool sized = row->quantity_status == NUMBER_VALUE;
    push(encoder, COLUMN_QUANTITY, sized ? (uint64_t)row->quantity : 0);
    if (!priced || !sized) {
        uint8_t *status =
            encoder->statuses + (size_t)encoder->status_count++ * TAPE_PAYLOAD_STATUS_BYTES;
        bytes_put_u32(status, index);
        status[4] = row->price_status;
        status[5] = row->quantity_status;
    }
    if (ordered) {
        encoder->actions[encoder->slot_count++] = row->action;
        push(encoder, COLUMN_SLOT, row->slot);
    }
}

/* Write a record behind those of the block and read it back: 0, or ERROR_INPUT where a reader would
 * refuse it. It counts only once keep_record() is called. */
static int try_record(struct payload_encoder *encoder, const struct event_kind_info *kind,
                      const struct message *message, struct error *error)
{
    uint8_t *out = encoder->records + encoder->record_bytes;
    union event_record read_back;
    size_t length = record_encode(message->kind, message->record, out + 3);
    ASSERT(length <= TAPE_RECORD_BYTES_MAX - 3);
    out[0] = message->kind;
    bytes_put_u16(out + 1, (uint16_t)length);
    int failed = record_decode(message->kind, out + 3, length, &read_back, error);
    return failed == 0 ? payload_check_record(kind, &read_back, encoder->names, error) : failed;
}

static void keep_record(struct payload_encoder *encoder)
{
    uint8_t *out = encoder->records + encoder->record_bytes;
    encoder->record_bytes += 3 + (size_t)bytes_get_u16(out + 1);
    encoder->counts.records++;
}

static const char *row_fault(const struct row *row, bool ordered)
{
    if ((row->flags & ~(ROW_SELL | ROW_LAST | ROW_FROM_SNAPSHOT | ROW_NOT_MARKET)) != 0)
        return "an unknown flag";
    if (row->price_status >= NUMBER_STATUS_COUNT || row->quantity_status >= NUMBER_STATUS_COUNT)
        return "an unknown number status";
    if (!ordered && (row->action != 0 || row->slot != 0))
        return "an order slot or action, which only order-level rows have";
    return NULL;
}

int payload_check_message(const struct message *message, const struct event_names *names,
                          struct error *error)
{
    const struct event_kind_info *kind = event_kind_info(message->kind);
    if (kind == NULL)
        return error_set(error, ERROR_INPUT, "message of unknown kind %u", message->kind);
    if (!payload_stream_is_valid(message->stream, names))
        return error_set(error, ERROR_INPUT,
                         "%s message of stream %u, but the tape has %u "
                         "instruments of %d channels",
                         kind->name, message->stream, names->instrument_count, CHANNEL_COUNT);
    if (!payload_flags_are_valid(message->flags, message->ts_venue != 0))
        return error_set(error, ERROR_INPUT,
                         "%s message with flags 0x%02x%s: expected known flags, and at most one "
                         "that tells what its venue time is",
                         kind->name, message->flags,
                         message->ts_venue != 0 ? " and a venue time" : "");
    if (kind->shape == EVENT_RECORD)
        return 0;
    if (message->row_count > EVENT_ROWS_MAX)
        return error_set(error, ERROR_INPUT, "%s message of %u rows, expected at most %d",
                         kind->name, message->row_count, EVENT_ROWS_MAX);
    for (uint32_t i = 0; i < message->row_count; i++) {
        const char *fault = row_fault(&message->rows[i], message->kind == EVENT_order_level);
        if (fault != NULL)
            return error_set(error, ERROR_INPUT, "row %u of a %s message has %s", i, kind->name,
                             fault);
    }
    return 0;
}

int payload_encoder_add(struct payload_encoder *encoder, const struct message *message,
                        struct error *error)
{
    const struct event_kind_info *kind = event_kind_info(message->kind);
    int failed = payload_check_message(message, encoder->names, error);
    bool is_rows = kind != NULL && kind->shape == EVENT_ROWS;
    if (failed == 0 && !is_rows)
        failed = try_record(encoder, kind, message, error);
    if (failed != 0)
        return failed;
    ASSERT(encoder->counts.messages < encoder->block_events);
    enum venue_time_mode mode = venue_time_mode(encoder, message);
    unsigned empty = is_rows && message->row_count == 0 ? HEAD_EMPTY : 0;
    uint64_t head = (uint64_t)message->kind | (uint64_t)message->flags << 8 |
                    (uint64_t)message->stream << 16 | (uint64_t)(mode | empty) << 32;
    struct stream_state *stream = &encoder->streams[message->stream];
    uint64_t ts = (uint64_t)message->ts_local;
    push(encoder, COLUMN_HEAD, head_index(encoder, head));
    push(encoder, COLUMN_TIME, encoder->counts.messages++ == 0 ? 0 : ts - encoder->last_ts);
    encoder->last_ts = ts;
    add_venue_time(encoder, message, mode, stream);
    push(encoder, COLUMN_SEQUENCE, zigzag(message->sequence - stream->sequence));
    stream->sequence = message->sequence;
    if (is_rows)
        for (uint32_t i = 0; i < message->row_count; i++)
            add_row(encoder, &message->rows[i], i + 1 == message->row_count,
                    message->kind == EVENT_order_level, stream);
    else
        keep_record(encoder);
    encoder->events += is_rows && empty == 0 ? message->row_count : 1;
    return 0;
}

void payload_encoder_add_hash(struct payload_encoder *encoder, uint16_t room, uint64_t hash)
{
    ASSERT(encoder->counts.state_hashes < TAPE_STATE_HASHES_MAX);
    uint8_t *out = encoder->hashes + (size_t)encoder->counts.state_hashes++ * TAPE_STATE_HASH_BYTES;
    bytes_put_u16(out, room);
    bytes_put_u64(out + 2, hash);
}

void payload_encoder_drop_hashes(struct payload_encoder *encoder)
{
    encoder->counts.state_hashes = 0;
}

static uint8_t *append(uint8_t *out, const uint8_t *from, size_t length)
{
    memcpy(out, from, length);
    return out + length;
}

/* Forget the block, so that the next begins with nothing to predict from. */
static void start_anew(struct payload_encoder *encoder)
{
    for (uint32_t h = 0; h < encoder->head_count; h++)
        encoder->streams[(uint16_t)(encoder->heads[h] >> 16)] = (struct stream_state){0};
    /* Heads leave the table in the opposite order of their coming, so that no chain breaks. */
    for (uint32_t h = encoder->head_count; h-- > 0;)
        encoder->head_table[head_slot(encoder, encoder->heads[h])] = 0;
    memset(encoder->column_count, 0, sizeof encoder->column_count);
    encoder->counts = (struct payload_counts){0};
    encoder->events = encoder->head_count = encoder->status_count = encoder->slot_count = 0;
    encoder->record_bytes = 0;
}

size_t payload_encoder_finish(struct payload_encoder *encoder, uint8_t *out)
{
    bytes_put_u32(out, encoder->head_count);
    bytes_put_u32(out + 4, encoder->column_count[COLUMN_VENUE_TIME]);
    bytes_put_u32(out + 8, encoder->slot_count);
    bytes_put_u32(out + 12, encoder->status_count);
    bytes_put_u32(out + 16, (uint32_t)encoder->record_bytes);
    bytes_put_u32(out + 20, 0);
    uint8_t *at = out + TAPE_PAYLOAD_PREFIX_BYTES;
    for (uint32_t h = 0; h < encoder->head_count; h++, at += TAPE_PAYLOAD_HEAD_BYTES)
        bytes_put_u64(at, encoder->heads[h]);
    for (unsigned c = 0; c < PAYLOAD_COLUMNS; c++) {
        size_t data_bytes, escapes;
        at += stream_vbyte_encode(encoder->column[c], encoder->column_count[c], at, &data_bytes,
                                  &escapes);
        bytes_put_u32(out + 24 + (size_t)8 * c, (uint32_t)data_bytes);
        bytes_put_u32(out + 28 + (size_t)8 * c, (uint32_t)escapes);
    }
    at = append(at, encoder->flags, encoder->counts.rows);
    at = append(at, encoder->actions, encoder->slot_count);
    at = append(at, encoder->statuses, (size_t)encoder->status_count * TAPE_PAYLOAD_STATUS_BYTES);
    at = append(at, encoder->records, encoder->record_bytes);
    at = append(at, encoder->hashes, (size_t)encoder->counts.state_hashes * TAPE_STATE_HASH_BYTES);
    start_anew(encoder);
    return (size_t)(at - out);
}
