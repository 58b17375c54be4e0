/* Faults of market data and the grades that follow, with figures by hand on both sides of each threshold. Times are
 * milliseconds since the beginning. */
#include "config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "run/grade.h"

enum { A_BOOK, B_BOOK, OTHER_BOOK, BOOKS }; /* two of the first venue, one of the second */

static const char *const venues[] = {"v1", "v2"}, *const assets[] = {"BTC", "USD"},
                         *const symbols[] = {"A", "B", "C"};
static struct event_definition definitions[BOOKS];
static struct event_names names;
static struct market_faults *market;
static struct run_grade grade;
static struct tape_header header;

static void open_market(void)
{
    struct error error = {0};
    for (uint16_t i = 0; i < BOOKS; i++)
        definitions[i] = (struct event_definition){.instrument = i,
                                                   .venue = i == OTHER_BOOK,
                                                   .tick = 1,
                                                   .lot = 1,
                                                   .multiplier = 1,
                                                   .quote = 1,
                                                   .settle = 1};
    names = (struct event_names){.venue_count = 2,
                                 .asset_count = 2,
                                 .instrument_count = BOOKS,
                                 .venues = venues,
                                 .assets = assets,
                                 .symbols = symbols,
                                 .definitions = definitions};
    header = (struct tape_header){
        .origin = TAPE_RECORDED, .grade = TAPE_GRADE_A, .grade_reasons = "", .names = names};
    cr_assert_eq(market_faults_open(&market, &names, NULL, &error), 0);
}

static void close_market(void)
{
    run_grade_free(&grade);
    market_faults_close(&market);
}

TestSuite(market_faults, .init = open_market, .fini = close_market);

/* --- telling -------------------------------------------------------------------------------------- */

static void give(struct message message)
{
    struct error error = {0};
    message.ts_local *= NS_PER_MS;
    cr_assert_eq(market_faults_take(market, &message, &error), 0);
}

static void rows(int64_t ms, unsigned book, unsigned kind, int64_t bid, int64_t ask, unsigned flags)
{
    const struct row levels[2] = {
        {.price = bid, .quantity = 1},
        {.price = ask, .quantity = 1, .flags = ROW_SELL | ROW_LAST},
    };
    give((struct message){.ts_local = ms,
                          .ts_venue = ms * NS_PER_MS,
                          .stream = EVENT_STREAM(book, event_default_channel(kind)),
                          .kind = (uint8_t)kind,
                          .flags = (uint8_t)flags,
                          .row_count = 2,
                          .rows = levels});
}

static void record(int64_t ms, uint16_t stream, unsigned kind, union event_record told)
{
    give(
        (struct message){.ts_local = ms, .stream = stream, .kind = (uint8_t)kind, .record = &told});
}

static void snapshot(int64_t ms, unsigned book)
{
    rows(ms, book, EVENT_snapshot, 100, 110, MESSAGE_VENUE_TIME);
}

static void depth(int64_t ms, unsigned book, int64_t bid, int64_t ask)
{
    rows(ms, book, EVENT_depth, bid, ask, MESSAGE_VENUE_TIME);
}

static void all_books(int64_t ms)
{
    for (unsigned book = 0; book < BOOKS; book++)
        snapshot(ms, book);
}

static void gap(int64_t ms, unsigned book, unsigned cause, uint64_t expected)
{
    record(ms, EVENT_STREAM(book, CHANNEL_DEPTH), EVENT_gap,
           (union event_record){.gap = {(uint16_t)book, (uint8_t)cause, expected, 0}});
}

static void connection(int64_t ms, uint8_t venue, bool connected)
{
    record(ms, EVENT_NONE_16, EVENT_feed_connection,
           (union event_record){.feed_connection = {venue, connected}});
}

static void jump(int64_t ms, int64_t by_ms)
{
    record(ms, EVENT_NONE_16, EVENT_clock_jump,
           (union event_record){.clock_jump = {by_ms * NS_PER_MS}});
}

/* The last message: nothing but time passes. */
static void end(int64_t ms)
{
    record(ms, EVENT_NONE_16, EVENT_tick, (union event_record){.tick = {0}});
}

static void expect(enum tape_grade wanted, const char *reasons)
{
    struct error error = {0};
    run_grade_free(&grade);
    cr_assert_eq(run_grade_of_market(market, &header, header.grade_reasons, &grade, &error), 0);
    cr_expect_str_eq(grade.reasons ? grade.reasons : "", reasons);
    cr_expect_eq(grade.grade, wanted, "%s", tape_grade_letter((enum tape_grade)grade.grade));
}

/* --- books ---------------------------------------------------------------------------------------- */

