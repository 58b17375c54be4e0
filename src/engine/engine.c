/* The engine: its memory, and the way of one message through it. */
#include "engine/engine.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "engine/engine_internal.h"

enum {
    WORD_BITS = 64,
    LADDER_MAX = 2 * STRATEGY_LEVELS_MAX,
    DECISIONS_PER_INSTRUMENT = 128,
    DECISIONS_PER_VENUE = 16
};

/* --- memory --------------------------------------------------------------------------------------- */

/* Hands out pieces of the caller's memory; without memory it only counts. */
struct carver {
    uint8_t *memory;
    size_t used;
};

static void *carve(struct carver *carver, size_t size)
{
    void *piece = carver->memory == NULL ? NULL : carver->memory + carver->used;
    carver->used += (size + ENGINE_ALIGNMENT - 1) / ENGINE_ALIGNMENT * ENGINE_ALIGNMENT;
    return piece;
}

/* More slots than live orders, so that a free one is always found and ended ones stay a while. */
static uint32_t slot_count(const struct engine_config *config)
{
    uint32_t slots = 128;
    while (slots < 2 * (uint32_t)config->global->orders_capacity)
        slots *= 2;
    return slots;
}

/* So many trades are known again when the venue repeats them, however few orders there may be. */
static uint32_t trade_count(const struct engine_config *config)
{
    enum { LEAST = 4096 };
    uint32_t slots = slot_count(config);
    return slots > LEAST ? slots : LEAST;
}

static size_t output_capacity(const struct engine_config *config)
{
    return 3 * (size_t)config->global->orders_capacity +
           (size_t)config->instrument_count * DECISIONS_PER_INSTRUMENT +
           (size_t)config->venue_count * (config->asset_count + DECISIONS_PER_VENUE) +
           2 * (size_t)config->global->safety_orphans + 64;
}

static size_t book_bytes(const struct engine_config *config, unsigned index)
{
    return book_size((unsigned)config->instruments[index].book_far_levels);
}

static size_t candidate_capacity(const struct engine_config *config)
{
    return (size_t)config->global->orders_capacity + (size_t)config->instrument_count * LADDER_MAX;
}

/* The one description of the layout: engine_size counts with it, engine_init lays out with it. The
 * engine itself stands first. */
static void lay_out(struct carver *carver, const struct engine_config *config,
                    struct engine *engine)
{
    unsigned count = config->instrument_count;
    size_t slots = slot_count(config), outputs = output_capacity(config);
    engine->instruments = carve(carver, count * sizeof *engine->instruments);
    engine->venues = carve(carver, config->venue_count * sizeof *engine->venues);
    engine->balances =
        carve(carver, (size_t)config->venue_count * config->asset_count * sizeof *engine->balances);
    engine->due = carve(carver, (count + WORD_BITS - 1) / WORD_BITS * sizeof *engine->due);
    engine->profit.dirty =
        carve(carver, (count + WORD_BITS - 1) / WORD_BITS * sizeof *engine->profit.dirty);
    engine->profit.assets = carve(carver, config->asset_count * sizeof *engine->profit.assets);
    engine->timers.tree = carve(carver, timers_nodes(count) * sizeof *engine->timers.tree);
    engine->candidates.list =
        carve(carver, candidate_capacity(config) * sizeof *engine->candidates.list);
    engine->candidates.order =
        carve(carver, candidate_capacity(config) * sizeof *engine->candidates.order);
    engine->candidates.pairs = carve(carver, count * sizeof *engine->candidates.pairs);
    engine->resting = carve(carver, sizeof *engine->resting);
    engine->output.messages = carve(carver, outputs * sizeof *engine->output.messages);
    engine->output.records = carve(carver, outputs * sizeof *engine->output.records);
    engine->orders.slots = carve(carver, slots * sizeof *engine->orders.slots);
    engine->orders.trades = carve(carver, trade_count(config) * sizeof *engine->orders.trades);
    engine->orphans.list =
        carve(carver, (size_t)config->global->safety_orphans * sizeof *engine->orphans.list);
}

