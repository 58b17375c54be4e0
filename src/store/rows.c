/* See rows.h. */
#include "config.h"

#include "store/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "store/schema.h"

enum { STORE_TEXT_MAX = 2048 };

int store_fail(const struct store *store, struct error *error)
{
    int code = sqlite3_errcode(store->database) & 0xff;
    int cause =
        code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? sqlite3_system_errno(store->database) : 0;
    return error_set(error, ERROR_SYSTEM, "%s: %s%s%s", store->path,
                     sqlite3_errmsg(store->database), cause ? ": " : "",
                     cause ? strerror(cause) : "");
}

/* --- one row: begin, values in order, end --------------------------------------------------------- */

static void row_begin(struct store *store, enum store_statement statement)
{
    store->row = store->statements[statement];
    store->column = 0;
    store->failed = false;
}

static void put_integer(struct store *store, int64_t value)
{
    store->failed |= sqlite3_bind_int64(store->row, ++store->column, value) != SQLITE_OK;
}

static void put_bytes(struct store *store, const char *text, size_t length)
{
    store->failed |= sqlite3_bind_text(store->row, ++store->column, text, (int)length,
                                       SQLITE_TRANSIENT) != SQLITE_OK;
}

static void put_text(struct store *store, const char *text)
{
    put_bytes(store, text, strlen(text));
}

static void put_null(struct store *store)
{
    store->failed |= sqlite3_bind_null(store->row, ++store->column) != SQLITE_OK;
}

static void put_money(struct store *store, money amount)
{
    char text[MONEY_TEXT_MAX];
    put_bytes(store, text, money_to_text(amount, text));
}

static void put_decimal(struct store *store, int64_t units, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    put_bytes(store, text, decimal_to_text(units, exponent, text));
}

static void put_hash(struct store *store, uint64_t hash)
{
    char text[24];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    put_text(store, text);
}

static void put_asset(struct store *store, unsigned asset)
{
    if (asset < store->names->asset_count)
        put_text(store, store->names->assets[asset]);
    else
        put_null(store);
}

static int row_end(struct store *store, struct error *error)
{
    ASSERT(store->column == sqlite3_bind_parameter_count(store->row));
    if (store->failed || sqlite3_step(store->row) != SQLITE_DONE)
        return store_fail(store, error);
    sqlite3_reset(store->row);
    return 0;
}

/* --- rows ------------------------------------------------------------------------------------------ */

int store_put_run(struct store *store, int64_t first_ns, int64_t last_ns, struct error *error)
{
    const struct store_provenance *p = store->provenance;
    row_begin(store, STORE_run);
    put_text(store, p->tape_name);
    put_text(store, p->tape_identity);
    put_text(store, tape_grade_letter(p->header->grade));
    put_text(store, p->header->grade_reasons);
    put_text(store, tape_grade_letter(p->run_grade));
    put_text(store, p->run_grade_reasons);
    put_text(store, p->tool_version);
    put_text(store, p->build_id);
    put_text(store, p->config);
    put_hash(store, p->config_hash);
    put_integer(store, p->seed);
    put_text(store, p->fingerprint);
    put_integer(store, first_ns);
    put_integer(store, last_ns);
    put_integer(store, (int64_t)p->events);
    const struct spool_counts *told = &p->messages;
    put_integer(store, (int64_t)(told->market + told->ticks + told->answers + told->starts));
    put_integer(store, (int64_t)told->market);
    put_integer(store, (int64_t)told->ticks);
    put_integer(store, (int64_t)told->answers);
    put_integer(store, (int64_t)p->counters->cycles);
    put_integer(store, (int64_t)p->counters->decisions);
    put_integer(store, (int64_t)p->counters->invariant_checks);
    put_integer(store, (int64_t)p->counters->invariant_violations);
    return row_end(store, error);
}

static int write_instrument(struct store *store, unsigned index, struct error *error)
{
    const struct event_names *names = store->names;
    const struct event_definition *d = &names->definitions[index];
    char name[EVENT_INSTRUMENT_NAME_MAX];
    size_t length = event_instrument_name(names, index, name);
    row_begin(store, STORE_instrument);
    put_integer(store, index);
    put_bytes(store, name, length);
    put_text(store, names->venues[d->venue]);
    put_text(store, names->symbols[index]);
    put_text(store, event_enum_text(FIELD_CONTRACT, d->contract));
    put_asset(store, d->base);
    put_asset(store, d->quote);
    put_asset(store, d->settle);
    put_decimal(store, d->tick, d->price_exponent);
    put_decimal(store, d->lot, d->quantity_exponent);
    put_decimal(store, d->multiplier, d->multiplier_exponent);
    put_money(store, d->minimum_notional);
    put_decimal(store, d->maker_fee, -9);
    put_decimal(store, d->taker_fee, -9);
    put_text(store, event_enum_text(FIELD_BASIS, d->grid_basis));
    put_integer(store, d->price_exponent);
    put_integer(store, d->quantity_exponent);
    return row_end(store, error);
}

