/* Keeps count of the fills that pass; a trade that is told again counts once. */
#include "simulate/truth.h"

#include <stdlib.h>

#include "base/assert.h"
#include "simulate/course.h"

enum { TRADES_MAX = 1 << 18 };

struct truth {
    struct venue venue; /* first: the pointer that callers hold */
    struct venue *inner;
    const struct event_names *names;
    money positions[COURSE_INSTRUMENTS_MAX];
    uint64_t seen[TRADES_MAX / 64]; /* trades by the number in their id */
};

static struct truth *truth_of(const struct venue *venue)
{
    return (struct truth *)(uintptr_t)venue;
}

/* "sim-trade-17" is 17. */
static uint64_t trade_number(const struct venue_id *id)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < id->length; i++)
        if (id->bytes[i] >= '0' && id->bytes[i] <= '9')
            number = number * 10 + (uint64_t)(id->bytes[i] - '0');
    return number % TRADES_MAX;
}

static void count(struct truth *truth, const struct event_order_filled *fill)
{
    const struct event_definition *d = &truth->names->definitions[fill->instrument];
    uint64_t number = trade_number(&fill->trade);
    money amount;
    if (truth->seen[number / 64] >> number % 64 & 1)
        return;
    truth->seen[number / 64] |= UINT64_C(1) << number % 64;
    bool fits = money_from_units(fill->quantity.units, d->quantity_exponent, &amount);
    ASSERT(fits);
    money *position = &truth->positions[fill->instrument];
    *position = money_add(*position, fill->side == SIDE_BUY ? amount : money_negate(amount));
    if (d->contract == CONTRACT_SPOT && fill->fee_asset == d->base)
        *position = money_subtract(*position, fill->fee);
}

static int truth_start(struct venue *venue, int64_t now, struct error *error)
{
    struct venue *inner = truth_of(venue)->inner;
    return inner->start(inner, now, error);
}

static int truth_advance(struct venue *venue, int64_t now, struct error *error)
{
    struct venue *inner = truth_of(venue)->inner;
    return inner->advance(inner, now, error);
}

static const struct message *truth_answer(struct venue *venue, int64_t now)
{
    struct truth *truth = truth_of(venue);
    const struct message *answer = truth->inner->answer(truth->inner, now);
    if (answer && answer->kind == EVENT_order_filled)
        count(truth, &answer->record->order_filled);
    return answer;
}

static int64_t truth_next(const struct venue *venue)
{
    const struct venue *inner = truth_of(venue)->inner;
    return inner->next(inner);
}

static int truth_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct venue *inner = truth_of(venue)->inner;
    return inner->submit(inner, decision, error);
}

static int truth_finish(struct venue *venue, struct error *error)
{
    struct venue *inner = truth_of(venue)->inner;
    return inner->finish(inner, error);
}

static void truth_close(struct venue *venue)
{
    struct truth *truth = truth_of(venue);
    truth->inner->close(truth->inner);
    free(truth);
}

int truth_open(struct venue **venue, struct venue *inner, const struct event_names *names,
               struct error *error)
{
    struct truth *truth = calloc(1, sizeof *truth);
    if (!truth)
        return error_set(error, ERROR_SYSTEM, "no memory for the count of fills");
    truth->venue = (struct venue){.start = truth_start,
                                  .advance = truth_advance,
                                  .answer = truth_answer,
                                  .next = truth_next,
                                  .submit = truth_submit,
                                  .finish = truth_finish,
                                  .close = truth_close};
    truth->inner = inner;
    truth->names = names;
    *venue = &truth->venue;
    return 0;
}

money truth_position(const struct venue *venue, unsigned instrument)
{
    return truth_of(venue)->positions[instrument];
}
