/* See coinbase_sign.h. */
#include "config.h" /* explicit_bzero */

#include "venue/live/coinbase_sign.h"

#include <inttypes.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "venue/live/credentials.h"

enum { SEED_BYTES = 32, HALF_BYTES = 32, DER_BYTES_MAX = 128, JSON_MAX = 1024 };

/* --- base64 ---------------------------------------------------------------------------------------- */

static int digit_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The bytes of padded base64, or 0 where it is none or does not fit. */
static size_t decode(const char *text, unsigned char *out, size_t capacity)
{
    size_t length = strlen(text), used = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    while (length > 0 && (text[length - 1] == '=' || text[length - 1] == '\n'))
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = digit_value(text[i]);
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (used == capacity)
            return 0;
        out[used++] = (unsigned char)(bits >> have);
    }
    return used;
}

/* base64url without padding behind `length` bytes of `out`; the new length, or 0 where it does not fit. */
static size_t encode(const void *bytes, size_t count, char *out, size_t length, size_t capacity)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *at = bytes;
    if (length + (count * 4 + 2) / 3 + 1 > capacity)
        return 0;
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i < 3 ? count - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < left ? at[i + k] : 0u);
        for (size_t k = 0; k <= left; k++)
            out[length++] = digits[bits >> (18 - 6 * k) & 63];
    }
    out[length] = '\0';
    return length;
}

/* --- keys ------------------------------------------------------------------------------------------ */

/* The venue's key files have the line ends of a PEM as two characters. */
static EVP_PKEY *read_pem(const char *secret)
{
    char text[CREDENTIALS_TEXT_MAX];
    size_t used = 0;
    for (const char *at = secret; *at && used + 1 < sizeof text; at++) {
        bool escaped = at[0] == '\\' && at[1] == 'n';
        text[used++] = escaped ? '\n' : *at;
        at += escaped;
    }
    BIO *bio = BIO_new_mem_buf(text, (int)used);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    explicit_bzero(text, sizeof text);
    return key;
}

static EVP_PKEY *read_seed(const char *secret)
{
    unsigned char bytes[2 * SEED_BYTES];
    size_t length = decode(secret, bytes, sizeof bytes);
    EVP_PKEY *key = NULL;
    if (length == SEED_BYTES || length == 2 * SEED_BYTES)
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, SEED_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    return key;
}

static bool is_p256(EVP_PKEY *key)
{
    char group[64] = "";
    size_t length;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
           OBJ_txt2nid(group) == NID_X9_62_prime256v1;
}

/* Free it with EVP_PKEY_free, which wipes it. */
static int read_key(const char *secret, EVP_PKEY **out, struct error *error)
{
    EVP_PKEY *key = strstr(secret, "-----BEGIN") ? read_pem(secret) : read_seed(secret);
    ERR_clear_error();
    *out = key;
    if (key && (is_p256(key) || EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519))
        return 0;
    EVP_PKEY_free(key);
    *out = NULL;
    return error_set(
        error, ERROR_INPUT,
        "the secret: expected a PEM private key on P-256 or of Ed25519, or base64 of an "
        "Ed25519 seed");
}

int coinbase_check_key(const char *key_name, const char *secret, struct error *error)
{
    EVP_PKEY *key;
    if (strlen(key_name) >= COINBASE_KEY_NAME_MAX || strpbrk(key_name, "\"\\"))
        return error_set(error, ERROR_INPUT,
                         "the key: expected the key's name, of less than %d bytes without quotes",
                         COINBASE_KEY_NAME_MAX);
    int code = read_key(secret, &key, error);
    EVP_PKEY_free(key);
    return code;
}

/* --- signatures -------------------------------------------------------------------------------------- */

bool coinbase_raw_signature(const unsigned char *der, size_t length,
                            unsigned char out[COINBASE_SIGNATURE_BYTES])
{
    const unsigned char *at = der;
    ECDSA_SIG *pair = length <= DER_BYTES_MAX ? d2i_ECDSA_SIG(NULL, &at, (long)length) : NULL;
    bool good = pair && at == der + length &&
                BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, HALF_BYTES) == HALF_BYTES &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + HALF_BYTES, HALF_BYTES) == HALF_BYTES;
    ECDSA_SIG_free(pair);
    ERR_clear_error();
    return good;
}

