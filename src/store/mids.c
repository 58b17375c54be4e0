/* A ring of mids an instrument, and one queue of fills with a place in it for each horizon. */
#include "store/mids.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    MIDS_KEPT =
        4096, /* changes of a mid: seconds of a lively market, and more than an answer takes */
    MIDS_WAITING_FIRST = 256,
    MIDS_HORIZONS = 5
};

/* An answer may tell of a fill before the market data of that time has come. */
static const int64_t GRACE_NS = NS_PER_SECOND;

static const int64_t horizons[] = {
#define X(ns) ns,
    SPOOL_HORIZONS(X)
#undef X
};
_Static_assert(sizeof horizons / sizeof horizons[0] == MIDS_HORIZONS, "a cursor each");

struct mid {
    int64_t at, mid2; /* mid2 0: none */
};

struct history {
    struct mid *mids; /* ring, taken when the first comes */
    uint64_t count;   /* ever */
    int64_t reached;  /* the venue's clock, which never goes back here */
};

struct waiting_fill {
    uint64_t fill;
    int64_t at;
    unsigned instrument;
};

struct mids {
    unsigned instrument_count;
    struct history *histories;
    struct waiting_fill *waiting; /* ring of `capacity`, in the order told */
    size_t capacity;
    uint64_t added;
    uint64_t next[MIDS_HORIZONS]; /* the fill that waits for that horizon, as `added` counts */
    int64_t deadline;
};

int mids_open(struct mids **out, unsigned instrument_count, struct error *error)
{
    struct mids *mids = calloc(1, sizeof *mids);
    if (mids) {
        mids->instrument_count = instrument_count;
        mids->deadline = TIME_NEVER;
        mids->capacity = MIDS_WAITING_FIRST;
        mids->histories = calloc(instrument_count + 1u, sizeof *mids->histories);
        mids->waiting = calloc(mids->capacity, sizeof *mids->waiting);
    }
    if (!mids || !mids->histories || !mids->waiting) {
        mids_close(&mids);
        return error_set(error, ERROR_SYSTEM, "no memory for the run database");
    }
    *out = mids;
    return 0;
}

void mids_close(struct mids **out)
{
    struct mids *mids = *out;
    if (!mids)
        return;
    *out = NULL;
    for (unsigned i = 0; mids->histories && i < mids->instrument_count; i++)
        free(mids->histories[i].mids);
    free(mids->histories);
    free(mids->waiting);
    free(mids);
}

static int64_t mid2_of(const struct book *book)
{
    struct book_level bid, ask;
    if (!book_is_synchronised(book) || !book_best(book, SIDE_BUY, &bid) ||
        !book_best(book, SIDE_SELL, &ask))
        return 0;
    return bid.price + ask.price;
}

int mids_note(struct mids *mids, unsigned instrument, int64_t at_ns, const struct book *book,
              struct error *error)
{
    ASSERT(instrument < mids->instrument_count);
    struct history *history = &mids->histories[instrument];
    int64_t mid2 = mid2_of(book);
    if (!history->mids) {
        history->mids = calloc(MIDS_KEPT, sizeof *history->mids);
        if (!history->mids)
            return error_set(error, ERROR_SYSTEM, "no memory for the run database");
    }
    if (history->count > 0) {
        struct mid *last = &history->mids[(history->count - 1) % MIDS_KEPT];
        at_ns = at_ns > history->reached ? at_ns : history->reached;
        history->reached = at_ns;
        if (mid2 == last->mid2)
            return 0;
        if (at_ns == last->at) { /* the same frame, or a clock that went back */
            last->mid2 = mid2;
            return 0;
        }
    }
    history->reached = at_ns;
    history->mids[history->count++ % MIDS_KEPT] = (struct mid){at_ns, mid2};
    return 0;
}

/* The mid that stood at `at`; 0 where it is not known. */
static int64_t mid2_at(const struct history *history, int64_t at)
{
    uint64_t kept = history->count < MIDS_KEPT ? history->count : MIDS_KEPT;
    for (uint64_t i = 0; i < kept; i++) {
        const struct mid *mid = &history->mids[(history->count - 1 - i) % MIDS_KEPT];
        if (mid->at <= at)
            return mid->mid2;
    }
    return 0;
}

/* Of the fills that still wait for a horizon, the oldest. */
static uint64_t oldest(const struct mids *mids)
{
    uint64_t least = mids->next[0];
    for (unsigned i = 1; i < MIDS_HORIZONS; i++)
        if (mids->next[i] < least)
            least = mids->next[i];
    return least;
}

static int grow(struct mids *mids, struct error *error)
{
    struct waiting_fill *more = calloc(mids->capacity * 2, sizeof *more);
    if (!more)
        return error_set(error, ERROR_SYSTEM, "no memory for the run database");
    for (uint64_t i = oldest(mids); i < mids->added; i++)
        more[i % (mids->capacity * 2)] = mids->waiting[i % mids->capacity];
    free(mids->waiting);
    mids->waiting = more;
    mids->capacity *= 2;
    return 0;
}

static void set_deadline(struct mids *mids)
{
    mids->deadline = TIME_NEVER;
    for (unsigned i = 0; i < MIDS_HORIZONS; i++) {
        if (mids->next[i] == mids->added)
            continue;
        int64_t due = mids->waiting[mids->next[i] % mids->capacity].at + horizons[i] + GRACE_NS;
        if (due < mids->deadline)
            mids->deadline = due;
    }
}

int mids_want(struct mids *mids, unsigned instrument, uint64_t fill, int64_t at_ns,
              struct error *error)
{
    ASSERT(instrument < mids->instrument_count);
    if (mids->added - oldest(mids) == mids->capacity && grow(mids, error))
        return error->code;
    mids->waiting[mids->added++ % mids->capacity] = (struct waiting_fill){fill, at_ns, instrument};
    set_deadline(mids);
    return 0;
}

int64_t mids_deadline(const struct mids *mids)
{
    return mids->deadline;
}

/* Give the mids of one horizon to the fills whose turn has come. */
static int settle_horizon(struct mids *mids, unsigned horizon, int64_t until, mids_take *take,
                          void *context, struct error *error)
{
    while (mids->next[horizon] < mids->added) {
        const struct waiting_fill *fill = &mids->waiting[mids->next[horizon] % mids->capacity];
        int64_t due = fill->at + horizons[horizon];
        if (due > until)
            return 0;
        mids->next[horizon]++;
        const struct spool_mid mid = {fill->fill, horizons[horizon],
                                      mid2_at(&mids->histories[fill->instrument], due)};
        if (mid.mid2 != 0 && take(context, &mid, error))
            return error->code;
    }
    return 0;
}

int mids_settle(struct mids *mids, int64_t now, mids_take *take, void *context, struct error *error)
{
    for (unsigned i = 0; i < MIDS_HORIZONS; i++)
        if (settle_horizon(mids, i, now - GRACE_NS, take, context, error))
            return error->code;
    set_deadline(mids);
    return 0;
}

int mids_finish(struct mids *mids, int64_t last_ns, mids_take *take, void *context,
                struct error *error)
{
    for (unsigned i = 0; i < MIDS_HORIZONS; i++)
        if (settle_horizon(mids, i, last_ns, take, context, error))
            return error->code;
    return 0;
}
