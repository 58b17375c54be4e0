/* Orders at Coinbase: decisions as requests, and the answers to them. An order is sent once: what has no answer is
 * looked for by its name, never placed again. A cancel and an edit name the venue's id; one whose id is not known
 * yet waits for it. That the venue took a cancel or an edit does not say that it came about: the user channel tells,
 * or REST when asked (coinbase_records.c). */
#include "venue/live/coinbase.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* A fill that was told shortly before a decision may not have been known to it. */
#define CROSSING_NS NS_PER_SECOND

/* --- what the engine is told -------------------------------------------------------------------------- */

union event_record *coinbase_tell(struct coinbase *venue, enum event_kind kind, uint16_t place,
                                  struct adapter_when when)
{
    return adapter_tell(&venue->out, kind,
                        EVENT_STREAM(adapter_number(&venue->names, place), CHANNEL_SESSION), when);
}

void coinbase_tell_unknown(struct coinbase *venue, uint16_t place, order_id order,
                           enum request request)
{
    if (order != 0)
        coinbase_tell(venue, EVENT_order_unknown, place, (struct adapter_when){0, 0})
            ->order_unknown = (struct event_order_unknown){adapter_number(&venue->names, place),
                                                           order, (uint8_t)request};
}

void coinbase_tell_rejected(struct coinbase *venue, uint16_t place, order_id order,
                            enum reject reason)
{
    coinbase_tell(venue, EVENT_order_rejected, place, coinbase_venue_now(venue))->order_rejected =
        (struct event_order_rejected){adapter_number(&venue->names, place), order, (uint8_t)reason};
}

void coinbase_tell_cancel_rejected(struct coinbase *venue, uint16_t place, order_id order,
                                   enum reject reason)
{
    coinbase_tell(venue, EVENT_cancel_rejected, place, coinbase_venue_now(venue))->cancel_rejected =
        (struct event_cancel_rejected){adapter_number(&venue->names, place), order,
                                       (uint8_t)reason};
}

static void tell_modify_rejected(struct coinbase *venue, uint16_t place, order_id order,
                                 enum reject reason)
{
    coinbase_tell(venue, EVENT_modify_rejected, place, coinbase_venue_now(venue))->modify_rejected =
        (struct event_modify_rejected){adapter_number(&venue->names, place), order,
                                       (uint8_t)reason};
}

struct venue_id coinbase_venue_id(const char *id)
{
    struct venue_id out = {.length = (uint8_t)strlen(id)};
    ASSERT(out.length <= EVENT_VENUE_ID_MAX);
    memcpy(out.bytes, id, out.length);
    return out;
}

/* --- refusals ----------------------------------------------------------------------------------------- */

static void log_reason(struct coinbase *venue, const struct coinbase_error *error)
{
    for (size_t i = 0; i < venue->reasons_logged_count; i++)
        if (strcmp(venue->reasons_logged[i], error->reason) == 0)
            return;
    if (venue->reasons_logged_count < COINBASE_REASONS_MAX)
        memcpy(venue->reasons_logged[venue->reasons_logged_count++], error->reason,
               sizeof error->reason);
    adapter_log(&venue->out, LOG_WARN, "refused for a reason that is in no table: %s %s",
                error->reason, error->text);
}

enum reject coinbase_reject_of(struct coinbase *venue, const struct coinbase_error *error)
{
    bool known;
    enum reject reject = coinbase_reject(error, &known);
    if (!known)
        log_reason(venue, error);
    /* A key that is bound to a portfolio may have to name it. */
    if (strcmp(error->reason, "account") == 0 && venue->rights.portfolio[0] != '\0')
        venue->names_portfolio = true;
    return reject;
}

static enum reject reject_of_unsent(enum coinbase_sent sent)
{
    return sent == COINBASE_HELD_BACK ? REJECT_RATE
           : sent == COINBASE_NO_ROOM ? REJECT_FULL
                                      : REJECT_OTHER;
}

static void log_unread(struct coinbase *venue, const struct coinbase_answer *answer,
                       const struct error *error)
{
    if (answer->outcome == COINBASE_GOOD)
        adapter_log(&venue->out, LOG_ERROR, "an answer about an order can't be read: %s",
                    error->text);
}

/* --- new orders --------------------------------------------------------------------------------------- */

