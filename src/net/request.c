/* Requests: see net.h. */
#include "config.h" /* POSIX names */

#include "net/net.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "net/net_internal.h"

struct request {
    struct transfer transfer; /* first: a transfer's request is found by it */
    struct request *next;
    bool over;
    uint64_t number;
    struct buffer sending; /* what is left of the body */
    struct buffer body;
    bool body_too_long;
    int64_t sent_ns, timeout_ns;
    void (*done)(void *context, const struct net_response *response);
    void *context;
};

const char *net_response_header(const struct net_response *response, const char *name)
{
    return headers_find(response->headers, response->header_count, name);
}

/* Hand libcurl a piece of the body. There is no way back in it: see net.h. */
static size_t give_body(char *bytes, size_t size, size_t count, void *context)
{
    struct request *request = context;
    size_t length = buffer_length(&request->sending);
    if (length > size * count)
        length = size * count;
    if (length > 0)
        memcpy(bytes, buffer_first(&request->sending), length);
    buffer_consume(&request->sending, length);
    return length;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct request *request = context;
    size_t length = size * count;
    if (length > NET_BODY_MAX - buffer_length(&request->body) ||
        !buffer_append(&request->body, bytes, length)) {
        request->body_too_long = true;
        return 0;
    }
    return length;
}

static enum net_outcome outcome_of(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_OK)
        return NET_ANSWERED;
    return transfer->begun == 0 ? NET_NOT_SENT : NET_UNKNOWN;
}

static void finish(struct transfer *transfer, CURLcode code)
{
    struct request *request = (struct request *)transfer;
    struct headers *headers = &transfer->headers;
    if (!headers_end(headers) || !buffer_append(&request->body, "", 1))
        code = CURLE_OUT_OF_MEMORY;
    bool endless = code == CURLE_OK && !transfer_has_end(transfer);
    if (endless)
        code = CURLE_PARTIAL_FILE;
    const struct net_response response = {
        .outcome = outcome_of(transfer, code),
        .status = code == CURLE_OK ? transfer_status(transfer) : 0,
        .body = request->body.bytes == NULL ? "" : buffer_first(&request->body),
        .length = request->body.bytes == NULL ? 0 : buffer_length(&request->body) - 1,
        .headers = headers->list,
        .header_count = headers->too_long ? 0 : headers->count,
        .sent_ns = request->sent_ns,
        .answered_ns = clock_now(&clock_monotonic),
        .failure = code == CURLE_OK         ? NULL
                   : request->body_too_long ? "the answer is too long"
                   : endless                ? "the answer does not say where it ends"
                                            : transfer_why(transfer, code),
    };
    request->over = true;
    request->done(request->context, &response);
    transfer_close(transfer);
}

static void set_method(struct request *request, const struct net_request *asked)
{
    CURL *easy = request->transfer.easy;
    const char *method = asked->method;
    bool has_body =
        asked->body != NULL || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)asked->length);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(easy, CURLOPT_READDATA, request);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* Its time, less what has passed of it. False: all. */
static bool set_time(struct request *request)
{
    int64_t left = request->timeout_ns - (clock_now(&clock_monotonic) - request->sent_ns);
    if (left <= 0)
        return false;
    /* One more than it is, since libcurl may be early by one. */
    int64_t ms = (left - 1) / NS_PER_MS + 2;
    long timeout_ms = ms > INT32_MAX ? INT32_MAX : (long)ms;
    long connect_ms = timeout_ms < NET_CONNECT_MAX_MS ? timeout_ms : NET_CONNECT_MAX_MS;
    curl_easy_setopt(request->transfer.easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(request->transfer.easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    return true;
}

static bool restart(struct transfer *transfer)
{
    return set_time((struct request *)transfer);
}

static int check(const struct net_request *asked, struct error *error)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    bool known = false;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        known = known || (asked->method != NULL && strcmp(asked->method, methods[i]) == 0);
    if (!known)
        return error_set(error, ERROR_INPUT, "method %s: expected GET, POST, PUT or DELETE",
                         asked->method == NULL ? "of nothing" : asked->method);
    if (asked->timeout_ns <= 0)
        return error_set(error, ERROR_INPUT, "timeout of a request: expected one above 0");
    return ERROR_NONE;
}

static int begin(struct request *request, const struct net_request *asked, struct net *net,
                 struct error *error)
{
    int status = check(asked, error);
    if (status == ERROR_NONE)
        status = transfer_open(&request->transfer, net, asked->url, asked->headers,
                               asked->header_count, error);
    if (status != ERROR_NONE)
        return status;
    if (asked->body != NULL && !buffer_append(&request->sending, asked->body, asked->length))
        return error_set(error, ERROR_SYSTEM, "no memory for a request");
    CURL *easy = request->transfer.easy;
    set_method(request, asked);
    if (!set_time(request))
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                         1L); /* over before it began: told by the next poll */
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    return transfer_start(&request->transfer, error);
}

static void request_free(struct request *request)
{
    transfer_close(&request->transfer);
    headers_free(&request->transfer.headers);
    buffer_free(&request->sending);
    buffer_free(&request->body);
    free(request);
}

uint64_t net_request(struct net *net, const struct net_request *asked, struct error *error)
{
    ASSERT(asked->done != NULL);
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        error_set(error, ERROR_SYSTEM, "no memory for a request");
        return 0;
    }
    request->transfer.finished = finish;
    request->transfer.restarts = restart;
    request->done = asked->done;
    request->context = asked->context;
    request->sent_ns = clock_now(&clock_monotonic);
    request->timeout_ns = asked->timeout_ns;
    if (begin(request, asked, net, error) != ERROR_NONE) {
        request_free(request);
        return 0;
    }
    request->number = ++net->request_count;
    request->next = net->requests;
    net->requests = request;
    return request->number;
}

void net_cancel(struct net *net, uint64_t number)
{
    for (struct request *request = net->requests; request != NULL; request = request->next) {
        if (request->number != number || request->over)
            continue;
        request->over = true;
        transfer_close(&request->transfer);
    }
    if (!net->polling)
        requests_sweep(net);
}

void requests_sweep(struct net *net)
{
    struct request **place = &net->requests;
    while (*place != NULL) {
        struct request *request = *place;
        if (!request->over) {
            place = &request->next;
            continue;
        }
        *place = request->next;
        request_free(request);
    }
}

void requests_end(struct net *net)
{
    for (struct request *request = net->requests; request != NULL; request = request->next)
        request->over = true;
    requests_sweep(net);
}
