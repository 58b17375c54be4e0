/* See collect.h. */
#include "ops/collect.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

#define PUBLISH_NS (100 * NS_PER_MS)

/* --- rings -------------------------------------------------------------------------------------- */

static bool ring_open(struct ops_ring *ring, size_t capacity)
{
    ring->cells = calloc(capacity, sizeof(struct ops_cell *));
    if (!ring->cells)
        return false;
    ring->capacity = capacity;
    for (size_t i = 0; i < capacity; i++) {
        ring->cells[i] = ops_cell_new(sizeof(struct ops_entry));
        if (!ring->cells[i])
            return false;
    }
    return true;
}

static void ring_close(struct ops_ring *ring)
{
    for (size_t i = 0; i < ring->capacity; i++)
        free(ring->cells[i]);
    free(ring->cells);
}

/* The record as far as its kind has fields. */
static void ring_put(struct ops_ring *ring, const struct message *message,
                     const struct message *cause)
{
    struct ops_entry entry = {.message = *message, .record = *message->record};
    uint64_t number = ops_read(&ring->count) + 1;
    entry.number = number;
    entry.message.rows = NULL;
    entry.message.record = NULL;
    entry.cause_instrument = EVENT_NONE_16;
    if (cause) {
        entry.cause_kind = cause->kind;
        entry.cause_instrument = message_instrument(cause);
    }
    ops_cell_write(ring->cells[(number - 1) % ring->capacity], &entry, sizeof entry);
    atomic_store_explicit(&ring->count, number, memory_order_release);
}

size_t ops_ring_read(struct ops_ring *ring, struct ops_entry *entries, size_t capacity)
{
    uint64_t newest = atomic_load_explicit(&ring->count, memory_order_acquire);
    size_t most = capacity < ring->capacity ? capacity : ring->capacity, count = 0;
    for (uint64_t number = newest; number > 0 && newest - number < most; number--) {
        struct ops_entry *entry = &entries[count];
        /* Where a newer one has taken its place, so it has that of all older ones. */
        if (!ops_cell_read(ring->cells[(number - 1) % ring->capacity], entry, sizeof *entry) ||
            entry->number != number)
            break;
        count++;
    }
    return count;
}

/* --- publishing --------------------------------------------------------------------------------- */

static void publish_instrument(struct ops_collect *collect, unsigned index, int64_t now)
{
    struct engine *engine = collect->session.engine;
    struct ops_instrument *out = collect->scratch;
    const struct book *book = engine_book(engine, index);
    out->ts = now;
    engine_instrument_status(engine, index, &out->status);
    engine_position(engine, index, &out->position);
    for (unsigned side = 0; side < 2; side++)
        out->level_counts[side] =
            (uint32_t)book_levels(book, (enum side)side, out->levels[side], OPS_LEVELS);
    out->trade = collect->trades[index];
    out->own_count = engine_own_orders(engine, index, out->own, OPS_OWN_ORDERS);
    ops_cell_write(collect->instruments[index], out,
                   offsetof(struct ops_instrument, own) + out->own_count * sizeof out->own[0]);
    collect->published[index] = now;
}

static void publish_balances(struct ops_collect *collect, struct ops_account *out)
{
    const struct event_names *names = collect->session.names;
    out->balance_count = 0;
    for (unsigned venue = 0; venue < names->venue_count; venue++)
        for (unsigned asset = 0; asset < names->asset_count; asset++) {
            struct ops_balance *balance = &out->balances[out->balance_count];
            if (out->balance_count == OPS_BALANCES ||
                !engine_balance(collect->session.engine, venue, asset, &balance->total))
                continue;
            balance->venue = (uint16_t)venue;
            balance->asset = (uint16_t)asset;
            out->balance_count++;
        }
}

static void publish_account(struct ops_collect *collect, int64_t now)
{
    struct engine *engine = collect->session.engine;
    struct ops_account *out = collect->account_scratch;
    out->ts = now;
    out->state = engine_account_state(engine);
    out->counters = *engine_counters(engine);
    engine_database_status(engine, &out->database);
    out->open_orders = engine_open_orders(engine);
    out->shutdown = engine_shutdown_step(engine);
    publish_balances(collect, out);
    ops_cell_write(collect->account, out, sizeof *out);
    for (unsigned venue = 0; venue < collect->session.names->venue_count; venue++) {
        struct engine_venue_status status;
        engine_venue_status(engine, venue, &status);
        ops_cell_write(collect->venues[venue].status, &status, sizeof status);
    }
    collect->account_published = now;
}

