/* See coinbase_decode.h. */
#include "venue/live/coinbase_decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

/* A fee's rate is counted in 1e-9. */
enum { RATE_EXPONENT = -9 };

/* --- lists ------------------------------------------------------------------------------------------- */

int coinbase_reserve(void **list, size_t *capacity, size_t count, size_t size, size_t most,
                     struct error *error)
{
    if (count < *capacity)
        return 0;
    if (count >= most)
        return error_set(error, ERROR_INPUT, "expected at most %zu items in one answer", most);
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
        int code = coinbase_reserve(&memory, &list->capacity, list->count, sizeof *list->list,     \
                                    COINBASE_LIST_MAX, error);                                     \
        list->list = memory;                                                                       \
        if (code)                                                                                  \
            return NULL;                                                                           \
        memset(&list->list[list->count], 0, sizeof *list->list);                                   \
        return &list->list[list->count++];                                                         \
    }
NEW_ITEM(new_order, coinbase_order)
NEW_ITEM(new_fill, coinbase_fill)
NEW_ITEM(new_balance, coinbase_balance)
NEW_ITEM(new_cancel, coinbase_cancel)
#undef NEW_ITEM

void coinbase_orders_free(struct coinbase_orders *orders)
{
    free(orders->list);
    *orders = (struct coinbase_orders){0};
}

void coinbase_cancels_free(struct coinbase_cancels *cancels)
{
    free(cancels->list);
    *cancels = (struct coinbase_cancels){0};
}

void coinbase_fills_free(struct coinbase_fills *fills)
{
    free(fills->list);
    *fills = (struct coinbase_fills){0};
}

void coinbase_balances_free(struct coinbase_balances *balances)
{
    free(balances->list);
    *balances = (struct coinbase_balances){0};
}

/* --- words ------------------------------------------------------------------------------------------- */

void coinbase_copy_printable(const char *text, char *out, size_t capacity)
{
    size_t length = 0;
    for (; text && *text && length + 1 < capacity; text++)
        out[length++] = (char)(*text >= ' ' && *text <= '~' ? *text : '?');
    out[length] = '\0';
}

int64_t coinbase_time_of(const cJSON *object, const char *name)
{
    const char *text = json_text_of(object, name);
    int64_t time_ns;
    if (!text || !strchr(text, 'T') || time_from_text(text, strlen(text), &time_ns, NULL) != 0 ||
        time_ns < 0 || time_ns > JSON_TIME_MAX_NS)
        return 0;
    return time_ns;
}

static const char *const status_words[] = {
#define X(name, word, over) word,
    COINBASE_STATUSES(X)
#undef X
};

enum coinbase_status coinbase_status_of(const char *word)
{
    unsigned status = 0;
    while (status < COINBASE_OTHER_STATUS && strcmp(status_words[status], word) != 0)
        status++;
    return (enum coinbase_status)status;
}

const char *coinbase_status_word(enum coinbase_status status)
{
    return status < COINBASE_OTHER_STATUS ? status_words[status] : "";
}

bool coinbase_status_is_over(enum coinbase_status status)
{
    static const bool over[COINBASE_OTHER_STATUS + 1] = {
#define X(name, word, is_over) is_over,
        COINBASE_STATUSES(X)
#undef X
    };
    return over[status];
}

/* "GOOD_UNTIL_CANCELLED", or as the user channel may put it "GOOD_UNTIL_DATE_TIME" and so on. */
static void take_time_in_force(const char *word, struct coinbase_order *out)
{
    static const struct {
        const char *word;
        uint8_t time_in_force;
        bool has_end;
    } words[] = {{"GOOD_UNTIL_CANCELLED", TIME_IN_FORCE_GTC, false},
                 {"GOOD_UNTIL_DATE_TIME", TIME_IN_FORCE_GTC, true},
                 {"IMMEDIATE_OR_CANCEL", TIME_IN_FORCE_IOC, false},
                 {"FILL_OR_KILL", TIME_IN_FORCE_FOK, false}};
    out->time_in_force = TIME_IN_FORCE_COUNT;
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, word) != 0)
            continue;
        out->time_in_force = words[i].time_in_force;
        out->has_end = words[i].has_end;
    }
}

