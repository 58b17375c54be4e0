/* Messages as bytes and as text: tables, exact examples, refusals, seeded round trips. */
#include <criterion/criterion.h>
#include <string.h>

#include "event/event.h"

enum { ROWS_MAX = 40, BYTES_MAX = EVENT_HEAD_BYTES + ROWS_MAX * EVENT_ROW_BYTES + 512 };

static const char *const venues[] = {"binance_coinm", "binance_spot", "v1"};
static const char *const assets[] = {"BTC", "ETH", "USD", "USDT"};
static const char *const symbols[] = {"BTCUSD_PERP", "BTCUSDT", "ETHUSDT", "BTC-USD"};
static const struct event_definition definitions[] = {
    {.instrument = 0, .venue = 0, .price_exponent = -1, .quantity_exponent = 0},
    {.instrument = 1, .venue = 1, .price_exponent = -1, .quantity_exponent = -3},
    {.instrument = 2, .venue = 1, .price_exponent = -2, .quantity_exponent = -18},
    {.instrument = 3, .venue = 2, .price_exponent = 0, .quantity_exponent = 2},
};
static const struct event_names names = {.venue_count = 3,
                                         .asset_count = 4,
                                         .instrument_count = 4,
                                         .venues = venues,
                                         .assets = assets,
                                         .symbols = symbols,
                                         .definitions = definitions};

static const int64_t t0 = INT64_C(1723161254000000000);

/* Text must be `text`, and must read back to the same bytes. */
static void check_text(const struct message *message, const char *text)
{
    static char line[100000];
    static uint8_t before[BYTES_MAX], after[BYTES_MAX];
    static struct row rows[ROWS_MAX];
    union event_record record;
    struct message again;
    struct error error = {0};

    size_t length = message_to_text(message, &names, line, sizeof line);
    cr_assert_lt(length, sizeof line);
    if (text != NULL)
        cr_assert_str_eq(line, text);
    int result = message_from_text(line, length, &names, rows, ROWS_MAX, &record, &again, &error);
    cr_assert_eq(result, 0, "%s: %s", line, error.text);
    size_t bytes = message_encode(message, before, sizeof before);
    cr_assert_eq(message_encode(&again, after, sizeof after), bytes, "%s", line);
    cr_assert_arr_eq(before, after, bytes, "%s", line);
}

static struct message record_message(unsigned kind, unsigned instrument,
                                     const union event_record *record)
{
    return (struct message){
        .ts_local = t0,
        .stream = EVENT_STREAM(instrument, event_default_channel(kind)),
        .kind = (uint8_t)kind,
        .record = record,
    };
}

Test(event, tables_are_whole)
{
    unsigned kinds = 0;

    for (unsigned kind = 0; kind < 300; kind++) {
        const struct event_kind_info *info = event_kind_info(kind);
        if (info == NULL)
            continue;
        kinds++;
        cr_assert_eq(info->kind, kind);
        cr_assert_eq(event_kind_by_name(info->name, strlen(info->name)), info);
        size_t bytes = 0;
        for (unsigned i = 0; i < info->field_count; i++)
            bytes += event_field_bytes(info->fields[i].type);
        cr_assert_eq(bytes, info->body_bytes);
    }
#define X(name, number, class, shape, meaning) +1
    cr_assert_eq(kinds, 0 EVENT_KINDS_IN(X) EVENT_KINDS_OUT(X));
#undef X
    cr_assert_null(event_kind_by_name("plac", 4));
    cr_assert_eq(event_kind_info(EVENT_place)->event_class, EVENT_DECISION);
    cr_assert_eq(sizeof(struct row), 24);
}

Test(event, enumerations_read_back)
{
    for (unsigned type = 0; type < FIELD_TYPE_COUNT; type++) {
        const char *text;
        unsigned value = 0;
        for (; (text = event_enum_text(type, value)) != NULL; value++)
            cr_assert_eq(event_enum_value(type, text, strlen(text)), (int)value);
        cr_assert_null(event_enum_text(type, value + 1));
        cr_assert_eq(event_enum_value(type, "nothing", 7), -1);
    }
    cr_assert_str_eq(event_enum_text(FIELD_LIQUIDITY, LIQUIDITY_TAKER), "taker");
    cr_assert_null(event_enum_text(FIELD_COUNT, 0));
}

