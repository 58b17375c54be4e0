/* The simulated venue: opening, the order of events in venue time, and its answers. */
#include "venue/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/sim/state.h"

enum {
    SIM_MAGIC = 0x51b0cafe,
    MARKET_CAPACITY = 1 << 20, /* messages held back: 4 million a second at the default reorder */
    REQUESTS_PER_ORDER = 2,    /* on their way at one time */
    ANSWERS_PER_ORDER = 8,
    ANSWERS_MIN = 4096
};

/* Order of things at one venue time (trading-semantics 1). Our requests come after both. */
enum market_rank { RANK_TRADES, RANK_BOOK };

static struct sim *sim_of(const struct venue *venue)
{
    struct sim *sim = (struct sim *)(uintptr_t)venue;
    ASSERT(sim->magic == SIM_MAGIC);
    return sim;
}

/* --- answers --------------------------------------------------------------------------------- */

union event_record *sim_answer_of(struct sim *sim, unsigned venue, enum event_kind kind,
                                  unsigned instrument, int64_t time, uint64_t again)
{
    struct sim_connection *connection = &sim->connections[venue];
    int64_t due = sim->time + connection->answer_latency;
    if (due < connection->last_due)
        due = connection->last_due;
    connection->last_due = due;
    uint32_t slot = sim_slots_take(&sim->answer_slots);
    if (slot == SIM_NONE) { /* the run ends after this step: any place will do for the text */
        sim->full = "orders.capacity";
        return &sim->answer_memory[0].record;
    }
    bool fits = sim_queue_push(&sim->answers, (struct sim_entry){.time = due, .slot = slot});
    ASSERT(fits); /* as many entries as slots */
    struct sim_answer *answer = &sim->answer_memory[slot];
    memset(&answer->record, 0, sizeof answer->record);
    answer->message = (struct message){.ts_local = due,
                                       .ts_venue = time,
                                       .stream = instrument == EVENT_NONE_16
                                                     ? (uint16_t)EVENT_NONE_16
                                                     : EVENT_STREAM(instrument, CHANNEL_SESSION),
                                       .kind = (uint8_t)kind,
                                       .flags = MESSAGE_VENUE_TIME,
                                       .record = &answer->record};
    answer->again = again != 0;
    answer->fill = again ? again : sim->fills.count + 1; /* a new one is kept right behind */
    sim->stats.answers++;
    return &answer->record;
}

union event_record *sim_answer_new(struct sim *sim, unsigned venue, enum event_kind kind,
                                   unsigned instrument)
{
    return sim_answer_of(sim, venue, kind, instrument, sim->time, 0);
}

static int64_t first_due(const struct sim *sim)
{
    const struct sim_entry *first = sim_queue_first(&sim->answers);
    return first ? first->time : TIME_NEVER;
}

static int64_t sim_next(const struct venue *venue)
{
    return first_due(sim_of(venue));
}

/* The engine will know of this fill. One that is told again was known, unless the engine died before its answer came. */
static void tell(struct sim *sim, const struct sim_answer *answer)
{
    const struct event_order_filled *filled = &answer->record.order_filled;
    struct sim_fill *fill = sim_fill_kept(&sim->fills, answer->fill);
    if (fill ? fill->known : answer->again)
        return;
    if (fill)
        fill->known = true;
    struct sim_order *order = sim_order_find(&sim->orders, filled->order);
    if (order)
        order->told += filled->quantity.units;
}

static const struct message *sim_answer(struct venue *venue, int64_t now)
{
    struct sim *sim = sim_of(venue);
    if (sim->answer_given != SIM_NONE)
        sim_slots_give(&sim->answer_slots, sim->answer_given);
    sim->answer_given = SIM_NONE;
    if (first_due(sim) > now || sim->answers.count == 0)
        return NULL;
    sim->answer_given = sim_queue_first(&sim->answers)->slot;
    sim_queue_pop(&sim->answers);
    sim->venue.quiet_until = INT64_MIN; /* its slot is given back by the next call */
    const struct sim_answer *answer = &sim->answer_memory[sim->answer_given];
    if (answer->message.kind == EVENT_order_filled)
        tell(sim, answer);
    return &answer->message;
}

