/* The carry as bytes. One walk does both ways, so that what is written is what is read: `pass` puts a field that
 * stands in the engine, or gets it. A field is a tag of its name and the value as zigzag in groups of seven
 * bits, the lowest first; at the end stand the hash of the walked carry, so that no field of it is left out, and that of
 * the bytes. What follows from other fields is not written. */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "engine/walker.h"

enum { CARRY_VERSION = 3, GROUP_BITS = 7, GROUP = (1 << GROUP_BITS) - 1 };

struct carrier {
    struct engine *engine; /* not changed while writing */
    uint8_t *out;          /* NULL: reading */
    const uint8_t *in;
    size_t length; /* there are, or there is room for */
    size_t at;
    const char *fault; /* the first field that does not fit */
    uint64_t index;
};

static bool is_reading(const struct carrier *carrier)
{
    return carrier->out == NULL;
}

static void refuse(struct carrier *carrier, const char *name, uint64_t index)
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

/* Names of fields that follow each other must have different ones. */
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

/* Gives what stands there: `value` when writing, else what was read, within `least` and `most`. 0 after a fault. */
static int128 pass(struct carrier *carrier, const char *name, uint64_t index, int128 value,
                   int128 least, int128 most)
{
    int128 read = 0;
    if (carrier->fault != NULL)
        return 0;
    if (!is_reading(carrier)) {
        put(carrier, name, value);
        return value;
    }
    if (get(carrier, name, &read) && read >= least && read <= most)
        return read;
    refuse(carrier, name, index);
    return 0;
}

static uint64_t pass_count(struct carrier *carrier, const char *name, uint64_t value, uint64_t most)
{
    return (uint64_t)pass(carrier, name, 0, (int128)value, 0, (int128)most);
}

/* What both engines must have alike. */
static void pass_same(struct carrier *carrier, const char *name, uint64_t value)
{
    pass(carrier, name, 0, (int128)value, (int128)value, (int128)value);
}

/* --- fields of structs ------------------------------------------------------------------------------------ */

enum field_type { TYPE_BOOL, TYPE_U8, TYPE_U16, TYPE_U32, TYPE_U64, TYPE_I64, TYPE_MONEY };

struct field {
    const char *name;
    size_t offset;
    uint8_t type;
    uint8_t most; /* of TYPE_U8, where it is an enumeration; else 0 */
};

#define FIELD_OF(structure, name, most)                                                            \
    {                                                                                              \
#name, offsetof(struct structure, name),                                                   \
            _Generic(((struct structure *)0)->name, bool                                           \
                     : TYPE_BOOL, uint8_t                                                          \
                     : TYPE_U8, uint16_t                                                           \
                     : TYPE_U16, uint32_t                                                          \
                     : TYPE_U32, uint64_t                                                          \
                     : TYPE_U64, int64_t                                                           \
                     : TYPE_I64, money                                                             \
                     : TYPE_MONEY),                                                                \
            most                                                                                   \
    }
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

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
    case TYPE_I64:
        return *(const int64_t *)member;
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
    case TYPE_I64:
        *(int64_t *)member = (int64_t)value;
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
                                     [TYPE_I64] = INT64_MAX,
                                     [TYPE_MONEY] = (int128)((uint128)-1 >> 1)};
    *most = field->most != 0 ? field->most : largest[field->type];
    *least = field->type == TYPE_I64 ? INT64_MIN : field->type == TYPE_MONEY ? -*most : 0;
}

/* All fields of a struct, in the order of their table. */
static void pass_fields(struct carrier *carrier, const struct field *fields, size_t count,
                        uint64_t index, void *structure)
{
    for (size_t i = 0; i < count; i++) {
        void *member = (char *)structure + fields[i].offset;
        int128 least, most;
        limits_of(&fields[i], &least, &most);
        int128 value = pass(carrier, fields[i].name, index,
                            is_reading(carrier) ? 0 : value_of(&fields[i], member), least, most);
        if (is_reading(carrier) && carrier->fault == NULL)
            set_value(&fields[i], member, value);
    }
}

#define PASS_FIELDS(carrier, fields, index, structure)                                             \
    pass_fields(carrier, fields, COUNT_OF(fields), index, structure)

/* --- orders ------------------------------------------------------------------------------------------------ */

#define ORDER_FIELD(name) FIELD_OF(order, name, 0)