static enum reject check_order(const struct coinbase *venue, const struct event_place *order)
{
    if (order->time_in_force >= TIME_IN_FORCE_COUNT ||
        (order->post_only && order->time_in_force != TIME_IN_FORCE_GTC))
        return REJECT_UNSUPPORTED;
    if (order->price.status != NUMBER_VALUE || order->price.units <= 0)
        return REJECT_PRICE;
    if (order->quantity.status != NUMBER_VALUE || order->quantity.units <= 0)
        return REJECT_QUANTITY;
    (void)venue;
    return REJECT_NONE;
}

/* "2026-04-07T14:35:00Z": the dead man's end of an order, rounded up to a second. */
static void end_time(const struct coinbase *venue, char out[TIME_TEXT_MAX])
{
    int64_t end =
        venue->now + venue->time.offset_ns + venue->settings.expiry_ns + NS_PER_SECOND - 1;
    time_to_text(end - end % NS_PER_SECOND, out);
    memcpy(out + strlen("2026-04-07T14:35:00"), "Z", 2);
}

/* The one key of order_configuration, and what only some of them have. */
static const char *configuration_of(const struct coinbase *venue, const struct event_place *order,
                                    char more[96])
{
    char end[TIME_TEXT_MAX];
    const char *post_only = order->post_only ? "true" : "false";
    more[0] = '\0';
    if (order->time_in_force == TIME_IN_FORCE_IOC)
        return "sor_limit_ioc";
    if (order->time_in_force == TIME_IN_FORCE_FOK)
        return "limit_limit_fok";
    if (venue->settings.expiry_ns <= 0) {
        snprintf(more, 96, ",\"post_only\":%s", post_only);
        return "limit_limit_gtc";
    }
    end_time(venue, end);
    snprintf(more, 96, ",\"end_time\":\"%s\",\"post_only\":%s", end, post_only);
    return "limit_limit_gtd";
}

static void write_order(struct coinbase *venue, uint16_t place, const struct event_place *order)
{
    const struct event_definition *definition = adapter_definition(&venue->names, place);
    char name[ADAPTER_ORDER_NAME_MAX], size[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX], more[96];
    char portfolio[96] = "";
    const char *configuration = configuration_of(venue, order, more);
    adapter_order_name(venue->settings.session, order->order, name);
    adapter_decimal(order->quantity.units, definition->quantity_exponent, size);
    adapter_decimal(order->price.units, definition->price_exponent, price);
    if (venue->names_portfolio)
        snprintf(portfolio, sizeof portfolio, ",\"retail_portfolio_id\":\"%s\"",
                 venue->rights.portfolio);
    int length =
        snprintf(venue->body, sizeof venue->body,
                 "{\"client_order_id\":\"%s\",\"product_id\":\"%s\",\"side\":\"%s\","
                 "\"order_configuration\":{\"%s\":{\"base_size\":\"%s\","
                 "\"limit_price\":\"%s\"%s}}%s}",
                 name, venue->settings.symbols[place], order->side == SIDE_BUY ? "BUY" : "SELL",
                 configuration, size, price, more, portfolio);
    ASSERT(length > 0 && (size_t)length < sizeof venue->body);
}

/* What is asked for is what the record has from now on. */
static bool record_order(struct coinbase *venue, uint16_t place, const struct event_place *order)
{
    struct coinbase_record *record = coinbase_record_new(venue, order->order, place);
    if (!record)
        return false;
    record->mine = true;
    record->accepted = false;
    record->side = order->side;
    record->sided = true;
    record->time_in_force = order->time_in_force;
    record->post_only = order->post_only;
    record->has_end = order->time_in_force == TIME_IN_FORCE_GTC && venue->settings.expiry_ns > 0;
    record->price = order->price.units;
    record->size = order->quantity.units;
    record->sent_ns = venue->now;
    return true;
}

/* An order that is certainly none: nothing more is told of it. */
static void refuse_new(struct coinbase *venue, uint16_t place, order_id order, enum reject reject)
{
    struct coinbase_record *record = coinbase_record_of(venue, order);
    if (record) {
        record->over = record->end_told = true;
        record->cancel_wanted = false;
        record->ended_ns = venue->now;
    }
    coinbase_tell_rejected(venue, place, order, reject);
}

