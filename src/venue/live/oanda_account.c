/* What happens to the account at OANDA: its transactions, each taken once and in the order of their ids, whichever
 * way they come; and its snapshot, told once everything up to it was taken. */
#include "venue/live/oanda.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { UNPROCESSABLE = 416, EMPTY_PAGES_MAX = 4 };

/* --- orders that rest -------------------------------------------------------------------------------- */

static struct v20_entry *entry_by_id(struct v20 *v20, uint64_t id)
{
    for (size_t i = 0; i < v20->entry_count; i++)
        if (v20->entries[i].id == id)
            return &v20->entries[i];
    return NULL;
}

static struct v20_entry *entry_by_order(struct v20 *v20, order_id order)
{
    for (size_t i = 0; i < v20->entry_count; i++)
        if (v20->entries[i].order == order)
            return &v20->entries[i];
    return NULL;
}

static void remove_entry(struct v20 *v20, struct v20_entry *entry)
{
    *entry = v20->entries[--v20->entry_count];
}

/* The oldest goes where there are too many: its fills then come without leaves. */
static struct v20_entry *new_entry(struct v20 *v20)
{
    if (v20->entry_count == V20_ENTRIES_MAX) {
        struct v20_entry *oldest = &v20->entries[0];
        for (size_t i = 1; i < v20->entry_count; i++)
            if (v20->entries[i].id < oldest->id)
                oldest = &v20->entries[i];
        remove_entry(v20, oldest);
    }
    return &v20->entries[v20->entry_count++];
}

static struct number leaves_of(const struct v20_entry *entry)
{
    if (!entry || entry->units < entry->filled)
        return (struct number){0, NUMBER_ABSENT};
    return (struct number){entry->units - entry->filled, NUMBER_VALUE};
}

static order_id order_of(const struct v20 *v20, const struct v20_transaction *transaction)
{
    return adapter_order_of(v20->settings.session, transaction->name, strlen(transaction->name));
}

/* --- one transaction --------------------------------------------------------------------------------- */

static bool is_told(const struct v20 *v20, const struct v20_transaction *transaction)
{
    return transaction->id > v20->log.told_after;
}

static void note_made(struct v20 *v20, struct v20_entry *entry, uint16_t place, order_id order,
                      const struct v20_transaction *made)
{
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    *entry = (struct v20_entry){
        .order = order,
        .id = made->id,
        .price_units = json_units(&made->price, definition->price_exponent).units,
        .units = json_units(&made->units, definition->quantity_exponent).units,
        .place = place,
        .side = made->side,
        .at_once = made->at_once};
}

/* The order goes on under another number: changed in place, as far as we are concerned, or issued again for what
 * is left of it. */
static void take_renewed(struct v20 *v20, struct v20_entry *entry,
                         const struct v20_transaction *made)
{
    uint16_t place = entry->place;
    order_id order = entry->order;
    note_made(v20, entry, place, order, made);
    if (made->replaces == 0 || !is_told(v20, made))
        return;
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    v20_tell(v20, EVENT_order_modified, place, v20_venue_time(made->time_ns))->order_modified =
        (struct event_order_modified){adapter_number(&v20->names, place), order,
                                      json_units(&made->price, definition->price_exponent),
                                      json_units(&made->units, definition->quantity_exponent)};
}

/* An order of ours that another one stands in for has ended. */
static void take_replaced(struct v20 *v20, struct v20_entry *old,
                          const struct v20_transaction *made)
{
    if (is_told(v20, made))
        v20_tell(v20, EVENT_order_cancelled, old->place, v20_venue_time(made->time_ns))
            ->order_cancelled = (struct event_order_cancelled){
            adapter_number(&v20->names, old->place), old->order, leaves_of(old), CANCEL_REPLACED};
    remove_entry(v20, old);
}

static void take_order(struct v20 *v20, const struct v20_transaction *made)
{
    uint16_t place = adapter_place_of_symbol(&v20->names, made->instrument);
    order_id order = order_of(v20, made);
    struct v20_entry *old = made->replaces ? entry_by_id(v20, made->replaces) : NULL;
    struct v20_entry *same = order ? entry_by_order(v20, order) : NULL;
    if (old && old != same)
        take_replaced(v20, old, made);
    if (order == 0 || place == ADAPTER_NO_PLACE)
        return; /* somebody else's: the account's snapshot tells of it */
    same = entry_by_order(v20, order);
    if (same) {
        take_renewed(v20, same, made);
        return;
    }
    note_made(v20, new_entry(v20), place, order, made);
    if (is_told(v20, made))
        v20_tell(v20, EVENT_order_accepted, place, v20_venue_time(made->time_ns))->order_accepted =
            (struct event_order_accepted){adapter_number(&v20->names, place), order,
                                          adapter_venue_id(made->id)};
}