static int read_side(const cJSON *object, const char *name, uint8_t *out, struct error *error)
{
    const char *word = json_text_of(object, name);
    if (!word || (strcmp(word, "BUY") != 0 && strcmp(word, "SELL") != 0))
        return error_set(error, ERROR_INPUT, "field %s: expected BUY or SELL", name);
    *out = *word == 'B' ? SIDE_BUY : SIDE_SELL;
    return 0;
}

/* A decimal, ABSENT where the member is not there or empty. */
static void take_decimal(const cJSON *object, const char *name, struct json_decimal *out)
{
    if (json_read_decimal(object, name, out, NULL) != 0)
        *out = (struct json_decimal){.status = NUMBER_ABSENT};
}

/* --- errors ------------------------------------------------------------------------------------------ */

static void set_error(struct coinbase_error *out, const char *reason, const char *text)
{
    coinbase_copy_printable(reason, out->reason, sizeof out->reason);
    coinbase_copy_printable(text, out->text, sizeof out->text);
}

/* "account is not available" comes as a text under more than one word. */
static const char *word_of_text(const char *word, const char *text)
{
    return text && strstr(text, "account is not available") ? "account" : word;
}

bool coinbase_read_error(const char *bytes, size_t length, struct coinbase_error *out)
{
    struct error ignored = {0};
    cJSON *tree = json_parse_object(bytes, length, &ignored);
    const cJSON *first = cJSON_GetArrayItem(json_member(tree, "errors"), 0);
    const char *word = json_text_of(first ? first : tree, first ? "id" : "error");
    const char *text = json_text_of(first ? first : tree, "message");
    if (!text || !*text)
        text = json_text_of(tree, "error_details");
    if (!text || !*text)
        text = json_text_of(tree, "error_description");
    *out = (struct coinbase_error){{0}, {0}};
    if (word)
        set_error(out, word_of_text(word, text), text);
    cJSON_Delete(tree);
    return out->reason[0] != '\0';
}

/* Whether a word says why. UNKNOWN_… is what the venue fills a field with that tells nothing. */
static bool says_why(const char *word)
{
    return word && *word && strncmp(word, "UNKNOWN_FAILURE", 15) != 0 &&
           strncmp(word, "UNKNOWN_PREVIEW", 15) != 0 && strncmp(word, "UNKNOWN_EDIT", 12) != 0 &&
           strncmp(word, "UNKNOWN_CANCEL_FAILURE", 22) != 0;
}

/* The first of these members that says why. */
static const char *reason_of(const cJSON *object, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (says_why(json_text_of(object, names[i])))
            return json_text_of(object, names[i]);
    return NULL;
}

/* --- orders ------------------------------------------------------------------------------------------ */

/* REST has price and size in the one configuration, and what edits made of them in a list. */
static void take_configuration(const cJSON *object, struct coinbase_order *out)
{
    const cJSON *configuration = json_member(object, "order_configuration");
    const cJSON *values = configuration ? configuration->child : NULL;
    const cJSON *edits = json_member(object, "edit_history");
    const cJSON *last = cJSON_GetArrayItem(edits, cJSON_GetArraySize(edits) - 1);
    struct json_decimal price, size;
    take_decimal(values, "limit_price", &out->price);
    take_decimal(values, "base_size", &out->size);
    take_decimal(last, "price", &price);
    take_decimal(last, "size", &size);
    if (price.status == NUMBER_VALUE)
        out->price = price;
    if (size.status == NUMBER_VALUE)
        out->size = size;
}

static void take_reason(const cJSON *object, bool of_channel, struct coinbase_order *out)
{
    static const char *const of_rest[] = {"reject_message", "reject_reason", "cancel_message"};
    static const char *const of_user[] = {"reject_reason", "reject_Reason", "cancel_reason"};
    for (size_t i = 0; i < 3 && out->reason[0] == '\0'; i++) {
        const char *text = json_text_of(object, of_channel ? of_user[i] : of_rest[i]);
        if (text && strcmp(text, "REJECT_REASON_UNSPECIFIED") != 0)
            coinbase_copy_printable(text, out->reason, sizeof out->reason);
    }
}

