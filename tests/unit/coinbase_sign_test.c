/* Web tokens of Coinbase: the vectors of the RFCs, and recorded ones. */
#include "venue/live/coinbase_sign.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared_file.h"

/* RFC 7515, appendix A.3, and RFC 8037, appendix A.4. The first key as SEC1. */
static const char rfc_ec_pem[] =
    "-----BEGIN EC PRIVATE KEY-----\\n"
    "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\\n"
    "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\\n"
    "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\\n"
    "-----END EC PRIVATE KEY-----\\n";
static const char rfc_ec_text[] = "eyJhbGciOiJFUzI1NiJ9."
                                  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG"
                                  "FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char rfc_seed[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
static const char rfc_seed_text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

static size_t from_hex(const char *hex, unsigned char *out)
{
    size_t count = 0;
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        out[count++] = (unsigned char)byte;
    return count;
}

static void to_hex(const unsigned char *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

static int digit(char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return (int)(strchr(digits, byte) - digits);
}

/* base64url by another way than the code's. */
static size_t from_base64(const char *text, unsigned char *out)
{
    size_t bits = strlen(text) * 6;
    memset(out, 0, bits / 8);
    for (size_t bit = 0; bit < bits / 8 * 8; bit++)
        if (digit(text[bit / 6]) >> (5 - bit % 6) & 1)
            out[bit / 8] |= (unsigned char)(128 >> bit % 8);
    return bits / 8;
}

/* Whether R and S sign the text for the key of a PEM. */
static bool verifies(const char *pem, const char *text, size_t length,
                     const unsigned char signature[64])
{
    char plain[1024];
    size_t used = 0;
    for (const char *at = pem; *at; at++) {
        bool escaped = at[0] == '\\' && at[1] == 'n';
        plain[used++] = escaped ? '\n' : *at;
        at += escaped;
    }
    BIO *bio = BIO_new_mem_buf(plain, (int)used);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    cr_assert_not_null(key);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
    unsigned char der[128], *end = der;
    int size = i2d_ECDSA_SIG(pair, &end);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(context, der, (size_t)size, (const unsigned char *)text, length) == 1;
    EVP_MD_CTX_free(context);
    ECDSA_SIG_free(pair);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

Test(coinbase_sign, rfc_8037_appendix_a4)
{
    unsigned char got[64];
    char hex[129];
    struct error error = {0};
    cr_assert_eq(coinbase_sign(rfc_seed, rfc_seed_text, strlen(rfc_seed_text), got, &error), 0,
                 "%s", error.text);
    to_hex(got, 64, hex);
    cr_expect_str_eq(hex, "860c98d2297f3060a33f42739672d61b53cf3adefed3d3c672f320dc021b411e"
                          "9d59b8628dc351e248b88b29468e0e41855b0fb7d83bb15be902bfccb8cd0a02");
}

/* The signature of the RFC is one of this key, and so is ours, which differs each time. */
Test(coinbase_sign, rfc_7515_appendix_a3)
{
    unsigned char theirs[64], first[64], second[64];
    struct error error = {0};
    size_t length = strlen(rfc_ec_text);
    cr_assert_eq(
        from_base64("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
                    "KTUJqPP3-Kg6NU1Q",
                    theirs),
        64);
    cr_expect(verifies(rfc_ec_pem, rfc_ec_text, length, theirs));
    cr_assert_eq(coinbase_sign(rfc_ec_pem, rfc_ec_text, length, first, &error), 0, "%s",
                 error.text);
    cr_assert_eq(coinbase_sign(rfc_ec_pem, rfc_ec_text, length, second, &error), 0);
    cr_expect(verifies(rfc_ec_pem, rfc_ec_text, length, first));
    cr_expect(verifies(rfc_ec_pem, rfc_ec_text, length, second));
    cr_expect(memcmp(first, second, 64) != 0);
    cr_expect_not(verifies(rfc_ec_pem, rfc_ec_text, length - 1, first));
}

/* A short half is padded on its left; what is no signature is refused. */
Test(coinbase_sign, der_to_raw)
{
    unsigned char der[128], raw[64];
    char hex[129];
    size_t length = from_hex("3007020101020200ff", der);
    cr_assert(coinbase_raw_signature(der, length, raw));
    to_hex(raw, 64, hex);
    cr_expect_str_eq(hex, "0000000000000000000000000000000000000000000000000000000000000001"
                          "00000000000000000000000000000000000000000000000000000000000000ff");
    cr_expect_not(coinbase_raw_signature(der, length - 1, raw));
    der[length] = 0;
    cr_expect_not(coinbase_raw_signature(der, length + 1, raw));
    cr_expect_not(coinbase_raw_signature(der, 0, raw));
}

#define NONCE "0f0e0d0c0b0a09080706050403020100ffeeddccbbaa99887766554433221100"

Test(coinbase_sign, a_token_is_header_claims_and_signature)
{
    struct error error = {0};
    struct coinbase_claims claims = {"name", "GET host/path", NONCE, 1000};
    char token[COINBASE_TOKEN_MAX];
    unsigned char part[1024];
    cr_assert_eq(coinbase_token(&claims, rfc_ec_pem, token, &error), 0, "%s", error.text);
    char *first = strchr(token, '.'), *second = strchr(first + 1, '.');
    unsigned char signature[64];
    cr_assert_eq(from_base64(second + 1, signature), 64);
    cr_expect(verifies(rfc_ec_pem, token, (size_t)(second - token), signature));
    *first = *second = '\0';
    part[from_base64(token, part)] = '\0';
    cr_expect_str_eq((char *)part, "{\"alg\":\"ES256\",\"kid\":\"name\",\"nonce\":\"" NONCE
                                   "\",\"typ\":\"JWT\"}");
    part[from_base64(first + 1, part)] = '\0';
    cr_expect_str_eq((char *)part, "{\"sub\":\"name\",\"iss\":\"cdp\",\"nbf\":1000,\"exp\":1120,"
                                   "\"uri\":\"GET host/path\"}");
    claims.uri = NULL;
    cr_assert_eq(coinbase_token(&claims, rfc_seed, token, &error), 0);
    first = strchr(token, '.'), second = strchr(first + 1, '.');
    *first = *second = '\0';
    part[from_base64(first + 1, part)] = '\0';
    cr_expect_str_eq((char *)part, "{\"sub\":\"name\",\"iss\":\"cdp\",\"nbf\":1000,\"exp\":1120}");
}

Test(coinbase_sign, keys_that_are_none)
{
    /* On another curve; cut; a seed too short; nothing. */
    static const char *const bad[] = {
        "-----BEGIN EC PRIVATE KEY-----\n"
        "MHQCAQEEIFlk4fTKF0QBDlIE6Bdo4BgVtm7vYVW0qDAr5GBhZgBToAcGBSuBBAAK\n"
        "oUQDQgAEO8bVzNIKzHYHZKzWBPwDLrYrhPQcdq0Qzu0S0MMBMDD5M/qPmFwDtgXW\n"
        "-----END EC PRIVATE KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n",
        "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2",
        "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A?",
        "",
    };
    struct error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error = (struct error){0};
        cr_expect_eq(coinbase_check_key("name", bad[i], &error), ERROR_INPUT, "%zu", i);
        cr_expect(strstr(error.text, "the secret: expected"), "%s", error.text);
    }
    error = (struct error){0};
    cr_expect_eq(coinbase_check_key("na\"me", rfc_seed, &error), ERROR_INPUT);
    cr_expect(strstr(error.text, "the key: expected"), "%s", error.text);
    cr_expect_eq(coinbase_check_key("name", rfc_seed, &error), 0);
    cr_expect_eq(coinbase_check_key("name", rfc_ec_pem, &error), 0);
}

/* --- recorded vectors --------------------------------------------------------------------------- */

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    cr_assert_not_null(text, "%s", name);
    return text;
}

