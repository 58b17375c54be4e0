/* One HTTP exchange of libcurl. What it must not do is in here: send twice, follow, trust anybody
 * else. */
#include "config.h" /* POSIX names */

#include "net/net_internal.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void net_secure(CURL *easy, struct net *net)
{
    /* Options that this build of libcurl knows with values that it takes: they don't fail. */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (net->authorities != NULL) {
        struct curl_blob blob = {net->authorities, net->authorities_length, CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's would do as well */
    }
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, net->user_agent);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Else giving up on a name waits for the resolver, which may take many seconds. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

/* Read a part of a URL into the failure of the check: has it got one? */
static bool has_part(CURLU *parts, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(parts, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

int net_check_url(const char *url, const char *scheme, struct error *error)
{
    size_t length = strlen(scheme);
    if (url == NULL || strncasecmp(url, scheme, length) != 0 ||
        strncmp(url + length, "://", 3) != 0 || url[length + 3] == '/')
        return error_set(error, ERROR_INPUT, "URL: expected one that begins with %s://", scheme);
    CURLU *parts = curl_url();
    if (parts == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a URL");
    CURLUcode code = curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    bool has_user = has_part(parts, CURLUPART_USER) || has_part(parts, CURLUPART_PASSWORD);
    curl_url_cleanup(parts);
    /* The URL itself is not told: its query may be signed. */
    if (code != CURLUE_OK)
        return error_set(error, ERROR_INPUT, "URL of %s: %s", scheme, curl_url_strerror(code));
    if (has_user)
        return error_set(error, ERROR_INPUT, "URL of %s: a user in it is not taken", scheme);
    return ERROR_NONE;
}

int net_check_headers(const struct net_header *headers, size_t count, struct error *error)
{
    static const char *const ours[] = {"connection", "content-length", "expect",
                                       "transfer-encoding", "upgrade"};
    if (count > NET_HEADERS_MAX)
        return error_set(error, ERROR_INPUT, "%zu headers: at most %d are taken", count,
                         NET_HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *name = headers[i].name;
        if (!header_is_sendable(&headers[i]))
            return error_set(error, ERROR_INPUT, "header %s: not a name and one line of text",
                             name == NULL ? "without a name" : name);
        bool is_ours = strncasecmp(name, "sec-websocket-", 14) == 0;
        for (size_t j = 0; j < sizeof ours / sizeof ours[0]; j++)
            is_ours = is_ours || strcasecmp(name, ours[j]) == 0;
        if (is_ours)
            return error_set(error, ERROR_INPUT, "header %s: not the caller's to set", name);
    }
    return ERROR_NONE;
}

/* libcurl is about to send the request over a connection that stands. It would do so again by itself
 * where a kept connection ends without an answer (RFC 9110, section 9.2.2 lets it for some methods;
 * it does for all whose body it can have again): whoever had the first one may have acted on it. */
static int begin_once(void *context, char *remote, char *local, int remote_port, int local_port)
{
    struct transfer *transfer = context;
    if (transfer->begun > 0) {
        transfer->begun++;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->stale =
        !sockets_take(&transfer->net->sockets, local, local_port, remote, remote_port);
    if (transfer->stale)
        return CURL_PREREQFUNC_ABORT;
    transfer->begun = 1;
    return CURL_PREREQFUNC_OK;
}

/* One line of the answer's headers. An interim answer (1xx) comes with a status line and headers of
 * its own, which the next status line forgets. */
static bool take_header_line(struct transfer *transfer, const char *line, size_t length)
{
    struct headers *headers = &transfer->headers;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        headers_begin(headers, NET_ANSWER_HEADERS_MAX);
        return true;
    }
    const char *colon = memchr(line, ':', length);
    if (line[0] == ' ' ||
        line[0] == '\t') /* a fold, as no server may send any more: of the value */
        return headers_value(headers, line, length);
    if (colon == NULL)
        return true;
    size_t name = (size_t)(colon - line);
    return headers_name(headers, line, name) &&
           headers_value(headers, colon + 1, length - name - 1);
}

static size_t take_header(char *line, size_t size, size_t length, void *context)
{
    struct transfer *transfer = context;
    length *= size;
    if (length == 0 || !take_header_line(transfer, line, length))
        return 0; /* an error where there was something to take */
    bool ends = line[0] == '\r' || line[0] == '\n';
    if (ends && transfer->headers_complete != NULL && transfer_status(transfer) >= 200)
        transfer->headers_complete(transfer);
    return length;
}

static bool append_header(struct transfer *transfer, const struct net_header *header)
{
    /* libcurl takes "Name;" for a header without a value. */
    bool empty = header->value[strspn(header->value, " \t")] == '\0';
    size_t room = strlen(header->name) + strlen(header->value) + 3;
    char *line = malloc(room);
    if (line == NULL)
        return false;
    if (empty)
        snprintf(line, room, "%s;", header->name);
    else
        snprintf(line, room, "%s: %s", header->name, header->value);
    struct curl_slist *list = curl_slist_append(transfer->sent_headers, line);
    OPENSSL_cleanse(line, room);
    free(line);
    if (list != NULL)
        transfer->sent_headers = list;
    return list != NULL;
}

static bool append_headers(struct transfer *transfer, const struct net_header *headers,
                           size_t count)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* never sent, never waited for */
    if (list == NULL)
        return false;
    transfer->sent_headers = list;
    for (size_t i = 0; i < count; i++)
        if (!append_header(transfer, &headers[i]))
            return false;
    return true;
}

int transfer_open(struct transfer *transfer, struct net *net, const char *url,
                  const struct net_header *headers, size_t count, struct error *error)
{
    transfer->net = net;
    int status = net_check_url(url, "https", error);
    if (status == ERROR_NONE)
        status = net_check_headers(headers, count, error);
    if (status != ERROR_NONE)
        return status;
    CURL *easy = transfer->easy = curl_easy_init();
    if (easy == NULL || !append_headers(transfer, headers, count) ||
        curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
        return error_set(error, ERROR_SYSTEM, "no memory for a request");
    net_secure(easy, net);
    sockets_follow(&net->sockets, easy);
    headers_begin(&transfer->headers, NET_ANSWER_HEADERS_MAX);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->sent_headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->failure);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, begin_once);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    return ERROR_NONE;
}

int transfer_start(struct transfer *transfer, struct error *error)
{
    CURLMcode code = curl_multi_add_handle(transfer->net->multi, transfer->easy);
    if (code != CURLM_OK)
        return error_set(error, ERROR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
    return ERROR_NONE;
}

void transfer_done(struct transfer *transfer, CURLcode code)
{
    if (transfer->stale && transfer->begun == 0) {
        transfer->stale = false;
        /* Can't fail, as below. */
        (void)curl_multi_remove_handle(transfer->net->multi, transfer->easy);
        curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
        bool in_time = transfer->restarts == NULL || transfer->restarts(transfer);
        if (in_time && transfer_start(transfer, NULL) == ERROR_NONE)
            return;
        code = in_time ? CURLE_OUT_OF_MEMORY : CURLE_OPERATION_TIMEDOUT;
    }
    transfer->finished(transfer, code);
}

void transfer_close(struct transfer *transfer)
{
    if (transfer->easy != NULL) {
        /* Both can't fail: the handle is one of this multi or of none, and no callback of libcurl
         * runs. */
        (void)curl_multi_remove_handle(transfer->net->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
        transfer->easy = NULL;
    }
    for (struct curl_slist *line = transfer->sent_headers; line != NULL; line = line->next)
        OPENSSL_cleanse(line->data, strlen(line->data));
    curl_slist_free_all(transfer->sent_headers);
    transfer->sent_headers = NULL;
}

long transfer_status(const struct transfer *transfer)
{
    long status = 0;
    if (transfer->easy != NULL)
        (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

bool transfer_has_end(const struct transfer *transfer)
{
    const struct headers *headers = &transfer->headers;
    long status = transfer_status(transfer);
    return status == 204 || status == 304 ||
           headers_find(headers->list, headers->count, "content-length") != NULL ||
           headers_list_token(headers->list, headers->count, "transfer-encoding", "chunked");
}

const char *transfer_why(struct transfer *transfer, CURLcode code)
{
    if (transfer->begun > 1 || code == CURLE_SEND_FAIL_REWIND)
        return "the kept connection ended without an answer";
    if (transfer->headers.too_long)
        return "the answer's headers are too long";
    net_why(transfer->net, transfer->easy, code, transfer->failure, transfer->why);
    return transfer->why;
}
