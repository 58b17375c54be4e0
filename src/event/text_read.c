/* Canonical text back to messages: strict, so that a line has one meaning or an error with a column. */
#include <string.h>

#include "base/time.h"
#include "event/text.h"

/* A line under way. Errors are set where they are found; functions then return false. */
struct reader {
    const char *start;
    const char *at;
    const char *end;
    const struct event_names *names;
    struct error *error;
};

struct word {
    const char *text;
    size_t length;
};

static bool expected(const struct reader *reader, const char *what)
{
    error_set(reader->error, ERROR_INPUT, "column %zu: expected %s",
              (size_t)(reader->at - reader->start) + 1, what);
    return false;
}

static bool expected_field(const struct reader *reader, const char *name, const char *what)
{
    error_set(reader->error, ERROR_INPUT, "column %zu: field %s: expected %s",
              (size_t)(reader->at - reader->start) + 1, name, what);
    return false;
}

static void skip_spaces(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
}

static bool at_end(struct reader *reader)
{
    skip_spaces(reader);
    return reader->at == reader->end;
}

/* What stands from here to the next space. */
static struct word peek_word(const struct reader *reader)
{
    const char *end = reader->at;
    while (end < reader->end && *end != ' ')
        end++;
    return (struct word){reader->at, (size_t)(end - reader->at)};
}

static bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.text, text, word.length) == 0;
}

/* Take the next word if it is `text`. */
static bool take_word(struct reader *reader, const char *text)
{
    skip_spaces(reader);
    struct word word = peek_word(reader);
    if (!word_is(word, text))
        return false;
    reader->at += word.length;
    return true;
}

/* Take "name=" if the next word begins so; what follows is the value. */
static bool take_name(struct reader *reader, const char *name)
{
    size_t length = strlen(name);

    skip_spaces(reader);
    if ((size_t)(reader->end - reader->at) <= length || memcmp(reader->at, name, length) != 0 ||
        reader->at[length] != '=')
        return false;
    reader->at += length + 1;
    return true;
}

static bool read_unsigned(struct word word, uint64_t most, uint64_t *value)
{
    uint64_t sum = 0;

    if (word.length == 0)
        return false;
    for (size_t i = 0; i < word.length; i++) {
        unsigned digit = (unsigned)(word.text[i] - '0');
        if (word.text[i] < '0' || digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, digit, &sum) || sum > most)
            return false;
    }
    *value = sum;
    return true;
}

static bool read_signed(struct word word, int exponent, int64_t *value)
{
    struct number number = number_from_text(word.text, word.length, exponent);
    if (number.status != NUMBER_VALUE)
        return false;
    *value = number.units;
    return true;
}

static bool read_time(struct word word, int64_t *time_ns)
{
    if (word_is(word, "never")) {
        *time_ns = TIME_NEVER;
        return true;
    }
    return time_from_text(word.text, word.length, time_ns, NULL) == 0;
}

/* A decimal on the grid, or the word of a status that has no value. */
static bool read_number(struct word word, int exponent, struct number *number)
{
    for (unsigned status = NUMBER_ABSENT; status < NUMBER_STATUS_COUNT; status++) {
        if (word_is(word, number_status_name(status))) {
            *number = (struct number){.units = 0, .status = (uint8_t)status};
            return true;
        }
    }
    *number = number_from_text(word.text, word.length, exponent);
    return number->status == NUMBER_VALUE;
}

/* "?17", or an index into names; -1 where it is neither. */
static int read_index(struct word word, const char *const *names, unsigned count, unsigned most)
{
    uint64_t number;

    if (word.length > 0 && word.text[0] == '?')
        return read_unsigned((struct word){word.text + 1, word.length - 1}, most - 1, &number)
                   ? (int)number
                   : -1;
    for (unsigned i = 0; i < count; i++)
        if (word_is(word, names[i]))
            return (int)i;
    return -1;
}

static bool read_instrument(const struct event_names *names, struct word word, uint16_t *instrument)
{
    int index;

    if (word_is(word, "-")) {
        *instrument = EVENT_NONE_16;
        return true;
    }
    if (word.length > 0 && word.text[0] == '?')
        index = read_index(word, NULL, 0, EVENT_INSTRUMENTS_MAX);
    else
        index = event_instrument_by_name(names, word.text, word.length);
    *instrument = (uint16_t)index;
    return index >= 0;
}

static bool read_venue(const struct event_names *names, struct word word, uint8_t *venue)
{
    if (word_is(word, "-")) {
        *venue = EVENT_NONE_8;
        return true;
    }
    int index = read_index(word, names->venues, names->venue_count, EVENT_VENUES_MAX);
    *venue = (uint8_t)index;
    return index >= 0;
}

