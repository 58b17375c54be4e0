/* What became of an order at OANDA: the order by its name, which is sure only while it is pending, else by the list
 * of all orders; then the transactions since it was made, which tell each fill and its end. */
#include "venue/live/oanda.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum {
    LIST_PAGE = 500,       /* the most that one answer has */
    LIST_PAGES_MAX = 20,   /* 10,000 orders; beyond them it is not known whether there is one */
    FILLS_PAGES_MAX = 200, /* of transactions */
    /* Orders leave in the order of their names, and arrive nearly so: one that is this much older than what is
     * looked for ends the search. */
    NAMES_APART = 256,
    PATH_MAX_BYTES = 256
};

static struct v20_query *query_of(struct v20 *v20, uint32_t number)
{
    for (size_t i = 0; i < V20_QUERIES_MAX; i++)
        if (v20->queries[i].step != V20_QUERY_FREE && v20->queries[i].number == number)
            return &v20->queries[i];
    return NULL;
}

/* A newer question about the same order replaces the older one, whose answers are then nobody's. */
static struct v20_query *new_query(struct v20 *v20, uint16_t place, order_id order)
{
    struct v20_query *free_one = NULL;
    for (size_t i = 0; i < V20_QUERIES_MAX; i++) {
        struct v20_query *query = &v20->queries[i];
        if (query->step != V20_QUERY_FREE && query->order == order)
            query->step = V20_QUERY_FREE;
        if (query->step == V20_QUERY_FREE && !free_one)
            free_one = query;
    }
    if (!free_one)
        return NULL;
    struct v20_transactions transactions = free_one->transactions;
    transactions.count = 0;
    *free_one = (struct v20_query){.step = V20_QUERY_ORDER,
                                   .number = ++v20->last_query,
                                   .place = place,
                                   .order = order,
                                   .transactions = transactions};
    return free_one;
}

static void fail_query(struct v20 *v20, struct v20_query *query, const char *why)
{
    adapter_log(&v20->out, LOG_WARN, "a query is not answered: %s", why);
    v20_tell_unknown(v20, query->place, query->order, REQUEST_QUERY);
    query->step = V20_QUERY_FREE;
}

static void ask(struct v20 *v20, struct v20_query *query, enum v20_ask kind, const char *path)
{
    struct adapter_asked about = {
        .order = query->order, .place = query->place, .note = query->number};
    if (v20_send(v20, kind, path, NULL, NULL, &about) != V20_SENT)
        fail_query(v20, query, "it can't be asked now");
}

void v20_query(struct v20 *v20, uint16_t place, order_id order)
{
    char path[PATH_MAX_BYTES], name[ADAPTER_ORDER_NAME_MAX];
    struct v20_query *query = new_query(v20, place, order);
    if (!query) {
        v20_tell_unknown(v20, place, order, REQUEST_QUERY);
        return;
    }
    adapter_order_name(v20->settings.session, order, name);
    snprintf(path, sizeof path, "/orders/@%s", name);
    ask(v20, query, V20_ASK_QUERY, path);
}

/* --- the end of a query ------------------------------------------------------------------------------- */

/* When the venue looked: not before the newest thing that it told. */
static struct adapter_when when_of(const struct v20 *v20, const struct v20_query *query,
                                   int64_t sent_ns)
{
    struct adapter_when when = v20_venue_at(v20, sent_ns);
    for (size_t i = 0; i < query->transactions.count; i++)
        if (query->transactions.list[i].time_ns > when.ns && when.flags != 0)
            when.ns = query->transactions.list[i].time_ns;
    return when;
}

static struct number less(struct number a, struct number b)
{
    if (a.status != NUMBER_VALUE || b.status != NUMBER_VALUE || a.units < b.units || b.units < 0)
        return (struct number){0, NUMBER_MALFORMED};
    return (struct number){a.units - b.units, NUMBER_VALUE};
}

