/* Canonical text of messages: one line each, exact. */
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "event/text.h"

static void put_time(struct text_sink *sink, int64_t time_ns)
{
    char text[TIME_TEXT_MAX];

    if (time_ns == TIME_NEVER)
        text_put_string(sink, "never");
    else
        text_put(sink, text, time_to_text(time_ns, text));
}

/* A field has 0 where there is no such time; the head of a message always has one. */
static void put_time_field(struct text_sink *sink, int64_t time_ns)
{
    if (time_ns == 0)
        text_put_string(sink, "absent");
    else
        put_time(sink, time_ns);
}

static void put_duration(struct text_sink *sink, int64_t duration_ns)
{
    char text[TIME_TEXT_MAX];
    text_put(sink, text, duration_to_text(duration_ns, text));
}

static void put_decimal(struct text_sink *sink, int64_t units, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    text_put(sink, text, decimal_to_text(units, exponent, text));
}

static void put_number(struct text_sink *sink, int64_t units, unsigned status, int exponent)
{
    if (status == NUMBER_VALUE)
        put_decimal(sink, units, exponent);
    else
        text_put_string(sink, number_status_name(status));
}

static void put_rate(struct text_sink *sink, int64_t rate)
{
    char text[MONEY_TEXT_MAX];
    money amount;

    bool fits = money_from_units(rate, RATE_EXPONENT, &amount);
    ASSERT(fits);
    text_put(sink, text, money_to_text(amount, text));
}

static void put_money(struct text_sink *sink, money amount)
{
    char text[MONEY_TEXT_MAX];
    text_put(sink, text, money_to_text(amount, text));
}

/* A number that the names do not know still reads back. */
static void put_unknown(struct text_sink *sink, unsigned number)
{
    text_put_byte(sink, '?');
    text_put_unsigned(sink, number);
}

static void put_instrument(struct text_sink *sink, const struct event_names *names,
                           unsigned instrument)
{
    char name[EVENT_INSTRUMENT_NAME_MAX];

    if (instrument == EVENT_NONE_16)
        text_put_byte(sink, '-');
    else if (instrument < names->instrument_count)
        text_put(sink, name, event_instrument_name(names, instrument, name));
    else
        put_unknown(sink, instrument);
}

static void put_name(struct text_sink *sink, const char *const *names, unsigned count,
                     unsigned number, unsigned none)
{
    if (number == none)
        text_put_byte(sink, '-');
    else if (number < count)
        text_put_string(sink, names[number]);
    else
        put_unknown(sink, number);
}

static void put_order(struct text_sink *sink, order_id order)
{
    if (order == 0) {
        text_put_byte(sink, '-');
        return;
    }
    text_put_byte(sink, '#');
    if (order >> 32 != 0) {
        text_put_unsigned(sink, order >> 32);
        text_put_byte(sink, '.');
    }
    text_put_unsigned(sink, order & UINT32_MAX);
}

static void put_hexadecimal(struct text_sink *sink, uint32_t bits)
{
    static const char digits[] = "0123456789abcdef";
    int shift = 28;

    text_put_string(sink, "0x");
    while (shift > 0 && bits >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        text_put_byte(sink, digits[bits >> shift & 0xf]);
}

/* Printable ASCII stands as it is; quote and backslash behind a backslash; the rest as \xNN. */
static void put_quoted(struct text_sink *sink, const uint8_t *member)
{
    static const char digits[] = "0123456789abcdef";

    text_put_byte(sink, '"');
    for (unsigned i = 0; i < member[0]; i++) {
        uint8_t byte = member[1 + i];
        if (byte < 0x20 || byte >= 0x7f) {
            char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 0xf]};
            text_put(sink, escape, sizeof escape);
            continue;
        }
        if (byte == '"' || byte == '\\')
            text_put_byte(sink, '\\');
        text_put_byte(sink, (char)byte);
    }
    text_put_byte(sink, '"');
}

/* Fields of one byte: enumerations, exponents, venues. */
static void put_byte_field(struct text_sink *sink, const struct event_names *names,
                           enum event_field_type type, uint8_t value)
{
    if (type == FIELD_EXPONENT) {
        put_decimal(sink, (int8_t)value, 0);
    } else if (type == FIELD_VENUE) {
        put_name(sink, names->venues, names->venue_count, value, EVENT_NONE_8);
    } else {
        const char *text = event_enum_text(type, value);
        ASSERT(text != NULL);
        text_put_string(sink, text);
    }
}

/* Fields of eight bytes. */
static void put_integer_field(struct text_sink *sink, enum event_field_type type, uint64_t value)
{
    if (type == FIELD_ORDER)
        put_order(sink, value);
    else if (type == FIELD_COUNT)
        text_put_unsigned(sink, value);
    else if (type == FIELD_TIME)
        put_time_field(sink, (int64_t)value);
    else if (type == FIELD_DURATION)
        put_duration(sink, (int64_t)value);
    else if (type == FIELD_RATE)
        put_rate(sink, (int64_t)value);
    else
        put_decimal(sink, (int64_t)value, 0);
}

