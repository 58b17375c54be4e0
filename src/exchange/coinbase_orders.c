/* Coinbase: new orders, cancels, edits. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/coinbase.h"

enum {
    MARKET_SLACK_PPM = 20000, /* a market order may walk this far past the levels it needs */
    CANCELS_MAX = 100         /* ids in one request */
};

/* One key of order_configuration. */
struct configuration {
    const char *name;
    uint8_t time_in_force;
    bool is_market, has_end;
};

static const struct configuration configurations[] = {
    {"limit_limit_gtc", TIME_IN_FORCE_GTC, false, false},
    {"limit_limit_gtd", TIME_IN_FORCE_GTC, false, true},
    {"limit_limit_fok", TIME_IN_FORCE_FOK, false, false},
    {"sor_limit_ioc", TIME_IN_FORCE_IOC, false, false},
    {"market_market_ioc", TIME_IN_FORCE_IOC, true, false},
    {"market_market_fok", TIME_IN_FORCE_FOK, true, false},
};

/* A new order as its body has it, and why it is refused. */
struct wanted {
    struct public_instrument *instrument;
    const struct configuration *configuration;
    const cJSON *values; /* of the configuration */
    struct core_place place;
    const char *failure, *preview_failure; /* NULL: none */
    const char *message;
};

/* --- words ------------------------------------------------------------------------------------- */

const struct event_definition *coinbase_definition(const struct coinbase *venue,
                                                   const struct core_order *order)
{
    return &market_by_number(venue->options.market, order->instrument)->definition;
}

/* What could not be taken at once is cancelled; what was over in time has expired. */
const char *coinbase_status(const struct core_order *order)
{
    static const char *const names[] = {"PENDING",   "OPEN",    "FILLED",
                                        "CANCELLED", "EXPIRED", "FAILED"};
    if (order->state == CORE_EXPIRED && order->expires == TIME_NEVER)
        return "CANCELLED";
    return names[order->state];
}

const char *coinbase_time_in_force(const struct core_order *order)
{
    static const char *const names[] = {"GOOD_UNTIL_CANCELLED", "IMMEDIATE_OR_CANCEL",
                                        "FILL_OR_KILL"};
    return order->expires != TIME_NEVER ? "GOOD_UNTIL_DATE_TIME" : names[order->time_in_force];
}

/* --- reading a new order ------------------------------------------------------------------------ */

static bool fail(struct wanted *wanted, const char *failure, const char *preview,
                 const char *message)
{
    wanted->failure = failure;
    wanted->preview_failure = preview;
    wanted->message = message;
    return false;
}

static bool find_configuration(const struct coinbase_call *call, struct wanted *wanted)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(call->json, "order_configuration");
    for (size_t i = 0; i < sizeof configurations / sizeof configurations[0]; i++) {
        const cJSON *values = cJSON_GetObjectItemCaseSensitive(object, configurations[i].name);
        if (!cJSON_IsObject(values))
            continue;
        wanted->configuration = &configurations[i];
        wanted->values = values;
        return true;
    }
    return fail(wanted, "UNSUPPORTED_ORDER_CONFIGURATION", NULL,
                "order configuration is not supported");
}

static struct number read_number(const cJSON *values, const char *name, int exponent)
{
    char room[JSON_NUMBER_MAX];
    const char *text = json_get_scalar(values, name, room);
    return number_from_text(text, strlen(text), exponent);
}

static bool read_size(struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    struct number size = read_number(wanted->values, "base_size", definition->quantity_exponent);
    if (size.status == NUMBER_OFF_GRID ||
        (size.status == NUMBER_VALUE && size.units % definition->lot != 0))
        return fail(wanted, "INVALID_SIZE_PRECISION", "PREVIEW_INVALID_SIZE_PRECISION", "");
    if (size.status != NUMBER_VALUE || size.units < definition->lot)
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", "");
    wanted->place.quantity = size.units;
    return true;
}

static bool check_value(struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    money value;
    if (!money_linear_value(wanted->place.price, wanted->place.quantity, definition->multiplier,
                            definition->price_exponent + definition->quantity_exponent +
                                definition->multiplier_exponent,
                            &value))
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE", "");
    if (money_compare(value, definition->minimum_notional) < 0)
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "");
    return true;
}

