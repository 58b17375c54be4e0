/* Golden texts on disk. */
#include "replay/golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GOLDEN_MAX = 64 << 20 };

/* The whole file, NUL-terminated, malloc'ed. ERROR_DIFFERENT where there is none. */
static int read_whole(const char *path, char **text, size_t *length, struct error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(error, ERROR_DIFFERENT, "%s: %s; 'make bless' writes it", path,
                         strerror(errno));
    size_t capacity = 1 << 16, used = 0, got;
    char *buffer = malloc(capacity);
    while (buffer && (got = fread(buffer + used, 1, capacity - used - 1, file)) > 0) {
        used += got;
        if (capacity - used > 1 || capacity >= GOLDEN_MAX)
            continue;
        char *grown = realloc(buffer, capacity *= 2);
        if (!grown)
            free(buffer);
        buffer = grown;
    }
    bool failed = ferror(file) != 0;
    fclose(file);
    if (!buffer)
        return error_set(error, ERROR_SYSTEM, "%s: out of memory", path);
    if (failed) {
        free(buffer);
        return error_set(error, ERROR_SYSTEM, "%s: cannot be read", path);
    }
    buffer[used] = '\0';
    *text = buffer;
    *length = used;
    return 0;
}

static int show_difference(const char *path, const char *golden, size_t golden_length,
                           const char *text, size_t length, struct error *error)
{
    size_t at = 0, line = 1, begin = 0;
    for (; at < golden_length && at < length && golden[at] == text[at]; at++) {
        if (golden[at] != '\n')
            continue;
        line++;
        begin = at + 1;
    }
    int golden_line = (int)strcspn(golden + begin, "\n");
    int text_line = (int)strcspn(text + begin, "\n");
    if (golden_line > 400)
        golden_line = 400;
    if (text_line > 400)
        text_line = 400;
    return error_set(error, ERROR_DIFFERENT,
                     "%s:%zu: differs from the run\n  golden: %.*s\n  run:    %.*s", path, line,
                     golden_line, golden + begin, text_line, text + begin);
}

int golden_compare(const char *path, const char *text, size_t length, struct error *error)
{
    char *golden = NULL;
    size_t golden_length = 0;
    int code = read_whole(path, &golden, &golden_length, error);
    if (code)
        return code;
    if (golden_length != length || memcmp(golden, text, length) != 0)
        code = show_difference(path, golden, golden_length, text, length, error);
    free(golden);
    return code;
}

int golden_bless(const char *path, const char *text, size_t length, struct error *error)
{
    struct error ignored = {0};
    if (golden_compare(path, text, length, &ignored) == 0)
        return 0;
    FILE *file = fopen(path, "wb");
    if (!file)
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    bool written = fwrite(text, 1, length, file) == length;
    if (fclose(file) != 0 || !written)
        return error_set(error, ERROR_SYSTEM, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}
