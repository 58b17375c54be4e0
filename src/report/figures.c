/* Each table of a report: what its columns are, and its rows from a run. */
#include "report/figures.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

#define COUNT_OF(items) (sizeof(items) / sizeof((items)[0]))

static void row_money(struct table *table, const char *key, money amount)
{
    table_text(table, key);
    table_money(table, amount);
}

/* --- provenance ------------------------------------------------------------------------------------- */

static void text_row(struct table *table, const char *key, const char *text)
{
    table_text(table, key);
    table_text(table, text);
}

static void integer_row(struct table *table, const char *key, int64_t value)
{
    table_text(table, key);
    table_integer(table, value);
}

static void fill_provenance(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {{"what", "What", TABLE_KEY},
                                                  {"value", "Value", TABLE_TEXT}};
    const struct run_provenance *p = &run->provenance;
    table_open(table, "provenance", "Where the figures come from", "", columns, COUNT_OF(columns));
    text_row(table, "grade of the run", p->run_grade);
    text_row(table, "why not better", p->run_grade_reasons[0] ? p->run_grade_reasons : "-");
    text_row(table, "grade of the tape", p->tape_grade);
    text_row(table, "tape", p->tape_name);
    /* A live session's tape has not ended when its database is written: `capstan project` gives both. */
    text_row(table, "identity of the tape", p->tape_identity[0] ? p->tape_identity : "-");
    text_row(table, "fingerprint of the run", p->fingerprint[0] ? p->fingerprint : "-");
    text_row(table, "hash of the configuration", p->config_hash);
    integer_row(table, "seed", p->seed);
    text_row(table, "capstan", p->tool_version);
    text_row(table, "build", p->build_id);
    table_text(table, "first message");
    table_time(table, p->first_ns);
    table_text(table, "last message");
    table_time(table, p->last_ns);
    table_text(table, "length, seconds");
    table_decimal(table, (int128)p->last_ns - p->first_ns, -9);
    integer_row(table, "events", p->events);
    integer_row(table, "messages to the engine", p->messages);
    integer_row(table, "of the market", p->market_messages);
    integer_row(table, "ticks", p->ticks);
    integer_row(table, "answers", p->answers);
    integer_row(table, "starts", p->messages - p->market_messages - p->ticks - p->answers);
    integer_row(table, "cycles", p->cycles);
    integer_row(table, "decisions", p->decisions);
    integer_row(table, "invariant checks", p->invariant_checks);
    integer_row(table, "invariant violations", p->invariant_violations);
    text_row(table, "database", run->path);
}

/* --- profit ------------------------------------------------------------------------------------------- */

static void fill_account(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {{"asset", "Asset", TABLE_KEY},
                                                  {"net", "Net profit", TABLE_FIGURE},
                                                  {"peak", "Peak", TABLE_FIGURE},
                                                  {"drawdown", "Deepest drawdown", TABLE_FIGURE},
                                                  {"drawdown_at", "Deepest at", TABLE_TEXT},
                                                  {"fees", "Fees", TABLE_FIGURE}};
    table_open(table, "account", "Profit by asset",
               "Realised and unrealised profit less fees, with funding, of all instruments whose "
               "profit is in that asset. Of this run alone: it begins at 0, and peak and drawdown "
               "of the samples count from there.",
               columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->asset_count; i++) {
        const struct run_asset *asset = &run->assets[i];
        row_money(table, asset->name, asset->worth);
        table_money(table, asset->peak);
        table_money(table, asset->drawdown);
        if (asset->drawdown.atto > 0)
            table_time(table, asset->drawdown_ns);
        else
            table_text(table, "");
        table_money(table, asset->fees);
    }
}

