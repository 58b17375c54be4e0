/* Canonical bytes of messages: the form that tapes, fingerprints and journals are made of. */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "event/event.h"

enum {
    ROW_FLAGS_KNOWN = ROW_SELL | ROW_LAST | ROW_FROM_SNAPSHOT | ROW_NOT_MARKET,
    MESSAGE_FLAGS_KNOWN = MESSAGE_MORE | MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED,
    MESSAGE_FLAGS_TIME = MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED,
    GATES_KNOWN = (1 << GATE_COUNT) - 1
};

/* How a field's member becomes bytes. */
enum storage {
    STORED_8,
    STORED_16,
    STORED_32,
    STORED_64,
    STORED_NUMBER,
    STORED_MONEY,
    STORED_TEXT /* length byte and bytes, in memory as on the tape */
};

static const struct storage_info {
    uint8_t storage;
    uint8_t bytes;
} storages[FIELD_TYPE_COUNT] = {
#define T(type, c_type, size, text)                                                                \
    [FIELD_##type] = {_Generic((c_type *)0, uint8_t *                                              \
                               : STORED_8, int8_t *                                                \
                               : STORED_8, uint16_t *                                              \
                               : STORED_16, uint32_t *                                             \
                               : STORED_32, uint64_t *                                             \
                               : STORED_64, int64_t *                                              \
                               : STORED_64, struct number *                                        \
                               : STORED_NUMBER, money *                                            \
                               : STORED_MONEY, struct venue_id *                                   \
                               : STORED_TEXT, struct event_text *                                  \
                               : STORED_TEXT),                                                     \
                      size},
    EVENT_FIELD_TYPES(T)
#undef T
};

_Static_assert(sizeof(struct venue_id) == 1 + EVENT_VENUE_ID_MAX, "a venue id has no padding");
_Static_assert(sizeof(struct event_text) == 1 + EVENT_TEXT_MAX, "a text has no padding");
_Static_assert(sizeof(struct row) == EVENT_ROW_BYTES, "a row has no padding");
_Static_assert(offsetof(struct row, quantity) == 8 && offsetof(struct row, flags) == 16 &&
                   offsetof(struct row, price_status) == 17 &&
                   offsetof(struct row, quantity_status) == 18 &&
                   offsetof(struct row, action) == 19 && offsetof(struct row, slot) == 20,
               "a row lies in memory in its canonical order");
_Static_assert(GATE_COUNT < 31, "a gate is a bit of GATES");

/* --- a record to bytes: one function a kind, made of its table -------------------------------- */

/* Each writes one member and gives the place behind it. */
static uint8_t *put_u8(uint8_t *to, const uint8_t *member)
{
    *to = *member;
    return to + 1;
}

static uint8_t *put_i8(uint8_t *to, const int8_t *member)
{
    *to = (uint8_t)*member;
    return to + 1;
}

static uint8_t *put_u16(uint8_t *to, const uint16_t *member)
{
    bytes_put_u16(to, *member);
    return to + sizeof *member;
}

static uint8_t *put_u32(uint8_t *to, const uint32_t *member)
{
    bytes_put_u32(to, *member);
    return to + sizeof *member;
}

static uint8_t *put_u64(uint8_t *to, const uint64_t *member)
{
    bytes_put_u64(to, *member);
    return to + sizeof *member;
}

static uint8_t *put_i64(uint8_t *to, const int64_t *member)
{
    bytes_put_u64(to, (uint64_t)*member);
    return to + sizeof *member;
}

static uint8_t *put_number(uint8_t *to, const struct number *number)
{
    ASSERT(number->status < NUMBER_STATUS_COUNT);
    bytes_put_u64(to, number->status == NUMBER_VALUE ? (uint64_t)number->units : 0);
    to[8] = number->status;
    return to + 9;
}

static uint8_t *put_money(uint8_t *to, const money *amount)
{
    bytes_put_i128(to, amount->atto);
    return to + sizeof amount->atto;
}

/* Length byte and bytes; what is behind them is 0, whatever the caller left there. */
static uint8_t *put_text(uint8_t *to, const uint8_t *member, size_t bytes)
{
    size_t used = 1 + (size_t)member[0];

    ASSERT(used <= bytes);
    memcpy(to, member, bytes);
    memset(to + used, 0, bytes - used);
    return to + bytes;
}

static uint8_t *put_venue_id(uint8_t *to, const struct venue_id *id)
{
    return put_text(to, &id->length, sizeof *id);
}

