/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as a whole tape file. Reading, checking and seeking
 * in it neither crash nor take more memory than the format's limits allow. */
#include "base/assert.h"
#include "tape/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decode every block; the first damage ends it. */
static void read_all(struct tape_reader *reader)
{
    struct tape_block block;
    struct error error = {0};
    if (tape_block_init(&block, reader, &error))
        return;
    for (size_t i = 0; i < tape_reader_block_count(reader); i++) {
        if (tape_reader_read(reader, i, &block, &error))
            break;
    }
    tape_block_free(&block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[256];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/capstan-fuzz-%p.tape", folder ? folder : ".", (void *)&path);
    FILE *file = fopen(path, "wb");
    ASSERT(file);
    ASSERT(fwrite(data, 1, size, file) == size);
    ASSERT(fclose(file) == 0);
    struct tape_reader *reader = NULL;
    struct tape_check check;
    struct error error = {0};
    if (tape_reader_open(&reader, path, &error) == ERROR_NONE) {
        read_all(reader);
        (void)tape_reader_snapshot_before(reader, INT64_MAX);
        tape_reader_close(&reader);
    } else {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
    }
    (void)tape_check(path, &check, &error);
    remove(path);
    return 0;
}
