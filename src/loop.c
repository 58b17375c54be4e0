/* The loop: the next of (start, message, answer, timer) in the one total order goes to the sinks,
 * to the engine, and its decisions to the sinks and the venue. */
#include "loop.h"

#include "base/assert.h"
#include "base/time.h"

enum { MESSAGES_BETWEEN_CHECKS = 4096 };

static bool is_market(const struct message *message)
{
    return message->kind < EVENT_start;
}

static void list_add(struct sink_list *list, struct sink *sink)
{
    list->sinks[list->count++] = sink;
}

static void list_sinks(struct loop *loop)
{
    ASSERT(loop->sink_count <= LOOP_SINKS_MAX);
    loop->market_message.count = loop->session_message.count = 0;
    loop->market_stepped.count = loop->session_stepped.count = 0;
    loop->decided.count = 0;
    for (size_t s = 0; s < loop->sink_count; s++) {
        struct sink *sink = loop->sinks[s];
        if (sink->message && sink->market)
            list_add(&loop->market_message, sink);
        if (sink->message)
            list_add(&loop->session_message, sink);
        if (sink->stepped && sink->market)
            list_add(&loop->market_stepped, sink);
        if (sink->stepped)
            list_add(&loop->session_stepped, sink);
        if (sink->decision)
            list_add(&loop->decided, sink);
    }
}

/* To all sinks and, unless NULL, to the venue. */
static int send_decisions(struct loop *loop, struct actions actions, struct venue *venue,
                          struct error *error)
{
    for (size_t i = 0; i < actions.count; i++) {
        const struct message *decision = &actions.messages[i];
        for (size_t s = 0; s < loop->decided.count; s++) {
            struct sink *sink = loop->decided.sinks[s];
            if (sink->decision(sink, decision, error))
                return error->code;
        }
        if (venue && venue->submit(venue, decision, error))
            return error->code;
    }
    return 0;
}

/* What came before the first start only built books, or told of the tape before. */
static void count_session(struct loop *loop, const struct message *message)
{
    if (message->kind == EVENT_start && !loop->started) {
        loop->started = true;
        loop->messages_before_start = loop->messages;
        loop->events_before_start = loop->events;
    }
    loop->messages++;
}

static void count_market(struct loop *loop, const struct message *message)
{
    loop->messages++;
    loop->market_messages++;
    loop->events += message->rows ? message->row_count : 1;
}

/* To the sinks, before the engine is given it. */
static int tell_message(const struct sink_list *sinks, const struct message *message,
                        struct error *error)
{
    for (size_t s = 0; s < sinks->count; s++)
        if (sinks->sinks[s]->message(sinks->sinks[s], message, error))
            return error->code;
    return 0;
}

/* What follows a step that was more than market data without consequence. */
static int conclude(struct loop *loop, const struct sink_list *stepped, struct actions actions,
                    struct error *error)
{
    loop->done = !loop->goes_on && engine_is_done(loop->engine);
    for (size_t s = 0; s < stepped->count; s++)
        if (stepped->sinks[s]->stepped(stepped->sinks[s], loop->engine, error))
            return error->code;
    return send_decisions(loop, actions, loop->venue, error);
}

/* Journal one message, step the engine, send what it decides. */
static int give(struct loop *loop, const struct message *message, struct error *error)
{
    const bool market = is_market(message);
    const struct sink_list *told = market ? &loop->market_message : &loop->session_message;
    const struct sink_list *stepped = market ? &loop->market_stepped : &loop->session_stepped;
    ASSERT(message->ts_local >= loop->now);
    loop->now = message->ts_local;
    if (told->count && tell_message(told, message, error))
        return error->code;
    struct actions actions = engine_step(loop->engine, message);
    if (market)
        count_market(loop, message);
    else
        count_session(loop, message);
    if (market && !actions.count && !stepped->count)
        return 0;
    return conclude(loop, stepped, actions, error);
}

/* Answers due by `now`, in the venue's order. */
static int give_answers(struct loop *loop, int64_t now, struct error *error)
{
    const struct message *answer;
    while ((answer = loop->venue->answer(loop->venue, now)))
        if (give(loop, answer, error))
            return error->code;
    return 0;
}

/* The engine starts, and the venue's account snapshot follows: before anything else happens, or again in
 * the middle, when the session before it has died. */
