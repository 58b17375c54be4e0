/* See exchange/played.h. Messages are copied into a list, since the source's own last one call only. */
#include "exchange/played.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

/* One message and what it carries. */
struct node {
    struct node *next;
    struct message message;
    union event_record record;
    struct row rows[];
};

struct played {
    struct feed feed; /* first: the simulated venue holds a pointer to it */
    struct played_source source;
    const struct event_names *names;
    unsigned venue;
    int64_t offset; /* now less time of the tape */
    int64_t now;
    struct node *first, *last; /* not given by `next` yet */
    struct node *ahead; /* the first not given to the second cursor; NULL: none in the list */
    struct node *given; /* what `next` gave last */
    bool over;
};

static struct played *played_of(struct feed *feed)
{
    return (struct played *)feed;
}

/* --- from the source --------------------------------------------------------------------------- */

static bool is_ours(const struct played *played, const struct message *message)
{
    if (message->kind == EVENT_feed_connection)
        return message->record->feed_connection.venue == played->venue;
    if (message->stream == EVENT_NONE_16)
        return message->kind == EVENT_gap;
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    return instrument < played->names->instrument_count &&
           played->names->definitions[instrument].venue == played->venue;
}

static struct node *copy(const struct message *message)
{
    size_t rows = message->rows ? message->row_count : 0;
    struct node *node = calloc(1, sizeof *node + rows * sizeof node->rows[0]);
    ASSERT(node);
    node->message = *message;
    if (message->rows) {
        memcpy(node->rows, message->rows, rows * sizeof node->rows[0]);
        node->message.rows = node->rows;
    }
    if (message->record) {
        node->record = *message->record;
        node->message.record = &node->record;
    }
    return node;
}

static void move_in_time(struct node *node, int64_t by)
{
    node->message.ts_local += by;
    if (node->message.flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED))
        node->message.ts_venue += by;
}

/* One more message of ours at the end of the list; false at the end of the source. */
static bool pull(struct played *played, struct error *error)
{
    const struct message *message;
    error->code = ERROR_NONE;
    while (!played->over && (message = played->source.next(played->source.context, error))) {
        if (!is_ours(played, message))
            continue;
        struct node *node = copy(message);
        move_in_time(node, played->offset);
        if (played->last)
            played->last->next = node;
        else
            played->first = node;
        played->last = node;
        if (!played->ahead)
            played->ahead = node;
        return true;
    }
    played->over = true;
    return false;
}

/* --- the feed ---------------------------------------------------------------------------------- */

static const struct message *feed_next(struct feed *feed, struct error *error)
{
    struct played *played = played_of(feed);
    free(played->given);
    played->given = NULL;
    if (!played->first && !pull(played, error))
        return NULL;
    struct node *node = played->first;
    if (node->message.ts_local > played->now)
        return NULL;
    if (played->ahead == node)
        played->ahead = node->next;
    played->first = node->next;
    if (!played->first)
        played->last = NULL;
    played->given = node;
    return &node->message;
}

static const struct message *feed_ahead(struct feed *feed, int64_t limit, struct error *error)
{
    struct played *played = played_of(feed);
    if (!played->ahead && !pull(played, error))
        return NULL;
    struct node *node = played->ahead;
    feed->ahead_ts = node->message.ts_local;
    if (node->message.ts_local > limit)
        return NULL;
    played->ahead = node->next;
    feed->ahead_ts = INT64_MIN;
    return &node->message;
}

static void feed_close(struct feed *feed)
{
    (void)feed; /* played_close does it */
}

/* --- opening ----------------------------------------------------------------------------------- */

int played_open(struct played **out, const struct played_source *source,
                const struct event_names *names, unsigned venue, struct error *error)
{
    ASSERT(venue < names->venue_count);
    struct played *played = calloc(1, sizeof *played);
    if (!played)
        return error_set(error, ERROR_SYSTEM, "no memory for a played market");
    played->feed = (struct feed){
        .next = feed_next, .ahead = feed_ahead, .close = feed_close, .ahead_ts = INT64_MIN};
    played->source = *source;
    played->names = names;
    played->venue = venue;
    *out = played;
    return 0;
}

void played_close(struct played **out)
{
    struct played *played = *out;
    if (!played)
        return;
    free(played->given);
    for (struct node *node = played->first, *next; node; node = next) {
        next = node->next;
        free(node);
    }
    free(played);
    *out = NULL;
}

/* Whether all of the venue's instruments have had a snapshot; `seen` by instrument. */
static bool all_seen(const struct played *played, const bool *seen)
{
    for (unsigned i = 0; i < played->names->instrument_count; i++)
        if (played->names->definitions[i].venue == played->venue && !seen[i])
            return false;
    return true;
}

int played_start(struct played *played, int64_t now, int64_t limit_ns, struct error *error)
{
    bool *seen = calloc(played->names->instrument_count + 1, sizeof *seen);
    if (!seen)
        return error_set(error, ERROR_SYSTEM, "no memory for a played market");
    bool any = false;
    int64_t until = 0;
    while (!all_seen(played, seen) && pull(played, error)) {
        const struct message *message = &played->last->message;
        if (message->kind == EVENT_snapshot) {
            seen[EVENT_STREAM_INSTRUMENT(message->stream)] = true;
            any = true;
        }
        until = message->ts_local;
        if (any && until - played->first->message.ts_local > limit_ns)
            break;
    }
    free(seen);
    if (error->code)
        return error->code;
    if (!any)
        return error_set(error, ERROR_INPUT, "the market has no book of %s",
                         played->names->venues[played->venue]);
    played->offset = now - until;
    for (struct node *node = played->first; node; node = node->next)
        move_in_time(node, played->offset);
    played->now = now;
    return 0;
}

struct feed *played_feed(struct played *played)
{
    return &played->feed;
}

void played_advance(struct played *played, int64_t now)
{
    if (now > played->now)
        played->now = now;
}

int64_t played_next_time(struct played *played, struct error *error)
{
    if (!played->first && !pull(played, error))
        return TIME_NEVER;
    return played->first->message.ts_local;
}

bool played_is_over(const struct played *played)
{
    return played->over && !played->first;
}