static void fill_profit(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {{"instrument", "Instrument", TABLE_KEY},
                                                  {"asset", "In", TABLE_KEY},
                                                  {"net", "Net", TABLE_FIGURE},
                                                  {"realised", "Realised", TABLE_FIGURE},
                                                  {"unrealised", "Unrealised", TABLE_FIGURE},
                                                  {"fees", "Fees", TABLE_FIGURE},
                                                  {"funding", "Funding", TABLE_FIGURE},
                                                  {"position", "Position", TABLE_FIGURE},
                                                  {"mark", "Mark", TABLE_FIGURE},
                                                  {"mark_stale", "Mark is", TABLE_TEXT}};
    table_open(table, "profit", "Profit by instrument",
               "What came to it in this run: what stood at the end less what it began with. Net is "
               "realised + unrealised - fees + funding. Position and mark are those at the end.",
               columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        if (!instrument->ended)
            continue;
        table_text(table, instrument->name);
        table_text(table, instrument->profit_asset);
        table_money(table, run_net(instrument));
        table_money(table, instrument->realised);
        table_money(table, instrument->unrealised);
        table_money(table, instrument->fees);
        table_money(table, instrument->funding);
        table_money(table, instrument->position);
        table_text(table, instrument->mark ? instrument->mark : "");
        table_text(table, !instrument->mark        ? "unknown"
                          : instrument->mark_stale ? "stale"
                                                   : "fresh");
    }
}

static bool began_with_something(const struct run_earned *before)
{
    return before->position.atto != 0 || before->realised.atto != 0 ||
           before->unrealised.atto != 0 || before->fees.atto != 0 || before->funding.atto != 0;
}

/* Of a tape that goes on where another ended. */
static void fill_chain(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY},
        {"asset", "In", TABLE_KEY},
        {"net", "Net", TABLE_FIGURE},
        {"net_before", "Net before", TABLE_FIGURE},
        {"realised", "Realised", TABLE_FIGURE},
        {"unrealised", "Unrealised", TABLE_FIGURE},
        {"fees", "Fees", TABLE_FIGURE},
        {"funding", "Funding", TABLE_FIGURE},
        {"position_before", "Position before", TABLE_FIGURE}};
    table_open(table, "chain", "Since the chain of tapes began",
               "Where the tape goes on where another ended: profit of all tapes until the end of "
               "this one, the net profit of those before it, and the position that it began with. "
               "What came in this run alone stands in the table before; sums of several tapes are "
               "made of that.",
               columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        const struct run_earned *before = &instrument->before, *chain = &instrument->chain;
        if (!began_with_something(before))
            continue;
        table_text(table, instrument->name);
        table_text(table, instrument->profit_asset);
        table_money(table, chain->net);
        table_money(table, before->net);
        table_money(table, chain->realised);
        table_money(table, chain->unrealised);
        table_money(table, chain->fees);
        table_money(table, chain->funding);
        table_money(table, before->position);
    }
}

/* --- fills ---------------------------------------------------------------------------------------------- */

static void fill_fills(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY}, {"side", "Side", TABLE_KEY},
        {"fills", "Fills", TABLE_FIGURE},        {"quantity", "Quantity", TABLE_FIGURE},
        {"notional", "Worth", TABLE_FIGURE},     {"asset", "In", TABLE_TEXT}};
    table_open(table, "fills", "Fills", "", columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        for (unsigned side = 0; side < 2; side++) {
            const struct run_fills *fills = &instrument->fills[side];
            if (fills->count == 0)
                continue;
            table_text(table, instrument->name);
            table_text(table, event_enum_text(FIELD_SIDE, side));
            table_count(table, fills->count);
            table_decimal(table, fills->quantity, instrument->quantity_exponent);
            table_money(table, fills->notional);
            table_text(table, instrument->profit_asset);
        }
    }
}

/* "spread captured" at the fill itself, else "0.1 s" and so on. */
static const char *horizon_text(int64_t horizon_ns, char text[TIME_TEXT_MAX + 8])
{
    if (horizon_ns == 0)
        return "at the fill";
    if (horizon_ns < NS_PER_SECOND)
        snprintf(text, TIME_TEXT_MAX + 8, "0.%d s", (int)(horizon_ns / (NS_PER_SECOND / 10)));
    else
        snprintf(text, TIME_TEXT_MAX + 8, "%d s", (int)(horizon_ns / NS_PER_SECOND));
    return text;
}

