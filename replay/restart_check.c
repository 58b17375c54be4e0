/* Two engines along one tape: one steps, one folds; at each cut both are started again, compared, and put
 * back to where they were. */
#include "replay/restart_check.h"

#include <inttypes.h>
#include <string.h>

#include "config/config.h"
#include "feed/feed.h"
#include "run/fold.h"
#include "run/restart.h"
#include "run/rotation.h"
#include "tape/tape.h"

struct check {
    const char *path;
    struct tape_reader *reader;
    struct config *config;
    struct feed *feed;
    struct run_engine lived, folded;
    struct restart_trial trial;
    struct rotation_carry carry; /* of the tape's beginning */
    uint64_t every;              /* messages between two cuts */
    uint64_t inputs;             /* messages so far that are no decisions */
    uint64_t passed;             /* messages so far */
    uint64_t cuts;
    uint64_t epoch;      /* of the last start */
    bool started, whole; /* the last message ended its frame */
    int64_t now;
};

static int open_engine(struct run_engine *run, const struct check *check, struct error *error)
{
    const struct tape_header *header = tape_reader_header(check->reader);
    return run_engine_open(run, check->config, &header->names, true, false, error);
}

/* Once against once, then twice against once. */
static int try_cut(struct check *check, struct error *error)
{
    struct error found = {0};
    check->cuts++;
    if (!restart_trial_run(&check->trial, check->now, check->epoch, &found))
        return 0;
    return error_set(error, found.code, "%s: after message %" PRIu64 ": %s", check->path,
                     check->inputs, found.text);
}

/* A session ended here, maybe by a death: what its engine decided and could not write is forgotten. */
static int forget(struct check *check, struct error *error)
{
    struct fold fold;
    run_engine_renew(&check->lived);
    return fold_tape(check->path, check->passed, &check->lived, &fold, error);
}

/* The first start of a tape that follows another; NULL: there is none. */
static int begin(struct check *check, const struct event_start *start, struct error *error)
{
    int code;
    if (check->started || check->carry.parts == 0)
        return 0;
    if (start && rotation_goes_on(&check->carry, start)) {
        code = rotation_carry_load_warm(&check->carry, check->lived.engine, error);
    } else {
        run_engine_renew(&check->lived);
        code = fold_begin(&check->carry, check->path, &check->lived, error);
    }
    return code ? code : fold_begin(&check->carry, check->path, &check->folded, error);
}

/* Behind it nothing of the session before is known but what it left. */
static bool begins_anew(const struct check *check, const struct message *message)
{
    return fold_tells_loss(message) ||
           (message->kind == EVENT_start &&
            !engine_goes_on(check->lived.engine, &message->record->start));
}

static int take(struct check *check, const struct message *message, struct error *error)
{
    if (event_kind_info(message->kind)->event_class == EVENT_DECISION) {
        engine_fold(check->folded.engine, message);
        check->passed++;
        return 0;
    }
    if (check->started && begins_anew(check, message) && forget(check, error))
        return error->code;
    if (check->started && check->whole && check->inputs % check->every == 0 &&
        try_cut(check, error))
        return error->code;
    if (message->kind == EVENT_predecessor || message->kind == EVENT_carry) {
        check->passed++;
        return rotation_carry_take(&check->carry, message, error);
    }
    if (message->kind == EVENT_start) {
        if (begin(check, &message->record->start, error))
            return error->code;
        check->started = true;
        check->epoch = message->record->start.epoch;
    }
    engine_step(check->lived.engine, message);
    engine_fold(check->folded.engine, message);
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
        code = open_engine(&check->lived, check, error);
    if (!code)
        code = open_engine(&check->folded, check, error);
    if (!code)
        code = restart_trial_open(&check->trial, &check->lived, &check->folded, error);
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
    if (begin(check, NULL, error)) /* it died before a start */
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
    rotation_carry_close(&check.carry);
    restart_trial_close(&check.trial);
    run_engine_close(&check.lived);
    run_engine_close(&check.folded);
    config_free(&check.config);
    tape_reader_close(&check.reader);
    return code;
}
