/* Orders at Binance.US: decisions as requests, and everything that tells what became of an order. An order is
 * sent once: what has no answer is asked for by its name, never placed again. */
#include "venue/live/binance_us.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define TRADES_RETRY_NS (500 * NS_PER_MS)

enum {
    TRADES_PAGE = 1000, /* the most that one answer has */
    TRADES_TRIES = 6    /* until the fills that the order tells of are all listed */
};

/* --- what the engine is told -------------------------------------------------------------------------- */

static uint16_t stream_of(const struct binance_us *us, uint16_t place)
{
    return EVENT_STREAM(adapter_number(&us->names, place), CHANNEL_SESSION);
}

static union event_record *tell(struct binance_us *us, enum event_kind kind, uint16_t place,
                                struct adapter_when when)
{
    return adapter_tell(&us->out, kind, stream_of(us, place), when);
}

static void tell_unknown(struct binance_us *us, uint16_t place, order_id order,
                         enum request request)
{
    if (order != 0)
        tell(us, EVENT_order_unknown, place, (struct adapter_when){0, 0})->order_unknown =
            (struct event_order_unknown){adapter_number(&us->names, place), order,
                                         (uint8_t)request};
}

static void tell_rejected(struct binance_us *us, uint16_t place, order_id order, enum reject reason)
{
    tell(us, EVENT_order_rejected, place, binance_us_venue_now(us))->order_rejected =
        (struct event_order_rejected){adapter_number(&us->names, place), order, (uint8_t)reason};
}

static void tell_cancel_rejected(struct binance_us *us, uint16_t place, order_id order,
                                 enum reject reason)
{
    if (order != 0)
        tell(us, EVENT_cancel_rejected, place, binance_us_venue_now(us))->cancel_rejected =
            (struct event_cancel_rejected){adapter_number(&us->names, place), order,
                                           (uint8_t)reason};
}

static void tell_accepted(struct binance_us *us, uint16_t place, order_id order,
                          const struct binance_us_order *told)
{
    tell(us, EVENT_order_accepted, place, binance_us_venue_time(told->time_ns))->order_accepted =
        (struct event_order_accepted){adapter_number(&us->names, place), order,
                                      adapter_venue_id(told->id)};
}

/* The asset of a fee. One that the tape has no number for can't be booked, which is told once. */
static uint16_t fee_asset_of(struct binance_us *us, const char *asset)
{
    uint16_t number = asset[0] ? adapter_asset(&us->names, asset) : EVENT_NONE_16;
    if (asset[0] && number == EVENT_NONE_16 && !us->fee_asset_logged) {
        us->fee_asset_logged = true;
        adapter_log(&us->out, LOG_ERROR,
                    "a fee is paid in %s, which is no asset of this tape: it is not booked", asset);
    }
    return number;
}

static void tell_fill(struct binance_us *us, uint16_t place, order_id order, enum side side,
                      const struct binance_us_fill *fill, struct number leaves,
                      enum liquidity liquidity)
{
    const struct event_definition *definition = adapter_definition(&us->names, place);
    uint16_t asset = fee_asset_of(us, fill->fee_asset);
    tell(us, EVENT_order_filled, place, binance_us_venue_time(fill->time_ns))->order_filled =
        (struct event_order_filled){
            .instrument = adapter_number(&us->names, place),
            .order = order,
            .trade = adapter_venue_id(fill->trade),
            .side = (uint8_t)side,
            .price = json_units(&fill->price, definition->price_exponent),
            .quantity = json_units(&fill->quantity, definition->quantity_exponent),
            .leaves = leaves,
            .cause = FILL_REPORTED,
            .liquidity = (uint8_t)liquidity,
            .fee = fill->fee,
            .fee_asset = asset,
        };
    binance_us_account_fill(us, place, order, side, fill);
}

bool binance_us_tell_missed(struct binance_us *us, uint16_t place,
                            const struct binance_us_order *told, const struct binance_us_fill *fill)
{
    order_id order = adapter_order_of(us->settings.session, told->name, strlen(told->name));
    const struct venue_id trade = adapter_venue_id(fill->trade);
    if (order == 0 || adapter_trade_is_told(us->names.numbers, order, &trade))
        return false;
    tell_fill(us, place, order, (enum side)told->side, fill, (struct number){0, NUMBER_ABSENT},
              fill->maker ? LIQUIDITY_MAKER : LIQUIDITY_TAKER);
    return true;
}