static bool read_price(struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    struct number price = read_number(wanted->values, "limit_price", definition->price_exponent);
    if (price.status == NUMBER_OFF_GRID ||
        (price.status == NUMBER_VALUE && price.units % definition->tick != 0))
        return fail(wanted, "INVALID_PRICE_PRECISION", "PREVIEW_INVALID_PRICE_PRECISION", "");
    if (price.status != NUMBER_VALUE || price.units <= 0 || price.units > BOOK_PRICE_MAX)
        return fail(wanted, "INVALID_LIMIT_PRICE", "PREVIEW_INVALID_LIMIT_PRICE", "");
    wanted->place.price = price.units;
    return true;
}

static bool read_limit(const struct coinbase_call *call, struct wanted *wanted)
{
    const cJSON *post_only = cJSON_GetObjectItemCaseSensitive(wanted->values, "post_only");
    const char *end = json_get_text(wanted->values, "end_time");
    wanted->place.post_only =
        cJSON_IsTrue(post_only) && wanted->place.time_in_force == TIME_IN_FORCE_GTC;
    if (wanted->configuration->has_end) {
        int64_t time;
        if (!end || time_from_text(end, strlen(end), &time, NULL) ||
            time <= call->now + call->venue->protocol.skew)
            return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_END_TIME",
                        "end_time is not in the future");
        wanted->place.expires = time - call->venue->protocol.skew;
    }
    return read_size(wanted) && read_price(wanted) && check_value(wanted);
}

/* The whole lots that an amount of quote buys at the best price. */
static bool read_quote_size(struct wanted *wanted, const char *text)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    struct book_level best = market_best(wanted->instrument, SIDE_SELL);
    money amount, quotient;
    if (money_from_text(text, strlen(text), &amount) != NUMBER_VALUE || amount.atto <= 0 ||
        best.quantity == 0 || definition->price_exponent > 0 ||
        !money_scale(amount, power_of_ten(-definition->price_exponent), best.price, MONEY_DOWN,
                     &quotient))
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "");
    money unit;
    if (!money_from_units(definition->lot, definition->quantity_exponent, &unit) ||
        quotient.atto / unit.atto > INT64_MAX / definition->lot)
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE", "");
    wanted->place.quantity = (int64_t)(quotient.atto / unit.atto) * definition->lot;
    if (wanted->place.quantity == 0)
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "");
    return true;
}

static bool read_market(struct wanted *wanted)
{
    char room[JSON_NUMBER_MAX];
    const char *quote = json_get_scalar(wanted->values, "quote_size", room);
    bool buys = wanted->place.side == SIDE_BUY;
    wanted->place.is_market = true;
    if (*quote && buys ? !read_quote_size(wanted, quote) : !read_size(wanted))
        return false;
    wanted->place.price = market_worst_price(wanted->instrument, buys ? SIDE_SELL : SIDE_BUY,
                                             wanted->place.quantity, MARKET_SLACK_PPM);
    if (wanted->place.price == 0)
        return fail(wanted, "UNKNOWN_FAILURE_REASON", "PREVIEW_INSUFFICIENT_LIQUIDITY", "");
    return check_value(wanted);
}

static bool read_order(const struct coinbase_call *call, struct wanted *wanted)
{
    memset(wanted, 0, sizeof *wanted);
    const char *side = json_get_text(call->json, "side");
    const char *client = json_get_text(call->json, "client_order_id");
    const char *product = json_get_text(call->json, "product_id");
    wanted->instrument = market_by_symbol(call->venue->options.market, product);
    if (!wanted->instrument)
        return fail(wanted, "INVALID_PRODUCT_ID", NULL, "valid product_id is required");
    if (!side || (strcmp(side, "BUY") != 0 && strcmp(side, "SELL") != 0))
        return fail(wanted, "INVALID_SIDE", NULL, "side is required");
    if (!client || !*client || strlen(client) > CORE_CLIENT_MAX)
        return fail(wanted, "INVALID_REQUEST", NULL, "client_order_id is required");
    if (!find_configuration(call, wanted))
        return false;
    wanted->place = (struct core_place){.instrument = wanted->instrument->instrument,
                                        .side = *side == 'B' ? SIDE_BUY : SIDE_SELL,
                                        .time_in_force = wanted->configuration->time_in_force,
                                        .expires = TIME_NEVER,
                                        .client = client};
    return wanted->configuration->is_market ? read_market(wanted) : read_limit(call, wanted);
}

/* --- answering --------------------------------------------------------------------------------- */

static void write_sent_configuration(const struct coinbase_call *call)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(call->json, "order_configuration");
    char *text = object ? cJSON_PrintUnformatted(object) : NULL;
    if (text)
        json_raw(call->body, "order_configuration", text);
    else
        json_null(call->body, "order_configuration");
    cJSON_free(text);
}

