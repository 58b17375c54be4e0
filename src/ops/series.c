/* See series.h. */
#include "ops/series.h"

void ops_series_add(struct ops_series *series, const struct ops_view *view)
{
    const struct engine_account_state *state = &view->account.state;
    struct ops_sample sample = {.ts = view->now,
                                .profit_known = view->profit_known,
                                .equity_known = view->equity_known,
                                .profit = view->profit,
                                .equity = view->equity};
    if (!view->collect || !view->account_known ||
        (series->count > 0 && series->samples[(series->count - 1) % OPS_SAMPLES].ts >= view->now))
        return;
    sample.drawdown_known =
        state->known && money_try_subtract(state->peak, state->profit, &sample.drawdown);
    series->samples[series->count++ % OPS_SAMPLES] = sample;
}

const struct ops_sample *ops_series_at(const struct ops_series *series, size_t index)
{
    uint64_t first = series->count > OPS_SAMPLES ? series->count - OPS_SAMPLES : 0;
    return first + index < series->count ? &series->samples[(first + index) % OPS_SAMPLES] : NULL;
}
