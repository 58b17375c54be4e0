/* See heartbeat.h. */
#include "config.h"

#include "live/heartbeat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x7472616568706163) /* "capheart" */

enum { PATH_MAX_BYTES = 4096 };

static int path_of(char path[PATH_MAX_BYTES], const char *tape, struct error *error)
{
    int length = snprintf(path, PATH_MAX_BYTES, "%s.heartbeat", tape);
    if (length < 0 || length >= PATH_MAX_BYTES)
        return error_set(error, ERROR_INPUT, "%s: the path is too long", tape);
    return 0;
}

static int map(struct heartbeat **heartbeat, int file, const char *path, struct error *error)
{
    void *memory = mmap(NULL, sizeof **heartbeat, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        return error_set(error, ERROR_SYSTEM, "%s: can't be mapped: %s", path, strerror(errno));
    *heartbeat = memory;
    return 0;
}

int heartbeat_make(struct heartbeat **heartbeat, const char *tape, struct error *error)
{
    char path[PATH_MAX_BYTES];
    *heartbeat = NULL;
    if (path_of(path, tape, error))
        return error->code;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof **heartbeat) != 0) {
        error_set(error, ERROR_SYSTEM, "%s: can't be made: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return error->code;
    }
    int code = map(heartbeat, file, path, error);
    close(file);
    if (!code) {
        atomic_store(&(*heartbeat)->alive, HEARTBEAT_STARTING);
        (*heartbeat)->magic = MAGIC;
    }
    return code;
}

int heartbeat_read(struct heartbeat **heartbeat, const char *tape, struct error *error)
{
    char path[PATH_MAX_BYTES];
    struct stat status;
    *heartbeat = NULL;
    if (path_of(path, tape, error))
        return error->code;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return error_set(error, ERROR_INPUT, "%s: there is no session of this tape: %s", path,
                         strerror(errno));
    int code = 0;
    if (fstat(file, &status) != 0 || status.st_size != sizeof **heartbeat)
        code = error_set(error, ERROR_INPUT, "%s: is no heartbeat of a session", path);
    if (!code)
        code = map(heartbeat, file, path, error);
    close(file);
    if (!code && (*heartbeat)->magic != MAGIC) {
        heartbeat_close(heartbeat);
        code = error_set(error, ERROR_INPUT, "%s: is no heartbeat of a session", path);
    }
    return code;
}

void heartbeat_close(struct heartbeat **heartbeat)
{
    if (*heartbeat)
        munmap(*heartbeat, sizeof **heartbeat);
    *heartbeat = NULL;
}
