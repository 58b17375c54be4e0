/* Random simulation: a course from a seed past the engine, with every invariant checked after every
 * message; a course that breaks one is shrunk to a scenario that breaks it too. */
#ifndef CAPSTAN_SIMULATE_SIMULATE_H
#define CAPSTAN_SIMULATE_SIMULATE_H

#include <stdio.h>

#include "engine/engine.h"
#include "engine/order_state.h"
#include "venue/fault.h"

enum { SIMULATE_WHAT_MAX = 200 };

/* What is run. */
struct simulate_options {
    uint64_t events;    /* market messages of a seed */
    uint32_t gates_off; /* tests only: bits by enum gate */
};

/* What happened over many seeds; sums. */
struct simulate_counts {
    uint64_t seeds, messages, events, decisions;
    uint64_t placed, cancelled, modified, fills;
    uint64_t checks;
    uint64_t shutdowns, forced; /* ended as asked; of them, by force */
    uint64_t unconfirmed;       /* orders that were named at the end of those */
    uint64_t repeated;          /* seeds that ran twice, and once from their own inputs */
    uint64_t full;              /* ended because orders.capacity was too small */
    uint64_t restarts;          /* of the engine, in the middle of a seed */
    uint64_t rotations;         /* another engine went on where it stood */
    uint64_t adoptions;         /* positions that an operator took over */
    uint64_t faults[FAULT_KIND_COUNT];
    uint64_t gates[GATE_COUNT];
    uint64_t breakers[BREAKER_COUNT]; /* changes away from clear */
    uint64_t order_events[ORDER_STATE_COUNT][ORDER_EVENT_COUNT];
};

/* Which invariant a seed broke. */
struct simulate_failure {
    unsigned invariant; /* of the design; 0: none */
    char what[SIMULATE_WHAT_MAX];
    int64_t ts;        /* of the message after which it was found */
    uint64_t messages; /* given to the engine until then */
    bool by_messages;  /* what the engine was told is enough to show it */
};

/* One worker: its memory serves seed after seed. */
struct simulation;
int simulate_open(struct simulation **simulation, const struct simulate_options *options,
                  struct error *error);
void simulate_close(struct simulation **simulation);

/* Run one seed and add to `counts`. 0 also where an invariant broke: then failure->invariant says which.
 * With `twice` it is run again, and once more from what the engine was told alone. */
int simulate_seed(struct simulation *simulation, uint64_t seed, bool twice,
                  struct simulate_counts *counts, struct simulate_failure *failure,
                  struct error *error);

/* Run a seed that fails, leave out what the failure does not need, and write the rest as a scenario. */
int simulate_shrink(struct simulation *simulation, uint64_t seed, const char *path,
                    const struct simulate_failure *failure, size_t *messages_left,
                    struct error *error);

/* Write the market of a seed as a tape and its settings as YAML, so that `capstan replay` runs it. */
int simulate_write(struct simulation *simulation, uint64_t seed, const char *tape,
                   const char *config, struct error *error);

/* Print what never happened though it can (complete.c), and what did though it is said never to. Returns
 * how many lines that were. */
unsigned simulate_print_missing(const struct simulate_counts *counts);
/* "FILL_LAST". */
const char *simulate_event_name(enum order_event event);

/* Add each figure of `more` to that of `sum`. */
void simulate_counts_add(struct simulate_counts *sum, const struct simulate_counts *more);

#endif