static void place_order(struct coinbase *venue, uint16_t place, const struct event_place *order)
{
    struct coinbase_question question = {.body = venue->body};
    struct adapter_asked about = {.order = order->order, .place = place};
    enum reject reject = check_order(venue, order);
    if (reject == REJECT_NONE && !record_order(venue, place, order))
        reject = REJECT_FULL;
    if (reject == REJECT_NONE) {
        write_order(venue, place, order);
        enum coinbase_sent sent = coinbase_ask(venue, COINBASE_ASK_PLACE, &question, &about, NULL);
        if (sent == COINBASE_SENT)
            return;
        reject = reject_of_unsent(sent);
    }
    refuse_new(venue, place, order->order, reject);
}

/* Whether the answer is about the order that was asked for: it may tell its name, product and side, or only an id. */
static bool is_about(struct coinbase *venue, const struct coinbase_record *record,
                     const struct coinbase_placed *placed, struct error *error)
{
    bool named = placed->name[0] == '\0' || adapter_order_of(venue->settings.session, placed->name,
                                                             strlen(placed->name)) == record->order;
    if (!named)
        error_set(error, ERROR_INPUT, "it is about the order %.64s, which was not asked about",
                  placed->name);
    else if (!coinbase_record_is(venue, record, placed->symbol,
                                 placed->has_side ? placed->side : record->side,
                                 "the answer to a new order"))
        error_set(error, ERROR_INPUT, "it is about another product or side");
    else
        return true;
    return false;
}

/* "Duplicate" says that one of this name is there, and names are used once: whatever carried the request has
 * brought it twice, and the first may rest. */
static void take_refusal(struct coinbase *venue, const struct adapter_asked *asked,
                         const struct coinbase_error *refusal)
{
    enum reject reject = coinbase_reject_of(venue, refusal);
    if (reject == REJECT_DUPLICATE)
        coinbase_tell_unknown(venue, asked->place, asked->order, REQUEST_PLACE);
    else
        refuse_new(venue, asked->place, asked->order, reject);
}

static void take_placed(struct coinbase *venue, const struct adapter_asked *asked,
                        const struct coinbase_answer *answer)
{
    struct coinbase_record *record = coinbase_record_of(venue, asked->order);
    struct coinbase_placed placed;
    struct error error = {0};
    bool read = answer->outcome == COINBASE_GOOD &&
                coinbase_read_placed(answer->body, answer->length, &placed, &error) == 0;
    if (answer->outcome == COINBASE_REFUSED) {
        take_refusal(venue, asked, &answer->error);
    } else if (read && !placed.success) {
        take_refusal(venue, asked, &placed.error);
    } else if (read && record && is_about(venue, record, &placed, &error)) {
        memcpy(record->id, placed.id, sizeof record->id);
        record->live = true;
        coinbase_record_settle(venue, record);
    } else {
        log_unread(venue, answer, &error);
        coinbase_tell_unknown(venue, asked->place, asked->order, REQUEST_PLACE);
        if (record && record->cancel_wanted)
            coinbase_look(venue, record, COINBASE_LOOK_FIND);
    }
}

/* --- cancels ------------------------------------------------------------------------------------------ */

/* The next batch of the queue as a request's body; what has ended meanwhile is left out. */
static void take_batch(struct coinbase *venue, struct coinbase_batch *batch)
{
    size_t taken = 0;
    int length = snprintf(venue->body, sizeof venue->body, "{\"order_ids\":[");
    batch->count = 0;
    for (; taken < venue->queue_count && batch->count < COINBASE_BATCH_MAX; taken++) {
        struct coinbase_record *record = coinbase_record_of(venue, venue->queue[taken]);
        if (!record || !record->cancel_wanted)
            continue;
        record->cancel_wanted = false;
        length += snprintf(venue->body + length, sizeof venue->body - (size_t)length, "%s\"%s\"",
                           batch->count ? "," : "", record->id);
        batch->orders[batch->count++] = record->order;
    }
    venue->queue_count -= taken;
    memmove(venue->queue, venue->queue + taken, venue->queue_count * sizeof *venue->queue);
    length += snprintf(venue->body + length, sizeof venue->body - (size_t)length, "]}");
    ASSERT((size_t)length < sizeof venue->body);
}

static struct coinbase_batch *free_batch(struct coinbase *venue)
{
    for (size_t i = 0; i < COINBASE_BATCHES; i++)
        if (venue->batches[i].tag == 0)
            return &venue->batches[i];
    return NULL;
}

