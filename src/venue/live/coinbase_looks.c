/* Looks: questions about one order at Coinbase. The venue can't be asked for a client order id; its lists are read
 * until it turns up ("List Orders"). An order's fills are a list of their own ("List Fills"), which may lag behind
 * the order and is read until it adds up to what the order says. */
#include "venue/live/coinbase.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define RETRY_NS (300 * NS_PER_MS)
/* An order can't have been made before it was sent, as far as two clocks agree. */
#define EARLIER_NS (60 * NS_PER_SECOND)

enum {
    TRIES_MAX = 8,  /* of the list of fills, until it adds up */
    PAGES_MAX = 40, /* of one list */
    PAGE_ORDERS = 250,
    PAGE_FILLS = 100,
    LIST_ALL = 0, /* every order, the newest first; then those that a list may leave out */
    LISTS = 4
};

/* Statuses by which the lists are asked for; the first has none. Open ones can't be asked for together with others. */
static const uint8_t list_status[LISTS] = {COINBASE_OTHER_STATUS, COINBASE_PENDING, COINBASE_QUEUED,
                                           COINBASE_OPEN};

/* --- the table --------------------------------------------------------------------------------------- */

static struct coinbase_look *look_at(struct coinbase *venue, order_id order)
{
    for (size_t i = 0; i < COINBASE_LOOKS_MAX; i++)
        if (venue->looks[i].used && venue->looks[i].order == order)
            return &venue->looks[i];
    return NULL;
}

bool coinbase_is_looked_at(const struct coinbase *venue, order_id order)
{
    for (size_t i = 0; i < COINBASE_LOOKS_MAX; i++)
        if (venue->looks[i].used && venue->looks[i].order == order)
            return true;
    return false;
}

static struct coinbase_look *look_of(struct coinbase *venue, uint32_t number)
{
    for (size_t i = 0; i < COINBASE_LOOKS_MAX; i++)
        if (venue->looks[i].used && venue->looks[i].number == number)
            return &venue->looks[i];
    return NULL;
}

static struct coinbase_look *new_look(struct coinbase *venue, uint16_t place, order_id order)
{
    struct coinbase_look *look = NULL;
    for (size_t i = 0; i < COINBASE_LOOKS_MAX && !look; i++)
        if (!venue->looks[i].used)
            look = &venue->looks[i];
    if (!look)
        return NULL;
    struct coinbase_fills fills = look->fills;
    fills.count = 0;
    *look = (struct coinbase_look){.used = true,
                                   .number = ++venue->last_look,
                                   .place = place,
                                   .order = order,
                                   .fills = fills,
                                   .retry_at = TIME_NEVER};
    return look;
}

static void end_look(struct coinbase_look *look)
{
    look->used = false;
}

/* --- how it ends -------------------------------------------------------------------------------------- */

/* Nothing came of it. A query is told so; of an order that nobody asked for the engine is told to ask. */
static void fail(struct coinbase *venue, struct coinbase_look *look, const char *why)
{
    struct coinbase_record *record = coinbase_record_of(venue, look->order);
    enum request request = REQUEST_QUERY;
    adapter_log(&venue->out, LOG_WARN, "a question about an order is not answered: %s", why);
    end_look(look);
    if (!look->is_query && record && record->cancel_wanted && record->id[0] == '\0') {
        record->cancel_wanted = false;
        request = REQUEST_CANCEL;
    }
    coinbase_tell_unknown(venue, look->place, look->order, request);
}

static void not_found(struct coinbase *venue, struct coinbase_look *look)
{
    struct coinbase_record *record = coinbase_record_of(venue, look->order);
    end_look(look);
    if (look->is_query)
        coinbase_tell(venue, EVENT_order_not_found, look->place,
                      (struct adapter_when){look->looked_ns, MESSAGE_VENUE_ESTIMATED})
            ->order_not_found =
            (struct event_order_not_found){adapter_number(&venue->names, look->place), look->order};
    if (record)
        coinbase_not_there(venue, record);
}

