/* What is wrong with the market data that a run is told: gaps, lost connections, crossed books, times that are missing or
 * impossible, jumps of the clock (tape/faults.h). It makes the run's grade (run/grade.h) and nothing else: no decision
 * and no fingerprint knows of it. */
#ifndef CAPSTAN_RUN_MARKET_FAULTS_H
#define CAPSTAN_RUN_MARKET_FAULTS_H

#include "loop.h"
#include "tape/faults.h"

struct market_faults;

/* `engine`: the one that the loop steps, whose books are looked at; NULL: books of its own. Both must
 * outlive what it is told and asked. */
int market_faults_open(struct market_faults **out, const struct event_names *names,
                       const struct engine *engine, struct error *error);
/* NULL is allowed. */
void market_faults_close(struct market_faults **out);

/* Told of each message before the engine is given it. What stands before the first `start` counts only as far as no start
 * follows: it builds the books. At a start that goes on with the engine's session its books stand as the engine has them. */
struct sink *market_faults_sink(struct market_faults *market);
/* The same without a loop. ERROR_SYSTEM: no memory for a book of its own. */
int market_faults_take(struct market_faults *market, const struct message *message,
                       struct error *error);

/* Reasons of all that was told so far; more may be told after. What the feed left out of the clock's jumps comes on top. */
void market_faults_reasons(struct market_faults *market, uint64_t jumps, int64_t farthest_ns,
                           struct tape_reasons *reasons);

#endif
