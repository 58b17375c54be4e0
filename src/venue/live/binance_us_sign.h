/* Binance.US's signature of a request: HMAC-SHA256 over its query and its body as they are sent, put on the
 * end as `signature` ("SIGNED endpoint security"); and the texts that both are made of. No I/O. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_US_SIGN_H
#define CAPSTAN_VENUE_LIVE_BINANCE_US_SIGN_H

#include "base/error.h"

enum {
    BINANCE_US_SIGNATURE_MAX = 65,   /* 64 hexadecimal digits and a NUL */
    BINANCE_US_PARAMETERS_MAX = 1920 /* so that address, path and query fit into one URL */
};

/* Lower-case hexadecimal of HMAC-SHA256(secret, query || body), with nothing between the two ("mixed" requests
 * have no '&' there). Either part may be empty. ERROR_SYSTEM where the library refuses. */
int binance_us_signature(const char *secret, const char *query, size_t query_length,
                         const char *body, size_t body_length, char out[BINANCE_US_SIGNATURE_MAX],
                         struct error *error);

/* Parameters of a request in the order in which they are added: "symbol=BTCUSD&side=BUY". Start from zero.
 * `full` is set where one found no room; the text is then not to be sent. */
struct binance_us_parameters {
    char text[BINANCE_US_PARAMETERS_MAX];
    size_t length;
    bool full;
};

/* Add name=value. Of the value every byte but letters, digits and -._~ is percent-encoded (RFC 3986): what is
 * signed is exactly what is sent. */
void binance_us_add(struct binance_us_parameters *parameters, const char *name, const char *value);
void binance_us_add_integer(struct binance_us_parameters *parameters, const char *name,
                            int64_t value);
/* Add the signature of all that was added before. */
int binance_us_sign(struct binance_us_parameters *parameters, const char *secret,
                    struct error *error);

#endif
