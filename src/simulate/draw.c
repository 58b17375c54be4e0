/* Draws what stands still during a course: instruments, settings, the connection's faults. Limits are
 * tight and times short, so that every gate has something to stop. As in course.c, no two draws stand where C
 * leaves open which comes first. */
#include "simulate/course.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"

/* A number in least..most. */
static int64_t between(struct random *random, int64_t least, int64_t most)
{
    return least + (int64_t)random_below(random, (uint64_t)(most - least + 1));
}

static bool one_in(struct random *random, uint64_t n)
{
    return random_below(random, n) == 0;
}

/* least x 2^k up to most: short times are as likely as long ones. */
static int64_t spread(struct random *random, int64_t least, int64_t most)
{
    int64_t value = least;
    for (uint64_t doublings = random_below(random, 12); doublings > 0 && value * 2 <= most;
         doublings--)
        value *= 2;
    return value;
}

static void __attribute__((format(printf, 2, 3)))
set(struct course *course, const char *format, ...)
{
    va_list arguments;
    ASSERT(course->setting_count < COURSE_SETTINGS_MAX);
    char *to = course->settings[course->setting_count++];
    va_start(arguments, format);
    int length = vsnprintf(to, COURSE_SETTING_MAX, format, arguments);
    va_end(arguments);
    ASSERT(length > 0 && length < COURSE_SETTING_MAX);
}

/* --- instruments --------------------------------------------------------------------------------- */

static uint16_t asset(struct course *course, const char *name)
{
    unsigned *count = &course->names.asset_count;
    for (unsigned i = 0; i < *count; i++)
        if (strcmp(course->assets[i], name) == 0)
            return (uint16_t)i;
    ASSERT(*count < COURSE_ASSETS_MAX);
    course->assets[*count] = name;
    return (uint16_t)(*count)++;
}

/* What a scenario's venue line can say, so that a course can be written as a scenario. */
static void draw_instrument(struct course *course, struct random *random, unsigned index)
{
    static const char *const venues[COURSE_INSTRUMENTS_MAX] = {"v1", "v2", "v3"};
    static const char *const symbols[COURSE_INSTRUMENTS_MAX] = {"BTC-USD", "ETH-USD", "SOL-USD"};
    static const char *const bases[COURSE_INSTRUMENTS_MAX] = {"BTC", "ETH", "SOL"};
    static const int64_t units[] = {1, 1, 5, 25};
    struct event_definition *d = &course->definitions[index];
    unsigned venue = course->names.venue_count;
    if (index > 0 && one_in(random, 3))
        venue--; /* at the venue of the one before */
    else
        course->venues[course->names.venue_count++] = venues[venue];
    course->symbols[index] = symbols[index];
    *d = (struct event_definition){
        .instrument = (uint16_t)index,
        .venue = (uint8_t)venue,
        .base_commission_exponent = -8,
        .quote_commission_exponent = -8,
    };
    d->contract = (uint8_t)random_below(random, CONTRACT_COUNT);
    d->price_exponent = (int8_t)-between(random, 0, 2);
    d->quantity_exponent = (int8_t)-between(random, 0, 3);
    d->tick = units[random_below(random, 4)];
    d->lot = units[random_below(random, 4)];
    d->multiplier = one_in(random, 4) ? 10 : 1;
    d->maker_fee = between(random, -2, 4) * 100000;
    d->taker_fee = between(random, 0, 10) * 100000;
    d->base = asset(course, bases[index]);
    d->quote = asset(course, "USD");
    if (d->contract == CONTRACT_SPOT)
        d->multiplier = 1;
    d->settle = d->contract == CONTRACT_INVERSE ? d->base : d->quote;
    d->fee_asset = d->contract == CONTRACT_SPOT ? FEE_IN_RECEIVED : FEE_IN_SETTLE;
    if (one_in(random, 2)) {
        bool fits = money_from_units(between(random, 1, 400), 0, &d->minimum_notional);
        ASSERT(fits);
    }
}

/* --- settings ------------------------------------------------------------------------------------- */

#define INSTRUMENT(name) "instruments.%s:%s." name
#define VENUE(name)      "venues.%s." name