static bool read_asset(const struct event_names *names, struct word word, uint16_t *asset)
{
    if (word_is(word, "-")) {
        *asset = EVENT_NONE_16;
        return true;
    }
    int index = read_index(word, names->assets, names->asset_count, EVENT_ASSETS_MAX);
    *asset = (uint16_t)index;
    return index >= 0;
}

static bool read_order(struct word word, order_id *order)
{
    uint64_t epoch = 0, counter;

    if (word_is(word, "-")) {
        *order = 0;
        return true;
    }
    if (word.length == 0 || word.text[0] != '#')
        return false;
    struct word rest = {word.text + 1, word.length - 1};
    const char *point = memchr(rest.text, '.', rest.length);
    if (point != NULL) {
        struct word first = {rest.text, (size_t)(point - rest.text)};
        if (!read_unsigned(first, UINT32_MAX, &epoch))
            return false;
        rest = (struct word){point + 1, rest.length - first.length - 1};
    }
    if (!read_unsigned(rest, UINT32_MAX, &counter))
        return false;
    *order = epoch << 32 | counter;
    return true;
}

static int hexadecimal_digit(char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = byte == '\0' ? NULL : strchr(digits, byte);
    return found == NULL ? -1 : (int)(found - digits);
}

static bool read_gates(struct word word, uint32_t *bits)
{
    *bits = 0;
    if (word.length < 3 || word.length > 10 || memcmp(word.text, "0x", 2) != 0)
        return false;
    for (size_t i = 2; i < word.length; i++) {
        int digit = hexadecimal_digit(word.text[i]);
        if (digit < 0)
            return false;
        *bits = *bits << 4 | (uint32_t)digit;
    }
    return *bits >> GATE_COUNT == 0;
}