/* Each fill again, its end where it has ended, then how it rests. */
static void tell_query(struct v20 *v20, struct v20_query *query, int64_t sent_ns)
{
    const struct event_definition *definition = adapter_definition(&v20->names, query->place);
    struct number leaves = json_units(&query->answer.units, definition->quantity_exponent);
    struct number price = json_units(&query->answer.price, definition->price_exponent);
    struct adapter_when when = when_of(v20, query, sent_ns);
    uint64_t id = query->answer.id;
    bool ended = false, at_once = false;
    for (size_t i = 0; i < query->transactions.count; i++) {
        const struct v20_transaction *one = &query->transactions.list[i];
        if (one->type == V20_MADE) { /* itself, or what it goes on as under the same name */
            leaves = json_units(&one->units, definition->quantity_exponent);
            price = json_units(&one->price, definition->price_exponent);
            at_once = one->at_once;
            id = one->id;
            ended = false;
        } else if (one->type == V20_FILL) {
            leaves = less(leaves, json_units(&one->units, definition->quantity_exponent));
            v20_tell_fill(v20, query->place, query->order, one, leaves);
            ended = leaves.status == NUMBER_VALUE && leaves.units == 0;
        } else if (one->order == id) {
            ended = true;
            bool renewed = i + 1 < query->transactions.count &&
                           query->transactions.list[i + 1].type == V20_MADE;
            if (!renewed)
                v20_tell_end(v20, query->place, query->order, one, leaves, at_once);
        }
    }
    if (ended)
        leaves = (struct number){0, NUMBER_VALUE};
    v20_tell(v20, EVENT_order_status, query->place, when)->order_status =
        (struct event_order_status){.instrument = adapter_number(&v20->names, query->place),
                                    .order = query->order,
                                    .venue_order = adapter_venue_id(id),
                                    .side = query->answer.side,
                                    .price = price,
                                    .leaves = leaves};
    query->step = V20_QUERY_FREE;
}

/* --- transactions of an order -------------------------------------------------------------------------- */

static void ask_fills(struct v20 *v20, struct v20_query *query)
{
    char path[PATH_MAX_BYTES];
    query->step = V20_QUERY_FILLS;
    snprintf(path, sizeof path, "/transactions/sinceid?id=%" PRIu64, query->from);
    ask(v20, query, V20_ASK_FILLS, path);
}

/* From where it was made on, or what it stands in for: that may bear the same name. */
static void take_found(struct v20 *v20, struct v20_query *query, const struct v20_order *order)
{
    query->answer = *order;
    query->from = order->id - 1;
    if (order->replaces > 0 && order->replaces < order->id)
        query->from = order->replaces - 1;
    query->end = order->filling > order->cancelling ? order->filling : order->cancelling;
    if (order->pending)
        query->end = 0;
    query->pages = 0;
    ask_fills(v20, query);
}

static bool speaks_of(const struct v20 *v20, const struct v20_query *query,
                      const struct v20_transaction *one)
{
    bool named =
        adapter_order_of(v20->settings.session, one->name, strlen(one->name)) == query->order;
    if (one->type == V20_MADE)
        return named;
    return (one->type == V20_FILL || one->type == V20_CANCEL || one->type == V20_UNREADABLE) &&
           (named || one->order == query->answer.id);
}

/* False where something that it needs is missing; `why` says what. */
static bool append_page(struct v20 *v20, struct v20_query *query, const char **why)
{
    for (size_t i = 0; i < v20->made.count; i++) {
        const struct v20_transaction *one = &v20->made.list[i];
        if (!speaks_of(v20, query, one))
            continue;
        *why = one->type == V20_UNREADABLE ? "a transaction of it can't be read" : "no memory";
        if (one->type == V20_UNREADABLE || !v20_transactions_append(&query->transactions, one))
            return false;
    }
    return true;
}

static void take_fills(struct v20 *v20, struct v20_query *query, const struct adapter_asked *asked,
                       const struct v20_answer *answer)
{
    struct error error = {0};
    const char *why = NULL;
    if (answer->outcome != V20_GOOD) {
        fail_query(v20, query,
                   answer->outcome == V20_DENIED ? answer->error.text : "no answer that tells");
        return;
    }
    if (v20_read_transactions(answer->body, answer->length, &v20->made, &error) != 0) {
        fail_query(v20, query, error.text);
        return;
    }
    size_t count = v20->made.count;
    uint64_t last = count > 0 ? v20->made.list[count - 1].id : query->from;
    uint64_t end = query->end != 0 ? query->end : v20->made.last;
    if (!append_page(v20, query, &why)) {
        fail_query(v20, query, why);
    } else if (last >= end) {
        tell_query(v20, query, asked->sent_ns);
    } else if (count == 0 || ++query->pages >= FILLS_PAGES_MAX) {
        fail_query(v20, query, "its transactions are not listed");
    } else {
        query->from = last;
        ask_fills(v20, query);
    }
}

