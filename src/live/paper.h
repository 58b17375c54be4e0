/* The venue of a paper session: the simulated one, fed with the live market. It lags behind by sim.reorder, so
 * that every stream has passed the time at which an order arrives; its answers are messages of the session and
 * stand on its tape (trading-semantics 1). */
#ifndef CAPSTAN_LIVE_PAPER_H
#define CAPSTAN_LIVE_PAPER_H

#include "config/config.h"
#include "feed/live_feed.h"
#include "loop.h"

struct paper;

/* `now`: the session begins. All but `names` is read while opening only. */
int paper_open(struct paper **paper, const struct config_resolved *settings,
               const struct event_names *names, int64_t now, struct error *error);
void paper_close(struct paper **paper);
/* Where the loop sends decisions. */
struct venue *paper_venue(struct paper *paper);
/* Answers for the sequencer. */
const struct live_feed_local *paper_answers(struct paper *paper);
/* A sink of the loop: the market as the engine was told of it. */
struct sink *paper_sink(struct paper *paper);

#endif