static const struct field order_fields[] = {ORDER_FIELD(id),
                                            ORDER_FIELD(instrument),
                                            FIELD_OF(order, side, 1),
                                            FIELD_OF(order, state, ORDER_STATE_COUNT - 1),
                                            ORDER_FIELD(price),
                                            ORDER_FIELD(quantity),
                                            ORDER_FIELD(leaves),
                                            ORDER_FIELD(filled),
                                            ORDER_FIELD(asked_price),
                                            ORDER_FIELD(asked_leaves),
                                            ORDER_FIELD(asked_ts),
                                            ORDER_FIELD(placed_ts),
                                            ORDER_FIELD(modify_ts),
                                            ORDER_FIELD(query_ts),
                                            ORDER_FIELD(event_ts),
                                            ORDER_FIELD(told_ts),
                                            ORDER_FIELD(queries),
                                            ORDER_FIELD(older),
                                            ORDER_FIELD(shown_price),
                                            ORDER_FIELD(shown_leaves),
                                            ORDER_FIELD(shown),
                                            ORDER_FIELD(asking),
                                            ORDER_FIELD(level),
                                            ORDER_FIELD(not_found),
                                            FIELD_OF(order, lost, REQUEST_COUNT - 1),
                                            ORDER_FIELD(cancel_sent),
                                            ORDER_FIELD(retry_ts),
                                            ORDER_FIELD(failures),
                                            ORDER_FIELD(hanging),
                                            ORDER_FIELD(owing),
                                            ORDER_FIELD(unpriced),
                                            FIELD_OF(order, spell, 2),
                                            ORDER_FIELD(spell_start),
                                            ORDER_FIELD(spell_filled),
                                            ORDER_FIELD(spell_quantity),
                                            ORDER_FIELD(reserved),
                                            ORDER_FIELD(last_trade)};

_Static_assert(SPELL_OVER == 2, "the last of enum spell");

static bool trade_is_usable(const struct engine *engine, uint32_t slot)
{
    return slot == ENGINE_NO_SLOT || slot <= engine->orders.trade_mask;
}

static void pass_order(struct carrier *carrier, struct order *order, bool live)
{
    struct order read = {.state = ORDER_NONE};
    PASS_FIELDS(carrier, order_fields, order != NULL ? order->id : 0,
                order != NULL ? order : &read);
    if (!is_reading(carrier) || carrier->fault != NULL)
        return;
    if (order_state_is_live(read.state) != live ||
        !trade_is_usable(carrier->engine, read.last_trade) ||
        !orders_take_carried(carrier->engine, &read))
        refuse(carrier, "order", read.id);
}

/* Lists from their first to their last, so that they are made in the same order. */
static void pass_live(struct carrier *carrier, unsigned index, unsigned side)
{
    struct order_table *table = &carrier->engine->orders;
    const struct order_side *orders = &carrier->engine->instruments[index].sides[side];
    uint32_t slot = orders->first;
    uint64_t count = pass_count(carrier, "live", orders->count, table->capacity);
    for (uint64_t i = 0; i < count && carrier->fault == NULL; i++) {
        struct order *order = is_reading(carrier) ? NULL : &table->slots[slot];
        slot = order != NULL ? order->next : ENGINE_NO_SLOT;
        pass_order(carrier, order, true);
    }
}

static bool is_ended(const struct order *order)
{
    return order->state != ORDER_NONE && !order_state_is_live(order->state);
}

static void pass_ended(struct carrier *carrier)
{
    struct order_table *table = &carrier->engine->orders;
    uint64_t ended = 0;
    for (uint64_t slot = 0; slot <= table->mask; slot++)
        ended += is_ended(&table->slots[slot]);
    ended = pass_count(carrier, "ended", ended, (uint64_t)table->mask + 1);
    if (is_reading(carrier)) {
        for (uint64_t i = 0; i < ended && carrier->fault == NULL; i++)
            pass_order(carrier, NULL, false);
        return;
    }
    for (uint64_t slot = 0; slot <= table->mask; slot++)
        if (is_ended(&table->slots[slot]))
            pass_order(carrier, &table->slots[slot], false);
}

static void pass_venue_id(struct carrier *carrier, const char *name, uint64_t index,
                          struct venue_id *id)
{
    uint8_t length = (uint8_t)pass(carrier, name, index, is_reading(carrier) ? 0 : id->length, 0,
                                   EVENT_VENUE_ID_MAX);
    if (is_reading(carrier))
        *id = (struct venue_id){.length = length};
    for (unsigned i = 0; i < length && carrier->fault == NULL; i++) {
        uint8_t byte = (uint8_t)id->bytes[i];
        if (!is_reading(carrier))
            put_byte(carrier, byte);
        else if (get_byte(carrier, &byte))
            id->bytes[i] = (char)byte;
        else
            refuse(carrier, name, index);
    }
}

