/* The sequencer of a live session, the queues it reads, and the session's clock. */
#include "feed/live_feed.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

enum { SMALL_QUEUE = 4096, LARGE_QUEUE = 1 << 16, ROWS_MAX = 64 };

static struct error error;

/* --- queue ------------------------------------------------------------------------------------------ */

static void fill_rows(struct row *rows, unsigned count, uint64_t number)
{
    for (unsigned i = 0; i < count; i++)
        rows[i] = (struct row){.price = (int64_t)(number * 100 + i),
                               .quantity = (int64_t)i,
                               .flags = i + 1 == count ? ROW_LAST : 0};
}

/* Depth whose length, rows and sequence follow from its number. */
static struct message numbered(uint64_t number, struct row *rows)
{
    unsigned count = (unsigned)(number * 7 % (ROWS_MAX / 2)) + 1;
    fill_rows(rows, count, number);
    return (struct message){.sequence = number,
                            .stream = EVENT_STREAM(0, CHANNEL_DEPTH),
                            .kind = EVENT_depth,
                            .row_count = count,
                            .rows = rows};
}

static struct message_queue *open_queue(size_t capacity)
{
    struct message_queue *queue = NULL;
    cr_assert_eq(message_queue_open(&queue, capacity, &error), 0, "%s", error.text);
    return queue;
}

static bool is_numbered(const struct message *message, uint64_t number)
{
    struct row rows[ROWS_MAX];
    struct message expected = numbered(number, rows);
    return message->sequence == number && message->row_count == expected.row_count &&
           memcmp(message->rows, rows, expected.row_count * sizeof rows[0]) == 0;
}

Test(message_queue, gives_what_was_put_in_order_across_its_end)
{
    struct message_queue *queue = open_queue(SMALL_QUEUE);
    struct row rows[ROWS_MAX], taken[ROWS_MAX];
    struct message_room room = {.rows = taken, .row_capacity = ROWS_MAX};
    struct message message;
    uint64_t put = 0, got = 0;
    while (got < 2000) {
        for (;;) {
            struct message next = numbered(put, rows);
            if (!message_queue_put(queue, &next))
                break;
            put++;
        }
        cr_assert_gt(put, got);
        for (unsigned i = 0; i < 3 && got < put; i++, got++) {
            cr_assert(message_queue_get(queue, &room, &message));
            cr_assert(is_numbered(&message, got));
        }
    }
    while (got < put)
        cr_assert(message_queue_get(queue, &room, &message) && is_numbered(&message, got++));
    cr_assert_not(message_queue_get(queue, &room, &message));
    cr_assert_eq(message_queue_depth(queue), 0);
    message_queue_close(&queue);
}

enum { THREADED = 200000 };

static void *produce(void *context)
{
    struct row rows[ROWS_MAX];
    for (uint64_t number = 0; number < THREADED;) {
        struct message message = numbered(number, rows);
        number += message_queue_put(context, &message);
    }
    return NULL;
}

Test(message_queue, two_threads_lose_and_mix_nothing)
{
    struct message_queue *queue = open_queue(LARGE_QUEUE);
    struct row taken[ROWS_MAX];
    struct message_room room = {.rows = taken, .row_capacity = ROWS_MAX};
    struct message message;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, produce, queue), 0);
    for (uint64_t number = 0; number < THREADED;)
        if (message_queue_get(queue, &room, &message))
            cr_assert(is_numbered(&message, number++));
    pthread_join(thread, NULL);
    cr_assert(message_queue_is_empty(queue));
    message_queue_close(&queue);
}

/* --- clock ------------------------------------------------------------------------------------------ */

