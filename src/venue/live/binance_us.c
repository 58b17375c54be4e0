/* The Binance.US adapter: its entries (adapter.h). Each is one frame of what the engine is told. */
#include "config.h" /* explicit_bzero */

#include "venue/live/binance_us.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Streams of chance. */
enum { RANDOM_BACKOFF = 1 };
enum { MARKET_CHANNEL = 0, PRIVATE_CHANNEL = 2 };

static struct binance_us *self(const struct adapter *adapter)
{
    struct binance_us *us = (struct binance_us *)(uintptr_t)adapter;
    ASSERT(us->magic == BINANCE_US_MAGIC);
    return us;
}

/* Every entry begins and ends so. */
static struct binance_us *enter(struct adapter *adapter, int64_t now)
{
    struct binance_us *us = self(adapter);
    if (now > us->now)
        us->now = now;
    return us;
}

static void leave(struct binance_us *us)
{
    bool running = us->adapter.state == ADAPTER_RUNNING;
    us->adapter.health = (struct adapter_health){
        .market_synchronised = running && binance_us_market_is_synchronised(us),
        .private_up = running && (!us->settings.credentials || binance_us_private_is_up(us)),
    };
    if (us->settings.credentials)
        adapter_tell_stream(&us->out, &us->adapter, us->names.numbers, us->now);
    adapter_out_end(&us->out);
}

/* --- discovery and begin ------------------------------------------------------------------------------- */

static void us_start(struct adapter *adapter, int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    us->step_at = us->next_tick = us->now;
    if (us->settings.expiry_ns > 0 && us->settings.credentials)
        adapter_log(&us->out, LOG_WARN,
                    "orders can't be made to end by themselves here: they outlive a crash");
    binance_us_discovery_due(us);
    leave(us);
}

static void us_begin(struct adapter *adapter, const struct adapter_numbers *numbers, int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    struct error error = {0};
    ASSERT(adapter->state == ADAPTER_READY);
    us->holdings = calloc(numbers->names->asset_count + 1, sizeof *us->holdings);
    if (!us->holdings || adapter_names_begin(&us->names, numbers, &error) != 0) {
        adapter_fail(adapter, &us->out, "%s: no memory for the names of this tape",
                     us->settings.name);
        leave(us);
        return;
    }
    adapter->state = ADAPTER_RUNNING;
    us->next_tick = us->now + BINANCE_US_TICK_NS;
    us->time.next = us->now; /* measured well before the first order */
    binance_us_info_begin(us);
    binance_us_market_begin(us);
    binance_us_private_begin(us);
    binance_us_time_due(us);
    binance_us_private_due(us);
    leave(us);
}

/* --- channels ------------------------------------------------------------------------------------------ */

static void us_opened(struct adapter *adapter, unsigned channel, int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    struct binance_us_link *link;
    struct binance_us_pair *pair = binance_us_pair_of(us, channel, &link);
    if (pair)
        binance_us_link_opened(us, pair, link);
    leave(us);
}

static void us_text(struct adapter *adapter, unsigned channel, const char *text, size_t length,
                    int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    struct binance_us_link *link;
    struct binance_us_pair *pair = binance_us_pair_of(us, channel, &link);
    if (pair && link->state == LINK_OPEN) {
        link->heard_ns = us->now;
        if (pair->is_private)
            binance_us_private_text(us, link, text, length);
        else
            binance_us_market_text(us, link, text, length);
    }
    leave(us);
}

static void us_ping(struct adapter *adapter, unsigned channel, int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    struct binance_us_link *link;
    if (binance_us_pair_of(us, channel, &link))
        link->heard_ns = us->now;
    leave(us);
}

static void us_closed(struct adapter *adapter, unsigned channel, long status, const char *why,
                      int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    struct binance_us_link *link;
    struct binance_us_pair *pair = binance_us_pair_of(us, channel, &link);
    (void)status; /* of streams of lines, which there are none of */
    if (pair)
        binance_us_link_closed(us, pair, link, why);
    leave(us);
}

/* --- requests ------------------------------------------------------------------------------------------ */