/* The trade ring, from its oldest entry. */
static void pass_trades(struct carrier *carrier)
{
    struct order_table *table = &carrier->engine->orders;
    uint64_t count = pass_count(carrier, "trade_count", table->trade_count, UINT64_MAX);
    uint64_t room = (uint64_t)table->trade_mask + 1, kept = count < room ? count : room;
    if (is_reading(carrier))
        table->trade_count = count;
    for (uint64_t at = count - kept; at < count && carrier->fault == NULL; at++) {
        struct own_trade *trade = &table->trades[at & table->trade_mask];
        struct own_trade read = is_reading(carrier) ? (struct own_trade){.count = at} : *trade;
        read.order = (uint64_t)pass(carrier, "trade.order", at, (int128)read.order, 0, UINT64_MAX);
        read.previous = (uint32_t)pass(carrier, "trade.previous", at, read.previous, 0, UINT32_MAX);
        pass_venue_id(carrier, "trade.id", at, &read.id);
        if (is_reading(carrier) && !trade_is_usable(carrier->engine, read.previous))
            refuse(carrier, "trade.previous", at);
        if (is_reading(carrier) && carrier->fault == NULL)
            *trade = read;
    }
}

static void pass_orders(struct carrier *carrier)
{
    static const struct field fields[] = {
        FIELD_OF(order_table, repeats, 0), FIELD_OF(order_table, surprises, 0),
        FIELD_OF(order_table, late_fills, 0), FIELD_OF(order_table, orphan_fills, 0)};
    struct engine *engine = carrier->engine;
    pass_same(carrier, "orders.capacity", engine->orders.capacity);
    pass_same(carrier, "orders.slots", (uint64_t)engine->orders.mask + 1);
    pass_same(carrier, "orders.trades", (uint64_t)engine->orders.trade_mask + 1);
    PASS_FIELDS(carrier, fields, 0, &engine->orders);
    pass_trades(carrier);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        for (unsigned side = 0; side < 2; side++)
            pass_live(carrier, index, side);
    pass_ended(carrier);
}

/* --- money ------------------------------------------------------------------------------------------------- */

#define POSITION_FIELD(name) FIELD_OF(position, name, 0)
#define BALANCE_FIELD(name)  FIELD_OF(balance, name, 0)
#define PROFIT_FIELD(name)   FIELD_OF(profit, name, 0)

static const struct field position_fields[] = {POSITION_FIELD(units),
                                               POSITION_FIELD(cost),
                                               POSITION_FIELD(realised),
                                               POSITION_FIELD(fees),
                                               POSITION_FIELD(funding),
                                               POSITION_FIELD(fills),
                                               POSITION_FIELD(bought),
                                               POSITION_FIELD(sold),
                                               POSITION_FIELD(base_fees),
                                               POSITION_FIELD(value_bought),
                                               POSITION_FIELD(value_sold),
                                               POSITION_FIELD(adopted),
                                               POSITION_FIELD(value_adopted),
                                               POSITION_FIELD(adopted_as_of),
                                               POSITION_FIELD(apart),
                                               POSITION_FIELD(last_funding_due),
                                               POSITION_FIELD(last_funding_rate),
                                               POSITION_FIELD(last_funding_mark2),
                                               POSITION_FIELD(funding_missed)};

static const struct field balance_fields[] = {
    BALANCE_FIELD(total),  BALANCE_FIELD(transfers), BALANCE_FIELD(moved),
    BALANCE_FIELD(fees),   BALANCE_FIELD(reserved),  BALANCE_FIELD(shown_total),
    BALANCE_FIELD(shown),  BALANCE_FIELD(shown_at),  BALANCE_FIELD(as_of),
    BALANCE_FIELD(newest), BALANCE_FIELD(used),      BALANCE_FIELD(told)};

static const struct field profit_fields[] = {
    PROFIT_FIELD(has_mark),      PROFIT_FIELD(drawn_down),  PROFIT_FIELD(day_lost),
    PROFIT_FIELD(marked.profit), PROFIT_FIELD(marked.peak), PROFIT_FIELD(marked.day_start),
    PROFIT_FIELD(marked.day)};

/* Of a table whose entries mostly are not there: the number of the next one, from 1; 0: no more. Gives where it
 * stands, or `count`. */
