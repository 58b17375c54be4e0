/* Rows of the run database: for which level an order rested when it filled, what kept us from quoting and how long. */
#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "store/rows.h"

static const char *const venues[] = {"v1"}, *const assets[] = {"BTC", "USD"},
                         *const symbols[] = {"BTC-USD"};
static const struct event_definition definitions[] = {{.contract = CONTRACT_SPOT,
                                                       .price_exponent = -1,
                                                       .quantity_exponent = -3,
                                                       .tick = 5,
                                                       .lot = 1,
                                                       .multiplier = 1,
                                                       .base = 0,
                                                       .quote = 1,
                                                       .settle = 1}};
static const struct event_names names = {.venue_count = 1,
                                         .asset_count = 2,
                                         .instrument_count = 1,
                                         .venues = venues,
                                         .assets = assets,
                                         .symbols = symbols,
                                         .definitions = definitions};

static struct store open_store(void)
{
    struct store store = {.names = &names, .path = ":memory:"};
    struct error error;
    cr_assert_eq(sqlite3_open(store.path, &store.database), SQLITE_OK);
    cr_assert_eq(store_make(&store, &error), 0, "%s", error.text);
    cr_assert_eq(store_prepare(&store, &error), 0, "%s", error.text);
    cr_assert_eq(store_put_instruments(&store, &error), 0, "%s", error.text);
    return store;
}

/* A message at so many seconds, as text has it behind its time: "kind v1:BTC-USD fields". */
static void put(struct store *store, unsigned second, const char *text)
{
    char line[512];
    struct spool_entry entry = {.what = SPOOL_MESSAGE};
    struct error error = {0};
    int length = snprintf(line, sizeof line, "1970-01-01T00:00:%02u.000000000Z %s", second, text);
    cr_assert_eq(message_from_text(line, (size_t)length, &names, NULL, 0, &entry.record,
                                   &entry.message, &error),
                 0, "%s: %s", line, error.text);
    cr_assert_eq(store_put_entry(store, &entry, &error), 0, "%s", error.text);
}

static void put_place(struct store *store, unsigned second, const char *order, unsigned level)
{
    char text[256];
    snprintf(text, sizeof text,
             "place v1:BTC-USD order=%s side=buy price=100.0 quantity=0.010 time_in_force=gtc "
             "post_only=yes level=%u cause=1 fair=201000 skew=0 distance=1000 gates=0x1",
             order, level);
    put(store, second, text);
}

static void put_fill(struct store *store, unsigned second, const char *trade, const char *price,
                     const char *quantity, const char *leaves)
{
    char text[256];
    snprintf(
        text, sizeof text,
        "order_filled v1:BTC-USD order=#1 trade=\"%s\" side=buy price=%s quantity=%s leaves=%s "
        "cause=queue liquidity=maker fee=0 fee_asset=USD",
        trade, price, quantity, leaves);
    put(store, second, text);
}

/* All rows of a query: columns with a blank between, rows with a semicolon; NULL is "-". */
static void expect(struct store *store, const char *sql, const char *wanted)
{
    char found[512] = "";
    size_t used = 0;
    sqlite3_stmt *statement;
    cr_assert_eq(sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(store->database));
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *text = (const char *)sqlite3_column_text(statement, i);
            used += (size_t)snprintf(found + used, sizeof found - used, "%s%s", text ? text : "-",
                                     i + 1 < sqlite3_column_count(statement) ? " " : "; ");
            cr_assert(used < sizeof found);
        }
    sqlite3_finalize(statement);
    cr_expect_str_eq(found, wanted, "%s: %s", sql, found);
}

static const char spells[] =
    "SELECT level, at_ns / 1000000000, ended_ns / 1000000000, rested_units,"
    " filled_units, distance_millitick FROM spell ORDER BY id";
static const char fills[] = "SELECT trade, level FROM fill ORDER BY id";

static const char to_level_0[] = "modify v1:BTC-USD order=#1 side=buy price=100.5 leaves=0.008 "
                                 "level=0 cause=2 fair=202000 skew=0 distance=500 gates=0x1";

