/* The loop's order of start, messages, answers and ticks, with a fake engine and a fake venue that
 * write down what they are told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "event/event.h"
#include "loop.h"

enum { LOG_MAX = 4096, ANSWERS_MAX = 64, MESSAGES_MAX = 64 };

/* --- an engine that logs; `top` makes it place an order, and its timer runs every `interval` ------ */

struct engine {
    char log[LOG_MAX];
    int64_t interval, deadline;
    bool full, done;
    struct message decision;
    union event_record record;
};

static void note(char *log, const char *name, int64_t ts)
{
    size_t length = strlen(log);
    snprintf(log + length, LOG_MAX - length, "%s%s@%lld", length ? " " : "", name, (long long)ts);
}

static const char *kind_name(unsigned kind)
{
    switch (kind) {
    case EVENT_depth:
        return "depth";
    case EVENT_top:
        return "top";
    case EVENT_start:
        return "start";
    case EVENT_tick:
        return "tick";
    case EVENT_balance:
        return "balance";
    case EVENT_shutdown:
        return "shutdown";
    case EVENT_order_accepted:
        return "accepted";
    default:
        return "other";
    }
}

struct actions engine_step(struct engine *engine, const struct message *message)
{
    note(engine->log, kind_name(message->kind), message->ts_local);
    if (engine->interval && (message->kind == EVENT_start || message->ts_local >= engine->deadline))
        engine->deadline = message->ts_local + engine->interval;
    engine->done = message->kind == EVENT_shutdown;
    if (message->kind != EVENT_top)
        return (struct actions){NULL, 0};
    engine->decision = (struct message){
        .ts_local = message->ts_local, .kind = EVENT_place, .record = &engine->record};
    return (struct actions){&engine->decision, 1};
}

int64_t engine_deadline(const struct engine *engine)
{
    return engine->deadline;
}

struct actions engine_finish(struct engine *engine)
{
    note(engine->log, "finish", 0);
    engine->decision = (struct message){.kind = EVENT_final_balance, .record = &engine->record};
    return (struct actions){&engine->decision, 1};
}

bool engine_is_done(const struct engine *engine)
{
    return engine->done;
}

const char *engine_full_setting(const struct engine *engine, uint64_t *needed)
{
    *needed = 128;
    return engine->full ? "orders.capacity" : NULL;
}

/* --- a venue that accepts each order `latency` later ---------------------------------------------- */

struct fake_venue {
    struct venue venue;
    int64_t latency, now;
    struct message answers[ANSWERS_MAX];
    size_t given, made;
    bool finished;
};

static union event_record no_record;

static void fake_answer(struct fake_venue *fake, unsigned kind, int64_t ts)
{
    fake->answers[fake->made++] =
        (struct message){.ts_local = ts, .kind = (uint8_t)kind, .record = &no_record};
}

static int fake_start(struct venue *venue, int64_t now, struct error *error)
{
    (void)error;
    fake_answer((struct fake_venue *)venue, EVENT_balance, now);
    return 0;
}

static int fake_advance(struct venue *venue, int64_t now, struct error *error)
{
    (void)error;
    struct fake_venue *fake = (struct fake_venue *)venue;
    cr_assert_geq(now, fake->now, "the venue's time went back");
    fake->now = now;
    return 0;
}

static const struct message *fake_take(struct venue *venue, int64_t now)
{
    struct fake_venue *fake = (struct fake_venue *)venue;
    if (fake->given == fake->made || fake->answers[fake->given].ts_local > now)
        return NULL;
    return &fake->answers[fake->given++];
}

static int fake_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    (void)error;
    struct fake_venue *fake = (struct fake_venue *)venue;
    fake_answer(fake, EVENT_order_accepted, decision->ts_local + fake->latency);
    return 0;
}

static int fake_finish(struct venue *venue, struct error *error)
{
    (void)error;
    ((struct fake_venue *)venue)->finished = true;
    return 0;
}

/* --- a sink that counts --------------------------------------------------------------------------- */

struct counting_sink {
    struct sink sink;
    unsigned messages, steps, decisions, finishings;
};

static int count_message(struct sink *sink, const struct message *message, struct error *error)
{
    (void)message, (void)error;
    ((struct counting_sink *)sink)->messages++;
    return 0;
}
static int count_step(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    ((struct counting_sink *)sink)->steps++;
    return 0;
}
static int count_decision(struct sink *sink, const struct message *message, struct error *error)
{
    (void)message, (void)error;
    ((struct counting_sink *)sink)->decisions++;
    return 0;
}
static int count_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    ((struct counting_sink *)sink)->finishings++;
    return 0;
}
static struct counting_sink counting_sink(bool market)
{
    return (struct counting_sink){
        .sink = {market, count_message, count_step, count_decision, count_finishing}};
}