/* Who asked is dead: what is on its way to him arrives nowhere. */
static void drop_answers(struct sim *sim)
{
    while (sim->answers.count > 0) {
        sim_slots_give(&sim->answer_slots, sim_queue_first(&sim->answers)->slot);
        sim_queue_pop(&sim->answers);
    }
    for (unsigned v = 0; v < sim->venue_count; v++)
        sim->connections[v].last_due = INT64_MIN;
}

/* What the account holds before anything was traded: what the settings say. */
static void tell_beginning(struct sim *sim, unsigned v, int64_t now)
{
    for (unsigned asset = 0; asset < sim->asset_count; asset++) {
        size_t at = (size_t)v * sim->asset_count + asset;
        if (sim->configured[at])
            sim_answer_new(sim, v, EVENT_balance, EVENT_NONE_16)->balance = (struct event_balance){
                (uint8_t)v, (uint16_t)asset, sim->balances[at], sim->balances[at]};
    }
    sim_answer_new(sim, v, EVENT_snapshot_end, EVENT_NONE_16)->snapshot_end =
        (struct event_snapshot_end){(uint8_t)v, now};
}

static int sim_start(struct venue *venue, int64_t now, struct error *error)
{
    (void)error;
    struct sim *sim = sim_of(venue);
    bool again = sim->started;
    sim->started = true;
    venue->quiet_until = INT64_MIN;
    drop_answers(sim);
    for (unsigned v = 0; v < sim->venue_count; v++) {
        /* Told at `now` as of `now`: whoever starts has asked before. */
        int64_t latency = sim->connections[v].answer_latency;
        sim->connections[v].answer_latency = 0;
        sim->time = now;
        if (again)
            sim_tell_account(sim, v, now);
        else
            tell_beginning(sim, v, now);
        sim->connections[v].answer_latency = latency;
    }
    return 0;
}

/* --- market data in venue time --------------------------------------------------------------- */

/* When a message takes place at the venue. */
static int64_t venue_time(struct sim *sim, const struct message *message)
{
    bool known = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    int64_t time = known ? message->ts_venue : message->ts_local - sim->feed_floor;
    if (time > message->ts_local) {
        sim->stats.future_messages++;
        return message->ts_local;
    }
    if (time < message->ts_local - sim->reorder) {
        sim->stats.late_messages++;
        return message->ts_local - sim->reorder;
    }
    return time;
}

static bool matters(unsigned kind)
{
    return kind <= EVENT_trade || kind == EVENT_gap || kind == EVENT_instrument_status ||
           kind == EVENT_definition || kind == EVENT_feed_connection;
}

/* Of the second cursor only what matters here is wanted. */
static void want_what_matters(struct feed *feed)
{
    for (unsigned kind = 0; kind < FEED_KINDS; kind++)
        feed->ahead_wanted[kind] = feed->ahead_wanted[kind] && matters(kind);
}

/* Everything on the tape that may take place by `now`. */
static int pull(struct sim *sim, int64_t now, struct error *error)
{
    int64_t limit = now > INT64_MAX - sim->reorder ? INT64_MAX : now + sim->reorder;
    const struct message *message;
    error->code = ERROR_NONE;
    while (sim->feed->ahead_ts <= limit && (message = sim->feed->ahead(sim->feed, limit, error))) {
        if (!matters(message->kind))
            continue; /* a feed that gives everything */
        struct sim_entry entry = {.time = venue_time(sim, message),
                                  .rank = message->kind == EVENT_trade ? RANK_TRADES : RANK_BOOK,
                                  .message = message};
        if (!sim_queue_push(&sim->market, entry))
            return error_set(error, ERROR_INPUT,
                             "sim.reorder: more than %d messages stand between the simulated "
                             "venue and the engine; expected a shorter time",
                             MARKET_CAPACITY);
        sim->stats.market_messages++;
    }
    if (sim->market.count > sim->stats.pending_peak)
        sim->stats.pending_peak = sim->market.count;
    return error->code;
}

