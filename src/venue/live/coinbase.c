/* The Coinbase adapter: its entries (adapter.h). Each is one frame of what the engine is told. */
#include "venue/live/coinbase.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Streams of chance. */
enum { RANDOM_BACKOFF = 1 };
enum { MARKET_CHANNEL = 0, USER_CHANNEL = 1 };

static const char rest_address[] = "https://api.coinbase.com";
static const char stream_address[] = "wss://advanced-trade-ws.coinbase.com";
static const char user_address[] = "wss://advanced-trade-ws-user.coinbase.com";

static struct coinbase *self(const struct adapter *adapter)
{
    struct coinbase *venue = (struct coinbase *)(uintptr_t)adapter;
    ASSERT(venue->magic == COINBASE_MAGIC);
    return venue;
}

/* Every entry begins and ends so. */
static struct coinbase *enter(struct adapter *adapter, int64_t now)
{
    struct coinbase *venue = self(adapter);
    if (now > venue->now)
        venue->now = now;
    return venue;
}

static void leave(struct coinbase *venue)
{
    bool running = venue->adapter.state == ADAPTER_RUNNING;
    venue->adapter.health = (struct adapter_health){
        .market_synchronised = running && coinbase_market_is_synchronised(venue),
        .private_up = running && (!venue->settings.credentials || venue->user_told_up),
    };
    if (venue->settings.credentials)
        adapter_tell_stream(&venue->out, &venue->adapter, venue->names.numbers, venue->now);
    adapter_out_end(&venue->out);
}

/* --- discovery and begin ------------------------------------------------------------------------------- */

static void entry_start(struct adapter *adapter, int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    venue->step_at = venue->next_tick = venue->now;
    if (venue->settings.expiry_ns > 0 && venue->settings.credentials)
        adapter_log(&venue->out, LOG_INFO,
                    "orders end by themselves: they can't be edited (venue.modify: none)");
    coinbase_discovery_due(venue);
    leave(venue);
}

static void entry_begin(struct adapter *adapter, const struct adapter_numbers *numbers, int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    struct error error = {0};
    ASSERT(adapter->state == ADAPTER_READY);
    venue->holdings = calloc(numbers->names->asset_count + 1, sizeof *venue->holdings);
    if (!venue->holdings || adapter_names_begin(&venue->names, numbers, &error) != 0) {
        adapter_fail(adapter, &venue->out, "%s: no memory for the names of this tape",
                     venue->settings.name);
        leave(venue);
        return;
    }
    adapter->state = ADAPTER_RUNNING;
    venue->next_tick = venue->now + COINBASE_TICK_NS;
    venue->time.next = venue->now; /* measured well before the first order */
    coinbase_products_begin(venue);
    coinbase_market_begin(venue);
    coinbase_account_begin(venue);
    coinbase_time_due(venue);
    leave(venue);
}

/* --- channels ------------------------------------------------------------------------------------------ */

static void entry_opened(struct adapter *adapter, unsigned channel, int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    struct coinbase_link *link = coinbase_link_of(venue, channel);
    if (link)
        coinbase_link_opened(venue, link);
    leave(venue);
}

static void entry_text(struct adapter *adapter, unsigned channel, const char *text, size_t length,
                       int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    struct coinbase_link *link = coinbase_link_of(venue, channel);
    if (link)
        coinbase_link_text(venue, link, text, length);
    leave(venue);
}

static void entry_closed(struct adapter *adapter, unsigned channel, long status, const char *why,
                         int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    struct coinbase_link *link = coinbase_link_of(venue, channel);
    (void)status; /* of streams of lines, which there are none of */
    if (link)
        coinbase_link_closed(venue, link, why);
    leave(venue);
}

/* --- requests ------------------------------------------------------------------------------------------ */

