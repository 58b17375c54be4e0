/* The declaring lines of a scenario: venues with their instruments, and canned answers. */
#include "replay/scenario_parser.h"

#include <stdlib.h>
#include <string.h>

/* Index of `name` among `count` names, added at the end where it is new; -1 where there is no room. */
static int find_or_add(char (*list)[SCENARIO_NAME_MAX], const char **pointers, unsigned *count,
                       unsigned capacity, const char *name)
{
    for (unsigned i = 0; i < *count; i++)
        if (strcmp(list[i], name) == 0)
            return (int)i;
    if (*count == capacity)
        return -1;
    strcpy(list[*count], name);
    pointers[*count] = list[*count];
    return (int)(*count)++;
}

static int add_asset(struct scenario_parser *parser, const struct scenario_word *word,
                     uint16_t *asset)
{
    struct scenario *s = parser->scenario;
    char name[SCENARIO_NAME_MAX];
    if (scenario_copy(parser, word, name, sizeof name))
        return ERROR_INPUT;
    int found =
        find_or_add(s->asset_names, s->asset_pointers, &s->asset_count, SCENARIO_ASSETS_MAX, name);
    if (found < 0)
        return scenario_fail(parser, word, "at most %d assets", SCENARIO_ASSETS_MAX);
    *asset = (uint16_t)found;
    s->names.asset_count = s->asset_count;
    return 0;
}

/* Unit of a price or quantity increment: "0.5" is 5 units of 10^-1. */
static int take_grid(struct scenario_parser *parser, const struct scenario_word *value,
                     int8_t *exponent, int64_t *units)
{
    struct decimal d;
    if (decimal_from_text(value->text, value->length, &d) != NUMBER_VALUE || d.mantissa <= 0)
        return scenario_fail(parser, value, "an increment above 0 such as 0.5");
    int unit = d.exponent > 0 ? 0 : d.exponent;
    struct number n = decimal_to_units(d, unit);
    if (n.status != NUMBER_VALUE)
        return scenario_fail(parser, value, "an increment above 0 such as 0.5");
    *exponent = (int8_t)unit;
    *units = n.units;
    return 0;
}

static int take_rate(struct scenario_parser *parser, const struct scenario_word *value,
                     int64_t *rate)
{
    struct scenario_word number = *value;
    bool percent = number.length > 0 && number.text[number.length - 1] == '%';
    if (percent)
        number.length--;
    struct number n = number_from_text(number.text, number.length, percent ? -7 : -9);
    if (n.status != NUMBER_VALUE)
        return scenario_fail(parser, value, "a fee such as 0.1%% or 0.001");
    *rate = n.units;
    return 0;
}

static int take_contract(struct scenario_parser *parser, const struct scenario_word *value,
                         struct event_definition *d)
{
    int found = event_enum_value(FIELD_CONTRACT, value->text, value->length);
    if (found < 0)
        return scenario_fail(parser, value, "spot, linear or inverse");
    d->contract = (uint8_t)found;
    return 0;
}

/* One name=value of a venue line. */
static int venue_option(struct scenario_parser *parser, const struct scenario_word *name,
                        const struct scenario_word *value, struct event_definition *d)
{
    if (scenario_word_is(name, "tick"))
        return take_grid(parser, value, &d->price_exponent, &d->tick);
    if (scenario_word_is(name, "lot"))
        return take_grid(parser, value, &d->quantity_exponent, &d->lot);
    if (scenario_word_is(name, "kind"))
        return take_contract(parser, value, d);
    if (scenario_word_is(name, "base"))
        return add_asset(parser, value, &d->base);
    if (scenario_word_is(name, "quote"))
        return add_asset(parser, value, &d->quote);
    if (scenario_word_is(name, "maker_fee"))
        return take_rate(parser, value, &d->maker_fee);
    if (scenario_word_is(name, "taker_fee"))
        return take_rate(parser, value, &d->taker_fee);
    if (scenario_word_is(name, "multiplier")) {
        struct number n = number_from_text(value->text, value->length, 0);
        d->multiplier = n.units;
        if (n.status != NUMBER_VALUE || n.units <= 0)
            return scenario_fail(parser, value, "a whole multiplier above 0");
        return 0;
    }
    if (scenario_word_is(name, "minimum_notional")) {
        if (money_from_text(value->text, value->length, &d->minimum_notional) != NUMBER_VALUE)
            return scenario_fail(parser, value, "an amount such as 10");
        return 0;
    }
    return scenario_fail(parser, name,
                         "tick, lot, kind, base, quote, maker_fee, taker_fee, multiplier or "
                         "minimum_notional");
}

