/* What clients prove who they are with, as the venue checks it: HMAC-SHA-256, and JSON web tokens signed
 * with ES256 or EdDSA. */
#ifndef CAPSTAN_EXCHANGE_SIGNATURES_H
#define CAPSTAN_EXCHANGE_SIGNATURES_H

#include "base/integer.h"

enum { HMAC_HEX_MAX = 65 };

/* Lower-case hexadecimal HMAC-SHA-256 of `length` bytes under the NUL-ended `secret`. */
void hmac_sha256_hex(const char *secret, const void *bytes, size_t length, char out[HMAC_HEX_MAX]);
/* Whether two texts are the same but for case, in a time that tells nothing. */
bool signature_equal(const char *a, const char *b);

/* A token's parts, decoded. Point into `memory`. */
struct web_token {
    const char *header, *claims; /* JSON texts */
    const unsigned char *signature;
    size_t signature_length;
    size_t signed_length; /* of the token, up to its second point */
    char memory[8192];
};

/* Take "a.b.c" apart; false where it is no token, or longer than `memory`. */
bool web_token_read(const char *token, struct web_token *out);
/* Whether `algorithm` ("ES256" or "EdDSA") over the first `signed_length` bytes of `token` gives the signature
 * under the key pair in `secret`: a private key as PEM (EC P-256 or Ed25519; line ends may be written
 * backslash n), or base64 of an Ed25519 seed of 32 bytes or of seed and public key. */
bool web_token_verify(const char *secret, const char *algorithm, const char *token,
                      const struct web_token *parts);

#endif
