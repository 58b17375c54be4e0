/* A feed over messages in memory, for tests and scenarios. */
#include "feed/feed.h"

#include <stdlib.h>
#include <string.h>

struct memory_feed {
    struct feed feed; /* first: callers hold a pointer to it */
    const struct message *messages;
    size_t count, next, ahead;
};

static const struct message *memory_feed_next(struct feed *base, struct error *error)
{
    (void)error;
    struct memory_feed *feed = (struct memory_feed *)base;
    return feed->next < feed->count ? &feed->messages[feed->next++] : NULL;
}

static const struct message *memory_feed_ahead(struct feed *base, int64_t limit,
                                               struct error *error)
{
    (void)error;
    struct memory_feed *feed = (struct memory_feed *)base;
    while (feed->ahead < feed->count && feed->messages[feed->ahead].ts_local <= limit) {
        const struct message *message = &feed->messages[feed->ahead++];
        if (base->ahead_wanted[message->kind])
            return message;
    }
    return NULL;
}

static void memory_feed_close(struct feed *base)
{
    free(base);
}

int memory_feed_open(struct feed **out, const struct message *messages, size_t count,
                     struct error *error)
{
    struct memory_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return error_set(error, ERROR_SYSTEM, "no memory for a feed");
    feed->feed = (struct feed){.next = memory_feed_next,
                               .ahead = memory_feed_ahead,
                               .close = memory_feed_close,
                               .ahead_ts = INT64_MIN};
    memset(feed->feed.ahead_wanted, true, sizeof feed->feed.ahead_wanted);
    feed->messages = messages;
    feed->count = count;
    *out = &feed->feed;
    return 0;
}
