/* The expecting lines of a scenario: what each says, checked and in canonical form. */
#include "replay/scenario_parser.h"

#include <stdio.h>
#include <string.h>

static int add_field(struct scenario_parser *parser, struct scenario_expect *expect,
                     const char *name, const char *value, size_t length)
{
    if (expect->field_count == sizeof expect->fields / sizeof *expect->fields)
        return scenario_fail(parser, scenario_peek(parser), "fewer fields");
    struct scenario_field *field = &expect->fields[expect->field_count++];
    if (strlen(name) >= sizeof field->name || length >= sizeof field->value)
        return scenario_fail(parser, scenario_peek(parser), "shorter fields");
    strcpy(field->name, name);
    memcpy(field->value, value, length);
    field->value[length] = '\0';
    return 0;
}

static int add_number(struct scenario_parser *parser, struct scenario_expect *expect,
                      const char *name, int64_t units, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    size_t length = decimal_to_text(units, exponent, text);
    return add_field(parser, expect, name, text, length);
}

/* An instrument's name if the next word is one. */
static void take_optional_instrument(struct scenario_parser *parser, struct scenario_expect *expect)
{
    const struct scenario_word *word = scenario_peek(parser);
    int found = word ? scenario_find_instrument(parser->scenario, word) : -1;
    if (found < 0)
        return;
    expect->instrument = found;
    parser->at++;
}

static int take_order_field(struct scenario_parser *parser, struct scenario_expect *expect,
                            const char *name)
{
    const struct scenario_word *word = scenario_peek(parser);
    order_id order;
    if (scenario_take_order(parser, &order))
        return ERROR_INPUT;
    return add_field(parser, expect, name, word->text, word->length);
}

static int take_price_fields(struct scenario_parser *parser, struct scenario_expect *expect,
                             const char *quantity_name)
{
    unsigned instrument = scenario_expect_instrument(expect);
    const struct event_definition *d = &parser->scenario->definitions[instrument];
    struct number quantity, price;
    if (scenario_take_quantity_at_price(parser, instrument, &quantity, &price) ||
        add_number(parser, expect, quantity_name, quantity.units, d->quantity_exponent))
        return ERROR_INPUT;
    return add_number(parser, expect, "price", price.units, d->price_exponent);
}

static bool at_end(const struct scenario_parser *parser)
{
    const struct scenario_word *word = scenario_peek(parser);
    return !word || scenario_word_is(word, ";");
}

static int expect_new(struct scenario_parser *parser, struct scenario_expect *expect)
{
    unsigned side;
    expect->message_kind = EVENT_place;
    take_optional_instrument(parser, expect);
    if (take_order_field(parser, expect, "order") ||
        scenario_take_enum(parser, FIELD_SIDE, &side) ||
        add_field(parser, expect, "side", event_enum_text(FIELD_SIDE, side),
                  strlen(event_enum_text(FIELD_SIDE, side))))
        return ERROR_INPUT;
    return take_price_fields(parser, expect, "quantity");
}

static int expect_cancel(struct scenario_parser *parser, struct scenario_expect *expect)
{
    unsigned why;
    expect->message_kind = EVENT_cancel;
    if (take_order_field(parser, expect, "order"))
        return ERROR_INPUT;
    if (at_end(parser))
        return 0;
    if (scenario_take_enum(parser, FIELD_CANCEL_CAUSE, &why))
        return ERROR_INPUT;
    const char *text = event_enum_text(FIELD_CANCEL_CAUSE, why);
    return add_field(parser, expect, "why", text, strlen(text));
}

static int expect_modify(struct scenario_parser *parser, struct scenario_expect *expect)
{
    expect->message_kind = EVENT_modify;
    take_optional_instrument(parser, expect);
    if (take_order_field(parser, expect, "order"))
        return ERROR_INPUT;
    return take_price_fields(parser, expect, "leaves");
}