static void take_fill(struct v20 *v20, const struct v20_transaction *fill)
{
    uint16_t place = adapter_place_of_symbol(&v20->names, fill->instrument);
    struct v20_entry *entry = entry_by_id(v20, fill->order);
    order_id order = entry ? entry->order : order_of(v20, fill);
    if (place == ADAPTER_NO_PLACE || order == 0)
        return;
    if (entry) {
        int exponent = adapter_definition(&v20->names, place)->quantity_exponent;
        if (__builtin_add_overflow(entry->filled, json_units(&fill->units, exponent).units,
                                   &entry->filled))
            entry->filled = INT64_MAX; /* what is left is not known */
    }
    struct number leaves = leaves_of(entry);
    if (is_told(v20, fill)) {
        v20_tell_fill(v20, place, order, fill, leaves);
        v20_profit_fill(v20, place, fill);
    } else {
        v20_missed_fill(v20, place, order, fill);
    }
    if (entry && leaves.status == NUMBER_VALUE && leaves.units == 0)
        remove_entry(v20, entry);
}

static void take_cancel(struct v20 *v20, const struct v20_transaction *cancel)
{
    struct v20_entry *entry = entry_by_id(v20, cancel->order);
    if (!entry)
        return;
    if (cancel->replaced_by != 0) {
        entry->leaving = true; /* the next transaction says in whose favour */
        return;
    }
    if (is_told(v20, cancel))
        v20_tell_end(v20, entry->place, entry->order, cancel, leaves_of(entry), entry->at_once);
    remove_entry(v20, entry);
}

/* The venue's own figure after whatever moved it. */
static void tell_balance(struct v20 *v20, money total, int64_t time_ns)
{
    uint16_t asset = adapter_asset(&v20->names, v20->home);
    if (asset == EVENT_NONE_16) {
        if (!v20->home_logged)
            adapter_log(&v20->out, LOG_WARN,
                        "%s is no asset of this tape: the account's balance is not told",
                        v20->home);
        v20->home_logged = true;
        return;
    }
    adapter_tell(&v20->out, EVENT_balance, EVENT_NONE_16, v20_venue_time(time_ns))->balance =
        (struct event_balance){v20->names.numbers->venue, asset, total, v20->margin_available};
}

/* What can't be read may have been a fill: the order is asked for, and the account. */
static void take_unreadable(struct v20 *v20, const struct v20_transaction *transaction)
{
    order_id order = order_of(v20, transaction);
    struct v20_entry *entry = entry_by_id(v20, transaction->order);
    uint16_t place =
        entry ? entry->place : adapter_place_of_symbol(&v20->names, transaction->instrument);
    adapter_log(&v20->out, LOG_ERROR, "transaction %" PRIu64 " can't be read", transaction->id);
    if (entry)
        order = entry->order;
    if (order != 0 && place != ADAPTER_NO_PLACE)
        v20_tell_unknown(v20, place, order, REQUEST_QUERY);
    v20_want_account(v20);
}

static void apply(struct v20 *v20, const struct v20_transaction *transaction)
{
    switch ((enum v20_type)transaction->type) {
    case V20_MADE:
        take_order(v20, transaction);
        break;
    case V20_FILL:
        take_fill(v20, transaction);
        break;
    case V20_CANCEL:
        take_cancel(v20, transaction);
        break;
    case V20_UNREADABLE:
        if (is_told(v20, transaction))
            take_unreadable(v20, transaction);
        break;
    case V20_REFUSED: /* the answer to the request says so, or a query does */
    case V20_OTHER:
        break;
    }
    if (transaction->has_balance && is_told(v20, transaction))
        tell_balance(v20, transaction->balance, transaction->time_ns);
}

/* --- each once --------------------------------------------------------------------------------------- */

static void tell_held(struct v20 *v20);
static void ask_since(struct v20 *v20);

static void hear(struct v20 *v20, uint64_t id)
{
    if (id > v20->log.heard)
        v20->log.heard = id;
}

static size_t place_ahead(const struct v20_log *log, uint64_t id)
{
    size_t i = 0;
    while (i < log->ahead_count && log->ahead[i] != id)
        i++;
    return i;
}

bool v20_is_taken(const struct v20 *v20, uint64_t id)
{
    return id <= v20->log.last || place_ahead(&v20->log, id) < v20->log.ahead_count;
}

