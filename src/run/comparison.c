/* The sink of `verify`: a second walk over the tape beside the engine's. */
#include "run/comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "run/fold.h"
#include "run/state_hashes.h"

struct comparison {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct engine *engine;
    struct tape_reader *reader;
    const struct event_names *names;
    struct tape_block block; /* the one where the walk stands */
    size_t next_block;
    uint32_t at;          /* message of the block that comes next */
    uint32_t input_count; /* messages up to the block's last one that is no decision */
    uint64_t passed;      /* messages of the tape before `at` */
    bool recorded;        /* by a session that may have been killed */
    bool cut;             /* this one was: it decided what is not on the tape, which ended there */
    uint64_t decisions, state_hashes, sessions, cut_sessions;
    size_t room_count;
    uint64_t *hashes;
    struct difference difference;
};

static bool is_decision(const struct message *message)
{
    return message->kind >= EVENT_place;
}

/* Which part of the engine makes a kind of decision. */
static const char *decision_room(unsigned kind)
{
    static const struct {
        uint8_t kind;
        const char *room;
    } rooms[] = {
        {EVENT_place, "orders"},
        {EVENT_cancel, "orders"},
        {EVENT_modify, "orders"},
        {EVENT_replace, "orders"},
        {EVENT_query, "orders"},
        {EVENT_gate, "risk"},
        {EVENT_removed, "risk"},
        {EVENT_risk_mark, "risk"},
        {EVENT_breaker, "breakers"},
        {EVENT_pause, "breakers"},
        {EVENT_learned, "strategy"},
        {EVENT_final_position, "positions"},
        {EVENT_final_balance, "positions"},
        {EVENT_shutdown_state, "shutdown"},
        {EVENT_step_failed, "shutdown"},
        {EVENT_unconfirmed, "shutdown"},
        {EVENT_final_counters, "shutdown"},
        {EVENT_funding_booked, "positions"},
        {EVENT_adopted, "positions"},
    };
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        if (rooms[i].kind == kind)
            return rooms[i].room;
    return "engine";
}

static void describe(const struct comparison *comparison, const struct message *message,
                     char out[DIFFERENCE_TEXT_MAX])
{
    if (message)
        message_to_text(message, comparison->names, out, DIFFERENCE_TEXT_MAX);
    else
        snprintf(out, DIFFERENCE_TEXT_MAX, "none");
}

static int tell(struct difference *difference, struct error *error)
{
    difference->found = true;
    return error_set(error, ERROR_DIFFERENT, "message %" PRIu64 ": %s, %s: expected %s, found %s",
                     difference->message, difference->room, difference->field, difference->expected,
                     difference->actual);
}

/* The first field in which two decisions of one kind differ. */
static const char *different_field(const struct message *a, const struct message *b)
{
    if (a->kind != b->kind)
        return "kind";
    if (a->ts_local != b->ts_local)
        return "ts_local";
    const struct event_kind_info *info = event_kind_info(a->kind);
    uint8_t bytes[2][EVENT_RECORD_BYTES_MAX];
    union event_record record = *a->record;
    for (size_t i = 0; i < info->field_count; i++) {
        size_t end = i + 1 < info->field_count ? info->fields[i + 1].offset : sizeof record;
        size_t start = info->fields[i].offset;
        /* With the other's field put in, are the canonical bytes those of before? */
        size_t length = record_encode(a->kind, &record, bytes[0]);
        memcpy((char *)&record + start, (const char *)b->record + start, end - start);
        record_encode(a->kind, &record, bytes[1]);
        if (memcmp(bytes[0], bytes[1], length) != 0)
            return info->fields[i].name;
    }
    return "head";
}

static int different_decision(struct comparison *comparison, const struct message *expected,
                              const struct message *actual, struct error *error)
{
    struct difference *difference = &comparison->difference;
    const struct message *either = actual ? actual : expected;
    difference->message = comparison->passed + 1;
    difference->ts_local = either->ts_local;
    snprintf(difference->room, DIFFERENCE_NAME_MAX, "%s", decision_room(either->kind));
    snprintf(difference->field, DIFFERENCE_NAME_MAX, "%s",
             expected && actual ? different_field(expected, actual) : "decision");
    describe(comparison, expected, difference->expected);
    describe(comparison, actual, difference->actual);
    return tell(difference, error);
}

static int enter_block(struct comparison *comparison, struct error *error)
{
    struct tape_block *block = &comparison->block;
    int code = tape_reader_read(comparison->reader, comparison->next_block, block, error);
    if (code)
        return code;
    comparison->next_block++;
    comparison->at = 0;
    comparison->input_count = block->message_count;
    while (comparison->input_count > 0 &&
           is_decision(&block->messages[comparison->input_count - 1]))
        comparison->input_count--;
    return 0;
}