/* A replace brings a new order as a place does. */
static struct event_place place_of(const struct message *message)
{
    const struct event_replace *r = &message->record->replace;
    if (message->kind == EVENT_place)
        return message->record->place;
    return (struct event_place){.instrument = r->instrument,
                                .order = r->order,
                                .side = r->side,
                                .price = r->price,
                                .quantity = r->quantity,
                                .time_in_force = r->time_in_force,
                                .post_only = r->post_only,
                                .level = r->level,
                                .fair = r->fair,
                                .skew = r->skew,
                                .distance = r->distance};
}

static int write_order(struct store *store, const struct message *message, struct error *error)
{
    const struct event_place place = place_of(message), *p = &place;
    const struct event_definition *d = &store->names->definitions[p->instrument];
    row_begin(store, STORE_order);
    put_integer(store, (int64_t)p->order);
    put_integer(store, p->instrument);
    put_text(store, event_enum_text(FIELD_SIDE, p->side));
    put_decimal(store, p->price.units, d->price_exponent);
    put_decimal(store, p->quantity.units, d->quantity_exponent);
    put_integer(store, p->price.units);
    put_integer(store, p->quantity.units);
    put_text(store, event_enum_text(FIELD_TIME_IN_FORCE, p->time_in_force));
    put_integer(store, p->post_only);
    put_integer(store, (int64_t)p->level);
    put_integer(store, p->fair);
    put_integer(store, p->skew);
    put_integer(store, p->distance);
    put_integer(store, message->ts_local);
    if (message->kind == EVENT_replace)
        put_integer(store, (int64_t)message->record->replace.replaces);
    else
        put_null(store);
    return row_end(store, error);
}

/* The value of an integer field of the record's kind by name; false where it has none. */
static bool field_of(const struct message *message, enum event_field_type type, uint64_t *value)
{
    const struct event_kind_info *info = event_kind_info(message->kind);
    for (unsigned i = 0; i < info->field_count; i++) {
        const struct event_field_info *field = &info->fields[i];
        const char *at = (const char *)message->record + field->offset;
        if (field->type != type)
            continue;
        uint16_t instrument;
        if (type == FIELD_ORDER) {
            memcpy(value, at, sizeof *value);
        } else {
            memcpy(&instrument, at, sizeof instrument);
            *value = instrument;
        }
        return true;
    }
    return false;
}

static int write_order_event(struct store *store, const struct message *message,
                             struct error *error)
{
    char text[STORE_TEXT_MAX];
    uint64_t order = 0, instrument = EVENT_NONE_16;
    size_t length = message_to_text(message, store->names, text, sizeof text);
    if (length >= sizeof text)
        return error_set(error, ERROR_SYSTEM, "%s: a record's text is over %d bytes", store->path,
                         STORE_TEXT_MAX);
    field_of(message, FIELD_ORDER, &order);
    field_of(message, FIELD_INSTRUMENT, &instrument);
    row_begin(store, STORE_order_event);
    put_integer(store, ++store->events);
    put_integer(store, message->ts_local);
    if (order)
        put_integer(store, (int64_t)order);
    else
        put_null(store);
    if (instrument != EVENT_NONE_16)
        put_integer(store, (int64_t)instrument);
    else
        put_null(store);
    put_text(store, event_kind_info(message->kind)->name);
    put_bytes(store, text, length);
    return row_end(store, error);
}

/* --- what an order rested for --------------------------------------------------------------------- */

/* The newest modify of an order while it has no answer; the newest spell of an order. `id` 0: there is none. */
struct sent_modify {
    int64_t id, level, distance, price, leaves;
};

struct last_spell {
    int64_t id, level, left;
};

