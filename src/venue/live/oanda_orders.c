/* Orders at OANDA: decisions as requests, and their answers. An order is sent once: what has no answer is asked for
 * by its name, never placed again. */
#include "venue/live/oanda.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { PATH_MAX_BYTES = 128 };

/* --- what the engine is told -------------------------------------------------------------------------- */

union event_record *v20_tell(struct v20 *v20, enum event_kind kind, uint16_t place,
                             struct adapter_when when)
{
    return adapter_tell(&v20->out, kind,
                        EVENT_STREAM(adapter_number(&v20->names, place), CHANNEL_SESSION), when);
}

void v20_tell_unknown(struct v20 *v20, uint16_t place, order_id order, enum request request)
{
    if (order != 0)
        v20_tell(v20, EVENT_order_unknown, place, (struct adapter_when){0, 0})->order_unknown =
            (struct event_order_unknown){adapter_number(&v20->names, place), order,
                                         (uint8_t)request};
}

static void tell_rejected(struct v20 *v20, uint16_t place, order_id order, enum reject reason)
{
    v20_tell(v20, EVENT_order_rejected, place, v20_venue_at(v20, v20->now))->order_rejected =
        (struct event_order_rejected){adapter_number(&v20->names, place), order, (uint8_t)reason};
}

static void tell_cancel_rejected(struct v20 *v20, uint16_t place, order_id order,
                                 enum reject reason)
{
    if (order != 0)
        v20_tell(v20, EVENT_cancel_rejected, place, v20_venue_at(v20, v20->now))->cancel_rejected =
            (struct event_cancel_rejected){adapter_number(&v20->names, place), order,
                                           (uint8_t)reason};
}

static void tell_modify_rejected(struct v20 *v20, uint16_t place, order_id order,
                                 enum reject reason)
{
    v20_tell(v20, EVENT_modify_rejected, place, v20_venue_at(v20, v20->now))->modify_rejected =
        (struct event_modify_rejected){adapter_number(&v20->names, place), order, (uint8_t)reason};
}

struct number v20_nearest(const struct json_decimal *price, int exponent)
{
    struct number units = json_units(price, exponent);
    money exact, rounded, unit;
    if (units.status != NUMBER_OFF_GRID ||
        !money_from_units(price->value.mantissa, price->value.exponent, &exact) ||
        !money_round(exact, exponent, MONEY_HALF_EVEN, &rounded) ||
        !money_from_units(1, exponent, &unit) || rounded.atto / unit.atto > EVENT_PRICE_MAX)
        return units;
    return (struct number){(int64_t)(rounded.atto / unit.atto), NUMBER_VALUE};
}

/* An average over several levels may stand between two ticks: the nearer is told, once with a word. The money is
 * the venue's in any case. */
static struct number price_of(struct v20 *v20, const struct json_decimal *price, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    if (!v20->price_logged && json_units(price, exponent).status == NUMBER_OFF_GRID) {
        decimal_to_text(price->value.mantissa, price->value.exponent, text);
        adapter_log(&v20->out, LOG_WARN, "a fill's price is between two ticks: %s", text);
        v20->price_logged = true;
    }
    return v20_nearest(price, exponent);
}

/* The currency of commissions. One that the tape has no number for can't be booked, which is told once. */
static uint16_t fee_asset_of(struct v20 *v20, uint16_t place, money fee)
{
    uint16_t number = adapter_asset(&v20->names, v20->home);
    if (fee.atto == 0)
        return adapter_definition(&v20->names, place)->settle;
    if (number == EVENT_NONE_16 && !v20->fee_logged) {
        v20->fee_logged = true;
        adapter_log(&v20->out, LOG_ERROR,
                    "commission is paid in %s, which is no asset of this tape: it is not booked",
                    v20->home);
    }
    return number;
}

/* The venue is the counterparty: whatever fills, it fills at its own price, and nobody makes a market. */
void v20_tell_fill(struct v20 *v20, uint16_t place, order_id order,
                   const struct v20_transaction *fill, struct number leaves)
{
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    struct number price = price_of(v20, &fill->price, definition->price_exponent);
    uint16_t asset = fee_asset_of(v20, place, fill->commission);
    v20_tell(v20, EVENT_order_filled, place, v20_venue_time(fill->time_ns))->order_filled =
        (struct event_order_filled){
            .instrument = adapter_number(&v20->names, place),
            .order = order,
            .trade = adapter_venue_id(fill->id),
            .side = fill->side,
            .price = price,
            .quantity = json_units(&fill->units, definition->quantity_exponent),
            .leaves = leaves,
            .cause = FILL_REPORTED,
            .liquidity = LIQUIDITY_TAKER,
            .fee = fill->commission,
            .fee_asset = asset,
        };
}