/* --- the order ---------------------------------------------------------------------------------------- */

static void ask_list(struct v20 *v20, struct v20_query *query, uint64_t before)
{
    char path[PATH_MAX_BYTES], rest[48] = "";
    query->step = V20_QUERY_LIST;
    if (before > 0)
        snprintf(rest, sizeof rest, "&beforeID=%" PRIu64, before);
    snprintf(path, sizeof path, "/orders?state=ALL&instrument=%s&count=%d%s",
             v20->settings.symbols[query->place], LIST_PAGE, rest);
    ask(v20, query, V20_ASK_ORDERS, path);
}

static void tell_not_found(struct v20 *v20, struct v20_query *query, int64_t sent_ns)
{
    v20_tell(v20, EVENT_order_not_found, query->place, v20_venue_at(v20, sent_ns))
        ->order_not_found =
        (struct event_order_not_found){adapter_number(&v20->names, query->place), query->order};
    query->step = V20_QUERY_FREE;
}

static bool is_of(const struct v20 *v20, const struct v20_query *query,
                  const struct v20_order *order)
{
    return adapter_order_of(v20->settings.session, order->name, strlen(order->name)) ==
               query->order &&
           strcmp(order->instrument, v20->settings.symbols[query->place]) == 0;
}

static void take_order(struct v20 *v20, struct v20_query *query, const struct v20_answer *answer)
{
    struct v20_order order;
    struct error error = {0};
    uint64_t last;
    if (answer->outcome == V20_DENIED && answer->status == 404) {
        query->pages = 0;
        ask_list(v20, query, 0);
    } else if (answer->outcome == V20_DENIED) {
        fail_query(v20, query, answer->error.text);
    } else if (answer->outcome != V20_GOOD) {
        fail_query(v20, query, "no answer that tells");
    } else if (v20_read_order(answer->body, answer->length, &order, &last, &error) != 0) {
        fail_query(v20, query, error.text);
    } else if (!is_of(v20, query, &order)) {
        fail_query(v20, query, "the answer is about another order");
    } else {
        take_found(v20, query, &order);
    }
}

/* The newest of its name; NULL. `older` becomes true where the list has gone past it. */
static const struct v20_order *find_in_list(const struct v20 *v20, const struct v20_query *query,
                                            bool *older)
{
    const struct v20_order *found = NULL;
    for (size_t i = 0; i < v20->orders.count; i++) {
        const struct v20_order *order = &v20->orders.list[i];
        order_id name = adapter_order_of(v20->settings.session, order->name, strlen(order->name));
        if (is_of(v20, query, order) && (!found || order->id > found->id))
            found = order;
        *older |= name != 0 && name + NAMES_APART < query->order;
    }
    return found;
}

static void take_list(struct v20 *v20, struct v20_query *query, const struct adapter_asked *asked,
                      const struct v20_answer *answer)
{
    struct error error = {0};
    bool older = false;
    if (answer->outcome != V20_GOOD) {
        fail_query(v20, query,
                   answer->outcome == V20_DENIED ? answer->error.text : "no answer that tells");
        return;
    }
    if (v20_read_orders(answer->body, answer->length, &v20->orders, &error) != 0) {
        fail_query(v20, query, error.text);
        return;
    }
    const struct v20_order *found = find_in_list(v20, query, &older);
    size_t count = v20->orders.count;
    if (found)
        take_found(v20, query, found);
    else if (count < LIST_PAGE || older)
        tell_not_found(v20, query, asked->sent_ns);
    else if (++query->pages >= LIST_PAGES_MAX)
        fail_query(v20, query, "it is not among the newest orders");
    else
        ask_list(v20, query, v20->orders.list[count - 1].id);
}

void v20_query_answer(struct v20 *v20, const struct adapter_asked *asked,
                      const struct v20_answer *answer)
{
    struct v20_query *query = query_of(v20, asked->note);
    if (!query)
        return;
    if (asked->kind == V20_ASK_QUERY)
        take_order(v20, query, answer);
    else if (asked->kind == V20_ASK_ORDERS)
        take_list(v20, query, asked, answer);
    else
        take_fills(v20, query, asked, answer);
}
