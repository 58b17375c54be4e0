/* See capture.h. */
#include "config.h"

#include "import/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "base/assert.h"
#include "base/hash.h"

enum { STORED_BYTES = 128 * 1024, TEXT_BYTES_FIRST = 256 * 1024 };
enum packing { PLAIN, GZIP, ZSTD };

struct capture {
    char *path;
    FILE *file;
    uint64_t size, position, line_number, blank_lines, text_bytes;
    enum packing packing;
    bool stored_end; /* the file as stored is read to its end */
    bool text_end;   /* nothing more will be unpacked */
    bool in_member;  /* inside a gzip member or zstd frame */
    z_stream gzip;
    bool gzip_ready;
    ZSTD_DStream *zstd;
    uint8_t *stored; /* STORED_BYTES */
    size_t stored_at, stored_length;
    char *text; /* unpacked, not yet given out: text_at to text_length */
    size_t text_at, text_length, text_capacity;
    struct hash_stream hash;
};

static int bad_line(const struct capture *capture, struct error *error, const char *expected)
{
    return error_set(error, ERROR_INPUT, "%s:%llu: %s", capture->path,
                     (unsigned long long)capture->line_number, expected);
}

static int fill_stored(struct capture *capture, struct error *error)
{
    ASSERT(capture->stored_at == capture->stored_length);
    capture->stored_at = 0;
    capture->stored_length = fread(capture->stored, 1, STORED_BYTES, capture->file);
    capture->position += capture->stored_length;
    if (capture->stored_length == 0) {
        if (ferror(capture->file)) {
            return error_set(error, ERROR_INPUT, "%s: cannot read: %s", capture->path,
                             strerror(errno));
        }
        capture->stored_end = true;
    }
    return 0;
}

static int open_packing(struct capture *capture, struct error *error)
{
    const uint8_t *head = capture->stored;
    size_t length = capture->stored_length;
    if (length >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        capture->packing = GZIP;
        if (inflateInit2(&capture->gzip, 15 + 16) != Z_OK) {
            return error_set(error, ERROR_SYSTEM, "%s: no memory to unpack gzip", capture->path);
        }
        capture->gzip_ready = true;
    } else if (length >= 4 && head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f &&
               head[3] == 0xfd) {
        capture->packing = ZSTD;
        capture->zstd = ZSTD_createDStream();
        if (capture->zstd == NULL) {
            return error_set(error, ERROR_SYSTEM, "%s: no memory to unpack zstd", capture->path);
        }
    }
    return 0;
}

static int open_file(struct capture *capture, struct error *error)
{
    struct stat status;
    capture->file = fopen(capture->path, "rb");
    if (capture->file == NULL || fstat(fileno(capture->file), &status) != 0) {
        return error_set(error, ERROR_INPUT, "%s: cannot open: %s", capture->path, strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return error_set(error, ERROR_INPUT, "%s: is a directory, expected a capture file",
                         capture->path);
    }
    capture->size = status.st_size > 0 ? (uint64_t)status.st_size : 0;
    capture->stored = malloc(STORED_BYTES);
    capture->text = malloc(TEXT_BYTES_FIRST);
    capture->text_capacity = TEXT_BYTES_FIRST;
    if (capture->stored == NULL || capture->text == NULL) {
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read it", capture->path);
    }
    hash_stream_init(&capture->hash);
    int code = fill_stored(capture, error);
    if (code == 0 && capture->stored_length == 0) {
        code = error_set(error, ERROR_INPUT, "%s: is empty, expected a capture", capture->path);
    }
    return code == 0 ? open_packing(capture, error) : code;
}

int capture_open(struct capture **out, const char *path, struct error *error)
{
    struct capture *capture = calloc(1, sizeof *capture);
    *out = NULL;
    if (capture == NULL || (capture->path = strdup(path)) == NULL) {
        free(capture);
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read it", path);
    }
    int code = open_file(capture, error);
    if (code != 0) {
        capture_close(&capture);
        return code;
    }
    *out = capture;
    return 0;
}

void capture_close(struct capture **slot)
{
    struct capture *capture = *slot;
    if (capture == NULL) {
        return;
    }
    if (capture->gzip_ready) {
        inflateEnd(&capture->gzip);
    }
    ZSTD_freeDStream(capture->zstd);
    if (capture->file != NULL) {
        fclose(capture->file);
    }
    free(capture->stored);
    free(capture->text);
    free(capture->path);
    free(capture);
    *slot = NULL;
}

/* Each unpacks from `stored` into `out`; `*made` 0 means that more stored bytes are needed. */
static int unpack_plain(struct capture *capture, char *out, size_t room, size_t *made)
{
    size_t left = capture->stored_length - capture->stored_at;
    *made = left < room ? left : room;
    memcpy(out, capture->stored + capture->stored_at, *made);
    capture->stored_at += *made;
    return 0;
}

static int unpack_gzip(struct capture *capture, char *out, size_t room, size_t *made,
                       struct error *error)
{
    z_stream *stream = &capture->gzip;
    if (!capture->in_member && inflateReset(stream) != Z_OK) {
        return error_set(error, ERROR_SYSTEM, "%s: cannot unpack", capture->path);
    }
    capture->in_member = true;
    stream->next_in = capture->stored + capture->stored_at;
    stream->avail_in = (uInt)(capture->stored_length - capture->stored_at);
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)room;
    int result = inflate(stream, Z_NO_FLUSH);
    capture->stored_at = capture->stored_length - stream->avail_in;
    *made = room - stream->avail_out;
    if (result == Z_STREAM_END) {
        capture->in_member = false;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return bad_line(capture, error, "damaged gzip data");
    }
    return 0;
}

