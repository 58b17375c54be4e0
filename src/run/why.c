/* The sink behind `replay --why`. What it tells is kept as text while the run goes on: an order's life is a
 * few dozen lines at most, and the first that do not fit are counted. */
#include "run/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/book.h"

enum { WHY_TEXT_MAX = 1 << 16, ORDER_TEXT_MAX = 32, MILLI_DIGITS = 3 };

/* Best prices as quoting reads them; 0: none. Index: enum side. */
struct view {
    int64_t price[2];
};

struct why {
    struct sink sink; /* first: the loop holds a pointer to it */
    order_id order;
    const struct event_names *names;
    const struct engine *engine; /* the loop's; NULL before the first step */
    struct view *views;          /* by instrument */
    struct view before;          /* of the last message's instrument */
    struct message last;
    union event_record last_record;
    uint64_t messages;            /* since the last start */
    order_id first_id, last_id;   /* placed in this run */
    int64_t placed_ts, asked_ts;  /* asked: the newest request about it */
    uint64_t cycles, cycles_then; /* of all sessions; */
    uint64_t session_cycles;      /* and of the last one: a session counts from 0 */
    bool found, ended;
    bool
        awaits_start; /* of a next tape: before that its engine knows nothing of what went before */
    size_t length;
    uint64_t left_out;
    char text[WHY_TEXT_MAX];
};

bool why_order(const char *text, order_id *order)
{
    char *end;
    text += *text == '#';
    if (*text < '0' || *text > '9')
        return false;
    uint64_t epoch = 0, counter = strtoull(text, &end, 10);
    if (*end == '.' || *end == '-') {
        if (end[1] < '0' || end[1] > '9')
            return false;
        epoch = counter;
        counter = strtoull(end + 1, &end, 10);
    }
    *order = epoch << 32 | counter;
    return *end == '\0' && counter > 0 && counter <= UINT32_MAX && epoch <= UINT32_MAX;
}

static const char *id_text(order_id order, char out[ORDER_TEXT_MAX])
{
    if (order >> 32 == 0)
        snprintf(out, ORDER_TEXT_MAX, "#%" PRIu64, order & UINT32_MAX);
    else
        snprintf(out, ORDER_TEXT_MAX, "#%" PRIu64 ".%" PRIu64, order >> 32, order & UINT32_MAX);
    return out;
}

/* --- text ------------------------------------------------------------------------------------------ */

static void say(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct why *why, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof why->text - why->length;
    va_start(arguments, format);
    int length = vsnprintf(why->text + why->length, room, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < room)
        why->length += (size_t)length;
    else
        why->left_out++;
}

static const char *price_text(const struct why *why, unsigned instrument, int64_t units,
                              char out[DECIMAL_TEXT_MAX])
{
    decimal_to_text(units, why->names->definitions[instrument].price_exponent, out);
    return out;
}

static const char *quantity_text(const struct why *why, unsigned instrument, int64_t units,
                                 char out[DECIMAL_TEXT_MAX])
{
    decimal_to_text(units, why->names->definitions[instrument].quantity_exponent, out);
    return out;
}

/* 1/1,000 tick as a price. */
static const char *millitick_text(const struct why *why, unsigned instrument, int64_t millitick,
                                  char out[DECIMAL_TEXT_MAX])
{
    const struct event_definition *d = &why->names->definitions[instrument];
    int64_t units;
    if (__builtin_mul_overflow(millitick, d->tick, &units))
        snprintf(out, DECIMAL_TEXT_MAX, "?");
    else
        decimal_to_text(units, d->price_exponent - MILLI_DIGITS, out);
    return out;
}

static void say_time(struct why *why, int64_t ts, const char *what)
{
    char time[TIME_TEXT_MAX];
    time_to_text(ts, time);
    say(why, "%-9s %s", what, time);
}

/* ", 5.000 ms after that" */
static void say_after(struct why *why, int64_t ts, int64_t since, const char *what)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_to_text((ts - since) / 1000, -3, text);
    say(why, ", %s ms after %s", text, what);
}

/* --- the cause ------------------------------------------------------------------------------------- */

static bool is_of_prices(const struct message *message)
{
    return message->kind == EVENT_depth || message->kind == EVENT_snapshot ||
           message->kind == EVENT_top;
}

