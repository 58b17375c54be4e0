/* The lines of a scenario in which something happens: market data, commands, whole records. */
#include "replay/scenario_parser.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum { EVENT_LINE_ROWS_MAX = SCENARIO_WORDS_MAX };

/* Add an event at the present time; the parser's scenario owns it. NULL when memory is out. */
static struct scenario_event *add_event(struct scenario_parser *parser, unsigned kind,
                                        uint16_t stream)
{
    struct scenario *s = parser->scenario;
    void *grown = scenario_grow(s->events, &s->event_capacity, s->event_count, sizeof *s->events);
    if (!grown) {
        error_set(parser->error, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    s->events = grown;
    struct scenario_event *event = &s->events[s->event_count++];
    memset(event, 0, sizeof *event);
    event->line = parser->line;
    event->message = (struct message){.ts_local = parser->now,
                                      .ts_venue = parser->now,
                                      .flags = MESSAGE_VENUE_TIME,
                                      .stream = stream,
                                      .kind = (uint8_t)kind};
    return event;
}

/* Text of a number without a value goes onto the tape behind its message. */
static int add_source_text(struct scenario_parser *parser, unsigned instrument, size_t row,
                           bool quantity, const struct scenario_word *text)
{
    struct scenario_event *event =
        add_event(parser, EVENT_source_text, EVENT_STREAM(instrument, CHANNEL_REFERENCE));
    if (!event)
        return ERROR_SYSTEM;
    struct event_source_text *record = &event->record.source_text;
    record->instrument = (uint16_t)instrument;
    record->row = row;
    record->quantity = quantity;
    size_t length = text->length < EVENT_TEXT_MAX ? text->length : EVENT_TEXT_MAX;
    record->text.length = (uint8_t)length;
    memcpy(record->text.bytes, text->text, length);
    return 0;
}

/* A row from "price*quantity"; numbers without value keep their status. */
static int take_row(struct scenario_parser *parser, unsigned instrument, uint8_t flags,
                    struct row *row)
{
    static const char expected[] = "price*quantity such as 100.0*0.050";
    const struct event_definition *d = &parser->scenario->definitions[instrument];
    const struct scenario_word *word;
    struct scenario_word left, right;
    if (scenario_take(parser, expected, &word))
        return ERROR_INPUT;
    if (!scenario_split_pair(word, '*', &left, &right))
        return scenario_fail(parser, word, "%s", expected);
    struct number price = number_from_text(left.text, left.length, d->price_exponent);
    struct number quantity = number_from_text(right.text, right.length, d->quantity_exponent);
    *row = (struct row){.price = price.units,
                        .quantity = quantity.units,
                        .flags = flags,
                        .price_status = price.status,
                        .quantity_status = quantity.status};
    return 0;
}

/* A row's words again, for the text of what has no value. */
static int add_row_texts(struct scenario_parser *parser, unsigned instrument,
                         const struct row *rows, const struct scenario_word *const *words,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scenario_word left, right;
        bool pair = scenario_split_pair(words[i], '*', &left, &right);
        ASSERT(pair);
        if (rows[i].price_status != NUMBER_VALUE &&
            add_source_text(parser, instrument, i, false, &left))
            return ERROR_SYSTEM;
        if (rows[i].quantity_status != NUMBER_VALUE &&
            add_source_text(parser, instrument, i, true, &right))
            return ERROR_SYSTEM;
    }
    return 0;
}

static bool is_number_word(const struct scenario_word *word)
{
    return word && memchr(word->text, '*', word->length) != NULL;
}

/* Rows after side words; `buy` and `sell` words for trades, `bid` and `ask` for levels. */
static int take_rows(struct scenario_parser *parser, unsigned instrument, const char *buy_word,
                     const char *sell_word, uint8_t flags, struct row *rows,
                     const struct scenario_word **words, size_t *count)
{
    *count = 0;
    for (;;) {
        uint8_t side;
        if (scenario_take_if(parser, buy_word))
            side = 0;
        else if (scenario_take_if(parser, sell_word))
            side = ROW_SELL;
        else
            return 0;
        if (!is_number_word(scenario_peek(parser)))
            return scenario_fail(parser, scenario_peek(parser),
                                 "price*quantity such as 100.0*0.050");
        while (is_number_word(scenario_peek(parser))) {
            words[*count] = scenario_peek(parser);
            if (take_row(parser, instrument, flags | side, &rows[*count]))
                return ERROR_INPUT;
            ++*count;
        }
    }
}

/* "stamped T", "sequence N", "more" behind a market message. */
static int take_stamps(struct scenario_parser *parser, struct message *message)
{
    for (;;) {
        int64_t offset;
        const struct scenario_word *word;
        if (scenario_take_if(parser, "stamped")) {
            if (scenario_take_duration(parser, &offset))
                return ERROR_INPUT;
            message->ts_venue = SCENARIO_EPOCH_NS + offset;
        } else if (scenario_take_if(parser, "sequence")) {
            if (scenario_take(parser, "a sequence number", &word))
                return ERROR_INPUT;
            struct number n = number_from_text(word->text, word->length, 0);
            if (n.status != NUMBER_VALUE || n.units < 0)
                return scenario_fail(parser, word, "a sequence number");
            message->sequence = (uint64_t)n.units;
        } else if (scenario_take_if(parser, "more")) {
            message->flags |= MESSAGE_MORE;
        } else {
            return 0;
        }
    }
}

/* What a word of a market line makes. */
struct market_word {
    const char *word;
    uint8_t kind;
    uint8_t channel;
    const char *buy_word, *sell_word;
    uint8_t flags;
};

static int rows_event(struct scenario_parser *parser, unsigned instrument,
                      const struct market_word *what)
{
    struct row rows[EVENT_LINE_ROWS_MAX];
    const struct scenario_word *words[EVENT_LINE_ROWS_MAX];
    size_t count;
    if (take_rows(parser, instrument, what->buy_word, what->sell_word, what->flags, rows, words,
                  &count))
        return ERROR_INPUT;
    if (count == 0 && what->kind != EVENT_snapshot)
        return scenario_fail(parser, scenario_peek(parser), "%s or %s and price*quantity",
                             what->buy_word, what->sell_word);
    struct scenario_event *event =
        add_event(parser, what->kind, EVENT_STREAM(instrument, what->channel));
    if (!event)
        return ERROR_SYSTEM;
    event->message.sequence = ++parser->scenario->sequences[instrument];
    event->rows = malloc((count ? count : 1) * sizeof *rows);
    if (!event->rows)
        return error_set(parser->error, ERROR_SYSTEM, "out of memory");
    memcpy(event->rows, rows, count * sizeof *rows);
    if (count)
        event->rows[count - 1].flags |= ROW_LAST;
    event->message.row_count = (uint32_t)count;
    if (take_stamps(parser, &event->message))
        return ERROR_INPUT;
    if (event->message.sequence > parser->scenario->sequences[instrument])
        parser->scenario->sequences[instrument] = event->message.sequence;
    return add_row_texts(parser, instrument, rows, words, count);
}

static int market_event(struct scenario_parser *parser, unsigned instrument)
{
    static const struct market_word words[] = {
        {"trade", EVENT_trade, CHANNEL_TRADE, "buy", "sell", 0},
        {"top", EVENT_top, CHANNEL_TOP, "bid", "ask", 0},
        {"book", EVENT_depth, CHANNEL_DEPTH, "bid", "ask", 0},
    };
    static const struct market_word snapshot = {"snapshot", EVENT_snapshot, CHANNEL_DEPTH,
                                                "bid",      "ask",          ROW_FROM_SNAPSHOT};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!scenario_take_if(parser, words[i].word))
            continue;
        if (words[i].kind == EVENT_depth && scenario_take_if(parser, "snapshot"))
            return rows_event(parser, instrument, &snapshot);
        return rows_event(parser, instrument, &words[i]);
    }
    return scenario_fail(parser, scenario_peek(parser),
                         "book, book snapshot, top or trade (anything else: a 'record')");
}

