/* See live_feed.h. */
#include "feed/live_feed.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/time.h"

/* The wall clock is looked at so often; less than this much off is no jump. */
#define JUMP_CHECK_NS NS_PER_SECOND
#define JUMP_LEAST_NS (100 * NS_PER_MS)

struct posted {
    uint8_t kind;
    union event_record record;
};

struct live_feed {
    struct feed feed; /* first: the loop holds a pointer to it */
    struct live_feed_options options;
    int64_t last;      /* stamp given last */
    int64_t waited;    /* see live_feed_waited */
    int64_t jump_next; /* when the wall clock is looked at again */
    size_t turn;       /* source that is asked first */
    int in_frame;      /* source whose frame goes on; -1: none */
    bool has_start;    /* to be given next */
    struct event_start start;
    struct message message; /* given last */
    union event_record record;
    struct message_room room;
    pthread_mutex_t lock; /* of what follows */
    struct posted posted[LIVE_FEED_POSTED_MAX];
    size_t posted_count;
    bool ended;
};

static int64_t stamp(struct live_feed *live)
{
    int64_t now = clock_now(&live->options.clock->clock);
    if (now > live->last)
        live->last = now;
    return live->last;
}

/* The message has its stamp. */
static void note_wait(struct live_feed *live, int64_t since)
{
    live->waited = since > 0 && live->message.ts_local > since ? live->message.ts_local - since : 0;
}

/* The message is made of `live->record`; it was due then, or 0. */
static const struct message *give_record(struct live_feed *live, unsigned kind, int64_t due)
{
    live->message = (struct message){.ts_local = stamp(live),
                                     .stream = EVENT_NONE_16,
                                     .kind = (uint8_t)kind,
                                     .record = &live->record};
    note_wait(live, due);
    return &live->message;
}

static const struct message *give_posted(struct live_feed *live)
{
    struct posted first;
    pthread_mutex_lock(&live->lock);
    bool is_any = live->posted_count > 0;
    if (is_any) {
        first = live->posted[0];
        live->posted_count--;
        for (size_t i = 0; i < live->posted_count; i++)
            live->posted[i] = live->posted[i + 1];
    }
    pthread_mutex_unlock(&live->lock);
    if (!is_any)
        return NULL;
    live->record = first.record;
    return give_record(live, first.kind, 0);
}

static const struct message *give_of_source(struct live_feed *live, size_t source)
{
    if (!message_queue_get(live->options.sources[source], &live->room, &live->message))
        return NULL;
    int64_t came = live->message.ts_local;
    /* One frame has one time. */
    live->message.ts_local = live->in_frame < 0 ? stamp(live) : live->last;
    live->in_frame = live->message.flags & MESSAGE_MORE ? (int)source : -1;
    note_wait(live, came);
    return &live->message;
}

static const struct message *give_of_sources(struct live_feed *live)
{
    const size_t count = live->options.source_count;
    if (live->in_frame >= 0)
        return give_of_source(live, (size_t)live->in_frame);
    for (size_t i = 0; i < count; i++) {
        size_t source = (live->turn + i) % count;
        const struct message *message = give_of_source(live, source);
        if (message) {
            live->turn = (source + 1) % count;
            return message;
        }
    }
    return NULL;
}

static int64_t local_due(const struct live_feed *live)
{
    const struct live_feed_local *local = live->options.local;
    return local ? local->due(local->context) : TIME_NEVER;
}

static const struct message *give_local(struct live_feed *live)
{
    int64_t now = clock_now(&live->options.clock->clock);
    if (local_due(live) > now)
        return NULL;
    const struct message *message = live->options.local->take(live->options.local->context, now);
    if (!message)
        return NULL;
    live->message = *message;
    live->message.ts_local = stamp(live);
    note_wait(live, message->ts_local);
    return &live->message;
}

static int64_t deadline_of(const struct live_feed *live)
{
    return live->options.deadline ? live->options.deadline(live->options.deadline_context)
                                  : TIME_NEVER;
}

static const struct message *give_tick(struct live_feed *live)
{
    int64_t deadline = deadline_of(live);
    if (deadline > clock_now(&live->options.clock->clock) && deadline > live->last)
        return NULL;
    live->record = (union event_record){.tick = {.deadline = deadline}};
    return give_record(live, EVENT_tick, deadline);
}

static const struct message *give_jump(struct live_feed *live)
{
    int64_t now = clock_now(&live->options.clock->clock);
    if (now < live->jump_next)
        return NULL;
    live->jump_next = now + JUMP_CHECK_NS;
    int64_t jump = session_clock_jump(live->options.clock, JUMP_LEAST_NS);
    if (jump == 0)
        return NULL;
    live->record = (union event_record){.clock_jump = {.jump = jump}};
    return give_record(live, EVENT_clock_jump, 0);
}

