/* Position and profit of one instrument by average cost, exact (trading-semantics 9, 10, 11, 15). */
#ifndef CAPSTAN_ENGINE_POSITION_H
#define CAPSTAN_ENGINE_POSITION_H

#include "event/event.h"

/* `exponent` is fine enough for the fees of a spot instrument, so a position is a whole number. */
struct position {
    int64_t units;        /* signed, of 10^exponent base or contracts */
    int64_t per_quantity; /* position units in one quantity unit: a power of ten */
    int exponent;
    money cost;     /* of what is held, not negative: Σ entry values less what was removed */
    money realised; /* without fees and funding */
    money fees;     /* in the profit's asset; fees in base at the fill's price */
    money funding;  /* received, signed */
    uint64_t fills;
    /* Kept apart, so that an audit can do the sums again. */
    int64_t bought, sold;           /* position units */
    int64_t base_fees;              /* position units */
    money value_bought, value_sold; /* fees in base taken out */
    int64_t adopted;                /* position units that no fill brought: an operator's, signed */
    money value_adopted;            /* what they stood for: bought less sold */
    int64_t
        adopted_as_of; /* venue time of the figure that was taken: what filled until then is in it. 0: none */
    int64_t apart; /* of `units`, what a venue that only has balances does not count as position */
    int64_t last_funding_due; /* funding booked last; a later fill from before it is added */
    int64_t last_funding_rate;
    int64_t last_funding_mark2; /* 0: nothing was known to mark by, so it was not booked */
    bool funding_missed;        /* a position stood at such a time */
};

/* An empty position of an instrument. */
void position_init(struct position *position, const struct event_definition *definition);

/* Take one fill. `price` price units, `quantity` quantity units, `base_fee` position units of base
 * that the fee took (spot, 0 else). False where a figure does not fit 128 bits; then nothing changed. */
bool position_fill(struct position *position, const struct event_definition *definition,
                   enum side side, int64_t price, int64_t quantity, int64_t base_fee);

/* Take over `units` signed position units that no fill brought, as bought or sold at `price` (price units,
 * above 0) without fee. What they close of a position is realised at that price. False where a figure does
 * not fit; then nothing changed. */
bool position_adopt(struct position *position, const struct event_definition *definition,
                    int64_t units, int64_t price);

/* Value of `units` position units at mark2 / 2, in the profit's asset: rounded half to even. False
 * where it does not fit. */
bool position_value(const struct position *position, const struct event_definition *definition,
                    int64_t units, int64_t mark2, money *out);

/* Profit of what is held, at twice the mark price. False where it does not fit. */
bool position_unrealised(const struct position *position, const struct event_definition *definition,
                         int64_t mark2, money *out);

/* Rule 15: funding of `units` signed position units; positive is received. */
bool position_funding(const struct position *position, const struct event_definition *definition,
                      int64_t units, int64_t mark2, int64_t rate, money *out);

#endif