/* "replace #1 by #3 0.010@99.0" */
static int expect_replace(struct scenario_parser *parser, struct scenario_expect *expect)
{
    expect->message_kind = EVENT_replace;
    take_optional_instrument(parser, expect);
    if (take_order_field(parser, expect, "replaces"))
        return ERROR_INPUT;
    if (!scenario_take_if(parser, "by"))
        return scenario_fail(parser, scenario_peek(parser), "by and the new order");
    if (take_order_field(parser, expect, "order"))
        return ERROR_INPUT;
    return take_price_fields(parser, expect, "quantity");
}

static int expect_fill(struct scenario_parser *parser, struct scenario_expect *expect)
{
    unsigned cause;
    expect->message_kind = EVENT_order_filled;
    take_optional_instrument(parser, expect);
    if (take_order_field(parser, expect, "order") || take_price_fields(parser, expect, "quantity"))
        return ERROR_INPUT;
    if (at_end(parser))
        return 0;
    if (scenario_take_enum(parser, FIELD_FILL_CAUSE, &cause))
        return ERROR_INPUT;
    const char *text = event_enum_text(FIELD_FILL_CAUSE, cause);
    return add_field(parser, expect, "cause", text, strlen(text));
}

static int expect_halt(struct scenario_parser *parser, struct scenario_expect *expect)
{
    unsigned breaker;
    expect->kind = EXPECT_HALT;
    expect->message_kind = EVENT_breaker;
    if (scenario_take_enum(parser, FIELD_BREAKER, &breaker))
        return ERROR_INPUT;
    const char *text = event_enum_text(FIELD_BREAKER, breaker);
    return add_field(parser, expect, "breaker", text, strlen(text));
}

static int expect_position(struct scenario_parser *parser, struct scenario_expect *expect)
{
    const struct scenario_word *word;
    expect->kind = EXPECT_POSITION;
    take_optional_instrument(parser, expect);
    const struct event_definition *d =
        &parser->scenario->definitions[scenario_expect_instrument(expect)];
    if (scenario_take(parser, "a position", &word))
        return ERROR_INPUT;
    expect->number = number_from_text(word->text, word->length, d->quantity_exponent);
    if (expect->number.status != NUMBER_VALUE)
        return scenario_fail(parser, word, "a position on the instrument's grid");
    return 0;
}

static int expect_open(struct scenario_parser *parser, struct scenario_expect *expect)
{
    expect->kind = EXPECT_OPEN;
    if (scenario_take_if(parser, "none"))
        return 0;
    const struct scenario_word *word = scenario_peek(parser);
    while (word && word->length > 0 && word->text[0] == '#') {
        if (expect->order_count == sizeof expect->orders / sizeof *expect->orders)
            return scenario_fail(parser, word, "fewer orders");
        if (scenario_take_order(parser, &expect->orders[expect->order_count++]))
            return ERROR_INPUT;
        word = scenario_peek(parser);
    }
    return expect->order_count ? 0 : scenario_fail(parser, word, "none or orders such as #1 #2");
}

static int expect_balance(struct scenario_parser *parser, struct scenario_expect *expect)
{
    struct scenario *s = parser->scenario;
    const struct scenario_word *asset, *amount;
    expect->kind = EXPECT_BALANCE;
    take_optional_instrument(parser, expect);
    if (scenario_take(parser, "an asset", &asset) || scenario_take(parser, "an amount", &amount))
        return ERROR_INPUT;
    expect->asset = EVENT_NONE_16;
    for (unsigned i = 0; i < s->asset_count; i++)
        if (scenario_word_is(asset, s->asset_names[i]))
            expect->asset = (uint16_t)i;
    if (expect->asset == EVENT_NONE_16)
        return scenario_fail(parser, asset, "an asset of one of the instruments");
    if (money_from_text(amount->text, amount->length, &expect->amount) != NUMBER_VALUE)
        return scenario_fail(parser, amount, "an amount such as -12.5");
    return 0;
}

static int expect_metric(struct scenario_parser *parser, struct scenario_expect *expect)
{
    const struct scenario_word *name, *value;
    expect->kind = EXPECT_METRIC;
    if (scenario_take(parser, "a counter's name", &name) ||
        scenario_copy(parser, name, expect->metric, sizeof expect->metric) ||
        scenario_take(parser, "a whole number", &value))
        return ERROR_INPUT;
    expect->number = number_from_text(value->text, value->length, 0);
    if (expect->number.status != NUMBER_VALUE)
        return scenario_fail(parser, value, "a whole number");
    return 0;
}

