/* Requests to Coinbase: made, each with a token of its own, and sent; what their answers say of limits and the
 * clock. */
#include "config.h" /* explicit_bzero */

#include "venue/live/coinbase.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum {
    LIMIT_DEFAULT = 30,      /* requests a second with a token, where no answer told another */
    BACKGROUND_PERCENT = 60, /* of them for questions that can wait */
    FILLS_PERCENT = 90,      /* what filled is wanted soon; the rest is for cancels */
    RETRY_AFTER_MAX = 3600,  /* seconds */
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    TOO_MANY = 429
};
/* Between two looks at the venue's clock. */
#define TIME_EVERY_NS (600 * NS_PER_SECOND)
/* A token is of so long ago, so that clocks that differ a little don't make it one of the future. */
#define TOKEN_MARGIN_NS (2 * NS_PER_SECOND)
/* A second of the venue's need not begin with ours. */
#define SECOND_NS NS_PER_SECOND

#define BROKERAGE "/api/v3/brokerage"

static const struct {
    const char *method, *path;
    unsigned bits;
} asks[COINBASE_ASK_COUNT] = {
#define X(name, method, path, bits) [name] = {method, path, bits},
    COINBASE_ASKS(X)
#undef X
};

/* --- the clock --------------------------------------------------------------------------------------- */

struct adapter_when coinbase_stamp(int64_t ns)
{
    return (struct adapter_when){ns, ns > 0 ? MESSAGE_VENUE_TIME : 0};
}

struct adapter_when coinbase_venue_at(const struct coinbase *venue, int64_t session_ns)
{
    if (!venue->time.known)
        return (struct adapter_when){0, 0};
    return (struct adapter_when){session_ns + venue->time.offset_ns, MESSAGE_VENUE_ESTIMATED};
}

struct adapter_when coinbase_venue_now(const struct coinbase *venue)
{
    return coinbase_venue_at(venue, venue->now);
}

void coinbase_time_due(struct coinbase *venue)
{
    if (venue->now < venue->time.next ||
        adapter_requests_of(&venue->requests, COINBASE_ASK_TIME) > 0)
        return;
    if (coinbase_ask(venue, COINBASE_ASK_TIME, NULL, &(struct adapter_asked){0}, NULL) ==
        COINBASE_SENT)
        venue->time.next = venue->now + TIME_EVERY_NS;
}

void coinbase_take_time(struct coinbase *venue, const struct adapter_asked *asked,
                        const struct coinbase_answer *answer)
{
    struct error error = {0};
    int64_t server;
    if (answer->outcome == COINBASE_GOOD &&
        coinbase_read_time(answer->body, answer->length, &server, &error) == 0) {
        venue->time.offset_ns = server - (asked->sent_ns + (venue->now - asked->sent_ns) / 2);
        venue->time.latest_ns = server - venue->now;
        venue->time.known = true;
        return;
    }
    if (error.code)
        adapter_log(&venue->out, LOG_WARN, "time: %s", error.text);
    venue->time.next = venue->now + 5 * NS_PER_SECOND;
}

/* --- limits ------------------------------------------------------------------------------------------ */

static void begin_second(struct coinbase *venue)
{
    if (venue->now - venue->rates.second < SECOND_NS)
        return;
    venue->rates.second = venue->now;
    venue->rates.used = 0;
}

static uint64_t limit_of(const struct coinbase *venue)
{
    return venue->rates.limit ? venue->rates.limit : LIMIT_DEFAULT;
}

bool coinbase_is_held(const struct coinbase *venue)
{
    return venue->now < venue->rates.held_until;
}

static bool must_wait(struct coinbase *venue, enum coinbase_ask kind)
{
    if (coinbase_is_held(venue))
        return true;
    begin_second(venue);
    unsigned percent = kind == COINBASE_ASK_FILLS ? FILLS_PERCENT : BACKGROUND_PERCENT;
    return (asks[kind].bits & COINBASE_BACKGROUND) &&
           venue->rates.used >= limit_of(venue) * percent / 100;
}