/* Base and quote from a symbol such as BTC-USD, where the line did not say. */
static int assets_from_symbol(struct scenario_parser *parser, const struct scenario_word *symbol,
                              struct event_definition *d)
{
    struct scenario_word base, quote;
    bool known = d->base != EVENT_NONE_16 && d->quote != EVENT_NONE_16;
    if (!known && !scenario_split_pair(symbol, '-', &base, &quote))
        return scenario_fail(parser, symbol, "a symbol such as BTC-USD, or base= and quote=");
    if (d->base == EVENT_NONE_16 && add_asset(parser, &base, &d->base))
        return ERROR_INPUT;
    if (d->quote == EVENT_NONE_16 && add_asset(parser, &quote, &d->quote))
        return ERROR_INPUT;
    d->settle = d->contract == CONTRACT_INVERSE ? d->base : d->quote;
    d->fee_asset = d->contract == CONTRACT_SPOT ? FEE_IN_RECEIVED : FEE_IN_SETTLE;
    return 0;
}

int scenario_parse_venue(struct scenario_parser *parser)
{
    struct scenario *s = parser->scenario;
    const struct scenario_word *venue, *symbol, *option;
    char name[SCENARIO_NAME_MAX];
    if (scenario_take(parser, "the venue's name", &venue) ||
        scenario_copy(parser, venue, name, sizeof name) ||
        scenario_take(parser, "the instrument's symbol", &symbol))
        return ERROR_INPUT;
    if (s->event_count || s->when_count || s->expect_count)
        return scenario_fail(parser, venue, "every 'venue' line before the first 'when' and 'at'");
    unsigned index = s->instrument_count;
    if (index == SCENARIO_INSTRUMENTS_MAX)
        return scenario_fail(parser, venue, "at most %d instruments", SCENARIO_INSTRUMENTS_MAX);
    if (scenario_copy(parser, symbol, s->symbols[index], SCENARIO_NAME_MAX))
        return ERROR_INPUT;
    int number = find_or_add(s->venue_names, s->venue_pointers, &s->venue_count,
                             SCENARIO_INSTRUMENTS_MAX, name);
    struct event_definition d = {.instrument = (uint16_t)index,
                                 .venue = (uint8_t)number,
                                 .multiplier = 1,
                                 .base_commission_exponent = -8,
                                 .quote_commission_exponent = -8,
                                 .base = EVENT_NONE_16,
                                 .quote = EVENT_NONE_16};
    while ((option = scenario_peek(parser))) {
        struct scenario_word left, right;
        parser->at++;
        if (!scenario_split_pair(option, '=', &left, &right))
            return scenario_fail(parser, option, "name=value such as tick=0.5");
        if (venue_option(parser, &left, &right, &d))
            return ERROR_INPUT;
    }
    if (!d.tick || !d.lot)
        return scenario_fail(parser, NULL, "tick= and lot=");
    if (assets_from_symbol(parser, symbol, &d))
        return ERROR_INPUT;
    s->definitions[index] = d;
    s->symbol_pointers[index] = s->symbols[index];
    s->instrument_count++;
    s->names.venue_count = s->venue_count;
    s->names.instrument_count = s->instrument_count;
    return 0;
}

/* What "ack" means to each request. */
static uint8_t ack_of(unsigned request)
{
    return request == REQUEST_PLACE     ? EVENT_order_accepted
           : request == REQUEST_CANCEL  ? EVENT_order_cancelled
           : request == REQUEST_REPLACE ? EVENT_replace
           : request == REQUEST_QUERY   ? EVENT_order_status
                                        : EVENT_order_modified;
}

static int take_reject_reply(struct scenario_parser *parser, unsigned request,
                             struct scenario_reply *reply)
{
    unsigned reason;
    reply->kind = request == REQUEST_PLACE     ? EVENT_order_rejected
                  : request == REQUEST_CANCEL  ? EVENT_cancel_rejected
                  : request == REQUEST_REPLACE ? EVENT_cancel_rejected
                                               : EVENT_modify_rejected;
    if (scenario_take_enum(parser, FIELD_REJECT, &reason))
        return ERROR_INPUT;
    reply->reason = (uint8_t)reason;
    return 0;
}

static int take_step_reply(struct scenario_parser *parser, struct scenario_reply *reply)
{
    const struct scenario_word *word;
    if (scenario_take(parser, "done, failed or nothing", &word))
        return ERROR_INPUT;
    reply->kind = scenario_word_is(word, "nothing") ? 0 : EVENT_step_done;
    reply->failed = scenario_word_is(word, "failed");
    if (reply->kind && !reply->failed && !scenario_word_is(word, "done"))
        return scenario_fail(parser, word, "done, failed or nothing");
    return 0;
}