/* "full orders.capacity": how the run ends, so it stands behind `end`, and once. */
static int expect_full(struct scenario_parser *parser, struct scenario_expect *expect)
{
    static const char *const tables[] = {"orders.capacity", "book.far_levels"};
    struct scenario *s = parser->scenario;
    const struct scenario_word *word;
    if (!s->has_end || s->full)
        return scenario_fail(parser, scenario_peek(parser),
                             "full on the 'end' line only, and once");
    expect->kind = EXPECT_FULL;
    s->full = true;
    if (scenario_take(parser, "the setting of a table", &word) ||
        scenario_copy(parser, word, expect->metric, sizeof expect->metric))
        return ERROR_INPUT;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(expect->metric, tables[i]) == 0)
            return 0;
    return scenario_fail(parser, word, "orders.capacity or book.far_levels");
}

/* "gate gate=stale blocking=yes": any kind with fields as the journal prints them. */
static int expect_any(struct scenario_parser *parser, struct scenario_expect *expect,
                      const struct scenario_word *word)
{
    const struct event_kind_info *info = event_kind_by_name(word->text, word->length);
    if (!info || info->event_class == EVENT_MARKET)
        return scenario_fail(
            parser, word,
            "new, cancel, modify, replace, fill, halt, position, open, balance, metric, "
            "nothing, full, or a kind of decision or answer");
    expect->message_kind = info->kind;
    take_optional_instrument(parser, expect);
    while (!at_end(parser)) {
        struct scenario_word name, value;
        char text[SCENARIO_NAME_MAX];
        const struct scenario_word *pair = scenario_peek(parser);
        if (!scenario_split_pair(pair, '=', &name, &value))
            return scenario_fail(parser, pair, "field=value as the journal prints it");
        if (scenario_copy(parser, &name, text, sizeof text) ||
            add_field(parser, expect, text, value.text, value.length))
            return ERROR_INPUT;
        parser->at++;
    }
    return 0;
}

static int parse_one(struct scenario_parser *parser, struct scenario_expect *expect)
{
    static const struct {
        const char *word;
        int (*parse)(struct scenario_parser *, struct scenario_expect *);
    } table[] = {
        {"new", expect_new},           {"cancel", expect_cancel},   {"modify", expect_modify},
        {"fill", expect_fill},         {"halt", expect_halt},       {"open", expect_open},
        {"position", expect_position}, {"balance", expect_balance}, {"metric", expect_metric},
        {"replace", expect_replace},   {"full", expect_full},
    };
    const struct scenario_word *word;
    if (scenario_take(parser, "what is expected", &word))
        return ERROR_INPUT;
    if (scenario_word_is(word, "nothing")) {
        expect->kind = EXPECT_NOTHING;
        return 0;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (scenario_word_is(word, table[i].word))
            return table[i].parse(parser, expect);
    return expect_any(parser, expect, word);
}

int scenario_parse_expects(struct scenario_parser *parser)
{
    struct scenario *s = parser->scenario;
    if (s->instrument_count == 0)
        return scenario_fail(parser, scenario_peek(parser), "a 'venue' line first");
    do {
        void *grown =
            scenario_grow(s->expects, &s->expect_capacity, s->expect_count, sizeof *s->expects);
        if (!grown)
            return error_set(parser->error, ERROR_SYSTEM, "out of memory");
        s->expects = grown;
        struct scenario_expect *expect = &s->expects[s->expect_count++];
        *expect = (struct scenario_expect){
            .line = parser->line, .ts = parser->now, .kind = EXPECT_MESSAGE, .instrument = -1};
        if (parse_one(parser, expect))
            return ERROR_INPUT;
    } while (scenario_take_if(parser, ";") || (s->has_end && scenario_peek(parser)));
    if (scenario_peek(parser))
        return scenario_fail(parser, scenario_peek(parser), "';' or the end of the line");
    return 0;
}
