/* See reconciled.h. */
#include "config.h"

#include "live/reconciled.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "base/time.h"

/* Fills of before come as answers to queries; after this long what they don't explain is told. */
#define EXPLAINED_NS (15 * NS_PER_SECOND)

static const char target[] = "capstan.reconcile";

enum { ORDER_TEXT_MAX = 32, FIELDS_MAX = 8 };

/* One asset at one venue, or one instrument's position. */
struct account {
    money ours, venue, by_fills;
    money adopted; /* a position's, of a balance: the venue counts it in none */
    bool known, told;
};

struct place {
    int64_t taken;    /* of the first account; INT64_MIN: it has not come */
    int64_t tell_at;  /* the last line; TIME_NEVER: it was told, or nothing is to be */
    uint64_t orders;  /* of ours that it showed */
    uint64_t orphans; /* of them, not known to the tape */
    uint64_t fills;   /* of before, told since */
};

/* A trade that the tape had, or that was counted since. */
struct trade {
    order_id order;
    struct venue_id id;
};

struct reconciled {
    const struct event_names *names;
    const struct log *log;
    struct place *places;      /* by venue */
    struct account *accounts;  /* by venue and asset */
    struct account *positions; /* by instrument */
    money *earned;             /* by instrument: realised less fees, as the tape has it */
    struct trade *trades;
    size_t trade_count, trade_capacity;
    unsigned open; /* venues whose last line is still to come */
};

static struct account *account_of(struct reconciled *reconciled, unsigned venue, unsigned asset)
{
    return &reconciled->accounts[(size_t)venue * reconciled->names->asset_count + asset];
}

static bool take_memory(struct reconciled *reconciled, const struct engine *engine,
                        const struct event_names *names)
{
    reconciled->trade_count = engine_kept_trades(engine);
    reconciled->trade_capacity = reconciled->trade_count;
    reconciled->places = calloc(names->venue_count + 1u, sizeof *reconciled->places);
    reconciled->accounts =
        calloc((size_t)names->venue_count * names->asset_count + 1, sizeof *reconciled->accounts);
    reconciled->positions = calloc(names->instrument_count + 1u, sizeof *reconciled->positions);
    reconciled->earned = calloc(names->instrument_count + 1u, sizeof *reconciled->earned);
    reconciled->trades = calloc(reconciled->trade_count + 1, sizeof *reconciled->trades);
    return reconciled->places && reconciled->accounts && reconciled->positions &&
           reconciled->earned && reconciled->trades;
}

/* What an instrument brought in. */
static money earned_by(const struct engine_position *position)
{
    money earned;
    return money_try_subtract(position->realised, position->fees, &earned) ? earned : MONEY_ZERO;
}

static void note_position(struct reconciled *reconciled, struct engine *engine, unsigned instrument)
{
    struct account *account = &reconciled->positions[instrument];
    struct engine_position position;
    engine_position(engine, instrument, &position);
    account->known = true;
    account->ours = position.at_venue;
    if (!money_try_subtract(position.position, position.at_venue, &account->adopted))
        account->adopted = MONEY_ZERO;
    reconciled->earned[instrument] = earned_by(&position);
}

static void note_tape(struct reconciled *reconciled, struct engine *engine)
{
    const struct event_names *names = reconciled->names;
    for (unsigned venue = 0; venue < names->venue_count; venue++) {
        reconciled->places[venue] = (struct place){.taken = INT64_MIN, .tell_at = TIME_NEVER};
        for (unsigned asset = 0; asset < names->asset_count; asset++) {
            struct account *account = account_of(reconciled, venue, asset);
            account->known = engine_balance(engine, venue, asset, &account->ours);
        }
    }
    for (unsigned i = 0; i < names->instrument_count; i++)
        note_position(reconciled, engine, i);
    for (size_t i = 0; i < reconciled->trade_count; i++)
        engine_kept_trade(engine, i, &reconciled->trades[i].order, &reconciled->trades[i].id);
    reconciled->open = names->venue_count;
}

