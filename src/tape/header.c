/* The tape's header to bytes and back: numbers, then texts with their lengths before them. */
#include "tape/header.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "tape/format.h"

enum { FIXED_BYTES = 4 + 1 + 1 + 8 + 8, DEFINITION_BYTES_MAX = 256 };

/* UTF-8 without NUL. */
static bool is_text(const void *bytes, size_t length)
{
    for (size_t i = 0, n; i < length; i += n)
        if ((n = utf8_read((const char *)bytes + i, length - i, NULL)) == 0 ||
            ((const char *)bytes)[i] == '\0')
            return false;
    return true;
}

/* --- writing ----------------------------------------------------------------------------------- */

struct output {
    uint8_t *bytes;
    size_t length;
    const char *fault; /* the name of what did not fit or was no text; NULL: none */
};

static void put_text(struct output *out, const char *text, const char *what)
{
    size_t length = text == NULL ? 0 : strlen(text);
    if (out->length + 4 + length > TAPE_HEADER_RAW_MAX || !is_text(text, length)) {
        out->fault = out->fault == NULL ? what : out->fault;
        return;
    }
    bytes_put_u32(out->bytes + out->length, (uint32_t)length);
    if (length > 0)
        memcpy(out->bytes + out->length + 4, text, length);
    out->length += 4 + length;
}

static void put_name(struct output *out, const char *name, const char *what)
{
    if (!event_name_is_valid(name, strlen(name)))
        out->fault = out->fault == NULL ? what : out->fault;
    put_text(out, name, what);
}

static void put_count(struct output *out, unsigned count, unsigned most, const char *what)
{
    if (count > most || out->length + 4 > TAPE_HEADER_RAW_MAX)
        out->fault = out->fault == NULL ? what : out->fault;
    else
        bytes_put_u32(out->bytes + out->length, count);
    out->length += 4;
}

static void put_names(struct output *out, const struct event_names *names)
{
    put_count(out, names->venue_count, EVENT_VENUES_MAX, "number of venues");
    for (unsigned i = 0; i < names->venue_count && out->fault == NULL; i++)
        put_name(out, names->venues[i], "venue name");
    put_count(out, names->asset_count, EVENT_ASSETS_MAX, "number of assets");
    for (unsigned i = 0; i < names->asset_count && out->fault == NULL; i++)
        put_name(out, names->assets[i], "asset name");
    put_count(out, names->instrument_count, EVENT_INSTRUMENTS_MAX, "number of instruments");
    for (unsigned i = 0; i < names->instrument_count && out->fault == NULL; i++) {
        put_name(out, names->symbols[i], "symbol");
        if (out->length + 2 + DEFINITION_BYTES_MAX > TAPE_HEADER_RAW_MAX) {
            out->fault = "number of instruments";
            return;
        }
        union event_record record = {.definition = names->definitions[i]};
        uint8_t *at = out->bytes + out->length;
        size_t length = record_encode(EVENT_definition, &record, at + 2);
        bytes_put_u16(at, (uint16_t)length);
        out->length += 2 + length;
    }
}

