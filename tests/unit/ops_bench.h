/* An engine by hand (engine_harness.h) with the ops server's sink beside it, on a clock that stands still. */
#ifndef CAPSTAN_TESTS_OPS_BENCH_H
#define CAPSTAN_TESTS_OPS_BENCH_H

#include "engine_harness.h"
#include "ops/answers.h"
#include "ops/metrics.h"

struct ops_bench {
    struct harness h;
    struct event_names names;
    struct clock clock; /* tells `now` */
    int64_t now;
    struct ops_session session;
    struct ops_collect *collect; /* NULL until ops_bench_start */
    struct sink *sink;
    struct ops_view view;
    struct ops_requests requests;
    const struct log *log; /* for metrics */
    struct ops_series series;
    struct json text;
};

/* Settings may be changed before the start. Instruments alpha:BTC-USD (linear) and so on; venues alpha, beta. */
void ops_bench_init(struct ops_bench *bench);
/* The engine, its collect, the start and a reconciled account. */
void ops_bench_start(struct ops_bench *bench);
void ops_bench_close(struct ops_bench *bench);
/* Ticks at each deadline until `now`; the clock stands there too. */
void ops_bench_run_to(struct ops_bench *bench, int64_t now);
/* The text of /metrics, and of /api/dashboard; until the next call. */
const char *ops_bench_metrics(struct ops_bench *bench);
const char *ops_bench_dashboard(struct ops_bench *bench);
/* A view at the clock's time. */
const struct ops_view *ops_bench_view(struct ops_bench *bench);

#endif
