/* See oanda_decode.h. */
#include "venue/live/oanda_decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* --- lists ------------------------------------------------------------------------------------------- */

/* Room for one more item. */
static int reserve(void **list, size_t *capacity, size_t count, size_t size, struct error *error)
{
    if (count < *capacity)
        return 0;
    if (count >= V20_LIST_MAX)
        return error_set(error, ERROR_INPUT, "expected at most %d items in one answer",
                         V20_LIST_MAX);
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
NEW_ITEM(new_transaction, v20_transaction)
NEW_ITEM(new_order, v20_order)
NEW_ITEM(new_position, v20_position)
#undef NEW_ITEM

bool v20_transactions_append(struct v20_transactions *transactions,
                             const struct v20_transaction *transaction)
{
    struct v20_transaction *last = new_transaction(transactions, NULL);
    if (last)
        *last = *transaction;
    return last != NULL;
}

void v20_transactions_free(struct v20_transactions *transactions)
{
    free(transactions->list);
    *transactions = (struct v20_transactions){0};
}

void v20_orders_free(struct v20_orders *orders)
{
    free(orders->list);
    *orders = (struct v20_orders){0};
}

void v20_positions_free(struct v20_positions *positions)
{
    free(positions->list);
    *positions = (struct v20_positions){0};
}

void v20_account_free(struct v20_account *account)
{
    v20_positions_free(&account->positions);
    v20_orders_free(&account->orders);
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

/* A name that is too long for what we compare it with is none. */
static void copy_name(const char *text, char *out, size_t capacity)
{
    size_t length = text ? strlen(text) : 0;
    if (length >= capacity)
        length = 0;
    memcpy(out, text ? text : "", length);
    out[length] = '\0';
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

/* --- numbers ----------------------------------------------------------------------------------------- */

/* Ids are texts of whole numbers. False where there is none. */
static bool read_id(const cJSON *object, const char *name, uint64_t *out)
{
    const char *text = json_text_of(object, name);
    struct number number = {.status = NUMBER_ABSENT};
    if (text)
        number = number_from_text(text, strlen(text), 0);
    if (number.status != NUMBER_VALUE || number.units <= 0)
        return false;
    *out = (uint64_t)number.units;
    return true;
}

/* "1700000000.123456789" (asked for), or RFC 3339; 0 where there is no time that can be read. */
static int64_t read_time(const cJSON *object, const char *name)
{
    const char *text = json_text_of(object, name);
    int64_t time = 0;
    if (!text)
        return 0;
    struct number seconds = number_from_text(text, strlen(text), -9);
    if (seconds.status == NUMBER_VALUE)
        time = seconds.units;
    else if (time_from_text(text, strlen(text), &time, NULL) != 0)
        return 0;
    return time > 0 && time <= JSON_TIME_MAX_NS ? time : 0;
}

/* Signed units as a side and what is above zero. False where they are no number other than 0. */
static bool read_units(const cJSON *object, uint8_t *side, struct json_decimal *out)
{
    if (json_read_decimal(object, "units", out, NULL) != 0 || out->status != NUMBER_VALUE ||
        out->value.mantissa == 0 || out->value.mantissa == INT64_MIN)
        return false;
    *side = out->value.mantissa > 0 ? SIDE_BUY : SIDE_SELL;
    if (out->value.mantissa < 0)
        out->value.mantissa = -out->value.mantissa;
    return true;
}

/* --- prices ------------------------------------------------------------------------------------------ */

/* A number that may stand as text or as a whole number: "liquidity" was the one, and is the other. */
static struct json_decimal read_either(const cJSON *item, char *text)
{
    struct json_decimal out = {.status = NUMBER_MALFORMED};
    const char *words = cJSON_GetStringValue(item);
    uint64_t whole;
    if (words)
        out.status = (uint8_t)decimal_from_text(words, strlen(words), &out.value);
    else if (json_whole(item, &whole))
        out = (struct json_decimal){{(int64_t)whole, 0}, NUMBER_VALUE};
    else if (!item)
        out.status = NUMBER_ABSENT;
    if (out.status != NUMBER_VALUE)
        copy_printable(words, text, EVENT_TEXT_MAX + 1);
    return out;
}

static int read_levels(const cJSON *object, const char *name, struct v20_level *levels,
                       size_t *count, struct error *error)
{
    const cJSON *list = json_member(object, name), *item;
    *count = 0;
    if (list && !cJSON_IsArray(list))
        return error_set(error, ERROR_INPUT, "field %s: expected a list of prices", name);
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsObject(item))
            return error_set(error, ERROR_INPUT, "field %s: expected objects", name);
        if (*count == V20_LEVELS_MAX)
            break;
        struct v20_level *level = &levels[(*count)++];
        level->price_text[0] = level->quantity_text[0] = '\0';
        level->price = read_either(json_member(item, "price"), level->price_text);
        level->quantity = read_either(json_member(item, "liquidity"), level->quantity_text);
    }
    return 0;
}

/* What is not said to be tradeable in either way is not. */
static bool is_tradeable(const cJSON *object)
{
    const cJSON *flag = json_member(object, "tradeable");
    const char *status = json_text_of(object, "status");
    if (cJSON_IsBool(flag))
        return cJSON_IsTrue(flag);
    return status && strcmp(status, "tradeable") == 0;
}

static int read_price(const cJSON *object, struct v20_price *price, struct error *error)
{
    const cJSON *factors = json_member(object, "quoteHomeConversionFactors");
    int code =
        json_read_text(object, "instrument", price->instrument, sizeof price->instrument, error);
    if (!code)
        code = read_levels(object, "bids", price->levels[SIDE_BUY], &price->count[SIDE_BUY], error);
    if (!code)
        code =
            read_levels(object, "asks", price->levels[SIDE_SELL], &price->count[SIDE_SELL], error);
    price->tradeable = is_tradeable(object);
    price->has_factors =
        factors && json_read_money(factors, "positiveUnits", &price->gain_factor, NULL) == 0 &&
        json_read_money(factors, "negativeUnits", &price->loss_factor, NULL) == 0 &&
        price->gain_factor.atto > 0 && price->loss_factor.atto > 0;
    return code;
}

/* --- transactions -------------------------------------------------------------------------------------- */

static uint8_t type_of(const char *word)
{
    if (ends_with(word, "_REJECT"))
        return V20_REFUSED;
    if (strcmp(word, "ORDER_FILL") == 0)
        return V20_FILL;
    if (strcmp(word, "ORDER_CANCEL") == 0)
        return V20_CANCEL;
    return ends_with(word, "_ORDER") ? V20_MADE : V20_OTHER;
}

/* Orders that hang on a trade have neither instrument nor units; none of ours does. */
static void read_made(const cJSON *object, struct v20_transaction *out)
{
    const char *force = json_text_of(object, "timeInForce");
    out->order = out->id;
    (void)read_id(object, "replacesOrderID", &out->replaces);
    if (json_read_decimal(object, "price", &out->price, NULL) != 0)
        out->price.status = NUMBER_ABSENT;
    out->at_once = force && (strcmp(force, "IOC") == 0 || strcmp(force, "FOK") == 0);
    if (!read_units(object, &out->side, &out->units) && out->name[0] != '\0')
        out->type = V20_UNREADABLE;
}

static void read_fill(const cJSON *object, struct v20_transaction *out)
{
    money fee = MONEY_ZERO;
    bool whole = read_id(object, "orderID", &out->order) &&
                 read_units(object, &out->side, &out->units) && out->instrument[0] != '\0';
    if (json_read_decimal(object, "price", &out->price, NULL) != 0 &&
        json_read_decimal(object, "fullVWAP", &out->price, NULL) != 0)
        whole = false;
    whole = whole && out->price.status == NUMBER_VALUE;
    if (json_member(object, "commission") &&
        json_read_money(object, "commission", &out->commission, NULL) != 0)
        whole = false;
    if (json_read_money(object, "guaranteedExecutionFee", &fee, NULL) == 0 &&
        !money_try_add(out->commission, fee, &out->commission))
        whole = false;
    (void)json_read_money(object, "pl", &out->profit, NULL);
    (void)json_read_money(object, "financing", &out->financing, NULL);
    if (!whole)
        out->type = V20_UNREADABLE;
}

/* ERROR_INPUT only where it has no id. */
static int read_transaction(const cJSON *object, struct v20_transaction *out, struct error *error)
{
    const char *type = json_text_of(object, "type");
    const char *name = json_text_of(object, "clientOrderID");
    *out = (struct v20_transaction){.units = {.status = NUMBER_ABSENT},
                                    .price = {.status = NUMBER_ABSENT}};
    if (!type || !read_id(object, "id", &out->id))
        return error_set(error, ERROR_INPUT, "field id: expected a transaction's id, and its type");
    if (!name)
        name = json_text_of(json_member(object, "clientExtensions"), "id");
    copy_name(name, out->name, sizeof out->name);
    copy_name(json_text_of(object, "instrument"), out->instrument, sizeof out->instrument);
    const char *reason = json_text_of(object, "rejectReason");
    copy_printable(reason ? reason : json_text_of(object, "reason"), out->reason,
                   sizeof out->reason);
    out->type = type_of(type);
    out->time_ns = read_time(object, "time");
    (void)read_id(object, "batchID", &out->batch);
    out->has_balance = json_read_money(object, "accountBalance", &out->balance, NULL) == 0;
    if (out->type == V20_MADE) {
        read_made(object, out);
    } else if (out->type == V20_FILL) {
        read_fill(object, out);
    } else if (out->type == V20_CANCEL || out->type == V20_REFUSED) {
        bool has_order = read_id(object, "orderID", &out->order);
        (void)read_id(object, "replacedByOrderID", &out->replaced_by);
        if (out->type == V20_CANCEL && !has_order)
            out->type = V20_UNREADABLE;
    }
    return 0;
}

/* --- lines ------------------------------------------------------------------------------------------- */

static int read_line(const cJSON *object, struct v20_line *line, struct error *error)
{
    const char *type = json_text_of(object, "type");
    line->kind = V20_LINE_OTHER;
    line->last = 0;
    line->time_ns = read_time(object, "time");
    if (!type)
        return error_set(error, ERROR_INPUT, "field type: expected text");
    if (strcmp(type, "PRICE") == 0) {
        line->kind = V20_LINE_PRICE;
        return read_price(object, &line->price, error);
    }
    if (strcmp(type, "HEARTBEAT") == 0) {
        line->kind = V20_LINE_HEARTBEAT;
        (void)read_id(object, "lastTransactionID", &line->last);
        return 0;
    }
    if (!json_member(object, "id"))
        return 0; /* something new that is no transaction */
    line->kind = V20_LINE_TRANSACTION;
    return read_transaction(object, &line->transaction, error);
}

int v20_read_line(const char *text, size_t length, struct v20_line *line, struct error *error)
{
    cJSON *tree = json_parse_object(text, length, error);
    if (!tree)
        return ERROR_INPUT;
    int code = read_line(tree, line, error);
    cJSON_Delete(tree);
    return code;
}

/* --- orders ------------------------------------------------------------------------------------------ */

static int read_order(const cJSON *object, struct v20_order *out, struct error *error)
{
    const char *state = json_text_of(object, "state");
    if (!read_id(object, "id", &out->id) || !state)
        return error_set(error, ERROR_INPUT, "field id: expected an order's id, and its state");
    out->pending = strcmp(state, "PENDING") == 0;
    out->time_ns = read_time(object, "createTime");
    copy_name(json_text_of(object, "instrument"), out->instrument, sizeof out->instrument);
    copy_name(json_text_of(json_member(object, "clientExtensions"), "id"), out->name,
              sizeof out->name);
    (void)read_id(object, "replacesOrderID", &out->replaces);
    (void)read_id(object, "fillingTransactionID", &out->filling);
    (void)read_id(object, "cancellingTransactionID", &out->cancelling);
    if (json_read_decimal(object, "price", &out->price, NULL) != 0)
        out->price.status = NUMBER_ABSENT;
    if (!read_units(object, &out->side, &out->units) && out->instrument[0] != '\0')
        return error_set(error, ERROR_INPUT, "order %" PRIu64 ", field units: expected a number",
                         out->id);
    return 0;
}

static int read_order_list(const cJSON *object, struct v20_orders *orders, struct error *error)
{
    const cJSON *list = json_member(object, "orders"), *item;
    orders->count = 0;
    if (!cJSON_IsArray(list))
        return error_set(error, ERROR_INPUT, "field orders: expected a list");
    cJSON_ArrayForEach(item, list)
    {
        struct v20_order *order = new_order(orders, error);
        int code = order ? read_order(item, order, error) : ERROR_SYSTEM;
        if (code)
            return code;
    }
    return 0;
}

int v20_read_orders(const char *body, size_t length, struct v20_orders *orders, struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    if (!tree)
        return ERROR_INPUT;
    int code = read_order_list(tree, orders, error);
    orders->last = 0;
    (void)read_id(tree, "lastTransactionID", &orders->last);
    cJSON_Delete(tree);
    return code;
}

int v20_read_order(const char *body, size_t length, struct v20_order *order, uint64_t *last,
                   struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    if (!tree)
        return ERROR_INPUT;
    *order = (struct v20_order){0};
    *last = 0;
    int code = read_order(json_member(tree, "order"), order, error);
    if (!code && order->instrument[0] == '\0')
        code = error_set(error, ERROR_INPUT, "field instrument: expected text");
    (void)read_id(tree, "lastTransactionID", last);
    cJSON_Delete(tree);
    return code;
}

/* --- the account ------------------------------------------------------------------------------------- */

static int read_side(const cJSON *object, const char *name, struct json_decimal *units,
                     struct json_decimal *price, struct error *error)
{
    const cJSON *side = json_member(object, name);
    int code = json_read_decimal(side, "units", units, error);
    if (!code && units->status != NUMBER_VALUE)
        code = error_set(error, ERROR_INPUT, "field %s.units: expected a number", name);
    price->status = NUMBER_ABSENT; /* where nothing is held there is none */
    if (!code && json_member(side, "averagePrice"))
        code = json_read_decimal(side, "averagePrice", price, error);
    return code;
}

static int read_position_list(const cJSON *object, struct v20_positions *positions,
                              struct error *error)
{
    const cJSON *list = json_member(object, "positions"), *item;
    positions->count = 0;
    if (!cJSON_IsArray(list))
        return error_set(error, ERROR_INPUT, "field positions: expected a list");
    cJSON_ArrayForEach(item, list)
    {
        struct v20_position *position = new_position(positions, error);
        int code = position ? json_read_text(item, "instrument", position->instrument,
                                             sizeof position->instrument, error)
                            : ERROR_SYSTEM;
        if (!code)
            code = read_side(item, "long", &position->long_units, &position->long_price, error);
        if (!code)
            code = read_side(item, "short", &position->short_units, &position->short_price, error);
        if (code)
            return code;
    }
    return 0;
}

int v20_read_positions(const char *body, size_t length, struct v20_positions *positions,
                       struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    if (!tree)
        return ERROR_INPUT;
    int code = read_position_list(tree, positions, error);
    cJSON_Delete(tree);
    return code;
}

static int read_account(const cJSON *object, struct v20_account *account, struct error *error)
{
    int code =
        json_read_text(object, "currency", account->currency, sizeof account->currency, error);
    if (!code)
        code = json_read_money(object, "balance", &account->balance, error);
    if (!code)
        code = json_read_money(object, "marginAvailable", &account->margin_available, error);
    if (!code)
        code = json_read_flag(object, "hedgingEnabled", &account->hedging, error);
    if (!code && !read_id(object, "lastTransactionID", &account->last))
        code = error_set(error, ERROR_INPUT, "field lastTransactionID: expected an id");
    if (!code)
        code = read_position_list(object, &account->positions, error);
    return code ? code : read_order_list(object, &account->orders, error);
}

int v20_read_account(const char *body, size_t length, struct v20_account *account,
                     struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    if (!tree)
        return ERROR_INPUT;
    int code = read_account(json_member(tree, "account"), account, error);
    cJSON_Delete(tree);
    return code;
}

/* --- lists of transactions ----------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const struct v20_transaction *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static void sort(struct v20_transactions *transactions)
{
    if (transactions->count > 1)
        qsort(transactions->list, transactions->count, sizeof *transactions->list, by_id);
}

static int append(struct v20_transactions *transactions, const cJSON *item, struct error *error)
{
    struct v20_transaction *transaction = new_transaction(transactions, error);
    return transaction ? read_transaction(item, transaction, error) : ERROR_SYSTEM;
}

int v20_read_transactions(const char *body, size_t length, struct v20_transactions *transactions,
                          struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    const cJSON *list = json_member(tree, "transactions"), *item;
    int code = 0;
    if (!tree)
        return ERROR_INPUT;
    transactions->count = 0;
    if (!cJSON_IsArray(list))
        code = error_set(error, ERROR_INPUT, "field transactions: expected a list");
    else if (!read_id(tree, "lastTransactionID", &transactions->last))
        code = error_set(error, ERROR_INPUT, "field lastTransactionID: expected an id");
    else
        cJSON_ArrayForEach(item, list) code = code ? code : append(transactions, item, error);
    cJSON_Delete(tree);
    sort(transactions);
    return code;
}

int v20_read_first_page(const char *body, size_t length, uint64_t *first, struct error *error)
{
    static const char from[] = "idrange?from=";
    cJSON *tree = json_parse_object(body, length, error);
    const cJSON *pages = json_member(tree, "pages");
    const cJSON *page = cJSON_IsArray(pages) ? pages->child : NULL;
    const char *at = page && cJSON_IsString(page) ? strstr(page->valuestring, from) : NULL;
    int code = tree ? 0 : ERROR_INPUT;
    *first = 0;
    if (!code && !cJSON_IsArray(pages)) {
        code = error_set(error, ERROR_INPUT, "field pages: expected a list");
    } else if (!code && page) {
        const char *digits = at ? at + strlen(from) : "";
        struct number number = number_from_text(digits, strspn(digits, "0123456789"), 0);
        if (number.status != NUMBER_VALUE || number.units <= 0)
            code = error_set(error, ERROR_INPUT, "field pages: expected \"…/%s1&to=100\"", from);
        else
            *first = (uint64_t)number.units;
    }
    cJSON_Delete(tree);
    return code;
}

int v20_read_made(const char *body, size_t length, struct v20_transactions *transactions,
                  struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    const cJSON *item;
    int code = 0;
    if (!tree)
        return ERROR_INPUT;
    transactions->count = 0;
    transactions->last = 0;
    (void)read_id(tree, "lastTransactionID", &transactions->last);
    cJSON_ArrayForEach(item, tree)
    {
        if (!code && cJSON_IsObject(item) && ends_with(item->string, "Transaction"))
            code = append(transactions, item, error);
    }
    if (!code && transactions->count == 0)
        code = error_set(error, ERROR_INPUT, "expected a transaction");
    cJSON_Delete(tree);
    sort(transactions);
    return code;
}

/* --- instruments ------------------------------------------------------------------------------------- */

/* Base and quote are the two halves of the name: "EUR_USD", "DE30_EUR". */
static int split_name(const char *name, struct adapter_instrument *out, struct error *error)
{
    const char *line = strrchr(name, '_');
    size_t length = line ? (size_t)(line - name) : 0;
    if (length == 0 || length > EVENT_NAME_MAX || line[1] == '\0' ||
        strlen(line + 1) > EVENT_NAME_MAX)
        return error_set(error, ERROR_INPUT, "%.40s: expected a name like EUR_USD", name);
    memcpy(out->base, name, length);
    out->base[length] = '\0';
    snprintf(out->quote, sizeof out->quote, "%s", line + 1);
    snprintf(out->settle, sizeof out->settle, "%s", line + 1);
    return 0;
}

static int read_precision(const cJSON *object, const char *name, int8_t *exponent,
                          struct error *error)
{
    int64_t digits;
    int code = json_read_integer(object, name, &digits, error);
    if (!code && (digits < 0 || digits > 9))
        code = error_set(error, ERROR_INPUT, "field %s: expected 0 to 9", name);
    if (!code)
        *exponent = (int8_t)-digits;
    return code;
}

/* Spread is the fee; a commission, where an account has one, is told with each fill. Units are bought and sold
 * for margin, so that a fill moves a position and not two balances: a linear contract of one unit. Money has four
 * decimals in every answer. */
static int read_definition(const cJSON *object, struct event_definition *out, struct error *error)
{
    struct json_decimal least = {.status = NUMBER_ABSENT};
    *out = (struct event_definition){.contract = CONTRACT_LINEAR,
                                     .tick = 1,
                                     .lot = 1,
                                     .multiplier = 1,
                                     .fee_asset = FEE_IN_SETTLE,
                                     .base_commission_exponent = -8,
                                     .quote_commission_exponent = -4,
                                     .grid_basis = BASIS_GIVEN};
    int code = read_precision(object, "displayPrecision", &out->price_exponent, error);
    if (!code)
        code = read_precision(object, "tradeUnitsPrecision", &out->quantity_exponent, error);
    if (!code)
        code = json_read_decimal(object, "minimumTradeSize", &least, error);
    struct number lot = json_units(&least, out->quantity_exponent);
    if (!code && (lot.status != NUMBER_VALUE || lot.units <= 0))
        code = error_set(error, ERROR_INPUT, "field minimumTradeSize: expected a size on the grid");
    if (!code)
        out->lot = lot.units; /* sizes in steps of the least are on the grid too */
    return code;
}

static int read_instrument(const cJSON *object, const char *symbol, struct adapter_instrument *out,
                           struct error *error)
{
    struct error why = {0};
    *out = (struct adapter_instrument){.trading = TRADING_OPEN};
    snprintf(out->symbol, sizeof out->symbol, "%s", symbol);
    int code = split_name(symbol, out, &why);
    if (!code)
        code = read_definition(object, &out->definition, &why);
    return code ? error_set(error, ERROR_INPUT, "%s: %s", symbol, why.text) : 0;
}

static int read_instruments(const cJSON *list, const char *const *symbols, size_t count,
                            struct adapter_instrument *found, bool *present, struct error *error)
{
    const cJSON *item;
    memset(present, 0, count * sizeof *present);
    if (!cJSON_IsArray(list))
        return error_set(error, ERROR_INPUT, "field instruments: expected a list");
    cJSON_ArrayForEach(item, list)
    {
        const char *name = json_text_of(item, "name");
        for (size_t i = 0; name && i < count; i++) {
            if (strcmp(symbols[i], name) != 0)
                continue;
            int code = read_instrument(item, name, &found[i], error);
            if (code)
                return code;
            present[i] = true;
        }
    }
    return 0;
}

int v20_read_instruments(const char *body, size_t length, const char *const *symbols, size_t count,
                         struct adapter_instrument *found, bool *present, struct error *error)
{
    cJSON *tree = json_parse_object(body, length, error);
    if (!tree)
        return ERROR_INPUT;
    int code =
        read_instruments(json_member(tree, "instruments"), symbols, count, found, present, error);
    cJSON_Delete(tree);
    return code;
}

/* --- errors ------------------------------------------------------------------------------------------ */

/* rejectReason of the transaction that says it, where there is one: errorCode may be of the request alone. */
static const char *reason_of(const cJSON *tree)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, tree)
    {
        const char *reason = cJSON_IsObject(item) ? json_text_of(item, "rejectReason") : NULL;
        if (reason)
            return reason;
    }
    return json_text_of(tree, "errorCode");
}