/* The one row of a statement whose parameter is an order or another id, as integers; 0 where there is none. */
static int find_row(struct store *store, enum store_statement statement, uint64_t id,
                    int64_t *values, int count, struct error *error)
{
    row_begin(store, statement);
    put_integer(store, (int64_t)id);
    int code = store->failed ? SQLITE_ERROR : sqlite3_step(store->row);
    for (int i = 0; i < count; i++)
        values[i] = code == SQLITE_ROW ? sqlite3_column_int64(store->row, i) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_fail(store, error);
    sqlite3_reset(store->row);
    return 0;
}

static int find_modify(struct store *store, order_id order, struct sent_modify *modify,
                       struct error *error)
{
    int64_t values[5];
    int code = find_row(store, STORE_find_modify, order, values, 5, error);
    *modify = (struct sent_modify){values[0], values[1], values[2], values[3], values[4]};
    return code;
}

static int find_spell(struct store *store, order_id order, struct last_spell *spell,
                      struct error *error)
{
    int64_t values[3];
    int code = find_row(store, STORE_find_spell, order, values, 3, error);
    *spell = (struct last_spell){values[0], values[1], values[2]};
    return code;
}

/* A statement with two integers. */
static int change(struct store *store, enum store_statement statement, int64_t of, int64_t to,
                  struct error *error)
{
    row_begin(store, statement);
    put_integer(store, of);
    put_integer(store, to);
    return row_end(store, error);
}

/* It rests, or a fill shows that it did: its first spell begins, if none has. */
static int begin_spells(struct store *store, order_id order, int64_t now, struct error *error)
{
    row_begin(store, STORE_first_spell);
    put_integer(store, now);
    put_integer(store, (int64_t)order);
    return row_end(store, error);
}

/* From now on it rests for another level. `distance` NULL: nothing told of it. */
static int move_spell(struct store *store, order_id order, int64_t level, const int64_t *distance,
                      int64_t leaves, int64_t now, struct error *error)
{
    if (change(store, STORE_end_spell, (int64_t)order, now, error))
        return error->code;
    row_begin(store, STORE_spell);
    put_integer(store, now);
    put_integer(store, (int64_t)order);
    put_integer(store, level);
    if (distance)
        put_integer(store, *distance);
    else
        put_null(store);
    put_integer(store, leaves);
    return row_end(store, error);
}

/* The venue shows how it rests; `modify` is what it has done, or NULL. */
static int rest(struct store *store, order_id order, const struct sent_modify *modify,
                int64_t leaves, int64_t now, struct error *error)
{
    struct last_spell spell;
    if (begin_spells(store, order, now, error) || find_spell(store, order, &spell, error))
        return error->code;
    if (modify && change(store, STORE_answer_modify, modify->id, now, error))
        return error->code;
    if (spell.id == 0) /* it was placed before the run */
        return 0;
    if (modify && modify->level != spell.level)
        return move_spell(store, order, modify->level, &modify->distance, leaves, now, error);
    return change(store, STORE_rest_spell, spell.id, leaves, error);
}

static int write_modify(struct store *store, const struct message *message, struct error *error)
{
    const struct event_modify *m = &message->record->modify;
    const struct event_definition *d = &store->names->definitions[m->instrument];
    row_begin(store, STORE_modify);
    put_integer(store, store->events);
    put_integer(store, message->ts_local);
    put_integer(store, (int64_t)m->order);
    put_decimal(store, m->price.units, d->price_exponent);
    put_decimal(store, m->leaves.units, d->quantity_exponent);
    put_integer(store, m->price.units);
    put_integer(store, m->leaves.units);
    put_integer(store, (int64_t)m->level);
    put_integer(store, m->fair);
    put_integer(store, m->skew);
    put_integer(store, m->distance);
    return row_end(store, error);
}

static int take_modified(struct store *store, const struct message *message, struct error *error)
{
    const struct event_order_modified *told = &message->record->order_modified;
    struct sent_modify sent;
    if (find_modify(store, told->order, &sent, error))
        return error->code;
    int64_t leaves = told->leaves.status == NUMBER_VALUE ? told->leaves.units : sent.leaves;
    return rest(store, told->order, sent.id ? &sent : NULL, leaves, message->ts_local, error);
}

/* A query's answer: it rests at a price that may be that of a modify whose answer was lost, or it is over. */
static int take_status(struct store *store, const struct message *message, struct error *error)
{
    const struct event_order_status *told = &message->record->order_status;
    struct sent_modify sent;
    if (told->leaves.status != NUMBER_VALUE)
        return 0;
    if (told->leaves.units == 0)
        return change(store, STORE_end_spell, (int64_t)told->order, message->ts_local, error);
    if (find_modify(store, told->order, &sent, error))
        return error->code;
    bool done = sent.id != 0 && told->price.status == NUMBER_VALUE &&
                told->price.units == sent.price && told->leaves.units == sent.leaves;
    return rest(store, told->order, done ? &sent : NULL, told->leaves.units, message->ts_local,
                error);
}