static struct number less(struct number a, struct number b)
{
    if (a.status != NUMBER_VALUE || b.status != NUMBER_VALUE || a.units < b.units || b.units < 0)
        return (struct number){0, NUMBER_MALFORMED};
    return (struct number){a.units - b.units, NUMBER_VALUE};
}

struct number binance_us_leaves(const struct binance_us *us, uint16_t place,
                                const struct binance_us_order *order)
{
    int exponent = adapter_definition(&us->names, place)->quantity_exponent;
    return less(json_units(&order->quantity, exponent), json_units(&order->executed, exponent));
}

/* The end of an order that has ended unfilled or partly filled; nothing of any other. */
static void tell_end(struct binance_us *us, uint16_t place, order_id order,
                     const struct binance_us_order *told, enum cancel_cause cause)
{
    struct adapter_when when = binance_us_venue_time(told->time_ns);
    uint16_t number = adapter_number(&us->names, place);
    struct number leaves = binance_us_leaves(us, place, told);
    bool at_once =
        told->time_in_force == TIME_IN_FORCE_IOC || told->time_in_force == TIME_IN_FORCE_FOK;
    bool expired =
        told->status == BINANCE_US_EXPIRED || told->status == BINANCE_US_EXPIRED_IN_MATCH;
    if (told->status == BINANCE_US_CANCELED || (expired && at_once))
        tell(us, EVENT_order_cancelled, place, when)->order_cancelled =
            (struct event_order_cancelled){number, order, leaves,
                                           (uint8_t)(expired ? CANCEL_UNFILLED : cause)};
    else if (expired)
        tell(us, EVENT_order_expired, place, when)->order_expired =
            (struct event_order_expired){number, order, leaves};
    else if (told->status == BINANCE_US_REJECTED)
        tell_rejected(us, place, order, REJECT_OTHER);
}

/* --- refusals ----------------------------------------------------------------------------------------- */

void binance_us_log_code(struct binance_us *us, const struct binance_us_error *error)
{
    for (size_t i = 0; i < us->codes_logged_count; i++)
        if (us->codes_logged[i] == error->code)
            return;
    if (us->codes_logged_count < BINANCE_US_CODES_MAX)
        us->codes_logged[us->codes_logged_count++] = error->code;
    adapter_log(&us->out, LOG_WARN, "refused for a reason that is in no table: %lld %s",
                (long long)error->code, error->text);
}

static enum reject reject_of(struct binance_us *us, const struct binance_us_error *error)
{
    bool known;
    enum reject reject = binance_us_reject(error, &known);
    if (!known)
        binance_us_log_code(us, error);
    return reject;
}

/* A new order was refused. "Duplicate" says that one of this name is there, and names are used once: whatever
 * carried the request has brought it twice, and the first may rest. */
static void refuse_new(struct binance_us *us, uint16_t place, order_id order,
                       const struct binance_us_error *error, enum request request)
{
    enum reject reject = reject_of(us, error);
    if (reject == REJECT_DUPLICATE || binance_us_is_unknown(error->code))
        tell_unknown(us, place, order, request);
    else
        tell_rejected(us, place, order, reject);
}

static enum reject reject_of_unsent(enum binance_us_sent sent)
{
    return sent == BINANCE_US_HELD_BACK ? REJECT_RATE
           : sent == BINANCE_US_NO_ROOM ? REJECT_FULL
                                        : REJECT_OTHER;
}

static void log_unread(struct binance_us *us, const struct binance_us_answer *answer,
                       const struct error *error)
{
    if (answer->outcome == BINANCE_US_GOOD)
        adapter_log(&us->out, LOG_ERROR, "an answer about an order can't be read: %s", error->text);
}

/* --- requests ----------------------------------------------------------------------------------------- */

static void add_name(const struct binance_us *us, struct binance_us_parameters *parameters,
                     const char *field, order_id order)
{
    char name[ADAPTER_ORDER_NAME_MAX];
    adapter_order_name(us->settings.session, order, name);
    binance_us_add(parameters, field, name);
}

