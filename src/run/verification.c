/* One engine, one loop over the tape's inputs, and the comparison as its only sink. */
#include "run/verification.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "feed/feed.h"
#include "loop.h"
#include "run/fold.h"
#include "run/run_engine.h"
#include "tape/tape.h"
#include "venue/recorded.h"

/* An engine wrote this: a decision, or what it left at the beginning of the next tape. */
static bool is_of_engine(const struct message *message)
{
    return message->kind >= EVENT_place || message->kind == EVENT_carry;
}

static bool block_has_decision(const struct tape_block *block)
{
    for (uint32_t i = 0; i < block->message_count; i++)
        if (is_of_engine(&block->messages[i]))
            return true;
    return false;
}

/* An engine wrote this tape, if there is any decision on it, or a carry: it may have died before the first. */
static int check_decisions(struct tape_reader *reader, const char *path, struct error *error)
{
    struct tape_block block;
    bool has = false;
    int code = tape_block_init(&block, reader, error);
    if (code)
        return code;
    for (size_t i = 0; !code && !has && i < tape_reader_block_count(reader); i++) {
        if (tape_reader_block_info(reader, i)->record_count == 0)
            continue;
        code = tape_reader_read(reader, i, &block, error);
        has = !code && block_has_decision(&block);
    }
    tape_block_free(&block);
    if (!code && !has)
        code = error_set(error, ERROR_INPUT,
                         "%s: no decisions on this tape, so there is nothing to verify; replay it "
                         "with --tape to make a session",
                         path);
    return code;
}

static int open_feed(struct verification *verification, struct error *error)
{
    const struct settings_global *global = &verification->engine.resolved.global;
    const struct tape_feed_options options = {.classes = FEED_MARKET | FEED_SESSION,
                                              .from = INT64_MIN,
                                              .to = INT64_MAX,
                                              .threads = (unsigned)global->feed_threads};
    return tape_feed_open(&verification->feed, verification->reader, &options, error);
}

/* Before the first start: from what the tapes before it left. */
static int begin(struct restarter *restarter, const struct event_start *start, struct error *error)
{
    struct run_engine *run = &restarter->verification->engine;
    restarter->started = true;
    if (!restarter->carry.follows)
        return 0;
    if (rotation_goes_on(&restarter->carry, start)) /* it was told the market that stands before */
        return rotation_carry_load_warm(&restarter->carry, run->engine, error);
    run_engine_renew(run);
    return fold_begin(&restarter->carry, restarter->path, run, error);
}

/* Before a start that is not the first: the engine begins anew with what the tape before it comes to. */
static int restart(struct sink *sink, const struct message *message, struct error *error)
{
    struct restarter *restarter = (struct restarter *)sink;
    struct run_engine *run = &restarter->verification->engine;
    struct fold fold;
    if (message->kind == EVENT_predecessor || message->kind == EVENT_carry)
        return rotation_carry_take(&restarter->carry, message, error);
    if (message->kind != EVENT_start)
        return 0;
    if (!restarter->started)
        return begin(restarter, &message->record->start, error);
    if (engine_goes_on(run->engine, &message->record->start))
        return 0;
    run_engine_renew(run);
    /* The comparison has passed the start. */
    uint64_t before = comparison_passed(restarter->verification->comparison) - 1;
    return fold_tape(restarter->path, before, run, &fold, error);
}

static void wire(struct verification *verification, const char *path)
{
    verification->restarter = (struct restarter){
        .sink = {.message = restart}, .verification = verification, .path = path};
    verification->venue = recorded_venue();
    verification->loop = (struct loop){
        .engine = verification->engine.engine,
        .feed = verification->feed,
        .venue = &verification->venue,
        .sinks = {comparison_sink(verification->comparison), &verification->restarter.sink},
        .sink_count = 2,
        .makes_time = false,
        .goes_on = true};
}

int verification_open(struct verification *verification, const char *path, struct error *error)
{
    int code = tape_reader_open(&verification->reader, path, error);
    if (!code)
        code = check_decisions(verification->reader, path, error);
    if (!code)
        code = run_engine_open_told(&verification->engine, path,
                                    tape_reader_header(verification->reader), error);
    if (!code)
        code = comparison_open(&verification->comparison, path, verification->engine.engine, error);
    if (!code)
        code = open_feed(verification, error);
    if (!code)
        wire(verification, path);
    return code;
}

void verification_add_first(struct verification *verification, struct sink *sink)
{
    struct loop *loop = &verification->loop;
    ASSERT(loop->sink_count < LOOP_SINKS_MAX);
    memmove(loop->sinks + 1, loop->sinks, loop->sink_count * sizeof loop->sinks[0]);
    loop->sinks[0] = sink;
    loop->sink_count++;
}

void verification_add_last(struct verification *verification, struct sink *sink)
{
    struct loop *loop = &verification->loop;
    ASSERT(loop->sink_count < LOOP_SINKS_MAX);
    loop->sinks[loop->sink_count++] = sink;
}

static int told_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct sink *to = ((struct told *)sink)->to;
    return to->message ? to->message(to, message, error) : 0;
}

static int told_step(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct sink *to = ((struct told *)sink)->to;
    return to->stepped ? to->stepped(to, engine, error) : 0;
}

static int told_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct told *told = (struct told *)sink;
    if (comparison_is_cut(told->comparison))
        return 0;
    return told->to->decision(told->to, decision, error);
}

/* Behind the comparison, which finds out first. */
void verification_add_told(struct verification *verification, struct sink *sink)
{
    struct loop *loop = &verification->loop;
    ASSERT(loop->sink_count < LOOP_SINKS_MAX && verification->told.to == NULL);
    verification->told = (struct told){.sink = {.market = sink->market,
                                                .message = told_message,
                                                .stepped = told_step,
                                                .decision = told_decision},
                                       .to = sink,
                                       .comparison = verification->comparison};
    loop->sinks[loop->sink_count++] = &verification->told.sink;
}

int verification_execute(struct verification *verification, struct verification_result *result,
                         struct error *error)
{
    int code = loop_run(&verification->loop, error);
    if (!code)
        code = comparison_finish(verification->comparison, error);
    result->decisions = comparison_decisions(verification->comparison);
    result->state_hashes = comparison_state_hashes(verification->comparison);
    result->sessions = comparison_sessions(verification->comparison);
    result->cut_sessions = comparison_cut_sessions(verification->comparison);
    result->difference = *comparison_difference(verification->comparison);
    return code;
}

void verification_close(struct verification *verification)
{
    comparison_close(&verification->comparison);
    rotation_carry_close(&verification->restarter.carry);
    if (verification->feed)
        verification->feed->close(verification->feed);
    run_engine_close(&verification->engine);
    tape_reader_close(&verification->reader);
    memset(verification, 0, sizeof *verification);
}

int verification_run(const char *path, struct verification_result *result, struct error *error)
{
    struct verification verification = {0};
    memset(result, 0, sizeof *result);
    int code = verification_open(&verification, path, error);
    if (!code)
        code = verification_execute(&verification, result, error);
    verification_close(&verification);
    return code;
}