static bool is_due(int64_t published, int64_t now)
{
    return published == INT64_MIN || now - published >= PUBLISH_NS;
}

/* Draining may be said by another thread meanwhile, and stands. */
static void note_quote(struct ops_collect *collect)
{
    int64_t quoted = engine_last_quote(collect->session.engine);
    int64_t known = atomic_load_explicit(&collect->last_quote, memory_order_relaxed);
    if (quoted > 0 && quoted != known && known != OPS_DRAINING)
        atomic_compare_exchange_strong(&collect->last_quote, &known, quoted);
}

void ops_collect_drain(struct ops_collect *collect)
{
    atomic_store(&collect->last_quote, OPS_DRAINING);
}

/* Each message publishes what it is about, and one instrument in turn. */
static void publish_due(struct ops_collect *collect, const struct message *message)
{
    const unsigned count = collect->session.names->instrument_count;
    const int64_t now = message->ts_local;
    const unsigned of_stream =
        message->stream == EVENT_NONE_16 ? count : EVENT_STREAM_INSTRUMENT(message->stream);
    const bool at_once = message->kind >= EVENT_start && message->kind != EVENT_tick;
    if (of_stream < count && (at_once || is_due(collect->published[of_stream], now)))
        publish_instrument(collect, of_stream, now);
    if (count > 0) {
        collect->turn = collect->turn + 1 < count ? collect->turn + 1 : 0;
        if (is_due(collect->published[collect->turn], now))
            publish_instrument(collect, collect->turn, now);
    }
    if (at_once || is_due(collect->account_published, now))
        publish_account(collect, now);
    note_quote(collect);
}

/* --- messages ----------------------------------------------------------------------------------- */

static void note_trade(struct ops_trade *trade, const struct message *message)
{
    const struct row *row = &message->rows[message->row_count - 1];
    if (row->price_status == NUMBER_VALUE && row->quantity_status == NUMBER_VALUE)
        *trade = (struct ops_trade){.price = row->price,
                                    .quantity = row->quantity,
                                    .ts = message->ts_local,
                                    .side = row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY};
}

static void note_market(struct ops_collect *collect, const struct message *message)
{
    const struct event_names *names = collect->session.names;
    const unsigned instrument =
        message->stream == EVENT_NONE_16 ? EVENT_NONE_16 : EVENT_STREAM_INSTRUMENT(message->stream);
    if (instrument < names->instrument_count && message->flags & MESSAGE_VENUE_TIME)
        ops_observe(&collect->venues[names->definitions[instrument].venue].event_age,
                    message->ts_local - message->ts_venue);
    if (message->kind == EVENT_trade && instrument < names->instrument_count &&
        message->row_count > 0) {
        note_trade(&collect->trades[instrument], message);
    } else if (message->kind == EVENT_gap &&
               message->record->gap.instrument < names->instrument_count) {
        const struct event_gap *gap = &message->record->gap;
        ops_count(&collect->venues[names->definitions[gap->instrument].venue].gaps[gap->cause]);
        ring_put(&collect->noticed, message, NULL);
    } else if (message->kind == EVENT_feed_connection &&
               message->record->feed_connection.venue < names->venue_count) {
        const struct event_feed_connection *feed = &message->record->feed_connection;
        atomic_store(&collect->venues[feed->venue].feed_up, feed->connected != 0);
        ring_put(&collect->noticed, message, NULL);
    } else if (message->kind == EVENT_reference_rate &&
               message->record->reference_rate.from < names->asset_count) {
        const struct event_reference_rate *rate = &message->record->reference_rate;
        ops_cell_write(collect->rates[rate->from], rate, sizeof *rate);
    }
}

