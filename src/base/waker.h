/* One thread sleeps until another has something for it, or until a time has passed. */
#ifndef CAPSTAN_BASE_WAKER_H
#define CAPSTAN_BASE_WAKER_H

#include <stdatomic.h>

#include "base/error.h"

/* Waking costs a system call only while the other thread sleeps. */
struct waker {
    int ends[2]; /* of a pipe */
    atomic_bool sleeps;
};

int waker_open(struct waker *waker, struct error *error);
void waker_close(struct waker *waker);
/* From any thread, after what it is woken for was published. Never blocks. */
void waker_wake(struct waker *waker);
/* The one sleeping thread. Between _prepare and _sleep it looks once more whether there is something to
 * do, and calls _cancel instead of _sleep if so; a wake since _prepare ends _sleep at once. */
void waker_prepare(struct waker *waker);
void waker_cancel(struct waker *waker);
void waker_sleep(struct waker *waker, int64_t timeout_ns);

#endif
