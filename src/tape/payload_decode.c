/* A block's payload to messages and rows. Everything that a payload claims is checked before it is
 * used; the loop over rows has no branch but the end of a message. */
#include "tape/format.h"
#include "tape/payload.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "tape/stream_vbyte.h"

/* A distinct combination of kind, flags, stream and venue-time mode. */
struct head {
    struct stream_state *stream;
    uint32_t messages; /* that have it */
    uint16_t stream_number;
    uint8_t kind, flags, mode;
    bool is_record, has_rows;
};

struct payload_decoder {
    struct payload_counts most;
    uint64_t feed_floor;
    const struct event_names *names;
    bool accelerate;
    struct head *heads;
    struct stream_state *streams;
    uint64_t *column[PAYLOAD_COLUMNS];
};

/* A payload taken apart. Every part lies within it. */
struct parts {
    uint32_t heads, venue_times, slots, statuses;
    uint32_t with_rows, order_levels, with_records; /* messages, by their heads */
    const uint8_t *head_bytes, *flags, *actions, *status_bytes, *records, *records_end, *hashes;
    struct stream_vbyte column[PAYLOAD_COLUMNS];
    uint32_t column_count[PAYLOAD_COLUMNS];
};

static void *take(size_t count, size_t size, bool *failed)
{
    void *memory = malloc(count * size + size);
    *failed |= memory == NULL;
    return memory;
}