Test(market_faults, a_clean_market_is_A)
{
    connection(0, 0, true);
    connection(0, 1, true);
    all_books(1000);
    depth(2000, A_BOOK, 101, 110);
    end(10000);
    expect(TAPE_GRADE_A, "");
}

Test(market_faults, nothing_at_all_is_no_fault)
{
    expect(TAPE_GRADE_A, "");
}

Test(market_faults, a_gap_and_how_long_there_was_no_book)
{
    all_books(0);
    gap(2000, A_BOOK, GAP_SEQUENCE, 7);
    snapshot(4500, A_BOOK);
    gap(9000, B_BOOK, GAP_DAMAGE, 0);
    end(10000);
    expect(TAPE_GRADE_D, "D: v1:A: without a book for 2.500000 s of 10.000 s (25.00 %)\n"
                         "D: v1:A: 1 gap in the depth sequence\n"
                         "D: v1:B: without a book for 1.000000 s of 10.000 s (10.00 %)\n"
                         "D: v1:B: 1 gap because data could not be read");
}

Test(market_faults, a_gap_that_a_snapshot_closes_at_once_is_one_all_the_same)
{
    all_books(0);
    gap(2000, A_BOOK, GAP_SEQUENCE, 7);
    snapshot(2000, A_BOOK);
    gap(3000, A_BOOK, GAP_SEQUENCE, 8);
    snapshot(3000, A_BOOK);
    end(10000);
    expect(TAPE_GRADE_D, "D: v1:A: 2 gaps in the depth sequence");
}

Test(market_faults, a_gap_in_trades_loses_no_book)
{
    all_books(0);
    record(1000, EVENT_STREAM(A_BOOK, CHANNEL_TRADE), EVENT_gap,
           (union event_record){.gap = {A_BOOK, GAP_SEQUENCE, 3, 5}});
    end(10000);
    expect(TAPE_GRADE_D, "D: v1:A: 1 gap in trades or best prices");
}

Test(market_faults, a_first_book_after_a_minute_is_late_and_no_sooner)
{
    end(0);
    snapshot(60000, A_BOOK);
    snapshot(60000, OTHER_BOOK);
    snapshot(60001, B_BOOK);
    end(100000);
    expect(TAPE_GRADE_D, "D: v1:B: 60.001 s until its first book");
}

Test(market_faults, no_book_at_all_is_not_fit_for_fills)
{
    snapshot(0, A_BOOK);
    depth(1000, B_BOOK, 100, 110);
    end(2000);
    expect(TAPE_GRADE_F, "F: v1:B: no snapshot joins its depth, so it never has a book\n"
                         "F: v2:C: has no depth and no snapshot, so it never has a book");
}

Test(market_faults, a_crossed_book_and_for_how_long)
{
    all_books(0);
    depth(1000, A_BOOK, 109, 110);
    depth(2000, A_BOOK, 110, 110); /* locked: no order could rest so */
    depth(3500, A_BOOK, 112, 112);
    rows(4000, A_BOOK, EVENT_snapshot, 100, 110, MESSAGE_VENUE_TIME);
    depth(5000, A_BOOK, 111, 113);
    end(5250);
    expect(TAPE_GRADE_D, "D: v1:A: book crossed 2 times, 2250000000 ns in all");
}

Test(market_faults, nobody_sees_a_book_between_the_messages_of_a_frame)
{
    all_books(0);
    rows(1000, A_BOOK, EVENT_depth, 111, 113, MESSAGE_VENUE_TIME | MESSAGE_MORE);
    rows(1000, B_BOOK, EVENT_depth, 101, 110, MESSAGE_VENUE_TIME | MESSAGE_MORE);
    snapshot(1000, A_BOOK);
    depth(2000, A_BOOK, 101, 110);
    end(3000);
    expect(TAPE_GRADE_A, "");
}

Test(market_faults, what_the_first_message_of_a_frame_leaves_is_seen)
{
    all_books(0);
    rows(1000, A_BOOK, EVENT_depth, 111, 113, MESSAGE_VENUE_TIME | MESSAGE_MORE);
    depth(1000, B_BOOK, 101, 110);
    snapshot(2000, A_BOOK);
    end(3000);
    expect(TAPE_GRADE_D, "D: v1:A: book crossed 1 times, 1000000000 ns in all");
}

Test(market_faults, a_book_given_up_because_it_was_crossed_counts_once)
{
    all_books(0);
    rows(1000, A_BOOK, EVENT_depth, 111, 113, MESSAGE_VENUE_TIME | MESSAGE_MORE);
    gap(1000, A_BOOK, GAP_CROSSED, 0);
    snapshot(2000, A_BOOK);
    end(10000);
    expect(TAPE_GRADE_D, "D: v1:A: without a book for 1.000000 s of 10.000 s (10.00 %)\n"
                         "D: v1:A: 1 book given up because it was crossed");
}

