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
    return error_set(error, ERROR_SYSTEM, "%s: %s", store->path, sqlite3_errmsg(store->database));
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
    put_integer(store, (int64_t)p->messages);
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

static int write_fill(struct store *store, const struct message *message, struct error *error)
{
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
    put_decimal(store, f->leaves.units, d->quantity_exponent);
    put_integer(store, f->price.units);
    put_integer(store, f->quantity.units);
    put_text(store, event_enum_text(FIELD_FILL_CAUSE, f->cause));
    put_text(store, event_enum_text(FIELD_LIQUIDITY, f->liquidity));
    put_money(store, f->fee);
    put_asset(store, f->fee_asset);
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

static int write_balance(struct store *store, const struct message *message, struct error *error)
{
    const struct event_final_balance *b = &message->record->final_balance;
    row_begin(store, STORE_balance);
    put_text(store, store->names->venues[b->venue]);
    put_asset(store, b->asset);
    put_money(store, b->total);
    return row_end(store, error);
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

static int write_gate(struct store *store, const struct spool_gate *gate, struct error *error)
{
    row_begin(store, STORE_gate_block);
    put_integer(store, gate->instrument);
    put_text(store, event_enum_text(FIELD_GATE, gate->gate));
    put_integer(store, (int64_t)gate->blocked);
    return row_end(store, error);
}

static int write_message(struct store *store, const struct message *message, struct error *error)
{
    const struct event_gate *gate = &message->record->gate;
    bool brings = message->kind == EVENT_place || message->kind == EVENT_replace;
    if (brings && write_order(store, message, error))
        return error->code;
    if (write_order_event(store, message, error))
        return error->code;
    if (message->kind == EVENT_order_filled)
        return write_fill(store, message, error);
    /* Where a gate ceases to block it tells how often it did. */
    if (message->kind != EVENT_gate || gate->blocking || gate->blocked == 0)
        return 0;
    const struct spool_gate ceased = {gate->instrument, gate->gate, gate->blocked};
    return write_gate(store, &ceased, error);
}

int store_put_entry(struct store *store, const struct spool_entry *entry, struct error *error)
{
    const struct message *message = &entry->message;
    switch (entry->what) {
    case SPOOL_MID:
        return write_mid(store, &entry->mid, error);
    case SPOOL_GATE:
        return write_gate(store, &entry->gate, error);
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
