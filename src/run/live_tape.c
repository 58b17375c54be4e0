/* The sink of a live session: an appender, state hashes at each seal, and what happens while the tape can't be
 * written. */
#include "config.h" /* POSIX names */

#include "run/live_tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "run/settings_change.h"
#include "run/state_hashes.h"

/* What was told of the tape not being writable. */
enum gap_phase {
    GAPS_NONE,    /* it is writable, as far as anybody was told */
    GAPS_LOSING,  /* it is not: each instrument is being told */
    GAPS_LOST,    /* … was told */
    GAPS_REGAINED /* it is again: those that lost data are being told */
};

struct live_tape {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct tape_appender *appender;
    struct tape_appender_options options;
    struct tape_header header; /* of the tape as it was opened: its names are the session's */
    struct tape_header next;   /* of tapes that follow: of today's build, with these names */
    const struct tape_header *current; /* which of the two the tape has that is open */
    void *header_memory;
    char *path;
    const struct engine *engine; /* NULL: none */
    struct state_hashes hashes;
    uint64_t block;  /* the one that these two are about: */
    uint64_t inputs; /* messages of it that are no decisions */
    bool hashed;     /* it has its hashes */
    bool broken;     /* something is missing: nothing may follow it on the tape */
    bool wants_snapshots;
    unsigned instrument_count;
    uint64_t *dropped; /* by instrument: market messages since they were told last */
    enum gap_phase phase;
    unsigned next_gap; /* instrument */
    union event_record record;
    struct message gap;
};

/* --- the sink ----------------------------------------------------------------------------------------- */

static void note_block(struct live_tape *live)
{
    uint64_t block = tape_appender_block(live->appender);
    if (live->block == block)
        return;
    live->block = block;
    live->inputs = 0;
    live->hashed = false;
}

/* The state after the last input of the open block, while nothing has come since. */
static void give_hashes(struct live_tape *live)
{
    note_block(live);
    if (live->engine == NULL || live->inputs == 0 || live->hashed)
        return;
    live->hashed = true;
    size_t count;
    const struct tape_state_hash *hashes = state_hashes_take(&live->hashes, live->engine, &count);
    tape_appender_state_hashes(live->appender, hashes, count);
}

static int append_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct live_tape *live = (struct live_tape *)sink;
    if (live->broken)
        return error_set(error, ERROR_SYSTEM, "%s: the session must end", live->path);
    if (tape_appender_is_due(live->appender, message->ts_local)) {
        give_hashes(live);
        tape_appender_seal(live->appender);
    }
    note_block(live);
    int code = tape_appender_append(live->appender, message, error);
    if (code)
        return code;
    live->inputs++;
    /* The engine has not taken it, so there are no hashes for this block. */
    return message->kind == EVENT_start ? tape_appender_sync(live->appender, error) : 0;
}

/* What must not leave unwritten: it makes or changes an order, or asks what the engine then waits for. */
static bool must_be_written(unsigned kind)
{
    return kind == EVENT_place || kind == EVENT_modify || kind == EVENT_replace ||
           kind == EVENT_request_snapshot;
}

static bool is_sent(unsigned kind)
{
    return kind == EVENT_cancel || kind == EVENT_cancel_orphan || kind == EVENT_query;
}

static int append_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct live_tape *live = (struct live_tape *)sink;
    int code = live->broken ? error_set(error, ERROR_SYSTEM, "%s: the session must end", live->path)
                            : tape_appender_append(live->appender, decision, error);
    if (code != ERROR_SYSTEM)
        return code;
    live->broken = true;
    if (must_be_written(decision->kind))
        return code;
    if (is_sent(decision->kind))
        tape_appender_unwritten(live->appender, 1);
    error->code = ERROR_NONE;
    return 0;
}

static int hash_last_block(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    give_hashes((struct live_tape *)sink);
    return 0;
}

struct sink *live_tape_sink(struct live_tape *live, const struct engine *engine)
{
    ASSERT(live->inputs == 0);
    live->engine = engine;
    return &live->sink;
}

