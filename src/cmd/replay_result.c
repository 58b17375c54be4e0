/* The result of `capstan replay`: a table for people, one JSON object for programs. */
#include "cmd/replay_result.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "cmd/cmd.h"
#include "venue/sim/sim.h"

/* All that is printed, gathered once. */
struct figures {
    const struct backtest *backtest;
    const struct event_names *names;
    const struct engine_counters *engine;
    const struct sim_stats *venue;
    const struct run_grade *grade;
    const struct result_answers *answers;
    double seconds, started_seconds;            /* of the whole run; from the engine's start on */
    uint64_t events, messages, market_messages; /* from the engine's start on */
    char fingerprint[FINGERPRINT_TEXT_MAX];
};

static double events_per_second(const struct figures *figures)
{
    return figures->started_seconds > 0 ? (double)figures->events / figures->started_seconds : 0;
}

/* What the engine was told besides; a replay has one. */
static uint64_t starts(const struct figures *figures)
{
    const struct result_answers *answers = figures->answers;
    return figures->messages - figures->market_messages - answers->ticks - answers->answers;
}

/* The asset in which an instrument's profit is counted. */
static const char *profit_asset(const struct event_names *names, unsigned instrument)
{
    const struct event_definition *definition = &names->definitions[instrument];
    return names
        ->assets[definition->contract == CONTRACT_INVERSE ? definition->settle : definition->quote];
}

static bool funding_unknown(const struct figures *figures, unsigned instrument)
{
    struct engine_position position;
    engine_position(figures->backtest->engine.engine, instrument, &position);
    return position.funding_unknown;
}

/* A limit on the account's profit was asked for and can't be in force: its profit has no one currency. */
static bool account_limits_missing(const struct figures *figures,
                                   const struct engine_account_state *account)
{
    const struct settings_global *global = &figures->backtest->engine.resolved.global;
    return !account->limited && account->currency == EVENT_NONE_16 &&
           (global->risk_drawdown_limit.atto > 0 || global->risk_daily_loss_limit.atto > 0);
}

/* Without balances the simulated account takes every order. */
static bool funds_limited(const struct figures *figures, unsigned venue)
{
    return figures->backtest->engine.resolved.venues[venue].sim_balances.text[0] != 0;
}

