/* See binance_decode.h. */
#include "venue/live/binance_decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/live/json.h"

/* Members that frames share, by their names on the wire. X(field, key) */
#define MEMBERS(X)                                                                                 \
    X(event, "e")                                                                                  \
    X(event_time, "E")                                                                             \
    X(transaction_time, "T")                                                                       \
    X(symbol, "s")                                                                                 \
    X(pair, "ps")                                                                                  \
    X(first_id, "U")                                                                               \
    X(last_id, "u")                                                                                \
    X(previous_id, "pu")                                                                           \
    X(bid, "b")                                                                                    \
    X(bid_quantity, "B")                                                                           \
    X(ask, "a")                                                                                    \
    X(ask_quantity, "A")                                                                           \
    X(trade_id, "t")                                                                               \
    X(price, "p")                                                                                  \
    X(quantity, "q")                                                                               \
    X(trade_type, "X")                                                                             \
    X(buyer_is_maker, "m")                                                                         \
    X(snapshot_id, "lastUpdateId")                                                                 \
    X(bids, "bids")                                                                                \
    X(asks, "asks")                                                                                \
    X(rest_symbol, "symbol")                                                                       \
    X(result, "result")                                                                            \
    X(fault, "error")                                                                              \
    X(code, "code")

struct members {
#define X(field, key) const cJSON *field;
    MEMBERS(X)
#undef X
};

static const char *const venue_names[] = {
#define X(name, venue, label) venue,
    BINANCE_MARKETS(X)
#undef X
};

const char *binance_venue_name(enum binance_market market)
{
    ASSERT(market < BINANCE_MARKET_COUNT);
    return venue_names[market];
}

static void collect(const cJSON *object, struct members *members)
{
    memset(members, 0, sizeof *members);
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
#define X(field, key)                                                                              \
    if (strcmp(item->string, key) == 0) {                                                          \
        members->field = item;                                                                     \
        continue;                                                                                  \
    }
        MEMBERS(X)
#undef X
    }
}

static int read_id(const cJSON *item, const char *field, uint64_t *out, struct error *error)
{
    if (!json_whole(item, out)) {
        return error_set(error, ERROR_INPUT, "field %s: expected a whole number from 0 to 2^53 - 1",
                         field);
    }
    return 0;
}

/* `T`, else `E`: milliseconds, or microseconds where the stream was asked for them (16 digits). */
static int read_time(const struct members *members, struct binance_frame *frame,
                     struct error *error)
{
    const cJSON *item = members->transaction_time;
    const char *field = "T";
    if (item == NULL) {
        item = members->event_time;
        field = "E";
    }
    if (item == NULL) {
        return 0;
    }
    uint64_t value = 0;
    if (read_id(item, field, &value, error) != 0) {
        return ERROR_INPUT;
    }
    const uint64_t microseconds_from = UINT64_C(1000000000000000);
    uint64_t unit = (uint64_t)(value >= microseconds_from ? NS_PER_US : NS_PER_MS);
    if (value > (uint64_t)BINANCE_TIME_MAX_NS / unit) {
        return error_set(error, ERROR_INPUT, "field %s: expected a time before 2096", field);
    }
    frame->venue_time_ns = (int64_t)(value * unit);
    frame->has_venue_time = true;
    return 0;
}

static int read_symbol(const cJSON *item, const char *field, struct binance_frame *frame,
                       struct error *error)
{
    const char *text = cJSON_GetStringValue(item);
    size_t length = text == NULL ? 0 : strlen(text);
    bool good = length > 0 && length <= BINANCE_SYMBOL_MAX;
    for (size_t i = 0; good && i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        good = c > ' ' && c != 0x7f && c != ':' && c != '"' && c != '\\' && c != ',';
    }
    if (!good) {
        return error_set(error, ERROR_INPUT, "field %s: expected a symbol of 1 to %d bytes", field,
                         BINANCE_SYMBOL_MAX);
    }
    memcpy(frame->symbol, text, length + 1);
    return 0;
}

static int reserve_levels(struct binance_frame *frame, size_t count, struct error *error)
{
    if (count <= frame->level_capacity) {
        return 0;
    }
    if (count > BINANCE_LEVELS_MAX) {
        return error_set(error, ERROR_INPUT, "more than %d levels in one frame",
                         BINANCE_LEVELS_MAX);
    }
    size_t capacity = frame->level_capacity == 0 ? 64 : frame->level_capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    struct binance_level *levels = realloc(frame->levels, capacity * sizeof *levels);
    if (levels == NULL) {
        return error_set(error, ERROR_SYSTEM, "no memory for %zu levels", capacity);
    }
    frame->levels = levels;
    frame->level_capacity = capacity;
    return 0;
}

static bool read_text(const cJSON *item, struct binance_text *out)
{
    out->bytes = cJSON_GetStringValue(item);
    if (out->bytes == NULL) {
        return false;
    }
    out->length = strlen(out->bytes);
    return true;
}

