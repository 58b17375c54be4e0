/* The correction of one recording clock against the venue's (trading-semantics 2).
 *
 * The receive times of all files of an import are taken for one clock. In each window of 600 s of
 * receive time, aligned to UTC, m is the least difference of receive and venue time over all streams
 * that have a venue time; floor - m is the correction at the window's middle. A window whose
 * messages span less than 60 s joins the window before it, or, being the first, the one after it:
 * the least m of both then stands at the middle of the window joined. */
#ifndef CAPSTAN_IMPORT_CLOCK_CORRECTION_H
#define CAPSTAN_IMPORT_CLOCK_CORRECTION_H

#include "base/error.h"

#define CLOCK_WINDOW_NS          INT64_C(600000000000)
#define CLOCK_WINDOW_SPAN_MIN_NS INT64_C(60000000000)

struct clock_window {
    int64_t start_ns;          /* aligned */
    int64_t first_ns, last_ns; /* receive times of the messages counted */
    int64_t minimum_ns;        /* m */
    int64_t correction_ns;     /* floor - m; after clock_correction_finish */
    uint32_t joined;           /* short windows that this one took in */
};

/* Windows in order of time. Start from all zero. */
struct clock_correction {
    struct clock_window *windows;
    size_t count, capacity, last;
    int64_t floor_ns;
};

/* Count one message: its raw receive time and its venue time. ERROR_SYSTEM without memory. */
int clock_correction_add(struct clock_correction *clock, int64_t receive_ns, int64_t venue_ns,
                         struct error *error);
/* Join short windows and compute the corrections. Without any window the correction is 0. */
void clock_correction_finish(struct clock_correction *clock, int64_t floor_ns);
/* The correction at a raw receive time; between middles rounded down to 1 ns. */
int64_t clock_correction_at(const struct clock_correction *clock, int64_t receive_ns);
void clock_correction_free(struct clock_correction *clock);

#endif