static void take_answer(struct coinbase *venue, const struct adapter_asked *asked,
                        const struct coinbase_answer *answer)
{
    switch ((enum coinbase_ask)asked->kind) {
    case COINBASE_ASK_TIME:
        coinbase_take_time(venue, asked, answer);
        break;
    case COINBASE_ASK_PRODUCTS:
        coinbase_take_products(venue, answer);
        break;
    case COINBASE_ASK_ACCOUNTS:
    case COINBASE_ASK_OPEN_ORDERS:
        coinbase_take_account_part(venue, asked, answer);
        break;
    case COINBASE_ASK_PLACE:
    case COINBASE_ASK_CANCEL:
    case COINBASE_ASK_EDIT:
        coinbase_order_answer(venue, asked, answer);
        break;
    case COINBASE_ASK_FIND:
    case COINBASE_ASK_ORDER:
    case COINBASE_ASK_FILLS:
        coinbase_look_answer(venue, asked, answer);
        break;
    case COINBASE_ASK_MISSED:
    case COINBASE_ASK_MISSED_ORDER:
        coinbase_missed_answer(venue, asked, answer);
        break;
    case COINBASE_ASK_RIGHTS:
    case COINBASE_ASK_FEES:
    case COINBASE_ASK_COUNT:
        break; /* of the discovery */
    }
}

static void entry_answered(struct adapter *adapter, uint64_t tag,
                           const struct net_response *response, int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    struct adapter_asked asked;
    if (adapter_requests_take(&venue->requests, tag, &asked)) {
        struct coinbase_answer answer = coinbase_read_answer(response);
        coinbase_take_limits(venue, &asked, response, &answer);
        if (venue->adapter.state == ADAPTER_RUNNING) {
            take_answer(venue, &asked, &answer);
            coinbase_tell_limits(venue, &asked, &answer);
            coinbase_time_due(venue);
        } else {
            coinbase_discovery_answer(venue, &asked, &answer);
        }
    }
    leave(venue);
}

static void entry_decision(struct adapter *adapter, const struct message *decision, int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    if (venue->adapter.state == ADAPTER_RUNNING && venue->settings.credentials)
        coinbase_decision(venue, decision);
    leave(venue);
}

/* --- time ---------------------------------------------------------------------------------------------- */

static int64_t entry_deadline(const struct adapter *adapter)
{
    const struct coinbase *venue = self(adapter);
    switch (venue->adapter.state) {
    case ADAPTER_DISCOVERING:
        return venue->step_at;
    case ADAPTER_RUNNING:
        return venue->next_tick;
    case ADAPTER_READY:
    case ADAPTER_FAILED:
        break;
    }
    return TIME_NEVER;
}

static void entry_tick(struct adapter *adapter, int64_t now)
{
    struct coinbase *venue = enter(adapter, now);
    coinbase_discovery_due(venue);
    if (venue->adapter.state == ADAPTER_RUNNING && venue->now >= venue->next_tick) {
        venue->next_tick = venue->now + COINBASE_TICK_NS;
        coinbase_time_due(venue);
        coinbase_link_due(venue, &venue->market);
        coinbase_link_due(venue, &venue->user);
        coinbase_missed_due(venue);
        coinbase_account_due(venue);
        coinbase_send_cancels(venue);
        coinbase_looks_due(venue);
        coinbase_records_due(venue);
        coinbase_products_due(venue);
    }
    leave(venue);
}

/* --- open and close ------------------------------------------------------------------------------------ */

static void free_all(struct coinbase *venue)
{
    coinbase_market_close(venue);
    coinbase_records_close(venue);
    for (size_t i = 0; i < COINBASE_LOOKS_MAX; i++)
        coinbase_fills_free(&venue->looks[i].fills);
    coinbase_fills_free(&venue->missed.fills);
    coinbase_balances_free(&venue->snapshot.balances);
    coinbase_orders_free(&venue->snapshot.orders);
    coinbase_orders_free(&venue->orders);
    coinbase_cancels_free(&venue->cancels);
    coinbase_frame_free(&venue->frame);
    free(venue->rows);
    free(venue->found);
    free(venue->reread);
    free(venue->products);
    free(venue->products_reread);
    free(venue->told_definitions);
    free(venue->told_trading);
    free(venue->books);
    free(venue->markets);
    free(venue->bases);
    free(venue->holdings);
    adapter_names_free(&venue->names);
    adapter_settings_free(&venue->settings);
    venue->magic = 0;
    free(venue);
}

static void entry_close(struct adapter *adapter)
{
    if (adapter)
        free_all(self(adapter));
}

