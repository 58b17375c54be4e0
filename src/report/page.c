/* The report's page: one file of HTML with its style, its script and its data inside. */
#include "config.h"

#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assets/assets.h"
#include "base/time.h"
#include "report/chart.h"
#include "report/figures.h"
#include "report/merge.h"
#include "report/write.h"

enum { PAGE_PATH_MAX = 4096, PAGE_ASSETS_MAX = 64 };

/* What is held while writing. */
struct page {
    FILE *stream;
    const struct run *runs;
    unsigned count;
    struct table tables[REPORT_RUNS_MAX][FIGURES_COUNT];
    struct chart equities[PAGE_ASSETS_MAX], inventories[CHART_INVENTORIES_MAX];
    size_t equity_count, inventory_count;
};

static void put(struct page *page, const char *html)
{
    fputs(html, page->stream);
}

static void put_asset(struct page *page, const struct asset *asset)
{
    fwrite(asset->bytes, 1, asset->size, page->stream);
}

/* --- tables --------------------------------------------------------------------------------------- */

static void put_cell(struct page *page, const struct table_column *column, const char *text)
{
    put(page, column->kind == TABLE_FIGURE ? "<td class=figure>" : "<td>");
    write_html(page->stream, text);
    put(page, "</td>");
}

static void put_key(struct page *page, const char *text, int rows)
{
    fprintf(page->stream, rows > 1 ? "<th scope=row rowspan=%d>" : "<th scope=row>", rows);
    write_html(page->stream, text);
    put(page, "</th>");
}

static void put_heading(struct page *page, const struct table_column *column)
{
    put(page, column->kind == TABLE_FIGURE ? "<th scope=col class=figure>" : "<th scope=col>");
    write_html(page->stream, column->name);
    put(page, "</th>");
}

static void put_one_table(struct page *page, const struct table *table)
{
    put(page, "<thead><tr>");
    for (unsigned i = 0; i < table->column_count; i++)
        put_heading(page, &table->columns[i]);
    put(page, "</tr></thead><tbody>\n");
    for (size_t row = 0; row < table_rows(table); row++) {
        put(page, "<tr>");
        for (unsigned i = 0; i < table->column_count; i++)
            if (table->columns[i].kind == TABLE_KEY)
                put_key(page, table_cell(table, row, i), 1);
            else
                put_cell(page, &table->columns[i], table_cell(table, row, i));
        put(page, "</tr>\n");
    }
    put(page, "</tbody>");
}

/* One value a row: a column a run. */
static void put_value_columns(struct page *page, const struct table *a, const struct table *b,
                              const struct merge_row *rows, size_t count)
{
    put(page, "<thead><tr>");
    put_heading(page, &a->columns[0]);
    put(page, "<th scope=col>A</th><th scope=col>B</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        size_t at_a = rows[i].row[0], at_b = rows[i].row[1];
        put(page, "<tr>");
        put_key(page, at_a != MERGE_NONE ? table_cell(a, at_a, 0) : table_cell(b, at_b, 0), 1);
        put_cell(page, &a->columns[1], at_a != MERGE_NONE ? table_cell(a, at_a, 1) : "");
        put_cell(page, &a->columns[1], at_b != MERGE_NONE ? table_cell(b, at_b, 1) : "");
        put(page, "</tr>\n");
    }
    put(page, "</tbody>");
}

static void put_values(struct page *page, const struct table *table, size_t row)
{
    for (unsigned i = 0; i < table->column_count; i++)
        if (table->columns[i].kind != TABLE_KEY)
            put_cell(page, &table->columns[i], row == MERGE_NONE ? "" : table_cell(table, row, i));
    put(page, "</tr>\n");
}

