/* The OANDA adapter: its entries (adapter.h). Each is one frame of what the engine is told. */
#include "config.h" /* explicit_bzero */

#include "venue/live/oanda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Streams of chance. */
enum { RANDOM_BACKOFF = 1 };

static const char rest_address[] = "https://api-fxtrade.oanda.com";
static const char stream_address[] = "https://stream-fxtrade.oanda.com";

static struct v20 *self(const struct adapter *adapter)
{
    struct v20 *v20 = (struct v20 *)(uintptr_t)adapter;
    ASSERT(v20->magic == V20_MAGIC);
    return v20;
}

/* Every entry begins and ends so. */
static struct v20 *enter(struct adapter *adapter, int64_t now)
{
    struct v20 *v20 = self(adapter);
    if (now > v20->now)
        v20->now = now;
    return v20;
}

static void leave(struct v20 *v20)
{
    bool running = v20->adapter.state == ADAPTER_RUNNING;
    v20->adapter.health = (struct adapter_health){
        .market_synchronised = running && v20_market_is_synchronised(v20),
        .private_up = running && (!v20->trades || v20_link_is_up(v20, V20_TRANSACTIONS)),
    };
    if (v20->trades)
        adapter_tell_stream(&v20->out, &v20->adapter, v20->names.numbers, v20->now);
    adapter_out_end(&v20->out);
}

/* --- discovery and begin ------------------------------------------------------------------------------- */

static void v20_start(struct adapter *adapter, int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    v20->step_at = v20->next_tick = v20->now;
    v20_discovery_due(v20);
    leave(v20);
}

static void v20_begin(struct adapter *adapter, const struct adapter_numbers *numbers, int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    struct error error = {0};
    ASSERT(adapter->state == ADAPTER_READY);
    if (adapter_names_begin(&v20->names, numbers, &error) != 0) {
        adapter_fail(adapter, &v20->out, "%s: no memory for the names of this tape",
                     v20->settings.name);
        leave(v20);
        return;
    }
    adapter->state = ADAPTER_RUNNING;
    v20->next_tick = v20->now + V20_TICK_NS;
    v20_market_begin(v20);
    v20_account_begin(v20);
    v20_links_begin(v20);
    leave(v20);
}

/* --- channels ------------------------------------------------------------------------------------------ */

static void v20_opened(struct adapter *adapter, unsigned channel, int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    v20_link_opened(v20, channel);
    leave(v20);
}

static void v20_text(struct adapter *adapter, unsigned channel, const char *text, size_t length,
                     int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    v20_link_line(v20, channel, text, length);
    leave(v20);
}

static void v20_closed(struct adapter *adapter, unsigned channel, long status, const char *why,
                       int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    v20_link_closed(v20, channel, status, why);
    leave(v20);
}

/* --- requests ------------------------------------------------------------------------------------------ */

static void take_answer(struct v20 *v20, const struct adapter_asked *asked,
                        const struct v20_answer *answer)
{
    switch ((enum v20_ask)asked->kind) {
    case V20_ASK_ACCOUNT:
        v20_take_account(v20, asked, answer);
        break;
    case V20_ASK_SINCE:
        v20_take_since(v20, answer);
        break;
    case V20_ASK_MISSED:
        v20_take_missed(v20, answer);
        break;
    case V20_ASK_PLACE:
    case V20_ASK_REPLACE:
    case V20_ASK_MODIFY:
    case V20_ASK_CANCEL:
        v20_order_answer(v20, asked, answer);
        break;
    case V20_ASK_QUERY:
    case V20_ASK_ORDERS:
    case V20_ASK_FILLS:
        v20_query_answer(v20, asked, answer);
        break;
    case V20_ASK_INSTRUMENTS:
    case V20_ASK_COUNT:
        break; /* of the discovery */
    }
}

static void v20_answered(struct adapter *adapter, uint64_t tag, const struct net_response *response,
                         int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    struct adapter_asked asked;
    if (adapter_requests_take(&v20->requests, tag, &asked)) {
        struct v20_answer answer = v20_read_answer(response);
        v20_take_limits(v20, &answer);
        if (v20->adapter.state == ADAPTER_RUNNING) {
            take_answer(v20, &asked, &answer);
            v20_tell_limits(v20, &asked, &answer);
        } else {
            v20_discovery_answer(v20, &asked, &answer);
        }
    }
    leave(v20);
}

static void v20_decide(struct adapter *adapter, const struct message *decision, int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    if (v20->adapter.state == ADAPTER_RUNNING && v20->trades)
        v20_decision(v20, decision);
    leave(v20);
}

/* --- time ---------------------------------------------------------------------------------------------- */

static int64_t v20_deadline(const struct adapter *adapter)
{
    const struct v20 *v20 = self(adapter);
    switch (v20->adapter.state) {
    case ADAPTER_DISCOVERING:
        return v20->step_at;
    case ADAPTER_RUNNING:
        return v20->next_tick;
    case ADAPTER_READY:
    case ADAPTER_FAILED:
        break;
    }
    return TIME_NEVER;
}