/* What closes a query, after fills and end. */
static void tell_status(struct coinbase *venue, const struct coinbase_look *look,
                        const struct coinbase_record *record)
{
    struct number leaves = coinbase_record_leaves(record);
    if (record->over)
        leaves = (struct number){0, NUMBER_VALUE};
    coinbase_tell(venue, EVENT_order_status, look->place,
                  (struct adapter_when){look->looked_ns, MESSAGE_VENUE_ESTIMATED})
        ->order_status =
        (struct event_order_status){.instrument = adapter_number(&venue->names, look->place),
                                    .order = look->order,
                                    .venue_order = coinbase_venue_id(record->id),
                                    .side = record->side,
                                    .price = {record->price, NUMBER_VALUE},
                                    .leaves = leaves};
}

/* All is known: each fill, then what settles the record, then for a query how it stands. The engine takes an end as
 * told by a query even where it was told before. */
static void finish(struct coinbase *venue, struct coinbase_look *look)
{
    struct coinbase_record *record = coinbase_record_of(venue, look->order);
    struct coinbase_look ended = *look;
    if (!record) {
        fail(venue, look, "its record is gone");
        return;
    }
    if (!coinbase_record_fills(venue, record, &look->fills, look->is_query)) {
        fail(venue, look, "no memory");
        return;
    }
    end_look(look);
    if (ended.is_query) {
        record->accepted = true;
        /* Asked for without an edit under way: what it shows is how it is. */
        if (!adapter_requests_about(&venue->requests, COINBASE_ASK_EDIT, look->order) &&
            record->check_at == TIME_NEVER)
            record->editing = false;
        if (record->over)
            record->end_told = false;
    }
    coinbase_record_settle(venue, record);
    if (ended.is_query)
        tell_status(venue, &ended, record);
}

/* --- asking ------------------------------------------------------------------------------------------- */

static void add_number(struct coinbase_question *question, const char *name, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    coinbase_add(question, name, text);
}

static enum coinbase_ask make_find(const struct coinbase *venue, const struct coinbase_look *look,
                                   struct coinbase_question *question)
{
    if (look->list != LIST_ALL)
        coinbase_add(question, "order_status",
                     coinbase_status_word((enum coinbase_status)list_status[look->list]));
    coinbase_add(question, "product_ids", venue->settings.symbols[look->place]);
    add_number(question, "limit", PAGE_ORDERS);
    if (look->page.cursor[0] != '\0')
        coinbase_add(question, "cursor", look->page.cursor);
    return COINBASE_ASK_FIND;
}

static enum coinbase_ask make_question(struct coinbase *venue, const struct coinbase_look *look,
                                       struct coinbase_question *question)
{
    const struct coinbase_record *record = coinbase_record_of(venue, look->order);
    if (look->step == COINBASE_LOOK_FIND)
        return make_find(venue, look, question);
    if (look->step == COINBASE_LOOK_ORDER) {
        snprintf(question->path, sizeof question->path, "%s", record ? record->id : "");
        return COINBASE_ASK_ORDER;
    }
    coinbase_add(question, "order_ids", record ? record->id : "");
    add_number(question, "limit", PAGE_FILLS);
    if (look->page.cursor[0] != '\0')
        coinbase_add(question, "cursor", look->page.cursor);
    return COINBASE_ASK_FILLS;
}

static void ask(struct coinbase *venue, struct coinbase_look *look)
{
    struct coinbase_question question = {.body = NULL};
    struct adapter_asked about = {.order = look->order, .place = look->place, .note = look->number};
    enum coinbase_ask kind = make_question(venue, look, &question);
    look->retry_at = TIME_NEVER;
    enum coinbase_sent sent = coinbase_ask(venue, kind, &question, &about, NULL);
    if (sent == COINBASE_HELD_BACK)
        look->retry_at = venue->now + COINBASE_TICK_NS;
    else if (sent != COINBASE_SENT)
        fail(venue, look, "it can't be asked for now");
}

static void go_on(struct coinbase *venue, struct coinbase_look *look, enum coinbase_look_step step)
{
    look->step = (uint8_t)step;
    look->page.cursor[0] = '\0';
    look->pages = 0;
    look->fills.count = 0;
    ask(venue, look);
}

