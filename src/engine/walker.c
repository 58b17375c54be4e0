/* The visitors of the walker: hash, text, first difference. */
#include "engine/walker.h"

#include <string.h>

#include "base/assert.h"

enum { LINE_MAX_BYTES = 256, DIGITS_MAX = 40 };

void walker_double(struct walker *walker, const char *name, uint64_t index, double value)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000);
    value = value == 0 ? 0 : value;
    if (value == value)
        memcpy(&bits, &value, sizeof bits);
    walker->field(walker, name, index, (int64_t)bits);
}

/* --- hash ----------------------------------------------------------------------------------------- */

/* Two odd constants with well-spread bits (the golden ratio's and pi's fractions). */
#define MIX_A UINT64_C(0x9e3779b97f4a7c15)
#define MIX_B UINT64_C(0x243f6a8885a308d3)

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * MIX_A;
    hash ^= hash >> 29;
    return hash * (MIX_B | 1);
}

static void hash_room(struct walker *walker, const char *name, uint16_t instrument)
{
    struct walker_hash *hash = (struct walker_hash *)walker;
    for (; *name != '\0'; name++)
        hash->hash = mix(hash->hash, (uint8_t)*name);
    hash->hash = mix(hash->hash, instrument);
}

static void hash_field(struct walker *walker, const char *name, uint64_t index, int64_t value)
{
    struct walker_hash *hash = (struct walker_hash *)walker;
    (void)name;
    hash->hash = mix(mix(hash->hash, index), (uint64_t)value);
}

static void hash_wide(struct walker *walker, const char *name, uint64_t index, int128 value)
{
    struct walker_hash *hash = (struct walker_hash *)walker;
    hash_field(walker, name, index, (int64_t)(uint64_t)(uint128)value);
    hash->hash = mix(hash->hash, (uint64_t)((uint128)value >> 64));
}

void walker_hash_init(struct walker_hash *hash)
{
    *hash = (struct walker_hash){{hash_room, hash_field, hash_wide}, MIX_B};
}

/* --- one line ------------------------------------------------------------------------------------- */

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t length;
};

static void put_text(struct line *line, const char *text)
{
    for (; *text != '\0' && line->length < LINE_MAX_BYTES; text++)
        line->bytes[line->length++] = *text;
}

static void put_integer(struct line *line, int128 value)
{
    char digits[DIGITS_MAX + 2];
    size_t at = sizeof digits - 1;
    uint128 left = value < 0 ? -(uint128)value : (uint128)value;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left != 0);
    if (value < 0)
        digits[--at] = '-';
    put_text(line, digits + at);
}

static void make_line(struct line *line, const char *room, uint16_t instrument, const char *name,
                      uint64_t index, int128 value)
{
    line->length = 0;
    put_text(line, room);
    put_text(line, " ");
    if (instrument == EVENT_NONE_16)
        put_text(line, "-");
    else
        put_integer(line, instrument);
    put_text(line, " ");
    put_text(line, name);
    put_text(line, " ");
    put_integer(line, index);
    put_text(line, " ");
    put_integer(line, value);
    put_text(line, "\n");
}

/* --- text ----------------------------------------------------------------------------------------- */

static void text_room(struct walker *walker, const char *name, uint16_t instrument)
{
    struct walker_text *text = (struct walker_text *)walker;
    text->room = name;
    text->instrument = instrument;
}

static void text_wide(struct walker *walker, const char *name, uint64_t index, int128 value)
{
    struct walker_text *text = (struct walker_text *)walker;
    struct line line;
    make_line(&line, text->room, text->instrument, name, index, value);
    if (text->length < text->capacity) {
        size_t room = text->capacity - text->length;
        memcpy(text->out + text->length, line.bytes, line.length < room ? line.length : room);
    }
    text->length += line.length;
}

static void text_field(struct walker *walker, const char *name, uint64_t index, int64_t value)
{
    text_wide(walker, name, index, value);
}

void walker_text_init(struct walker_text *text, char *out, size_t capacity)
{
    *text = (struct walker_text){.walker = {text_room, text_field, text_wide},
                                 .out = out,
                                 .capacity = capacity,
                                 .room = "",
                                 .instrument = EVENT_NONE_16};
}

/* --- first difference ----------------------------------------------------------------------------- */

static void difference_room(struct walker *walker, const char *name, uint16_t instrument)
{
    struct walker_difference *difference = (struct walker_difference *)walker;
    difference->room = name;
    difference->instrument = instrument;
}

static void keep_line(char out[LINE_MAX_BYTES], const char *line, size_t length)
{
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length > LINE_MAX_BYTES - 1)
        length = LINE_MAX_BYTES - 1;
    memcpy(out, line, length);
    out[length] = '\0';
}

static void difference_wide(struct walker *walker, const char *name, uint64_t index, int128 value)
{
    struct walker_difference *difference = (struct walker_difference *)walker;
    struct line line;
    size_t theirs = 0;
    if (difference->found)
        return;
    make_line(&line, difference->room, difference->instrument, name, index, value);
    while (theirs < difference->left && difference->text[theirs] != '\n')
        theirs++;
    if (theirs < difference->left)
        theirs++;
    if (theirs == line.length && memcmp(difference->text, line.bytes, theirs) == 0) {
        difference->text += theirs;
        difference->left -= theirs;
        return;
    }
    difference->found = true;
    difference->found_room = difference->room;
    difference->found_instrument = difference->instrument;
    difference->found_name = name;
    difference->found_index = index;
    keep_line(difference->ours, line.bytes, line.length);
    keep_line(difference->theirs, difference->text, theirs);
}

static void difference_field(struct walker *walker, const char *name, uint64_t index, int64_t value)
{
    difference_wide(walker, name, index, value);
}

void walker_difference_init(struct walker_difference *difference, const char *text, size_t length)
{
    memset(difference, 0, sizeof *difference);
    difference->walker = (struct walker){difference_room, difference_field, difference_wide};
    difference->text = text;
    difference->left = length;
    difference->room = "";
    difference->instrument = EVENT_NONE_16;
}

bool walker_difference_found(struct walker_difference *difference)
{
    if (!difference->found && difference->left > 0) {
        difference->found = true;
        difference->found_room = difference->found_name = "end";
        difference->found_instrument = EVENT_NONE_16;
        keep_line(difference->theirs, difference->text, difference->left);
    }
    return difference->found;
}