static bool whole_header(const struct net_response *response, const char *name, uint64_t *out)
{
    for (size_t i = 0; i < response->header_count; i++) {
        const struct net_header *header = &response->headers[i];
        if (strcmp(header->name, name) != 0)
            continue;
        struct number number = number_from_text(header->value, strlen(header->value), 0);
        *out = number.status == NUMBER_VALUE ? (uint64_t)number.units : 0;
        return number.status == NUMBER_VALUE && number.units >= 0;
    }
    return false;
}

/* x-ratelimit-limit, -remaining, -reset (seconds): of requests with a token, which is what orders are. */
static void take_headers(struct coinbase *venue, const struct net_response *response)
{
    struct coinbase_rates *rates = &venue->rates;
    uint64_t limit, left, reset;
    rates->heard = false;
    if (!whole_header(response, "x-ratelimit-remaining", &left))
        return;
    if (whole_header(response, "x-ratelimit-limit", &limit) && limit > 0)
        rates->limit = limit;
    if (!whole_header(response, "x-ratelimit-reset", &reset) || reset > RETRY_AFTER_MAX)
        reset = 1;
    rates->heard = true;
    rates->left = left;
    rates->resets = venue->now + (int64_t)(reset > 0 ? reset : 1) * NS_PER_SECOND;
    begin_second(venue);
    if (left < limit_of(venue) && limit_of(venue) - left > rates->used)
        rates->used = limit_of(venue) - left;
}

/* 429: its word where it says one ("Retry-After"), else twice as long each time, from a second on. What had left before
 * the last one came was refused with it, and is no further time. */
static void obey(struct coinbase *venue, const struct adapter_asked *asked,
                 const struct net_response *response, const struct coinbase_answer *answer)
{
    uint64_t seconds;
    if (answer->status != TOO_MANY) {
        if (answer->outcome == COINBASE_GOOD)
            venue->rates.backoff.failures = 0;
        return;
    }
    bool told = whole_header(response, "retry-after", &seconds) && seconds > 0;
    bool same = asked->sent_ns <= venue->rates.refused_ns;
    venue->rates.refused_ns = venue->now;
    if (!told && same)
        return;
    if (told && seconds > RETRY_AFTER_MAX)
        seconds = RETRY_AFTER_MAX;
    int64_t until =
        venue->now + (told ? (int64_t)seconds * NS_PER_SECOND
                           : adapter_backoff_wait(&venue->rates.backoff, &venue->random));
    if (until <= venue->rates.held_until)
        return;
    venue->rates.held_until = until;
    adapter_log(&venue->out, LOG_ERROR, "HTTP 429: nothing is asked for %lld ms (%s)",
                (long long)((until - venue->now) / NS_PER_MS), answer->error.text);
}

void coinbase_take_limits(struct coinbase *venue, const struct adapter_asked *asked,
                          const struct net_response *response, const struct coinbase_answer *answer)
{
    venue->rates.heard = false;
    if (answer->status != 0 && (asks[asked->kind].bits & COINBASE_TOKEN))
        take_headers(venue, response);
    obey(venue, asked, response, answer);
    if (answer->status == UNAUTHORIZED)
        venue->time.next = venue->now; /* the clocks may differ: it is asked for before all else */
}

