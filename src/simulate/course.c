/* Draws what happens during a course: each instrument's book as a window of levels that walks, trades at
 * and through it, references, gaps, numbers that are none, silences, and the operator.
 *
 * C leaves open which of two calls in one expression, initialiser or argument list comes first: here each
 * draw has a statement of its own, so that a seed is the same course with every compiler. */
#include "simulate/course.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"

enum {
    LEVELS = 8, /* shown on each side */
    ROWS_MAX = 6 * LEVELS,
    ADOPTS = 2,      /* chance of its own (1: draw.c) */
    FEES = 4,        /* likewise (3: draw.c) */
    SCRIPT_MAX = 64, /* messages that are no market data, at most */
    RESTARTS_MAX = 4,
    TAIL = 8,      /* market messages after the shutdown */
    LOT_SPREAD = 6 /* a size is below 2^this lots */
};

/* One instrument's market while it is drawn. Prices in ticks, quantities in lots. */
struct street {
    int64_t bid, ask;
    int64_t quantity[2][LEVELS]; /* from the best price */
    uint64_t sequence;
    int64_t snapshot_at; /* the book is lost until then; TIME_NEVER: it is not */
    int64_t open_at;     /* trading is not open until then; TIME_NEVER: it is */
    bool has_top, has_marks;
    bool redefined;
};

struct painter {
    struct course *course;
    struct random random;
    struct random adopts; /* of what the operator takes over alone */
    struct random fees;   /* of what a venue takes from then on */
    int64_t now;
    int64_t step;       /* mean time between two messages */
    int64_t lag;        /* of the feed, at most */
    uint64_t accidents; /* chance of them in 1e6 */
    int64_t resume_at;  /* the operator undoes what was commanded; TIME_NEVER: nothing is */
    int64_t connect_at;
    unsigned cut; /* venue whose feed is down until connect_at */
    struct street streets[COURSE_INSTRUMENTS_MAX];
};

static int64_t between(struct painter *painter, int64_t least, int64_t most)
{
    return least + (int64_t)random_below(&painter->random, (uint64_t)(most - least + 1));
}

static bool one_in(struct painter *painter, uint64_t n)
{
    return random_below(&painter->random, n) == 0;
}

static int64_t draw_lots(struct painter *painter)
{
    return between(painter, 1, INT64_C(1) << between(painter, 0, LOT_SPREAD));
}

/* --- messages ------------------------------------------------------------------------------------- */

static struct message *add(struct painter *painter, enum event_kind kind, uint16_t stream)
{
    struct course *course = painter->course;
    ASSERT(course->count < course->capacity);
    struct message *message = &course->messages[course->count++];
    int64_t lag = painter->lag == 0 ? 0 : between(painter, 0, painter->lag);
    *message = (struct message){.ts_local = painter->now,
                                .ts_venue = painter->now - lag,
                                .flags = MESSAGE_VENUE_TIME,
                                .stream = stream,
                                .kind = (uint8_t)kind};
    return message;
}

static union event_record *add_record(struct painter *painter, enum event_kind kind,
                                      unsigned instrument)
{
    struct course *course = painter->course;
    bool session = kind >= EVENT_start;
    struct message *message =
        add(painter, kind,
            session ? (uint16_t)EVENT_NONE_16 : EVENT_STREAM(instrument, CHANNEL_REFERENCE));
    union event_record *record = &course->records[course->record_count++];
    memset(record, 0, sizeof *record);
    message->record = record;
    if (session) {
        message->ts_venue = 0;
        message->flags = 0;
    }
    return record;
}

/* A message of rows, to which row() then adds. */
static struct message *add_rows(struct painter *painter, enum event_kind kind, unsigned instrument)
{
    struct message *message =
        add(painter, kind, EVENT_STREAM(instrument, event_default_channel(kind)));
    message->rows = &painter->course->rows[painter->course->row_count];
    message->sequence = ++painter->streets[instrument].sequence;
    return message;
}

