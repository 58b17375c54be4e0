/* The sink behind replay --why, fed with an engine's steps by hand: ends that no answer names, and what the
 * cycle of the order held back. */
#include <criterion/criterion.h>
#include <string.h>

#include "engine_harness.h"
#include "run/why.h"

static struct harness h;
static struct why *why;
static const char *const venues[] = {"v1"}, *const assets[] = {"B", "Q", "O"},
                         *const symbols[] = {"X"};
static struct event_names names = {1, 3, 1, venues, assets, symbols, NULL};
static char text[1 << 14];

/* What the loop tells its sinks of the harness's last step. */
static void tell(enum event_kind kind, const union event_record *record)
{
    struct message message = {.ts_local = h.now,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .kind = (uint8_t)kind,
                              .record = record};
    struct sink *sink = why_sink(why);
    struct error error;
    cr_assert_eq(sink->message(sink, &message, &error), 0);
    cr_assert_eq(sink->stepped(sink, h.engine, &error), 0);
    for (size_t i = 0; i < h.count; i++)
        cr_assert_eq(sink->decision(sink, &h.decisions[i], &error), 0);
}

static void begin(void)
{
    struct error error;
    names.definitions = h.definitions;
    cr_assert_eq(why_open(&why, 1, &names, &error), 0);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    union event_record tick = {.tick = {.deadline = 0}};
    tell(EVENT_tick, &tick);
}

static void answer(enum event_kind kind)
{
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    harness_record(&h, kind, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    tell(kind, &record);
}

static const char *story(void)
{
    struct error error;
    FILE *stream = tmpfile();
    cr_assert_not_null(stream);
    cr_assert_eq(why_print(why, stream, &error), 0);
    rewind(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static void finish(void)
{
    why_close(&why);
    harness_close(&h);
}

/* Rule 28: the first "not found" ends nothing. */
Test(why, the_second_not_found_is_the_end)
{
    harness_init(&h);
    begin();
    answer(EVENT_order_unknown);
    harness_run_to(&h, SECONDS(5));
    answer(EVENT_order_not_found);
    cr_expect_not_null(strstr(story(), "not known to have ended"));
    cr_expect_null(strstr(text, "not found once more"));
    harness_run_to(&h, SECONDS(10));
    answer(EVENT_order_not_found);
    cr_expect_not_null(strstr(story(), "not found once more, after its time"));
    cr_expect_null(strstr(text, "not known to have ended"));
    finish();
}

Test(why, a_plain_end_is_told_by_its_answer_alone)
{
    harness_init(&h);
    begin();
    harness_accept(&h, 1);
    harness_cancelled(&h, 1, 10);
    union event_record record = {.order_cancelled = {.order = 1, .leaves = {10, NUMBER_VALUE}}};
    tell(EVENT_order_cancelled, &record);
    cr_expect_null(strstr(story(), "not known to have ended"));
    cr_expect_null(strstr(text, "\nend "));
    finish();
}

/* Fills that are asked for come without it. */
Test(why, what_a_fill_leaves_is_said_where_it_is_told)
{
    const union event_record fill = {.order_filled = {.order = 1,
                                                      .side = SIDE_BUY,
                                                      .price = {1000, NUMBER_VALUE},
                                                      .quantity = {4, NUMBER_VALUE},
                                                      .leaves = {0, NUMBER_ABSENT},
                                                      .trade = {.length = 1, .bytes = "7"},
                                                      .fee_asset = 1}};
    harness_init(&h);
    begin();
    harness_accept(&h, 1);
    harness_record(&h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &fill);
    tell(EVENT_order_filled, &fill);
    cr_expect(strstr(story(), "maker), what is left is not told, "), "%s", text);
    finish();
}

/* Two levels are wanted and one order a side is allowed: the outer ones were stopped. */
Test(why, what_the_cycle_held_back_is_named)
{
    harness_init(&h);
    h.settings[0].quote_levels = 2;
    h.settings[0].risk_orders_per_side = 1;
    begin();
    cr_expect_not_null(strstr(story(), "\nmeanwhile part of it or other orders were stopped by "
                                       "order_count\n"));
    finish();
}

Test(why, where_nothing_was_held_back_nothing_is_said)
{
    harness_init(&h);
    begin();
    cr_expect_null(strstr(story(), "meanwhile"));
    finish();
}