static void tell_budget(struct coinbase *venue, uint64_t left, int64_t resets)
{
    if (!venue->settings.credentials ||
        (left == venue->rates.told_left && resets == venue->rates.told_resets))
        return;
    venue->rates.told_left = left;
    venue->rates.told_resets = resets;
    adapter_tell(&venue->out, EVENT_rate_budget, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->rate_budget = (struct event_rate_budget){venue->names.numbers->venue, left, resets};
}

/* Requests about no order: failures are told each, a success once after them. */
static void tell_breaker(struct coinbase *venue, const struct adapter_asked *asked,
                         const struct coinbase_answer *answer)
{
    bool healthy = answer->outcome == COINBASE_GOOD || answer->outcome == COINBASE_REFUSED;
    if (!(asks[asked->kind].bits & COINBASE_VITAL) || (healthy && !venue->sick))
        return;
    venue->sick = !healthy;
    adapter_tell(&venue->out, EVENT_breaker_input, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->breaker_input = (struct event_breaker_input){venue->names.numbers->venue, healthy};
}

void coinbase_tell_limits(struct coinbase *venue, const struct adapter_asked *asked,
                          const struct coinbase_answer *answer)
{
    bool order = asked->kind == COINBASE_ASK_PLACE || asked->kind == COINBASE_ASK_CANCEL ||
                 asked->kind == COINBASE_ASK_EDIT;
    if (coinbase_is_held(venue))
        tell_budget(venue, 0, venue->rates.held_until);
    else if (venue->rates.heard && (order || venue->rates.left < limit_of(venue) / 4))
        tell_budget(venue, venue->rates.left, venue->rates.resets);
    tell_breaker(venue, asked, answer);
}

/* --- answers ----------------------------------------------------------------------------------------- */

static void set_error(struct coinbase_error *error, const char *reason, long status)
{
    coinbase_copy_printable(reason, error->reason, sizeof error->reason);
    if (error->text[0] == '\0')
        snprintf(error->text, sizeof error->text, "HTTP %ld", status);
}

/* 401 and 403 come as plain text; what they refuse was not done, and no more was what is asked too often. */
static bool is_refused(struct coinbase_answer *answer)
{
    bool told = coinbase_read_error(answer->body, answer->length, &answer->error);
    if (answer->status == UNAUTHORIZED)
        set_error(&answer->error, "unauthorized", answer->status);
    else if (answer->status == FORBIDDEN && !told)
        set_error(&answer->error, "permission_denied", answer->status);
    else if (answer->status == TOO_MANY && !told)
        set_error(&answer->error, "rate_limit_exceeded", answer->status);
    else
        return told && answer->status >= 400 && answer->status < 500;
    return true;
}

struct coinbase_answer coinbase_read_answer(const struct net_response *response)
{
    struct coinbase_answer answer = {.outcome = COINBASE_UNKNOWN, .failure = response->failure};
    if (response->outcome == NET_NOT_SENT)
        answer.outcome = COINBASE_NOT_SENT;
    if (response->outcome != NET_ANSWERED)
        return answer;
    answer.status = response->status;
    answer.body = response->body;
    answer.length = response->length;
    if (answer.status >= 200 && answer.status < 300)
        answer.outcome = COINBASE_GOOD;
    else if (is_refused(&answer))
        answer.outcome = COINBASE_REFUSED;
    return answer;
}

/* --- tokens ------------------------------------------------------------------------------------------ */

static bool make_token(struct coinbase *venue, const char *uri, char out[COINBASE_TOKEN_MAX])
{
    unsigned char bytes[COINBASE_NONCE_DIGITS / 2];
    char nonce[COINBASE_NONCE_DIGITS + 1];
    struct error error = {0};
    const struct credentials *credentials = venue->settings.credentials;
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        adapter_log(&venue->out, LOG_ERROR, "no random bytes for a token");
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
    int64_t venue_ns = venue->now + venue->time.latest_ns - TOKEN_MARGIN_NS;
    const struct coinbase_claims claims = {.key_name = credentials->key,
                                           .uri = uri,
                                           .nonce = nonce,
                                           .from_s = venue_ns / NS_PER_SECOND};
    if (coinbase_token(&claims, credentials->secret, out, &error) == 0)
        return true;
    adapter_log(&venue->out, LOG_ERROR, "no token can be made: %s", error.text);
    return false;
}

bool coinbase_channel_token(struct coinbase *venue, char out[COINBASE_TOKEN_MAX])
{
    return make_token(venue, NULL, out);
}

/* --- asking ------------------------------------------------------------------------------------------ */

static void put(struct coinbase_question *question, const char *text)
{
    size_t length = strlen(text);
    if (question->length + length >= sizeof question->query) {
        question->full = true;
        return;
    }
    memcpy(question->query + question->length, text, length + 1);
    question->length += length;
}

void coinbase_add(struct coinbase_question *question, const char *name, const char *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    put(question, question->length > 0 ? "&" : "");
    put(question, name);
    put(question, "=");
    for (; *value; value++) {
        char code[4] = {*value, '\0', '\0', '\0'};
        if (!strchr(plain, *value))
            snprintf(code, sizeof code, "%%%02X", (unsigned char)*value);
        put(question, code);
    }
}

/* The path with which a request is made, and which its token names. */
static bool make_path(enum coinbase_ask kind, const struct coinbase_question *question, char *out,
                      size_t capacity)
{
    int length = snprintf(out, capacity, BROKERAGE "%s%s", asks[kind].path, question->path);
    return !question->full && length > 0 && (size_t)length < capacity;
}

static bool make_url(const struct coinbase *venue, const char *path,
                     const struct coinbase_question *question, char out[ADAPTER_URL_MAX])
{
    int length = snprintf(out, ADAPTER_URL_MAX, "%s%s%s%s", venue->settings.rest_url, path,
                          question->length > 0 ? "?" : "", question->query);
    return length > 0 && length < ADAPTER_URL_MAX;
}

/* "Bearer " and the token; empty where the request needs none. */
static bool make_bearer(struct coinbase *venue, enum coinbase_ask kind, const char *path,
                        char out[COINBASE_TOKEN_MAX + 8])
{
    char uri[COINBASE_URI_MAX];
    out[0] = '\0';
    if (!(asks[kind].bits & COINBASE_TOKEN))
        return true;
    ASSERT(venue->settings.credentials);
    int length = snprintf(uri, sizeof uri, "%s %s%s", asks[kind].method, venue->host, path);
    if (length <= 0 || (size_t)length >= sizeof uri)
        return false;
    memcpy(out, "Bearer ", 7);
    return make_token(venue, uri, out + 7);
}

static void send(struct coinbase *venue, enum coinbase_ask kind, uint64_t tag, const char *url,
                 const char *bearer, const char *body)
{
    struct adapter_request request = {.tag = tag,
                                      .method = asks[kind].method,
                                      .url = url,
                                      .timeout_ns = venue->settings.request_timeout_ns};
    if (body) {
        request.body = body;
        request.length = strlen(body);
        request.headers[request.header_count++] =
            (struct net_header){"Content-Type", "application/json"};
    }
    if (bearer[0] != '\0')
        request.headers[request.header_count++] = (struct net_header){"Authorization", bearer};
    venue->out.port.request(venue->out.port.context, &request);
}

enum coinbase_sent coinbase_ask(struct coinbase *venue, enum coinbase_ask kind,
                                const struct coinbase_question *question,
                                const struct adapter_asked *about, uint64_t *tag)
{
    static const struct coinbase_question nothing;
    char path[COINBASE_URI_MAX / 2], url[ADAPTER_URL_MAX], bearer[COINBASE_TOKEN_MAX + 8];
    struct adapter_asked asked = *about;
    if (must_wait(venue, kind))
        return COINBASE_HELD_BACK;
    if (!question)
        question = &nothing;
    if (!make_path(kind, question, path, sizeof path) || !make_url(venue, path, question, url) ||
        !make_bearer(venue, kind, path, bearer))
        return COINBASE_NO_REQUEST;
    asked.kind = (uint8_t)kind;
    asked.sent_ns = venue->now;
    uint64_t number = adapter_requests_add(&venue->requests, &asked);
    if (number == 0)
        return COINBASE_NO_ROOM;
    if (tag)
        *tag = number;
    if (asks[kind].bits & COINBASE_TOKEN)
        venue->rates.used++;
    send(venue, kind, number, url, bearer, question->body);
    explicit_bzero(bearer, sizeof bearer);
    return COINBASE_SENT;
}