struct payload_decoder *payload_decoder_make(struct payload_counts most, int64_t feed_floor_ns,
                                             const struct event_names *names, bool accelerate)
{
    struct payload_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    *decoder = (struct payload_decoder){
        .most = most,
        .feed_floor = (uint64_t)feed_floor_ns,
        .names = names,
        .accelerate = accelerate && stream_vbyte_can_accelerate(),
    };
    bool failed = false;
    for (unsigned c = 0; c < PAYLOAD_COLUMNS; c++) {
        size_t count = c < COLUMN_PRICE ? most.messages : most.rows;
        decoder->column[c] = take(count + 4, sizeof(uint64_t), &failed);
    }
    decoder->heads = take(most.messages, sizeof *decoder->heads, &failed);
    decoder->streams = take(TAPE_STREAMS, sizeof *decoder->streams, &failed);
    if (failed) {
        payload_decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

void payload_decoder_free(struct payload_decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (unsigned c = 0; c < PAYLOAD_COLUMNS; c++)
        free(decoder->column[c]);
    free(decoder->heads);
    free(decoder->streams);
    free(decoder);
}

static int fault(struct error *error, const char *what)
{
    return error_set(error, ERROR_INPUT, "the payload's %s", what);
}

/* Give the next `length` bytes of what is left; NULL where there are fewer. */
static const uint8_t *cut(const uint8_t **at, size_t *left, size_t length)
{
    if (*left < length)
        return NULL;
    const uint8_t *part = *at;
    *at += length;
    *left -= length;
    return part;
}

/* Take the payload apart; its lengths must add up exactly. */
static bool take_apart(const uint8_t *payload, size_t length, const struct tape_block *block,
                       struct parts *parts)
{
    const uint8_t *at = payload;
    const uint8_t *prefix = cut(&at, &length, TAPE_PAYLOAD_PREFIX_BYTES);
    if (prefix == NULL || bytes_get_u32(prefix + 20) != 0)
        return false;
    parts->heads = bytes_get_u32(prefix);
    parts->venue_times = bytes_get_u32(prefix + 4);
    parts->slots = bytes_get_u32(prefix + 8);
    parts->statuses = bytes_get_u32(prefix + 12);
    if (parts->heads > block->message_count || parts->venue_times > block->message_count ||
        parts->slots > block->row_count || parts->statuses > block->row_count)
        return false;
    bool whole = (parts->head_bytes =
                      cut(&at, &length, (size_t)parts->heads * TAPE_PAYLOAD_HEAD_BYTES)) != NULL;
    for (unsigned c = 0; c < PAYLOAD_COLUMNS && whole; c++) {
        struct stream_vbyte *column = &parts->column[c];
        uint32_t count = c < COLUMN_PRICE ? block->message_count : block->row_count;
        count = c == COLUMN_VENUE_TIME ? parts->venue_times : count;
        count = c == COLUMN_SLOT ? parts->slots : count;
        parts->column_count[c] = count;
        column->data_bytes = bytes_get_u32(prefix + 24 + (size_t)8 * c);
        column->escape_count = bytes_get_u32(prefix + 28 + (size_t)8 * c);
        whole = column->escape_count <= count;
        column->control = whole ? cut(&at, &length, stream_vbyte_control_bytes(count)) : NULL;
        whole = column->control != NULL;
        column->data = whole ? cut(&at, &length, column->data_bytes) : NULL;
        whole = column->data != NULL;
        column->escapes =
            whole ? cut(&at, &length, column->escape_count * STREAM_VBYTE_ESCAPE_BYTES) : NULL;
        whole = column->escapes != NULL;
    }
    if (!whole || (parts->flags = cut(&at, &length, block->row_count)) == NULL ||
        (parts->actions = cut(&at, &length, parts->slots)) == NULL)
        return false;
    parts->status_bytes = cut(&at, &length, (size_t)parts->statuses * TAPE_PAYLOAD_STATUS_BYTES);
    parts->records = cut(&at, &length, bytes_get_u32(prefix + 16));
    parts->hashes = cut(&at, &length, (size_t)block->state_hash_count * TAPE_STATE_HASH_BYTES);
    if (parts->status_bytes == NULL || parts->records == NULL || parts->hashes == NULL)
        return false;
    parts->records_end = parts->records + bytes_get_u32(prefix + 16);
    return length == 0;
}

/* Read the heads; their streams start anew. */
static int decode_heads(struct payload_decoder *decoder, const struct parts *parts,
                        struct error *error)
{
    for (uint32_t h = 0; h < parts->heads; h++) {
        uint64_t bits = bytes_get_u64(parts->head_bytes + (size_t)h * TAPE_PAYLOAD_HEAD_BYTES);
        struct head *head = &decoder->heads[h];
        *head = (struct head){.kind = (uint8_t)bits,
                              .flags = (uint8_t)(bits >> 8),
                              .stream_number = (uint16_t)(bits >> 16),
                              .mode = (uint8_t)(bits >> 32) & HEAD_TIME_MASK};
        head->stream = &decoder->streams[head->stream_number];
        *head->stream = (struct stream_state){0};
        const struct event_kind_info *kind = event_kind_info(head->kind);
        if (kind == NULL)
            return error_set(error, ERROR_INPUT, "message kind %u is unknown to format version %d",
                             head->kind, TAPE_VERSION);
        bool empty = (bits >> 32 & HEAD_EMPTY) != 0;
        head->is_record = kind->shape == EVENT_RECORD;
        head->has_rows = !head->is_record && !empty;
        if (bits >> 36 != 0 || head->mode >= VENUE_TIME_MODES || (head->is_record && empty) ||
            !payload_flags_are_valid(head->flags, head->mode != VENUE_TIME_NONE))
            return fault(error, "head has unknown bits");
        if (!payload_stream_is_valid(head->stream_number, decoder->names))
            return error_set(error, ERROR_INPUT,
                             "a message of stream %u, but the header has %u instruments",
                             head->stream_number, decoder->names->instrument_count);
    }
    return 0;
}

static int decode_columns(struct payload_decoder *decoder, const struct parts *parts,
                          struct error *error)
{
    static const char *const names[PAYLOAD_COLUMNS] = {
        [COLUMN_HEAD] = "column of heads is damaged",
        [COLUMN_TIME] = "column of times is damaged",
        [COLUMN_VENUE_TIME] = "column of venue times is damaged",
        [COLUMN_SEQUENCE] = "column of sequences is damaged",
        [COLUMN_PRICE] = "column of prices is damaged",
        [COLUMN_QUANTITY] = "column of quantities is damaged",
        [COLUMN_SLOT] = "column of slots is damaged",
    };
    for (unsigned c = 0; c < PAYLOAD_COLUMNS; c++)
        if (!stream_vbyte_decode(&parts->column[c], parts->column_count[c], decoder->column[c],
                                 decoder->accelerate))
            return fault(error, names[c]);
    return 0;
}

/* Venue time of one message. `at` is the place in its column, moved past what was used. */
static uint64_t venue_time(const struct head *head, uint64_t ts_local, uint64_t feed_floor,
                           const uint64_t *values, uint32_t *at)
{
    if (head->mode < VENUE_TIME_MILLISECONDS)
        return head->mode == VENUE_TIME_NONE ? 0 : ts_local - feed_floor;
    int64_t expected = (int64_t)(ts_local - head->stream->lag);
    uint64_t change = unzigzag(values[(*at)++]), ts;
    if (head->mode == VENUE_TIME_MILLISECONDS)
        ts = ((uint64_t)floor_units(expected, NS_PER_MS) + change) * (uint64_t)NS_PER_MS;
    else if (head->mode == VENUE_TIME_MICROSECONDS)
        ts = ((uint64_t)floor_units(expected, NS_PER_US) + change) * (uint64_t)NS_PER_US;
    else
        ts = (uint64_t)expected + change;
    head->stream->lag = ts_local - ts;
    return ts;
}

/* Count the messages of each head, and from these what the rest of the payload must fit. How many venue
 * times the heads call for is known only then; none is read before. */
static int count_messages(struct payload_decoder *decoder, struct parts *parts,
                          struct tape_block *block, struct error *error)
{
    const uint64_t *heads = decoder->column[COLUMN_HEAD];
    uint32_t venue_times = 0;
    for (uint32_t m = 0; m < block->message_count; m++) {
        if (heads[m] >= parts->heads)
            return fault(error, "column of heads has a number beyond the heads");
        decoder->heads[heads[m]].messages++;
    }
    parts->with_rows = parts->order_levels = parts->with_records = 0;
    block->has_snapshot = false;
    for (uint32_t h = 0; h < parts->heads; h++) {
        const struct head *head = &decoder->heads[h];
        venue_times += head->mode >= VENUE_TIME_MILLISECONDS ? head->messages : 0;
        parts->with_rows += head->has_rows ? head->messages : 0;
        parts->with_records += head->is_record ? head->messages : 0;
        parts->order_levels += head->kind == EVENT_order_level ? head->messages : 0;
        block->has_snapshot |= head->kind == EVENT_snapshot && head->messages > 0;
    }
    if (venue_times != parts->venue_times)
        return fault(error, "venue times are not as many as its heads call for");
    return 0;
}

/* Fill the messages, all but their rows and records. */
static int decode_messages(struct payload_decoder *decoder, struct tape_block *block,
                           struct error *error)
{
    const uint64_t *heads = decoder->column[COLUMN_HEAD], *times = decoder->column[COLUMN_TIME];
    const uint64_t *sequences = decoder->column[COLUMN_SEQUENCE];
    uint64_t ts = (uint64_t)block->first_ts;
    bool backwards = false;
    uint32_t venue_at = 0;
    for (uint32_t m = 0; m < block->message_count; m++) {
        const struct head *head = &decoder->heads[heads[m]];
        uint64_t next = ts + times[m];
        backwards |= (int64_t)next < (int64_t)ts;
        ts = next;
        struct message *message = &block->messages[m];
        message->ts_local = (int64_t)ts;
        message->ts_venue = (int64_t)venue_time(head, ts, decoder->feed_floor,
                                                decoder->column[COLUMN_VENUE_TIME], &venue_at);
        head->stream->sequence += unzigzag(sequences[m]);
        message->sequence = head->stream->sequence;
        message->stream = head->stream_number;
        message->kind = head->kind;
        message->flags = head->flags;
        message->row_count = 0;
        message->rows = NULL;
        message->record = NULL;
    }
    if (backwards || times[0] != 0 || (int64_t)ts != block->last_ts)
        return fault(error, "times don't run from the header's first to its last");
    return 0;
}

/* Every row's flags are known ones, and as many are a message's last as messages have rows. So the
 * loop over rows can follow the last-bit without looking at its bounds. */
static bool check_flags(const struct parts *parts, const struct tape_block *block)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint32_t rows = block->row_count, i = 0;
    uint64_t last = 0, unknown = 0;
    for (; i + 8 <= rows; i += 8) {
        uint64_t eight;
        memcpy(&eight, parts->flags + i, sizeof eight);
        last += (eight >> 1 & ones) * ones >> 56;
        unknown |= eight & 0xf0 * ones;
    }
    for (; i < rows; i++) {
        last += parts->flags[i] >> 1 & 1;
        unknown |= parts->flags[i] & 0xf0;
    }
    return unknown == 0 && last == parts->with_rows &&
           (rows == 0 || (parts->flags[rows - 1] & ROW_LAST) != 0);
}

/* flags, both statuses, action and slot of an ordinary row as one word in memory order. */
static inline void put_ordinary(struct row *row, uint8_t flags)
{
    uint64_t word = BYTES_SWAP_64((uint64_t)flags);
    memcpy(&row->flags, &word, sizeof word);
}

/* Rows from `i` up to and with the next that is a message's last. Returns the index after it. */
static inline uint32_t decode_rows_of(struct row *restrict rows, uint32_t i,
                                      const uint8_t *restrict flags,
                                      const uint64_t *restrict changes,
                                      const uint64_t *restrict quantities,
                                      struct stream_state *restrict stream)
{
    uint8_t flag;
    do {
        flag = flags[i];
        uint64_t price = stream->price[flag & ROW_SELL] + unzigzag(changes[i]);
        stream->price[flag & ROW_SELL] = price;
        rows[i].price = (int64_t)price;
        rows[i].quantity = (int64_t)quantities[i];
        put_ordinary(&rows[i], flag);
        i++;
    } while ((flag & ROW_LAST) == 0);
    return i;
}

static int decode_rows(struct payload_decoder *decoder, const struct parts *parts,
                       struct tape_block *block, struct error *error)
{
    _Static_assert(sizeof(struct row) == 24, "a row is 24 bytes");
    const uint64_t *heads = decoder->column[COLUMN_HEAD];
    const uint64_t *changes = decoder->column[COLUMN_PRICE];
    const uint64_t *quantities = decoder->column[COLUMN_QUANTITY];
    uint32_t i = 0;
    if (!check_flags(parts, block))
        return fault(error, "row flags don't fit its messages");
    for (uint32_t m = 0; m < block->message_count; m++) {
        const struct head *head = &decoder->heads[heads[m]];
        if (!head->has_rows)
            continue;
        uint32_t end =
            decode_rows_of(block->rows, i, parts->flags, changes, quantities, head->stream);
        block->messages[m].rows = &block->rows[i];
        block->messages[m].row_count = end - i;
        if (end - i > EVENT_ROWS_MAX)
            return fault(error, "message has too many rows");
        i = end;
    }
    return 0;
}

/* Give the rows without ordinary numbers their statuses. */
static int decode_statuses(const struct parts *parts, struct tape_block *block, struct error *error)
{
    uint32_t least = 0;
    for (uint32_t s = 0; s < parts->statuses; s++) {
        const uint8_t *bytes = parts->status_bytes + (size_t)s * TAPE_PAYLOAD_STATUS_BYTES;
        uint32_t index = bytes_get_u32(bytes);
        if (index < least || index >= block->row_count || bytes[4] >= NUMBER_STATUS_COUNT ||
            bytes[5] >= NUMBER_STATUS_COUNT || (bytes[4] | bytes[5]) == NUMBER_VALUE)
            return fault(error, "list of number statuses is damaged");
        struct row *row = &block->rows[index];
        row->price_status = bytes[4];
        row->quantity_status = bytes[5];
        if (bytes[4] != NUMBER_VALUE)
            row->price = 0;
        if (bytes[5] != NUMBER_VALUE)
            row->quantity = 0;
        least = index + 1;
    }
    return 0;
}

/* Give the rows of order-level messages their action and slot. */
static int decode_order_levels(const struct payload_decoder *decoder, const struct parts *parts,
                               struct tape_block *block, struct error *error)
{
    const uint64_t *slots = decoder->column[COLUMN_SLOT];
    uint32_t at = 0, messages = parts->order_levels > 0 ? block->message_count : 0;
    for (uint32_t m = 0; m < messages; m++) {
        const struct message *message = &block->messages[m];
        if (message->kind != EVENT_order_level || message->row_count == 0)
            continue;
        if (message->row_count > parts->slots - at)
            return fault(error, "slots are fewer than its order-level rows");
        struct row *rows = block->rows + (message->rows - block->rows);
        for (uint32_t i = 0; i < message->row_count; i++, at++) {
            if (slots[at] > UINT32_MAX)
                return fault(error, "slot is beyond 32 bits");
            rows[i].action = parts->actions[at];
            rows[i].slot = (uint32_t)slots[at];
        }
    }
    return at == parts->slots ? 0 : fault(error, "slots are more than its order-level rows");
}

/* Read the records in order, one for each message that is one. */
static int decode_records(const struct payload_decoder *decoder, const struct parts *parts,
                          struct tape_block *block, struct error *error)
{
    const uint8_t *at = parts->records;
    uint32_t count = 0, messages = parts->with_records > 0 ? block->message_count : 0;
    const uint64_t *heads = decoder->column[COLUMN_HEAD];
    for (uint32_t m = 0; m < messages; m++) {
        const struct head *head = &decoder->heads[heads[m]];
        if (!head->is_record)
            continue;
        if (count == block->record_count || parts->records_end - at < 3 || at[0] != head->kind)
            return fault(error, "records don't fit its messages");
        size_t length = bytes_get_u16(at + 1);
        if ((size_t)(parts->records_end - at - 3) < length)
            return fault(error, "last record is cut");
        union event_record *record = &block->records[count++];
        int failed = record_decode(head->kind, at + 3, length, record, error);
        if (failed == 0)
            failed =
                payload_check_record(event_kind_info(head->kind), record, decoder->names, error);
        if (failed != 0)
            return failed;
        block->messages[m].record = record;
        at += 3 + length;
    }
    if (count != block->record_count || at != parts->records_end)
        return fault(error, "records don't fit its messages");
    return 0;
}

static void decode_hashes(const struct parts *parts, struct tape_block *block)
{
    for (uint32_t h = 0; h < block->state_hash_count; h++) {
        const uint8_t *bytes = parts->hashes + (size_t)h * TAPE_STATE_HASH_BYTES;
        block->state_hashes[h] = (struct tape_state_hash){.room = bytes_get_u16(bytes),
                                                          .hash = bytes_get_u64(bytes + 2)};
    }
}

int payload_decode(struct payload_decoder *decoder, const uint8_t *payload, size_t length,
                   struct tape_block *block, struct error *error)
{
    ASSERT(block->message_count <= decoder->most.messages && block->message_count > 0);
    ASSERT(block->row_count <= decoder->most.rows);
    struct parts parts;
    if (!take_apart(payload, length, block, &parts))
        return fault(error, "lengths don't add up");
    int failed = decode_heads(decoder, &parts, error);
    if (failed == 0)
        failed = decode_columns(decoder, &parts, error);
    if (failed == 0)
        failed = count_messages(decoder, &parts, block, error);
    if (failed == 0)
        failed = decode_messages(decoder, block, error);
    if (failed == 0)
        failed = decode_rows(decoder, &parts, block, error);
    if (failed == 0)
        failed = decode_statuses(&parts, block, error);
    if (failed == 0)
        failed = decode_order_levels(decoder, &parts, block, error);
    if (failed == 0)
        failed = decode_records(decoder, &parts, block, error);
    if (failed == 0)
        decode_hashes(&parts, block);
    return failed;
}

int payload_check_record(const struct event_kind_info *kind, const union event_record *record,
                         const struct event_names *names, struct error *error)
{
    for (unsigned f = 0; f < kind->field_count; f++) {
        const struct event_field_info *field = &kind->fields[f];
        const uint8_t *at = (const uint8_t *)record + field->offset;
        unsigned count = names->instrument_count;
        uint16_t number = 0;
        if (field->type == FIELD_VENUE) {
            number = *at == EVENT_NONE_8 ? EVENT_NONE_16 : *at;
            count = names->venue_count;
        } else if (field->type == FIELD_INSTRUMENT || field->type == FIELD_ASSET) {
            memcpy(&number, at, sizeof number);
            count = field->type == FIELD_ASSET ? names->asset_count : count;
        } else {
            continue;
        }
        if (number != EVENT_NONE_16 && number >= count)
            return error_set(error, ERROR_INPUT, "%s record's %s is %u, but the tape has %u",
                             kind->name, field->name, number, count);
    }
    return 0;
}