static void put_differences(struct page *page, const struct table *a, const struct table *b,
                            const struct merge_row *row)
{
    char text[MONEY_TEXT_MAX];
    put(page, "<tr class=difference><td>B &minus; A</td>");
    for (unsigned i = 0; i < a->column_count; i++) {
        if (a->columns[i].kind == TABLE_KEY)
            continue;
        bool has =
            a->columns[i].kind == TABLE_FIGURE &&
            merge_difference(table_cell(a, row->row[0], i), table_cell(b, row->row[1], i), text);
        put_cell(page, &a->columns[i], has ? text : "");
    }
    put(page, "</tr>\n");
}

/* Keys once, then a row of A, a row of B and their difference. */
static void put_rows_of_both(struct page *page, const struct table *a, const struct table *b,
                             const struct merge_row *rows, size_t count)
{
    put(page, "<thead><tr>");
    for (unsigned i = 0; i < a->column_count; i++)
        if (a->columns[i].kind == TABLE_KEY)
            put_heading(page, &a->columns[i]);
    put(page, "<th scope=col>Run</th>");
    for (unsigned i = 0; i < a->column_count; i++)
        if (a->columns[i].kind != TABLE_KEY)
            put_heading(page, &a->columns[i]);
    put(page, "</tr></thead><tbody>\n");
    for (size_t at = 0; at < count; at++) {
        bool in_a = rows[at].row[0] != MERGE_NONE, both = in_a && rows[at].row[1] != MERGE_NONE;
        put(page, "<tr>");
        for (unsigned i = 0; i < a->column_count; i++)
            if (a->columns[i].kind == TABLE_KEY)
                put_key(page,
                        in_a ? table_cell(a, rows[at].row[0], i)
                             : table_cell(b, rows[at].row[1], i),
                        both ? 3 : 2);
        put(page, "<td>A</td>");
        put_values(page, a, rows[at].row[0]);
        put(page, "<tr><td>B</td>");
        put_values(page, b, rows[at].row[1]);
        if (both)
            put_differences(page, a, b, &rows[at]);
    }
    put(page, "</tbody>");
}

static int put_two_tables(struct page *page, const struct table *a, const struct table *b,
                          struct error *error)
{
    struct merge_row *rows;
    size_t count;
    int code = merge_tables(a, b, &rows, &count, error);
    if (code)
        return code;
    if (a->column_count == 2)
        put_value_columns(page, a, b, rows, count);
    else
        put_rows_of_both(page, a, b, rows, count);
    free(rows);
    return 0;
}

/* A section with its table; the section's end is the caller's. */
static int put_table(struct page *page, enum figures_table which, struct error *error)
{
    const struct table *table = &page->tables[0][which];
    int code = 0;
    bool empty = true;
    for (unsigned run = 0; run < page->count; run++)
        empty &= table_rows(&page->tables[run][which]) == 0;
    fprintf(page->stream, "<section class=panel id=%s aria-labelledby=%s-title>\n<h2 id=%s-title>",
            table->id, table->id, table->id);
    write_html(page->stream, table->title);
    put(page, "</h2>\n");
    if (table->note[0]) {
        put(page, "<p class=soft>");
        write_html(page->stream, table->note);
        put(page, "</p>\n");
    }
    if (empty) {
        put(page, "<p>None.</p>\n");
        return 0;
    }
    fprintf(page->stream,
            "<div class=scroll tabindex=0 role=region aria-labelledby=%s-title><table>", table->id);
    if (page->count == 1)
        put_one_table(page, table);
    else
        code = put_two_tables(page, table, &page->tables[1][which], error);
    put(page, "</table></div>\n");
    return code;
}

/* --- charts ----------------------------------------------------------------------------------------- */

static void put_chart_place(struct page *page, const struct chart *chart, const char *prefix,
                            size_t number, const char *what)
{
    fprintf(page->stream, "<figure class=\"panel\" aria-label=\"%s, ", what);
    write_html(page->stream, chart->title);
    fprintf(page->stream, "\"><figcaption>%s, ", what);
    write_html(page->stream, chart->title);
    fprintf(page->stream, "</figcaption><div class=plot id=%s-%zu></div></figure>\n", prefix,
            number);
}