/* --- not writable ----------------------------------------------------------------------------------------- */

bool live_tape_takes(struct live_tape *live, const struct message *message)
{
    return !live->broken && tape_appender_takes(live->appender, message);
}

static const struct message *make_gap(struct live_tape *live, int64_t now, uint64_t expected)
{
    unsigned instrument = live->next_gap;
    live->record = (union event_record){.gap = {.instrument = (uint16_t)instrument,
                                                .cause = GAP_NOT_WRITTEN,
                                                .expected = expected}};
    live->gap = (struct message){.ts_local = now,
                                 .stream = EVENT_STREAM(instrument, CHANNEL_DEPTH),
                                 .kind = EVENT_gap,
                                 .record = &live->record};
    if (!tape_appender_takes(live->appender, &live->gap))
        return NULL;
    live->next_gap++;
    live->dropped[instrument] = 0;
    return &live->gap;
}

static void begin_phase(struct live_tape *live, enum gap_phase phase)
{
    live->phase = phase;
    live->next_gap = 0;
}

static const struct message *next_gap(struct live_tape *live, int64_t now)
{
    if (live->phase == GAPS_REGAINED)
        while (live->next_gap < live->instrument_count && live->dropped[live->next_gap] == 0)
            live->next_gap++;
    if (live->next_gap < live->instrument_count)
        return make_gap(live, now, live->dropped[live->next_gap]);
    if (live->phase == GAPS_REGAINED) {
        live->wants_snapshots = true;
        begin_phase(live, GAPS_NONE);
    } else {
        begin_phase(live, GAPS_LOST);
    }
    return NULL;
}

const struct message *live_tape_gap(struct live_tape *live, int64_t now)
{
    bool writable = tape_appender_state(live->appender) == TAPE_WRITABLE;
    if (!writable && (live->phase == GAPS_NONE || live->phase == GAPS_REGAINED))
        begin_phase(live, GAPS_LOSING);
    else if (writable && live->phase == GAPS_LOST)
        begin_phase(live, GAPS_REGAINED);
    bool telling = live->phase == GAPS_LOSING || live->phase == GAPS_REGAINED;
    return telling ? next_gap(live, now) : NULL;
}

void live_tape_drop(struct live_tape *live, const struct message *message)
{
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->kind >= EVENT_start)
        live->broken = true;
    else if (message->stream != EVENT_NONE_16 && instrument < live->instrument_count)
        live->dropped[instrument]++;
}

bool live_tape_wants_snapshots(struct live_tape *live)
{
    bool wants = live->wants_snapshots;
    live->wants_snapshots = false;
    return wants;
}

bool live_tape_must_end(struct live_tape *live)
{
    return live->broken || tape_appender_has_failed(live->appender);
}

void live_tape_unwritten(struct live_tape *live, uint64_t count)
{
    live->broken = true;
    tape_appender_unwritten(live->appender, count);
}

