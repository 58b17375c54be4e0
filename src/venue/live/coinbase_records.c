/* What is known of each of our orders at Coinbase. The venue tells sums that only grow and states of which the last
 * ones are final, over two ways that overtake each other (the user channel and REST): a record takes the newer
 * of each, and what the engine does not know yet is told from the record alone. */
#include "venue/live/coinbase.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Orders that have ended are kept so long, for what comes late. */
#define KEPT_NS (600 * NS_PER_SECOND)
/* When the venue is asked what became of a cancel or an edit that it has taken, where the user channel did not say. */
#define CHECK_NS (NS_PER_SECOND)

enum { CHECKS_MAX = 6 };

/* --- the table --------------------------------------------------------------------------------------- */

bool coinbase_records_open(struct coinbase *venue)
{
    venue->records = calloc(COINBASE_RECORDS_MAX, sizeof *venue->records);
    return venue->records != NULL;
}

void coinbase_records_close(struct coinbase *venue)
{
    for (size_t i = 0; venue->records && i < COINBASE_RECORDS_MAX; i++)
        free(venue->records[i].trades);
    free(venue->records);
}

static size_t slot_of(order_id order)
{
    uint64_t hash = order * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) % COINBASE_RECORDS_MAX;
}

static struct coinbase_record *find(const struct coinbase *venue, order_id order)
{
    size_t slot = slot_of(order);
    for (size_t i = 0; i < COINBASE_RECORDS_MAX; i++) {
        struct coinbase_record *record = &venue->records[(slot + i) % COINBASE_RECORDS_MAX];
        if (record->order == order || record->order == 0)
            return record;
    }
    return NULL;
}

struct coinbase_record *coinbase_record_of(const struct coinbase *venue, order_id order)
{
    struct coinbase_record *record = order ? find(venue, order) : NULL;
    return record && record->order == order ? record : NULL;
}

/* All that ended longer ago than `before`; those that stay are put in anew, since the table has no holes. */
static void forget(struct coinbase *venue, int64_t before)
{
    struct coinbase_record *kept = calloc(COINBASE_RECORDS_MAX, sizeof *kept);
    if (!kept)
        return;
    struct coinbase_record *old = venue->records;
    venue->records = kept;
    venue->record_count = 0;
    for (size_t i = 0; i < COINBASE_RECORDS_MAX; i++) {
        if (old[i].order == 0)
            continue;
        if (old[i].end_told && old[i].ended_ns < before) {
            free(old[i].trades);
            continue;
        }
        *find(venue, old[i].order) = old[i];
        venue->record_count++;
    }
    free(old);
}

/* Three quarters: a table that is fuller is slow. Pointers to records are void after this. */
static void make_room(struct coinbase *venue)
{
    const size_t most = COINBASE_RECORDS_MAX / 4 * 3;
    if (venue->record_count >= most)
        forget(venue, venue->now - KEPT_NS);
    if (venue->record_count >= most)
        forget(venue, venue->now + 1);
}

struct coinbase_record *coinbase_record_new(struct coinbase *venue, order_id order, uint16_t place)
{
    struct coinbase_record *record = coinbase_record_of(venue, order);
    ASSERT(order != 0);
    if (record)
        return record;
    make_room(venue);
    if (venue->record_count >= COINBASE_RECORDS_MAX / 4 * 3)
        return NULL;
    record = find(venue, order);
    *record = (struct coinbase_record){.order = order,
                                       .place = place,
                                       .status = COINBASE_OTHER_STATUS,
                                       .time_in_force = TIME_IN_FORCE_COUNT,
                                       .accepted = true, /* unless this session places it */
                                       .check_at = TIME_NEVER};
    venue->record_count++;
    return record;
}

/* A product, or the name of its market where that is no product of ours. */
static bool is_symbol_of(const struct coinbase *venue, uint16_t place, const char *symbol)
{
    return strcmp(symbol, venue->settings.symbols[place]) == 0 ||
           (strcmp(symbol, venue->products[place].market) == 0 &&
            adapter_place_of_symbol(&venue->names, symbol) == ADAPTER_NO_PLACE);
}