bool v20_may_take(const struct v20 *v20, size_t count)
{
    return v20->log.ahead_count + count <= V20_AHEAD_MAX;
}

/* What can't be noted as taken would be taken again when its turn comes: it waits for that. */
static void leave_for_its_turn(struct v20 *v20, uint64_t id)
{
    if (!v20->log.crowded)
        adapter_log(
            &v20->out, LOG_WARN,
            "%d transactions were told by answers before their turn: others wait for theirs",
            V20_AHEAD_MAX);
    v20->log.crowded = true;
    hear(v20, id);
    if (v20->log.ask_at == TIME_NEVER)
        ask_since(v20);
    v20_want_account(v20);
}

void v20_take_made(struct v20 *v20, const struct v20_transaction *transaction)
{
    struct v20_log *log = &v20->log;
    if (v20_is_taken(v20, transaction->id))
        return;
    if (!v20_may_take(v20, 1)) {
        leave_for_its_turn(v20, transaction->id);
        return;
    }
    log->ahead[log->ahead_count++] = transaction->id;
    apply(v20, transaction);
}

/* The turn of this one has come. */
static void take_next(struct v20 *v20, const struct v20_transaction *transaction)
{
    struct v20_log *log = &v20->log;
    size_t at = place_ahead(log, transaction->id);
    if (transaction->id <= log->last)
        return;
    log->last = transaction->id;
    if (at < log->ahead_count)
        log->ahead[at] = log->ahead[--log->ahead_count];
    else
        apply(v20, transaction);
}

/* --- the rest of them -------------------------------------------------------------------------------- */

static void ask_since(struct v20 *v20)
{
    struct v20_log *log = &v20->log;
    char path[64];
    if (log->asking || !v20->trades || v20->missed.runs)
        return;
    snprintf(path, sizeof path, "/transactions/sinceid?id=%" PRIu64, log->last);
    log->asking =
        v20_send(v20, V20_ASK_SINCE, path, NULL, NULL, &(struct adapter_asked){0}) == V20_SENT;
    log->ask_at =
        log->asking ? TIME_NEVER : v20->now + adapter_backoff_wait(&log->backoff, &v20->random);
}

static void since_failed(struct v20 *v20, const struct v20_answer *answer, const char *why)
{
    v20->log.ask_at = v20->now + adapter_backoff_wait(&v20->log.backoff, &v20->random);
    adapter_log(&v20->out, LOG_WARN,
                "the transactions since %" PRIu64 " are not told (HTTP %ld): %s", v20->log.last,
                answer->status, why);
    if (answer->status == UNPROCESSABLE)
        v20_want_account(v20); /* the account has fewer: it says where it stands */
}

/* A page without any of what the venue says there is: its list may lag behind its count, so that it is asked for again
 * some times. What is never listed is not to be had, and the account tells what it came to. True where it is given up. */
static bool is_left_out(struct v20 *v20)
{
    struct v20_log *log = &v20->log;
    if (++log->empty_pages < EMPTY_PAGES_MAX) {
        log->ask_at = v20->now + adapter_backoff_wait(&log->backoff, &v20->random);
        return false;
    }
    adapter_log(&v20->out, LOG_ERROR,
                "transactions %" PRIu64 " to %" PRIu64
                " are not listed: what they were is not told",
                log->last + 1, v20->made.last);
    log->last = v20->made.last;
    v20_want_account(v20);
    return true;
}

/* One page. */
void v20_take_since(struct v20 *v20, const struct v20_answer *answer)
{
    struct v20_log *log = &v20->log;
    struct error error = {0};
    uint64_t before = log->last;
    log->asking = false;
    if (answer->outcome != V20_GOOD) {
        since_failed(v20, answer, answer->error.text);
        return;
    }
    if (v20_read_transactions(answer->body, answer->length, &v20->made, &error) != 0) {
        since_failed(v20, answer, error.text);
        return;
    }
    log->crowded = false;
    hear(v20, v20->made.last);
    for (size_t i = 0; i < v20->made.count; i++)
        take_next(v20, &v20->made.list[i]);
    if (log->last == before && v20->made.last > before && !is_left_out(v20))
        return;
    log->backoff.failures = log->empty_pages = 0;
    if (log->heard > log->last)
        ask_since(v20);
    tell_held(v20);
}

/* --- the stream -------------------------------------------------------------------------------------- */

/* Where this session begins: what the account was when it was found. Orders of ours that rested then are learnt
 * from their own transactions, which are noted and not told. */
