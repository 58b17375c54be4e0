/* Walks over a tape's blocks that have records. */
#include "run/fold.h"

#include "run/rotation.h"

/* A fold under way. */
struct folding {
    struct engine *engine;
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
    folding->fold->starts = 1;
    folding->fold->epoch = folding->carry.predecessor.epoch;
    return rotation_carry_load(&folding->carry, folding->engine, error);
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
    engine_fold(folding->engine, message);
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

int fold_tape(const char *path, uint64_t messages, struct engine *engine, struct fold *fold,
              struct error *error)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    struct folding folding = {.engine = engine, .fold = fold};
    *fold = (struct fold){.first_start = INT64_MIN, .last_start = INT64_MIN, .last_ts = INT64_MIN};
    int code = tape_reader_open(&reader, path, error);
    if (!code)
        code = tape_block_init(&block, reader, error);
    size_t count = code ? 0 : tape_reader_block_count(reader);
    for (size_t i = 0; i < count && !code && fold->messages < messages; i++)
        code = fold_block(reader, i, messages - fold->messages, &block, &folding, error);
    if (!code && !folding.begun)
        code = begin(&folding, error);
    if (code == ERROR_INPUT)
        error_prefix(error, "%s", path);
    rotation_carry_close(&folding.carry);
    if (block.memory)
        tape_block_free(&block);
    tape_reader_close(&reader);
    return code;
}
