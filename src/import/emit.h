/* Frames in order to messages of the tape: numbers in the instrument's units, sequence rules and held
 * depth, corrected times, duplicates, and a book that looks for crossed intervals. */
#ifndef CAPSTAN_IMPORT_EMIT_H
#define CAPSTAN_IMPORT_EMIT_H

#include "import/merge.h"

struct emitter;

/* Where messages go: the tape writer, or a test. */
struct emit_sink {
    int (*append)(void *context, const struct message *message, struct error *error);
    void *context;
};

/* `report` has its instruments with their definitions; counts are added to it. Both it and `clock`
 * must outlive the emitter. */
int emitter_open(struct emitter **emitter, struct import_report *report,
                 const struct clock_correction *clock, struct emit_sink sink, struct error *error);
void emitter_close(struct emitter **emitter);
/* Take the next frame of the merge. */
int emitter_frame(struct emitter *emitter, const struct merge_entry *entry, struct error *error);
/* Count what is still held. */
void emitter_finish(struct emitter *emitter);

#endif
