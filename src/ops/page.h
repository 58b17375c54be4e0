/* The dashboard's files, built in: made from src/ops/page/ by the Makefile. */
#ifndef CAPSTAN_OPS_PAGE_H
#define CAPSTAN_OPS_PAGE_H

#include <stddef.h>

struct ops_page {
    const char *path; /* "/", "/dashboard.js" */
    const char *type; /* content type */
    const unsigned char *bytes;
    size_t length;
};

/* The list, ended by a NULL path. */
extern const struct ops_page ops_pages[];
/* NULL: no such file. */
const struct ops_page *ops_page_of(const char *path);

#endif
