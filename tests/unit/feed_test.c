/* The tape feed: order, classes, bounds, the second cursor and the second thread. */
#include "config.h" /* POSIX names */

#include "feed/feed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/time.h"
#include "small_tape.h"

enum { MESSAGES = 20000, BYTES_MAX = 4096, HELD_MAX = 4096 };

static struct error error;
static char path[64];

static void make_tape(unsigned block_events, unsigned session_every)
{
    snprintf(path, sizeof path, "feed_test.%ld.tape", (long)getpid());
    const struct small_tape_options options = {.path = path,
                                               .messages = MESSAGES,
                                               .block_events = block_events,
                                               .session_every = session_every};
    cr_assert_eq(small_tape_write(&options, &error), 0, "%s", error.text);
}

static struct tape_reader *open_reader(void)
{
    struct tape_reader *reader = NULL;
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    return reader;
}

static struct tape_feed_options all(void)
{
    return (struct tape_feed_options){.classes = FEED_MARKET | FEED_SESSION | FEED_DECISION,
                                      .from = INT64_MIN,
                                      .to = INT64_MAX,
                                      .lookahead = 250 * NS_PER_MS,
                                      .threads = 1};
}

/* What came through a feed. */
struct seen {
    uint64_t count, skipped, hash;
    int64_t first, last;
};

static uint64_t hash_message(uint64_t hash, const struct message *message)
{
    uint8_t bytes[BYTES_MAX];
    size_t length = message_encode(message, bytes, sizeof bytes);
    return XXH3_64bits_withSeed(bytes, length, hash);
}

static void see(struct seen *seen, const struct message *message)
{
    if (seen->count++ == 0)
        seen->first = message->ts_local;
    cr_assert_geq(message->ts_local, seen->last);
    seen->last = message->ts_local;
    seen->hash = hash_message(seen->hash, message);
}

static struct seen read_all(const struct tape_feed_options *options)
{
    struct tape_reader *reader = open_reader();
    struct feed *feed = NULL;
    struct seen seen = {.last = INT64_MIN};
    cr_assert_eq(tape_feed_open(&feed, reader, options, &error), 0, "%s", error.text);
    const struct message *message;
    while ((message = feed->next(feed, &error)))
        see(&seen, message);
    cr_assert_eq(error.code, ERROR_NONE, "%s", error.text);
    seen.skipped = feed->skipped;
    feed->close(feed);
    tape_reader_close(&reader);
    return seen;
}

/* Walk with both cursors, as the loop and the simulated venue do: everything that the second has
 * shown must come from the first in the same order and place, unchanged until then. */
static struct seen read_both(const struct tape_feed_options *options, int64_t lag)
{
    static struct {
        const struct message *message;
        uint64_t hash;
    } held[HELD_MAX];
    struct tape_reader *reader = open_reader();
    struct feed *feed = NULL;
    struct seen seen = {.last = INT64_MIN};
    uint64_t shown = 0;
    cr_assert_eq(tape_feed_open(&feed, reader, options, &error), 0, "%s", error.text);
    const struct message *message, *ahead;
    while ((message = feed->next(feed, &error))) {
        int64_t limit = message->ts_local + options->lookahead - lag;
        while ((ahead = feed->ahead(feed, limit, &error))) {
            cr_assert_leq(ahead->ts_local, limit);
            held[shown % HELD_MAX].message = ahead;
            held[shown % HELD_MAX].hash = hash_message(0, ahead);
            shown++;
        }
        cr_assert_lt(seen.count, shown, "the second cursor fell behind");
        cr_assert_lt(shown - seen.count, HELD_MAX);
        cr_assert_eq(held[seen.count % HELD_MAX].message, message);
        cr_assert_eq(held[seen.count % HELD_MAX].hash, hash_message(0, message));
        see(&seen, message);
    }
    cr_assert_eq(shown, seen.count);
    seen.skipped = feed->skipped;
    feed->close(feed);
    tape_reader_close(&reader);
    return seen;
}

static void remove_tape(void)
{
    unlink(path);
}

TestSuite(feed, .fini = remove_tape);

Test(feed, every_message_comes_once_whatever_blocks_and_threads)
{
    static const unsigned block_events[] = {1024, 4096, 16384, 65536};
    struct seen first = {0};
    for (unsigned i = 0; i < 4; i++) {
        make_tape(block_events[i], 0);
        for (unsigned threads = 1; threads <= 2; threads++) {
            struct tape_feed_options options = all();
            options.threads = threads;
            struct seen seen = read_all(&options), both = read_both(&options, 0);
            if (i == 0 && threads == 1)
                first = seen;
            cr_assert_eq(seen.count, MESSAGES);
            cr_assert_eq(seen.hash, first.hash);
            cr_assert_eq(both.hash, first.hash);
        }
    }
}

