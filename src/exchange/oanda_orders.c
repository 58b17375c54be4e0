/* OANDA: orders made, replaced and cancelled, and the transactions that each of it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/oanda.h"

enum {
    MARKET_SLACK_PPM = 20000, /* a market order may walk this far past the levels it needs */
    PENDING_MAX = 1000        /* PENDING_ORDERS_ALLOWED_EXCEEDED */
};

/* A new order as it was asked for, and the first thing that is wrong with it. */
struct wanted {
    struct oanda_details details;
    struct public_instrument *instrument;
    struct core_place place;
    const char *reject; /* a TransactionRejectReason; NULL: none */
};

/* --- reading ----------------------------------------------------------------------------------- */

static bool fail(struct wanted *wanted, const char *reject)
{
    wanted->reject = reject;
    return false;
}

/* What is longer than the venue takes becomes "?", which is no number and no word of its. */
static void copy(char *out, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length >= size) {
        text = "?";
        length = 1;
    }
    memcpy(out, text ? text : "", length);
    out[length] = '\0';
}

/* The texts as they came, for an answer that refuses them too. */
static void read_texts(const cJSON *order, struct wanted *wanted)
{
    struct oanda_details *details = &wanted->details;
    char room[JSON_NUMBER_MAX];
    const cJSON *extensions = cJSON_GetObjectItemCaseSensitive(order, "clientExtensions");
    const char *type = json_get_text(order, "type");
    details->is_market = type && strcmp(type, "MARKET") == 0;
    copy(details->instrument, sizeof details->instrument, json_get_text(order, "instrument"));
    copy(details->units, sizeof details->units, json_get_scalar(order, "units", room));
    copy(details->price, sizeof details->price,
         json_get_scalar(order, details->is_market ? "priceBound" : "price", room));
    copy(details->time_in_force, sizeof details->time_in_force,
         json_get_text(order, "timeInForce"));
    copy(details->position_fill, sizeof details->position_fill,
         json_get_text(order, "positionFill"));
    copy(details->trigger, sizeof details->trigger, json_get_text(order, "triggerCondition"));
    copy(details->client, sizeof details->client, json_get_text(extensions, "id"));
    copy(details->tag, sizeof details->tag, json_get_text(extensions, "tag"));
    copy(details->comment, sizeof details->comment, json_get_text(extensions, "comment"));
    details->expires = TIME_NEVER;
    if (!*details->time_in_force)
        copy(details->time_in_force, sizeof details->time_in_force,
             details->is_market ? "FOK" : "GTC");
    if (!*details->position_fill)
        copy(details->position_fill, sizeof details->position_fill, "DEFAULT");
    if (!*details->trigger)
        copy(details->trigger, sizeof details->trigger, "DEFAULT");
}

/* RFC 3339 or seconds since 1970 with decimals, in the time of the core. */
static bool read_time(const struct oanda *venue, const char *text, int64_t *time)
{
    struct number seconds = number_from_text(text, strlen(text), -9);
    if (seconds.status == NUMBER_VALUE)
        *time = seconds.units;
    else if (time_from_text(text, strlen(text), time, NULL))
        return false;
    *time -= venue->protocol.skew;
    return true;
}

static bool read_end(const struct oanda_call *call, const cJSON *order, struct wanted *wanted)
{
    const char *text = json_get_text(order, "gtdTime");
    if (!text || !read_time(call->venue, text, &wanted->details.expires))
        return fail(wanted, "TIME_IN_FORCE_GTD_TIMESTAMP_MISSING");
    if (wanted->details.expires <= call->now)
        return fail(wanted, "TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST");
    wanted->place.expires = wanted->details.expires;
    return true;
}

/* GFD, which ends with New York's day, is not played: it is refused. */
static bool read_time_in_force(const struct oanda_call *call, const cJSON *order,
                               struct wanted *wanted)
{
    const char *text = wanted->details.time_in_force;
    bool resting = strcmp(text, "GTC") == 0 || strcmp(text, "GTD") == 0;
    wanted->place.expires = TIME_NEVER;
    wanted->place.time_in_force = strcmp(text, "IOC") == 0   ? TIME_IN_FORCE_IOC
                                  : strcmp(text, "FOK") == 0 ? TIME_IN_FORCE_FOK
                                                             : TIME_IN_FORCE_GTC;
    if (wanted->place.time_in_force == TIME_IN_FORCE_GTC && (!resting || wanted->details.is_market))
        return fail(wanted, "TIME_IN_FORCE_INVALID");
    return strcmp(text, "GTD") != 0 || read_end(call, order, wanted);
}