static cJSON *vectors(const char *name)
{
    size_t length;
    char *text = shared_file(name, &length);
    if (!text)
        cr_skip_test("no recorded payloads; set CAPSTAN_SHARED");
    cJSON *tree = cJSON_ParseWithLength(text, length);
    cr_assert_not_null(tree);
    free(text);
    return tree;
}

static struct coinbase_claims claims_of(const cJSON *tree, const cJSON *one)
{
    return (struct coinbase_claims){.key_name = text_of(tree, "kid"),
                                    .uri = cJSON_GetStringValue(cJSON_GetObjectItem(one, "uri")),
                                    .nonce = text_of(tree, "nonce"),
                                    .from_s =
                                        (int64_t)cJSON_GetObjectItem(tree, "nbf")->valuedouble};
}

Test(coinbase_sign, recorded_eddsa_tokens)
{
    cJSON *tree = vectors("payloads/coinbase/vectors/jwt_vectors.json");
    const cJSON *set = cJSON_GetObjectItem(tree, "ed25519"), *one;
    size_t count = 0;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(set, "cases"))
    {
        struct coinbase_claims claims = claims_of(tree, one);
        struct error error = {0};
        char token[COINBASE_TOKEN_MAX];
        cr_assert_eq(coinbase_token(&claims, text_of(set, "secret_b64_64"), token, &error), 0, "%s",
                     error.text);
        cr_expect_str_eq(token, text_of(one, "token"));
        count++;
    }
    cr_expect_eq(count, 4);
    cJSON_Delete(tree);
}

Test(coinbase_sign, recorded_es256_tokens)
{
    cJSON *tree = vectors("payloads/coinbase/vectors/jwt_vectors.json");
    const cJSON *set = cJSON_GetObjectItem(tree, "es256"), *one;
    const char *pem = text_of(set, "private_pem");
    unsigned char signature[64];
    size_t count = 0;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(set, "cases"))
    {
        const char *input = text_of(one, "signing_input");
        struct coinbase_claims claims = claims_of(tree, one);
        struct error error = {0};
        char token[COINBASE_TOKEN_MAX];
        from_hex(text_of(one, "signature_hex"), signature);
        cr_expect(verifies(pem, input, strlen(input), signature));
        cr_assert_eq(coinbase_token(&claims, pem, token, &error), 0, "%s", error.text);
        cr_assert_eq(strncmp(token, input, strlen(input)), 0, "%s\n%s", token, input);
        cr_assert_eq(from_base64(token + strlen(input) + 1, signature), 64);
        cr_expect(verifies(pem, input, strlen(input), signature));
        count++;
    }
    cr_expect_eq(count, 4);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(set, "der_to_raw"))
    {
        unsigned char der[128];
        char hex[129];
        cr_expect(coinbase_raw_signature(der, from_hex(text_of(one, "der_hex"), der), signature));
        to_hex(signature, 64, hex);
        cr_expect_str_eq(hex, text_of(one, "raw_hex"));
        count++;
    }
    cr_expect_eq(count, 8);
    cJSON_Delete(tree);
}
