/* See engine/carrier.h. */
#include "engine/carrier.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/math.h"

enum { GROUP_BITS = 7, GROUP = (1 << GROUP_BITS) - 1 };

void carrier_refuse(struct carrier *carrier, const char *name, uint64_t index)
{
    if (carrier->fault != NULL)
        return;
    carrier->fault = name;
    carrier->index = index;
}

/* --- one value ------------------------------------------------------------------------------------------ */

static void put_byte(struct carrier *carrier, uint8_t byte)
{
    if (carrier->at < carrier->length)
        carrier->out[carrier->at] = byte;
    carrier->at++;
}

static bool get_byte(struct carrier *carrier, uint8_t *byte)
{
    if (carrier->at >= carrier->length)
        return false;
    *byte = carrier->in[carrier->at++];
    return true;
}

static uint8_t tag_of(const char *name)
{
    enum { MULTIPLIER = 31 };
    uint32_t tag = 0;
    for (; *name != '\0'; name++)
        tag = tag * MULTIPLIER + (uint8_t)*name;
    return (uint8_t)(tag ^ tag >> 8 ^ tag >> 16);
}

static void put(struct carrier *carrier, const char *name, int128 value)
{
    uint128 zigzag = (uint128)value << 1 ^ (uint128)(value < 0 ? -1 : 0);
    put_byte(carrier, tag_of(name));
    for (; zigzag > GROUP; zigzag >>= GROUP_BITS)
        put_byte(carrier, (uint8_t)(zigzag & GROUP) | (GROUP + 1));
    put_byte(carrier, (uint8_t)zigzag);
}

static bool get(struct carrier *carrier, const char *name, int128 *value)
{
    uint128 zigzag = 0;
    uint8_t byte;
    if (!get_byte(carrier, &byte) || byte != tag_of(name))
        return false;
    for (unsigned shift = 0; shift < 128; shift += GROUP_BITS) {
        if (!get_byte(carrier, &byte) ||
            (uint128)(byte & GROUP) << shift >> shift != (byte & GROUP))
            return false;
        zigzag |= (uint128)(byte & GROUP) << shift;
        if (byte <= GROUP) {
            *value = (int128)(zigzag >> 1) ^ -(int128)(zigzag & 1);
            return byte != 0 || shift == 0; /* as short as can be */
        }
    }
    return false;
}

int128 carrier_pass(struct carrier *carrier, const char *name, uint64_t index, int128 value,
                    int128 least, int128 most)
{
    int128 read = 0;
    if (carrier->fault != NULL)
        return 0;
    if (!carrier_is_reading(carrier)) {
        put(carrier, name, value);
        return value;
    }
    if (get(carrier, name, &read) && read >= least && read <= most)
        return read;
    carrier_refuse(carrier, name, index);
    return 0;
}

uint64_t carrier_count(struct carrier *carrier, const char *name, uint64_t value, uint64_t most)
{
    return (uint64_t)carrier_pass(carrier, name, 0, (int128)value, 0, (int128)most);
}

void carrier_same(struct carrier *carrier, const char *name, uint64_t value)
{
    carrier_pass(carrier, name, 0, (int128)value, (int128)value, (int128)value);
}

uint64_t carrier_next(struct carrier *carrier, const char *name, uint64_t from, uint64_t count,
                      uint64_t found)
{
    uint64_t next = (uint64_t)carrier_pass(carrier, name, from,
                                           found < count ? (int128)found + 1 : 0, 0, (int128)count);
    if (next == 0)
        return count;
    if (next <= from)
        carrier_refuse(carrier, name, from);
    return next - 1;
}

void carrier_venue_id(struct carrier *carrier, const char *name, uint64_t index,
                      struct venue_id *id)
{
    uint8_t length = (uint8_t)carrier_pass(
        carrier, name, index, carrier_is_reading(carrier) ? 0 : id->length, 0, EVENT_VENUE_ID_MAX);
    if (carrier_is_reading(carrier))
        *id = (struct venue_id){.length = length};
    for (unsigned i = 0; i < length && carrier->fault == NULL; i++) {
        uint8_t byte = (uint8_t)id->bytes[i];
        if (!carrier_is_reading(carrier))
            put_byte(carrier, byte);
        else if (get_byte(carrier, &byte))
            id->bytes[i] = (char)byte;
        else
            carrier_refuse(carrier, name, index);
    }
}