static void draw_quote(struct course *course, struct random *random, const char *venue,
                       const char *symbol)
{
    int64_t levels = one_in(random, 8) ? between(random, 8, 32) : between(random, 1, 6);
    set(course, INSTRUMENT("quote.strategy=%s"), venue, symbol,
        one_in(random, 8) ? "rough" : "ladder");
    set(course, INSTRUMENT("quote.levels=%" PRId64), venue, symbol, levels);
    set(course, INSTRUMENT("quote.size=%" PRId64 "lot"), venue, symbol, between(random, 1, 20));
    set(course, INSTRUMENT("quote.half_spread=%" PRId64 "tick"), venue, symbol,
        between(random, 0, 4));
    set(course, INSTRUMENT("quote.step=%" PRId64 "tick"), venue, symbol, between(random, 0, 3));
    set(course, INSTRUMENT("quote.skew=%" PRId64 "tick"), venue, symbol, between(random, 0, 6));
    set(course, INSTRUMENT("quote.interval=%" PRId64 "ms"), venue, symbol,
        spread(random, 50, 10000));
    set(course, INSTRUMENT("reconcile.price_tolerance=%" PRId64 "tick"), venue, symbol,
        between(random, 0, 2));
    set(course, INSTRUMENT("reconcile.size_tolerance=%" PRId64 "%%"), venue, symbol,
        between(random, 0, 60));
}

static void draw_risk(struct course *course, struct random *random, const char *venue,
                      const char *symbol)
{
    int64_t limit = spread(random, 10, 2000);
    set(course, INSTRUMENT("risk.position_limit=%" PRId64 "lot"), venue, symbol, limit);
    if (one_in(random, 2))
        set(course, INSTRUMENT("risk.size_band=%" PRId64 "lot"), venue, symbol,
            between(random, 1, limit));
    if (one_in(random, 2))
        set(course, INSTRUMENT("risk.orders_per_side=%" PRId64), venue, symbol,
            between(random, 1, 8));
    int64_t tenths = between(random, 0, 9);
    set(course, INSTRUMENT("risk.collar=%" PRId64 ".%" PRId64 "%%"), venue, symbol,
        between(random, 0, 1), tenths);
    /* 100 %: any price above 0, so that a price of 0 meets no other gate than that for numbers. */
    set(course, INSTRUMENT("risk.far_collar=%" PRId64 "%%"), venue, symbol,
        one_in(random, 4) ? INT64_C(100) : spread(random, 1, 50));
    if (one_in(random, 3)) {
        set(course, INSTRUMENT("risk.open_interest=yes"), venue, symbol);
        set(course, INSTRUMENT("risk.open_interest_share=%" PRId64 "%%"), venue, symbol,
            between(random, 1, 5));
        set(course, INSTRUMENT("risk.open_interest_age=%" PRId64 "ms"), venue, symbol,
            spread(random, 500, 60000));
    }
    set(course, INSTRUMENT("safety.stale_after=%" PRId64 "ms"), venue, symbol,
        spread(random, 200, 10000));
    set(course, INSTRUMENT("order.pending_timeout=%" PRId64 "ms"), venue, symbol,
        spread(random, 50, 5000));
    set(course, INSTRUMENT("book.far_levels=64"), venue, symbol);
}

/* What the account holds at first: nothing known of it, or an amount of some of the assets, now and then so
 * little that it pays for no more than a few orders. */
static void draw_balances(struct course *course, struct random *random, const char *venue)
{
    char text[COURSE_SETTING_MAX] = "";
    bool known = !one_in(random, 4);
    for (unsigned i = 0; i < course->names.asset_count; i++) {
        int64_t amount = strcmp(course->assets[i], "USD") == 0 ? spread(random, 1000, 4000000)
                                                               : spread(random, 1, 4000);
        size_t length = strlen(text);
        if (known && !one_in(random, 5))
            snprintf(text + length, sizeof text - length, "%s%" PRId64 " %s",
                     length > 0 ? ", " : "", amount, course->assets[i]);
    }
    set(course, VENUE("sim.balances=%s"), venue, text);
}