void v20_tell_end(struct v20 *v20, uint16_t place, order_id order,
                  const struct v20_transaction *cancel, struct number leaves, bool at_once)
{
    struct adapter_when when = v20_venue_time(cancel->time_ns);
    uint16_t number = adapter_number(&v20->names, place);
    bool expired = strcmp(cancel->reason, "TIME_IN_FORCE_EXPIRED") == 0;
    bool requested = strcmp(cancel->reason, "CLIENT_REQUEST") == 0;
    bool replaced = strcmp(cancel->reason, "CLIENT_REQUEST_REPLACED") == 0;
    if (expired && !at_once) {
        v20_tell(v20, EVENT_order_expired, place, when)->order_expired =
            (struct event_order_expired){number, order, leaves};
        return;
    }
    enum cancel_cause cause = replaced    ? CANCEL_REPLACED
                              : requested ? CANCEL_REQUESTED
                                          : CANCEL_UNFILLED;
    v20_tell(v20, EVENT_order_cancelled, place, when)->order_cancelled =
        (struct event_order_cancelled){number, order, leaves, (uint8_t)cause};
    if (!replaced && !requested && !expired)
        adapter_log(&v20->out, LOG_WARN, "an order was ended by the venue: %s", cancel->reason);
}

/* --- refusals ----------------------------------------------------------------------------------------- */

enum reject v20_reject_of(struct v20 *v20, const struct v20_error *error)
{
    bool known;
    enum reject reject = v20_reject(error->code, &known);
    if (known)
        return reject;
    const char *name = error->code[0] ? error->code : error->text;
    char code[V20_WORD_MAX + 1];
    snprintf(code, sizeof code, "%.*s", V20_WORD_MAX, name);
    for (size_t i = 0; i < v20->codes_logged_count; i++)
        if (strcmp(v20->codes_logged[i], code) == 0)
            return reject;
    if (v20->codes_logged_count < V20_CODES_MAX)
        memcpy(v20->codes_logged[v20->codes_logged_count++], code, sizeof code);
    adapter_log(&v20->out, LOG_WARN, "refused for a reason that is in no table: %s %s", error->code,
                error->text);
    return reject;
}

static enum reject reject_of(struct v20 *v20, const struct v20_answer *answer)
{
    return answer->status == 429 ? REJECT_RATE : v20_reject_of(v20, &answer->error);
}

static enum reject reject_of_unsent(enum v20_sent sent)
{
    return sent == V20_HELD_BACK ? REJECT_RATE : sent == V20_NO_ROOM ? REJECT_FULL : REJECT_OTHER;
}

static void log_unread(struct v20 *v20, const struct v20_answer *answer, const struct error *error)
{
    if (answer->outcome == V20_GOOD)
        adapter_log(&v20->out, LOG_ERROR, "an answer about an order can't be read: %s",
                    error->text);
}

/* --- requests ----------------------------------------------------------------------------------------- */

/* What there is to be sent, or why it is not. `order` 0: the name of the order that is replaced stays. */
struct outgoing {
    char name[ADAPTER_ORDER_NAME_MAX], units[DECIMAL_TEXT_MAX + 1], price[DECIMAL_TEXT_MAX];
    char body[V20_BODY_MAX];
};

/* The venue has no post-only: what stands behind the touch that was seen last is taken for it, and may yet be filled
 * where the price comes to it first. */
static enum reject check_order(const struct v20 *v20, uint16_t place,
                               const struct event_place *order)
{
    if (order->time_in_force >= TIME_IN_FORCE_COUNT ||
        (order->post_only && order->time_in_force != TIME_IN_FORCE_GTC))
        return REJECT_UNSUPPORTED;
    if (order->price.status != NUMBER_VALUE || order->price.units <= 0)
        return REJECT_PRICE;
    if (order->quantity.status != NUMBER_VALUE || order->quantity.units <= 0)
        return REJECT_QUANTITY;
    enum reject fault = v20_post_only_fault(v20, place, (enum side)order->side, order->price.units);
    if (order->post_only && fault != REJECT_NONE)
        return fault;
    return REJECT_NONE;
}

