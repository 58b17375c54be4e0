/* See written_feed.h. */
#include "live/written_feed.h"

/* The message that is next, once no gap stands before it; NULL: it was dropped, or nothing comes. */
static const struct message *release_held(struct written_feed *written)
{
    const struct message *message = written->held;
    written->held = NULL;
    if (live_tape_takes(written->tape, message))
        return message;
    live_tape_drop(written->tape, message);
    written->dropped++;
    return NULL;
}

/* A moment between two messages that may be the tape's last. */
static bool ends(struct written_feed *written)
{
    return written->rotator && !written->within_frame && !written->held &&
           rotator_is_due(written->rotator, written->now) && live_tape_is_calm(written->tape) &&
           rotator_ends(written->rotator, written->now);
}

static const struct message *give(struct written_feed *written, const struct message *message)
{
    written->now = message->ts_local;
    written->within_frame = (message->flags & MESSAGE_MORE) != 0;
    if (written->rotator)
        rotator_sees(written->rotator, message);
    return message;
}

static const struct message *next(struct feed *feed, struct error *error)
{
    struct written_feed *written = (struct written_feed *)feed;
    if (ends(written))
        return NULL;
    for (;;) {
        if (live_tape_must_end(written->tape)) {
            error_set(error, ERROR_SYSTEM, "the tape can't be written any more");
            return NULL;
        }
        if (!written->held)
            written->held = written->inner->next(written->inner, error);
        if (!written->held)
            return NULL;
        const struct message *gap = live_tape_gap(written->tape, written->held->ts_local);
        if (gap)
            return gap;
        if (live_tape_wants_snapshots(written->tape))
            written->want_snapshots(written->context);
        const struct message *message = release_held(written);
        if (message)
            return give(written, message);
    }
}

static void close_nothing(struct feed *feed)
{
    (void)feed;
}

void written_feed_init(struct written_feed *written)
{
    written->feed = (struct feed){.next = next, .close = close_nothing};
}
