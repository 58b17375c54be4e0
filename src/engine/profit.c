/* Profit of the account, reckoned where something changed: an instrument's worth, the sum of its asset,
 * that sum in the account's currency. */
#include "engine/profit.h"

#include "base/time.h"
#include "engine/day.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

enum {
    WORD_BITS = 64,
    PEAK_STEPS = 100, /* the peak is told again when it rose by this part of the limit */
    CHAIN_MAX = 8,    /* rates from one asset to the account's currency */
    RATE_EXPONENT = -18
};

/* --- beginning ------------------------------------------------------------------------------------- */

static bool quotes_any(const struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (engine->instruments[index].limits.enabled)
            return true;
    return false;
}

/* The one asset that profit of every quoted instrument is in, or EVENT_NONE_16. Where none is quoted any more, what
 * they hold has its profit all the same: then it is that of every instrument. */
static uint16_t common_asset(const struct engine *engine)
{
    const bool quoted_only = quotes_any(engine);
    unsigned asset = EVENT_NONE_16;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        unsigned own = ledger_profit_asset(&instrument->definition);
        if (quoted_only && !instrument->limits.enabled)
            continue;
        if (asset != EVENT_NONE_16 && asset != own)
            return EVENT_NONE_16;
        asset = own;
    }
    return (uint16_t)asset;
}

static void set_source(struct engine *engine, unsigned asset, unsigned index)
{
    struct asset_profit *from = &engine->profit.assets[asset];
    const struct event_definition *definition = &engine->instruments[index].definition;
    from->instrument = (uint16_t)index;
    from->divides = definition->base != asset;
    from->to = from->divides ? definition->base : definition->quote;
    engine->instruments[index].profit.converts = (uint16_t)asset;
    if (from->to != engine->profit.currency)
        engine->profit.chained = true;
}

void profit_init(struct engine *engine, const struct engine_config *config)
{
    struct profit *profit = &engine->profit;
    const struct engine_account *account = config->account;
    profit->drawdown_limit = config->global->risk_drawdown_limit;
    profit->daily_limit = config->global->risk_daily_loss_limit;
    profit->rate_age = config->global->account_rate_age;
    profit->zone = config->global->account_day_zone.text[0] == 'F' ? DAY_FX : DAY_UTC;
    profit->currency = account != NULL && account->named ? account->currency : common_asset(engine);
    profit->remark = TIME_NEVER;
    profit->next_day = INT64_MAX;
    profit->on = profit->currency != EVENT_NONE_16 &&
                 (profit->drawdown_limit.atto > 0 || profit->daily_limit.atto > 0);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        engine->instruments[index].profit.converts = EVENT_NONE_16;
        engine->instruments[index].profit.fee_asset = EVENT_NONE_16;
    }
    for (unsigned asset = 0; asset < engine->asset_count; asset++) {
        profit->assets[asset].to = EVENT_NONE_16;
        profit->assets[asset].instrument = EVENT_NONE_16;
        if (account != NULL && account->rates != NULL && account->rates[asset] != EVENT_NONE_16 &&
            asset != profit->currency)
            set_source(engine, asset, account->rates[asset]);
    }
}

