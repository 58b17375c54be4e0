/* The user channel of Coinbase, and the account: told anew once the channel stands, each time that it broke, and when
 * the engine asks. No channel tells balances. */
#include "venue/live/coinbase.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const char page_size[] = "250"; /* items of one answer, of either list */

/* Open is an order in each of these; they can't be asked for together ("List Orders", order_status). */
static const uint8_t open_statuses[] = {COINBASE_OPEN, COINBASE_PENDING, COINBASE_QUEUED,
                                        COINBASE_CANCEL_QUEUED, COINBASE_EDIT_QUEUED};
enum { OPEN_STATUSES = sizeof open_statuses };

/* --- the channel -------------------------------------------------------------------------------------- */

void coinbase_account_begin(struct coinbase *venue)
{
    const struct adapter_numbers *numbers = venue->names.numbers;
    for (uint16_t place = 0; place < venue->names.count && numbers->positions; place++)
        venue->bases[place].carried = numbers->positions[place];
    venue->snapshot.backoff =
        (struct adapter_backoff){.least_ns = NS_PER_SECOND, .most_ns = 30 * NS_PER_SECOND};
    venue->snapshot.retry_at = TIME_NEVER;
    if (venue->settings.credentials)
        coinbase_link_want(venue, &venue->user);
}

void coinbase_user_up(struct coinbase *venue)
{
    coinbase_want_account(venue);
}