static int unpack_zstd(struct capture *capture, char *out, size_t room, size_t *made,
                       struct error *error)
{
    ZSTD_inBuffer in = {capture->stored, capture->stored_length, capture->stored_at};
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(capture->zstd, &to, &in);
    capture->stored_at = in.pos;
    *made = to.pos;
    if (ZSTD_isError(result)) {
        return bad_line(capture, error, "damaged zstd data");
    }
    capture->in_member = result != 0;
    return 0;
}

/* The lines before the one under way were unpacked whole, and the unpacking programs give out as much. */
static int ends_early(const struct capture *capture, struct error *error)
{
    const char *name = capture->packing == GZIP ? "gzip" : "zstd";
    unsigned long long whole = capture->line_number - 1;
    if (whole == 0) {
        return error_set(
            error, ERROR_INPUT,
            "%s:1: the %s data ends early, at byte %llu, before its first line is whole",
            capture->path, name, (unsigned long long)capture->position);
    }
    return error_set(error, ERROR_INPUT,
                     "%s:%llu: the %s data ends early, at byte %llu: the file was cut short; "
                     "`%s -dc FILE | head -n %llu` gives its whole lines, to be imported as a file",
                     capture->path, whole + 1, name, (unsigned long long)capture->position, name,
                     whole);
}

static int unpack(struct capture *capture, struct error *error)
{
    size_t made = 0;
    while (made == 0 && !capture->text_end) {
        /* zstd may hold output back although all input is taken: ask it once more at the end. */
        if (capture->stored_at == capture->stored_length) {
            int code = fill_stored(capture, error);
            if (code != 0) {
                return code;
            }
        }
        char *out = capture->text + capture->text_length;
        size_t room = capture->text_capacity - capture->text_length;
        bool idle = capture->stored_end && !capture->in_member;
        int code = idle                       ? 0
                   : capture->packing == GZIP ? unpack_gzip(capture, out, room, &made, error)
                   : capture->packing == ZSTD ? unpack_zstd(capture, out, room, &made, error)
                                              : unpack_plain(capture, out, room, &made);
        if (code != 0) {
            return code;
        }
        if (made == 0 && capture->stored_end) {
            capture->text_end = true;
            if (capture->in_member) {
                return ends_early(capture, error);
            }
        }
    }
    hash_stream_update(&capture->hash, capture->text + capture->text_length, made);
    capture->text_length += made;
    capture->text_bytes += made;
    return 0;
}