Test(session_clock, begins_at_the_wall_clock_or_after_what_is_on_the_tape)
{
    struct session_clock clock;
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t before = (int64_t)wall.tv_sec * NS_PER_SECOND + wall.tv_nsec;
    session_clock_start(&clock, INT64_MIN);
    int64_t now = clock_now(&clock.clock);
    cr_assert(now >= before && now < before + 10 * NS_PER_SECOND);
    cr_assert_eq(session_clock_jump(&clock, NS_PER_SECOND), 0);
    /* A tape that ends an hour from now: the clock goes on from there, and that is no jump. */
    session_clock_raise(&clock, now + 3600 * NS_PER_SECOND);
    cr_assert_geq(clock_now(&clock.clock), now + 3600 * NS_PER_SECOND);
    cr_assert_eq(session_clock_jump(&clock, NS_PER_SECOND), 0);
    session_clock_raise(&clock, now);
    cr_assert_geq(clock_now(&clock.clock), now + 3600 * NS_PER_SECOND);
    /* As if the wall clock had been set an hour forward since. */
    clock.drift -= 3600 * NS_PER_SECOND;
    int64_t jump = session_clock_jump(&clock, NS_PER_SECOND);
    cr_assert(jump > 3599 * NS_PER_SECOND && jump < 3601 * NS_PER_SECOND);
    cr_assert_eq(session_clock_jump(&clock, NS_PER_SECOND), 0, "told once");
}

/* --- sequencer -------------------------------------------------------------------------------------- */

static struct session_clock clock_of_test;
static struct waker waker;
static struct message_queue *first, *second;
static int64_t deadline_of_test;
static struct live_feed *live;
static _Atomic int64_t alive;

static int64_t deadline(const void *context)
{
    return *(const int64_t *)context;
}

static struct feed *open_live(void)
{
    static const struct event_start start = {.epoch = 7};
    session_clock_start(&clock_of_test, INT64_MIN);
    cr_assert_eq(waker_open(&waker, &error), 0);
    first = open_queue(LARGE_QUEUE);
    second = open_queue(LARGE_QUEUE);
    deadline_of_test = TIME_NEVER;
    const struct live_feed_options options = {.clock = &clock_of_test,
                                              .waker = &waker,
                                              .sources = {first, second},
                                              .source_count = 2,
                                              .alive = &alive,
                                              .deadline = deadline,
                                              .deadline_context = &deadline_of_test,
                                              .start = &start};
    cr_assert_eq(live_feed_open(&live, &options, &error), 0, "%s", error.text);
    return live_feed_feed(live);
}

static void close_live(struct feed *feed)
{
    feed->close(feed);
    message_queue_close(&first);
    message_queue_close(&second);
    waker_close(&waker);
}

static void put_top(struct message_queue *queue, uint64_t sequence, unsigned flags)
{
    const struct row row = {.price = 1, .quantity = 1, .flags = ROW_LAST};
    const struct message message = {.sequence = sequence,
                                    .stream = EVENT_STREAM(0, CHANNEL_TOP),
                                    .kind = EVENT_top,
                                    .flags = (uint8_t)flags,
                                    .row_count = 1,
                                    .rows = &row};
    cr_assert(message_queue_put(queue, &message));
}

static const struct message *take(struct feed *feed, unsigned kind)
{
    const struct message *message = feed->next(feed, &error);
    cr_assert_not_null(message);
    cr_assert_eq(message->kind, kind, "kind %u", message->kind);
    return message;
}

Test(live_feed, begins_with_the_start_and_ends_when_told)
{
    struct feed *feed = open_live();
    cr_assert_eq(take(feed, EVENT_start)->record->start.epoch, 7);
    live_feed_end(live);
    cr_assert_null(feed->next(feed, &error));
    close_live(feed);
}

