/* Requests to Binance.US: made, signed and sent; what their answers say of limits, bans and the clock. */
#include "venue/live/binance_us.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum {
    RECEIVE_WINDOW_MS = 5000,    /* the venue's default: later than this an order is not taken */
    BAN_DEFAULT_SECONDS = 120,   /* the shortest ban, where none is told */
    BAN_MAX_SECONDS = 4 * 86400, /* they last up to three days */
    BACKGROUND_PERCENT = 60      /* of the weight; the rest is for orders, cancels and queries */
};
/* Between two looks at the venue's clock. */
#define TIME_EVERY_NS (600 * NS_PER_SECOND)
#define MINUTE_NS     (60 * NS_PER_SECOND)
/* No ban ends later. */
#define UNTIL_MAX_MS (JSON_TIME_MAX_NS / NS_PER_MS)
/* Least time from the venue's engine to us (trading-semantics 2). */
#define FEED_FLOOR_NS NS_PER_MS

static const struct {
    const char *method, *path;
    unsigned weight, bits;
} asks[BINANCE_US_ASK_COUNT] = {
#define X(name, method, path, weight, bits) [name] = {method, path, weight, bits},
    BINANCE_US_ASKS(X)
#undef X
};

/* --- the clock --------------------------------------------------------------------------------------- */

struct adapter_when binance_us_venue_time(int64_t ns)
{
    return (struct adapter_when){ns, ns > 0 ? MESSAGE_VENUE_TIME : 0};
}

struct adapter_when binance_us_estimated(const struct binance_us *us)
{
    return (struct adapter_when){us->now - FEED_FLOOR_NS, MESSAGE_VENUE_ESTIMATED};
}

struct adapter_when binance_us_venue_now(const struct binance_us *us)
{
    if (!us->time.known)
        return (struct adapter_when){0, 0};
    return (struct adapter_when){us->now + us->time.offset_ns, MESSAGE_VENUE_ESTIMATED};
}

void binance_us_time_due(struct binance_us *us)
{
    if (us->now < us->time.next || adapter_requests_of(&us->requests, ASK_TIME) > 0)
        return;
    if (binance_us_ask(us, ASK_TIME, NULL, &(struct adapter_asked){0}) == BINANCE_US_SENT)
        us->time.next = us->now + TIME_EVERY_NS;
}

void binance_us_take_time(struct binance_us *us, const struct adapter_asked *asked,
                          const struct binance_us_answer *answer)
{
    struct error error = {0};
    int64_t server;
    if (answer->outcome == BINANCE_US_GOOD &&
        binance_us_read_time(answer->body, answer->length, &server, &error) == 0) {
        us->time.offset_ns = server - (asked->sent_ns + (us->now - asked->sent_ns) / 2);
        us->time.latest_ns = server - us->now;
        us->time.known = true;
        return;
    }
    if (error.code)
        adapter_log(&us->out, LOG_WARN, "time: %s", error.text);
    us->time.next = us->now + 5 * NS_PER_SECOND;
}

/* --- limits ------------------------------------------------------------------------------------------ */

enum { ALL_OPEN_ORDERS = 40, ONE_TICKER = 2 };

bool binance_us_asks_each(const struct binance_us *us)
{
    return asks[ASK_OPEN_ORDERS].weight * us->names.count <= ALL_OPEN_ORDERS;
}

unsigned binance_us_weight(const struct binance_us *us, enum binance_us_ask kind)
{
    if (kind == ASK_OPEN_ORDERS && !binance_us_asks_each(us))
        return ALL_OPEN_ORDERS;
    if (kind == ASK_TICKERS && us->names.count == 1)
        return ONE_TICKER;
    return asks[kind].weight;
}

/* The venue counts in whole intervals of its clock. */
static struct binance_us_use *use_of(struct binance_us *us, size_t limit)
{
    struct binance_us_use *use = &us->rates.uses[limit];
    int64_t window = (us->now + us->time.offset_ns) / us->info.limits[limit].interval_ns;
    if (window != use->window)
        *use = (struct binance_us_use){.window = window};
    return use;
}

/* The end of the present interval, by the session's clock. */
static int64_t window_end(const struct binance_us *us, size_t limit)
{
    return (us->rates.uses[limit].window + 1) * us->info.limits[limit].interval_ns -
           us->time.offset_ns;
}