/* The tape's next message, NULL at its end. */
static int peek(struct comparison *comparison, const struct message **message, struct error *error)
{
    *message = NULL;
    while (comparison->at == comparison->block.message_count) {
        if (comparison->next_block == tape_reader_block_count(comparison->reader))
            return 0;
        int code = enter_block(comparison, error);
        if (code)
            return code;
    }
    *message = &comparison->block.messages[comparison->at];
    return 0;
}

static void pass(struct comparison *comparison)
{
    comparison->at++;
    comparison->passed++;
}

/* A start that follows another, and does not go on with its session. */
static bool begins_anew(const struct comparison *comparison, const struct message *message)
{
    return message->kind == EVENT_start && comparison->sessions > 0 &&
           !engine_goes_on(comparison->engine, &message->record->start);
}

/* Whether the session may have died before what comes next on the tape; NULL: nothing. */
static bool may_have_died(const struct comparison *comparison, const struct message *next)
{
    return comparison->recorded &&
           (!next || begins_anew(comparison, next) || fold_tells_loss(next));
}

/* The engine decided what the tape does not have next. */
static int undecided(struct comparison *comparison, const struct message *expected,
                     const struct message *decision, struct error *error)
{
    struct error remembered;
    if (!may_have_died(comparison, expected))
        return different_decision(comparison, expected, decision, error);
    /* Should it go on nevertheless, this was the first difference. */
    different_decision(comparison, expected, decision, &remembered);
    comparison->difference.found = false;
    comparison->cut = true;
    /* Of a tape that follows another a death may have come before its first start. */
    comparison->cut_sessions += comparison->sessions > 0;
    return 0;
}

static int compare_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct comparison *comparison = (struct comparison *)sink;
    const struct message *expected;
    if (comparison->cut)
        return 0;
    if (peek(comparison, &expected, error))
        return error->code;
    if (!expected || !is_decision(expected))
        return undecided(comparison, expected, decision, error);
    uint8_t bytes[2][EVENT_RECORD_BYTES_MAX];
    size_t length = message_encode(expected, bytes[0], sizeof bytes[0]);
    if (message_encode(decision, bytes[1], sizeof bytes[1]) != length ||
        memcmp(bytes[0], bytes[1], length) != 0)
        return different_decision(comparison, expected, decision, error);
    pass(comparison);
    comparison->decisions++;
    return 0;
}

/* The engine of a session ends before another starts: what stands on the tape of its end, it must say. */
static int end_session(struct comparison *comparison, struct error *error)
{
    struct actions actions = engine_finish(comparison->engine);
    for (size_t i = 0; i < actions.count; i++)
        if (compare_decision(&comparison->sink, &actions.messages[i], error))
            return error->code;
    return 0;
}

/* A session that seemed to be cut short goes on. */
static int went_on(struct comparison *comparison, struct error *error)
{
    return tell(&comparison->difference, error);
}

static int compare_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct comparison *comparison = (struct comparison *)sink;
    const struct message *expected;
    bool restarts = message->kind == EVENT_start && comparison->sessions > 0;
    if (comparison->recorded && restarts && !comparison->cut && end_session(comparison, error))
        return error->code;
    if (comparison->cut && !begins_anew(comparison, message) && !fold_tells_loss(message))
        return went_on(comparison, error);
    if (peek(comparison, &expected, error))
        return error->code;
    ASSERT(expected);
    if (is_decision(expected))
        return different_decision(comparison, expected, NULL, error);
    /* The feed reads the same tape. */
    ASSERT(expected->kind == message->kind && expected->ts_local == message->ts_local);
    pass(comparison);
    if (message->kind == EVENT_start) {
        comparison->sessions += comparison->sessions == 0 || begins_anew(comparison, message);
        comparison->cut = false;
    }
    return 0;
}

/* What a state hash of a block is of; empty where the engine has no such room. */
static void name_room(const struct comparison *comparison, uint16_t room,
                      char out[DIFFERENCE_NAME_MAX])
{
    uint16_t instrument = EVENT_NONE_16;
    char name[EVENT_INSTRUMENT_NAME_MAX] = "";
    if (room >= comparison->room_count) {
        snprintf(out, DIFFERENCE_NAME_MAX, "%s",
                 room == state_hash_whole_room(comparison->engine) ? "whole state" : "");
        return;
    }
    const char *kind = engine_room_name(comparison->engine, room, &instrument);
    if (instrument != EVENT_NONE_16)
        event_instrument_name(comparison->names, instrument, name);
    snprintf(out, DIFFERENCE_NAME_MAX, "%s%s%s", kind, *name ? " " : "", name);
}

