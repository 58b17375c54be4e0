/* The cycle: for each instrument that is due, what is wanted, what therefore is to be done, and what of
 * it may leave. All due instruments are planned first, so that one step sends in one order. */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/time.h"

enum { WORD_BITS = 64 };

/* --- wanted ------------------------------------------------------------------------------------- */

/* A wanted level without usable numbers is removed, and told. */
static bool wanted_is_usable(struct engine *engine, unsigned index,
                             const struct wanted_level *wanted)
{
    struct instrument *instrument = &engine->instruments[index];
    enum reject reason = REJECT_NONE;
    if (wanted->price.status != NUMBER_VALUE || wanted->price.units <= 0 ||
        wanted->price.units > ENGINE_PRICE_MAX)
        reason = REJECT_PRICE;
    else if (wanted->quantity.status != NUMBER_VALUE || wanted->quantity.units < 0 ||
             wanted->quantity.units > ENGINE_QUANTITY_MAX)
        reason = REJECT_QUANTITY;
    else if (!limits_on_tick(&instrument->limits, wanted->price.units))
        reason = REJECT_TICK;
    enum gate gate = reason == REJECT_TICK ? GATE_GRID : GATE_NUMBER;
    if (reason == REJECT_NONE || risk_is_off(engine, gate))
        return true;
    engine->counters.removed_numbers++;
    risk_block(engine, index, gate);
    if (engine->removed_left > 0) {
        engine->removed_left--;
        engine_emit(engine, EVENT_removed, index)->removed = (struct event_removed){
            .instrument = (uint16_t)index,
            .where = REMOVED_WANTED,
            .side = wanted->side,
            .price = wanted->price,
            .quantity = wanted->quantity,
            .reason = (uint8_t)reason,
        };
    }
    return false;
}

/* Leave out what can't be used, shrink what adds near the limit (rule 18), and where the cap on open
 * interest is on, or the day is lost, leave of each side what reduces the position, nearest level first
 * (rules 19, 22). */
static void filter_ladder(struct engine *engine, unsigned index, struct wanted_ladder *ladder)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct limits *limits = &instrument->limits;
    int64_t position = risk_position(instrument), nearer[2] = {0, 0};
    bool whole[2] = {risk_size_is_whole(limits, position, SIDE_BUY),
                     risk_size_is_whole(limits, position, SIDE_SELL)};
    uint32_t caps = risk_caps(engine, index);
    size_t kept = 0;
    for (size_t i = 0; i < ladder->count; i++) {
        struct wanted_level *wanted = &ladder->levels[i];
        if (!wanted_is_usable(engine, index, wanted))
            continue;
        int64_t size = wanted->quantity.units;
        if (size == 0) /* less than a lot, which may have grown */
            risk_block(engine, index, GATE_GRID);
        if (!whole[wanted->side])
            size = risk_scaled_size(limits, position, wanted->side, size);
        if (caps != 0) {
            int64_t uncapped = size;
            size = risk_reducing_size(limits, position, wanted->side, nearer[wanted->side], size);
            if (size < uncapped)
                risk_block_caps(engine, index, caps);
        }
        if (size < wanted->quantity.units &&
            !risk_above_minimum(instrument, wanted->price.units, size))
            size = 0;
        if (size == 0)
            continue;
        nearer[wanted->side] += size;
        wanted->quantity.units = size;
        if (kept != i)
            ladder->levels[kept] = *wanted;
        kept++;
    }
    ladder->count = kept;
}

/* The side is paid for whole, as it nearly always is. */
static bool is_paid_for(struct engine *engine, unsigned index, enum side side,
                        const struct wanted_ladder *ladder)
{
    int128 sum = 0;
    int64_t dearest = 0;
    for (size_t i = 0; i < ladder->count; i++) {
        const struct wanted_level *wanted = &ladder->levels[i];
        if (wanted->side != side)
            continue;
        sum += wanted->quantity.units;
        dearest = wanted->price.units > dearest ? wanted->price.units : dearest;
    }
    return sum <= ENGINE_QUANTITY_MAX && ledger_covers(engine, index, side, dearest, (int64_t)sum);
}

