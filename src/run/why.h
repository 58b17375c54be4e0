/* Why an order was placed and what became of it, told as a person would: a sink that listens for one id. */
#ifndef CAPSTAN_RUN_WHY_H
#define CAPSTAN_RUN_WHY_H

#include <stdio.h>

#include "loop.h"

struct why;

/* "#12", "12", and after a restart "#1.12" or "1-12"; false where it is none of these. */
bool why_order(const char *text, order_id *order);
/* `names` must outlive it. Takes market data too: it has to know what the prices were before. */
int why_open(struct why **why, order_id order, const struct event_names *names,
             struct error *error);
/* Another tape that goes on where the one before it ended comes now; its names are the same. */
void why_go_on(struct why *why, const struct event_names *names);
struct sink *why_sink(struct why *why);
/* After the run. ERROR_INPUT where the run placed no such order; the line names the ids that there are. What was told is text
 * by then: no names are needed any more. */
int why_print(const struct why *why, FILE *stream, struct error *error);
void why_close(struct why **why);

#endif