void carrier_bytes_hash(struct carrier *carrier)
{
    uint8_t bytes[sizeof(uint64_t)];
    size_t end = carrier->at < carrier->length ? carrier->at : carrier->length;
    bytes_put_u64(bytes, hash_64(carrier_is_reading(carrier) ? carrier->in : carrier->out, end));
    for (size_t i = 0; i < sizeof bytes && carrier->fault == NULL; i++) {
        uint8_t byte;
        if (!carrier_is_reading(carrier))
            put_byte(carrier, bytes[i]);
        else if (!get_byte(carrier, &byte) || byte != bytes[i])
            carrier_refuse(carrier, "bytes", carrier->at);
    }
}

/* --- fields of structs ------------------------------------------------------------------------------------ */

static int128 value_of(const struct field *field, const void *member)
{
    switch ((enum field_type)field->type) {
    case TYPE_BOOL:
        return *(const bool *)member;
    case TYPE_U8:
        return *(const uint8_t *)member;
    case TYPE_U16:
        return *(const uint16_t *)member;
    case TYPE_U32:
        return *(const uint32_t *)member;
    case TYPE_U64:
        return *(const uint64_t *)member;
    case TYPE_I8:
        return *(const int8_t *)member;
    case TYPE_I32:
        return *(const int32_t *)member;
    case TYPE_I64:
        return *(const int64_t *)member;
    case TYPE_DOUBLE:
        return math_to_bits(*(const double *)member);
    case TYPE_MONEY:
    default:
        return ((const money *)member)->atto;
    }
}

static void set_value(const struct field *field, void *member, int128 value)
{
    switch ((enum field_type)field->type) {
    case TYPE_BOOL:
        *(bool *)member = value != 0;
        break;
    case TYPE_U8:
        *(uint8_t *)member = (uint8_t)value;
        break;
    case TYPE_U16:
        *(uint16_t *)member = (uint16_t)value;
        break;
    case TYPE_U32:
        *(uint32_t *)member = (uint32_t)value;
        break;
    case TYPE_U64:
        *(uint64_t *)member = (uint64_t)value;
        break;
    case TYPE_I8:
        *(int8_t *)member = (int8_t)value;
        break;
    case TYPE_I32:
        *(int32_t *)member = (int32_t)value;
        break;
    case TYPE_I64:
        *(int64_t *)member = (int64_t)value;
        break;
    case TYPE_DOUBLE:
        *(double *)member = math_from_bits((uint64_t)value);
        break;
    case TYPE_MONEY:
    default:
        ((money *)member)->atto = value;
        break;
    }
}

static void limits_of(const struct field *field, int128 *least, int128 *most)
{
    static const int128 largest[] = {[TYPE_BOOL] = 1,
                                     [TYPE_U8] = UINT8_MAX,
                                     [TYPE_U16] = UINT16_MAX,
                                     [TYPE_U32] = UINT32_MAX,
                                     [TYPE_U64] = UINT64_MAX,
                                     [TYPE_I8] = INT8_MAX,
                                     [TYPE_I32] = INT32_MAX,
                                     [TYPE_I64] = INT64_MAX,
                                     [TYPE_DOUBLE] = UINT64_MAX,
                                     [TYPE_MONEY] = (int128)((uint128)-1 >> 1)};
    bool is_signed = field->type >= TYPE_I8 && field->type <= TYPE_I64;
    *most = field->most != 0 ? field->most : largest[field->type];
    *least = is_signed ? -*most - 1 : field->type == TYPE_MONEY ? -*most : 0;
}

void carrier_fields(struct carrier *carrier, const struct field *fields, size_t count,
                    uint64_t index, void *structure)
{
    for (size_t i = 0; i < count; i++) {
        void *member = (char *)structure + fields[i].offset;
        int128 least, most;
        limits_of(&fields[i], &least, &most);
        int128 value = carrier_pass(carrier, fields[i].name, index,
                                    carrier_is_reading(carrier) ? 0 : value_of(&fields[i], member),
                                    least, most);
        if (carrier_is_reading(carrier) && carrier->fault == NULL)
            set_value(&fields[i], member, value);
    }
}