static int64_t most_units(const struct event_definition *definition)
{
    struct number most =
        number_from_text(definition->quantity_exponent == 0 ? "100000000" : "1000",
                         definition->quantity_exponent == 0 ? 9 : 4, definition->quantity_exponent);
    return most.units;
}

static bool read_units(struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    const char *text = wanted->details.units;
    struct number units = number_from_text(text, strlen(text), definition->quantity_exponent);
    if (units.status == NUMBER_ABSENT)
        return fail(wanted, "UNITS_MISSING");
    if (units.status == NUMBER_OFF_GRID)
        return fail(wanted, "UNITS_PRECISION_EXCEEDED");
    if (units.status != NUMBER_VALUE || units.units == 0)
        return fail(wanted, "UNITS_INVALID");
    wanted->place.side = units.units > 0 ? SIDE_BUY : SIDE_SELL;
    wanted->place.quantity = units.units > 0 ? units.units : -units.units;
    if (wanted->place.quantity % definition->lot != 0)
        return fail(wanted, "UNITS_PRECISION_EXCEEDED");
    if (wanted->place.quantity < definition->lot)
        return fail(wanted, "UNITS_MIMIMUM_NOT_MET");
    return wanted->place.quantity <= most_units(definition) || fail(wanted, "UNITS_LIMIT_EXCEEDED");
}

static bool read_price(struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    const char *text = wanted->details.price;
    bool market = wanted->details.is_market;
    enum side opposite = wanted->place.side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    struct number price = number_from_text(text, strlen(text), definition->price_exponent);
    if (market && price.status == NUMBER_ABSENT) {
        price.units = market_worst_price(wanted->instrument, opposite, wanted->place.quantity,
                                         MARKET_SLACK_PPM);
        price.status = NUMBER_VALUE;
        if (price.units == 0)
            return fail(wanted, "INSTRUMENT_PRICE_UNKNOWN");
    }
    if (price.status == NUMBER_ABSENT)
        return fail(wanted, "PRICE_MISSING");
    if (price.status == NUMBER_OFF_GRID ||
        (price.status == NUMBER_VALUE && price.units % definition->tick != 0))
        return fail(wanted, market ? "PRICE_BOUND_PRECISION_EXCEEDED" : "PRICE_PRECISION_EXCEEDED");
    if (price.status != NUMBER_VALUE || price.units <= 0 || price.units > BOOK_PRICE_MAX)
        return fail(wanted, market ? "PRICE_BOUND_INVALID" : "PRICE_INVALID");
    wanted->place.price = price.units;
    return true;
}

/* A client's id must be of no other pending order, but for the one that it replaces. */
static bool check_client(const struct oanda *venue, struct wanted *wanted)
{
    const char *client = wanted->details.client;
    const struct core_order *order =
        *client ? core_order_by_client(venue->options.core, client) : NULL;
    if (!order || order->state != CORE_OPEN)
        return true;
    const struct oanda_order *details = order->protocol;
    return details->id == wanted->details.replaces ||
           fail(wanted, "CLIENT_ORDER_ID_ALREADY_EXISTS");
}

static bool read_order(const struct oanda_call *call, const cJSON *order, struct wanted *wanted)
{
    struct oanda *venue = call->venue;
    if (!*wanted->details.instrument)
        return fail(wanted, "INSTRUMENT_MISSING");
    wanted->instrument = market_by_symbol(venue->options.market, wanted->details.instrument);
    if (!wanted->instrument)
        return fail(wanted, "INSTRUMENT_UNKNOWN");
    wanted->place.instrument = wanted->instrument->instrument;
    wanted->place.is_market = wanted->details.is_market;
    wanted->place.client = wanted->details.client;
    if (!read_units(wanted) || !read_price(wanted) || !read_time_in_force(call, order, wanted) ||
        !check_client(venue, wanted))
        return false;
    if (wanted->place.time_in_force == TIME_IN_FORCE_GTC &&
        core_open_orders(venue->options.core, NULL, 0) >= PENDING_MAX)
        return fail(wanted, "PENDING_ORDERS_ALLOWED_EXCEEDED");
    return true;
}