/* Few requests at a time: what is decided while they travel leaves together in the next one. */
void coinbase_send_cancels(struct coinbase *venue)
{
    struct coinbase_batch *batch;
    while (venue->queue_count > 0 && (batch = free_batch(venue)) != NULL) {
        struct coinbase_question question = {.body = venue->body};
        take_batch(venue, batch);
        if (batch->count == 0)
            return;
        enum coinbase_sent sent = coinbase_ask(venue, COINBASE_ASK_CANCEL, &question,
                                               &(struct adapter_asked){0}, &batch->tag);
        for (size_t i = 0; sent != COINBASE_SENT && i < batch->count; i++) {
            const struct coinbase_record *record = coinbase_record_of(venue, batch->orders[i]);
            coinbase_tell_cancel_rejected(venue, record->place, record->order,
                                          reject_of_unsent(sent));
        }
    }
}

void coinbase_id_known(struct coinbase *venue, struct coinbase_record *record)
{
    bool queued = false;
    for (size_t i = 0; i < venue->queue_count; i++)
        queued |= venue->queue[i] == record->order;
    if (!record->cancel_wanted || queued)
        return;
    if (venue->queue_count == COINBASE_QUEUE_MAX) {
        record->cancel_wanted = false;
        coinbase_tell_cancel_rejected(venue, record->place, record->order, REJECT_FULL);
        return;
    }
    venue->queue[venue->queue_count++] = record->order;
    coinbase_send_cancels(venue);
}

void coinbase_not_there(struct coinbase *venue, struct coinbase_record *record)
{
    if (record->cancel_wanted && record->id[0] == '\0') {
        record->cancel_wanted = false;
        coinbase_tell_cancel_rejected(venue, record->place, record->order, REJECT_NOT_FOUND);
    }
}

static void cancel_order(struct coinbase *venue, uint16_t place, order_id order)
{
    struct coinbase_record *record = coinbase_record_new(venue, order, place);
    if (!record) {
        coinbase_tell_cancel_rejected(venue, place, order, REJECT_FULL);
        return;
    }
    if (record->end_told) { /* crossing its end */
        coinbase_tell_cancel_rejected(venue, place, order, REJECT_NOT_FOUND);
        return;
    }
    record->cancel_wanted = true;
    if (record->id[0] != '\0')
        coinbase_id_known(venue, record);
    else if (!adapter_requests_about(&venue->requests, COINBASE_ASK_PLACE, order))
        coinbase_look(venue, record, COINBASE_LOOK_FIND);
}

/* An order that only the venue knows. One of ours has a record like the others; of somebody else's nothing is told
 * but by the account. */
static void cancel_orphan(struct coinbase *venue, uint16_t place,
                          const struct event_cancel_orphan *orphan)
{
    char id[EVENT_VENUE_ID_MAX + 1] = "";
    struct coinbase_question question = {.body = venue->body};
    memcpy(id, orphan->venue_order.bytes, orphan->venue_order.length);
    if (orphan->order != 0) {
        struct coinbase_record *record = coinbase_record_new(venue, orphan->order, place);
        if (record && record->id[0] == '\0')
            memcpy(record->id, id, sizeof id);
        cancel_order(venue, place, orphan->order);
        return;
    }
    if (id[0] == '\0' || strpbrk(id, "\"\\"))
        return;
    snprintf(venue->body, sizeof venue->body, "{\"order_ids\":[\"%s\"]}", id);
    (void)coinbase_ask(venue, COINBASE_ASK_CANCEL, &question, &(struct adapter_asked){0}, NULL);
}

/* Success, and "already pending", say that it is on its way. */
static void take_cancel(struct coinbase *venue, struct coinbase_record *record,
                        const struct coinbase_cancel *cancel)
{
    if (record->end_told)
        return; /* the channel was faster */
    if (cancel->success || strcmp(cancel->error.reason, "DUPLICATE_CANCEL_REQUEST") == 0) {
        record->cancel_sent = true;
        coinbase_await(venue, record);
        coinbase_record_settle(venue, record);
        return;
    }
    coinbase_tell_cancel_rejected(venue, record->place, record->order,
                                  coinbase_reject_of(venue, &cancel->error));
}