/* --- the rig -------------------------------------------------------------------------------------- */

struct rig {
    struct engine engine;
    struct fake_venue venue;
    struct message messages[MESSAGES_MAX];
    size_t message_count;
    struct loop loop;
    struct error error;
};

static void rig_init(struct rig *rig, int64_t interval, int64_t latency)
{
    memset(rig, 0, sizeof *rig);
    rig->engine.interval = interval;
    rig->engine.deadline = TIME_NEVER;
    rig->venue.latency = latency;
    rig->venue.now = INT64_MIN;
    rig->venue.venue = (struct venue){.start = fake_start,
                                      .advance = fake_advance,
                                      .answer = fake_take,
                                      .submit = fake_submit,
                                      .finish = fake_finish};
    rig->loop = (struct loop){
        .engine = &rig->engine, .venue = &rig->venue.venue, .makes_time = true, .start = INT64_MIN};
}

static void rig_add(struct rig *rig, unsigned kind, int64_t ts)
{
    static const struct row rows[2];
    rig->messages[rig->message_count++] =
        (struct message){.ts_local = ts, .kind = (uint8_t)kind, .row_count = 2, .rows = rows};
}

static int rig_run(struct rig *rig)
{
    cr_assert_eq(memory_feed_open(&rig->loop.feed, rig->messages, rig->message_count, &rig->error),
                 0);
    int code = loop_run(&rig->loop, &rig->error);
    rig->loop.feed->close(rig->loop.feed);
    return code;
}

static void expect_log(const struct rig *rig, const char *log)
{
    cr_assert_str_eq(rig->engine.log, log);
}

Test(loop, start_comes_first_then_the_account_then_messages)
{
    struct rig rig;
    rig_init(&rig, 0, 1000);
    rig_add(&rig, EVENT_depth, 100);
    rig_add(&rig, EVENT_depth, 110);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 depth@100 depth@110 finish@0");
    cr_assert(rig.venue.finished);
    cr_assert_eq(rig.loop.messages, 4);
    cr_assert_eq(rig.loop.events, 4);
}

Test(loop, a_later_start_lets_earlier_messages_pass)
{
    struct rig rig;
    rig_init(&rig, 7, 1000);
    rig.loop.start = 105;
    rig_add(&rig, EVENT_depth, 80);
    rig_add(&rig, EVENT_depth, 100);
    rig_add(&rig, EVENT_depth, 110);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "depth@80 depth@100 start@105 balance@105 depth@110 finish@0");
}

Test(loop, a_start_at_a_message_time_comes_before_it)
{
    struct rig rig;
    rig_init(&rig, 0, 1000);
    rig.loop.start = 100;
    rig_add(&rig, EVENT_depth, 80);
    rig_add(&rig, EVENT_depth, 100);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "depth@80 start@100 balance@100 depth@100 finish@0");
}

Test(loop, a_start_after_the_last_message_is_bad_input)
{
    struct rig rig;
    rig_init(&rig, 0, 0);
    rig.loop.start = 200;
    rig_add(&rig, EVENT_depth, 100);
    cr_assert_eq(rig_run(&rig), ERROR_INPUT);
    cr_assert_not_null(strstr(rig.error.text, "no market data"));
}

Test(loop, ticks_come_exactly_at_deadlines_before_messages)
{
    struct rig rig;
    rig_init(&rig, 10, 1000);
    rig_add(&rig, EVENT_depth, 100);
    rig_add(&rig, EVENT_depth, 125);
    rig_add(&rig, EVENT_depth, 135);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 depth@100 tick@110 tick@120 depth@125 tick@130 "
                     "depth@135 finish@0");
}

Test(loop, a_message_at_the_deadline_runs_the_timer_itself)
{
    struct rig rig;
    rig_init(&rig, 10, 1000);
    rig_add(&rig, EVENT_depth, 100);
    rig_add(&rig, EVENT_depth, 110);
    rig_add(&rig, EVENT_depth, 121);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 depth@100 depth@110 tick@120 depth@121 finish@0");
}

Test(loop, answers_stand_between_messages_at_their_own_time)
{
    struct rig rig;
    rig_init(&rig, 0, 5);
    rig_add(&rig, EVENT_top, 100);
    rig_add(&rig, EVENT_depth, 104);
    rig_add(&rig, EVENT_top, 106);
    rig_add(&rig, EVENT_depth, 112);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 top@100 depth@104 accepted@105 top@106 accepted@111 "
                     "depth@112 finish@0");
}