bool coinbase_record_is(struct coinbase *venue, const struct coinbase_record *record,
                        const char *symbol, uint8_t side, const char *what)
{
    static const char *const sides[] = {[SIDE_BUY] = "buy", [SIDE_SELL] = "sell"};
    char name[ADAPTER_ORDER_NAME_MAX];
    bool same_symbol = symbol[0] == '\0' || is_symbol_of(venue, record->place, symbol);
    if (same_symbol && (!record->sided || record->side == side))
        return true;
    adapter_order_name(venue->settings.session, record->order, name);
    adapter_log(&venue->out, LOG_ERROR, "%s says %s %s of the order %s, which is %s %s", what,
                sides[side], symbol, name, record->sided ? sides[record->side] : "of",
                venue->settings.symbols[record->place]);
    return false;
}

struct coinbase_record *coinbase_record_of_told(struct coinbase *venue,
                                                const struct coinbase_order *told)
{
    uint16_t place = adapter_place_of_symbol(&venue->names, told->symbol);
    order_id order = adapter_order_of(venue->settings.session, told->name, strlen(told->name));
    if (place == ADAPTER_NO_PLACE || order == 0)
        return NULL;
    struct coinbase_record *record = coinbase_record_new(venue, order, place);
    if (!record)
        adapter_log(&venue->out, LOG_ERROR, "more than %d orders at once: one is not followed",
                    COINBASE_RECORDS_MAX / 4 * 3);
    if (record && !coinbase_record_is(venue, record, told->symbol, told->side, "the venue")) {
        coinbase_tell_unknown(venue, record->place, record->order, REQUEST_QUERY);
        return NULL;
    }
    return record;
}

/* --- what the venue says ------------------------------------------------------------------------------ */

static int64_t units_of(const struct coinbase *venue, uint16_t place,
                        const struct json_decimal *decimal, bool price)
{
    const struct event_definition *definition = adapter_definition(&venue->names, place);
    struct number number =
        json_units(decimal, price ? definition->price_exponent : definition->quantity_exponent);
    return number.status == NUMBER_VALUE && number.units > 0 ? number.units : 0;
}

/* The whole size: REST tells it; the channel tells what is left, until the order is over. */
static int64_t size_of(const struct coinbase *venue, uint16_t place,
                       const struct coinbase_order *told)
{
    int64_t size = units_of(venue, place, &told->size, false);
    int64_t leaves = units_of(venue, place, &told->leaves, false), sum;
    if (size == 0 && leaves > 0 && !coinbase_status_is_over((enum coinbase_status)told->status) &&
        !__builtin_add_overflow(units_of(venue, place, &told->filled, false), leaves, &sum))
        size = sum;
    return size;
}

/* Price and size. Of an order that we placed they are what we asked for, until the venue shows what an edit asked
 * for: a message of before an edit may come after its answer. */
static void take_terms(struct coinbase *venue, struct coinbase_record *record,
                       const struct coinbase_order *told)
{
    int64_t price = units_of(venue, record->place, &told->price, true);
    int64_t size = size_of(venue, record->place, told);
    bool as_edited =
        record->edit_price != 0 && price == record->edit_price && size == record->edit_size;
    bool over = coinbase_status_is_over((enum coinbase_status)told->status);
    if (record->editing && over && !as_edited) {
        /* With which terms it ended REST tells alone. 0 has them asked for. */
        record->size = units_of(venue, record->place, &told->size, false);
        record->editing = record->size == 0;
    } else if (as_edited) {
        record->edit_came |= record->editing || record->price != price || record->size != size;
        record->price = price;
        record->size = size;
    } else if (!record->mine || record->size == 0) {
        record->price = price ? price : record->price;
        record->size = size ? size : record->size;
    }
}