static void say_move(struct why *why, unsigned instrument, unsigned side)
{
    char from[DECIMAL_TEXT_MAX], to[DECIMAL_TEXT_MAX];
    int64_t before = why->before.price[side], after = why->views[instrument].price[side];
    const char *name = side == SIDE_BUY ? "bid" : "ask";
    if (before == after)
        return;
    price_text(why, instrument, before, from);
    price_text(why, instrument, after, to);
    if (before == 0)
        say(why, "; the best %s became known, %s", name, to);
    else if (after == 0)
        say(why, "; the best %s of %s went", name, from);
    else
        say(why, "; the best %s moved from %s to %s", name, from, to);
}

static void say_cause(struct why *why)
{
    const struct message *last = &why->last;
    const struct event_kind_info *info = event_kind_info(last->kind);
    say(why, "because   of message %" PRIu64 ": %s", why->messages, info->meaning);
    if (is_of_prices(last)) {
        unsigned instrument = EVENT_STREAM_INSTRUMENT(last->stream);
        for (unsigned side = 0; side < 2; side++)
            say_move(why, instrument, side);
    } else if (last->kind >= EVENT_order_accepted && last->kind <= EVENT_order_not_found) {
        char id[ORDER_TEXT_MAX];
        say(why, " (%s)", id_text(last->record->order_accepted.order, id));
    } else if (last->kind == EVENT_command) {
        say(why, " (%s)", event_enum_text(FIELD_COMMAND, last->record->command.command));
    }
    say(why, "\n");
}

/* --- the order ------------------------------------------------------------------------------------- */

static void say_price(struct why *why, unsigned instrument, int64_t fair, int64_t skew,
                      int64_t distance, int64_t price)
{
    char texts[4][DECIMAL_TEXT_MAX];
    say(why, "price     fair value %s, skew %s: %s on the grid, %s from fair value\n",
        millitick_text(why, instrument, fair, texts[0]),
        millitick_text(why, instrument, skew, texts[1]),
        price_text(why, instrument, price, texts[2]),
        millitick_text(why, instrument, distance, texts[3]));
}

static void say_gates(struct why *why, uint32_t gates)
{
    say(why, "gates     passed");
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        if (gates >> gate & 1)
            say(why, " %s", event_enum_text(FIELD_GATE, gate));
    say(why, "\n");
}

/* What the cycle that sent it held back: other orders of the instrument, or a part of this one. */
static void say_held_back(struct why *why, unsigned instrument)
{
    unsigned named = 0;
    for (unsigned gate = 0; why->engine != NULL && gate < GATE_COUNT; gate++)
        if (engine_gate_blocked(why->engine, instrument, (enum gate)gate) != 0)
            say(why, "%s%s",
                named++ == 0 ? "meanwhile part of it or other orders were stopped by " : ", ",
                event_enum_text(FIELD_GATE, gate));
    if (named > 0)
        say(why, "\n");
}

static void say_quantity_at(struct why *why, unsigned instrument, struct number quantity,
                            struct number price)
{
    char texts[2][DECIMAL_TEXT_MAX];
    say(why, "%s at %s", quantity_text(why, instrument, quantity.units, texts[0]),
        price_text(why, instrument, price.units, texts[1]));
}

static void take_place(struct why *why, int64_t ts, const struct event_place *place)
{
    char id[ORDER_TEXT_MAX], name[EVENT_INSTRUMENT_NAME_MAX];
    event_instrument_name(why->names, place->instrument, name);
    why->found = true;
    why->placed_ts = why->asked_ts = ts;
    why->cycles_then = why->cycles;
    say(why, "order     %s: %s ", id_text(place->order, id),
        event_enum_text(FIELD_SIDE, place->side));
    say_quantity_at(why, place->instrument, place->quantity, place->price);
    say(why, ", level %" PRIu64 " of %s\n", place->level, name);
    say_time(why, ts, "placed");
    say(why, "\n");
    say_cause(why);
    say_price(why, place->instrument, place->fair, place->skew, place->distance,
              place->price.units);
    say_gates(why, place->gates);
    say_held_back(why, place->instrument);
}

