/* When a session's tape ends, and what the session on the next one is told of the market before all else. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "live/rotator.h"
#include "tests/unit/small_tape.h"

enum { LEVELS = 3 };

static struct error error;
static char folder[64], base[96];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "rotator_test.%ld", (long)getpid());
    snprintf(base, sizeof base, "%s/s.tape", folder);
    cr_assert_eq(mkdir(folder, 0700), 0);
}

static void remove_folder(void)
{
    rmdir(folder);
}

TestSuite(rotator, .init = make_folder, .fini = remove_folder);

/* --- what is told again ---------------------------------------------------------------------------------------- */

static struct message book_message(unsigned kind, unsigned instrument, struct row rows[2 * LEVELS],
                                   int64_t mid, uint64_t sequence)
{
    for (unsigned i = 0; i < LEVELS; i++) {
        rows[2 * i] = (struct row){.price = mid - 1 - i, .quantity = 10 + i};
        rows[2 * i + 1] = (struct row){.price = mid + 1 + i, .quantity = 20 + i, .flags = ROW_SELL};
    }
    rows[2 * LEVELS - 1].flags |= ROW_LAST;
    return (struct message){.ts_local = 5,
                            .sequence = sequence,
                            .stream = EVENT_STREAM(instrument, CHANNEL_DEPTH),
                            .kind = (uint8_t)kind,
                            .row_count = 2 * LEVELS,
                            .rows = rows};
}

static struct message record_message(unsigned kind, const union event_record *record)
{
    return (struct message){.ts_local = 5,
                            .stream = EVENT_STREAM(0, CHANNEL_REFERENCE),
                            .kind = (uint8_t)kind,
                            .flags = MESSAGE_MORE,
                            .record = record};
}

static struct retold *opened(void)
{
    struct retold *retold;
    cr_assert_eq(retold_open(&retold, small_tape_names(), true, &error), 0, "%s", error.text);
    return retold;
}

/* The newest of each kind and instrument, then a snapshot that makes the same book. */
Test(rotator, the_newest_of_all_is_told_again)
{
    struct retold *retold = opened();
    struct row rows[2 * LEVELS];
    struct retold_market market;
    union event_record record = {.instrument_status = {.instrument = 0, .trading = TRADING_HALTED}};
    struct message message = record_message(EVENT_instrument_status, &record);
    cr_assert_eq(retold_keep(retold, &message, &error), 0);
    record.instrument_status.trading = TRADING_POST_ONLY;
    cr_assert_eq(retold_keep(retold, &message, &error), 0);
    union event_record other = {.instrument_status = {.instrument = 1, .trading = TRADING_OPEN}};
    message = record_message(EVENT_instrument_status, &other);
    cr_assert_eq(retold_keep(retold, &message, &error), 0);
    for (uint16_t to = 1; to < 3; to++) {
        other.reference_rate = (struct event_reference_rate){.from = 0, .to = to};
        message = record_message(EVENT_reference_rate, &other);
        cr_assert_eq(retold_keep(retold, &message, &error), 0);
    }
    for (uint8_t venue = 0; venue < 2; venue++) {
        other.orders_stream = (struct event_orders_stream){.venue = venue, .connected = venue};
        message = record_message(EVENT_orders_stream, &other);
        cr_assert_eq(retold_keep(retold, &message, &error), 0);
    }
    message = book_message(EVENT_snapshot, 1, rows, 1000, 41);
    retold_follow(retold, &message);
    struct row gone = {.price = 999, .flags = ROW_LAST};
    message = (struct message){.ts_local = 6,
                               .sequence = 42,
                               .stream = EVENT_STREAM(1, CHANNEL_DEPTH),
                               .kind = EVENT_depth,
                               .row_count = 1,
                               .rows = &gone};
    retold_follow(retold, &message);
    cr_assert_eq(retold_tell(retold, NULL, &market, &error), 0);
    cr_expect_not(market.whole, "the first instrument has no book");
    cr_assert_eq(market.count, 7);
    const struct message *told = market.messages;
    cr_assert_eq(told->kind, EVENT_instrument_status);
    cr_expect_eq(told->record->instrument_status.trading, TRADING_POST_ONLY);
    cr_expect_eq(told->flags, 0, "it is a frame of its own");
    cr_expect_eq(told[1].record->instrument_status.instrument, 1);
    cr_expect_eq(told[2].record->reference_rate.to, 1);
    cr_expect_eq(told[3].record->reference_rate.to, 2);
    cr_expect_eq(told[4].record->orders_stream.connected, 0);
    cr_expect_eq(told[5].record->orders_stream.connected, 1);
    told += 6;
    cr_assert_eq(told->kind, EVENT_snapshot);
    cr_expect_eq(told->stream, EVENT_STREAM(1, CHANNEL_DEPTH));
    cr_expect_eq(told->sequence, 42);
    cr_assert_eq(told->row_count, 2 * LEVELS - 1);
    cr_expect_eq(told->rows[0].price, 998);
    cr_expect_eq(told->rows[0].flags, ROW_FROM_SNAPSHOT);
    cr_expect_eq(told->rows[2].price, 1001);
    cr_expect_eq(told->rows[2].quantity, 20);
    cr_expect_eq(told->rows[4].flags, ROW_FROM_SNAPSHOT | ROW_SELL | ROW_LAST);
    retold_close(&retold);
}

