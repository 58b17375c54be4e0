/* OANDA's two streams of lines: prices, and the account's transactions. Each says something every 5 s, or it is
 * made anew. */
#include "venue/live/oanda.h"

#include <stdio.h>

/* Two new connections a second are borne. */
#define OPEN_EVERY_NS (500 * NS_PER_MS)

enum { UNREAD_LOGGED = 10 };

static const char *const names[V20_LINKS] = {"prices", "transactions"};

void v20_links_begin(struct v20 *v20)
{
    for (unsigned i = 0; i < V20_LINKS; i++)
        v20->links[i] = (struct v20_link){
            .wanted = i == V20_PRICES || v20->trades,
            .open_at = v20->now,
            .backoff = {.least_ns = 500 * NS_PER_MS, .most_ns = 30 * NS_PER_SECOND}};
    v20->next_open = v20->now;
    v20_links_due(v20);
}

bool v20_link_is_up(const struct v20 *v20, unsigned link)
{
    return v20->links[link].state == V20_LINK_OPEN;
}

/* False where the instruments don't fit. */
static bool make_url(const struct v20 *v20, unsigned link, char out[ADAPTER_URL_MAX])
{
    const char *at = link == V20_TRANSACTIONS && v20->settings.private_url
                         ? v20->settings.private_url
                         : v20->settings.stream_url;
    size_t length = (size_t)snprintf(out, ADAPTER_URL_MAX, "%s%s%s", at, v20->path,
                                     link == V20_PRICES ? "/pricing/stream?instruments="
                                                        : "/transactions/stream");
    for (size_t i = 0; link == V20_PRICES && i < v20->names.count && length < ADAPTER_URL_MAX; i++)
        length += (size_t)snprintf(out + length, ADAPTER_URL_MAX - length, "%s%s", i ? "%2C" : "",
                                   v20->settings.symbols[i]);
    if (link == V20_PRICES && length < ADAPTER_URL_MAX)
        length += (size_t)snprintf(out + length, ADAPTER_URL_MAX - length, "&snapshot=true");
    return length < ADAPTER_URL_MAX;
}

static void open_link(struct v20 *v20, unsigned number)
{
    struct v20_link *link = &v20->links[number];
    char url[ADAPTER_URL_MAX];
    struct adapter_channel what = {.kind = ADAPTER_LINES, .url = url, .timeout_ns = V20_SILENCE_NS};
    link->open_at = TIME_NEVER;
    if (!make_url(v20, number, url)) {
        adapter_log(&v20->out, LOG_ERROR, "the address of the stream of %s is too long",
                    names[number]);
        return;
    }
    what.header_count = v20_headers(v20, what.headers);
    link->state = V20_LINK_OPENING;
    link->heard_ns = v20->now;
    v20->next_open = v20->now + OPEN_EVERY_NS;
    v20->out.port.open(v20->out.port.context, number, &what);
}

/* It is gone: what it was good for is told, and when it is opened again. */
static void lose(struct v20 *v20, unsigned number, const char *why)
{
    struct v20_link *link = &v20->links[number];
    bool was_open = link->state == V20_LINK_OPEN;
    int64_t wait = adapter_backoff_wait(&link->backoff, &v20->random);
    link->state = V20_LINK_DOWN;
    link->open_at = v20->now + wait;
    adapter_log(&v20->out, LOG_WARN, "the stream of %s is gone (%s), again in %lld ms",
                names[number], why, (long long)(wait / NS_PER_MS));
    if (number == V20_TRANSACTIONS)
        v20_private_down(v20);
    else if (was_open)
        v20_market_down(v20);
}

void v20_links_due(struct v20 *v20)
{
    for (unsigned i = 0; i < V20_LINKS; i++) {
        struct v20_link *link = &v20->links[i];
        if (link->state != V20_LINK_DOWN && v20->now - link->heard_ns >= V20_SILENCE_NS) {
            v20->out.port.close(v20->out.port.context, i);
            lose(v20, i, "it says nothing");
        }
        if (link->wanted && link->state == V20_LINK_DOWN && v20->now >= link->open_at &&
            v20->now >= v20->next_open)
            open_link(v20, i);
    }
}

void v20_link_opened(struct v20 *v20, unsigned link)
{
    if (link >= V20_LINKS || v20->links[link].state != V20_LINK_OPENING)
        return;
    v20->links[link].state = V20_LINK_OPEN;
    v20->links[link].heard_ns = v20->now;
    if (link == V20_PRICES)
        v20_market_up(v20);
    else
        v20_private_up(v20);
}

void v20_link_closed(struct v20 *v20, unsigned link, long status, const char *why)
{
    char words[160];
    if (link >= V20_LINKS || v20->links[link].state == V20_LINK_DOWN)
        return;
    if (status != 0)
        snprintf(words, sizeof words, "HTTP %ld", status);
    else
        snprintf(words, sizeof words, "%s", why ? why : "closed");
    lose(v20, link, words);
}

void v20_link_line(struct v20 *v20, unsigned link, const char *text, size_t length)
{
    struct error error = {0};
    if (link >= V20_LINKS || v20->links[link].state != V20_LINK_OPEN)
        return;
    v20->links[link].heard_ns = v20->now;
    if (length == 0)
        return; /* an empty line keeps a connection alive */
    if (v20_read_line(text, length, &v20->line, &error) != 0) {
        if (v20->lines_unread++ < UNREAD_LOGGED)
            adapter_log(&v20->out, LOG_ERROR, "a line of the stream of %s: %s", names[link],
                        error.text);
        if (link == V20_PRICES)
            v20_market_damage(v20);
        else
            v20_private_damage(v20);
        return;
    }
    v20->links[link].backoff.failures = 0;
    if (v20->line.kind == V20_LINE_HEARTBEAT)
        v20_take_time(v20, v20->line.time_ns);
    if (link == V20_PRICES)
        v20_market_line(v20);
    else
        v20_private_line(v20);
}
