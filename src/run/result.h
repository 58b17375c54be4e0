/* What a run came to: final positions and balances, orders by their end, gates that blocked. */
#ifndef CAPSTAN_RUN_RESULT_H
#define CAPSTAN_RUN_RESULT_H

#include "loop.h"

struct result;

/* One balance at the end. */
struct result_balance {
    uint8_t venue;
    uint16_t asset;
    money total;
};

/* What the engine did about one instrument. */
struct result_instrument {
    uint64_t sent, placed;             /* new orders, and those of them that the venue accepted */
    uint64_t gate_blocked[GATE_COUNT]; /* as far as `gate` decisions told when the gate ceased */
};

/* Answers that the engine was given, by what they came to. */
struct result_answers {
    uint64_t answers; /* every session message but the start and ticks */
    uint64_t ticks;
    uint64_t placed; /* orders that the venue was first seen to have (trading-semantics 33) */
    uint64_t rejected, cancelled, expired, not_found, filled; /* ends of orders */
    uint64_t modified, cancels_rejected;
};

/* Takes all memory here, for the instruments, venues and assets of `names`. */
int result_open(struct result **result, const struct event_names *names, struct error *error);
void result_close(struct result **result);
struct sink *result_sink(struct result *result);

/* An instrument's end; NULL before the run has ended. */
const struct event_final_position *result_position(const struct result *result,
                                                   unsigned instrument);
const struct result_instrument *result_instrument(const struct result *result, unsigned instrument);
const struct result_answers *result_answers(const struct result *result);
/* All balances, in the order in which the engine told them. */
const struct result_balance *result_balances(const struct result *result, size_t *count);

#endif