/* `full`: a new order; else one that replaces another. */
static enum reject make_body(const struct v20 *v20, uint16_t place, const struct event_place *order,
                             bool full, struct outgoing *out)
{
    static const char *const times[] = {"GTC", "IOC", "FOK"};
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    enum reject reject = check_order(v20, place, order);
    if (reject != REJECT_NONE)
        return reject;
    bool dies = v20->settings.expiry_ns > 0 && order->time_in_force == TIME_IN_FORCE_GTC;
    adapter_decimal(order->side == SIDE_SELL ? -order->quantity.units : order->quantity.units,
                    definition->quantity_exponent, out->units);
    decimal_to_text(order->price.units, definition->price_exponent, out->price);
    if (order->order != 0)
        adapter_order_name(v20->settings.session, order->order, out->name);
    struct v20_new_order made = {
        .instrument = v20->settings.symbols[place],
        .units = out->units,
        .price = out->price,
        .time_in_force = dies ? "GTD" : times[order->time_in_force],
        .gtd_ns = dies ? v20->now + v20->clock.offset_ns + v20->settings.expiry_ns : 0,
        .full = full,
        .name = order->order != 0 ? out->name : NULL,
        .tag = full ? v20->settings.session : NULL,
    };
    return v20_write_order(&made, out->body) ? REJECT_NONE : REJECT_OTHER;
}

static void place_order(struct v20 *v20, uint16_t place, const struct event_place *order)
{
    struct outgoing out;
    enum reject reject = make_body(v20, place, order, true, &out);
    if (reject == REJECT_NONE) {
        struct adapter_asked about = {.order = order->order, .place = place};
        enum v20_sent sent = v20_send(v20, V20_ASK_PLACE, "/orders", out.body, out.name, &about);
        if (sent == V20_SENT)
            return;
        reject = reject_of_unsent(sent);
    }
    tell_rejected(v20, place, order->order, reject);
}

/* "/orders/@mm1-1-7" and what stands behind it. */
static void order_path(const struct v20 *v20, order_id order, const char *behind,
                       char out[PATH_MAX_BYTES])
{
    char name[ADAPTER_ORDER_NAME_MAX];
    adapter_order_name(v20->settings.session, order, name);
    snprintf(out, PATH_MAX_BYTES, "/orders/@%s%s", name, behind);
}

static void replace_order(struct v20 *v20, uint16_t place, const struct event_replace *replace)
{
    const struct event_place order = {.order = replace->order,
                                      .side = replace->side,
                                      .price = replace->price,
                                      .quantity = replace->quantity,
                                      .time_in_force = replace->time_in_force,
                                      .post_only = replace->post_only};
    struct outgoing out;
    char path[PATH_MAX_BYTES];
    enum reject reject = make_body(v20, place, &order, false, &out);
    if (reject == REJECT_NONE) {
        struct adapter_asked about = {
            .order = replace->order, .replaces = replace->replaces, .place = place};
        order_path(v20, replace->replaces, "", path);
        enum v20_sent sent = v20_send(v20, V20_ASK_REPLACE, path, out.body, NULL, &about);
        if (sent == V20_SENT)
            return;
        reject = reject_of_unsent(sent);
    }
    tell_cancel_rejected(v20, place, replace->replaces, reject);
    tell_rejected(v20, place, replace->order, reject);
}

/* The same request without a name: the new order inherits the old one's, so that for us it is the same. That it was
 * post-only is not said, and all of ours are: the same is asked of its price. */
static void modify_order(struct v20 *v20, uint16_t place, const struct event_modify *modify)
{
    const struct event_place order = {.side = modify->side,
                                      .price = modify->price,
                                      .quantity = modify->leaves,
                                      .time_in_force = TIME_IN_FORCE_GTC,
                                      .post_only = true};
    struct outgoing out;
    char path[PATH_MAX_BYTES];
    enum reject reject = make_body(v20, place, &order, false, &out);
    if (reject == REJECT_NONE) {
        struct adapter_asked about = {.order = modify->order, .place = place};
        order_path(v20, modify->order, "", path);
        enum v20_sent sent = v20_send(v20, V20_ASK_MODIFY, path, out.body, NULL, &about);
        if (sent == V20_SENT)
            return;
        reject = reject_of_unsent(sent);
    }
    tell_modify_rejected(v20, place, modify->order, reject);
}

static void ask_cancel(struct v20 *v20, uint16_t place, order_id order, const char *path)
{
    enum v20_sent sent = v20_send(v20, V20_ASK_CANCEL, path, NULL, NULL,
                                  &(struct adapter_asked){.order = order, .place = place});
    if (sent != V20_SENT)
        tell_cancel_rejected(v20, place, order, reject_of_unsent(sent));
}

static void cancel_order(struct v20 *v20, uint16_t place, order_id order)
{
    char path[PATH_MAX_BYTES];
    order_path(v20, order, "/cancel", path);
    ask_cancel(v20, place, order, path);
}

