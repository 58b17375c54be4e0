/* Gives each file named on the command line to a fuzz target, once: the regression mode of plain builds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    uint8_t *data = malloc(SEED_MAX);
    if (!data)
        return 3;
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            fprintf(stderr, "%s: can't be read\n", argv[i]);
            free(data);
            return 2;
        }
        size_t size = fread(data, 1, SEED_MAX, file);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return 0;
}
