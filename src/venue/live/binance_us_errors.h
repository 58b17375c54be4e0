/* What Binance.US's error codes and texts mean for an order ("Errors", "REST API: error messages for order
 * issues"). One table. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_US_ERRORS_H
#define CAPSTAN_VENUE_LIVE_BINANCE_US_ERRORS_H

#include "venue/live/binance_us_decode.h"

/* X(code, part of the text, reject): the first row that fits counts. An empty part fits any text. */
#define BINANCE_US_ERRORS(X)                                                                       \
    X(-1002, "", REJECT_OTHER)                    /* not authorised */                             \
    X(-1003, "", REJECT_RATE)                     /* too many requests */                          \
    X(-1008, "", REJECT_RATE)                     /* overloaded: retry later */                    \
    X(-1013, "PRICE_FILTER", REJECT_PRICE)        /* least, most or tick */                        \
    X(-1013, "PERCENT_PRICE", REJECT_PRICE)       /* also ..._BY_SIDE */                           \
    X(-1013, "LOT_SIZE", REJECT_LOT)              /* also MARKET_LOT_SIZE */                       \
    X(-1013, "NOTIONAL", REJECT_MINIMUM_NOTIONAL) /* also MIN_NOTIONAL */                          \
    X(-1013, "MAX_NUM_", REJECT_FULL)             /* orders of a symbol or of all */               \
    X(-1013, "MAX_POSITION", REJECT_QUANTITY)                                                      \
    X(-1013, "price", REJECT_PRICE)       /* "Invalid price." */                                   \
    X(-1013, "quantity", REJECT_QUANTITY) /* "Invalid quantity." */                                \
    X(-1014, "", REJECT_UNSUPPORTED)      /* order composition */                                  \
    X(-1015, "", REJECT_RATE)             /* too many orders */                                    \
    X(-1016, "", REJECT_HALTED)           /* service shutting down */                              \
    X(-1020, "", REJECT_UNSUPPORTED)                                                               \
    X(-1021, "", REJECT_OTHER)       /* timestamp: the clock is asked for anew */                  \
    X(-1022, "", REJECT_OTHER)       /* signature */                                               \
    X(-1100, "", REJECT_OTHER)       /* illegal characters */                                      \
    X(-1102, "", REJECT_OTHER)       /* a parameter is missing */                                  \
    X(-1106, "", REJECT_UNSUPPORTED) /* a parameter that is not wanted */                          \
    X(-1111, "", REJECT_LOT)         /* more decimals than the asset has */                        \
    X(-1112, "", REJECT_NO_BOOK)     /* no orders on the book */                                   \
    X(-1114, "", REJECT_UNSUPPORTED) /* timeInForce not wanted */                                  \
    X(-1115, "", REJECT_UNSUPPORTED) /* timeInForce */                                             \
    X(-1116, "", REJECT_UNSUPPORTED) /* order type */                                              \
    X(-1121, "", REJECT_UNSUPPORTED) /* symbol */                                                  \
    X(-2010, "insufficient balance", REJECT_FUNDS)                                                 \
    X(-2010, "immediately match and take", REJECT_POST_ONLY)                                       \
    X(-2010, "Duplicate order", REJECT_DUPLICATE)                                                  \
    X(-2010, "Market is closed", REJECT_HALTED)                                                    \
    X(-2010, "action is disabled", REJECT_HALTED) /* on this account */                            \
    X(-2010, "action disabled", REJECT_HALTED)                                                     \
    X(-2010, "not supported", REJECT_UNSUPPORTED)                                                  \
    X(-2010, "not permitted", REJECT_UNSUPPORTED)                                                  \
    X(-2010, "QTY is zero or less", REJECT_QUANTITY)                                               \
    X(-2010, "immediately trigger", REJECT_PRICE)                                                  \
    X(-2011, "Unknown order", REJECT_NOT_FOUND) /* filled, cancelled or never there */             \
    X(-2011, "cancel restrictions", REJECT_OTHER)                                                  \
    X(-2013, "", REJECT_NOT_FOUND)                                                                 \
    X(-2014, "", REJECT_OTHER)  /* key */                                                          \
    X(-2015, "", REJECT_OTHER)  /* key, address or rights */                                       \
    X(-2016, "", REJECT_HALTED) /* no trading window */                                            \
    X(-2018, "", REJECT_FUNDS)                                                                     \
    X(-2019, "", REJECT_FUNDS)                                                                     \
    X(-2026, "", REJECT_NOT_FOUND) /* archived: nothing filled, long ago */

/* The reject that an error of the venue is; REJECT_OTHER and `known` false where no row fits. */
enum reject binance_us_reject(const struct binance_us_error *error, bool *known);
/* A code with which the venue says that it does not know what became of the request. */
bool binance_us_is_unknown(int64_t code);
/* A key that the venue does not take, or that may not do this: asking again is of no use. */
bool binance_us_is_key(int64_t code);

enum {
    BINANCE_US_CODE_TOO_MANY_REQUESTS = -1003,
    BINANCE_US_CODE_TOO_MANY_ORDERS = -1015,
    BINANCE_US_CODE_TIMESTAMP = -1021,
    BINANCE_US_CODE_LISTEN_KEY = -1125, /* there is no such key (any more) */
    BINANCE_US_CODE_NO_ORDER = -2013,
    BINANCE_US_CODE_ARCHIVED = -2026
};

#endif