/* The answer to one order of a batch; NULL where it does not name it. */
static const struct coinbase_cancel *cancel_of(const struct coinbase *venue,
                                               const struct coinbase_record *record)
{
    for (size_t i = 0; i < venue->cancels.count; i++)
        if (strcmp(venue->cancels.list[i].id, record->id) == 0)
            return &venue->cancels.list[i];
    return NULL;
}

/* An order that the answer does not name: refused with all others, or unknown. */
static void take_unnamed(struct coinbase *venue, struct coinbase_record *record,
                         const struct coinbase_answer *answer)
{
    if (record->end_told)
        return;
    if (answer->outcome == COINBASE_REFUSED)
        coinbase_tell_cancel_rejected(venue, record->place, record->order,
                                      coinbase_reject_of(venue, &answer->error));
    else
        coinbase_tell_unknown(venue, record->place, record->order, REQUEST_CANCEL);
}

static void take_cancels(struct coinbase *venue, const struct adapter_asked *asked,
                         const struct coinbase_answer *answer)
{
    struct error error = {0};
    struct coinbase_batch *batch = venue->batches;
    while (batch < venue->batches + COINBASE_BATCHES && batch->tag != asked->tag)
        batch++;
    if (batch == venue->batches + COINBASE_BATCHES)
        return; /* of somebody else's order */
    venue->cancels.count = 0;
    if (answer->outcome == COINBASE_GOOD &&
        coinbase_read_cancels(answer->body, answer->length, &venue->cancels, &error) != 0) {
        venue->cancels.count = 0;
        log_unread(venue, answer, &error);
    }
    batch->tag = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct coinbase_record *record = coinbase_record_of(venue, batch->orders[i]);
        const struct coinbase_cancel *cancel = record ? cancel_of(venue, record) : NULL;
        if (cancel)
            take_cancel(venue, record, cancel);
        else if (record)
            take_unnamed(venue, record, answer);
    }
    coinbase_send_cancels(venue);
}

/* --- edits -------------------------------------------------------------------------------------------- */

/* The whole size that a modify means. It was decided with some fills known and means those and `leaves` more; of
 * an order of which a fill was told in the last second it is not certain which (0). Where price moves or more is
 * wanted nothing had filled yet (trading-semantics 27), whatever did since. */
static int64_t edited_size(const struct coinbase *venue, const struct coinbase_record *record,
                           const struct event_modify *modify)
{
    int64_t size;
    bool unfilled =
        modify->price.units != record->price || modify->leaves.units > record->size - record->told;
    if (unfilled || record->told == 0)
        return modify->leaves.units;
    if (venue->now - record->told_ns < CROSSING_NS ||
        __builtin_add_overflow(record->told, modify->leaves.units, &size))
        return 0;
    return size;
}

/* Why an edit is not even sent; FILLED has the engine ask. */
static enum reject check_edit(const struct coinbase_record *record,
                              const struct event_modify *modify)
{
    if (!record || record->id[0] == '\0' || record->end_told)
        return REJECT_NOT_FOUND;
    if (record->has_end || record->time_in_force != TIME_IN_FORCE_GTC)
        return REJECT_UNSUPPORTED;
    if (modify->price.status != NUMBER_VALUE || modify->price.units <= 0)
        return REJECT_PRICE;
    if (modify->leaves.status != NUMBER_VALUE || modify->leaves.units <= 0)
        return REJECT_QUANTITY;
    return record->size > 0 ? REJECT_NONE : REJECT_FILLED;
}

