/* The private stream of Binance.US by its listenKey, and the account: told anew once the stream stands, each time
 * that it broke, and when the engine asks. */
#include "venue/live/binance_us.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define KEEP_EVERY_NS (1800 * NS_PER_SECOND) /* a key lives for an hour after the last renewal */
#define KEEP_RETRY_NS (60 * NS_PER_SECOND)

enum { UNREAD_LOGGED = 10, GONE = 410 };

/* --- the key ------------------------------------------------------------------------------------------ */

void binance_us_private_begin(struct binance_us *us)
{
    const struct adapter_numbers *numbers = us->names.numbers;
    for (uint16_t place = 0; place < us->names.count && numbers->positions; place++)
        us->bases[place].carried = numbers->positions[place];
    us->private_key.listen_at = us->settings.credentials ? us->now : TIME_NEVER;
    us->private_key.keep_at = TIME_NEVER;
    us->private_key.backoff =
        (struct adapter_backoff){.least_ns = NS_PER_SECOND, .most_ns = 60 * NS_PER_SECOND};
    us->snapshot.backoff =
        (struct adapter_backoff){.least_ns = NS_PER_SECOND, .most_ns = 30 * NS_PER_SECOND};
    us->snapshot.retry_at = TIME_NEVER;
}

static void ask_key(struct binance_us *us)
{
    struct binance_us_private *key = &us->private_key;
    if (key->has_key || key->asked || us->now < key->listen_at)
        return;
    if (key->retired) {
        key->has_key = true; /* none is needed */
        binance_us_pair_want(us, &us->private_pair);
        return;
    }
    key->listen_at = us->now + NS_PER_SECOND;
    key->asked =
        binance_us_ask(us, ASK_LISTEN, NULL, &(struct adapter_asked){0}) == BINANCE_US_SENT;
}

void binance_us_take_listen(struct binance_us *us, const struct binance_us_answer *answer)
{
    struct binance_us_private *key = &us->private_key;
    struct error error = {0};
    key->asked = false;
    if (answer->outcome == BINANCE_US_GOOD &&
        binance_us_read_listen_key(answer->body, answer->length, key->key, &error) == 0) {
        key->has_key = true;
        key->keep_at = us->now + KEEP_EVERY_NS;
        binance_us_pair_want(us, &us->private_pair);
        return;
    }
    key->listen_at = us->now + adapter_backoff_wait(&key->backoff, &us->random);
    adapter_log(&us->out, LOG_ERROR, "no listenKey for the private stream (HTTP %ld): %s",
                answer->status,
                answer->outcome == BINANCE_US_REFUSED ? answer->error.text : error.text);
    if (answer->status == GONE) {
        key->retired = true;
        adapter_log(&us->out, LOG_WARN,
                    "the venue has retired listenKeys: the private stream is "
                    "subscribed over its WS-API");
    }
}

/* The key is no longer one: its stream says nothing any more. */
static void lose_key(struct binance_us *us)
{
    if (us->private_key.has_key)
        binance_us_pair_renew(us, &us->private_pair, "its listenKey is gone");
}

static void keep_key(struct binance_us *us)
{
    struct binance_us_private *key = &us->private_key;
    struct binance_us_parameters parameters = {0};
    if (!key->has_key || key->retired || us->now < key->keep_at ||
        adapter_requests_of(&us->requests, ASK_KEEP) > 0)
        return;
    binance_us_add(&parameters, "listenKey", key->key);
    key->keep_at = us->now + KEEP_RETRY_NS;
    (void)binance_us_ask(us, ASK_KEEP, &parameters, &(struct adapter_asked){0});
}

void binance_us_take_keep(struct binance_us *us, const struct binance_us_answer *answer)
{
    if (answer->outcome == BINANCE_US_GOOD)
        us->private_key.keep_at = us->now + KEEP_EVERY_NS;
    else if (answer->outcome == BINANCE_US_REFUSED &&
             answer->error.code == BINANCE_US_CODE_LISTEN_KEY)
        lose_key(us);
    else
        adapter_log(&us->out, LOG_WARN, "the listenKey is not renewed (HTTP %ld) %s",
                    answer->status, answer->error.text);
}

/* --- up and down -------------------------------------------------------------------------------------- */

bool binance_us_private_is_up(const struct binance_us *us)
{
    const struct binance_us_link *link = &us->private_pair.links[us->private_pair.current];
    return link->state == LINK_OPEN && link->covered == 1;
}