static void put_profit_charts(struct page *page)
{
    put(page, "<div class=charts>\n");
    for (size_t i = 0; i < page->equity_count; i++) {
        put_chart_place(page, &page->equities[i], "equity", i, "Equity");
        put_chart_place(page, &page->equities[i], "drawdown", i, "Drawdown");
    }
    put(page, "</div>\n");
}

static void put_inventory_charts(struct page *page)
{
    put(page, "<div class=charts>\n");
    for (size_t i = 0; i < page->inventory_count; i++)
        put_chart_place(page, &page->inventories[i], "inventory", i, "Inventory");
    put(page, "</div>\n");
    if (page->inventory_count == CHART_INVENTORIES_MAX)
        fprintf(page->stream,
                "<p class=soft>Inventory is drawn for %d instruments; --csv has all.</p>\n",
                CHART_INVENTORIES_MAX);
}

static void put_data(struct page *page)
{
    static const struct chart_style equity = {"equity", false, false},
                                    drawdown = {"drawdown", true, false},
                                    inventory = {"inventory", false, true};
    const char *between = "";
    fprintf(page->stream, "<script type=\"application/json\" id=data>{\"elapsed\":%s,\"charts\":[",
            page->count > 1 ? "true" : "false");
    for (size_t i = 0; i < page->equity_count; i++) {
        put(page, between);
        chart_json(page->stream, &page->equities[i], i, &equity, page->runs, page->count);
        put(page, ",");
        chart_json(page->stream, &page->equities[i], i, &drawdown, page->runs, page->count);
        between = ",";
    }
    for (size_t i = 0; i < page->inventory_count; i++) {
        put(page, between);
        chart_json(page->stream, &page->inventories[i], i, &inventory, page->runs, page->count);
        between = ",";
    }
    put(page, "]}</script>\n");
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static void put_head(struct page *page)
{
    put(page, "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
              "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
              "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
              "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
              "form-action 'none'\">\n<meta name=color-scheme content=\"light dark\">\n<title>");
    write_html(page->stream, page->runs[0].provenance.tape_name);
    put(page, " - Capstan report</title>\n<style>\n");
    put_asset(page, &asset_uplot_css);
    put_asset(page, &asset_look_css);
    put_asset(page, &asset_report_css);
    put(page, "</style>\n</head>\n<body>\n<a class=skip href=\"#main\">Skip to the figures</a>\n");
}

static void put_run_head(struct page *page, const struct run *run, unsigned number)
{
    const struct run_provenance *p = &run->provenance;
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_to_text(p->first_ns, from);
    time_to_text(p->last_ns, to);
    from[strcspn(from, "T")] = to[strcspn(to, "T")] = ' ';
    const char *class = p->run_grade[0] == 'A' ? "good" : p->run_grade[0] == 'B' ? "warn" : "bad";
    fprintf(page->stream, "<div class=run><span class=\"grade %s\" title=\"grade of the run\">",
            class);
    write_html(page->stream, p->run_grade);
    put(page, "</span><div>");
    if (page->count > 1)
        fprintf(page->stream, "<strong>%c</strong> ", 'A' + (int)number);
    put(page, "<strong>");
    write_html(page->stream, p->tape_name);
    fprintf(page->stream,
            "</strong><div class=soft><span class=time>%.19s</span> to "
            "<span class=time>%.19s UTC</span>%s",
            from, to, p->fingerprint[0] ? ", fingerprint " : "");
    write_html(page->stream, p->fingerprint);
    put(page, "</div></div></div>\n");
}

static void put_header(struct page *page)
{
    put(page, "<header><h1>Capstan report</h1><div class=runs>\n");
    for (unsigned run = 0; run < page->count; run++)
        put_run_head(page, &page->runs[run], run);
    put(page, "</div></header>\n<nav aria-label=Sections>");
    for (unsigned i = 0; i < FIGURES_COUNT; i++) {
        const struct table *table = &page->tables[0][i];
        fprintf(page->stream, "<a href=\"#%s\">", table->id);
        write_html(page->stream, table->title);
        put(page, "</a>\n");
    }
    put(page, "</nav>\n<main id=main>\n");
}

static void put_configurations(struct page *page)
{
    put(page, "<section class=panel id=configuration><h2>Configuration</h2>\n");
    for (unsigned run = 0; run < page->count; run++) {
        if (page->count > 1)
            fprintf(page->stream, "<details><summary>As it was in force in %c</summary><pre>",
                    'A' + (int)run);
        else
            put(page, "<details><summary>As it was in force</summary><pre>");
        write_html(page->stream, page->runs[run].provenance.config);
        put(page, "</pre></details>\n");
    }
    put(page, "</section>\n");
}

static int put_sections(struct page *page, struct error *error)
{
    for (unsigned i = 0; i < FIGURES_COUNT; i++) {
        int code = put_table(page, (enum figures_table)i, error);
        if (code)
            return code;
        put(page, "</section>\n");
        if (i == FIGURES_account)
            put_profit_charts(page);
        if (i == FIGURES_profit)
            put_inventory_charts(page);
    }
    return 0;
}

static int put_page(struct page *page, struct error *error)
{
    put_head(page);
    put_header(page);
    put(page, "<noscript><p class=\"panel soft\">The charts need JavaScript; every figure stands "
              "in the tables.</p><style>.charts{display:none}</style></noscript>\n");
    int code = put_sections(page, error);
    put_configurations(page);
    put(page, "</main>\n");
    put_data(page);
    put(page, "<script>\n");
    put_asset(page, &asset_uplot_js);
    put(page, "\n");
    put_asset(page, &asset_chart_js);
    put_asset(page, &asset_report_js);
    put(page, "</script>\n</body>\n</html>\n");
    return code;
}

static int write_file(struct page *page, const char *path, struct error *error)
{
    page->stream = fopen(path, "w");
    if (!page->stream)
        return error_set(error, ERROR_SYSTEM, "%.400s: %s", path, strerror(errno));
    int code = put_page(page, error);
    bool failed = ferror(page->stream) != 0;
    failed |= fclose(page->stream) != 0;
    if (!code && failed)
        code =
            error_set(error, ERROR_SYSTEM, "%.400s: cannot be written: %s", path, strerror(errno));
    return code;
}

/* A file is made beside its place first; a device or a pipe is written to. */
static int write_whole(struct page *page, const char *path, struct error *error)
{
    char unfinished[PAGE_PATH_MAX];
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return write_file(page, path, error);
    int length = snprintf(unfinished, sizeof unfinished, "%s.unfinished-%ld", path, (long)getpid());
    if (length < 0 || length >= (int)sizeof unfinished)
        return error_set(error, ERROR_INPUT, "%.400s: path too long", path);
    int code = write_file(page, unfinished, error);
    if (!code && rename(unfinished, path) != 0)
        code = error_set(error, ERROR_SYSTEM, "%.400s: %s", path, strerror(errno));
    if (code)
        unlink(unfinished);
    return code;
}

int report_write_page(const char *path, const struct run *runs, unsigned count, struct error *error)
{
    struct page *page = calloc(1, sizeof *page);
    int code = 0;
    if (!page)
        return error_set(error, ERROR_SYSTEM, "no memory for the report");
    page->runs = runs;
    page->count = count;
    page->equity_count = chart_equities(runs, count, page->equities, PAGE_ASSETS_MAX);
    page->inventory_count =
        chart_inventories(runs, count, page->inventories, CHART_INVENTORIES_MAX);
    for (unsigned run = 0; !code && run < count; run++)
        code = figures_make(&runs[run], page->tables[run], error);
    if (!code)
        code = write_whole(page, path, error);
    for (unsigned run = 0; run < count; run++)
        figures_close(page->tables[run]);
    free(page);
    return code;
}