static void fill_markouts(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY},
        {"horizon", "After", TABLE_KEY},
        {"basis_points", "Basis points", TABLE_FIGURE},
        {"gain", "Gain", TABLE_FIGURE},
        {"asset", "In", TABLE_TEXT},
        {"fills_measured", "Fills measured", TABLE_FIGURE},
        {"fills_not_measured", "Not measured", TABLE_FIGURE}};
    char text[TIME_TEXT_MAX + 8];
    table_open(
        table, "markouts", "Spread captured and markouts",
        "Side x (mid - price) x quantity of each fill, before fees. The mid is the middle of "
        "the best prices that the engine quotes by: just before the fill (the spread "
        "captured), and that long after it, by the venue's clock. What it loses until 60 s "
        "is what the other side knew. Basis points are of the worth of the fills measured. "
        "Not measured: the run ended before, or there was no mid.",
        columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        uint64_t fills = instrument->fills[SIDE_BUY].count + instrument->fills[SIDE_SELL].count;
        for (unsigned horizon = 0; fills > 0 && horizon < RUN_HORIZONS; horizon++) {
            const struct run_markout *markout = &instrument->markout[horizon];
            table_text(table, instrument->name);
            table_text(table, horizon_text(run_horizons[horizon], text));
            money gain = MONEY_ZERO;
            bool known =
                markout->measured > 0 && money_scale(markout->gain2, 1, 2, MONEY_HALF_EVEN, &gain);
            table_basis_points(table, gain.atto, markout->notional.atto);
            if (known)
                table_money(table, gain);
            else
                table_text(table, "");
            table_text(table, instrument->profit_asset);
            table_count(table, markout->measured);
            table_count(table, fills - markout->measured);
        }
    }
}

static void fill_fill_rate(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY},
        {"side", "Side", TABLE_KEY},
        {"level", "Level", TABLE_KEY},
        {"distance_ticks", "Ticks away", TABLE_FIGURE},
        {"spells", "Spells", TABLE_FIGURE},
        {"rested_seconds", "Rested s", TABLE_FIGURE},
        {"rested", "Quantity", TABLE_FIGURE},
        {"filled", "Whole", TABLE_FIGURE},
        {"filled_part", "In part", TABLE_FIGURE},
        {"fill_rate_percent", "Fill rate %", TABLE_FIGURE},
        {"fills_queue", "Queue", TABLE_FIGURE},
        {"fills_through", "Through", TABLE_FIGURE},
        {"fills_cross", "Cross", TABLE_FIGURE},
        {"fills_take", "Take", TABLE_FIGURE},
        {"fills_reported", "Reported", TABLE_FIGURE}};
    static const uint8_t causes[] = {FILL_QUEUE, FILL_THROUGH, FILL_CROSS, FILL_TAKE,
                                     FILL_REPORTED};
    _Static_assert(COUNT_OF(causes) == FILL_CAUSE_COUNT, "a column a cause");
    table_open(table, "fill_rate", "Fill rate by depth and cause",
               "By the level for which an order rested: 0 is nearest to the fair value. A spell is "
               "the time in which an order rested for one level; ticks away is the mean distance "
               "when it was sent there. Fill rate is filled of rested quantity, whole and in part "
               "are spells; refused orders "
               "never rested. Fills by cause: "
               "our turn in the queue came, the market traded through our price, it crossed it, we "
               "took; reported: the venue told of it.",
               columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        for (unsigned at = 0; at < 2 * RUN_LEVELS_MAX; at++) {
            unsigned side = at / RUN_LEVELS_MAX, number = at % RUN_LEVELS_MAX;
            const struct run_level *level = &instrument->level[side][number];
            if (level->spells == 0 && level->fills == 0)
                continue;
            table_text(table, instrument->name);
            table_text(table, event_enum_text(FIELD_SIDE, side));
            table_count(table, number);
            table_ratio(table, level->distance, (int128)level->distances * 1000, 2);
            table_count(table, level->spells);
            table_ratio(table, level->time_ns, NS_PER_SECOND, 3);
            table_decimal(table, level->rested, instrument->quantity_exponent);
            table_count(table, level->filled_whole);
            table_count(table, level->filled_part);
            table_ratio(table, level->filled * 100, level->rested, 2);
            for (unsigned cause = 0; cause < FILL_CAUSE_COUNT; cause++)
                table_count(table, level->fills_by_cause[causes[cause]]);
        }
    }
}

/* --- orders, gates, latency, fees ----------------------------------------------------------------------- */

