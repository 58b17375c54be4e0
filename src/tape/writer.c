/* The tape writer: messages to blocks to a file that gets its name when it is complete. */
#include <stdlib.h>

#include "tape/blocks.h"
#include "tape/file.h"

struct tape_writer {
    struct tape_output output;
    struct tape_blocks blocks;
    bool failed; /* a write failed: nothing more can follow */
};

static int write_made(struct tape_writer *writer, struct error *error)
{
    size_t length;
    const uint8_t *bytes = tape_blocks_made(&writer->blocks, &length);
    return tape_output_write(&writer->output, bytes, length, error);
}

/* Write the open block and begin the next. */
static int seal(struct tape_writer *writer, struct error *error)
{
    int failed = tape_blocks_seal(&writer->blocks, error);
    return failed == 0 ? write_made(writer, error) : error_prefix(error, "%s", writer->output.path);
}

static int write_header(struct tape_writer *writer, const struct tape_header *header,
                        struct error *error)
{
    int failed = tape_blocks_make_header(&writer->blocks, header, error);
    return failed == 0 ? write_made(writer, error) : error_prefix(error, "%s", writer->output.path);
}

int tape_writer_open(struct tape_writer **writer, const char *path,
                     const struct tape_header *header, const struct tape_writer_options *options,
                     struct error *error)
{
    unsigned events;
    int level, failed = tape_blocks_options(options, &events, &level, error);
    if (failed != 0)
        return failed;
    struct tape_writer *new = calloc(1, sizeof *new);
    if (new == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    failed = tape_output_open(&new->output, path, error);
    if (failed == 0)
        failed = tape_blocks_open(&new->blocks, path, header, events, level, error);
    if (failed == 0)
        failed = write_header(new, header, error);
    if (failed != 0)
        tape_writer_abandon(&new);
    else
        *writer = new;
    return failed;
}

bool tape_writer_block_is_full(const struct tape_writer *writer)
{
    return tape_blocks_is_full(&writer->blocks);
}

static int fail_again(const struct tape_writer *writer, struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "%s: nothing can follow a write that failed",
                     writer->output.path);
}

int tape_writer_append(struct tape_writer *writer, const struct message *message,
                       struct error *error)
{
    int failed = 0;
    if (writer->failed)
        return fail_again(writer, error);
    if (tape_writer_block_is_full(writer) && message->ts_local >= writer->blocks.last_ts) {
        failed = seal(writer, error);
        writer->failed = failed != 0;
    }
    if (failed != 0)
        return failed;
    failed = tape_blocks_add(&writer->blocks, message, error);
    return failed == 0 ? 0 : error_prefix(error, "%s", writer->output.path);
}

void tape_writer_state_hash(struct tape_writer *writer, uint16_t room, uint64_t hash)
{
    tape_blocks_add_hash(&writer->blocks, room, hash);
}

int tape_writer_finish(struct tape_writer **writer, struct error *error)
{
    struct tape_writer *done = *writer;
    int failed = done->failed ? fail_again(done, error) : 0;
    if (failed == 0 && !tape_blocks_is_empty(&done->blocks))
        failed = seal(done, error);
    if (failed == 0)
        failed = tape_output_write_index(&done->output, error);
    if (failed == 0)
        failed = tape_output_commit(&done->output, error);
    tape_writer_abandon(writer);
    return failed;
}

void tape_writer_abandon(struct tape_writer **writer)
{
    struct tape_writer *dropped = *writer;
    *writer = NULL;
    if (dropped == NULL)
        return;
    tape_output_abandon(&dropped->output);
    tape_blocks_close(&dropped->blocks);
    free(dropped);
}
