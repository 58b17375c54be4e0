/* The profit that OANDA states of each fill (`pl`) against ours. The venue closes the oldest trade first, our positions have
 * an average cost: one fill's profits differ, but from flat to flat the sums are the same, but for the venue's rounding of
 * each to four decimals (trading-semantics 8, 9). Financing is in the venue's balance alone, and is logged. */
#include "venue/live/oanda.h"

#include <string.h>

enum { PROFIT_EXPONENT = -4, LOGGED_MAX = 20, LOGGED_EVERY = 100 };

void v20_profit_begin(struct v20 *v20)
{
    const int64_t *carried = v20->names.numbers->positions;
    for (uint16_t place = 0; place < v20->names.count; place++) {
        int64_t units = carried ? carried[place] : 0;
        v20->profits[place] = (struct v20_profit){.units = units, .follows = units == 0};
    }
}

void v20_profit_held(struct v20 *v20, uint16_t place, int64_t units)
{
    struct v20_profit *profit = &v20->profits[place];
    if (profit->units != units)
        *profit = (struct v20_profit){.units = units, .follows = units == 0};
}

/* Units change hands at a price. */
static bool pay(struct v20_profit *profit, const struct event_definition *definition, int64_t price,
                int64_t units)
{
    money value;
    bool sold = units < 0;
    return !__builtin_add_overflow(profit->units, units, &profit->units) &&
           money_linear_value(price, sold ? -units : units, definition->multiplier,
                              definition->price_exponent + definition->quantity_exponent +
                                  definition->multiplier_exponent,
                              &value) &&
           (sold ? money_try_add(profit->ours, value, &profit->ours)
                 : money_try_subtract(profit->ours, value, &profit->ours));
}

static bool agrees(const struct v20_profit *profit)
{
    money apart, most;
    if (!money_try_subtract(profit->venues, profit->ours, &apart) ||
        !money_from_units((int64_t)profit->fills, PROFIT_EXPONENT, &most))
        return false;
    if (apart.atto < 0)
        apart = money_negate(apart);
    return money_compare(apart, most) <= 0;
}

static void compare(struct v20 *v20, uint16_t place)
{
    const struct v20_profit *profit = &v20->profits[place];
    char ours[MONEY_TEXT_MAX], venues[MONEY_TEXT_MAX], financing[MONEY_TEXT_MAX];
    bool same_currency = strcmp(v20->home, v20->found[place].quote) == 0;
    money_to_text(profit->ours, ours);
    money_to_text(profit->venues, venues);
    money_to_text(profit->financing, financing);
    if (profit->financing.atto != 0)
        adapter_log(&v20->out, LOG_INFO, "%s: financing of %s is in the venue's balance alone",
                    v20->settings.symbols[place], financing);
    if (!profit->follows || !same_currency || agrees(profit))
        return;
    uint64_t count = ++v20->profits_different;
    if (count <= LOGGED_MAX || count % LOGGED_EVERY == 0)
        adapter_log(&v20->out, LOG_WARN,
                    "%s: flat again after %u fills, whose profit is %s by the venue and %s by "
                    "ours (difference %llu)",
                    v20->settings.symbols[place], profit->fills, venues, ours,
                    (unsigned long long)count);
}

static void begin_anew(struct v20_profit *profit)
{
    *profit = (struct v20_profit){.follows = true};
}

/* What of it brings the position nearer to flat, or to it. */
static int64_t closing_part(int64_t held, int64_t change)
{
    if (held == 0 || (held > 0) == (change > 0))
        return 0;
    return (held > 0 ? held : -held) < (change > 0 ? change : -change) ? -held : change;
}

void v20_profit_fill(struct v20 *v20, uint16_t place, const struct v20_transaction *fill)
{
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    struct v20_profit *profit = &v20->profits[place];
    struct number units = json_units(&fill->units, definition->quantity_exponent);
    struct number price = json_units(&fill->price, definition->price_exponent);
    if (units.status != NUMBER_VALUE || price.status != NUMBER_VALUE) {
        profit->follows = false; /* until it is flat again */
        price.units = 0;
    }
    int64_t change = fill->side == SIDE_BUY ? units.units : -units.units;
    int64_t closing = closing_part(profit->units, change);
    profit->fills++;
    profit->follows = pay(profit, definition, price.units, closing) && profit->follows &&
                      money_try_add(profit->venues, fill->profit, &profit->venues) &&
                      money_try_add(profit->financing, fill->financing, &profit->financing);
    if (closing != 0 && profit->units == 0) {
        compare(v20, place);
        begin_anew(profit);
    }
    if (change != closing)
        profit->follows = pay(profit, definition, price.units, change - closing) && profit->follows;
}
