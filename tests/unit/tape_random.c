/* Random messages from a seed. */
#include "tests/unit/tape_random.h"

#include <string.h>

static const char *const venues[] = {"binance_spot", "venue_two"};
static const char *const assets[] = {"BTC", "ETH", "USDT"};
static const char *const symbols[] = {"BTCUSDT", "ETHUSDT", "BTC-USD"};
static const struct event_definition definitions[] = {
    {.instrument = 0,
     .venue = 0,
     .price_exponent = -2,
     .quantity_exponent = -5,
     .tick = 1,
     .lot = 1,
     .multiplier = 1,
     .base = 0,
     .quote = 2,
     .settle = 2},
    {.instrument = 1,
     .venue = 0,
     .price_exponent = -2,
     .quantity_exponent = -4,
     .tick = 1,
     .lot = 1,
     .multiplier = 1,
     .base = 1,
     .quote = 2,
     .settle = 2},
    {.instrument = 2,
     .venue = 1,
     .price_exponent = -8,
     .quantity_exponent = -8,
     .tick = 1,
     .lot = 1,
     .multiplier = 1,
     .base = 0,
     .quote = EVENT_NONE_16,
     .settle = EVENT_NONE_16},
};

struct tape_header tape_random_header(void)
{
    return (struct tape_header){
        .version = TAPE_VERSION,
        .origin = TAPE_MADE,
        .grade = TAPE_GRADE_B,
        .tool_version = "0.1.0",
        .build_id = "test",
        .grade_reasons = "made of chance\nnothing else",
        .config = "quote:\n  size: 1\n",
        .seed = 7,
        .feed_floor_ns = 1000000,
        .names = {.venue_count = 2,
                  .asset_count = 3,
                  .instrument_count = 3,
                  .venues = venues,
                  .assets = assets,
                  .symbols = symbols,
                  .definitions = definitions},
    };
}