Test(store, a_fill_counts_at_the_level_for_which_its_order_rested)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 1);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put_fill(&store, 3, "before", "100.0", "0.002", "0.008");
    put(&store, 4, to_level_0);
    put(&store, 4,
        "learned v1:BTC-USD order=#1 side=buy level=1 filled=0.2 weight=0.2 alpha=1.2 beta=1 "
        "next=0");
    /* The edit travels: it stands where it stood. */
    put_fill(&store, 5, "travelling", "100.0", "0.001", "0.007");
    put(&store, 6, "order_modified v1:BTC-USD order=#1 price=100.5 leaves=0.007");
    put_fill(&store, 7, "after", "100.5", "0.003", "0.004");
    /* Kept for another level without a request. */
    put(&store, 8,
        "learned v1:BTC-USD order=#1 side=buy level=0 filled=0.4 weight=0.1 alpha=1.4 beta=1 "
        "next=2");
    put_fill(&store, 9, "kept", "100.5", "0.004", "0.000");
    expect(&store, fills, "before 1; travelling 1; after 0; kept 2; ");
    expect(&store, spells, "1 2 6 10 3 1000; 0 6 8 7 3 500; 2 8 9 4 4 -; ");
    expect(&store, "SELECT answered_ns / 1000000000 FROM modify", "6; ");
    expect(&store, "SELECT level, filled_units, outcome FROM order_outcome", "2 10 filled; ");
    expect(&store, "SELECT level, spells, rested_units, filled_units FROM fill_rates",
           "0 1 7 3; 1 1 10 3; 2 1 4 4; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

Test(store, a_fill_at_the_price_of_an_edit_shows_that_it_is_done)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 1);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put(&store, 4, to_level_0);
    put_fill(&store, 5, "early", "100.5", "0.001", "0.007");
    put(&store, 6, "order_modified v1:BTC-USD order=#1 price=100.5 leaves=0.007");
    expect(&store, fills, "early 0; ");
    expect(&store, spells, "1 2 5 10 0 1000; 0 5 - 8 1 500; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

Test(store, an_edit_that_was_refused_leaves_the_level_and_one_that_grows_rests_more)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 1);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put(&store, 3, to_level_0);
    put(&store, 4, "modify_rejected v1:BTC-USD order=#1 reason=other");
    put_fill(&store, 5, "refused", "100.0", "0.004", "0.006");
    put(&store, 6,
        "modify v1:BTC-USD order=#1 side=buy price=100.0 leaves=0.020 level=1 cause=3 fair=201000 "
        "skew=0 distance=1000 gates=0x1");
    put(&store, 7, "order_modified v1:BTC-USD order=#1 price=100.0 leaves=0.020");
    put(&store, 9, "order_cancelled v1:BTC-USD order=#1 leaves=0.020 cause=requested");
    expect(&store, fills, "refused 1; ");
    expect(&store, spells, "1 2 9 24 4 1000; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

Test(store, an_order_that_was_made_smaller_is_kept_for_another_level_as_it_is)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 1);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put(&store, 3,
        "modify v1:BTC-USD order=#1 side=buy price=100.0 leaves=0.004 level=1 cause=2 fair=201000 "
        "skew=0 distance=1000 gates=0x1");
    put(&store, 4, "order_modified v1:BTC-USD order=#1 price=100.0 leaves=0.004");
    put(&store, 5,
        "learned v1:BTC-USD order=#1 side=buy level=1 filled=0 weight=0.3 alpha=1 beta=1.3 "
        "next=0");
    put_fill(&store, 6, "silent", "100.0", "0.001", "absent");
    put(&store, 7,
        "learned v1:BTC-USD order=#1 side=buy level=0 filled=0.25 weight=0.1 alpha=1.25 beta=1.4 "
        "next=2");
    put_fill(&store, 8, "whole", "100.0", "0.003", "0.000");
    expect(&store, spells, "1 2 5 10 0 1000; 0 5 7 4 1 -; 2 7 8 3 3 -; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

Test(store, a_refused_order_never_rested_and_a_replace_is_told_from_a_place)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 0);
    put(&store, 2, "order_rejected v1:BTC-USD order=#1 reason=post_only_would_cross");
    put(&store, 3,
        "replace v1:BTC-USD order=#2 replaces=#1 side=buy price=100.0 quantity=0.010 "
        "time_in_force=gtc post_only=yes level=1 cause=1 fair=201000 skew=0 distance=1000 "
        "gates=0x1");
    put(&store, 4, "order_unknown v1:BTC-USD order=#2 request=replace");
    put(&store, 5,
        "order_status v1:BTC-USD order=#2 venue_order=\"b\" side=buy price=100.0 leaves=0.010");
    expect(&store, "SELECT id, replaces FROM orders", "1 -; 2 1; ");
    expect(&store, spells, "1 5 - 10 0 1000; ");
    expect(&store, "SELECT level, outcome, orders FROM outcomes", "0 rejected 1; 1 open 1; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

static void put_entry(struct store *store, struct spool_entry entry)
{
    struct error error = {0};
    cr_assert_eq(store_put_entry(store, &entry, &error), 0, "%s", error.text);
}

Test(store, breakers_and_gates_hold_from_when_to_when)
{
    struct store store = open_store();
    const struct spool_entry carried = {
        .what = SPOOL_BREAKER, .breaker = {0, BREAKER_EDGE, BREAKER_PAUSE, INT64_C(1000000000)}};
    put_entry(&store, carried);
    put_entry(&store, carried); /* the next session begins with it too */
    put(&store, 2, "breaker v1:BTC-USD breaker=volatility state=widen");
    put(&store, 2, "gate v1:BTC-USD gate=breaker blocking=yes blocked=0");
    put(&store, 3, "breaker v1:BTC-USD breaker=volatility state=cancel_all");
    put(&store, 5, "breaker v1:BTC-USD breaker=volatility state=clear");
    put(&store, 6, "gate v1:BTC-USD gate=breaker blocking=no blocked=7");
    /* Three of the seven were counted before this tape began. */
    put_entry(&store, (struct spool_entry){.what = SPOOL_GATE,
                                           .gate = {0, GATE_BREAKER, 4, INT64_C(6000000000)}});
    put(&store, 8, "gate v1:BTC-USD gate=stale blocking=yes blocked=0");
    put_entry(&store, (struct spool_entry){.what = SPOOL_GATE,
                                           .gate = {0, GATE_STALE, 2, INT64_C(9000000000)}});
    /* The session goes on, and it blocks; so does the next one, behind another start on this tape. */
    const struct spool_entry held = {.what = SPOOL_GATE_HELD,
                                     .gate = {0, GATE_STALE, 0, INT64_C(10000000000)}};
    put_entry(&store, held);
    put_entry(&store, held);
    put(&store, 12, "gate v1:BTC-USD gate=stale blocking=no blocked=3");
    put_entry(&store, (struct spool_entry){.what = SPOOL_GATE,
                                           .gate = {0, GATE_STALE, 3, INT64_C(12000000000)}});
    expect(&store,
           "SELECT breaker, state, since_ns / 1000000000, until_ns / 1000000000 FROM breakers",
           "edge pause 1 -; volatility widen 2 3; volatility cancel_all 3 5; ");
    expect(&store, "SELECT gate, since_ns / 1000000000, until_ns / 1000000000 FROM gate_interval",
           "breaker 2 6; stale 8 9; stale 10 12; ");
    expect(&store, "SELECT gate, blocked FROM gate_block ORDER BY gate", "breaker 4; stale 5; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

/* The engine asks twice before it gives an order up: the first answer ends nothing. */
Test(store, an_order_that_its_venue_does_not_know_ends_when_it_is_given_up)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 0);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put_place(&store, 2, "#2", 1);
    put(&store, 3, "order_unknown v1:BTC-USD order=#1 request=cancel");
    put(&store, 4, "order_not_found v1:BTC-USD order=#1");
    expect(&store, spells, "0 2 - 10 0 1000; ");
    expect(&store, "SELECT outcome, orders FROM outcomes ORDER BY level", "open 1; open 1; ");
    put(&store, 9, "order_not_found v1:BTC-USD order=#1");
    put_entry(&store,
              (struct spool_entry){.what = SPOOL_ENDED,
                                   .ended = {1, INT64_C(9000000000), EVENT_order_not_found}});
    expect(&store, spells, "0 2 9 10 0 1000; ");
    expect(&store, "SELECT outcome, orders FROM outcomes ORDER BY level", "not_found 1; open 1; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

/* Fills that are asked for behind a lost stream come without what is left: nothing is known of that. */
Test(store, a_fill_whose_rest_is_not_told_ends_an_order_only_where_the_engine_says_so)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 0);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put_fill(&store, 3, "first", "100.0", "0.004", "absent");
    expect(&store, "SELECT leaves FROM fill", "-; ");
    expect(&store, "SELECT outcome, filled_units FROM order_outcome", "- 4; ");
    put_fill(&store, 4, "second", "100.0", "0.006", "absent");
    put_entry(&store, (struct spool_entry){.what = SPOOL_ENDED,
                                           .ended = {1, INT64_C(4000000000), EVENT_order_filled}});
    expect(&store, "SELECT outcome, filled_units FROM order_outcome", "filled 10; ");
    expect(&store, spells, "0 2 4 10 10 1000; ");
    /* Late: the cancel that the fill was faster than. */
    put(&store, 5, "order_cancelled v1:BTC-USD order=#1 leaves=0.000 cause=requested");
    put_place(&store, 5, "#2", 1);
    put_entry(&store, (struct spool_entry){.what = SPOOL_ENDED,
                                           .ended = {2, INT64_C(6000000000), EVENT_order_status}});
    expect(&store, "SELECT level, outcome FROM outcomes", "0 filled; 1 cancelled; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

/* The venue tells an end before the last fills: what they leave decides which it was. */
Test(store, a_fill_that_comes_behind_the_end_makes_no_order_filled_of_which_some_is_left)
{
    struct store store = open_store();
    put_place(&store, 1, "#1", 0);
    put(&store, 2, "order_accepted v1:BTC-USD order=#1 venue_order=\"a\"");
    put(&store, 3, "order_cancelled v1:BTC-USD order=#1 leaves=0.006 cause=requested");
    put_fill(&store, 4, "told", "100.0", "0.001", "0.006");
    put_fill(&store, 5, "silent", "100.0", "0.003", "absent");
    put_entry(&store, (struct spool_entry){.what = SPOOL_ENDED,
                                           .ended = {1, INT64_C(5000000000), EVENT_order_filled}});
    put_place(&store, 6, "#2", 1);
    put(&store, 7, "order_accepted v1:BTC-USD order=#2 venue_order=\"b\"");
    put(&store, 8, "order_cancelled v1:BTC-USD order=#2 leaves=0.000 cause=requested");
    put(&store, 9,
        "order_filled v1:BTC-USD order=#2 trade=\"all\" side=buy price=100.0 quantity=0.010 "
        "leaves=absent cause=queue liquidity=maker fee=0 fee_asset=USD");
    put_entry(&store, (struct spool_entry){.what = SPOOL_ENDED,
                                           .ended = {2, INT64_C(9000000000), EVENT_order_filled}});
    expect(&store, "SELECT level, outcome FROM outcomes", "0 cancelled; 1 filled; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

static void put_position(struct store *store, enum spool_what what, int64_t at, int64_t realised)
{
    union event_record record = {.final_position = {.instrument = 0}};
    cr_assert(money_from_units(realised, 0, &record.final_position.realised));
    const struct message position = {
        .ts_local = at, .kind = EVENT_final_position, .record = &record};
    put_entry(store, (struct spool_entry){.what = what, .message = position});
}

/* Of a tape that goes on where another ended. */
Test(store, profit_is_what_came_since_the_run_began)
{
    struct store store = open_store();
    put_position(&store, SPOOL_START, 1, 40);
    put_position(&store, SPOOL_SAMPLE, 2, 35);
    put_position(&store, SPOOL_MESSAGE, 3, 47);
    expect(&store, "SELECT why, realised FROM position ORDER BY id",
           "start 40; sample 35; final 47; ");
    expect(&store, "SELECT at_ns, net_approximate FROM profit_over_time", "1 0.0; 2 -5.0; 3 7.0; ");
    expect(&store, "SELECT realised, net_approximate FROM profit", "47 7.0; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}

static void put_last_words(struct store *store, int64_t total)
{
    union event_record record = {.final_position = {.instrument = 0}};
    const struct message position = {
        .ts_local = total, .kind = EVENT_final_position, .record = &record};
    put_entry(store, (struct spool_entry){.what = SPOOL_MESSAGE, .message = position});
    record = (union event_record){.final_balance = {.venue = 0, .asset = 1}};
    const struct message balance = {
        .ts_local = total, .kind = EVENT_final_balance, .record = &record};
    put_entry(store, (struct spool_entry){.what = SPOOL_MESSAGE, .message = balance});
}

Test(store, last_words_are_none_where_the_run_goes_on)
{
    struct store store = open_store();
    const union event_record record = {.final_position = {.instrument = 0}};
    const struct message sampled = {.ts_local = 1, .kind = EVENT_final_position, .record = &record};
    put_entry(&store, (struct spool_entry){.what = SPOOL_SAMPLE, .message = sampled});
    put_last_words(&store, 2);
    put_entry(&store, (struct spool_entry){.what = SPOOL_GOES_ON});
    expect(&store, "SELECT id, at_ns, why FROM position", "1 1 sample; ");
    expect(&store, "SELECT count(*) FROM balance", "0; ");
    put_last_words(&store, 3);
    expect(&store, "SELECT id, at_ns, why FROM position", "1 1 sample; 2 3 final; ");
    expect(&store, "SELECT count(*) FROM balance", "1; ");
    cr_expect_eq(store_shut(&store), SQLITE_OK);
}