static void take_replace(struct why *why, int64_t ts, const struct event_replace *replace)
{
    char id[ORDER_TEXT_MAX];
    const struct event_place place = {
        .instrument = replace->instrument,
        .order = replace->order,
        .side = replace->side,
        .price = replace->price,
        .quantity = replace->quantity,
        .level = replace->level,
        .fair = replace->fair,
        .skew = replace->skew,
        .distance = replace->distance,
        .gates = replace->gates,
    };
    take_place(why, ts, &place);
    say(why, "replaces  %s\n", id_text(replace->replaces, id));
}

static void take_modify(struct why *why, int64_t ts, const struct event_modify *modify)
{
    why->asked_ts = ts;
    say_time(why, ts, "modify");
    say(why, " to ");
    say_quantity_at(why, modify->instrument, modify->leaves, modify->price);
    say(why, ", level %" PRIu64 "\n", modify->level);
    say_cause(why);
    say_price(why, modify->instrument, modify->fair, modify->skew, modify->distance,
              modify->price.units);
}

static void take_cancel(struct why *why, int64_t ts, const struct event_cancel *cancel)
{
    why->asked_ts = ts;
    say_time(why, ts, "cancel");
    say(why, ": %s, after %" PRIu64 " cycles of the engine\n",
        event_enum_text(FIELD_CANCEL_CAUSE, cancel->why), why->cycles - why->cycles_then);
    say_cause(why);
}

static void note_id(struct why *why, order_id id)
{
    if (why->first_id == 0)
        why->first_id = id;
    why->last_id = id;
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    (void)error;
    struct why *why = (struct why *)sink;
    const union event_record *record = decision->record;
    int64_t ts = decision->ts_local;
    if (decision->kind == EVENT_place)
        note_id(why, record->place.order);
    else if (decision->kind == EVENT_replace)
        note_id(why, record->replace.order);
    if (decision->kind == EVENT_place && record->place.order == why->order)
        take_place(why, ts, &record->place);
    else if (decision->kind == EVENT_replace && record->replace.order == why->order)
        take_replace(why, ts, &record->replace);
    else if (decision->kind == EVENT_modify && record->modify.order == why->order)
        take_modify(why, ts, &record->modify);
    else if (decision->kind == EVENT_cancel && record->cancel.order == why->order)
        take_cancel(why, ts, &record->cancel);
    else if (decision->kind == EVENT_query && record->query.order == why->order) {
        say_time(why, ts, "asked for");
        say(why, "\n");
    } else if (decision->kind == EVENT_unconfirmed && record->unconfirmed.order == why->order) {
        say_time(why, ts, "end");
        say(why, ": not known to have ended\n");
    }
    return 0;
}

/* --- answers --------------------------------------------------------------------------------------- */

static void take_fill(struct why *why, int64_t ts, const struct event_order_filled *fill)
{
    char left[DECIMAL_TEXT_MAX];
    say_time(why, ts, "fill");
    say(why, ": ");
    say_quantity_at(why, fill->instrument, fill->quantity, fill->price);
    say(why, " (%s, %s), ", event_enum_text(FIELD_FILL_CAUSE, fill->cause),
        event_enum_text(FIELD_LIQUIDITY, fill->liquidity));
    if (fill->leaves.status == NUMBER_VALUE)
        say(why, "%s left", quantity_text(why, fill->instrument, fill->leaves.units, left));
    else
        say(why, "what is left is not told");
    say_after(why, ts, why->placed_ts, "it was placed");
    say(why, "\n");
}

static void take_answer(struct why *why, const struct message *message)
{
    const union event_record *record = message->record;
    /* Every answer begins with instrument and order (event/kinds.h). */
    if (record->order_accepted.order != why->order)
        return;
    if (message->kind == EVENT_order_filled) {
        take_fill(why, message->ts_local, &record->order_filled);
        return;
    }
    say_time(why, message->ts_local, "answer");
    say(why, ": %s", event_kind_info(message->kind)->meaning);
    if (message->kind == EVENT_order_rejected || message->kind == EVENT_cancel_rejected ||
        message->kind == EVENT_modify_rejected) /* one shape */
        say(why, " (%s)", event_enum_text(FIELD_REJECT, record->order_rejected.reason));
    say_after(why, message->ts_local, why->asked_ts, "the request");
    say(why, "\n");
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    (void)error;
    struct why *why = (struct why *)sink;
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    why->messages = message->kind == EVENT_start ? 1 : why->messages + 1;
    why->awaits_start &= message->kind != EVENT_start;
    why->last = *message;
    why->last.rows = NULL;
    if (message->record != NULL) {
        why->last_record = *message->record;
        why->last.record = &why->last_record;
    }
    if (message->stream != EVENT_NONE_16 && instrument < why->names->instrument_count)
        why->before = why->views[instrument];
    if (message->kind == EVENT_top && instrument < why->names->instrument_count)
        for (uint32_t i = 0; i < message->row_count; i++)
            why->views[instrument].price[(message->rows[i].flags & ROW_SELL) != 0] =
                message->rows[i].price;
    if (message->kind >= EVENT_order_accepted && message->kind <= EVENT_order_not_found)
        take_answer(why, message);
    return 0;
}

