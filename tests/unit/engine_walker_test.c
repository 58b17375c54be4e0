/* The walker's visitors, the room hashes, and the fold of the carry. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

static struct harness h;

static char *text_of(const struct engine *engine, size_t *length)
{
    struct walker_text text;
    walker_text_init(&text, NULL, 0);
    engine_walk(engine, &text.walker);
    char *out = malloc(text.length + 1);
    walker_text_init(&text, out, text.length);
    engine_walk(engine, &text.walker);
    out[text.length] = '\0';
    *length = text.length;
    return out;
}

static uint64_t hash_of(const struct engine *engine,
                        void (*walk)(const struct engine *, struct walker *))
{
    struct walker_hash hash;
    walker_hash_init(&hash);
    walk(engine, &hash.walker);
    return hash.hash;
}

static void quoted(void)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
}

Test(walker, text_and_difference)
{
    size_t length;
    quoted();
    char *text = text_of(h.engine, &length);
    cr_expect_neq(strstr(text, "orders - price 1 990\n"), NULL);
    struct walker_difference difference;
    walker_difference_init(&difference, text, length);
    engine_walk(h.engine, &difference.walker);
    cr_expect_not(walker_difference_found(&difference));
    harness_order(&h, 1)->price = 985;
    walker_difference_init(&difference, text, length);
    engine_walk(h.engine, &difference.walker);
    cr_assert(walker_difference_found(&difference));
    cr_expect_str_eq(difference.found_room, "orders");
    cr_expect_str_eq(difference.found_name, "price");
    cr_expect_eq(difference.found_index, 1);
    cr_expect_str_eq(difference.ours, "orders - price 1 985");
    cr_expect_str_eq(difference.theirs, "orders - price 1 990");
    walker_difference_init(&difference, "", 0);
    engine_walk(h.engine, &difference.walker);
    cr_expect(walker_difference_found(&difference));
    free(text);
}

Test(walker, a_hash_sees_a_field)
{
    quoted();
    uint64_t before = hash_of(h.engine, engine_walk);
    cr_expect_eq(before, hash_of(h.engine, engine_walk));
    h.engine->instruments[0].position.cost.atto++;
    cr_expect_neq(before, hash_of(h.engine, engine_walk));
}

Test(walker, rooms)
{
    uint64_t before[8], after[8];
    uint16_t instrument;
    quoted();
    cr_assert_eq(engine_room_count(h.engine), 5);
    cr_expect_str_eq(engine_room_name(h.engine, 0, &instrument), "book");
    cr_expect_eq(instrument, 0);
    cr_expect_str_eq(engine_room_name(h.engine, 2, &instrument), "risk");
    cr_expect_eq(instrument, EVENT_NONE_16);
    engine_room_hashes(h.engine, before, 8);
    h.engine->instruments[0].paused = true;
    engine_room_hashes(h.engine, after, 8);
    for (size_t room = 0; room < 5; room++)
        cr_expect_eq(before[room] == after[room],
                     strcmp(engine_room_name(h.engine, room, &instrument), "breakers") != 0);
}

/* Two engines, the same messages: the same state to the last field. */
Test(walker, the_same_messages_make_the_same_state)
{
    quoted();
    uint64_t first = hash_of(h.engine, engine_walk);
    harness_close(&h);
    quoted();
    cr_expect_eq(first, hash_of(h.engine, engine_walk));
    harness_close(&h);
}

/* --- fold --------------------------------------------------------------------------------------------- */

static struct engine *second_engine(void)
{
    struct engine_config config = {.global = &h.global,
                                   .venue_count = 2,
                                   .asset_count = HARNESS_ASSETS,
                                   .instrument_count = h.instrument_count,
                                   .venues = h.venues,
                                   .instruments = h.settings,
                                   .definitions = h.definitions};
    return engine_init(aligned_alloc(64, h.size), h.size, &config);
}

static struct engine *folded;

/* What a tape would hold of the last step: the session record, then the decisions. */
static void fold_step(enum event_kind kind, const union event_record *record)
{
    struct message message = {.ts_local = h.now,
                              .kind = (uint8_t)kind,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .record = record};
    harness_give(&h, &message);
    engine_fold(folded, &message);
    for (size_t i = 0; i < h.count; i++)
        engine_fold(folded, &h.decisions[i]);
}

static void fold_book(int64_t bid, int64_t ask)
{
    harness_book(&h, 0, EVENT_snapshot, bid, 50, ask, 40);
    for (size_t i = 0; i < h.count; i++)
        engine_fold(folded, &h.decisions[i]);
}

Test(walker, the_carry_folds_from_session_and_decision_records)
{
    union event_record record;
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    harness_start(&h);
    folded = second_engine();
    memset(&record, 0, sizeof record);
    fold_step(EVENT_start, &record);
    record.snapshot_end = (struct event_snapshot_end){.venue = 0};
    fold_step(EVENT_snapshot_end, &record);
    record.balance = (struct event_balance){.asset = ASSET_QUOTE};
    money_from_units(1000, 0, &record.balance.total);
    fold_step(EVENT_balance, &record);
    record.balance.asset = ASSET_BASE;
    fold_step(EVENT_balance, &record);
    fold_book(1000, 1005);
    record.order_accepted = (struct event_order_accepted){.order = 1};
    fold_step(EVENT_order_accepted, &record);
    h.now = SECONDS(1);
    record.order_filled = (struct event_order_filled){.order = 1,
                                                      .price = {990, NUMBER_VALUE},
                                                      .quantity = {2, NUMBER_VALUE},
                                                      .fee_asset = ASSET_QUOTE};
    fold_step(EVENT_order_filled, &record);
    fold_book(1100, 1105);
    h.now = SECONDS(6);
    record.tick = (struct event_tick){.deadline = h.now};
    fold_step(EVENT_tick, &record); /* #2 was never answered: a query */
    cr_expect_geq(harness_count(&h, EVENT_query), 1);
    record.command = (struct event_command){.command = COMMAND_TRIP, .instrument = EVENT_NONE_16};
    fold_step(EVENT_command, &record);
    record.command.command = COMMAND_PAUSE;
    fold_step(EVENT_command, &record);
    struct walker_text text;
    struct walker_difference difference;
    char ours[65536];
    walker_text_init(&text, ours, sizeof ours);
    engine_walk_carry(h.engine, &text.walker);
    cr_assert_leq(text.length, sizeof ours);
    walker_difference_init(&difference, ours, text.length);
    engine_walk_carry(folded, &difference.walker);
    cr_expect_not(walker_difference_found(&difference), "folded '%s', lived '%s'", difference.ours,
                  difference.theirs);
    cr_expect_eq(hash_of(folded, engine_walk_carry), hash_of(h.engine, engine_walk_carry));
}
