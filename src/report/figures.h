/* The tables of one run, in the order in which a report shows them. */
#ifndef CAPSTAN_REPORT_FIGURES_H
#define CAPSTAN_REPORT_FIGURES_H

#include "report/run.h"
#include "report/table.h"

/* X(name, what fills it): enum FIGURES_name in this order. */
#define FIGURES(X)                                                                                 \
    X(provenance)                                                                                  \
    X(account)                                                                                     \
    X(profit)                                                                                      \
    X(chain)                                                                                       \
    X(fills)                                                                                       \
    X(markouts)                                                                                    \
    X(fill_rate)                                                                                   \
    X(orders)                                                                                      \
    X(breakers)                                                                                    \
    X(not_quoting)                                                                                 \
    X(gates)                                                                                       \
    X(latency)                                                                                     \
    X(fees)

enum figures_table {
#define X(name) FIGURES_##name,
    FIGURES(X)
#undef X
        FIGURES_COUNT
};

/* Fill `tables`; close them with figures_close, also on failure. ERROR_SYSTEM where memory ran out. */
int figures_make(const struct run *run, struct table tables[FIGURES_COUNT], struct error *error);
void figures_close(struct table tables[FIGURES_COUNT]);

#endif
