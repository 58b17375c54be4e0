/* See reconciled.h. */
#include "config.h"

#include "live/reconciled.h"

#include <stdlib.h>

#include "base/money.h"
#include "base/time.h"

/* Fills of before come as answers to queries; after this long what they don't explain is told. */
#define EXPLAINED_NS (15 * NS_PER_SECOND)

static const char target[] = "capstan.reconcile";

/* One asset at one venue. */
struct account {
    money ours, venue, by_fills;
    bool known, told;
};

struct place {
    int64_t taken;    /* of the first account; INT64_MIN: it has not come */
    int64_t tell_at;  /* the last line; TIME_NEVER: it was told, or nothing is to be */
    uint64_t orders;  /* of ours that it showed */
    uint64_t orphans; /* of them, not known to the tape */
    uint64_t fills;   /* of before, told since */
};

struct reconciled {
    const struct event_names *names;
    const struct log *log;
    struct place *places;     /* by venue */
    struct account *accounts; /* by venue and asset */
};

static struct account *account_of(struct reconciled *reconciled, unsigned venue, unsigned asset)
{
    return &reconciled->accounts[(size_t)venue * reconciled->names->asset_count + asset];
}

int reconciled_open(struct reconciled **out, const struct engine *engine,
                    const struct event_names *names, const struct log *log, struct error *error)
{
    struct reconciled *reconciled = calloc(1, sizeof *reconciled);
    if (reconciled) {
        reconciled->places = calloc(names->venue_count + 1u, sizeof *reconciled->places);
        reconciled->accounts = calloc((size_t)names->venue_count * names->asset_count + 1,
                                      sizeof *reconciled->accounts);
    }
    *out = reconciled;
    if (!reconciled || !reconciled->places || !reconciled->accounts) {
        reconciled_close(out);
        return error_set(error, ERROR_SYSTEM, "no memory to compare accounts");
    }
    reconciled->names = names;
    reconciled->log = log;
    for (unsigned venue = 0; venue < names->venue_count; venue++) {
        reconciled->places[venue] = (struct place){.taken = INT64_MIN, .tell_at = TIME_NEVER};
        for (unsigned asset = 0; asset < names->asset_count; asset++) {
            struct account *account = account_of(reconciled, venue, asset);
            account->known = engine_balance(engine, venue, asset, &account->ours);
        }
    }
    return 0;
}

void reconciled_close(struct reconciled **reconciled)
{
    if (*reconciled) {
        free((*reconciled)->places);
        free((*reconciled)->accounts);
        free(*reconciled);
    }
    *reconciled = NULL;
}

static void tell(struct reconciled *reconciled, unsigned venue, int64_t now, const char *text,
                 const struct log_field *fields, size_t count)
{
    struct log_field all[8] = {log_text("venue", reconciled->names->venues[venue])};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = fields[i];
    log_write(reconciled->log, LOG_INFO, target, now, text, all, count + 1);
}

static void tell_balances(struct reconciled *reconciled, unsigned venue, int64_t now)
{
    for (unsigned asset = 0; asset < reconciled->names->asset_count; asset++) {
        struct account *account = account_of(reconciled, venue, asset);
        money difference;
        if (!account->told || !account->known ||
            !money_try_subtract(account->venue, account->ours, &difference))
            continue;
        const struct log_field fields[] = {
            log_text("asset", reconciled->names->assets[asset]), log_money("tape", account->ours),
            log_money("account", account->venue), log_money("difference", difference)};
        tell(reconciled, venue, now, "balance of the tape against the venue's", fields, 4);
    }
}

static void take_account(struct reconciled *reconciled, const struct event_snapshot_end *end,
                         int64_t now)
{
    struct place *place = &reconciled->places[end->venue];
    if (place->taken != INT64_MIN)
        return;
    place->taken = end->taken;
    place->tell_at = now + EXPLAINED_NS;
    const struct log_field fields[] = {log_unsigned("orders_that_rest", place->orders),
                                       log_unsigned("of_them_not_on_the_tape", place->orphans)};
    tell(reconciled, end->venue, now, "the venue's account is known", fields, 2);
    tell_balances(reconciled, end->venue, now);
}

