/* See background.h. */
#include "config.h" /* POSIX and Linux names */

#include "cmd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static ssize_t read_byte(int file)
{
    char byte;
    ssize_t got;
    do
        got = read(file, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got;
}

static int status_of(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return ERROR_SYSTEM;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ERROR_SYSTEM;
}

int background_split(struct background *background, struct error *error)
{
    int ends[2];
    *background = (struct background){.pipe = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(error, ERROR_SYSTEM, "no pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        setsid();
        background->pipe = ends[1];
        return 0;
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_set(error, ERROR_SYSTEM, "no process: %s", strerror(errno));
    }
    background->is_parent = true;
    if (read_byte(ends[0]) == 1)
        printf("%ld\n", (long)child);
    else
        background->status = status_of(child);
    close(ends[0]);
    return 0;
}

int background_ready(struct background *background, const char *log, struct error *error)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int file = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    fflush(NULL);
    bool failed = nothing < 0 || file < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
                  dup2(nothing, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0 ||
                  write(background->pipe, "r", 1) != 1;
    int code = errno;
    if (nothing >= 0)
        close(nothing);
    if (file >= 0)
        close(file);
    close(background->pipe);
    background->pipe = -1;
    return failed ? error_set(error, ERROR_SYSTEM, "%s: %s", log, strerror(code)) : 0;
}
