/* A feed over a tape: blocks are decoded once into a ring, and two cursors walk over them. */
#include "feed/feed.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/time.h"
#include "tape/standing.h"
#include "tape/tape.h"

/* Blocks that the second thread may be in front, beside those that the cursors need: fewer leave its
 * hand-off jitter visible. */
enum { FEED_BLOCKS_AHEAD = 3 };

/* Where one reader of the feed stands: the rest of its block's messages. */
struct cursor {
    const struct message *at, *end;
    size_t block; /* of the tape; the block before the first one until it has been entered */
};

/* The thread that decodes, and what it shares with the loop's thread under `mutex`. */
struct decoder {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t decoded_more, released_more;
    size_t decoded;  /* blocks before this one are in the ring or were */
    size_t released; /* blocks before this one may be overwritten */
    bool stop;
    struct error error; /* code ERROR_NONE while all is well */
};

struct tape_feed {
    struct feed feed; /* first: callers hold a pointer to it */
    struct tape_reader *reader;
    bool wanted[FEED_KINDS];
    int64_t to, lookahead;
    int64_t position; /* ts_local of the message that `next` gave last */
    size_t first_block, end_block;
    size_t decoded; /* as far as the loop's thread knows */
    struct cursor next, ahead;
    struct tape_standing before;      /* what stands when the first block begins: given before it */
    size_t before_next, before_ahead; /* how many of these each cursor has given or left out */
    struct tape_block *ring;
    size_t ring_count;
    bool threaded;
    struct decoder decoder;
};

