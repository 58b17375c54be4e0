/* Websockets of Binance.US: opened, subscribed within the venue's budget of messages, made anew before their age
 * limit, given up when nothing is heard ("Web Socket Streams": a connection lives 24 hours, is pinged every
 * three minutes, and may send five messages a second). We send no pings.
 *
 *   current:  DOWN ──open──► OPENING ──opened──► OPEN ──23 h──► OPEN beside the other link
 *               ▲               │                 │                    │ the other is complete, 5 s later,
 *               └───────────────┴─closed, silent──┘                    ▼ or at once where this one is lost
 *             what hangs on it is told; again after a back-off     the other is the current one
 *
 * A link is complete when all that is wanted runs on it: its streams are in its address or acknowledged. */
#include "venue/live/binance_us.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define ROTATE_AFTER_NS  (23 * 3600 * NS_PER_SECOND)
#define ROTATE_RETRY_NS  (60 * NS_PER_SECOND)
#define OVERLAP_NS       (5 * NS_PER_SECOND)
#define SILENCE_NS       (240 * NS_PER_SECOND) /* one ping in it is certain */
#define STEADY_NS        (60 * NS_PER_SECOND)  /* up for so long is no failure in a row */
#define CONNECT_NS       (10 * NS_PER_SECOND)
#define SUBSCRIBE_NS     (300 * NS_PER_MS) /* between two messages; pongs count too */
#define SUBSCRIBE_END_NS (10 * NS_PER_SECOND)

enum { SUBSCRIBE_SYMBOLS = 40, SUBSCRIBE_TEXT_MAX = 8192 };

void binance_us_pair_init(struct binance_us_pair *pair, bool is_private, unsigned first_channel)
{
    *pair = (struct binance_us_pair){
        .is_private = is_private,
        .open_at = TIME_NEVER,
        .rotate_at = TIME_NEVER,
        .handover_at = TIME_NEVER,
        .backoff = {.least_ns = 500 * NS_PER_MS, .most_ns = 30 * NS_PER_SECOND},
    };
    for (unsigned i = 0; i < 2; i++)
        pair->links[i].channel = first_channel + i;
}

static struct binance_us_link *current(struct binance_us_pair *pair)
{
    return &pair->links[pair->current];
}

static struct binance_us_link *other(struct binance_us_pair *pair)
{
    return &pair->links[1 - pair->current];
}

bool binance_us_pair_is_up(const struct binance_us_pair *pair)
{
    return pair->links[pair->current].state == LINK_OPEN;
}

struct binance_us_pair *binance_us_pair_of(struct binance_us *us, unsigned channel,
                                           struct binance_us_link **link)
{
    struct binance_us_pair *pairs[] = {&us->market, &us->private_pair};
    for (unsigned i = 0; i < 4; i++) {
        *link = &pairs[i / 2]->links[i % 2];
        if ((*link)->channel == channel)
            return pairs[i / 2];
    }
    *link = NULL;
    return NULL;
}

/* --- streams ----------------------------------------------------------------------------------------- */

/* "btcusd@depth@100ms", "btcusd@trade", "btcusd@bookTicker", each between `before` and `after`. */
static size_t stream_names(const char *symbol, const char *before, const char *after, char *out,
                           size_t capacity)
{
    static const char *const kinds[] = {"@depth@100ms", "@trade", "@bookTicker"};
    char lower[BINANCE_SYMBOL_MAX + 1];
    size_t length = 0, i = 0;
    for (; symbol[i] && i < BINANCE_SYMBOL_MAX; i++)
        lower[i] = (char)(symbol[i] >= 'A' && symbol[i] <= 'Z' ? symbol[i] - 'A' + 'a' : symbol[i]);
    lower[i] = '\0';
    for (size_t kind = 0; kind < 3 && length < capacity; kind++)
        length += (size_t)snprintf(out + length, capacity - length, "%s%s%s%s", before, lower,
                                   kinds[kind], after);
    return length;
}

/* As many symbols as fit; the others are subscribed once it is open. */
static size_t market_url(const struct binance_us *us, char out[ADAPTER_URL_MAX])
{
    size_t length =
        (size_t)snprintf(out, ADAPTER_URL_MAX, "%s/stream?streams=", us->settings.stream_url);
    size_t place = 0;
    for (; place < us->names.count; place++) {
        size_t more = stream_names(us->settings.symbols[place], "", "/", out + length,
                                   ADAPTER_URL_MAX - length);
        if (length + more >= ADAPTER_URL_MAX)
            break;
        length += more;
    }
    out[length - 1] = '\0'; /* the last slash, or '=' where not even one fits */
    return place;
}