/* One answer: its word and what belongs to it, without its time. */
static int take_reply_kind(struct scenario_parser *parser, const struct scenario_when *when,
                           struct scenario_reply *reply)
{
    const struct scenario_word *word;
    if (when->step != SHUTDOWN_RUNNING)
        return take_step_reply(parser, reply);
    if (scenario_take(parser, "an answer", &word))
        return ERROR_INPUT;
    if (scenario_word_is(word, "reject"))
        return take_reject_reply(parser, when->request, reply);
    if (scenario_word_is(word, "ack"))
        reply->kind = ack_of(when->request);
    else if (scenario_word_is(word, "cancelled"))
        reply->kind = EVENT_order_cancelled;
    else if (scenario_word_is(word, "expired"))
        reply->kind = EVENT_order_expired;
    else if (scenario_word_is(word, "unknown"))
        reply->kind = EVENT_order_unknown;
    else if (scenario_word_is(word, "not_found"))
        reply->kind = EVENT_order_not_found;
    else if (scenario_word_is(word, "nothing"))
        reply->kind = 0;
    else if (scenario_word_is(word, "fill")) {
        reply->kind = EVENT_order_filled;
        reply->liquidity = LIQUIDITY_MAKER;
        return scenario_take_quantity_at_price(parser, when->instrument, &reply->quantity,
                                               &reply->price);
    } else {
        return scenario_fail(parser, word,
                             "ack, reject REASON, fill Q@P, cancelled, expired, unknown, "
                             "not_found or nothing");
    }
    return 0;
}

static int take_reply(struct scenario_parser *parser, struct scenario_when *when)
{
    struct scenario_reply reply = {0};
    if (take_reply_kind(parser, when, &reply))
        return ERROR_INPUT;
    if (reply.kind && scenario_take_if(parser, "after") &&
        scenario_take_duration(parser, &reply.after_ns))
        return ERROR_INPUT;
    if (reply.after_ns < 0)
        return scenario_fail(parser, NULL, "a time that is not negative");
    struct scenario_reply *grown =
        realloc(when->replies, (when->reply_count + 1) * sizeof *when->replies);
    if (!grown)
        return error_set(parser->error, ERROR_SYSTEM, "out of memory");
    when->replies = grown;
    when->replies[when->reply_count++] = reply;
    return 0;
}

/* "shutdown STEP" in place of instrument, request and order. */
static int take_step(struct scenario_parser *parser, struct scenario_when *when)
{
    const struct scenario_word *word = scenario_peek(parser);
    unsigned step;
    if (scenario_take_enum(parser, FIELD_SHUTDOWN_STEP, &step))
        return ERROR_INPUT;
    if (step != SHUTDOWN_FLUSHING && step != SHUTDOWN_CLOSING && step != SHUTDOWN_DISCONNECTING)
        return scenario_fail(parser, word, "flushing, closing or disconnecting");
    when->step = (uint8_t)step;
    return 0;
}

static int take_request(struct scenario_parser *parser, struct scenario_when *when)
{
    unsigned request;
    if (scenario_take_if(parser, "shutdown"))
        return take_step(parser, when);
    if (scenario_take_instrument(parser, &when->instrument) ||
        scenario_take_enum(parser, FIELD_REQUEST, &request) ||
        scenario_take_order(parser, &when->order))
        return ERROR_INPUT;
    when->request = (uint8_t)request;
    return 0;
}

int scenario_parse_when(struct scenario_parser *parser)
{
    struct scenario *s = parser->scenario;
    void *grown = scenario_grow(s->whens, &s->when_capacity, s->when_count, sizeof *s->whens);
    if (!grown)
        return error_set(parser->error, ERROR_SYSTEM, "out of memory");
    s->whens = grown;
    struct scenario_when *when = &s->whens[s->when_count];
    *when = (struct scenario_when){.line = parser->line};
    s->when_count++; /* counted at once, so that scenario_free finds its replies */
    if (take_request(parser, when))
        return ERROR_INPUT;
    if (!scenario_take_if(parser, "reply"))
        return scenario_fail(parser, scenario_peek(parser), "reply");
    do {
        if (take_reply(parser, when))
            return ERROR_INPUT;
    } while (scenario_take_if(parser, ","));
    if (scenario_peek(parser))
        return scenario_fail(parser, scenario_peek(parser), "a comma or the end of the line");
    return 0;
}
