/* Walks over a tape's blocks that have records. */
#include "config.h" /* POSIX names */

#include "run/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "run/settings_change.h"

/* A fold under way. */
struct folding {
    const char *path;
    struct run_engine *run;
    struct fold *fold;
    struct rotation_carry carry;
    bool begun; /* the carry, if there is one, is in the engine */
};

bool fold_tells_loss(const struct message *message)
{
    return message->kind == EVENT_gap && message->record->gap.instrument == EVENT_NONE_16 &&
           (message->record->gap.cause == GAP_DAMAGE ||
            message->record->gap.cause == GAP_NOT_WRITTEN);
}

/* What the sessions before left stands before all else. */
static int begin(struct folding *folding, struct error *error)
{
    folding->begun = true;
    if (folding->carry.parts == 0)
        return 0;
    folding->fold->starts = folding->carry.predecessor.epoch > 0; /* none: behind a recording */
    folding->fold->epoch = folding->carry.predecessor.epoch;
    return fold_begin(&folding->carry, folding->path, folding->run, error);
}

static int fold_message(struct folding *folding, const struct message *message, struct error *error)
{
    struct fold *fold = folding->fold;
    if (message->kind < EVENT_start)
        return 0;
    if (!folding->begun && (message->kind == EVENT_predecessor || message->kind == EVENT_carry))
        return rotation_carry_take(&folding->carry, message, error);
    if (!folding->begun && begin(folding, error))
        return error->code;
    if (message->kind == EVENT_start) {
        uint64_t epoch = message->record->start.epoch;
        fold->starts++;
        if (fold->first_start == INT64_MIN)
            fold->first_start = message->ts_local;
        fold->last_start = message->ts_local;
        fold->epoch = epoch > fold->epoch ? epoch : fold->epoch;
    }
    engine_fold(folding->run->engine, message);
    fold->folded++;
    return 0;
}

/* One block, or its first messages. */
static int fold_block(struct tape_reader *reader, size_t index, uint64_t most,
                      struct tape_block *block, struct folding *folding, struct error *error)
{
    struct fold *fold = folding->fold;
    const struct tape_block_info *info = tape_reader_block_info(reader, index);
    uint64_t count = info->message_count < most ? info->message_count : most;
    if (count == info->message_count && info->record_count == 0) {
        fold->messages += count;
        fold->last_ts = info->last_ts;
        return 0;
    }
    int code = tape_reader_read(reader, index, block, error);
    if (code)
        return code;
    for (uint64_t i = 0; i < count && !code; i++)
        code = fold_message(folding, &block->messages[i], error);
    if (code)
        return code;
    fold->messages += count;
    if (count > 0)
        fold->last_ts = block->messages[count - 1].ts_local;
    return 0;
}

static int fold_blocks(struct folding *folding, uint64_t messages, struct error *error)
{
    struct fold *fold = folding->fold;
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    *fold = (struct fold){.first_start = INT64_MIN, .last_start = INT64_MIN, .last_ts = INT64_MIN};
    int code = tape_reader_open(&reader, folding->path, error);
    if (!code)
        code = tape_block_init(&block, reader, error);
    size_t count = code ? 0 : tape_reader_block_count(reader);
    for (size_t i = 0; i < count && !code && fold->messages < messages; i++)
        code = fold_block(reader, i, messages - fold->messages, &block, folding, error);
    if (block.memory)
        tape_block_free(&block);
    tape_reader_close(&reader);
    return code;
}

int fold_tape(const char *path, uint64_t messages, struct run_engine *run, struct fold *fold,
              struct error *error)
{
    struct folding folding = {.path = path, .run = run, .fold = fold};
    int code = fold_blocks(&folding, messages, error);
    if (!code && !folding.begun)
        code = begin(&folding, error);
    if (code == ERROR_INPUT)
        error_prefix(error, "%s", path);
    rotation_carry_close(&folding.carry);
    return code;
}

/* A start, or what one left to the next tape, which may have none yet. */
static bool has_session(const struct tape_block *block)
{
    for (uint32_t m = 0; m < block->message_count; m++)
        if (block->messages[m].kind == EVENT_start || block->messages[m].kind == EVENT_carry)
            return true;
    return false;
}

int fold_refuse_session(const char *path, struct error *error)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    bool found = false;
    int code = tape_reader_open(&reader, path, error);
    if (!code)
        code = tape_block_init(&block, reader, error);
    size_t count = code ? 0 : tape_reader_block_count(reader);
    for (size_t i = 0; i < count && !code && !found; i++) {
        if (tape_reader_block_info(reader, i)->record_count == 0)
            continue;
        code = tape_reader_read(reader, i, &block, error);
        found = !code && has_session(&block);
    }
    if (block.memory)
        tape_block_free(&block);
    tape_reader_close(&reader);
    if (code || !found)
        return code;
    return error_set(error, ERROR_INPUT,
                     "%s: is a session's tape, which a recording would spoil; begin a new tape",
                     path);
}

/* --- a carry of another build --------------------------------------------------------------------------- */

/* A tape before, and how many messages it had when the next began. */
struct before {
    char *path;
    uint64_t messages;
};

/* Those to be folded, the newest first. */
struct chain {
    struct before *tapes;
    size_t count, capacity;
};

static void close_chain(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        free(chain->tapes[i].path);
    free(chain->tapes);
}

