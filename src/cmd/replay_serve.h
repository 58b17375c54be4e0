/* What `capstan replay --serve` adds: a pace, and the dashboard. */
#ifndef CAPSTAN_CMD_REPLAY_SERVE_H
#define CAPSTAN_CMD_REPLAY_SERVE_H

#include "run/backtest.h"

struct replay_serve;

/* Take SIGINT and SIGTERM: before any thread is made. `speed` as given: a number, "max", or "0" for a start that is
 * paused; ERROR_INPUT where it is none of these. Close it after a failure too. */
int replay_serve_open(struct replay_serve **serve, const char *speed, struct error *error);
/* Listen at ops.address and ops.port, tell where on standard error, and add the sinks: its own is the first of the
 * loop's. ERROR_INPUT: what ops_open refuses. */
int replay_serve_attach(struct replay_serve *serve, const char *tape, struct backtest *backtest,
                        struct error *error);
/* The run has ended: show its end until SIGINT, SIGTERM or the page's command. */
void replay_serve_wait(struct replay_serve *serve);
/* NULL is allowed. Before the backtest is closed. */
void replay_serve_close(struct replay_serve **serve);

#endif