/* The part of a level that `left` pays, 0 below the minimum notional; what it needs is taken from there. */
static int64_t paid_part(struct engine *engine, unsigned index, const struct wanted_level *wanted,
                         money *left)
{
    const enum side side = (enum side)wanted->side;
    int64_t price = wanted->price.units;
    int64_t part = ledger_part(engine, index, side, price, wanted->quantity.units, *left);
    money need;
    if (part < wanted->quantity.units) {
        risk_block(engine, index, GATE_FUNDS);
        if (part == 0 || !risk_above_minimum(&engine->instruments[index], price, part))
            return 0;
    }
    if (ledger_need(engine, index, side, price, part, &need))
        *left = engine_subtract(engine, *left, need);
    return part;
}

/* Rule 17: of each side what there is money for beside orders of other instruments, nearest level first. What
 * the side's own orders hold counts as there: they rest for these levels, or make way. */
static void fund_ladder(struct engine *engine, unsigned index, struct wanted_ladder *ladder)
{
    money left[2];
    bool limited[2];
    size_t kept = 0;
    if (!ledger_is_limited(engine, index) || risk_is_off(engine, GATE_FUNDS))
        return;
    for (unsigned side = 0; side < 2; side++)
        limited[side] = !is_paid_for(engine, index, (enum side)side, ladder) &&
                        ledger_left(engine, index, (enum side)side, true, &left[side]);
    if (!limited[SIDE_BUY] && !limited[SIDE_SELL])
        return;
    for (size_t i = 0; i < ladder->count; i++) {
        struct wanted_level *wanted = &ladder->levels[i];
        if (limited[wanted->side])
            wanted->quantity.units = paid_part(engine, index, wanted, &left[wanted->side]);
        if (wanted->quantity.units != 0)
            ladder->levels[kept++] = *wanted;
    }
    ladder->count = kept;
}

static void ask_strategy(struct engine *engine, unsigned index, struct wanted_ladder *ladder)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct top_view *top = &instrument->market.top;
    struct strategy_view view = {
        .now = engine->now,
        .instrument = index,
        .definition = &instrument->definition,
        .units = &instrument->limits.quote,
        .best_bid = top->price[SIDE_BUY],
        .best_ask = top->price[SIDE_SELL],
        .best_bid_quantity = top->quantity[SIDE_BUY],
        .best_ask_quantity = top->quantity[SIDE_SELL],
        .position = risk_position(instrument),
        .position_limit = instrument->limits.position_limit,
    };
    breakers_widen(instrument, &view.widen_numerator, &view.widen_denominator);
    /* Without a fair value these two are state all the same: hashed, and compared by verify. */
    ladder->fair_millitick = ladder->skew_millitick = 0;
    ladder->count = 0;
    ladder->has_fair = false;
    const struct strategy *strategy = instrument->limits.rough ? &strategy_rough : &strategy_ladder;
    strategy->wanted(instrument->strategy_state, &view, ladder);
    instrument->has_fair = ladder->has_fair;
    instrument->fair = ladder->fair_millitick;
    instrument->skew = ladder->skew_millitick;
}

/* --- plan --------------------------------------------------------------------------------------- */

/* After a restart what rests keeps its place until the first book, for a while. */
static bool awaits_book(const struct engine *engine, const struct instrument *instrument)
{
    return engine->now < market_grace_end(engine, instrument);
}

/* Why everything is pulled, or false if it is not. */
static bool must_pull(const struct engine *engine, const struct instrument *instrument,
                      enum cancel_cause *why)
{
    *why = CANCEL_HALT;
    if (engine->carry.shutdown != SHUTDOWN_RUNNING && !risk_is_off(engine, GATE_SHUTDOWN)) {
        *why = CANCEL_SHUTDOWN;
        return true;
    }
    if (instrument->pulled && !risk_is_off(engine, GATE_PAUSED)) {
        *why = CANCEL_OPERATOR;
        return true;
    }
    if (instrument->breakers.worst == BREAKER_CANCEL_ALL && !risk_is_off(engine, GATE_BREAKER))
        return true;
    if (alarms_pull(engine, (unsigned)(instrument - engine->instruments)) &&
        !risk_is_off(engine, GATE_SAFETY))
        return true;
    if (orders_stream_pulls(engine, (unsigned)(instrument - engine->instruments)) &&
        !risk_is_off(engine, GATE_ORDERS_STREAM))
        return true;
    return !market_has_view(&instrument->market) && !awaits_book(engine, instrument) &&
           !risk_is_off(engine, GATE_UNSYNCHRONISED);
}

