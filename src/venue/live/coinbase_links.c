/* The two websockets of Coinbase: market data, and our orders. A connection's messages are numbered from 0 over all
 * its channels ("Sequence Numbers"): a number left out means that something of any channel is missing, so that
 * the whole connection is made anew. Heartbeats come every second; without one for five the connection is dead
 * whatever its socket says (trading-semantics 23). The first subscription must come within five seconds, and without
 * a token no more than eight messages a second may ("WebSocket rate limits"). */
#include "config.h" /* explicit_bzero */

#include "venue/live/coinbase.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define CONNECT_NS (10 * NS_PER_SECOND)
#define SILENCE_NS (5 * NS_PER_SECOND)
#define STEADY_NS  (60 * NS_PER_SECOND) /* up for so long is no failure in a row */
/* Until every book has had its snapshot, or the orders had theirs. */
#define SNAPSHOTS_NS (20 * NS_PER_SECOND)

enum {
    AT_ONCE = 4, /* messages when it opens; from then on one a tick, which is four a second */
    CHUNK_PRODUCTS = 40, /* of one message */
    UNREAD_LOGGED = 10,
    ELSEWHERE_EVERY =
        4 /* each so manieth attempt at the user stream goes to the market's address */
};

void coinbase_link_init(struct coinbase_link *link, bool is_private, unsigned channel)
{
    *link = (struct coinbase_link){
        .is_private = is_private,
        .channel = channel,
        .open_at = TIME_NEVER,
        .backoff = {.least_ns = 500 * NS_PER_MS, .most_ns = 30 * NS_PER_SECOND},
    };
}

struct coinbase_link *coinbase_link_of(struct coinbase *venue, unsigned channel)
{
    return channel == venue->market.channel ? &venue->market
           : channel == venue->user.channel ? &venue->user
                                            : NULL;
}

static const char *name_of(const struct coinbase_link *link)
{
    return link->is_private ? "user" : "market";
}

/* --- subscriptions ----------------------------------------------------------------------------------- */

/* Whether a place's product is subscribed for an earlier place already: an alias shares its data. */
static bool is_shared(const struct coinbase *venue, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (strcmp(venue->products[i].market, venue->products[place].market) == 0)
            return true;
    return false;
}

/* "BTC-USD","ETH-USD" of one chunk; 0 bytes where there is none such. */
static size_t product_list(const struct coinbase *venue, size_t chunk, char *out, size_t capacity)
{
    size_t seen = 0, length = 0;
    for (size_t place = 0; place < venue->names.count; place++) {
        if (is_shared(venue, place) || seen++ / CHUNK_PRODUCTS != chunk)
            continue;
        length += (size_t)snprintf(out + length, capacity - length, "%s\"%s\"", length ? "," : "",
                                   venue->products[place].market);
        ASSERT(length < capacity);
    }
    return length;
}

/* The n-th message of a connection; 0 bytes where all are sent. */
static size_t market_message(const struct coinbase *venue, size_t index, char *out, size_t capacity)
{
    char products[CHUNK_PRODUCTS * (EVENT_NAME_MAX + 3)];
    if (index == 0)
        return (size_t)snprintf(out, capacity,
                                "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}");
    if (product_list(venue, (index - 1) / 2, products, sizeof products) == 0)
        return 0;
    return (size_t)snprintf(out, capacity,
                            "{\"type\":\"subscribe\",\"product_ids\":[%s],\"channel\":\"%s\"}",
                            products, index % 2 == 1 ? "level2" : "market_trades");
}

static size_t user_message(struct coinbase *venue, size_t index, char *out, size_t capacity)
{
    char token[COINBASE_TOKEN_MAX];
    if (index == 1)
        return (size_t)snprintf(out, capacity,
                                "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}");
    if (index > 1 || !coinbase_channel_token(venue, token))
        return 0;
    int length = snprintf(out, capacity,
                          "{\"type\":\"subscribe\",\"channel\":\"user\",\"jwt\":\"%s\"}", token);
    explicit_bzero(token, sizeof token);
    return (size_t)length;
}

/* The next subscription; false where there is none. */
static bool subscribe(struct coinbase *venue, struct coinbase_link *link)
{
    char text[COINBASE_TOKEN_MAX + 1024];
    size_t length = link->is_private ? user_message(venue, link->asked, text, sizeof text)
                                     : market_message(venue, link->asked, text, sizeof text);
    ASSERT(length < sizeof text);
    if (length == 0)
        return false;
    link->asked++;
    link->asked_ns = venue->now;
    venue->out.port.send(venue->out.port.context, link->channel, text, length);
    explicit_bzero(text, sizeof text);
    return true;
}

/* --- up and down --------------------------------------------------------------------------------------- */

void coinbase_link_want(struct coinbase *venue, struct coinbase_link *link)
{
    link->wanted = true;
    link->open_at = venue->now;
    coinbase_link_due(venue, link);
}

/* The market's address takes the user channel too, for when its own can't be reached. */
static const char *url_of(const struct coinbase *venue, const struct coinbase_link *link)
{
    bool elsewhere = link->backoff.failures % ELSEWHERE_EVERY == ELSEWHERE_EVERY - 1;
    return link->is_private && !elsewhere ? venue->settings.private_url
                                          : venue->settings.stream_url;
}

static void open_link(struct coinbase *venue, struct coinbase_link *link)
{
    link->state = COINBASE_OPENING;
    link->open_at = TIME_NEVER;
    link->asked = 0;
    link->has_sequence = false;
    const struct adapter_channel what = {
        .kind = ADAPTER_WEBSOCKET, .url = url_of(venue, link), .timeout_ns = CONNECT_NS};
    venue->out.port.open(venue->out.port.context, link->channel, &what);
}

