/* OANDA: the account's transactions, and how they are told. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/oanda.h"

enum { USER_ID = 1000001, RANGE_MAX = 1000 };

const char *const oanda_type_names[OANDA_TYPES] = {
    "TRANSFER_FUNDS",     "MARKET_ORDER", "LIMIT_ORDER",  "MARKET_ORDER_REJECT",
    "LIMIT_ORDER_REJECT", "ORDER_FILL",   "ORDER_CANCEL", "ORDER_CANCEL_REJECT"};

struct oanda_transaction *oanda_new(struct oanda *venue, enum oanda_type type, int64_t time)
{
    if (venue->transaction_count == venue->transaction_capacity) {
        venue->transaction_capacity =
            venue->transaction_capacity ? 2 * venue->transaction_capacity : 64;
        venue->transactions =
            realloc(venue->transactions, venue->transaction_capacity * sizeof *venue->transactions);
        ASSERT(venue->transactions);
    }
    struct oanda_transaction *transaction = &venue->transactions[venue->transaction_count++];
    memset(transaction, 0, sizeof *transaction);
    transaction->id = venue->transaction_count;
    if (venue->batch == 0)
        venue->batch = transaction->id;
    transaction->batch = venue->batch;
    transaction->type = (uint8_t)type;
    transaction->time = time;
    strncat(transaction->request, venue->request_id, OANDA_TEXT_MAX);
    return transaction;
}

void oanda_publish(struct oanda *venue)
{
    oanda_stream_transaction(venue, &venue->transactions[venue->transaction_count - 1]);
}

void oanda_free_transactions(struct oanda *venue)
{
    for (size_t i = 0; i < venue->transaction_count; i++) {
        free(venue->transactions[i].details);
        free(venue->transactions[i].fill);
    }
    free(venue->transactions);
}

/* --- writing ----------------------------------------------------------------------------------- */

static void write_money(struct json *json, const char *name, money amount)
{
    json_money(json, name, amount, OANDA_MONEY_DECIMALS);
}

static void write_details(const struct oanda *venue, const struct oanda_details *details,
                          bool unix_time, struct json *json)
{
    json_text(json, "instrument", details->instrument);
    json_text(json, "units", details->units);
    if (*details->price)
        json_text(json, details->is_market ? "priceBound" : "price", details->price);
    json_text(json, "timeInForce", details->time_in_force);
    if (details->expires != TIME_NEVER)
        oanda_write_time(venue, json, "gtdTime", details->expires, unix_time);
    json_text(json, "positionFill", details->position_fill);
    if (!details->is_market)
        json_text(json, "triggerCondition", details->trigger);
    if (*details->client || *details->tag || *details->comment) {
        json_open(json, "clientExtensions", '{');
        if (*details->client)
            json_text(json, "id", details->client);
        if (*details->tag)
            json_text(json, "tag", details->tag);
        if (*details->comment)
            json_text(json, "comment", details->comment);
        json_close(json, '}');
    }
}

static void write_change(const struct oanda *venue, const struct oanda_change *change,
                         const struct event_definition *definition, const char *name, bool closes,
                         money price, struct json *json)
{
    (void)venue;
    json_open(json, name, '{');
    oanda_write_id(json, "tradeID", change->trade);
    json_decimal(json, "units", change->units, definition->quantity_exponent, 0);
    json_money(json, "price", price, -definition->price_exponent);
    if (closes) {
        write_money(json, "realizedPL", change->profit);
        write_money(json, "financing", MONEY_ZERO);
    }
    write_money(json, "guaranteedExecutionFee", MONEY_ZERO);
    json_close(json, '}');
}

static void write_bucket(struct json *json, const char *name, const struct book_level *level,
                         const struct event_definition *definition)
{
    money liquidity = MONEY_ZERO;
    char text[JSON_NUMBER_MAX];
    money_from_units(level->quantity, definition->quantity_exponent, &liquidity);
    json_money_text(liquidity, 0, text);
    json_open(json, name, '[');
    json_open(json, NULL, '{');
    json_decimal(json, "price", level->price, definition->price_exponent, 0);
    json_raw(json, "liquidity", text);
    json_close(json, '}');
    json_close(json, ']');
}