/* While warm-up is incomplete there is nothing to want. Orders of before (a restart, a long gap) are not
 * left alone: for them the cycle runs and cancels, as in a pause. */
static bool is_skipped(const struct instrument *instrument, uint32_t gates)
{
    return (gates >> GATE_WARM_UP & 1) != 0 &&
           (instrument->sides[SIDE_BUY].count | instrument->sides[SIDE_SELL].count) == 0;
}

/* An instrument that is not quoted gets no orders. What rests from before a restart nobody would look after: it
 * goes. */
static void pull_unquoted(struct engine *engine, unsigned index)
{
    if (engine->carry.shutdown == SHUTDOWN_RUNNING)
        reconcile_pull_before(engine, index, engine->start_ts);
    else if (shutdown_may_send(engine))
        reconcile_pull(engine, index, CANCEL_SHUTDOWN);
}

static void plan(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    enum cancel_cause why;
    instrument->held_until = TIME_NEVER;
    instrument->has_fair = instrument->may_quote = false;
    instrument->last_cycle = engine->now;
    if (!instrument->limits.enabled) {
        pull_unquoted(engine, index);
        return;
    }
    breakers_update(engine, index);
    uint32_t gates = risk_instrument_gates(engine, index);
    for (unsigned gate = 0, left = gates; left != 0; gate++, left >>= 1)
        if (left & 1)
            risk_block(engine, index, (enum gate)gate);
    bool day_lost = profit_pulls(engine, index);
    if (must_pull(engine, instrument, &why) || day_lost) {
        if (shutdown_may_send(engine))
            reconcile_pull(engine, index, why);
        return;
    }
    if (awaits_book(engine, instrument) || is_skipped(instrument, gates))
        return;
    struct wanted_ladder ladder;
    engine->counters.cycles++;
    instrument->reference4 = market_reference4(&instrument->market, engine->now);
    ask_strategy(engine, index, &ladder);
    learning_size(engine, index, &ladder);
    filter_ladder(engine, index, &ladder);
    fund_ladder(engine, index, &ladder);
    instrument->may_quote = gates == 0;
    reconcile_ladder(engine, index, &ladder, gates == 0);
}

/* --- send --------------------------------------------------------------------------------------- */

static struct rate *rate_of(struct engine *engine, unsigned index)
{
    return &engine->venues[engine->instruments[index].definition.venue].rate;
}

static unsigned venue_of(const struct engine *engine, unsigned index)
{
    return engine->instruments[index].definition.venue;
}

/* The venue's breaker lets cancels through one at a time, and the rate as many as it has room for: the cycle
 * comes again when the next may leave. */
static void hold_cancel(struct engine *engine, unsigned index, int64_t until)
{
    engine->instruments[index].held_until = until > engine->now ? until : engine->now + 1;
}

static void send_cancel(struct engine *engine, const struct candidate *candidate)
{
    unsigned index = candidate->instrument;
    struct rate *rate = rate_of(engine, index);
    if (!infrastructure_lets_through(engine, venue_of(engine, index))) {
        hold_cancel(engine, index, infrastructure_next(engine, venue_of(engine, index)));
        return;
    }
    if (!rate_allows(rate, engine->now, true)) {
        risk_block(engine, index, GATE_RATE);
        hold_cancel(engine, index, rate_next_cancel(rate, engine->now));
        return;
    }
    struct event_cancel cancel = {
        .instrument = candidate->instrument,
        .order = candidate->order,
        .why = candidate->why,
        .cause = engine->ordinal,
    };
    engine_emit(engine, EVENT_cancel, index)->cancel = cancel;
    orders_take_cancel(engine, &cancel, engine->now);
    rate_count(rate, engine->now);
    engine->counters.cancelled++;
}