void coinbase_link_opened(struct coinbase *venue, struct coinbase_link *link)
{
    if (link->state != COINBASE_OPENING)
        return;
    link->state = COINBASE_UP;
    link->opened_ns = link->beat_ns = venue->now;
    if (!link->is_private)
        coinbase_market_up(venue);
    for (size_t i = 0; i < AT_ONCE && subscribe(venue, link); i++) {
    }
}

/* What hangs on it is told, and it is opened anew after a while. */
static void lost(struct coinbase *venue, struct coinbase_link *link)
{
    if (link->state == COINBASE_UP && venue->now - link->opened_ns > STEADY_NS)
        link->backoff.failures = 0;
    link->state = COINBASE_DOWN;
    link->open_at = venue->now + adapter_backoff_wait(&link->backoff, &venue->random);
    if (link->is_private)
        coinbase_user_down(venue);
    else
        coinbase_market_down(venue);
}

void coinbase_link_renew(struct coinbase *venue, struct coinbase_link *link, const char *why)
{
    if (link->state == COINBASE_DOWN)
        return;
    adapter_log(&venue->out, LOG_WARN, "the %s stream is made anew: %s", name_of(link), why);
    venue->out.port.close(venue->out.port.context, link->channel);
    lost(venue, link);
}

void coinbase_link_closed(struct coinbase *venue, struct coinbase_link *link, const char *why)
{
    if (link->state == COINBASE_DOWN)
        return;
    adapter_log(&venue->out, LOG_WARN, "the %s stream closed: %s", name_of(link),
                why ? why : "no reason given");
    lost(venue, link);
}

/* --- messages ---------------------------------------------------------------------------------------- */

/* False where the message is not to be used: told before, or something before it is missing. */
static bool follows(struct coinbase *venue, struct coinbase_link *link)
{
    const struct coinbase_frame *frame = &venue->frame;
    uint64_t expected = link->sequence + 1;
    if (link->has_sequence && frame->sequence < expected) {
        venue->frames_repeated++;
        return false;
    }
    if (link->has_sequence && frame->sequence > expected) {
        adapter_log(&venue->out, LOG_WARN, "%s stream: message %llu expected, %llu came",
                    name_of(link), (unsigned long long)expected,
                    (unsigned long long)frame->sequence);
        if (!link->is_private)
            coinbase_market_gap(venue, expected, frame->sequence);
        coinbase_link_renew(venue, link, "messages are missing");
        return false;
    }
    link->has_sequence = true;
    link->sequence = frame->sequence;
    return true;
}

static void take_frame(struct coinbase *venue, struct coinbase_link *link)
{
    switch (venue->frame.channel) {
    case COINBASE_HEARTBEATS:
        link->beat_ns = venue->now;
        if (!link->is_private)
            coinbase_take_heartbeat(venue);
        break;
    case COINBASE_LEVEL2:
    case COINBASE_TRADES:
        if (!link->is_private)
            coinbase_take_market(venue);
        break;
    case COINBASE_USER:
        if (link->is_private)
            coinbase_take_user(venue);
        break;
    case COINBASE_OTHER_CHANNEL:
        if (venue->frames_other++ < UNREAD_LOGGED)
            adapter_log(&venue->out, LOG_INFO, "%s stream: channel %s is not known", name_of(link),
                        venue->frame.word);
        break;
    default:
        break; /* acknowledgements, and what nobody subscribed to */
    }
}

void coinbase_link_text(struct coinbase *venue, struct coinbase_link *link, const char *text,
                        size_t length)
{
    struct error error = {0};
    if (link->state != COINBASE_UP)
        return;
    if (coinbase_read_frame(&venue->frame, text, length, &error) != 0) {
        if (venue->frames_unread++ < UNREAD_LOGGED)
            adapter_log(&venue->out, LOG_ERROR, "a message of the %s stream: %s", name_of(link),
                        error.text);
        if (!link->is_private)
            coinbase_market_gap(venue, link->sequence + 1, 0);
        coinbase_link_renew(venue, link, "a message can't be read");
        return;
    }
    if (venue->frame.channel == COINBASE_ERROR_MESSAGE) {
        adapter_log(&venue->out, LOG_ERROR, "%s stream: %s", name_of(link), venue->frame.message);
        venue->time.next = venue->now; /* a token of the wrong time is refused so */
        coinbase_link_renew(venue, link, "the venue refused a subscription");
        return;
    }
    if (follows(venue, link))
        take_frame(venue, link);
}

/* --- what is due --------------------------------------------------------------------------------------- */

void coinbase_link_due(struct coinbase *venue, struct coinbase_link *link)
{
    if (!link->wanted)
        return;
    if (link->state == COINBASE_DOWN && venue->now >= link->open_at) {
        open_link(venue, link);
        return;
    }
    if (link->state != COINBASE_UP)
        return;
    if (venue->now - link->beat_ns > SILENCE_NS) {
        coinbase_link_renew(venue, link, "no heartbeat for five seconds");
        return;
    }
    bool all = !subscribe(venue, link);
    bool stands = link->is_private ? venue->user_told_up : coinbase_books_stand(venue);
    if (all && !stands && venue->now - link->asked_ns > SNAPSHOTS_NS)
        coinbase_link_renew(venue, link,
                            link->is_private ? "no snapshot of the orders came"
                                             : "no snapshot of a book came");
}