static void row(struct painter *painter, struct message *message, uint8_t flags, int64_t ticks,
                int64_t lots)
{
    struct course *course = painter->course;
    const struct event_definition *d =
        &course->definitions[EVENT_STREAM_INSTRUMENT(message->stream)];
    if (ticks <= 0)
        return;
    ASSERT(course->row_count < course->row_capacity);
    course->rows[course->row_count++] =
        (struct row){.price = ticks * d->tick, .quantity = lots * d->lot, .flags = flags};
    message->row_count++;
}

static void finish_rows(struct painter *painter, struct message *message)
{
    if (message->row_count == 0)
        painter->course->count--; /* every price of it was below the floor */
    else
        painter->course->rows[painter->course->row_count - 1].flags |= ROW_LAST;
}

/* Make one row a number that can't be used. */
static void spoil(struct painter *painter, struct message *message)
{
    static const uint8_t statuses[] = {NUMBER_NAN, NUMBER_INFINITE, NUMBER_OFF_GRID};
    struct row *rows = &painter->course->rows[painter->course->row_count - message->row_count];
    struct row *bad = &rows[random_below(&painter->random, message->row_count)];
    uint8_t status = statuses[random_below(&painter->random, sizeof statuses)];
    switch (random_below(&painter->random, 4)) {
    case 0:
        bad->price = 0;
        bad->price_status = status;
        break;
    case 1:
        bad->quantity = 0;
        bad->quantity_status = status;
        break;
    case 2:
        bad->price = 0;
        break;
    default:
        bad->price++; /* off the tick, where a tick is more than a unit */
        break;
    }
}

/* --- the book --------------------------------------------------------------------------------------- */

static int64_t price_of(const struct street *street, unsigned side, int level)
{
    return side == SIDE_BUY ? street->bid - level : street->ask + level;
}

static void draw_snapshot(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    struct message *message = add_rows(painter, EVENT_snapshot, instrument);
    for (unsigned side = 0; side < 2; side++)
        for (int level = 0; level < LEVELS; level++)
            row(painter, message, (uint8_t)((side ? ROW_SELL : 0) | ROW_FROM_SNAPSHOT),
                price_of(street, side, level), street->quantity[side][level]);
    finish_rows(painter, message);
    street->snapshot_at = TIME_NEVER;
}

/* The best prices go to `bid` and `ask`: levels that are no longer shown end, others begin. */
static void draw_move(struct painter *painter, unsigned instrument, int64_t bid, int64_t ask)
{
    struct street *street = &painter->streets[instrument], old = *street;
    struct message *message = add_rows(painter, EVENT_depth, instrument);
    street->bid = bid;
    street->ask = ask;
    for (unsigned side = 0; side < 2; side++) {
        int64_t shift = (side == SIDE_BUY ? old.bid - bid : ask - old.ask);
        for (int level = 0; level < LEVELS; level++) {
            bool kept = level + shift >= 0 && level + shift < LEVELS;
            street->quantity[side][level] =
                kept ? old.quantity[side][level + shift] : draw_lots(painter);
        }
        for (int level = 0; level < LEVELS; level++)
            if (level - shift < 0 || level - shift >= LEVELS)
                row(painter, message, side ? ROW_SELL : 0, price_of(&old, side, level), 0);
    }
    for (unsigned side = 0; side < 2; side++) {
        int64_t shift = (side == SIDE_BUY ? old.bid - bid : ask - old.ask);
        for (int level = 0; level < LEVELS; level++)
            if (level + shift < 0 || level + shift >= LEVELS)
                row(painter, message, side ? ROW_SELL : 0, price_of(street, side, level),
                    street->quantity[side][level]);
    }
    finish_rows(painter, message);
}

static void draw_change(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    unsigned side = (unsigned)random_below(&painter->random, 2);
    int level = (int)random_below(&painter->random, LEVELS);
    street->quantity[side][level] = draw_lots(painter);
    struct message *message = add_rows(painter, EVENT_depth, instrument);
    row(painter, message, side ? ROW_SELL : 0, price_of(street, side, level),
        street->quantity[side][level]);
    if (message->row_count > 0 && random_below(&painter->random, 1000000) < painter->accidents)
        spoil(painter, message);
    finish_rows(painter, message);
}