/* The engine knows when an order is over: a fill or an end may leave it in doubt, and only one "not found"
 * among several ends it (trading-semantics 28). */
static void note_end(struct why *why)
{
    const struct message *last = &why->last;
    if (!why->found || why->ended || why->awaits_start ||
        engine_order_is_open(why->engine, why->order))
        return;
    why->ended = true;
    if (last->kind != EVENT_order_not_found)
        return;
    say_time(why, last->ts_local, "end");
    say(why, ": not found once more, after its time: the venue has no such order\n");
}

static int take_step(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)error;
    struct why *why = (struct why *)sink;
    unsigned instrument = EVENT_STREAM_INSTRUMENT(why->last.stream);
    uint64_t cycles = engine_counters(engine)->cycles;
    why->cycles += cycles >= why->session_cycles ? cycles - why->session_cycles : cycles;
    why->session_cycles = cycles;
    why->engine = engine;
    note_end(why);
    if (!is_of_prices(&why->last) || why->last.kind == EVENT_top ||
        instrument >= why->names->instrument_count)
        return 0;
    for (unsigned side = 0; side < 2; side++) {
        struct book_level level = {0};
        if (!book_best(engine_book(engine, instrument), (enum side)side, &level))
            level.price = 0;
        why->views[instrument].price[side] = level.price;
    }
    return 0;
}

/* --- opening, telling ------------------------------------------------------------------------------ */

int why_open(struct why **out, order_id order, const struct event_names *names, struct error *error)
{
    struct why *why = calloc(1, sizeof *why);
    if (why)
        why->views = calloc(names->instrument_count + 1u, sizeof *why->views);
    if (!why || !why->views) {
        free(why);
        return error_set(error, ERROR_SYSTEM, "no memory for the story of an order");
    }
    why->sink = (struct sink){
        .market = true, .message = take_message, .stepped = take_step, .decision = take_decision};
    why->order = order;
    why->names = names;
    *out = why;
    return 0;
}

void why_go_on(struct why *why, const struct event_names *names)
{
    why->names = names;
    why->engine = NULL;
    why->awaits_start = true;
    memset(why->views, 0, names->instrument_count * sizeof *why->views);
}

struct sink *why_sink(struct why *why)
{
    return &why->sink;
}

int why_print(const struct why *why, FILE *stream, struct error *error)
{
    char wanted[ORDER_TEXT_MAX], first[ORDER_TEXT_MAX], last[ORDER_TEXT_MAX];
    if (!why->found && why->first_id == 0)
        return error_set(error, ERROR_INPUT, "--why %s: this run placed no order",
                         id_text(why->order, wanted));
    if (!why->found)
        return error_set(error, ERROR_INPUT,
                         "--why %s: this run placed no such order; its ids go from %s to %s",
                         id_text(why->order, wanted), id_text(why->first_id, first),
                         id_text(why->last_id, last));
    fwrite(why->text, 1, why->length, stream);
    if (!why->ended)
        fprintf(stream,
                "end       of the run: not known to have ended, kept over %" PRIu64 " cycles\n",
                why->cycles - why->cycles_then);
    if (why->left_out > 0)
        fprintf(stream, "%" PRIu64 " more lines did not fit\n", why->left_out);
    return 0;
}

void why_close(struct why **out)
{
    struct why *why = *out;
    if (!why)
        return;
    *out = NULL;
    free(why->views);
    free(why);
}