static void take_answer(struct binance_us *us, const struct adapter_asked *asked,
                        const struct binance_us_answer *answer)
{
    switch ((enum binance_us_ask)asked->kind) {
    case ASK_TIME:
        binance_us_take_time(us, asked, answer);
        break;
    case ASK_INFO:
        binance_us_take_info(us, answer);
        break;
    case ASK_DEPTH:
        binance_us_take_depth(us, asked, answer);
        break;
    case ASK_TICKERS:
        binance_us_take_tickers(us, asked, answer);
        break;
    case ASK_LISTEN:
        binance_us_take_listen(us, answer);
        break;
    case ASK_KEEP:
        binance_us_take_keep(us, answer);
        break;
    case ASK_ACCOUNT:
    case ASK_OPEN_ORDERS:
        binance_us_take_account_part(us, asked, answer);
        break;
    case ASK_PLACE:
    case ASK_REPLACE:
    case ASK_CANCEL:
    case ASK_QUERY:
    case ASK_TRADES:
        binance_us_order_answer(us, asked, answer);
        break;
    case ASK_MISSED:
    case ASK_MISSED_ORDER:
        binance_us_missed_answer(us, asked, answer);
        break;
    case ASK_RIGHTS:
    case ASK_FEES:
    case BINANCE_US_ASK_COUNT:
        break; /* of the discovery */
    }
}

static void us_answered(struct adapter *adapter, uint64_t tag, const struct net_response *response,
                        int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    struct adapter_asked asked;
    if (adapter_requests_take(&us->requests, tag, &asked)) {
        struct binance_us_answer answer = binance_us_read_answer(response);
        binance_us_take_limits(us, response, &answer);
        if (us->adapter.state == ADAPTER_RUNNING) {
            take_answer(us, &asked, &answer);
            binance_us_tell_limits(us, &asked, &answer);
            binance_us_time_due(us);
        } else {
            binance_us_discovery_answer(us, &asked, &answer);
        }
    }
    leave(us);
}

static void us_decision(struct adapter *adapter, const struct message *decision, int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    if (us->adapter.state == ADAPTER_RUNNING && us->settings.credentials)
        binance_us_decision(us, decision);
    leave(us);
}

/* --- time ---------------------------------------------------------------------------------------------- */

static int64_t us_deadline(const struct adapter *adapter)
{
    const struct binance_us *us = self(adapter);
    switch (us->adapter.state) {
    case ADAPTER_DISCOVERING:
        return us->step_at;
    case ADAPTER_RUNNING:
        return us->next_tick;
    case ADAPTER_READY:
    case ADAPTER_FAILED:
        break;
    }
    return TIME_NEVER;
}

static void us_tick(struct adapter *adapter, int64_t now)
{
    struct binance_us *us = enter(adapter, now);
    binance_us_discovery_due(us);
    if (us->adapter.state == ADAPTER_RUNNING && us->now >= us->next_tick) {
        us->next_tick = us->now + BINANCE_US_TICK_NS;
        binance_us_time_due(us);
        binance_us_pair_due(us, &us->market);
        binance_us_pair_due(us, &us->private_pair);
        binance_us_missed_due(us);
        binance_us_private_due(us);
        binance_us_orders_due(us);
        binance_us_market_due(us);
        binance_us_info_due(us);
    }
    leave(us);
}

/* --- open and close ------------------------------------------------------------------------------------ */

static void free_all(struct binance_us *us)
{
    for (size_t i = 0; us->books && i < us->names.count; i++)
        binance_feed_free(&us->books[i].feed);
    for (size_t i = 0; i < BINANCE_US_QUERIES_MAX; i++)
        binance_us_fills_free(&us->queries[i].fills);
    binance_us_balances_free(&us->snapshot.account.balances);
    binance_us_orders_free(&us->snapshot.orders);
    binance_us_orders_free(&us->snapshot.page);
    binance_us_event_free(&us->event);
    binance_us_fills_free(&us->fills);
    binance_us_fills_free(&us->missed.fills);
    free(us->told.list);
    binance_frame_free(&us->frame);
    binance_scratch_free(&us->scratch);
    free(us->found);
    free(us->reread);
    free(us->present);
    free(us->notes);
    free(us->told_definitions);
    free(us->told_trading);
    free(us->fees);
    free(us->books);
    free(us->bases);
    free(us->holdings);
    free(us->tickers);
    adapter_names_free(&us->names);
    adapter_settings_free(&us->settings);
    explicit_bzero(us->private_key.key, sizeof us->private_key.key);
    us->magic = 0;
    free(us);
}