/* The texts as the venue writes them. */
static void write_canonical(struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    struct oanda_details *details = &wanted->details;
    char text[JSON_NUMBER_MAX];
    json_decimal_text(wanted->place.side == SIDE_BUY ? wanted->place.quantity
                                                     : -wanted->place.quantity,
                      definition->quantity_exponent, 0, text);
    copy(details->units, sizeof details->units, text);
    if (details->is_market && !*details->price)
        return;
    json_decimal_text(wanted->place.price, definition->price_exponent, 0, text);
    copy(details->price, sizeof details->price, text);
}

/* --- refusing ---------------------------------------------------------------------------------- */

/* What the code says, in words. */
static const char *message_of(const char *reject)
{
    static const struct {
        const char *code, *message;
    } words[] = {
        {"PRICE_PRECISION_EXCEEDED",
         "The Order price has more precision than is allowed by the Order's instrument"},
        {"UNITS_PRECISION_EXCEEDED",
         "The Order units have more precision than is allowed by the Order's instrument"},
        {"UNITS_LIMIT_EXCEEDED", "The Order units exceed the maximum of the Order's instrument"},
        {"CLIENT_ORDER_ID_ALREADY_EXISTS", "The client Order ID is that of another Order"},
        {"ORDER_DOESNT_EXIST", "The Order specified does not exist"},
        {"INSTRUMENT_UNKNOWN", "The Order's instrument is not known"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].code, reject) == 0)
            return words[i].message;
    return "The Order was rejected";
}

static struct oanda_details *keep_details(const struct oanda_details *details)
{
    struct oanda_details *kept = malloc(sizeof *kept);
    ASSERT(kept);
    *kept = *details;
    return kept;
}

static void finish_refusal(struct oanda_call *call, size_t first, int status, const char *reject)
{
    call->reply->status = status;
    json_open(call->body, NULL, '{');
    oanda_write_made(call, first);
    json_text(call->body, "errorCode", reject);
    json_text(call->body, "errorMessage", message_of(reject));
    json_close(call->body, '}');
}

static void refuse(struct oanda_call *call, const struct wanted *wanted)
{
    struct oanda *venue = call->venue;
    size_t first = venue->transaction_count;
    struct oanda_transaction *transaction = oanda_new(
        venue, wanted->details.is_market ? OANDA_MARKET_ORDER_REJECT : OANDA_LIMIT_ORDER_REJECT,
        call->now);
    transaction->reason = wanted->reject;
    transaction->details = keep_details(&wanted->details);
    oanda_publish(venue);
    finish_refusal(call, first, 400, wanted->reject);
}

/* --- events of the core ------------------------------------------------------------------------ */

static void note_end(struct oanda *venue, struct core_order *order, const char *reason,
                     uint64_t replaced_by, int64_t time)
{
    struct oanda_order *details = order->protocol;
    struct oanda_transaction *transaction = oanda_new(venue, OANDA_ORDER_CANCEL, time);
    transaction->order = details->id;
    transaction->reason = reason;
    transaction->replaced_by = replaced_by;
    snprintf(transaction->client, sizeof transaction->client, "%s", order->client);
    details->cancelling = transaction->id;
    details->cancelled_time = time;
    details->replaced_by = replaced_by;
    oanda_publish(venue);
}

static void note_creation(struct oanda *venue, struct core_order *order, int64_t time)
{
    struct oanda_order *details = order->protocol;
    struct oanda_transaction *transaction =
        oanda_new(venue, order->is_market ? OANDA_MARKET_ORDER : OANDA_LIMIT_ORDER, time);
    transaction->reason = details->details.replaces ? "REPLACEMENT" : "CLIENT_ORDER";
    transaction->details = keep_details(&details->details);
    details->id = transaction->id;
    oanda_publish(venue);
}

/* Fills of the request under way become one transaction. */
static void flush_fills(struct oanda *venue)
{
    if (!venue->collected)
        return;
    struct core_order *order = venue->collected;
    venue->collected = NULL;
    oanda_book_fill(venue, order, venue->collected_quantity, venue->collected_value,
                    venue->collected_time);
}

static void note_fill(struct oanda *venue, const struct core_event *event)
{
    if (!venue->collects) {
        oanda_book_fill(venue, event->order, event->fill->quantity, event->fill->value,
                        event->time);
        return;
    }
    if (venue->collected != event->order) {
        flush_fills(venue);
        venue->collected = event->order;
        venue->collected_quantity = 0;
        venue->collected_value = MONEY_ZERO;
    }
    venue->collected_quantity += event->fill->quantity;
    venue->collected_value = money_add(venue->collected_value, event->fill->value);
    venue->collected_time = event->time;
}

