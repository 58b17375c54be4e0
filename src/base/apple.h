/* What macOS has under other names. config.h includes it there, so that no file has to know; nothing else does. */
#ifndef CAPSTAN_BASE_APPLE_H
#define CAPSTAN_BASE_APPLE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Only asked of sockets of commands that end at once and run no other program. */
#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif

/* As on Linux: writes that no optimiser removes. */
static inline void explicit_bzero(void *memory, size_t size)
{
    volatile unsigned char *at = memory;
    while (size-- > 0)
        *at++ = 0;
}

/* Random bytes of the system's; never fails. */
static inline ssize_t getrandom(void *bytes, size_t size, unsigned flags)
{
    (void)flags;
    arc4random_buf(bytes, size);
    return (ssize_t)size;
}

/* To the disk, past its cache too. 0, or -1 and errno. */
static inline int fdatasync(int file)
{
    return fcntl(file, F_FULLFSYNC) == -1 ? fsync(file) : 0;
}

/* Room for a file of `length` bytes. 0 or an errno. */
static inline int posix_fallocate(int file, off_t offset, off_t length)
{
    fstore_t store = {
        .fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE, .fst_length = length};
    (void)fcntl(file, F_PREALLOCATE, &store); /* a file system that can't: then writing tells */
    return ftruncate(file, offset + length) == 0 ? 0 : errno;
}

/* poll() to the millisecond, rounded up; `mask` must be NULL. */
static inline int ppoll(struct pollfd *ends, nfds_t count, const struct timespec *time,
                        const sigset_t *mask)
{
    (void)mask;
    if (time == NULL)
        return poll(ends, count, -1);
    return poll(ends, count, (int)(time->tv_sec * 1000 + (time->tv_nsec + 999999) / 1000000));
}

/* Conditions wait by the monotonic clock: there is no attribute for it, but a wait of a length. */
static inline int pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    (void)attributes;
    return clock == CLOCK_MONOTONIC ? 0 : EINVAL;
}
static inline int wait_monotonic(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                 const struct timespec *until)
{
    struct timespec now, left;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left.tv_sec = until->tv_sec - now.tv_sec;
    left.tv_nsec = until->tv_nsec - now.tv_nsec;
    if (left.tv_nsec < 0) {
        left.tv_nsec += 1000000000;
        left.tv_sec--;
    }
    if (left.tv_sec < 0)
        return ETIMEDOUT;
    return pthread_cond_timedwait_relative_np(condition, mutex, &left);
}
#define pthread_cond_timedwait wait_monotonic

/* Tried each millisecond until `until` of the wall clock. 0, or ETIMEDOUT. */
static inline int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct timespec now;
    while (pthread_mutex_trylock(mutex) != 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec > until->tv_sec ||
            (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec))
            return ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
    return 0;
}

#endif