static void write_full_price(const struct oanda_fill *fill,
                             const struct event_definition *definition, struct json *json)
{
    if (fill->bid.quantity == 0 || fill->ask.quantity == 0)
        return;
    json_open(json, "fullPrice", '{');
    write_bucket(json, "bids", &fill->bid, definition);
    write_bucket(json, "asks", &fill->ask, definition);
    json_decimal(json, "closeoutBid", fill->bid.price, definition->price_exponent, 0);
    json_decimal(json, "closeoutAsk", fill->ask.price, definition->price_exponent, 0);
    json_close(json, '}');
}

static void write_fill(const struct oanda *venue, const struct oanda_transaction *transaction,
                       struct json *json)
{
    const struct oanda_fill *fill = transaction->fill;
    const struct event_definition *definition =
        &market_by_number(venue->options.market, transaction->instrument)->definition;
    json_text(json, "instrument", venue->options.names->symbols[transaction->instrument]);
    json_decimal(json, "units", fill->units, definition->quantity_exponent, 0);
    json_money(json, "price", fill->price, -definition->price_exponent);
    json_money(json, "fullVWAP", fill->price, -definition->price_exponent);
    write_full_price(fill, definition, json);
    write_money(json, "pl", fill->profit);
    write_money(json, "financing", MONEY_ZERO);
    write_money(json, "commission", MONEY_ZERO);
    write_money(json, "guaranteedExecutionFee", MONEY_ZERO);
    write_money(json, "accountBalance", fill->balance);
    if (fill->opened.trade)
        write_change(venue, &fill->opened, definition, "tradeOpened", false, fill->price, json);
    if (fill->closed_count > 0) {
        json_open(json, "tradesClosed", '[');
        for (unsigned i = 0; i < fill->closed_count; i++)
            write_change(venue, &fill->closed[i], definition, NULL, true, fill->price, json);
        json_close(json, ']');
    }
    if (fill->reduced.trade)
        write_change(venue, &fill->reduced, definition, "tradeReduced", true, fill->price, json);
    write_money(json, "halfSpreadCost", fill->half_spread_cost);
}

static void write_end(const struct oanda_transaction *transaction, struct json *json)
{
    if (transaction->order)
        oanda_write_id(json, "orderID", transaction->order);
    if (*transaction->client)
        json_text(json, "clientOrderID", transaction->client);
    if (transaction->replaced_by)
        oanda_write_id(json, "replacedByOrderID", transaction->replaced_by);
}

static bool is_refusal(unsigned type)
{
    return type == OANDA_MARKET_ORDER_REJECT || type == OANDA_LIMIT_ORDER_REJECT;
}

static void write_reason(const struct oanda_transaction *transaction, struct json *json)
{
    if (is_refusal(transaction->type)) {
        json_text(json, "reason", transaction->details->replaces ? "REPLACEMENT" : "CLIENT_ORDER");
        json_text(json, "rejectReason", transaction->reason);
    } else if (transaction->type == OANDA_ORDER_CANCEL_REJECT) {
        json_text(json, "rejectReason", transaction->reason);
    } else {
        json_text(json, transaction->type == OANDA_TRANSFER_FUNDS ? "fundingReason" : "reason",
                  transaction->reason);
    }
}

void oanda_write_transaction(const struct oanda *venue, const struct oanda_transaction *transaction,
                             const char *name, bool unix_time, struct json *json)
{
    json_open(json, name, '{');
    json_text(json, "type", oanda_type_names[transaction->type]);
    oanda_write_id(json, "id", transaction->id);
    oanda_write_time(venue, json, "time", transaction->time, unix_time);
    json_integer(json, "userID", USER_ID);
    json_text(json, "accountID", venue->options.credentials->key);
    oanda_write_id(json, "batchID", transaction->batch);
    if (*transaction->request)
        json_text(json, "requestID", transaction->request);
    if (transaction->details)
        write_details(venue, transaction->details, unix_time, json);
    write_end(transaction, json);
    if (transaction->details && transaction->details->replaces)
        oanda_write_id(
            json, is_refusal(transaction->type) ? "intendedReplacesOrderID" : "replacesOrderID",
            transaction->details->replaces);
    write_reason(transaction, json);
    if (transaction->fill)
        write_fill(venue, transaction, json);
    if (transaction->type == OANDA_TRANSFER_FUNDS) {
        write_money(json, "amount", transaction->amount);
        write_money(json, "accountBalance", transaction->amount);
    }
    json_close(json, '}');
}

