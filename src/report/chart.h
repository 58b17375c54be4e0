/* The data of the page's charts: series thinned to what a screen shows, as JSON. Their figures are for pixels
 * only; what is read as a figure stands in the tables. */
#ifndef CAPSTAN_REPORT_CHART_H
#define CAPSTAN_REPORT_CHART_H

#include <stdio.h>

#include "report/report.h"

/* A chart of one thing in each run; a run without it has NULL. */
struct chart {
    const char *title; /* asset or instrument */
    const struct run_series *series[REPORT_RUNS_MAX];
};

enum { CHART_INVENTORIES_MAX = 48 };

/* Equity of each asset that one of the runs has; returns how many, at most `capacity`. */
size_t chart_equities(const struct run *runs, unsigned count, struct chart *charts,
                      size_t capacity);
/* Inventory of each instrument that was ever held, likewise. */
size_t chart_inventories(const struct run *runs, unsigned count, struct chart *charts,
                         size_t capacity);

/* One chart as a JSON object. */
struct chart_style {
    const char *prefix; /* of the id of its place, which a number follows */
    bool drawdown, step;
};
void chart_json(FILE *stream, const struct chart *chart, size_t number,
                const struct chart_style *style, const struct run *runs, unsigned count);

#endif
