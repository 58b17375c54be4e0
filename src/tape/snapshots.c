/* Counts the snapshots of each instrument's book, block by block. */
#include "tape/snapshots.h"

#include <string.h>

#include "base/assert.h"

void tape_snapshots_init(struct tape_snapshots *snapshots, unsigned instrument_count)
{
    ASSERT(instrument_count <= EVENT_INSTRUMENTS_MAX);
    memset(snapshots, 0, sizeof *snapshots);
    snapshots->instrument_count = instrument_count;
    snapshots->whole_from = 1;
    tape_snapshots_begin_block(snapshots);
}

void tape_snapshots_begin_block(struct tape_snapshots *snapshots)
{
    snapshots->whole_ts = INT64_MIN;
    snapshots->in_block = false;
}

void tape_snapshots_note(struct tape_snapshots *snapshots, uint64_t block,
                         const struct message *message)
{
    snapshots->in_block = true;
    if (message->stream == EVENT_NONE_16)
        return;
    snapshots->last_block[EVENT_STREAM_INSTRUMENT(message->stream)] = block;
    /* All books are whole from the block of the oldest last snapshot. */
    uint64_t least = block;
    for (unsigned i = 0; i < snapshots->instrument_count; i++)
        if (snapshots->last_block[i] != 0 && snapshots->last_block[i] < least)
            least = snapshots->last_block[i];
    if (least > snapshots->whole_from) {
        snapshots->whole_from = least;
        snapshots->whole_ts = message->ts_local;
    }
}