static void lose_book(struct sim *sim, unsigned instrument)
{
    book_set_synchronised(sim->instruments[instrument].book, false);
}

/* A gap in trades hides fills but spoils no book. */
static void take_gap(struct sim *sim, const struct message *message)
{
    unsigned instrument = message->record->gap.instrument;
    if (message->stream != EVENT_NONE_16 &&
        (message->stream % CHANNELS_PER_INSTRUMENT == CHANNEL_TRADE ||
         message->stream % CHANNELS_PER_INSTRUMENT == CHANNEL_TOP))
        return;
    for (unsigned i = 0; i < sim->instrument_count; i++)
        if (instrument == EVENT_NONE_16 || instrument == i)
            lose_book(sim, i);
}

/* A feed that went down: what its books were nobody knows until their next snapshots. */
static void take_connection(struct sim *sim, const struct event_feed_connection *connection)
{
    if (connection->connected)
        return;
    for (unsigned i = 0; i < sim->instrument_count; i++)
        if (sim->instruments[i].definition.venue == connection->venue)
            lose_book(sim, i);
}

/* What no instrument can become says that its market is not known, as it does to the engine. */
static void take_definition(struct sim *sim, const struct event_definition *definition)
{
    if (definition->instrument >= sim->instrument_count)
        return;
    struct event_definition *now = &sim->instruments[definition->instrument].definition;
    if (event_definition_may_follow(now, definition))
        *now = *definition;
    else
        lose_book(sim, definition->instrument);
}

static void take_market(struct sim *sim, const struct message *message)
{
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->kind == EVENT_gap)
        take_gap(sim, message);
    else if (message->kind == EVENT_feed_connection)
        take_connection(sim, &message->record->feed_connection);
    else if (message->kind == EVENT_definition)
        take_definition(sim, &message->record->definition);
    else if (instrument >= sim->instrument_count)
        return;
    else if (message->kind == EVENT_trade)
        sim_take_trades(sim, instrument, message);
    else if (message->kind == EVENT_instrument_status)
        sim->instruments[instrument].trading = message->record->instrument_status.trading;
    else
        sim_take_book(sim, instrument, message);
}

/* --- time ------------------------------------------------------------------------------------ */

/* Take the next thing that happens not later than `until`; false where nothing does. */
static bool step(struct sim *sim, int64_t until)
{
    const struct sim_entry *market = sim_queue_first(&sim->market);
    const struct sim_entry *request = sim_queue_first(&sim->requests);
    if (market && (!request || market->time <= request->time)) {
        if (market->time > until)
            return false;
        sim->time = market->time;
        const struct message *message = market->message;
        sim_queue_pop(&sim->market);
        take_market(sim, message);
        return true;
    }
    if (!request || request->time > until)
        return false;
    sim->time = request->time;
    uint32_t slot = request->slot;
    sim_queue_pop(&sim->requests);
    sim_take_request(sim, &sim->request_memory[slot]);
    sim_slots_give(&sim->request_slots, slot);
    return true;
}

static int tell_overflow(const struct sim *sim, struct error *error)
{
    char name[EVENT_INSTRUMENT_NAME_MAX] = "sim.balances";
    if (sim->overflow_instrument < sim->instrument_count)
        event_instrument_name(sim->names, sim->overflow_instrument, name);
    return error_set(error, ERROR_INPUT,
                     "%s: the simulated venue's account comes to more than it can hold; expected "
                     "amounts below 1.7e20 of an asset in all",
                     name);
}