void oanda_order_event(struct protocol *protocol, const struct core_event *event, int64_t now)
{
    (void)now;
    struct oanda *venue = oanda_of(protocol);
    struct core_order *order = event->order;
    bool in_request = venue->batch != 0 || venue->collects;
    if (event->kind == CORE_FILL) {
        note_fill(venue, event);
    } else if (event->kind == CORE_ACCEPTED) {
        note_creation(venue, order, event->time);
    } else if (event->kind == CORE_CANCEL) {
        flush_fills(venue);
        if (venue->replaced_by_next) /* the next transaction but this one is the new order's */
            note_end(venue, order, "CLIENT_REQUEST_REPLACED", venue->transaction_count + 2,
                     event->time);
        else
            note_end(venue, order, "CLIENT_REQUEST", 0, event->time);
    } else if (event->kind == CORE_EXPIRY) {
        flush_fills(venue);
        note_end(venue, order, venue->why_expired ? venue->why_expired : "TIME_IN_FORCE_EXPIRED", 0,
                 event->time);
    } else if (event->kind == CORE_REJECT) { /* taken, then ended by the market's state */
        note_creation(venue, order, event->time);
        note_end(venue, order, "MARKET_HALTED", 0, event->time);
    }
    if (!in_request)
        venue->batch = 0;
}

/* --- placing ----------------------------------------------------------------------------------- */

/* Whether what the order adds to the position has margin, where it would fill at once. */
static bool has_margin(const struct oanda *venue, const struct wanted *wanted)
{
    const struct event_definition *definition = &wanted->instrument->definition;
    enum side opposite = wanted->place.side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    struct book_level best = market_best(wanted->instrument, opposite);
    bool crosses =
        best.quantity > 0 && (wanted->place.side == SIDE_BUY ? wanted->place.price >= best.price
                                                             : wanted->place.price <= best.price);
    int64_t position = core_position(venue->options.core, wanted->place.instrument);
    int64_t units =
        wanted->place.side == SIDE_BUY ? wanted->place.quantity : -wanted->place.quantity;
    int64_t after = position + units;
    int64_t more = (after < 0 ? -after : after) - (position < 0 ? -position : position);
    money value, home, margin;
    if (!crosses || more <= 0)
        return true;
    struct oanda_figures figures = oanda_figures(venue);
    return money_linear_value(best.price, more, definition->multiplier,
                              definition->price_exponent + definition->quantity_exponent +
                                  definition->multiplier_exponent,
                              &value) &&
           oanda_to_home(venue, definition, value, &home) &&
           money_scale(home, oanda_margin_rate(venue, definition), 1000000000, MONEY_UP, &margin) &&
           money_compare(margin, figures.margin_available) <= 0;
}

/* An order without margin is made and ended: nothing of it reaches the market. */
static void place_without_margin(struct oanda_call *call, const struct wanted *wanted)
{
    struct oanda *venue = call->venue;
    struct oanda_transaction *transaction = oanda_new(
        venue, wanted->details.is_market ? OANDA_MARKET_ORDER : OANDA_LIMIT_ORDER, call->now);
    uint64_t id = transaction->id;
    transaction->reason = wanted->details.replaces ? "REPLACEMENT" : "CLIENT_ORDER";
    transaction->details = keep_details(&wanted->details);
    oanda_publish(venue);
    transaction = oanda_new(venue, OANDA_ORDER_CANCEL, call->now);
    transaction->order = id;
    transaction->reason = "INSUFFICIENT_MARGIN";
    snprintf(transaction->client, sizeof transaction->client, "%s", wanted->details.client);
    oanda_publish(venue);
}

/* Why what can't be filled at once ends. */
static const char *reason_of_rest(const struct wanted *wanted)
{
    if (!wanted->details.is_market)
        return "TIME_IN_FORCE_EXPIRED";
    return *wanted->details.price ? "BOUNDS_VIOLATION" : "INSUFFICIENT_LIQUIDITY";
}

