/* Settings and definition of an instrument, as integers in its units. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"

#define RATIO_ONE INT64_C(1000000000)
enum { MILLI = 1000 };

/* The largest distance of the quote settings, in 1/1,000 tick. */
#define MILLITICK_MAX (INT64_MAX / 64)

/* A quantity in its units. A number of lots may have decimals ("0.5lot") where the lot is coarser than the
 * unit. */
static bool sizes(const struct setting_amount *amount, const struct event_definition *definition,
                  int64_t *out)
{
    struct decimal value = amount->value;
    bool plain = amount->unit == SETTING_PLAIN;
    if ((!plain && amount->unit != SETTING_LOT) || value.mantissa < 0 ||
        __builtin_mul_overflow(value.mantissa, plain ? 1 : definition->lot, &value.mantissa))
        return false;
    struct number number = decimal_to_units(value, plain ? definition->quantity_exponent : 0);
    *out = number.units;
    return number.status == NUMBER_VALUE;
}

/* A price difference in ticks x `per`, rounded down: it need be no whole number of anything. False above `most`. */
static bool in_ticks(const struct setting_amount *amount, const struct event_definition *definition,
                     int64_t per, int64_t most, int64_t *out)
{
    bool plain = amount->unit == SETTING_PLAIN;
    int128 value = (int128)amount->value.mantissa * per, units = plain ? definition->tick : 1;
    int exponent = amount->value.exponent - (plain ? definition->price_exponent : 0);
    if (amount->unit == SETTING_LOT || value < 0)
        return false;
    for (; exponent > 0 && value <= most * units; exponent--)
        value *= 10;
    for (; exponent < 0; exponent++)
        value /= 10;
    value /= units;
    *out = (int64_t)value;
    return value <= most;
}

static bool distance(const struct setting_amount *amount, const struct event_definition *definition,
                     int64_t *millitick)
{
    return in_ticks(amount, definition, MILLI, MILLITICK_MAX, millitick);
}

/* See limits_off_tick. */
static void tick_constants(struct limits *limits, int64_t tick)
{
    uint64_t odd = (uint64_t)tick;
    limits->tick_shift = 0;
    while ((odd & 1) == 0) {
        odd >>= 1;
        limits->tick_shift++;
    }
    uint64_t inverse = odd; /* right to 3 bits; each round doubles them */
    for (int round = 0; round < 5; round++)
        inverse *= 2 - odd * inverse;
    limits->tick_inverse = inverse;
    limits->tick_bound = UINT64_MAX / (uint64_t)tick;
}

/* The least price x quantity, or quantity, that is worth the minimum notional, rounded up. */
static bool minimum_notional(struct limits *limits, const struct event_definition *definition)
{
    int exponent = definition->quantity_exponent + definition->multiplier_exponent;
    money unit;
    if (definition->contract != CONTRACT_INVERSE)
        exponent += definition->price_exponent;
    if (!money_from_units(definition->multiplier, exponent, &unit))
        return false;
    int128 least = definition->minimum_notional.atto;
    limits->minimum_raw = least <= 0 ? 0 : least / unit.atto + (least % unit.atto != 0);
    return true;
}

static bool definition_usable(const struct event_definition *definition, const char **problem)
{
    *problem = "tick of the definition";
    if (definition->tick <= 0 || definition->tick > ENGINE_PRICE_MAX ||
        definition->contract >= CONTRACT_COUNT)
        return false;
    *problem = "lot of the definition";
    if (definition->lot <= 0)
        return false;
    *problem = "multiplier of the definition";
    return definition->multiplier > 0;
}

static bool resolve_quote(struct limits *limits, const struct settings_instrument *settings,
                          const struct event_definition *definition, const char **problem)
{
    struct strategy_units *quote = &limits->quote;
    quote->tick = definition->tick;
    quote->lot = definition->lot;
    quote->levels = (unsigned)settings->quote_levels;
    *problem = "quote.levels";
    if (settings->quote_levels < 1 || settings->quote_levels > STRATEGY_LEVELS_MAX)
        return false;
    *problem = "quote.size";
    if (!sizes(&settings->quote_size, definition, &quote->size))
        return false;
    *problem = "quote.half_spread";
    if (!distance(&settings->quote_half_spread, definition, &quote->half_spread_millitick))
        return false;
    *problem = "quote.step";
    if (!distance(&settings->quote_step, definition, &quote->step_millitick))
        return false;
    *problem = "quote.skew";
    return distance(&settings->quote_skew, definition, &quote->skew_millitick);
}

bool limits_resolve(struct limits *limits, const struct settings_instrument *settings,
                    const struct event_definition *definition, const char **problem)
{
    memset(limits, 0, sizeof *limits);
    if (!definition_usable(definition, problem) ||
        !resolve_quote(limits, settings, definition, problem))
        return false;
    tick_constants(limits, definition->tick);
    *problem = "minimum notional of the definition";
    if (!minimum_notional(limits, definition))
        return false;
    *problem = "reconcile.price_tolerance";
    if (!in_ticks(&settings->reconcile_price, definition, definition->tick, INT64_MAX,
                  &limits->price_tolerance))
        return false;
    *problem = "risk.position_limit";
    if (!sizes(&settings->risk_position_limit, definition, &limits->position_limit))
        return false;
    *problem = "risk.size_band";
    if (!sizes(&settings->risk_size_band, definition, &limits->size_band))
        return false;
    limits->enabled = settings->quote_enabled;
    limits->rough = memcmp(settings->quote_strategy.text, "rough", sizeof "rough") == 0;
    limits->interval = settings->quote_interval;
    limits->size_tolerance = settings->reconcile_size;
    limits->orders_per_side = (uint32_t)settings->risk_orders_per_side;
    limits->collar = settings->risk_collar;
    limits->far_collar = settings->risk_far_collar;
    limits->open_interest = settings->risk_open_interest;
    limits->open_interest_share = settings->risk_open_interest_share;
    limits->open_interest_age = settings->risk_open_interest_age;
    limits->stale_after = settings->safety_stale_after;
    limits->pending_timeout = settings->order_pending_timeout;
    limits->cancel_retries = (uint32_t)settings->order_cancel_retries;
    limits->cancel_backoff = settings->order_cancel_backoff;
    limits->learning_horizon = settings->learning_horizon;
    limits->learning_decay = settings->learning_decay;
    limits->learning_evidence = settings->learning_evidence * RATIO_ONE;
    limits->learning_sizing = settings->learning_sizing;
    signals_limits(&limits->signal, settings);
    limits->unknown_alarm = settings->order_unknown_alarm;
    *problem = NULL;
    return true;
}

bool limits_redefine(struct limits *limits, const struct limits *first,
                     const struct event_definition *definition)
{
    struct limits next =
        *first; /* so that what one definition rounds away the next one has again */
    struct strategy_units *quote = &next.quote;
    /* Distances are kept in price units: 1/1,000 of the new tick instead of the old one. */
    int64_t *const distances[] = {&quote->half_spread_millitick, &quote->step_millitick,
                                  &quote->skew_millitick};
    for (unsigned i = 0; i < sizeof distances / sizeof distances[0]; i++) {
        int128 distance = (int128)*distances[i] * quote->tick / definition->tick;
        if (distance > MILLITICK_MAX)
            return false;
        *distances[i] = (int64_t)distance;
    }
    bool fits = minimum_notional(&next, definition);
    ASSERT(fits); /* its unit is as it was */
    quote->tick = definition->tick;
    quote->lot = definition->lot;
    quote->size -= quote->size % quote->lot;
    tick_constants(&next, definition->tick);
    *limits = next;
    return true;
}
