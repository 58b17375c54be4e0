/* Binance.US: new orders, cancels, cancel and replace. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "exchange/binance_us.h"

enum {
    CLIENT_MAX = 36,          /* "^[a-zA-Z0-9-_]{1,36}$" */
    MARKET_SLACK_PPM = 20000, /* a market order may walk this far past the levels it needs */
    PERCENT_UP = 5            /* PERCENT_PRICE: up to 5 times the price and down to a fifth of it */
};

enum response_type { RESPONSE_ACK, RESPONSE_RESULT, RESPONSE_FULL };

/* A new order as its parameters have it. */
struct wanted {
    struct public_instrument *instrument;
    struct core_place place;
    char client[CORE_CLIENT_MAX + 1];
    enum response_type response;
};

/* --- words ------------------------------------------------------------------------------------- */

const struct event_definition *binance_definition(const struct binance_us *venue,
                                                  const struct core_order *order)
{
    return &market_by_number(venue->options.market, order->instrument)->definition;
}

const char *binance_order_symbol(const struct binance_us *venue, const struct core_order *order)
{
    return venue->options.names->symbols[order->instrument];
}

const char *binance_status(const struct core_order *order)
{
    static const char *const names[] = {"PENDING_NEW", "NEW",     "FILLED",
                                        "CANCELED",    "EXPIRED", "REJECTED"};
    if (order->state == CORE_OPEN && order->filled > 0)
        return "PARTIALLY_FILLED";
    return names[order->state];
}

const char *binance_type(const struct core_order *order)
{
    return order->is_market ? "MARKET" : order->post_only ? "LIMIT_MAKER" : "LIMIT";
}

const char *binance_time_in_force(const struct core_order *order)
{
    static const char *const names[] = {"GTC", "IOC", "FOK"};
    return order->is_market ? "GTC" : names[order->time_in_force];
}

/* --- reading a new order ------------------------------------------------------------------------ */

static bool missing(struct binance_call *call, const char *name)
{
    return binance_error(call, 400, -1102,
                         "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
                         name);
}

/* A client order id; false after -1100. */
static bool check_client(struct binance_call *call, const char *name, const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length = strlen(text);
    if (length >= 1 && length <= CLIENT_MAX && strspn(text, letters) == length)
        return true;
    return binance_error(call, 400, -1100,
                         "Illegal characters found in parameter '%s'; legal range is "
                         "'^[a-zA-Z0-9-_]{1,36}$'.",
                         name);
}

/* "[0-9]{1,20}(\.[0-9]{1,20})?" with at most eight decimals, in units of 10^exponent. `number` may come out
 * off the grid, which is a filter's matter. */
static bool read_decimal(struct binance_call *call, const char *name, int exponent,
                         struct number *number)
{
    const char *text = parameter(call->parameters, name);
    if (!text || !*text)
        return missing(call, name);
    size_t whole = strspn(text, "0123456789");
    size_t decimals = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    size_t length = whole + (text[whole] == '.' ? decimals + 1 : 0);
    if (whole < 1 || whole > 20 || text[length] || (text[whole] == '.' && decimals < 1))
        return binance_error(call, 400, -1100,
                             "Illegal characters found in parameter '%s'; legal range is "
                             "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
                             name);
    if (decimals > BINANCE_DECIMALS &&
        strspn(text + whole + 1 + BINANCE_DECIMALS, "0") != decimals - BINANCE_DECIMALS)
        return binance_error(call, 400, -1111,
                             "Precision is over the maximum defined for this asset.");
    *number = number_from_text(text, length, exponent);
    return true;
}

static bool filter_failure(struct binance_call *call, const char *filter)
{
    return binance_error(call, 400, -1013, "Filter failure: %s", filter);
}

static bool check_price(struct binance_call *call, const struct public_instrument *instrument,
                        struct number price)
{
    const struct event_definition *definition = &instrument->definition;
    if (price.status != NUMBER_VALUE || price.units <= 0 || price.units > BOOK_PRICE_MAX ||
        price.units % definition->tick != 0)
        return filter_failure(call, "PRICE_FILTER");
    int64_t last = market_last_price(instrument);
    if (last > 0 && (price.units / PERCENT_UP > last || price.units < last / PERCENT_UP))
        return filter_failure(call, "PERCENT_PRICE");
    return true;
}