/* An order that only the venue knows, by the venue's number. */
static void cancel_orphan(struct v20 *v20, uint16_t place, const struct event_cancel_orphan *orphan)
{
    char path[PATH_MAX_BYTES], id[EVENT_VENUE_ID_MAX + 1] = "";
    memcpy(id, orphan->venue_order.bytes, orphan->venue_order.length);
    if (id[0] != '\0' && strspn(id, "0123456789") == orphan->venue_order.length)
        snprintf(path, sizeof path, "/orders/%s/cancel", id);
    else if (orphan->order != 0)
        order_path(v20, orphan->order, "/cancel", path);
    else
        return;
    ask_cancel(v20, place, orphan->order, path);
}

void v20_decision(struct v20 *v20, const struct message *decision)
{
    const union event_record *record = decision->record;
    if (decision->kind == EVENT_request_snapshot) {
        if (record->request_snapshot.venue == v20->names.numbers->venue)
            v20_want_account(v20);
        return;
    }
    if (decision->kind != EVENT_place && decision->kind != EVENT_replace &&
        decision->kind != EVENT_cancel && decision->kind != EVENT_cancel_orphan &&
        decision->kind != EVENT_query && decision->kind != EVENT_modify)
        return;
    /* Each of these begins with its instrument (event/kinds.h). */
    uint16_t place = adapter_place_of_number(&v20->names, record->cancel.instrument);
    if (place == ADAPTER_NO_PLACE)
        return; /* another venue's */
    if (decision->kind == EVENT_place)
        place_order(v20, place, &record->place);
    else if (decision->kind == EVENT_replace)
        replace_order(v20, place, &record->replace);
    else if (decision->kind == EVENT_cancel)
        cancel_order(v20, place, record->cancel.order);
    else if (decision->kind == EVENT_cancel_orphan)
        cancel_orphan(v20, place, &record->cancel_orphan);
    else if (decision->kind == EVENT_query)
        v20_query(v20, place, record->query.order);
    else
        modify_order(v20, place, &record->modify);
}

/* --- answers ------------------------------------------------------------------------------------------ */

static order_id order_of(const struct v20 *v20, const struct v20_transaction *transaction)
{
    return adapter_order_of(v20->settings.session, transaction->name, strlen(transaction->name));
}

/* What was made of a request for an order; NULL where nothing was, or for another one. */
static const struct v20_transaction *made_of(const struct v20 *v20,
                                             const struct adapter_asked *asked)
{
    for (size_t i = 0; i < v20->made.count; i++) {
        const struct v20_transaction *made = &v20->made.list[i];
        if (made->type == V20_MADE && order_of(v20, made) == asked->order &&
            adapter_place_of_symbol(&v20->names, made->instrument) == asked->place)
            return made;
    }
    return NULL;
}

/* Made and ended in one breath, with nothing filled: a refusal in effect. */
static enum reject refusal_in_effect(const struct v20 *v20, const struct v20_transaction *made)
{
    enum reject reject = REJECT_NONE;
    for (size_t i = 0; i < v20->made.count; i++) {
        const struct v20_transaction *other = &v20->made.list[i];
        if (other->type == V20_FILL && other->order == made->id)
            return REJECT_NONE;
        if (other->type == V20_CANCEL && other->order == made->id && !made->at_once)
            reject = v20_end(other->reason);
    }
    return reject;
}

/* What an answer made, in the order in which it was made. What is refused in effect has neither begun nor ended. */
static void take_all(struct v20 *v20, const struct adapter_asked *asked,
                     const struct v20_transaction *made)
{
    bool waits = !v20_may_take(v20, v20->made.count); /* then all of it tells itself in turn */
    enum reject reject =
        waits || v20_is_taken(v20, made->id) ? REJECT_NONE : refusal_in_effect(v20, made);
    for (size_t i = 0; i < v20->made.count; i++) {
        struct v20_transaction *one = &v20->made.list[i];
        if (reject != REJECT_NONE && one == made && made->replaces == 0)
            one->type = V20_OTHER;
        v20_take_made(v20, one);
    }
    if (reject != REJECT_NONE && made->replaces == 0)
        tell_rejected(v20, asked->place, asked->order, reject);
}

static bool is_read(struct v20 *v20, const struct v20_answer *answer, struct error *error)
{
    return answer->outcome == V20_GOOD &&
           v20_read_made(answer->body, answer->length, &v20->made, error) == 0;
}