static uint8_t *put_event_text(uint8_t *to, const struct event_text *text)
{
    return put_text(to, &text->length, sizeof *text);
}

#define PUT(member)                                                                                \
    _Generic(&(member), const uint8_t *                                                            \
             : put_u8, const int8_t *                                                              \
             : put_i8, const uint16_t *                                                            \
             : put_u16, const uint32_t *                                                           \
             : put_u32, const uint64_t *                                                           \
             : put_u64, const int64_t *                                                            \
             : put_i64, const struct number *                                                      \
             : put_number, const money *                                                           \
             : put_money, const struct venue_id *                                                  \
             : put_venue_id, const struct event_text *                                             \
             : put_event_text)(to, &(member))

#define F(type, name) to = PUT(fields->name);
#define PUT_ROWS(name)
#define PUT_RECORD(name)                                                                           \
    static uint8_t *put_##name(uint8_t *to, const struct event_##name *fields)                     \
    {                                                                                              \
        FIELDS_##name(F) return to;                                                                \
    }
#define X(name, number, class, shape, meaning) PUT_##shape(name)
EVENT_KINDS_IN(X)
EVENT_KINDS_OUT(X)
#undef X
#undef PUT_RECORD
#undef PUT_ROWS
#undef F

size_t record_encode(unsigned kind, const union event_record *record, uint8_t *out)
{
    switch ((enum event_kind)kind) {
#define CASE_ROWS(name) case EVENT_##name:
#define CASE_RECORD(name)                                                                          \
    case EVENT_##name:                                                                             \
        return (size_t)(put_##name(out, &record->name) - out);
#define X(name, number, class, shape, meaning) CASE_##shape(name)
        EVENT_KINDS_IN(X)
        EVENT_KINDS_OUT(X)
#undef X
#undef CASE_RECORD
#undef CASE_ROWS
    default:
        break;
    }
    ASSERT(false); /* a kind with fields */
    return 0;
}

/* --- bytes to a record ------------------------------------------------------------------------ */

static bool get_number(const uint8_t *from, void *member)
{
    struct number number;

    memset(&number, 0, sizeof number);
    number.units = (int64_t)bytes_get_u64(from);
    number.status = from[8];
    memcpy(member, &number, sizeof number);
    return number.status < NUMBER_STATUS_COUNT &&
           (number.status == NUMBER_VALUE || number.units == 0);
}

static bool get_text(const uint8_t *from, void *member, size_t bytes)
{
    if (from[0] >= bytes)
        return false;
    for (size_t i = 1 + (size_t)from[0]; i < bytes; i++)
        if (from[i] != 0)
            return false;
    memcpy(member, from, bytes);
    return true;
}

static bool is_instrument(uint16_t value)
{
    return value < EVENT_INSTRUMENTS_MAX || value == EVENT_NONE_16;
}

static bool get_8(enum event_field_type type, const uint8_t *from, void *member)
{
    memcpy(member, from, 1);
    if (type == FIELD_EXPONENT)
        return (int8_t)*from >= DECIMAL_EXPONENT_MIN && (int8_t)*from <= DECIMAL_EXPONENT_MAX;
    if (type == FIELD_VENUE)
        return *from < EVENT_VENUES_MAX || *from == EVENT_NONE_8;
    return event_enum_text(type, *from) != NULL;
}

/* Read one field; false where its value lies outside its type. */
static bool get_field(enum event_field_type type, const uint8_t *from, void *member)
{
    const struct storage_info *info = &storages[type];
    uint16_t half;
    uint32_t word;
    uint64_t whole;
    money amount;

    switch ((enum storage)info->storage) {
    case STORED_8:
        return get_8(type, from, member);
    case STORED_16:
        half = bytes_get_u16(from);
        memcpy(member, &half, sizeof half);
        return type == FIELD_INSTRUMENT ? is_instrument(half)
                                        : half < EVENT_ASSETS_MAX || half == EVENT_NONE_16;
    case STORED_32:
        word = bytes_get_u32(from);
        memcpy(member, &word, sizeof word);
        return (word & ~(uint32_t)GATES_KNOWN) == 0;
    case STORED_64:
        whole = bytes_get_u64(from);
        memcpy(member, &whole, sizeof whole);
        return true;
    case STORED_NUMBER:
        return get_number(from, member);
    case STORED_MONEY:
        amount.atto = bytes_get_i128(from);
        memcpy(member, &amount, sizeof amount);
        return amount.atto != (int128)((uint128)1 << 127);
    case STORED_TEXT:
        return get_text(from, member, info->bytes);
    }
    return false;
}

int record_decode(unsigned kind, const uint8_t *bytes, size_t length, union event_record *out,
                  struct error *error)
{
    const struct event_kind_info *info = event_kind_info(kind);
    union event_record record;

    if (info == NULL || info->shape != EVENT_RECORD)
        return error_set(error, ERROR_INPUT, "message kind %u: expected a kind with fields", kind);
    if (length != info->body_bytes)
        return error_set(error, ERROR_INPUT, "%s: %zu bytes, expected %u", info->name, length,
                         (unsigned)info->body_bytes);
    memset(&record, 0, sizeof record);
    for (unsigned i = 0; i < info->field_count; i++) {
        const struct event_field_info *field = &info->fields[i];
        if (!get_field(field->type, bytes, (char *)&record + field->offset))
            return error_set(error, ERROR_INPUT, "%s: field %s: expected %s", info->name,
                             field->name, event_field_type_text(field->type));
        bytes += storages[field->type].bytes;
    }
    *out = record;
    return 0;
}

/* What is wrong with a head, or NULL. */
static const char *head_fault(const struct message *message)
{
    unsigned time = message->flags & MESSAGE_FLAGS_TIME;

    if ((message->flags & ~MESSAGE_FLAGS_KNOWN) != 0)
        return "flags: expected no bits but more, venue time, estimated";
    if (time == MESSAGE_FLAGS_TIME)
        return "flags: expected the venue's time or an estimate, not both";
    if (time == 0 && message->ts_venue != 0)
        return "ts_venue: expected 0 where it is absent";
    if (message->stream != EVENT_NONE_16 &&
        (EVENT_STREAM_INSTRUMENT(message->stream) >= EVENT_INSTRUMENTS_MAX ||
         EVENT_STREAM_CHANNEL(message->stream) >= CHANNEL_COUNT))
        return "stream: expected instrument x 8 + channel, or 65535";
    return NULL;
}

size_t message_encoded_bytes(const struct message *message)
{
    const struct event_kind_info *info = event_kind_info(message->kind);

    ASSERT(info != NULL);
    if (info->shape == EVENT_ROWS)
        return EVENT_HEAD_BYTES + (size_t)message->row_count * EVENT_ROW_BYTES;
    return EVENT_HEAD_BYTES + (size_t)info->body_bytes;
}

static void put_row(uint8_t *to, const struct row *row, bool last)
{
    ASSERT(row->price_status < NUMBER_STATUS_COUNT && row->quantity_status < NUMBER_STATUS_COUNT);
    bytes_put_u64(to, row->price_status == NUMBER_VALUE ? (uint64_t)row->price : 0);
    bytes_put_u64(to + 8, row->quantity_status == NUMBER_VALUE ? (uint64_t)row->quantity : 0);
    to[16] = (uint8_t)((row->flags & ~ROW_LAST) | (last ? ROW_LAST : 0));
    to[17] = row->price_status;
    to[18] = row->quantity_status;
    to[19] = row->action;
    bytes_put_u32(to + 20, row->slot);
}

/* Whether the rows lie in memory as their canonical bytes: on a little-endian machine those of a tape do. */
static bool rows_are_canonical(const struct message *message)
{
    unsigned odd = __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || message->row_count == 0;
    unsigned lasts = 0;
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        odd |= (unsigned)row->price_status | row->quantity_status;
        lasts += (row->flags & ROW_LAST) != 0;
    }
    return odd == 0 && lasts == 1 && (message->rows[message->row_count - 1].flags & ROW_LAST) != 0;
}

