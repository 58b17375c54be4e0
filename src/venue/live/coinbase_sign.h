/* Web tokens with which Coinbase Advanced Trade knows who asks (RFC 7519, as its own client makes them): ES256 with
 * an EC key, EdDSA with an Ed25519 key. A token is bound to one method and path, and good for two minutes. No
 * I/O and no clock.
 *
 * The key is read from its text for each token: the text stands in locked memory (credentials.h), the library's
 * copy lives only for the signing and is wiped by it. */
#ifndef CAPSTAN_VENUE_LIVE_COINBASE_SIGN_H
#define CAPSTAN_VENUE_LIVE_COINBASE_SIGN_H

#include "base/error.h"

enum {
    COINBASE_SIGNATURE_BYTES = 64, /* of either algorithm */
    COINBASE_NONCE_DIGITS = 64,    /* hexadecimal */
    COINBASE_TOKEN_SECONDS = 120,  /* the longest life that the venue allows */
    COINBASE_KEY_NAME_MAX = 256,
    COINBASE_URI_MAX = 512,
    COINBASE_TOKEN_MAX = 3072
};

/* What a token says. */
struct coinbase_claims {
    const char *key_name;
    const char
        *uri; /* "GET api.coinbase.com/api/v3/brokerage/accounts", no query; NULL: a websocket's */
    const char *nonce; /* 64 hexadecimal digits, never twice */
    int64_t from_s;    /* nbf, seconds of the venue's clock; what lies ahead of it is refused */
};

/* Whether key name and key are of any use: ERROR_INPUT says what was expected, without a byte of the key. A key
 * is SEC1 or PKCS #8 PEM of an EC key on P-256 (line ends may stand as \n) or PKCS #8 of an Ed25519 one, or
 * base64 of a 32-byte seed, with or without the 32 bytes of the public key behind it. */
int coinbase_check_key(const char *key_name, const char *secret, struct error *error);

/* The token, with NUL: base64url of header, claims and signature, joined by dots. ERROR_INPUT where a part is too
 * long or the key can't be read, ERROR_SYSTEM where the library refuses. */
int coinbase_token(const struct coinbase_claims *claims, const char *secret,
                   char out[COINBASE_TOKEN_MAX], struct error *error);

/* Sign bytes as a token's signature: ES256 is R and S, 32 bytes each (RFC 7518, 3.4), EdDSA RFC 8037's. */
int coinbase_sign(const char *secret, const char *text, size_t length,
                  unsigned char out[COINBASE_SIGNATURE_BYTES], struct error *error);
/* An ECDSA signature in DER as R and S, padded on the left. False where it is none of P-256. */
bool coinbase_raw_signature(const unsigned char *der, size_t length,
                            unsigned char out[COINBASE_SIGNATURE_BYTES]);

#endif
