/* Which file of the dashboard stands at which path. */
#include "ops/page.h"

#include <string.h>

#define HTML "text/html; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define JS   "text/javascript; charset=utf-8"

static const struct ops_page pages[] = {
    {"/", HTML, &asset_dashboard_html},         {"/look.css", CSS, &asset_look_css},
    {"/uplot.css", CSS, &asset_uplot_css},      {"/dashboard.css", CSS, &asset_dashboard_css},
    {"/uplot.js", JS, &asset_uplot_js},         {"/chart.js", JS, &asset_chart_js},
    {"/dashboard.js", JS, &asset_dashboard_js},
};

const struct ops_page *ops_page_of(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}
