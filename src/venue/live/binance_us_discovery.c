/* Discovery: the venue's time, its instruments and limits, our rights, our fees; and later changes of the
 * instruments, told as records. */
#include "venue/live/binance_us.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* Rates where no account tells them: those of the account in the venue's own document, so that a backtest on
 * what was recorded without keys is not too good. */
#define UNKNOWN_FEE INT64_C(1500000)
/* Between two looks at the instruments. */
#define INFO_EVERY_NS (60 * NS_PER_SECOND)

enum {
    STEP_TIME,
    STEP_INFO,
    STEP_RIGHTS,
    STEP_FEES,
    STEP_DONE,
    FAILURES_MAX = 8, /* of one step in a row: with the back-off about a minute */
    SYMBOLS_TEXT_MAX = 512
};

static enum binance_us_ask ask_of(int step)
{
    static const uint8_t kinds[] = {ASK_TIME, ASK_INFO, ASK_RIGHTS, ASK_FEES};
    ASSERT(step >= STEP_TIME && step < STEP_DONE);
    return (enum binance_us_ask)kinds[step];
}

/* --- steps ------------------------------------------------------------------------------------------- */

static void retry(struct binance_us *us, const char *why)
{
    const char *what[] = {"the time", "the instruments", "the account", "the fees"};
    us->step_failures++;
    if (us->step_failures >= FAILURES_MAX) {
        adapter_fail(&us->adapter, &us->out, "%s: could not ask for %s %u times in a row, last: %s",
                     us->settings.name, what[us->step], us->step_failures, why);
        return;
    }
    us->step_at = us->now + adapter_backoff_wait(&us->step_backoff, &us->random);
    adapter_log(&us->out, LOG_WARN, "could not ask for %s: %s", what[us->step], why);
}

void binance_us_discovery_due(struct binance_us *us)
{
    if (us->adapter.state != ADAPTER_DISCOVERING || us->now < us->step_at)
        return;
    us->step_at = TIME_NEVER;
    enum binance_us_sent sent =
        binance_us_ask(us, ask_of(us->step), NULL, &(struct adapter_asked){0});
    if (sent == BINANCE_US_HELD_BACK)
        us->step_at =
            us->rates.banned_until > us->now ? us->rates.banned_until : us->now + NS_PER_SECOND;
    else if (sent != BINANCE_US_SENT)
        retry(us, "the request could not be made");
}

static void next_step(struct binance_us *us, int step)
{
    us->step = step;
    us->step_at = us->now;
    us->step_failures = 0;
    us->step_backoff.failures = 0;
    if (step == STEP_DONE) {
        us->step_at = TIME_NEVER;
        us->adapter.state = ADAPTER_READY;
        return;
    }
    binance_us_discovery_due(us);
}

/* --- instruments ------------------------------------------------------------------------------------- */

static void note_instruments(struct binance_us *us)
{
    for (size_t i = 0; i < us->names.count; i++) {
        const char *symbol = us->settings.symbols[i];
        if (us->notes[i] & BINANCE_US_NO_POST_ONLY && us->settings.credentials)
            adapter_log(&us->out, LOG_WARN, "%s takes no LIMIT_MAKER: post-only is refused",
                        symbol);
        if (us->notes[i] & BINANCE_US_NO_REPLACE && us->settings.credentials)
            adapter_log(&us->out, LOG_WARN, "%s takes no cancelReplace", symbol);
        if (us->notes[i] & BINANCE_US_LEAST_ABOVE_LOT)
            adapter_log(&us->out, LOG_WARN,
                        "%s: minQty is more than stepSize: smaller orders are "
                        "refused",
                        symbol);
        if (us->found[i].trading != TRADING_OPEN)
            adapter_log(&us->out, LOG_WARN, "%s does not trade now", symbol);
    }
}

/* True where all that are wanted are there. */
static bool all_present(struct binance_us *us)
{
    char missing[SYMBOLS_TEXT_MAX] = "";
    for (size_t i = 0; i < us->names.count; i++) {
        if (us->present[i])
            continue;
        if (strlen(missing) + strlen(us->settings.symbols[i]) + 2 < sizeof missing) {
            strcat(missing, " ");
            strcat(missing, us->settings.symbols[i]);
        }
    }
    if (missing[0] == '\0')
        return true;
    adapter_refuse(&us->adapter, &us->out, "%s: has no%s (expected the venue's symbols, as BTCUSD)",
                   us->settings.name, missing);
    return false;
}

static void set_fees(struct binance_us *us, const struct binance_us_fee *fallback)
{
    for (size_t i = 0; i < us->names.count; i++) {
        const struct binance_us_fee *fee = us->fees[i].known ? &us->fees[i] : fallback;
        us->found[i].definition.maker_fee = fee->maker_fee;
        us->found[i].definition.taker_fee = fee->taker_fee;
    }
}

