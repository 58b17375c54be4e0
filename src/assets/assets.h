/* Files that pages are made of, as bytes in the program: Makefile.am names the file of each, scripts/embed
 * writes them as C when Capstan is built. */
#ifndef CAPSTAN_ASSETS_ASSETS_H
#define CAPSTAN_ASSETS_ASSETS_H

#include <stddef.h>

/* The bytes of a file, UTF-8 text; no NUL ends them. */
struct asset {
    const unsigned char *bytes;
    size_t size;
};

/* X(name) */
#define ASSETS(X)                                                                                  \
    X(uplot_js)                                                                                    \
    X(uplot_css)                                                                                   \
    X(chart_js)                                                                                    \
    X(look_css)                                                                                    \
    X(report_css)                                                                                  \
    X(report_js)                                                                                   \
    X(dashboard_html)                                                                              \
    X(dashboard_css)                                                                               \
    X(dashboard_js)

#define X(name) extern const struct asset asset_##name;
ASSETS(X)
#undef X

#endif
