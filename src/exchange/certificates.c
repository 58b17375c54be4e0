/* The exchange's certificates: an authority of its own, and a server's for the loopback addresses. See
 * exchange/folder.h. */
#include "config.h" /* POSIX names */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/folder.h"

enum { DAY_SECONDS = 86400, DAYS = 3650 };

/* --- what is there ----------------------------------------------------------------------------- */

static X509 *read_certificate(const struct exchange_folder *folder, const char *name)
{
    char path[FOLDER_PATH_MAX + 64];
    folder_file(folder, name, path);
    FILE *file = fopen(path, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const struct exchange_folder *folder)
{
    char path[FOLDER_PATH_MAX + 64];
    folder_file(folder, "server.key", path);
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return key;
}

/* Whether all three are there, belong together and are good for a day more. */
static bool are_good(const struct exchange_folder *folder, int64_t now)
{
    X509 *authority = read_certificate(folder, "ca.pem");
    X509 *server = read_certificate(folder, "server.pem");
    EVP_PKEY *key = read_key(folder);
    time_t tomorrow = (time_t)(now / NS_PER_SECOND + DAY_SECONDS);
    bool good = authority && server && key && X509_check_private_key(server, key) == 1 &&
                X509_verify(server, X509_get0_pubkey(authority)) == 1 &&
                X509_cmp_time(X509_get0_notAfter(server), &tomorrow) > 0 &&
                X509_cmp_time(X509_get0_notAfter(authority), &tomorrow) > 0;
    X509_free(authority);
    X509_free(server);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

/* --- new ones ---------------------------------------------------------------------------------- */

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    ASSERT(extension);
    int added = X509_add_ext(certificate, extension, -1);
    ASSERT(added == 1);
    X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, const char *text)
{
    int set = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1,
                                         -1, 0);
    ASSERT(set == 1);
}

/* A certificate of `key` named `name`, good from a day ago; not signed yet. */
static X509 *make_certificate(EVP_PKEY *key, const char *name, long serial, int64_t now)
{
    X509 *certificate = X509_new();
    ASSERT(certificate);
    time_t seconds = (time_t)(now / NS_PER_SECOND);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &seconds);
    X509_time_adj_ex(X509_getm_notAfter(certificate), DAYS, 0, &seconds);
    X509_set_pubkey(certificate, key);
    set_name(X509_get_subject_name(certificate), name);
    return certificate;
}

static X509 *make_authority(EVP_PKEY *key, int64_t now)
{
    X509 *authority =
        make_certificate(key, "Capstan exchange, test authority", (long)(now / NS_PER_SECOND), now);
    X509_set_issuer_name(authority, X509_get_subject_name(authority));
    add_extension(authority, authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(authority, authority, NID_subject_key_identifier, "hash");
    int signed_bytes = X509_sign(authority, key, EVP_sha256());
    ASSERT(signed_bytes > 0);
    return authority;
}

static X509 *make_server(EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key, int64_t now)
{
    X509 *server = make_certificate(key, "localhost", (long)(now / NS_PER_SECOND) + 1, now);
    X509_set_issuer_name(server, X509_get_subject_name(authority));
    add_extension(server, authority, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(server, authority, NID_key_usage, "critical,digitalSignature");
    add_extension(server, authority, NID_ext_key_usage, "serverAuth");
    add_extension(server, authority, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    add_extension(server, authority, NID_authority_key_identifier, "keyid");
    int signed_bytes = X509_sign(server, authority_key, EVP_sha256());
    ASSERT(signed_bytes > 0);
    return server;
}

/* What a BIO holds, to a file. */
static int write_bio(const struct exchange_folder *folder, const char *name, BIO *bio,
                     unsigned mode, struct error *error)
{
    char *text;
    long length = BIO_get_mem_data(bio, &text);
    ASSERT(length > 0);
    return folder_write(folder, name, text, (size_t)length, mode, error);
}

static int write_certificate(const struct exchange_folder *folder, const char *name,
                             X509 *certificate, struct error *error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = bio ? PEM_write_bio_X509(bio, certificate) : 0;
    ASSERT(written == 1);
    int code = write_bio(folder, name, bio, 0644, error);
    BIO_free(bio);
    return code;
}

static int write_key(const struct exchange_folder *folder, EVP_PKEY *key, struct error *error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = bio ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : 0;
    ASSERT(written == 1);
    int code = write_bio(folder, "server.key", bio, 0600, error);
    BIO_free(bio);
    return code;
}

int folder_certificates(const struct exchange_folder *folder, int64_t now, struct error *error)
{
    if (are_good(folder, now))
        return 0;
    EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    ASSERT(authority_key && key);
    X509 *authority = make_authority(authority_key, now);
    X509 *server = make_server(key, authority, authority_key, now);
    int code = write_certificate(folder, "ca.pem", authority, error);
    if (!code)
        code = write_certificate(folder, "server.pem", server, error);
    if (!code)
        code = write_key(folder, key, error);
    X509_free(authority);
    X509_free(server);
    EVP_PKEY_free(authority_key);
    EVP_PKEY_free(key);
    return code;
}
