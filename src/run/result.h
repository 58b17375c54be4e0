/* What a run came to: final positions and balances. */
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

/* Takes all memory here, for the instruments, venues and assets of `names`. */
int result_open(struct result **result, const struct event_names *names, struct error *error);
void result_close(struct result **result);
struct sink *result_sink(struct result *result);

/* An instrument's end; NULL before the run has ended. */
const struct event_final_position *result_position(const struct result *result,
                                                   unsigned instrument);
/* All balances, in the order in which the engine told them. */
const struct result_balance *result_balances(const struct result *result, size_t *count);

#endif