/* What a new order is, whether it comes alone or replaces another. */
static enum reject add_order(const struct binance_us *us, struct binance_us_parameters *parameters,
                             uint16_t place, const struct event_place *order)
{
    static const char *const times[] = {"GTC", "IOC", "FOK"};
    const struct event_definition *definition = adapter_definition(&us->names, place);
    char text[DECIMAL_TEXT_MAX];
    if (order->time_in_force >= TIME_IN_FORCE_COUNT ||
        (order->post_only && order->time_in_force != TIME_IN_FORCE_GTC))
        return REJECT_UNSUPPORTED;
    if (order->price.status != NUMBER_VALUE || order->price.units <= 0)
        return REJECT_PRICE;
    if (order->quantity.status != NUMBER_VALUE || order->quantity.units <= 0)
        return REJECT_QUANTITY;
    binance_us_add(parameters, "symbol", us->settings.symbols[place]);
    binance_us_add(parameters, "side", order->side == SIDE_BUY ? "BUY" : "SELL");
    binance_us_add(parameters, "type", order->post_only ? "LIMIT_MAKER" : "LIMIT");
    if (!order->post_only)
        binance_us_add(parameters, "timeInForce", times[order->time_in_force]);
    adapter_decimal(order->quantity.units, definition->quantity_exponent, text);
    binance_us_add(parameters, "quantity", text);
    adapter_decimal(order->price.units, definition->price_exponent, text);
    binance_us_add(parameters, "price", text);
    add_name(us, parameters, "newClientOrderId", order->order);
    binance_us_add(parameters, "newOrderRespType", "FULL");
    return REJECT_NONE;
}

static void place_order(struct binance_us *us, uint16_t place, const struct event_place *order)
{
    struct binance_us_parameters parameters = {0};
    enum reject reject = add_order(us, &parameters, place, order);
    if (reject == REJECT_NONE) {
        struct adapter_asked about = {.order = order->order, .place = place};
        enum binance_us_sent sent = binance_us_ask(us, ASK_PLACE, &parameters, &about);
        if (sent == BINANCE_US_SENT)
            return;
        reject = reject_of_unsent(sent);
    }
    tell_rejected(us, place, order->order, reject);
}

static void replace_order(struct binance_us *us, uint16_t place,
                          const struct event_replace *replace)
{
    const struct event_place order = {.order = replace->order,
                                      .side = replace->side,
                                      .price = replace->price,
                                      .quantity = replace->quantity,
                                      .time_in_force = replace->time_in_force,
                                      .post_only = replace->post_only};
    struct binance_us_parameters parameters = {0};
    enum reject reject = add_order(us, &parameters, place, &order);
    if (reject == REJECT_NONE) {
        struct adapter_asked about = {
            .order = replace->order, .replaces = replace->replaces, .place = place};
        binance_us_add(&parameters, "cancelReplaceMode", "STOP_ON_FAILURE");
        add_name(us, &parameters, "cancelOrigClientOrderId", replace->replaces);
        enum binance_us_sent sent = binance_us_ask(us, ASK_REPLACE, &parameters, &about);
        if (sent == BINANCE_US_SENT)
            return;
        reject = reject_of_unsent(sent);
    }
    tell_cancel_rejected(us, place, replace->replaces, reject);
    tell_rejected(us, place, replace->order, reject);
}

static void ask_cancel(struct binance_us *us, uint16_t place, order_id order,
                       const struct binance_us_parameters *parameters)
{
    enum binance_us_sent sent = binance_us_ask(
        us, ASK_CANCEL, parameters, &(struct adapter_asked){.order = order, .place = place});
    if (sent != BINANCE_US_SENT)
        tell_cancel_rejected(us, place, order, reject_of_unsent(sent));
}

static void cancel_order(struct binance_us *us, uint16_t place, order_id order)
{
    struct binance_us_parameters parameters = {0};
    binance_us_add(&parameters, "symbol", us->settings.symbols[place]);
    add_name(us, &parameters, "origClientOrderId", order);
    ask_cancel(us, place, order, &parameters);
}