void coinbase_user_down(struct coinbase *venue)
{
    venue->user_told_up = false;
    venue->sick = true;
    adapter_tell(&venue->out, EVENT_breaker_input, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->breaker_input = (struct event_breaker_input){venue->names.numbers->venue, false};
}

/* An order of a session before this one that a snapshot shows first: what it filled until then the engine asks for
 * itself (a snapshot makes no fills). */
static void take_user_order(struct coinbase *venue, const struct coinbase_order *told,
                            bool is_snapshot)
{
    order_id order = adapter_order_of(venue->settings.session, told->name, strlen(told->name));
    bool is_new = !coinbase_record_of(venue, order);
    struct coinbase_record *record = coinbase_record_of_told(venue, told);
    if (!record) {
        venue->orders_foreign++; /* the account's snapshot tells of it */
        return;
    }
    coinbase_record_take(venue, record, told);
    if (is_snapshot && is_new)
        record->told = record->filled;
    coinbase_record_settle(venue, record);
}

/* The channel stands once its snapshot begins: from then on changes are told. */
void coinbase_take_user(struct coinbase *venue)
{
    const struct coinbase_frame *frame = &venue->frame;
    for (size_t i = 0; i < frame->event_count; i++) {
        const struct coinbase_event *event = &frame->events[i];
        for (size_t k = 0; k < event->count; k++)
            take_user_order(venue, &frame->orders.list[event->first + k], event->is_snapshot);
    }
    if (!venue->user_told_up) {
        venue->user_told_up = true;
        coinbase_user_up(venue);
    }
}

/* --- balances ----------------------------------------------------------------------------------------- */

static struct coinbase_holding *holding_of(struct coinbase *venue, const char *asset)
{
    uint16_t number = adapter_asset(&venue->names, asset);
    return number == EVENT_NONE_16 ? NULL : &venue->holdings[number];
}

/* False where the sum is no amount. */
static bool total_of(const struct coinbase_holding *holding, money *out)
{
    return money_try_add(holding->available, holding->hold, out);
}

/* An asset of ours that the accounts do not list is not held; one may have more than one account. */
static void take_balances(struct coinbase *venue)
{
    const struct coinbase_balances *balances = &venue->snapshot.balances;
    for (uint16_t place = 0; place < venue->names.count; place++) {
        const char *const assets[] = {venue->found[place].base, venue->found[place].quote};
        for (size_t i = 0; i < 2; i++) {
            struct coinbase_holding *holding = holding_of(venue, assets[i]);
            if (holding)
                *holding = (struct coinbase_holding){.known = true};
        }
    }
    for (size_t i = 0; i < balances->count; i++) {
        const struct coinbase_balance *balance = &balances->list[i];
        struct coinbase_holding *holding = holding_of(venue, balance->asset);
        if (holding &&
            (!money_try_add(holding->available, balance->available, &holding->available) ||
             !money_try_add(holding->hold, balance->hold, &holding->hold)))
            holding->known = false;
    }
}

static void tell_balance(struct coinbase *venue, uint16_t asset)
{
    const struct coinbase_holding *holding = &venue->holdings[asset];
    money total;
    if (!holding->known)
        return;
    if (!total_of(holding, &total)) {
        adapter_log(&venue->out, LOG_ERROR, "a balance that is no amount: %s",
                    venue->names.numbers->names->assets[asset]);
        return;
    }
    adapter_tell(&venue->out, EVENT_balance, EVENT_NONE_16,
                 coinbase_venue_at(venue, venue->snapshot.taken))
        ->balance =
        (struct event_balance){venue->names.numbers->venue, asset, total, holding->available};
}

/* --- positions ---------------------------------------------------------------------------------------- */

/* A spot venue holds balances, no positions: what fills came to is the base balance less what it was when the
 * session began (docs/semantics.md, 28). That holds while nothing else moves the asset; a deposit, which no
 * channel tells, shows as drift. */
static bool is_moved_by_others(const struct coinbase *venue, uint16_t place)
{
    for (uint16_t other = 0; other < venue->names.count; other++)
        if (other != place && (strcmp(venue->found[other].base, venue->found[place].base) == 0 ||
                               strcmp(venue->found[other].quote, venue->found[place].base) == 0))
            return true;
    return false;
}

static void no_position(struct coinbase *venue, uint16_t place, const char *why)
{
    if (!venue->bases[place].told)
        return;
    venue->bases[place].told = false;
    adapter_log(&venue->out, LOG_WARN, "%s: its position is not compared with the account: %s",
                venue->settings.symbols[place], why);
}

/* The balance that positions are counted from will have it: what was carried over lacks it. */
static void carry_fill(struct coinbase *venue, uint16_t place, enum side side,
                       struct number quantity)
{
    int64_t *carried = &venue->bases[place].carried, sum;
    if (quantity.status == NUMBER_VALUE &&
        !(side == SIDE_BUY ? __builtin_add_overflow(*carried, quantity.units, &sum)
                           : __builtin_sub_overflow(*carried, quantity.units, &sum)))
        *carried = sum;
}

void coinbase_account_fill(struct coinbase *venue, uint16_t place,
                           const struct event_order_filled *fill, int64_t time_ns)
{
    const struct coinbase_base *base = &venue->bases[place];
    const struct coinbase_snapshot *snapshot = &venue->snapshot;
    int64_t at_ns = time_ns - venue->time.offset_ns; /* by the session's clock */
    bool after = base->started ? time_ns == 0 || time_ns > base->at_ns
                               : snapshot->running && time_ns != 0 && at_ns > snapshot->taken;
    if (!after && !adapter_trade_is_told(venue->names.numbers, fill->order, &fill->trade)) {
        if (base->started)
            no_position(venue, place, "a fill of before this session is told");
        else
            carry_fill(venue, place, (enum side)fill->side, fill->quantity);
    }
}

static void start_base(struct coinbase *venue, uint16_t place)
{
    struct coinbase_base *base = &venue->bases[place];
    const struct coinbase_holding *holding = holding_of(venue, venue->found[place].base);
    if (base->started || !holding || !holding->known || !total_of(holding, &base->start))
        return;
    base->started = base->told = true;
    base->at_ns = venue->snapshot.taken + venue->time.offset_ns;
    if (is_moved_by_others(venue, place))
        no_position(venue, place, "another instrument moves the same asset");
}

static void tell_position(struct coinbase *venue, uint16_t place)
{
    const struct coinbase_base *base = &venue->bases[place];
    const struct coinbase_holding *holding = holding_of(venue, venue->found[place].base);
    int64_t units;
    money change;
    if (!base->told || !holding || !holding->known || !total_of(holding, &change) ||
        !money_try_subtract(change, base->start, &change) ||
        !money_to_units(change, adapter_definition(&venue->names, place)->quantity_exponent,
                        &units) ||
        __builtin_add_overflow(base->carried, units, &units))
        return;
    uint16_t number = adapter_number(&venue->names, place);
    adapter_tell(&venue->out, EVENT_venue_position, EVENT_STREAM(number, CHANNEL_SESSION),
                 coinbase_venue_at(venue, venue->snapshot.taken))
        ->venue_position = (struct event_venue_position){number, {units, NUMBER_VALUE}};
}

/* --- the account -------------------------------------------------------------------------------------- */

/* One part of the snapshot, or its next page; false where it can't be asked for now. */
static bool ask_part(struct coinbase *venue, enum coinbase_ask kind, unsigned status,
                     const char *cursor)
{
    struct coinbase_question question = {.body = NULL};
    struct adapter_asked about = {.note = venue->snapshot.number, .place = (uint16_t)status};
    if (kind == COINBASE_ASK_OPEN_ORDERS)
        coinbase_add(&question, "order_status",
                     coinbase_status_word((enum coinbase_status)open_statuses[status]));
    coinbase_add(&question, "limit", page_size);
    if (cursor && *cursor)
        coinbase_add(&question, "cursor", cursor);
    if (coinbase_ask(venue, kind, &question, &about, NULL) != COINBASE_SENT)
        return false;
    venue->snapshot.under_way++;
    return true;
}

static void snapshot_later(struct coinbase *venue)
{
    struct coinbase_snapshot *snapshot = &venue->snapshot;
    snapshot->wanted = true;
    snapshot->running = false;
    snapshot->number++; /* parts that are under way are of no use */
    snapshot->retry_at =
        coinbase_is_held(venue)
            ? venue->rates.held_until
            : venue->now + adapter_backoff_wait(&snapshot->backoff, &venue->random);
}

/* All parts leave at once, and `taken` is before the first of them. */
static void start_snapshot(struct coinbase *venue)
{
    struct coinbase_snapshot *snapshot = &venue->snapshot;
    snapshot->number++;
    snapshot->taken = venue->now;
    snapshot->under_way = 0;
    snapshot->failed = snapshot->wanted = false;
    snapshot->running = true;
    snapshot->retry_at = TIME_NEVER;
    snapshot->orders.count = snapshot->balances.count = 0;
    bool sent = ask_part(venue, COINBASE_ASK_ACCOUNTS, 0, NULL);
    for (unsigned status = 0; sent && status < OPEN_STATUSES; status++)
        sent = ask_part(venue, COINBASE_ASK_OPEN_ORDERS, status, NULL);
    if (!sent)
        snapshot_later(venue);
}

/* One that runs was asked for too early to count for this request. */
void coinbase_want_account(struct coinbase *venue)
{
    if (!venue->settings.credentials)
        return;
    venue->snapshot.wanted = true;
    if (coinbase_missed_runs(venue))
        return;
    if (!venue->snapshot.running && venue->now >= venue->rates.held_until)
        start_snapshot(venue);
    else if (!venue->snapshot.running)
        venue->snapshot.retry_at = venue->rates.held_until;
}

static void tell_open_order(struct coinbase *venue, const struct coinbase_order *told)
{
    uint16_t place = adapter_place_of_symbol(&venue->names, told->symbol);
    if (place == ADAPTER_NO_PLACE)
        return;
    const struct event_definition *definition = adapter_definition(&venue->names, place);
    struct number size = json_units(&told->size, definition->quantity_exponent);
    struct number filled = json_units(&told->filled, definition->quantity_exponent);
    struct number leaves = {0, NUMBER_MALFORMED};
    if (size.status == NUMBER_VALUE && filled.status == NUMBER_VALUE &&
        size.units >= filled.units && filled.units >= 0)
        leaves = (struct number){size.units - filled.units, NUMBER_VALUE};
    order_id order = adapter_order_of(venue->settings.session, told->name, strlen(told->name));
    coinbase_tell(venue, EVENT_open_order, place, coinbase_venue_at(venue, venue->snapshot.taken))
        ->open_order = (struct event_open_order){
        .instrument = adapter_number(&venue->names, place),
        .order = order,
        .venue_order = coinbase_venue_id(told->id),
        .side = told->side,
        .price = json_units(&told->price, definition->price_exponent),
        .leaves = leaves,
    };
}

/* So that an order of ours that this session did not place can be cancelled and edited by its id. */
static void note_open_order(struct coinbase *venue, const struct coinbase_order *told)
{
    order_id order = adapter_order_of(venue->settings.session, told->name, strlen(told->name));
    bool is_new = !coinbase_record_of(venue, order);
    struct coinbase_record *record = coinbase_record_of_told(venue, told);
    if (!record)
        return;
    coinbase_record_take(venue, record, told);
    if (is_new)
        record->told = record->filled;
}

/* An order that moved from one status to another between two lists stands in both: once is enough. */
static bool is_repeated(const struct coinbase_orders *orders, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(orders->list[i].id, orders->list[index].id) == 0)
            return true;
    return false;
}

