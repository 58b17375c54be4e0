/* See net.h: the poll that requests, streams and websockets share. */
#include "config.h" /* PACKAGE_VERSION */

#include "net/net.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "net/net_internal.h"
#include "net/process.h"

enum { AUTHORITIES_MAX = 16 * 1024 * 1024 };

/* Whether there is a certificate in it, so that what is wrong with the file is told now and by its
 * name. */
static bool holds_certificate(const char *pem, size_t length)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)length);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool holds = certificate != NULL;
    X509_free(certificate);
    BIO_free(bio);
    return holds;
}

static int read_authorities(struct net *net, const char *path, struct error *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, ERROR_INPUT, "%s: can't be read", path);
    net->authorities = malloc(AUTHORITIES_MAX);
    if (net->authorities != NULL)
        net->authorities_length = fread(net->authorities, 1, AUTHORITIES_MAX, file);
    bool failed = ferror(file) != 0;
    fclose(file); /* was only read */
    if (net->authorities == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory", path);
    if (failed)
        return error_set(error, ERROR_INPUT, "%s: can't be read", path);
    if (!holds_certificate(net->authorities, net->authorities_length))
        return error_set(error, ERROR_INPUT, "%s: expected certificates (PEM)", path);
    char *fitting = realloc(net->authorities, net->authorities_length);
    net->authorities = fitting != NULL ? fitting : net->authorities;
    return ERROR_NONE;
}

/* Of the file that was asked for. */
static int take_authorities(struct net *net, const char *path, struct error *error)
{
    net->authorities_path = strdup(path);
    if (net->authorities_path == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the network");
    return read_authorities(net, path, error);
}

static int set_up(struct net *net, const struct net_options *options, struct error *error)
{
    const char *agent =
        options->user_agent != NULL ? options->user_agent : "capstan/" PACKAGE_VERSION;
    const struct net_header header = {"User-Agent", agent};
    if (!header_is_sendable(&header))
        return error_set(error, ERROR_INPUT, "user agent: not one line of text");
    net->user_agent = strdup(agent);
    net->multi = curl_multi_init();
    if (net->user_agent == NULL || net->multi == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the network");
    curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, (long)NET_KEPT_MAX);
    curl_multi_setopt(net->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    if (options->ca_file != NULL)
        return take_authorities(net, options->ca_file, error);
    return ERROR_NONE;
}

int net_open(struct net **net, const struct net_options *options, struct error *error)
{
    static const struct net_options defaults = {0};
    int status = net_process_start(error);
    if (status != ERROR_NONE)
        return status;
    struct net *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the network");
    status = set_up(made, options != NULL ? options : &defaults, error);
    if (status != ERROR_NONE) {
        net_close(&made);
        return status;
    }
    *net = made;
    return ERROR_NONE;
}

void net_close(struct net **net)
{
    struct net *closing = *net;
    if (closing == NULL)
        return;
    ASSERT(!closing->polling);
    requests_end(closing);
    lines_end(closing);
    websockets_end(closing);
    if (closing->multi != NULL)
        (void)curl_multi_cleanup(closing->multi); /* holds no handle any more */
    sockets_free(&closing->sockets);
    free(closing->user_agent);
    free(closing->authorities);
    free(closing->authorities_path);
    free(closing->fds);
    free(closing);
    *net = NULL;
}

/* Whole milliseconds, as poll has them, rounded up so that what was waited for is there then. */
static int wait_ms(const struct net *net, int64_t timeout_ns)
{
    int64_t deadline = lines_deadline(net);
    int64_t other = websockets_deadline(net);
    deadline = other < deadline ? other : deadline;
    int64_t now = clock_now(&clock_monotonic);
    if (deadline <= now || timeout_ns <= 0)
        return 0;
    int64_t left = deadline - now < timeout_ns ? deadline - now : timeout_ns;
    int64_t ms = (left - 1) / NS_PER_MS + 1;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void finish_transfers(struct net *net)
{
    const CURLMsg *message;
    int left = 0;
    while ((message = curl_multi_info_read(net->multi, &left)) != NULL) {
        char *private = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *transfer = (struct transfer *)(void *)private;
        transfer_done(transfer, code);
    }
}

static int poll_error(struct error *error, CURLMcode code)
{
    return error_set(error, ERROR_SYSTEM, "the network can't be polled: %s",
                     curl_multi_strerror(code));
}

int net_poll(struct net *net, int64_t timeout_ns, struct error *error)
{
    ASSERT(!net->polling);
    size_t fd_count = websockets_watch(net);
    if (fd_count == SIZE_MAX)
        return error_set(error, ERROR_SYSTEM, "no memory for the websockets' sockets");
    CURLMcode code =
        curl_multi_poll(net->multi, net->fds, (unsigned)fd_count, wait_ms(net, timeout_ns), NULL);
    if (code != CURLM_OK)
        return poll_error(error, code);
    int running = 0;
    code = curl_multi_perform(net->multi, &running);
    if (code != CURLM_OK)
        return poll_error(error, code);
    net->polling = true;
    lines_work(net);
    finish_transfers(net);
    websockets_work(net);
    net->polling = false;
    requests_sweep(net);
    lines_sweep(net);
    websockets_sweep(net);
    return ERROR_NONE;
}

void net_wake(struct net *net)
{
    /* Fails only where a byte to end the poll is on its way already. */
    (void)curl_multi_wakeup(net->multi);
}
