/* What a restart found: what the tape said of the account (balances, positions, orders) against what each venue says,
 * as signed differences, and how much of them the fills explain that were made while nobody looked. Lines for
 * the log; the engine decides by its own rules. */
#ifndef CAPSTAN_LIVE_RECONCILED_H
#define CAPSTAN_LIVE_RECONCILED_H

#include "base/log.h"
#include "engine/engine.h"

struct reconciled;

/* Note what the engine, folded from the tape, knows now. `names` and `log` must outlive it. */
int reconciled_open(struct reconciled **reconciled, struct engine *engine,
                    const struct event_names *names, const struct log *log, struct error *error);
void reconciled_close(struct reconciled **reconciled);
/* Each session message that the engine is given, before it is. Logs at the end of each venue's first account, and once more
 * when the fills of before have had time to be told. */
void reconciled_take(struct reconciled *reconciled, struct engine *engine,
                     const struct message *message);

#endif
