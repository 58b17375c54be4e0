/* See view.h. */
#include "ops/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

/* The loop gives a sign of life once a second, venues' threads more often. */
#define SILENT_NS (5 * NS_PER_SECOND)

bool ops_is_ready(int64_t last_quote, int64_t now)
{
    if (last_quote == OPS_NO_QUOTE || last_quote == OPS_DRAINING || last_quote > now)
        return false;
    int64_t age;
    return !__builtin_sub_overflow(now, last_quote, &age) && age < OPS_READY_NS;
}

static bool make_room(struct ops_view *view, const struct event_names *names)
{
    if (view->instrument_capacity < names->instrument_count) {
        free(view->instruments);
        view->instruments = calloc(names->instrument_count, sizeof *view->instruments);
        view->instrument_capacity = view->instruments ? names->instrument_count : 0;
    }
    if (view->rate_capacity < names->asset_count) {
        free(view->rates);
        view->rates = calloc(names->asset_count, sizeof *view->rates);
        view->rate_capacity = view->rates ? names->asset_count : 0;
    }
    return view->instrument_capacity >= names->instrument_count &&
           view->rate_capacity >= names->asset_count;
}

/* Copy a cell, if the writer lets us; else what was copied last stands. True: there was ever something. */
static bool take_cell(struct ops_view *view, struct ops_cell *cell, void *into, size_t size,
                      bool known)
{
    ASSERT(size <= sizeof view->spare);
    if (!ops_cell_read(cell, &view->spare, size))
        return known;
    memcpy(into, &view->spare, size);
    return true;
}

/* Another session: nothing of the last one stands. */
static void forget(struct ops_view *view)
{
    view->account_known = false;
    for (size_t i = 0; i < view->instrument_capacity; i++)
        view->instruments[i].known = false;
    for (size_t v = 0; v < EVENT_VENUES_MAX; v++)
        view->venues[v].known = false;
}

/* Orders stand behind the rest and are published as far as they go; what is behind them is old. */
static void take_instruments(struct ops_view *view)
{
    view->gates = 0;
    for (unsigned i = 0; i < view->names->instrument_count; i++) {
        struct ops_view_instrument *instrument = &view->instruments[i];
        instrument->known = take_cell(view, view->collect->instruments[i], &instrument->now,
                                      sizeof instrument->now, instrument->known);
        if (instrument->known && instrument->now.status.enabled)
            view->gates |= instrument->now.status.gates;
    }
}

static void take_venues(struct ops_view *view)
{
    const struct ops_session *session = &view->collect->session;
    for (unsigned v = 0; v < view->names->venue_count; v++) {
        struct ops_view_venue *venue = &view->venues[v];
        const struct ops_venue_figures *figures = &view->collect->venues[v];
        bool up = atomic_load(&figures->feed_up);
        venue->known =
            take_cell(view, figures->status, &venue->status, sizeof venue->status, venue->known);
        venue->health = (struct ops_venue_health){.market = up, .account = up};
        if (session->venue_health)
            session->venue_health(session->context, v, &venue->health);
        if (venue->health.alive != 0 && view->now - venue->health.alive >= SILENT_NS)
            venue->health.market = venue->health.account = false;
    }
    view->database = session->database ? session->database(session->context) : OPS_CHECK_NONE;
}

static bool any_paused(const struct ops_view *view)
{
    for (unsigned i = 0; i < view->names->instrument_count; i++)
        if (view->instruments[i].known && view->instruments[i].now.status.paused)
            return true;
    return false;
}

static bool any_down(const struct ops_view *view)
{
    for (unsigned v = 0; v < view->names->venue_count; v++)
        if (!view->venues[v].health.market || !view->venues[v].health.account)
            return true;
    return false;
}

static bool is_silent(const struct ops_view *view)
{
    const struct ops_session *session = &view->collect->session;
    int64_t alive = session->alive ? atomic_load(session->alive) : view->now;
    return alive <= view->now && view->now - alive >= SILENT_NS;
}

static uint32_t reasons_of(const struct ops_view *view)
{
    uint32_t reasons = 0;
#define SAY(name, condition)                                                                       \
    if (condition)                                                                                 \
    reasons |= UINT32_C(1) << OPS_REASON_##name
    if (!view->collect)
        return UINT32_C(1) << (view->ended ? OPS_REASON_DRAINING : OPS_REASON_STARTING);
    int64_t quote = view->last_quote;
    bool told = quote != OPS_DRAINING && quote != OPS_NO_QUOTE;
    SAY(DRAINING, quote == OPS_DRAINING);
    SAY(RECORDING, !view->collect->session.engine);
    SAY(NO_QUOTE, quote == OPS_NO_QUOTE);
    SAY(OLD_QUOTE, told && quote <= view->now);
    SAY(CLOCK, told && quote > view->now);
    SAY(SILENT, view->silent);
    SAY(PAUSED, any_paused(view));
    SAY(VENUE_DOWN, any_down(view));
#undef SAY
    return reasons;
}

const struct engine_database_status *ops_view_database(const struct ops_view *view)
{
    bool known = view->collect && view->account_known && view->database != OPS_CHECK_NONE;
    return known ? &view->account.database : NULL;
}

bool ops_view_take(struct ops_view *view, struct ops_collect *collect)
{
    const bool is_other = collect != view->collect;
    view->collect = collect;
    view->ready = view->silent = false;
    view->account_known = view->account_known && collect;
    if (collect) {
        view->names = collect->session.names;
        if (!make_room(view, view->names))
            return false;
        if (is_other)
            forget(view);
        /* First the quote, then the time: so no clock that never goes back makes it a future one. */
        view->last_quote = atomic_load(&collect->last_quote);
        view->now = clock_now(collect->session.clock);
        view->ready = ops_is_ready(view->last_quote, view->now);
        view->silent = is_silent(view);
        view->account_known = take_cell(view, collect->account, &view->account,
                                        sizeof view->account, view->account_known);
        for (unsigned asset = 0; asset < view->names->asset_count; asset++)
            if (!ops_cell_read(collect->rates[asset], &view->rates[asset],
                               sizeof view->rates[asset]))
                view->rates[asset].from = EVENT_NONE_16;
        take_instruments(view);
        take_venues(view);
        ops_value(view);
    }
    view->reasons = view->ready ? 0 : reasons_of(view);
    return true;
}

void ops_view_free(struct ops_view *view)
{
    free(view->instruments);
    free(view->rates);
    memset(view, 0, sizeof *view);
}