/* A step of the best prices: mostly one tick, now and then a jump. */
static void draw_step(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    int64_t by = one_in(painter, 200) ? between(painter, 3, 40) : 1;
    int64_t bid = street->bid, ask = street->ask;
    switch (random_below(&painter->random, 4)) {
    case 0:
        bid += by, ask += by;
        break;
    case 1:
        bid -= by, ask -= by;
        break;
    case 2: /* narrower */
        if (ask - bid > 1)
            bid += 1;
        break;
    default: /* wider */
        ask += ask - bid < 12 ? 1 : 0;
        break;
    }
    if (bid > 2)
        draw_move(painter, instrument, bid, ask);
}

static void draw_trade(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    struct message *message = add_rows(painter, EVENT_trade, instrument);
    bool sells = one_in(painter, 2);
    int64_t through = one_in(painter, 8) ? between(painter, 1, 5) : 0;
    int64_t lots = draw_lots(painter);
    if (one_in(painter, 6))
        lots *= 20;
    row(painter, message, sells ? ROW_SELL : 0,
        sells ? street->bid - through : street->ask + through, lots);
    if (message->row_count > 0 && random_below(&painter->random, 1000000) < painter->accidents)
        spoil(painter, message);
    finish_rows(painter, message);
}

static void draw_top(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    struct message *message = add_rows(painter, EVENT_top, instrument);
    row(painter, message, 0, street->bid, street->quantity[SIDE_BUY][0]);
    row(painter, message, ROW_SELL, street->ask, street->quantity[SIDE_SELL][0]);
    finish_rows(painter, message);
}

/* --- references and accidents ------------------------------------------------------------------------ */

static struct number number(int64_t units)
{
    return (struct number){units, NUMBER_VALUE};
}

static void draw_funding(struct painter *painter, unsigned instrument)
{
    struct event_funding *funding = &add_record(painter, EVENT_funding, instrument)->funding;
    funding->instrument = (uint16_t)instrument;
    funding->rate = between(painter, -1000, 1000) * 1000;
    funding->due = painter->now + between(painter, 1, 60) * NS_PER_SECOND;
}

static void draw_open_interest(struct painter *painter, unsigned instrument)
{
    const int64_t lot = painter->course->definitions[instrument].lot;
    struct event_open_interest *told =
        &add_record(painter, EVENT_open_interest, instrument)->open_interest;
    told->instrument = (uint16_t)instrument;
    told->open_interest = number(between(painter, 1, 20000) * lot);
    told->cap = number(between(painter, 10000, 40000) * lot);
}

/* The mid, or up to 2 % off. */
static struct number draw_price(struct painter *painter, unsigned instrument, bool far)
{
    const struct street *street = &painter->streets[instrument];
    const int64_t tick = painter->course->definitions[instrument].tick;
    int64_t middle = (street->bid + street->ask) / 2 * tick;
    int64_t away = far ? middle / 50 : 0;
    return number(middle + between(painter, -away, away));
}

static void draw_mark(struct painter *painter, unsigned instrument, bool far)
{
    struct event_mark *mark = &add_record(painter, EVENT_mark, instrument)->mark;
    mark->instrument = (uint16_t)instrument;
    mark->price = draw_price(painter, instrument, far);
}

static void draw_index(struct painter *painter, unsigned instrument, bool far)
{
    struct event_index_price *index =
        &add_record(painter, EVENT_index_price, instrument)->index_price;
    index->instrument = (uint16_t)instrument;
    index->price = draw_price(painter, instrument, far);
}

static void draw_reference(struct painter *painter, unsigned instrument)
{
    bool contract = painter->course->definitions[instrument].contract != CONTRACT_SPOT;
    bool far = one_in(painter, 12);
    uint64_t pick = random_below(&painter->random, 5);
    if (pick < 2 && painter->streets[instrument].has_marks)
        draw_mark(painter, instrument, far);
    else if (pick == 2)
        draw_index(painter, instrument, far);
    else if (pick == 3 && contract)
        draw_funding(painter, instrument);
    else if (pick == 4 && contract)
        draw_open_interest(painter, instrument);
}

