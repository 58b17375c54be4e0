/* Writes the seeds of the tape's fuzz target that are not text to the folder given: small tapes, the same
 * to be sealed anew, and a header. */
#include "tape/header.h"
#include "tests/unit/tape_random.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

/* Write `length` bytes behind the byte `prefix`. */
static int write_file(const char *path, char prefix, const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return 3;
    bool good = fputc(prefix, file) != EOF && fwrite(bytes, 1, length, file) == length;
    return fclose(file) == 0 && good ? 0 : 3;
}

static int write_header(const char *path)
{
    struct tape_header header = tape_random_header();
    struct error error = {0};
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (tape_header_encode(&header, &bytes, &length, &error) != 0)
        return 3;
    int failed = write_file(path, 'H', bytes, length);
    free(bytes);
    return failed;
}

/* Write a tape of few messages to `plain`, and the same behind an S to `sealed`. */
static int write_tapes(const char *plain, const char *sealed, bool wild, unsigned messages)
{
    static uint8_t bytes[1 << 20];
    struct error error = {0};
    if (tape_random_write(plain, messages, wild, messages, TAPE_BLOCK_EVENTS_MIN, 1, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 3;
    }
    FILE *file = fopen(plain, "rb");
    if (file == NULL)
        return 3;
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return write_file(sealed, 'S', bytes, length);
}

int main(int argc, char **argv)
{
    static const unsigned messages[] = {0, 1, 3, 40, 400};
    char plain[PATH_BYTES], sealed[PATH_BYTES];
    if (argc != 2) {
        fprintf(stderr, "Usage: tape_samples FOLDER\n");
        return 2;
    }
    snprintf(plain, sizeof plain, "%s/header", argv[1]);
    int failed = write_header(plain);
    for (unsigned i = 0; i < 2 * sizeof messages / sizeof *messages && failed == 0; i++) {
        snprintf(plain, sizeof plain, "%s/tape-%u", argv[1], i);
        snprintf(sealed, sizeof sealed, "%s/sealed-%u", argv[1], i);
        failed = write_tapes(plain, sealed, i % 2 != 0, messages[i / 2]);
    }
    return failed;
}