/* The WS-API has an address of its own; where another one is set for the streams, it is looked for there. */
static void private_url(const struct binance_us *us, char out[ADAPTER_URL_MAX])
{
    const char *base =
        us->settings.private_url ? us->settings.private_url : us->settings.stream_url;
    if (!us->private_key.retired)
        snprintf(out, ADAPTER_URL_MAX, "%s/ws/%s", base, us->private_key.key);
    else
        snprintf(out, ADAPTER_URL_MAX, "%s/ws-api/v3",
                 strcmp(base, BINANCE_US_STREAM) == 0 ? BINANCE_US_API : base);
}

/* The next batch of symbols, where the last one is answered and the budget lets it. */
static void subscribe(struct binance_us *us, struct binance_us_link *link)
{
    char text[SUBSCRIBE_TEXT_MAX];
    size_t place = link->covered, end = place + SUBSCRIBE_SYMBOLS;
    if (link->state != LINK_OPEN || link->asked != link->covered || place == us->names.count ||
        us->now - link->asked_ns < SUBSCRIBE_NS)
        return;
    size_t length = (size_t)snprintf(text, sizeof text, "{\"method\":\"SUBSCRIBE\",\"params\":[");
    for (; place < us->names.count && place < end; place++)
        length += stream_names(us->settings.symbols[place], "\"", "\",", text + length,
                               sizeof text - length);
    ASSERT(length + 32 < sizeof text); /* 40 symbols of at most 40 bytes */
    length += (size_t)snprintf(text + length - 1, sizeof text - length + 1, "],\"id\":%llu}",
                               (unsigned long long)++link->last_id) -
              1;
    link->asked = place;
    link->asked_ns = us->now;
    us->out.port.send(us->out.port.context, link->channel, text, length);
}

static void cover(struct binance_us *us, struct binance_us_link *link)
{
    size_t from = link->covered;
    link->covered = link->asked;
    binance_us_market_covered(us, from, link->covered);
    subscribe(us, link);
}

/* --- up and down --------------------------------------------------------------------------------------- */

static void open_link(struct binance_us *us, struct binance_us_pair *pair,
                      struct binance_us_link *link)
{
    char url[ADAPTER_URL_MAX];
    unsigned channel = link->channel;
    uint64_t last_id = link->last_id;
    *link = (struct binance_us_link){
        .state = LINK_OPENING, .channel = channel, .lagging_ns = TIME_NEVER, .last_id = last_id};
    if (pair->is_private)
        private_url(us, url);
    else
        link->asked = market_url(us, url);
    struct adapter_channel what = {.kind = ADAPTER_WEBSOCKET, .url = url, .timeout_ns = CONNECT_NS};
    us->out.port.open(us->out.port.context, channel, &what);
}

static void close_link(struct binance_us *us, struct binance_us_link *link)
{
    if (link->state != LINK_DOWN)
        us->out.port.close(us->out.port.context, link->channel);
    link->state = LINK_DOWN;
}

/* Neither link stands: what hangs on them is told, and a new one is opened after a while. */
static void pair_down(struct binance_us *us, struct binance_us_pair *pair, bool was_steady)
{
    if (was_steady)
        pair->backoff.failures = 0;
    pair->rotate_at = pair->handover_at = TIME_NEVER;
    pair->open_at = us->now + adapter_backoff_wait(&pair->backoff, &us->random);
    if (pair->is_private)
        binance_us_private_down(us);
    else
        binance_us_market_down(us);
}

void binance_us_pair_want(struct binance_us *us, struct binance_us_pair *pair)
{
    pair->wanted = true;
    pair->open_at = us->now;
    binance_us_pair_due(us, pair);
}

void binance_us_pair_renew(struct binance_us *us, struct binance_us_pair *pair, const char *why)
{
    adapter_log(&us->out, LOG_WARN, "the %s stream is made anew: %s",
                pair->is_private ? "private" : "market", why);
    bool steady =
        current(pair)->state == LINK_OPEN && us->now - current(pair)->opened_ns > STEADY_NS;
    close_link(us, current(pair));
    close_link(us, other(pair));
    pair_down(us, pair, steady);
}

/* Everything that is wanted runs on it. */
static bool is_complete(const struct binance_us *us, const struct binance_us_pair *pair,
                        const struct binance_us_link *link)
{
    return link->state == LINK_OPEN && link->covered == (pair->is_private ? 1 : us->names.count);
}