static void us_close(struct adapter *adapter)
{
    if (adapter)
        free_all(self(adapter));
}

static int take_memory(struct binance_us *us, struct error *error)
{
    size_t count = us->settings.symbol_count;
    us->found = calloc(count, sizeof *us->found);
    us->reread = calloc(count, sizeof *us->reread);
    us->present = calloc(count, sizeof *us->present);
    us->notes = calloc(count, sizeof *us->notes);
    us->told_definitions = calloc(count, sizeof *us->told_definitions);
    us->told_trading = calloc(count, sizeof *us->told_trading);
    us->fees = calloc(count, sizeof *us->fees);
    us->books = calloc(count, sizeof *us->books);
    us->bases = calloc(count, sizeof *us->bases);
    us->tickers = calloc(count, sizeof *us->tickers);
    if (!us->found || !us->reread || !us->present || !us->notes || !us->told_definitions ||
        !us->told_trading || !us->fees || !us->books || !us->bases || !us->tickers)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu instruments", count);
    for (size_t i = 0; i < count; i++) {
        binance_feed_init(&us->books[i].feed, false);
        us->books[i].depth_at = TIME_NEVER;
    }
    return binance_scratch_init(&us->scratch, error);
}

static int fill_settings(struct binance_us *us, const struct adapter_settings *settings,
                         struct error *error)
{
    struct adapter_settings with_defaults = *settings;
    if (settings->symbol_count > BINANCE_US_SYMBOLS_MAX)
        return error_set(error, ERROR_INPUT,
                         "%s: at most %d instruments fit on one connection, got %zu",
                         settings->name, BINANCE_US_SYMBOLS_MAX, settings->symbol_count);
    if (!settings->rest_url)
        with_defaults.rest_url = BINANCE_US_REST;
    if (!settings->stream_url)
        with_defaults.stream_url = BINANCE_US_STREAM;
    int code = adapter_settings_copy(&us->settings, &with_defaults, error);
    if (!code)
        code = adapter_names_init(&us->names, &us->settings, error);
    return code ? code : take_memory(us, error);
}

static int us_open(struct adapter **out, const struct adapter_settings *settings,
                   const struct adapter_port *port, struct error *error)
{
    struct binance_us *us = calloc(1, sizeof *us);
    *out = NULL;
    if (!us)
        return error_set(error, ERROR_SYSTEM, "no memory for an adapter");
    us->magic = BINANCE_US_MAGIC;
    int code = fill_settings(us, settings, error);
    if (code) {
        free_all(us);
        return code;
    }
    us->adapter = (struct adapter){.kind = &binance_us_kind,
                                   .state = ADAPTER_DISCOVERING,
                                   .found = us->found,
                                   .found_count = us->names.count,
                                   .start = us_start,
                                   .begin = us_begin,
                                   .opened = us_opened,
                                   .text = us_text,
                                   .ping = us_ping,
                                   .closed = us_closed,
                                   .answered = us_answered,
                                   .decision = us_decision,
                                   .deadline = us_deadline,
                                   .tick = us_tick,
                                   .close = us_close};
    us->step_at = us->next_tick = TIME_NEVER;
    us->books_changed = true;
    us->step_backoff =
        (struct adapter_backoff){.least_ns = 500 * NS_PER_MS, .most_ns = 20 * NS_PER_SECOND};
    adapter_out_init(&us->out, port, settings->credentials);
    adapter_hide(&us->out, us->private_key.key);
    random_init(&us->random, settings->seed, RANDOM_BACKOFF);
    binance_us_pair_init(&us->market, false, MARKET_CHANNEL);
    binance_us_pair_init(&us->private_pair, true, PRIVATE_CHANNEL);
    *out = &us->adapter;
    return 0;
}

const struct adapter_kind binance_us_kind = {.name = "binance_us", .open = us_open};