/* One byte of quoted text, escapes undone; -1 at what is no byte. */
static int take_quoted_byte(struct reader *reader)
{
    char byte = *reader->at++;

    if (byte != '\\')
        return byte >= 0x20 && byte < 0x7f ? byte : -1;
    if (reader->at == reader->end)
        return -1;
    byte = *reader->at++;
    if (byte == '"' || byte == '\\')
        return byte;
    if (byte != 'x' || reader->end - reader->at < 2)
        return -1;
    int high = hexadecimal_digit(reader->at[0]), low = hexadecimal_digit(reader->at[1]);
    reader->at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Quoted text into a length byte and `most` bytes. Leaves the reader behind the second quote. */
static bool take_quoted(struct reader *reader, uint8_t *member, size_t most)
{
    size_t length = 0;

    memset(member, 0, most + 1);
    if (reader->at == reader->end || *reader->at != '"')
        return false;
    reader->at++;
    while (reader->at < reader->end && *reader->at != '"') {
        int byte = take_quoted_byte(reader);
        if (byte < 0 || length == most)
            return false;
        member[1 + length++] = (uint8_t)byte;
    }
    if (reader->at == reader->end)
        return false;
    reader->at++;
    member[0] = (uint8_t)length;
    return reader->at == reader->end || *reader->at == ' ';
}

/* Fields of one byte. */
static bool read_byte_field(const struct event_names *names, enum event_field_type type,
                            struct word word, uint8_t *value)
{
    int64_t integer;

    if (type == FIELD_VENUE)
        return read_venue(names, word, value);
    if (type == FIELD_EXPONENT) {
        if (!read_signed(word, 0, &integer) || integer < DECIMAL_EXPONENT_MIN ||
            integer > DECIMAL_EXPONENT_MAX)
            return false;
        *value = (uint8_t)integer;
        return true;
    }
    int number = event_enum_value(type, word.text, word.length);
    *value = (uint8_t)number;
    return number >= 0;
}

/* Fields of eight bytes. */
static bool read_integer_field(enum event_field_type type, struct word word, void *member)
{
    uint64_t whole = 0;
    int64_t integer = 0;
    bool good;

    if (type == FIELD_ORDER || type == FIELD_COUNT) {
        good = type == FIELD_ORDER ? read_order(word, &whole)
                                   : read_unsigned(word, UINT64_MAX, &whole);
        memcpy(member, &whole, sizeof whole);
        return good;
    }
    if (type == FIELD_TIME)
        good = word_is(word, "absent") || read_time(word, &integer);
    else if (type == FIELD_DURATION)
        good = duration_from_text(word.text, word.length, &integer, NULL) == 0;
    else
        good = read_signed(word, type == FIELD_RATE ? RATE_EXPONENT : 0, &integer);
    memcpy(member, &integer, sizeof integer);
    return good;
}

static bool read_wide_field(const struct event_names *names, const struct text_units *units,
                            enum event_field_type type, struct word word, void *member)
{
    struct number number;
    uint32_t bits;
    uint16_t half;
    money amount = MONEY_ZERO;
    bool good;

    if (type == FIELD_PRICE || type == FIELD_QUANTITY) {
        memset(&number, 0, sizeof number);
        good = read_number(
            word, type == FIELD_PRICE ? units->price_exponent : units->quantity_exponent, &number);
        memcpy(member, &number, sizeof number);
    } else if (type == FIELD_MONEY) {
        good = money_from_text(word.text, word.length, &amount) == NUMBER_VALUE;
        memcpy(member, &amount, sizeof amount);
    } else if (type == FIELD_GATES) {
        good = read_gates(word, &bits);
        memcpy(member, &bits, sizeof bits);
    } else if (type == FIELD_INSTRUMENT || type == FIELD_ASSET) {
        good = type == FIELD_INSTRUMENT ? read_instrument(names, word, &half)
                                        : read_asset(names, word, &half);
        memcpy(member, &half, sizeof half);
    } else {
        good = read_integer_field(type, word, member);
    }
    return good;
}

/* The value after "name=" into the record's member. */
static bool take_field(struct reader *reader, const struct text_units *units,
                       const struct event_field_info *field, void *member)
{
    enum event_field_type type = field->type;
    struct word word = peek_word(reader);
    bool good;

    if (type == FIELD_VENUE_ID || type == FIELD_TEXT) {
        if (!take_quoted(reader, member, event_field_bytes(type) - 1))
            return expected_field(reader, field->name,
                                  "quoted text, not too long, with only \\\" \\\\ \\xNN escaped");
        return true;
    }
    if (event_field_bytes(type) == 1)
        good = read_byte_field(reader->names, type, word, member);
    else
        good = read_wide_field(reader->names, units, type, word, member);
    if (!good)
        return expected_field(reader, field->name, event_field_type_text(type));
    reader->at += word.length;
    return true;
}

static bool take_record(struct reader *reader, const struct event_kind_info *info,
                        uint16_t instrument, union event_record *record)
{
    memset(record, 0, sizeof *record);
    for (unsigned i = 0; i < info->field_count; i++) {
        const struct event_field_info *field = &info->fields[i];
        void *member = (char *)record + field->offset;
        struct text_units units = text_units_of(reader->names, instrument);
        bool named = take_name(reader, field->name);
        if (!named && field->type == FIELD_INSTRUMENT) {
            memcpy(member, &instrument, sizeof instrument);
            continue;
        }
        if (!named)
            return expected_field(reader, field->name, "name=value in the kind's order");
        if (!take_field(reader, &units, field, member))
            return false;
        if (field->type == FIELD_INSTRUMENT)
            memcpy(&instrument, member, sizeof instrument);
    }
    return at_end(reader) || expected(reader, "the end of the line");
}

/* action= and slot= of an order-level row. */
static bool take_order_level(struct reader *reader, struct row *row)
{
    uint64_t action, slot;

    if (!take_name(reader, "action") || !read_unsigned(peek_word(reader), UINT8_MAX, &action))
        return expected(reader, "action=0..255");
    reader->at += peek_word(reader).length;
    if (!take_name(reader, "slot") || !read_unsigned(peek_word(reader), UINT32_MAX, &slot))
        return expected(reader, "slot=0..4294967295");
    reader->at += peek_word(reader).length;
    row->action = (uint8_t)action;
    row->slot = (uint32_t)slot;
    return true;
}

static bool take_price_and_quantity(struct reader *reader, const struct text_units *units,
                                    struct row *row)
{
    struct number price, quantity;

    skip_spaces(reader);
    struct word word = peek_word(reader);
    const char *star = memchr(word.text, '*', word.length);
    if (star == NULL)
        return expected(reader, "price*quantity");
    struct word first = {word.text, (size_t)(star - word.text)};
    struct word second = {star + 1, word.length - first.length - 1};
    if (!read_number(first, units->price_exponent, &price))
        return expected(reader, "a price in the instrument's price unit, or its status");
    reader->at = second.text;
    if (!read_number(second, units->quantity_exponent, &quantity))
        return expected(reader, "a quantity in the instrument's quantity unit, or its status");
    reader->at += second.length;
    row->price = price.units;
    row->price_status = price.status;
    row->quantity = quantity.units;
    row->quantity_status = quantity.status;
    return true;
}

static bool take_row(struct reader *reader, unsigned kind, const struct text_units *units,
                     struct row *row)
{
    bool trade = kind == EVENT_trade;
    bool apart = take_word(reader, kind == EVENT_snapshot ? "held" : "snapshot");

    *row = (struct row){.flags = 0};
    if (apart != (kind == EVENT_snapshot))
        row->flags |= ROW_FROM_SNAPSHOT;
    if (take_word(reader, trade ? "sell" : "ask"))
        row->flags |= ROW_SELL;
    else if (!take_word(reader, trade ? "buy" : "bid"))
        return expected(reader, trade ? "buy or sell" : "bid or ask");
    if (!take_price_and_quantity(reader, units, row))
        return false;
    if (take_word(reader, "not_market"))
        row->flags |= ROW_NOT_MARKET;
    return kind != EVENT_order_level || take_order_level(reader, row);
}

static bool take_rows(struct reader *reader, struct message *message, struct row *rows,
                      size_t capacity)
{
    struct text_units units = text_units_of(reader->names, text_stream_instrument(message->stream));
    uint32_t count = 0;

    while (!at_end(reader)) {
        if (count == capacity || count == EVENT_ROWS_MAX)
            return expected(reader, "no more rows: the message is too long");
        if (!take_row(reader, message->kind, &units, &rows[count]))
            return false;
        count++;
    }
    if (count > 0)
        rows[count - 1].flags |= ROW_LAST;
    message->row_count = count;
    message->rows = rows;
    return true;
}

/* The instrument and its channel, as the message's stream. */
static bool take_stream(struct reader *reader, struct message *message)
{
    unsigned channel = event_default_channel(message->kind);
    uint16_t instrument;

    skip_spaces(reader);
    struct word word = peek_word(reader);
    if (!read_instrument(reader->names, word, &instrument))
        return expected(reader, "venue:symbol of a known instrument, or -");
    reader->at += word.length;
    message->stream = EVENT_NONE_16;
    if (instrument == EVENT_NONE_16)
        return true;
    if (take_name(reader, "channel")) {
        word = peek_word(reader);
        for (channel = 0; channel < CHANNEL_COUNT; channel++)
            if (word_is(word, text_channel_name(channel)))
                break;
        if (channel == CHANNEL_COUNT)
            return expected(reader, "a channel");
        reader->at += word.length;
    }
    message->stream = EVENT_STREAM(instrument, channel);
    return true;
}

/* sequence=, venue_time= and more, each only where it stands. */
static bool take_options(struct reader *reader, struct message *message)
{
    static const char estimated[] = "estimated:";
    const size_t prefix = sizeof estimated - 1;

    if (take_name(reader, "sequence")) {
        struct word word = peek_word(reader);
        if (!read_unsigned(word, UINT64_MAX, &message->sequence))
            return expected(reader, "an unsigned integer");
        reader->at += word.length;
    }
    if (take_name(reader, "venue_time")) {
        struct word word = peek_word(reader);
        message->flags |= MESSAGE_VENUE_TIME;
        if (word.length > prefix && memcmp(word.text, estimated, prefix) == 0) {
            message->flags = MESSAGE_VENUE_ESTIMATED;
            word = (struct word){word.text + prefix, word.length - prefix};
        }
        if (!read_time(word, &message->ts_venue))
            return expected(reader, "a time, or estimated: and a time");
        reader->at = word.text + word.length;
    }
    if (take_word(reader, "more"))
        message->flags |= MESSAGE_MORE;
    return true;
}

static bool take_head(struct reader *reader, struct message *message,
                      const struct event_kind_info **info)
{
    skip_spaces(reader);
    struct word word = peek_word(reader);
    if (!read_time(word, &message->ts_local))
        return expected(reader, "a time: RFC 3339 in UTC");
    reader->at += word.length;
    skip_spaces(reader);
    word = peek_word(reader);
    *info = event_kind_by_name(word.text, word.length);
    if (*info == NULL)
        return expected(reader, "a message kind");
    reader->at += word.length;
    message->kind = (*info)->kind;
    return take_stream(reader, message) && take_options(reader, message);
}

int message_from_text(const char *text, size_t length, const struct event_names *names,
                      struct row *rows, size_t row_capacity, union event_record *record,
                      struct message *out, struct error *error)
{
    struct reader reader = {text, text, text + length, names, error};
    const struct event_kind_info *info = NULL;
    struct message message = {0};

    if (!take_head(&reader, &message, &info))
        return ERROR_INPUT;
    if (info->shape == EVENT_ROWS) {
        if (!take_rows(&reader, &message, rows, row_capacity))
            return ERROR_INPUT;
    } else {
        if (!take_record(&reader, info, text_stream_instrument(message.stream), record))
            return ERROR_INPUT;
        message.record = record;
    }
    *out = message;
    return 0;
}