static void v20_tick(struct adapter *adapter, int64_t now)
{
    struct v20 *v20 = enter(adapter, now);
    v20_discovery_due(v20);
    if (v20->adapter.state == ADAPTER_RUNNING && v20->now >= v20->next_tick) {
        v20->next_tick = v20->now + V20_TICK_NS;
        v20_links_due(v20);
        v20_missed_due(v20);
        v20_account_due(v20);
    }
    leave(v20);
}

/* --- open and close ------------------------------------------------------------------------------------ */

static void free_all(struct v20 *v20)
{
    for (size_t i = 0; i < V20_QUERIES_MAX; i++)
        v20_transactions_free(&v20->queries[i].transactions);
    v20_transactions_free(&v20->made);
    v20_orders_free(&v20->orders);
    v20_account_free(&v20->snapshot.account);
    free(v20->found);
    free(v20->present);
    free(v20->books);
    adapter_names_free(&v20->names);
    adapter_settings_free(&v20->settings);
    explicit_bzero(v20->bearer, sizeof v20->bearer);
    v20->magic = 0;
    free(v20);
}

static void v20_close(struct adapter *adapter)
{
    if (adapter)
        free_all(self(adapter));
}

static int take_memory(struct v20 *v20, struct error *error)
{
    size_t count = v20->settings.symbol_count;
    v20->found = calloc(count, sizeof *v20->found);
    v20->present = calloc(count, sizeof *v20->present);
    v20->books = calloc(count, sizeof *v20->books);
    if (!v20->found || !v20->present || !v20->books)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu instruments", count);
    return 0;
}

/* Nothing is told without a token, prices neither. An account id is digits and dashes ("101-004-1435156-001"). */
static int take_credentials(struct v20 *v20, struct error *error)
{
    const struct credentials *credentials = v20->settings.credentials;
    if (!credentials)
        return error_set(error, ERROR_INPUT,
                         "%s: expected credentials: it tells prices to accounts alone",
                         v20->settings.name);
    size_t length = strlen(credentials->key);
    if (length == 0 || length > 64 || strspn(credentials->key, "0123456789-") != length)
        return error_set(error, ERROR_INPUT,
                         "%s: expected an account id of digits and dashes as the key",
                         v20->settings.name);
    if (strpbrk(credentials->secret, "\r\n\t "))
        return error_set(error, ERROR_INPUT, "%s: expected a token without spaces",
                         v20->settings.name);
    snprintf(v20->path, sizeof v20->path, "/v3/accounts/%.64s", credentials->key);
    snprintf(v20->bearer, sizeof v20->bearer, "Bearer %s", credentials->secret);
    v20->trades = !v20->settings.market_only;
    return 0;
}

static int fill_settings(struct v20 *v20, const struct adapter_settings *settings,
                         struct error *error)
{
    struct adapter_settings with_defaults = *settings;
    if (settings->symbol_count > V20_SYMBOLS_MAX)
        return error_set(error, ERROR_INPUT,
                         "%s: at most %d instruments fit on one stream, got %zu", settings->name,
                         V20_SYMBOLS_MAX, settings->symbol_count);
    if (!settings->rest_url)
        with_defaults.rest_url = rest_address;
    if (!settings->stream_url)
        with_defaults.stream_url = stream_address;
    int code = adapter_settings_copy(&v20->settings, &with_defaults, error);
    if (!code)
        code = take_credentials(v20, error);
    if (!code)
        code = adapter_names_init(&v20->names, &v20->settings, error);
    return code ? code : take_memory(v20, error);
}

static int v20_open(struct adapter **out, const struct adapter_settings *settings,
                    const struct adapter_port *port, struct error *error)
{
    struct v20 *v20 = calloc(1, sizeof *v20);
    *out = NULL;
    if (!v20)
        return error_set(error, ERROR_SYSTEM, "no memory for an adapter");
    v20->magic = V20_MAGIC;
    int code = fill_settings(v20, settings, error);
    if (code) {
        free_all(v20);
        return code;
    }
    v20->adapter = (struct adapter){.kind = &oanda_kind,
                                    .state = ADAPTER_DISCOVERING,
                                    .found = v20->found,
                                    .found_count = v20->names.count,
                                    .start = v20_start,
                                    .begin = v20_begin,
                                    .opened = v20_opened,
                                    .text = v20_text,
                                    .closed = v20_closed,
                                    .answered = v20_answered,
                                    .decision = v20_decide,
                                    .deadline = v20_deadline,
                                    .tick = v20_tick,
                                    .close = v20_close};
    v20->step_at = v20->next_tick = TIME_NEVER;
    v20->step_backoff =
        (struct adapter_backoff){.least_ns = 500 * NS_PER_MS, .most_ns = 20 * NS_PER_SECOND};
    adapter_out_init(&v20->out, port, settings->credentials);
    random_init(&v20->random, settings->seed, RANDOM_BACKOFF);
    *out = &v20->adapter;
    return 0;
}

const struct adapter_kind oanda_kind = {
    .name = "oanda", .needs_credentials = true, .open = v20_open};