/* Numbers of assets and instruments that there are. */
static bool account_usable(const struct engine_config *config)
{
    const struct engine_account *account = config->account;
    if (account == NULL)
        return true;
    if (account->currency >= config->asset_count && account->currency != EVENT_NONE_16)
        return false;
    for (unsigned asset = 0; account->rates != NULL && asset < config->asset_count; asset++)
        if (account->rates[asset] >= config->instrument_count &&
            account->rates[asset] != EVENT_NONE_16)
            return false;
    return true;
}

const char *engine_config_problem(const struct engine_config *config, unsigned *instrument)
{
    struct limits limits;
    const char *problem = NULL;
    *instrument = EVENT_NONE_16;
    if (config->instrument_count > EVENT_INSTRUMENTS_MAX)
        return "number of instruments";
    if (config->venue_count > EVENT_VENUES_MAX || config->asset_count > EVENT_ASSETS_MAX)
        return "number of venues or assets";
    if (config->global->orders_capacity < 1 || config->global->orders_capacity > 1048576)
        return "orders.capacity";
    if (!account_usable(config))
        return "account.currency or account.rates";
    for (unsigned index = 0; index < config->instrument_count; index++) {
        const struct event_definition *definition = &config->definitions[index];
        *instrument = index;
        if (definition->venue >= config->venue_count || definition->base >= config->asset_count ||
            definition->quote >= config->asset_count || definition->settle >= config->asset_count)
            return "venue or assets of the definition";
        if (!limits_resolve(&limits, &config->instruments[index], definition, &problem))
            return problem;
    }
    return NULL;
}

size_t engine_size(const struct engine_config *config)
{
    struct carver carver = {NULL, 0};
    struct engine engine;
    unsigned instrument;
    if (engine_config_problem(config, &instrument) != NULL)
        return 0;
    carve(&carver, sizeof engine);
    lay_out(&carver, config, &engine);
    for (unsigned index = 0; index < config->instrument_count; index++) {
        carve(&carver, book_bytes(config, index));
        carve(&carver, strategy_ladder.state_bytes);
    }
    return carver.used;
}

static void init_instrument(struct engine *engine, const struct engine_config *config,
                            unsigned index, struct carver *carver)
{
    struct instrument *instrument = &engine->instruments[index];
    const char *problem;
    size_t bytes = book_bytes(config, index);
    instrument->definition = config->definitions[index];
    bool usable = limits_resolve(&instrument->limits, &config->instruments[index],
                                 &instrument->definition, &problem);
    ASSERT(usable);
    instrument->first_limits = instrument->limits;
    instrument->first_definition = instrument->definition;
    instrument->far_levels = (unsigned)config->instruments[index].book_far_levels;
    instrument->market.book = book_init(carve(carver, bytes), bytes,
                                        (unsigned)config->instruments[index].book_far_levels);
    instrument->strategy_state = carve(carver, strategy_ladder.state_bytes);
    instrument->market.funding_due = TIME_NEVER;
    instrument->market.spot = instrument->definition.contract == CONTRACT_SPOT;
    refusals_reset(instrument);
    instrument->pending_deadline = instrument->retry_deadline = TIME_NEVER;
    instrument->learning.deadline = instrument->held_until = TIME_NEVER;
    for (int side = 0; side < 2; side++)
        instrument->sides[side].first = instrument->sides[side].last = ENGINE_NO_SLOT;
    position_init(&instrument->position, &instrument->definition);
    if (config->instruments[index].shutdown_timeout > engine->shutdown_timeout)
        engine->shutdown_timeout = config->instruments[index].shutdown_timeout;
}

/* The word of venue.modify; the settings' own check leaves no other. */
static enum modify modify_of(const struct settings_venue *settings)
{
#define WORD(modify, text)                                                                         \
    {                                                                                              \
        modify, sizeof text, text                                                                  \
    }
    static const struct {
        enum modify modify;
        size_t size;
        const char *text;
    } words[] = {
        WORD(MODIFY_NONE, "none"),
        WORD(MODIFY_SHRINK, "shrink"),
        WORD(MODIFY_EDIT, "edit"),
        WORD(MODIFY_REPLACE, "replace"),
        WORD(MODIFY_CANCEL_REPLACE, "cancel_replace"),
    };
#undef WORD
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (memcmp(settings->venue_modify.text, words[i].text, words[i].size) == 0)
            return words[i].modify;
    return MODIFY_SHRINK;
}