static void take_amounts(const cJSON *object, bool of_channel, struct coinbase_order *out)
{
    take_decimal(object, of_channel ? "cumulative_quantity" : "filled_size", &out->filled);
    out->has_fees = json_read_money(object, "total_fees", &out->fees, NULL) == 0;
    if (of_channel) {
        take_decimal(object, "limit_price", &out->price);
        take_decimal(object, "leaves_quantity", &out->leaves);
        out->size.status = NUMBER_ABSENT;
    } else {
        out->leaves.status = NUMBER_ABSENT;
        take_configuration(object, out);
    }
}

static void take_times(const cJSON *object, bool of_channel, struct coinbase_order *out)
{
    out->created_ns = coinbase_time_of(object, of_channel ? "creation_time" : "created_time");
    out->time_ns = coinbase_time_of(object, "last_update_time");
    if (out->time_ns == 0)
        out->time_ns = coinbase_time_of(object, "last_fill_time");
}

int coinbase_order_of_tree(const cJSON *object, bool of_channel, struct coinbase_order *out,
                           struct error *error)
{
    char status[COINBASE_REASON_MAX];
    memset(out, 0, sizeof *out);
    int code = json_read_text(object, "order_id", out->id, sizeof out->id, error);
    if (!code)
        code = json_read_text(object, "client_order_id", out->name, sizeof out->name, error);
    if (!code)
        code = json_read_text(object, "product_id", out->symbol, sizeof out->symbol, error);
    if (!code)
        code = json_read_text(object, "status", status, sizeof status, error);
    if (!code)
        code = read_side(object, of_channel ? "order_side" : "side", &out->side, error);
    if (code)
        return code;
    out->status = (uint8_t)coinbase_status_of(status);
    take_time_in_force(json_text_of(object, "time_in_force"), out);
    take_amounts(object, of_channel, out);
    take_times(object, of_channel, out);
    take_reason(object, of_channel, out);
    return 0;
}

int coinbase_read_order(const char *bytes, size_t length, struct coinbase_order *out,
                        struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *order = json_member(tree, "order");
    int code = tree ? 0 : ERROR_INPUT;
    if (!code && !cJSON_IsObject(order))
        code = error_set(error, ERROR_INPUT, "field order: expected an object");
    if (!code)
        code = coinbase_order_of_tree(order, false, out, error);
    cJSON_Delete(tree);
    return code;
}

/* --- pages ------------------------------------------------------------------------------------------- */

/* Where the next page begins. `has_next` is not in every list; an empty cursor ends each. */
static int read_page(const cJSON *tree, struct coinbase_page *page, struct error *error)
{
    const char *cursor = json_text_of(tree, "cursor");
    bool more = cursor && *cursor && !cJSON_IsFalse(json_member(tree, "has_next"));
    page->cursor[0] = '\0';
    if (!more)
        return 0;
    return json_read_text(tree, "cursor", page->cursor, sizeof page->cursor, error);
}

/* The list of that name, and where the next page begins. NULL with an error. */
static const cJSON *open_page(const cJSON *tree, const char *name, struct coinbase_page *page,
                              struct error *error)
{
    const cJSON *list = json_member(tree, name);
    if (!tree)
        return NULL;
    if (!cJSON_IsArray(list)) {
        error_set(error, ERROR_INPUT, "field %s: expected an array", name);
        return NULL;
    }
    return read_page(tree, page, error) == 0 ? list : NULL;
}

int coinbase_read_orders(const char *bytes, size_t length, struct coinbase_orders *out,
                         struct coinbase_page *page, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *list = open_page(tree, "orders", page, error), *item;
    int code = list ? 0 : ERROR_INPUT;
    for (item = list ? list->child : NULL; item && !code; item = item->next) {
        struct coinbase_order *order = new_order(out, error);
        code = order ? coinbase_order_of_tree(item, false, order, error) : (int)error->code;
    }
    cJSON_Delete(tree);
    return code;
}

