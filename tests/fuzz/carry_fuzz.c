/* Fuzz target (libFuzzer, --enable-fuzz): what a tape that follows another begins with. An R and bytes are a carry as
 * they stand; anything else is a list of edits, four bytes each (place, high byte first; 0: set, else: xor; value), of the
 * carry and warmth of an engine that traded a little, whose hashes of bytes are then made right. What is read is an engine
 * that goes on; what is refused has a field's name. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "config/config.h"
#include "engine/engine.h"

enum { BYTES = 1 << 16, EDIT = 4, HASH = 8, ALIGNMENT = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const venues[] = {"v1", "v2"};
static const char *const assets[] = {"BTC", "USD"};
static const char *const symbols[] = {"BTC-USD", "BTCUSD_PERP"};
static const struct event_definition definitions[] = {
    {.instrument = 0,
     .venue = 0,
     .contract = CONTRACT_SPOT,
     .price_exponent = -2,
     .quantity_exponent = -3,
     .tick = 50,
     .lot = 1,
     .multiplier = 1,
     .base_commission_exponent = -8,
     .quote_commission_exponent = -8,
     .base = 0,
     .quote = 1,
     .settle = 1},
    {.instrument = 1,
     .venue = 1,
     .contract = CONTRACT_LINEAR,
     .price_exponent = -1,
     .quantity_exponent = -3,
     .tick = 5,
     .lot = 1,
     .multiplier = 1,
     .base_commission_exponent = -8,
     .quote_commission_exponent = -8,
     .base = 0,
     .quote = 1,
     .settle = 1},
};
static const struct event_names names = {2, 2, 2, venues, assets, symbols, definitions};

/* One configuration and its engines' memory, made once. */
static struct {
    struct engine_config config;
    struct config_resolved resolved;
    void *memory;
    size_t size;
    uint8_t bytes[BYTES]; /* of the sample */
    size_t carry, all;
} world;

static struct engine *fresh_engine(void)
{
    return engine_init(world.memory, world.size, &world.config);
}