Test(event, text_of_a_place)
{
    union event_record record = {.place = {.instrument = 1,
                                           .order = 1,
                                           .side = SIDE_BUY,
                                           .price = {990, NUMBER_VALUE},
                                           .quantity = {10, NUMBER_VALUE},
                                           .time_in_force = TIME_IN_FORCE_GTC,
                                           .post_only = 1,
                                           .cause = 17,
                                           .fair = -250,
                                           .gates = 0x1ff}};
    struct message message = record_message(EVENT_place, 1, &record);
    check_text(&message, "2024-08-08T23:54:14.000000000Z place binance_spot:BTCUSDT order=#1 "
                         "side=buy price=99.0 quantity=0.010 time_in_force=gtc post_only=yes "
                         "level=0 cause=17 fair=-250 skew=0 distance=0 gates=0x1ff");
    record.place.order = UINT64_C(2) << 32 | 17;
    record.place.instrument = EVENT_NONE_16;
    record.place.price = (struct number){0, NUMBER_NAN};
    message.stream = EVENT_NONE_16;
    check_text(&message, "2024-08-08T23:54:14.000000000Z place - order=#2.17 side=buy price=nan "
                         "quantity=10 time_in_force=gtc post_only=yes level=0 cause=17 fair=-250 "
                         "skew=0 distance=0 gates=0x1ff");
}

Test(event, text_of_rows)
{
    struct row rows[] = {
        {.price = 1000, .quantity = 50, .flags = ROW_FROM_SNAPSHOT},
        {.price = 1005, .quantity = 40, .flags = ROW_FROM_SNAPSHOT | ROW_SELL},
        {.price = 1000, .quantity = 0},
        {.price_status = NUMBER_NAN, .quantity = 7, .flags = ROW_SELL | ROW_LAST},
    };
    struct message message = {.ts_local = t0,
                              .ts_venue = t0 - 1000000,
                              .sequence = 105,
                              .stream = EVENT_STREAM(1, CHANNEL_DEPTH),
                              .kind = EVENT_snapshot,
                              .flags = MESSAGE_VENUE_ESTIMATED | MESSAGE_MORE,
                              .row_count = 4,
                              .rows = rows};
    check_text(&message,
               "2024-08-08T23:54:14.000000000Z snapshot binance_spot:BTCUSDT sequence=105 "
               "venue_time=estimated:2024-08-08T23:54:13.999000000Z more bid 100.0*0.050 "
               "ask 100.5*0.040 held bid 100.0*0.000 held ask nan*0.007");
    message.kind = EVENT_depth;
    message.flags = MESSAGE_VENUE_TIME;
    message.row_count = 1;
    check_text(&message, "2024-08-08T23:54:14.000000000Z depth binance_spot:BTCUSDT sequence=105 "
                         "venue_time=2024-08-08T23:54:13.999000000Z snapshot bid 100.0*0.050");
    rows[0] = (struct row){.price = 5, .quantity = 1, .flags = ROW_NOT_MARKET | ROW_SELL};
    message.kind = EVENT_trade;
    message.sequence = 0;
    check_text(&message, "2024-08-08T23:54:14.000000000Z trade binance_spot:BTCUSDT channel=depth "
                         "venue_time=2024-08-08T23:54:13.999000000Z sell 0.5*0.001 not_market");
}