/* --- answers to requests about orders ------------------------------------------------------------------- */

/* The order in which the document tells to look for the reason of a refusal. */
static void read_refusal(const cJSON *tree, struct coinbase_error *out)
{
    static const char *const names[] = {"new_order_failure_reason", "preview_failure_reason",
                                        "error"};
    static const char *const outside[] = {"failure_reason"};
    const cJSON *response = json_member(tree, "error_response");
    const char *text = json_text_of(response, "message");
    const char *reason = reason_of(response, names, 3);
    if (!reason)
        reason = reason_of(tree, outside, 1);
    if (!text || !*text)
        text = json_text_of(response, "error_details");
    if (!reason)
        reason = "UNKNOWN_FAILURE_REASON";
    set_error(out, word_of_text(reason, text), text);
}

static int read_success(const cJSON *object, struct coinbase_placed *out, struct error *error)
{
    const char *name = json_text_of(object, "client_order_id");
    int code = json_read_text(object, "order_id", out->id, sizeof out->id, error);
    if (!code && out->id[0] == '\0')
        code = error_set(error, ERROR_INPUT, "field order_id: expected an id");
    if (!code && name)
        code = json_read_text(object, "client_order_id", out->name, sizeof out->name, error);
    if (!code && json_text_of(object, "product_id"))
        code = json_read_text(object, "product_id", out->symbol, sizeof out->symbol, error);
    out->has_side = json_text_of(object, "side") != NULL;
    if (!code && out->has_side)
        code = read_side(object, "side", &out->side, error);
    return code;
}

int coinbase_read_placed(const char *bytes, size_t length, struct coinbase_placed *out,
                         struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    memset(out, 0, sizeof *out);
    int code = tree ? json_read_flag(tree, "success", &out->success, error) : ERROR_INPUT;
    if (!code && out->success) {
        const cJSON *inner = json_member(tree, "success_response");
        code = read_success(inner ? inner : tree, out, error);
    } else if (!code) {
        read_refusal(tree, &out->error);
    }
    cJSON_Delete(tree);
    return code;
}

static int read_cancel(const cJSON *item, struct coinbase_cancel *out, struct error *error)
{
    const char *reason = json_text_of(item, "failure_reason");
    int code = json_read_text(item, "order_id", out->id, sizeof out->id, error);
    if (!code)
        code = json_read_flag(item, "success", &out->success, error);
    if (!code && !out->success)
        set_error(&out->error, reason && *reason ? reason : "UNKNOWN_CANCEL_FAILURE_REASON", "");
    return code;
}

int coinbase_read_cancels(const char *bytes, size_t length, struct coinbase_cancels *out,
                          struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *list = json_member(tree, "results"), *item;
    int code = tree ? 0 : ERROR_INPUT;
    out->count = 0;
    if (!code && !cJSON_IsArray(list))
        code = error_set(error, ERROR_INPUT, "field results: expected an array");
    for (item = !code ? list->child : NULL; item && !code; item = item->next) {
        struct coinbase_cancel *cancel = new_cancel(out, error);
        code = cancel ? read_cancel(item, cancel, error) : (int)error->code;
    }
    cJSON_Delete(tree);
    return code;
}

int coinbase_read_edit(const char *bytes, size_t length, bool *success,
                       struct coinbase_error *refusal, struct error *error)
{
    /* A preview's reason says more than that the edit was refused. */
    static const char *const names[] = {"preview_failure_reason", "edit_failure_reason"};
    cJSON *tree = json_parse_object(bytes, length, error);
    int code = tree ? json_read_flag(tree, "success", success, error) : ERROR_INPUT;
    if (!code && !*success) {
        const cJSON *errors = json_member(tree, "errors");
        const cJSON *one = cJSON_IsArray(errors) ? cJSON_GetArrayItem(errors, 0) : errors;
        const char *reason = reason_of(one, names, 2);
        set_error(refusal, reason ? reason : "UNKNOWN_EDIT_ORDER_FAILURE_REASON",
                  json_text_of(one, "message"));
    }
    cJSON_Delete(tree);
    return code;
}