/* The gates of one place or modify: true if it may leave. */
static bool pass_gates(struct engine *engine, const struct candidate *candidate,
                       const struct order *own)
{
    uint32_t blocked = risk_order_gates(engine, candidate, own);
    if (blocked != 0) {
        unsigned gate = 0;
        while ((blocked >> gate & 1) == 0)
            gate++;
        risk_block(engine, candidate->instrument, (enum gate)gate);
        return false;
    }
    audit_send(engine, candidate);
    return true;
}

static void send_modify(struct engine *engine, const struct candidate *candidate)
{
    unsigned index = candidate->instrument;
    const struct instrument *instrument = &engine->instruments[index];
    const struct order *own = orders_find(engine, candidate->order);
    ASSERT(own != NULL);
    if (!pass_gates(engine, candidate, own))
        return;
    struct event_modify modify = {
        .instrument = candidate->instrument,
        .order = candidate->order,
        .side = candidate->side,
        .price = {candidate->price, NUMBER_VALUE},
        .leaves = {candidate->quantity, NUMBER_VALUE},
        .level = candidate->level,
        .cause = engine->ordinal,
        .fair = instrument->fair,
        .skew = instrument->skew,
        .distance = candidate->distance,
        .gates = risk_gates_asked(),
    };
    engine_emit(engine, EVENT_modify, index)->modify = modify;
    orders_take_modify(engine, &modify, engine->now);
    rate_count(rate_of(engine, index), engine->now);
    engine->counters.modified++;
    engine->counters.last_quote = engine->now;
}

/* Rules 19 and 22: what of a new order reduces the position after all that may still fill on its side. 0 where
 * nothing does; then the gate says so. */
static int64_t uncapped_part(struct engine *engine, const struct candidate *candidate)
{
    const struct instrument *instrument = &engine->instruments[candidate->instrument];
    int64_t part = candidate->quantity;
    uint32_t caps = risk_caps(engine, candidate->instrument);
    if (caps != 0)
        part = risk_reducing_size(&instrument->limits, risk_position(instrument), candidate->side,
                                  risk_side_leaves(engine, candidate->instrument, candidate->side),
                                  part);
    if (part < candidate->quantity)
        risk_block_caps(engine, candidate->instrument, caps);
    return part;
}

/* Rule 17: what rests may be larger than its level by the tolerance of rule 27, and holds what a new order then
 * lacks. As much of it as would be kept leaves; for less than that it waits, at the gate. */
static int64_t funded_part(struct engine *engine, const struct candidate *candidate)
{
    const unsigned index = candidate->instrument;
    const enum side side = (enum side)candidate->side;
    const int64_t quantity = candidate->quantity;
    money left;
    if (risk_is_off(engine, GATE_FUNDS) || ledger_has_funds(engine, candidate, NULL) ||
        !ledger_left(engine, index, side, false, &left))
        return quantity;
    int64_t part = ledger_part(engine, index, side, candidate->price, quantity, left);
    return part > 0 && reconcile_keeps_size(&engine->instruments[index].limits, part, quantity)
               ? part
               : quantity;
}

static void send_place(struct engine *engine, struct candidate *candidate)
{
    unsigned index = candidate->instrument;
    const struct instrument *instrument = &engine->instruments[index];
    candidate->quantity = uncapped_part(engine, candidate);
    if (candidate->quantity != 0)
        candidate->quantity = funded_part(engine, candidate);
    if (candidate->quantity == 0 || !pass_gates(engine, candidate, NULL))
        return;
    struct event_place place = {
        .instrument = candidate->instrument,
        .order = orders_next_id(engine),
        .side = candidate->side,
        .price = {candidate->price, NUMBER_VALUE},
        .quantity = {candidate->quantity, NUMBER_VALUE},
        .time_in_force = TIME_IN_FORCE_GTC,
        .post_only = 1,
        .level = candidate->level,
        .cause = engine->ordinal,
        .fair = instrument->fair,
        .skew = instrument->skew,
        .distance = candidate->distance,
        .gates = risk_gates_asked(),
    };
    engine_emit(engine, EVENT_place, index)->place = place;
    orders_take_place(engine, &place, engine->now);
    rate_count(rate_of(engine, index), engine->now);
    engine->counters.placed++;
    engine->counters.last_quote = engine->now;
}

