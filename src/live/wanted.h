/* What a live session is to trade or record: the setting live.instruments, by venue. */
#ifndef CAPSTAN_LIVE_WANTED_H
#define CAPSTAN_LIVE_WANTED_H

#include "config/config.h"
#include "live/live_venue.h"

enum { WANTED_SYMBOLS_MAX = 256 }; /* of one venue */

struct wanted_venue {
    const struct adapter_kind *kind;
    const char *symbols[WANTED_SYMBOLS_MAX]; /* in the order given */
    size_t symbol_count;
};

struct wanted {
    struct wanted_venue *venues[LIVE_VENUES_MAX]; /* by name */
    const char *names[LIVE_VENUES_MAX];
    size_t count;
    char *text; /* what the names point into */
};

/* Read `text` ("binance_us:BTCUSD coinbase:BTC-USD"). ERROR_INPUT names the word and what was expected: a
 * venue that there is an adapter for, a symbol that could be one, nothing twice. Free it also after an
 * error; zero it before. */
int wanted_read(struct wanted *wanted, const char *text, struct error *error);
void wanted_free(struct wanted *wanted);

#endif