/* How often a gate blocked an instrument, from the beginning to the end of the run. */
static uint64_t gate_blocked(const struct figures *figures, unsigned instrument, unsigned gate)
{
    const struct backtest *backtest = figures->backtest;
    return result_instrument(backtest->result, instrument)->gate_blocked[gate] +
           engine_gate_blocked(backtest->engine.engine, instrument, (enum gate)gate);
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void json_fills(cJSON *root, const struct engine_counters *counters)
{
    cJSON *causes = cmd_json_object(root, "fills_by_cause");
    for (unsigned cause = 0; cause < FILL_CAUSE_COUNT; cause++)
        cmd_json_count(causes, event_enum_text(FIELD_FILL_CAUSE, cause),
                       counters->fills_by_cause[cause]);
}

/* What became of the orders sent, as far as the engine was told; but for those placed, which the venue took, these add
 * up to place_requests. */
static void json_ends(cJSON *root, const struct figures *figures)
{
    const struct result_answers *answers = figures->answers;
    cmd_json_count(root, "orders_placed", answers->placed);
    cmd_json_count(root, "orders_rejected", answers->rejected);
    cmd_json_count(root, "orders_cancelled", answers->cancelled);
    cmd_json_count(root, "orders_filled", answers->filled);
    cmd_json_count(root, "orders_expired", answers->expired);
    cmd_json_count(root, "orders_not_found", answers->not_found);
    cmd_json_count(root, "orders_open", engine_open_orders(figures->backtest->engine.engine));
    cmd_json_count(root, "orders_modified", answers->modified);
    cmd_json_count(root, "cancels_rejected", answers->cancels_rejected);
}

/* What was learned of each level that an order rested for: Beta(alpha, beta). */
static void json_learning(cJSON *instrument, const struct figures *figures, unsigned index)
{
    cJSON *array = cmd_json_array(instrument, "learning");
    for (unsigned i = 0; i < 2 * ENGINE_LEARNING_LEVELS; i++) {
        enum side side = i < ENGINE_LEARNING_LEVELS ? SIDE_BUY : SIDE_SELL;
        struct engine_learning learned;
        if (!engine_learning(figures->backtest->engine.engine, index, side,
                             i % ENGINE_LEARNING_LEVELS, &learned))
            continue;
        cJSON *object = cJSON_CreateObject();
        cmd_json_text(object, "side", event_enum_text(FIELD_SIDE, side));
        cmd_json_count(object, "level", i % ENGINE_LEARNING_LEVELS);
        cmd_json_count(object, "spells", learned.spells);
        cmd_json_decimal(object, "alpha", learned.alpha, -9);
        cmd_json_decimal(object, "beta", learned.beta, -9);
        cJSON_AddItemToArray(array, object);
    }
}

static void json_instruments(cJSON *root, const struct figures *figures)
{
    cJSON *instruments = cmd_json_object(root, "instruments");
    for (unsigned i = 0; i < figures->names->instrument_count; i++) {
        const struct event_final_position *final = result_position(figures->backtest->result, i);
        if (!final)
            continue;
        char instrument[EVENT_INSTRUMENT_NAME_MAX];
        event_instrument_name(figures->names, i, instrument);
        cJSON *object = cmd_json_object(instruments, instrument);
        cmd_json_count(object, "sent", result_instrument(figures->backtest->result, i)->sent);
        cmd_json_count(object, "placed", result_instrument(figures->backtest->result, i)->placed);
        cJSON *gates = cmd_json_object(object, "blocked");
        for (unsigned gate = 0; gate < GATE_COUNT; gate++)
            if (gate_blocked(figures, i, gate) > 0)
                cmd_json_count(gates, event_enum_text(FIELD_GATE, gate),
                               gate_blocked(figures, i, gate));
        cmd_json_money(object, "position", final->position);
        cmd_json_money(object, "realized_pnl", final->realised);
        cmd_json_money(object, "unrealized_pnl", final->unrealised);
        cmd_json_money(object, "fees", final->fees);
        cmd_json_money(object, "funding", final->funding);
        cmd_json_flag(object, "funding_unknown", funding_unknown(figures, i));
        cmd_json_text(object, "currency", profit_asset(figures->names, i));
        if (final->mark.status == NUMBER_VALUE)
            cmd_json_decimal(object, "mark", final->mark.units,
                             figures->names->definitions[i].price_exponent);
        else
            cmd_json_text(object, "mark", number_status_name(final->mark.status));
        cmd_json_flag(object, "mark_stale", final->mark_stale);
        json_learning(object, figures, i);
    }
}

static void json_balances(cJSON *root, const struct figures *figures)
{
    size_t count;
    const struct result_balance *balances = result_balances(figures->backtest->result, &count);
    cJSON *venues = cmd_json_object(root, "balances");
    for (unsigned venue = 0; venue < figures->names->venue_count; venue++) {
        cJSON *object = cmd_json_object(venues, figures->names->venues[venue]);
        for (size_t i = 0; i < count; i++)
            if (balances[i].venue == venue)
                cmd_json_money(object, figures->names->assets[balances[i].asset],
                               balances[i].total);
    }
}

static void json_funds(cJSON *root, const struct figures *figures)
{
    cJSON *venues = cmd_json_object(root, "funds_limited");
    for (unsigned venue = 0; venue < figures->names->venue_count; venue++)
        cmd_json_flag(venues, figures->names->venues[venue], funds_limited(figures, venue));
}

/* Profit as the limits on drawdown and daily loss see it; nothing of it where they are not in force. */
static void json_account(cJSON *root, const struct figures *figures)
{
    const struct engine_account_state account =
        engine_account_state(figures->backtest->engine.engine);
    cJSON *object = cmd_json_object(root, "account");
    cmd_json_flag(object, "limits_in_force", account.limited);
    cmd_json_flag(object, "currency_missing", account_limits_missing(figures, &account));
    if (!account.limited)
        return;
    cmd_json_text(object, "currency", figures->names->assets[account.currency]);
    cmd_json_flag(object, "profit_known", account.known);
    cmd_json_money(object, "profit", account.profit);
    cmd_json_money(object, "peak", account.peak);
    cmd_json_money(object, "day_start", account.day_start);
    cmd_json_flag(object, "drawdown_pause", account.drawn_down);
    cmd_json_flag(object, "daily_loss", account.day_lost);
}

static void json_gates(cJSON *root, const struct engine_counters *counters)
{
    cJSON *gates = cmd_json_object(root, "gates_blocked");
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        if (counters->gate_blocked[gate] > 0)
            cmd_json_count(gates, event_enum_text(FIELD_GATE, gate), counters->gate_blocked[gate]);
}

/* The tape's reasons, a line each, then those of the run. */
static void json_grade(cJSON *root, const struct figures *figures)
{
    cmd_json_text(root, "input_grade", tape_grade_letter(figures->grade->grade));
    cJSON *array = cmd_json_array(root, "grade_reasons");
    cmd_json_lines(array, figures->backtest->header->grade_reasons);
    cmd_json_lines(array, figures->grade->reasons);
}

static int print_json(const struct figures *figures, FILE *stream, struct error *error)
{
    const struct backtest *backtest = figures->backtest;
    const struct engine_counters *counters = figures->engine;
    cJSON *root = cJSON_CreateObject();
    cmd_json_count(root, "events", figures->events);
    cmd_json_count(root, "events_before_start", backtest->loop.events_before_start);
    cmd_json_count(root, "messages", figures->messages);
    cmd_json_count(root, "market_messages", figures->market_messages);
    cmd_json_count(root, "ticks", figures->answers->ticks);
    cmd_json_count(root, "answers", figures->answers->answers);
    cmd_json_count(root, "starts", starts(figures));
    cmd_json_count(root, "decisions", counters->decisions);
    cmd_json_count(root, "cycles", counters->cycles);
    cmd_json_text(root, "fingerprint", figures->fingerprint);
    cmd_json_measure(root, "wall_seconds", figures->seconds, 6);
    cmd_json_measure(root, "events_per_second", events_per_second(figures), 0);
    cmd_json_count(root, "place_requests", counters->placed);
    cmd_json_count(root, "replace_requests", counters->replaced);
    cmd_json_count(root, "cancel_requests", counters->cancelled);
    cmd_json_count(root, "modify_requests", counters->modified);
    json_ends(root, figures);
    cmd_json_count(root, "open_orders", figures->venue->orders_open);
    cmd_json_count(root, "fills", counters->fills);
    json_fills(root, counters);
    json_instruments(root, figures);
    json_balances(root, figures);
    json_funds(root, figures);
    json_account(root, figures);
    json_gates(root, counters);
    json_grade(root, figures);
    cmd_json_count(root, "invariant_checks", counters->invariant_checks);
    cmd_json_count(root, "invariant_violations", counters->invariant_violations);
    cmd_json_count(root, "removed_numbers", counters->removed_numbers);
    cmd_json_count(root, "records_left_out", backtest->feed->skipped);
    cmd_json_count(root, "late_messages", figures->venue->late_messages);
    cmd_json_count(root, "future_messages", figures->venue->future_messages);
    cmd_json_count(root, "requests_undelivered", figures->venue->requests_lost);
    cmd_json_count(root, "answers_undelivered", figures->venue->answers_lost);
    return cmd_json_print(root, false, stream, error);
}

/* --- the table ---------------------------------------------------------------------------------- */

/* As json_ends. */
static void print_ends(const struct figures *figures, FILE *stream)
{
    const struct result_answers *answers = figures->answers;
    fprintf(stream,
            "orders       %" PRIu64 " placed; %" PRIu64 " sent = %" PRIu64 " rejected + %" PRIu64
            " cancelled + %" PRIu64 " filled + %" PRIu64 " expired + %" PRIu64
            " not found + %" PRIu64 " open\n",
            answers->placed, figures->engine->placed, answers->rejected, answers->cancelled,
            answers->filled, answers->expired, answers->not_found,
            engine_open_orders(figures->backtest->engine.engine));
}

static void print_head(const struct figures *figures, FILE *stream)
{
    const struct backtest *backtest = figures->backtest;
    const struct engine_counters *counters = figures->engine;
    fprintf(stream, "input        grade %s\n", tape_grade_letter(figures->grade->grade));
    cmd_print_lines(figures->grade->reasons, "             ", stream);
    fprintf(stream, "events       %" PRIu64 " in %.3f s, %.1f million/s\n", figures->events,
            figures->started_seconds, events_per_second(figures) / 1e6);
    if (backtest->loop.events_before_start > 0)
        fprintf(stream, "before       %" PRIu64 " events before the engine's start\n",
                backtest->loop.events_before_start);
    fprintf(stream,
            "messages     %" PRIu64 " = %" PRIu64 " of the market + %" PRIu64 " ticks + %" PRIu64
            " answers + %" PRIu64 " start%s\n",
            figures->messages, figures->market_messages, figures->answers->ticks,
            figures->answers->answers, starts(figures), starts(figures) == 1 ? "" : "s");
    fprintf(stream, "decisions    %" PRIu64 " in %" PRIu64 " cycles\n", counters->decisions,
            counters->cycles);
    fprintf(stream,
            "sent         %" PRIu64 " orders, %" PRIu64 " cancels (%" PRIu64 " rejected), %" PRIu64
            " modifies\n",
            counters->placed, counters->cancelled, figures->answers->cancels_rejected,
            counters->modified);
    print_ends(figures, stream);
    fprintf(stream, "fills        %" PRIu64, counters->fills);
    for (unsigned cause = FILL_QUEUE; cause < FILL_CAUSE_COUNT; cause++)
        fprintf(stream, "%s %" PRIu64 " %s", cause == FILL_QUEUE ? ":" : ",",
                counters->fills_by_cause[cause], event_enum_text(FIELD_FILL_CAUSE, cause));
    fprintf(stream, "\n");
}

static void print_gates(const struct engine_counters *counters, FILE *stream)
{
    bool any = false;
    for (unsigned gate = 0; gate < GATE_COUNT; gate++) {
        if (counters->gate_blocked[gate] == 0)
            continue;
        fprintf(stream, "%s %" PRIu64 " %s", any ? "," : "blocked     ",
                counters->gate_blocked[gate], event_enum_text(FIELD_GATE, gate));
        any = true;
    }
    if (any)
        fprintf(stream, "\n");
}

/* Why an instrument that is to be quoted had no order: the gate that blocked most. */
static void print_no_order(const struct figures *figures, unsigned instrument, FILE *stream)
{
    const struct event_definition *definition = &figures->names->definitions[instrument];
    unsigned most = 0;
    for (unsigned gate = 1; gate < GATE_COUNT; gate++)
        if (gate_blocked(figures, instrument, gate) > gate_blocked(figures, instrument, most))
            most = gate;
    uint64_t count = gate_blocked(figures, instrument, most);
    char text[EVENT_INSTRUMENT_NAME_MAX], minimum[MONEY_TEXT_MAX];
    event_instrument_name(figures->names, instrument, text);
    fprintf(stream, "no order     %s: ", text);
    if (figures->backtest->engine.resolved.instruments[instrument].quote_size.value.mantissa == 0) {
        fprintf(stream, "quote.size is 0\n");
        return;
    }
    if (count == 0) {
        fprintf(stream, "no gate blocked, no order was wanted\n");
        return;
    }
    fprintf(stream, "%s blocked most, %" PRIu64 " times", event_enum_text(FIELD_GATE, most), count);
    if (most == GATE_MINIMUM_NOTIONAL) {
        money_to_text(definition->minimum_notional, minimum);
        fprintf(stream, "; an order must be worth %s %s: raise quote.size", minimum,
                figures->names->assets[definition->quote]);
    } else if (most == GATE_EXPOSURE) {
        fprintf(stream, "; risk.position_limit must have room for quote.size at every level");
    }
    fprintf(stream, "\n");
}

static void print_no_orders(const struct figures *figures, FILE *stream)
{
    const struct backtest *backtest = figures->backtest;
    for (unsigned i = 0; i < figures->names->instrument_count; i++)
        if (backtest->engine.resolved.instruments[i].quote_enabled &&
            result_instrument(backtest->result, i)->sent == 0)
            print_no_order(figures, i, stream);
}

static void print_instruments(const struct figures *figures, FILE *stream)
{
    fprintf(stream, "\n%-24s %18s %18s %18s %18s %s\n", "instrument", "position", "realised",
            "unrealised", "fees", "in");
    for (unsigned i = 0; i < figures->names->instrument_count; i++) {
        const struct event_final_position *final = result_position(figures->backtest->result, i);
        if (!final)
            continue;
        char instrument[EVENT_INSTRUMENT_NAME_MAX], amounts[4][MONEY_TEXT_MAX];
        event_instrument_name(figures->names, i, instrument);
        money_to_text(final->position, amounts[0]);
        money_to_text(final->realised, amounts[1]);
        money_to_text(final->unrealised, amounts[2]);
        money_to_text(final->fees, amounts[3]);
        fprintf(stream, "%-24s %18s %18s %18s %18s %s%s%s\n", instrument, amounts[0], amounts[1],
                amounts[2], amounts[3], profit_asset(figures->names, i),
                final->mark_stale ? "  (mark is stale)" : "",
                funding_unknown(figures, i) ? "  (funding unknown)" : "");
    }
}

static void print_account(const struct figures *figures, FILE *stream)
{
    const struct engine_account_state account =
        engine_account_state(figures->backtest->engine.engine);
    if (account_limits_missing(figures, &account)) {
        fprintf(stream, "account      profit is in several currencies: the limits on drawdown and "
                        "daily loss are NOT in force\n"
                        "             (account.currency and account.rates set one)\n");
        return;
    }
    if (!account.limited)
        return;
    char amounts[2][MONEY_TEXT_MAX];
    money_to_text(account.profit, amounts[0]);
    money_to_text(account.peak, amounts[1]);
    fprintf(stream, "account      profit %s %s, peak %s%s%s%s\n", amounts[0],
            figures->names->assets[account.currency], amounts[1],
            account.known ? "" : "  (not known whole)",
            account.drawn_down ? "  (paused: drawdown)" : "",
            account.day_lost ? "  (daily loss reached)" : "");
}

static void print_balances(const struct figures *figures, FILE *stream)
{
    size_t count;
    const struct result_balance *balances = result_balances(figures->backtest->result, &count);
    fprintf(stream, "\n%-24s %-8s %26s\n", "venue", "asset", "balance");
    for (size_t i = 0; i < count; i++) {
        char amount[MONEY_TEXT_MAX];
        money_to_text(balances[i].total, amount);
        fprintf(stream, "%-24s %-8s %26s\n", figures->names->venues[balances[i].venue],
                figures->names->assets[balances[i].asset], amount);
    }
    for (unsigned venue = 0; venue < figures->names->venue_count; venue++)
        if (!funds_limited(figures, venue))
            fprintf(stream, "%-24s funds: not limited (sim.balances is empty)\n",
                    figures->names->venues[venue]);
}

static void print_tail(const struct figures *figures, FILE *stream)
{
    const struct engine_counters *counters = figures->engine;
    fprintf(stream, "\ninvariants   %" PRIu64 " checks, %" PRIu64 " violations\n",
            counters->invariant_checks, counters->invariant_violations);
    if (figures->backtest->feed->skipped > 0)
        fprintf(stream, "left out     %" PRIu64 " session and decision records of the tape\n",
                figures->backtest->feed->skipped);
    if (figures->venue->late_messages > 0)
        fprintf(stream, "late         %" PRIu64 " messages came after sim.reorder\n",
                figures->venue->late_messages);
    if (figures->venue->answers_lost > 0)
        fprintf(stream, "undelivered  %" PRIu64 " answers were due after the last message\n",
                figures->venue->answers_lost);
    fprintf(stream, "fingerprint  %s\n", figures->fingerprint);
}

int replay_result_print(const struct backtest *backtest, const struct run_grade *grade,
                        int64_t wall_ns, int64_t started_ns, bool json, FILE *stream,
                        struct error *error)
{
    struct figures figures = {.backtest = backtest,
                              .names = &backtest->header->names,
                              .engine = engine_counters(backtest->engine.engine),
                              .venue = sim_stats(backtest->venue),
                              .answers = result_answers(backtest->result),
                              .seconds = (double)wall_ns / (double)NS_PER_SECOND,
                              .grade = grade,
                              .started_seconds = (double)started_ns / (double)NS_PER_SECOND};
    const struct loop *loop = &backtest->loop;
    figures.events = loop->events - loop->events_before_start;
    figures.messages = loop->messages - loop->messages_before_start;
    figures.market_messages = loop->market_messages - loop->messages_before_start;
    fingerprint_text(backtest->fingerprint, figures.fingerprint);
    if (json)
        return print_json(&figures, stream, error);
    print_head(&figures, stream);
    print_gates(figures.engine, stream);
    print_account(&figures, stream);
    print_no_orders(&figures, stream);
    print_instruments(&figures, stream);
    print_balances(&figures, stream);
    print_tail(&figures, stream);
    return 0;
}
