/* How `capstan replay` shows what a run came to. */
#ifndef CAPSTAN_CMD_REPLAY_RESULT_H
#define CAPSTAN_CMD_REPLAY_RESULT_H

#include <stdio.h>

#include "run/backtest.h"
#include "run/grade.h"

/* Print the result of a run of that grade, which took `wall_ns`, `started_ns` of it from the engine's start on, as a
 * table or as one JSON object, to `stream`. */
int replay_result_print(const struct backtest *backtest, const struct run_grade *grade,
                        int64_t wall_ns, int64_t started_ns, bool json, FILE *stream,
                        struct error *error);

#endif