/* A refusal is HTTP 200 with success false. */
static void write_failure(struct coinbase_call *call, const struct wanted *wanted)
{
    json_open(call->body, NULL, '{');
    json_flag(call->body, "success", false);
    json_text(call->body, "failure_reason", "UNKNOWN_FAILURE_REASON");
    json_text(call->body, "order_id", "");
    json_open(call->body, "error_response", '{');
    json_text(call->body, "error", wanted->failure);
    json_text(call->body, "message", wanted->message);
    json_text(call->body, "error_details", "");
    if (wanted->preview_failure)
        json_text(call->body, "preview_failure_reason", wanted->preview_failure);
    json_text(call->body, "new_order_failure_reason", wanted->failure);
    json_close(call->body, '}');
    write_sent_configuration(call);
    json_close(call->body, '}');
}

static void write_success(struct coinbase_call *call, const struct core_order *order)
{
    char uuid[COINBASE_UUID_MAX];
    coinbase_uuid('o', order->index + 1, uuid);
    json_open(call->body, NULL, '{');
    json_flag(call->body, "success", true);
    json_text(call->body, "failure_reason", "UNKNOWN_FAILURE_REASON");
    json_text(call->body, "order_id", uuid);
    json_open(call->body, "success_response", '{');
    json_text(call->body, "order_id", uuid);
    json_text(call->body, "product_id", call->venue->options.names->symbols[order->instrument]);
    json_text(call->body, "side", order->side == SIDE_BUY ? "BUY" : "SELL");
    json_text(call->body, "client_order_id", order->client);
    json_close(call->body, '}');
    write_sent_configuration(call);
    json_close(call->body, '}');
}

/* The matching engine's refusal in the venue's words. */
static void explain(struct wanted *wanted, const struct core_order *order)
{
    static const struct {
        const char *failure, *preview, *message;
    } words[REJECT_COUNT] = {
        [REJECT_POST_ONLY] = {"INVALID_LIMIT_PRICE_POST_ONLY",
                              "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY", ""},
        [REJECT_FUNDS] = {"INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND",
                          "Insufficient balance in source account"},
        [REJECT_HALTED] = {"TRADING_DISABLED", NULL, "trading is disabled"},
        [REJECT_NO_BOOK] = {"TRADING_DISABLED", NULL, "trading is disabled"},
        [REJECT_FULL] = {"MAX_OPEN_ORDERS_EXCEEDED", NULL, "too many open orders"},
        [REJECT_MINIMUM_NOTIONAL] = {"UNKNOWN_FAILURE_REASON",
                                     "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", ""},
    };
    enum reject reject = (enum reject)order->reject;
    if (words[reject].failure)
        fail(wanted, words[reject].failure, words[reject].preview, words[reject].message);
    else
        fail(wanted, "UNKNOWN_FAILURE_REASON", NULL, "");
}

void coinbase_post_order(struct coinbase_call *call)
{
    struct wanted wanted;
    struct core *core = call->venue->options.core;
    const char *client = json_get_text(call->json, "client_order_id");
    struct core_order *order = client ? core_order_by_client(core, client) : NULL;
    if (order) { /* the same id again is the same order */
        write_success(call, order);
        return;
    }
    if (!read_order(call, &wanted)) {
        write_failure(call, &wanted);
        return;
    }
    struct coinbase_order *details = calloc(1, sizeof *details);
    ASSERT(details);
    strncat(details->configuration, wanted.configuration->name, sizeof details->configuration - 1);
    wanted.place.protocol = details;
    if (core_place(core, &wanted.place, call->now, &order, call->error)) {
        call->failed = true;
        return;
    }
    if (order->state != CORE_REJECTED) {
        write_success(call, order);
        return;
    }
    explain(&wanted, order);
    write_failure(call, &wanted);
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void write_result(struct coinbase_call *call, const char *id, const char *failure)
{
    json_open(call->body, NULL, '{');
    json_flag(call->body, "success", !failure);
    json_text(call->body, "failure_reason", failure ? failure : "UNKNOWN_CANCEL_FAILURE_REASON");
    json_text(call->body, "order_id", id);
    json_close(call->body, '}');
}

static void cancel(struct coinbase_call *call, const char *id)
{
    struct core *core = call->venue->options.core;
    uint64_t number = coinbase_order_number(id);
    struct core_order *order = number > 0 ? core_order(core, (size_t)number - 1) : NULL;
    enum reject reject = REJECT_NOT_FOUND;
    if (order && order->state == CORE_OPEN &&
        core_cancel(core, order, NULL, call->now, &reject, call->error)) {
        call->failed = true;
        return;
    }
    write_result(call, id, reject == REJECT_NONE ? NULL : "UNKNOWN_CANCEL_ORDER");
}

void coinbase_post_batch_cancel(struct coinbase_call *call)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(call->json, "order_ids"), *id;
    if (!cJSON_IsArray(ids) || cJSON_GetArraySize(ids) < 1 ||
        cJSON_GetArraySize(ids) > CANCELS_MAX) {
        coinbase_error(call, 400, "INVALID_ARGUMENT", "order_ids: expected 1 to 100");
        return;
    }
    json_open(call->body, NULL, '{');
    json_open(call->body, "results", '[');
    cJSON_ArrayForEach(id, ids)
    {
        if (!call->failed)
            cancel(call, cJSON_IsString(id) ? id->valuestring : "");
    }
    json_close(call->body, ']');
    json_close(call->body, '}');
}