static bool is_notice(unsigned kind)
{
    switch (kind) {
    case EVENT_start:
    case EVENT_order_rejected:
    case EVENT_order_unknown:
    case EVENT_command:
    case EVENT_orders_stream:
    case EVENT_adopt:
    case EVENT_adopted:
    case EVENT_clock_jump:
    case EVENT_shutdown:
    case EVENT_gate:
    case EVENT_removed:
    case EVENT_breaker:
    case EVENT_pause:
    case EVENT_shutdown_state:
    case EVENT_infrastructure:
    case EVENT_alarm:
    case EVENT_step_failed:
    case EVENT_unconfirmed:
        return true;
    default:
        return false;
    }
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct ops_collect *collect = (struct ops_collect *)sink;
    const struct engine *engine = collect->session.engine;
    const bool session = message->kind >= EVENT_start;
    (void)error;
    collect->message = message;
    collect->told = message->ts_local;
    ops_count(&collect->messages[session]);
    if (collect->session.live && collect->session.waited)
        ops_observe(&collect->loop_lag, *collect->session.waited);
    collect->goes_on =
        engine && message->kind == EVENT_start && engine_goes_on(engine, &message->record->start);
    if (message->kind == EVENT_start)
        atomic_store_explicit(&collect->epoch, message->record->start.epoch, memory_order_relaxed);
    if (!session) {
        note_market(collect, message);
    } else if (engine) {
        collect->fills_before = engine_counters(engine)->fills;
        collect->was_open = ops_lives_was_open(engine, message);
        collect->limit = message->kind == EVENT_order_filled
                             ? engine_order_price(engine, message->record->order_filled.order)
                             : 0;
    }
    return 0;
}

static int take_step(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct ops_collect *collect = (struct ops_collect *)sink;
    const struct message *message = collect->message;
    (void)error;
    if (message->kind >= EVENT_start) {
        ops_lives_message(collect, message);
        if (engine_counters(engine)->fills > collect->fills_before)
            ring_put(&collect->filled, message, NULL);
        if (is_notice(message->kind) && !collect->goes_on)
            ring_put(&collect->noticed, message, NULL);
        if (message->kind == EVENT_shutdown)
            ops_collect_drain(collect);
    }
    publish_due(collect, message);
    if (collect->session.live)
        ops_observe(&collect->step, clock_now(collect->session.clock) - message->ts_local);
    return 0;
}

static bool is_order(unsigned kind)
{
    return kind == EVENT_place || kind == EVENT_modify || kind == EVENT_replace;
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct ops_collect *collect = (struct ops_collect *)sink;
    (void)error;
    ops_count(&collect->decisions);
    ops_lives_decision(collect, decision);
    if (is_notice(decision->kind))
        ring_put(&collect->noticed, decision, collect->message);
    else if (is_order(decision->kind) || decision->kind == EVENT_cancel)
        ring_put(&collect->decided, decision, collect->message);
    if (collect->session.live && is_order(decision->kind))
        ops_observe(&collect->tick_to_order,
                    clock_now(collect->session.clock) - decision->ts_local +
                        (collect->session.waited ? *collect->session.waited : 0));
    return 0;
}

/* What stands at the end is shown whole, however young the last of it is. */
static int take_finish(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct ops_collect *collect = (struct ops_collect *)sink;
    (void)engine;
    (void)error;
    collect->message = NULL; /* its feed may be done with it */
    for (unsigned i = 0; i < collect->session.names->instrument_count; i++)
        publish_instrument(collect, i, collect->told);
    publish_account(collect, collect->told);
    return 0;
}

/* --- in front of the tape ----------------------------------------------------------------------- */

static struct ops_collect *of_timed(struct sink *sink)
{
    return (struct ops_collect *)((char *)sink - offsetof(struct ops_collect, timed));
}

static int timed_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct ops_collect *collect = of_timed(sink);
    int64_t before = clock_now(&clock_monotonic);
    int code = collect->tape->message(collect->tape, message, error);
    ops_observe(&collect->tape_write, clock_now(&clock_monotonic) - before);
    return code;
}

static int timed_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct sink *tape = of_timed(sink)->tape;
    return tape->stepped(tape, engine, error);
}

static int timed_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct ops_collect *collect = of_timed(sink);
    int64_t before = clock_now(&clock_monotonic);
    int code = collect->tape->decision(collect->tape, decision, error);
    ops_observe(&collect->tape_write, clock_now(&clock_monotonic) - before);
    return code;
}

static int timed_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct sink *tape = of_timed(sink)->tape;
    return tape->finishing(tape, engine, error);
}

struct sink *ops_collect_timed(struct ops_collect *collect, struct sink *tape)
{
    collect->tape = tape;
    collect->timed = (struct sink){.market = tape->market,
                                   .message = tape->message ? timed_message : NULL,
                                   .stepped = tape->stepped ? timed_stepped : NULL,
                                   .decision = tape->decision ? timed_decision : NULL,
                                   .finishing = tape->finishing ? timed_finishing : NULL};
    return &collect->timed;
}

