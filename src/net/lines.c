/* Streams of lines: see net.h. What comes is kept while libcurl runs, and told after, since a
 * callback may do what libcurl does not allow while it runs. */
#include "config.h" /* POSIX names */

#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "net/net_internal.h"

struct net_lines {
    struct transfer transfer; /* first: a transfer's stream is found by it */
    struct net *net;
    struct net_lines *next;
    bool over;
    bool accepted, opened; /* status 200 came; was told */
    bool too_long;
    size_t line_length; /* of the line that has not ended yet */
    struct buffer text; /* what came and was not told; of another status its body */
    int64_t silence_ns, last_ns;
    struct net_lines_options options; /* its url and headers are not valid any more */
};

static void accept_headers(struct transfer *transfer)
{
    struct net_lines *stream = (struct net_lines *)transfer;
    stream->last_ns = clock_now(&clock_monotonic);
    stream->accepted = stream->accepted || transfer_status(transfer) == 200;
}

/* The longest line in there is bounded as it comes; how many lines there are is bounded by what libcurl
 * reads before it returns to net_poll. */
static bool lines_are_short(struct net_lines *stream, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end != NULL ? (size_t)(end - bytes) : length;
        stream->line_length += piece;
        if (stream->line_length > NET_LINE_MAX)
            return false;
        if (end != NULL) {
            stream->line_length = 0;
            piece++;
        }
        bytes += piece;
        length -= piece;
    }
    return true;
}

static size_t take_text(char *bytes, size_t size, size_t count, void *context)
{
    struct net_lines *stream = context;
    size_t length = size * count;
    stream->last_ns = clock_now(&clock_monotonic);
    if (!stream->accepted) { /* the body of a refusal: its beginning will do */
        size_t room = NET_LINE_MAX - buffer_length(&stream->text);
        return buffer_append(&stream->text, bytes, length < room ? length : room) ? length : 0;
    }
    if (!lines_are_short(stream, bytes, length)) {
        stream->too_long = true;
        return 0;
    }
    return buffer_append(&stream->text, bytes, length) ? length : 0;
}

static void tell_line(struct net_lines *stream, size_t length)
{
    char *text = buffer_first(&stream->text);
    size_t told = length;
    if (told > 0 && text[told - 1] == '\r')
        told--;
    stream->options.line(stream->options.context, text, told);
}

static void tell_lines(struct net_lines *stream)
{
    if (!stream->accepted || stream->over)
        return;
    if (!stream->opened) {
        stream->opened = true;
        if (stream->options.opened != NULL)
            stream->options.opened(stream->options.context);
    }
    while (!stream->over && buffer_length(&stream->text) > 0) {
        const char *first = buffer_first(&stream->text);
        const char *end = memchr(first, '\n', buffer_length(&stream->text));
        if (end == NULL)
            break;
        size_t length = (size_t)(end - first);
        tell_line(stream, length);
        buffer_consume(&stream->text, length + 1);
    }
}

/* End it and say so. `ordered`: the server ended its answer, so what is left is a last line without
 * an end. */
static void close_stream(struct net_lines *stream, const char *why, bool ordered)
{
    tell_lines(stream);
    if (stream->over)
        return;
    if (stream->accepted && ordered && buffer_length(&stream->text) > 0) {
        tell_line(stream, buffer_length(&stream->text));
        if (stream->over)
            return;
    }
    long status = stream->accepted ? 0 : transfer_status(&stream->transfer);
    if (stream->accepted)
        buffer_clear(&stream->text);
    bool has_body = status != 0 && buffer_append(&stream->text, "", 1);
    stream->over = true;
    stream->options.closed(stream->options.context, status, why,
                           has_body ? buffer_first(&stream->text) : "",
                           has_body ? buffer_length(&stream->text) - 1 : 0);
    transfer_close(&stream->transfer);
}

static void finish(struct transfer *transfer, CURLcode code)
{
    struct net_lines *stream = (struct net_lines *)transfer;
    bool has_end = headers_end(&transfer->headers) && transfer_has_end(transfer);
    if (stream->too_long)
        close_stream(stream, "a line is too long", false);
    else if (code != CURLE_OK)
        close_stream(stream, transfer_why(transfer, code), false);
    else if (stream->accepted)
        close_stream(stream, "the server ended the stream", has_end);
    else
        close_stream(stream, "the server refused the stream", false);
}

static void stream_free(struct net_lines *stream)
{
    transfer_close(&stream->transfer);
    headers_free(&stream->transfer.headers);
    buffer_free(&stream->text);
    free(stream);
}

static int begin(struct net_lines *stream, struct net *net, struct error *error)
{
    const struct net_lines_options *options = &stream->options;
    if (options->silence_ns <= 0)
        return error_set(error, ERROR_INPUT, "silence of a stream: expected one above 0");
    int status = transfer_open(&stream->transfer, net, options->url, options->headers,
                               options->header_count, error);
    if (status != ERROR_NONE)
        return status;
    CURL *easy = stream->transfer.easy;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)NET_CONNECT_MAX_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_text);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream);
    return transfer_start(&stream->transfer, error);
}

int net_lines_open(struct net *net, const struct net_lines_options *options,
                   struct net_lines **stream, struct error *error)
{
    ASSERT(options->line != NULL && options->closed != NULL);
    struct net_lines *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a stream");
    made->options = *options;
    made->transfer.finished = finish;
    made->transfer.headers_complete = accept_headers;
    made->net = net;
    made->silence_ns = options->silence_ns;
    made->last_ns = clock_now(&clock_monotonic);
    int status = begin(made, net, error);
    if (status != ERROR_NONE) {
        stream_free(made);
        return status;
    }
    made->options.url = NULL;
    made->options.header_count = 0;
    made->next = net->lines;
    net->lines = made;
    *stream = made;
    return ERROR_NONE;
}

void net_lines_close(struct net_lines **stream)
{
    struct net_lines *closing = *stream;
    if (closing == NULL)
        return;
    *stream = NULL;
    closing->over = true;
    transfer_close(&closing->transfer);
    if (!closing->net->polling)
        lines_sweep(closing->net);
}

int64_t lines_deadline(const struct net *net)
{
    int64_t deadline = TIME_NEVER;
    for (const struct net_lines *stream = net->lines; stream != NULL; stream = stream->next) {
        if (stream->silence_ns < deadline - stream->last_ns)
            deadline = stream->last_ns + stream->silence_ns;
    }
    return deadline;
}

void lines_work(struct net *net)
{
    int64_t now = clock_now(&clock_monotonic);
    for (struct net_lines *stream = net->lines; stream != NULL; stream = stream->next) {
        tell_lines(stream);
        if (!stream->over && now - stream->last_ns >= stream->silence_ns)
            close_stream(stream, "silent for too long", false);
    }
}

void lines_sweep(struct net *net)
{
    struct net_lines **place = &net->lines;
    while (*place != NULL) {
        struct net_lines *stream = *place;
        if (!stream->over) {
            place = &stream->next;
            continue;
        }
        *place = stream->next;
        stream_free(stream);
    }
}

void lines_end(struct net *net)
{
    for (struct net_lines *stream = net->lines; stream != NULL; stream = stream->next)
        stream->over = true;
    lines_sweep(net);
}