/* --- fills ------------------------------------------------------------------------------------------- */

static int read_fill(const cJSON *item, struct coinbase_fill *out, struct error *error)
{
    const char *type = json_text_of(item, "trade_type");
    const char *liquidity = json_text_of(item, "liquidity_indicator");
    int code = json_read_text(item, "trade_id", out->trade, sizeof out->trade, error);
    if (!code && out->trade[0] == '\0')
        code = error_set(error, ERROR_INPUT, "field trade_id: expected an id");
    if (!code)
        code = json_read_text(item, "order_id", out->order, sizeof out->order, error);
    if (!code && json_text_of(item, "product_id"))
        code = json_read_text(item, "product_id", out->symbol, sizeof out->symbol, error);
    if (!code)
        code = json_read_decimal(item, "price", &out->price, error);
    if (!code)
        code = json_read_decimal(item, "size", &out->quantity, error);
    if (!code)
        code = json_read_money(item, "commission", &out->fee, error);
    if (!code)
        code = read_side(item, "side", &out->side, error);
    out->time_ns = coinbase_time_of(item, "trade_time");
    out->is_trade = !type || strcmp(type, "FILL") == 0;
    out->in_quote = cJSON_IsTrue(json_member(item, "size_in_quote"));
    out->maker = liquidity && strcmp(liquidity, "MAKER") == 0;
    out->has_liquidity = out->maker || (liquidity && strcmp(liquidity, "TAKER") == 0);
    return code;
}

int coinbase_read_fills(const char *bytes, size_t length, struct coinbase_fills *out,
                        struct coinbase_page *page, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *list = open_page(tree, "fills", page, error), *item;
    int code = list ? 0 : ERROR_INPUT;
    for (item = list ? list->child : NULL; item && !code; item = item->next) {
        struct coinbase_fill *fill = new_fill(out, error);
        code = fill ? read_fill(item, fill, error) : (int)error->code;
    }
    if (list && !list->child)
        page->cursor[0] = '\0'; /* an empty page is the last, whatever it says */
    cJSON_Delete(tree);
    return code;
}

static int by_time(const void *left, const void *right)
{
    const struct coinbase_fill *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    int difference = strcmp(a->trade, b->trade);
    if (difference == 0)
        difference = strcmp(a->order, b->order);
    return difference ? difference : a->is_trade - b->is_trade;
}

void coinbase_fills_order(struct coinbase_fills *fills)
{
    size_t kept = 0;
    if (fills->count > 0)
        qsort(fills->list, fills->count, sizeof *fills->list, by_time);
    for (size_t i = 0; i < fills->count; i++)
        if (kept == 0 || by_time(&fills->list[kept - 1], &fills->list[i]) != 0)
            fills->list[kept++] = fills->list[i];
    fills->count = kept;
}

/* --- the account ------------------------------------------------------------------------------------- */

static int read_account(const cJSON *item, struct coinbase_balance *out, struct error *error)
{
    const cJSON *hold = json_member(item, "hold");
    int code = json_read_text(item, "currency", out->asset, sizeof out->asset, error);
    if (!code && json_read_money(json_member(item, "available_balance"), "value", &out->available,
                                 error) != 0)
        code = error_prefix(error, "available_balance of %s", out->asset);
    if (!code && hold && json_read_money(hold, "value", &out->hold, error) != 0)
        code = error_prefix(error, "hold of %s", out->asset);
    return code;
}

int coinbase_read_accounts(const char *bytes, size_t length, struct coinbase_balances *out,
                           struct coinbase_page *page, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *list = open_page(tree, "accounts", page, error), *item;
    int code = list ? 0 : ERROR_INPUT;
    for (item = list ? list->child : NULL; item && !code; item = item->next) {
        struct coinbase_balance *balance = new_balance(out, error);
        code = balance ? read_account(item, balance, error) : (int)error->code;
    }
    cJSON_Delete(tree);
    return code;
}