/* Events come from now on. What was missed before is in the account. */
static void is_ready(struct binance_us *us, struct binance_us_link *link)
{
    link->covered = link->asked;
    if (link != &us->private_pair.links[us->private_pair.current])
        return;
    us->private_key.backoff.failures = 0;
    binance_us_want_account(us);
}

/* {"id", "method", "params": {apiKey, timestamp, signature}}; signed are the parameters in the order of their
 * names ("WebSocket API", signed requests). */
static void subscribe(struct binance_us *us, struct binance_us_link *link)
{
    const struct credentials *credentials = us->settings.credentials;
    char signed_text[CREDENTIALS_TEXT_MAX + 64], signature[BINANCE_US_SIGNATURE_MAX];
    char text[CREDENTIALS_TEXT_MAX + 512];
    struct error error = {0};
    long long venue_ms = (us->now + us->time.latest_ns) / NS_PER_MS;
    int length = snprintf(signed_text, sizeof signed_text, "apiKey=%s&timestamp=%lld",
                          credentials->key, venue_ms);
    if (binance_us_signature(credentials->secret, signed_text, (size_t)length, "", 0, signature,
                             &error) != 0) {
        adapter_log(&us->out, LOG_ERROR, "the private stream: %s", error.text);
        return; /* without an answer the link is given up */
    }
    length = snprintf(text, sizeof text,
                      "{\"id\":%llu,\"method\":\"userDataStream.subscribe.signature\",\"params\":{"
                      "\"apiKey\":\"%s\",\"timestamp\":%lld,\"signature\":\"%s\"}}",
                      (unsigned long long)++link->last_id, credentials->key, venue_ms, signature);
    us->out.port.send(us->out.port.context, link->channel, text, (size_t)length);
}

void binance_us_private_opened(struct binance_us *us, struct binance_us_link *link)
{
    link->asked = 1;
    link->asked_ns = us->now;
    if (us->private_key.retired)
        subscribe(us, link);
    else
        is_ready(us, link);
}

static void take_api_answer(struct binance_us *us, struct binance_us_link *link)
{
    if (link->asked == link->covered)
        return;
    if (us->event.status == 200) {
        is_ready(us, link);
        return;
    }
    adapter_log(&us->out, LOG_ERROR, "the private stream is refused (%llu): %lld %s",
                (unsigned long long)us->event.status, (long long)us->event.error.code,
                us->event.error.text);
    if (us->event.error.code == BINANCE_US_CODE_TIMESTAMP)
        us->time.next = us->now;
    binance_us_pair_renew(us, &us->private_pair, "it can't be subscribed to");
}