/* A book that is not whole is not told: the venue will tell it. */
Test(rotator, a_lost_book_is_not_told)
{
    struct row rows[2 * LEVELS];
    struct retold_market market;
    const uint8_t venue = small_tape_names()->definitions[0].venue;
    const union event_record records[] = {{.gap = {.instrument = 0}},
                                          {.feed_connection = {.venue = venue, .connected = 0}}};
    static const uint8_t kinds[] = {EVENT_gap, EVENT_feed_connection};
    for (unsigned i = 0; i < 2; i++) {
        struct retold *retold = opened();
        struct message message = book_message(EVENT_snapshot, 0, rows, 1000, 1);
        retold_follow(retold, &message);
        cr_assert_eq(retold_tell(retold, NULL, &market, &error), 0);
        cr_assert_eq(market.count, 1);
        message = record_message(kinds[i], &records[i]);
        message.stream = EVENT_STREAM(0, CHANNEL_DEPTH);
        retold_follow(retold, &message);
        cr_assert_eq(retold_tell(retold, NULL, &market, &error), 0);
        cr_expect_eq(market.count, 0);
        retold_close(&retold);
    }
}

/* --- when ------------------------------------------------------------------------------------------------------- */

static struct log log_of_nothing(void)
{
    struct log log;
    cr_assert_eq(log_init(&log, stderr, "off", &error), 0, "%s", error.text);
    return log;
}

static struct rotator_options options_of(int64_t every, const struct log *log)
{
    return (struct rotator_options){
        .base = base, .number = 1, .every = every, .names = small_tape_names(), .log = log};
}

/* At whole multiples since 1970. */
Test(rotator, is_due_at_whole_multiples)
{
    struct rotator rotator = {.due = 0};
    const struct log log = log_of_nothing();
    struct rotator_options options = options_of(24 * 3600 * NS_PER_SECOND, &log);
    const int64_t day = 24 * 3600 * NS_PER_SECOND;
    cr_assert_eq(rotator_open(&rotator, &options, 20000 * day + 5, &error), 0, "%s", error.text);
    cr_expect(!rotator_is_due(&rotator, 20001 * day - 1));
    cr_expect(rotator_is_due(&rotator, 20001 * day));
    rotator_close(&rotator);
    rotator = (struct rotator){.due = 0};
    cr_assert_eq(rotator_open(&rotator, &options, 20000 * day, &error), 0);
    cr_expect_eq(rotator.due, 20001 * day, "not twice at one");
    rotator_close(&rotator);
    rotator = (struct rotator){.due = 0};
    options.every = 0;
    cr_assert_eq(rotator_open(&rotator, &options, 20000 * day, &error), 0);
    cr_expect(!rotator_is_due(&rotator, INT64_MAX - 1), "never");
    rotator_close(&rotator);
}

Test(rotator, a_setting_or_name_that_can_t_be)
{
    struct rotator rotator = {.due = 0};
    const struct log log = log_of_nothing();
    struct rotator_options options = options_of(NS_PER_SECOND - 1, &log);
    cr_expect_eq(rotator_open(&rotator, &options, 0, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "tape.rotate_every"), NULL, "%s", error.text);
    rotator_close(&rotator);
    options.every = NS_PER_SECOND;
    options.base = "a-name-that-has-no-room-for-a-number-behind-it-0123456789012345.tape";
    cr_expect_eq(rotator_open(&rotator, &options, 0, &error), ERROR_INPUT);
    rotator_close(&rotator);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Without room the tape does not end; it is tried again a minute later, or at the next multiple. */
Test(rotator, without_room_it_is_tried_later)
{
    const struct log log = log_of_nothing();
    struct rotator rotator = {.due = 0};
    struct rotator_options options = options_of(3600 * NS_PER_SECOND, &log);
    const int64_t hour = 3600 * NS_PER_SECOND;
    cr_assert_eq(rotator_open(&rotator, &options, 1, &error), 0);
    limit_files(1 << 20);
    cr_expect(!rotator_ends(&rotator, hour + 7));
    cr_expect_eq(rotator.due, hour + 7 + 60 * NS_PER_SECOND);
    cr_expect(!rotator_ends(&rotator, 2 * hour - 5));
    cr_expect_eq(rotator.due, 2 * hour);
    limit_files(RLIM_INFINITY);
    cr_expect(rotator_ends(&rotator, 2 * hour));
    cr_expect(rotator.ended);
    rotator_close(&rotator);
}
