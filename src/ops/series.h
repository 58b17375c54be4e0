/* The recent course of profit and equity: one sample a second, the oldest dropped. The server's thread alone. */
#ifndef CAPSTAN_OPS_SERIES_H
#define CAPSTAN_OPS_SERIES_H

#include "ops/view.h"

enum { OPS_SAMPLES = 600 };

struct ops_sample {
    int64_t ts; /* the session's time */
    bool profit_known, equity_known, drawdown_known;
    money profit, equity, drawdown;
};

struct ops_series {
    struct ops_sample samples[OPS_SAMPLES];
    uint64_t count; /* ever */
};

/* Take one of a view, unless its time is that of the newest. */
void ops_series_add(struct ops_series *series, const struct ops_view *view);
/* The samples that are kept, oldest first: `index` from 0; NULL beyond. */
const struct ops_sample *ops_series_at(const struct ops_series *series, size_t index);

#endif