static void draw_venue(struct course *course, struct random *random, const char *venue)
{
    set(course, VENUE("sim.entry_latency=%" PRId64 "ms"), venue, between(random, 0, 40));
    set(course, VENUE("sim.answer_latency=%" PRId64 "ms"), venue, between(random, 0, 40));
    set(course, VENUE("sim.fill_on_cross=%s"), venue, one_in(random, 4) ? "no" : "yes");
    set(course, VENUE("rate.orders_per_second=%" PRId64), venue, spread(random, 4, 2000));
    set(course, VENUE("rate.cancel_reserve=%" PRId64 "%%"), venue, between(random, 0, 50));
    static const char *const modifies[] = {"none", "shrink",  "edit",          "edit",
                                           "edit", "replace", "cancel_replace"};
    set(course, VENUE("venue.modify=%s"), venue,
        modifies[random_below(random, sizeof modifies / sizeof modifies[0])]);
    set(course, VENUE("rate.orders_per_day=%" PRId64), venue,
        one_in(random, 4) ? spread(random, 500, 20000) : INT64_C(0));
    set(course, VENUE("safety.sync_interval=%" PRId64 "ms"), venue,
        one_in(random, 3) ? INT64_C(0) : spread(random, 500, 60000));
    set(course, VENUE("safety.snapshot_age=%" PRId64 "ms"), venue, spread(random, 20, 10000));
    set(course, VENUE("safety.snapshot_limit=%" PRId64 "s"), venue,
        one_in(random, 2) ? INT64_C(0) : spread(random, 2, 180));
    set(course, VENUE("infrastructure.failures=%" PRId64), venue,
        one_in(random, 3) ? INT64_C(0) : between(random, 2, 6));
    set(course, VENUE("infrastructure.timeout=%" PRId64 "ms"), venue, spread(random, 200, 30000));
    set(course, VENUE("infrastructure.pace=%" PRId64 "ms"), venue, spread(random, 10, 1000));
    draw_balances(course, random, venue);
}

/* Each breaker off, or so tight that it trips. */
static void draw_breakers(struct course *course, struct random *random, const char *venue,
                          const char *symbol)
{
    set(course, INSTRUMENT("breaker.volatility=%s"), venue, symbol,
        one_in(random, 2) ? "0" : "1.2");
    set(course, INSTRUMENT("breaker.volatility_clear=1"), venue, symbol);
    set(course, INSTRUMENT("breaker.volatility_samples=%" PRId64), venue, symbol,
        spread(random, 5, 120));
    set(course, INSTRUMENT("breaker.volatility_calm=%" PRId64 "s"), venue, symbol,
        spread(random, 1, 60));
    set(course, INSTRUMENT("breaker.move=%" PRId64 "%%"), venue, symbol,
        one_in(random, 2) ? INT64_C(0) : between(random, 1, 3));
    set(course, INSTRUMENT("breaker.spread=%s"), venue, symbol, one_in(random, 2) ? "0" : "3");
    set(course, INSTRUMENT("breaker.spread_samples=%" PRId64), venue, symbol,
        spread(random, 2, 60));
    set(course, INSTRUMENT("breaker.spread_time=%" PRId64 "ms"), venue, symbol,
        spread(random, 10, 1000));
    set(course, INSTRUMENT("breaker.spread_calm=%" PRId64 "s"), venue, symbol,
        spread(random, 1, 10));
    set(course, INSTRUMENT("breaker.in_sync=%" PRId64 "ms"), venue, symbol,
        one_in(random, 2) ? INT64_C(0) : spread(random, 10, 2000));
    set(course, INSTRUMENT("breaker.reference=%s"), venue, symbol,
        one_in(random, 2) ? "0" : "1.5%");
    set(course, INSTRUMENT("breaker.reference_time=%" PRId64 "ms"), venue, symbol,
        spread(random, 10, 1000));
    set(course, INSTRUMENT("breaker.reference_calm=%" PRId64 "s"), venue, symbol,
        spread(random, 1, 30));
    set(course, INSTRUMENT("breaker.reference_peer=%s"), venue, symbol,
        one_in(random, 4) ? "yes" : "no");
    set(course, INSTRUMENT("breaker.rejects=%" PRId64), venue, symbol,
        one_in(random, 2) ? INT64_C(0) : between(random, 2, 8));
    set(course, INSTRUMENT("breaker.rejects_of=%" PRId64), venue, symbol, between(random, 2, 16));
    set(course, INSTRUMENT("breaker.rejects_pause=%" PRId64 "s"), venue, symbol,
        spread(random, 1, 60));
    set(course, INSTRUMENT("breaker.edge=%s"), venue, symbol, one_in(random, 2) ? "0" : "1");
    set(course, INSTRUMENT("breaker.edge_fills=%" PRId64), venue, symbol, between(random, 2, 30));
    set(course, INSTRUMENT("breaker.edge_horizon=%" PRId64 "ms"), venue, symbol,
        spread(random, 50, 5000));
    set(course, INSTRUMENT("breaker.open_interest=%s"), venue, symbol,
        one_in(random, 2) ? "0" : "10%");
    set(course, INSTRUMENT("breaker.open_interest_pause=%" PRId64 "s"), venue, symbol,
        spread(random, 1, 60));
}

