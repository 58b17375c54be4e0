/* See rotator.h. */
#include "config.h"

#include "live/rotator.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"

static const char target[] = "capstan.tape";

#define LEAST_NS NS_PER_SECOND
/* Where the disk has no room. */
#define AGAIN_NS (60 * NS_PER_SECOND)

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
    if (rotator->failed || rotator->tells || rotator->armed ||
        (run && !engine_is_settled(run->engine)))
        return false;
    int code = rotation_path(rotator->options.base, rotator->options.number + 1, path, &error);
    if (!code)
        code = rotation_room(path, &error);
    int64_t aligned = due_after(rotator, now);
    if (code)
        again_at(rotator, now + AGAIN_NS < aligned ? now + AGAIN_NS : aligned, now, &error);
    rotator->ended = !code;
    return rotator->ended;
}

void rotator_takes(struct rotator *rotator, const struct message *message)
{
    struct error error = {0};
    if (rotator->follows && !rotator->tells)
        retold_follow(rotator->retold, message);
    if (retold_keeps(message->kind) && !rotator->tells && rotator->options.every > 0) {
        if (retold_keep(rotator->retold, message, &error) && !rotator->failed) {
            rotator->failed = true;
            tell_trouble(rotator, message->ts_local, "tapes can't rotate any more", &error);
        }
    } else if (rotator->armed && message->kind == EVENT_start) {
        rotator->armed = false;
        rotator->tells = true;
    }
}

const struct message *rotator_next(struct rotator *rotator, int64_t now)
{
    const struct message *message = retold_next(rotator->retold, now);
    rotator->tells = message != NULL;
    return message;
}

/* --- after the feed ended -------------------------------------------------------------------------------- */

int rotator_rotate(struct rotator *rotator, uint64_t epoch, int64_t now, struct error *error)
{
    char path[ROTATION_PATH_BYTES];
    const struct run_engine *run = rotator->options.engine;
    int64_t began = clock_now(&clock_monotonic);
    bool rotated = false, whole = false;
    ASSERT(rotator->ended);
    rotator->ended = false;
    int code = rotation_path(rotator->options.base, rotator->options.number + 1, path, error);
    if (!code)
        code = retold_begin(rotator->retold, run ? run->engine : NULL, &whole, error);
    if (code)
        return code;
    const struct live_tape_rotation rotation = {
        .path = path, .number = rotator->options.number + 1, .epoch = epoch, .engine = run};
    code = live_tape_rotate(rotator->options.tape, &rotation, &rotated, error);
    if (code)
        return code;
    rotator->armed = run != NULL;
    rotator->tells = run == NULL && rotated;
    if (!run && rotated && !whole)
        rotator->options.want_snapshots(rotator->options.context);
    if (!rotated) { /* it cost a start already: not before the next time */
        again_at(rotator, due_after(rotator, now), now, error);
        error->code = ERROR_NONE;
        return 0;
    }
    rotator->options.number++;
    rotator->due = due_after(rotator, now);
    if (error->code != ERROR_NONE)
        tell_trouble(rotator, now, "the tape before could not be brought to its end", error);
    error->code = ERROR_NONE;
    tell_rotated(rotator, now, path, clock_now(&clock_monotonic) - began);
    return 0;
}