int reconciled_open(struct reconciled **out, struct engine *engine, const struct event_names *names,
                    const struct log *log, struct error *error)
{
    struct reconciled *reconciled = calloc(1, sizeof *reconciled);
    *out = reconciled;
    if (!reconciled || !take_memory(reconciled, engine, names)) {
        reconciled_close(out);
        return error_set(error, ERROR_SYSTEM, "no memory to compare accounts");
    }
    reconciled->names = names;
    reconciled->log = log;
    note_tape(reconciled, engine);
    return 0;
}

void reconciled_close(struct reconciled **reconciled)
{
    if (*reconciled) {
        free((*reconciled)->places);
        free((*reconciled)->accounts);
        free((*reconciled)->positions);
        free((*reconciled)->earned);
        free((*reconciled)->trades);
        free(*reconciled);
    }
    *reconciled = NULL;
}

static void tell(struct reconciled *reconciled, unsigned venue, int64_t now, const char *text,
                 const struct log_field *fields, size_t count)
{
    struct log_field all[FIELDS_MAX] = {log_text("venue", reconciled->names->venues[venue])};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = fields[i];
    log_write(reconciled->log, LOG_INFO, target, now, text, all, count + 1);
}

/* --- lines ------------------------------------------------------------------------------------------- */

/* What the tape has, what the venue has, their difference. */
static void tell_difference(struct reconciled *reconciled, unsigned venue, int64_t now,
                            const char *text, struct log_field name, const struct account *account)
{
    money difference;
    if (!account->told || !account->known ||
        !money_try_subtract(account->venue, account->ours, &difference))
        return;
    const struct log_field fields[] = {name,
                                       log_money("tape", account->ours),
                                       log_money("account", account->venue),
                                       log_money("difference", difference),
                                       log_money("by_fills", account->by_fills),
                                       log_money("adopted", account->adopted)};
    tell(reconciled, venue, now, text, fields, account->adopted.atto == 0 ? 5 : 6);
}

/* How much of the difference fills explain; where there is neither, nothing is said. */
static void tell_explained(struct reconciled *reconciled, unsigned venue, int64_t now,
                           const char *text, struct log_field name, const struct account *account)
{
    money difference, rest;
    if (!account->told || !account->known ||
        !money_try_subtract(account->venue, account->ours, &difference) ||
        !money_try_subtract(difference, account->by_fills, &rest) ||
        (difference.atto == 0 && rest.atto == 0))
        return;
    const struct log_field fields[] = {name, log_money("difference", difference),
                                       log_money("by_fills", account->by_fills),
                                       log_money("not_explained", rest)};
    tell(reconciled, venue, now, text, fields, 4);
}

/* Each asset and each instrument of a venue. */
static void tell_all(struct reconciled *reconciled, unsigned venue, int64_t now,
                     const char *of_balance, const char *of_position,
                     void (*tell_one)(struct reconciled *reconciled, unsigned venue, int64_t now,
                                      const char *text, struct log_field name,
                                      const struct account *account))
{
    const struct event_names *names = reconciled->names;
    for (unsigned asset = 0; asset < names->asset_count; asset++)
        tell_one(reconciled, venue, now, of_balance, log_text("asset", names->assets[asset]),
                 account_of(reconciled, venue, asset));
    for (unsigned i = 0; i < names->instrument_count; i++)
        if (names->definitions[i].venue == venue)
            tell_one(reconciled, venue, now, of_position, log_text("symbol", names->symbols[i]),
                     &reconciled->positions[i]);
}

static void move(struct account *account, money amount, int sign)
{
    money sum;
    if (sign > 0 ? money_try_add(account->by_fills, amount, &sum)
                 : money_try_subtract(account->by_fills, amount, &sum))
        account->by_fills = sum;
}

/* What contracts earned by the fills that were told until the account was: no more are made of before it. */
static void explain_earnings(struct reconciled *reconciled, struct engine *engine, unsigned venue)
{
    const struct event_names *names = reconciled->names;
    for (unsigned i = 0; i < names->instrument_count; i++) {
        const struct event_definition *definition = &names->definitions[i];
        struct engine_position position;
        money more;
        engine_position(engine, i, &position);
        if (definition->venue == venue && definition->contract != CONTRACT_SPOT &&
            money_try_subtract(earned_by(&position), reconciled->earned[i], &more))
            move(account_of(reconciled, venue, definition->settle), more, 1);
    }
}