void coinbase_record_take(struct coinbase *venue, struct coinbase_record *record,
                          const struct coinbase_order *told)
{
    int64_t filled = units_of(venue, record->place, &told->filled, false);
    if (record->id[0] == '\0')
        memcpy(record->id, told->id, sizeof record->id);
    if (!record->mine) {
        record->side = told->side;
        record->sided = true;
        record->time_in_force = told->time_in_force;
        record->has_end = told->has_end;
    }
    take_terms(venue, record, told);
    if (filled > record->filled)
        record->filled = filled;
    if (told->has_fees && filled == record->filled) {
        record->fees = told->fees;
        record->has_fees = true;
    }
    record->live |= told->status != COINBASE_PENDING && told->status != COINBASE_FAILED &&
                    told->status != COINBASE_OTHER_STATUS;
    if (coinbase_status_is_over((enum coinbase_status)told->status) && !record->over) {
        record->over = true;
        record->status = told->status;
        record->ended_ns = venue->now;
        memcpy(record->reason, told->reason, sizeof record->reason);
    }
}

/* --- fills -------------------------------------------------------------------------------------------- */

static bool was_told(const struct coinbase_record *record, const char *trade)
{
    for (size_t i = 0; i < record->trade_count; i++)
        if (strcmp(record->trades[i], trade) == 0)
            return true;
    return false;
}

static bool note_trade(struct coinbase_record *record, const char *trade)
{
    void *memory = record->trades;
    int code = coinbase_reserve(&memory, &record->trade_capacity, record->trade_count,
                                sizeof *record->trades, COINBASE_LIST_MAX, NULL);
    record->trades = memory;
    if (code)
        return false;
    strcpy(record->trades[record->trade_count++], trade);
    return true;
}

struct number coinbase_sum_of_fills(const struct coinbase *venue, uint16_t place,
                                    const struct coinbase_fills *fills)
{
    int exponent = adapter_definition(&venue->names, place)->quantity_exponent;
    struct number sum = {0, NUMBER_VALUE};
    for (size_t i = 0; i < fills->count; i++) {
        struct number one = json_units(&fills->list[i].quantity, exponent);
        if (!fills->list[i].is_trade)
            continue;
        if (fills->list[i].in_quote || one.status != NUMBER_VALUE || one.units <= 0 ||
            __builtin_add_overflow(sum.units, one.units, &sum.units))
            return (struct number){0, NUMBER_MALFORMED};
    }
    return sum;
}

/* Fees that the venue's sum says and its list does not: counted, logged (trading-semantics, on top). */
static void compare_fees(struct coinbase *venue, const struct coinbase_record *record,
                         const struct coinbase_fills *fills)
{
    money sum = MONEY_ZERO;
    for (size_t i = 0; i < fills->count; i++)
        if (fills->list[i].is_trade && !money_try_add(sum, fills->list[i].fee, &sum))
            return;
    if (fills->count == 0 || !record->has_fees || record->told != record->filled ||
        money_compare(sum, record->fees) == 0)
        return;
    char listed[MONEY_TEXT_MAX], told[MONEY_TEXT_MAX];
    money_to_text(sum, listed);
    money_to_text(record->fees, told);
    if (venue->fees_different++ < 10)
        adapter_log(&venue->out, LOG_WARN, "fees of order %s: %s in all, its fills say %s",
                    record->id, told, listed);
}

/* Who rested: where the venue does not say, post-only orders did and others are taken to have taken. */
static enum liquidity liquidity_of(const struct coinbase_record *record,
                                   const struct coinbase_fill *fill)
{
    bool maker = fill->has_liquidity ? fill->maker : record->post_only;
    return maker ? LIQUIDITY_MAKER : LIQUIDITY_TAKER;
}

/* `again`: this session has told it. */
static void tell_fill(struct coinbase *venue, const struct coinbase_record *record,
                      const struct coinbase_fill *fill, struct number leaves, bool again)
{
    const struct event_definition *definition = adapter_definition(&venue->names, record->place);
    const struct event_order_filled told = {
        .instrument = adapter_number(&venue->names, record->place),
        .order = record->order,
        .trade = coinbase_venue_id(fill->trade),
        .side = fill->side,
        .price = json_units(&fill->price, definition->price_exponent),
        .quantity = json_units(&fill->quantity, definition->quantity_exponent),
        .leaves = leaves,
        .cause = FILL_REPORTED,
        .liquidity = (uint8_t)liquidity_of(record, fill),
        .fee = fill->fee,
        .fee_asset = definition->quote,
    };
    coinbase_tell(venue, EVENT_order_filled, record->place, coinbase_stamp(fill->time_ns))
        ->order_filled = told;
    if (!again)
        coinbase_account_fill(venue, record->place, &told, fill->time_ns);
}

