/* Writes a run to a tape: every message, every decision after the message that caused it, and with
 * each block the state hashes of the engine's rooms. */
#ifndef CAPSTAN_RUN_TAPE_SINK_H
#define CAPSTAN_RUN_TAPE_SINK_H

#include "loop.h"
#include "tape/tape.h"

struct tape_sink;

/* The state hashes that stand with a block are those of `engine` after the last message of that block
 * which is no decision. Arguments as those of tape_writer_open; the engine must outlive the sink. */
int tape_sink_open(struct tape_sink **tape_sink, const char *path, const struct tape_header *header,
                   const struct tape_writer_options *options, const struct engine *engine,
                   struct error *error);
struct sink *tape_sink_sink(struct tape_sink *tape_sink);
/* Seal the tape and give the file its name. Frees the sink, also on failure. */
int tape_sink_finish(struct tape_sink **tape_sink, struct error *error);
/* Drop everything written. NULL is allowed. */
void tape_sink_abandon(struct tape_sink **tape_sink);

#endif
