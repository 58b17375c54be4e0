/* What our fills were worth a little later: the mid then against the fill's price, less the fee
 * (trading-semantics 23, edge; 33, markout). */
#ifndef CAPSTAN_ENGINE_MARKOUTS_H
#define CAPSTAN_ENGINE_MARKOUTS_H

#include "event/event.h"

struct walker;

enum {
    MARKOUTS_PENDING = 64, /* fills that wait; past that a fill is not measured */
    MARKOUTS_KEPT = 128    /* fills that the mean is taken over, at most */
};

struct pending_markout {
    int64_t due; /* ts, ns */
    int64_t price;
    int64_t fee; /* 1e-9 of the value */
    uint8_t side;
};

struct markouts {
    struct pending_markout pending[MARKOUTS_PENDING]; /* ring, in the order of the fills */
    uint32_t first, waiting;
    double values[MARKOUTS_KEPT]; /* ring: of the fill's value, after fees */
    uint64_t count;               /* ever, since the last reset */
};

/* A fill whose markout is taken at `due`. */
void markouts_add(struct markouts *markouts, struct pending_markout fill);
/* Measure what is due by `now` by the mid that stood until now (twice the price; 0: none, those fills are
 * left out). Returns how many were measured. */
unsigned markouts_settle(struct markouts *markouts, int64_t now, int64_t mid2);
/* When the oldest waiting fill is due, TIME_NEVER for none. */
int64_t markouts_deadline(const struct markouts *markouts);
/* The mean of the last fills (at most MARKOUTS_KEPT) is below 0 by `errors` standard errors. False with
 * fewer than `least` fills. */
bool markouts_are_bad(const struct markouts *markouts, uint64_t least, double errors);
/* The mean of the last fills, of their value, after fees. False with fewer than `least`. */
bool markouts_mean(const struct markouts *markouts, uint64_t least, double *mean);
void markouts_walk(struct walker *walker, const struct markouts *markouts, unsigned instrument);

#endif