bool v20_read_error(const char *body, size_t length, struct v20_error *error)
{
    size_t column;
    cJSON *tree = json_parse(body, length, &column);
    const char *text = cJSON_IsObject(tree) ? json_text_of(tree, "errorMessage") : NULL;
    *error = (struct v20_error){0};
    if (text) {
        copy_printable(reason_of(tree), error->code, sizeof error->code);
        copy_printable(text, error->text, sizeof error->text);
    }
    cJSON_Delete(tree);
    return text != NULL;
}

/* --- requests ------------------------------------------------------------------------------------------ */

/* Names, symbols and numbers need no escapes: the adapter's names are checked, and numbers are its own. */
bool v20_write_order(const struct v20_new_order *order, char out[V20_BODY_MAX])
{
    char gtd[64] = "", extensions[256] = "";
    int named = 0;
    if (order->gtd_ns > 0)
        snprintf(gtd, sizeof gtd, ",\"gtdTime\":\"%" PRId64 ".%09" PRId64 "\"",
                 order->gtd_ns / NS_PER_SECOND, order->gtd_ns % NS_PER_SECOND);
    if (order->name)
        named =
            snprintf(extensions, sizeof extensions, ",\"clientExtensions\":{\"id\":\"%s\"%s%s%s}",
                     order->name, order->tag ? ",\"tag\":\"" : "", order->tag ? order->tag : "",
                     order->tag ? "\"" : "");
    int length = snprintf(
        out, V20_BODY_MAX,
        "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"%s\",\"units\":\"%s\","
        "\"price\":\"%s\",\"timeInForce\":\"%s\"%s%s%s}}",
        order->instrument, order->units, order->price, order->time_in_force, gtd,
        order->full ? ",\"positionFill\":\"DEFAULT\",\"triggerCondition\":\"DEFAULT\"" : "",
        extensions);
    return named < (int)sizeof extensions && length > 0 && length < V20_BODY_MAX;
}
