/* Two engines along one tape: one steps, one folds; at each cut both are started again, compared, and put
 * back to where they were. */
#include "replay/restart_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "engine/walker.h"
#include "feed/feed.h"
#include "run/fold.h"
#include "run/run_engine.h"
#include "tape/tape.h"

/* An engine and what its memory held before a start was tried on it. */
struct twin {
    struct run_engine run;
    uint8_t *kept;
};

struct check {
    const char *path;
    struct tape_reader *reader;
    struct config *config;
    struct feed *feed;
    struct twin lived, folded;
    char *text; /* of one engine's whole state */
    size_t text_capacity;
    uint64_t every;  /* messages between two cuts */
    uint64_t inputs; /* messages so far that are no decisions */
    uint64_t passed; /* messages so far */
    uint64_t cuts;
    uint64_t epoch;      /* of the last start */
    bool started, whole; /* the last message ended its frame */
    int64_t now;
};

static void twin_close(struct twin *twin)
{
    free(twin->kept);
    run_engine_close(&twin->run);
}

static int twin_open(struct twin *twin, const struct check *check, struct error *error)
{
    const struct tape_header *header = tape_reader_header(check->reader);
    int code = run_engine_open(&twin->run, check->config, &header->names, true, false, error);
    if (code)
        return code;
    twin->kept = malloc(engine_size(&twin->run.config));
    return twin->kept ? 0 : error_set(error, ERROR_SYSTEM, "out of memory");
}

static void keep(struct twin *twin)
{
    memcpy(twin->kept, twin->run.memory, engine_size(&twin->run.config));
}

static void put_back(struct twin *twin)
{
    memcpy(twin->run.memory, twin->kept, engine_size(&twin->run.config));
}

static void start(struct twin *twin, int64_t now, uint64_t epoch)
{
    union event_record record = {.start = {.epoch = epoch}};
    const struct message message = {
        .ts_local = now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    engine_step(twin->run.engine, &message);
}

static int text_of(struct check *check, const struct engine *engine, size_t *length,
                   struct error *error)
{
    struct walker_text text;
    for (;;) {
        walker_text_init(&text, check->text, check->text_capacity);
        engine_walk(engine, &text.walker);
        *length = text.length;
        if (text.length <= check->text_capacity)
            return 0;
        free(check->text);
        check->text_capacity = 2 * text.length;
        check->text = malloc(check->text_capacity);
        if (!check->text) {
            check->text_capacity = 0;
            return error_set(error, ERROR_SYSTEM, "out of memory");
        }
    }
}

static uint64_t hash_of(const struct engine *engine)
{
    struct walker_hash hash;
    walker_hash_init(&hash);
    engine_walk(engine, &hash.walker);
    return hash.hash;
}

/* Every field of the lived engine against the other's. */
static int compare(struct check *check, const char *what, struct error *error)
{
    size_t length;
    struct walker_difference difference;
    if (hash_of(check->lived.run.engine) == hash_of(check->folded.run.engine))
        return 0;
    if (text_of(check, check->folded.run.engine, &length, error))
        return error->code;
    walker_difference_init(&difference, check->text, length);
    engine_walk(check->lived.run.engine, &difference.walker);
    if (!walker_difference_found(&difference))
        return 0;
    return error_set(error, ERROR_DIFFERENT,
                     "%s: %s after message %" PRIu64 ": the engine has '%s', the folded tape '%s'",
                     check->path, what, check->inputs, difference.ours, difference.theirs);
}

/* Once against once, then twice against once. */
static int try_cut(struct check *check, struct error *error)
{
    keep(&check->lived);
    keep(&check->folded);
    start(&check->lived, check->now, check->epoch + 2);
    start(&check->folded, check->now, check->epoch + 2);
    int code = compare(check, "a restart", error);
    if (!code) {
        put_back(&check->folded);
        start(&check->folded, check->now, check->epoch + 1);
        start(&check->folded, check->now, check->epoch + 2);
        code = compare(check, "a second restart", error);
    }
    put_back(&check->lived);
    put_back(&check->folded);
    check->cuts++;
    return code;
}

/* A session ended here, maybe by a death: what its engine decided and could not write is forgotten. */
static int forget(struct check *check, struct error *error)
{
    struct fold fold;
    run_engine_renew(&check->lived.run);
    return fold_tape(check->path, check->passed, check->lived.run.engine, &fold, error);
}

static int take(struct check *check, const struct message *message, struct error *error)
{
    if (event_kind_info(message->kind)->event_class == EVENT_DECISION) {
        engine_fold(check->folded.run.engine, message);
        check->passed++;
        return 0;
    }
    if (check->started && (message->kind == EVENT_start || fold_tells_loss(message)) &&
        forget(check, error))
        return error->code;
    if (check->started && check->whole && check->inputs % check->every == 0 &&
        try_cut(check, error))
        return error->code;
    if (message->kind == EVENT_start) {
        check->started = true;
        check->epoch = message->record->start.epoch;
    }
    engine_step(check->lived.run.engine, message);
    engine_fold(check->folded.run.engine, message);
    check->whole = !(message->flags & MESSAGE_MORE);
    check->now = message->ts_local;
    check->inputs++;
    check->passed++;
    return 0;
}

static int open_all(struct check *check, uint64_t cuts_max, struct error *error)
{
    const struct tape_feed_options options = {.classes = FEED_MARKET | FEED_SESSION | FEED_DECISION,
                                              .from = INT64_MIN,
                                              .to = INT64_MAX,
                                              .threads = 1};
    int code = tape_reader_open(&check->reader, check->path, error);
    if (code)
        return code;
    const char *text = tape_reader_header(check->reader)->config;
    uint64_t messages = 0;
    for (size_t i = 0; i < tape_reader_block_count(check->reader); i++)
        messages += tape_reader_block_info(check->reader, i)->message_count;
    check->every = messages / (cuts_max ? cuts_max : 1) + 1;
    code = config_create(&check->config, error);
    if (!code)
        code =
            config_read_text(check->config, "configuration on the tape", text, strlen(text), error);
    if (!code)
        code = twin_open(&check->lived, check, error);
    if (!code)
        code = twin_open(&check->folded, check, error);
    return code ? code : tape_feed_open(&check->feed, check->reader, &options, error);
}

static int run_all(struct check *check, struct error *error)
{
    const struct message *message;
    error->code = ERROR_NONE;
    while ((message = check->feed->next(check->feed, error)))
        if (take(check, message, error))
            return error->code;
    if (error->code)
        return error->code;
    bool recorded = tape_reader_header(check->reader)->origin == TAPE_RECORDED;
    if (recorded && forget(check, error))
        return error->code;
    return try_cut(check, error);
}

int restart_check(const char *path, uint64_t cuts_max, uint64_t *cuts, struct error *error)
{
    struct check check = {.path = path};
    int code = open_all(&check, cuts_max, error);
    if (!code)
        code = run_all(&check, error);
    *cuts = check.cuts;
    if (check.feed)
        check.feed->close(check.feed);
    twin_close(&check.lived);
    twin_close(&check.folded);
    config_free(&check.config);
    tape_reader_close(&check.reader);
    free(check.text);
    return code;
}