/* Little has to be seen before the first quote, and little learned. */
static void draw_start(struct course *course, struct random *random, const char *venue,
                       const char *symbol)
{
    set(course, INSTRUMENT("warm_up.trades=%" PRId64), venue, symbol, between(random, 0, 20));
    set(course, INSTRUMENT("warm_up.book_messages=%" PRId64), venue, symbol,
        between(random, 0, 100));
    set(course, INSTRUMENT("warm_up.samples=%" PRId64), venue, symbol, between(random, 0, 10));
    set(course, INSTRUMENT("learning.horizon=%" PRId64 "ms"), venue, symbol,
        one_in(random, 3) ? INT64_C(0) : spread(random, 100, 10000));
    set(course, INSTRUMENT("learning.evidence=%" PRId64), venue, symbol, between(random, 0, 10));
    set(course, INSTRUMENT("order.cancel_retries=%" PRId64), venue, symbol, between(random, 0, 4));
    set(course, INSTRUMENT("order.cancel_backoff=%" PRId64 "ms"), venue, symbol,
        spread(random, 10, 1000));
    set(course, INSTRUMENT("order.unknown_alarm=%" PRId64 "s"), venue, symbol,
        one_in(random, 2) ? INT64_C(0) : spread(random, 1, 60));
}

static void draw_settings(struct course *course, struct random *random)
{
    set(course, "seed=%" PRIu64, random_below(random, 1000000));
    set(course, "orders.capacity=%" PRId64, one_in(random, 4) ? INT64_C(64) : INT64_C(256));
    set(course, "sim.reorder=%" PRId64 "ms", between(random, 0, 250));
    set(course, "shutdown.timeout=%" PRId64 "ms", spread(random, 500, 30000));
    set(course, "shutdown.step_timeout=%" PRId64 "ms", spread(random, 100, 5000));
    set(course, "shutdown.force_after=%" PRId64 "ms", spread(random, 2000, 60000));
    set(course, "safety.orphans=%" PRId64, one_in(random, 4) ? INT64_C(1) : INT64_C(64));
    set(course, "safety.own_book=%" PRId64 "ms", spread(random, 100, 60000));
    bool named = one_in(random, 2);
    set(course, "account.rate_age=%" PRId64 "ms", spread(random, 1000, 60000));
    int64_t drawdown = one_in(random, 2) ? 0 : spread(random, 10, 20000);
    int64_t daily_loss = one_in(random, 2) ? 0 : spread(random, 10, 20000);
    set(course, "risk.drawdown_limit=%" PRId64, drawdown);
    set(course, "risk.daily_loss_limit=%" PRId64, daily_loss);
    /* A limit of an account with profit in several assets needs a currency. */
    set(course, "account.currency=%s", named || drawdown > 0 || daily_loss > 0 ? "USD" : "");
    for (unsigned venue = 0; venue < course->names.venue_count; venue++)
        draw_venue(course, random, course->venues[venue]);
    for (unsigned i = 0; i < course->names.instrument_count; i++) {
        const char *venue = course->venues[course->definitions[i].venue];
        draw_quote(course, random, venue, course->symbols[i]);
        draw_risk(course, random, venue, course->symbols[i]);
        draw_breakers(course, random, venue, course->symbols[i]);
        draw_start(course, random, venue, course->symbols[i]);
    }
}

/* --- faults --------------------------------------------------------------------------------------- */

