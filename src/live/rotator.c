/* See rotator.h. */
#include "config.h"

#include "live/rotator.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"

static const char target[] = "capstan.tape";

#define LEAST_NS NS_PER_SECOND
/* Where the next tape could not be made. */
#define AGAIN_NS (60 * NS_PER_SECOND)

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next whole multiple of the period since 1970. */
static int64_t due_after(const struct rotator *rotator, int64_t now)
{
    int64_t every = rotator->options.every;
    return every == 0 ? TIME_NEVER : (now / every + 1) * every;
}

int rotator_open(struct rotator *rotator, const struct rotator_options *options, int64_t now,
                 struct error *error)
{
    char path[ROTATION_PATH_BYTES];
    rotator->options = *options;
    if (options->every > 0 && options->every < LEAST_NS)
        return error_set(error, ERROR_INPUT, "tape.rotate_every: expected 1s at least, or 0");
    rotator->due = due_after(rotator, now);
    if (options->every > 0 && rotation_path(options->base, options->number + 1, path, error))
        return error->code;
    rotator->follows = options->every > 0 && !options->engine;
    return retold_open(&rotator->retold, options->names, rotator->follows, error);
}

void rotator_close(struct rotator *rotator)
{
    retold_close(&rotator->retold);
}

static void tell_trouble(const struct rotator *rotator, int64_t now, const char *text,
                         const struct error *why)
{
    const struct log_field field = log_text("why", why->text);
    log_write(rotator->options.log, LOG_ERROR, target, now, text, &field, 1);
}

static void tell_rotated(const struct rotator *rotator, int64_t now, const char *path, int64_t took)
{
    const struct log_field fields[] = {log_text("tape", path), log_integer("took_us", took / 1000)};
    log_write(rotator->options.log, LOG_INFO, target, now, "the session goes on with a new tape",
              fields, 2);
}

static void again_at(struct rotator *rotator, int64_t due, int64_t now, const struct error *why)
{
    rotator->due = due;
    tell_trouble(rotator, now, "the session stays on its tape for now", why);
}

/* --- between two messages -------------------------------------------------------------------------------- */

bool rotator_ends(struct rotator *rotator, int64_t now)
{
    char path[ROTATION_PATH_BYTES];
    struct error error = {0};
    const struct run_engine *run = rotator->options.engine;
    if (rotator->failed || (run && !engine_is_settled(run->engine)))
        return false;
    int code = rotation_path(rotator->options.base, rotator->options.number + 1, path, &error);
    if (!code)
        code = rotation_room(path, &error);
    if (code)
        again_at(rotator, earlier(due_after(rotator, now), now + AGAIN_NS), now, &error);
    rotator->ended = !code;
    return rotator->ended;
}

void rotator_takes(struct rotator *rotator, const struct message *message)
{
    struct error error = {0};
    if (rotator->follows)
        retold_follow(rotator->retold, message);
    if (retold_keeps(message->kind) && rotator->options.every > 0 &&
        retold_keep(rotator->retold, message, &error) && !rotator->failed) {
        rotator->failed = true;
        tell_trouble(rotator, message->ts_local, "tapes can't rotate any more", &error);
    }
}

/* --- after the feed ended -------------------------------------------------------------------------------- */

/* ERROR_SYSTEM where the session can't go on; `rotated` false, and why, where it stays on its tape. */
static int write_next(struct rotator *rotator, uint64_t epoch, const char *path, bool *rotated,
                      struct error *error)
{
    const struct run_engine *run = rotator->options.engine;
    struct retold_market market;
    if (retold_tell(rotator->retold, run ? run->engine : NULL, &market, error))
        return 0;
    const struct live_tape_rotation rotation = {.path = path,
                                                .number = rotator->options.number + 1,
                                                .epoch = epoch,
                                                .engine = run,
                                                .warm = run != NULL,
                                                .market = market.messages,
                                                .market_count = market.count};
    int code = live_tape_rotate(rotator->options.tape, &rotation, rotated, error);
    if (!code && *rotated && !run && !market.whole)
        rotator->options.want_snapshots(rotator->options.context);
    return code;
}

int rotator_rotate(struct rotator *rotator, uint64_t epoch, int64_t now, struct error *error)
{
    char path[ROTATION_PATH_BYTES];
    int64_t began = clock_now(&clock_monotonic);
    bool rotated = false;
    ASSERT(rotator->ended);
    rotator->ended = false;
    int code = rotation_path(rotator->options.base, rotator->options.number + 1, path, error);
    if (!code)
        code = write_next(rotator, epoch, path, &rotated, error);
    if (code)
        return code;
    rotator->due = due_after(rotator, now);
    if (!rotated) {
        again_at(rotator, earlier(rotator->due, now + AGAIN_NS), now, error);
        error->code = ERROR_NONE;
        return 0;
    }
    rotator->options.number++;
    if (error->code != ERROR_NONE)
        tell_trouble(rotator, now, "the tape before could not be brought to its end", error);
    error->code = ERROR_NONE;
    tell_rotated(rotator, now, path, clock_now(&clock_monotonic) - began);
    return 0;
}