/* --- editing ----------------------------------------------------------------------------------- */

static void write_edit(struct coinbase_call *call, const char *failure, const char *preview)
{
    json_open(call->body, NULL, '{');
    json_flag(call->body, "success", !failure);
    if (failure) {
        json_open(call->body, "errors", '[');
        json_open(call->body, NULL, '{');
    } else {
        json_open(call->body, "errors", '{');
    }
    json_text(call->body, "edit_failure_reason",
              failure ? failure : "UNKNOWN_EDIT_ORDER_FAILURE_REASON");
    json_text(call->body, "preview_failure_reason",
              preview ? preview : "UNKNOWN_PREVIEW_FAILURE_REASON");
    json_close(call->body, '}');
    if (failure)
        json_close(call->body, ']');
    json_close(call->body, '}');
}

/* The order that may be edited; NULL with why not. */
static struct core_order *editable(const struct coinbase_call *call, const char **failure)
{
    const char *id = json_get_text(call->json, "order_id");
    uint64_t number = id ? coinbase_order_number(id) : 0;
    struct core_order *order =
        number > 0 ? core_order(call->venue->options.core, (size_t)number - 1) : NULL;
    *failure = NULL;
    if (!order || order->state == CORE_REJECTED)
        *failure = "ORDER_NOT_FOUND";
    else if (order->state != CORE_OPEN)
        *failure = "ONLY_OPEN_ORDERS_CAN_BE_EDITED";
    else if (order->expires != TIME_NEVER || order->is_market)
        *failure = "ONLY_LIMIT_ORDER_EDITS_SUPPORTED"; /* good till cancelled, that is */
    return *failure ? NULL : order;
}

/* A size is the whole order's; what is left out stays as it is. */
void coinbase_post_edit(struct coinbase_call *call)
{
    const char *failure;
    struct core_order *order = editable(call, &failure);
    if (!order) {
        write_edit(call, failure, NULL);
        return;
    }
    const struct event_definition *definition = coinbase_definition(call->venue, order);
    struct number price = read_number(call->json, "price", definition->price_exponent);
    struct number size = read_number(call->json, "size", definition->quantity_exponent);
    if (price.status == NUMBER_ABSENT)
        price = (struct number){order->price, NUMBER_VALUE};
    if (size.status == NUMBER_ABSENT)
        size = (struct number){order->quantity, NUMBER_VALUE};
    enum reject reject = REJECT_NONE;
    if (price.status != NUMBER_VALUE || price.units <= 0 || price.units % definition->tick != 0)
        failure = "INVALID_EDITED_PRICE";
    else if (size.status != NUMBER_VALUE || size.units <= 0 || size.units % definition->lot != 0)
        failure = "INVALID_EDITED_SIZE";
    else if (size.units <= order->filled)
        failure = "CANNOT_EDIT_TO_BELOW_FILLED_SIZE";
    else if (core_edit(call->venue->options.core, order, price.units, size.units, call->now,
                       &reject, call->error))
        call->failed = true;
    const char *preview = reject == REJECT_POST_ONLY ? "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"
                          : reject == REJECT_FUNDS   ? "PREVIEW_INSUFFICIENT_FUND"
                                                     : NULL;
    if (reject != REJECT_NONE)
        failure = "COMMANDER_REJECTED_EDIT_ORDER";
    if (!call->failed)
        write_edit(call, failure, preview);
}