static uint64_t pass_next(struct carrier *carrier, const char *name, uint64_t from, uint64_t count,
                          uint64_t found)
{
    uint64_t next = (uint64_t)pass(carrier, name, from, found < count ? (int128)found + 1 : 0, 0,
                                   (int128)count);
    if (next == 0)
        return count;
    if (next <= from)
        refuse(carrier, name, from);
    return next - 1;
}

static uint64_t next_balance(const struct engine *engine, uint64_t at, uint64_t count)
{
    while (at < count && !engine->balances[at].used && engine->balances[at].reserved.atto == 0)
        at++;
    return at;
}

static void pass_balances(struct carrier *carrier)
{
    struct engine *engine = carrier->engine;
    uint64_t count = (uint64_t)engine->venue_count * engine->asset_count, from = 0;
    while (carrier->fault == NULL) {
        uint64_t found = is_reading(carrier) ? count : next_balance(engine, from, count);
        uint64_t at = pass_next(carrier, "balance", from, count, found);
        if (at == count)
            return;
        PASS_FIELDS(carrier, balance_fields, at, &engine->balances[at]);
        from = at + 1;
    }
}

static void pass_profit(struct carrier *carrier)
{
    static const struct field fees[] = {FIELD_OF(asset_profit, fees, 0)};
    static const struct field fee_asset[] = {FIELD_OF(instrument_profit, fee_asset, 0)};
    struct engine *engine = carrier->engine;
    PASS_FIELDS(carrier, profit_fields, 0, &engine->profit);
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        PASS_FIELDS(carrier, fees, asset, &engine->profit.assets[asset]);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        struct instrument_profit *own = &engine->instruments[index].profit;
        PASS_FIELDS(carrier, fee_asset, index, own);
        if (is_reading(carrier) && own->fee_asset >= engine->asset_count &&
            own->fee_asset != EVENT_NONE_16)
            refuse(carrier, "fee_asset", index);
    }
}

/* --- breakers, and what was learned -------------------------------------------------------------------------- */

static void pass_breakers(struct carrier *carrier, unsigned index)
{
    struct instrument *instrument = &carrier->engine->instruments[index];
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++) {
        uint64_t at = (uint64_t)index * BREAKER_COUNT + breaker;
        const struct breakers *breakers = &instrument->breakers;
        unsigned state = (unsigned)pass(carrier, "breaker", at, breakers->state[breaker], 0,
                                        BREAKER_STATE_COUNT - 1);
        int64_t since = (int64_t)pass(carrier, "breaker.since", at, breakers->since[breaker],
                                      INT64_MIN, INT64_MAX);
        if (is_reading(carrier))
            breakers_set(instrument, breaker, state, since);
    }
}

static void pass_learning(struct carrier *carrier, unsigned index)
{
    static const struct field fields[] = {
        FIELD_OF(learning_cell, alpha, 0), FIELD_OF(learning_cell, beta, 0),
        FIELD_OF(learning_cell, spells, 0), FIELD_OF(learning_cell, chance, 0)};
    enum { CELLS = 2 * STRATEGY_LEVELS_MAX };
    struct learning *learning = &carrier->engine->instruments[index].learning;
    uint64_t from = 0;
    while (carrier->fault == NULL) {
        uint64_t found = from;
        while (found < CELLS &&
               learning->cells[found / STRATEGY_LEVELS_MAX][found % STRATEGY_LEVELS_MAX].spells ==
                   0)
            found++;
        uint64_t at = pass_next(carrier, "learning", from, CELLS, found);
        if (at == CELLS)
            return;
        PASS_FIELDS(carrier, fields, (uint64_t)index * CELLS + at,
                    &learning->cells[at / STRATEGY_LEVELS_MAX][at % STRATEGY_LEVELS_MAX]);
        from = at + 1;
    }
}

static void pass_instrument(struct carrier *carrier, unsigned index)
{
    static const struct field fields[] = {
        FIELD_OF(instrument, quote_flow, 0), FIELD_OF(instrument, paused, 0),
        FIELD_OF(instrument, pulled, 0), FIELD_OF(instrument, alarms.raised, 0)};
    struct instrument *instrument = &carrier->engine->instruments[index];
    PASS_FIELDS(carrier, position_fields, index, &instrument->position);
    PASS_FIELDS(carrier, fields, index, instrument);
    pass_breakers(carrier, index);
    pass_learning(carrier, index);
}