static void write_edit(struct coinbase *venue, const struct coinbase_record *record)
{
    const struct event_definition *definition = adapter_definition(&venue->names, record->place);
    char size[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
    adapter_decimal(record->edit_size, definition->quantity_exponent, size);
    adapter_decimal(record->edit_price, definition->price_exponent, price);
    snprintf(venue->body, sizeof venue->body,
             "{\"order_id\":\"%s\",\"price\":\"%s\",\"size\":\"%s\"}", record->id, price, size);
}

static enum reject send_edit(struct coinbase *venue, struct coinbase_record *record,
                             const struct event_modify *modify)
{
    struct coinbase_question question = {.body = venue->body};
    struct adapter_asked about = {.order = record->order, .place = record->place};
    record->edit_price = modify->price.units;
    record->edit_size = edited_size(venue, record, modify);
    if (record->edit_size == 0)
        return REJECT_FILLED;
    write_edit(venue, record);
    enum coinbase_sent sent = coinbase_ask(venue, COINBASE_ASK_EDIT, &question, &about, NULL);
    if (sent != COINBASE_SENT)
        return reject_of_unsent(sent);
    record->editing = true;
    return REJECT_NONE;
}

static void modify_order(struct coinbase *venue, uint16_t place, const struct event_modify *modify)
{
    struct coinbase_record *record = coinbase_record_of(venue, modify->order);
    enum reject reject = check_edit(record, modify);
    if (reject == REJECT_NONE)
        reject = send_edit(venue, record, modify);
    if (reject != REJECT_NONE)
        tell_modify_rejected(venue, place, modify->order, reject);
}

static void refuse_edit(struct coinbase *venue, const struct adapter_asked *asked,
                        struct coinbase_record *record, const struct coinbase_error *refusal)
{
    if (record) {
        record->editing = false;
        record->edit_price = record->edit_size = 0;
    }
    tell_modify_rejected(venue, asked->place, asked->order, coinbase_reject_of(venue, refusal));
    if (record)
        coinbase_record_settle(venue, record);
}

/* What its record does not call an edit any more has been told by the channel. */
static void take_edited(struct coinbase *venue, const struct adapter_asked *asked,
                        const struct coinbase_answer *answer)
{
    struct coinbase_record *record = coinbase_record_of(venue, asked->order);
    struct coinbase_error refusal = {{0}, {0}};
    struct error error = {0};
    bool success = false;
    bool read = answer->outcome == COINBASE_GOOD &&
                coinbase_read_edit(answer->body, answer->length, &success, &refusal, &error) == 0;
    if (answer->outcome == COINBASE_REFUSED) {
        refuse_edit(venue, asked, record, &answer->error);
    } else if (read && !success) {
        refuse_edit(venue, asked, record, &refusal);
    } else if (read) {
        if (record && record->editing)
            coinbase_await(venue, record);
    } else {
        log_unread(venue, answer, &error);
        if (!record || record->editing) {
            /* Whether it came about is seen when it is asked for, which the engine does. */
            coinbase_tell_unknown(venue, asked->place, asked->order, REQUEST_MODIFY);
        }
    }
}

/* --- decisions ---------------------------------------------------------------------------------------- */

/* The venue can't cancel one order and place another in one act (its setting venue.modify is `edit`). */
static void refuse_replace(struct coinbase *venue, uint16_t place,
                           const struct event_replace *replace)
{
    coinbase_tell_cancel_rejected(venue, place, replace->replaces, REJECT_UNSUPPORTED);
    coinbase_tell_rejected(venue, place, replace->order, REJECT_REPLACE);
}

static bool is_for_us(unsigned kind)
{
    return kind == EVENT_place || kind == EVENT_replace || kind == EVENT_cancel ||
           kind == EVENT_cancel_orphan || kind == EVENT_query || kind == EVENT_modify;
}

void coinbase_decision(struct coinbase *venue, const struct message *decision)
{
    const union event_record *record = decision->record;
    if (decision->kind == EVENT_request_snapshot) {
        if (record->request_snapshot.venue == venue->names.numbers->venue)
            coinbase_want_account(venue);
        return;
    }
    if (!is_for_us(decision->kind))
        return;
    /* Each of these begins with its instrument (event/kinds.h). */
    uint16_t place = adapter_place_of_number(&venue->names, record->cancel.instrument);
    if (place == ADAPTER_NO_PLACE)
        return; /* another venue's */
    if (decision->kind == EVENT_place)
        place_order(venue, place, &record->place);
    else if (decision->kind == EVENT_replace)
        refuse_replace(venue, place, &record->replace);
    else if (decision->kind == EVENT_cancel)
        cancel_order(venue, place, record->cancel.order);
    else if (decision->kind == EVENT_cancel_orphan)
        cancel_orphan(venue, place, &record->cancel_orphan);
    else if (decision->kind == EVENT_query)
        coinbase_query(venue, place, record->query.order);
    else
        modify_order(venue, place, &record->modify);
}

void coinbase_order_answer(struct coinbase *venue, const struct adapter_asked *asked,
                           const struct coinbase_answer *answer)
{
    if (asked->kind == COINBASE_ASK_PLACE)
        take_placed(venue, asked, answer);
    else if (asked->kind == COINBASE_ASK_CANCEL)
        take_cancels(venue, asked, answer);
    else
        take_edited(venue, asked, answer);
}