static void move(struct account *account, money amount, int sign)
{
    money sum;
    if (sign > 0 ? money_try_add(account->by_fills, amount, &sum)
                 : money_try_subtract(account->by_fills, amount, &sum))
        account->by_fills = sum;
}

/* A fill that the venue had made before its first account was asked for, and that the tape did not have. */
static void take_fill(struct reconciled *reconciled, const struct message *message)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    if (fill->instrument >= reconciled->names->instrument_count)
        return;
    const struct event_definition *definition = &reconciled->names->definitions[fill->instrument];
    struct place *place = &reconciled->places[definition->venue];
    money value, quantity;
    if (place->taken == INT64_MIN || !(message->flags & MESSAGE_VENUE_TIME) ||
        message->ts_venue >= place->taken || fill->price.status != NUMBER_VALUE ||
        fill->quantity.status != NUMBER_VALUE || definition->contract != CONTRACT_SPOT)
        return;
    place->fills++;
    const int sign = fill->side == SIDE_BUY ? 1 : -1;
    if (money_linear_value(fill->price.units, fill->quantity.units, definition->multiplier,
                           definition->price_exponent + definition->quantity_exponent +
                               definition->multiplier_exponent,
                           &value))
        move(account_of(reconciled, definition->venue, definition->quote), value, -sign);
    if (money_from_units(fill->quantity.units, definition->quantity_exponent, &quantity))
        move(account_of(reconciled, definition->venue, definition->base), quantity, sign);
    if (fill->fee_asset < reconciled->names->asset_count)
        move(account_of(reconciled, definition->venue, fill->fee_asset), fill->fee, -1);
}

static void tell_rest(struct reconciled *reconciled, unsigned venue, int64_t now)
{
    struct place *place = &reconciled->places[venue];
    const struct log_field count = log_unsigned("fills", place->fills);
    place->tell_at = TIME_NEVER;
    tell(reconciled, venue, now, "fills that were made while nobody looked", &count, 1);
    for (unsigned asset = 0; asset < reconciled->names->asset_count; asset++) {
        struct account *account = account_of(reconciled, venue, asset);
        money difference, rest;
        if (!account->told || !account->known ||
            !money_try_subtract(account->venue, account->ours, &difference) ||
            !money_try_subtract(difference, account->by_fills, &rest) ||
            (difference.atto == 0 && rest.atto == 0))
            continue;
        const struct log_field fields[] = {log_text("asset", reconciled->names->assets[asset]),
                                           log_money("difference", difference),
                                           log_money("by_fills", account->by_fills),
                                           log_money("not_explained", rest)};
        tell(reconciled, venue, now, "a balance's difference, explained", fields, 4);
    }
}

void reconciled_take(struct reconciled *reconciled, const struct engine *engine,
                     const struct message *message)
{
    const union event_record *record = message->record;
    const struct event_names *names = reconciled->names;
    if (message->kind == EVENT_balance && record->balance.venue < names->venue_count &&
        record->balance.asset < names->asset_count &&
        reconciled->places[record->balance.venue].taken == INT64_MIN) {
        struct account *account =
            account_of(reconciled, record->balance.venue, record->balance.asset);
        account->venue = record->balance.total;
        account->told = true;
    } else if (message->kind == EVENT_open_order && record->open_order.order != 0 &&
               record->open_order.instrument < names->instrument_count) {
        struct place *place =
            &reconciled->places[names->definitions[record->open_order.instrument].venue];
        place->orders++;
        place->orphans += !engine_order_is_open(engine, record->open_order.order);
    } else if (message->kind == EVENT_order_filled) {
        take_fill(reconciled, message);
    } else if (message->kind == EVENT_snapshot_end &&
               record->snapshot_end.venue < names->venue_count) {
        take_account(reconciled, &record->snapshot_end, message->ts_local);
    }
    for (unsigned venue = 0; venue < names->venue_count; venue++)
        if (reconciled->places[venue].tell_at <= message->ts_local)
            tell_rest(reconciled, venue, message->ts_local);
}