size_t message_encode(const struct message *message, uint8_t *out, size_t capacity)
{
    size_t bytes = message_encoded_bytes(message);
    uint8_t *body = out + EVENT_HEAD_BYTES;

    ASSERT(bytes <= capacity);
    ASSERT(message->row_count <= EVENT_ROWS_MAX);
    ASSERT(head_fault(message) == NULL);
    out[0] = message->kind;
    out[1] = message->flags;
    bytes_put_u16(out + 2, message->stream);
    bytes_put_u32(out + 4, (uint32_t)(bytes - EVENT_HEAD_BYTES));
    bytes_put_u64(out + 8, (uint64_t)message->ts_local);
    bytes_put_u64(out + 16, (uint64_t)message->ts_venue);
    bytes_put_u64(out + 24, message->sequence);
    if (event_kind_info(message->kind)->shape == EVENT_RECORD) {
        record_encode(message->kind, message->record, body);
        return bytes;
    }
    if (rows_are_canonical(message)) {
        memcpy(body, message->rows, (size_t)message->row_count * EVENT_ROW_BYTES);
        return bytes;
    }
    for (uint32_t i = 0; i < message->row_count; i++)
        put_row(body + (size_t)i * EVENT_ROW_BYTES, &message->rows[i], i + 1 == message->row_count);
    return bytes;
}