/* Append an array of ["price", "quantity"] pairs. */
static int read_levels(const cJSON *array, const char *field, struct binance_frame *frame,
                       struct error *error)
{
    if (array == NULL || !cJSON_IsArray(array)) {
        return error_set(error, ERROR_INPUT, "field %s: expected an array of levels", field);
    }
    size_t index = 0;
    for (const cJSON *pair = array->child; pair != NULL; pair = pair->next, index++) {
        int code = reserve_levels(frame, frame->level_count + 1, error);
        if (code != 0) {
            return code;
        }
        struct binance_level *level = &frame->levels[frame->level_count];
        const cJSON *price = cJSON_IsArray(pair) ? pair->child : NULL;
        if (price == NULL || price->next == NULL || !read_text(price, &level->price) ||
            !read_text(price->next, &level->quantity)) {
            return error_set(error, ERROR_INPUT,
                             "field %s[%zu]: expected [\"price\", \"quantity\"], both as text",
                             field, index);
        }
        frame->level_count++;
    }
    return 0;
}

/* Append one level made of two members. */
static int read_pair(const cJSON *price, const char *price_field, const cJSON *quantity,
                     const char *quantity_field, struct binance_frame *frame, struct error *error)
{
    int code = reserve_levels(frame, frame->level_count + 1, error);
    if (code != 0) {
        return code;
    }
    struct binance_level *level = &frame->levels[frame->level_count];
    if (!read_text(price, &level->price)) {
        return error_set(error, ERROR_INPUT, "field %s: expected decimal text", price_field);
    }
    if (!read_text(quantity, &level->quantity)) {
        return error_set(error, ERROR_INPUT, "field %s: expected decimal text", quantity_field);
    }
    frame->level_count++;
    return 0;
}

static int read_depth(const struct members *members, struct binance_frame *frame,
                      struct error *error)
{
    int code;
    frame->kind = BINANCE_DEPTH;
    frame->market = members->pair != NULL          ? BINANCE_COINM
                    : members->previous_id != NULL ? BINANCE_USDM
                                                   : BINANCE_SPOT;
    if ((code = read_symbol(members->symbol, "s", frame, error)) != 0 ||
        (code = read_id(members->first_id, "U", &frame->first_id, error)) != 0 ||
        (code = read_id(members->last_id, "u", &frame->last_id, error)) != 0 ||
        (code = read_levels(members->bid, "b", frame, error)) != 0) {
        return code;
    }
    frame->bid_count = frame->level_count;
    if (frame->market != BINANCE_SPOT &&
        (code = read_id(members->previous_id, "pu", &frame->previous_id, error)) != 0) {
        return code;
    }
    if (frame->first_id > frame->last_id) {
        return error_set(error, ERROR_INPUT, "field u: expected no less than U");
    }
    return read_levels(members->ask, "a", frame, error);
}

static int read_trade(const struct members *members, struct binance_frame *frame,
                      struct error *error)
{
    int code;
    frame->kind = BINANCE_TRADE;
    frame->market = members->pair != NULL         ? BINANCE_COINM
                    : members->trade_type != NULL ? BINANCE_FUTURES
                                                  : BINANCE_SPOT;
    if ((code = read_symbol(members->symbol, "s", frame, error)) != 0 ||
        (code = read_id(members->trade_id, "t", &frame->last_id, error)) != 0 ||
        (code = read_pair(members->price, "p", members->quantity, "q", frame, error)) != 0) {
        return code;
    }
    if (!cJSON_IsBool(members->buyer_is_maker)) {
        return error_set(error, ERROR_INPUT, "field m: expected true or false");
    }
    frame->seller_aggressor = cJSON_IsTrue(members->buyer_is_maker);
    if (members->trade_type != NULL) {
        const char *type = cJSON_GetStringValue(members->trade_type);
        if (type == NULL) {
            return error_set(error, ERROR_INPUT, "field X: expected text");
        }
        frame->not_market = strcmp(type, "MARKET") != 0;
    }
    return 0;
}

/* Spot's bookTicker has neither `e` nor a time; USD-M's has both, COIN-M's also `ps`. */
static int read_top(const struct members *members, struct binance_frame *frame, struct error *error)
{
    int code;
    frame->kind = BINANCE_TOP;
    frame->market = members->pair != NULL                                         ? BINANCE_COINM
                    : members->event != NULL || members->transaction_time != NULL ? BINANCE_USDM
                                                                                  : BINANCE_SPOT;
    if ((code = read_symbol(members->symbol, "s", frame, error)) != 0 ||
        (code = read_id(members->last_id, "u", &frame->last_id, error)) != 0 ||
        (code = read_pair(members->bid, "b", members->bid_quantity, "B", frame, error)) != 0) {
        return code;
    }
    frame->bid_count = 1;
    return read_pair(members->ask, "a", members->ask_quantity, "A", frame, error);
}

