/* Checks a scenario's expectations against what the run decides and is answered. Positions, balances
 * and open orders are kept here from the messages alone, so that they can disagree with the engine. */
#include "replay/scenario_expect.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

static int fail(const struct scenario_checks *checks, const struct scenario_expect *expect,
                struct error *error, const char *what)
{
    char time[TIME_TEXT_MAX];
    duration_to_text(expect->ts - SCENARIO_EPOCH_NS, time);
    return error_set(error, ERROR_DIFFERENT, "%s:%u: at %s %s", checks->scenario->path,
                     expect->line, time, what);
}

/* --- what the messages say of orders, positions, balances ---------------------------------------- */

static struct scenario_order *order_of(struct scenario_checks *checks, order_id order)
{
    size_t at = checks->order_count;
    while (at > 0 && checks->orders[at - 1].id != order)
        at--;
    if (at > 0)
        return &checks->orders[at - 1];
    if (checks->order_count == SCENARIO_ORDERS_MAX)
        return NULL;
    checks->orders[checks->order_count].id = order;
    return &checks->orders[checks->order_count++];
}

static void set_live(struct scenario_checks *checks, order_id id, unsigned instrument, bool live)
{
    struct scenario_order *order = order_of(checks, id);
    if (!order)
        return;
    order->live = live;
    order->instrument = (uint16_t)instrument;
}

/* Figures that no account has: the scenario's fault, not a difference. */
static int too_much(const struct scenario_checks *checks, const char *what, const char *name,
                    struct error *error)
{
    char time[TIME_TEXT_MAX];
    duration_to_text(checks->now - SCENARIO_EPOCH_NS, time);
    return error_set(error, ERROR_INPUT,
                     "%s: at %s the %s of %s comes to more than can be kept, expected smaller "
                     "prices, quantities or fees",
                     checks->scenario->path, time, what, name);
}

static int move(struct scenario_checks *checks, unsigned venue, unsigned asset, money amount,
                struct error *error)
{
    money *balance = &checks->balances[venue][asset];
    if (money_try_add(*balance, amount, balance))
        return 0;
    return too_much(checks, "balance", checks->scenario->asset_names[asset], error);
}

/* Money a fill moves, by the contract's kind (trading-semantics 9): only spot moves balances here;
 * linear and inverse profit is checked through final_position. */
static int spot_fill(struct scenario_checks *checks, const struct event_order_filled *fill,
                     const struct event_definition *d, struct error *error)
{
    money value, base;
    int exponent = d->price_exponent + d->quantity_exponent + d->multiplier_exponent;
    bool sell = fill->side == SIDE_SELL;
    if (!money_linear_value(fill->price.units, fill->quantity.units, d->multiplier, exponent,
                            &value) ||
        !money_from_units(fill->quantity.units, d->quantity_exponent, &base))
        return too_much(checks, "value", "a fill", error);
    if (move(checks, d->venue, d->base, sell ? money_negate(base) : base, error))
        return error->code;
    return move(checks, d->venue, d->quote, sell ? value : money_negate(value), error);
}

/* A trade that was told before; it is remembered. One without an id is always new. */
static bool trade_repeats(struct scenario_checks *checks, const struct venue_id *trade)
{
    size_t kept =
        checks->trade_count < SCENARIO_TRADES_MAX ? checks->trade_count : SCENARIO_TRADES_MAX;
    if (trade->length == 0)
        return false;
    for (size_t i = 0; i < kept; i++)
        if (memcmp(&checks->trades[i], trade, sizeof *trade) == 0)
            return true;
    checks->trades[checks->trade_count++ % SCENARIO_TRADES_MAX] = *trade;
    return false;
}

static bool is_above_zero(struct number number)
{
    return number.status == NUMBER_VALUE && number.units > 0;
}

static bool is_nothing(struct number leaves)
{
    return leaves.status == NUMBER_VALUE && leaves.units == 0;
}