/* What one request uses of a limit. */
static unsigned share_of(const struct binance_us *us, size_t limit, enum binance_us_ask kind)
{
    switch ((enum binance_us_limit_type)us->info.limits[limit].type) {
    case BINANCE_US_WEIGHT:
        return binance_us_weight(us, kind);
    case BINANCE_US_ORDERS:
        return (asks[kind].bits & ASK_COUNTED) != 0;
    case BINANCE_US_RAW_REQUESTS:
        return 1;
    case BINANCE_US_LIMIT_TYPE_COUNT:
        break;
    }
    return 0;
}

static void count_sent(struct binance_us *us, enum binance_us_ask kind)
{
    for (size_t i = 0; i < us->info.limit_count; i++)
        use_of(us, i)->used += share_of(us, i, kind);
}

bool binance_us_is_banned(const struct binance_us *us)
{
    return us->now < us->rates.banned_until;
}

/* Until when a request that can wait has to, for what is left is kept for orders; 0: it may leave. */
static int64_t weight_wait(struct binance_us *us, enum binance_us_ask kind)
{
    int64_t until = 0;
    if (!(asks[kind].bits & ASK_BACKGROUND))
        return 0;
    for (size_t i = 0; i < us->info.limit_count; i++)
        if (us->info.limits[i].type != BINANCE_US_ORDERS &&
            use_of(us, i)->used + share_of(us, i, kind) >
                us->info.limits[i].limit * BACKGROUND_PERCENT / 100 &&
            window_end(us, i) > until)
            until = window_end(us, i);
    return until;
}

/* Without a book nothing is quoted. Once for all that wait, until the end that was told. */
static void log_wait(struct binance_us *us, int64_t until)
{
    char text[TIME_TEXT_MAX];
    if (us->now < us->rates.waits_until)
        return;
    us->rates.waits_until = until;
    time_to_text(until, text);
    adapter_log(&us->out, LOG_WARN,
                "books wait for the venue's request weight until %s: what is left is for orders",
                text);
}

static bool must_wait(struct binance_us *us, enum binance_us_ask kind)
{
    if (binance_us_is_banned(us))
        return true; /* which was logged */
    int64_t until = weight_wait(us, kind);
    if (until != 0 && kind == ASK_DEPTH)
        log_wait(us, until);
    return until != 0;
}

/* What is under way counts as used, whether the venue has counted it or not. */
static uint64_t under_way(const struct binance_us *us, size_t limit)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < us->requests.count; i++)
        sum += share_of(us, limit, (enum binance_us_ask)us->requests.list[i].kind);
    return sum;
}

/* True where the header tells of a limit that is known. */
static bool take_use(struct binance_us *us, const struct net_header *header)
{
    uint8_t type;
    int64_t interval;
    uint64_t used;
    bool known = false;
    if (!binance_us_read_use(header->name, header->value, &type, &interval, &used))
        return false;
    for (size_t i = 0; i < us->info.limit_count; i++) {
        if (us->info.limits[i].type != type || us->info.limits[i].interval_ns != interval)
            continue;
        use_of(us, i)->used = used + under_way(us, i);
        known = true;
    }
    return known;
}

