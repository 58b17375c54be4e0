/* See net_certificates.h. */
#include "config.h" /* POSIX names */

#include "net_certificates.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOUR_S = 3600 };

static char folder[64];
static struct certificates made;

/* A certificate with its key. */
struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

static void remove_all(void)
{
    const char *const files[] = {made.authority, made.other_authority, made.good,
                                 made.expired,   made.wrong_host,      made.stranger};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i][0] != '\0')
            unlink(files[i]);
    rmdir(folder);
}

const char *certificates_folder(void)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "net_test.XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        atexit(remove_all);
    }
    return folder;
}

static void extend(struct identity *identity, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, identity->certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    cr_assert_not_null(extension);
    X509_add_ext(identity->certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* `by` NULL: an authority that signs itself; `hosts` are then ignored. */
static struct identity make(const char *name, const struct identity *by, const char *hosts,
                            long from_s, long until_s)
{
    static long serial = 1;
    struct identity identity = {X509_new(), EVP_EC_gen("P-256")};
    X509 *certificate = identity.certificate;
    const struct identity *issuer = by != NULL ? by : &identity;
    cr_assert(certificate != NULL && identity.key != NULL);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
    X509_set_pubkey(certificate, identity.key);
    extend(&identity, issuer->certificate, NID_basic_constraints,
           by == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (by != NULL)
        extend(&identity, issuer->certificate, NID_subject_alt_name, hosts);
    cr_assert_gt(X509_sign(certificate, issuer->key, EVP_sha256()), 0);
    return identity;
}

static void write_pem(char path[CERTIFICATE_PATH_MAX], const char *name,
                      const struct identity *identity, bool with_key)
{
    snprintf(path, CERTIFICATE_PATH_MAX, "%s/%s.pem", certificates_folder(), name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(PEM_write_X509(file, identity->certificate), 1);
    if (with_key)
        cr_assert_eq(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    cr_assert_eq(fclose(file), 0);
}

static void identity_free(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

static void make_server(char path[CERTIFICATE_PATH_MAX], const char *name,
                        const struct identity *by, const char *hosts, long until_s)
{
    struct identity server = make(name, by, hosts, -24L * HOUR_S, until_s);
    write_pem(path, name, &server, true);
    identity_free(&server);
}

const struct certificates *certificates(void)
{
    static const char hosts[] = "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1";
    if (made.authority[0] != '\0')
        return &made;
    struct identity authority = make("authority", NULL, NULL, -48L * HOUR_S, 48L * HOUR_S);
    struct identity other = make("other", NULL, NULL, -48L * HOUR_S, 48L * HOUR_S);
    struct identity unknown = make("unknown", NULL, NULL, -48L * HOUR_S, 48L * HOUR_S);
    write_pem(made.authority, "authority", &authority, false);
    write_pem(made.other_authority, "other", &other, false);
    make_server(made.good, "good", &authority, hosts, 24L * HOUR_S);
    make_server(made.expired, "expired", &authority, hosts, -HOUR_S);
    make_server(made.wrong_host, "wrong", &authority, "DNS:elsewhere.example", 24L * HOUR_S);
    make_server(made.stranger, "stranger", &unknown, hosts, 24L * HOUR_S);
    identity_free(&authority);
    identity_free(&other);
    identity_free(&unknown);
    return &made;
}