/* The price stays, so the level does, until the engine says otherwise. */
static int take_modify_rejected(struct store *store, const struct message *message,
                                struct error *error)
{
    struct sent_modify sent;
    if (find_modify(store, message->record->modify_rejected.order, &sent, error))
        return error->code;
    return sent.id ? change(store, STORE_answer_modify, sent.id, message->ts_local, error) : 0;
}

/* The engine keeps it for another level. While a modify travels it is that one's, which counts when it is done. */
static int take_learned(struct store *store, const struct message *message, struct error *error)
{
    const struct event_learned *told = &message->record->learned;
    struct sent_modify sent;
    struct last_spell spell;
    if (find_modify(store, told->order, &sent, error) ||
        find_spell(store, told->order, &spell, error))
        return error->code;
    if (sent.id != 0 || spell.id == 0 || spell.level == (int64_t)told->next)
        return 0;
    return move_spell(store, told->order, (int64_t)told->next, NULL, spell.left, message->ts_local,
                      error);
}

/* What a fill leaves; of a venue that does not tell, what was left before less the fill. */
static int find_leaves(struct store *store, const struct message *message, int64_t *leaves,
                       struct error *error)
{
    const struct event_order_filled *f = &message->record->order_filled;
    *leaves = f->leaves.units;
    if (f->leaves.status == NUMBER_VALUE)
        return 0;
    struct last_spell spell;
    if (begin_spells(store, f->order, message->ts_local, error) ||
        find_spell(store, f->order, &spell, error))
        return error->code;
    *leaves = spell.left > f->quantity.units ? spell.left - f->quantity.units : 0;
    return 0;
}

/* A fill at the price of a modify shows that it is done, before or without its answer. */
static int take_fill(struct store *store, const struct message *message, struct last_spell *spell,
                     struct error *error)
{
    const struct event_order_filled *f = &message->record->order_filled;
    int64_t leaves;
    struct sent_modify sent;
    if (find_leaves(store, message, &leaves, error) || find_modify(store, f->order, &sent, error))
        return error->code;
    bool done = sent.id != 0 && f->price.units == sent.price;
    if (rest(store, f->order, done ? &sent : NULL, f->quantity.units + leaves, message->ts_local,
             error) ||
        find_spell(store, f->order, spell, error))
        return error->code;
    if (spell->id != 0 && change(store, STORE_fill_spell, spell->id, f->quantity.units, error))
        return error->code;
    if (f->leaves.status == NUMBER_VALUE && leaves == 0)
        return change(store, STORE_end_spell, (int64_t)f->order, message->ts_local, error);
    return 0;
}

static int write_fill(struct store *store, const struct message *message, struct error *error)
{
    struct last_spell spell = {.id = 0};
    if (take_fill(store, message, &spell, error))
        return error->code;
    const struct event_order_filled *f = &message->record->order_filled;
    const struct event_definition *d = &store->names->definitions[f->instrument];
    row_begin(store, STORE_fill);
    put_integer(store, store->events);
    put_integer(store, message->ts_local);
    if (message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED))
        put_integer(store, message->ts_venue);
    else
        put_null(store);
    put_integer(store, (int64_t)f->order);
    put_integer(store, f->instrument);
    put_bytes(store, f->trade.bytes, f->trade.length);
    put_text(store, event_enum_text(FIELD_SIDE, f->side));
    put_decimal(store, f->price.units, d->price_exponent);
    put_decimal(store, f->quantity.units, d->quantity_exponent);
    if (f->leaves.status == NUMBER_VALUE)
        put_decimal(store, f->leaves.units, d->quantity_exponent);
    else
        put_null(store);
    put_integer(store, f->price.units);
    put_integer(store, f->quantity.units);
    put_text(store, event_enum_text(FIELD_FILL_CAUSE, f->cause));
    put_text(store, event_enum_text(FIELD_LIQUIDITY, f->liquidity));
    put_money(store, f->fee);
    put_asset(store, f->fee_asset);
    if (spell.id)
        put_integer(store, spell.level);
    else
        put_null(store);
    return row_end(store, error);
}