static void tell_account(struct coinbase *venue)
{
    const struct coinbase_orders *orders = &venue->snapshot.orders;
    take_balances(venue);
    for (unsigned asset = 0; asset < venue->names.numbers->names->asset_count; asset++)
        tell_balance(venue, (uint16_t)asset);
    for (uint16_t place = 0; place < venue->names.count; place++) {
        start_base(venue, place);
        tell_position(venue, place);
    }
    for (size_t i = 0; i < orders->count; i++) {
        if (is_repeated(orders, i))
            continue;
        note_open_order(venue, &orders->list[i]);
        tell_open_order(venue, &orders->list[i]);
    }
    adapter_tell(&venue->out, EVENT_snapshot_end, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->snapshot_end =
        (struct event_snapshot_end){venue->names.numbers->venue, venue->snapshot.taken};
}

/* Take a page over, and ask for the next one where there is one. */
static bool take_part(struct coinbase *venue, const struct adapter_asked *asked,
                      const struct coinbase_answer *answer, struct error *error)
{
    struct coinbase_snapshot *snapshot = &venue->snapshot;
    struct coinbase_page page;
    int code;
    if (answer->outcome != COINBASE_GOOD) {
        error_set(error, ERROR_INPUT, "HTTP %ld %s", answer->status, answer->error.text);
        return false;
    }
    if (asked->kind == COINBASE_ASK_ACCOUNTS)
        code =
            coinbase_read_accounts(answer->body, answer->length, &snapshot->balances, &page, error);
    else
        code = coinbase_read_orders(answer->body, answer->length, &snapshot->orders, &page, error);
    if (code)
        return false;
    if (page.cursor[0] == '\0' ||
        ask_part(venue, (enum coinbase_ask)asked->kind, asked->place, page.cursor))
        return true;
    error_set(error, ERROR_INPUT, "its next page can't be asked for now");
    return false;
}

void coinbase_take_account_part(struct coinbase *venue, const struct adapter_asked *asked,
                                const struct coinbase_answer *answer)
{
    struct coinbase_snapshot *snapshot = &venue->snapshot;
    struct error error = {0};
    if (asked->note != snapshot->number)
        return;
    ASSERT(snapshot->under_way > 0);
    snapshot->under_way--;
    if (!take_part(venue, asked, answer, &error)) {
        snapshot->failed = true;
        adapter_log(&venue->out, LOG_WARN, "a part of the account is missing: %s", error.text);
    }
    if (snapshot->under_way > 0)
        return;
    if (snapshot->failed) {
        snapshot_later(venue);
        return;
    }
    snapshot->running = false;
    snapshot->backoff.failures = 0;
    tell_account(venue);
    if (snapshot->wanted)
        start_snapshot(venue);
}

void coinbase_account_due(struct coinbase *venue)
{
    if (venue->settings.credentials && venue->snapshot.wanted && !venue->snapshot.running &&
        !coinbase_missed_runs(venue) && venue->now >= venue->snapshot.retry_at)
        start_snapshot(venue);
}
