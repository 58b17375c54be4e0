/* A pipe that is written to only while the reader has said that it sleeps. */
#include "config.h" /* ppoll */

#include "base/waker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

int waker_open(struct waker *waker, struct error *error)
{
    atomic_init(&waker->sleeps, false);
    if (pipe(waker->ends) != 0)
        return error_set(error, ERROR_SYSTEM, "no pipe to wake a thread by: %s", strerror(errno));
    for (int end = 0; end < 2; end++) {
        fcntl(waker->ends[end], F_SETFD, FD_CLOEXEC);
        fcntl(waker->ends[end], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

void waker_close(struct waker *waker)
{
    close(waker->ends[0]);
    close(waker->ends[1]);
}

void waker_wake(struct waker *waker)
{
    /* Whoever prepares after this sees what was published before it. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_exchange(&waker->sleeps, false))
        return;
    const char byte = 0;
    ssize_t written = write(waker->ends[1], &byte, 1);
    (void)written; /* a full pipe wakes as well */
}

void waker_prepare(struct waker *waker)
{
    atomic_store(&waker->sleeps, true);
    atomic_thread_fence(memory_order_seq_cst);
}

void waker_cancel(struct waker *waker)
{
    atomic_store(&waker->sleeps, false);
}

void waker_sleep(struct waker *waker, int64_t timeout_ns)
{
    struct pollfd end = {.fd = waker->ends[0], .events = POLLIN};
    struct timespec time = {.tv_sec = timeout_ns / NS_PER_SECOND,
                            .tv_nsec = timeout_ns % NS_PER_SECOND};
    char bytes[64];
    if (timeout_ns > 0 && ppoll(&end, 1, &time, NULL) > 0)
        while (read(waker->ends[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
            ;
    atomic_store(&waker->sleeps, false);
}