static int write_position(struct store *store, const struct message *message, const char *why,
                          struct error *error)
{
    const struct event_final_position *p = &message->record->final_position;
    row_begin(store, STORE_position);
    put_integer(store, ++store->positions);
    put_integer(store, message->ts_local);
    put_integer(store, p->instrument);
    put_text(store, why);
    put_money(store, p->position);
    put_money(store, p->realised);
    put_money(store, p->unrealised);
    put_money(store, p->fees);
    put_money(store, p->funding);
    if (p->mark.status == NUMBER_VALUE)
        put_decimal(store, p->mark.units, store->names->definitions[p->instrument].price_exponent);
    else
        put_null(store);
    put_integer(store, p->mark_stale);
    return row_end(store, error);
}

/* Those of all instruments, in their order, are the first rows. A later session on the tape begins with what the one
 * before left there: nothing new. */
static int write_start(struct store *store, const struct message *message, struct error *error)
{
    if (store->positions != message->record->final_position.instrument)
        return 0;
    return write_position(store, message, "start", error);
}

static int write_balance(struct store *store, const struct message *message, struct error *error)
{
    const struct event_final_balance *b = &message->record->final_balance;
    row_begin(store, STORE_balance);
    put_text(store, store->names->venues[b->venue]);
    put_asset(store, b->asset);
    put_money(store, b->total);
    return row_end(store, error);
}

/* The run goes on behind them. */
static int drop_last_words(struct store *store, struct error *error)
{
    row_begin(store, STORE_drop_last_positions);
    if (row_end(store, error))
        return error->code;
    row_begin(store, STORE_drop_balances);
    if (row_end(store, error))
        return error->code;
    return find_row(store, STORE_last_position, (uint64_t)store->positions, &store->positions, 1,
                    error);
}

static int write_mid(struct store *store, const struct spool_mid *mid, struct error *error)
{
    row_begin(store, STORE_fill_mid);
    put_integer(store, (int64_t)mid->order);
    put_bytes(store, mid->trade.bytes, mid->trade.length);
    put_integer(store, mid->horizon_ns);
    put_integer(store, mid->mid2);
    return row_end(store, error);
}

/* --- what kept us from quoting ----------------------------------------------------------------------- */

static int end_gate(struct store *store, const struct spool_gate *gate, struct error *error)
{
    row_begin(store, STORE_end_gate);
    put_integer(store, gate->instrument);
    put_text(store, event_enum_text(FIELD_GATE, gate->gate));
    put_integer(store, gate->at);
    return row_end(store, error);
}

/* A gate has ceased to block, or a session ends while it does. */
static int write_gate(struct store *store, const struct spool_gate *gate, struct error *error)
{
    if (end_gate(store, gate, error))
        return error->code;
    row_begin(store, STORE_gate_block);
    put_integer(store, gate->instrument);
    put_text(store, event_enum_text(FIELD_GATE, gate->gate));
    put_integer(store, (int64_t)gate->blocked);
    return row_end(store, error);
}

/* Where it stands already, a start was told that it blocks, and then the decision. */
static int begin_gate(struct store *store, const struct spool_gate *gate, struct error *error)
{
    row_begin(store, STORE_begin_gate);
    put_integer(store, gate->instrument);
    put_text(store, event_enum_text(FIELD_GATE, gate->gate));
    put_integer(store, gate->at);
    return row_end(store, error);
}

static int take_gate(struct store *store, const struct message *message, struct error *error)
{
    const struct event_gate *told = &message->record->gate;
    const struct spool_gate gate = {told->instrument, told->gate, 0, message->ts_local};
    return told->blocking ? begin_gate(store, &gate, error) : end_gate(store, &gate, error);
}

/* Where it stands already, a session begins with what the one before ended with. */
static int begin_breaker(struct store *store, const struct spool_breaker *breaker,
                         struct error *error)
{
    row_begin(store, STORE_begin_breaker);
    put_integer(store, breaker->instrument);
    put_text(store, event_enum_text(FIELD_BREAKER, breaker->breaker));
    put_text(store, event_enum_text(FIELD_BREAKER_STATE, breaker->state));
    put_integer(store, breaker->since);
    return row_end(store, error);
}

