/* Whether one tape goes on where another ended. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "run/fold.h"
#include "run/restart.h"
#include "run/rotation.h"
#include "run/settings_change.h"

/* Two engines of the second tape's configuration, and where the first has another one that of its own. */
struct pair {
    struct tape_reader *first, *second;
    bool differ;
    struct run_engine loaded, inheriting, folded;
    struct restart_trial trial;
};

static bool is_named(const struct event_text *told, const char *file)
{
    return told->length == strlen(file) && memcmp(told->bytes, file, told->length) == 0;
}

static bool is_identity(const struct event_predecessor *told,
                        const uint8_t identity[TAPE_IDENTITY_BYTES])
{
    uint8_t bytes[TAPE_IDENTITY_BYTES];
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(told->identity_high >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(told->identity_low >> (56 - 8 * i));
    }
    return memcmp(bytes, identity, sizeof bytes) == 0;
}

/* What the second tape says of the first. */
static int check_record(const char *first, const char *second, const struct rotation_carry *carry,
                        struct error *error)
{
    struct tape_check check;
    const struct event_predecessor *told = &carry->predecessor;
    const char *file = rotation_file(first);
    if (!carry->follows)
        return error_set(error, ERROR_DIFFERENT, "%s: follows no tape, expected %s", second, file);
    if (!is_named(&told->name, file))
        return error_set(error, ERROR_DIFFERENT, "%s: follows %.*s, expected %s", second,
                         told->name.length, told->name.bytes, file);
    int code = tape_check(first, &check, error);
    if (code)
        return code;
    if (told->messages != check.messages)
        return error_set(error, ERROR_DIFFERENT,
                         "%s: follows %" PRIu64 " messages of %s, which has %" PRIu64, second,
                         told->messages, file, check.messages);
    if (told->last != check.last_ts || !is_identity(told, check.identity))
        return error_set(error, ERROR_DIFFERENT, "%s: follows another %s than this one", second,
                         file);
    return 0;
}

static int open_pair(struct pair *pair, const char *first, const char *second, struct error *error)
{
    int code = tape_reader_open(&pair->first, first, error);
    if (!code)
        code = tape_reader_open(&pair->second, second, error);
    if (code)
        return code;
    const struct tape_header *before = tape_reader_header(pair->first);
    const struct tape_header *after = tape_reader_header(pair->second);
    code = settings_differ(first, before, after, &pair->differ, error);
    const char *path = pair->differ ? second : first;
    const struct tape_header *later = pair->differ ? after : before;
    if (!code)
        code = run_engine_open_told(&pair->loaded, path, later, error);
    if (!code)
        code = run_engine_open_told(&pair->folded, first, before, error);
    if (!code && pair->differ)
        code = run_engine_open_told(&pair->inheriting, path, later, error);
    return code ? code
                : restart_trial_open(&pair->trial, &pair->loaded,
                                     pair->differ ? &pair->inheriting : &pair->folded, error);
}

static void close_pair(struct pair *pair)
{
    restart_trial_close(&pair->trial);
    run_engine_close(&pair->loaded);
    run_engine_close(&pair->inheriting);
    run_engine_close(&pair->folded);
    tape_reader_close(&pair->first);
    tape_reader_close(&pair->second);
}

/* All that the first tape holds, as the second has it. */
static int fold_first(struct pair *pair, const char *first, struct fold *fold, struct error *error)
{
    int code = fold_tape(first, UINT64_MAX, &pair->folded, fold, error);
    if (code || !pair->differ)
        return code;
    return settings_inherit(&pair->folded, &tape_reader_header(pair->first)->names,
                            &pair->inheriting, &tape_reader_header(pair->second)->names, error);
}

/* The carry against a fold of all that the first tape holds, both after a start. */
static int check_carry(const char *first, const char *second, const struct rotation_carry *carry,
                       struct error *error)
{
    struct pair pair = {.differ = false};
    struct fold fold;
    struct error found = {0};
    int code = open_pair(&pair, first, second, error);
    if (!code)
        code = rotation_carry_load(carry, pair.loaded.engine, error);
    if (!code)
        code = fold_first(&pair, first, &fold, error);
    if (!code && fold.epoch != carry->predecessor.epoch)
        code = error_set(error, ERROR_DIFFERENT,
                         "%s: follows epoch %" PRIu64 ", but the last of %s is %" PRIu64, second,
                         carry->predecessor.epoch, first, fold.epoch);
    if (!code && restart_trial_run(&pair.trial, fold.last_ts, fold.epoch, &found))
        code = error_set(error, found.code, "%s: its carry is not what %s comes to: %s", second,
                         first, found.text);
    close_pair(&pair);
    return code;
}

int rotation_check(const char *first, const char *second, struct error *error)
{
    struct rotation_carry carry = {.whole = false};
    int code = rotation_carry_read(&carry, second, error);
    if (!code)
        code = check_record(first, second, &carry, error);
    if (!code && carry.parts > 0)
        code = check_carry(first, second, &carry, error);
    rotation_carry_close(&carry);
    return code;
}
