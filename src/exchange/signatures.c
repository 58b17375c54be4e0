/* See exchange/signatures.h. */
#include "exchange/signatures.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { SEED_BYTES = 32, ES256_BYTES = 64, DER_BYTES_MAX = 96 };

void hmac_sha256_hex(const char *secret, const void *bytes, size_t length, char out[HMAC_HEX_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    const unsigned char *made =
        HMAC(EVP_sha256(), secret, (int)strlen(secret), bytes, length, digest, &digest_length);
    ASSERT(made && digest_length == 32);
    for (unsigned i = 0; i < digest_length; i++)
        snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
}

bool signature_equal(const char *a, const char *b)
{
    size_t length = strlen(a);
    if (strlen(b) != length)
        return false;
    unsigned different = 0;
    for (size_t i = 0; i < length; i++)
        different |= (unsigned)(tolower((unsigned char)a[i]) ^ tolower((unsigned char)b[i]));
    return different == 0;
}

/* --- base64 ------------------------------------------------------------------------------------ */

static int base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+' || digit == '-')
        return 62;
    return digit == '/' || digit == '_' ? 63 : -1;
}

/* Either alphabet, padding or not. Returns the bytes, or SIZE_MAX where it is none or does not fit. */
static size_t base64_decode(const char *text, size_t length, unsigned char *out, size_t capacity)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t used = 0;
    while (length > 0 && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (used == capacity)
            return SIZE_MAX;
        out[used++] = (unsigned char)(bits >> have & 0xff);
    }
    return used;
}

/* --- tokens ------------------------------------------------------------------------------------ */

/* One part, with a NUL behind it. Returns where the next may stand, or NULL. */
static char *decode_part(char *at, const char *end, const char *text, size_t length,
                         size_t *decoded)
{
    size_t room = (size_t)(end - at);
    if (room < 1)
        return NULL;
    *decoded = base64_decode(text, length, (unsigned char *)at, room - 1);
    if (*decoded == SIZE_MAX)
        return NULL;
    at[*decoded] = '\0';
    return at + *decoded + 1;
}

bool web_token_read(const char *token, struct web_token *out)
{
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.'))
        return false;
    char *at = out->memory;
    const char *end = out->memory + sizeof out->memory;
    size_t length;
    out->header = at;
    at = decode_part(at, end, token, (size_t)(first - token), &length);
    if (!at)
        return false;
    out->claims = at;
    at = decode_part(at, end, first + 1, (size_t)(second - first - 1), &length);
    if (!at)
        return false;
    out->signature = (const unsigned char *)at;
    out->signed_length = (size_t)(second - token);
    return decode_part(at, end, second + 1, strlen(second + 1), &out->signature_length);
}

/* The PEM with real line ends. */
static EVP_PKEY *read_pem(const char *secret)
{
    size_t length = strlen(secret), used = 0;
    char *text = malloc(length + 1);
    ASSERT(text);
    for (size_t i = 0; i < length; i++) {
        bool escaped = secret[i] == '\\' && secret[i + 1] == 'n';
        text[used++] = escaped ? '\n' : secret[i];
        i += escaped;
    }
    BIO *bio = BIO_new_mem_buf(text, (int)used);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    free(text);
    return key;
}

static EVP_PKEY *read_key(const char *secret)
{
    if (strstr(secret, "-----BEGIN"))
        return read_pem(secret);
    unsigned char bytes[2 * SEED_BYTES];
    size_t length = base64_decode(secret, strlen(secret), bytes, sizeof bytes);
    if (length != SEED_BYTES && length != 2 * SEED_BYTES)
        return NULL;
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, SEED_BYTES);
}

static bool verify(EVP_PKEY *key, const EVP_MD *digest, const unsigned char *signature,
                   size_t signature_length, const char *text, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, signature_length, (const unsigned char *)text,
                                 length) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

/* RFC 7518, 3.4: the signature is R and S, 32 bytes each; OpenSSL wants them as DER. */
static bool verify_es256(EVP_PKEY *key, const char *token, const struct web_token *parts)
{
    if (parts->signature_length != ES256_BYTES || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(parts->signature, ES256_BYTES / 2, NULL);
    BIGNUM *s = BN_bin2bn(parts->signature + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
    ASSERT(pair && r && s && ECDSA_SIG_set0(pair, r, s));
    unsigned char der[DER_BYTES_MAX], *end = der;
    int length = i2d_ECDSA_SIG(pair, NULL);
    bool good = length > 0 && length <= DER_BYTES_MAX && i2d_ECDSA_SIG(pair, &end) == length &&
                verify(key, EVP_sha256(), der, (size_t)length, token, parts->signed_length);
    ECDSA_SIG_free(pair);
    return good;
}

bool web_token_verify(const char *secret, const char *algorithm, const char *token,
                      const struct web_token *parts)
{
    EVP_PKEY *key = read_key(secret);
    bool good = false;
    if (key && strcmp(algorithm, "ES256") == 0)
        good = verify_es256(key, token, parts);
    else if (key && strcmp(algorithm, "EdDSA") == 0)
        good = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
               verify(key, NULL, parts->signature, parts->signature_length, token,
                      parts->signed_length);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}
