/* See exchange/folder.h. Certificates stand in certificates.c. */
#include "config.h" /* POSIX names */

#include "exchange/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

enum {
    FILE_BYTES_MAX = 1 << 20,
    SETTING_PATH_MAX = 200 /* a setting's text has 256 */
};

/* --- files ------------------------------------------------------------------------------------- */

int folder_open(struct exchange_folder *folder, const char *path, struct error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_set(error, ERROR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
    char *absolute = realpath(path, NULL);
    if (!absolute)
        return error_set(error, ERROR_SYSTEM, "cannot find %s: %s", path, strerror(errno));
    size_t length = strlen(absolute);
    if (length <= SETTING_PATH_MAX)
        memcpy(folder->path, absolute, length + 1);
    else
        error_set(error, ERROR_INPUT, "%s: expected a path of at most %d bytes", absolute,
                  SETTING_PATH_MAX);
    free(absolute);
    return length <= SETTING_PATH_MAX ? 0 : ERROR_INPUT;
}

void folder_file(const struct exchange_folder *folder, const char *name,
                 char out[FOLDER_PATH_MAX + 64])
{
    snprintf(out, FOLDER_PATH_MAX + 64, "%s/%s", folder->path, name);
}

static bool write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

int folder_write(const struct exchange_folder *folder, const char *name, const char *text,
                 size_t length, unsigned mode, struct error *error)
{
    char path[FOLDER_PATH_MAX + 64], new_name[64], new_path[FOLDER_PATH_MAX + 64];
    snprintf(new_name, sizeof new_name, ".%s.new", name);
    folder_file(folder, name, path);
    folder_file(folder, new_name, new_path);
    unlink(new_path);
    int file = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (file < 0)
        return error_set(error, ERROR_SYSTEM, "cannot write %s: %s", new_path, strerror(errno));
    bool written = write_all(file, text, length);
    written &= close(file) == 0;
    if (!written || rename(new_path, path) != 0)
        return error_set(error, ERROR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

/* The text of a file, malloc'ed; NULL where it is not there. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = malloc(FILE_BYTES_MAX + 1);
    ASSERT(text);
    size_t length = fread(text, 1, FILE_BYTES_MAX, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

/* --- credentials ------------------------------------------------------------------------------- */

static void random_hex(char *out, size_t digits)
{
    unsigned char bytes[64];
    ASSERT(digits <= 2 * sizeof bytes);
    int made = RAND_bytes(bytes, (int)((digits + 1) / 2));
    ASSERT(made == 1);
    for (size_t i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    out[digits] = '\0';
}

static void random_letters(char *out, size_t count)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
    unsigned char bytes[64];
    ASSERT(count <= sizeof bytes && sizeof letters == 65);
    int made = RAND_bytes(bytes, (int)count);
    ASSERT(made == 1);
    for (size_t i = 0; i < count; i++)
        out[i] = letters[bytes[i] % 64];
    out[count] = '\0';
}

/* A name as "organizations/…/apiKeys/…" and an EC key in the form of SEC 1. */
static void make_coinbase(struct exchange_credentials *credentials)
{
    char organization[33], key[33];
    random_hex(organization, 32);
    random_hex(key, 32);
    snprintf(credentials->key, sizeof credentials->key, "organizations/%s/apiKeys/%s", organization,
             key);
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    ASSERT(pair && bio);
    int written = PEM_write_bio_PrivateKey_traditional(bio, pair, NULL, NULL, 0, NULL, NULL);
    ASSERT(written == 1);
    int length = BIO_read(bio, credentials->secret, EXCHANGE_SECRET_MAX - 1);
    ASSERT(length > 0);
    credentials->secret[length] = '\0';
    BIO_free(bio);
    EVP_PKEY_free(pair);
}

static void make_credentials(const char *venue, struct exchange_credentials *credentials)
{
    memset(credentials, 0, sizeof *credentials);
    if (strcmp(venue, "coinbase") == 0) {
        make_coinbase(credentials);
    } else if (strcmp(venue, "oanda") == 0) {
        snprintf(credentials->key, sizeof credentials->key, "101-001-1000001-001");
        random_hex(credentials->secret, 32);
        credentials->secret[32] = '-';
        random_hex(credentials->secret + 33, 32);
    } else {
        random_letters(credentials->key, 64);
        random_letters(credentials->secret, 64);
    }
}

static bool take_text(const cJSON *root, const char *name, char *out, size_t size)
{
    const char *text = json_get_text(root, name);
    return text && *text && (size_t)snprintf(out, size, "%s", text) < size;
}

int folder_credentials(const struct exchange_folder *folder, const char *venue,
                       struct exchange_credentials *credentials, struct error *error)
{
    char name[64], path[FOLDER_PATH_MAX + 64];
    snprintf(name, sizeof name, "%s.json", venue);
    folder_file(folder, name, path);
    char *text = read_file(path);
    if (text) {
        cJSON *root = cJSON_Parse(text);
        bool good = take_text(root, "key", credentials->key, sizeof credentials->key) &&
                    take_text(root, "secret", credentials->secret, sizeof credentials->secret);
        cJSON_Delete(root);
        free(text);
        return good ? 0
                    : error_set(error, ERROR_INPUT, "%s: expected {\"key\": …, \"secret\": …}",
                                path);
    }
    make_credentials(venue, credentials);
    struct json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "key", credentials->key);
    json_text(&json, "secret", credentials->secret);
    json_close(&json, '}');
    json_append(&json, "\n", 1);
    int code = folder_write(folder, name, json.bytes, json.length, 0600, error);
    json_free(&json);
    return code;
}