static int take_breaker(struct store *store, const struct message *message, struct error *error)
{
    const struct event_breaker *told = &message->record->breaker;
    const struct spool_breaker breaker = {told->instrument, told->breaker, told->state,
                                          message->ts_local};
    row_begin(store, STORE_end_breaker);
    put_integer(store, told->instrument);
    put_text(store, event_enum_text(FIELD_BREAKER, told->breaker));
    put_integer(store, message->ts_local);
    if (row_end(store, error))
        return error->code;
    return told->state == BREAKER_CLEAR ? 0 : begin_breaker(store, &breaker, error);
}

/* What a message changes beside being an event; the order it is of, where it is over. */
static int take_message(struct store *store, const struct message *message, struct error *error)
{
    const union event_record *record = message->record;
    order_id over = 0;
    switch (message->kind) {
    case EVENT_modify:
        return write_modify(store, message, error);
    case EVENT_order_accepted:
        return begin_spells(store, record->order_accepted.order, message->ts_local, error);
    case EVENT_order_modified:
        return take_modified(store, message, error);
    case EVENT_modify_rejected:
        return take_modify_rejected(store, message, error);
    case EVENT_order_status:
        return take_status(store, message, error);
    case EVENT_order_filled:
        return write_fill(store, message, error);
    case EVENT_gate:
        return take_gate(store, message, error);
    case EVENT_breaker:
        return take_breaker(store, message, error);
    case EVENT_order_cancelled:
        over = record->order_cancelled.order;
        break;
    case EVENT_order_expired:
        over = record->order_expired.order;
        break;
    default:
        return 0;
    }
    return change(store, STORE_end_spell, (int64_t)over, message->ts_local, error);
}

static int write_ended(struct store *store, const struct spool_ended *ended, struct error *error)
{
    row_begin(store, STORE_ended);
    put_integer(store, (int64_t)ended->order);
    put_text(store, ended->by == EVENT_order_filled   ? "filled"
                    : ended->by == EVENT_order_status ? "cancelled"
                                                      : "not_found");
    put_integer(store, ended->at);
    if (row_end(store, error))
        return error->code;
    return change(store, STORE_end_spell, (int64_t)ended->order, ended->at, error);
}

static int write_message(struct store *store, const struct message *message, struct error *error)
{
    bool brings = message->kind == EVENT_place || message->kind == EVENT_replace;
    if (brings && write_order(store, message, error))
        return error->code;
    /* That an order is kept for another level is nothing that was done with it. */
    if (message->kind == EVENT_learned)
        return take_learned(store, message, error);
    if (write_order_event(store, message, error))
        return error->code;
    return take_message(store, message, error);
}

int store_put_entry(struct store *store, const struct spool_entry *entry, struct error *error)
{
    const struct message *message = &entry->message;
    switch (entry->what) {
    case SPOOL_MID:
        return write_mid(store, &entry->mid, error);
    case SPOOL_GATE:
        return write_gate(store, &entry->gate, error);
    case SPOOL_GATE_HELD:
        return begin_gate(store, &entry->gate, error);
    case SPOOL_BREAKER:
        return begin_breaker(store, &entry->breaker, error);
    case SPOOL_GOES_ON:
        return drop_last_words(store, error);
    case SPOOL_START:
        return write_start(store, message, error);
    case SPOOL_ENDED:
        return write_ended(store, &entry->ended, error);
    case SPOOL_FILL:
        return write_position(store, message, "fill", error);
    case SPOOL_SAMPLE:
        return write_position(store, message, "sample", error);
    case SPOOL_MESSAGE:
        break;
    }
    if (message->kind == EVENT_final_position)
        return write_position(store, message, "final", error);
    if (message->kind == EVENT_final_balance)
        return write_balance(store, message, error);
    return write_message(store, message, error);
}

int store_put_instruments(struct store *store, struct error *error)
{
    for (unsigned i = 0; i < store->names->instrument_count; i++)
        if (write_instrument(store, i, error))
            return error->code;
    return 0;
}

int store_make(struct store *store, struct error *error)
{
    return sqlite3_exec(store->database, store_schema, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : store_fail(store, error);
}

int store_prepare(struct store *store, struct error *error)
{
    static const char *const sql[] = {
#define X(name, text) text,
        STORE_STATEMENTS(X)
#undef X
    };
    for (int i = 0; i < STORE_STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v2(store->database, sql[i], -1, &store->statements[i], NULL) !=
            SQLITE_OK)
            return store_fail(store, error);
    return 0;
}

int store_shut(struct store *store)
{
    for (int i = 0; i < STORE_STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    int code = sqlite3_close(store->database);
    store->database = NULL;
    return code;
}
