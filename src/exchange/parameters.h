/* The parameters of a request in the form of a web page's (name=value&…), and paths split at slashes. */
#ifndef CAPSTAN_EXCHANGE_PARAMETERS_H
#define CAPSTAN_EXCHANGE_PARAMETERS_H

#include "base/integer.h"

enum { PARAMETERS_MAX = 64, PARAMETER_BYTES_MAX = 8192, PATH_PARTS_MAX = 12 };

struct parameter {
    const char *name, *value; /* decoded */
};

/* Parameters in the order in which they came; point into `memory`. */
struct parameters {
    size_t count;
    struct parameter items[PARAMETERS_MAX];
    size_t used;
    char memory[PARAMETER_BYTES_MAX];
};

void parameters_init(struct parameters *parameters);
/* Add those of "a=1&b=%20"; false where there are too many, or an escape is none. */
bool parameters_add(struct parameters *parameters, const char *text, size_t length);
/* The first of that name, or NULL. */
const char *parameter(const struct parameters *parameters, const char *name);
/* The next of that name after `index` (begin with 0), for lists; NULL at the end. Moves *index behind it. */
const char *parameter_next(const struct parameters *parameters, const char *name, size_t *index);
/* A whole number of at most 18 digits; false where the parameter is there and none. *value is untouched
 * where it is not there. */
bool parameter_integer(const struct parameters *parameters, const char *name, int64_t *value);

/* "/v3/accounts/1" decoded and cut into parts. */
struct path_parts {
    size_t count;
    const char *parts[PATH_PARTS_MAX];
    char memory[1024];
};

/* False where it is too long or has too many parts. */
bool path_split(const char *path, struct path_parts *parts);
/* Whether the parts are those of `pattern`, in which "*" stands for any one. */
bool path_is(const struct path_parts *parts, const char *pattern);

#endif
