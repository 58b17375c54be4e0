/* A second engine beside the one of a run: now and then it is made anew of what a tape that follows another would begin
 * with, and from there on it is told the same and must decide the same. */
#ifndef CAPSTAN_SIMULATE_TWIN_H
#define CAPSTAN_SIMULATE_TWIN_H

#include "run/going_on.h"

/* Zero it before opening. */
struct twin {
    struct run_engine *lived;
    struct run_engine *folded; /* goes on from the carry alone, each other time; NULL: none */
    struct going_on going;
    uint64_t seed;
    struct actions actions; /* of its last step, */
    size_t next;            /* and which of them must come next */
    bool within_frame;      /* the last message is not the end of its frame */
    bool alive;
    uint64_t rotations;
};

/* The engines belong to the caller and outlive it. Close it even after a failure. */
int twin_open(struct twin *twin, struct run_engine *lived, struct run_engine *folded, uint64_t seed,
              struct error *error);
void twin_close(struct twin *twin);
/* Before a message is told: the twin may begin here, and is told it. ERROR_DIFFERENT where it is another engine, or
 * decided something more at the message before. */
int twin_message(struct twin *twin, const struct message *message, struct error *error);
/* A decision of the engine that lives. */
int twin_decision(struct twin *twin, const struct message *decision, struct error *error);
/* The run ends. */
int twin_finish(struct twin *twin, struct error *error);

#endif