static void init_venue(struct venue_state *venue, const struct settings_venue *settings)
{
    venue->modify = (uint8_t)modify_of(settings);
    venue->renew_after = settings->order_renew_after;
    rate_init(&venue->rate, settings);
    sync_init(&venue->sync, settings);
    orders_stream_init(&venue->orders_stream, settings);
    infrastructure_init(&venue->infrastructure, settings);
}

struct engine *engine_init(void *memory, size_t size, const struct engine_config *config)
{
    struct carver carver = {memory, 0};
    ASSERT(memory != NULL);
    ASSERT((uintptr_t)memory % ENGINE_ALIGNMENT == 0);
    ASSERT(size >= engine_size(config));
    memset(memory, 0, size);
    struct engine *engine = carve(&carver, sizeof *engine);
    lay_out(&carver, config, engine);
    engine->magic = ENGINE_MAGIC;
    engine->venue_count = config->venue_count;
    engine->asset_count = config->asset_count;
    engine->instrument_count = config->instrument_count;
    engine->audit_each = config->audit_each_message;
    engine->gates_off = config->gates_off;
    engine->audit_every = engine->audit_countdown = config->global->audit_every;
    engine->orders.mask = slot_count(config) - 1;
    engine->orders.trade_mask = trade_count(config) - 1;
    engine->orphans.capacity = (uint32_t)config->global->safety_orphans;
    engine->own_book_every = config->global->safety_own_book;
    infrastructure_init_database(&engine->database, config->global);
    engine->database_required = config->global->database_required;
    engine->orders.capacity = (uint32_t)config->global->orders_capacity;
    engine->candidates.capacity = (uint32_t)candidate_capacity(config);
    engine->output.capacity = output_capacity(config);
    engine->now = INT64_MIN;
    engine->carry.shutdown_deadline = engine->carry.shutdown_step_deadline = TIME_NEVER;
    engine->shutdown_step_timeout = config->global->shutdown_step_timeout;
    engine->shutdown_force_after = config->global->shutdown_force_after;
    timers_init(&engine->timers, engine->timers.tree, config->instrument_count);
    for (unsigned venue = 0; venue < config->venue_count; venue++)
        init_venue(&engine->venues[venue], &config->venues[venue]);
    for (unsigned index = 0; index < config->instrument_count; index++)
        init_instrument(engine, config, index, &carver);
    profit_init(engine, config);
    signals_find_peers(engine);
    for (unsigned index = 0; index < config->instrument_count; index++)
        signals_reset(engine, index);
    for (unsigned at = 0; at < config->venue_count * config->asset_count; at++)
        engine->balances[at].as_of = engine->balances[at].newest = INT64_MIN;
    sync_reset(engine);
    ASSERT(carver.used <= size);
    return engine;
}

/* --- small things that all files need ----------------------------------------------------------------- */

union event_record *engine_emit(struct engine *engine, enum event_kind kind, unsigned instrument)
{
    struct output *output = &engine->output;
    ASSERT(output->count < output->capacity);
    union event_record *record = &output->records[output->count];
    output->messages[output->count++] = (struct message){
        .ts_local = engine->now,
        .stream =
            instrument == EVENT_NONE_16 ? EVENT_NONE_16 : EVENT_STREAM(instrument, CHANNEL_SESSION),
        .kind = (uint8_t)kind,
        .record = record,
    };
    return record;
}

void engine_mark_due(struct engine *engine, unsigned instrument)
{
    engine->due[instrument / WORD_BITS] |= UINT64_C(1) << instrument % WORD_BITS;
    engine->any_due = true;
}

void engine_table_full(struct engine *engine, const char *setting, uint64_t needed)
{
    if (engine->full_setting != NULL)
        return;
    engine->full_setting = setting;
    engine->full_needed = needed;
}

/* --- one message -------------------------------------------------------------------------------------- */

/* Ids never return: an epoch that is not above the one before is not taken. */
static void take_epoch(struct carry *carry, uint64_t epoch)
{
    if (epoch <= carry->epoch || epoch > UINT32_MAX)
        return;
    carry->epoch = (uint32_t)epoch;
    carry->counter = 0;
}