static bool check_quantity(struct binance_call *call, const struct public_instrument *instrument,
                           struct number quantity, const char *filter)
{
    const struct event_definition *definition = &instrument->definition;
    struct number most = number_from_text("9000", 4, definition->quantity_exponent);
    if (quantity.status != NUMBER_VALUE || quantity.units < definition->lot ||
        quantity.units > most.units || quantity.units % definition->lot != 0)
        return filter_failure(call, filter);
    return true;
}

static bool check_notional(struct binance_call *call, const struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    int64_t price =
        wanted->place.is_market ? market_last_price(wanted->instrument) : wanted->place.price;
    money value;
    if (!money_linear_value(price, wanted->place.quantity, definition->multiplier,
                            definition->price_exponent + definition->quantity_exponent +
                                definition->multiplier_exponent,
                            &value) ||
        money_compare(value, definition->minimum_notional) < 0)
        return filter_failure(call, "MIN_NOTIONAL");
    return true;
}

static bool check_order_count(struct binance_call *call, const struct wanted *wanted)
{
    struct core_order *orders[CORE_ORDERS_LIVE_MAX];
    size_t count = core_open_orders(call->venue->options.core, orders, CORE_ORDERS_LIVE_MAX);
    size_t same = 0;
    for (size_t i = 0; i < count && i < CORE_ORDERS_LIVE_MAX; i++)
        same += orders[i]->instrument == wanted->instrument->instrument;
    return same < BINANCE_SYMBOL_ORDERS_MAX || filter_failure(call, "MAX_NUM_ORDERS");
}

/* The quantity that an amount of quote buys or sells now, whole lots; 0 where there is no book. */
static int64_t quantity_of_quote(const struct public_instrument *instrument, enum side side,
                                 money amount)
{
    const struct event_definition *definition = &instrument->definition;
    struct book_level best = market_best(instrument, side == SIDE_BUY ? SIDE_SELL : SIDE_BUY);
    money each;
    if (best.quantity == 0 ||
        !money_linear_value(best.price, definition->lot, definition->multiplier,
                            definition->price_exponent + definition->quantity_exponent +
                                definition->multiplier_exponent,
                            &each) ||
        each.atto <= 0)
        return 0;
    return (int64_t)(amount.atto / each.atto) * definition->lot;
}

static bool read_market(struct binance_call *call, struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    const char *quote = parameter(call->parameters, "quoteOrderQty");
    enum side side = (enum side)wanted->place.side;
    if (parameter(call->parameters, "price"))
        return binance_error(call, 400, -1106, "Parameter 'price' sent when not required.");
    if (parameter(call->parameters, "timeInForce"))
        return binance_error(call, 400, -1106, "Parameter 'timeInForce' sent when not required.");
    struct number quantity = {0, NUMBER_VALUE};
    money amount;
    if (quote && money_from_text(quote, strlen(quote), &amount) == NUMBER_VALUE)
        quantity.units = quantity_of_quote(wanted->instrument, side, amount);
    else if (!read_decimal(call, "quantity", definition->quantity_exponent, &quantity))
        return false;
    if (!check_quantity(call, wanted->instrument, quantity, "MARKET_LOT_SIZE"))
        return false;
    wanted->place.is_market = true;
    wanted->place.time_in_force = TIME_IN_FORCE_IOC;
    wanted->place.quantity = quantity.units;
    wanted->place.price =
        market_worst_price(wanted->instrument, side == SIDE_BUY ? SIDE_SELL : SIDE_BUY,
                           quantity.units, MARKET_SLACK_PPM);
    if (wanted->place.price == 0)
        return binance_error(call, 400, -1112, "No orders on book for symbol.");
    return true;
}

static bool read_time_in_force(struct binance_call *call, struct wanted *wanted)
{
    static const char *const names[] = {"GTC", "IOC", "FOK"};
    const char *text = parameter(call->parameters, "timeInForce");
    if (wanted->place.post_only)
        return !text ||
               binance_error(call, 400, -1106, "Parameter 'timeInForce' sent when not required.");
    if (!text || !*text)
        return missing(call, "timeInForce");
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            wanted->place.time_in_force = (uint8_t)i;
            return true;
        }
    return binance_error(call, 400, -1115, "Invalid timeInForce.");
}