static const struct message *give_what_waits(struct live_feed *live)
{
    const struct message *message = NULL;
    if (live->in_frame < 0)
        message = give_posted(live);
    if (!message)
        message = give_of_sources(live);
    if (!message && live->in_frame < 0)
        message = give_local(live);
    if (!message && live->in_frame < 0)
        message = give_tick(live);
    if (!message && live->in_frame < 0)
        message = give_jump(live);
    return message;
}

static bool something_waits(struct live_feed *live)
{
    for (size_t i = 0; i < live->options.source_count; i++)
        if (!message_queue_is_empty(live->options.sources[i]))
            return true;
    pthread_mutex_lock(&live->lock);
    bool waits = live->posted_count > 0 || live->ended;
    pthread_mutex_unlock(&live->lock);
    return waits;
}

static void sleep_until_more(struct live_feed *live)
{
    int64_t until = deadline_of(live);
    if (local_due(live) < until)
        until = local_due(live);
    if (live->jump_next < until)
        until = live->jump_next;
    int64_t wait = until - clock_now(&live->options.clock->clock);
    waker_prepare(live->options.waker);
    if (something_waits(live) || wait <= 0)
        waker_cancel(live->options.waker);
    else
        waker_sleep(live->options.waker, wait);
}

static bool is_ended(struct live_feed *live)
{
    pthread_mutex_lock(&live->lock);
    bool ended = live->ended && live->posted_count == 0;
    pthread_mutex_unlock(&live->lock);
    return ended;
}

static const struct message *next(struct feed *feed, struct error *error)
{
    struct live_feed *live = (struct live_feed *)feed;
    (void)error;
    if (live->has_start) {
        live->has_start = false;
        live->jump_next = clock_now(&live->options.clock->clock) + JUMP_CHECK_NS;
        live->record = (union event_record){.start = live->start};
        return give_record(live, EVENT_start, 0);
    }
    for (;;) {
        if (live->options.alive)
            atomic_store_explicit(live->options.alive, clock_now(&live->options.clock->clock),
                                  memory_order_relaxed);
        const struct message *message = give_what_waits(live);
        if (message || is_ended(live))
            return message;
        sleep_until_more(live);
    }
}

static void live_close(struct feed *feed)
{
    struct live_feed *live = (struct live_feed *)feed;
    pthread_mutex_destroy(&live->lock);
    free(live->room.rows);
    free(live);
}

int live_feed_open(struct live_feed **out, const struct live_feed_options *options,
                   struct error *error)
{
    ASSERT(options->source_count <= LIVE_FEED_SOURCES_MAX);
    struct live_feed *live = calloc(1, sizeof *live);
    if (live)
        live->room.rows = calloc(EVENT_ROWS_MAX, sizeof *live->room.rows);
    if (!live || !live->room.rows) {
        free(live);
        return error_set(error, ERROR_SYSTEM, "no memory for the sequencer");
    }
    live->feed = (struct feed){.next = next, .close = live_close};
    live->options = *options;
    live->room.row_capacity = EVENT_ROWS_MAX;
    live->in_frame = -1;
    live->last = INT64_MIN;
    live->jump_next = clock_now(&options->clock->clock) + JUMP_CHECK_NS;
    if (options->start)
        live_feed_restart(live, options->start);
    pthread_mutex_init(&live->lock, NULL);
    *out = live;
    return 0;
}

struct feed *live_feed_feed(struct live_feed *live)
{
    return &live->feed;
}

void live_feed_restart(struct live_feed *live, const struct event_start *start)
{
    ASSERT(live->in_frame < 0);
    live->start = *start;
    live->has_start = true;
}

const int64_t *live_feed_waited(const struct live_feed *live)
{
    return &live->waited;
}

bool live_feed_post(struct live_feed *live, unsigned kind, const union event_record *record)
{
    pthread_mutex_lock(&live->lock);
    /* The last place is a shutdown's: nothing that is posted keeps that out. */
    bool room = live->posted_count < LIVE_FEED_POSTED_MAX - (kind != EVENT_shutdown);
    if (room)
        live->posted[live->posted_count++] =
            (struct posted){.kind = (uint8_t)kind, .record = *record};
    pthread_mutex_unlock(&live->lock);
    waker_wake(live->options.waker);
    return room;
}

void live_feed_end(struct live_feed *live)
{
    pthread_mutex_lock(&live->lock);
    live->ended = true;
    pthread_mutex_unlock(&live->lock);
    waker_wake(live->options.waker);
}
