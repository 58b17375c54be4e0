/* Writes a tape anew with one disturbance of one instrument, for tests of the market breakers.
 *
 * Usage: disturb IN OUT KIND INSTRUMENT SECONDS
 *   KIND     jump           every price of it stands 1.2 % higher from then on
 *            wide           no best prices within 0.2 % of the mid for 3 s
 *            silence        nothing of it for 8 s, then its whole book
 *            gap            a gap, and its whole book half a second later
 *            mark           marks 1.2 % off its mid, one a second, ten times
 *            open_interest  three readings, a second apart: 1000, 950, 890
 *            halt           the venue halts it for 5 s
 *   SECONDS  after the first message of the tape
 * Exit: 0, or 2 with one line on standard error. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/book.h"
#include "tape/tape.h"

enum { FAR_LEVELS = 64 * 1024, INSERTS_MAX = 10 };

enum kind { JUMP, WIDE, SILENCE, GAP, MARK, OPEN_INTEREST, HALT, KIND_COUNT };

static const struct {
    const char *name;
    int64_t duration; /* in which the venue's own messages are held back, or its halt lasts */
} kinds[KIND_COUNT] = {
    {"jump", 0},
    {"wide", 3 * NS_PER_SECOND},
    {"silence", 8 * NS_PER_SECOND},
    {"gap", NS_PER_SECOND / 2},
    {"mark", 0},
    {"open_interest", 0},
    {"halt", 5 * NS_PER_SECOND},
};

struct disturb {
    struct tape_reader *reader;
    struct tape_writer *writer;
    struct tape_block block;
    struct book *book; /* as the venue has it */
    struct row *rows;
    enum kind kind;
    unsigned instrument;
    int64_t at;
    int64_t shift;     /* of prices */
    uint64_t sequence; /* newest of book and best prices */
    unsigned inserted;
    bool begun, over;
};

/* --- what is written -------------------------------------------------------------------------------- */

static size_t take_side(struct disturb *disturb, enum side side, int64_t away, size_t at)
{
    struct book_level level, best[2] = {{0, 0}, {0, 0}}; /* of an empty side */
    bool more = book_best(disturb->book, side, &level);
    book_best(disturb->book, SIDE_BUY, &best[SIDE_BUY]);
    book_best(disturb->book, SIDE_SELL, &best[SIDE_SELL]);
    int64_t mid = (best[SIDE_BUY].price + best[SIDE_SELL].price) / 2;
    for (; more; more = book_next(disturb->book, side, level.price, &level)) {
        if (llabs(level.price - mid) < away)
            continue;
        disturb->rows[at++] = (struct row){
            .price = level.price + disturb->shift,
            .quantity = level.quantity,
            .flags = (uint8_t)(ROW_FROM_SNAPSHOT | (side == SIDE_SELL ? ROW_SELL : 0))};
    }
    return at;
}

/* The whole book without what is nearer to the mid than `away`. */
static int write_book(struct disturb *disturb, int64_t now, int64_t away, struct error *error)
{
    size_t rows = take_side(disturb, SIDE_BUY, away, 0);
    rows = take_side(disturb, SIDE_SELL, away, rows);
    struct message message = {.ts_local = now,
                              .sequence = disturb->sequence,
                              .stream = EVENT_STREAM(disturb->instrument, CHANNEL_DEPTH),
                              .kind = EVENT_snapshot,
                              .row_count = (uint32_t)rows,
                              .rows = disturb->rows};
    return tape_writer_append(disturb->writer, &message, error);
}

static int write_record(struct disturb *disturb, int64_t now, enum event_kind kind,
                        const union event_record *record, struct error *error)
{
    unsigned channel = kind == EVENT_gap ? CHANNEL_DEPTH : CHANNEL_REFERENCE;
    struct message message = {.ts_local = now,
                              .stream = EVENT_STREAM(disturb->instrument, channel),
                              .kind = (uint8_t)kind,
                              .record = record};
    return tape_writer_append(disturb->writer, &message, error);
}

