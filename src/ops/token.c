/* See token.h. */
#include "config.h" /* POSIX names */

#include "ops/token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_file(int file, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INPUT, "%s: is no regular file", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(error, ERROR_INPUT, "%s: belongs to another user", path);
    if ((status.st_mode & 077) != 0)
        return error_set(error, ERROR_INPUT,
                         "%s: others may read or write it; expected mode 0600 (chmod 600 %s)", path,
                         path);
    return 0;
}

/* One line; what it says is not repeated in any error. */
static int check_text(char *text, size_t length, const char *path, struct error *error)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    bool fine = length >= OPS_TOKEN_LEAST && length < OPS_TOKEN_MAX;
    for (size_t i = 0; i < length; i++)
        fine = fine && text[i] > ' ' && text[i] <= '~';
    if (!fine)
        return error_set(error, ERROR_INPUT,
                         "%s: expected one line of %d to %d printable characters without space",
                         path, OPS_TOKEN_LEAST, OPS_TOKEN_MAX - 1);
    memset(text + length, 0, OPS_TOKEN_MAX + 2 - length);
    return 0;
}

static int load_file(struct ops_token *token, const char *path, struct error *error)
{
    char text[OPS_TOKEN_MAX + 2] = {0}; /* a longer one must show, and a line end may follow */
    /* O_NONBLOCK: a pipe of that name must not make us wait. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return error_set(error, ERROR_INPUT, "ops.token_file: %s: %s", path, strerror(errno));
    int code = check_file(file, path, error);
    ssize_t length = code ? 0 : read(file, text, sizeof text);
    close(file);
    if (!code && length < 0)
        code = error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    if (!code)
        code = check_text(text, (size_t)length, path, error);
    if (!code)
        memcpy(token->text, text, sizeof token->text);
    explicit_bzero(text, sizeof text);
    return code;
}

int ops_token_load(struct ops_token *token, const char *path, struct error *error)
{
    char service[PATH_MAX];
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    memset(token, 0, sizeof *token);
    if (path && path[0])
        return load_file(token, path, error);
    if (folder && snprintf(service, sizeof service, "%s/ops-token", folder) < PATH_MAX &&
        access(service, F_OK) == 0)
        return load_file(token, service, error);
    return 0;
}

bool ops_token_matches(const struct ops_token *token, const char *given)
{
    char shown[OPS_TOKEN_MAX] = {0};
    volatile unsigned char difference = 0;
    size_t length = strlen(given);
    if (token->text[0] == '\0' || length >= OPS_TOKEN_MAX)
        return false;
    memcpy(shown, given, length);
    for (size_t i = 0; i < OPS_TOKEN_MAX; i++)
        difference |= (unsigned char)(shown[i] ^ token->text[i]);
    return difference == 0;
}