bool live_tape_trouble(struct live_tape *live, struct error *trouble)
{
    return tape_appender_trouble(live->appender, trouble);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static int different(const char *path, struct error *error, const char *what)
{
    return error_set(error, ERROR_INPUT,
                     "%s: %s on the tape is not this session's; begin a new tape", path, what);
}

/* Names in the same order, and units; what else a definition has may change. */
static const char *compare_names(const struct event_names *a, const struct event_names *b)
{
    if (a->venue_count != b->venue_count || a->asset_count != b->asset_count ||
        a->instrument_count != b->instrument_count)
        return "number of venues, assets or instruments";
    for (unsigned i = 0; i < a->venue_count; i++)
        if (strcmp(a->venues[i], b->venues[i]) != 0)
            return "a venue";
    for (unsigned i = 0; i < a->asset_count; i++)
        if (strcmp(a->assets[i], b->assets[i]) != 0)
            return "an asset";
    for (unsigned i = 0; i < a->instrument_count; i++) {
        const struct event_definition *ours = &a->definitions[i], *theirs = &b->definitions[i];
        if (strcmp(a->symbols[i], b->symbols[i]) != 0 || ours->venue != theirs->venue)
            return "an instrument";
        if (ours->contract != theirs->contract || ours->price_exponent != theirs->price_exponent ||
            ours->quantity_exponent != theirs->quantity_exponent ||
            ours->multiplier != theirs->multiplier ||
            ours->multiplier_exponent != theirs->multiplier_exponent ||
            ours->base != theirs->base || ours->quote != theirs->quote ||
            ours->settle != theirs->settle)
            return "the unit, contract or an asset of an instrument";
    }
    return NULL;
}

/* The first setting that is another than on the tape; "" where none is. */
struct other_setting {
    char text[ERROR_TEXT_MAX];
};

static void note_setting(void *context, const char *setting, const char *before, const char *after)
{
    struct other_setting *other = context;
    if (other->text[0] == '\0')
        snprintf(other->text, sizeof other->text, "%s is %s, the tape has %s", setting,
                 after != NULL ? after : "not set", before != NULL ? before : "none");
}

/* For who begins no tape under other settings (run/succession.h). */
static int check_config(const char *path, const char *wanted, const char *found,
                        struct error *error)
{
    struct other_setting other = {""};
    if (strcmp(wanted, found) == 0)
        return 0;
    int code = settings_compare(path, found, wanted, note_setting, &other, error);
    if (code || other.text[0] == '\0')
        return code;
    return error_set(error, ERROR_INPUT, "%s: %s; begin a new tape", path, other.text);
}

static int check_header(const char *path, const struct tape_header *wanted,
                        const struct tape_header *found, struct error *error)
{
    const char *fault = compare_names(&wanted->names, &found->names);
    if (fault != NULL)
        return different(path, error, fault);
    if (wanted->seed != found->seed)
        return different(path, error, "seed");
    if (wanted->feed_floor_ns != found->feed_floor_ns)
        return different(path, error, "feed floor");
    return check_config(path, wanted->config, found->config, error);
}

static int open_appender(struct live_tape *live, const struct live_tape_options *options,
                         struct tape_recovery *recovered, struct error *error)
{
    live->options = (struct tape_appender_options){
        .writer = {.block_events = options->block_events, .level = options->level},
        .sync_every = options->sync_every};
    int code = tape_appender_open(&live->appender, options->path, options->header, &live->options,
                                  recovered, error);
    if (code)
        return code;
    live->header = *tape_appender_header(live->appender);
    live->header_memory = tape_appender_keep_header(live->appender);
    live->next = *options->header;
    live->next.names = live->header.names;
    live->current = &live->header;
    return check_header(options->path, options->header, &live->header, error);
}

int live_tape_open(struct live_tape **out, const struct live_tape_options *options,
                   struct tape_recovery *recovered, struct error *error)
{
    struct live_tape *live = calloc(1, sizeof *live);
    if (!live)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", options->path);
    live->sink = (struct sink){.market = true,
                               .message = append_message,
                               .decision = append_decision,
                               .finishing = hash_last_block};
    live->instrument_count = options->header->names.instrument_count;
    ASSERT(options->header->origin == TAPE_RECORDED);
    live->path = strdup(options->path);
    live->dropped = calloc(live->instrument_count + 1, sizeof *live->dropped);
    int code = !live->path || !live->dropped
                   ? error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", options->path)
                   : state_hashes_open(&live->hashes, live->instrument_count, error);
    if (!code)
        code = open_appender(live, options, recovered, error);
    if (code)
        live_tape_abandon(&live);
    else
        *out = live;
    return code;
}

const struct tape_header *live_tape_header(const struct live_tape *live)
{
    return live->current;
}

int live_tape_fold(struct live_tape *live, struct run_engine *run, struct fold *fold,
                   struct error *error)
{
    ASSERT(live->inputs == 0);
    return fold_tape(live->path, UINT64_MAX, run, fold, error);
}

/* --- waiting and closing ----------------------------------------------------------------------------------------- */

int live_tape_wait(struct live_tape *live, struct error *error)
{
    return tape_appender_wait(live->appender, error);
}

/* Seal the open block with its hashes. Where that can't be now it stays open, and has none. */
static int seal(struct live_tape *live, struct error *error)
{
    int code = tape_appender_wait(live->appender, error);
    if (code || tape_appender_is_empty(live->appender))
        return code;
    give_hashes(live);
    tape_appender_seal(live->appender);
    return 0;
}

int live_tape_sync(struct live_tape *live, struct error *error)
{
    int code = seal(live, error);
    return code ? code : tape_appender_sync(live->appender, error);
}

/* --- rotating --------------------------------------------------------------------------------------------------- */

bool live_tape_is_calm(const struct live_tape *live)
{
    return !live->broken && live->phase == GAPS_NONE &&
           tape_appender_state(live->appender) == TAPE_WRITABLE;
}

static void pass(const struct live_tape_rotation *rotation, enum live_tape_step step)
{
    if (rotation->passed)
        rotation->passed(rotation->context, step);
}

/* The next tape, written and open. On failure it is gone again; ERROR_SYSTEM only where that failed. */
static int make_next(struct live_tape *live, const struct live_tape_rotation *rotation,
                     struct tape_appender **appender, struct error *error)
{
    struct tape_recovery recovery;
    struct error withdrawn;
    const struct rotation_next next = {
        .path = rotation->path,
        .header = &live->next,
        .predecessor =
            rotation_describe(live->appender, live->path, rotation->number, rotation->epoch),
        .ts_local = tape_appender_last_ts(live->appender),
        .engine = rotation->engine,
        .warm = rotation->warm,
        .market = rotation->market,
        .market_count = rotation->market_count};
    int code = rotation_write(&next, error);
    if (code)
        return code;
    pass(rotation, LIVE_TAPE_WRITTEN);
    code =
        tape_appender_open(appender, rotation->path, &live->next, &live->options, &recovery, error);
    if (!code || !rotation_withdraw(rotation->path, &withdrawn))
        return code;
    *error = withdrawn;
    live->broken = true; /* a start would go on with the next one */
    return code;
}

int live_tape_rotate(struct live_tape *live, const struct live_tape_rotation *rotation,
                     bool *rotated, struct error *error)
{
    struct tape_appender *next = NULL;
    char *path = strdup(rotation->path);
    *rotated = false;
    if (path == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", rotation->path);
    int code = live_tape_sync(live, error);
    if (!code) {
        pass(rotation, LIVE_TAPE_SYNCED);
        code = make_next(live, rotation, &next, error);
    }
    if (code) {
        free(path);
        return live->broken ? ERROR_SYSTEM : 0;
    }
    pass(rotation, LIVE_TAPE_OPENED);
    *rotated = true;
    /* Where it can't get its end now, the next start gives it one. */
    error->code = ERROR_NONE;
    (void)tape_appender_finish(&live->appender, error);
    pass(rotation, LIVE_TAPE_FINISHED);
    live->appender = next;
    free(live->path);
    live->path = path;
    live->current = &live->next;
    live->block = live->inputs = 0;
    live->hashed = false;
    return 0;
}

/* All but the appender, which is closed. */
static void drop(struct live_tape **out)
{
    struct live_tape *live = *out;
    *out = NULL;
    state_hashes_close(&live->hashes);
    free(live->header_memory);
    free(live->dropped);
    free(live->path);
    free(live);
}

int live_tape_finish(struct live_tape **live, struct error *error)
{
    struct error told_by_the_next;
    seal(*live, &told_by_the_next);
    int code = tape_appender_finish(&(*live)->appender, error);
    drop(live);
    return code;
}

void live_tape_abandon(struct live_tape **live)
{
    if (*live == NULL)
        return;
    tape_appender_abandon(&(*live)->appender);
    drop(live);
}