static void take_info(struct binance_us *us, const struct binance_us_answer *answer)
{
    static const struct binance_us_fee unknown = {true, UNKNOWN_FEE, UNKNOWN_FEE};
    struct error error = {0};
    if (binance_us_read_info(answer->body, answer->length, us->settings.symbols, us->names.count,
                             us->found, us->present, us->notes, &us->info, &error) != 0) {
        retry(us, error.text);
        return;
    }
    if (!all_present(us))
        return;
    note_instruments(us);
    if (us->settings.credentials) {
        next_step(us, STEP_RIGHTS);
        return;
    }
    set_fees(us, &unknown);
    adapter_log(&us->out, LOG_WARN,
                "without an account the fees are not known: 0.15 %% stands in the definitions");
    next_step(us, STEP_DONE);
}

/* --- rights and fees --------------------------------------------------------------------------------- */

static void take_rights(struct binance_us *us, const struct binance_us_answer *answer)
{
    struct binance_us_account *account = &us->snapshot.account;
    struct error error = {0};
    if (binance_us_read_account(answer->body, answer->length, account, &error) != 0) {
        retry(us, error.text);
        return;
    }
    if (!account->can_trade) {
        adapter_refuse(&us->adapter, &us->out, "%s: this account may not trade (canTrade is false)",
                       us->settings.name);
        return;
    }
    us->account_fee =
        (struct binance_us_fee){account->has_fees, account->maker_fee, account->taker_fee};
    next_step(us, STEP_FEES);
}

/* What the list does not have is the account's general rate. */
static void finish_fees(struct binance_us *us)
{
    for (size_t i = 0; i < us->names.count; i++) {
        if (us->fees[i].known)
            continue;
        if (!us->account_fee.known) {
            adapter_fail(&us->adapter, &us->out, "%s: tells no fees of %s", us->settings.name,
                         us->settings.symbols[i]);
            return;
        }
        adapter_log(&us->out, LOG_WARN, "no fees of %s are told: the account's general ones hold",
                    us->settings.symbols[i]);
    }
    set_fees(us, &us->account_fee);
    next_step(us, STEP_DONE);
}

static void take_fees(struct binance_us *us, const struct binance_us_answer *answer)
{
    struct error error = {0};
    memset(us->fees, 0, us->names.count * sizeof *us->fees);
    if (binance_us_read_fees(answer->body, answer->length, us->settings.symbols, us->names.count,
                             us->fees, &error) != 0)
        retry(us, error.text);
    else
        finish_fees(us);
}

/* --- answers ----------------------------------------------------------------------------------------- */

static void take_refusal(struct binance_us *us, const struct binance_us_error *error)
{
    char words[BINANCE_US_TEXT_MAX + 32];
    snprintf(words, sizeof words, "%lld %s", (long long)error->code, error->text);
    if (binance_us_is_key(error->code)) {
        adapter_refuse(&us->adapter, &us->out, "%s: the key is refused: %s", us->settings.name,
                       words);
    } else if (error->code == BINANCE_US_CODE_TIMESTAMP) {
        us->step = STEP_TIME; /* and from there on again */
        us->step_at = us->now + adapter_backoff_wait(&us->step_backoff, &us->random);
        if (++us->clock_failures >= FAILURES_MAX)
            adapter_fail(&us->adapter, &us->out, "%s: the clocks don't agree: %s",
                         us->settings.name, words);
    } else if (us->step == STEP_FEES && !binance_us_is_banned(us)) {
        adapter_log(&us->out, LOG_WARN, "the list of fees is refused: %s", words);
        finish_fees(us);
    } else {
        retry(us, words);
    }
}