static void open_world(void)
{
    static const char *const settings[] = {"warm_up.trades=1",  "warm_up.book_messages=1",
                                           "warm_up.samples=1", "orders.capacity=64",
                                           "quote.levels=2",    "book.far_levels=64"};
    struct config *config = NULL;
    struct error error;
    int code = config_create(&config, &error);
    for (size_t i = 0; !code && i < sizeof settings / sizeof settings[0]; i++)
        code = config_set(config, settings[i], &error);
    if (!code)
        code = config_resolve(config, &names, true, &world.resolved, &error);
    ASSERT(code == 0);
    config_free(&config);
    world.config = (struct engine_config){.global = &world.resolved.global,
                                          .venue_count = names.venue_count,
                                          .asset_count = names.asset_count,
                                          .instrument_count = names.instrument_count,
                                          .venues = world.resolved.venues,
                                          .instruments = world.resolved.instruments,
                                          .definitions = definitions};
    world.size = (engine_size(&world.config) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    world.memory = aligned_alloc(ALIGNMENT, world.size);
    ASSERT(world.memory);
}

static void tell(struct engine *engine, int64_t now, enum event_kind kind, unsigned stream,
                 const union event_record *record)
{
    const struct message message = {
        .ts_local = now, .stream = (uint16_t)stream, .kind = (uint8_t)kind, .record = record};
    struct actions actions = engine_step(engine, &message);
    order_id placed[2] = {0, 0};
    for (size_t i = 0; i < actions.count && i < 2; i++)
        if (actions.messages[i].kind == EVENT_place)
            placed[i] = actions.messages[i].record->place.order;
    for (size_t i = 0; i < 2; i++) {
        union event_record answer = {.order_accepted = {.order = placed[i]}};
        if (placed[i] != 0)
            tell(engine, now, EVENT_order_accepted, EVENT_STREAM(0, CHANNEL_SESSION), &answer);
    }
}

static void tell_book(struct engine *engine, int64_t now, unsigned instrument, int64_t price)
{
    const struct row rows[] = {{.price = price, .quantity = 500},
                               {.price = price + 2 * definitions[instrument].tick,
                                .quantity = 400,
                                .flags = ROW_SELL | ROW_LAST}};
    const struct message message = {.ts_local = now,
                                    .stream = EVENT_STREAM(instrument, CHANNEL_DEPTH),
                                    .kind = EVENT_snapshot,
                                    .row_count = 2,
                                    .rows = rows};
    engine_step(engine, &message);
    const struct row trade = {.price = price, .quantity = 1, .flags = ROW_LAST};
    const struct message traded = {.ts_local = now,
                                   .stream = EVENT_STREAM(instrument, CHANNEL_TRADE),
                                   .kind = EVENT_trade,
                                   .row_count = 1,
                                   .rows = &trade};
    engine_step(engine, &traded);
}

/* The books of the sample, as a tape has them. */
static void tell_market(struct engine *engine)
{
    tell_book(engine, NS_PER_SECOND, 0, 5005000);
    tell_book(engine, NS_PER_SECOND, 1, 500500);
}

static void make_sample(void)
{
    struct engine *engine = fresh_engine();
    int64_t now = 2 * NS_PER_SECOND;
    union event_record record = {.start = {.epoch = 1}};
    tell(engine, now, EVENT_start, EVENT_NONE_16, &record);
    for (uint8_t venue = 0; venue < 2; venue++) {
        record = (union event_record){.balance = {.venue = venue, .asset = 1}};
        record.balance.total.atto = (int128)INT64_C(1000000000000000000) * 1000000;
        tell(engine, now, EVENT_balance, EVENT_NONE_16, &record);
        record = (union event_record){.open_order = {.instrument = venue,
                                                     .order = 99,
                                                     .side = SIDE_SELL,
                                                     .price = {6000000, NUMBER_VALUE},
                                                     .leaves = {3, NUMBER_VALUE}}};
        tell(engine, now, EVENT_open_order, EVENT_STREAM(venue, CHANNEL_SESSION), &record);
        record = (union event_record){.snapshot_end = {.venue = venue, .taken = now}};
        tell(engine, now, EVENT_snapshot_end, EVENT_NONE_16, &record);
    }
    for (int i = 0; i <= 10; i++) {
        now += NS_PER_SECOND / 2;
        tell_book(engine, now, 0, 5000000 + 500 * i);
        tell_book(engine, now, 1, 500000 + 50 * i);
        record = (union event_record){.tick = {.deadline = now}};
        tell(engine, now, EVENT_tick, EVENT_NONE_16, &record);
    }
    world.carry = engine_write_carry(engine, true, world.bytes, BYTES);
    world.all =
        world.carry + engine_write_warmth(engine, world.bytes + world.carry, BYTES - world.carry);
    ASSERT(world.all <= BYTES);
}

static void put_hash(uint8_t *bytes, size_t length)
{
    bytes_put_u64(bytes + length - HASH, hash_64(bytes, length - HASH));
}

static void go_on(struct engine *engine)
{
    int64_t now = 20 * NS_PER_SECOND;
    const union event_record record = {.tick = {.deadline = now}};
    tell_book(engine, now, 0, 5006000);
    tell(engine, now + 1, EVENT_tick, EVENT_NONE_16, &record);
    engine_finish(engine);
}

static void read_all(const uint8_t *bytes, size_t length)
{
    uint64_t index;
    size_t used;
    struct engine *engine = fresh_engine();
    tell_market(engine);
    const char *fault = engine_read_carry(engine, bytes, length, &used, &index);
    ASSERT(fault == NULL || fault[0] != '\0');
    if (fault != NULL || used == length)
        return;
    fault = engine_read_warmth(engine, bytes + used, length - used, &index);
    ASSERT(fault == NULL || fault[0] != '\0');
    if (fault == NULL)
        go_on(engine);
}

static void edit(const uint8_t *data, size_t size)
{
    static uint8_t bytes[BYTES];
    memcpy(bytes, world.bytes, world.all);
    for (size_t i = 0; i + EDIT <= size; i += EDIT) {
        uint8_t *byte = &bytes[((size_t)data[i] << 8 | data[i + 1]) % world.all];
        *byte = data[i + 2] == 0 ? data[i + 3] : *byte ^ data[i + 3];
    }
    put_hash(bytes, world.carry);
    put_hash(bytes + world.carry, world.all - world.carry);
    read_all(bytes, world.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!world.memory) {
        open_world();
        make_sample();
        read_all(world.bytes, world.all);
    }
    if (size > 0 && data[0] == 'R')
        read_all(data + 1, size - 1);
    else
        edit(data, size);
    return 0;
}