/* --- connections, the tape itself ------------------------------------------------------------------ */

Test(market_faults, a_lost_connection_loses_the_books_of_its_venue)
{
    all_books(0);
    connection(4000, 0, false);
    connection(4500, 0, true);
    snapshot(5000, A_BOOK);
    snapshot(6000, B_BOOK);
    end(10000);
    expect(TAPE_GRADE_D, "D: v1:A: without a book for 1.000000 s of 10.000 s (10.00 %)\n"
                         "D: v1:A: 1 connection of its feed lost\n"
                         "D: v1:B: without a book for 2.000000 s of 10.000 s (20.00 %)\n"
                         "D: v1:B: 1 connection of its feed lost");
}

Test(market_faults, a_connection_anew_tells_that_the_one_before_was_lost)
{
    connection(0, 1, true);
    snapshot(0, A_BOOK);
    snapshot(0, B_BOOK);
    snapshot(1000, OTHER_BOOK);
    depth(3000, OTHER_BOOK, 101, 110); /* the last before the session died */
    depth(7000, A_BOOK, 101, 110);     /* of another venue */
    connection(7500, 1, true);
    snapshot(8000, OTHER_BOOK);
    end(10000);
    expect(TAPE_GRADE_D, "D: v2:C: without a book for 5.000000 s of 10.000 s (50.00 %)\n"
                         "D: v2:C: 1 connection of its feed lost");
}

Test(market_faults, data_dropped_while_the_tape_could_not_be_written)
{
    all_books(0);
    gap(1000, A_BOOK, GAP_NOT_WRITTEN, 0);
    gap(1000, B_BOOK, GAP_NOT_WRITTEN, 0);
    gap(3000, A_BOOK, GAP_NOT_WRITTEN, 41);
    snapshot(4000, A_BOOK);
    snapshot(4000, B_BOOK);
    end(10000);
    expect(TAPE_GRADE_D, "D: v1:A: without a book for 3.000000 s of 10.000 s (30.00 %)\n"
                         "D: v1:A: 41 messages dropped while the tape could not be written\n"
                         "D: v1:B: without a book for 3.000000 s of 10.000 s (30.00 %)\n"
                         "D: v1:B: 0 messages dropped while the tape could not be written");
}

Test(market_faults, what_a_recovery_lost)
{
    all_books(0);
    record(1000, EVENT_NONE_16, EVENT_gap,
           (union event_record){.gap = {EVENT_NONE_16, GAP_NOT_WRITTEN, 2, 0}});
    expect(TAPE_GRADE_B, "B: tape: 2 cancels left without being written");
    record(1000, EVENT_NONE_16, EVENT_gap, /* torn, and no journal had it */
           (union event_record){.gap = {EVENT_NONE_16, GAP_DAMAGE, 0, 0}});
    expect(TAPE_GRADE_D, "D: tape: its end was lost at 1 recovery, 0 entries of journals in all\n"
                         "B: tape: 2 cancels left without being written");
    record(1000, EVENT_NONE_16, EVENT_gap,
           (union event_record){.gap = {EVENT_NONE_16, GAP_DAMAGE, 5, 0}});
    expect(TAPE_GRADE_D, "D: tape: its end was lost at 2 recoveries, 5 entries of journals in all\n"
                         "B: tape: 2 cancels left without being written");
}

/* --- times ----------------------------------------------------------------------------------------- */

static void timed(int64_t ms, unsigned kind, int64_t ts_venue, unsigned flags)
{
    const struct row level = {.price = 105, .quantity = 1, .flags = ROW_LAST};
    give((struct message){.ts_local = ms,
                          .ts_venue = ts_venue,
                          .stream = EVENT_STREAM(A_BOOK, event_default_channel(kind)),
                          .kind = (uint8_t)kind,
                          .flags = (uint8_t)flags,
                          .row_count = 1,
                          .rows = &level});
}

Test(market_faults, times_that_are_missing_estimated_or_impossible)
{
    all_books(0);
    timed(1000, EVENT_trade, 1000 * NS_PER_MS, MESSAGE_VENUE_TIME);
    expect(TAPE_GRADE_A, "");
    timed(1000, EVENT_trade, 1000 * NS_PER_MS + 1, MESSAGE_VENUE_TIME);
    expect(TAPE_GRADE_C, "C: v1:A: 1 message with a venue time later than they were received");
    timed(2000, EVENT_trade, 0, 0);
    timed(2000, EVENT_depth, 0, 0);
    timed(2000, EVENT_depth, 0, MESSAGE_VENUE_ESTIMATED);
    expect(TAPE_GRADE_C, "C: v1:A: 2 messages without a venue time\n"
                         "C: v1:A: 1 message with a venue time later than they were received\n"
                         "C: v1:A: 1 message with an estimated venue time");
}