Test(live_feed, takes_sources_in_turn_and_stamps_never_go_back)
{
    struct feed *feed = open_live();
    int64_t last = take(feed, EVENT_start)->ts_local;
    for (uint64_t i = 0; i < 10; i++) {
        put_top(first, 100 + i, 0);
        put_top(second, 200 + i, 0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        const struct message *message = take(feed, EVENT_top);
        cr_assert_eq(message->sequence, (i % 2 ? 200 : 100) + i / 2);
        cr_assert_geq(message->ts_local, last);
        last = message->ts_local;
    }
    cr_assert_geq(last, atomic_load(&alive) - NS_PER_SECOND);
    cr_assert_gt(atomic_load(&alive), 0);
    close_live(feed);
}

Test(live_feed, a_frame_stays_together_and_has_one_time)
{
    struct feed *feed = open_live();
    const union event_record command = {
        .command = {.command = COMMAND_PAUSE, .instrument = EVENT_NONE_16}};
    take(feed, EVENT_start);
    put_top(first, 1, MESSAGE_MORE);
    put_top(first, 2, MESSAGE_MORE);
    put_top(second, 9, 0);
    int64_t time = take(feed, EVENT_top)->ts_local;
    cr_assert(live_feed_post(live, EVENT_command, &command));
    deadline_of_test = time;
    put_top(first, 3, 0);
    for (uint64_t sequence = 2; sequence <= 3; sequence++) {
        const struct message *message = take(feed, EVENT_top);
        cr_assert_eq(message->sequence, sequence);
        cr_assert_eq(message->ts_local, time);
    }
    cr_assert_eq(take(feed, EVENT_command)->record->command.command, COMMAND_PAUSE);
    cr_assert_eq(take(feed, EVENT_top)->sequence, 9);
    close_live(feed);
}

Test(live_feed, makes_a_tick_when_the_deadline_has_passed)
{
    struct feed *feed = open_live();
    int64_t start = take(feed, EVENT_start)->ts_local;
    deadline_of_test = start + 20 * NS_PER_MS;
    const struct message *tick = take(feed, EVENT_tick);
    cr_assert_eq(tick->record->tick.deadline, deadline_of_test);
    cr_assert_geq(tick->ts_local, deadline_of_test);
    close_live(feed);
}

static void *post_later(void *context)
{
    const struct timespec pause = {.tv_nsec = 20 * NS_PER_MS};
    (void)context;
    nanosleep(&pause, NULL);
    put_top(second, 5, 0);
    waker_wake(&waker);
    nanosleep(&pause, NULL);
    const union event_record shutdown = {.shutdown = {.signal = 15}};
    live_feed_post(live, EVENT_shutdown, &shutdown);
    return NULL;
}

/* How long both took to come. */
static int64_t time_of_two_wakings(void)
{
    struct feed *feed = open_live();
    pthread_t thread;
    take(feed, EVENT_start);
    cr_assert_eq(pthread_create(&thread, NULL, post_later, NULL), 0);
    int64_t before = clock_now(&clock_monotonic);
    cr_assert_eq(take(feed, EVENT_top)->sequence, 5);
    cr_assert_eq(take(feed, EVENT_shutdown)->record->shutdown.signal, 15);
    int64_t took = clock_now(&clock_monotonic) - before;
    pthread_join(thread, NULL);
    close_live(feed);
    return took;
}

Test(live_feed, is_woken_by_other_threads, .timeout = 60)
{
    /* Not by the look at the wall clock once a second, without which no time were shorter; a busy machine may need
     * longer now and then. */
    int64_t least = TIME_NEVER;
    for (int i = 0; i < 10 && least >= 900 * NS_PER_MS; i++) {
        int64_t took = time_of_two_wakings();
        least = took < least ? took : least;
    }
    cr_assert_lt(least, 900 * NS_PER_MS);
}

Test(live_feed, more_posts_than_there_is_room_for_are_refused)
{
    struct feed *feed = open_live();
    const union event_record shutdown = {.shutdown = {.signal = 15}};
    for (unsigned i = 0; i < LIVE_FEED_POSTED_MAX; i++)
        cr_assert(live_feed_post(live, EVENT_shutdown, &shutdown));
    cr_assert_not(live_feed_post(live, EVENT_shutdown, &shutdown));
    close_live(feed);
}

Test(live_feed, tells_how_long_a_message_waited)
{
    struct feed *feed = open_live();
    const int64_t *waited = live_feed_waited(live);
    const struct row row = {.price = 1, .quantity = 1, .flags = ROW_LAST};
    int64_t start = take(feed, EVENT_start)->ts_local;
    cr_expect_eq(*waited, 0);
    struct message message = {.ts_local = start - 5 * NS_PER_SECOND, /* when it came */
                              .stream = EVENT_STREAM(0, CHANNEL_TOP),
                              .kind = EVENT_top,
                              .row_count = 1,
                              .rows = &row};
    cr_assert(message_queue_put(first, &message));
    int64_t taken = take(feed, EVENT_top)->ts_local;
    cr_expect_eq(*waited, taken - message.ts_local);
    put_top(first, 2, 0); /* bears no time of its coming */
    taken = take(feed, EVENT_top)->ts_local;
    cr_expect_eq(*waited, 0);
    deadline_of_test = taken + 1;
    int64_t ticked = take(feed, EVENT_tick)->ts_local;
    cr_expect_eq(*waited, ticked - deadline_of_test);
    close_live(feed);
}
