/* A ring of mids an instrument, and one queue of fills with a place in it for each horizon. */
#include "store/mids.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    MIDS_KEPT =
        4096, /* changes of a mid: seconds of a lively market, and more than an answer takes */
    MIDS_WAITING = 1 << 16, /* fills of the longest horizon: over 1,000 a second */
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
    struct mid *mids; /* ring */
    uint64_t count;   /* ever */
    int64_t reached;  /* the venue's clock, which never goes back here */
};

struct waiting_fill {
    order_id order;
    struct venue_id trade;
    int64_t at, before; /* the venue's time of the fill, and the latest of what came before it */
    unsigned instrument;
};

struct mids {
    unsigned instrument_count;
    struct history *histories;
    struct mid *all;              /* the rings of all; a page of it is used when it is written */
    struct waiting_fill *waiting; /* ring of MIDS_WAITING, in the order told */
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
        mids->histories = calloc(instrument_count + 1u, sizeof *mids->histories);
        mids->all = calloc(instrument_count + 1u, MIDS_KEPT * sizeof *mids->all);
        mids->waiting = calloc(MIDS_WAITING, sizeof *mids->waiting);
    }
    if (!mids || !mids->histories || !mids->all || !mids->waiting) {
        mids_close(&mids);
        return error_set(error, ERROR_SYSTEM, "no memory for the run database");
    }
    for (unsigned i = 0; i < instrument_count; i++)
        mids->histories[i].mids = mids->all + (size_t)i * MIDS_KEPT;
    *out = mids;
    return 0;
}

void mids_close(struct mids **out)
{
    struct mids *mids = *out;
    if (!mids)
        return;
    *out = NULL;
    free(mids->histories);
    free(mids->all);
    free(mids->waiting);
    free(mids);
}

/* Twice the mid, 0 for none. False while the view is locked or crossed. */
static bool find_mid2(const struct engine *engine, unsigned instrument, int64_t *mid2)
{
    int64_t bid, ask;
    *mid2 = 0;
    if (!engine_best_prices(engine, instrument, &bid, &ask))
        return true;
    *mid2 = bid + ask;
    return bid < ask;
}

void mids_note(struct mids *mids, unsigned instrument, int64_t at_ns, const struct engine *engine)
{
    ASSERT(instrument < mids->instrument_count);
    struct history *history = &mids->histories[instrument];
    int64_t mid2;
    if (!find_mid2(engine, instrument, &mid2))
        return;
    if (history->count > 0) {
        struct mid *last = &history->mids[(history->count - 1) % MIDS_KEPT];
        at_ns = at_ns > history->reached ? at_ns : history->reached;
        history->reached = at_ns;
        if (mid2 == last->mid2)
            return;
        if (at_ns == last->at) { /* the same frame, or a clock that went back */
            last->mid2 = mid2;
            return;
        }
    }
    history->reached = at_ns;
    history->mids[history->count++ % MIDS_KEPT] = (struct mid){at_ns, mid2};
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

static void set_deadline(struct mids *mids)
{
    mids->deadline = TIME_NEVER;
    for (unsigned i = 0; i < MIDS_HORIZONS; i++) {
        if (mids->next[i] == mids->added)
            continue;
        int64_t due = mids->waiting[mids->next[i] % MIDS_WAITING].at + horizons[i] + GRACE_NS;
        if (due < mids->deadline)
            mids->deadline = due;
    }
}

void mids_want(struct mids *mids, const struct event_order_filled *fill, int64_t at_ns)
{
    ASSERT(fill->instrument < mids->instrument_count);
    if (mids->added - oldest(mids) == MIDS_WAITING)
        return;
    mids->waiting[mids->added++ % MIDS_WAITING] =
        (struct waiting_fill){fill->order, fill->trade, at_ns,
                              fill->cause == FILL_TAKE ? at_ns : at_ns - 1, fill->instrument};
    set_deadline(mids);
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
        const struct waiting_fill *fill = &mids->waiting[mids->next[horizon] % MIDS_WAITING];
        int64_t due = fill->at + horizons[horizon];
        if (due > until)
            return 0;
        mids->next[horizon]++;
        int64_t at = horizons[horizon] == 0 ? fill->before : due;
        const struct spool_mid mid = {fill->order, fill->trade, horizons[horizon],
                                      mid2_at(&mids->histories[fill->instrument], at)};
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
    for (unsigned i = 0; i < MIDS_HORIZONS; i++)
        mids->next[i] = mids->added;
    for (unsigned i = 0; i < mids->instrument_count; i++)
        mids->histories[i].count = 0;
    mids->deadline = TIME_NEVER;
    return 0;
}