/* An order that only the venue knows, by the venue's number. */
static void cancel_orphan(struct binance_us *us, uint16_t place,
                          const struct event_cancel_orphan *orphan)
{
    struct binance_us_parameters parameters = {0};
    char id[EVENT_VENUE_ID_MAX + 1] = "";
    memcpy(id, orphan->venue_order.bytes, orphan->venue_order.length);
    binance_us_add(&parameters, "symbol", us->settings.symbols[place]);
    if (id[0] != '\0' && strspn(id, "0123456789") == orphan->venue_order.length)
        binance_us_add(&parameters, "orderId", id);
    else if (orphan->order != 0)
        add_name(us, &parameters, "origClientOrderId", orphan->order);
    else
        return;
    ask_cancel(us, place, orphan->order, &parameters);
}

static void query_order(struct binance_us *us, uint16_t place, order_id order)
{
    struct binance_us_parameters parameters = {0};
    binance_us_add(&parameters, "symbol", us->settings.symbols[place]);
    add_name(us, &parameters, "origClientOrderId", order);
    struct adapter_asked about = {.order = order, .place = place};
    if (binance_us_ask(us, ASK_QUERY, &parameters, &about) != BINANCE_US_SENT)
        tell_unknown(us, place, order, REQUEST_QUERY);
}

/* The venue can't change an order in place. */
static void refuse_modify(struct binance_us *us, uint16_t place, order_id order)
{
    tell(us, EVENT_modify_rejected, place, (struct adapter_when){0, 0})->modify_rejected =
        (struct event_modify_rejected){adapter_number(&us->names, place), order,
                                       REJECT_UNSUPPORTED};
}

void binance_us_decision(struct binance_us *us, const struct message *decision)
{
    const union event_record *record = decision->record;
    if (decision->kind == EVENT_request_snapshot) {
        if (record->request_snapshot.venue == us->names.numbers->venue)
            binance_us_want_account(us);
        return;
    }
    if (decision->kind != EVENT_place && decision->kind != EVENT_replace &&
        decision->kind != EVENT_cancel && decision->kind != EVENT_cancel_orphan &&
        decision->kind != EVENT_query && decision->kind != EVENT_modify)
        return;
    /* Each of these begins with its instrument (event/kinds.h). */
    uint16_t place = adapter_place_of_number(&us->names, record->cancel.instrument);
    if (place == ADAPTER_NO_PLACE)
        return; /* another venue's */
    if (decision->kind == EVENT_place)
        place_order(us, place, &record->place);
    else if (decision->kind == EVENT_replace)
        replace_order(us, place, &record->replace);
    else if (decision->kind == EVENT_cancel)
        cancel_order(us, place, record->cancel.order);
    else if (decision->kind == EVENT_cancel_orphan)
        cancel_orphan(us, place, &record->cancel_orphan);
    else if (decision->kind == EVENT_query)
        query_order(us, place, record->query.order);
    else
        refuse_modify(us, place, record->modify.order);
}

/* --- answers to new orders ---------------------------------------------------------------------------- */

/* The answer names the order that was asked about. */
static bool is_about(const struct binance_us *us, uint16_t place, order_id order,
                     const struct binance_us_order *told, struct error *error)
{
    if (strcmp(told->symbol, us->settings.symbols[place]) == 0 &&
        adapter_order_of(us->settings.session, told->name, strlen(told->name)) == order)
        return true;
    error_set(error, ERROR_INPUT, "it is about the order %.64s of %.40s, which was not asked about",
              told->name, told->symbol);
    return false;
}

/* Acceptance, then what filled at once, then the end where it has ended. */
static void tell_placed(struct binance_us *us, uint16_t place, order_id order,
                        const struct binance_us_order *told)
{
    int exponent = adapter_definition(&us->names, place)->quantity_exponent;
    struct number leaves = json_units(&told->quantity, exponent);
    if (told->status == BINANCE_US_NO_STATUS)
        leaves.status = NUMBER_ABSENT;
    if (told->status != BINANCE_US_REJECTED)
        tell_accepted(us, place, order, told);
    for (size_t i = 0; i < us->fills.count; i++) {
        struct binance_us_fill *fill = &us->fills.list[i];
        leaves = less(leaves, json_units(&fill->quantity, exponent));
        fill->time_ns = told->time_ns;
        tell_fill(us, place, order, (enum side)told->side, fill, leaves, LIQUIDITY_TAKER);
    }
    tell_end(us, place, order, told, CANCEL_REQUESTED);
}