Test(market_faults, times_on_which_no_fill_depends)
{
    for (unsigned book = 0; book < BOOKS; book++)
        rows(0, book, EVENT_snapshot, 100, 110, book == 0 ? 0 : MESSAGE_VENUE_ESTIMATED);
    timed(1000, EVENT_top, 0, MESSAGE_VENUE_ESTIMATED);
    timed(1000, EVENT_top, 0, 0);
    expect(TAPE_GRADE_A, "");
    rows(2000, A_BOOK, EVENT_snapshot, 100, 110, 0); /* a book stands: when was that? */
    expect(TAPE_GRADE_C, "C: v1:A: 1 message without a venue time");
}

Test(market_faults, jumps_of_the_clock)
{
    all_books(0);
    jump(1000, 250);
    expect(TAPE_GRADE_C,
           "C: clock: jumped 1 time, the farthest by 0.250 s; receive times may be off by that");
    jump(2000, -3500);
    expect(TAPE_GRADE_C,
           "C: clock: jumped 2 times, the farthest by 3.500 s; receive times may be off by that");
}

Test(market_faults, numbers_without_a_value)
{
    all_books(0);
    record(1000, EVENT_STREAM(B_BOOK, CHANNEL_DEPTH), EVENT_source_text,
           (union event_record){.source_text = {.instrument = B_BOOK}});
    expect(TAPE_GRADE_B, "B: v1:B: 1 price or quantity without a value");
}

/* --- the run and its tape -------------------------------------------------------------------------- */

Test(market_faults, what_only_built_the_books_is_not_the_run)
{
    all_books(0);
    gap(1000, A_BOOK, GAP_SEQUENCE, 1);
    snapshot(2000, A_BOOK);
    gap(3000, B_BOOK, GAP_SEQUENCE, 1);
    jump(3000, 500);
    record(4000, EVENT_NONE_16, EVENT_start, (union event_record){.start = {.epoch = 0}});
    snapshot(5000, B_BOOK);
    record(6000, EVENT_NONE_16, EVENT_start, (union event_record){.start = {.epoch = 1}});
    end(8000);
    expect(TAPE_GRADE_D, "D: v1:B: without a book for 1.000000 s of 4.000 s (25.00 %)");
}

Test(market_faults, a_reason_that_the_header_has_is_not_given_twice)
{
    header.grade = TAPE_GRADE_D;
    header.grade_reasons = "C: clock: receive times corrected by +1 s to +1 s\n"
                           "D: v1:A: 12 gaps in the depth sequence\n"
                           "D: v1:A: without a book for 1 s of 2 s (50.00 %)";
    all_books(0);
    gap(1000, A_BOOK, GAP_SEQUENCE, 1);
    gap(1000, B_BOOK, GAP_SEQUENCE, 1);
    end(2000);
    expect(TAPE_GRADE_D, "D: v1:B: without a book for 1.000000 s of 2.000 s (50.00 %)\n"
                         "D: v1:B: 1 gap in the depth sequence");
}

Test(market_faults, an_older_import_told_the_times_of_all)
{
    header.grade = TAPE_GRADE_C;
    header.grade_reasons = "C: times: venue time of 12 messages estimated";
    all_books(0);
    timed(1000, EVENT_trade, 0, MESSAGE_VENUE_ESTIMATED);
    expect(TAPE_GRADE_C, "");
}

Test(market_faults, a_grade_is_no_better_than_the_header_s)
{
    header.grade = TAPE_GRADE_F;
    all_books(0);
    gap(1000, A_BOOK, GAP_SEQUENCE, 1);
    snapshot(1000, A_BOOK);
    expect(TAPE_GRADE_F, "D: v1:A: 1 gap in the depth sequence");
}

Test(market_faults, asking_twice_changes_nothing)
{
    all_books(0);
    gap(1000, A_BOOK, GAP_SEQUENCE, 1);
    depth(1000, B_BOOK, 111, 113);
    end(2000);
    const char *told = "D: v1:A: without a book for 1.000000 s of 2.000 s (50.00 %)\n"
                       "D: v1:A: 1 gap in the depth sequence\n"
                       "D: v1:B: book crossed 1 times, 1000000000 ns in all";
    expect(TAPE_GRADE_D, told);
    expect(TAPE_GRADE_D, told);
}
