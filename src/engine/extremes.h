/* The lowest and the highest value of a sliding window, in bounded memory and steady time: the window is
 * kept in parts, and only the newest part is touched by a value. */
#ifndef CAPSTAN_ENGINE_EXTREMES_H
#define CAPSTAN_ENGINE_EXTREMES_H

#include "event/event.h"

struct walker;

enum { EXTREMES_PARTS = 32 }; /* of a window; one more is kept, so that the window is never short */

struct extremes {
    int64_t low[EXTREMES_PARTS + 1], high[EXTREMES_PARTS + 1];
    uint32_t counts[EXTREMES_PARTS + 1]; /* values; a part without any has no low and high */
    int64_t part;                        /* number of the newest part: time / length of a part */
    int64_t older_low, older_high;       /* over all parts but the newest */
    uint32_t older_count;
};

/* Move on to `now`. What is older than the window and one part of it is forgotten. `standing` above 0 is
 * the value that held on from the last one: it counts in each part begun since. */
void extremes_advance(struct extremes *extremes, int64_t now, int64_t window, int64_t standing);
/* One value, at the time of the last advance. */
void extremes_add(struct extremes *extremes, int64_t value);
/* Over the window; false where it holds no value. */
bool extremes_get(const struct extremes *extremes, int64_t *low, int64_t *high, uint32_t *count);
void extremes_walk(struct walker *walker, const struct extremes *extremes, const char *name,
                   unsigned instrument);

#endif
