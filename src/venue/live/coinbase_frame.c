/* See coinbase_frame.h. */
#include "venue/live/coinbase_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { TICKERS_MAX = 4096, EVENTS_MAX = 4096 };

/* A zeroed item at the end of one of the frame's lists, or NULL. */
#define NEW_ITEM(name, type, list, most)                                                           \
    static struct type *name(struct coinbase_frame *frame, struct error *error)                    \
    {                                                                                              \
        void *memory = frame->list##s;                                                             \
        int code = coinbase_reserve(&memory, &frame->list##_capacity, frame->list##_count,         \
                                    sizeof *frame->list##s, most, error);                          \
        frame->list##s = memory;                                                                   \
        if (code)                                                                                  \
            return NULL;                                                                           \
        struct type *item = &frame->list##s[frame->list##_count++];                                \
        memset(item, 0, sizeof *item);                                                             \
        return item;                                                                               \
    }
NEW_ITEM(new_event, coinbase_event, event, EVENTS_MAX)
NEW_ITEM(new_level, coinbase_level, level, EVENT_ROWS_MAX)
NEW_ITEM(new_trade, coinbase_trade, trade, COINBASE_LIST_MAX)
NEW_ITEM(new_ticker, coinbase_ticker, ticker, TICKERS_MAX)
#undef NEW_ITEM

/* --- fields ------------------------------------------------------------------------------------------ */

/* A decimal with its text; no text at all is the error. */
static int read_number(const cJSON *object, const char *name, struct coinbase_number *out,
                       struct error *error)
{
    out->text = json_text_of(object, name);
    return json_read_decimal(object, name, &out->value, error);
}

/* One that need not be there. */
static void take_number(const cJSON *object, const char *name, struct coinbase_number *out)
{
    if (read_number(object, name, out, NULL) != 0)
        *out = (struct coinbase_number){.value = {.status = NUMBER_ABSENT}, .text = ""};
}

static int read_trade_id(const cJSON *item, uint64_t *out, struct error *error)
{
    const char *text = json_text_of(item, "trade_id");
    struct number id = {.status = NUMBER_ABSENT};
    if (text)
        id = number_from_text(text, strlen(text), 0);
    if (id.status != NUMBER_VALUE || id.units < 0)
        return error_set(error, ERROR_INPUT, "field trade_id: expected a whole number as text");
    *out = (uint64_t)id.units;
    return 0;
}

static int read_word(const cJSON *item, const char *name, const char *buy, const char *sell,
                     uint8_t *side, struct error *error)
{
    const char *word = json_text_of(item, name);
    if (!word || (strcmp(word, buy) != 0 && strcmp(word, sell) != 0))
        return error_set(error, ERROR_INPUT, "field %s: expected %s or %s", name, buy, sell);
    *side = strcmp(word, buy) == 0 ? SIDE_BUY : SIDE_SELL;
    return 0;
}

/* --- items ------------------------------------------------------------------------------------------- */

static int read_level(struct coinbase_frame *frame, const cJSON *item, struct error *error)
{
    struct coinbase_level *level = new_level(frame, error);
    int code =
        level ? read_word(item, "side", "bid", "offer", &level->side, error) : (int)error->code;
    if (!code)
        code = read_number(item, "price_level", &level->price, error);
    if (!code)
        code = read_number(item, "new_quantity", &level->quantity, error);
    if (!code)
        level->time_ns = coinbase_time_of(item, "event_time");
    return code;
}

static int read_trade(struct coinbase_frame *frame, const cJSON *item, struct error *error)
{
    struct coinbase_trade *trade = new_trade(frame, error);
    int code =
        trade ? read_word(item, "side", "BUY", "SELL", &trade->maker, error) : (int)error->code;
    if (!code)
        code = read_trade_id(item, &trade->id, error);
    if (!code)
        code = json_read_text(item, "product_id", trade->product, sizeof trade->product, error);
    if (!code)
        code = read_number(item, "price", &trade->price, error);
    if (!code)
        code = read_number(item, "size", &trade->quantity, error);
    if (!code)
        trade->time_ns = coinbase_time_of(item, "time");
    return code;
}

static int read_ticker(struct coinbase_frame *frame, const cJSON *item, struct error *error)
{
    struct coinbase_ticker *ticker = new_ticker(frame, error);
    if (!ticker)
        return error->code;
    take_number(item, "price", &ticker->price);
    take_number(item, "best_bid", &ticker->best[SIDE_BUY]);
    take_number(item, "best_ask", &ticker->best[SIDE_SELL]);
    take_number(item, "best_bid_quantity", &ticker->quantity[SIDE_BUY]);
    take_number(item, "best_ask_quantity", &ticker->quantity[SIDE_SELL]);
    return json_read_text(item, "product_id", ticker->product, sizeof ticker->product, error);
}

static int read_order(struct coinbase_frame *frame, const cJSON *item, struct error *error)
{
    struct coinbase_orders *orders = &frame->orders;
    void *memory = orders->list;
    int code = coinbase_reserve(&memory, &orders->capacity, orders->count, sizeof *orders->list,
                                COINBASE_LIST_MAX, error);
    orders->list = memory;
    return code ? code : coinbase_order_of_tree(item, true, &orders->list[orders->count++], error);
}

/* --- events ------------------------------------------------------------------------------------------ */

/* The list that a channel's events have, how one item is read, and how many there are. */
struct shape {
    const char *list;
    int (*read)(struct coinbase_frame *frame, const cJSON *item, struct error *error);
};

static struct shape shape_of(unsigned channel)
{
    switch (channel) {
    case COINBASE_LEVEL2:
        return (struct shape){"updates", read_level};
    case COINBASE_TRADES:
        return (struct shape){"trades", read_trade};
    case COINBASE_USER:
        return (struct shape){"orders", read_order};
    default:
        return (struct shape){"tickers", read_ticker};
    }
}

static size_t items_of(const struct coinbase_frame *frame)
{
    return frame->level_count + frame->trade_count + frame->ticker_count + frame->orders.count;
}

static int read_event(struct coinbase_frame *frame, const cJSON *item, struct error *error)
{
    struct shape shape = shape_of(frame->channel);
    const cJSON *list = json_member(item, shape.list), *one;
    const char *type = json_text_of(item, "type");
    struct coinbase_event event = {.first = items_of(frame)};
    if (!type || (strcmp(type, "snapshot") != 0 && strcmp(type, "update") != 0))
        return error_set(error, ERROR_INPUT, "field type: expected snapshot or update");
    event.is_snapshot = *type == 's';
    int code = 0;
    if (frame->channel == COINBASE_LEVEL2)
        code = json_read_text(item, "product_id", event.product, sizeof event.product, error);
    /* A user event without orders has none, or null. */
    if (!code && !cJSON_IsArray(list) && frame->channel != COINBASE_USER)
        code = error_set(error, ERROR_INPUT, "field %s: expected an array", shape.list);
    for (one = !code && list ? list->child : NULL; one && !code; one = one->next)
        code = shape.read(frame, one, error);
    event.count = items_of(frame) - event.first;
    struct coinbase_event *kept = code ? NULL : new_event(frame, error);
    if (!kept)
        return error->code;
    *kept = event;
    return 0;
}

static int read_events(struct coinbase_frame *frame, struct error *error)
{
    const cJSON *events = json_member(frame->tree, "events"), *item;
    int code = 0;
    if (!cJSON_IsArray(events))
        return error_set(error, ERROR_INPUT, "field events: expected an array");
    for (item = events->child; item && !code; item = item->next)
        code = read_event(frame, item, error);
    return code;
}

/* --- messages ---------------------------------------------------------------------------------------- */

static bool is_read(unsigned channel)
{
    static const bool read[] = {
#define X(name, word, read) read,
        COINBASE_CHANNELS(X)
#undef X
    };
    return channel < COINBASE_OTHER_CHANNEL && read[channel];
}

static void take_channel(struct coinbase_frame *frame)
{
    static const char *const words[] = {
#define X(name, word, read) word,
        COINBASE_CHANNELS(X)
#undef X
    };
    const char *type = json_text_of(frame->tree, "type");
    const char *word = json_text_of(frame->tree, "channel");
    if (!word && type && strcmp(type, "error") == 0) {
        frame->channel = COINBASE_ERROR_MESSAGE;
        coinbase_copy_printable(json_text_of(frame->tree, "message"), frame->message,
                                sizeof frame->message);
        return;
    }
    coinbase_copy_printable(word ? word : "(none)", frame->word, sizeof frame->word);
    frame->channel = 0;
    while (frame->channel < COINBASE_OTHER_CHANNEL &&
           strcmp(words[frame->channel], frame->word) != 0)
        frame->channel++;
}

static void clear(struct coinbase_frame *frame)
{
    cJSON_Delete(frame->tree);
    frame->tree = NULL;
    frame->event_count = frame->level_count = frame->trade_count = frame->ticker_count = 0;
    frame->orders.count = 0;
    frame->has_sequence = false;
    frame->time_ns = 0;
    frame->word[0] = frame->message[0] = '\0';
}

int coinbase_read_frame(struct coinbase_frame *frame, const char *bytes, size_t length,
                        struct error *error)
{
    struct error own = {0};
    error = error ? error : &own;
    clear(frame);
    frame->tree = json_parse_object(bytes, length, error);
    if (!frame->tree)
        return ERROR_INPUT;
    take_channel(frame);
    if (frame->channel == COINBASE_ERROR_MESSAGE)
        return 0;
    frame->time_ns = coinbase_time_of(frame->tree, "timestamp");
    int code = json_read_whole(frame->tree, "sequence_num", &frame->sequence, error);
    frame->has_sequence = code == 0;
    if (!code && is_read(frame->channel))
        code = read_events(frame, error);
    return code ? error_prefix(error, "channel %s", frame->word) : 0;
}

void coinbase_frame_free(struct coinbase_frame *frame)
{
    clear(frame);
    free(frame->events);
    free(frame->levels);
    free(frame->trades);
    free(frame->tickers);
    coinbase_orders_free(&frame->orders);
    *frame = (struct coinbase_frame){0};
}
