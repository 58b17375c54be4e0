/* See raw.h. */
#include "config.h"

#include "live/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"

static const char hidden_text[] = "***";

struct raw {
    FILE *file;
    pthread_mutex_t lock;
    bool failed;
    const struct credentials *hidden[RAW_HIDDEN_MAX];
    size_t hidden_count;
};

/* NULL: errno says why. */
static FILE *open_file(const char *path)
{
    struct stat status;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return NULL;
    bool is_ours =
        fstat(file, &status) == 0 &&
        (!S_ISREG(status.st_mode) || (status.st_mode & 0177) == 0 || fchmod(file, 0600) == 0);
    FILE *stream = is_ours ? fdopen(file, "a") : NULL;
    if (!stream) {
        int code = errno;
        close(file);
        errno = code;
    }
    return stream;
}

int raw_open(struct raw **out, const char *path, struct error *error)
{
    *out = NULL;
    if (!path)
        return 0;
    struct raw *raw = calloc(1, sizeof *raw);
    if (raw)
        raw->file = open_file(path);
    if (!raw || !raw->file) {
        free(raw);
        return error_set(error, ERROR_SYSTEM, "%s: can't be written: %s", path, strerror(errno));
    }
    pthread_mutex_init(&raw->lock, NULL);
    *out = raw;
    return 0;
}

void raw_hide(struct raw *raw, const struct credentials *credentials)
{
    if (!raw || !credentials)
        return;
    ASSERT(raw->hidden_count < RAW_HIDDEN_MAX);
    raw->hidden[raw->hidden_count++] = credentials;
}

static size_t begins_with(const char *text, size_t length, const char *wanted)
{
    size_t size = strlen(wanted);
    return size > 0 && size <= length && memcmp(text, wanted, size) == 0 ? size : 0;
}

/* Bytes of a key or a secret that begin here; 0: none do. */
static size_t hidden_here(const struct raw *raw, const char *text, size_t length)
{
    size_t size = 0;
    for (size_t i = 0; size == 0 && i < raw->hidden_count; i++) {
        if (*text == raw->hidden[i]->key[0])
            size = begins_with(text, length, raw->hidden[i]->key);
        if (size == 0 && *text == raw->hidden[i]->secret[0])
            size = begins_with(text, length, raw->hidden[i]->secret);
    }
    return size;
}

static void put_byte(FILE *file, unsigned char byte)
{
    if (byte == '"' || byte == '\\')
        fprintf(file, "\\%c", byte);
    else if (byte < 0x20)
        fprintf(file, "\\u%04x", byte);
    else
        fputc(byte, file);
}

static void put_text(struct raw *raw, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t hidden = hidden_here(raw, text + i, length - i);
        if (hidden > 0)
            fputs(hidden_text, raw->file);
        else
            put_byte(raw->file, (unsigned char)text[i]);
        i += hidden > 0 ? hidden : 1;
    }
}

static void put_quoted(struct raw *raw, const char *text, size_t length)
{
    fputc('"', raw->file);
    put_text(raw, text, length);
    fputc('"', raw->file);
}

/* Parameters that let who reads them do the same. */
static size_t secret_parameter(const char *text)
{
    static const char *const names[] = {"signature=", "listenKey=", "token="};
    size_t size = 0;
    for (size_t i = 0; size == 0 && i < sizeof names / sizeof *names; i++)
        size = begins_with(text, strlen(text), names[i]);
    return size;
}

static void put_url(struct raw *raw, const char *url)
{
    fputc('"', raw->file);
    while (*url) {
        size_t length = strcspn(url, "?&");
        length += url[length] != '\0';
        size_t name = secret_parameter(url);
        bool more = url[length - 1] == '&' || url[length - 1] == '?';
        put_text(raw, url, name > 0 ? name : length);
        if (name > 0) {
            fputs(hidden_text, raw->file);
            put_text(raw, url + length - 1, more ? 1 : 0);
        }
        url += length;
    }
    fputc('"', raw->file);
}

static void put_time(FILE *file, int64_t now)
{
    fprintf(file, "\"ts\":%lld.%09lld", (long long)(now / NS_PER_SECOND),
            (long long)(now % NS_PER_SECOND));
}

static void end_line(struct raw *raw)
{
    fputs("}\n", raw->file);
    raw->failed = ferror(raw->file) != 0;
    if (raw->failed)
        fprintf(stderr, "capstan: --raw: can't be written any more: %s\n", strerror(errno));
}

void raw_frame(struct raw *raw, const char *venue, unsigned channel, int64_t now, const char *text,
               size_t length)
{
    pthread_mutex_lock(&raw->lock);
    if (!raw->failed) {
        fprintf(raw->file, "{\"t\":\"recv\",\"conn\":\"%s.%u\",", venue, channel);
        put_time(raw->file, now);
        fputs(",\"data\":", raw->file);
        put_quoted(raw, text, length);
        end_line(raw);
    }
    pthread_mutex_unlock(&raw->lock);
}

void raw_answer(struct raw *raw, const char *venue, int64_t now, const char *url, long status,
                const char *body, size_t length)
{
    pthread_mutex_lock(&raw->lock);
    if (!raw->failed) {
        fprintf(raw->file, "{\"t\":\"http\",\"conn\":\"%s.http\",", venue);
        put_time(raw->file, now);
        fputs(",\"url\":", raw->file);
        put_url(raw, url);
        fprintf(raw->file, ",\"status\":%ld,\"data\":", status);
        put_quoted(raw, body, length);
        end_line(raw);
    }
    pthread_mutex_unlock(&raw->lock);
}

void raw_close(struct raw **raw)
{
    if (!*raw)
        return;
    if (fclose((*raw)->file) != 0 && !(*raw)->failed)
        fprintf(stderr, "capstan: --raw: can't be written whole: %s\n", strerror(errno));
    pthread_mutex_destroy(&(*raw)->lock);
    free(*raw);
    *raw = NULL;
}