static struct number leaves_after(const struct coinbase_record *record, int64_t filled)
{
    /* While an edit travels nobody knows what is left. */
    if (record->editing || record->size <= 0 || record->size < filled)
        return (struct number){0, NUMBER_ABSENT};
    return (struct number){record->size - filled, NUMBER_VALUE};
}

struct number coinbase_record_leaves(const struct coinbase_record *record)
{
    return leaves_after(record, record->told);
}

bool coinbase_record_fills(struct coinbase *venue, struct coinbase_record *record,
                           struct coinbase_fills *fills, bool all)
{
    int exponent = adapter_definition(&venue->names, record->place)->quantity_exponent;
    int64_t sum = 0;
    for (size_t i = 0; i < fills->count; i++) {
        const struct coinbase_fill *fill = &fills->list[i];
        bool told = was_told(record, fill->trade);
        if (!fill->is_trade) {
            adapter_log(
                &venue->out, LOG_ERROR,
                "a fill of order %s was reversed or corrected by the venue: it is not booked",
                record->id);
            continue;
        }
        sum += json_units(&fill->quantity, exponent).units;
        if (told && !all)
            continue;
        if (!told && !note_trade(record, fill->trade))
            return false;
        tell_fill(venue, record, fill, leaves_after(record, sum), told);
        record->told_ns = venue->now;
    }
    if (sum > record->told)
        record->told = sum;
    if (sum > record->filled)
        record->filled = sum;
    if (record->size > 0 && record->told >= record->size && !record->editing) {
        record->over = record->end_told = true; /* its last fill ended it */
        record->ended_ns = venue->now;
    }
    compare_fees(venue, record, fills);
    return true;
}

bool coinbase_record_missed(struct coinbase *venue, struct coinbase_record *record,
                            const struct coinbase_fill *fill)
{
    int exponent = adapter_definition(&venue->names, record->place)->quantity_exponent;
    struct number quantity = json_units(&fill->quantity, exponent);
    const struct venue_id trade = coinbase_venue_id(fill->trade);
    if (adapter_trade_is_told(venue->names.numbers, record->order, &trade) ||
        was_told(record, fill->trade))
        return false;
    if (!fill->is_trade || fill->in_quote || quantity.status != NUMBER_VALUE ||
        !coinbase_record_is(venue, record, fill->symbol, fill->side, "a fill") ||
        !note_trade(record, fill->trade)) {
        adapter_log(&venue->out, LOG_ERROR,
                    "a fill of order %s of before this session is not booked: %s", record->id,
                    fill->trade);
        return false;
    }
    tell_fill(venue, record, fill, (struct number){0, NUMBER_ABSENT}, false);
    return true;
}

/* --- ends --------------------------------------------------------------------------------------------- */

static void log_failure(struct coinbase *venue, const struct coinbase_record *record)
{
    if (record->reason[0] != '\0')
        adapter_log(&venue->out, LOG_WARN, "order %s failed: %s", record->id, record->reason);
}

/* Why an order that never was one was refused, in the words that the user channel has for it. */
static enum reject reject_of_failure(struct coinbase *venue, const struct coinbase_record *record)
{
    struct coinbase_error error = {0};
    coinbase_copy_printable(record->reason, error.reason, sizeof error.reason);
    coinbase_copy_printable(record->reason, error.text, sizeof error.text);
    return record->reason[0] ? coinbase_reject_of(venue, &error) : REJECT_OTHER;
}

/* What an order that is over leaves unfilled. One that failed after it had been accepted was cancelled, as far as
 * the engine is concerned: an order is not refused twice. */
