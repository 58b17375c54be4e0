/* See net_client.h. */
#include "config.h" /* POSIX names */

#include "net_client.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"

static struct error error;

struct net *client_open_trusting(const char *ca_file)
{
    struct net *net = NULL;
    const struct net_options options = {.ca_file = ca_file};
    cr_assert_eq(net_open(&net, &options, &error), 0, "%s", error.text);
    return net;
}

struct net *client_open(void)
{
    return client_open_trusting(certificates()->authority);
}

void client_until(struct net *net, const unsigned *count, unsigned target)
{
    int64_t end = clock_now(&clock_monotonic) + PATIENCE;
    while (*count < target) {
        int64_t left = end - clock_now(&clock_monotonic);
        cr_assert_gt(left, 0, "not called back in time: %u of %u", *count, target);
        cr_assert_eq(net_poll(net, left, &error), 0, "%s", error.text);
    }
}

void client_for(struct net *net, int64_t duration_ns)
{
    int64_t end = clock_now(&clock_monotonic) + duration_ns;
    for (int64_t left = duration_ns; left > 0; left = end - clock_now(&clock_monotonic))
        cr_assert_eq(net_poll(net, left, &error), 0, "%s", error.text);
}

const char *client_url(const char *scheme, const struct peer *peer, const char *path)
{
    static char url[1024];
    snprintf(url, sizeof url, "%s://127.0.0.1:%u/%s", scheme, (unsigned)peer_port(peer), path);
    return url;
}

void client_done(void *context, const struct net_response *response)
{
    struct answer *answer = context;
    answer->count++;
    answer->outcome = response->outcome;
    answer->status = response->status;
    free(answer->body);
    answer->body = malloc(response->length + 1);
    cr_assert_not_null(answer->body);
    memcpy(answer->body, response->body, response->length + 1);
    answer->length = response->length;
    const char *header =
        answer->wanted == NULL ? NULL : net_response_header(response, answer->wanted);
    snprintf(answer->header, sizeof answer->header, "%s", header == NULL ? "(none)" : header);
    answer->sent_ns = response->sent_ns;
    answer->answered_ns = response->answered_ns;
    cr_assert_eq(response->outcome == NET_ANSWERED, response->failure == NULL);
    snprintf(answer->failure, sizeof answer->failure, "%s",
             response->failure == NULL ? "" : response->failure);
    if (answer->after != NULL)
        answer->after(answer);
}

uint64_t client_begin(struct net *net, const char *method, const char *url, const char *body,
                      struct answer *answer)
{
    const struct net_request request = {.method = method,
                                        .url = url,
                                        .body = body,
                                        .length = body == NULL ? 0 : strlen(body),
                                        .timeout_ns = PATIENCE / 2,
                                        .done = client_done,
                                        .context = answer};
    uint64_t number = net_request(net, &request, &error);
    cr_assert_gt(number, 0, "%s", error.text);
    return number;
}

void client_do(struct net *net, const char *method, const char *url, const char *body,
               struct answer *answer)
{
    unsigned before = answer->count;
    client_begin(net, method, url, body, answer);
    cr_assert_eq(answer->count, before, "called back from within net_request");
    client_until(net, &answer->count, before + 1);
    cr_assert_eq(answer->count, before + 1);
}

void answer_free(struct answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

/* --- streams and websockets ------------------------------------------------------------------- */

void see_open(void *context)
{
    struct seen *seen = context;
    cr_assert_eq(seen->opened++, 0);
    cr_assert_eq(seen->closed, 0);
    if (seen->on_open != NULL)
        seen->on_open(seen);
}

void see_text(void *context, const char *text, size_t length)
{
    struct seen *seen = context;
    cr_assert_eq(seen->opened, 1);
    cr_assert_eq(seen->closed, 0);
    seen->texts++;
    if (seen->length + length + 2 > seen->room) {
        seen->room = 2 * (seen->length + length + 2);
        seen->text = realloc(seen->text, seen->room);
        cr_assert_not_null(seen->text);
    }
    memcpy(seen->text + seen->length, text, length);
    seen->length += length + 1;
    memcpy(seen->text + seen->length - 1, "|", 2);
    if (seen->on_text != NULL)
        seen->on_text(seen);
}

void see_ping(void *context)
{
    ((struct seen *)context)->pings++;
}

void see_close(void *context, const char *why)
{
    struct seen *seen = context;
    cr_assert_eq(seen->closed++, 0);
    snprintf(seen->why, sizeof seen->why, "%s", why);
    seen->stream = NULL;
    seen->websocket = NULL;
    if (seen->on_close != NULL)
        seen->on_close(seen);
}

void see_lines_close(void *context, long status, const char *why, const char *body, size_t length)
{
    struct seen *seen = context;
    seen->status = status;
    cr_assert_eq(strlen(body), length);
    snprintf(seen->body, sizeof seen->body, "%s", body);
    see_close(context, why);
}

void open_lines(struct seen *seen, const char *url, int64_t silence_ns)
{
    const struct net_lines_options options = {.url = url,
                                              .headers = {{"Authorization", "Bearer hidden"}},
                                              .header_count = 1,
                                              .silence_ns = silence_ns,
                                              .opened = see_open,
                                              .line = see_text,
                                              .closed = see_lines_close,
                                              .context = seen};
    cr_assert_eq(net_lines_open(seen->net, &options, &seen->stream, &error), 0, "%s", error.text);
}

void open_websocket_for(struct seen *seen, const char *url, int64_t timeout_ns)
{
    const struct net_websocket_options options = {.url = url,
                                                  .headers = {{"X-MBX-APIKEY", "hidden"}},
                                                  .header_count = 1,
                                                  .connect_timeout_ns = timeout_ns,
                                                  .opened = see_open,
                                                  .text = see_text,
                                                  .ping = see_ping,
                                                  .closed = see_close,
                                                  .context = seen};
    cr_assert_eq(net_websocket_open(seen->net, &options, &seen->websocket, &error), 0, "%s",
                 error.text);
}

void open_websocket(struct seen *seen, const char *url)
{
    open_websocket_for(seen, url, PATIENCE / 2);
}

void seen_end(struct seen *seen)
{
    cr_assert_null(strstr(seen->why, "hidden"), "%s", seen->why);
    net_close(&seen->net);
    free(seen->text);
}

void play(struct peer_connection *connection, void *context)
{
    const struct play *play = context;
    if (!peer_read_request(connection))
        return;
    if (play->trickle)
        peer_trickle(connection, play->text, play->length);
    else
        peer_write(connection, play->text, play->length);
    if (play->end != NULL)
        play->end(connection);
}