static void take_placed(struct binance_us *us, const struct adapter_asked *asked,
                        const struct binance_us_answer *answer)
{
    struct binance_us_order told;
    struct error error = {0};
    if (answer->outcome == BINANCE_US_REFUSED) {
        refuse_new(us, asked->place, asked->order, &answer->error, REQUEST_PLACE);
    } else if (answer->outcome == BINANCE_US_GOOD &&
               binance_us_read_placed(answer->body, answer->length, &told, &us->fills, &error) ==
                   0 &&
               is_about(us, asked->place, asked->order, &told, &error)) {
        tell_placed(us, asked->place, asked->order, &told);
    } else {
        log_unread(us, answer, &error);
        tell_unknown(us, asked->place, asked->order, REQUEST_PLACE);
    }
}

/* --- answers to cancels ------------------------------------------------------------------------------- */

static void refuse_cancel(struct binance_us *us, uint16_t place, order_id order,
                          const struct binance_us_error *error, enum request request)
{
    enum reject reject = reject_of(us, error);
    if (binance_us_is_unknown(error->code))
        tell_unknown(us, place, order, request);
    else
        tell_cancel_rejected(us, place, order, reject);
}

static bool has_ended(const struct binance_us_order *told)
{
    return told->status == BINANCE_US_CANCELED || told->status == BINANCE_US_EXPIRED ||
           told->status == BINANCE_US_EXPIRED_IN_MATCH;
}

static void take_cancelled(struct binance_us *us, const struct adapter_asked *asked,
                           const struct binance_us_answer *answer)
{
    struct binance_us_order told;
    struct error error = {0};
    if (asked->order == 0)
        return; /* of somebody else's order: the account tells of its end */
    if (answer->outcome == BINANCE_US_REFUSED) {
        refuse_cancel(us, asked->place, asked->order, &answer->error, REQUEST_CANCEL);
        return;
    }
    if (answer->outcome == BINANCE_US_GOOD &&
        binance_us_read_order(answer->body, answer->length, &told, &error) == 0 &&
        is_about(us, asked->place, asked->order, &told, &error) && has_ended(&told)) {
        tell_end(us, asked->place, asked->order, &told, CANCEL_REQUESTED);
        return;
    }
    log_unread(us, answer, &error);
    tell_unknown(us, asked->place, asked->order, REQUEST_CANCEL);
}

/* --- answers to replaces ------------------------------------------------------------------------------ */

/* What became of the old order. */
static void take_old(struct binance_us *us, const struct adapter_asked *asked,
                     const struct binance_us_half *half)
{
    struct error error = {0};
    if (half->result == BINANCE_US_FAILURE)
        refuse_cancel(us, asked->place, asked->replaces, &half->error, REQUEST_REPLACE);
    else if (half->result == BINANCE_US_NOT_ATTEMPTED)
        tell_cancel_rejected(us, asked->place, asked->replaces, REJECT_OTHER);
    else if (is_about(us, asked->place, asked->replaces, &half->order, &error) &&
             has_ended(&half->order))
        tell_end(us, asked->place, asked->replaces, &half->order, CANCEL_REPLACED);
    else
        tell_unknown(us, asked->place, asked->replaces, REQUEST_REPLACE);
}

static void take_new(struct binance_us *us, const struct adapter_asked *asked,
                     const struct binance_us_half *half)
{
    struct error error = {0};
    if (half->result == BINANCE_US_FAILURE)
        refuse_new(us, asked->place, asked->order, &half->error, REQUEST_REPLACE);
    else if (half->result == BINANCE_US_NOT_ATTEMPTED)
        tell_rejected(us, asked->place, asked->order, REJECT_REPLACE);
    else if (is_about(us, asked->place, asked->order, &half->order, &error))
        tell_placed(us, asked->place, asked->order, &half->order);
    else
        tell_unknown(us, asked->place, asked->order, REQUEST_REPLACE);
}

