/* Discovery at Coinbase: its time, the products, our rights, our fees; and later changes of the products, told as
 * records. */
#include "venue/live/coinbase.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* Rates where no account tells them: those of the first tier in the venue's samples, so that a backtest on what was
 * recorded without keys is not too good. */
#define UNKNOWN_MAKER_FEE INT64_C(6000000)
#define UNKNOWN_TAKER_FEE INT64_C(8000000)
/* Between two looks at the products. */
#define PRODUCTS_EVERY_NS (60 * NS_PER_SECOND)

enum {
    STEP_TIME,
    STEP_PRODUCTS,
    STEP_RIGHTS,
    STEP_FEES,
    STEP_DONE,
    FAILURES_MAX = 8, /* of one step in a row: with the back-off about a minute */
    SYMBOLS_TEXT_MAX = 512,
    UNAUTHORIZED = 401
};

static enum coinbase_ask ask_of(int step)
{
    static const uint8_t kinds[] = {COINBASE_ASK_TIME, COINBASE_ASK_PRODUCTS, COINBASE_ASK_RIGHTS,
                                    COINBASE_ASK_FEES};
    ASSERT(step >= STEP_TIME && step < STEP_DONE);
    return (enum coinbase_ask)kinds[step];
}

/* --- steps ------------------------------------------------------------------------------------------- */

static void retry(struct coinbase *venue, const char *why)
{
    const char *what[] = {"the time", "the products", "the key's rights", "the fees"};
    venue->step_failures++;
    if (venue->step_failures >= FAILURES_MAX) {
        adapter_fail(&venue->adapter, &venue->out,
                     "%s: could not ask for %s %u times in a row, last: %s", venue->settings.name,
                     what[venue->step], venue->step_failures, why);
        return;
    }
    venue->step_at = venue->now + adapter_backoff_wait(&venue->step_backoff, &venue->random);
    adapter_log(&venue->out, LOG_WARN, "could not ask for %s: %s", what[venue->step], why);
}

/* product_ids=BTC-USD&product_ids=ETH-USD, where they fit; else all of the venue's. */
static void add_products(const struct coinbase *venue, struct coinbase_question *question)
{
    for (size_t i = 0; i < venue->names.count; i++)
        coinbase_add(question, "product_ids", venue->settings.symbols[i]);
    if (question->full)
        *question = (struct coinbase_question){.body = NULL};
}

void coinbase_discovery_due(struct coinbase *venue)
{
    struct coinbase_question question = {.body = NULL};
    if (venue->adapter.state != ADAPTER_DISCOVERING || venue->now < venue->step_at)
        return;
    venue->step_at = TIME_NEVER;
    if (venue->step == STEP_PRODUCTS)
        add_products(venue, &question);
    enum coinbase_sent sent =
        coinbase_ask(venue, ask_of(venue->step), &question, &(struct adapter_asked){0}, NULL);
    if (sent == COINBASE_HELD_BACK)
        venue->step_at = venue->rates.held_until > venue->now ? venue->rates.held_until
                                                              : venue->now + NS_PER_SECOND;
    else if (sent != COINBASE_SENT)
        retry(venue, "the request could not be made");
}

static void next_step(struct coinbase *venue, int step)
{
    venue->step = step;
    venue->step_at = venue->now;
    venue->step_failures = 0;
    venue->step_backoff.failures = 0;
    if (step == STEP_DONE) {
        venue->step_at = TIME_NEVER;
        venue->adapter.state = ADAPTER_READY;
        return;
    }
    coinbase_discovery_due(venue);
}

/* --- products ---------------------------------------------------------------------------------------- */

static void note_products(struct coinbase *venue)
{
    for (size_t i = 0; i < venue->names.count; i++) {
        const char *symbol = venue->settings.symbols[i];
        if (venue->products[i].notes & COINBASE_LEAST_ABOVE_LOT)
            adapter_log(&venue->out, LOG_WARN,
                        "%s: base_min_size is more than base_increment: smaller orders are refused",
                        symbol);
        if (strcmp(venue->products[i].market, symbol) != 0)
            adapter_log(&venue->out, LOG_INFO, "%s: its market data is that of %s", symbol,
                        venue->products[i].market);
        if (venue->found[i].trading != TRADING_OPEN)
            adapter_log(&venue->out, LOG_WARN, "%s does not trade now", symbol);
    }
}