static int check_limits(const struct sim *sim, struct error *error)
{
    char name[EVENT_INSTRUMENT_NAME_MAX];
    if (sim->overflow)
        return tell_overflow(sim, error);
    if (!sim->full)
        return 0;
    if (strcmp(sim->full, "book.far_levels") != 0)
        return error_set(error, ERROR_INPUT,
                         "%s: the simulated venue has %zu answers on their way, and no room for "
                         "more; expected a larger setting",
                         sim->full, sim->answers.count);
    event_instrument_name(sim->names, sim->full_instrument, name);
    return error_set(error, ERROR_INPUT, "%s of %s: the simulated venue's book needs more than %zu",
                     sim->full, name,
                     book_far_levels_peak(sim->instruments[sim->full_instrument].book));
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Nothing happens before the first of: an answer that is due, what was pulled, a request's arrival, and
 * whatever is still to be pulled. */
static int64_t quiet_until(const struct sim *sim)
{
    const struct sim_entry *market = sim_queue_first(&sim->market);
    const struct sim_entry *request = sim_queue_first(&sim->requests);
    int64_t ahead = sim->feed->ahead_ts;
    int64_t until = ahead < INT64_MIN + sim->reorder ? INT64_MIN : ahead - sim->reorder;
    until = earlier(until, first_due(sim));
    if (market)
        until = earlier(until, market->time);
    return request ? earlier(until, request->time) : until;
}

/* The engine may answer an answer at its time: nothing after that may happen before it has. */
static int sim_advance(struct venue *venue, int64_t now, struct error *error)
{
    struct sim *sim = sim_of(venue);
    if (pull(sim, now, error))
        return error->code;
    int64_t until;
    do {
        int64_t due = first_due(sim);
        until = due < now ? due : now;
    } while (step(sim, until));
    if (until > sim->present)
        sim->present = until;
    sim->venue.quiet_until = quiet_until(sim);
    return check_limits(sim, error);
}

/* What a shutdown does outside the engine: there is nothing to flush or close here, so it is done. */
static int take_shutdown(struct sim *sim, const struct message *decision, struct error *error)
{
    unsigned step = decision->record->shutdown_state.step;
    if (step != SHUTDOWN_FLUSHING && step != SHUTDOWN_CLOSING && step != SHUTDOWN_DISCONNECTING)
        return 0;
    uint32_t slot = sim_slots_take(&sim->answer_slots);
    if (slot == SIM_NONE)
        return error_set(error, ERROR_INPUT,
                         "orders.capacity: the simulated venue has no room for one more answer; "
                         "expected a larger setting");
    struct sim_answer *answer = &sim->answer_memory[slot];
    memset(&answer->record, 0, sizeof answer->record);
    answer->record.step_done = (struct event_step_done){.step = (uint8_t)step};
    answer->message = (struct message){.ts_local = decision->ts_local,
                                       .stream = EVENT_NONE_16,
                                       .kind = EVENT_step_done,
                                       .record = &answer->record};
    bool fits =
        sim_queue_push(&sim->answers, (struct sim_entry){.time = decision->ts_local, .slot = slot});
    ASSERT(fits); /* as many entries as slots */
    sim->venue.quiet_until = earlier(sim->venue.quiet_until, decision->ts_local);
    return 0;
}

static bool is_request(unsigned kind)
{
    return kind == EVENT_place || kind == EVENT_cancel || kind == EVENT_modify ||
           kind == EVENT_replace || kind == EVENT_query || kind == EVENT_request_snapshot ||
           kind == EVENT_cancel_orphan;
}

static unsigned venue_asked(const struct sim *sim, const struct message *decision)
{
    if (decision->kind == EVENT_request_snapshot) {
        ASSERT(decision->record->request_snapshot.venue < sim->venue_count);
        return decision->record->request_snapshot.venue;
    }
    unsigned instrument = EVENT_STREAM_INSTRUMENT(decision->stream);
    ASSERT(instrument < sim->instrument_count);
    return sim->instruments[instrument].definition.venue;
}

static int sim_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct sim *sim = sim_of(venue);
    unsigned kind = decision->kind;
    if (kind == EVENT_shutdown_state)
        return take_shutdown(sim, decision, error);
    if (!is_request(kind))
        return 0;
    unsigned v = venue_asked(sim, decision);
    int64_t arrival = decision->ts_local + sim->connections[v].entry_latency;
    ASSERT(arrival >= sim->present);
    uint32_t slot = sim_slots_take(&sim->request_slots);
    if (slot == SIM_NONE)
        return error_set(error, ERROR_INPUT,
                         "orders.capacity: more than %zu requests are on their way to the "
                         "simulated venue; expected a larger setting",
                         sim->requests.count);
    bool fits = sim_queue_push(&sim->requests, (struct sim_entry){.time = arrival, .slot = slot});
    ASSERT(fits); /* as many entries as slots */
    sim->venue.quiet_until = earlier(sim->venue.quiet_until, arrival);
    struct sim_request *request = &sim->request_memory[slot];
    *request = (struct sim_request){
        .kind = (uint8_t)kind, .sent = decision->ts_local, .record = *decision->record};
    if (kind == EVENT_modify) {
        const struct sim_order *order =
            sim_order_find(&sim->orders, decision->record->modify.order);
        request->told = order ? order->told : 0;
    }
    return 0;
}