static bool sign(EVP_PKEY *key, const char *text, size_t length,
                 unsigned char out[COINBASE_SIGNATURE_BYTES])
{
    unsigned char der[DER_BYTES_MAX];
    bool es256 = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
    size_t size = es256 ? sizeof der : (size_t)COINBASE_SIGNATURE_BYTES;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        context && EVP_DigestSignInit(context, NULL, es256 ? EVP_sha256() : NULL, NULL, key) == 1 &&
        EVP_DigestSign(context, es256 ? der : out, &size, (const unsigned char *)text, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (!good)
        return false;
    return es256 ? coinbase_raw_signature(der, size, out) : size == COINBASE_SIGNATURE_BYTES;
}

static int sign_with(EVP_PKEY *key, const char *text, size_t length,
                     unsigned char out[COINBASE_SIGNATURE_BYTES], struct error *error)
{
    if (sign(key, text, length, out))
        return 0;
    return error_set(error, ERROR_SYSTEM, "a signature is refused by the OpenSSL library");
}

int coinbase_sign(const char *secret, const char *text, size_t length,
                  unsigned char out[COINBASE_SIGNATURE_BYTES], struct error *error)
{
    EVP_PKEY *key;
    int code = read_key(secret, &key, error);
    if (!code)
        code = sign_with(key, text, length, out, error);
    EVP_PKEY_free(key);
    return code;
}

/* --- tokens ------------------------------------------------------------------------------------------ */

static int write_claims(const struct coinbase_claims *claims, char out[JSON_MAX])
{
    int length = snprintf(
        out, JSON_MAX, "{\"sub\":\"%s\",\"iss\":\"cdp\",\"nbf\":%" PRId64 ",\"exp\":%" PRId64,
        claims->key_name, claims->from_s, claims->from_s + COINBASE_TOKEN_SECONDS);
    ASSERT(length > 0 && length < JSON_MAX);
    if (claims->uri)
        length +=
            snprintf(out + length, (size_t)(JSON_MAX - length), ",\"uri\":\"%s\"}", claims->uri);
    else
        length += snprintf(out + length, (size_t)(JSON_MAX - length), "}");
    ASSERT(length < JSON_MAX);
    return length;
}

/* Header and claims, which are signed. */
static size_t write_signed(const struct coinbase_claims *claims, const char *algorithm,
                           char out[COINBASE_TOKEN_MAX])
{
    char json[JSON_MAX];
    int count = snprintf(json, sizeof json,
                         "{\"alg\":\"%s\",\"kid\":\"%s\",\"nonce\":\"%s\",\"typ\":\"JWT\"}",
                         algorithm, claims->key_name, claims->nonce);
    ASSERT(count > 0 && count < JSON_MAX);
    size_t length = encode(json, (size_t)count, out, 0, COINBASE_TOKEN_MAX);
    ASSERT(length > 0);
    out[length++] = '.';
    count = write_claims(claims, json);
    length = encode(json, (size_t)count, out, length, COINBASE_TOKEN_MAX);
    ASSERT(length > 0);
    return length;
}

int coinbase_token(const struct coinbase_claims *claims, const char *secret,
                   char out[COINBASE_TOKEN_MAX], struct error *error)
{
    unsigned char signature[COINBASE_SIGNATURE_BYTES];
    EVP_PKEY *key;
    ASSERT(strlen(claims->nonce) == COINBASE_NONCE_DIGITS);
    if (strlen(claims->key_name) >= COINBASE_KEY_NAME_MAX ||
        (claims->uri && strlen(claims->uri) >= COINBASE_URI_MAX))
        return error_set(error, ERROR_INPUT, "a token: the key's name or the path is too long");
    int code = read_key(secret, &key, error);
    if (code)
        return code;
    const char *algorithm = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? "ES256" : "EdDSA";
    size_t length = write_signed(claims, algorithm, out);
    code = sign_with(key, out, length, signature, error);
    EVP_PKEY_free(key);
    if (code)
        return code;
    out[length++] = '.';
    length = encode(signature, sizeof signature, out, length, COINBASE_TOKEN_MAX);
    ASSERT(length > 0);
    return 0;
}