static void take_placed(struct v20 *v20, const struct adapter_asked *asked,
                        const struct v20_answer *answer)
{
    struct error error = {0};
    const struct v20_transaction *made = NULL;
    if (answer->outcome == V20_DENIED) {
        enum reject reject = reject_of(v20, answer);
        /* Names are used once: whatever carried the request brought it twice, and the first may rest. */
        if (reject == REJECT_DUPLICATE)
            v20_tell_unknown(v20, asked->place, asked->order, REQUEST_PLACE);
        else
            tell_rejected(v20, asked->place, asked->order, reject);
        return;
    }
    if (is_read(v20, answer, &error) && !(made = made_of(v20, asked)))
        error_set(&error, ERROR_INPUT, "it is about another order");
    if (made) {
        take_all(v20, asked, made);
        return;
    }
    log_unread(v20, answer, &error);
    v20_tell_unknown(v20, asked->place, asked->order, REQUEST_PLACE);
}

static void refuse_replace(struct v20 *v20, const struct adapter_asked *asked, enum reject reject)
{
    if (reject == REJECT_DUPLICATE) {
        v20_tell_unknown(v20, asked->place, asked->replaces, REQUEST_REPLACE);
        v20_tell_unknown(v20, asked->place, asked->order, REQUEST_REPLACE);
        return;
    }
    tell_cancel_rejected(v20, asked->place, asked->replaces, reject);
    tell_rejected(v20, asked->place, asked->order,
                  reject == REJECT_NOT_FOUND ? REJECT_REPLACE : reject);
}

/* One act: either both orders changed, or neither did. */
static void take_replaced(struct v20 *v20, const struct adapter_asked *asked,
                          const struct v20_answer *answer)
{
    struct error error = {0};
    const struct v20_transaction *made = NULL;
    if (answer->outcome == V20_DENIED) {
        refuse_replace(v20, asked, reject_of(v20, answer));
        return;
    }
    if (is_read(v20, answer, &error) && !(made = made_of(v20, asked)))
        error_set(&error, ERROR_INPUT, "it is about another order");
    if (made) {
        take_all(v20, asked, made);
        return;
    }
    log_unread(v20, answer, &error);
    v20_tell_unknown(v20, asked->place, asked->replaces, REQUEST_REPLACE);
    v20_tell_unknown(v20, asked->place, asked->order, REQUEST_REPLACE);
}

static void take_modified(struct v20 *v20, const struct adapter_asked *asked,
                          const struct v20_answer *answer)
{
    struct error error = {0};
    const struct v20_transaction *made = NULL;
    if (answer->outcome == V20_DENIED) {
        tell_modify_rejected(v20, asked->place, asked->order, reject_of(v20, answer));
        return;
    }
    if (is_read(v20, answer, &error) && !(made = made_of(v20, asked)))
        error_set(&error, ERROR_INPUT, "it is about another order");
    if (made) {
        take_all(v20, asked, made);
        return;
    }
    log_unread(v20, answer, &error);
    v20_tell_unknown(v20, asked->place, asked->order, REQUEST_MODIFY);
}

/* A cancel of the order that `asked` is about is among what was made; its name may be left out. */
static bool is_cancelled(const struct v20 *v20, const struct adapter_asked *asked)
{
    for (size_t i = 0; i < v20->made.count; i++)
        if (v20->made.list[i].type == V20_CANCEL &&
            (v20->made.list[i].name[0] == '\0' ||
             order_of(v20, &v20->made.list[i]) == asked->order))
            return true;
    return false;
}

static void take_cancelled(struct v20 *v20, const struct adapter_asked *asked,
                           const struct v20_answer *answer)
{
    struct error error = {0};
    bool read = is_read(v20, answer, &error);
    for (size_t i = 0; read && i < v20->made.count; i++)
        v20_take_made(v20, &v20->made.list[i]);
    if (asked->order == 0)
        return; /* of somebody else's order: the account tells of its end */
    if (answer->outcome == V20_DENIED) {
        tell_cancel_rejected(v20, asked->place, asked->order, reject_of(v20, answer));
        return;
    }
    if (read && is_cancelled(v20, asked))
        return;
    if (read)
        error_set(&error, ERROR_INPUT, "it is about another order");
    log_unread(v20, answer, &error);
    v20_tell_unknown(v20, asked->place, asked->order, REQUEST_CANCEL);
}

void v20_order_answer(struct v20 *v20, const struct adapter_asked *asked,
                      const struct v20_answer *answer)
{
    if (asked->kind == V20_ASK_PLACE)
        take_placed(v20, asked, answer);
    else if (asked->kind == V20_ASK_REPLACE)
        take_replaced(v20, asked, answer);
    else if (asked->kind == V20_ASK_MODIFY)
        take_modified(v20, asked, answer);
    else
        take_cancelled(v20, asked, answer);
}
