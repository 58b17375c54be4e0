/* See binance_us_sign.h. */
#include "venue/live/binance_us_sign.h"

#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { DIGEST_BYTES = 32 };

/* The key's traces in the context are wiped by the library when it is freed. */
static bool digest(const char *secret, const char *query, size_t query_length, const char *body,
                   size_t body_length, unsigned char out[DIGEST_BYTES])
{
    char name[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end()};
    size_t length = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool good = context &&
                EVP_MAC_init(context, (const unsigned char *)secret, strlen(secret), parameters) &&
                EVP_MAC_update(context, (const unsigned char *)query, query_length) &&
                EVP_MAC_update(context, (const unsigned char *)body, body_length) &&
                EVP_MAC_final(context, out, &length, DIGEST_BYTES) && length == DIGEST_BYTES;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return good;
}

int binance_us_signature(const char *secret, const char *query, size_t query_length,
                         const char *body, size_t body_length, char out[BINANCE_US_SIGNATURE_MAX],
                         struct error *error)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[DIGEST_BYTES];
    if (!digest(secret, query, query_length, body, body_length, bytes))
        return error_set(error, ERROR_SYSTEM, "HMAC-SHA256 is refused by the OpenSSL library");
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * DIGEST_BYTES] = '\0';
    return 0;
}

/* --- parameters ------------------------------------------------------------------------------------ */

static void put(struct binance_us_parameters *parameters, char byte)
{
    if (parameters->length + 1 >= sizeof parameters->text) {
        parameters->full = true;
        return;
    }
    parameters->text[parameters->length++] = byte;
    parameters->text[parameters->length] = '\0';
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void put_encoded(struct binance_us_parameters *parameters, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (is_unreserved(*text)) {
            put(parameters, *text);
            continue;
        }
        put(parameters, '%');
        put(parameters, digits[byte >> 4]);
        put(parameters, digits[byte & 15]);
    }
}

void binance_us_add(struct binance_us_parameters *parameters, const char *name, const char *value)
{
    if (parameters->length > 0)
        put(parameters, '&');
    for (; *name; name++)
        put(parameters, *name);
    put(parameters, '=');
    put_encoded(parameters, value);
}

void binance_us_add_integer(struct binance_us_parameters *parameters, const char *name,
                            int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    binance_us_add(parameters, name, text);
}

int binance_us_sign(struct binance_us_parameters *parameters, const char *secret,
                    struct error *error)
{
    char signature[BINANCE_US_SIGNATURE_MAX];
    int code =
        binance_us_signature(secret, parameters->text, parameters->length, "", 0, signature, error);
    if (code)
        return code;
    binance_us_add(parameters, "signature", signature);
    return parameters->full
               ? error_set(error, ERROR_INPUT, "more than %d bytes of parameters in one request",
                           BINANCE_US_PARAMETERS_MAX - 1)
               : 0;
}