/* --- opening ------------------------------------------------------------------------------------ */

static bool open_venues(struct ops_collect *collect, unsigned count)
{
    collect->venues = calloc(count ? count : 1, sizeof *collect->venues);
    for (unsigned v = 0; collect->venues && v < count; v++) {
        struct ops_venue_figures *venue = &collect->venues[v];
        venue->execution.bounds = &ops_bounds_execution;
        venue->event_age.bounds = &ops_bounds_fine;
        for (unsigned request = 0; request < OPS_REQUESTS; request++)
            venue->answers[request].bounds = &ops_bounds_fine;
        atomic_init(&venue->feed_up, true);
        venue->status = ops_cell_new(sizeof(struct engine_venue_status));
        if (!venue->status)
            return false;
    }
    return collect->venues != NULL;
}

static bool open_cells(struct ops_cell ***cells, unsigned count, size_t size)
{
    *cells = calloc(count ? count : 1, sizeof **cells);
    for (unsigned i = 0; *cells && i < count; i++) {
        (*cells)[i] = ops_cell_new(size);
        if (!(*cells)[i])
            return false;
    }
    return *cells != NULL;
}

static bool open_all(struct ops_collect *collect, const struct event_names *names)
{
    collect->loop_lag.bounds = collect->step.bounds = &ops_bounds_fine;
    collect->tick_to_order.bounds = collect->tape_write.bounds = &ops_bounds_fine;
    collect->account = ops_cell_new(sizeof(struct ops_account));
    collect->scratch = calloc(1, sizeof *collect->scratch);
    collect->account_scratch = calloc(1, sizeof *collect->account_scratch);
    collect->published = calloc(names->instrument_count + 1, sizeof *collect->published);
    collect->trades = calloc(names->instrument_count + 1, sizeof *collect->trades);
    for (unsigned i = 0; collect->published && i < names->instrument_count; i++)
        collect->published[i] = INT64_MIN;
    return collect->account && collect->scratch && collect->account_scratch && collect->published &&
           collect->trades && open_venues(collect, names->venue_count) &&
           open_cells(&collect->instruments, names->instrument_count,
                      sizeof(struct ops_instrument)) &&
           open_cells(&collect->rates, names->asset_count, sizeof(struct event_reference_rate)) &&
           ring_open(&collect->decided, OPS_DECISIONS) && ring_open(&collect->filled, OPS_FILLS) &&
           ring_open(&collect->noticed, OPS_NOTICES);
}

int ops_collect_open(struct ops_collect **out, const struct ops_session *session,
                     struct error *error)
{
    struct ops_collect *collect = calloc(1, sizeof *collect);
    *out = collect;
    if (!collect)
        return error_set(error, ERROR_SYSTEM, "no memory for figures");
    collect->session = *session;
    collect->account_published = INT64_MIN;
    atomic_init(&collect->last_quote, OPS_NO_QUOTE);
    atomic_init(&collect->epoch, session->epoch);
    collect->sink = (struct sink){.market = true,
                                  .message = take_message,
                                  .stepped = session->engine ? take_step : NULL,
                                  .decision = take_decision,
                                  .finishing = session->engine ? take_finish : NULL};
    int code = ops_lives_open(collect, error);
    if (!code && !open_all(collect, session->names))
        code = error_set(error, ERROR_SYSTEM, "no memory for figures");
    if (code)
        ops_collect_close(out);
    return code;
}

static void close_cells(struct ops_cell **cells, unsigned count)
{
    for (unsigned i = 0; cells && i < count; i++)
        free(cells[i]);
    free(cells);
}

void ops_collect_close(struct ops_collect **out)
{
    struct ops_collect *collect = *out;
    if (!collect)
        return;
    const struct event_names *names = collect->session.names;
    for (unsigned v = 0; collect->venues && v < names->venue_count; v++)
        free(collect->venues[v].status);
    free(collect->venues);
    close_cells(collect->instruments, names->instrument_count);
    close_cells(collect->rates, names->asset_count);
    ring_close(&collect->decided);
    ring_close(&collect->filled);
    ring_close(&collect->noticed);
    free(collect->account);
    free(collect->scratch);
    free(collect->account_scratch);
    free(collect->published);
    free(collect->trades);
    free(collect->lives);
    free(collect);
    *out = NULL;
}
