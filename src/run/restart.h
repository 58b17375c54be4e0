/* Tries a restart on two engines: one that lived through a session, and one that folded what stands on its
 * tape. Both are put back to where they were. A third takes the carry of the first as bytes, as where tapes rotate, and a
 * fourth inherits it, as where settings change. */
#ifndef CAPSTAN_RUN_RESTART_H
#define CAPSTAN_RUN_RESTART_H

#include "run/run_engine.h"

/* Zero it before opening. */
struct restart_trial {
    struct run_engine *lived, *folded;
    uint8_t *lived_kept, *folded_kept; /* what their memories held before a start was tried */
    void *loaded, *inheriting;         /* memory of the third and the fourth */
    uint8_t *carry;                    /* bytes of a carry */
    size_t carry_capacity;
    char *text; /* of one engine's whole state */
    size_t text_capacity;
    const char *room, *field; /* the first that was not equal */
};

/* Both engines belong to the caller, are of one configuration, and outlive the trial. Close it even after a
 * failure. */
int restart_trial_open(struct restart_trial *trial, struct run_engine *lived,
                       struct run_engine *folded, struct error *error);
void restart_trial_close(struct restart_trial *trial);
/* Both take a start at `now` of an epoch after `epoch`; every field of their states must be equal, and so it
 * must be where the folded one takes two starts, and where the third and the fourth take one. ERROR_DIFFERENT names the first field
 * that is not. */
int restart_trial_run(struct restart_trial *trial, int64_t now, uint64_t epoch,
                      struct error *error);

#endif