int coinbase_read_rights(const char *bytes, size_t length, struct coinbase_rights *out,
                         struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    memset(out, 0, sizeof *out);
    int code = tree ? json_read_flag(tree, "can_view", &out->can_view, error) : ERROR_INPUT;
    if (!code)
        code = json_read_flag(tree, "can_trade", &out->can_trade, error);
    if (!code)
        code = json_read_flag(tree, "can_transfer", &out->can_transfer, error);
    if (!code && json_text_of(tree, "portfolio_uuid"))
        code = json_read_text(tree, "portfolio_uuid", out->portfolio, sizeof out->portfolio, error);
    cJSON_Delete(tree);
    return code;
}

static int read_rate(const cJSON *object, const char *name, int64_t *out, struct error *error)
{
    struct json_decimal rate;
    int code = json_read_decimal(object, name, &rate, error);
    struct number units = code ? (struct number){0} : json_units(&rate, RATE_EXPONENT);
    if (!code && units.status != NUMBER_VALUE)
        code = error_set(error, ERROR_INPUT, "field %s: expected a rate of at most nine decimals",
                         name);
    if (!code)
        *out = units.units;
    return code;
}

int coinbase_read_fees(const char *bytes, size_t length, struct coinbase_fees *out,
                       struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *tier = json_member(tree, "fee_tier");
    int code = tree ? read_rate(tier, "maker_fee_rate", &out->maker, error) : ERROR_INPUT;
    if (!code)
        code = read_rate(tier, "taker_fee_rate", &out->taker, error);
    cJSON_Delete(tree);
    return code;
}

/* --- the venue --------------------------------------------------------------------------------------- */

/* Milliseconds as text. */
int coinbase_read_time(const char *bytes, size_t length, int64_t *out_ns, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const char *text = json_text_of(tree, "epochMillis");
    struct number ms = {.status = NUMBER_ABSENT};
    int code = tree ? 0 : ERROR_INPUT;
    if (text)
        ms = number_from_text(text, strlen(text), 0);
    if (!code &&
        (ms.status != NUMBER_VALUE || ms.units <= 0 || ms.units > JSON_TIME_MAX_NS / NS_PER_MS))
        code =
            error_set(error, ERROR_INPUT,
                      "field epochMillis: expected milliseconds since 1970 as text, before 2096");
    if (!code)
        *out_ns = ms.units * NS_PER_MS;
    cJSON_Delete(tree);
    return code;
}

/* A step above 0 as the unit and count of a grid. */
static int read_grid(const cJSON *item, const char *name, int8_t *exponent, int64_t *units,
                     struct error *error)
{
    struct json_decimal step;
    int code = json_read_decimal(item, name, &step, error);
    if (code)
        return code;
    int unit = step.value.exponent < 0 ? step.value.exponent : 0;
    struct number number = json_units(&step, unit);
    if (number.status != NUMBER_VALUE || number.units <= 0)
        return error_set(error, ERROR_INPUT, "field %s: expected a step above 0", name);
    *exponent = (int8_t)unit;
    *units = number.units;
    return 0;
}

static int read_grids(const cJSON *item, struct event_definition *out, uint8_t *notes,
                      struct error *error)
{
    const char *tick = json_text_of(item, "price_increment");
    struct json_decimal least;
    int code = read_grid(item, tick && *tick ? "price_increment" : "quote_increment",
                         &out->price_exponent, &out->tick, error);
    if (!code)
        code = read_grid(item, "base_increment", &out->quantity_exponent, &out->lot, error);
    if (code)
        return code;
    take_decimal(item, "base_min_size", &least);
    struct number units = json_units(&least, out->quantity_exponent);
    if (least.status != NUMBER_ABSENT && (units.status != NUMBER_VALUE || units.units > out->lot))
        *notes |= COINBASE_LEAST_ABOVE_LOT;
    if (out->price_exponent + out->quantity_exponent < MONEY_EXPONENT)
        return error_set(error, ERROR_INPUT,
                         "price_increment and base_increment are finer than exact money (1e-18)");
    return 0;
}

