/* Why a connection or an answer did not come, in words for an operator: which host and port, what of it. */
#include "config.h" /* POSIX names */

#include "net/net_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESS_MAX = 300 };

static const char *without(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : text;
}

static bool part_of(CURLU *parts, CURLUPart part, unsigned flags, char *out, size_t size)
{
    char *text = NULL;
    if (curl_url_get(parts, part, &text, flags) != CURLUE_OK)
        return false;
    snprintf(out, size, "%s", text);
    curl_free(text);
    return true;
}

/* "HOST" and "HOST:PORT" of what was asked. */
static void address_of(CURL *easy, char host[ADDRESS_MAX], char address[ADDRESS_MAX + 8])
{
    char *url = NULL, port[8] = "443";
    CURLU *parts = curl_url();
    snprintf(host, ADDRESS_MAX, "the host");
    if (easy != NULL && parts != NULL &&
        curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK && url != NULL &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        part_of(parts, CURLUPART_HOST, 0, host, ADDRESS_MAX))
        part_of(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port);
    snprintf(address, ADDRESS_MAX + 8, "%s:%s", host, port);
    curl_url_cleanup(parts);
}

static void tell_untrusted(const struct net *net, const char *address, const char *words,
                           char out[NET_WHY_MAX])
{
    const char *path = net->authorities_path;
    snprintf(out, NET_WHY_MAX, "the certificate of %s is not trusted: %s (%s%s)", address,
             without(without(words, "SSL certificate problem: "), "SSL: "),
             path != NULL ? "CA file " : "the system's authorities", path != NULL ? path : "");
}

static void tell_unconnected(CURL *easy, const char *address, const char *words,
                             char out[NET_WHY_MAX])
{
    long code = 0;
    if (easy == NULL || curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &code) != CURLE_OK)
        code = 0;
    if (code == ECONNREFUSED)
        snprintf(out, NET_WHY_MAX, "connection refused by %s", address);
    else
        snprintf(out, NET_WHY_MAX, "no connection to %s: %s", address,
                 code != 0 ? strerror((int)code) : words);
}

void net_why(const struct net *net, CURL *easy, CURLcode code, const char *words,
             char out[NET_WHY_MAX])
{
    char host[ADDRESS_MAX], address[ADDRESS_MAX + 8];
    address_of(easy, host, address);
    if (words[0] == '\0')
        words = curl_easy_strerror(code);
    switch ((int)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        snprintf(out, NET_WHY_MAX, "no such host: %s", host);
        break;
    case CURLE_COULDNT_CONNECT:
        tell_unconnected(easy, address, words, out);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        tell_untrusted(net, address, words, out);
        break;
    default:
        snprintf(out, NET_WHY_MAX, "%s: %s", address, words);
        break;
    }
}