static int sim_finish(struct venue *venue, struct error *error)
{
    (void)error;
    struct sim *sim = sim_of(venue);
    sim->stats.answers_lost = sim->answers.count;
    sim->stats.requests_lost = sim->requests.count;
    sim->stats.orders_open = sim->orders.live;
    return 0;
}

/* --- opening and closing --------------------------------------------------------------------- */

static void sim_close(struct venue *venue)
{
    struct sim *sim = sim_of(venue);
    for (unsigned i = 0; sim->instruments && i < sim->instrument_count; i++)
        free(sim->instruments[i].book);
    free(sim->instruments);
    free(sim->connections);
    sim_orders_close(&sim->orders);
    sim_fills_close(&sim->fills);
    free(sim->balances);
    free(sim->reserved);
    free(sim->configured);
    free(sim->limited);
    sim_queue_close(&sim->market);
    sim_queue_close(&sim->requests);
    sim_queue_close(&sim->answers);
    sim_slots_close(&sim->request_slots);
    sim_slots_close(&sim->answer_slots);
    free(sim->request_memory);
    free(sim->answer_memory);
    sim->magic = 0;
    free(sim);
}

static int open_connections(struct sim *sim, const struct settings_venue *venues,
                            struct error *error)
{
    sim->connections = calloc(sim->venue_count + 1, sizeof *sim->connections);
    if (!sim->connections)
        return error_set(error, ERROR_SYSTEM, "no memory for the simulated venues");
    for (unsigned v = 0; v < sim->venue_count; v++)
        sim->connections[v] =
            (struct sim_connection){venues[v].sim_entry_latency, venues[v].sim_answer_latency,
                                    INT64_MIN, venues[v].sim_fill_on_cross};
    return 0;
}

static int open_instruments(struct sim *sim, const struct settings_instrument *settings,
                            struct error *error)
{
    sim->instruments = calloc(sim->instrument_count + 1, sizeof *sim->instruments);
    if (!sim->instruments)
        return error_set(error, ERROR_SYSTEM, "no memory for the simulated venue");
    for (unsigned i = 0; i < sim->instrument_count; i++) {
        struct sim_instrument *instrument = &sim->instruments[i];
        unsigned far_levels = (unsigned)settings[i].book_far_levels;
        size_t size = book_size(far_levels);
        void *memory = aligned_alloc(64, size);
        if (!memory)
            return error_set(error, ERROR_SYSTEM, "no memory for a book of %u far levels",
                             far_levels);
        memset(memory, 0, size); /* every page is there before the first message comes */
        instrument->book = book_init(memory, size, far_levels);
        instrument->definition = sim->names->definitions[i];
        instrument->best[SIDE_BUY] = instrument->best[SIDE_SELL] = SIM_NONE;
        ASSERT(instrument->definition.venue < sim->venue_count);
    }
    return 0;
}

