/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as a file of settings or, after an S, as --set. What
 * is accepted prints as text that reads back to the same; what is refused is one line. */
#include "base/assert.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int give(struct config *config, const uint8_t *data, size_t size, struct error *error)
{
    char assignment[512];
    if (size == 0 || data[0] != 'S')
        return config_read_text(config, "fuzz", (const char *)data, size, error);
    size_t length = size - 1 < sizeof assignment ? size - 1 : sizeof assignment - 1;
    memcpy(assignment, data + 1, length);
    assignment[length] = '\0';
    return config_set(config, assignment, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL, *again = NULL;
    struct error error = {0};
    char *text = NULL, *text_again = NULL;
    ASSERT(config_create(&config, &error) == ERROR_NONE);
    ASSERT(config_create(&again, &error) == ERROR_NONE);
    if (give(config, data, size, &error) == ERROR_NONE) {
        ASSERT(config_to_text(config, &text, &error) == ERROR_NONE);
        ASSERT(config_read_text(again, "again", text, strlen(text), &error) == ERROR_NONE);
        ASSERT(config_to_text(again, &text_again, &error) == ERROR_NONE);
        ASSERT(strcmp(text, text_again) == 0);
    } else {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
    }
    free(text);
    free(text_again);
    config_free(&config);
    config_free(&again);
    return 0;
}