static int64_t mid_of(const struct disturb *disturb)
{
    struct book_level bid = {0, 0}, ask = {0, 0};
    book_best(disturb->book, SIDE_BUY, &bid);
    book_best(disturb->book, SIDE_SELL, &ask);
    return (bid.price + ask.price) / 2;
}

static int64_t on_tick(const struct disturb *disturb, int64_t price)
{
    const struct event_names *names = &tape_reader_header(disturb->reader)->names;
    return price - price % names->definitions[disturb->instrument].tick;
}

/* --- the disturbance -------------------------------------------------------------------------------- */

static int write_status(struct disturb *disturb, int64_t now, enum trading trading,
                        struct error *error)
{
    union event_record record = {.instrument_status = {.instrument = (uint16_t)disturb->instrument,
                                                       .trading = (uint8_t)trading}};
    return write_record(disturb, now, EVENT_instrument_status, &record, error);
}

static int begin(struct disturb *disturb, int64_t now, struct error *error)
{
    union event_record record = {.gap = {.instrument = (uint16_t)disturb->instrument,
                                         .cause = GAP_SEQUENCE,
                                         .expected = disturb->sequence,
                                         .found = disturb->sequence + 1}};
    switch (disturb->kind) {
    case JUMP:
        disturb->shift = on_tick(disturb, mid_of(disturb) / 1000 * 12);
        return write_book(disturb, now, 0, error);
    case WIDE:
        return write_book(disturb, now, mid_of(disturb) / 500, error);
    case GAP:
        return write_record(disturb, now, EVENT_gap, &record, error);
    case HALT:
        return write_status(disturb, now, TRADING_HALTED, error);
    case SILENCE:
    case MARK:
    case OPEN_INTEREST:
    case KIND_COUNT:
    default:
        return 0;
    }
}

static int end(struct disturb *disturb, int64_t now, struct error *error)
{
    if (disturb->kind == HALT)
        return write_status(disturb, now, TRADING_OPEN, error);
    return disturb->kind == JUMP ? 0 : write_book(disturb, now, 0, error);
}

/* The next of what stands beside the venue's messages, a second apart. */
static int insert(struct disturb *disturb, int64_t now, struct error *error)
{
    static const int64_t readings[] = {1000, 950, 890};
    union event_record record;
    unsigned count = disturb->kind == MARK            ? INSERTS_MAX
                     : disturb->kind == OPEN_INTEREST ? sizeof readings / sizeof readings[0]
                                                      : 0;
    if (disturb->inserted >= count || now < disturb->at + disturb->inserted * NS_PER_SECOND)
        return 0;
    unsigned at = disturb->inserted++;
    if (disturb->kind == MARK) {
        int64_t price = mid_of(disturb) + mid_of(disturb) / 1000 * 12;
        record.mark = (struct event_mark){.instrument = (uint16_t)disturb->instrument,
                                          .price = {on_tick(disturb, price), NUMBER_VALUE}};
        return write_record(disturb, now, EVENT_mark, &record, error);
    }
    record.open_interest =
        (struct event_open_interest){.instrument = (uint16_t)disturb->instrument,
                                     .open_interest = {readings[at] * 1000000, NUMBER_VALUE},
                                     .cap = {0, NUMBER_ABSENT}};
    return write_record(disturb, now, EVENT_open_interest, &record, error);
}

/* --- one message ------------------------------------------------------------------------------------ */

static void follow(struct disturb *disturb, const struct message *message)
{
    if (message->kind == EVENT_depth || message->kind == EVENT_snapshot)
        book_apply(disturb->book, message);
    if ((message->kind == EVENT_top || message->kind == EVENT_depth ||
         message->kind == EVENT_snapshot) &&
        message->sequence > disturb->sequence)
        disturb->sequence = message->sequence;
}

/* Between beginning and end these messages of the instrument are not told. */
static bool is_held(const struct disturb *disturb, const struct message *message)
{
    if (!disturb->begun || disturb->over)
        return false;
    bool book = message->kind == EVENT_depth || message->kind == EVENT_top;
    return disturb->kind == SILENCE || ((disturb->kind == WIDE || disturb->kind == GAP) && book);
}