static void take_replaced(struct binance_us *us, const struct adapter_asked *asked,
                          const struct binance_us_answer *answer)
{
    struct binance_us_replaced told;
    struct error error = {0};
    bool answered = answer->outcome == BINANCE_US_GOOD || answer->outcome == BINANCE_US_REFUSED;
    if (answered &&
        binance_us_read_replaced(answer->body, answer->length, &told, &us->fills, &error) == 0) {
        take_old(us, asked, &told.cancelled);
        take_new(us, asked, &told.placed);
    } else if (answer->outcome == BINANCE_US_REFUSED) {
        /* Refused as a whole, before either half: filters and counts are looked at first. */
        enum reject reject = reject_of(us, &answer->error);
        tell_cancel_rejected(us, asked->place, asked->replaces, reject);
        tell_rejected(us, asked->place, asked->order,
                      reject == REJECT_NOT_FOUND ? REJECT_REPLACE : reject);
    } else {
        log_unread(us, answer, &error);
        tell_unknown(us, asked->place, asked->replaces, REQUEST_REPLACE);
        tell_unknown(us, asked->place, asked->order, REQUEST_REPLACE);
    }
}

/* --- queries ------------------------------------------------------------------------------------------ */

static void end_query(struct binance_us_query *query)
{
    query->used = false;
    query->fills.count = 0;
}

static struct binance_us_query *new_query(struct binance_us *us, order_id order)
{
    struct binance_us_query *free_one = NULL;
    for (size_t i = 0; i < BINANCE_US_QUERIES_MAX; i++) {
        struct binance_us_query *query = &us->queries[i];
        if (query->used && query->order == order)
            end_query(query); /* the newer answer tells more */
        if (!query->used && !free_one)
            free_one = query;
    }
    return free_one;
}

static struct binance_us_query *query_of(struct binance_us *us, uint32_t number)
{
    for (size_t i = 0; i < BINANCE_US_QUERIES_MAX; i++)
        if (us->queries[i].used && us->queries[i].number == number)
            return &us->queries[i];
    return NULL;
}

/* What closes a query: fills, the end, how it rests. */
static void tell_query(struct binance_us *us, struct binance_us_query *query)
{
    const struct binance_us_order *told = &query->answer;
    const struct event_definition *definition = adapter_definition(&us->names, query->place);
    struct number leaves = json_units(&told->quantity, definition->quantity_exponent);
    for (size_t i = 0; i < query->fills.count; i++) {
        const struct binance_us_fill *fill = &query->fills.list[i];
        leaves = less(leaves, json_units(&fill->quantity, definition->quantity_exponent));
        tell_fill(us, query->place, query->order, (enum side)told->side, fill, leaves,
                  fill->maker ? LIQUIDITY_MAKER : LIQUIDITY_TAKER);
    }
    tell_end(us, query->place, query->order, told, CANCEL_REQUESTED);
    bool live = binance_us_status_is_live((enum binance_us_status)told->status);
    if (!live)
        leaves = (struct number){0, NUMBER_VALUE};
    struct adapter_when when = {query->looked_ns, MESSAGE_VENUE_ESTIMATED};
    tell(us, EVENT_order_status, query->place, when)->order_status = (struct event_order_status){
        .instrument = adapter_number(&us->names, query->place),
        .order = query->order,
        .venue_order = adapter_venue_id(told->id),
        .side = told->side,
        .price = json_units(&told->price, definition->price_exponent),
        .leaves = leaves,
    };
    end_query(query);
}

static void fail_query(struct binance_us *us, struct binance_us_query *query, const char *why)
{
    adapter_log(&us->out, LOG_WARN, "a query is not answered: %s", why);
    tell_unknown(us, query->place, query->order, REQUEST_QUERY);
    end_query(query);
}

static void ask_trades(struct binance_us *us, struct binance_us_query *query)
{
    struct binance_us_parameters parameters = {0};
    binance_us_add(&parameters, "symbol", us->settings.symbols[query->place]);
    binance_us_add_integer(&parameters, "orderId", (int64_t)query->answer.id);
    if (query->from != 0)
        binance_us_add_integer(&parameters, "fromId", (int64_t)query->from);
    binance_us_add_integer(&parameters, "limit", TRADES_PAGE);
    struct adapter_asked about = {
        .order = query->order, .place = query->place, .note = query->number};
    query->retry_at = TIME_NEVER;
    if (binance_us_ask(us, ASK_TRADES, &parameters, &about) != BINANCE_US_SENT)
        fail_query(us, query, "its fills can't be asked for now");
}