/* Only COIN-M's answer names its symbol; both futures markets give E and T, spot gives neither. */
static int read_snapshot(const struct members *members, struct binance_frame *frame,
                         struct error *error)
{
    int code;
    frame->kind = BINANCE_SNAPSHOT;
    frame->market = members->rest_symbol != NULL ? BINANCE_COINM
                    : members->event_time != NULL || members->transaction_time != NULL
                        ? BINANCE_USDM
                        : BINANCE_SPOT;
    if (members->rest_symbol != NULL &&
        (code = read_symbol(members->rest_symbol, "symbol", frame, error)) != 0) {
        return code;
    }
    if ((code = read_id(members->snapshot_id, "lastUpdateId", &frame->last_id, error)) != 0 ||
        (code = read_levels(members->bids, "bids", frame, error)) != 0) {
        return code;
    }
    frame->bid_count = frame->level_count;
    return read_levels(members->asks, "asks", frame, error);
}

static int read_other(const char *name, struct binance_frame *frame)
{
    size_t length = strlen(name);
    frame->kind = BINANCE_OTHER;
    memcpy(frame->name, name, length < BINANCE_NAME_MAX ? length : BINANCE_NAME_MAX);
    for (char *c = frame->name; *c != '\0'; c++) {
        if (*c < '!' || *c > '~' || *c == '"' || *c == '\\') {
            *c = '?';
        }
    }
    return 0;
}

static int read_frame(const cJSON *object, bool partial_book, struct binance_frame *frame,
                      struct error *error)
{
    struct members members;
    collect(object, &members);
    int code = read_time(&members, frame, error);
    if (code != 0) {
        return code;
    }
    if (members.snapshot_id != NULL) {
        /* A stream of partial books tells levels outside it nothing: no base for diffs. */
        return partial_book ? read_other("partial_depth", frame)
                            : read_snapshot(&members, frame, error);
    }
    if (members.event != NULL) {
        const char *event = cJSON_GetStringValue(members.event);
        if (event == NULL) {
            return error_set(error, ERROR_INPUT, "field e: expected text");
        }
        return strcmp(event, "depthUpdate") == 0  ? read_depth(&members, frame, error)
               : strcmp(event, "trade") == 0      ? read_trade(&members, frame, error)
               : strcmp(event, "bookTicker") == 0 ? read_top(&members, frame, error)
                                                  : read_other(event, frame);
    }
    if (members.bid_quantity != NULL && members.ask_quantity != NULL) {
        return read_top(&members, frame, error);
    }
    if (members.result != NULL || members.fault != NULL || members.code != NULL) {
        return read_other(members.result != NULL ? "answer" : "error_answer", frame);
    }
    return error_set(
        error, ERROR_INPUT,
        "expected a Binance frame: none of e, lastUpdateId, bookTicker fields, result");
}

/* Take the frame out of the combined-stream wrapper, if it is in one. */
static int unwrap(const cJSON **object, bool *partial_book, struct error *error)
{
    const cJSON *stream = cJSON_GetObjectItemCaseSensitive(*object, "stream");
    if (stream == NULL) {
        return 0;
    }
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(*object, "data");
    const char *name = cJSON_GetStringValue(stream);
    if (name == NULL) {
        return error_set(error, ERROR_INPUT, "field stream: expected text");
    }
    if (!cJSON_IsObject(data)) {
        return error_set(error, ERROR_INPUT, "field data: expected an object");
    }
    *partial_book = true;
    *object = data;
    return 0;
}

static void clear(struct binance_frame *frame)
{
    struct binance_level *levels = frame->levels;
    size_t capacity = frame->level_capacity;
    cJSON_Delete(frame->tree);
    memset(frame, 0, sizeof *frame);
    frame->levels = levels;
    frame->level_capacity = capacity;
}

int binance_decode(struct binance_frame *frame, const char *bytes, size_t length,
                   struct error *error)
{
    ASSERT(frame != NULL && bytes != NULL);
    clear(frame);
    size_t column;
    cJSON *tree = json_parse(bytes, length, &column);
    if (!cJSON_IsObject(tree)) {
        cJSON_Delete(tree);
        return error_set(error, ERROR_INPUT, "expected one JSON object (column %zu of the frame)",
                         column);
    }
    frame->tree = tree;
    const cJSON *object = tree;
    bool partial_book = false;
    int code = unwrap(&object, &partial_book, error);
    if (code == 0) {
        code = read_frame(object, partial_book, frame, error);
    }
    if (code != 0) {
        clear(frame);
    }
    return code;
}

void binance_frame_free(struct binance_frame *frame)
{
    clear(frame);
    free(frame->levels);
    frame->levels = NULL;
    frame->level_capacity = 0;
}
