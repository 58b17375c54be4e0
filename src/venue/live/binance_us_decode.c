/* See binance_us_decode.h. */
#include "venue/live/binance_us_decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* A fee's rate is counted in 1e-9. */
enum { RATE_EXPONENT = -9 };

/* --- lists ------------------------------------------------------------------------------------------- */

/* Room for one more item. */
static int reserve(void **list, size_t *capacity, size_t count, size_t size, struct error *error)
{
    if (count < *capacity)
        return 0;
    if (count >= BINANCE_US_LIST_MAX)
        return error_set(error, ERROR_INPUT, "expected at most %d items in one answer",
                         BINANCE_US_LIST_MAX);
    size_t grown = *capacity == 0 ? 16 : *capacity * 2;
    void *memory = realloc(*list, grown * size);
    if (!memory)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu items", grown);
    *list = memory;
    *capacity = grown;
    return 0;
}

/* A zeroed item at the end of a typed list, or NULL. */
#define NEW_ITEM(name, type)                                                                       \
    static struct type *name(struct type##s *list, struct error *error)                            \
    {                                                                                              \
        void *memory = list->list;                                                                 \
        int code = reserve(&memory, &list->capacity, list->count, sizeof *list->list, error);      \
        list->list = memory;                                                                       \
        if (code)                                                                                  \
            return NULL;                                                                           \
        memset(&list->list[list->count], 0, sizeof *list->list);                                   \
        return &list->list[list->count++];                                                         \
    }
NEW_ITEM(new_fill, binance_us_fill)
NEW_ITEM(new_order, binance_us_order)
NEW_ITEM(new_balance, binance_us_balance)
#undef NEW_ITEM

bool binance_us_orders_append(struct binance_us_orders *orders,
                              const struct binance_us_order *order)
{
    struct binance_us_order *last = new_order(orders, NULL);
    if (last)
        *last = *order;
    return last != NULL;
}

bool binance_us_fills_append(struct binance_us_fills *fills, const struct binance_us_fill *fill)
{
    struct binance_us_fill *last = new_fill(fills, NULL);
    if (last)
        *last = *fill;
    return last != NULL;
}

void binance_us_fills_free(struct binance_us_fills *fills)
{
    free(fills->list);
    *fills = (struct binance_us_fills){0};
}

void binance_us_orders_free(struct binance_us_orders *orders)
{
    free(orders->list);
    *orders = (struct binance_us_orders){0};
}

void binance_us_balances_free(struct binance_us_balances *balances)
{
    free(balances->list);
    *balances = (struct binance_us_balances){0};
}

void binance_us_event_free(struct binance_us_event *event)
{
    binance_us_balances_free(&event->balances);
}

/* --- words ------------------------------------------------------------------------------------------- */

/* What may go into a log line: cut, and printable ASCII only. */
static void copy_printable(const char *text, char *out, size_t capacity)
{
    size_t length = 0;
    for (; text && *text && length + 1 < capacity; text++)
        out[length++] = (char)(*text >= ' ' && *text <= '~' ? *text : '?');
    out[length] = '\0';
}

static int index_of(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return count;
}

static uint8_t status_of(const char *word)
{
    static const char *const words[] = {
#define X(name, word, live) word,
        BINANCE_US_STATUSES(X)
#undef X
    };
    return (uint8_t)index_of(words, BINANCE_US_OTHER_STATUS, word);
}

bool binance_us_status_is_live(enum binance_us_status status)
{
    static const bool live[BINANCE_US_NO_STATUS + 1] = {
#define X(name, word, is_live) is_live,
        BINANCE_US_STATUSES(X)
#undef X
    };
    ASSERT(status <= BINANCE_US_NO_STATUS);
    return live[status];
}

static uint8_t execution_of(const char *word)
{
    static const char *const words[] = {
#define X(name, word) word,
        BINANCE_US_EXECUTIONS(X)
#undef X
    };
    return (uint8_t)index_of(words, BINANCE_US_EXECUTION_OTHER, word);
}

static uint8_t time_in_force_of(const char *word)
{
    static const char *const words[TIME_IN_FORCE_COUNT] = {"GTC", "IOC", "FOK"};
    return (uint8_t)(word ? index_of(words, TIME_IN_FORCE_COUNT, word) : TIME_IN_FORCE_COUNT);
}

static int read_side(const cJSON *object, const char *field, uint8_t *out, struct error *error)
{
    const char *word = json_text_of(object, field);
    if (word && strcmp(word, "BUY") == 0)
        *out = SIDE_BUY;
    else if (word && strcmp(word, "SELL") == 0)
        *out = SIDE_SELL;
    else
        return error_set(error, ERROR_INPUT, "field %s: expected BUY or SELL", field);
    return 0;
}

/* --- errors ------------------------------------------------------------------------------------------ */

static bool take_error(const cJSON *object, struct binance_us_error *out)
{
    struct binance_us_error read = {0};
    const char *text = json_text_of(object, "msg");
    if (json_read_integer(object, "code", &read.code, NULL) != 0 || read.code == 0 || !text)
        return false;
    copy_printable(text, read.text, sizeof read.text);
    *out = read;
    return true;
}

bool binance_us_read_error(const char *bytes, size_t length, struct binance_us_error *out)
{
    cJSON *tree = json_parse_object(bytes, length, NULL);
    bool good = tree && take_error(tree, out);
    cJSON_Delete(tree);
    return good;
}

/* --- orders ------------------------------------------------------------------------------------------ */

/* Figures of an order: all but an acknowledgement have them. */
static int take_figures(const cJSON *object, struct binance_us_order *out, struct error *error)
{
    const char *word = json_text_of(object, "status");
    if (!word) {
        out->status = BINANCE_US_NO_STATUS;
        return json_member(object, "status")
                   ? error_set(error, ERROR_INPUT, "field status: expected text")
                   : 0;
    }
    out->status = status_of(word);
    out->time_in_force = time_in_force_of(json_text_of(object, "timeInForce"));
    int code = read_side(object, "side", &out->side, error);
    if (!code)
        code = json_read_decimal(object, "price", &out->price, error);
    if (!code)
        code = json_read_decimal(object, "origQty", &out->quantity, error);
    if (!code)
        code = json_read_decimal(object, "executedQty", &out->executed, error);
    return code;
}

static int take_order(const cJSON *object, struct binance_us_order *out, struct error *error)
{
    memset(out, 0, sizeof *out);
    const char *name =
        json_member(object, "origClientOrderId") ? "origClientOrderId" : "clientOrderId";
    int code = json_read_text(object, "symbol", out->symbol, sizeof out->symbol, error);
    if (!code)
        code = json_read_text(object, name, out->name, sizeof out->name, error);
    if (!code)
        code = json_read_whole(object, "orderId", &out->id, error);
    const char *time = json_member(object, "transactTime") ? "transactTime" : "updateTime";
    if (!code && json_member(object, time))
        code = json_read_time(object, time, &out->time_ns, error);
    return code ? code : take_figures(object, out, error);
}

/* What a fill costs; `asset` may be null where it is nothing. */
static int take_fee(const cJSON *object, const char *amount, const char *asset,
                    struct binance_us_fill *out, struct error *error)
{
    int code = json_read_money(object, amount, &out->fee, error);
    if (!code && (out->fee.atto != 0 || json_member(object, asset)))
        code = json_read_text(object, asset, out->fee_asset, sizeof out->fee_asset, error);
    return code;
}

static int take_fill(const cJSON *object, const char *id, struct binance_us_fill *out,
                     struct error *error)
{
    int code = json_read_whole(object, id, &out->trade, error);
    if (!code)
        code = json_read_decimal(object, "price", &out->price, error);
    if (!code)
        code = json_read_decimal(object, "qty", &out->quantity, error);
    return code ? code : take_fee(object, "commission", "commissionAsset", out, error);
}

/* "fills" of an answer; only FULL has them. */
static int take_fills(const cJSON *object, struct binance_us_fills *fills, struct error *error)
{
    const cJSON *array = json_member(object, "fills"), *item;
    fills->count = 0;
    if (!array)
        return 0;
    if (!cJSON_IsArray(array))
        return error_set(error, ERROR_INPUT, "field fills: expected an array");
    cJSON_ArrayForEach(item, array)
    {
        struct binance_us_fill *fill = new_fill(fills, error);
        if (!fill || take_fill(item, "tradeId", fill, error) != 0) {
            error_prefix(error, "fills");
            return ERROR_INPUT;
        }
    }
    return 0;
}

int binance_us_read_placed(const char *bytes, size_t length, struct binance_us_order *out,
                           struct binance_us_fills *fills, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    int code = tree ? take_order(tree, out, error) : ERROR_INPUT;
    if (!code)
        code = take_fills(tree, fills, error);
    cJSON_Delete(tree);
    return code;
}

/* What must tell the order's figures. */
static int take_whole_order(const cJSON *object, struct binance_us_order *out, struct error *error)
{
    int code = take_order(object, out, error);
    if (!code && out->status == BINANCE_US_NO_STATUS)
        code = error_set(error, ERROR_INPUT, "field status: expected text");
    return code;
}

int binance_us_read_order(const char *bytes, size_t length, struct binance_us_order *out,
                          struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    int code = tree ? take_whole_order(tree, out, error) : ERROR_INPUT;
    cJSON_Delete(tree);
    return code;
}

int binance_us_read_orders(const char *bytes, size_t length, struct binance_us_orders *out,
                           struct error *error)
{
    cJSON *tree = json_parse_array(bytes, length, error);
    const cJSON *item;
    int code = tree ? 0 : ERROR_INPUT;
    out->count = 0;
    cJSON_ArrayForEach(item, tree)
    {
        struct binance_us_order *order = new_order(out, error);
        code = order ? take_whole_order(item, order, error) : ERROR_INPUT;
        if (code)
            break;
    }
    cJSON_Delete(tree);
    return code;
}

static int take_trade(const cJSON *object, struct binance_us_fill *out, struct error *error)
{
    int code = take_fill(object, "id", out, error);
    if (!code)
        code = json_read_whole(object, "orderId", &out->order, error);
    if (!code)
        code = json_read_time(object, "time", &out->time_ns, error);
    if (!code)
        code = json_read_flag(object, "isMaker", &out->maker, error);
    return code ? code : json_read_flag(object, "isBuyer", &out->buyer, error);
}

int binance_us_read_trades(const char *bytes, size_t length, struct binance_us_fills *out,
                           struct error *error)
{
    cJSON *tree = json_parse_array(bytes, length, error);
    const cJSON *item;
    int code = tree ? 0 : ERROR_INPUT;
    out->count = 0;
    cJSON_ArrayForEach(item, tree)
    {
        struct binance_us_fill *fill = new_fill(out, error);
        code = fill ? take_trade(item, fill, error) : ERROR_INPUT;
        if (code)
            break;
    }
    cJSON_Delete(tree);
    return code;
}

/* --- cancelReplace ----------------------------------------------------------------------------------- */

static int read_result(const cJSON *object, const char *field, uint8_t *out, struct error *error)
{
    static const char *const words[] = {"SUCCESS", "FAILURE", "NOT_ATTEMPTED"};
    const char *word = json_text_of(object, field);
    int found = word ? index_of(words, 3, word) : 3;
    if (found == 3)
        return error_set(error, ERROR_INPUT, "field %s: expected SUCCESS, FAILURE or NOT_ATTEMPTED",
                         field);
    *out = (uint8_t)found;
    return 0;
}

static int take_half(const cJSON *object, const char *result, const char *response,
                     struct binance_us_half *out, struct error *error)
{
    const cJSON *answer = json_member(object, response);
    int code = read_result(object, result, &out->result, error);
    if (!code && out->result == BINANCE_US_SUCCESS)
        code = take_order(answer, &out->order, error);
    else if (!code && out->result == BINANCE_US_FAILURE && !take_error(answer, &out->error))
        code = error_set(error, ERROR_INPUT, "expected code and msg");
    if (code)
        error_prefix(error, "%s", response);
    return code;
}

static int take_replaced(const cJSON *tree, struct binance_us_replaced *out,
                         struct binance_us_fills *fills, struct error *error)
{
    const cJSON *data = json_member(tree, "data");
    const cJSON *object = data ? data : tree;
    int code = take_half(object, "cancelResult", "cancelResponse", &out->cancelled, error);
    if (!code)
        code = take_half(object, "newOrderResult", "newOrderResponse", &out->placed, error);
    fills->count = 0;
    if (!code && out->placed.result == BINANCE_US_SUCCESS)
        code = take_fills(json_member(object, "newOrderResponse"), fills, error);
    return code;
}

int binance_us_read_replaced(const char *bytes, size_t length, struct binance_us_replaced *out,
                             struct binance_us_fills *fills, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    memset(out, 0, sizeof *out);
    int code = tree ? take_replaced(tree, out, fills, error) : ERROR_INPUT;
    cJSON_Delete(tree);
    return code;
}

/* --- account ----------------------------------------------------------------------------------------- */

static int take_balance(const cJSON *object, const char *asset, const char *free_name,
                        const char *locked, struct binance_us_balance *out, struct error *error)
{
    int code = json_read_text(object, asset, out->asset, sizeof out->asset, error);
    if (!code)
        code = json_read_money(object, free_name, &out->free, error);
    return code ? code : json_read_money(object, locked, &out->locked, error);
}

static int take_balances(const cJSON *array, const char *field, const char *const names[3],
                         struct binance_us_balances *out, struct error *error)
{
    const cJSON *item;
    out->count = 0;
    if (!cJSON_IsArray(array))
        return error_set(error, ERROR_INPUT, "field %s: expected an array", field);
    cJSON_ArrayForEach(item, array)
    {
        struct binance_us_balance *balance = new_balance(out, error);
        if (!balance || take_balance(item, names[0], names[1], names[2], balance, error) != 0) {
            error_prefix(error, "%s", field);
            return ERROR_INPUT;
        }
    }
    return 0;
}

/* A fee's rate as text, in 1e-9; rounded to nothing: finer is an error. */
static int read_rate(const cJSON *object, const char *field, int64_t *out, struct error *error)
{
    const char *text = json_text_of(object, field);
    struct number rate = {.status = NUMBER_ABSENT};
    if (text)
        rate = number_from_text(text, strlen(text), RATE_EXPONENT);
    if (rate.status != NUMBER_VALUE || rate.units <= -power_of_ten(9) ||
        rate.units >= power_of_ten(9))
        return error_set(error, ERROR_INPUT, "field %s: expected a rate below 1 as text", field);
    *out = rate.units;
    return 0;
}

static int take_account(const cJSON *tree, struct binance_us_account *out, struct error *error)
{
    static const char *const names[] = {"asset", "free", "locked"};
    const cJSON *rates = json_member(tree, "commissionRates");
    int code = json_read_flag(tree, "canTrade", &out->can_trade, error);
    if (!code && json_member(tree, "updateTime"))
        code = json_read_time(tree, "updateTime", &out->updated_ns, error);
    out->has_fees = rates != NULL;
    if (!code && rates)
        code = read_rate(rates, "maker", &out->maker_fee, error);
    if (!code && rates)
        code = read_rate(rates, "taker", &out->taker_fee, error);
    return code ? code
                : take_balances(json_member(tree, "balances"), "balances", names, &out->balances,
                                error);
}

int binance_us_read_account(const char *bytes, size_t length, struct binance_us_account *out,
                            struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    struct binance_us_balances balances = out->balances;
    *out = (struct binance_us_account){.balances = balances};
    int code = tree ? take_account(tree, out, error) : ERROR_INPUT;
    cJSON_Delete(tree);
    return code;
}

/* Where a symbol stands in `symbols`; `count` where it is none of them. */
static size_t place_of(const char *const *symbols, size_t count, const char *symbol)
{
    size_t place = 0;
    while (place < count && strcmp(symbols[place], symbol) != 0)
        place++;
    return place;
}

static int take_place(const cJSON *object, const char *const *symbols, size_t count, size_t *place,
                      struct error *error)
{
    const char *symbol = json_text_of(object, "symbol");
    if (!symbol)
        return error_set(error, ERROR_INPUT, "field symbol: expected text");
    *place = place_of(symbols, count, symbol);
    return 0;
}

int binance_us_read_fees(const char *bytes, size_t length, const char *const *symbols, size_t count,
                         struct binance_us_fee *fees, struct error *error)
{
    cJSON *tree = json_parse_array(bytes, length, error);
    const cJSON *item;
    int code = tree ? 0 : ERROR_INPUT;
    cJSON_ArrayForEach(item, tree)
    {
        size_t place = count;
        code = take_place(item, symbols, count, &place, error);
        if (!code && place < count)
            code = read_rate(item, "makerCommission", &fees[place].maker_fee, error);
        if (!code && place < count)
            code = read_rate(item, "takerCommission", &fees[place].taker_fee, error);
        if (code)
            break;
        if (place < count)
            fees[place].known = true;
    }
    cJSON_Delete(tree);
    return code;
}

/* --- small answers ----------------------------------------------------------------------------------- */

int binance_us_read_time(const char *bytes, size_t length, int64_t *out_ns, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    int code = tree ? json_read_time(tree, "serverTime", out_ns, error) : ERROR_INPUT;
    cJSON_Delete(tree);
    return code;
}

int binance_us_read_listen_key(const char *bytes, size_t length, char out[BINANCE_US_KEY_MAX],
                               struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    char key[BINANCE_US_KEY_MAX];
    int code = tree ? json_read_text(tree, "listenKey", key, sizeof key, error) : (int)ERROR_INPUT;
    size_t good = code ? 0
                       : strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_");
    if (!code && (good == 0 || key[good] != '\0')) /* it becomes part of an address */
        code = error_set(error, ERROR_INPUT, "field listenKey: expected letters and digits");
    if (!code)
        memcpy(out, key, sizeof key);
    cJSON_Delete(tree);
    return code;
}

static int take_ticker(const cJSON *object, const char *const *symbols, size_t count,
                       struct binance_us_ticker *tickers, struct error *error)
{
    size_t place = count;
    int code = take_place(object, symbols, count, &place, error);
    if (code || place == count)
        return code;
    struct binance_us_ticker *ticker = &tickers[place];
    code = json_read_decimal(object, "bidPrice", &ticker->price[SIDE_BUY], error);
    if (!code)
        code = json_read_decimal(object, "bidQty", &ticker->quantity[SIDE_BUY], error);
    if (!code)
        code = json_read_decimal(object, "askPrice", &ticker->price[SIDE_SELL], error);
    if (!code)
        code = json_read_decimal(object, "askQty", &ticker->quantity[SIDE_SELL], error);
    ticker->known = !code;
    return code;
}

int binance_us_read_tickers(const char *bytes, size_t length, const char *const *symbols,
                            size_t count, struct binance_us_ticker *tickers, struct error *error)
{
    size_t column;
    cJSON *tree = json_parse(bytes, length, &column);
    const cJSON *item;
    int code = 0;
    if (cJSON_IsObject(tree)) {
        code = take_ticker(tree, symbols, count, tickers, error);
    } else if (cJSON_IsArray(tree)) {
        cJSON_ArrayForEach(item, tree) if (!code) code =
            take_ticker(item, symbols, count, tickers, error);
    } else {
        code =
            error_set(error, ERROR_INPUT, "expected one JSON object or array (column %zu)", column);
    }
    cJSON_Delete(tree);
    return code;
}

int binance_us_read_stream_answer(const char *bytes, size_t length,
                                  struct binance_us_stream_answer *out, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    *out = (struct binance_us_stream_answer){0};
    if (!tree)
        return ERROR_INPUT;
    out->has_id = json_whole(json_member(tree, "id"), &out->id);
    const cJSON *inner = json_member(tree, "error");
    int code = 0;
    if (!take_error(inner ? inner : tree, &out->error) &&
        !cJSON_GetObjectItemCaseSensitive(tree, "result"))
        code = error_set(error, ERROR_INPUT, "expected result, or code and msg");
    cJSON_Delete(tree);
    return code;
}

/* --- executionReport --------------------------------------------------------------------------------- */

static int read_words(const cJSON *event, struct binance_us_event *out, struct error *error)
{
    const char *execution = json_text_of(event, "x"), *status = json_text_of(event, "X");
    if (!execution)
        return error_set(error, ERROR_INPUT, "field x: expected text");
    if (!status)
        return error_set(error, ERROR_INPUT, "field X: expected text");
    out->execution = execution_of(execution);
    out->order.status = status_of(status);
    out->order.time_in_force = time_in_force_of(json_text_of(event, "f"));
    if (out->execution == BINANCE_US_EXECUTION_OTHER)
        copy_printable(execution, out->word, sizeof out->word);
    copy_printable(json_text_of(event, "r"), out->reason, sizeof out->reason);
    return read_side(event, "S", &out->order.side, error);
}

/* Of a cancel `c` is the request's own id, and `C` the order's. */
static int read_name(const cJSON *event, struct binance_us_order *out, struct error *error)
{
    const char *original = json_text_of(event, "C");
    const char *field = original && *original ? "C" : "c";
    return json_read_text(event, field, out->name, sizeof out->name, error);
}

static int read_last_fill(const cJSON *event, struct binance_us_fill *out, struct error *error)
{
    int code = json_read_whole(event, "t", &out->trade, error);
    if (!code)
        code = json_read_decimal(event, "L", &out->price, error);
    if (!code)
        code = json_read_decimal(event, "l", &out->quantity, error);
    if (!code)
        code = json_read_money(event, "n", &out->fee, error);
    if (!code && (out->fee.atto != 0 || json_member(event, "N")))
        code = json_read_text(event, "N", out->fee_asset, sizeof out->fee_asset, error);
    return code ? code : json_read_flag(event, "m", &out->maker, error);
}

static int take_report(const cJSON *event, struct binance_us_event *out, struct error *error)
{
    struct binance_us_order *order = &out->order;
    out->kind = BINANCE_US_REPORT;
    int code = read_words(event, out, error);
    if (!code)
        code = json_read_text(event, "s", order->symbol, sizeof order->symbol, error);
    if (!code)
        code = read_name(event, order, error);
    if (!code)
        code = json_read_whole(event, "i", &order->id, error);
    if (!code)
        code = json_read_time(event, "T", &out->time_ns, error);
    if (!code)
        code = json_read_decimal(event, "p", &order->price, error);
    if (!code)
        code = json_read_decimal(event, "q", &order->quantity, error);
    if (!code)
        code = json_read_decimal(event, "z", &order->executed, error);
    if (!code && out->execution == BINANCE_US_EXECUTION_TRADE)
        code = read_last_fill(event, &out->fill, error);
    order->time_ns = out->fill.time_ns = out->time_ns;
    return code;
}

/* --- the account ------------------------------------------------------------------------------------- */

static int take_transfer(const cJSON *event, struct binance_us_event *out, struct error *error)
{
    out->kind = BINANCE_US_TRANSFER;
    int code = json_read_text(event, "a", out->asset, sizeof out->asset, error);
    if (!code)
        code = json_read_money(event, "d", &out->amount, error);
    return code ? code : json_read_time(event, "T", &out->time_ns, error);
}

static int take_position(const cJSON *event, struct binance_us_event *out, struct error *error)
{
    out->kind = BINANCE_US_BALANCES;
    int code = json_read_time(event, "u", &out->time_ns, error);
    static const char *const names[] = {"a", "f", "l"};
    return code ? code : take_balances(json_member(event, "B"), "B", names, &out->balances, error);
}

/* --- frames ------------------------------------------------------------------------------------------ */

static const cJSON *unwrap(const cJSON *tree)
{
    const cJSON *inner = json_member(tree, "event");
    if (!inner && json_member(tree, "stream"))
        inner = json_member(tree, "data");
    return inner ? inner : tree;
}

/* {"id", "status", "result"} or {"id", "status", "error"}; anything else without `e` is passed over. */
static int take_answer(const cJSON *tree, struct binance_us_event *out)
{
    copy_printable("answer", out->word, sizeof out->word);
    if (json_whole(json_member(tree, "status"), &out->status)) {
        out->kind = BINANCE_US_API_ANSWER;
        (void)take_error(json_member(tree, "error"), &out->error);
    }
    return 0;
}

static int take_event(const cJSON *tree, struct binance_us_event *out, struct error *error)
{
    const cJSON *event = unwrap(tree);
    const char *word = json_text_of(event, "e");
    out->kind = BINANCE_US_OTHER_EVENT;
    if (!cJSON_IsObject(event))
        return error_set(error, ERROR_INPUT, "expected an event as an object");
    if (!word && json_member(event, "e"))
        return error_set(error, ERROR_INPUT, "field e: expected text");
    if (!word)
        return take_answer(event, out);
    copy_printable(word, out->word, sizeof out->word);
    if (strcmp(word, "executionReport") == 0)
        return take_report(event, out, error);
    if (strcmp(word, "outboundAccountPosition") == 0)
        return take_position(event, out, error);
    if (strcmp(word, "balanceUpdate") == 0)
        return take_transfer(event, out, error);
    if (strcmp(word, "listenKeyExpired") == 0 || strcmp(word, "eventStreamTerminated") == 0)
        out->kind = BINANCE_US_KEY_EXPIRED;
    return 0;
}

int binance_us_read_event(const char *bytes, size_t length, struct binance_us_event *out,
                          struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    struct binance_us_balances balances = out->balances;
    *out = (struct binance_us_event){.balances = balances};
    int code = tree ? take_event(tree, out, error) : ERROR_INPUT;
    cJSON_Delete(tree);
    return code;
}