static void touch(struct engine *engine, unsigned index)
{
    engine->profit.dirty[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
    engine->profit.touched = true;
}

void profit_start(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    if (!profit->on && profit->day_lost && profit->has_mark)
        profit->next_day = day_after((enum day_zone)profit->zone, profit->marked.day);
    if (!profit->on)
        return;
    profit->peak = profit->marked.peak;
    profit->day_start = profit->marked.day_start;
    profit->next_day =
        profit->has_mark ? day_after((enum day_zone)profit->zone, profit->marked.day) : INT64_MIN;
    for (unsigned index = 0; index < engine->instrument_count; index++)
        touch(engine, index);
}

/* --- rates ----------------------------------------------------------------------------------------- */

static const struct market *source_of(const struct engine *engine, const struct asset_profit *asset)
{
    return &engine->instruments[asset->instrument].market;
}

static bool has_mid(const struct market *market)
{
    return market_has_view(market) && market->top.price[SIDE_BUY] < market->top.price[SIDE_SELL];
}

/* The mid of an asset's instrument, kept for when its book is lost. */
static void take_mid(struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    struct asset_profit *asset = &engine->profit.assets[instrument->profit.converts];
    if (!has_mid(&instrument->market))
        return;
    asset->rate = (struct fx_rate){instrument->market.top.price[SIDE_BUY],
                                   instrument->market.top.price[SIDE_SELL],
                                   instrument->definition.price_exponent};
    asset->rate_ts = instrument->market.view_ts;
}

bool profit_convert(const struct engine *engine, unsigned asset, money amount, money *out)
{
    const struct profit *profit = &engine->profit;
    for (int step = 0; amount.atto != 0 && asset != profit->currency; step++) {
        const struct asset_profit *from = &profit->assets[asset];
        if (step == CHAIN_MAX || from->to == EVENT_NONE_16)
            return false;
        if (!(from->divides ? fx_through_mid : fx_at_mid)(amount, &from->rate, &amount))
            return false;
        asset = from->to;
    }
    *out = amount;
    return true;
}

/* Whether every rate from an asset to the currency is there and young enough (rule 13). */
static bool is_fresh(const struct engine *engine, unsigned asset)
{
    const struct profit *profit = &engine->profit;
    for (int step = 0; asset != profit->currency; step++) {
        const struct asset_profit *from = &profit->assets[asset];
        int64_t ts = from->rate_ts;
        if (step == CHAIN_MAX || from->to == EVENT_NONE_16 || from->rate.bid <= 0)
            return false;
        if (from->instrument != EVENT_NONE_16 && has_mid(source_of(engine, from)))
            ts = source_of(engine, from)->view_ts;
        if (engine->now - ts > profit->rate_age)
            return false;
        asset = from->to;
    }
    return true;
}

/* --- sums ------------------------------------------------------------------------------------------ */

static void set_unknown(struct profit *profit, bool *unknown, bool now)
{
    profit->unknown += (unsigned)now - (unsigned)*unknown;
    *unknown = now;
}

/* What an asset's sum is worth; without a rate it keeps its last worth, and was there none, the profit is
 * unknown. */
static void reckon_asset(struct engine *engine, unsigned index)
{
    struct profit *profit = &engine->profit;
    struct asset_profit *asset = &profit->assets[index];
    money worth;
    if (!profit_convert(engine, index, asset->sum, &worth)) {
        set_unknown(profit, &asset->unknown, true);
        return;
    }
    set_unknown(profit, &asset->unknown, false);
    profit->profit =
        engine_add(engine, profit->profit, engine_subtract(engine, worth, asset->worth));
    asset->worth = worth;
}

static void add_to_asset(struct engine *engine, unsigned asset, money change)
{
    struct asset_profit *sum = &engine->profit.assets[asset];
    if (change.atto == 0)
        return;
    sum->sum = engine_add(engine, sum->sum, change);
    reckon_asset(engine, asset);
}

/* A rate changed: what it converts, and where rates follow one another what leads through it. */
static void rate_changed(struct engine *engine, unsigned asset)
{
    if (!engine->profit.chained) {
        reckon_asset(engine, asset);
        return;
    }
    for (unsigned index = 0; index < engine->asset_count; index++)
        reckon_asset(engine, index);
}

/* The mark may change by age alone from here on, if that is still to come. */
static void remark_at(struct engine *engine, int64_t ts)
{
    if (ts > engine->now && ts < engine->profit.remark) {
        engine->profit.remark = ts;
        timers_common_moved(engine);
    }
}

/* Rule 14's mark decides. Where the venue tells one, it makes way for the mid when it gets old; nothing
 * else changes by age alone. */
static bool unrealised_of(struct engine *engine, const struct instrument *instrument, money *out)
{
    const struct market *market = &instrument->market;
    int64_t mark2;
    bool stale;
    *out = MONEY_ZERO;
    if (instrument->position.units == 0)
        return true;
    if (market->mark.has)
        remark_at(engine, market->mark.ts + ENGINE_MARK_FRESH_NS);
    return market_mark2(market, engine->now, &mark2, &stale) &&
           position_unrealised(&instrument->position, &instrument->definition, mark2, out);
}

static void reckon(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct position *position = &instrument->position;
    struct instrument_profit *own = &instrument->profit;
    money unrealised, worth;
    set_unknown(&engine->profit, &own->unknown, !unrealised_of(engine, instrument, &unrealised));
    own->flat = position->units == 0;
    worth = engine_add(engine, engine_add(engine, position->realised, unrealised),
                       engine_subtract(engine, position->funding, position->fees));
    add_to_asset(engine, ledger_profit_asset(&instrument->definition),
                 engine_subtract(engine, worth, own->worth));
    own->worth = worth;
    if (own->converts != EVENT_NONE_16) {
        take_mid(engine, index);
        rate_changed(engine, own->converts);
    }
}

static void reckon_dirty(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    unsigned words = (engine->instrument_count + WORD_BITS - 1) / WORD_BITS;
    if (profit->remark <= engine->now) {
        profit->remark = TIME_NEVER;
        timers_common_moved(engine);
        for (unsigned index = 0; index < engine->instrument_count; index++)
            if (engine->instruments[index].position.units != 0)
                touch(engine, index);
    }
    if (!profit->touched)
        return;
    for (unsigned word = 0; word < words; word++) {
        for (uint64_t bits = profit->dirty[word]; bits != 0; bits &= bits - 1)
            reckon(engine, word * WORD_BITS + (unsigned)__builtin_ctzll(bits));
        profit->dirty[word] = 0;
    }
    profit->touched = false;
}

void profit_touch(struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    if (!engine->profit.on || !engine->started)
        return;
    if (instrument->profit.flat && instrument->position.units == 0 &&
        instrument->profit.converts == EVENT_NONE_16)
        return;
    touch(engine, index);
}

static void reset_asset(struct engine *engine, unsigned index)
{
    struct asset_profit *asset = &engine->profit.assets[index];
    asset->sum = asset->worth = MONEY_ZERO;
    asset->unknown = false;
    asset->rate = (struct fx_rate){0};
    asset->rate_ts = 0;
    if (asset->instrument == EVENT_NONE_16) {
        asset->to = EVENT_NONE_16;
        asset->divides = false;
    } else if (asset->to != engine->profit.currency) {
        engine->profit.chained = true;
    }
}

void profit_reset(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    profit->chained = profit->touched = false;
    profit->unknown = 0;
    profit->profit = profit->peak = profit->day_start = MONEY_ZERO;
    profit->next_day = INT64_MAX;
    profit->remark = TIME_NEVER;
    timers_common_moved(engine);
    for (unsigned index = 0; index < engine->asset_count; index++)
        reset_asset(engine, index);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        struct instrument_profit *own = &engine->instruments[index].profit;
        own->worth = MONEY_ZERO;
        own->unknown = own->flat = own->pull = false;
        profit->dirty[index / WORD_BITS] = 0;
    }
    for (unsigned index = 0; index < engine->asset_count && profit->on; index++)
        add_to_asset(engine, index, money_negate(profit->assets[index].fees));
}