static void pass_venue(struct carrier *carrier, unsigned venue)
{
#define VENUE_FIELD(name) FIELD_OF(venue_state, name, 0)
    static const struct field fields[] = {
        VENUE_FIELD(rate.day),
        VENUE_FIELD(rate.day_sent),
        VENUE_FIELD(rate.told_left),
        VENUE_FIELD(rate.told_most),
        VENUE_FIELD(rate.told_resets),
        VENUE_FIELD(rate.refused_until),
        VENUE_FIELD(rate.back_off),
        FIELD_OF(venue_state, infrastructure.state, INFRASTRUCTURE_STATE_COUNT - 1),
        VENUE_FIELD(infrastructure.failures),
        VENUE_FIELD(infrastructure.since),
        VENUE_FIELD(infrastructure.passed),
        VENUE_FIELD(infrastructure.trial),
        VENUE_FIELD(alarms.raised)};
#undef VENUE_FIELD
    PASS_FIELDS(carrier, fields, venue, &carrier->engine->venues[venue]);
}

/* --- all of it ----------------------------------------------------------------------------------------------- */

static void pass_session(struct carrier *carrier)
{
    static const struct field now[] = {FIELD_OF(engine, now, 0)};
    static const struct field carry[] = {FIELD_OF(carry, epoch, 0), FIELD_OF(carry, counter, 0),
                                         FIELD_OF(carry, shutdown, SHUTDOWN_STEP_COUNT - 1),
                                         FIELD_OF(carry, shutdown_deadline, 0),
                                         FIELD_OF(carry, shutdown_step_deadline, 0)};
    static const struct field counters[] = {
        FIELD_OF(engine_counters, placed, 0), FIELD_OF(engine_counters, modified, 0),
        FIELD_OF(engine_counters, replaced, 0), FIELD_OF(engine_counters, cancelled, 0),
        FIELD_OF(engine_counters, fills, 0)};
    struct engine *engine = carrier->engine;
    pass_same(carrier, "carry.version", CARRY_VERSION);
    pass_same(carrier, "venues", engine->venue_count);
    pass_same(carrier, "assets", engine->asset_count);
    pass_same(carrier, "instruments", engine->instrument_count);
    PASS_FIELDS(carrier, now, 0, engine);
    PASS_FIELDS(carrier, carry, 0, &engine->carry);
    PASS_FIELDS(carrier, counters, 0, &engine->counters);
}

static void pass_hash(struct carrier *carrier)
{
    struct walker_hash hash;
    walker_hash_init(&hash);
    engine_walk_carry(carrier->engine, &hash.walker);
    pass_same(carrier, "hash", hash.hash);
}

/* Of fixed length, so that how long a carry is does not hang on it. */
static void pass_bytes_hash(struct carrier *carrier)
{
    uint8_t bytes[sizeof(uint64_t)];
    size_t end = carrier->at < carrier->length ? carrier->at : carrier->length;
    bytes_put_u64(bytes, hash_64(is_reading(carrier) ? carrier->in : carrier->out, end));
    for (size_t i = 0; i < sizeof bytes && carrier->fault == NULL; i++) {
        uint8_t byte;
        if (!is_reading(carrier))
            put_byte(carrier, bytes[i]);
        else if (!get_byte(carrier, &byte) || byte != bytes[i])
            refuse(carrier, "bytes", carrier->at);
    }
}

static void pass_all(struct carrier *carrier)
{
    pass_session(carrier);
    pass_orders(carrier);
    pass_balances(carrier);
    pass_profit(carrier);
    for (unsigned index = 0; index < carrier->engine->instrument_count; index++)
        pass_instrument(carrier, index);
    for (unsigned venue = 0; venue < carrier->engine->venue_count; venue++)
        pass_venue(carrier, venue);
    pass_hash(carrier);
    pass_bytes_hash(carrier);
    if (is_reading(carrier) && carrier->at != carrier->length)
        refuse(carrier, "end", carrier->at);
}

size_t engine_write_carry(const struct engine *engine, uint8_t *out, size_t capacity)
{
    ASSERT(engine->magic == ENGINE_MAGIC && out != NULL);
    struct carrier carrier = {
        .engine = (struct engine *)(uintptr_t)engine, .out = out, .length = capacity};
    pass_all(&carrier);
    ASSERT(carrier.fault == NULL);
    return carrier.at;
}

const char *engine_read_carry(struct engine *engine, const uint8_t *bytes, size_t length,
                              uint64_t *index)
{
    ASSERT(engine->magic == ENGINE_MAGIC && !engine->started);
    struct carrier carrier = {.engine = engine, .in = bytes, .length = length};
    pass_all(&carrier);
    engine->started = true;
    *index = carrier.index;
    return carrier.fault;
}