/* What can't be read as a fill moves nothing, as it moves nothing in the engine. */
static int take_fill(struct scenario_checks *checks, const struct message *message,
                     struct error *error)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    const struct scenario *s = checks->scenario;
    if (fill->instrument >= s->instrument_count || !is_above_zero(fill->price) ||
        !is_above_zero(fill->quantity) || trade_repeats(checks, &fill->trade))
        return 0;
    const struct event_definition *d = &s->definitions[fill->instrument];
    int64_t *position = &checks->positions[fill->instrument];
    bool sell = fill->side == SIDE_SELL;
    /* What was taken over has it. */
    bool within = (message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED)) &&
                  message->ts_venue <= checks->adopted_as_of[fill->instrument];
    if (!within && __builtin_add_overflow(
                       *position, sell ? -fill->quantity.units : fill->quantity.units, position))
        return too_much(checks, "position", s->symbols[fill->instrument], error);
    if (is_nothing(fill->leaves))
        set_live(checks, fill->order, fill->instrument, false);
    if (d->contract == CONTRACT_SPOT && spot_fill(checks, fill, d, error))
        return error->code;
    if (fill->fee_asset >= s->asset_count)
        return 0;
    return move(checks, d->venue, fill->fee_asset, money_negate(fill->fee), error);
}

/* What an operator takes over moves the position, and no balance. */
static int take_adopted(struct scenario_checks *checks, const struct event_adopted *adopted,
                        struct error *error)
{
    const struct scenario *s = checks->scenario;
    int64_t units;
    if (adopted->instrument >= s->instrument_count)
        return 0;
    int64_t *position = &checks->positions[adopted->instrument];
    if (adopted->as_of != 0)
        checks->adopted_as_of[adopted->instrument] = adopted->as_of;
    if (!money_to_units(adopted->change, s->definitions[adopted->instrument].quantity_exponent,
                        &units) ||
        __builtin_add_overflow(*position, units, position))
        return too_much(checks, "position", s->symbols[adopted->instrument], error);
    return 0;
}

static int track(struct scenario_checks *checks, const struct message *message, struct error *error)
{
    const union event_record *r = message->record;
    switch (message->kind) {
    case EVENT_place:
        set_live(checks, r->place.order, r->place.instrument, true);
        break;
    case EVENT_replace:
        set_live(checks, r->replace.order, r->replace.instrument, true);
        break;
    case EVENT_order_filled:
        return take_fill(checks, message, error);
    case EVENT_adopted:
        return take_adopted(checks, &r->adopted, error);
    case EVENT_order_cancelled:
        set_live(checks, r->order_cancelled.order, r->order_cancelled.instrument, false);
        break;
    case EVENT_order_rejected:
        set_live(checks, r->order_rejected.order, r->order_rejected.instrument, false);
        break;
    case EVENT_order_expired:
        set_live(checks, r->order_expired.order, r->order_expired.instrument, false);
        break;
    case EVENT_order_status:
        if (is_nothing(r->order_status.leaves))
            set_live(checks, r->order_status.order, r->order_status.instrument, false);
        break;
    case EVENT_balance:
        if (r->balance.venue < SCENARIO_INSTRUMENTS_MAX && r->balance.asset < SCENARIO_ASSETS_MAX)
            checks->balances[r->balance.venue][r->balance.asset] = r->balance.total;
        break;
    default:
        break;
    }
    if (message->kind == EVENT_place || message->kind == EVENT_cancel ||
        message->kind == EVENT_modify || message->kind == EVENT_replace)
        checks->acted_at_now = true;
    return 0;
}

/* --- states --------------------------------------------------------------------------------------- */

static int check_position(const struct scenario_checks *checks,
                          const struct scenario_expect *expect, struct error *error)
{
    unsigned instrument = scenario_expect_instrument(expect);
    int exponent = checks->scenario->definitions[instrument].quantity_exponent;
    if (checks->positions[instrument] == expect->number.units)
        return 0;
    char wanted[DECIMAL_TEXT_MAX], found[DECIMAL_TEXT_MAX], what[256];
    decimal_to_text(expect->number.units, exponent, wanted);
    decimal_to_text(checks->positions[instrument], exponent, found);
    snprintf(what, sizeof what, "expected position %s, found %s", wanted, found);
    return fail(checks, expect, error, what);
}