static bool read_limit_order(struct binance_call *call, struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    struct number price, quantity;
    if (!read_time_in_force(call, wanted) ||
        !read_decimal(call, "quantity", definition->quantity_exponent, &quantity) ||
        !read_decimal(call, "price", definition->price_exponent, &price) ||
        !check_price(call, wanted->instrument, price) ||
        !check_quantity(call, wanted->instrument, quantity, "LOT_SIZE"))
        return false;
    wanted->place.price = price.units;
    wanted->place.quantity = quantity.units;
    return true;
}

static bool read_type(struct binance_call *call, struct wanted *wanted)
{
    const char *type = parameter(call->parameters, "type");
    if (!type || !*type)
        return missing(call, "type");
    wanted->response = RESPONSE_FULL;
    if (strcmp(type, "MARKET") == 0)
        return read_market(call, wanted);
    if (strcmp(type, "LIMIT_MAKER") == 0) {
        wanted->response = RESPONSE_ACK;
        wanted->place.post_only = true;
    } else if (strncmp(type, "STOP_LOSS", 9) == 0) {
        return binance_error(call, 400, -2010,
                             "Stop loss orders are not supported for this symbol.");
    } else if (strncmp(type, "TAKE_PROFIT", 11) == 0) {
        return binance_error(call, 400, -2010,
                             "Take profit orders are not supported for this symbol.");
    } else if (strcmp(type, "LIMIT") != 0) {
        return binance_error(call, 400, -1116, "Invalid orderType.");
    }
    return read_limit_order(call, wanted);
}

static bool read_response(struct binance_call *call, struct wanted *wanted)
{
    static const char *const names[] = {"ACK", "RESULT", "FULL"};
    const char *text = parameter(call->parameters, "newOrderRespType");
    if (!text)
        return true;
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            wanted->response = (enum response_type)i;
            return true;
        }
    return binance_error(call, 400, -1130,
                         "Data sent for parameter 'newOrderRespType' is not valid.");
}

/* Everything that is wrong with an order before it is sent to be matched. */
static bool read_order(struct binance_call *call, struct wanted *wanted)
{
    memset(wanted, 0, sizeof *wanted);
    wanted->instrument = binance_symbol(call);
    const char *side = parameter(call->parameters, "side");
    const char *client = parameter(call->parameters, "newClientOrderId");
    if (!wanted->instrument)
        return false;
    if (!side || !*side)
        return missing(call, "side");
    if (strcmp(side, "BUY") != 0 && strcmp(side, "SELL") != 0)
        return binance_error(call, 400, -1117, "Invalid side.");
    if (parameter(call->parameters, "icebergQty"))
        return binance_error(call, 400, -2010, "Iceberg orders are not supported for this symbol.");
    if (client && !check_client(call, "newClientOrderId", client))
        return false;
    wanted->place = (struct core_place){.instrument = wanted->instrument->instrument,
                                        .side = *side == 'B' ? SIDE_BUY : SIDE_SELL,
                                        .expires = TIME_NEVER};
    if (client)
        strncat(wanted->client, client, CORE_CLIENT_MAX);
    else
        binance_make_id(call->venue, wanted->client, 22);
    wanted->place.client = wanted->client;
    return read_type(call, wanted) && read_response(call, wanted) && check_notional(call, wanted) &&
           check_order_count(call, wanted);
}

/* --- answers ----------------------------------------------------------------------------------- */