Test(event, text_of_ids_and_odd_values)
{
    union event_record record = {.order_filled = {.instrument = 1,
                                                  .order = 3,
                                                  .trade = {5, "a \"\\\xff"},
                                                  .side = SIDE_SELL,
                                                  .price = {1005, NUMBER_VALUE},
                                                  .quantity = {1, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .cause = FILL_THROUGH,
                                                  .fee = {-INT64_C(100000000000000000)},
                                                  .fee_asset = 3}};
    struct message message = record_message(EVENT_order_filled, 1, &record);
    check_text(&message, "2024-08-08T23:54:14.000000000Z order_filled binance_spot:BTCUSDT "
                         "order=#3 trade=\"a \\\"\\\\\\xff\" side=sell price=100.5 quantity=0.001 "
                         "leaves=0.000 cause=through liquidity=maker fee=-0.1 fee_asset=USDT");
    memset(&record, 0, sizeof record);
    record.clock_jump.jump = -1500000;
    message = record_message(EVENT_clock_jump, 0, &record);
    message.stream = EVENT_NONE_16;
    check_text(&message, "2024-08-08T23:54:14.000000000Z clock_jump - jump=-1500us");
    memset(&record, 0, sizeof record);
    record.funding.instrument = 700;
    record.funding.rate = -100000;
    record.funding.due = INT64_MAX;
    message = record_message(EVENT_funding, 0, &record);
    check_text(&message, "2024-08-08T23:54:14.000000000Z funding binance_coinm:BTCUSD_PERP "
                         "instrument=?700 rate=-0.0001 due=never");
    record.funding.due = 0; /* no time, and not the beginning of 1970 */
    check_text(&message, "2024-08-08T23:54:14.000000000Z funding binance_coinm:BTCUSD_PERP "
                         "instrument=?700 rate=-0.0001 due=absent");
}

static void refuse(const char *text, const char *why)
{
    struct row rows[2];
    union event_record record;
    struct message message;
    struct error error = {0};

    int result = message_from_text(text, strlen(text), &names, rows, 2, &record, &message, &error);
    cr_assert_eq(result, ERROR_INPUT, "%s", text);
    cr_assert(strstr(error.text, why) != NULL, "%s: %s", text, error.text);
}

Test(event, text_is_refused_with_its_column)
{
    refuse("", "column 1: expected a time");
    refuse("yesterday depth -", "column 1: expected a time");
    refuse("1 deep -", "column 3: expected a message kind");
    refuse("1 depth v1:BTC-EUR", "column 9: expected venue:symbol");
    refuse("1 depth v1:BTC-USD channel=books", "expected a channel");
    refuse("1 depth v1:BTC-USD bid 1.5*100", "column 24: expected a price");
    refuse("1 depth v1:BTC-USD bid 1*10", "column 26: expected a quantity");
    refuse("1 depth v1:BTC-USD bid 1", "expected price*quantity");
    refuse("1 depth v1:BTC-USD bid NaN*100", "expected a price");
    refuse("1 depth v1:BTC-USD buy 1*100", "expected bid or ask");
    refuse("1 depth - bid 1*1 bid 2*1 bid 3*1", "too long");
    refuse("1 order_level - bid 1*1 action=256 slot=1", "action=0..255");
    refuse("1 depth - sequence=-1", "unsigned");
    refuse("1 depth - venue_time=estimated:x", "a time");
    refuse("1 tick -", "field deadline: expected name=value");
    refuse("1 tick - deadline=1 x", "column 21: expected the end");
    refuse("1 shutdown - signal=18446744073709551616", "field signal: expected unsigned integer");
    refuse("1 order_not_found v1:BTC-USD order=17", "field order: expected #counter");
    refuse("1 order_accepted v1:BTC-USD order=#1 venue_order=\"01234567890123456789"
           "01234567890123456789x\"",
           "field venue_order: expected quoted text");
    refuse("1 order_accepted v1:BTC-USD order=#1 venue_order=\"a", "quoted text");
    refuse("1 order_accepted v1:BTC-USD order=#1 venue_order=\"\\x0\"", "quoted text");
    refuse("1 order_accepted v1:BTC-USD order=#1 venue_order=\"\\", "quoted text");
    refuse("1 feed_connection v1 connected=yes", "expected venue:symbol");
    refuse("1 feed_connection - venue=v2 connected=yes", "field venue");
    refuse("1 feed_connection - venue=v1 connected=1", "field connected: expected yes or no");
}

/* --- random messages --- */

static uint64_t random_state;

/* splitmix64 */
static uint64_t random_u64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t random_below(uint64_t bound)
{
    return random_u64() % bound;
}

/* Often small, sometimes an edge, sometimes anything. */
static uint64_t random_integer(void)
{
    static const uint64_t edges[] = {0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1};
    switch (random_below(4)) {
    case 0:
        return edges[random_below(5)];
    case 1:
        return random_u64();
    default:
        return random_below(100000);
    }
}

static void random_bytes_field(uint8_t *member, size_t most)
{
    memset(member, 0, most + 1);
    member[0] = (uint8_t)random_below(most + 1);
    for (unsigned i = 0; i < member[0]; i++)
        member[1 + i] = (uint8_t)random_u64();
}

static unsigned enum_count(enum event_field_type type)
{
    unsigned count = 0;
    while (event_enum_text(type, count) != NULL)
        count++;
    return count;
}

static struct number random_number(void)
{
    struct number number;
    memset(&number, 0, sizeof number);
    number.status =
        random_below(3) != 0 ? NUMBER_VALUE : (uint8_t)random_below(NUMBER_STATUS_COUNT);
    if (number.status == NUMBER_VALUE)
        number.units = (int64_t)random_integer();
    return number;
}

static void random_field(enum event_field_type type, void *member)
{
    uint64_t whole = random_integer();
    uint32_t gates = (uint32_t)random_below(UINT64_C(1) << GATE_COUNT);
    uint16_t half = (uint16_t)random_below(6);
    struct number number = random_number();
    money amount = {(int128)((uint128)random_integer() << 64 | random_u64())};

    if (random_below(4) == 0)
        amount.atto = (int64_t)whole;
    if (amount.atto == (int128)((uint128)1 << 127))
        amount.atto = -1;
    switch (event_field_bytes(type)) {
    case 1:
        if (type == FIELD_EXPONENT)
            *(int8_t *)member = (int8_t)((int)random_below(37) - 18);
        else if (type == FIELD_VENUE)
            *(uint8_t *)member = random_below(4) == 0 ? EVENT_NONE_8 : (uint8_t)random_below(5);
        else
            *(uint8_t *)member = (uint8_t)random_below(enum_count(type));
        break;
    case 2:
        half = random_below(4) == 0 ? EVENT_NONE_16 : half;
        memcpy(member, &half, sizeof half);
        break;
    case 4:
        memcpy(member, &gates, sizeof gates);
        break;
    case 8:
        memcpy(member, &whole, sizeof whole);
        break;
    case 9:
        memcpy(member, &number, sizeof number);
        break;
    case 16:
        memcpy(member, &amount, sizeof amount);
        break;
    default:
        random_bytes_field(member, event_field_bytes(type) - 1);
    }
}

static void random_row(struct row *row, unsigned kind)
{
    struct number price = random_number(), quantity = random_number();

    *row = (struct row){.price = price.units,
                        .quantity = quantity.units,
                        .flags = (uint8_t)random_below(16),
                        .price_status = price.status,
                        .quantity_status = quantity.status};
    if (kind == EVENT_order_level) {
        row->action = (uint8_t)random_u64();
        row->slot = (uint32_t)random_u64();
    }
}

/* Any message that can be written. */
static struct message random_message(struct row *rows, union event_record *record)
{
    const struct event_kind_info *info;
    struct message message = {.sequence = random_integer()};

    while ((info = event_kind_info((unsigned)random_below(256))) == NULL)
        continue;
    message.kind = info->kind;
    message.ts_local = (int64_t)random_integer();
    message.stream =
        random_below(4) == 0 ? EVENT_NONE_16 : EVENT_STREAM(random_below(6), random_below(6));
    message.flags = (uint8_t)(random_below(3) << 1 | random_below(2));
    if (message.flags > MESSAGE_MORE)
        message.ts_venue = (int64_t)random_integer();
    if (info->shape == EVENT_RECORD) {
        memset(record, 0, sizeof *record);
        for (unsigned i = 0; i < info->field_count; i++)
            random_field(info->fields[i].type, (char *)record + info->fields[i].offset);
        message.record = record;
        return message;
    }
    message.row_count = (uint32_t)random_below(ROWS_MAX + 1);
    message.rows = rows;
    for (uint32_t i = 0; i < message.row_count; i++)
        random_row(&rows[i], message.kind);
    return message;
}

Test(event, random_messages_round_trip)
{
    static uint8_t first[BYTES_MAX], second[BYTES_MAX];
    static struct row rows[ROWS_MAX], rows_again[ROWS_MAX];
    union event_record record, record_again;
    struct message again;
    struct error error = {0};
    size_t used;

    random_state = 20240808;
    for (int i = 0; i < 20000; i++) {
        struct message message = random_message(rows, &record);
        size_t bytes = message_encode(&message, first, sizeof first);
        cr_assert_eq(bytes, message_encoded_bytes(&message));
        int result = message_decode(first, bytes + random_below(3), rows_again, ROWS_MAX,
                                    &record_again, &again, &used, &error);
        cr_assert_eq(result, 0, "%s", error.text);
        cr_assert_eq(used, bytes);
        cr_assert_eq(message_encode(&again, second, sizeof second), bytes);
        cr_assert_arr_eq(first, second, bytes);
        check_text(&message, NULL);
    }
}

Test(event, every_truncation_is_an_error)
{
    static uint8_t bytes[BYTES_MAX];
    static struct row rows[ROWS_MAX];
    union event_record record;
    struct message again;
    struct error error;
    size_t used;

    random_state = 7;
    for (int i = 0; i < 500; i++) {
        struct message message = random_message(rows, &record);
        size_t length = message_encode(&message, bytes, sizeof bytes);
        for (size_t cut = 0; cut < length; cut++) {
            error.text[0] = '\0';
            cr_assert_eq(message_decode(bytes, cut, rows, ROWS_MAX, &record, &again, &used, &error),
                         ERROR_INPUT);
            cr_assert(error.text[0] != '\0');
            if (message.record != NULL && cut >= EVENT_HEAD_BYTES)
                cr_assert_eq(record_decode(message.kind, bytes + EVENT_HEAD_BYTES,
                                           cut - EVENT_HEAD_BYTES, &record, &error),
                             ERROR_INPUT);
        }
    }
}

/* Whatever a decoder takes, it writes back byte for byte: nothing is mended on the way. */
Test(event, altered_bytes_are_refused_or_kept)
{
    static uint8_t bytes[BYTES_MAX], again_bytes[BYTES_MAX];
    static struct row rows[ROWS_MAX];
    union event_record record;
    struct message again;
    struct error error;
    size_t used;
    int refused = 0;

    random_state = 99;
    for (int i = 0; i < 20000; i++) {
        struct message message = random_message(rows, &record);
        size_t length = message_encode(&message, bytes, sizeof bytes);
        bytes[random_below(length)] ^= (uint8_t)(1 + random_below(255));
        if (message_decode(bytes, length, rows, ROWS_MAX, &record, &again, &used, &error) != 0) {
            refused++;
            continue;
        }
        cr_assert_eq(message_encode(&again, again_bytes, sizeof again_bytes), used);
        cr_assert_arr_eq(bytes, again_bytes, used);
        check_text(&again, NULL);
    }
    cr_assert_gt(refused, 1000);
}

static void refuse_record(unsigned kind, union event_record *record, size_t at, uint8_t byte,
                          const char *why)
{
    uint8_t bytes[EVENT_RECORD_BYTES_MAX];
    struct error error;

    size_t length = record_encode(kind, record, bytes);
    bytes[at] = byte;
    cr_assert_eq(record_decode(kind, bytes, length, record, &error), ERROR_INPUT);
    cr_assert_str_eq(error.text, why);
}

Test(event, values_outside_their_type_are_refused)
{
    union event_record record;

    memset(&record, 0, sizeof record);
    refuse_record(EVENT_order_rejected, &record, 10, REJECT_COUNT,
                  "order_rejected: field reason: expected enum reject");
    refuse_record(EVENT_feed_connection, &record, 1, 2,
                  "feed_connection: field connected: expected yes or no");
    refuse_record(EVENT_feed_connection, &record, 0, EVENT_VENUES_MAX,
                  "feed_connection: field venue: expected venue name, or - for none");
    refuse_record(EVENT_order_not_found, &record, 1, 4,
                  "order_not_found: field instrument: expected venue:symbol, or - for none");
    refuse_record(EVENT_order_accepted, &record, 10, EVENT_VENUE_ID_MAX + 1,
                  "order_accepted: field venue_order: expected quoted text");
    refuse_record(EVENT_order_accepted, &record, 11, 'x',
                  "order_accepted: field venue_order: expected quoted text");
    refuse_record(EVENT_mark, &record, 10, NUMBER_STATUS_COUNT,
                  "mark: field price: expected decimal in the instrument's price unit, or its "
                  "status");
    record.mark.price.units = 5;
    refuse_record(EVENT_mark, &record, 10, NUMBER_NAN,
                  "mark: field price: expected decimal in the instrument's price unit, or its "
                  "status");
    memset(&record, 0, sizeof record);
    refuse_record(EVENT_definition, &record, 4, 19,
                  "definition: field price_exponent: expected power of ten, -18 to 18");
    refuse_record(EVENT_place, &record, 74, 0xff,
                  "place: field gates: expected hexadecimal bits by enum gate");
}

Test(event, bytes_are_little_endian_at_fixed_places)
{
    static const uint8_t expected[] = {
        65, 0, 0xff, 0xff, 8, 0, 0, 0, 0x08, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0,
        0,  0, 0,    0,    9, 0, 0, 0, 0,    0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 0x80,
    };
    uint8_t bytes[sizeof expected];
    union event_record record = {.tick = {(int64_t)UINT64_C(0x8007060504030201)}};
    struct message message = {.ts_local = INT64_C(0x0102030405060708),
                              .sequence = 9,
                              .stream = EVENT_NONE_16,
                              .kind = EVENT_tick,
                              .record = &record};
    cr_assert_eq(message_encode(&message, bytes, sizeof bytes), sizeof expected);
    cr_assert_arr_eq(bytes, expected, sizeof expected);
}

Test(event, text_length_is_told_when_memory_is_short)
{
    union event_record record = {.tick = {t0}};
    struct message message = {
        .ts_local = t0, .stream = EVENT_NONE_16, .kind = EVENT_tick, .record = &record};
    char whole[128], part[16];

    size_t length = message_to_text(&message, &names, whole, sizeof whole);
    cr_assert_eq(length, strlen(whole));
    cr_assert_eq(message_to_text(&message, &names, part, sizeof part), length);
    cr_assert_eq(strlen(part), sizeof part - 1);
    cr_assert_eq(memcmp(part, whole, sizeof part - 1), 0);
    cr_assert_eq(message_to_text(&message, &names, NULL, 0), length);
}

Test(event, names)
{
    char name[EVENT_INSTRUMENT_NAME_MAX];

    cr_assert_eq(event_instrument_name(&names, 3, name), 10);
    cr_assert_str_eq(name, "v1:BTC-USD");
    cr_assert_eq(event_instrument_by_name(&names, name, 10), 3);
    cr_assert_eq(event_instrument_by_name(&names, name, 9), -1);
    cr_assert(event_name_is_valid("BTC-USD", 7));
    cr_assert_not(event_name_is_valid("-", 1));
    cr_assert_not(event_name_is_valid("?1", 2));
    cr_assert_not(event_name_is_valid("a b", 3));
    cr_assert_not(event_name_is_valid("", 0));
    cr_assert(event_name_is_valid("\xe5\xb8\x81USDT", 7));
    cr_assert_not(event_name_is_valid("\xe5\xb8USDT", 6));
}