void coinbase_look(struct coinbase *venue, struct coinbase_record *record,
                   enum coinbase_look_step step)
{
    if (coinbase_is_looked_at(venue, record->order))
        return; /* when it ends the record is settled again */
    struct coinbase_look *look = new_look(venue, record->place, record->order);
    if (look)
        go_on(venue, look, record->id[0] == '\0' ? COINBASE_LOOK_FIND : step);
    else
        coinbase_tell_unknown(venue, record->place, record->order, REQUEST_QUERY);
}

/* A query tells more than a look that is under way for other reasons. */
void coinbase_query(struct coinbase *venue, uint16_t place, order_id order)
{
    struct coinbase_look *look = look_at(venue, order);
    struct coinbase_record *record = coinbase_record_new(venue, order, place);
    if (look)
        end_look(look);
    look = record ? new_look(venue, place, order) : NULL;
    if (!look) {
        coinbase_tell_unknown(venue, place, order, REQUEST_QUERY);
        return;
    }
    look->is_query = true;
    go_on(venue, look, record->id[0] == '\0' ? COINBASE_LOOK_FIND : COINBASE_LOOK_ORDER);
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* The order as REST has it. */
static void take_order(struct coinbase *venue, struct coinbase_look *look,
                       const struct coinbase_order *told)
{
    struct coinbase_record *record = coinbase_record_of(venue, look->order);
    order_id named = adapter_order_of(venue->settings.session, told->name, strlen(told->name));
    int exponent = adapter_definition(&venue->names, look->place)->quantity_exponent;
    struct number filled = json_units(&told->filled, exponent);
    bool known = told->status != COINBASE_OTHER_STATUS && filled.status == NUMBER_VALUE;
    if (!record || named != look->order || !known) {
        fail(venue, look,
             named == look->order ? "a status or a sum that can't be read"
                                  : "it is of another order");
        return;
    }
    if (!coinbase_record_is(venue, record, told->symbol, told->side, "an order")) {
        fail(venue, look, "it is of another product or side");
        return;
    }
    coinbase_record_take(venue, record, told);
    record->live |= !coinbase_status_is_over((enum coinbase_status)told->status);
    if (record->size == 0)
        record->size = -1; /* the venue does not tell it */
    if (record->filled > record->told || (look->is_query && record->filled > 0))
        go_on(venue, look, COINBASE_LOOK_FILLS);
    else
        finish(venue, look);
}

/* Whether everything that a list still has is older than the order. */
static bool is_past(const struct coinbase *venue, const struct coinbase_look *look)
{
    const struct coinbase_record *record = coinbase_record_of(venue, look->order);
    const struct coinbase_orders *orders = &venue->orders;
    int64_t created = orders->count > 0 ? orders->list[orders->count - 1].created_ns : 0;
    return look->list == LIST_ALL && record && record->sent_ns > 0 && created > 0 &&
           created < record->sent_ns + venue->time.offset_ns - EARLIER_NS;
}

static void next_list(struct coinbase *venue, struct coinbase_look *look)
{
    look->pages = 0;
    look->page.cursor[0] = '\0';
    if (++look->list == LISTS)
        not_found(venue, look);
    else
        ask(venue, look);
}

static void take_list(struct coinbase *venue, struct coinbase_look *look,
                      const struct coinbase_answer *answer)
{
    struct error error = {0};
    venue->orders.count = 0;
    if (coinbase_read_orders(answer->body, answer->length, &venue->orders, &look->page, &error) !=
        0) {
        fail(venue, look, error.text);
        return;
    }
    for (size_t i = 0; i < venue->orders.count; i++) {
        const struct coinbase_order *told = &venue->orders.list[i];
        if (adapter_order_of(venue->settings.session, told->name, strlen(told->name)) ==
            look->order) {
            take_order(venue, look, told);
            return;
        }
    }
    if (look->page.cursor[0] == '\0' || is_past(venue, look))
        next_list(venue, look);
    else if (++look->pages >= PAGES_MAX)
        fail(venue, look, "the list of orders is too long");
    else
        ask(venue, look);
}

/* The list may lag behind the order. It may also be newer, and then tells more. */
static void judge_fills(struct coinbase *venue, struct coinbase_look *look)
{
    const struct coinbase_record *record = coinbase_record_of(venue, look->order);
    coinbase_fills_order(&look->fills);
    struct number sum = coinbase_sum_of_fills(venue, look->place, &look->fills);
    if (sum.status != NUMBER_VALUE) {
        fail(venue, look, "a fill's quantity can't be read");
    } else if (!record || sum.units >= record->filled) {
        finish(venue, look);
    } else if (++look->tries >= TRIES_MAX) {
        fail(venue, look, "its fills are not listed");
    } else {
        look->fills.count = 0;
        look->pages = 0;
        look->page.cursor[0] = '\0';
        look->retry_at = venue->now + RETRY_NS;
    }
}

/* Fills of this order alone, whatever the list has. False where one has its id and another product or side. */
static bool drop_others(struct coinbase *venue, struct coinbase_look *look)
{
    const struct coinbase_record *record = coinbase_record_of(venue, look->order);
    size_t kept = 0;
    for (size_t i = 0; i < look->fills.count; i++) {
        const struct coinbase_fill *fill = &look->fills.list[i];
        if (!record || strcmp(fill->order, record->id) != 0)
            continue;
        if (!coinbase_record_is(venue, record, fill->symbol, fill->side, "a fill"))
            return false;
        look->fills.list[kept++] = *fill;
    }
    look->fills.count = kept;
    return true;
}

static void take_fills(struct coinbase *venue, struct coinbase_look *look,
                       const struct coinbase_answer *answer)
{
    struct error error = {0};
    if (coinbase_read_fills(answer->body, answer->length, &look->fills, &look->page, &error) != 0) {
        fail(venue, look, error.text);
        return;
    }
    if (!drop_others(venue, look))
        fail(venue, look, "a fill of it is of another product or side");
    else if (look->page.cursor[0] == '\0')
        judge_fills(venue, look);
    else if (++look->pages >= PAGES_MAX)
        fail(venue, look, "the list of fills is too long");
    else
        ask(venue, look);
}

static void take_found(struct coinbase *venue, struct coinbase_look *look,
                       const struct coinbase_answer *answer)
{
    struct coinbase_order told;
    struct error error = {0};
    if (coinbase_read_order(answer->body, answer->length, &told, &error) == 0)
        take_order(venue, look, &told);
    else
        fail(venue, look, error.text);
}

/* No answer that tells. What nobody asked for is asked for again, a few times. */
static void take_nothing(struct coinbase *venue, struct coinbase_look *look,
                         const struct coinbase_answer *answer)
{
    bool refused = answer->outcome == COINBASE_REFUSED;
    enum reject reject = refused ? coinbase_reject_of(venue, &answer->error) : REJECT_OTHER;
    if (look->step == COINBASE_LOOK_ORDER && reject == REJECT_NOT_FOUND) {
        not_found(venue, look);
    } else if (!look->is_query && ++look->tries < TRIES_MAX) {
        look->fills.count = 0;
        look->page.cursor[0] = '\0';
        look->retry_at = venue->now + RETRY_NS * look->tries;
    } else {
        fail(venue, look, refused ? answer->error.text : "no answer that tells");
    }
}

void coinbase_look_answer(struct coinbase *venue, const struct adapter_asked *asked,
                          const struct coinbase_answer *answer)
{
    struct coinbase_look *look = look_of(venue, asked->note);
    if (!look)
        return; /* another one tells more */
    if (asked->kind != COINBASE_ASK_FILLS)
        look->looked_ns = asked->sent_ns + venue->time.offset_ns;
    if (answer->outcome != COINBASE_GOOD)
        take_nothing(venue, look, answer);
    else if (asked->kind == COINBASE_ASK_FIND)
        take_list(venue, look, answer);
    else if (asked->kind == COINBASE_ASK_ORDER)
        take_found(venue, look, answer);
    else
        take_fills(venue, look, answer);
}

void coinbase_looks_due(struct coinbase *venue)
{
    for (size_t i = 0; i < COINBASE_LOOKS_MAX; i++)
        if (venue->looks[i].used && venue->now >= venue->looks[i].retry_at)
            ask(venue, &venue->looks[i]);
}