static void take_account(struct reconciled *reconciled, struct engine *engine,
                         const struct event_snapshot_end *end, int64_t now)
{
    struct place *place = &reconciled->places[end->venue];
    if (place->taken != INT64_MIN)
        return;
    place->taken = end->taken;
    place->tell_at = now + EXPLAINED_NS;
    explain_earnings(reconciled, engine, end->venue);
    const struct log_field fields[] = {log_unsigned("orders_that_rest", place->orders),
                                       log_unsigned("of_them_not_on_the_tape", place->orphans),
                                       log_unsigned("fills_not_on_the_tape", place->fills)};
    tell(reconciled, end->venue, now, "the venue's account is known", fields, 3);
    tell_all(reconciled, end->venue, now, "balance of the tape against the venue's",
             "position of the tape against the venue's", tell_difference);
}

static void tell_rest(struct reconciled *reconciled, unsigned venue, int64_t now)
{
    struct place *place = &reconciled->places[venue];
    const struct log_field count = log_unsigned("fills", place->fills);
    place->tell_at = TIME_NEVER;
    reconciled->open--;
    tell(reconciled, venue, now, "fills that were made while nobody looked", &count, 1);
    tell_all(reconciled, venue, now, "a balance's difference, explained",
             "a position's difference, explained", tell_explained);
}

/* An order of ours that rests and that the tape does not know, by its names. */
static void tell_orphan(struct reconciled *reconciled, unsigned venue,
                        const struct event_open_order *order, int64_t now)
{
    static const char *const sides[] = {[SIDE_BUY] = "buy", [SIDE_SELL] = "sell"};
    const struct event_definition *definition = &reconciled->names->definitions[order->instrument];
    char name[ORDER_TEXT_MAX], price[DECIMAL_TEXT_MAX] = "", leaves[DECIMAL_TEXT_MAX] = "";
    char id[EVENT_VENUE_ID_MAX + 1] = "";
    snprintf(name, sizeof name, "#%" PRIu64 ".%" PRIu64, order->order >> 32,
             order->order & UINT32_MAX);
    memcpy(id, order->venue_order.bytes, order->venue_order.length);
    if (order->price.status == NUMBER_VALUE)
        decimal_to_text(order->price.units, definition->price_exponent, price);
    if (order->leaves.status == NUMBER_VALUE)
        decimal_to_text(order->leaves.units, definition->quantity_exponent, leaves);
    const struct log_field fields[] = {
        log_text("symbol", reconciled->names->symbols[order->instrument]),
        log_text("order", name),
        log_text("venue_order", id),
        log_text("side", order->side <= SIDE_SELL ? sides[order->side] : ""),
        log_text("price", price),
        log_text("leaves", leaves)};
    tell(reconciled, venue, now, "an order of ours rests that the tape does not know", fields, 6);
}

/* --- what is told ------------------------------------------------------------------------------------ */

/* A trade that was not known, which then is; true where there is no memory to know it again. */
static bool is_new(struct reconciled *reconciled, const struct event_order_filled *fill)
{
    for (size_t i = 0; i < reconciled->trade_count; i++)
        if (reconciled->trades[i].order == fill->order &&
            memcmp(&reconciled->trades[i].id, &fill->trade, sizeof fill->trade) == 0)
            return false;
    if (reconciled->trade_count == reconciled->trade_capacity) {
        size_t capacity = 2 * reconciled->trade_capacity + 64;
        void *grown = realloc(reconciled->trades, capacity * sizeof *reconciled->trades);
        if (!grown)
            return true;
        reconciled->trades = grown;
        reconciled->trade_capacity = capacity;
    }
    reconciled->trades[reconciled->trade_count++] = (struct trade){fill->order, fill->trade};
    return true;
}

/* Made before the first account was asked for, or told before it was known. */
static bool is_of_before(const struct place *place, const struct message *message)
{
    return place->taken == INT64_MIN ||
           ((message->flags & MESSAGE_VENUE_TIME) && message->ts_venue < place->taken);
}

