/* The dashboard's files, built in. */
#ifndef CAPSTAN_OPS_PAGE_H
#define CAPSTAN_OPS_PAGE_H

#include "assets/assets.h"

struct ops_page {
    const char *path; /* "/", "/dashboard.js" */
    const char *type; /* content type */
    const struct asset *content;
};

/* NULL: no such file. */
const struct ops_page *ops_page_of(const char *path);

#endif