/* What is wrong with a row, or NULL. */
static const char *row_fault(const struct row *row, unsigned kind, bool last)
{
    if ((row->flags & ~ROW_FLAGS_KNOWN) != 0 || ((row->flags & ROW_LAST) != 0) != last)
        return "flags: expected known bits, and the last-row bit on the last row only";
    if (row->price_status >= NUMBER_STATUS_COUNT || row->quantity_status >= NUMBER_STATUS_COUNT)
        return "expected a number status";
    if ((row->price_status != NUMBER_VALUE && row->price != 0) ||
        (row->quantity_status != NUMBER_VALUE && row->quantity != 0))
        return "expected 0 for a number without value";
    if (kind != EVENT_order_level && (row->action != 0 || row->slot != 0))
        return "expected no action and slot";
    return NULL;
}

static int get_rows(unsigned kind, const uint8_t *from, uint32_t count, struct row *rows,
                    struct error *error)
{
    for (uint32_t i = 0; i < count; i++, from += EVENT_ROW_BYTES) {
        rows[i] = (struct row){.price = (int64_t)bytes_get_u64(from),
                               .quantity = (int64_t)bytes_get_u64(from + 8),
                               .flags = from[16],
                               .price_status = from[17],
                               .quantity_status = from[18],
                               .action = from[19],
                               .slot = bytes_get_u32(from + 20)};
        const char *fault = row_fault(&rows[i], kind, i + 1 == count);
        if (fault != NULL)
            return error_set(error, ERROR_INPUT, "%s: row %u: %s", event_kind_info(kind)->name,
                             (unsigned)i, fault);
    }
    return 0;
}

/* Read and check everything before the body. */
static int get_head(const uint8_t *bytes, size_t length, struct message *message, size_t *body,
                    struct error *error)
{
    if (length < EVENT_HEAD_BYTES)
        return error_set(error, ERROR_INPUT, "message: %zu bytes, expected a head of %d", length,
                         EVENT_HEAD_BYTES);
    *message = (struct message){.ts_local = (int64_t)bytes_get_u64(bytes + 8),
                                .ts_venue = (int64_t)bytes_get_u64(bytes + 16),
                                .sequence = bytes_get_u64(bytes + 24),
                                .stream = bytes_get_u16(bytes + 2),
                                .kind = bytes[0],
                                .flags = bytes[1]};
    const struct event_kind_info *info = event_kind_info(message->kind);
    if (info == NULL)
        return error_set(error, ERROR_INPUT, "message kind %u: expected a known kind",
                         (unsigned)message->kind);
    const char *fault = head_fault(message);
    if (fault != NULL)
        return error_set(error, ERROR_INPUT, "%s: %s", info->name, fault);
    *body = bytes_get_u32(bytes + 4);
    if (*body > length - EVENT_HEAD_BYTES)
        return error_set(error, ERROR_INPUT, "%s: %zu bytes of body, expected %zu", info->name,
                         length - EVENT_HEAD_BYTES, *body);
    return 0;
}

int message_decode(const uint8_t *bytes, size_t length, struct row *rows, size_t row_capacity,
                   union event_record *record, struct message *out, size_t *used,
                   struct error *error)
{
    struct message message;
    size_t body = 0;

    int result = get_head(bytes, length, &message, &body, error);
    if (result != 0)
        return result;
    const struct event_kind_info *info = event_kind_info(message.kind);
    if (info->shape == EVENT_RECORD) {
        result = record_decode(message.kind, bytes + EVENT_HEAD_BYTES, body, record, error);
        message.record = record;
    } else if (body % EVENT_ROW_BYTES != 0 || body / EVENT_ROW_BYTES > row_capacity ||
               body / EVENT_ROW_BYTES > EVENT_ROWS_MAX) {
        result = error_set(error, ERROR_INPUT, "%s: %zu bytes of rows, expected at most %zu rows",
                           info->name, body, row_capacity);
    } else {
        message.row_count = (uint32_t)(body / EVENT_ROW_BYTES);
        message.rows = rows;
        result = get_rows(message.kind, bytes + EVENT_HEAD_BYTES, message.row_count, rows, error);
    }
    if (result != 0)
        return result;
    *out = message;
    *used = EVENT_HEAD_BYTES + body;
    return 0;
}