static int check_balance(const struct scenario_checks *checks, const struct scenario_expect *expect,
                         struct error *error)
{
    unsigned instrument = scenario_expect_instrument(expect);
    unsigned venue = checks->scenario->definitions[instrument].venue;
    money found = checks->balances[venue][expect->asset];
    if (money_compare(found, expect->amount) == 0)
        return 0;
    char wanted_text[MONEY_TEXT_MAX], found_text[MONEY_TEXT_MAX], what[256];
    money_to_text(expect->amount, wanted_text);
    money_to_text(found, found_text);
    snprintf(what, sizeof what, "expected balance %s %s, found %s",
             checks->scenario->asset_names[expect->asset], wanted_text, found_text);
    return fail(checks, expect, error, what);
}

static int check_open(const struct scenario_checks *checks, const struct scenario_expect *expect,
                      struct error *error)
{
    size_t listed = 0;
    char what[256];
    for (size_t at = 0; at < checks->order_count; at++) {
        const struct scenario_order *order = &checks->orders[at];
        bool wanted = false;
        for (size_t i = 0; i < expect->order_count; i++)
            wanted |= expect->orders[i] == order->id;
        listed += wanted;
        if (wanted == order->live)
            continue;
        char epoch[24] = ""; /* as the language has it: #2, and after a restart #1.2 */
        if (order->id >> 32 != 0)
            snprintf(epoch, sizeof epoch, "%llu.", (unsigned long long)(order->id >> 32));
        snprintf(what, sizeof what, "expected order #%s%llu %s", epoch,
                 (unsigned long long)(order->id & UINT32_MAX),
                 wanted ? "open, it is not" : "not open, it is");
        return fail(checks, expect, error, what);
    }
    if (listed == expect->order_count)
        return 0;
    return fail(checks, expect, error, "expected an order open that was never placed");
}

static bool counter_of(const struct engine_counters *c, const char *name, uint64_t *value)
{
    const struct {
        const char *name;
        uint64_t value;
    } table[] = {{"messages", c->messages},
                 {"cycles", c->cycles},
                 {"decisions", c->decisions},
                 {"placed", c->placed},
                 {"cancelled", c->cancelled},
                 {"modified", c->modified},
                 {"replaced", c->replaced},
                 {"fills", c->fills},
                 {"removed_numbers", c->removed_numbers},
                 {"invariant_violations", c->invariant_violations}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        *value = table[i].value;
        return true;
    }
    static const char prefix[] = "blocked.";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *gate = name + sizeof prefix - 1;
    int found = event_enum_value(FIELD_GATE, gate, strlen(gate));
    if (found < 0)
        return false;
    *value = c->gate_blocked[found];
    return true;
}

static int check_metric(const struct scenario_checks *checks, const struct scenario_expect *expect,
                        const struct engine *engine, struct error *error)
{
    uint64_t found;
    char what[256];
    if (!counter_of(engine_counters(engine), expect->metric, &found)) {
        snprintf(what, sizeof what, "names no counter: %s", expect->metric);
        return fail(checks, expect, error, what);
    }
    if (found == (uint64_t)expect->number.units)
        return 0;
    snprintf(what, sizeof what, "expected %s %lld, found %llu", expect->metric,
             (long long)expect->number.units, (unsigned long long)found);
    return fail(checks, expect, error, what);
}

static int check_full(const struct scenario_checks *checks, const struct scenario_expect *expect,
                      const struct engine *engine, struct error *error)
{
    uint64_t needed;
    const char *found = engine_full_setting(engine, &needed);
    char what[256];
    if (found && strcmp(found, expect->metric) == 0)
        return 0;
    snprintf(what, sizeof what, "expected %s to be too small, and %s was", expect->metric,
             found ? found : "nothing");
    return fail(checks, expect, error, what);
}