Test(loop, at_one_time_messages_then_answers_then_ticks)
{
    struct rig rig;
    rig_init(&rig, 20, 10);
    rig_add(&rig, EVENT_top, 100);
    rig_add(&rig, EVENT_depth, 110);
    rig_add(&rig, EVENT_top, 110);
    rig_add(&rig, EVENT_depth, 130);
    cr_assert_eq(rig_run(&rig), 0);
    /* The order of 110 is answered at 120, where the timer is due too. */
    expect_log(&rig, "start@100 balance@100 top@100 depth@110 top@110 accepted@110 accepted@120 "
                     "depth@130 finish@0");
}

Test(loop, after_the_last_message_only_what_is_due_by_then)
{
    struct rig rig;
    rig_init(&rig, 3, 0);
    rig_add(&rig, EVENT_top, 100);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 top@100 accepted@100 finish@0");
    rig_init(&rig, 3, 1);
    rig_add(&rig, EVENT_top, 100);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 top@100 finish@0");
    cr_assert_eq(rig.venue.made - rig.venue.given, 1);
}

Test(loop, without_making_time_everything_comes_from_the_feed)
{
    struct rig rig;
    rig_init(&rig, 10, 1000);
    rig.loop.makes_time = false;
    rig_add(&rig, EVENT_start, 100);
    rig_add(&rig, EVENT_depth, 100);
    rig_add(&rig, EVENT_depth, 200);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 depth@100 depth@200 finish@0");
}

Test(loop, a_complete_shutdown_ends_the_run)
{
    struct rig rig;
    rig_init(&rig, 0, 1000);
    rig_add(&rig, EVENT_depth, 100);
    rig_add(&rig, EVENT_shutdown, 110);
    rig_add(&rig, EVENT_depth, 120);
    cr_assert_eq(rig_run(&rig), 0);
    expect_log(&rig, "start@100 balance@100 depth@100 shutdown@110 finish@0");
}

/* What is added to such a time would not fit. */
Test(loop, times_without_room_for_a_deadline_are_refused)
{
    static const int64_t bad[] = {INT64_MIN, -1, TIME_LATEST + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rig rig;
        rig_init(&rig, 0, 1000);
        rig_add(&rig, EVENT_depth, bad[i]);
        cr_assert_eq(rig_run(&rig), ERROR_INPUT);
        cr_assert(strstr(rig.error.text, "expected times from 1970 to 2116") != NULL, "%s",
                  rig.error.text);
        expect_log(&rig, "");
    }
    struct rig rig;
    rig_init(&rig, 0, 1000);
    rig_add(&rig, EVENT_depth, 0);
    rig_add(&rig, EVENT_depth, TIME_LATEST);
    cr_assert_eq(rig_run(&rig), 0);
}

Test(loop, a_full_table_names_its_setting)
{
    struct rig rig;
    rig_init(&rig, 0, 0);
    rig.engine.full = true;
    rig_add(&rig, EVENT_depth, 100);
    cr_assert_eq(rig_run(&rig), ERROR_INPUT);
    cr_assert_str_eq(rig.error.text,
                     "orders.capacity is too small for this tape: it needs at least 128");
}

Test(loop, sinks_see_what_they_ask_for)
{
    struct rig rig;
    rig_init(&rig, 10, 5);
    struct counting_sink all = counting_sink(true), session = counting_sink(false);
    rig.loop.sinks[0] = &all.sink;
    rig.loop.sinks[1] = &session.sink;
    rig.loop.sink_count = 2;
    rig_add(&rig, EVENT_top, 100);
    rig_add(&rig, EVENT_depth, 115);
    cr_assert_eq(rig_run(&rig), 0);
    /* start, balance, top, accepted, tick, depth */
    expect_log(&rig, "start@100 balance@100 top@100 accepted@105 tick@110 depth@115 finish@0");
    cr_assert_eq(all.messages, 6);
    cr_assert_eq(all.steps, 6);
    cr_assert_eq(session.messages, 4);
    cr_assert_eq(session.steps, 4);
    cr_assert_eq(all.decisions, 2);
    cr_assert_eq(session.decisions, 2);
    cr_assert_eq(all.finishings, 1);
}

Test(loop, market_kinds_are_those_below_the_first_session_kind)
{
#define MARKET_CLASS  true
#define SESSION_CLASS false
#define X(name, number, class, shape, meaning)                                                     \
    cr_assert_eq(number < EVENT_start, class##_CLASS, #name);
    EVENT_KINDS_IN(X)
#undef X
}