/* The order is known; what it filled is asked for by its number. */
static void take_found(struct binance_us *us, const struct adapter_asked *asked,
                       const struct binance_us_order *told)
{
    int exponent = adapter_definition(&us->names, asked->place)->quantity_exponent;
    struct number executed = json_units(&told->executed, exponent);
    struct binance_us_query *query = new_query(us, asked->order);
    bool readable = told->status < BINANCE_US_OTHER_STATUS && executed.status == NUMBER_VALUE &&
                    json_units(&told->quantity, exponent).status == NUMBER_VALUE;
    if (!query || !readable) {
        adapter_log(&us->out, LOG_ERROR, "a query's answer has %s",
                    query ? "a status or a quantity that can't be read" : "no room");
        tell_unknown(us, asked->place, asked->order, REQUEST_QUERY);
        return;
    }
    struct binance_us_fills fills = query->fills;
    *query = (struct binance_us_query){.used = true,
                                       .number = ++us->last_query,
                                       .place = asked->place,
                                       .order = asked->order,
                                       .answer = *told,
                                       .looked_ns = asked->sent_ns + us->time.offset_ns,
                                       .fills = fills,
                                       .retry_at = TIME_NEVER};
    if (executed.units == 0)
        tell_query(us, query);
    else
        ask_trades(us, query);
}

static void take_query(struct binance_us *us, const struct adapter_asked *asked,
                       const struct binance_us_answer *answer)
{
    struct binance_us_order told;
    struct error error = {0};
    bool absent =
        answer->outcome == BINANCE_US_REFUSED && (answer->error.code == BINANCE_US_CODE_NO_ORDER ||
                                                  answer->error.code == BINANCE_US_CODE_ARCHIVED);
    if (absent) {
        struct adapter_when when = {asked->sent_ns + us->time.offset_ns, MESSAGE_VENUE_ESTIMATED};
        tell(us, EVENT_order_not_found, asked->place, when)->order_not_found =
            (struct event_order_not_found){adapter_number(&us->names, asked->place), asked->order};
        return;
    }
    if (answer->outcome == BINANCE_US_GOOD &&
        binance_us_read_order(answer->body, answer->length, &told, &error) == 0 &&
        is_about(us, asked->place, asked->order, &told, &error)) {
        take_found(us, asked, &told);
        return;
    }
    if (answer->outcome == BINANCE_US_REFUSED)
        (void)reject_of(us, &answer->error);
    log_unread(us, answer, &error);
    tell_unknown(us, asked->place, asked->order, REQUEST_QUERY);
}

/* Take over a page of the trade list. False where there is no memory. */
static bool append_trades(struct binance_us_query *query, const struct binance_us_fills *page)
{
    for (size_t i = 0; i < page->count; i++) {
        if (page->list[i].order != query->answer.id)
            continue; /* the list was asked for this order's alone */
        if (!binance_us_fills_append(&query->fills, &page->list[i]))
            return false;
    }
    return true;
}

static struct number sum_of(const struct binance_us *us, const struct binance_us_query *query)
{
    int exponent = adapter_definition(&us->names, query->place)->quantity_exponent;
    struct number sum = {0, NUMBER_VALUE};
    for (size_t i = 0; i < query->fills.count; i++) {
        struct number one = json_units(&query->fills.list[i].quantity, exponent);
        if (one.status != NUMBER_VALUE || __builtin_add_overflow(sum.units, one.units, &sum.units))
            return (struct number){0, NUMBER_MALFORMED};
    }
    return sum;
}

/* The list may lag behind the order. It may also be newer, and then tells more. */
static void judge_trades(struct binance_us *us, struct binance_us_query *query)
{
    int exponent = adapter_definition(&us->names, query->place)->quantity_exponent;
    struct number sum = sum_of(us, query);
    struct number executed = json_units(&query->answer.executed, exponent);
    if (sum.status != NUMBER_VALUE) {
        fail_query(us, query, "a fill's quantity can't be read");
    } else if (sum.units >= executed.units) {
        tell_query(us, query);
    } else if (++query->tries >= TRADES_TRIES) {
        fail_query(us, query, "its fills are not listed");
    } else {
        query->fills.count = 0;
        query->from = 0;
        query->retry_at = us->now + TRADES_RETRY_NS;
    }
}