static void place(struct oanda_call *call, struct wanted *wanted)
{
    struct oanda *venue = call->venue;
    struct core_order *order;
    write_canonical(wanted);
    if (!has_margin(venue, wanted)) {
        place_without_margin(call, wanted);
        return;
    }
    struct oanda_order *details = calloc(1, sizeof *details);
    ASSERT(details);
    details->details = wanted->details;
    wanted->place.protocol = details;
    venue->collects = true;
    venue->why_expired =
        wanted->place.time_in_force == TIME_IN_FORCE_GTC ? NULL : reason_of_rest(wanted);
    call->failed =
        core_place(venue->options.core, &wanted->place, call->now, &order, call->error) != 0;
    flush_fills(venue);
    venue->collects = false;
    venue->why_expired = NULL;
}

static void answer_made(struct oanda_call *call, size_t first, int status)
{
    if (call->failed)
        return;
    call->reply->status = status;
    json_open(call->body, NULL, '{');
    oanda_write_made(call, first);
    json_close(call->body, '}');
}

/* The "order" of the body; NULL after a 400. */
static const cJSON *order_of(struct oanda_call *call)
{
    const cJSON *order = cJSON_GetObjectItemCaseSensitive(call->json, "order");
    const char *type = json_get_text(order, "type");
    if (type && (strcmp(type, "MARKET") == 0 || strcmp(type, "LIMIT") == 0))
        return order;
    oanda_error(call, 400, "Invalid value specified for 'order.type'");
    return NULL;
}

void oanda_post_order(struct oanda_call *call)
{
    struct wanted wanted = {0};
    size_t first = call->venue->transaction_count;
    const cJSON *order = order_of(call);
    if (!order)
        return;
    read_texts(order, &wanted);
    if (!read_order(call, order, &wanted)) {
        refuse(call, &wanted);
        return;
    }
    place(call, &wanted);
    answer_made(call, first, 201);
}

/* --- cancelling and replacing ------------------------------------------------------------------ */

static void refuse_missing(struct oanda_call *call, const char *specifier)
{
    struct oanda *venue = call->venue;
    size_t first = venue->transaction_count;
    struct oanda_transaction *transaction = oanda_new(venue, OANDA_ORDER_CANCEL_REJECT, call->now);
    transaction->reason = "ORDER_DOESNT_EXIST";
    if (*specifier == '@')
        copy(transaction->client, sizeof transaction->client, specifier + 1);
    else
        transaction->order = strtoull(specifier, NULL, 10);
    oanda_publish(venue);
    finish_refusal(call, first, 404, "ORDER_DOESNT_EXIST");
}

/* Cancel an order that rests; false where it doesn't, or the core gave up. */
static bool cancel(struct oanda_call *call, struct core_order *order)
{
    enum reject reject = REJECT_NOT_FOUND;
    if (!order || order->state != CORE_OPEN)
        return false;
    call->failed =
        core_cancel(call->venue->options.core, order, NULL, call->now, &reject, call->error) != 0;
    return !call->failed && reject == REJECT_NONE;
}

void oanda_put_cancel(struct oanda_call *call)
{
    size_t first = call->venue->transaction_count;
    const char *specifier = call->path->parts[3];
    call->venue->collects = true; /* of this request's batch */
    bool done = cancel(call, oanda_find_order(call->venue, specifier));
    call->venue->collects = false;
    if (done)
        answer_made(call, first, 200);
    else if (!call->failed)
        refuse_missing(call, specifier);
}

/* The client's id is inherited where none is sent. */
void oanda_put_order(struct oanda_call *call)
{
    struct wanted wanted = {0};
    struct oanda *venue = call->venue;
    size_t first = venue->transaction_count;
    const char *specifier = call->path->parts[3];
    struct core_order *old = oanda_find_order(venue, specifier);
    const cJSON *order = order_of(call);
    if (!order)
        return;
    if (!old || old->state != CORE_OPEN) {
        refuse_missing(call, specifier);
        return;
    }
    const struct oanda_order *old_details = old->protocol;
    read_texts(order, &wanted);
    wanted.details.replaces = old_details->id;
    if (!*wanted.details.client)
        copy(wanted.details.client, sizeof wanted.details.client, old->client);
    if (!read_order(call, order, &wanted)) {
        refuse(call, &wanted);
        return;
    }
    venue->collects = true;
    venue->replaced_by_next = true;
    bool done = cancel(call, old);
    venue->collects = false;
    venue->replaced_by_next = false;
    if (!done) {
        if (!call->failed)
            refuse_missing(call, specifier);
        return;
    }
    place(call, &wanted);
    answer_made(call, first, 201);
}
