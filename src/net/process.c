/* See process.h. */
#include "config.h" /* POSIX names */

#include "net/process.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

static pthread_once_t started = PTHREAD_ONCE_INIT;
static CURLcode curl_status = CURLE_FAILED_INIT;

static void ignore_broken_pipes(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
        return;
    action = (struct sigaction){.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &action, NULL); /* fails for no signal that exists */
}

static void start(void)
{
    ignore_broken_pipes();
    curl_status = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int net_process_start(struct error *error)
{
    (void)pthread_once(&started, start);
    if (curl_status != CURLE_OK)
        return error_set(error, ERROR_SYSTEM, "libcurl: %s", curl_easy_strerror(curl_status));
    return ERROR_NONE;
}