/* "record …": a message as canonical text, without its time. */
static int record_event(struct scenario_parser *parser)
{
    const struct scenario_word *first = scenario_peek(parser);
    if (!first)
        return scenario_fail(parser, NULL, "a record as canonical text, without its time");
    const struct scenario_word *last = &parser->words[parser->count - 1];
    size_t length = (size_t)(last->text + last->length - first->text);
    char text[2048];
    size_t used = time_to_text(parser->now, text);
    if (used + 1 + length >= sizeof text)
        return scenario_fail(parser, first, "at most %zu characters", sizeof text - used - 2);
    text[used] = ' ';
    memcpy(text + used + 1, first->text, length);
    struct scenario_event *event = add_event(parser, EVENT_tick, EVENT_NONE_16);
    struct row rows[1];
    struct error inner = {0};
    if (!event)
        return ERROR_SYSTEM;
    if (message_from_text(text, used + 1 + length, &parser->scenario->names, rows, 0,
                          &event->record, &event->message, &inner))
        return error_set(parser->error, ERROR_INPUT, "%s:%u:%u: %s", parser->scenario->path,
                         parser->line, first->column, inner.text);
    if (event_kind_info(event->message.kind)->event_class == EVENT_DECISION)
        return scenario_fail(parser, first,
                             "a market or session record; decisions are the engine's");
    parser->at = parser->count;
    return 0;
}