static bool is_true(const cJSON *item, const char *name)
{
    return cJSON_IsTrue(json_member(item, name));
}

static enum trading trading_of(const cJSON *item)
{
    const char *status = json_text_of(item, "status");
    if (is_true(item, "is_disabled") || is_true(item, "trading_disabled") ||
        is_true(item, "auction_mode") || is_true(item, "view_only") ||
        (status && *status && strcmp(status, "online") != 0))
        return TRADING_HALTED;
    if (is_true(item, "cancel_only"))
        return TRADING_CANCEL_ONLY;
    return is_true(item, "post_only") ? TRADING_POST_ONLY : TRADING_OPEN;
}

static int read_asset(const cJSON *item, const char *field, char out[EVENT_NAME_MAX + 1],
                      struct error *error)
{
    int code = json_read_text(item, field, out, EVENT_NAME_MAX + 1, error);
    if (!code && !event_name_is_valid(out, strlen(out)))
        code = error_set(error, ERROR_INPUT, "field %s: expected the name of an asset", field);
    return code;
}

static int read_product(const cJSON *item, const char *symbol, struct adapter_instrument *out,
                        struct coinbase_product *product, struct error *error)
{
    const char *type = json_text_of(item, "product_type"), *alias = json_text_of(item, "alias");
    struct event_definition *definition = &out->definition;
    memset(out, 0, sizeof *out);
    memset(product, 0, sizeof *product);
    strcpy(out->symbol, symbol);
    if (type && *type && strcmp(type, "SPOT") != 0)
        return error_set(error, ERROR_INPUT, "field product_type: expected SPOT");
    *definition = (struct event_definition){.contract = CONTRACT_SPOT,
                                            .multiplier = 1,
                                            .fee_asset = FEE_IN_QUOTE,
                                            .grid_basis = BASIS_GIVEN};
    int code = read_asset(item, "base_currency_id", out->base, error);
    if (!code)
        code = read_asset(item, "quote_currency_id", out->quote, error);
    if (!code)
        code = read_grids(item, definition, &product->notes, error);
    if (!code)
        code = json_read_money(item, "quote_min_size", &definition->minimum_notional, error);
    if (code)
        return code;
    strcpy(out->settle, out->quote);
    definition->base_commission_exponent = definition->quantity_exponent;
    /* Commissions are told with sixteen decimals; what is estimated is rounded there. */
    definition->quote_commission_exponent = -16;
    out->trading = (uint8_t)trading_of(item);
    if (!alias || !*alias)
        alias = symbol;
    if (!event_name_is_valid(alias, strlen(alias)))
        return error_set(error, ERROR_INPUT, "field alias: expected the name of a product");
    strcpy(product->market, alias);
    product->present = true;
    return 0;
}

int coinbase_read_products(const char *bytes, size_t length, const char *const *symbols,
                           size_t count, struct adapter_instrument *found,
                           struct coinbase_product *products, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    const cJSON *list = json_member(tree, "products"), *item;
    int code = tree ? 0 : ERROR_INPUT;
    memset(products, 0, count * sizeof *products);
    if (!code && !cJSON_IsArray(list))
        code = error_set(error, ERROR_INPUT, "field products: expected an array");
    for (item = !code ? list->child : NULL; item && !code; item = item->next) {
        const char *symbol = json_text_of(item, "product_id");
        size_t place = 0;
        while (symbol && place < count && strcmp(symbols[place], symbol) != 0)
            place++;
        if (!symbol)
            code = error_set(error, ERROR_INPUT, "products: field product_id: expected text");
        else if (place < count &&
                 read_product(item, symbol, &found[place], &products[place], error) != 0)
            code = error_prefix(error, "product %s", symbol);
    }
    cJSON_Delete(tree);
    return code;
}