static int64_t add_saturating(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static struct tape_block *ring_slot(struct tape_feed *feed, size_t block)
{
    return &feed->ring[block % feed->ring_count];
}

static void *decoder_main(void *context)
{
    struct tape_feed *feed = context;
    struct decoder *decoder = &feed->decoder;
    struct error error = {0};
    bool go_on = true;
    for (size_t block = feed->first_block; go_on && block < feed->end_block; block++) {
        pthread_mutex_lock(&decoder->mutex);
        while (!decoder->stop && block - decoder->released >= feed->ring_count)
            pthread_cond_wait(&decoder->released_more, &decoder->mutex);
        go_on = !decoder->stop;
        pthread_mutex_unlock(&decoder->mutex);
        if (!go_on)
            break;
        int failed = tape_reader_read(feed->reader, block, ring_slot(feed, block), &error);
        pthread_mutex_lock(&decoder->mutex);
        if (failed)
            decoder->error = error;
        else
            decoder->decoded = block + 1;
        go_on = !failed;
        pthread_cond_signal(&decoder->decoded_more);
        pthread_mutex_unlock(&decoder->mutex);
    }
    return NULL;
}

static int wait_for_block(struct tape_feed *feed, size_t block, struct error *error)
{
    struct decoder *decoder = &feed->decoder;
    int code = ERROR_NONE;
    pthread_mutex_lock(&decoder->mutex);
    while (decoder->decoded <= block && decoder->error.code == ERROR_NONE)
        pthread_cond_wait(&decoder->decoded_more, &decoder->mutex);
    feed->decoded = decoder->decoded;
    if (feed->decoded <= block) {
        code = decoder->error.code;
        *error = decoder->error;
    }
    pthread_mutex_unlock(&decoder->mutex);
    return code;
}

/* See to it that `block` is in the ring. */
static int feed_decode_to(struct tape_feed *feed, size_t block, struct error *error)
{
    if (block < feed->decoded)
        return 0;
    if (feed->threaded)
        return wait_for_block(feed, block, error);
    for (; feed->decoded <= block; feed->decoded++) {
        /* A slot is free once the first cursor has left its block. */
        ASSERT(feed->decoded < feed->first_block + feed->ring_count ||
               feed->decoded - feed->ring_count < feed->next.block);
        int code =
            tape_reader_read(feed->reader, feed->decoded, ring_slot(feed, feed->decoded), error);
        if (code)
            return code;
    }
    return 0;
}

static void feed_release_before(struct tape_feed *feed, size_t block)
{
    if (!feed->threaded)
        return;
    pthread_mutex_lock(&feed->decoder.mutex);
    feed->decoder.released = block;
    pthread_cond_signal(&feed->decoder.released_more);
    pthread_mutex_unlock(&feed->decoder.mutex);
}

static void cursor_enter(struct cursor *cursor, const struct tape_block *block, size_t number)
{
    cursor->block = number;
    cursor->at = block->messages;
    cursor->end = block->messages + block->message_count;
}

/* Move the first cursor to the next block; false at the end or on an error. */
static bool next_enters_block(struct tape_feed *feed, struct error *error)
{
    size_t block = feed->next.block + 1;
    if (block == feed->end_block)
        return false;
    feed->next.block = block;
    feed_release_before(feed, block);
    if (feed_decode_to(feed, block, error))
        return false;
    cursor_enter(&feed->next, ring_slot(feed, block), block);
    /* Nothing that the second cursor wants can be in a block that the first has left. */
    if ((ptrdiff_t)(block - feed->ahead.block) > 0)
        cursor_enter(&feed->ahead, ring_slot(feed, block), block);
    return true;
}

static void skip(struct feed *feed, const struct message *message)
{
    feed->skipped++;
    if (message->kind != EVENT_clock_jump)
        return;
    int64_t jump = message->record->clock_jump.jump;
    int64_t far = jump >= 0 ? jump : jump == INT64_MIN ? INT64_MAX : -jump;
    feed->clock_jumps++;
    feed->clock_jump_farthest = far > feed->clock_jump_farthest ? far : feed->clock_jump_farthest;
}

/* The next for that cursor of what was told before the first block, or NULL. */
static const struct message *next_before(const struct tape_feed *feed, const bool *wanted,
                                         size_t *given)
{
    while (*given < feed->before.count && !wanted[feed->before.messages[*given].kind])
        ++*given;
    return *given < feed->before.count ? &feed->before.messages[*given] : NULL;
}

static const struct message *tape_feed_next(struct feed *base, struct error *error)
{
    struct tape_feed *feed = (struct tape_feed *)base;
    const struct message *before = next_before(feed, feed->wanted, &feed->before_next);
    if (before) {
        feed->before_next++;
        feed->position = before->ts_local;
        return before;
    }
    do {
        while (feed->next.at != feed->next.end) {
            const struct message *message = feed->next.at++;
            if (message->ts_local > feed->to) {
                feed->next.at--;
                return NULL;
            }
            if (feed->wanted[message->kind]) {
                feed->position = message->ts_local;
                return message;
            }
            skip(base, message);
        }
    } while (next_enters_block(feed, error));
    return NULL;
}

/* Move the second cursor to the next block, unless that begins after `limit`; false where it does, at the
 * end or on an error. */
static bool ahead_enters_block(struct tape_feed *feed, int64_t limit, struct error *error)
{
    size_t block = feed->ahead.block + 1;
    int64_t first = block == feed->end_block
                        ? TIME_NEVER
                        : tape_reader_block_info(feed->reader, block)->first_ts;
    feed->feed.ahead_ts = first;
    if (block == feed->end_block || first > limit || feed_decode_to(feed, block, error))
        return false;
    cursor_enter(&feed->ahead, ring_slot(feed, block), block);
    return true;
}

/* Move the second cursor to the next message that is wanted of it in its block, however late; false at the
 * block's end. */
static bool ahead_finds(struct tape_feed *feed)
{
    struct cursor *cursor = &feed->ahead;
    const bool *wanted = feed->feed.ahead_wanted;
    const struct message *at = cursor->at, *end = cursor->end;
    while (at != end && !wanted[at->kind])
        at++;
    cursor->at = at;
    if (at == end)
        return false;
    feed->feed.ahead_ts = at->ts_local <= feed->to ? at->ts_local : TIME_NEVER;
    return true;
}

static const struct message *tape_feed_ahead(struct feed *base, int64_t limit, struct error *error)
{
    struct tape_feed *feed = (struct tape_feed *)base;
    ASSERT(limit <= add_saturating(feed->position, feed->lookahead));
    const struct message *before = next_before(feed, base->ahead_wanted, &feed->before_ahead);
    if (before) {
        base->ahead_ts = before->ts_local;
        if (before->ts_local > limit)
            return NULL;
        feed->before_ahead++;
        return before;
    }
    while (!ahead_finds(feed))
        if (!ahead_enters_block(feed, limit, error))
            return NULL;
    if (base->ahead_ts > limit || base->ahead_ts == TIME_NEVER)
        return NULL;
    const struct message *message = feed->ahead.at++;
    (void)ahead_finds(feed); /* for ahead_ts */
    return message;
}

/* The most blocks that the cursors need at one time: from the block where the first one stands to
 * the last that begins within `lookahead` of that block's end. */
static size_t blocks_needed(const struct tape_feed *feed)
{
    size_t most = 1, last = feed->first_block;
    for (size_t block = feed->first_block; block < feed->end_block; block++) {
        int64_t end = tape_reader_block_info(feed->reader, block)->last_ts;
        int64_t limit = add_saturating(end, feed->lookahead);
        if (last < block)
            last = block;
        while (last + 1 < feed->end_block &&
               tape_reader_block_info(feed->reader, last + 1)->first_ts <= limit)
            last++;
        if (last - block + 1 > most)
            most = last - block + 1;
    }
    return most;
}

static int ring_open(struct tape_feed *feed, struct error *error)
{
    feed->ring_count = blocks_needed(feed) + (feed->threaded ? FEED_BLOCKS_AHEAD : 0);
    feed->ring = calloc(feed->ring_count, sizeof *feed->ring);
    if (!feed->ring)
        return error_set(error, ERROR_SYSTEM, "no memory for a ring of %zu tape blocks",
                         feed->ring_count);
    for (size_t i = 0; i < feed->ring_count; i++) {
        int code = tape_block_init(&feed->ring[i], feed->reader, error);
        if (code) {
            feed->ring_count = i;
            return code;
        }
    }
    return 0;
}

static void ring_close(struct tape_feed *feed)
{
    for (size_t i = 0; feed->ring && i < feed->ring_count; i++)
        tape_block_free(&feed->ring[i]);
    free(feed->ring);
}

static int decoder_open(struct tape_feed *feed, struct error *error)
{
    struct decoder *decoder = &feed->decoder;
    decoder->decoded = decoder->released = feed->first_block;
    pthread_mutex_init(&decoder->mutex, NULL);
    pthread_cond_init(&decoder->decoded_more, NULL);
    pthread_cond_init(&decoder->released_more, NULL);
    if (pthread_create(&decoder->thread, NULL, decoder_main, feed)) {
        pthread_cond_destroy(&decoder->released_more);
        pthread_cond_destroy(&decoder->decoded_more);
        pthread_mutex_destroy(&decoder->mutex);
        return error_set(error, ERROR_SYSTEM, "cannot start the thread that decodes the tape");
    }
    return 0;
}

static void decoder_close(struct decoder *decoder)
{
    pthread_mutex_lock(&decoder->mutex);
    decoder->stop = true;
    pthread_cond_signal(&decoder->released_more);
    pthread_mutex_unlock(&decoder->mutex);
    pthread_join(decoder->thread, NULL);
    pthread_cond_destroy(&decoder->released_more);
    pthread_cond_destroy(&decoder->decoded_more);
    pthread_mutex_destroy(&decoder->mutex);
}

static void tape_feed_close(struct feed *base)
{
    struct tape_feed *feed = (struct tape_feed *)base;
    if (feed->threaded)
        decoder_close(&feed->decoder);
    ring_close(feed);
    tape_standing_free(&feed->before);
    free(feed);
}

/* The blocks between `from` and `to`, and the cursors before the first of them. */
static void choose_blocks(struct tape_feed *feed, const struct tape_feed_options *options)
{
    const struct tape_reader *reader = feed->reader;
    feed->end_block = tape_reader_block_count(reader);
    if (options->from != INT64_MIN)
        feed->first_block = tape_reader_snapshot_before(reader, options->from);
    while (feed->end_block > feed->first_block &&
           tape_reader_block_info(reader, feed->end_block - 1)->first_ts > options->to)
        feed->end_block--;
    feed->decoded = feed->first_block;
    feed->next.block = feed->ahead.block = feed->first_block - 1;
    feed->position = INT64_MIN;
}

int tape_feed_open(struct feed **out, struct tape_reader *reader,
                   const struct tape_feed_options *options, struct error *error)
{
    ASSERT(options->lookahead >= 0);
    ASSERT(options->threads == 1 || options->threads == 2);
    struct tape_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return error_set(error, ERROR_SYSTEM, "no memory for a tape feed");
    feed->feed = (struct feed){.next = tape_feed_next,
                               .ahead = tape_feed_ahead,
                               .close = tape_feed_close,
                               .ahead_ts = INT64_MIN};
    feed->reader = reader;
    feed->to = options->to;
    feed->lookahead = options->lookahead;
    feed->threaded = options->threads == 2;
    for (unsigned kind = 0; kind < FEED_KINDS; kind++) {
        const struct event_kind_info *info = event_kind_info(kind);
        feed->wanted[kind] = info && (options->classes >> info->event_class & 1);
        feed->feed.ahead_wanted[kind] = feed->wanted[kind];
    }
    choose_blocks(feed, options);
    int code = tape_standing_read(&feed->before, reader, feed->first_block, error);
    if (!code)
        code = ring_open(feed, error);
    if (!code && feed->threaded)
        code = decoder_open(feed, error);
    if (code) {
        ring_close(feed);
        tape_standing_free(&feed->before);
        free(feed);
        return code;
    }
    *out = &feed->feed;
    return 0;
}