static int check_state(struct scenario_checks *checks, struct scenario_expect *expect,
                       const struct engine *engine, struct error *error)
{
    int result = 0;
    switch (expect->kind) {
    case EXPECT_POSITION:
        result = check_position(checks, expect, error);
        break;
    case EXPECT_BALANCE:
        result = check_balance(checks, expect, error);
        break;
    case EXPECT_OPEN:
        result = check_open(checks, expect, error);
        break;
    case EXPECT_METRIC:
        result = check_metric(checks, expect, engine, error);
        break;
    case EXPECT_NOTHING:
        if (checks->acted_at_now && checks->now == expect->ts)
            result = fail(checks, expect, error,
                          "expected no place, cancel, modify or replace; there was one");
        break;
    case EXPECT_FULL:
        result = check_full(checks, expect, engine, error);
        break;
    case EXPECT_MESSAGE:
    case EXPECT_HALT:
        if (!expect->matched)
            result =
                fail(checks, expect, error, "this was expected and did not happen (in this order)");
        break;
    }
    return result;
}

int scenario_checks_time(struct scenario_checks *checks, int64_t ts, const struct engine *engine,
                         struct error *error)
{
    struct scenario *s = checks->scenario;
    for (; checks->next_state < s->expect_count; checks->next_state++) {
        struct scenario_expect *expect = &s->expects[checks->next_state];
        if (expect->ts >= ts)
            break;
        if (check_state(checks, expect, engine, error))
            return ERROR_DIFFERENT;
    }
    if (ts > checks->now)
        checks->acted_at_now = false;
    checks->now = ts;
    return 0;
}

/* --- decisions and answers ------------------------------------------------------------------------ */

/* Does " name=value" stand in the message's canonical text as a whole field? */
static bool has_field(const char *text, const struct scenario_field *field)
{
    char wanted[2 * SCENARIO_NAME_MAX + 4];
    snprintf(wanted, sizeof wanted, " %s=%s", field->name, field->value);
    size_t length = strlen(wanted);
    for (const char *at = strstr(text, wanted); at; at = strstr(at + 1, wanted))
        if (at[length] == ' ' || at[length] == '\0')
            return true;
    return false;
}

static bool is_met_by(const struct scenario_expect *expect, const struct message *message,
                      const char *text)
{
    if (expect->message_kind != message->kind)
        return false;
    if (expect->kind == EXPECT_HALT && message->record->breaker.state != BREAKER_PAUSE &&
        message->record->breaker.state != BREAKER_CANCEL_ALL)
        return false;
    if (expect->instrument >= 0 && message->stream != EVENT_NONE_16 &&
        EVENT_STREAM_INSTRUMENT(message->stream) != expect->instrument)
        return false;
    for (size_t i = 0; i < expect->field_count; i++)
        if (!has_field(text, &expect->fields[i]))
            return false;
    return true;
}

int scenario_checks_message(struct scenario_checks *checks, const struct message *message,
                            struct error *error)
{
    struct scenario *s = checks->scenario;
    char text[2048];
    size_t length = message_to_text(message, &s->names, text, sizeof text);
    if (length >= sizeof text)
        return error_set(error, ERROR_INPUT, "%s: a record's text is too long", s->path);
    checks->ordinal++;
    if (track(checks, message, error))
        return error->code;
    for (size_t i = checks->next_state; i < s->expect_count; i++) {
        struct scenario_expect *expect = &s->expects[i];
        if (expect->ts > message->ts_local)
            break;
        bool of_messages = expect->kind == EXPECT_MESSAGE || expect->kind == EXPECT_HALT;
        if (!of_messages || expect->matched || expect->ts != message->ts_local)
            continue;
        if (is_met_by(expect, message, text))
            expect->matched = checks->ordinal;
        break; /* in the order in which they are written */
    }
    return 0;
}

int scenario_checks_end(struct scenario_checks *checks, const struct engine *engine,
                        struct error *error)
{
    if (scenario_checks_time(checks, TIME_NEVER, engine, error))
        return ERROR_DIFFERENT;
    for (size_t i = 0; i < checks->scenario->when_count; i++) {
        const struct scenario_when *when = &checks->scenario->whens[i];
        if (!when->used)
            return error_set(error, ERROR_DIFFERENT,
                             "%s:%u: this canned answer was never asked for",
                             checks->scenario->path, when->line);
    }
    return 0;
}