Test(feed, the_second_cursor_may_lag)
{
    make_tape(1024, 0);
    struct tape_feed_options options = all();
    uint64_t hash = read_both(&options, 0).hash;
    cr_assert_eq(read_both(&options, options.lookahead).hash, hash);
    cr_assert_eq(read_both(&options, options.lookahead / 2).hash, hash);
    options.threads = 2;
    cr_assert_eq(read_both(&options, options.lookahead).hash, hash);
}

Test(feed, other_classes_are_left_out_and_counted)
{
    make_tape(1024, 0);
    struct tape_feed_options options = all();
    struct seen plain = read_all(&options);
    make_tape(1024, 3);
    struct seen whole = read_all(&options);
    unsigned pairs = (MESSAGES - 1) / 3;
    cr_assert_eq(whole.count, MESSAGES + 2 * pairs);
    cr_assert_eq(whole.skipped, 0);
    options.classes = FEED_MARKET;
    struct seen market = read_all(&options);
    cr_assert_eq(market.count, MESSAGES);
    cr_assert_eq(market.skipped, 2 * pairs);
    cr_assert_eq(market.hash, plain.hash);
    cr_assert_eq(read_both(&options, 0).hash, plain.hash);
    options.classes = FEED_MARKET | FEED_SESSION;
    cr_assert_eq(read_all(&options).count, MESSAGES + pairs);
}

Test(feed, to_is_inclusive_and_binds_both_cursors)
{
    make_tape(1024, 0);
    struct tape_feed_options options = all();
    struct seen whole = read_all(&options);
    options.to = SMALL_TAPE_START + (whole.last - SMALL_TAPE_START) / 2;
    struct seen half = read_both(&options, 0);
    cr_assert_lt(half.count, whole.count);
    cr_assert_leq(half.last, options.to);
    options.to = half.last;
    cr_assert_eq(read_both(&options, 0).count, half.count);
    options.to = half.last - 1;
    cr_assert_lt(read_both(&options, 0).count, half.count);
    options.to = SMALL_TAPE_START - 1;
    cr_assert_eq(read_all(&options).count, 0);
}

Test(feed, from_begins_where_all_books_can_be_built)
{
    make_tape(1024, 0);
    struct tape_feed_options options = all();
    uint64_t count = read_all(&options).count;
    /* The only snapshots stand at the beginning. */
    options.from = SMALL_TAPE_START + NS_PER_SECOND;
    cr_assert_eq(read_all(&options).count, count);
}

Test(feed, from_begins_with_what_stands_by_then)
{
    snprintf(path, sizeof path, "feed_test.%ld.tape", (long)getpid());
    const struct small_tape_options made = {
        .path = path, .messages = MESSAGES, .block_events = 1024, .snapshot_every = 500};
    cr_assert_eq(small_tape_write(&made, &error), 0, "%s", error.text);
    struct tape_feed_options options = all();
    struct seen whole = read_all(&options);
    options.from = SMALL_TAPE_START + (whole.last - SMALL_TAPE_START) / 2;
    for (options.threads = 1; options.threads <= 2; options.threads++) {
        struct seen seen = read_both(&options, 0);
        cr_expect_eq(seen.first, SMALL_TAPE_START); /* the status, at its own time */
        cr_expect_lt(seen.count, whole.count);
        cr_expect_eq(read_all(&options).hash, seen.hash);
        cr_expect_eq(read_both(&options, options.lookahead).hash, seen.hash);
    }
    options.threads = 1;
    options.classes = FEED_DECISION; /* it is none */
    cr_expect_eq(read_all(&options).count, 0);
}

Test(feed, closing_early_stops_the_second_thread)
{
    make_tape(1024, 0);
    struct tape_reader *reader = open_reader();
    struct tape_feed_options options = all();
    options.threads = 2;
    for (unsigned messages = 0; messages < 2000; messages += 500) {
        struct feed *feed = NULL;
        cr_assert_eq(tape_feed_open(&feed, reader, &options, &error), 0);
        for (unsigned i = 0; i < messages; i++)
            cr_assert_not_null(feed->next(feed, &error));
        feed->close(feed);
    }
    tape_reader_close(&reader);
}

Test(feed, messages_in_memory_come_in_order_on_both_cursors)
{
    const struct message messages[] = {{.ts_local = 10}, {.ts_local = 20}, {.ts_local = 20}};
    struct feed *feed = NULL;
    cr_assert_eq(memory_feed_open(&feed, messages, 3, &error), 0);
    cr_assert_null(feed->ahead(feed, 9, &error));
    cr_assert_eq(feed->next(feed, &error), &messages[0]);
    cr_assert_eq(feed->ahead(feed, 19, &error), &messages[0]);
    cr_assert_null(feed->ahead(feed, 19, &error));
    cr_assert_eq(feed->ahead(feed, 20, &error), &messages[1]);
    cr_assert_eq(feed->ahead(feed, 20, &error), &messages[2]);
    cr_assert_eq(feed->next(feed, &error), &messages[1]);
    cr_assert_eq(feed->next(feed, &error), &messages[2]);
    cr_assert_null(feed->next(feed, &error));
    feed->close(feed);
}