/* The rate of each base in dollars, as a market of its own would have it. */
static void draw_rate(struct painter *painter, unsigned instrument)
{
    const struct event_definition *d = &painter->course->definitions[instrument];
    money bid, ask;
    int64_t rate = between(painter, 900, 1100);
    bool fits = money_from_units(rate, 0, &bid) && money_from_units(rate + 1, 0, &ask);
    ASSERT(fits);
    add_record(painter, EVENT_reference_rate, instrument)->reference_rate =
        (struct event_reference_rate){d->base, d->quote, bid, ask};
}

static void draw_gap(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    bool trades = one_in(painter, 4);
    union event_record *record = add_record(painter, EVENT_gap, instrument);
    record->gap = (struct event_gap){.instrument = (uint16_t)instrument,
                                     .cause = GAP_SEQUENCE,
                                     .expected = street->sequence + 1,
                                     .found = street->sequence + 3};
    painter->course->messages[painter->course->count - 1].stream =
        EVENT_STREAM(instrument, trades ? CHANNEL_TRADE : CHANNEL_DEPTH);
    if (!trades)
        street->snapshot_at = painter->now + between(painter, 10, 3000) * NS_PER_MS;
}

static void draw_disconnect(struct painter *painter)
{
    if (painter->connect_at != TIME_NEVER)
        return;
    painter->cut = (unsigned)random_below(&painter->random, painter->course->names.venue_count);
    painter->connect_at = painter->now + between(painter, 10, 8000) * NS_PER_MS;
    union event_record *record = add_record(painter, EVENT_feed_connection, 0);
    record->feed_connection = (struct event_feed_connection){(uint8_t)painter->cut, 0};
}

static void draw_status(struct painter *painter, unsigned instrument)
{
    struct event_instrument_status *status =
        &add_record(painter, EVENT_instrument_status, instrument)->instrument_status;
    status->instrument = (uint16_t)instrument;
    status->trading = (uint8_t)between(painter, TRADING_HALTED, TRADING_POST_ONLY);
    painter->streets[instrument].open_at = painter->now + between(painter, 10, 5000) * NS_PER_MS;
}

/* A coarser lot or a larger least notional for the rest of the day, and now and then other fees. */
static void draw_redefinition(struct painter *painter, unsigned instrument)
{
    struct street *street = &painter->streets[instrument];
    struct event_definition d = painter->course->definitions[instrument];
    if (street->redefined)
        return;
    street->redefined = true;
    if (one_in(painter, 2))
        d.lot *= between(painter, 2, 3);
    else {
        bool fits = money_from_units(between(painter, 1, 2000), 0, &d.minimum_notional);
        ASSERT(fits);
    }
    if (random_below(&painter->fees, 2) == 0) {
        d.maker_fee = (int64_t)random_below(&painter->fees, 9) * 100000 - 200000;
        d.taker_fee = (int64_t)random_below(&painter->fees, 21) * 100000;
    }
    add_record(painter, EVENT_definition, instrument)->definition = d;
}

static void draw_accident(struct painter *painter, unsigned instrument)
{
    switch (random_below(&painter->random, 12)) {
    case 0:
    case 1:
    case 2:
        draw_gap(painter, instrument);
        break;
    case 3:
        draw_disconnect(painter);
        break;
    case 4:
    case 5:
        draw_status(painter, instrument);
        break;
    case 6:
        if (one_in(painter, 4))
            draw_redefinition(painter, instrument);
        break;
    case 7: /* a silence */
        painter->now += between(painter, 200, 20000) * NS_PER_MS;
        break;
    default:
        draw_change(painter, instrument);
        break;
    }
}

/* --- the operator ---------------------------------------------------------------------------------- */

static void draw_command(struct painter *painter)
{
    static const uint8_t commands[] = {COMMAND_PAUSE, COMMAND_CANCEL_ALL, COMMAND_TRIP,
                                       COMMAND_RESUME, COMMAND_RESET};
    uint8_t command = commands[random_below(&painter->random, sizeof commands)];
    unsigned count = painter->course->names.instrument_count;
    uint64_t which = random_below(&painter->random, count + 1);
    add_record(painter, EVENT_command, 0)->command =
        (struct event_command){command, which == count ? (uint16_t)EVENT_NONE_16 : (uint16_t)which};
    painter->resume_at = painter->now + between(painter, 100, 10000) * NS_PER_MS;
}