/* True where all that are wanted are there. */
static bool all_present(struct coinbase *venue)
{
    char missing[SYMBOLS_TEXT_MAX] = "";
    for (size_t i = 0; i < venue->names.count; i++) {
        if (venue->products[i].present)
            continue;
        if (strlen(missing) + strlen(venue->settings.symbols[i]) + 2 < sizeof missing) {
            strcat(missing, " ");
            strcat(missing, venue->settings.symbols[i]);
        }
    }
    if (missing[0] == '\0')
        return true;
    adapter_refuse(&venue->adapter, &venue->out,
                   "%s: has no%s (expected the venue's products, as BTC-USD)", venue->settings.name,
                   missing);
    return false;
}

static void set_fees(struct coinbase *venue, int64_t maker, int64_t taker)
{
    for (size_t i = 0; i < venue->names.count; i++) {
        venue->found[i].definition.maker_fee = maker;
        venue->found[i].definition.taker_fee = taker;
    }
}

static void take_found(struct coinbase *venue, const struct coinbase_answer *answer)
{
    struct error error = {0};
    if (coinbase_read_products(answer->body, answer->length, venue->settings.symbols,
                               venue->names.count, venue->found, venue->products, &error) != 0) {
        retry(venue, error.text);
        return;
    }
    if (!all_present(venue))
        return;
    note_products(venue);
    if (venue->settings.credentials) {
        next_step(venue, STEP_RIGHTS);
        return;
    }
    set_fees(venue, UNKNOWN_MAKER_FEE, UNKNOWN_TAKER_FEE);
    adapter_log(
        &venue->out, LOG_WARN,
        "without an account the fees are not known: 0.6 %% and 0.8 %% stand in the definitions");
    next_step(venue, STEP_DONE);
}

/* --- rights and fees --------------------------------------------------------------------------------- */

/* A key that may move money out of the account is not needed to trade, and is worth stealing: none is used. */
static void take_rights(struct coinbase *venue, const struct coinbase_answer *answer)
{
    struct error error = {0};
    const char *name = venue->settings.name;
    if (coinbase_read_rights(answer->body, answer->length, &venue->rights, &error) != 0)
        retry(venue, error.text);
    else if (venue->rights.can_transfer)
        adapter_refuse(
            &venue->adapter, &venue->out,
            "%s: this key may transfer money (can_transfer is true); make one that may only "
            "view and trade",
            name);
    else if (!venue->rights.can_view || !venue->rights.can_trade)
        adapter_refuse(&venue->adapter, &venue->out, "%s: this key may not %s (can_%s is false)",
                       name, venue->rights.can_view ? "trade" : "view",
                       venue->rights.can_view ? "trade" : "view");
    else
        next_step(venue, STEP_FEES);
}

static void take_fees(struct coinbase *venue, const struct coinbase_answer *answer)
{
    struct error error = {0};
    struct coinbase_fees fees;
    if (coinbase_read_fees(answer->body, answer->length, &fees, &error) != 0) {
        retry(venue, error.text);
        return;
    }
    set_fees(venue, fees.maker, fees.taker);
    next_step(venue, STEP_DONE);
}

/* --- answers ----------------------------------------------------------------------------------------- */

/* 401 may be the clock: then all begins with the time again. */
static void take_refusal(struct coinbase *venue, const struct coinbase_answer *answer)
{
    char words[COINBASE_REASON_MAX + COINBASE_TEXT_MAX + 4];
    snprintf(words, sizeof words, "%s %s", answer->error.reason, answer->error.text);
    if (answer->status == UNAUTHORIZED && venue->clock_failures + 1 < FAILURES_MAX) {
        adapter_log(&venue->out, LOG_WARN, "not authorized: %s", words);
        venue->step = STEP_TIME;
        venue->clock_failures++;
        venue->step_at = venue->now + adapter_backoff_wait(&venue->step_backoff, &venue->random);
    } else if (answer->status == UNAUTHORIZED ||
               strcmp(answer->error.reason, "permission_denied") == 0) {
        adapter_refuse(&venue->adapter, &venue->out, "%s: the key is refused: %s",
                       venue->settings.name, words);
    } else {
        retry(venue, words);
    }
}

void coinbase_discovery_answer(struct coinbase *venue, const struct adapter_asked *asked,
                               const struct coinbase_answer *answer)
{
    char words[ADAPTER_NO_ANSWER_MAX];
    if (venue->adapter.state != ADAPTER_DISCOVERING || asked->kind != ask_of(venue->step))
        return;
    if (answer->outcome == COINBASE_REFUSED) {
        take_refusal(venue, answer);
    } else if (answer->outcome != COINBASE_GOOD) {
        adapter_no_answer(answer->failure, answer->status, words);
        retry(venue, words);
    } else if (venue->step == STEP_TIME) {
        coinbase_take_time(venue, asked, answer);
        if (venue->time.known)
            next_step(venue, STEP_PRODUCTS);
        else
            retry(venue, "an answer that can't be read");
    } else if (venue->step == STEP_PRODUCTS) {
        take_found(venue, answer);
    } else if (venue->step == STEP_RIGHTS) {
        take_rights(venue, answer);
    } else {
        take_fees(venue, answer);
    }
}