/* What the fill of an instrument did to balances and position. Earnings of contracts are another matter. */
static void explain_fill(struct reconciled *reconciled, const struct event_order_filled *fill)
{
    const struct event_definition *definition = &reconciled->names->definitions[fill->instrument];
    struct account *position = &reconciled->positions[fill->instrument];
    const bool spot = definition->contract == CONTRACT_SPOT;
    const int sign = fill->side == SIDE_BUY ? 1 : -1;
    money value, quantity;
    if (money_from_units(fill->quantity.units, definition->quantity_exponent, &quantity)) {
        move(position, quantity, sign);
        if (spot)
            move(account_of(reconciled, definition->venue, definition->base), quantity, sign);
    }
    if (!spot)
        return;
    if (money_linear_value(fill->price.units, fill->quantity.units, definition->multiplier,
                           definition->price_exponent + definition->quantity_exponent +
                               definition->multiplier_exponent,
                           &value))
        move(account_of(reconciled, definition->venue, definition->quote), value, -sign);
    if (fill->fee_asset < reconciled->names->asset_count)
        move(account_of(reconciled, definition->venue, fill->fee_asset), fill->fee, -1);
    if (fill->fee_asset == definition->base)
        move(position, fill->fee, -1);
}

/* A fill that the venue had made before its first account, and that the tape did not have. */
static void take_fill(struct reconciled *reconciled, const struct message *message)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    if (fill->instrument >= reconciled->names->instrument_count ||
        fill->price.status != NUMBER_VALUE || fill->quantity.status != NUMBER_VALUE)
        return;
    struct place *place =
        &reconciled->places[reconciled->names->definitions[fill->instrument].venue];
    bool open = place->taken == INT64_MIN || place->tell_at != TIME_NEVER;
    if (!open || !is_of_before(place, message) || !is_new(reconciled, fill))
        return;
    place->fills++;
    explain_fill(reconciled, fill);
}

static void take_balance(struct reconciled *reconciled, const struct event_balance *balance)
{
    if (balance->venue >= reconciled->names->venue_count ||
        balance->asset >= reconciled->names->asset_count ||
        reconciled->places[balance->venue].taken != INT64_MIN)
        return;
    struct account *account = account_of(reconciled, balance->venue, balance->asset);
    account->venue = balance->total;
    account->told = true;
}

static void take_position(struct reconciled *reconciled, const struct event_venue_position *told)
{
    const struct event_names *names = reconciled->names;
    if (told->instrument >= names->instrument_count || told->position.status != NUMBER_VALUE)
        return;
    const struct event_definition *definition = &names->definitions[told->instrument];
    struct account *position = &reconciled->positions[told->instrument];
    if (reconciled->places[definition->venue].taken == INT64_MIN)
        position->told =
            money_from_units(told->position.units, definition->quantity_exponent, &position->venue);
}

static void take_order(struct reconciled *reconciled, const struct engine *engine,
                       const struct event_open_order *order, int64_t now)
{
    if (order->order == 0 || order->instrument >= reconciled->names->instrument_count)
        return;
    unsigned venue = reconciled->names->definitions[order->instrument].venue;
    struct place *place = &reconciled->places[venue];
    if (place->taken != INT64_MIN)
        return;
    place->orders++;
    if (engine_order_is_open(engine, order->order))
        return;
    place->orphans++;
    tell_orphan(reconciled, venue, order, now);
}

void reconciled_take(struct reconciled *reconciled, struct engine *engine,
                     const struct message *message)
{
    const union event_record *record = message->record;
    const int64_t now = message->ts_local;
    if (reconciled->open == 0)
        return;
    if (message->kind == EVENT_balance)
        take_balance(reconciled, &record->balance);
    else if (message->kind == EVENT_venue_position)
        take_position(reconciled, &record->venue_position);
    else if (message->kind == EVENT_open_order)
        take_order(reconciled, engine, &record->open_order, now);
    else if (message->kind == EVENT_order_filled)
        take_fill(reconciled, message);
    else if (message->kind == EVENT_snapshot_end &&
             record->snapshot_end.venue < reconciled->names->venue_count)
        take_account(reconciled, engine, &record->snapshot_end, now);
    for (unsigned venue = 0; venue < reconciled->names->venue_count; venue++)
        if (reconciled->places[venue].tell_at <= now)
            tell_rest(reconciled, venue, now);
}
