/* Requests to OANDA: made, paced and sent; what their answers say of limits and health. */
#include "venue/live/oanda.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* 120 requests a second and address are borne ("Best practices": at most 100 on one connection); what makes
 * orders leaves room for cancels and queries. */
enum { PACE_MAX = 100, PACE_ORDERS = 80 };
/* After a 429, which tells no time: its limit is one of a second. */
#define PAUSE_NS NS_PER_SECOND

static const struct {
    const char *method;
    unsigned bits;
} asks[V20_ASK_COUNT] = {
#define X(name, method, bits) [name] = {method, bits},
    V20_ASKS(X)
#undef X
};

/* --- the clock --------------------------------------------------------------------------------------- */

struct adapter_when v20_venue_time(int64_t ns)
{
    return (struct adapter_when){ns, ns > 0 ? MESSAGE_VENUE_TIME : 0};
}

struct adapter_when v20_venue_at(const struct v20 *v20, int64_t ns)
{
    if (!v20->clock.known)
        return (struct adapter_when){0, 0};
    return (struct adapter_when){ns + v20->clock.offset_ns, MESSAGE_VENUE_ESTIMATED};
}

/* The least delay is nearest to the truth; an eighth of the way back follows clocks that drift apart. */
void v20_take_time(struct v20 *v20, int64_t time_ns)
{
    int64_t offset = time_ns - v20->now;
    if (time_ns <= 0)
        return;
    if (!v20->clock.known || offset > v20->clock.offset_ns)
        v20->clock.offset_ns = offset;
    else
        v20->clock.offset_ns += (offset - v20->clock.offset_ns) / 8;
    v20->clock.known = true;
}

/* --- limits ------------------------------------------------------------------------------------------ */

static bool must_wait(struct v20 *v20, enum v20_ask kind)
{
    int64_t second = v20->now / NS_PER_SECOND;
    if (second != v20->pace.second) {
        v20->pace.second = second;
        v20->pace.sent = 0;
    }
    unsigned most = asks[kind].bits & V20_IS_ORDER ? PACE_ORDERS : PACE_MAX;
    return v20->now < v20->pace.until_ns || v20->pace.sent >= most;
}

void v20_take_limits(struct v20 *v20, const struct v20_answer *answer)
{
    if (answer->status != 429)
        return;
    if (v20->now >= v20->pace.until_ns)
        adapter_log(&v20->out, LOG_ERROR, "HTTP 429: nothing is asked for a second (%s)",
                    answer->error.text);
    v20->pace.until_ns = v20->now + PAUSE_NS;
    v20->pace.told = false;
}

/* --- the breaker around the venue -------------------------------------------------------------------- */

/* Failures are told each, a success once after them. */
void v20_tell_health(struct v20 *v20, bool healthy)
{
    if (v20->adapter.state != ADAPTER_RUNNING || (healthy && !v20->sick))
        return;
    v20->sick = !healthy;
    adapter_tell(&v20->out, EVENT_breaker_input, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->breaker_input = (struct event_breaker_input){v20->names.numbers->venue, healthy};
}

void v20_tell_limits(struct v20 *v20, const struct adapter_asked *asked,
                     const struct v20_answer *answer)
{
    bool healthy = answer->outcome == V20_GOOD || answer->outcome == V20_DENIED;
    if (v20->now < v20->pace.until_ns && !v20->pace.told && v20->trades) {
        v20->pace.told = true;
        adapter_tell(&v20->out, EVENT_rate_budget, EVENT_NONE_16, (struct adapter_when){0, 0})
            ->rate_budget =
            (struct event_rate_budget){v20->names.numbers->venue, 0, v20->pace.until_ns};
    }
    if (asks[asked->kind].bits & V20_IS_VITAL)
        v20_tell_health(v20, healthy);
}

/* --- answers ----------------------------------------------------------------------------------------- */

struct v20_answer v20_read_answer(const struct net_response *response)
{
    struct v20_answer answer = {.outcome = V20_UNKNOWN, .failure = response->failure};
    if (response->outcome == NET_NOT_SENT)
        answer.outcome = V20_NOT_SENT;
    if (response->outcome != NET_ANSWERED)
        return answer;
    answer.status = response->status;
    answer.body = response->body;
    answer.length = response->length;
    if (answer.status >= 200 && answer.status < 300) {
        answer.outcome = V20_GOOD;
        return answer;
    }
    bool told = v20_read_error(answer.body, answer.length, &answer.error);
    if (answer.status == 429 && !told)
        snprintf(answer.error.text, sizeof answer.error.text, "HTTP 429 without words");
    if (answer.status == 429 || (told && answer.status >= 400 && answer.status < 500))
        answer.outcome = V20_DENIED;
    return answer;
}

/* --- sending ----------------------------------------------------------------------------------------- */

size_t v20_headers(const struct v20 *v20, struct net_header headers[4])
{
    headers[0] = (struct net_header){"Authorization", v20->bearer};
    headers[1] = (struct net_header){"Accept-Datetime-Format", "UNIX"};
    headers[2] = (struct net_header){"Accept", "application/json"};
    return 3;
}

static void send(struct v20 *v20, enum v20_ask kind, uint64_t tag, const char *url,
                 const char *body, const char *name)
{
    struct adapter_request request = {.tag = tag,
                                      .method = asks[kind].method,
                                      .url = url,
                                      .timeout_ns = v20->settings.request_timeout_ns};
    request.header_count = v20_headers(v20, request.headers);
    if (strcmp(asks[kind].method, "GET") != 0) {
        request.body = body ? body : "";
        request.length = strlen(request.body);
    }
    if (body)
        request.headers[request.header_count++] =
            (struct net_header){"Content-Type", "application/json"};
    if (name)
        request.headers[request.header_count++] = (struct net_header){"ClientRequestID", name};
    v20->out.port.request(v20->out.port.context, &request);
}

enum v20_sent v20_send(struct v20 *v20, enum v20_ask kind, const char *path, const char *body,
                       const char *name, const struct adapter_asked *about)
{
    struct adapter_asked asked = *about;
    char url[ADAPTER_URL_MAX];
    if (must_wait(v20, kind))
        return V20_HELD_BACK;
    int length = snprintf(url, sizeof url, "%s%s%s", v20->settings.rest_url, v20->path, path);
    if (length <= 0 || length >= ADAPTER_URL_MAX)
        return V20_NO_REQUEST;
    asked.kind = (uint8_t)kind;
    asked.sent_ns = v20->now;
    uint64_t tag = adapter_requests_add(&v20->requests, &asked);
    if (tag == 0)
        return V20_NO_ROOM;
    v20->pace.sent++;
    send(v20, kind, tag, url, body, name);
    return V20_SENT;
}