void v20_log_begin(struct v20 *v20)
{
    const struct v20_account *account = &v20->snapshot.account;
    v20->log.last = v20->log.told_after = v20->log.heard = account->last;
    for (size_t i = 0; v20->trades && i < account->orders.count; i++) {
        const struct v20_order *order = &account->orders.list[i];
        if (adapter_order_of(v20->settings.session, order->name, strlen(order->name)) != 0 &&
            order->id <= v20->log.last)
            v20->log.last = order->id - 1;
    }
}

void v20_account_begin(struct v20 *v20)
{
    v20->log.backoff = v20->snapshot.backoff =
        (struct adapter_backoff){.least_ns = NS_PER_SECOND, .most_ns = 30 * NS_PER_SECOND};
    v20->log.ask_at = v20->snapshot.retry_at = TIME_NEVER;
    v20_missed_begin(v20);
    v20_profit_begin(v20);
}

void v20_log_goes_on(struct v20 *v20)
{
    ask_since(v20);
    v20_want_account(v20);
    tell_held(v20);
}

/* What happened before it stood is asked for, then the account. */
void v20_private_up(struct v20 *v20)
{
    if (!v20_missed_runs(v20))
        v20_log_goes_on(v20);
}

void v20_private_down(struct v20 *v20)
{
    v20_tell_health(v20, false);
}

/* It may have been a transaction: those since the last are asked for. */
void v20_private_damage(struct v20 *v20)
{
    ask_since(v20);
}

/* The next in turn is taken; one beyond it says that some are missing, which come first. */
void v20_private_line(struct v20 *v20)
{
    struct v20_log *log = &v20->log;
    uint64_t id = 0;
    if (v20->line.kind == V20_LINE_HEARTBEAT)
        id = v20->line.last;
    else if (v20->line.kind == V20_LINE_TRANSACTION)
        id = v20->line.transaction.id;
    hear(v20, id);
    if (v20->line.kind == V20_LINE_TRANSACTION && !log->asking && !v20->missed.runs &&
        id == log->last + 1)
        take_next(v20, &v20->line.transaction);
    if (id > log->last && log->ask_at == TIME_NEVER)
        ask_since(v20);
    tell_held(v20);
}

/* --- the account ------------------------------------------------------------------------------------- */

static void snapshot_later(struct v20 *v20)
{
    v20->snapshot.wanted = true;
    v20->snapshot.retry_at = v20->now + adapter_backoff_wait(&v20->snapshot.backoff, &v20->random);
}

/* One request tells everything, as of one transaction. */
static void start_snapshot(struct v20 *v20)
{
    struct v20_snapshot *snapshot = &v20->snapshot;
    snapshot->wanted = false;
    snapshot->retry_at = TIME_NEVER;
    snapshot->asked =
        v20_send(v20, V20_ASK_ACCOUNT, "", NULL, NULL, &(struct adapter_asked){0}) == V20_SENT;
    if (!snapshot->asked)
        snapshot_later(v20);
}

/* One that runs was asked for too early to count for this request. */
void v20_want_account(struct v20 *v20)
{
    struct v20_snapshot *snapshot = &v20->snapshot;
    if (!v20->trades)
        return;
    snapshot->wanted = true;
    if (!snapshot->asked && !snapshot->held && v20->now >= v20->pace.until_ns)
        start_snapshot(v20);
}

/* Its time is that at which the account was asked for: every transaction until then is in it. */
static void tell_position(struct v20 *v20, uint16_t place)
{
    const struct adapter_when when = v20_venue_at(v20, v20->snapshot.taken);
    const struct v20_positions *positions = &v20->snapshot.account.positions;
    int exponent = adapter_definition(&v20->names, place)->quantity_exponent;
    struct number sum = {0, NUMBER_VALUE}; /* what is not listed was never held */
    struct number entry = {0, NUMBER_ABSENT};
    for (size_t i = 0; i < positions->count; i++) {
        const struct v20_position *position = &positions->list[i];
        if (strcmp(position->instrument, v20->settings.symbols[place]) != 0)
            continue;
        struct number bought = json_units(&position->long_units, exponent);
        struct number sold = json_units(&position->short_units, exponent);
        if (bought.status != NUMBER_VALUE || sold.status != NUMBER_VALUE ||
            __builtin_add_overflow(bought.units, sold.units, &sum.units))
            sum = (struct number){0, NUMBER_MALFORMED};
        else if (sum.units != 0)
            entry = v20_nearest(sum.units > 0 ? &position->long_price : &position->short_price,
                                adapter_definition(&v20->names, place)->price_exponent);
    }
    if (sum.status == NUMBER_VALUE && v20->log.last == v20->snapshot.account.last)
        v20_profit_held(v20, place, sum.units);
    v20_tell(v20, EVENT_venue_position, place, when)->venue_position =
        (struct event_venue_position){adapter_number(&v20->names, place), sum};
    if (entry.status == NUMBER_VALUE)
        v20_tell(v20, EVENT_venue_entry, place, when)->venue_entry =
            (struct event_venue_entry){adapter_number(&v20->names, place), entry};
}

