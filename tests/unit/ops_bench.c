/* See ops_bench.h. */
#include "ops_bench.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

static int64_t told_now(const struct clock *clock)
{
    return ((const struct ops_bench *)((const char *)clock - offsetof(struct ops_bench, clock)))
        ->now;
}

static void before(void *context, const struct message *message)
{
    struct ops_bench *bench = context;
    struct error error = {0};
    if (bench->sink)
        cr_assert_eq(bench->sink->message(bench->sink, message, &error), 0);
}

static void after(void *context)
{
    struct ops_bench *bench = context;
    struct error error = {0};
    if (!bench->sink)
        return;
    cr_assert_eq(bench->sink->stepped(bench->sink, bench->h.engine, &error), 0);
    for (size_t i = 0; i < bench->h.count; i++)
        cr_assert_eq(bench->sink->decision(bench->sink, &bench->h.decisions[i], &error), 0);
}

void ops_bench_init(struct ops_bench *bench)
{
    static const char *const venues[] = {"alpha", "beta"};
    static const char *const assets[HARNESS_ASSETS] = {"BTC", "USD", "ETH", "EUR"};
    static const char *const symbols[HARNESS_INSTRUMENTS] = {"BTC-USD", "ETH-USD", "THREE", "FOUR"};
    memset(bench, 0, sizeof *bench);
    harness_init(&bench->h);
    bench->clock.now = told_now;
    bench->names = (struct event_names){.venue_count = 2,
                                        .asset_count = HARNESS_ASSETS,
                                        .instrument_count = bench->h.instrument_count,
                                        .venues = venues,
                                        .assets = assets,
                                        .symbols = symbols,
                                        .definitions = bench->h.definitions};
    bench->session = (struct ops_session){.mode = "replay",
                                          .tape = "made.tape",
                                          .names = &bench->names,
                                          .orders_capacity = 256,
                                          .clock = &bench->clock};
    ops_requests_init(&bench->requests);
}

void ops_bench_start(struct ops_bench *bench)
{
    struct error error = {0};
    harness_make(&bench->h);
    bench->names.instrument_count = bench->h.instrument_count;
    bench->session.engine = bench->h.engine;
    cr_assert_eq(ops_collect_open(&bench->collect, &bench->session, &error), 0, "%s", error.text);
    bench->sink = &bench->collect->sink;
    bench->h.before = before;
    bench->h.after = after;
    bench->h.context = bench;
    harness_begin(&bench->h);
}

void ops_bench_close(struct ops_bench *bench)
{
    ops_collect_close(&bench->collect);
    ops_view_free(&bench->view);
    json_free(&bench->text);
    harness_close(&bench->h);
}

void ops_bench_run_to(struct ops_bench *bench, int64_t now)
{
    harness_run_to(&bench->h, now);
    bench->now = now;
}

const struct ops_view *ops_bench_view(struct ops_bench *bench)
{
    cr_assert(ops_view_take(&bench->view, bench->collect));
    return &bench->view;
}

const char *ops_bench_metrics(struct ops_bench *bench)
{
    ops_metrics_write(&bench->text, ops_bench_view(bench), &bench->requests, bench->log);
    return bench->text.bytes;
}

const char *ops_bench_dashboard(struct ops_bench *bench)
{
    ops_answer_dashboard(&bench->text, ops_bench_view(bench), &bench->series, INT64_MIN, 0);
    return bench->text.bytes;
}