static int operator_event(struct scenario_parser *parser)
{
    unsigned command, instrument = EVENT_NONE_16;
    if (scenario_take_enum(parser, FIELD_COMMAND, &command))
        return ERROR_INPUT;
    if (scenario_peek(parser) && scenario_take_instrument(parser, &instrument))
        return ERROR_INPUT;
    struct scenario_event *event = add_event(parser, EVENT_command, EVENT_NONE_16);
    if (!event)
        return ERROR_SYSTEM;
    event->message.flags = 0;
    event->message.ts_venue = 0;
    event->record.command =
        (struct event_command){.command = (uint8_t)command, .instrument = (uint16_t)instrument};
    return 0;
}

static int shutdown_event(struct scenario_parser *parser)
{
    struct scenario_event *event = add_event(parser, EVENT_shutdown, EVENT_NONE_16);
    if (!event)
        return ERROR_SYSTEM;
    event->message.flags = 0;
    event->message.ts_venue = 0;
    event->record.shutdown = (struct event_shutdown){.signal = 15};
    return 0;
}

/* The process dies and starts again: the next epoch begins. The rest of the record is the loop's. What stands
 * behind the word are the settings that it then has. */
static int restart_event(struct scenario_parser *parser)
{
    struct scenario *s = parser->scenario;
    struct scenario_event *event = add_event(parser, EVENT_start, EVENT_NONE_16);
    if (!event)
        return ERROR_SYSTEM;
    event->message.flags = 0;
    event->message.ts_venue = 0;
    event->record.start = (struct event_start){.epoch = ++s->restarts};
    if (!scenario_peek(parser))
        return 0;
    if (s->restart_epoch != 0)
        return scenario_fail(parser, scenario_peek(parser),
                             "the end of the line: one restart may bring other settings");
    s->restart_epoch = s->restarts;
    return scenario_parse_settings(parser, &s->restart_config);
}

int scenario_parse_event(struct scenario_parser *parser)
{
    unsigned instrument;
    int result;
    if (scenario_take_if(parser, "record"))
        result = record_event(parser);
    else if (scenario_take_if(parser, "operator"))
        result = operator_event(parser);
    else if (scenario_take_if(parser, "shutdown"))
        result = shutdown_event(parser);
    else if (scenario_take_if(parser, "restart"))
        result = restart_event(parser);
    else if (scenario_take_instrument(parser, &instrument))
        result = ERROR_INPUT;
    else
        result = market_event(parser, instrument);
    if (result == 0 && scenario_peek(parser))
        return scenario_fail(parser, scenario_peek(parser), "the end of the line");
    return result;
}
