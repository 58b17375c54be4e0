/* The sequencer of a live session: the one point where what comes from outside is stamped and ordered.
 * What it gives is what the tape holds, so a live loop runs exactly as `verify` does: start, ticks and
 * answers all come from the feed.
 *
 * Sources are queues, one a venue, filled by their threads. What any thread posts (signals, commands, ends
 * of shutdown steps) comes first, then the sources in turn; the messages of one frame stay together and bear
 * one time. Where nothing waits and the engine's deadline has passed, a tick is made. Stamps are the
 * session's clock, never back. */
#ifndef CAPSTAN_FEED_LIVE_FEED_H
#define CAPSTAN_FEED_LIVE_FEED_H

#include "base/waker.h"
#include "clock/clock.h"
#include "feed/feed.h"
#include "feed/message_queue.h"

enum { LIVE_FEED_SOURCES_MAX = 16, LIVE_FEED_POSTED_MAX = 256 };

struct live_feed;

/* A source on the engine's own thread, whose messages have a time: the simulated venue of `paper`. */
struct live_feed_local {
    /* When it has something next; TIME_NEVER. */
    int64_t (*due)(void *context);
    /* What it has by now, or NULL; valid until the next call. */
    const struct message *(*take)(void *context, int64_t now);
    void *context;
};

struct live_feed_options {
    struct session_clock *clock;
    struct waker *waker; /* of the thread that calls `next`; whoever fills a source wakes it */
    struct message_queue *sources[LIVE_FEED_SOURCES_MAX];
    size_t source_count;
    const struct live_feed_local *local; /* NULL: none */
    /* Set to the session's time whenever the thread that calls `next` is in there, at least once a second;
     * NULL: not. */
    _Atomic int64_t *alive;
    /* The engine's deadline (engine_deadline); NULL: no ticks. */
    int64_t (*deadline)(const void *context);
    const void *deadline_context;
    /* The first message; NULL: none, as in `record`. */
    const struct event_start *start;
};

/* All memory is taken here. */
int live_feed_open(struct live_feed **live, const struct live_feed_options *options,
                   struct error *error);
/* Its interface for the loop. `next` waits; NULL once live_feed_end was called and nothing waits. */
struct feed *live_feed_feed(struct live_feed *live);
/* From the thread that calls `next`: what it gives next is another start. */
void live_feed_restart(struct live_feed *live, const struct event_start *start);
/* How long the message given last had waited, ns: in its source's queue, or beyond the time that it was due. For
 * the thread that calls `next`; a message of a source bears the time of its coming as ts_local. */
const int64_t *live_feed_waited(const struct live_feed *live);
/* From any thread: a session record, copied. False where too many wait already. */
bool live_feed_post(struct live_feed *live, unsigned kind, const union event_record *record);
/* From any thread: give what waits, then the end. */
void live_feed_end(struct live_feed *live);

#endif