int tape_header_encode(const struct tape_header *header, uint8_t **bytes, size_t *length,
                       struct error *error)
{
    ASSERT(header->origin <= TAPE_SCENARIO && header->grade < TAPE_GRADE_COUNT);
    struct output out = {.bytes = malloc(TAPE_HEADER_RAW_MAX), .length = FIXED_BYTES};
    if (out.bytes == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a tape header");
    bytes_put_u32(out.bytes, TAPE_VERSION);
    out.bytes[4] = header->origin;
    out.bytes[5] = header->grade;
    bytes_put_u64(out.bytes + 6, header->seed);
    bytes_put_u64(out.bytes + 14, (uint64_t)header->feed_floor_ns);
    put_text(&out, header->tool_version, "tool version");
    put_text(&out, header->build_id, "build id");
    put_text(&out, header->grade_reasons, "grade reasons");
    if (header->config != NULL && strlen(header->config) > TAPE_CONFIG_MAX)
        out.fault = "configuration";
    else
        put_text(&out, header->config, "configuration");
    put_names(&out, &header->names);
    if (out.fault != NULL) {
        free(out.bytes);
        return error_set(error, ERROR_INPUT,
                         "the tape header's %s is too long or not a text a tape can carry",
                         out.fault);
    }
    int failed = tape_names_check(&header->names, error);
    if (failed != 0) {
        free(out.bytes);
        return failed;
    }
    *bytes = out.bytes;
    *length = out.length;
    return 0;
}

/* --- reading ----------------------------------------------------------------------------------- */

struct input {
    const uint8_t *at;
    size_t left;
    char *text; /* where the next text goes */
    bool failed;
};

static const uint8_t *get(struct input *in, size_t length)
{
    if (in->failed || in->left < length) {
        in->failed = true;
        return NULL;
    }
    const uint8_t *at = in->at;
    in->at += length;
    in->left -= length;
    return at;
}

static uint32_t get_count(struct input *in, uint32_t most)
{
    const uint8_t *at = get(in, 4);
    uint32_t count = at == NULL ? 0 : bytes_get_u32(at);
    in->failed |= count > most;
    return in->failed ? 0 : count;
}

/* A text with a NUL behind it. */
static const char *get_text(struct input *in)
{
    uint32_t length = get_count(in, TAPE_HEADER_RAW_MAX);
    const uint8_t *at = get(in, length);
    if (at == NULL || !is_text(at, length)) {
        in->failed = true;
        return "";
    }
    char *text = in->text;
    memcpy(text, at, length);
    text[length] = 0;
    in->text += length + 1;
    return text;
}

static const char *get_name(struct input *in)
{
    const char *name = get_text(in);
    in->failed |= !event_name_is_valid(name, strlen(name));
    return name;
}

/* Room for the largest tables that a header of limits can have, and its texts. */
struct tables {
    const char *venues[EVENT_VENUES_MAX];
    const char *assets[EVENT_ASSETS_MAX];
    const char *symbols[EVENT_INSTRUMENTS_MAX];
    struct event_definition definitions[EVENT_INSTRUMENTS_MAX];
    char text[];
};

static void get_names(struct input *in, struct tables *tables, struct event_names *names)
{
    names->venue_count = get_count(in, EVENT_VENUES_MAX);
    for (unsigned i = 0; i < names->venue_count && !in->failed; i++)
        tables->venues[i] = get_name(in);
    names->asset_count = get_count(in, EVENT_ASSETS_MAX);
    for (unsigned i = 0; i < names->asset_count && !in->failed; i++)
        tables->assets[i] = get_name(in);
    names->instrument_count = get_count(in, EVENT_INSTRUMENTS_MAX);
    for (unsigned i = 0; i < names->instrument_count && !in->failed; i++) {
        tables->symbols[i] = get_name(in);
        const uint8_t *length = get(in, 2);
        const uint8_t *body = length == NULL ? NULL : get(in, bytes_get_u16(length));
        union event_record record;
        if (body == NULL ||
            record_decode(EVENT_definition, body, bytes_get_u16(length), &record, NULL) != 0) {
            in->failed = true;
            return;
        }
        tables->definitions[i] = record.definition;
    }
    names->venues = tables->venues;
    names->assets = tables->assets;
    names->symbols = tables->symbols;
    names->definitions = tables->definitions;
}

int tape_header_decode(const uint8_t *bytes, size_t length, struct tape_header *header,
                       void **memory, struct error *error)
{
    /* Each text takes 4 bytes of length, so a NUL for each fits where the lengths were. */
    struct tables *tables = calloc(1, sizeof *tables + length + 1);
    if (tables == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a tape header");
    struct input in = {.at = bytes, .left = length, .text = tables->text};
    struct tape_header out = {0};
    const uint8_t *fixed = get(&in, FIXED_BYTES);
    if (fixed != NULL) {
        out.version = bytes_get_u32(fixed);
        out.origin = fixed[4];
        out.grade = fixed[5];
        out.seed = bytes_get_u64(fixed + 6);
        out.feed_floor_ns = (int64_t)bytes_get_u64(fixed + 14);
    }
    out.tool_version = get_text(&in);
    out.build_id = get_text(&in);
    out.grade_reasons = get_text(&in);
    out.config = get_text(&in);
    get_names(&in, tables, &out.names);
    int failed = 0;
    if (in.failed || in.left != 0 || out.version != TAPE_VERSION || out.origin > TAPE_SCENARIO ||
        out.grade >= TAPE_GRADE_COUNT)
        failed = error_set(error, ERROR_INPUT, "the tape header's fields are damaged");
    else
        failed = tape_names_check(&out.names, error);
    if (failed != 0) {
        free(tables);
        return failed;
    }
    *header = out;
    *memory = tables;
    return 0;
}