static void put_field(struct text_sink *sink, const struct event_names *names,
                      const struct text_units *units, enum event_field_type type,
                      const void *member)
{
    uint64_t whole;
    uint32_t bits;
    uint16_t half;
    struct number number;
    money amount;

    if (type == FIELD_PRICE || type == FIELD_QUANTITY) {
        memcpy(&number, member, sizeof number);
        put_number(sink, number.units, number.status,
                   type == FIELD_PRICE ? units->price_exponent : units->quantity_exponent);
    } else if (type == FIELD_MONEY) {
        memcpy(&amount, member, sizeof amount);
        put_money(sink, amount);
    } else if (type == FIELD_VENUE_ID || type == FIELD_TEXT) {
        put_quoted(sink, member);
    } else if (type == FIELD_INSTRUMENT || type == FIELD_ASSET) {
        memcpy(&half, member, sizeof half);
        if (type == FIELD_INSTRUMENT)
            put_instrument(sink, names, half);
        else
            put_name(sink, names->assets, names->asset_count, half, EVENT_NONE_16);
    } else if (type == FIELD_GATES) {
        memcpy(&bits, member, sizeof bits);
        put_hexadecimal(sink, bits);
    } else if (event_field_bytes(type) == 1) {
        put_byte_field(sink, names, type, *(const uint8_t *)member);
    } else {
        memcpy(&whole, member, sizeof whole);
        put_integer_field(sink, type, whole);
    }
}

/* All fields; an instrument that the head names already is left out. */
static void put_record(struct text_sink *sink, const struct event_names *names,
                       const struct message *message, const struct event_kind_info *info)
{
    uint16_t instrument = text_stream_instrument(message->stream);
    uint16_t of_head = instrument;

    for (unsigned i = 0; i < info->field_count; i++) {
        const struct event_field_info *field = &info->fields[i];
        const void *member = (const char *)message->record + field->offset;
        if (field->type == FIELD_INSTRUMENT) {
            memcpy(&instrument, member, sizeof instrument);
            if (instrument == of_head)
                continue;
        }
        struct text_units units = text_units_of(names, instrument);
        text_put_byte(sink, ' ');
        text_put_string(sink, field->name);
        text_put_byte(sink, '=');
        put_field(sink, names, &units, field->type, member);
    }
}

static void put_row(struct text_sink *sink, const struct row *row, unsigned kind,
                    const struct text_units *units)
{
    bool snapshot = (row->flags & ROW_FROM_SNAPSHOT) != 0;
    bool sell = (row->flags & ROW_SELL) != 0;

    if (snapshot != (kind == EVENT_snapshot))
        text_put_string(sink, snapshot ? " snapshot" : " held");
    if (kind == EVENT_trade)
        text_put_string(sink, sell ? " sell " : " buy ");
    else
        text_put_string(sink, sell ? " ask " : " bid ");
    put_number(sink, row->price, row->price_status, units->price_exponent);
    text_put_byte(sink, '*');
    put_number(sink, row->quantity, row->quantity_status, units->quantity_exponent);
    if ((row->flags & ROW_NOT_MARKET) != 0)
        text_put_string(sink, " not_market");
    if (kind == EVENT_order_level) {
        text_put_string(sink, " action=");
        text_put_unsigned(sink, row->action);
        text_put_string(sink, " slot=");
        text_put_unsigned(sink, row->slot);
    }
}

static void put_head(struct text_sink *sink, const struct event_names *names,
                     const struct message *message, const struct event_kind_info *info)
{
    put_time(sink, message->ts_local);
    text_put_byte(sink, ' ');
    text_put_string(sink, info->name);
    text_put_byte(sink, ' ');
    put_instrument(sink, names, text_stream_instrument(message->stream));
    if (message->stream != EVENT_NONE_16) {
        unsigned channel = EVENT_STREAM_CHANNEL(message->stream);
        ASSERT(channel < CHANNEL_COUNT);
        if (channel != event_default_channel(message->kind)) {
            text_put_string(sink, " channel=");
            text_put_string(sink, text_channel_name(channel));
        }
    }
    if (message->sequence != 0) {
        text_put_string(sink, " sequence=");
        text_put_unsigned(sink, message->sequence);
    }
    if ((message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED)) != 0) {
        text_put_string(sink, " venue_time=");
        if ((message->flags & MESSAGE_VENUE_ESTIMATED) != 0)
            text_put_string(sink, "estimated:");
        put_time(sink, message->ts_venue);
    }
    if ((message->flags & MESSAGE_MORE) != 0)
        text_put_string(sink, " more");
}

size_t message_to_text(const struct message *message, const struct event_names *names, char *out,
                       size_t capacity)
{
    const struct event_kind_info *info = event_kind_info(message->kind);
    struct text_sink sink = {out, capacity, 0};

    ASSERT(info != NULL);
    put_head(&sink, names, message, info);
    if (info->shape == EVENT_RECORD) {
        put_record(&sink, names, message, info);
        return text_finish(&sink);
    }
    struct text_units units = text_units_of(names, text_stream_instrument(message->stream));
    for (uint32_t i = 0; i < message->row_count; i++)
        put_row(&sink, &message->rows[i], message->kind, &units);
    return text_finish(&sink);
}

size_t event_field_to_text(const struct message *message, const struct event_names *names,
                           unsigned field_index, char *out, size_t capacity)
{
    const struct event_kind_info *info = event_kind_info(message->kind);
    struct text_sink sink = {out, capacity, 0};

    ASSERT(info != NULL && info->shape == EVENT_RECORD && field_index < info->field_count);
    const struct event_field_info *field = &info->fields[field_index];
    struct text_units units = text_units_of(names, message_instrument(message));
    put_field(&sink, names, &units, field->type, (const char *)message->record + field->offset);
    return text_finish(&sink);
}

uint16_t message_instrument(const struct message *message)
{
    const struct event_kind_info *info = event_kind_info(message->kind);
    uint16_t instrument = text_stream_instrument(message->stream);

    for (unsigned i = 0; instrument == EVENT_NONE_16 && i < info->field_count; i++)
        if (info->fields[i].type == FIELD_INSTRUMENT)
            memcpy(&instrument, (const char *)message->record + info->fields[i].offset,
                   sizeof instrument);
    return instrument;
}
