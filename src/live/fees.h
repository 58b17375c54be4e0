/* What venues take as fees against what their rates come to (trading-semantics 9): the venue's figure counts, a
 * difference is counted and logged. */
#ifndef CAPSTAN_LIVE_FEES_H
#define CAPSTAN_LIVE_FEES_H

#include "base/log.h"
#include "engine/engine.h"

struct fees;

/* `names` and `log` must outlive it. ERROR_SYSTEM without memory. */
int fees_open(struct fees **fees, const struct event_names *names, const struct log *log,
              struct error *error);
void fees_close(struct fees **fees);
/* Each message, before the engine is given it; and when it was: only then a fill is known to be no repetition. */
void fees_take(struct fees *fees, const struct engine *engine, const struct message *message);
void fees_stepped(struct fees *fees, const struct engine *engine);
/* Fills whose fee was another by more than one unit of commission precision (of 1e-8, where that is finer), or in
 * another asset. */
uint64_t fees_different(const struct fees *fees);
/* Fills at a worse price than their order's limit, as the engine has it. */
uint64_t fees_beyond(const struct fees *fees);
/* What a fill's fee should be by the rates of its instrument, against us, and in which asset. False for inverse
 * contracts, and where it does not fit. */
bool fees_expected(const struct event_definition *definition, const struct event_order_filled *fill,
                   money *fee, uint16_t *asset);

#endif