/* The other link takes over. */
static void hand_over(struct binance_us *us, struct binance_us_pair *pair)
{
    close_link(us, current(pair));
    pair->current = 1 - pair->current;
    pair->handover_at = TIME_NEVER;
    pair->rotate_at = current(pair)->opened_ns + ROTATE_AFTER_NS;
    adapter_log(&us->out, LOG_INFO, "the %s stream goes on over a new connection",
                pair->is_private ? "private" : "market");
}

void binance_us_link_closed(struct binance_us *us, struct binance_us_pair *pair,
                            struct binance_us_link *link, const char *why)
{
    if (link->state == LINK_DOWN)
        return;
    bool steady = link->state == LINK_OPEN && us->now - link->opened_ns > STEADY_NS;
    adapter_log(&us->out, LOG_WARN, "a %s stream closed: %s",
                pair->is_private ? "private" : "market", why ? why : "no reason given");
    link->state = LINK_DOWN;
    if (link != current(pair)) {
        pair->handover_at = TIME_NEVER;
        pair->rotate_at = us->now + ROTATE_RETRY_NS;
    } else if (is_complete(us, pair, other(pair))) {
        hand_over(us, pair);
    } else {
        close_link(us, other(pair));
        pair_down(us, pair, steady);
    }
}

void binance_us_link_opened(struct binance_us *us, struct binance_us_pair *pair,
                            struct binance_us_link *link)
{
    if (link->state != LINK_OPENING)
        return;
    link->state = LINK_OPEN;
    link->opened_ns = link->heard_ns = us->now;
    if (link == current(pair))
        pair->rotate_at = us->now + ROTATE_AFTER_NS;
    if (pair->is_private) {
        binance_us_private_opened(us, link);
        return;
    }
    if (link == current(pair))
        binance_us_market_up(us);
    cover(us, link);
}

void binance_us_link_answer(struct binance_us *us, struct binance_us_link *link, const char *text,
                            size_t length)
{
    struct binance_us_stream_answer answer;
    struct error error = {0};
    if (binance_us_read_stream_answer(text, length, &answer, &error) != 0) {
        adapter_log(&us->out, LOG_WARN, "an answer on the market stream: %s", error.text);
        return;
    }
    if (answer.error.code != 0) {
        adapter_log(&us->out, LOG_ERROR, "SUBSCRIBE is refused: %lld %s",
                    (long long)answer.error.code, answer.error.text);
        binance_us_pair_renew(us, &us->market, "it can't be subscribed to");
    } else if (answer.has_id && answer.id == link->last_id && link->asked > link->covered) {
        cover(us, link);
    }
}

/* --- what is due --------------------------------------------------------------------------------------- */

static bool is_dead(const struct binance_us *us, const struct binance_us_link *link)
{
    if (link->state != LINK_OPEN)
        return false;
    return us->now - link->heard_ns > SILENCE_NS ||
           (link->asked > link->covered && us->now - link->asked_ns > SUBSCRIBE_END_NS);
}

static void rotation_due(struct binance_us *us, struct binance_us_pair *pair)
{
    if (us->now >= pair->rotate_at && other(pair)->state == LINK_DOWN) {
        pair->rotate_at = us->now + ROTATE_RETRY_NS;
        open_link(us, pair, other(pair));
    }
    if (pair->handover_at == TIME_NEVER && is_complete(us, pair, other(pair)))
        pair->handover_at = us->now + OVERLAP_NS;
    if (us->now >= pair->handover_at)
        hand_over(us, pair);
}

void binance_us_pair_due(struct binance_us *us, struct binance_us_pair *pair)
{
    if (!pair->wanted)
        return;
    if (is_dead(us, other(pair))) {
        close_link(us, other(pair));
        pair->handover_at = TIME_NEVER;
    }
    if (is_dead(us, current(pair))) {
        binance_us_pair_renew(us, pair, "nothing is heard of it");
        return;
    }
    if (!pair->is_private) {
        subscribe(us, current(pair));
        subscribe(us, other(pair));
    }
    if (current(pair)->state == LINK_OPEN) {
        rotation_due(us, pair);
    } else if (current(pair)->state == LINK_DOWN && us->now >= pair->open_at &&
               !binance_us_is_banned(us)) {
        pair->open_at = TIME_NEVER;
        open_link(us, pair, current(pair));
    }
}
