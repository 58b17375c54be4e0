/* See raw.h. */
#include "config.h"

#include "live/raw.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

struct raw {
    FILE *file;
    pthread_mutex_t lock;
    bool failed;
};

int raw_open(struct raw **out, const char *path, struct error *error)
{
    *out = NULL;
    if (!path)
        return 0;
    struct raw *raw = calloc(1, sizeof *raw);
    if (raw)
        raw->file = fopen(path, "ae");
    if (!raw || !raw->file) {
        free(raw);
        return error_set(error, ERROR_SYSTEM, "%s: can't be written: %s", path, strerror(errno));
    }
    pthread_mutex_init(&raw->lock, NULL);
    *out = raw;
    return 0;
}

static void put_quoted(FILE *file, const char *text, size_t length)
{
    fputc('"', file);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '"' || byte == '\\')
            fprintf(file, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(file, "\\u%04x", byte);
        else
            fputc(byte, file);
    }
    fputc('"', file);
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
        put_quoted(raw->file, text, length);
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
        put_quoted(raw->file, url, strlen(url));
        fprintf(raw->file, ",\"status\":%ld,\"data\":", status);
        put_quoted(raw->file, body, length);
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