static void fill_orders(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY},  {"sent", "Sent", TABLE_FIGURE},
        {"placed", "Placed", TABLE_FIGURE},       {"filled", "Filled", TABLE_FIGURE},
        {"cancelled", "Cancelled", TABLE_FIGURE}, {"rejected", "Rejected", TABLE_FIGURE},
        {"expired", "Expired", TABLE_FIGURE},     {"not_found", "Not found", TABLE_FIGURE},
        {"open", "Open at the end", TABLE_FIGURE}};
    table_open(table, "orders", "What became of the orders", "", columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        table_text(table, instrument->name);
        table_count(table, instrument->sent);
        table_count(table, instrument->placed);
        table_count(table, instrument->filled);
        table_count(table, instrument->cancelled);
        table_count(table, instrument->rejected);
        table_count(table, instrument->expired);
        table_count(table, instrument->not_found);
        table_count(table, instrument->open);
    }
}

static void fill_breakers(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY}, {"breaker", "Breaker", TABLE_KEY},
        {"state", "State", TABLE_KEY},           {"since", "Since", TABLE_KEY},
        {"until", "Until", TABLE_TEXT},          {"seconds", "Seconds", TABLE_FIGURE}};
    const int64_t first_ns = run->provenance.first_ns;
    table_open(table, "breakers", "Trips of breakers",
               "A state that gets worse is a row of its own. Without an end it stood so at the end "
               "of the run. Seconds are those in this run. The edge breaker stays until an "
               "operator clears "
               "it.",
               columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++)
        for (size_t b = 0; b < run->instruments[i].breakers.count; b++) {
            const struct run_interval *interval = &run->instruments[i].breakers.items[b];
            table_text(table, run->instruments[i].name);
            table_text(table, event_enum_text(FIELD_BREAKER, interval->what));
            table_text(table, event_enum_text(FIELD_BREAKER_STATE, interval->state));
            table_time(table, interval->since);
            if (interval->ended)
                table_time(table, interval->until);
            else
                table_text(table, "");
            int64_t since = interval->since > first_ns ? interval->since : first_ns;
            int64_t held = interval->until > since ? interval->until - since : 0;
            table_ratio(table, held, NS_PER_SECOND, 3);
        }
}

static bool is_gate(const struct run_interval *interval, unsigned gate)
{
    return interval->what == gate;
}

static bool is_whole_gate(const struct run_interval *interval, unsigned any)
{
    (void)any;
    return run_gate_is_whole(interval->what);
}

static bool is_pausing_breaker(const struct run_interval *interval, unsigned breaker)
{
    return interval->what == breaker && interval->state >= BREAKER_PAUSE;
}

static void not_quoting_row(struct table *table, const struct run *run, const char *instrument,
                            const char *cause, int64_t time_ns)
{
    const struct run_provenance *p = &run->provenance;
    if (time_ns == 0)
        return;
    table_text(table, instrument);
    table_text(table, cause);
    table_ratio(table, time_ns, NS_PER_SECOND, 3);
    table_ratio(table, (int128)time_ns * 100, (int128)run->end_ns - p->first_ns, 2);
}

static void fill_not_quoting(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {{"instrument", "Instrument", TABLE_KEY},
                                                  {"cause", "Cause", TABLE_KEY},
                                                  {"seconds", "Seconds", TABLE_FIGURE},
                                                  {"percent", "% of the run", TABLE_FIGURE}};
    const int64_t from = run->provenance.first_ns, to = run->end_ns;
    table_open(
        table, "not_quoting", "Time without quoting",
        "How long nothing could be placed or changed, and what stopped it: a gate of the "
        "whole instrument, a breaker by its name. Causes may hold at one time; \"any\" counts "
        "each moment once.",
        columns, COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++) {
        const struct run_instrument *instrument = &run->instruments[i];
        char cause[48];
        not_quoting_row(table, run, instrument->name, "any",
                        run_time_of(&instrument->gates, is_whole_gate, 0, from, to));
        for (unsigned gate = 0; gate < GATE_COUNT; gate++)
            if (run_gate_is_whole(gate) && gate != GATE_BREAKER)
                not_quoting_row(table, run, instrument->name, event_enum_text(FIELD_GATE, gate),
                                run_time_of(&instrument->gates, is_gate, gate, from, to));
        for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++) {
            snprintf(cause, sizeof cause, "breaker %s", event_enum_text(FIELD_BREAKER, breaker));
            not_quoting_row(
                table, run, instrument->name, cause,
                run_time_of(&instrument->breakers, is_pausing_breaker, breaker, from, to));
        }
    }
}