/* --- afterwards -------------------------------------------------------------------------------------- */

/* `units` of 10^from as units of 10^to; 0 where they are none. */
static int64_t rescale(int64_t units, int from, int to)
{
    struct number number = decimal_to_units((struct decimal){units, from}, to);
    return number.status == NUMBER_VALUE ? number.units : 0;
}

/* The venue's definition in the units of the tape; false where these are too coarse for it, so that no order
 * can be trusted to be on the grid. */
static bool in_tape_units(const struct event_definition *tape, const struct event_definition *told,
                          struct event_definition *out)
{
    *out = *tape;
    out->tick = rescale(told->tick, told->price_exponent, tape->price_exponent);
    out->lot = rescale(told->lot, told->quantity_exponent, tape->quantity_exponent);
    out->minimum_notional = told->minimum_notional;
    out->maker_fee = told->maker_fee;
    out->taker_fee = told->taker_fee;
    return out->tick > 0 && out->lot > 0;
}

static bool differ(const struct event_definition *a, const struct event_definition *b)
{
    return a->tick != b->tick || a->lot != b->lot ||
           money_compare(a->minimum_notional, b->minimum_notional) != 0 ||
           a->maker_fee != b->maker_fee || a->taker_fee != b->taker_fee;
}

/* What the venue says of one instrument now, as far as it differs from what was told last. */
static void tell_changes(struct coinbase *venue, uint16_t place,
                         const struct adapter_instrument *now)
{
    uint16_t number = adapter_number(&venue->names, place);
    uint16_t stream = EVENT_STREAM(number, CHANNEL_REFERENCE);
    struct event_definition definition;
    uint8_t trading = now->trading;
    if (!in_tape_units(&venue->told_definitions[place], &now->definition, &definition)) {
        if (venue->told_trading[place] == TRADING_OPEN)
            adapter_log(
                &venue->out, LOG_ERROR,
                "%s: its tick or lot is finer than the units of this tape: it is not traded",
                now->symbol);
        trading = TRADING_HALTED;
    } else if (differ(&venue->told_definitions[place], &definition)) {
        venue->told_definitions[place] = definition;
        adapter_tell(&venue->out, EVENT_definition, stream, coinbase_venue_now(venue))->definition =
            definition;
    }
    if (trading != venue->told_trading[place]) {
        venue->told_trading[place] = trading;
        adapter_tell(&venue->out, EVENT_instrument_status, stream, coinbase_venue_now(venue))
            ->instrument_status = (struct event_instrument_status){number, trading};
    }
}

void coinbase_products_begin(struct coinbase *venue)
{
    for (uint16_t place = 0; place < venue->names.count; place++) {
        venue->told_definitions[place] = *adapter_definition(&venue->names, place);
        venue->told_trading[place] = TRADING_OPEN; /* what an engine takes for granted */
        tell_changes(venue, place, &venue->found[place]);
    }
    venue->products_at = venue->now + PRODUCTS_EVERY_NS;
}

void coinbase_products_due(struct coinbase *venue)
{
    struct coinbase_question question = {.body = NULL};
    if (venue->now < venue->products_at ||
        adapter_requests_of(&venue->requests, COINBASE_ASK_PRODUCTS) > 0)
        return;
    add_products(venue, &question);
    if (coinbase_ask(venue, COINBASE_ASK_PRODUCTS, &question, &(struct adapter_asked){0}, NULL) ==
        COINBASE_SENT)
        venue->products_at = venue->now + PRODUCTS_EVERY_NS;
}

/* A product that is gone does not trade. */
void coinbase_take_products(struct coinbase *venue, const struct coinbase_answer *answer)
{
    struct error error = {0};
    if (answer->outcome != COINBASE_GOOD)
        return; /* asked for again in its time */
    if (coinbase_read_products(answer->body, answer->length, venue->settings.symbols,
                               venue->names.count, venue->reread, venue->products_reread,
                               &error) != 0) {
        adapter_log(&venue->out, LOG_WARN, "products: %s", error.text);
        return;
    }
    for (uint16_t place = 0; place < venue->names.count; place++) {
        struct adapter_instrument now = venue->found[place];
        if (venue->products_reread[place].present) {
            now = venue->reread[place];
            now.definition.maker_fee = venue->found[place].definition.maker_fee;
            now.definition.taker_fee = venue->found[place].definition.taker_fee;
        } else {
            now.definition = venue->told_definitions[place];
            now.trading = TRADING_HALTED;
        }
        tell_changes(venue, place, &now);
    }
}