/* Make room for more text: move what is left to the front, or grow. */
static int make_room(struct capture *capture, struct error *error)
{
    size_t left = capture->text_length - capture->text_at;
    memmove(capture->text, capture->text + capture->text_at, left);
    capture->text_at = 0;
    capture->text_length = left;
    if (left < capture->text_capacity / 2) {
        return 0;
    }
    if (left >= CAPTURE_LINE_MAX) {
        return bad_line(capture, error, "line longer than 16 MiB");
    }
    char *text = realloc(capture->text, capture->text_capacity * 2);
    if (text == NULL) {
        return error_set(error, ERROR_SYSTEM, "%s: no memory for a long line", capture->path);
    }
    capture->text = text;
    capture->text_capacity *= 2;
    return 0;
}

/* The next line without its end, or NULL at the end of the file. */
static int next_text(struct capture *capture, char **line, size_t *length, struct error *error)
{
    size_t searched = 0;
    *line = NULL;
    capture->line_number++;
    for (;;) {
        size_t left = capture->text_length - capture->text_at;
        char *begin = capture->text + capture->text_at;
        char *end = left > searched ? memchr(begin + searched, '\n', left - searched) : NULL;
        if (end != NULL || (capture->text_end && left > 0)) {
            *length = end != NULL ? (size_t)(end - begin) : left;
            *line = begin;
            capture->text_at += *length + (end != NULL);
            return 0;
        }
        if (capture->text_end) {
            return 0;
        }
        searched = left;
        int code = make_room(capture, error);
        if (code == 0) {
            code = unpack(capture, error);
        }
        if (code != 0) {
            return code;
        }
    }
}

/* Nanoseconds in the unit that a receive time of so many digits has, or 0. */
static int64_t unit_of_digits(size_t digits)
{
    return digits == 10   ? INT64_C(1000000000)
           : digits == 13 ? INT64_C(1000000)
           : digits == 16 ? INT64_C(1000)
           : digits == 19 ? INT64_C(1)
                          : 0;
}

static int split(const struct capture *capture, const char *text, size_t length,
                 struct capture_line *line, struct error *error)
{
    int64_t value = 0;
    size_t digits = 0;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9' && digits < 19) {
        int digit = text[digits++] - '0';
        if (value > (INT64_MAX - digit) / 10) {
            return bad_line(capture, error, "receive time out of range");
        }
        value = value * 10 + digit;
    }
    int64_t unit = unit_of_digits(digits);
    if (unit == 0 || digits + 1 >= length || text[digits] != ' ') {
        return bad_line(capture, error,
                        "expected `<receive time> <frame>` with a time of 10 (s), 13 (ms), 16 (us) "
                        "or 19 (ns) digits");
    }
    if (value > CAPTURE_TIME_MAX_NS / unit) {
        return bad_line(capture, error, "receive time out of range, expected one before 2096");
    }
    line->receive_ns = value * unit;
    line->number = capture->line_number;
    line->frame = text + digits + 1;
    line->length = length - digits - 1;
    return 0;
}

int capture_next(struct capture *capture, struct capture_line *line, bool *more,
                 struct error *error)
{
    for (;;) {
        char *text;
        size_t length = 0;
        int code = next_text(capture, &text, &length, error);
        *more = code == 0 && text != NULL;
        if (!*more) {
            return code;
        }
        while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == ' ')) {
            length--;
        }
        if (length > 0) {
            return split(capture, text, length, line, error);
        }
        capture->blank_lines++;
    }
}

void capture_digest(struct capture *capture, uint8_t digest[16], uint64_t *bytes)
{
    const struct hash_128 hash = hash_stream_128(&capture->hash);
    for (int i = 0; i < 8; i++) {
        digest[i] = (uint8_t)(hash.high >> (56 - 8 * i));
        digest[8 + i] = (uint8_t)(hash.low >> (56 - 8 * i));
    }
    *bytes = capture->text_bytes;
}

uint64_t capture_blank_lines(const struct capture *capture)
{
    return capture->blank_lines;
}

void capture_position(const struct capture *capture, uint64_t *position, uint64_t *size)
{
    *position = capture->position - (capture->stored_length - capture->stored_at);
    *size = capture->size;
}
