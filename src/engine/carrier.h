/* An engine's state as bytes. One walk does both ways, so that what is written is what is read: it puts a field that
 * stands in the engine, or gets it. A field is a tag of its name and the value as zigzag in groups of seven bits, the
 * lowest first: the same on every platform. Of src/engine/ only. */
#ifndef CAPSTAN_ENGINE_CARRIER_H
#define CAPSTAN_ENGINE_CARRIER_H

#include "engine/engine_internal.h"

struct carrier {
    struct engine *engine; /* not changed while writing */
    uint8_t *out;          /* NULL: reading */
    const uint8_t *in;
    size_t length; /* there are, or there is room for */
    size_t at;
    const char *fault; /* the first field that does not fit */
    uint64_t index;
};

static inline bool carrier_is_reading(const struct carrier *carrier)
{
    return carrier->out == NULL;
}

/* The first of them counts; after it nothing is read any more. */
void carrier_refuse(struct carrier *carrier, const char *name, uint64_t index);

/* Gives what stands there: `value` when writing, else what was read, within `least` and `most`. 0 after a fault. */
int128 carrier_pass(struct carrier *carrier, const char *name, uint64_t index, int128 value,
                    int128 least, int128 most);
uint64_t carrier_count(struct carrier *carrier, const char *name, uint64_t value, uint64_t most);
/* What both engines must have alike. */
void carrier_same(struct carrier *carrier, const char *name, uint64_t value);
/* Of a table whose entries mostly are not there: the number of the next one, from 1; 0: no more. Gives where it
 * stands, or `count`. */
uint64_t carrier_next(struct carrier *carrier, const char *name, uint64_t from, uint64_t count,
                      uint64_t found);
void carrier_venue_id(struct carrier *carrier, const char *name, uint64_t index,
                      struct venue_id *id);
/* The bytes so far. Of fixed length, so that how many there are does not hang on it. */
void carrier_bytes_hash(struct carrier *carrier);

/* --- fields of structs ------------------------------------------------------------------------------------ */

enum field_type {
    TYPE_BOOL,
    TYPE_U8,
    TYPE_U16,
    TYPE_U32,
    TYPE_U64,
    TYPE_I8,
    TYPE_I32,
    TYPE_I64,
    TYPE_DOUBLE, /* its bits */
    TYPE_MONEY
};

struct field {
    const char *name;
    size_t offset;
    uint8_t type;
    uint8_t most; /* of TYPE_U8, where it is an enumeration; else 0 */
};

/* Names of fields that follow each other must have different tags. */
#define FIELD_OF(structure, name, most)                                                            \
    {                                                                                              \
#name, offsetof(struct structure, name),                                                   \
            _Generic(((struct structure *)0)->name, bool                                           \
                     : TYPE_BOOL, uint8_t                                                          \
                     : TYPE_U8, uint16_t                                                           \
                     : TYPE_U16, uint32_t                                                          \
                     : TYPE_U32, uint64_t                                                          \
                     : TYPE_U64, int8_t                                                            \
                     : TYPE_I8, int32_t                                                            \
                     : TYPE_I32, int64_t                                                           \
                     : TYPE_I64, double                                                            \
                     : TYPE_DOUBLE, money                                                          \
                     : TYPE_MONEY),                                                                \
            most                                                                                   \
    }

/* All fields of a struct, in the order of their table. */
void carrier_fields(struct carrier *carrier, const struct field *fields, size_t count,
                    uint64_t index, void *structure);

#define PASS_FIELDS(carrier, fields, index, structure)                                             \
    carrier_fields(carrier, fields, sizeof(fields) / sizeof(fields)[0], index, structure)

#endif