/* `actual` NULL: the engine has no such room. */
static int different_hash(struct comparison *comparison, const struct tape_state_hash *expected,
                          const uint64_t *actual, struct error *error)
{
    struct difference *difference = &comparison->difference;
    difference->message = comparison->passed;
    difference->ts_local = comparison->block.messages[comparison->at - 1].ts_local;
    if (actual) {
        name_room(comparison, expected->room, difference->room);
        snprintf(difference->actual, DIFFERENCE_TEXT_MAX, "%016" PRIx64, *actual);
    } else {
        snprintf(difference->room, DIFFERENCE_NAME_MAX, "room %u", expected->room);
        snprintf(difference->actual, DIFFERENCE_TEXT_MAX, "none");
    }
    snprintf(difference->field, DIFFERENCE_NAME_MAX, "state hash of block %" PRIu64,
             comparison->block.number);
    snprintf(difference->expected, DIFFERENCE_TEXT_MAX, "%016" PRIx64, expected->hash);
    return tell(difference, error);
}

static int compare_state(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct comparison *comparison = (struct comparison *)sink;
    const struct tape_block *block = &comparison->block;
    if (comparison->at != comparison->input_count || block->state_hash_count == 0 ||
        comparison->cut)
        return 0;
    engine_room_hashes(engine, comparison->hashes, comparison->room_count);
    for (uint32_t i = 0; i < block->state_hash_count; i++) {
        const struct tape_state_hash *expected = &block->state_hashes[i];
        const uint64_t *actual = NULL;
        uint64_t whole;
        if (expected->room < comparison->room_count) {
            actual = &comparison->hashes[expected->room];
        } else if (expected->room == state_hash_whole_room(engine)) {
            whole = state_hash_whole(engine);
            actual = &whole;
        }
        if (!actual || *actual != expected->hash)
            return different_hash(comparison, expected, actual, error);
        comparison->state_hashes++;
    }
    return 0;
}

int comparison_finish(struct comparison *comparison, struct error *error)
{
    const struct message *expected;
    if (peek(comparison, &expected, error))
        return error->code;
    return expected ? different_decision(comparison, expected, NULL, error) : 0;
}

int comparison_open(struct comparison **out, const char *path, struct engine *engine,
                    struct error *error)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    if (!comparison)
        return error_set(error, ERROR_SYSTEM, "no memory for the comparison");
    comparison->sink = (struct sink){.market = true,
                                     .message = compare_message,
                                     .stepped = compare_state,
                                     .decision = compare_decision};
    comparison->engine = engine;
    comparison->room_count = engine_room_count(engine);
    comparison->hashes = calloc(comparison->room_count + 1, sizeof *comparison->hashes);
    int code = comparison->hashes ? 0 : error_set(error, ERROR_SYSTEM, "no memory for hashes");
    if (!code)
        code = tape_reader_open(&comparison->reader, path, error);
    if (!code)
        code = tape_block_init(&comparison->block, comparison->reader, error);
    if (code) {
        comparison_close(&comparison);
        return code;
    }
    comparison->block.message_count = 0;
    comparison->names = &tape_reader_header(comparison->reader)->names;
    comparison->recorded = tape_reader_header(comparison->reader)->origin == TAPE_RECORDED;
    *out = comparison;
    return 0;
}

void comparison_close(struct comparison **out)
{
    struct comparison *comparison = *out;
    if (!comparison)
        return;
    *out = NULL;
    if (comparison->block.memory)
        tape_block_free(&comparison->block);
    tape_reader_close(&comparison->reader);
    free(comparison->hashes);
    free(comparison);
}

struct sink *comparison_sink(struct comparison *comparison)
{
    return &comparison->sink;
}

const struct difference *comparison_difference(const struct comparison *comparison)
{
    return &comparison->difference;
}

uint64_t comparison_decisions(const struct comparison *comparison)
{
    return comparison->decisions;
}

uint64_t comparison_state_hashes(const struct comparison *comparison)
{
    return comparison->state_hashes;
}

uint64_t comparison_passed(const struct comparison *comparison)
{
    return comparison->passed;
}

uint64_t comparison_sessions(const struct comparison *comparison)
{
    return comparison->sessions;
}

bool comparison_is_cut(const struct comparison *comparison)
{
    return comparison->cut;
}

uint64_t comparison_cut_sessions(const struct comparison *comparison)
{
    return comparison->cut_sessions;
}