static int take_memory(struct coinbase *venue, struct error *error)
{
    size_t count = venue->settings.symbol_count;
    venue->found = calloc(count, sizeof *venue->found);
    venue->reread = calloc(count, sizeof *venue->reread);
    venue->products = calloc(count, sizeof *venue->products);
    venue->products_reread = calloc(count, sizeof *venue->products_reread);
    venue->told_definitions = calloc(count, sizeof *venue->told_definitions);
    venue->told_trading = calloc(count, sizeof *venue->told_trading);
    venue->books = calloc(count, sizeof *venue->books);
    venue->markets = calloc(2 * count, sizeof *venue->markets);
    venue->bases = calloc(count, sizeof *venue->bases);
    if (!venue->found || !venue->reread || !venue->products || !venue->products_reread ||
        !venue->told_definitions || !venue->told_trading || !venue->books || !venue->markets ||
        !venue->bases || !coinbase_market_open(venue) || !coinbase_records_open(venue))
        return error_set(error, ERROR_SYSTEM, "no memory for %zu instruments", count);
    return 0;
}

/* The host of an address with its port, as it stands in tokens. */
static int take_host(struct coinbase *venue, struct error *error)
{
    const char *host = strstr(venue->settings.rest_url, "://") + 3;
    size_t length = strcspn(host, "/");
    if (length == 0 || length >= sizeof venue->host)
        return error_set(error, ERROR_INPUT, "rest_url: expected a host of less than %zu bytes",
                         sizeof venue->host);
    memcpy(venue->host, host, length);
    venue->host[length] = '\0';
    return 0;
}

static int check_settings(const struct adapter_settings *settings, struct error *error)
{
    if (settings->symbol_count > COINBASE_SYMBOLS_MAX)
        return error_set(error, ERROR_INPUT, "%s: at most %d instruments, got %zu", settings->name,
                         COINBASE_SYMBOLS_MAX, settings->symbol_count);
    if (settings->credentials &&
        coinbase_check_key(settings->credentials->key, settings->credentials->secret, error) != 0)
        return error_prefix(error, "%s", settings->name);
    return 0;
}

static int fill_settings(struct coinbase *venue, const struct adapter_settings *settings,
                         struct error *error)
{
    struct adapter_settings with_defaults = *settings;
    int code = check_settings(settings, error);
    if (code)
        return code;
    if (!settings->rest_url)
        with_defaults.rest_url = rest_address;
    if (!settings->stream_url)
        with_defaults.stream_url = stream_address;
    if (!settings->private_url)
        with_defaults.private_url = settings->stream_url ? settings->stream_url : user_address;
    code = adapter_settings_copy(&venue->settings, &with_defaults, error);
    if (!code)
        code = take_host(venue, error);
    if (!code)
        code = adapter_names_init(&venue->names, &venue->settings, error);
    return code ? code : take_memory(venue, error);
}

static void set_entries(struct coinbase *venue)
{
    venue->adapter = (struct adapter){.kind = &coinbase_kind,
                                      .state = ADAPTER_DISCOVERING,
                                      .found = venue->found,
                                      .found_count = venue->names.count,
                                      .start = entry_start,
                                      .begin = entry_begin,
                                      .opened = entry_opened,
                                      .text = entry_text,
                                      .closed = entry_closed,
                                      .answered = entry_answered,
                                      .decision = entry_decision,
                                      .deadline = entry_deadline,
                                      .tick = entry_tick,
                                      .close = entry_close};
}

static int entry_open(struct adapter **out, const struct adapter_settings *settings,
                      const struct adapter_port *port, struct error *error)
{
    struct coinbase *venue = calloc(1, sizeof *venue);
    *out = NULL;
    if (!venue)
        return error_set(error, ERROR_SYSTEM, "no memory for an adapter");
    venue->magic = COINBASE_MAGIC;
    int code = fill_settings(venue, settings, error);
    if (code) {
        free_all(venue);
        return code;
    }
    set_entries(venue);
    venue->step_at = venue->next_tick = venue->check_next = TIME_NEVER;
    venue->step_backoff =
        (struct adapter_backoff){.least_ns = 500 * NS_PER_MS, .most_ns = 20 * NS_PER_SECOND};
    venue->rates.backoff =
        (struct adapter_backoff){.least_ns = NS_PER_SECOND, .most_ns = 60 * NS_PER_SECOND};
    adapter_out_init(&venue->out, port, settings->credentials);
    random_init(&venue->random, settings->seed, RANDOM_BACKOFF);
    coinbase_link_init(&venue->market, false, MARKET_CHANNEL);
    coinbase_link_init(&venue->user, true, USER_CHANNEL);
    *out = &venue->adapter;
    return 0;
}

const struct adapter_kind coinbase_kind = {.name = "coinbase", .open = entry_open};