/* While what rested has been cancelled the operator may take over a position: all of it as the venue has it, or
 * a part of a balance, at the mark or at a price that he names. */
static void draw_adopt(struct painter *painter)
{
    enum { PLACES = 20 };
    struct random *chance = &painter->adopts;
    const struct course *course = painter->course;
    uint64_t index = random_below(chance, course->names.instrument_count);
    uint64_t lots = random_below(chance, PLACES), ticks = random_below(chance, PLACES);
    const struct event_definition *d = &course->definitions[index];
    struct event_adopt adopt = {
        .instrument = (uint16_t)index, .position = {0, NUMBER_ABSENT}, .price = {0, NUMBER_ABSENT}};
    if (random_below(chance, 4) != 0)
        adopt.position = number((int64_t)lots * d->lot);
    if (random_below(chance, 2) == 0)
        adopt.price = number((painter->streets[index].bid + (int64_t)ticks) * d->tick);
    add_record(painter, EVENT_adopt, 0)->adopt = adopt;
}

static void draw_all_clear(struct painter *painter)
{
    if (random_below(&painter->adopts, 2) == 0)
        draw_adopt(painter);
    add_record(painter, EVENT_command, 0)->command =
        (struct event_command){COMMAND_RESUME, EVENT_NONE_16};
    add_record(painter, EVENT_command, 0)->command =
        (struct event_command){COMMAND_RESET, EVENT_NONE_16};
    painter->resume_at = TIME_NEVER;
}

/* --- the process ------------------------------------------------------------------------------------ */

/* It dies and starts again; each feed soon begins with a snapshot. */
static void draw_restart(struct painter *painter)
{
    add_record(painter, EVENT_start, 0)->start =
        (struct event_start){.epoch = ++painter->course->restarts};
    for (unsigned i = 0; i < painter->course->names.instrument_count; i++)
        painter->streets[i].snapshot_at = painter->now + between(painter, 0, 3000) * NS_PER_MS;
}

/* --- the whole course ------------------------------------------------------------------------------- */

/* What was interrupted goes on. */
static void draw_repairs(struct painter *painter)
{
    unsigned count = painter->course->names.instrument_count;
    bool back = painter->connect_at <= painter->now;
    if (back) {
        add_record(painter, EVENT_feed_connection, 0)->feed_connection =
            (struct event_feed_connection){(uint8_t)painter->cut, 1};
        painter->connect_at = TIME_NEVER;
    }
    for (unsigned i = 0; i < count; i++) {
        struct street *street = &painter->streets[i];
        if (street->snapshot_at <= painter->now ||
            (back && painter->course->definitions[i].venue == painter->cut))
            draw_snapshot(painter, i);
        if (street->open_at > painter->now)
            continue;
        street->open_at = TIME_NEVER;
        add_record(painter, EVENT_instrument_status, i)->instrument_status =
            (struct event_instrument_status){(uint16_t)i, TRADING_OPEN};
    }
    if (painter->resume_at <= painter->now)
        draw_all_clear(painter);
}

static void draw_market(struct painter *painter)
{
    unsigned i = (unsigned)random_below(&painter->random, painter->course->names.instrument_count);
    const struct street *street = &painter->streets[i];
    uint64_t pick = random_below(&painter->random, 100);
    if (random_below(&painter->random, 1000000) < painter->accidents)
        draw_accident(painter, i);
    else if (street->snapshot_at != TIME_NEVER && pick < 70)
        draw_trade(painter, i); /* depth is not to be had */
    else if (pick < 40)
        draw_change(painter, i);
    else if (pick < 65)
        draw_step(painter, i);
    else if (pick < 88)
        draw_trade(painter, i);
    else if (pick < 92 && street->has_top)
        draw_top(painter, i);
    else if (pick < 97)
        draw_reference(painter, i);
    else if (pick < 98)
        draw_rate(painter, i);
    else
        draw_snapshot(painter, i);
}

static void draw_time(struct painter *painter)
{
    if (one_in(painter, 12))
        return; /* at the same time as the one before */
    uint64_t rate = (uint64_t)(INT64_C(1000000) * NS_PER_SECOND / painter->step);
    painter->now += random_wait_ns(&painter->random, rate);
}