bool engine_goes_on(const struct engine *engine, const struct event_start *start)
{
    return engine->started && start->epoch != 0 && start->epoch == engine->carry.epoch;
}

/* The same session goes on, with the next tape or behind another start on the same: nothing of it is over. One that
 * knows the carry alone can't go on, but in a fold, where nothing is decided. */
static bool take_going_on(struct engine *engine, const struct event_start *start)
{
    if (!engine_goes_on(engine, start) || (!engine->warm && !engine->folding))
        return false;
    engine->ordinal = 0;
    return true;
}

static void take_start(struct engine *engine, const struct event_start *start)
{
    if (take_going_on(engine, start))
        return;
    if (engine->started)
        carry_restart(engine);
    engine->warm = !engine->folding;
    take_epoch(&engine->carry, start->epoch);
    engine->started = true;
    engine->start_ts = engine->now;
    engine->any_due = false;
    memset(engine->due, 0,
           (engine->instrument_count + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t));
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        engine->instruments[index].last_cycle = engine->now;
        signals_reset(engine, index);
        timers_set(&engine->timers, index, timers_deadline_of(engine, index));
    }
    infrastructure_start(engine);
    sync_start(engine);
    profit_start(engine);
    timers_set_common(engine);
}

/* How a request that is about no order went, or a call of the database. */
static void take_breaker_input(struct engine *engine, const struct event_breaker_input *input)
{
    if (input->venue >= engine->venue_count && input->venue != INFRASTRUCTURE_DATABASE)
        return;
    if (input->healthy)
        infrastructure_succeeded(engine, input->venue);
    else
        infrastructure_failed(engine, input->venue);
}

/* Session records change the carry and nothing of the market. */
void engine_take_session(struct engine *engine, const struct message *message)
{
    const union event_record *record = message->record;
    switch ((int)message->kind) {
    case EVENT_start:
        take_start(engine, &record->start);
        break;
    case EVENT_balance:
    case EVENT_venue_position:
    case EVENT_venue_entry:
    case EVENT_open_order:
    case EVENT_snapshot_end:
        sync_take(engine, message);
        break;
    case EVENT_command:
        breakers_take_command(engine, &record->command);
        break;
    case EVENT_adopt:
        adopt_command(engine, &record->adopt);
        break;
    case EVENT_shutdown:
        shutdown_begin(engine);
        break;
    case EVENT_breaker_input:
        take_breaker_input(engine, &record->breaker_input);
        break;
    case EVENT_orders_stream:
        orders_stream_take(engine, &record->orders_stream);
        break;
    case EVENT_rate_budget:
        rate_take_budget(engine, &record->rate_budget);
        break;
    case EVENT_step_done:
        shutdown_take_step(engine, &record->step_done);
        break;
    case EVENT_tick:
    case EVENT_clock_jump:
    case EVENT_predecessor: /* engine_read_carry takes them, before the start */
    case EVENT_carry:
        break;
    default:
        orders_take_answer(engine, message);
        break;
    }
}

static void take(struct engine *engine, const struct message *message)
{
    if (message->kind < EVENT_start)
        market_apply(engine, message);
    else if (message->kind < EVENT_place)
        engine_take_session(engine, message);
}

static void audit_if_due(struct engine *engine)
{
    if (engine->audit_each || --engine->audit_countdown <= 0) {
        engine->audit_countdown = engine->audit_every;
        audit_full(engine);
    }
}

static struct actions decisions(struct engine *engine)
{
    engine->counters.decisions += engine->output.count;
    return (struct actions){engine->output.messages, engine->output.count};
}

