/* One venue's thread: it runs an adapter over the network. What the adapter emits goes into a queue that
 * the sequencer reads; what the engine decides comes in another.
 *
 *   engine ──decisions──► queue ──► adapter ──► net ──► venue
 *   sequencer ◄─ messages ◄─ queue ◄──┘
 *
 * Policy of a full queue of messages: answers wait for room, market data is dropped, and then every channel
 * is closed, so that the adapter begins anew with whole books. A decision that finds no room was not sent:
 * the caller is told and the order is unknown. */
#ifndef CAPSTAN_VENUE_LIVE_LIVE_IO_H
#define CAPSTAN_VENUE_LIVE_LIVE_IO_H

#include "base/log.h"
#include "base/waker.h"
#include "clock/clock.h"
#include "feed/message_queue.h"
#include "live/raw.h"
#include "venue/live/adapter.h"

struct live_io;

struct live_io_options {
    const struct adapter_kind *kind;
    struct adapter_settings adapter; /* copied; what it points to must outlive the thread's start */
    const char *ca_file;             /* NULL: the system's authorities */
    const struct clock *clock;       /* the session's */
    struct waker *engine;            /* woken when there are messages */
    const struct log *log;           /* lines of target "capstan.venue.NAME" */
    struct raw
        *raw; /* each frame, and each answer to a GET, goes there as it came; NULL: nowhere */
};

/* Start the thread; discovery begins. */
int live_io_open(struct live_io **io, const struct live_io_options *options, struct error *error);
/* Wait until the adapter is ready; ERROR_SYSTEM with its words where it failed, or did not become ready in
 * `timeout_ns`. `stop` (may be NULL) ends the wait with ERROR_SYSTEM "stopped". */
int live_io_await_ready(struct live_io *io, int64_t timeout_ns, const atomic_bool *stop,
                        struct error *error);
/* What was found; unchanged from ready on. */
const struct adapter_instrument *live_io_found(const struct live_io *io, size_t *count);
const char *live_io_name(const struct live_io *io);
/* Numbers for what was found (kept by pointer): the adapter runs. */
void live_io_begin(struct live_io *io, const struct adapter_numbers *numbers);
/* Messages for the sequencer. */
struct message_queue *live_io_messages(struct live_io *io);
/* From the engine's thread: hand over a decision. False where there is no room: it was not sent. */
bool live_io_submit(struct live_io *io, const struct message *decision);
/* Any thread: close all channels, so that the adapter connects anew and tells whole books and the account. The
 * reason must outlive it. */
void live_io_reconnect(struct live_io *io, const char *why);
/* Any thread: what health pages ask. */
struct adapter_health live_io_health(const struct live_io *io);
/* Any thread: the session's time at which the venue's thread last went round, which it does several times a second;
 * 0: never. */
int64_t live_io_alive(const struct live_io *io);
/* Ask the thread to disconnect and end; `ended` (may be NULL) is called from it when it has. */
void live_io_stop(struct live_io *io, void (*ended)(void *context), void *context);
/* Stop, wait for the thread, free. NULL is allowed. */
void live_io_close(struct live_io **io);

#endif