void binance_us_discovery_answer(struct binance_us *us, const struct adapter_asked *asked,
                                 const struct binance_us_answer *answer)
{
    char words[ADAPTER_NO_ANSWER_MAX];
    if (us->adapter.state != ADAPTER_DISCOVERING || asked->kind != ask_of(us->step))
        return;
    if (answer->outcome == BINANCE_US_REFUSED) {
        take_refusal(us, &answer->error);
    } else if (answer->outcome != BINANCE_US_GOOD) {
        adapter_no_answer(answer->failure, answer->status, words);
        retry(us, words);
    } else if (us->step == STEP_TIME) {
        binance_us_take_time(us, asked, answer);
        if (us->time.known)
            next_step(us, STEP_INFO);
        else
            retry(us, "an answer that can't be read");
    } else if (us->step == STEP_INFO) {
        take_info(us, answer);
    } else if (us->step == STEP_RIGHTS) {
        take_rights(us, answer);
    } else {
        take_fees(us, answer);
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
static bool in_tape_units(const struct event_definition *tape, const struct event_definition *venue,
                          struct event_definition *out)
{
    *out = *tape;
    out->tick = rescale(venue->tick, venue->price_exponent, tape->price_exponent);
    out->lot = rescale(venue->lot, venue->quantity_exponent, tape->quantity_exponent);
    out->minimum_notional = venue->minimum_notional;
    out->maker_fee = venue->maker_fee;
    out->taker_fee = venue->taker_fee;
    out->quote_commission_exponent = venue->quote_commission_exponent;
    return out->tick > 0 && out->lot > 0;
}

static bool differ(const struct event_definition *a, const struct event_definition *b)
{
    return a->tick != b->tick || a->lot != b->lot ||
           money_compare(a->minimum_notional, b->minimum_notional) != 0 ||
           a->maker_fee != b->maker_fee || a->taker_fee != b->taker_fee ||
           a->quote_commission_exponent != b->quote_commission_exponent;
}

/* What the venue says of one instrument now, as far as it differs from what was told last. */
static void tell_changes(struct binance_us *us, uint16_t place,
                         const struct adapter_instrument *now)
{
    uint16_t number = adapter_number(&us->names, place);
    uint16_t stream = EVENT_STREAM(number, CHANNEL_REFERENCE);
    struct event_definition definition;
    uint8_t trading = now->trading;
    if (!in_tape_units(&us->told_definitions[place], &now->definition, &definition)) {
        if (us->told_trading[place] == TRADING_OPEN)
            adapter_log(&us->out, LOG_ERROR,
                        "%s: its tick or lot is finer than the units of this "
                        "tape: it is not traded",
                        now->symbol);
        trading = TRADING_HALTED;
    } else if (differ(&us->told_definitions[place], &definition)) {
        us->told_definitions[place] = definition;
        adapter_tell(&us->out, EVENT_definition, stream, binance_us_estimated(us))->definition =
            definition;
    }
    if (trading != us->told_trading[place]) {
        us->told_trading[place] = trading;
        adapter_tell(&us->out, EVENT_instrument_status, stream, binance_us_estimated(us))
            ->instrument_status = (struct event_instrument_status){number, trading};
    }
}

void binance_us_info_begin(struct binance_us *us)
{
    for (uint16_t place = 0; place < us->names.count; place++) {
        us->told_definitions[place] = *adapter_definition(&us->names, place);
        us->told_trading[place] = TRADING_OPEN; /* what an engine takes for granted */
        tell_changes(us, place, &us->found[place]);
    }
    us->info_at = us->now + INFO_EVERY_NS;
}

/* symbols=["BTCUSD","ETHUSD"], where they fit; else all of the venue's. */
static void add_symbols(const struct binance_us *us, struct binance_us_parameters *parameters)
{
    char list[BINANCE_US_PARAMETERS_MAX / 2] = "[";
    size_t length = 1;
    for (size_t i = 0; i < us->names.count; i++) {
        size_t more = strlen(us->settings.symbols[i]) + 4;
        if (length + more >= sizeof list)
            return;
        length += (size_t)snprintf(list + length, sizeof list - length, "%s\"%s\"", i ? "," : "",
                                   us->settings.symbols[i]);
    }
    memcpy(list + length, "]", 2);
    binance_us_add(parameters, "symbols", list);
    if (parameters->full)
        *parameters = (struct binance_us_parameters){0};
}

void binance_us_info_due(struct binance_us *us)
{
    struct binance_us_parameters parameters = {0};
    if (us->now < us->info_at || adapter_requests_of(&us->requests, ASK_INFO) > 0)
        return;
    if (!us->info_of_all)
        add_symbols(us, &parameters);
    if (binance_us_ask(us, ASK_INFO, &parameters, &(struct adapter_asked){0}) == BINANCE_US_SENT)
        us->info_at = us->now + INFO_EVERY_NS;
}

static void take_new_limits(struct binance_us *us, const struct binance_us_info *info)
{
    for (size_t i = 0; i < us->info.limit_count && i < info->limit_count; i++)
        if (us->info.limits[i].type == info->limits[i].type &&
            us->info.limits[i].interval_ns == info->limits[i].interval_ns)
            us->info.limits[i].limit = info->limits[i].limit;
}

/* An instrument that is gone does not trade. */
void binance_us_take_info(struct binance_us *us, const struct binance_us_answer *answer)
{
    struct error error = {0};
    struct binance_us_info info = {0};
    /* A list with a symbol that is gone is refused as a whole: then all are asked for. */
    us->info_of_all |= answer->outcome == BINANCE_US_REFUSED && !binance_us_is_banned(us);
    if (answer->outcome != BINANCE_US_GOOD)
        return; /* asked for again in its time */
    if (binance_us_read_info(answer->body, answer->length, us->settings.symbols, us->names.count,
                             us->reread, us->present, NULL, &info, &error) != 0) {
        adapter_log(&us->out, LOG_WARN, "exchangeInfo: %s", error.text);
        return;
    }
    take_new_limits(us, &info);
    for (uint16_t place = 0; place < us->names.count; place++) {
        struct adapter_instrument now = us->found[place];
        if (us->present[place]) {
            now = us->reread[place];
            now.definition.maker_fee = us->found[place].definition.maker_fee;
            now.definition.taker_fee = us->found[place].definition.taker_fee;
        } else {
            now.trading = TRADING_HALTED;
        }
        tell_changes(us, place, &now);
    }
}