static void tell_end(struct coinbase *venue, struct coinbase_record *record)
{
    uint16_t number = adapter_number(&venue->names, record->place);
    struct number leaves = coinbase_record_leaves(record);
    bool at_once =
        record->time_in_force == TIME_IN_FORCE_IOC || record->time_in_force == TIME_IN_FORCE_FOK;
    bool failed = record->status == COINBASE_FAILED;
    struct adapter_when when = coinbase_venue_now(venue);
    record->end_told = true;
    record->cancel_wanted = record->cancel_sent = record->editing = false;
    record->check_at = TIME_NEVER;
    if (leaves.status == NUMBER_VALUE && leaves.units == 0)
        return; /* its last fill was its end */
    if (failed)
        log_failure(venue, record);
    if (failed && !record->accepted && record->told == 0) {
        coinbase_tell_rejected(venue, record->place, record->order,
                               reject_of_failure(venue, record));
        return;
    }
    if (record->status == COINBASE_EXPIRED && !at_once) {
        coinbase_tell(venue, EVENT_order_expired, record->place, when)->order_expired =
            (struct event_order_expired){number, record->order, leaves};
        return;
    }
    uint8_t cause = at_once || failed ? CANCEL_UNFILLED : CANCEL_REQUESTED;
    coinbase_tell(venue, EVENT_order_cancelled, record->place, when)->order_cancelled =
        (struct event_order_cancelled){number, record->order, leaves, cause};
}

/* --- what the engine does not know yet ------------------------------------------------------------------- */

/* An edit that has come about. */
static void tell_edited(struct coinbase *venue, struct coinbase_record *record)
{
    record->editing = record->edit_came = false;
    if (!record->cancel_sent)
        record->check_at = TIME_NEVER;
    coinbase_tell(venue, EVENT_order_modified, record->place, coinbase_venue_now(venue))
        ->order_modified =
        (struct event_order_modified){adapter_number(&venue->names, record->place),
                                      record->order,
                                      {record->price, NUMBER_VALUE},
                                      coinbase_record_leaves(record)};
}

static void tell_accepted(struct coinbase *venue, struct coinbase_record *record)
{
    record->accepted = true;
    coinbase_tell(venue, EVENT_order_accepted, record->place, coinbase_venue_now(venue))
        ->order_accepted = (struct event_order_accepted){
        adapter_number(&venue->names, record->place), record->order, coinbase_venue_id(record->id)};
}

void coinbase_record_settle(struct coinbase *venue, struct coinbase_record *record)
{
    if (record->id[0] != '\0' && record->live && !record->accepted)
        tell_accepted(venue, record);
    if (record->edit_came)
        tell_edited(venue, record);
    if (record->id[0] != '\0')
        coinbase_id_known(venue, record);
    if (record->end_told)
        return;
    if (record->filled > record->told || (record->over && record->size == 0))
        coinbase_look(venue, record, record->size != 0 ? COINBASE_LOOK_FILLS : COINBASE_LOOK_ORDER);
    else if (record->over)
        tell_end(venue, record);
}

/* --- what is awaited ------------------------------------------------------------------------------------- */

/* The venue took a cancel or an edit, and nothing tells what came of it. */
static void give_up(struct coinbase *venue, struct coinbase_record *record)
{
    enum request request = record->editing ? REQUEST_MODIFY : REQUEST_CANCEL;
    record->editing = record->cancel_sent = false;
    record->check_at = TIME_NEVER;
    coinbase_tell_unknown(venue, record->place, record->order, request);
}

void coinbase_await(struct coinbase *venue, struct coinbase_record *record)
{
    record->checks = 0;
    record->check_at = venue->now + CHECK_NS;
    if (record->check_at < venue->check_next)
        venue->check_next = record->check_at;
}

static void check(struct coinbase *venue, struct coinbase_record *record)
{
    if (coinbase_is_looked_at(venue, record->order)) {
        record->check_at = venue->now + COINBASE_TICK_NS;
    } else if (++record->checks > CHECKS_MAX) {
        give_up(venue, record);
    } else {
        record->check_at = venue->now + CHECK_NS * record->checks;
        coinbase_look(venue, record, COINBASE_LOOK_ORDER);
    }
}

void coinbase_records_due(struct coinbase *venue)
{
    if (venue->now < venue->check_next)
        return;
    venue->check_next = TIME_NEVER;
    for (size_t i = 0; i < COINBASE_RECORDS_MAX; i++) {
        struct coinbase_record *record = &venue->records[i];
        if (record->order == 0)
            continue;
        if (venue->now >= record->check_at)
            check(venue, record);
        if (record->check_at < venue->check_next)
            venue->check_next = record->check_at;
    }
}
