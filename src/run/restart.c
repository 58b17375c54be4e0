/* A start on the engine that lived, on the one that folded, once and twice, and on one that was told the carry, field
 * by field. */
#include "run/restart.h"

#include <stdlib.h>
#include <string.h>

#include "engine/walker.h"

enum { ENGINE_ALIGNMENT = 64 };

static size_t size_of(const struct run_engine *run)
{
    return engine_size(&run->config);
}

static size_t aligned_size_of(const struct run_engine *run)
{
    return (size_of(run) + ENGINE_ALIGNMENT - 1) / ENGINE_ALIGNMENT * ENGINE_ALIGNMENT;
}

int restart_trial_open(struct restart_trial *trial, struct run_engine *lived,
                       struct run_engine *folded, struct error *error)
{
    trial->lived = lived;
    trial->folded = folded;
    trial->lived_kept = malloc(size_of(lived));
    trial->folded_kept = malloc(size_of(folded));
    trial->loaded = aligned_alloc(ENGINE_ALIGNMENT, aligned_size_of(lived));
    trial->inheriting = aligned_alloc(ENGINE_ALIGNMENT, aligned_size_of(lived));
    return trial->lived_kept && trial->folded_kept && trial->loaded && trial->inheriting
               ? 0
               : error_set(error, ERROR_SYSTEM, "no memory to try a restart");
}

void restart_trial_close(struct restart_trial *trial)
{
    free(trial->lived_kept);
    free(trial->folded_kept);
    free(trial->loaded);
    free(trial->inheriting);
    free(trial->carry);
    free(trial->text);
    *trial = (struct restart_trial){.text = NULL};
}

static void start(struct engine *engine, int64_t now, uint64_t epoch)
{
    union event_record record = {.start = {.epoch = epoch}};
    const struct message message = {
        .ts_local = now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    engine_step(engine, &message);
}

static int text_of(struct restart_trial *trial, const struct engine *engine, size_t *length,
                   struct error *error)
{
    struct walker_text text;
    for (;;) {
        walker_text_init(&text, trial->text, trial->text_capacity);
        engine_walk(engine, &text.walker);
        *length = text.length;
        if (text.length <= trial->text_capacity)
            return 0;
        free(trial->text);
        trial->text_capacity = 2 * text.length;
        trial->text = malloc(trial->text_capacity);
        if (!trial->text) {
            trial->text_capacity = 0;
            return error_set(error, ERROR_SYSTEM, "no memory for an engine's state as text");
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
static int compare(struct restart_trial *trial, const struct engine *other, const char *what,
                   const char *whose, struct error *error)
{
    size_t length;
    struct walker_difference difference;
    if (hash_of(trial->lived->engine) == hash_of(other))
        return 0;
    if (text_of(trial, other, &length, error))
        return error->code;
    walker_difference_init(&difference, trial->text, length);
    engine_walk(trial->lived->engine, &difference.walker);
    if (!walker_difference_found(&difference))
        return 0;
    trial->room = difference.found_room;
    trial->field = difference.found_name;
    return error_set(error, ERROR_DIFFERENT, "%s: the engine has '%s', the %s '%s'", what,
                     difference.ours, whose, difference.theirs);
}

static int write_carry(struct restart_trial *trial, size_t *length, struct error *error)
{
    static uint8_t none[1];
    *length = engine_write_carry(trial->lived->engine, false, trial->carry ? trial->carry : none,
                                 trial->carry_capacity);
    if (*length <= trial->carry_capacity)
        return 0;
    free(trial->carry);
    trial->carry_capacity = 2 * *length;
    trial->carry = malloc(trial->carry_capacity);
    if (!trial->carry) {
        trial->carry_capacity = 0;
        return error_set(error, ERROR_SYSTEM, "no memory for a carry");
    }
    return write_carry(trial, length, error);
}

/* A fresh engine with the carry of the lived one, before any start is tried. */
static int load(struct restart_trial *trial, struct engine **loaded, struct error *error)
{
    size_t length;
    size_t used;
    uint64_t index;
    *loaded = engine_init(trial->loaded, aligned_size_of(trial->lived), &trial->lived->config);
    int code = write_carry(trial, &length, error);
    if (code)
        return code;
    const char *fault = engine_read_carry(*loaded, trial->carry, length, &used, &index);
    if (!fault)
        return 0;
    trial->room = "carry";
    trial->field = fault;
    return error_set(error, ERROR_DIFFERENT, "the carry as bytes: field %s of %llu is not read",
                     fault, (unsigned long long)index);
}

/* A fresh engine of the same settings that inherits from the lived one. */
static int inherit(struct restart_trial *trial, struct engine **inheriting, struct error *error)
{
    const struct engine_config *config = &trial->lived->config;
    struct engine_heirs same;
    struct engine_lost lost;
    for (unsigned i = 0; i < config->venue_count; i++)
        same.venues[i] = (uint8_t)i;
    for (unsigned i = 0; i < config->asset_count; i++)
        same.assets[i] = (uint16_t)i;
    for (unsigned i = 0; i < config->instrument_count; i++)
        same.instruments[i] = (uint16_t)i;
    *inheriting = engine_init(trial->inheriting, aligned_size_of(trial->lived), config);
    if (engine_inherit(*inheriting, trial->lived->engine, &same, &lost))
        return 0;
    trial->room = "carry";
    trial->field = "heirs";
    return error_set(error, ERROR_DIFFERENT, "the carry is not inherited: loss %u of %u",
                     (unsigned)lost.loss, lost.number);
}

int restart_trial_run(struct restart_trial *trial, int64_t now, uint64_t epoch, struct error *error)
{
    struct run_engine *lived = trial->lived, *folded = trial->folded;
    struct engine *loaded, *inheriting;
    if (load(trial, &loaded, error) || inherit(trial, &inheriting, error))
        return error->code;
    memcpy(trial->lived_kept, lived->memory, size_of(lived));
    memcpy(trial->folded_kept, folded->memory, size_of(folded));
    start(lived->engine, now, epoch + 2);
    start(folded->engine, now, epoch + 2);
    start(loaded, now, epoch + 2);
    start(inheriting, now, epoch + 2);
    int code = compare(trial, folded->engine, "a restart", "folded tape", error);
    if (!code)
        code = compare(trial, loaded, "a restart from the carry as bytes", "loaded one", error);
    if (!code)
        code = compare(trial, inheriting, "a restart with the carry inherited", "heir", error);
    if (!code) {
        memcpy(folded->memory, trial->folded_kept, size_of(folded));
        start(folded->engine, now, epoch + 1);
        start(folded->engine, now, epoch + 2);
        code = compare(trial, folded->engine, "a second restart", "folded tape", error);
    }
    memcpy(lived->memory, trial->lived_kept, size_of(lived));
    memcpy(folded->memory, trial->folded_kept, size_of(folded));
    return code;
}