/* The name of a transaction in an answer. */
static const char *member_of(const struct oanda_transaction *transaction)
{
    static const char *const members[OANDA_TYPES] = {NULL,
                                                     "orderCreateTransaction",
                                                     "orderCreateTransaction",
                                                     "orderRejectTransaction",
                                                     "orderRejectTransaction",
                                                     "orderFillTransaction",
                                                     "orderCancelTransaction",
                                                     "orderCancelRejectTransaction"};
    return members[transaction->type];
}

void oanda_write_made(struct oanda_call *call, size_t first)
{
    const struct oanda *venue = call->venue;
    bool cancelled = false;
    for (size_t i = first; i < venue->transaction_count; i++) {
        const struct oanda_transaction *transaction = &venue->transactions[i];
        const char *member = member_of(transaction);
        bool cancels = transaction->type == OANDA_ORDER_CANCEL;
        /* Of a replacement that ended at once there are two. */
        if (member)
            oanda_write_transaction(venue, transaction,
                                    cancels && cancelled ? "replacingOrderCancelTransaction"
                                                         : member,
                                    call->unix_time, call->body);
        cancelled |= cancels;
    }
    json_open(call->body, "relatedTransactionIDs", '[');
    for (size_t i = first; i < venue->transaction_count; i++)
        oanda_write_id(call->body, NULL, i + 1);
    json_close(call->body, ']');
    oanda_write_last(venue, call->body);
}

/* --- the state ------------------------------------------------------------------------------------ */

static void write_filled(const struct oanda *venue, const struct oanda_transaction *transaction,
                         struct json *json)
{
    const struct oanda_fill *fill = transaction->fill;
    const struct event_names *names = venue->options.names;
    const struct event_definition *definition = &names->definitions[transaction->instrument];
    char time[TIME_TEXT_MAX];
    json_open(json, NULL, '{');
    json_integer(json, "trade", (int64_t)transaction->id);
    json_integer(json, "order", (int64_t)transaction->order);
    json_text(json, "client", transaction->client);
    json_text(json, "symbol", names->symbols[transaction->instrument]);
    json_text(json, "side", fill->units > 0 ? "buy" : "sell");
    json_money(json, "price", fill->price, -definition->price_exponent);
    json_decimal(json, "quantity", fill->units < 0 ? -fill->units : fill->units,
                 definition->quantity_exponent, 0);
    json_text(json, "fee", "0");
    json_text(json, "fee_asset", names->assets[venue->home]);
    json_text(json, "liquidity", "taker");
    time_to_text(transaction->time, time);
    json_text(json, "time", time);
    json_close(json, '}');
}

void oanda_write_books(const struct protocol *protocol, struct json *json)
{
    const struct oanda *venue = oanda_of(protocol);
    json_open(json, "fills", '[');
    for (size_t i = 0; i < venue->transaction_count; i++)
        if (venue->transactions[i].fill)
            write_filled(venue, &venue->transactions[i], json);
    json_close(json, ']');
    json_open(json, "balances", '{');
    json_open(json, venue->options.names->assets[venue->home], '{');
    json_money(json, "total", money_add(venue->initial, venue->profit), -1);
    json_money(json, "locked", MONEY_ZERO, -1);
    json_close(json, '}');
    json_close(json, '}');
}

/* --- endpoints --------------------------------------------------------------------------------- */

static void answer_range(struct oanda_call *call, int64_t from, int64_t to)
{
    const struct oanda *venue = call->venue;
    json_open(call->body, NULL, '{');
    json_open(call->body, "transactions", '[');
    for (int64_t id = from; id <= to && id <= (int64_t)venue->transaction_count; id++)
        oanda_write_transaction(venue, &venue->transactions[id - 1], NULL, call->unix_time,
                                call->body);
    json_close(call->body, ']');
    oanda_write_last(venue, call->body);
    json_close(call->body, '}');
}