static int open_tables(struct sim *sim, const struct settings_global *global, struct error *error)
{
    size_t capacity = (size_t)global->orders_capacity;
    size_t requests = capacity * REQUESTS_PER_ORDER;
    size_t answers = capacity * ANSWERS_PER_ORDER + ANSWERS_MIN +
                     (size_t)sim->venue_count * (sim->asset_count + sim->instrument_count + 1);
    sim->request_memory = malloc(requests * sizeof *sim->request_memory);
    sim->answer_memory = malloc(answers * sizeof *sim->answer_memory);
    if (!sim->request_memory || !sim->answer_memory)
        return error_set(error, ERROR_SYSTEM, "no memory for the simulated venue's messages");
    if (sim_orders_open(&sim->orders, capacity, error) ||
        sim_fills_open(&sim->fills, capacity, error) ||
        sim_queue_open(&sim->market, MARKET_CAPACITY, error) ||
        sim_queue_open(&sim->requests, requests, error) ||
        sim_queue_open(&sim->answers, answers, error) ||
        sim_slots_open(&sim->request_slots, requests, error) ||
        sim_slots_open(&sim->answer_slots, answers, error))
        return error->code;
    return 0;
}

int sim_open(struct venue **venue, const struct sim_options *options, struct error *error)
{
    ASSERT(options->feed && options->feed->ahead);
    struct error own;
    error = error ? error : &own;
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return error_set(error, ERROR_SYSTEM, "no memory for the simulated venue");
    sim->venue = (struct venue){.start = sim_start,
                                .advance = sim_advance,
                                .answer = sim_answer,
                                .next = sim_next,
                                .submit = sim_submit,
                                .finish = sim_finish,
                                .close = sim_close,
                                .tells_quiet = true,
                                .quiet_until = INT64_MIN};
    sim->magic = SIM_MAGIC;
    sim->venue_count = options->names->venue_count;
    sim->asset_count = options->names->asset_count;
    sim->instrument_count = options->names->instrument_count;
    sim->feed = options->feed;
    sim->names = options->names;
    sim->reorder = options->global->sim_reorder;
    sim->feed_floor = options->feed_floor_ns;
    sim->present = INT64_MIN;
    sim->answer_given = SIM_NONE;
    want_what_matters(options->feed);
    if (open_connections(sim, options->venues, error) ||
        open_instruments(sim, options->instruments, error) ||
        open_tables(sim, options->global, error) || sim_account_open(sim, options->venues, error)) {
        sim_close(&sim->venue);
        return error->code;
    }
    *venue = &sim->venue;
    return 0;
}

const struct sim_stats *sim_stats(const struct venue *venue)
{
    return &sim_of(venue)->stats;
}

size_t sim_open_orders(const struct venue *venue, order_id *orders, size_t capacity)
{
    const struct sim *sim = sim_of(venue);
    size_t count = 0;
    for (unsigned i = 0; i < sim->instrument_count; i++)
        for (unsigned side = 0; side < 2; side++)
            for (const struct sim_order *order = sim_order_best(sim, i, (enum side)side); order;
                 order = sim_order_next(sim, order), count++)
                if (count < capacity)
                    orders[count] = order->id;
    return count;
}

int64_t sim_order_left(const struct venue *venue, order_id order)
{
    const struct sim_order *found = sim_order_find(&sim_of(venue)->orders, order);
    return found && found->state == SIM_LIVE ? found->left : 0;
}
