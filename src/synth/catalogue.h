/* The made venues, assets and instruments, and how their market is quoted. */
#ifndef CAPSTAN_SYNTH_CATALOGUE_H
#define CAPSTAN_SYNTH_CATALOGUE_H

#include "event/event.h"
#include "synth/synth.h"

enum { CATALOGUE_ASSETS_MAX = SYNTH_INSTRUMENTS_MAX / 3, CATALOGUE_VENUES_MAX = 3 };

/* Names and definitions of a number of instruments; `names` points into the rest. */
struct catalogue {
    struct event_names names;
    struct event_definition definitions[SYNTH_INSTRUMENTS_MAX];
    int64_t price_ticks[SYNTH_INSTRUMENTS_MAX]; /* best bid at the start, in steps */
    /* What the model counts in: price and quantity units of one step and one lot of its. */
    int64_t price_step[SYNTH_INSTRUMENTS_MAX], quantity_step[SYNTH_INSTRUMENTS_MAX];
    bool has_trades
        [SYNTH_INSTRUMENTS_MAX]; /* the venue tells trades and best prices apart from depth */
    bool has_mark[SYNTH_INSTRUMENTS_MAX];
    uint64_t
        stream[SYNTH_INSTRUMENTS_MAX]; /* of chance: a market doesn't depend on its neighbours */
    char symbol_text[SYNTH_INSTRUMENTS_MAX][16];
    char asset_text[CATALOGUE_ASSETS_MAX + 1][4];
    const char *symbols[SYNTH_INSTRUMENTS_MAX];
    const char *assets[CATALOGUE_ASSETS_MAX + 1];
    const char *venues[CATALOGUE_VENUES_MAX];
};

/* Fill for the first `instruments` of: AAA spot, linear, inverse, BBB spot, linear … */
void catalogue_init(struct catalogue *catalogue, unsigned instruments);

/* Fill with the instruments of the venues that live mode trades on: BTC and ETH at binance_us and coinbase, BTC
 * and EUR at oanda, all against USD. */
void catalogue_init_live(struct catalogue *catalogue);

#endif