static void tell_budget(struct binance_us *us, uint64_t left, int64_t resets)
{
    if (us->adapter.state != ADAPTER_RUNNING || !us->settings.credentials ||
        (left == us->rates.told_left && resets == us->rates.told_resets))
        return;
    us->rates.told_left = left;
    us->rates.told_resets = resets;
    adapter_tell(&us->out, EVENT_rate_budget, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->rate_budget = (struct event_rate_budget){us->names.numbers->venue, left, resets};
}

/* The engine has one budget a venue: the one that ends first. An order weighs one. */
static void tell_tightest(struct binance_us *us, bool order)
{
    uint64_t tightest = UINT64_MAX;
    int64_t resets = 0;
    bool scarce = false;
    for (size_t i = 0; i < us->info.limit_count; i++) {
        uint64_t used = use_of(us, i)->used, limit = us->info.limits[i].limit;
        uint64_t left = used < limit ? limit - used : 0;
        if (us->info.limits[i].type == BINANCE_US_RAW_REQUESTS || left >= tightest)
            continue;
        tightest = left;
        resets = window_end(us, i);
        scarce = left < limit / 4;
    }
    if (tightest != UINT64_MAX && (order || scarce))
        tell_budget(us, tightest, resets);
}

/* --- bans -------------------------------------------------------------------------------------------- */

static const char *header_of(const struct net_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

/* "… IP banned until 1659146400000." */
static int64_t ban_in_words(const struct binance_us *us, const struct binance_us_error *error)
{
    const char *at = strstr(error->text, "until ");
    int64_t ms = 0;
    for (at = at ? at + 6 : ""; *at >= '0' && *at <= '9' && ms <= UNTIL_MAX_MS; at++)
        ms = ms * 10 + (*at - '0');
    if (ms > UNTIL_MAX_MS)
        return 0;
    int64_t until = ms * NS_PER_MS - us->time.offset_ns;
    return until > us->now && until < us->now + BAN_MAX_SECONDS * NS_PER_SECOND ? until : 0;
}

/* The end of the present interval of weight; a minute where no limit is known. */
static int64_t weight_end(struct binance_us *us)
{
    for (size_t i = 0; i < us->info.limit_count; i++)
        if (us->info.limits[i].type == BINANCE_US_WEIGHT) {
            use_of(us, i);
            return window_end(us, i);
        }
    return us->now + MINUTE_NS;
}

/* Until when nothing may be asked after this answer; 0 where it forbids nothing. An order too many (-1015) is
 * refused alone: cancels go on. */
static int64_t ban_end(struct binance_us *us, const struct net_response *response,
                       const struct binance_us_answer *answer)
{
    const char *text = header_of(response, "retry-after");
    struct number seconds = {.status = NUMBER_ABSENT};
    if (text)
        seconds = number_from_text(text, strlen(text), 0);
    if (seconds.status == NUMBER_VALUE && seconds.units > 0)
        return us->now +
               (seconds.units < BAN_MAX_SECONDS ? seconds.units : BAN_MAX_SECONDS) * NS_PER_SECOND;
    int64_t told = ban_in_words(us, &answer->error);
    if (told)
        return told;
    if (answer->status == 418)
        return us->now + BAN_DEFAULT_SECONDS * NS_PER_SECOND;
    return answer->error.code == BINANCE_US_CODE_TOO_MANY_ORDERS ? 0 : weight_end(us);
}

static void obey(struct binance_us *us, const struct net_response *response,
                 const struct binance_us_answer *answer)
{
    if (answer->status != 429 && answer->status != 418)
        return;
    int64_t until = ban_end(us, response, answer);
    if (until <= us->rates.banned_until)
        return;
    us->rates.banned_until = until;
    adapter_log(&us->out, LOG_ERROR, "HTTP %ld: nothing is asked for %lld ms (%s)", answer->status,
                (long long)((until - us->now) / NS_PER_MS), answer->error.text);
}

/* --- the breaker around the venue -------------------------------------------------------------------- */

/* Requests about no order: failures are told each, a success once after them. */
static void tell_breaker(struct binance_us *us, const struct adapter_asked *asked,
                         const struct binance_us_answer *answer)
{
    bool healthy = answer->outcome == BINANCE_US_GOOD || answer->outcome == BINANCE_US_REFUSED;
    if (us->adapter.state != ADAPTER_RUNNING || !(asks[asked->kind].bits & ASK_VITAL) ||
        (healthy && !us->sick))
        return;
    us->sick = !healthy;
    adapter_tell(&us->out, EVENT_breaker_input, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->breaker_input = (struct event_breaker_input){us->names.numbers->venue, healthy};
}

void binance_us_take_limits(struct binance_us *us, const struct net_response *response,
                            const struct binance_us_answer *answer)
{
    us->rates.heard = false;
    for (size_t i = 0; answer->status != 0 && i < response->header_count; i++)
        us->rates.heard |= take_use(us, &response->headers[i]);
    obey(us, response, answer);
    if (answer->outcome == BINANCE_US_REFUSED && answer->error.code == BINANCE_US_CODE_TIMESTAMP)
        us->time.next =
            us->now; /* our clock is off: it is asked for before anything else is signed */
}

void binance_us_tell_limits(struct binance_us *us, const struct adapter_asked *asked,
                            const struct binance_us_answer *answer)
{
    bool order =
        asked->kind == ASK_PLACE || asked->kind == ASK_REPLACE || asked->kind == ASK_CANCEL;
    if (binance_us_is_banned(us))
        tell_budget(us, 0, us->rates.banned_until);
    else if (us->rates.heard)
        tell_tightest(us, order);
    tell_breaker(us, asked, answer);
}

/* --- answers ----------------------------------------------------------------------------------------- */

struct binance_us_answer binance_us_read_answer(const struct net_response *response)
{
    struct binance_us_answer answer = {.outcome = BINANCE_US_UNKNOWN, .failure = response->failure};
    if (response->outcome == NET_NOT_SENT)
        answer.outcome = BINANCE_US_NOT_SENT;
    if (response->outcome != NET_ANSWERED)
        return answer;
    answer.status = response->status;
    answer.body = response->body;
    answer.length = response->length;
    if (answer.status >= 200 && answer.status < 300) {
        answer.outcome = BINANCE_US_GOOD;
        return answer;
    }
    bool told = binance_us_read_error(answer.body, answer.length, &answer.error);
    bool slow_down = answer.status == 429 || answer.status == 418;
    if (slow_down && !told) {
        answer.error.code = BINANCE_US_CODE_TOO_MANY_REQUESTS;
        snprintf(answer.error.text, sizeof answer.error.text, "HTTP %ld without words",
                 answer.status);
    }
    if (slow_down || (told && answer.status >= 400 && answer.status < 500 &&
                      !binance_us_is_unknown(answer.error.code)))
        answer.outcome = BINANCE_US_REFUSED;
    return answer;
}

/* --- sending ----------------------------------------------------------------------------------------- */

/* The parameters as they are sent. */
static bool complete(struct binance_us *us, enum binance_us_ask kind,
                     struct binance_us_parameters *parameters)
{
    struct error error = {0};
    if (!(asks[kind].bits & ASK_SIGNED))
        return !parameters->full;
    int64_t venue_ms = (us->now + us->time.latest_ns) / NS_PER_MS;
    binance_us_add_integer(parameters, "recvWindow", RECEIVE_WINDOW_MS);
    binance_us_add_integer(parameters, "timestamp", venue_ms);
    if (binance_us_sign(parameters, us->settings.credentials->secret, &error) == 0)
        return true;
    adapter_log(&us->out, LOG_ERROR, "%s: %s", asks[kind].path, error.text);
    return false;
}

static bool make_url(struct binance_us *us, enum binance_us_ask kind,
                     const struct binance_us_parameters *parameters, char out[ADAPTER_URL_MAX])
{
    bool query = parameters->length > 0 && !(asks[kind].bits & ASK_IN_BODY);
    int length = snprintf(out, ADAPTER_URL_MAX, "%s%s%s%s", us->settings.rest_url, asks[kind].path,
                          query ? "?" : "", query ? parameters->text : "");
    return length > 0 && length < ADAPTER_URL_MAX;
}

static void send_request(struct binance_us *us, enum binance_us_ask kind, uint64_t tag,
                         const char *url, const struct binance_us_parameters *parameters)
{
    struct adapter_request request = {.tag = tag,
                                      .method = asks[kind].method,
                                      .url = url,
                                      .timeout_ns = us->settings.request_timeout_ns};
    bool has_body = strcmp(asks[kind].method, "POST") == 0 || strcmp(asks[kind].method, "PUT") == 0;
    if (has_body) {
        request.body = asks[kind].bits & ASK_IN_BODY ? parameters->text : "";
        request.length = strlen(request.body);
        request.headers[request.header_count++] =
            (struct net_header){"Content-Type", "application/x-www-form-urlencoded"};
    }
    if (asks[kind].bits & (ASK_SIGNED | ASK_KEYED))
        request.headers[request.header_count++] =
            (struct net_header){"X-MBX-APIKEY", us->settings.credentials->key};
    us->out.port.request(us->out.port.context, &request);
}

enum binance_us_sent binance_us_ask(struct binance_us *us, enum binance_us_ask kind,
                                    const struct binance_us_parameters *parameters,
                                    const struct adapter_asked *about)
{
    struct binance_us_parameters sent = {0};
    struct adapter_asked asked = *about;
    char url[ADAPTER_URL_MAX];
    ASSERT(us->settings.credentials || !(asks[kind].bits & (ASK_SIGNED | ASK_KEYED)));
    if (must_wait(us, kind))
        return BINANCE_US_HELD_BACK;
    if (parameters)
        sent = *parameters;
    if (!complete(us, kind, &sent) || !make_url(us, kind, &sent, url))
        return BINANCE_US_NO_REQUEST;
    asked.kind = (uint8_t)kind;
    asked.sent_ns = us->now;
    uint64_t tag = adapter_requests_add(&us->requests, &asked);
    if (tag == 0)
        return BINANCE_US_NO_ROOM;
    count_sent(us, kind);
    send_request(us, kind, tag, url, &sent);
    return BINANCE_US_SENT;
}
