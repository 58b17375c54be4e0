/* See run/going_on.h. */
#include "run/going_on.h"

#include <stdlib.h>

#include "engine/walker.h"
#include "run/state_hashes.h"

enum { ENGINE_ALIGNMENT = 64 };

static size_t size_of(const struct going_on *going)
{
    return (engine_size(&going->config) + ENGINE_ALIGNMENT - 1) / ENGINE_ALIGNMENT *
           ENGINE_ALIGNMENT;
}

int going_on_open(struct going_on *going, const struct run_engine *lived, struct error *error)
{
    going->lived = lived;
    going->config = lived->config;
    going->config.audit_each_message = false;
    going->memory = aligned_alloc(ENGINE_ALIGNMENT, size_of(going));
    return going->memory ? 0 : error_set(error, ERROR_SYSTEM, "no memory to try a rotation");
}

void going_on_close(struct going_on *going)
{
    free(going->memory);
    free(going->bytes);
    told_book_free(&going->book);
    *going = (struct going_on){.bytes = NULL};
}

static int write_state(struct going_on *going, struct error *error)
{
    static uint8_t none[1];
    const struct engine *engine = going->lived->engine;
    going->carry_length = engine_write_carry(engine, true, none, 0);
    going->length = going->carry_length + engine_write_warmth(engine, none, 0);
    if (going->length > going->capacity) {
        free(going->bytes);
        going->capacity = 2 * going->length;
        going->bytes = malloc(going->capacity);
        if (!going->bytes) {
            going->capacity = 0;
            return error_set(error, ERROR_SYSTEM, "no memory for a carry");
        }
    }
    engine_write_carry(engine, true, going->bytes, going->carry_length);
    engine_write_warmth(engine, going->bytes + going->carry_length,
                        going->length - going->carry_length);
    return 0;
}

static int refuse(struct going_on *going, const char *fault, const char *what, uint64_t index,
                  struct error *error)
{
    going->field = fault;
    return fault ? error_set(error, ERROR_DIFFERENT, "%s as bytes: field %s of %llu is not read",
                             what, fault, (unsigned long long)index)
                 : 0;
}

int going_on_load_carry(struct going_on *going, struct engine *engine, struct error *error)
{
    size_t used;
    uint64_t index;
    const char *fault = engine_read_carry(engine, going->bytes, going->carry_length, &used, &index);
    return refuse(going, fault, "the carry", index, error);
}

/* The first field in which the two differ, in place of what is known already. */
static int name_difference(struct going_on *going, struct error *error)
{
    struct walker_text text;
    struct walker_difference difference;
    walker_text_init(&text, NULL, 0);
    engine_walk(going->engine, &text.walker);
    char *bytes = malloc(text.length + 1);
    if (!bytes)
        return error->code;
    walker_text_init(&text, bytes, text.length);
    engine_walk(going->engine, &text.walker);
    walker_difference_init(&difference, bytes, text.length);
    engine_walk(going->lived->engine, &difference.walker);
    if (walker_difference_found(&difference))
        error_set(error, ERROR_DIFFERENT, "the engine has '%s', the one that goes on '%s'",
                  difference.ours, difference.theirs);
    free(bytes);
    return error->code;
}

int going_on_compare(struct going_on *going, struct error *error)
{
    if (state_hash_whole(going->engine) == state_hash_whole(going->lived->engine))
        return 0;
    error_set(error, ERROR_DIFFERENT, "the engine that goes on is another");
    return name_difference(going, error);
}

static int load(struct going_on *going, struct error *error)
{
    uint64_t index;
    int code = going_on_load_carry(going, going->engine, error);
    if (code)
        return code;
    const char *fault = engine_read_warmth(going->engine, going->bytes + going->carry_length,
                                           going->length - going->carry_length, &index);
    code = refuse(going, fault, "the warmth", index, error);
    return code ? name_difference(going, error) : 0;
}

static void tell_definition(struct going_on *going, unsigned instrument)
{
    const union event_record record = {.definition =
                                           *engine_definition(going->lived->engine, instrument)};
    const struct message message = {.stream = EVENT_STREAM(instrument, CHANNEL_REFERENCE),
                                    .kind = EVENT_definition,
                                    .record = &record};
    engine_step(going->engine, &message);
}

/* What the market told, before all else, as it stands at the beginning of a tape. */
static int tell_market(struct going_on *going, struct error *error)
{
    for (unsigned i = 0; i < going->config.instrument_count; i++) {
        tell_definition(going, i);
        if (told_book_make(&going->book, engine_book(going->lived->engine, i), i, error))
            return error->code;
        if (going->book.rows)
            engine_step(going->engine, &going->book.message);
    }
    return 0;
}

int going_on_make(struct going_on *going, struct error *error)
{
    going->engine = engine_init(going->memory, size_of(going), &going->config);
    int code = tell_market(going, error);
    if (!code)
        code = write_state(going, error);
    if (!code)
        code = load(going, error);
    if (code)
        going->engine = NULL;
    return code;
}