static int write_own(struct disturb *disturb, const struct message *message, struct error *error)
{
    struct message moved = *message;
    if (disturb->shift == 0 || message->row_count == 0)
        return tape_writer_append(disturb->writer, message, error);
    for (uint32_t i = 0; i < message->row_count; i++) {
        disturb->rows[i] = message->rows[i];
        disturb->rows[i].price += disturb->shift;
    }
    moved.rows = disturb->rows;
    return tape_writer_append(disturb->writer, &moved, error);
}

static int take(struct disturb *disturb, const struct message *message, struct error *error)
{
    int64_t now = message->ts_local;
    bool own = message->stream != EVENT_NONE_16 &&
               EVENT_STREAM_INSTRUMENT(message->stream) == disturb->instrument;
    int failed = 0;
    if (!disturb->begun && now >= disturb->at) {
        failed = begin(disturb, now, error);
        disturb->begun = true;
    }
    if (!failed && disturb->begun)
        failed = insert(disturb, now, error);
    if (!failed && disturb->begun && !disturb->over && kinds[disturb->kind].duration > 0 &&
        now >= disturb->at + kinds[disturb->kind].duration) {
        failed = end(disturb, now, error);
        disturb->over = true;
    }
    if (failed)
        return failed;
    if (!own)
        return tape_writer_append(disturb->writer, message, error);
    follow(disturb, message);
    return is_held(disturb, message) ? 0 : write_own(disturb, message, error);
}

/* --- all of it -------------------------------------------------------------------------------------- */

static int run(struct disturb *disturb, const char *output, struct error *error)
{
    const struct tape_writer_options options = {.level = 1};
    size_t size = (book_size(FAR_LEVELS) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, size);
    disturb->rows = calloc(EVENT_ROWS_MAX, sizeof *disturb->rows);
    if (memory == NULL || disturb->rows == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory");
    disturb->book = book_init(memory, size, FAR_LEVELS);
    disturb->at += tape_reader_block_info(disturb->reader, 0)->first_ts;
    int failed = tape_block_init(&disturb->block, disturb->reader, error);
    if (!failed)
        failed = tape_writer_open(&disturb->writer, output, tape_reader_header(disturb->reader),
                                  &options, error);
    size_t blocks = tape_reader_block_count(disturb->reader);
    for (size_t b = 0; b < blocks && !failed; b++) {
        failed = tape_reader_read(disturb->reader, b, &disturb->block, error);
        for (uint32_t m = 0; m < disturb->block.message_count && !failed; m++)
            failed = take(disturb, &disturb->block.messages[m], error);
    }
    return failed ? failed : tape_writer_finish(&disturb->writer, error);
}

static int usage(void)
{
    fputs("usage: disturb IN OUT KIND INSTRUMENT SECONDS\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct disturb disturb = {.kind = JUMP};
    struct error error = {0};
    if (argc != 6)
        return usage();
    while (disturb.kind < KIND_COUNT && strcmp(kinds[disturb.kind].name, argv[3]) != 0)
        disturb.kind++;
    if (disturb.kind == KIND_COUNT)
        return usage();
    disturb.at = strtoll(argv[5], NULL, 10) * NS_PER_SECOND;
    int failed = tape_reader_open(&disturb.reader, argv[1], &error);
    if (!failed) {
        const struct event_names *names = &tape_reader_header(disturb.reader)->names;
        int instrument = event_instrument_by_name(names, argv[4], strlen(argv[4]));
        disturb.instrument = (unsigned)instrument;
        failed = instrument < 0 ? error_set(&error, ERROR_INPUT, "no instrument %s", argv[4])
                                : run(&disturb, argv[2], &error);
    }
    if (failed)
        fprintf(stderr, "disturb: %s\n", error.text);
    tape_block_free(&disturb.block);
    tape_writer_abandon(&disturb.writer);
    tape_reader_close(&disturb.reader);
    free(disturb.book);
    free(disturb.rows);
    return failed ? 2 : 0;
}