/* A new key is asked for: POST gives the same one again while it lives. */
void binance_us_private_down(struct binance_us *us)
{
    us->private_pair.wanted = false;
    us->private_key.has_key = false;
    us->private_key.keep_at = TIME_NEVER;
    us->private_key.listen_at = us->private_pair.open_at;
    us->sick = true;
    adapter_tell(&us->out, EVENT_breaker_input, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->breaker_input = (struct event_breaker_input){us->names.numbers->venue, false};
}

/* --- balances ----------------------------------------------------------------------------------------- */

static struct binance_us_holding *holding_of(struct binance_us *us, const char *asset)
{
    uint16_t number = adapter_asset(&us->names, asset);
    return number == EVENT_NONE_16 ? NULL : &us->holdings[number];
}

/* The newer of what is known and what is told; what has no time is taken as it comes. */
static void take_holding(struct binance_us_holding *holding, money available, money locked,
                         int64_t at_ns)
{
    if (holding->known && at_ns != 0 && at_ns < holding->at_ns)
        return;
    *holding = (struct binance_us_holding){available, locked, at_ns, true};
}

/* False where the sum is no amount. */
static bool total_of(const struct binance_us_holding *holding, money *out)
{
    return money_try_add(holding->free, holding->locked, out);
}

static void tell_balance(struct binance_us *us, uint16_t asset)
{
    const struct binance_us_holding *holding = &us->holdings[asset];
    money total;
    if (!holding->known)
        return;
    if (!total_of(holding, &total)) {
        adapter_log(&us->out, LOG_ERROR, "a balance that is no amount: %s",
                    us->names.numbers->names->assets[asset]);
        return;
    }
    adapter_tell(&us->out, EVENT_balance, EVENT_NONE_16, binance_us_venue_time(holding->at_ns))
        ->balance = (struct event_balance){us->names.numbers->venue, asset, total, holding->free};
}

/* outboundAccountPosition: the assets that an event of the account may have changed. */
static void take_balances(struct binance_us *us)
{
    for (size_t i = 0; i < us->event.balances.count; i++) {
        const struct binance_us_balance *balance = &us->event.balances.list[i];
        struct binance_us_holding *holding = holding_of(us, balance->asset);
        if (!holding)
            continue;
        take_holding(holding, balance->free, balance->locked, us->event.time_ns);
        tell_balance(us, (uint16_t)(holding - us->holdings));
    }
}

/* The whole account; an asset of ours that it does not list is not held. */
static void take_account_balances(struct binance_us *us)
{
    const struct binance_us_account *account = &us->snapshot.account;
    for (uint16_t place = 0; place < us->names.count; place++) {
        const char *const assets[] = {us->found[place].base, us->found[place].quote};
        for (size_t i = 0; i < 2; i++) {
            struct binance_us_holding *holding = holding_of(us, assets[i]);
            if (holding)
                take_holding(holding, MONEY_ZERO, MONEY_ZERO, account->updated_ns);
        }
    }
    for (size_t i = 0; i < account->balances.count; i++) {
        const struct binance_us_balance *balance = &account->balances.list[i];
        struct binance_us_holding *holding = holding_of(us, balance->asset);
        if (holding)
            take_holding(holding, balance->free, balance->locked, account->updated_ns);
    }
}

/* --- positions ---------------------------------------------------------------------------------------- */

/* A spot venue holds balances, no positions: what fills came to is the base balance less what it was when the
 * session began, without deposits (docs/semantics.md, 28). That holds while nothing else moves the asset. */
static bool is_moved_by_others(const struct binance_us *us, uint16_t place)
{
    for (uint16_t other = 0; other < us->names.count; other++)
        if (other != place && (strcmp(us->found[other].base, us->found[place].base) == 0 ||
                               strcmp(us->found[other].quote, us->found[place].base) == 0))
            return true;
    return false;
}

static void no_position(struct binance_us *us, uint16_t place, const char *why)
{
    if (!us->bases[place].told)
        return;
    us->bases[place].told = false;
    adapter_log(&us->out, LOG_WARN, "%s: its position is not compared with the account: %s",
                us->settings.symbols[place], why);
}

/* The balance that positions are counted from will have it: what was carried over lacks it. */
static void carry_fill(struct binance_us *us, uint16_t place, enum side side,
                       const struct binance_us_fill *fill)
{
    struct binance_us_base *base = &us->bases[place];
    int exponent = adapter_definition(&us->names, place)->quantity_exponent;
    struct number quantity = json_units(&fill->quantity, exponent);
    int64_t fee = 0, sum;
    if (quantity.status != NUMBER_VALUE || (strcmp(us->found[place].base, fill->fee_asset) == 0 &&
                                            !money_to_units(fill->fee, exponent, &fee)))
        return;
    bool fits = side == SIDE_BUY ? !__builtin_add_overflow(base->carried, quantity.units, &sum)
                                 : !__builtin_sub_overflow(base->carried, quantity.units, &sum);
    if (fits && !__builtin_sub_overflow(sum, fee, &sum))
        base->carried = sum;
}

void binance_us_account_fill(struct binance_us *us, uint16_t place, order_id order, enum side side,
                             const struct binance_us_fill *fill)
{
    const struct binance_us_base *base = &us->bases[place];
    const struct venue_id trade = adapter_venue_id(fill->trade);
    bool before = !base->started || (fill->time_ns != 0 && fill->time_ns <= base->at_ns);
    if (before && !adapter_trade_is_told(us->names.numbers, order, &trade) &&
        adapter_told_note(&us->told, order, &trade)) {
        if (base->started)
            no_position(us, place, "a fill of before this session is told");
        else
            carry_fill(us, place, side, fill);
    }
    for (uint16_t other = 0; other < us->names.count; other++)
        if (other != place && strcmp(us->found[other].base, fill->fee_asset) == 0)
            no_position(us, other, "fees of other instruments are paid in it");
}

static void start_base(struct binance_us *us, uint16_t place)
{
    struct binance_us_base *base = &us->bases[place];
    const struct binance_us_holding *holding = holding_of(us, us->found[place].base);
    if (base->started || !holding || !holding->known || !total_of(holding, &base->start))
        return;
    base->started = base->told = true;
    base->at_ns = us->snapshot.account.updated_ns;
    if (is_moved_by_others(us, place))
        no_position(us, place, "another instrument moves the same asset");
}

/* The same transfer comes by both streams while two run. */
static bool is_counted(const struct binance_us *us)
{
    for (unsigned i = 0; i < us->transfer_count && i < BINANCE_US_TRANSFERS; i++) {
        const struct binance_us_transfer *old = &us->transfers[i];
        if (old->time_ns == us->event.time_ns && strcmp(old->asset, us->event.asset) == 0 &&
            money_compare(old->amount, us->event.amount) == 0)
            return true;
    }
    return false;
}

/* balanceUpdate: a deposit, a withdrawal. */
static void take_transfer(struct binance_us *us)
{
    if (is_counted(us))
        return;
    struct binance_us_transfer *counted =
        &us->transfers[us->transfer_count++ % BINANCE_US_TRANSFERS];
    memcpy(counted->asset, us->event.asset, sizeof counted->asset);
    counted->amount = us->event.amount;
    counted->time_ns = us->event.time_ns;
    for (uint16_t place = 0; place < us->names.count; place++) {
        struct binance_us_base *base = &us->bases[place];
        if (base->started && strcmp(us->found[place].base, us->event.asset) == 0 &&
            !money_try_add(base->moved, us->event.amount, &base->moved))
            no_position(us, place, "a transfer that is no amount");
    }
}

static void tell_position(struct binance_us *us, uint16_t place)
{
    const struct binance_us_base *base = &us->bases[place];
    const struct binance_us_holding *holding = holding_of(us, us->found[place].base);
    int64_t units;
    money change;
    if (!base->told || !total_of(holding, &change) ||
        !money_try_subtract(change, base->start, &change) ||
        !money_try_subtract(change, base->moved, &change) ||
        !money_to_units(change, adapter_definition(&us->names, place)->quantity_exponent, &units) ||
        __builtin_add_overflow(base->carried, units, &units))
        return;
    uint16_t number = adapter_number(&us->names, place);
    adapter_tell(&us->out, EVENT_venue_position, EVENT_STREAM(number, CHANNEL_SESSION),
                 binance_us_venue_time(holding->at_ns))
        ->venue_position = (struct event_venue_position){number, {units, NUMBER_VALUE}};
}

/* --- the account -------------------------------------------------------------------------------------- */

/* One part of the snapshot is asked for; false where it can't be now. */
static bool ask_part(struct binance_us *us, enum binance_us_ask kind, const char *symbol)
{
    struct binance_us_parameters parameters = {0};
    if (symbol)
        binance_us_add(&parameters, "symbol", symbol);
    struct adapter_asked about = {.note = us->snapshot.number};
    if (binance_us_ask(us, kind, &parameters, &about) != BINANCE_US_SENT)
        return false;
    us->snapshot.under_way++;
    return true;
}

static void snapshot_later(struct binance_us *us)
{
    struct binance_us_snapshot *snapshot = &us->snapshot;
    snapshot->wanted = true;
    snapshot->running = false;
    snapshot->retry_at = binance_us_is_banned(us)
                             ? us->rates.banned_until
                             : us->now + adapter_backoff_wait(&snapshot->backoff, &us->random);
}

/* All parts leave at once, and `taken` is before the first of them. */
static void start_snapshot(struct binance_us *us)
{
    struct binance_us_snapshot *snapshot = &us->snapshot;
    bool each = binance_us_asks_each(us);
    snapshot->number++;
    snapshot->taken = us->now;
    snapshot->under_way = 0;
    snapshot->failed = snapshot->wanted = false;
    snapshot->running = true;
    snapshot->retry_at = TIME_NEVER;
    snapshot->orders.count = 0;
    bool sent = ask_part(us, ASK_ACCOUNT, NULL);
    if (!each)
        sent = sent && ask_part(us, ASK_OPEN_ORDERS, NULL);
    for (size_t place = 0; each && sent && place < us->names.count; place++)
        sent = ask_part(us, ASK_OPEN_ORDERS, us->settings.symbols[place]);
    if (!sent) {
        snapshot->number++; /* parts that left are of no use */
        snapshot_later(us);
    }
}

/* One that runs was asked for too early to count for this request. */
void binance_us_want_account(struct binance_us *us)
{
    if (!us->settings.credentials)
        return;
    us->snapshot.wanted = true;
    if (!binance_us_missed_runs(us) && !us->snapshot.running)
        start_snapshot(us);
}

static void tell_open_order(struct binance_us *us, const struct binance_us_order *order)
{
    uint16_t place = adapter_place_of_symbol(&us->names, order->symbol);
    if (place == ADAPTER_NO_PLACE)
        return;
    uint16_t number = adapter_number(&us->names, place);
    const struct event_definition *definition = adapter_definition(&us->names, place);
    adapter_tell(&us->out, EVENT_open_order, EVENT_STREAM(number, CHANNEL_SESSION),
                 binance_us_venue_time(order->time_ns))
        ->open_order = (struct event_open_order){
        .instrument = number,
        .order = adapter_order_of(us->settings.session, order->name, strlen(order->name)),
        .venue_order = adapter_venue_id(order->id),
        .side = order->side,
        .price = json_units(&order->price, definition->price_exponent),
        .leaves = binance_us_leaves(us, place, order),
    };
}

static void tell_account(struct binance_us *us)
{
    const struct binance_us_snapshot *snapshot = &us->snapshot;
    if (!snapshot->account.can_trade && !us->may_not_trade)
        adapter_log(&us->out, LOG_ERROR, "this account may not trade any more (canTrade is false)");
    us->may_not_trade = !snapshot->account.can_trade;
    take_account_balances(us);
    for (unsigned asset = 0; asset < us->names.numbers->names->asset_count; asset++)
        tell_balance(us, (uint16_t)asset);
    for (uint16_t place = 0; place < us->names.count; place++) {
        start_base(us, place);
        tell_position(us, place);
    }
    for (size_t i = 0; i < snapshot->orders.count; i++)
        tell_open_order(us, &snapshot->orders.list[i]);
    adapter_tell(&us->out, EVENT_snapshot_end, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->snapshot_end = (struct event_snapshot_end){us->names.numbers->venue, snapshot->taken};
}

static bool take_part(struct binance_us *us, const struct adapter_asked *asked,
                      const struct binance_us_answer *answer, struct error *error)
{
    struct binance_us_snapshot *snapshot = &us->snapshot;
    if (answer->outcome != BINANCE_US_GOOD) {
        error_set(error, ERROR_INPUT, "HTTP %ld %s", answer->status, answer->error.text);
        return false;
    }
    if (asked->kind == ASK_ACCOUNT)
        return binance_us_read_account(answer->body, answer->length, &snapshot->account, error) ==
               0;
    if (binance_us_read_orders(answer->body, answer->length, &snapshot->page, error) != 0)
        return false;
    for (size_t i = 0; i < snapshot->page.count; i++)
        if (!binance_us_orders_append(&snapshot->orders, &snapshot->page.list[i]))
            return false;
    return true;
}

void binance_us_take_account_part(struct binance_us *us, const struct adapter_asked *asked,
                                  const struct binance_us_answer *answer)
{
    struct binance_us_snapshot *snapshot = &us->snapshot;
    struct error error = {0};
    if (asked->note != snapshot->number)
        return;
    ASSERT(snapshot->under_way > 0);
    snapshot->under_way--;
    if (!take_part(us, asked, answer, &error)) {
        snapshot->failed = true;
        adapter_log(&us->out, LOG_WARN, "a part of the account is missing: %s", error.text);
    }
    if (snapshot->under_way > 0)
        return;
    if (snapshot->failed) {
        snapshot_later(us);
        return;
    }
    snapshot->running = false;
    snapshot->backoff.failures = 0;
    tell_account(us);
    if (snapshot->wanted)
        start_snapshot(us);
}

/* --- events ------------------------------------------------------------------------------------------- */

void binance_us_private_text(struct binance_us *us, struct binance_us_link *link, const char *text,
                             size_t length)
{
    struct error error = {0};
    if (binance_us_read_event(text, length, &us->event, &error) != 0) {
        if (us->events_unread++ < UNREAD_LOGGED)
            adapter_log(&us->out, LOG_ERROR, "an event of the private stream: %s", error.text);
        binance_us_want_account(us); /* what it told is asked for */
        return;
    }
    switch ((enum binance_us_event_kind)us->event.kind) {
    case BINANCE_US_REPORT:
        binance_us_take_report(us);
        break;
    case BINANCE_US_BALANCES:
        take_balances(us);
        break;
    case BINANCE_US_TRANSFER:
        take_transfer(us);
        break;
    case BINANCE_US_KEY_EXPIRED:
        lose_key(us);
        break;
    case BINANCE_US_API_ANSWER:
        take_api_answer(us, link);
        break;
    case BINANCE_US_OTHER_EVENT:
        us->events_other++;
        break;
    }
}

void binance_us_private_due(struct binance_us *us)
{
    if (!us->settings.credentials)
        return;
    ask_key(us);
    keep_key(us);
    if (us->snapshot.wanted && !us->snapshot.running && !binance_us_missed_runs(us) &&
        us->now >= us->snapshot.retry_at)
        start_snapshot(us);
}
