/* The tables of event/kinds.h as data: kinds with their fields, enumerations with their texts. */
#include "event/kinds.h"

#include <string.h>

#include "event/event.h"

enum {
#define T(type, c_type, size, text) FIELD_BYTES_##type = size,
    EVENT_FIELD_TYPES(T)
#undef T
};

#define X(name, number, class, shape, meaning)                                                     \
    _Static_assert((number) > 0 && (number) < 256, "a kind's number is one byte: " #name);
EVENT_KINDS_IN(X)
EVENT_KINDS_OUT(X)
#undef X

/* Each case holds its own constant table; `self` is the kind's struct inside it. */
const struct event_kind_info *event_kind_info(unsigned kind)
{
#define F(type, field) {#field, (uint16_t)offsetof(self, field), FIELD_##type},
#define B(type, field) +FIELD_BYTES_##type
#define X_ROWS(kind_name, number, class, text)                                                     \
    case number: {                                                                                 \
        static const struct event_kind_info info = {.name = #kind_name,                            \
                                                    .meaning = text,                               \
                                                    .kind = number,                                \
                                                    .event_class = EVENT_##class,                  \
                                                    .shape = EVENT_ROWS};                          \
        return &info;                                                                              \
    }
#define X_RECORD(kind_name, number, class, text)                                                   \
    case number: {                                                                                 \
        typedef struct event_##kind_name self;                                                     \
        static const struct event_field_info fields[] = {FIELDS_##kind_name(F)};                   \
        static const struct event_kind_info info = {.name = #kind_name,                            \
                                                    .meaning = text,                               \
                                                    .kind = number,                                \
                                                    .event_class = EVENT_##class,                  \
                                                    .shape = EVENT_RECORD,                         \
                                                    .field_count =                                 \
                                                        sizeof fields / sizeof fields[0],          \
                                                    .body_bytes = 0 FIELDS_##kind_name(B),         \
                                                    .fields = fields};                             \
        _Static_assert(EVENT_HEAD_BYTES + (0 FIELDS_##kind_name(B)) <= EVENT_RECORD_BYTES_MAX,     \
                       "record too long: " #kind_name);                                            \
        return &info;                                                                              \
    }
#define X(kind_name, number, class, shape, text) X_##shape(kind_name, number, class, text)
    switch (kind) {
        EVENT_KINDS_IN(X)
        EVENT_KINDS_OUT(X)
    default:
        return NULL;
    }
#undef X
#undef X_RECORD
#undef X_ROWS
#undef B
#undef F
}

static bool same_text(const char *whole, const char *text, size_t length)
{
    return strlen(whole) == length && memcmp(whole, text, length) == 0;
}

const struct event_kind_info *event_kind_by_name(const char *name, size_t length)
{
    for (unsigned kind = 0; kind < 256; kind++) {
        const struct event_kind_info *info = event_kind_info(kind);
        if (info != NULL && same_text(info->name, name, length))
            return info;
    }
    return NULL;
}

#define X(name, number, text) [number] = text,
#define E(type, list)         static const char *const texts_##type[] = {list(X)};
EVENT_ENUMERATIONS(E)
#undef E
#undef X

static const struct enumeration {
    const char *const *texts;
    unsigned count;
} enumerations[FIELD_TYPE_COUNT] = {
#define E(type, list) [FIELD_##type] = {texts_##type, sizeof texts_##type / sizeof(char *)},
    EVENT_ENUMERATIONS(E)
#undef E
};

const char *event_enum_text(enum event_field_type type, unsigned value)
{
    if ((unsigned)type >= FIELD_TYPE_COUNT || value >= enumerations[type].count)
        return NULL;
    return enumerations[type].texts[value];
}

int event_enum_value(enum event_field_type type, const char *text, size_t length)
{
    const char *name;

    for (unsigned value = 0; (name = event_enum_text(type, value)) != NULL; value++)
        if (same_text(name, text, length))
            return (int)value;
    return -1;
}

const char *event_field_type_text(enum event_field_type type)
{
    static const char *const texts[FIELD_TYPE_COUNT] = {
#define T(type, c_type, size, text) [FIELD_##type] = text,
        EVENT_FIELD_TYPES(T)
#undef T
    };
    return (unsigned)type < FIELD_TYPE_COUNT ? texts[type] : NULL;
}

size_t event_field_bytes(enum event_field_type type)
{
    static const uint8_t bytes[FIELD_TYPE_COUNT] = {
#define T(type, c_type, size, text) [FIELD_##type] = size,
        EVENT_FIELD_TYPES(T)
#undef T
    };
    return (unsigned)type < FIELD_TYPE_COUNT ? bytes[type] : 0;
}

enum channel event_default_channel(unsigned kind)
{
    switch (kind) {
    case EVENT_depth:
    case EVENT_snapshot:
    case EVENT_gap:
    case EVENT_source_text:
        return CHANNEL_DEPTH;
    case EVENT_trade:
        return CHANNEL_TRADE;
    case EVENT_top:
        return CHANNEL_TOP;
    case EVENT_order_level:
        return CHANNEL_ORDER_LEVEL;
    default:
        return kind < EVENT_start ? CHANNEL_REFERENCE : CHANNEL_SESSION;
    }
}