static void fill_gates(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {{"instrument", "Instrument", TABLE_KEY},
                                                  {"gate", "Gate", TABLE_KEY},
                                                  {"blocked", "Blocked", TABLE_FIGURE}};
    table_open(table, "gates", "What the gates blocked",
               "How often a gate kept an order from being sent or changed.", columns,
               COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++)
        for (unsigned gate = 0; gate < GATE_COUNT; gate++) {
            if (run->instruments[i].gate_blocked[gate] == 0)
                continue;
            table_text(table, run->instruments[i].name);
            table_text(table, event_enum_text(FIELD_GATE, gate));
            table_count(table, run->instruments[i].gate_blocked[gate]);
        }
}

static void fill_latency(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {{"venue", "Venue", TABLE_KEY},
                                                  {"request", "Request", TABLE_KEY},
                                                  {"answers", "Answers", TABLE_FIGURE},
                                                  {"p50_ms", "p50 ms", TABLE_FIGURE},
                                                  {"p95_ms", "p95 ms", TABLE_FIGURE},
                                                  {"p99_ms", "p99 ms", TABLE_FIGURE},
                                                  {"slowest_ms", "Slowest ms", TABLE_FIGURE}};
    static const char *const requests[] = {"place", "replace", "cancel", "modify"};
    static const unsigned percents[] = {50, 95, 99, 100};
    table_open(table, "latency", "Latency",
               "From the decision to the first answer to it, by the session's clock.", columns,
               COUNT_OF(columns));
    for (size_t i = 0; i < run->venue_count; i++)
        for (unsigned request = 0; request < RUN_REQUESTS; request++) {
            const struct run_times *times = &run->venues[i].times[request];
            if (times->count == 0)
                continue;
            table_text(table, run->venues[i].name);
            table_text(table, requests[request]);
            table_count(table, times->count);
            for (size_t p = 0; p < COUNT_OF(percents); p++)
                table_decimal(table, run_percentile(times, percents[p]), -6);
        }
}

static void fill_fees(struct table *table, const struct run *run)
{
    static const struct table_column columns[] = {
        {"instrument", "Instrument", TABLE_KEY}, {"liquidity", "As", TABLE_KEY},
        {"fee_asset", "Fee in", TABLE_KEY},      {"fees", "Fees", TABLE_FIGURE},
        {"fills", "Fills", TABLE_FIGURE},        {"notional", "Worth of the fills", TABLE_FIGURE},
        {"notional_asset", "In", TABLE_TEXT}};
    table_open(table, "fees", "Fees", "As the fills told them; below 0 is a rebate.", columns,
               COUNT_OF(columns));
    for (size_t i = 0; i < run->instrument_count; i++)
        for (size_t f = 0; f < run->instruments[i].fee_count; f++) {
            const struct run_fee *fee = &run->instruments[i].fee[f];
            table_text(table, run->instruments[i].name);
            table_text(table, event_enum_text(FIELD_LIQUIDITY, fee->liquidity));
            table_text(table, fee->asset);
            table_money(table, fee->fills.fees);
            table_count(table, fee->fills.count);
            table_money(table, fee->fills.notional);
            table_text(table, run->instruments[i].profit_asset);
        }
}

int figures_make(const struct run *run, struct table tables[FIGURES_COUNT], struct error *error)
{
    bool no_memory = false;
#define X(name)                                                                                    \
    fill_##name(&tables[FIGURES_##name], run);                                                     \
    no_memory |= tables[FIGURES_##name].no_memory;
    FIGURES(X)
#undef X
    return no_memory ? error_set(error, ERROR_SYSTEM, "no memory for the report") : 0;
}

void figures_close(struct table tables[FIGURES_COUNT])
{
    for (unsigned i = 0; i < FIGURES_COUNT; i++)
        table_close(&tables[i]);
}
