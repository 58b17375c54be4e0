/* The sink that writes a tape. */
#include "run/tape_sink.h"

#include <stdlib.h>

#include "run/state_hashes.h"

struct tape_sink {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct tape_writer *writer;
    const struct engine *engine;
    bool hashed; /* the open block has its state hashes */
    struct state_hashes hashes;
};

static void give_hashes(struct tape_sink *tape_sink)
{
    if (tape_sink->hashed)
        return;
    tape_sink->hashed = true;
    size_t count;
    const struct tape_state_hash *hashes =
        state_hashes_take(&tape_sink->hashes, tape_sink->engine, &count);
    for (size_t i = 0; i < count; i++)
        tape_writer_state_hash(tape_sink->writer, hashes[i].room, hashes[i].hash);
}

static int append(struct tape_sink *tape_sink, const struct message *message, struct error *error)
{
    if (tape_writer_block_is_full(tape_sink->writer))
        tape_sink->hashed = false;
    return tape_writer_append(tape_sink->writer, message, error);
}

static int append_message(struct sink *sink, const struct message *message, struct error *error)
{
    return append((struct tape_sink *)sink, message, error);
}

static int append_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct tape_sink *tape_sink = (struct tape_sink *)sink;
    int code = append(tape_sink, decision, error);
    if (!code && tape_writer_block_is_full(tape_sink->writer))
        give_hashes(tape_sink);
    return code;
}

static int hash_full_block(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    struct tape_sink *tape_sink = (struct tape_sink *)sink;
    if (tape_writer_block_is_full(tape_sink->writer))
        give_hashes(tape_sink);
    return 0;
}

/* The last block is sealed before it is full; the final decisions change no state. */
static int hash_last_block(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    give_hashes((struct tape_sink *)sink);
    return 0;
}

int tape_sink_open(struct tape_sink **out, const char *path, const struct tape_header *header,
                   const struct tape_writer_options *options, const struct engine *engine,
                   struct error *error)
{
    struct tape_sink *tape_sink = calloc(1, sizeof *tape_sink);
    if (!tape_sink)
        return error_set(error, ERROR_SYSTEM, "no memory to write a tape");
    tape_sink->sink = (struct sink){.market = true,
                                    .message = append_message,
                                    .stepped = hash_full_block,
                                    .decision = append_decision,
                                    .finishing = hash_last_block};
    tape_sink->engine = engine;
    int code = state_hashes_open(&tape_sink->hashes, header->names.instrument_count, error);
    if (!code)
        code = tape_writer_open(&tape_sink->writer, path, header, options, error);
    if (code)
        tape_sink_abandon(&tape_sink);
    else
        *out = tape_sink;
    return code;
}

struct sink *tape_sink_sink(struct tape_sink *tape_sink)
{
    return &tape_sink->sink;
}

int tape_sink_finish(struct tape_sink **out, struct error *error)
{
    struct tape_sink *tape_sink = *out;
    *out = NULL;
    int code = tape_writer_finish(&tape_sink->writer, error);
    state_hashes_close(&tape_sink->hashes);
    free(tape_sink);
    return code;
}

void tape_sink_abandon(struct tape_sink **out)
{
    struct tape_sink *tape_sink = *out;
    if (!tape_sink)
        return;
    *out = NULL;
    tape_writer_abandon(&tape_sink->writer);
    state_hashes_close(&tape_sink->hashes);
    free(tape_sink);
}