/* Some connections are good, some are bad in one way, some in every way. */
static void draw_faults(struct course *course, struct random *random)
{
    /* In 1e6, or in 1e6 s: what a bad connection may have at most. */
    static const uint64_t most[FAULT_KIND_COUNT] = {
        [FAULT_REQUEST_UNKNOWN] = 40000, [FAULT_REQUEST_SILENT] = 40000, [FAULT_REJECT] = 60000,
        [FAULT_RATE_BAN] = 5000,         [FAULT_LOST] = 40000,           [FAULT_UNREADABLE] = 30000,
        [FAULT_DELAY] = 30000,           [FAULT_DUPLICATE] = 80000,      [FAULT_REORDER] = 120000,
        [FAULT_DISCONNECT] = 10000,      [FAULT_END] = 1500000,          [FAULT_CLOCK_JUMP] = 20000,
        [FAULT_REQUEST_LATE] = 40000,    [FAULT_FALSE_REJECT] = 20000,   [FAULT_NOT_FOUND] = 80000,
        [FAULT_ECHO] = 150000,           [FAULT_BARE] = 400000,          [FAULT_STALE] = 300000,
    };
    struct fault_options *faults = &course->faults;
    uint64_t mood = random_below(random, 8);
    *faults = (struct fault_options){.names = &course->names};
    faults->seed = random_next(random);
    faults->longest_delay = spread(random, 10 * NS_PER_MS, 10 * NS_PER_SECOND);
    faults->longest_outage = spread(random, 100 * NS_PER_MS, 30 * NS_PER_SECOND);
    unsigned only = (unsigned)random_below(random, FAULT_ORDERS_STREAM);
    for (unsigned kind = 0; kind < FAULT_ORDERS_STREAM; kind++) {
        uint64_t chance = random_below(random, most[kind] + 1);
        if (mood >= 4 || (mood >= 1 && kind == only))
            faults->chance[kind] = chance;
    }
}

/* In one course of four each venue's stream of our orders breaks now and then, however good the connection
 * is. Drawn with chance of its own: all else of a seed is as it is without. */
static void draw_orders_streams(struct course *course)
{
    enum { STREAM = 1, IN_1E6_SECONDS = 50000 };
    struct random chance, *random = &chance;
    random_init(random, course->seed, STREAM);
    if (!one_in(random, 4))
        return;
    course->faults.chance[FAULT_ORDERS_STREAM] = (uint64_t)between(random, 1, IN_1E6_SECONDS);
    for (unsigned i = 0; i < course->names.venue_count; i++) {
        const char *venue = course->venues[i];
        bool waits = !one_in(random, 4);
        bool pulls = !one_in(random, 3);
        set(course, VENUE("safety.orders_stream_grace=%" PRId64 "ms"), venue,
            waits ? spread(random, 20, 5000) : INT64_C(0));
        set(course, VENUE("safety.orders_stream_limit=%" PRId64 "ms"), venue,
            pulls ? spread(random, 200, 20000) : INT64_C(0));
    }
}

/* Now and then sizes follow the position closely, so that orders which have filled in part are made smaller, and a
 * venue answers at once, so that an answer and the next request have the same time. Of chance of its own, too. */
static void draw_closeness(struct course *course)
{
    enum { CLOSENESS = 3 };
    struct random chance, *random = &chance;
    random_init(random, course->seed, CLOSENESS);
    bool follows = one_in(random, 4), at_once = one_in(random, 8);
    for (unsigned i = 0; at_once && i < course->names.venue_count; i++) {
        set(course, VENUE("sim.entry_latency=0ms"), course->venues[i]);
        set(course, VENUE("sim.answer_latency=0ms"), course->venues[i]);
    }
    for (unsigned i = 0; follows && i < course->names.instrument_count; i++) {
        const char *venue = course->venues[course->definitions[i].venue];
        int64_t limit = spread(random, 20, 320);
        set(course, INSTRUMENT("risk.position_limit=%" PRId64 "lot"), venue, course->symbols[i],
            limit);
        set(course, INSTRUMENT("risk.size_band=%" PRId64 "lot"), venue, course->symbols[i], limit);
        set(course, INSTRUMENT("reconcile.size_tolerance=0%%"), venue, course->symbols[i]);
    }
}

void course_draw_world(struct course *course, struct random *random)
{
    course->setting_count = 0;
    course->names = (struct event_names){.venues = course->venues,
                                         .assets = course->assets,
                                         .symbols = course->symbols,
                                         .definitions = course->definitions};
    course->names.instrument_count = (unsigned)between(random, 1, COURSE_INSTRUMENTS_MAX);
    asset(course, "BTC");
    asset(course, "USD");
    for (unsigned i = 0; i < course->names.instrument_count; i++)
        draw_instrument(course, random, i);
    draw_settings(course, random);
    draw_faults(course, random);
    draw_orders_streams(course);
    draw_closeness(course);
}