/* At most RANGE_MAX at a time: whoever wants more asks again from the last. */
void oanda_get_transactions_since(struct oanda_call *call)
{
    int64_t id = -1;
    if (!parameter_integer(call->parameters, "id", &id) || id < 0)
        oanda_error(call, 400, "Invalid value specified for 'id'");
    else if ((uint64_t)id > call->venue->transaction_count)
        oanda_error(call, 416, "The range specified is invalid");
    else
        answer_range(call, id + 1, id + RANGE_MAX);
}

void oanda_get_transactions_range(struct oanda_call *call)
{
    int64_t from = -1, to = -1;
    if (!parameter_integer(call->parameters, "from", &from) ||
        !parameter_integer(call->parameters, "to", &to) || from < 1 || to < from)
        oanda_error(call, 400, "Invalid value specified for 'from' or 'to'");
    else if ((uint64_t)from > call->venue->transaction_count)
        oanda_error(call, 416, "The range specified is invalid");
    else
        answer_range(call, from, to - from >= RANGE_MAX ? from + RANGE_MAX - 1 : to);
}

/* A time as RFC 3339 or in seconds since 1970; `value` stays where there is none. */
static bool read_bound(const struct oanda_call *call, const char *name, int64_t *value)
{
    const char *text = parameter(call->parameters, name);
    if (!text)
        return true;
    struct number seconds = number_from_text(text, strlen(text), -9);
    if (seconds.status == NUMBER_VALUE)
        *value = seconds.units;
    else if (time_from_text(text, strlen(text), value, NULL))
        return false;
    *value -= call->venue->protocol.skew;
    return true;
}

static void write_pages(struct oanda_call *call, int64_t first, int64_t last, int64_t size)
{
    const char *host = exchange_request_header(call->incoming, "host");
    json_open(call->body, "pages", '[');
    for (int64_t from = first; from <= last; from += size) {
        int64_t to = last - from < size ? last : from + size - 1;
        json_format(call->body, NULL,
                    "https://%s/v3/accounts/%s/transactions/idrange?from=%" PRId64 "&to=%" PRId64,
                    host ? host : "", call->path->parts[1], from, to);
    }
    json_close(call->body, ']');
}

/* Not the transactions of a time, but the addresses at which they are told. */
void oanda_get_transaction_pages(struct oanda_call *call)
{
    const struct oanda *venue = call->venue;
    int64_t begin = call->venue->options.now, end = call->now, size = 100;
    if (!read_bound(call, "from", &begin) || !read_bound(call, "to", &end) ||
        !parameter_integer(call->parameters, "pageSize", &size) || size < 1 || size > RANGE_MAX) {
        oanda_error(call, 400, "Invalid value specified for 'from', 'to' or 'pageSize'");
        return;
    }
    int64_t last = (int64_t)venue->transaction_count, first = 1;
    while (first <= last && venue->transactions[first - 1].time < begin)
        first++;
    while (last >= first && venue->transactions[last - 1].time > end)
        last--;
    json_open(call->body, NULL, '{');
    oanda_write_time(venue, call->body, "from", begin, call->unix_time);
    oanda_write_time(venue, call->body, "to", end, call->unix_time);
    json_integer(call->body, "pageSize", size);
    json_integer(call->body, "count", last - first + 1);
    write_pages(call, first, last, size);
    oanda_write_last(venue, call->body);
    json_close(call->body, '}');
}

void oanda_get_transaction(struct oanda_call *call)
{
    const struct oanda *venue = call->venue;
    uint64_t id = strtoull(call->path->parts[3], NULL, 10);
    if (id < 1 || id > venue->transaction_count) {
        oanda_error(call, 404, "The transaction ID specified does not exist");
        return;
    }
    json_open(call->body, NULL, '{');
    oanda_write_transaction(venue, &venue->transactions[id - 1], "transaction", call->unix_time,
                            call->body);
    oanda_write_last(venue, call->body);
    json_close(call->body, '}');
}