static void begin(struct painter *painter)
{
    struct course *course = painter->course;
    painter->now = COURSE_START_NS;
    painter->step = between(painter, 1, 40) * NS_PER_MS;
    painter->step *= between(painter, 1, 10);
    painter->lag = one_in(painter, 3) ? 0 : between(painter, 1, 100) * NS_PER_MS;
    painter->accidents = one_in(painter, 4) ? 0 : random_below(&painter->random, 30000);
    painter->resume_at = painter->connect_at = TIME_NEVER;
    for (unsigned i = 0; i < course->names.instrument_count; i++) {
        struct street *street = &painter->streets[i];
        int64_t bid = one_in(painter, 6) ? between(painter, 4, 40) : between(painter, 100, 20000);
        *street = (struct street){.bid = bid, .snapshot_at = TIME_NEVER, .open_at = TIME_NEVER};
        street->ask = bid + between(painter, 1, 4);
        street->has_top = one_in(painter, 3);
        street->has_marks = one_in(painter, 2);
        for (int level = 0; level < 2 * LEVELS; level++)
            street->quantity[level % 2][level / 2] = draw_lots(painter);
        draw_snapshot(painter, i);
    }
}

static void draw_shutdown(struct painter *painter)
{
    add_record(painter, EVENT_shutdown, 0)->shutdown = (struct event_shutdown){.signal = 15};
}

/* A shutdown, and time for it. Now and then the process dies in the middle of one. */
static void end(struct painter *painter)
{
    draw_shutdown(painter);
    if (painter->course->restarts > 0 && one_in(painter, 6)) {
        painter->now += between(painter, 0, 2000) * NS_PER_MS;
        draw_restart(painter);
        painter->now += between(painter, 0, 2000) * NS_PER_MS;
        draw_shutdown(painter);
    }
    for (int i = 0; i < TAIL; i++) {
        painter->now += between(painter, 100, 8000) * NS_PER_MS;
        draw_repairs(painter);
        draw_market(painter);
    }
    painter->now += 60 * NS_PER_SECOND;
    draw_trade(painter, 0);
}

void course_draw(struct course *course, uint64_t seed, uint64_t events)
{
    struct painter painter = {.course = course};
    random_init(&painter.random, seed, 0);
    random_init(&painter.adopts, seed, ADOPTS);
    random_init(&painter.fees, seed, FEES);
    course->count = course->record_count = course->row_count = 0;
    course->restarts = 0;
    course->seed = seed;
    course_draw_world(course, &painter.random);
    begin(&painter);
    uint64_t commands = one_in(&painter, 3) ? 0 : (uint64_t)between(&painter, 1, SCRIPT_MAX / 4);
    uint64_t restarts = one_in(&painter, 2) ? 0 : (uint64_t)between(&painter, 1, RESTARTS_MAX);
    bool ends = !one_in(&painter, 7);
    while (course->count < events) {
        draw_time(&painter);
        draw_repairs(&painter);
        if (commands > 0 && painter.resume_at == TIME_NEVER &&
            random_below(&painter.random, events) < 2 * commands) {
            draw_command(&painter);
            commands--;
        }
        if (course->restarts < restarts && random_below(&painter.random, events) < 2 * restarts)
            draw_restart(&painter);
        draw_market(&painter);
    }
    if (ends)
        end(&painter);
}

/* --- memory ------------------------------------------------------------------------------------------ */

int course_open(struct course *course, uint64_t events, struct error *error)
{
    course->capacity = (size_t)events + SCRIPT_MAX + 32 * (TAIL + 2);
    course->row_capacity = course->capacity * ROWS_MAX / 4 + 4096;
    course->messages = malloc(course->capacity * sizeof *course->messages);
    course->records = malloc(course->capacity * sizeof *course->records);
    course->rows = malloc(course->row_capacity * sizeof *course->rows);
    if (!course->messages || !course->records || !course->rows)
        return error_set(error, ERROR_SYSTEM, "no memory for a course of %zu messages",
                         course->capacity);
    return 0;
}

void course_close(struct course *course)
{
    free(course->messages);
    free(course->records);
    free(course->rows);
    *course = (struct course){.count = 0};
}
