/* See page.h. */
#include "ops/page.h"

#include <string.h>

const struct ops_page *ops_page_of(const char *path)
{
    for (const struct ops_page *page = ops_pages; page->path; page++)
        if (strcmp(page->path, path) == 0)
            return page;
    return NULL;
}