struct actions engine_step(struct engine *engine, const struct message *message)
{
    ASSERT(engine->magic == ENGINE_MAGIC);
    engine->output.count = 0;
    engine->removed_left = ENGINE_REMOVED_MAX;
    engine->counters.messages++;
    if (__builtin_expect(message->ts_local < engine->now, 0))
        engine_violation(engine, 10);
    else
        engine->now = message->ts_local;
    if (engine->now >= engine->profit.next_day && message->kind != EVENT_start)
        profit_turn_day(engine);
    take(engine, message);
    if (!engine->started)
        return (struct actions){NULL, 0};
    engine->ordinal++;
    engine->within_frame = (message->flags & MESSAGE_MORE) != 0;
    if (!engine->within_frame) {
        if (timers_earliest(&engine->timers) <= engine->now)
            timers_mark_due(engine);
        if (engine->profit.on)
            profit_update(engine);
        if (engine->any_due)
            cycle_run_due(engine);
        if (engine->carry.shutdown != SHUTDOWN_RUNNING)
            shutdown_update(engine);
        if (engine->timers.moved || !engine->timers.settled)
            timers_settle(engine);
    }
    audit_if_due(engine);
    return decisions(engine);
}

int64_t engine_deadline(const struct engine *engine)
{
    return timers_earliest(&engine->timers);
}

/* --- the end ------------------------------------------------------------------------------------------ */

/* What a shutdown comes to, beside positions and balances; where the run ends in the middle of one, the
 * orders that are not known to have ended too. */
static void tell_shutdown(struct engine *engine)
{
    const struct engine_counters *counters = &engine->counters;
    if (!engine_is_done(engine))
        shutdown_tell_unconfirmed(engine);
    engine_emit(engine, EVENT_final_counters, EVENT_NONE_16)->final_counters =
        (struct event_final_counters){
            .placed = counters->placed,
            .modified = counters->modified,
            .replaced = counters->replaced,
            .cancels = counters->cancelled,
            .fills = counters->fills,
        };
}

static void tell_position(struct engine *engine, unsigned index)
{
    engine_emit(engine, EVENT_final_position, index)->final_position =
        engine_final_position(engine, index);
}

struct actions engine_finish(struct engine *engine)
{
    ASSERT(engine->magic == ENGINE_MAGIC);
    engine->output.count = 0;
    audit_full(engine);
    if (engine->carry.shutdown != SHUTDOWN_RUNNING)
        tell_shutdown(engine);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        tell_position(engine, index);
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        for (unsigned asset = 0; asset < engine->asset_count; asset++) {
            const struct balance *balance = ledger_balance(engine, venue, asset);
            if (balance->used)
                engine_emit(engine, EVENT_final_balance, EVENT_NONE_16)->final_balance =
                    (struct event_final_balance){
                        .venue = (uint8_t)venue, .asset = (uint16_t)asset, .total = balance->total};
        }
    }
    return decisions(engine);
}

/* --- what others read --------------------------------------------------------------------------------- */

struct event_final_position engine_final_position(struct engine *engine, unsigned index)
{
    struct engine_position position;
    engine_position(engine, index, &position);
    return (struct event_final_position){
        .instrument = (uint16_t)index,
        .position = position.position,
        .realised = position.realised,
        .unrealised = position.unrealised,
        .fees = position.fees,
        .funding = position.funding,
        .mark = position.mark,
        .mark_stale = position.mark_stale,
    };
}

void engine_position(struct engine *engine, unsigned index, struct engine_position *out)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct position *position = &instrument->position;
    int64_t mark2 = 0;
    bool stale = true, has;
    memset(out, 0, sizeof *out);
    has = market_mark2(&instrument->market, engine->now, &mark2, &stale);
    out->realised = position->realised;
    out->fees = position->fees;
    out->funding = position->funding;
    out->mark_stale = stale;
    out->funding_unknown =
        instrument->definition.contract != CONTRACT_SPOT &&
        (position->funding_missed ||
         ((position->fills > 0 || position->adopted != 0) && !instrument->market.funding_told));
    out->mark.status = NUMBER_ABSENT;
    if (!money_from_units(position->units, position->exponent, &out->position) ||
        !money_from_units(position->units - position->apart, position->exponent, &out->at_venue))
        engine_violation(engine, 6);
    if (!has)
        return;
    /* Half a unit goes to the even one; profit is taken from the exact mark. */
    out->mark2 = mark2;
    out->mark = (struct number){mark2 / 2 + (mark2 & mark2 / 2 & 1), NUMBER_VALUE};
    if (!position_unrealised(position, &instrument->definition, mark2, &out->unrealised))
        engine_violation(engine, 6);
}