void profit_take_fee(struct engine *engine, unsigned index, unsigned asset, money fee)
{
    struct asset_profit *paid = &engine->profit.assets[asset];
    paid->fees = engine_add(engine, paid->fees, fee);
    engine->instruments[index].profit.fee_asset = (uint16_t)asset;
    if (engine->profit.on)
        add_to_asset(engine, asset, money_negate(fee));
}

/* A price of a record as a count of 10^exponent that fits int64 beside another. */
static bool shorten(money bid, money ask, struct fx_rate *rate)
{
    int exponent = RATE_EXPONENT;
    if (bid.atto <= 0)
        return false;
    while (ask.atto > INT64_MAX / 4) {
        bid.atto /= 10;
        ask.atto /= 10;
        exponent++;
    }
    *rate = (struct fx_rate){(int64_t)bid.atto, (int64_t)ask.atto, exponent};
    return bid.atto > 0;
}

void profit_take_rate(struct engine *engine, const struct event_reference_rate *record)
{
    struct profit *profit = &engine->profit;
    struct fx_rate rate;
    if (record->from >= engine->asset_count || record->to >= engine->asset_count ||
        record->from == record->to)
        return;
    /* A crossed rate is none, as the mid of a crossed book is. */
    if (!engine_is_money(record->bid) || !engine_is_money(record->ask) ||
        money_compare(record->bid, record->ask) > 0 || !shorten(record->bid, record->ask, &rate)) {
        ledger_tell_removed(engine, EVENT_NONE_16, 0, REMOVED_MARKET_DATA);
        return;
    }
    bool divides = record->from == profit->currency;
    unsigned index = divides ? record->to : record->from;
    struct asset_profit *asset = &profit->assets[index];
    if (asset->instrument != EVENT_NONE_16)
        return; /* the named instrument's mid is the rate */
    asset->rate = rate;
    asset->rate_ts = engine->now;
    asset->divides = divides;
    asset->to = divides ? record->from : record->to;
    if (asset->to != profit->currency)
        profit->chained = true;
    if (!profit->on)
        return;
    rate_changed(engine, index);
    profit->touched =
        true; /* no instrument has changed, but what the account lost may have: it is judged */
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void mark_all_due(struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        engine_mark_due(engine, index);
}

/* Say how things stand; after a restart they stand like this. */
static void tell(struct engine *engine, int64_t day)
{
    struct profit *profit = &engine->profit;
    profit->has_mark = true;
    profit->marked = (struct event_risk_mark){
        .profit = profit->profit,
        .peak = profit->peak,
        .day_start = profit->day_start,
        .day = day,
    };
    engine_emit(engine, EVENT_risk_mark, EVENT_NONE_16)->risk_mark = profit->marked;
}

/* A pause of the account begins or ends: what a restart goes by, whatever its limits are. */
static void tell_pause(struct engine *engine, enum gate why, bool paused)
{
    struct event_pause pause = {.instrument = EVENT_NONE_16, .paused = paused, .why = (uint8_t)why};
    engine_emit(engine, EVENT_pause, EVENT_NONE_16)->pause = pause;
    profit_take_pause(engine, &pause);
}

/* Rule 21 and 22: the loss has reached its limit, to the last unit. */
static bool has_fallen(struct engine *engine, money from, money to, money limit)
{
    return limit.atto > 0 && money_compare(engine_subtract(engine, from, to), limit) >= 0;
}

static void lose_day(struct engine *engine)
{
    tell_pause(engine, GATE_DAILY_LOSS, true);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        engine->instruments[index].profit.pull = true;
}

static void judge(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    bool changed = false;
    if (!profit->drawn_down && money_compare(profit->profit, profit->peak) > 0)
        profit->peak = profit->profit;
    if (!profit->drawn_down &&
        has_fallen(engine, profit->peak, profit->profit, profit->drawdown_limit)) {
        tell_pause(engine, GATE_DRAWDOWN, true);
        changed = true;
    }
    /* Once the day is over, and only waits for the profit to be known, its start is none of what is lost now. */
    if (!profit->day_lost && engine->now < profit->next_day &&
        has_fallen(engine, profit->day_start, profit->profit, profit->daily_limit)) {
        lose_day(engine);
        changed = true;
    }
    if (changed)
        mark_all_due(engine);
    money risen = engine_subtract(engine, profit->peak, profit->marked.peak);
    if (changed || (profit->drawdown_limit.atto > 0 && risen.atto > 0 &&
                    risen.atto >= profit->drawdown_limit.atto / PEAK_STEPS))
        tell(engine, profit->marked.day);
}

void profit_turn_day(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    if (profit->unknown > 0)
        return;
    profit->day_start = profit->profit;
    profit->next_day = day_after((enum day_zone)profit->zone, engine->now);
    if (profit->day_lost) {
        mark_all_due(engine);
        tell_pause(engine, GATE_DAILY_LOSS, false);
    }
    if (!profit->on) { /* only an earlier session's loss was waited for */
        profit->next_day = INT64_MAX;
        return;
    }
    tell(engine, day_start((enum day_zone)profit->zone, engine->now));
}

void profit_update(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    if (!profit->on || !(profit->touched || profit->remark <= engine->now))
        return;
    reckon_dirty(engine);
    if (profit->unknown == 0 && profit->has_mark)
        judge(engine);
}

void profit_resume(struct engine *engine)
{
    struct profit *profit = &engine->profit;
    if (engine->folding || !profit->drawn_down)
        return; /* in a fold the tape tells its end */
    tell_pause(engine, GATE_DRAWDOWN, false);
    mark_all_due(engine);
    if (!profit->on)
        return;
    reckon_dirty(engine);
    profit->peak = profit->profit;
    tell(engine, profit->marked.day);
}

/* --- a position is taken over ------------------------------------------------------------------------ */

bool profit_is_known(const struct engine *engine)
{
    const struct profit *profit = &engine->profit;
    return !profit->on || (profit->unknown == 0 && profit->has_mark);
}

money profit_now(struct engine *engine, unsigned index)
{
    if (!engine->profit.on)
        return MONEY_ZERO;
    touch(engine, index);
    reckon_dirty(engine);
    return engine->profit.profit;
}

void profit_rebase(struct engine *engine, unsigned index, money before)
{
    struct profit *profit = &engine->profit;
    money step = engine_subtract(engine, profit_now(engine, index), before);
    if (step.atto == 0)
        return;
    profit->peak = engine_add(engine, profit->peak, step);
    profit->day_start = engine_add(engine, profit->day_start, step);
    tell(engine, profit->marked.day);
}

/* --- gates ----------------------------------------------------------------------------------------- */

bool profit_is_drawn_down(const struct engine *engine, unsigned index)
{
    (void)index;
    return engine->profit.drawn_down;
}

bool profit_is_at_daily_loss(const struct engine *engine, unsigned index)
{
    (void)index;
    return engine->profit.day_lost;
}

bool profit_lacks_rate(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    if (!engine->profit.on)
        return false;
    return engine->profit.unknown > 0 ||
           !is_fresh(engine, ledger_profit_asset(&instrument->definition)) ||
           (instrument->profit.fee_asset != EVENT_NONE_16 &&
            !is_fresh(engine, instrument->profit.fee_asset));
}

bool profit_pulls(struct engine *engine, unsigned index)
{
    struct instrument_profit *own = &engine->instruments[index].profit;
    bool pulls = own->pull && !risk_is_off(engine, GATE_DAILY_LOSS);
    own->pull = false;
    return pulls;
}

int64_t profit_deadline(const struct engine *engine)
{
    return engine->profit.on ? engine->profit.remark : TIME_NEVER;
}

/* --- carry ----------------------------------------------------------------------------------------- */

void profit_take_mark(struct engine *engine, const struct event_risk_mark *mark)
{
    engine->profit.marked = *mark;
    engine->profit.has_mark = true;
}

void profit_take_pause(struct engine *engine, const struct event_pause *pause)
{
    if (pause->why == GATE_DRAWDOWN)
        engine->profit.drawn_down = pause->paused;
    else if (pause->why == GATE_DAILY_LOSS)
        engine->profit.day_lost = pause->paused;
}

void profit_walk_carry(struct walker *walker, const struct engine *engine)
{
    const struct profit *profit = &engine->profit;
    walker->field(walker, "profit.has_mark", 0, profit->has_mark);
    walker->field(walker, "profit.drawn_down", 0, profit->drawn_down);
    walker->field(walker, "profit.day_lost", 0, profit->day_lost);
    walker->wide(walker, "profit.marked.profit", 0, profit->marked.profit.atto);
    walker->wide(walker, "profit.marked.peak", 0, profit->marked.peak.atto);
    walker->wide(walker, "profit.marked.day_start", 0, profit->marked.day_start.atto);
    walker->field(walker, "profit.marked.day", 0, profit->marked.day);
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        if (profit->assets[asset].fees.atto != 0)
            walker->wide(walker, "profit.asset.fees", asset, profit->assets[asset].fees.atto);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (engine->instruments[index].profit.fee_asset != EVENT_NONE_16)
            walker->field(walker, "profit.fee_asset", index,
                          engine->instruments[index].profit.fee_asset);
}

static void walk_asset(struct walker *walker, const struct asset_profit *asset, unsigned index)
{
    walker->wide(walker, "profit.asset.sum", index, asset->sum.atto);
    walker->wide(walker, "profit.asset.worth", index, asset->worth.atto);
    walker->field(walker, "profit.asset.unknown", index, asset->unknown);
    walker->field(walker, "profit.asset.rate.bid", index, asset->rate.bid);
    walker->field(walker, "profit.asset.rate.ask", index, asset->rate.ask);
    walker->field(walker, "profit.asset.rate.exponent", index, asset->rate.exponent);
    walker->field(walker, "profit.asset.rate_ts", index, asset->rate_ts);
    walker->field(walker, "profit.asset.instrument", index, asset->instrument);
    walker->field(walker, "profit.asset.to", index, asset->to);
    walker->field(walker, "profit.asset.divides", index, asset->divides);
}

void profit_walk(struct walker *walker, const struct engine *engine)
{
    const struct profit *profit = &engine->profit;
    walker->field(walker, "profit.on", 0, profit->on);
    if (!profit->on)
        return;
    walker->field(walker, "profit.chained", 0, profit->chained);
    walker->field(walker, "profit.touched", 0, profit->touched);
    walker->field(walker, "profit.zone", 0, profit->zone);
    walker->field(walker, "profit.currency", 0, profit->currency);
    walker->field(walker, "profit.unknown", 0, profit->unknown);
    walker->wide(walker, "profit.drawdown_limit", 0, profit->drawdown_limit.atto);
    walker->wide(walker, "profit.daily_limit", 0, profit->daily_limit.atto);
    walker->field(walker, "profit.rate_age", 0, profit->rate_age);
    walker->wide(walker, "profit.profit", 0, profit->profit.atto);
    walker->wide(walker, "profit.peak", 0, profit->peak.atto);
    walker->wide(walker, "profit.day_start", 0, profit->day_start.atto);
    walker->field(walker, "profit.next_day", 0, profit->next_day);
    walker->field(walker, "profit.remark", 0, profit->remark);
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        walk_asset(walker, &profit->assets[asset], asset);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument_profit *own = &engine->instruments[index].profit;
        walker->wide(walker, "profit.worth", index, own->worth.atto);
        walker->field(walker, "profit.instrument.unknown", index, own->unknown);
        walker->field(walker, "profit.flat", index, own->flat);
        walker->field(walker, "profit.pull", index, own->pull);
        walker->field(walker, "profit.dirty", index,
                      (int64_t)(profit->dirty[index / WORD_BITS] >> index % WORD_BITS & 1));
    }
}