/* What an order has in every answer, from "price" on. */
static void write_amounts(const struct binance_us *venue, const struct core_order *order,
                          struct json *json)
{
    const struct event_definition *definition = binance_definition(venue, order);
    json_decimal(json, "price", order->is_market ? 0 : order->price, definition->price_exponent,
                 BINANCE_DECIMALS);
    json_decimal(json, "origQty", order->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
    json_decimal(json, "executedQty", order->filled, definition->quantity_exponent,
                 BINANCE_DECIMALS);
    json_money(json, "cummulativeQuoteQty", order->value, BINANCE_DECIMALS);
    json_text(json, "status", binance_status(order));
    json_text(json, "timeInForce", binance_time_in_force(order));
    json_text(json, "type", binance_type(order));
    json_text(json, "side", order->side == SIDE_BUY ? "BUY" : "SELL");
}

static void write_fills(const struct binance_us *venue, const struct core_order *order,
                        struct json *json)
{
    const struct core *core = venue->options.core;
    const struct event_definition *definition = binance_definition(venue, order);
    json_open(json, "fills", '[');
    for (size_t i = 0; i < core_fill_count(core); i++) {
        const struct core_fill *fill = core_fill(core, i);
        if (fill->order != order->index)
            continue;
        json_open(json, NULL, '{');
        json_decimal(json, "price", fill->price, definition->price_exponent, BINANCE_DECIMALS);
        json_decimal(json, "qty", fill->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
        json_money(json, "commission", fill->fee, BINANCE_DECIMALS);
        json_text(json, "commissionAsset", venue->options.names->assets[fill->fee_asset]);
        json_integer(json, "tradeId", (int64_t)fill->trade);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_new(const struct binance_us *venue, const struct core_order *order,
                      enum response_type response, const char *name, struct json *json)
{
    json_open(json, name, '{');
    json_text(json, "symbol", binance_order_symbol(venue, order));
    json_integer(json, "orderId", (int64_t)order->index + 1);
    json_integer(json, "orderListId", -1);
    json_text(json, "clientOrderId", order->client);
    json_integer(json, "transactTime", binance_ms(venue, order->updated));
    if (response != RESPONSE_ACK) {
        write_amounts(venue, order, json);
        json_integer(json, "workingTime", binance_ms(venue, order->created));
        json_text(json, "selfTradePreventionMode", "NONE");
    }
    if (response == RESPONSE_FULL)
        write_fills(venue, order, json);
    json_close(json, '}');
}

static void write_cancelled(const struct binance_us *venue, const struct core_order *order,
                            const char *name, struct json *json)
{
    json_open(json, name, '{');
    json_text(json, "symbol", binance_order_symbol(venue, order));
    json_text(json, "origClientOrderId", order->client);
    json_integer(json, "orderId", (int64_t)order->index + 1);
    json_integer(json, "orderListId", -1);
    json_text(json, "clientOrderId", order->cancel_client);
    json_integer(json, "transactTime", binance_ms(venue, order->updated));
    write_amounts(venue, order, json);
    json_text(json, "selfTradePreventionMode", "NONE");
    json_close(json, '}');
}

/* What the matching engine's refusal is called. */
struct refusal {
    int code;
    const char *text;
};

static struct refusal refusal_of(const struct core_order *order)
{
    static const struct refusal refusals[REJECT_COUNT] = {
        [REJECT_POST_ONLY] = {-2010, "Order would immediately match and take."},
        [REJECT_FUNDS] = {-2010, "Account has insufficient balance for requested action."},
        [REJECT_DUPLICATE] = {-2010, "Duplicate order sent."},
        [REJECT_FULL] = {-1013, "Filter failure: EXCHANGE_MAX_NUM_ORDERS"},
        [REJECT_HALTED] = {-2010, "Market is closed."},
        [REJECT_NO_BOOK] = {-2010, "Market is closed."},
        [REJECT_MINIMUM_NOTIONAL] = {-1013, "Filter failure: MIN_NOTIONAL"},
    };
    const struct refusal *refusal = &refusals[order->reject];
    return refusal->text ? *refusal
                         : (struct refusal){-2010, "This action is disabled on this account."};
}

/* --- placing ----------------------------------------------------------------------------------- */

/* Send it to be matched. NULL with what is wrong in *refused; also where the core gave up. */
static struct core_order *place(struct binance_call *call, const struct wanted *wanted,
                                struct refusal *refused)
{
    struct core *core = call->venue->options.core;
    struct core_order *order = core_order_by_client(core, wanted->client);
    *refused = (struct refusal){-2010, "Duplicate order sent."};
    if (order && order->state == CORE_OPEN)
        return NULL; /* "a unique id among open orders" */
    if (core_place(core, &wanted->place, call->now, &order, call->error)) {
        call->failed = true;
        return NULL;
    }
    if (order->state != CORE_REJECTED)
        return order;
    *refused = refusal_of(order);
    return NULL;
}

void binance_post_order(struct binance_call *call)
{
    struct wanted wanted;
    struct refusal refused;
    if (!read_order(call, &wanted))
        return;
    const struct core_order *order = place(call, &wanted, &refused);
    if (order)
        write_new(call->venue, order, wanted.response, NULL, call->body);
    else if (!call->failed)
        binance_error(call, 400, refused.code, "%s", refused.text);
}

void binance_post_order_test(struct binance_call *call)
{
    struct wanted wanted;
    if (!read_order(call, &wanted))
        return;
    json_open(call->body, NULL, '{');
    json_close(call->body, '}');
}

/* --- cancelling -------------------------------------------------------------------------------- */

struct core_order *binance_find_order(struct binance_call *call, const char *id_name,
                                      const char *client_name,
                                      const struct public_instrument *instrument)
{
    struct core *core = call->venue->options.core;
    int64_t id = 0;
    const char *client = parameter(call->parameters, client_name);
    struct core_order *order = NULL;
    parameter_integer(call->parameters, id_name, &id);
    if (id > 0)
        order = core_order(core, (size_t)id - 1);
    else if (client)
        order = core_order_by_client(core, client);
    if (!order || order->instrument != instrument->instrument || order->state == CORE_REJECTED)
        return NULL;
    return order;
}

/* Whether the request says which order it means. */
static bool names_order(struct binance_call *call, const char *id_name, const char *client_name)
{
    int64_t id = 0;
    if (!parameter_integer(call->parameters, id_name, &id))
        return binance_error(call, 400, -1130, "Data sent for parameter '%s' is not valid.",
                             id_name);
    if (id > 0 || parameter(call->parameters, client_name))
        return true;
    return binance_error(call, 400, -1102,
                         "Param '%s' or '%s' must be sent, but both were empty/null!", client_name,
                         id_name);
}

/* "Regarding cancelRestrictions". NULL where the order may be cancelled. */
static const struct refusal *restriction(struct binance_call *call, const struct core_order *order)
{
    static const struct refusal invalid = {-1145, "Invalid cancelRestrictions"};
    static const struct refusal kept = {-2011,
                                        "Order was not canceled due to cancel restrictions."};
    const char *text = parameter(call->parameters, "cancelRestrictions");
    if (!text)
        return NULL;
    if (strcmp(text, "ONLY_NEW") == 0)
        return order->filled == 0 ? NULL : &kept;
    if (strcmp(text, "ONLY_PARTIALLY_FILLED") == 0)
        return order->filled > 0 ? NULL : &kept;
    return &invalid;
}

/* Cancel the order; false with what is wrong in *refused. */
static bool cancel(struct binance_call *call, struct core_order *order, const char *client,
                   struct refusal *refused)
{
    char made[CORE_CLIENT_MAX + 1];
    enum reject reject;
    *refused = (struct refusal){-2011, "Unknown order sent."};
    if (!order || order->state != CORE_OPEN)
        return false;
    const struct refusal *kept = restriction(call, order);
    if (kept) {
        *refused = *kept;
        return false;
    }
    if (!client) {
        binance_make_id(call->venue, made, 22);
        client = made;
    }
    if (core_cancel(call->venue->options.core, order, client, call->now, &reject, call->error)) {
        call->failed = true;
        return false;
    }
    return reject == REJECT_NONE;
}

void binance_delete_order(struct binance_call *call)
{
    const struct public_instrument *instrument = binance_symbol(call);
    const char *client = parameter(call->parameters, "newClientOrderId");
    if (!instrument || !names_order(call, "orderId", "origClientOrderId") ||
        (client && !check_client(call, "newClientOrderId", client)))
        return;
    struct core_order *order = binance_find_order(call, "orderId", "origClientOrderId", instrument);
    struct refusal refused;
    if (cancel(call, order, client, &refused))
        write_cancelled(call->venue, order, NULL, call->body);
    else if (!call->failed)
        binance_error(call, 400, refused.code, "%s", refused.text);
}

void binance_delete_open_orders(struct binance_call *call)
{
    const struct public_instrument *instrument = binance_symbol(call);
    if (!instrument)
        return;
    struct core_order *orders[CORE_ORDERS_LIVE_MAX];
    size_t count = core_open_orders(call->venue->options.core, orders, CORE_ORDERS_LIVE_MAX);
    struct refusal refused;
    size_t done = 0;
    json_open(call->body, NULL, '[');
    for (size_t i = 0; i < count && i < CORE_ORDERS_LIVE_MAX && !call->failed; i++) {
        if (orders[i]->instrument != instrument->instrument ||
            !cancel(call, orders[i], NULL, &refused))
            continue;
        write_cancelled(call->venue, orders[i], NULL, call->body);
        done++;
    }
    json_close(call->body, ']');
    if (done == 0 && !call->failed)
        binance_error(call, 400, -2011, "Unknown order sent.");
}

/* --- cancel and replace ------------------------------------------------------------------------ */

static void write_refusal(struct json *json, const char *name, const struct refusal *refused)
{
    json_open(json, name, '{');
    json_integer(json, "code", refused->code);
    json_text(json, "msg", refused->text);
    json_close(json, '}');
}

/* What came of both halves. */
struct replaced {
    bool cancelled, attempted;
    const struct core_order *old, *made; /* `made` NULL: none */
    struct refusal cancel_refused, place_refused;
};

static void write_halves(struct binance_call *call, const struct replaced *result,
                         enum response_type response)
{
    json_text(call->body, "cancelResult", result->cancelled ? "SUCCESS" : "FAILURE");
    json_text(call->body, "newOrderResult",
              !result->attempted ? "NOT_ATTEMPTED"
              : result->made     ? "SUCCESS"
                                 : "FAILURE");
    if (result->cancelled)
        write_cancelled(call->venue, result->old, "cancelResponse", call->body);
    else
        write_refusal(call->body, "cancelResponse", &result->cancel_refused);
    if (result->made)
        write_new(call->venue, result->made, response, "newOrderResponse", call->body);
    else if (result->attempted)
        write_refusal(call->body, "newOrderResponse", &result->place_refused);
    else
        json_null(call->body, "newOrderResponse");
}

/* 200 where both are done, 409 and -2021 where one is, 400 and -2022 where none is. */
static void answer_replaced(struct binance_call *call, const struct replaced *result,
                            enum response_type response)
{
    bool both = result->cancelled && result->made;
    bool one = result->cancelled || result->made;
    json_open(call->body, NULL, '{');
    if (!both) {
        call->reply->status = one ? 409 : 400;
        json_integer(call->body, "code", one ? -2021 : -2022);
        json_text(call->body, "msg",
                  one ? "Order cancel-replace partially failed." : "Order cancel-replace failed.");
        json_open(call->body, "data", '{');
    }
    write_halves(call, result, response);
    if (!both)
        json_close(call->body, '}');
    json_close(call->body, '}');
}

void binance_post_cancel_replace(struct binance_call *call)
{
    struct wanted wanted;
    const char *mode = parameter(call->parameters, "cancelReplaceMode");
    const char *client = parameter(call->parameters, "cancelNewClientOrderId");
    if (!mode || !*mode) {
        missing(call, "cancelReplaceMode");
        return;
    }
    bool stop = strcmp(mode, "STOP_ON_FAILURE") == 0;
    if (!stop && strcmp(mode, "ALLOW_FAILURE") != 0) {
        binance_error(call, 400, -1130,
                      "Data sent for parameter 'cancelReplaceMode' is not valid.");
        return;
    }
    /* "Filters are evaluated before the cancel order is placed." */
    if (!names_order(call, "cancelOrderId", "cancelOrigClientOrderId") ||
        (client && !check_client(call, "cancelNewClientOrderId", client)) ||
        !read_order(call, &wanted))
        return;
    struct replaced result = {0};
    struct core_order *old =
        binance_find_order(call, "cancelOrderId", "cancelOrigClientOrderId", wanted.instrument);
    result.old = old;
    result.cancelled = cancel(call, old, client, &result.cancel_refused);
    result.attempted = !call->failed && (result.cancelled || !stop);
    if (result.attempted)
        result.made = place(call, &wanted, &result.place_refused);
    if (!call->failed)
        answer_replaced(call, &result, wanted.response);
}