static void take_trades(struct binance_us *us, const struct adapter_asked *asked,
                        const struct binance_us_answer *answer)
{
    struct binance_us_query *query = query_of(us, asked->note);
    struct error error = {0};
    if (!query)
        return;
    if (answer->outcome != BINANCE_US_GOOD) {
        fail_query(us, query,
                   answer->outcome == BINANCE_US_REFUSED ? answer->error.text
                                                         : "no answer that tells");
        return;
    }
    if (binance_us_read_trades(answer->body, answer->length, &us->fills, &error) != 0) {
        fail_query(us, query, error.text);
        return;
    }
    size_t count = us->fills.count;
    if (!append_trades(query, &us->fills)) {
        fail_query(us, query, "no memory");
    } else if (count == TRADES_PAGE) {
        query->from = us->fills.list[count - 1].trade + 1;
        ask_trades(us, query);
    } else {
        judge_trades(us, query);
    }
}

void binance_us_orders_due(struct binance_us *us)
{
    for (size_t i = 0; i < BINANCE_US_QUERIES_MAX; i++)
        if (us->queries[i].used && us->now >= us->queries[i].retry_at)
            ask_trades(us, &us->queries[i]);
}

void binance_us_order_answer(struct binance_us *us, const struct adapter_asked *asked,
                             const struct binance_us_answer *answer)
{
    switch ((enum binance_us_ask)asked->kind) {
    case ASK_PLACE:
        take_placed(us, asked, answer);
        break;
    case ASK_REPLACE:
        take_replaced(us, asked, answer);
        break;
    case ASK_CANCEL:
        take_cancelled(us, asked, answer);
        break;
    case ASK_QUERY:
        take_query(us, asked, answer);
        break;
    case ASK_TRADES:
        take_trades(us, asked, answer);
        break;
    case ASK_TIME:
    case ASK_INFO:
    case ASK_RIGHTS:
    case ASK_FEES:
    case ASK_DEPTH:
    case ASK_TICKERS:
    case ASK_LISTEN:
    case ASK_KEEP:
    case ASK_ACCOUNT:
    case ASK_OPEN_ORDERS:
    case ASK_MISSED:
    case ASK_MISSED_ORDER:
    case BINANCE_US_ASK_COUNT:
        ASSERT(false);
        break;
    }
}

/* --- private events ----------------------------------------------------------------------------------- */

/* The words of a rejection on the private stream are not those of an answer. */
static enum reject reject_of_report(struct binance_us *us, const char *reason)
{
    if (strstr(reason, "BALANCE"))
        return REJECT_FUNDS;
    adapter_log(&us->out, LOG_WARN, "an order was rejected by the private stream: %s", reason);
    return REJECT_OTHER;
}

void binance_us_take_report(struct binance_us *us)
{
    const struct binance_us_event *event = &us->event;
    const struct binance_us_order *told = &event->order;
    uint16_t place = adapter_place_of_symbol(&us->names, told->symbol);
    order_id order = adapter_order_of(us->settings.session, told->name, strlen(told->name));
    if (place == ADAPTER_NO_PLACE || order == 0) {
        us->reports_foreign++; /* the account's snapshot tells of it */
        return;
    }
    switch ((enum binance_us_execution)event->execution) {
    case BINANCE_US_EXECUTION_NEW:
        tell_accepted(us, place, order, told);
        break;
    case BINANCE_US_EXECUTION_TRADE:
        tell_fill(us, place, order, (enum side)told->side, &event->fill,
                  binance_us_leaves(us, place, told),
                  event->fill.maker ? LIQUIDITY_MAKER : LIQUIDITY_TAKER);
        break;
    case BINANCE_US_EXECUTION_CANCELED:
    case BINANCE_US_EXECUTION_EXPIRED:
    case BINANCE_US_EXECUTION_TRADE_PREVENTION: {
        const struct adapter_asked *replace =
            adapter_requests_about(&us->requests, ASK_REPLACE, order);
        tell_end(us, place, order, told,
                 replace && replace->replaces == order ? CANCEL_REPLACED : CANCEL_REQUESTED);
        break;
    }
    case BINANCE_US_EXECUTION_REJECTED:
        tell_rejected(us, place, order, reject_of_report(us, event->reason));
        break;
    case BINANCE_US_EXECUTION_OTHER:
        us->events_other++;
        break;
    }
}
