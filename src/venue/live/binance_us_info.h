/* What Binance.US tells of its instruments and its rate limits: exchangeInfo, and the headers of answers that
 * tell how much of a limit is used. Bytes in, values or an error out. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_US_INFO_H
#define CAPSTAN_VENUE_LIVE_BINANCE_US_INFO_H

#include "venue/live/adapter.h"
#include "venue/live/binance_us_decode.h"

enum { BINANCE_US_LIMITS_MAX = 16 };

/* X(name, the venue's word, header that tells its use) */
#define BINANCE_US_LIMIT_TYPES(X)                                                                  \
    X(BINANCE_US_WEIGHT, "REQUEST_WEIGHT", "x-mbx-used-weight-")                                   \
    X(BINANCE_US_ORDERS, "ORDERS", "x-mbx-order-count-")                                           \
    X(BINANCE_US_RAW_REQUESTS, "RAW_REQUESTS", "x-mbx-raw-requests-")

enum binance_us_limit_type {
#define X(name, word, header) name,
    BINANCE_US_LIMIT_TYPES(X)
#undef X
        BINANCE_US_LIMIT_TYPE_COUNT
};

/* So many of a kind in each interval. */
struct binance_us_limit {
    uint8_t type; /* enum binance_us_limit_type */
    int64_t interval_ns;
    uint64_t limit;
};

/* What of an instrument is not as orders of ours want it. */
enum {
    BINANCE_US_NO_POST_ONLY = 1,   /* LIMIT_MAKER is not among its order types */
    BINANCE_US_NO_REPLACE = 2,     /* cancelReplace is not allowed */
    BINANCE_US_LEAST_ABOVE_LOT = 4 /* minQty is more than stepSize */
};

struct binance_us_info {
    struct binance_us_limit limits[BINANCE_US_LIMITS_MAX];
    size_t limit_count;
};

/* Read exchangeInfo. `found`, `present` and `notes` (may be NULL) are by place in `symbols`; `found` is
 * filled but for fees and for the tape's numbers, `present` says for which places. Units: a price unit is that of
 * the tick, a quantity unit the finer of lot and commission (ARCHITECTURE.md). Where a filter is absent or off
 * (0), the venue's precision of the asset stands in its place. ERROR_INPUT names symbol and field. */
int binance_us_read_info(const char *bytes, size_t length, const char *const *symbols, size_t count,
                         struct adapter_instrument *found, bool *present, uint8_t *notes,
                         struct binance_us_info *info, struct error *error);

/* A header ("x-mbx-used-weight-1m", in lower case) that tells the use of a limit; false for any other. */
bool binance_us_read_use(const char *name, const char *value, uint8_t *type, int64_t *interval_ns,
                         uint64_t *used);

#endif