bool engine_is_done(const struct engine *engine)
{
    return engine->carry.shutdown == SHUTDOWN_COMPLETE || engine->carry.shutdown == SHUTDOWN_FORCED;
}

bool engine_is_settled(const struct engine *engine)
{
    if (!engine->started || engine->carry.shutdown != SHUTDOWN_RUNNING ||
        engine->full_setting != NULL)
        return false;
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        if (!engine->venues[venue].reconciled || engine->venues[venue].sync.requested != TIME_NEVER)
            return false;
    return true;
}

const char *engine_full_setting(const struct engine *engine, uint64_t *needed)
{
    *needed = engine->full_needed;
    return engine->full_setting;
}

struct engine_account_state engine_account_state(const struct engine *engine)
{
    const struct profit *profit = &engine->profit;
    return (struct engine_account_state){
        .currency = profit->currency,
        .limited = profit->on,
        .known = profit->on && profit->unknown == 0,
        .drawn_down = profit_is_drawn_down(engine, 0),
        .day_lost = profit_is_at_daily_loss(engine, 0),
        .profit = profit->profit,
        .peak = profit->peak,
        .day_start = profit->day_start,
    };
}

const struct engine_counters *engine_counters(const struct engine *engine)
{
    return &engine->counters;
}

uint64_t engine_open_orders(const struct engine *engine)
{
    return engine->orders.live;
}

static const struct order *open_order(const struct engine *engine, order_id order)
{
    const struct order *known = orders_find(engine, order);
    return known && order_state_is_live(known->state) ? known : NULL;
}

bool engine_balance(const struct engine *engine, unsigned venue, unsigned asset, money *total)
{
    ASSERT(venue < engine->venue_count && asset < engine->asset_count);
    const struct balance *balance = &engine->balances[(size_t)venue * engine->asset_count + asset];
    *total = balance->total;
    return balance->used;
}

enum infrastructure_state engine_database_state(const struct engine *engine)
{
    return (enum infrastructure_state)engine->database.state;
}

bool engine_order_is_open(const struct engine *engine, order_id order)
{
    return open_order(engine, order) != NULL;
}

size_t engine_kept_trades(const struct engine *engine)
{
    const struct order_table *table = &engine->orders;
    uint64_t room = (uint64_t)table->trade_mask + 1;
    return table->trade_count < room ? table->trade_count : room;
}

void engine_kept_trade(const struct engine *engine, size_t place, order_id *order,
                       struct venue_id *trade)
{
    ASSERT(place < engine_kept_trades(engine));
    *order = engine->orders.trades[place].order;
    *trade = engine->orders.trades[place].id;
}

int64_t engine_order_leaves(const struct engine *engine, order_id order)
{
    const struct order *open = open_order(engine, order);
    return open ? orders_worst_leaves(open) : 0;
}

int64_t engine_order_price(const struct engine *engine, order_id order)
{
    const struct order *known = orders_find(engine, order);
    return known ? orders_worst_price(known) : 0;
}

uint16_t engine_order_instrument(const struct engine *engine, order_id order)
{
    const struct order *known = orders_find(engine, order);
    return known ? known->instrument : EVENT_NONE_16;
}

uint64_t engine_gate_blocked(const struct engine *engine, unsigned instrument, enum gate gate)
{
    ASSERT(instrument < engine->instrument_count && gate < GATE_COUNT);
    return engine->instruments[instrument].gates.blocked[gate];
}

const struct event_definition *engine_definition(const struct engine *engine, unsigned instrument)
{
    ASSERT(instrument < engine->instrument_count);
    return &engine->instruments[instrument].definition;
}

bool engine_best_prices(const struct engine *engine, unsigned instrument, int64_t *bid,
                        int64_t *ask)
{
    ASSERT(instrument < engine->instrument_count);
    const struct market *market = &engine->instruments[instrument].market;
    *bid = market->top.price[SIDE_BUY];
    *ask = market->top.price[SIDE_SELL];
    return market_has_view(market);
}

const struct book *engine_book(const struct engine *engine, unsigned instrument)
{
    ASSERT(instrument < engine->instrument_count);
    return engine->instruments[instrument].market.book;
}
