/* Writes what the market generator makes to a tape. See synth/synth.h. */
#include "synth/synth.h"

#include "tape/tape.h"

enum { PROGRESS_MESSAGES = 4096 };

void synth_header(const struct synth *synth, const char *tool_version, const char *build_id,
                  struct tape_header *header)
{
    *header = (struct tape_header){
        .version = TAPE_VERSION,
        .origin = TAPE_MADE,
        .grade = TAPE_GRADE_A,
        .tool_version = tool_version,
        .build_id = build_id,
        .grade_reasons = "",
        .config = "",
        .seed = synth_seed(synth),
        .feed_floor_ns = SYNTH_FEED_FLOOR_NS,
        .names = *synth_names(synth),
    };
}

int synth_write(struct synth *synth, uint64_t events, struct tape_writer **writer,
                void (*progress)(void *context, uint64_t events), void *context,
                struct synth_result *result, struct error *error)
{
    *result = (struct synth_result){0};
    while (result->events < events) {
        const struct message *message = synth_next(synth);
        int status = tape_writer_append(*writer, message, error);
        if (status != ERROR_NONE) {
            tape_writer_abandon(writer);
            return status;
        }
        if (result->messages++ == 0)
            result->first_ts = message->ts_local;
        result->last_ts = message->ts_local;
        result->events += message->rows ? message->row_count : 1;
        if (progress && result->messages % PROGRESS_MESSAGES == 0)
            progress(context, result->events);
    }
    return tape_writer_finish(writer, error);
}
