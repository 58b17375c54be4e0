/* capstan health: a container's health check. */
#include "config.h" /* POSIX names */

#include "cmd/cmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/time.h"
#include "clock/clock.h"

static const char name[] = "health";

#define LIMIT_NS (3 * NS_PER_SECOND)

/* Where the engine listens; what is meant for all addresses is asked at the loopback. */
static int find_address(const struct settings_global *settings, struct sockaddr_storage *address,
                        socklen_t *length, struct error *error)
{
    const char *text = settings->ops_address.text;
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, strcmp(text, "0.0.0.0") == 0 ? "127.0.0.1" : text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)settings->ops_port);
        *length = sizeof *v4;
        return 0;
    }
    if (inet_pton(AF_INET6, strcmp(text, "::") == 0 ? "::1" : text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)settings->ops_port);
        *length = sizeof *v6;
        return 0;
    }
    return error_set(error, ERROR_INPUT, "ops.address %s: expected an address in numbers", text);
}

/* What may still pass until the limit; false: nothing. */
static bool set_limit(int fd, int64_t deadline)
{
    int64_t left = deadline - clock_now(&clock_monotonic);
    const struct timeval time = {.tv_sec = left / NS_PER_SECOND,
                                 .tv_usec = left % NS_PER_SECOND / 1000 + 1};
    return left > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0;
}

static bool send_request(int fd)
{
    static const char request[] = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n";
    return send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1;
}

/* Whether the answer's first line says 200. */
static bool read_answer(int fd, int64_t deadline)
{
    static const char well[] = "HTTP/1.1 200 ";
    char text[sizeof well] = {0};
    size_t length = 0;
    while (length < sizeof well - 1 && set_limit(fd, deadline)) {
        ssize_t taken = recv(fd, text + length, sizeof well - 1 - length, 0);
        if (taken <= 0)
            break;
        length += (size_t)taken;
    }
    return strcmp(text, well) == 0;
}

static int ask(const struct settings_global *settings, struct error *error)
{
    struct sockaddr_storage address;
    socklen_t length = 0;
    int64_t deadline = clock_now(&clock_monotonic) + LIMIT_NS;
    if (!settings->ops_enabled)
        return error_set(error, ERROR_DIFFERENT, "ops.enabled is no: there is nobody to ask");
    int code = find_address(settings, &address, &length, error);
    if (code)
        return code;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool well = fd >= 0 && set_limit(fd, deadline) &&
                connect(fd, (struct sockaddr *)&address, length) == 0 && send_request(fd) &&
                read_answer(fd, deadline);
    if (fd >= 0)
        close(fd);
    return well ? 0
                : error_set(error, ERROR_DIFFERENT, "no engine answers at %s port %d",
                            settings->ops_address.text, (int)settings->ops_port);
}

static int run(const struct cmd_config_options *files, struct error *error)
{
    static const struct event_names no_names;
    struct config *config = NULL;
    struct config_resolved resolved = {0};
    int code = cmd_load_config(files, &config, error);
    if (!code)
        code = config_resolve(config, &no_names, true, &resolved, error);
    if (!code)
        code = ask(&resolved.global, error);
    config_resolved_free(&resolved);
    config_free(&config);
    return code;
}

int cmd_health(int argc, char **argv)
{
    struct cmd_config_options files = {0};
    const struct cmd_option options[] = {CMD_CONFIG_OPTIONS(&files)};
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "",
        .opening =
            "Ask the engine that runs on this machine whether it lives, for 3 seconds at most: a\n"
            "container's health check. It asks /health/live at ops.address and ops.port (8787),\n"
            "which the environment may change (CAPSTAN_OPS__PORT).\n",
        .closing = "Exit status: 0 it lives, 1 it does not answer.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE) {
        struct error error = {0};
        status = run(&files, &error);
        if (error.code != ERROR_NONE) {
            cmd_fail(name, &error);
            status = 1; /* a probe knows two answers */
        }
    }
    cmd_config_options_free(&files);
    return status;
}
