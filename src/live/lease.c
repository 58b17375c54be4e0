/* See lease.h. */
#include "config.h"

#include "live/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, HOLDER_BYTES = 96 };

static int path_of(char path[PATH_BYTES], const struct lease_options *options, const char *venue,
                   struct error *error)
{
    const char *slash = strrchr(options->tape, '/');
    int folder = slash ? (int)(slash - options->tape) + 1 : 0;
    int length = snprintf(path, PATH_BYTES, "%.*s%s.%s.lease", folder, options->tape,
                          options->session, venue);
    if (length < 0 || length >= PATH_BYTES)
        return error_set(error, ERROR_INPUT, "%s: the path is too long", options->tape);
    return 0;
}

/* For people: who holds it. */
static int sign(int file, const char *path, struct error *error)
{
    char text[HOLDER_BYTES], host[64] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    int length = snprintf(text, sizeof text, "%s, process %ld", host, (long)getpid());
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length)
        return error_set(error, ERROR_SYSTEM, "%s: can't be written: %s", path, strerror(errno));
    return 0;
}

static void name_holder(int file, const char *path, struct error *holder)
{
    char text[HOLDER_BYTES];
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    error_set(holder, ERROR_INPUT, "%s (%s)", path, text[0] ? text : "not told yet");
}

/* One venue's; *taken is false where another process has it. */
static int take(struct lease *lease, const char *path, bool *taken, struct error *holder,
                struct error *error)
{
    *taken = false;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return error_set(error, ERROR_SYSTEM, "%s: can't be made: %s", path, strerror(errno));
    int code = 0;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        code = sign(file, path, error);
    else if (errno == EWOULDBLOCK)
        name_holder(file, path, holder);
    else
        code = error_set(error, ERROR_SYSTEM, "%s: can't be locked: %s", path, strerror(errno));
    if (code || holder->code) {
        close(file);
        return code;
    }
    lease->files[lease->count++] = file;
    *taken = true;
    return 0;
}

int lease_try(struct lease *lease, const struct lease_options *options, struct error *holder,
              struct error *error)
{
    int code = 0;
    bool taken = true;
    *lease = (struct lease){0};
    *holder = (struct error){0};
    for (size_t v = 0; !code && taken && v < options->venue_count; v++) {
        char path[PATH_BYTES];
        code = path_of(path, options, options->venues[v], error);
        if (!code)
            code = take(lease, path, &taken, holder, error);
    }
    if (code || !taken)
        lease_release(lease);
    return code;
}

void lease_release(struct lease *lease)
{
    for (size_t i = 0; i < lease->count; i++)
        close(lease->files[i]);
    lease->count = 0;
}