static int give_start(struct loop *loop, int64_t now, uint64_t epoch, struct error *error)
{
    union event_record record = {.start = loop->start_record};
    record.start.epoch = epoch;
    const struct message start = {
        .ts_local = now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    struct venue *venue = loop->venue;
    if (venue->advance(venue, now, error) || give(loop, &start, error) ||
        venue->start(venue, now, error))
        return error->code;
    return give_answers(loop, now, error);
}

static int give_tick(struct loop *loop, int64_t deadline, struct error *error)
{
    union event_record record = {.tick = {.deadline = deadline}};
    const struct message tick = {
        .ts_local = deadline, .stream = EVENT_NONE_16, .kind = EVENT_tick, .record = &record};
    int code = give(loop, &tick, error);
    ASSERT(code || engine_deadline(loop->engine) > deadline);
    return code;
}

/* The venue has nothing to do and nothing to say until `until`. */
static inline bool is_quiet(const struct venue *venue, int64_t until)
{
    return venue->tells_quiet && until < venue->quiet_until;
}

/* The earliest time at which the engine wants a tick of the loop's. */
static inline int64_t next_tick(const struct loop *loop)
{
    return loop->makes_time ? engine_deadline(loop->engine) : TIME_NEVER;
}

/* What comes between the last message given and the next one at `market_ts`: answers due before it,
 * and ticks at deadlines before it, each at its own time. At one time the order is that of
 * LOOP_RANKS: a message before the answers of its time, and these before a tick. */
static int give_before(struct loop *loop, int64_t market_ts, struct error *error)
{
    struct venue *venue = loop->venue;
    while (!loop->done) {
        int64_t deadline = next_tick(loop);
        bool tick_first = deadline < market_ts;
        int64_t until = tick_first ? deadline : market_ts;
        const struct message *answer = NULL;
        if (!is_quiet(venue, until)) {
            if (venue->advance(venue, until, error))
                return error->code;
            answer = venue->answer(venue, tick_first ? deadline : market_ts - 1);
        }
        int code = 0;
        if (answer)
            code = give(loop, answer, error);
        else if (tick_first)
            code = give_tick(loop, deadline, error);
        else
            return 0;
        if (code)
            return code;
    }
    return 0;
}

static int check_tables(const struct loop *loop, struct error *error)
{
    uint64_t needed = 0;
    const char *setting = engine_full_setting(loop->engine, &needed);
    if (!setting)
        return 0;
    return error_set(error, ERROR_INPUT, "%s is too small for this tape: it needs at least %llu",
                     setting, (unsigned long long)needed);
}

static int check_now_and_then(const struct loop *loop, struct error *error)
{
    if (loop->progress)
        loop->progress(loop->progress_context, loop->now, loop->messages);
    return check_tables(loop, error);
}

/* What stands before a market message at `market_ts` while the engine has not started: nothing but
 * the start itself, once its time has come. */
static int start_before(struct loop *loop, int64_t market_ts, bool *started, struct error *error)
{
    if (market_ts < loop->start)
        return loop->venue->advance(loop->venue, market_ts, error);
    *started = true;
    if (give_start(loop, loop->messages == 0 ? market_ts : loop->start, loop->start_record.epoch,
                   error))
        return error->code;
    return give_before(loop, market_ts, error);
}

static int give_from_feed(struct loop *loop, const struct message *message, struct error *error)
{
    if (message->kind == EVENT_start && loop->makes_time)
        return give_start(loop, message->ts_local, message->record->start.epoch, error);
    return give(loop, message, error);
}

/* Nothing comes before the message at `market_ts`. */
static inline bool is_next(const struct loop *loop, int64_t market_ts)
{
    return is_quiet(loop->venue, market_ts) && next_tick(loop) >= market_ts;
}

/* Deadlines are sums of times and settings, so a time must leave room for them. */
static int check_time(int64_t ts_local, struct error *error)
{
    char text[TIME_TEXT_MAX];
    if (ts_local >= 0 && ts_local <= TIME_LATEST)
        return 0;
    time_to_text(ts_local, text);
    return error_set(error, ERROR_INPUT,
                     "a message of %s: expected times from 1970 to 2116 on a tape that is run",
                     text);
}

/* Every message of the feed, with all that comes between them. */
static int give_messages(struct loop *loop, struct error *error)
{
    bool started = !loop->makes_time;
    uint64_t next_check = MESSAGES_BETWEEN_CHECKS;
    const struct message *message;
    while (!loop->done && (message = loop->feed->next(loop->feed, error))) {
        const int64_t now = message->ts_local;
        int code = check_time(now, error);
        if (!code && !started)
            code = start_before(loop, now, &started, error);
        else if (!code && !is_next(loop, now))
            code = give_before(loop, now, error);
        if (code)
            return code;
        if (loop->done)
            break;
        if (give_from_feed(loop, message, error))
            return error->code;
        if (loop->messages >= next_check) {
            next_check = loop->messages + MESSAGES_BETWEEN_CHECKS;
            if (check_now_and_then(loop, error))
                return error->code;
        }
    }
    if (error->code == ERROR_NONE && !started)
        return error_set(error, ERROR_INPUT, "no market data at or after the start of the run");
    return error->code;
}

/* Answers due by the time of the last message still come; no timer does. */
static int give_last_answers(struct loop *loop, struct error *error)
{
    struct venue *venue = loop->venue;
    const struct message *answer = NULL;
    do {
        if (loop->done || !loop->makes_time)
            break;
        if (venue->advance(venue, loop->now, error))
            return error->code;
        answer = venue->answer(venue, loop->now);
        if (answer && give(loop, answer, error))
            return error->code;
    } while (answer);
    return venue->finish(venue, error);
}

int loop_run(struct loop *loop, struct error *error)
{
    list_sinks(loop);
    error->code = ERROR_NONE;
    loop->now = INT64_MIN;
    if (give_messages(loop, error) || give_last_answers(loop, error) || check_tables(loop, error))
        return error->code;
    for (size_t s = 0; s < loop->sink_count; s++) {
        struct sink *sink = loop->sinks[s];
        if (sink->finishing && sink->finishing(sink, loop->engine, error))
            return error->code;
    }
    return send_decisions(loop, engine_finish(loop->engine), NULL, error);
}