/* The file that a tape names, in the folder of the one at `path`. */
static int path_before(const char *path, const struct event_text *name, char **out,
                       struct error *error)
{
    int folder = (int)(rotation_file(path) - path);
    if (name->length == 0 || memchr(name->bytes, '/', name->length) ||
        memchr(name->bytes, '\0', name->length))
        return error_set(error, ERROR_INPUT, "%s: the name of its predecessor is none of a file",
                         path);
    size_t size = (size_t)folder + name->length + 1;
    *out = malloc(size);
    if (!*out)
        return error_set(error, ERROR_SYSTEM, "no memory for a chain of tapes");
    snprintf(*out, size, "%.*s%.*s", folder, path, name->length, name->bytes);
    return 0;
}

static int add_before(struct chain *chain, const char *path,
                      const struct event_predecessor *predecessor, struct error *error)
{
    if (chain->count == chain->capacity) {
        size_t capacity = 2 * chain->capacity + 16;
        struct before *tapes = realloc(chain->tapes, capacity * sizeof *tapes);
        if (!tapes)
            return error_set(error, ERROR_SYSTEM, "no memory for a chain of tapes");
        chain->tapes = tapes;
        chain->capacity = capacity;
    }
    struct before *tape = &chain->tapes[chain->count];
    int code = path_before(path, &predecessor->name, &tape->path, error);
    tape->messages = predecessor->messages;
    chain->count += !code;
    return code;
}

static int expect_messages(const struct before *tape, const struct fold *fold, struct error *error)
{
    if (fold->messages == tape->messages)
        return 0;
    return error_set(error, ERROR_INPUT, "%s: has %" PRIu64 " messages, expected %" PRIu64,
                     tape->path, fold->messages, tape->messages);
}

/* A tape before that is under other settings: folded under its own, and inherited. */
static int inherit_before(const struct before *tape, const struct tape_header *header,
                          struct run_engine *run, const struct event_names *names,
                          struct error *error)
{
    struct run_engine own = {.memory = NULL};
    struct fold fold;
    int code = run_engine_open_told(&own, tape->path, header, error);
    if (!code)
        code = fold_tape(tape->path, tape->messages, &own, &fold, error);
    if (!code)
        code = expect_messages(tape, &fold, error);
    if (!code)
        code = settings_inherit(&own, &header->names, run, names, error);
    run_engine_close(&own);
    return code;
}

/* Where the tape is under other settings than the one that follows it, what it left is inherited. */
static int try_inherit(struct chain *chain, const char *newest, struct run_engine *run,
                       bool *inherited, struct error *error)
{
    const struct before *tape = &chain->tapes[chain->count - 1];
    struct tape_reader *before = NULL, *after = NULL;
    int code = tape_reader_open(&before, tape->path, error);
    if (!code)
        code = tape_reader_open(&after, newest, error);
    if (!code)
        code = settings_differ(tape->path, tape_reader_header(before), tape_reader_header(after),
                               inherited, error);
    if (!code && *inherited)
        code = inherit_before(tape, tape_reader_header(before), run,
                              &tape_reader_header(after)->names, error);
    tape_reader_close(&before);
    tape_reader_close(&after);
    return code;
}

/* Go back to a tape whose carry can be read, which is then in the engine, or to one that has none. */
static int go_back(struct chain *chain, const struct rotation_carry *carry, const char *newest,
                   struct run_engine *run, struct error *error)
{
    struct event_predecessor predecessor = carry->predecessor;
    const char *path = newest;
    for (bool found = false; !found;) {
        struct rotation_carry own = {.whole = false};
        struct error unread;
        int code = add_before(chain, path, &predecessor, error);
        if (!code) {
            path = chain->tapes[chain->count - 1].path;
            code = rotation_carry_read(&own, path, error);
        }
        if (!code && own.predecessor.number >= predecessor.number)
            code = error_set(error, ERROR_INPUT, "%s: is not before the tape that names it", path);
        if (!code)
            code = try_inherit(chain, newest, run, &found, error);
        if (!code && found) {
            free(chain->tapes[--chain->count].path);
        } else if (!code) {
            found = !rotation_carry_load(&own, run->engine, &unread);
            if (!found)
                run_engine_renew(run);
        }
        predecessor = own.predecessor;
        rotation_carry_close(&own);
        if (code)
            return code;
    }
    return 0;
}

static int fold_before(const struct before *tape, struct run_engine *run, struct error *error)
{
    struct fold fold;
    struct folding folding = {.path = tape->path, .run = run, .fold = &fold, .begun = true};
    int code = fold_blocks(&folding, UINT64_MAX, error);
    return code ? code : expect_messages(tape, &fold, error);
}

int fold_begin(const struct rotation_carry *carry, const char *path, struct run_engine *run,
               struct error *error)
{
    struct chain chain = {.count = 0};
    struct error unread = {0}, other = {0};
    int code = rotation_carry_load(carry, run->engine, &unread);
    if (!code)
        return 0;
    run_engine_renew(run);
    code = go_back(&chain, carry, path, run, &other);
    for (size_t i = chain.count; i > 0 && !code; i--)
        code = fold_before(&chain.tapes[i - 1], run, &other);
    close_chain(&chain);
    return code ? error_set(error, other.code, "%s; nor can the tapes before it be folded: %s",
                            unread.text, other.text)
                : 0;
}