/* splitmix64 */
uint64_t tape_random_next(struct tape_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint64_t below(struct tape_random *random, uint64_t limit)
{
    return tape_random_next(random) % limit;
}

void tape_random_init(struct tape_random *random, uint64_t seed, bool wild)
{
    memset(random, 0, sizeof *random);
    random->state = seed;
    random->wild = wild;
    random->ts_local = INT64_C(1723161254000000000);
    for (unsigned i = 0; i < 4; i++) {
        random->sequence[i] = INT64_C(5000000000000) * i;
        random->price[i] = i == 2 ? INT64_C(6180000000000) : 6180000 + i;
    }
}

static void random_row(struct tape_random *random, unsigned kind, unsigned instrument,
                       struct row *row)
{
    static const uint8_t flags[4] = {0, ROW_SELL, ROW_FROM_SNAPSHOT, ROW_NOT_MARKET | ROW_SELL};
    memset(row, 0, sizeof *row);
    row->flags = flags[below(random, random->wild ? 4 : 2)];
    random->price[instrument] += (int64_t)below(random, 2001) - 1000;
    row->price = random->price[instrument];
    row->quantity = below(random, 4) == 0 ? 0 : (int64_t)below(random, 100000000);
    if (kind == EVENT_order_level) {
        row->action = (uint8_t)below(random, 5);
        row->slot = (uint32_t)tape_random_next(random);
    }
    if (!random->wild || below(random, 50) != 0)
        return;
    row->price = (int64_t)tape_random_next(random);
    row->quantity = (int64_t)tape_random_next(random);
    row->price_status = (uint8_t)below(random, NUMBER_STATUS_COUNT);
    row->quantity_status = (uint8_t)below(random, NUMBER_STATUS_COUNT);
    row->price = row->price_status == NUMBER_VALUE ? row->price : 0;
    row->quantity = row->quantity_status == NUMBER_VALUE ? row->quantity : 0;
}

/* Any record: bytes are drawn until they are one. */
static void random_record(struct tape_random *random, struct message *message)
{
    for (;;) {
        uint8_t bytes[EVENT_RECORD_BYTES_MAX];
        const struct event_kind_info *kind = event_kind_info((unsigned)below(random, 256));
        if (kind == NULL || kind->shape != EVENT_RECORD)
            continue;
        for (unsigned i = 0; i < kind->body_bytes; i++)
            bytes[i] = below(random, 3) == 0 ? (uint8_t)below(random, 3) : 0;
        memset(&random->record, 0, sizeof random->record);
        struct error error;
        if (record_decode(kind->kind, bytes, kind->body_bytes, &random->record, &error) != 0)
            continue;
        bool known = true;
        for (unsigned f = 0; f < kind->field_count; f++) {
            uint16_t wide = 0;
            const char *at = (const char *)&random->record + kind->fields[f].offset;
            if (kind->fields[f].type == FIELD_INSTRUMENT || kind->fields[f].type == FIELD_ASSET)
                memcpy(&wide, at, 2);
            else if (kind->fields[f].type == FIELD_VENUE)
                wide = (uint8_t)*at;
            known = known && wide < 2;
        }
        if (!known)
            continue;
        message->kind = kind->kind;
        message->record = &random->record;
        return;
    }
}

static uint32_t random_row_count(struct tape_random *random, unsigned kind)
{
    if (kind == EVENT_top)
        return 2;
    if (random->wild && below(random, 20) == 0)
        return 0;
    if (kind == EVENT_snapshot)
        return 1 + (uint32_t)below(random, TAPE_RANDOM_ROWS_MAX);
    return 1 + (uint32_t)below(random, 20);
}

static void random_venue_time(struct tape_random *random, struct message *message)
{
    int64_t exact = message->ts_local - 1270000000 + (int64_t)below(random, 20000000);
    switch (below(random, random->wild ? 6 : 3)) {
    case 0:
        message->ts_venue = message->ts_local - 1000000;
        message->flags |= MESSAGE_VENUE_ESTIMATED;
        return;
    case 3:
        return;
    case 4:
        message->ts_venue = exact / 1000 * 1000;
        break;
    case 5:
        message->ts_venue = below(random, 10) == 0 ? (int64_t)tape_random_next(random) : exact;
        break;
    default:
        message->ts_venue = exact / 1000000 * 1000000;
    }
    message->flags |= message->ts_venue != 0 ? MESSAGE_VENUE_TIME : 0;
}

struct message tape_random_message(struct tape_random *random)
{
    static const uint8_t kinds[8] = {EVENT_depth, EVENT_depth, EVENT_depth, EVENT_top,
                                     EVENT_top,   EVENT_trade, EVENT_depth, EVENT_order_level};
    unsigned instrument = (unsigned)below(random, 3);
    struct message message = {.kind = kinds[below(random, random->wild ? 8 : 7)]};
    if (below(random, 2000) == 0)
        message.kind = EVENT_snapshot;
    random->ts_local += (int64_t)(below(random, 3) == 0 ? 0 : below(random, 3000000));
    if (random->wild && below(random, 500) == 0)
        random->ts_local += INT64_C(3600000000000);
    message.ts_local = random->ts_local;
    message.stream = EVENT_STREAM(instrument, event_default_channel(message.kind));
    random->sequence[instrument] += below(random, 200);
    message.sequence = random->sequence[instrument];
    message.flags = below(random, 10) == 0 ? MESSAGE_MORE : 0;
    random_venue_time(random, &message);
    if (random->wild && below(random, 10) == 0) {
        message.stream = below(random, 3) == 0 ? EVENT_NONE_16 : message.stream;
        random_record(random, &message);
        return message;
    }
    message.row_count = random_row_count(random, message.kind);
    message.rows = random->rows;
    for (uint32_t i = 0; i < message.row_count; i++)
        random_row(random, message.kind, instrument, &random->rows[i]);
    if (message.row_count > 0)
        random->rows[message.row_count - 1].flags |= ROW_LAST;
    return message;
}

int tape_random_write(const char *path, uint64_t seed, bool wild, unsigned messages,
                      unsigned block_events, int level, struct error *error)
{
    static struct tape_random random;
    struct tape_header header = tape_random_header();
    struct tape_writer_options options = {.block_events = block_events, .level = level};
    struct tape_writer *writer = NULL;
    tape_random_init(&random, seed, wild);
    int failed = tape_writer_open(&writer, path, &header, &options, error);
    for (unsigned m = 0; m < messages && failed == 0; m++) {
        struct message message = tape_random_message(&random);
        failed = tape_writer_append(writer, &message, error);
        if (failed == 0 && m % 100 == 0)
            tape_writer_state_hash(writer, (uint16_t)m, m * UINT64_C(0x123456789abcdef));
    }
    if (failed != 0)
        tape_writer_abandon(&writer);
    else
        failed = tape_writer_finish(&writer, error);
    return failed;
}
