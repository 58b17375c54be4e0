/* Tapes in the order of their chain: each but the first says which number it has and which tape it follows. */
#include "run/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/rotation.h"

/* One tape, as its beginning tells. */
struct link {
    const char *path;
    uint64_t number;                  /* from 1 */
    char follows[EVENT_TEXT_MAX + 1]; /* the file's name; "": none */
};

static int read_link(struct link *link, const char *path, struct error *error)
{
    struct rotation_carry carry = {.whole = false};
    int code = rotation_carry_read(&carry, path, error);
    *link = (struct link){.path = path, .number = 1};
    if (!code && carry.follows) {
        const struct event_predecessor *told = &carry.predecessor;
        link->number = told->number;
        snprintf(link->follows, sizeof link->follows, "%.*s", (int)told->name.length,
                 (const char *)told->name.bytes);
    }
    rotation_carry_close(&carry);
    return code;
}

static int by_number(const void *a, const void *b)
{
    const struct link *one = a, *other = b;
    return one->number < other->number ? -1 : one->number > other->number;
}

static int check_pair(const struct link *link, const struct link *next, struct error *error)
{
    if (next->number == link->number && next->number <= 1)
        return error_set(error, ERROR_INPUT,
                         "%s and %s: each is the first tape of a session, so that neither goes on "
                         "where the other ended",
                         link->path, next->path);
    if (next->number == link->number)
        return error_set(error, ERROR_INPUT, "%s and %s: both are tape %" PRIu64 " of a session",
                         link->path, next->path, next->number);
    if (next->number != link->number + 1)
        return error_set(
            error, ERROR_INPUT,
            "%s: follows %s, which is not among these tapes; the one before it here is %s",
            next->path, next->follows, link->path);
    return 0;
}

static int check_order(const struct link *links, size_t count, struct error *error)
{
    int code = 0;
    for (size_t i = 1; i < count && !code; i++)
        code = check_pair(&links[i - 1], &links[i], error);
    return code;
}

int chain_sort(const char **paths, size_t count, struct error *error)
{
    struct link *links = calloc(count + 1, sizeof *links);
    int code = links ? 0 : error_set(error, ERROR_SYSTEM, "out of memory");
    for (size_t i = 0; i < count && !code; i++) {
        for (size_t j = 0; j < i && !code; j++)
            if (strcmp(paths[i], paths[j]) == 0)
                code = error_set(error, ERROR_INPUT, "%s: is there twice", paths[i]);
        if (!code)
            code = read_link(&links[i], paths[i], error);
    }
    if (!code) {
        qsort(links, count, sizeof *links, by_number);
        code = check_order(links, count, error);
    }
    for (size_t i = 0; i < count && !code; i++)
        paths[i] = links[i].path;
    free(links);
    return code;
}
