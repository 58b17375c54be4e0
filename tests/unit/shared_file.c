/* See shared_file.h. */
#include "shared_file.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *open_shared(const char *name)
{
    const char *shared = getenv("CAPSTAN_SHARED"), *source = getenv("srcdir");
    char path[4096];
    if (shared)
        snprintf(path, sizeof path, "%s/%s", shared, name);
    else
        snprintf(path, sizeof path, "%s/../shared/%s", source ? source : ".", name);
    return fopen(path, "rb");
}

char *shared_file(const char *name, size_t *length)
{
    FILE *file = open_shared(name);
    size_t capacity = 1 << 16, got;
    char *bytes = file ? malloc(capacity) : NULL;
    *length = 0;
    while (bytes && (got = fread(bytes + *length, 1, capacity - *length - 1, file)) > 0) {
        *length += got;
        if (*length + 1 < capacity)
            continue;
        capacity *= 2;
        char *more = realloc(bytes, capacity);
        if (!more)
            free(bytes);
        bytes = more;
    }
    if (bytes)
        bytes[*length] = '\0';
    if (file)
        fclose(file);
    return bytes;
}
