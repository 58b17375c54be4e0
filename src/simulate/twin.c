/* See simulate/twin.h. */
#include "simulate/twin.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

/* One time in so many that the clock moves the twin begins anew, if the session is settled. */
enum { ROTATES_ONCE_IN = 192 };

int twin_open(struct twin *twin, struct run_engine *lived, struct run_engine *folded, uint64_t seed,
              struct error *error)
{
    twin->lived = lived;
    twin->folded = folded;
    twin->seed = seed;
    return going_on_open(&twin->going, lived, error);
}

void twin_close(struct twin *twin)
{
    going_on_close(&twin->going);
    *twin = (struct twin){.alive = false};
}

/* By the time alone, so that it is the same where messages were left out. */
static bool rotates_at(const struct twin *twin, int64_t now)
{
    uint8_t bytes[8];
    bytes_put_u64(bytes, (uint64_t)now);
    return hash_64_seeded(bytes, sizeof bytes, twin->seed) % ROTATES_ONCE_IN == 0;
}

/* All that was decided has come. */
static int check_all(const struct twin *twin, struct error *error)
{
    if (!twin->alive || twin->next == twin->actions.count)
        return 0;
    return error_set(error, ERROR_DIFFERENT, "after a rotation: %s is decided, and was not without",
                     event_kind_info(twin->actions.messages[twin->next].kind)->name);
}

static int check_state(struct twin *twin, struct error *error)
{
    if (!twin->alive || !going_on_compare(&twin->going, error))
        return 0;
    return error_prefix(error, "after a rotation");
}

/* The fold of the next tape begins with the carry. */
static int rotate(struct twin *twin, struct error *error)
{
    int code = check_state(twin, error);
    if (!code)
        code = going_on_make(&twin->going, error);
    if (code)
        return code;
    twin->alive = true;
    twin->rotations++;
    twin->actions.count = twin->next = 0;
    if (!twin->folded || twin->rotations % 2 == 0)
        return 0;
    run_engine_renew(twin->folded);
    return going_on_load_carry(&twin->going, twin->folded->engine, error);
}

int twin_message(struct twin *twin, const struct message *message, struct error *error)
{
    int code = check_all(twin, error);
    if (!code && !twin->within_frame && rotates_at(twin, message->ts_local) &&
        engine_is_settled(twin->lived->engine))
        code = rotate(twin, error);
    if (code)
        return code;
    twin->within_frame = (message->flags & MESSAGE_MORE) != 0;
    if (twin->alive)
        twin->actions = engine_step(twin->going.engine, message);
    twin->next = 0;
    return 0;
}

int twin_decision(struct twin *twin, const struct message *decision, struct error *error)
{
    uint8_t bytes[2][EVENT_RECORD_BYTES_MAX];
    const char *name = event_kind_info(decision->kind)->name;
    if (!twin->alive)
        return 0;
    if (twin->next == twin->actions.count)
        return error_set(error, ERROR_DIFFERENT, "after a rotation: %s is not decided", name);
    const struct message *own = &twin->actions.messages[twin->next++];
    size_t length = message_encode(decision, bytes[0], sizeof bytes[0]);
    if (message_encode(own, bytes[1], sizeof bytes[1]) == length &&
        memcmp(bytes[0], bytes[1], length) == 0)
        return 0;
    return error_set(error, ERROR_DIFFERENT, "after a rotation: %s is decided otherwise", name);
}

int twin_finish(struct twin *twin, struct error *error)
{
    int code = check_all(twin, error);
    if (!code)
        code = check_state(twin, error);
    twin->next = 0;
    if (!code && twin->alive)
        twin->actions = engine_finish(twin->going.engine);
    return code;
}
