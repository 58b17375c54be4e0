/* The market of one venue as it is played: messages of a tape or of the generator, moved in time so that
 * they happen now, with a second cursor for the simulated venue behind it. */
#ifndef CAPSTAN_EXCHANGE_PLAYED_H
#define CAPSTAN_EXCHANGE_PLAYED_H

#include "feed/feed.h"

/* Where messages come from, in order of ts_local; NULL at the end or on an error. */
struct played_source {
    const struct message *(*next)(void *context, struct error *error);
    void *context;
};

struct played;

/* Take the messages of instruments of `venue` (its number in `names`), and of its feed. Names stay the
 * caller's. */
int played_open(struct played **played, const struct played_source *source,
                const struct event_names *names, unsigned venue, struct error *error);
void played_close(struct played **played);

/* The messages up to where every instrument of the venue has a book (at most `limit_ns` of the tape) are
 * its past: after this, the next message after them happens at `now`. ERROR_INPUT where the tape has no
 * book of the venue at all. */
int played_start(struct played *played, int64_t now, int64_t limit_ns, struct error *error);

/* The feed, in the time of now: `next` gives what was published by the time of played_now(). */
struct feed *played_feed(struct played *played);
/* Time goes on: `next` of the feed gives messages up to here. */
void played_advance(struct played *played, int64_t now);
/* ts_local of the message that `next` gives next, TIME_NEVER at the end. */
int64_t played_next_time(struct played *played, struct error *error);
/* True once the tape has no more messages. */
bool played_is_over(const struct played *played);

#endif