static void tell_open_order(struct v20 *v20, const struct v20_order *order)
{
    uint16_t place = adapter_place_of_symbol(&v20->names, order->instrument);
    if (place == ADAPTER_NO_PLACE || !order->pending)
        return;
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    const struct v20_entry *entry = entry_by_id(v20, order->id);
    struct number leaves = json_units(&order->units, definition->quantity_exponent);
    if (entry)
        leaves = leaves_of(entry);
    v20_tell(v20, EVENT_open_order, place, v20_venue_time(order->time_ns))->open_order =
        (struct event_open_order){
            .instrument = adapter_number(&v20->names, place),
            .order = adapter_order_of(v20->settings.session, order->name, strlen(order->name)),
            .venue_order = adapter_venue_id(order->id),
            .side = order->side,
            .price = json_units(&order->price, definition->price_exponent),
            .leaves = leaves,
        };
}

static void tell_account(struct v20 *v20)
{
    struct v20_snapshot *snapshot = &v20->snapshot;
    const struct v20_account *account = &snapshot->account;
    snapshot->held = false;
    v20->margin_available = account->margin_available;
    tell_balance(v20, account->balance, 0);
    for (uint16_t place = 0; place < v20->names.count; place++)
        tell_position(v20, place);
    for (size_t i = 0; i < account->orders.count; i++)
        tell_open_order(v20, &account->orders.list[i]);
    adapter_tell(&v20->out, EVENT_snapshot_end, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->snapshot_end = (struct event_snapshot_end){v20->names.numbers->venue, snapshot->taken};
    if (snapshot->wanted)
        start_snapshot(v20);
}

/* The snapshot is told when what led to it was. */
static void tell_held(struct v20 *v20)
{
    if (v20->missed.runs)
        return;
    if (v20->log.last >= v20->log.told_after)
        v20_missed_counted(v20);
    if (v20->snapshot.held && v20->log.last >= v20->snapshot.account.last)
        tell_account(v20);
}

/* An account whose ids are below ours was made anew: its own count from there. */
static void check_ids(struct v20 *v20, uint64_t last)
{
    struct v20_log *log = &v20->log;
    bool odd = log->last > last && log->heard > last && log->ask_at != TIME_NEVER;
    if (!odd)
        return;
    adapter_log(&v20->out, LOG_ERROR,
                "the account has %" PRIu64 " transactions, %" PRIu64 " were known", last,
                log->last);
    log->last = log->heard = log->told_after = last;
    log->ahead_count = 0;
    log->ask_at = TIME_NEVER;
}

void v20_take_account(struct v20 *v20, const struct adapter_asked *asked,
                      const struct v20_answer *answer)
{
    struct v20_snapshot *snapshot = &v20->snapshot;
    struct error error = {0};
    snapshot->asked = false;
    if (answer->outcome != V20_GOOD ||
        v20_read_account(answer->body, answer->length, &snapshot->account, &error) != 0) {
        adapter_log(&v20->out, LOG_WARN, "the account is not told (HTTP %ld): %s", answer->status,
                    answer->outcome == V20_GOOD ? error.text : answer->error.text);
        snapshot_later(v20);
        return;
    }
    snapshot->backoff.failures = 0;
    snapshot->taken = asked->sent_ns;
    snapshot->held = true;
    check_ids(v20, snapshot->account.last);
    hear(v20, snapshot->account.last);
    if (v20->log.heard > v20->log.last && v20->log.ask_at == TIME_NEVER)
        ask_since(v20);
    tell_held(v20);
}

void v20_account_due(struct v20 *v20)
{
    struct v20_snapshot *snapshot = &v20->snapshot;
    if (!v20->trades)
        return;
    if (v20->now >= v20->log.ask_at)
        ask_since(v20);
    if (snapshot->wanted && !snapshot->asked && !snapshot->held &&
        (snapshot->retry_at == TIME_NEVER || v20->now >= snapshot->retry_at) &&
        v20->now >= v20->pace.until_ns)
        start_snapshot(v20);
}