/* One request: the old order is cancelled, and only then the new one sent. A gate that blocks leaves the
 * old one where it is until the next cycle, which then cancels it if it must not stay. */
static void send_replace(struct engine *engine, struct candidate *candidate)
{
    unsigned index = candidate->instrument;
    const struct instrument *instrument = &engine->instruments[index];
    candidate->quantity = uncapped_part(engine, candidate);
    if (candidate->quantity == 0 || !pass_gates(engine, candidate, NULL))
        return;
    struct event_replace replace = {
        .instrument = candidate->instrument,
        .order = orders_next_id(engine),
        .replaces = candidate->order,
        .side = candidate->side,
        .price = {candidate->price, NUMBER_VALUE},
        .quantity = {candidate->quantity, NUMBER_VALUE},
        .time_in_force = TIME_IN_FORCE_GTC,
        .post_only = 1,
        .level = candidate->level,
        .cause = engine->ordinal,
        .fair = instrument->fair,
        .skew = instrument->skew,
        .distance = candidate->distance,
        .gates = risk_gates_asked(),
    };
    engine_emit(engine, EVENT_replace, index)->replace = replace;
    orders_take_replace(engine, &replace, engine->now);
    rate_count(rate_of(engine, index), engine->now);
    engine->counters.placed++;
    engine->counters.last_quote = engine->now;
    engine->counters.replaced++;
}

/* Cancels leave first; before the first of the others what the rate admits of them is settled. */
static void send_all(struct engine *engine)
{
    struct candidates *candidates = &engine->candidates;
    bool admitted = false;
    reconcile_sort(candidates);
    for (uint32_t i = 0; i < candidates->count; i++) {
        struct candidate *candidate = &candidates->list[candidates->order[i]];
        if (candidate->want != WANT_CANCEL && !admitted) {
            admit_orders(engine, i);
            admitted = true;
        }
        if (candidate->want == WANT_CANCEL)
            send_cancel(engine, candidate);
        else if (candidate->quantity == 0)
            continue; /* the rate has no room for it */
        else if (candidate->want == WANT_MODIFY)
            send_modify(engine, candidate);
        else if (candidate->want == WANT_REPLACE)
            send_replace(engine, candidate);
        else
            send_place(engine, candidate);
    }
    candidates->count = 0;
}

/* --- all due -------------------------------------------------------------------------------------- */

/* Call `work` for each due instrument in order. */
static void for_each_due(struct engine *engine, void (*work)(struct engine *, unsigned))
{
    unsigned words = (engine->instrument_count + WORD_BITS - 1) / WORD_BITS;
    for (unsigned word = 0; word < words; word++)
        for (uint64_t bits = engine->due[word]; bits != 0; bits &= bits - 1)
            work(engine, word * WORD_BITS + (unsigned)__builtin_ctzll(bits));
}

/* An order that the venue has acknowledged stays. */
static bool keeps_a_quote(const struct engine *engine, const struct instrument *instrument)
{
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            enum order_state state = (enum order_state)engine->orders.slots[slot].state;
            if (order_state_is_resting(state) || state == ORDER_PENDING_MODIFY)
                return true;
        }
    return false;
}

static void conclude(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    if (instrument->may_quote && keeps_a_quote(engine, instrument))
        engine->counters.last_quote = engine->now;
    instrument->may_quote = false;
    if (!engine_is_done(engine))
        risk_gate_edges(engine, index);
    timers_set(&engine->timers, index, timers_deadline_of(engine, index));
    engine->due[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
}

void cycle_run_due(struct engine *engine)
{
    if (!engine_is_done(engine)) { /* after the last word of a shutdown nothing leaves */
        for_each_due(engine, plan);
        send_all(engine);
    }
    /* Sending marks its instruments again; what they are due for has just been done. */
    for_each_due(engine, conclude);
    engine->any_due = false;
}
