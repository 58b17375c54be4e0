/* The report's tables and series as CSV. */
#include "config.h"

#include "report/report.h"

#include <stdio.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "report/figures.h"
#include "report/write.h"

enum { CSV_PATH_MAX = 4096 };

/* What is held while writing. */
struct csv {
    const char *folder;
    const struct run *runs;
    unsigned count;
    FILE *stream;
    char path[CSV_PATH_MAX];
};

static int open_file(struct csv *csv, const char *name, struct error *error)
{
    int length = snprintf(csv->path, sizeof csv->path, "%s/%s.csv", csv->folder, name);
    if (length < 0 || length >= (int)sizeof csv->path)
        return error_set(error, ERROR_INPUT, "%.400s: path too long", csv->folder);
    csv->stream = fopen(csv->path, "w");
    return csv->stream ? 0
                       : error_set(error, ERROR_SYSTEM, "%.400s: %s", csv->path, strerror(errno));
}

static int close_file(struct csv *csv, struct error *error)
{
    bool failed = ferror(csv->stream) != 0;
    failed |= fclose(csv->stream) != 0;
    csv->stream = NULL;
    return failed ? error_set(error, ERROR_SYSTEM, "%.400s: %s", csv->path, strerror(errno)) : 0;
}

static int write_table(struct csv *csv, struct table (*tables)[FIGURES_COUNT], unsigned which,
                       struct error *error)
{
    const struct table *first = &tables[0][which];
    int code = open_file(csv, first->id, error);
    if (code)
        return code;
    fputs("run", csv->stream);
    for (unsigned column = 0; column < first->column_count; column++)
        fprintf(csv->stream, ",%s", first->columns[column].id);
    fputs("\r\n", csv->stream);
    for (unsigned run = 0; run < csv->count; run++) {
        const struct table *table = &tables[run][which];
        for (size_t row = 0; row < table_rows(table); row++) {
            fputc('A' + (int)run, csv->stream);
            for (unsigned column = 0; column < table->column_count; column++) {
                fputc(',', csv->stream);
                write_csv(csv->stream, table_cell(table, row, column));
            }
            fputs("\r\n", csv->stream);
        }
    }
    return close_file(csv, error);
}

static int write_tables(struct csv *csv, struct error *error)
{
    struct table tables[REPORT_RUNS_MAX][FIGURES_COUNT];
    memset(tables, 0, sizeof tables);
    int code = 0;
    for (unsigned run = 0; !code && run < csv->count; run++)
        code = figures_make(&csv->runs[run], tables[run], error);
    for (unsigned which = 0; !code && which < FIGURES_COUNT; which++)
        code = write_table(csv, tables, which, error);
    for (unsigned run = 0; run < csv->count; run++)
        figures_close(tables[run]);
    return code;
}

static void write_points(struct csv *csv, unsigned run, const char *name,
                         const struct run_series *series)
{
    char time[TIME_TEXT_MAX], amount[MONEY_TEXT_MAX];
    for (size_t i = 0; i < series->count; i++) {
        time_to_text(series->at_ns[i], time);
        money_to_text(series->amount[i], amount);
        fprintf(csv->stream, "%c,%" PRId64 ",%s,", 'A' + (int)run, series->at_ns[i], time);
        write_csv(csv->stream, name);
        fprintf(csv->stream, ",%s\r\n", amount);
    }
}

static int write_equity(struct csv *csv, struct error *error)
{
    int code = open_file(csv, "equity", error);
    if (code)
        return code;
    fputs("run,at_ns,time,asset,net\r\n", csv->stream);
    for (unsigned run = 0; run < csv->count; run++)
        for (size_t i = 0; i < csv->runs[run].asset_count; i++)
            write_points(csv, run, csv->runs[run].assets[i].name, &csv->runs[run].assets[i].equity);
    return close_file(csv, error);
}

static int write_inventory(struct csv *csv, struct error *error)
{
    int code = open_file(csv, "inventory", error);
    if (code)
        return code;
    fputs("run,at_ns,time,instrument,position\r\n", csv->stream);
    for (unsigned run = 0; run < csv->count; run++)
        for (size_t i = 0; i < csv->runs[run].instrument_count; i++)
            write_points(csv, run, csv->runs[run].instruments[i].name,
                         &csv->runs[run].instruments[i].inventory);
    return close_file(csv, error);
}

int report_write_csv(const char *folder, const struct run *runs, unsigned count,
                     struct error *error)
{
    struct csv csv = {.folder = folder, .runs = runs, .count = count};
    struct stat there;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, ERROR_SYSTEM, "%.400s: %s", folder, strerror(errno));
    if (stat(folder, &there) != 0 || !S_ISDIR(there.st_mode))
        return error_set(error, ERROR_INPUT, "%.400s: is no folder; expected one for CSV files",
                         folder);
    int code = write_tables(&csv, error);
    if (!code)
        code = write_equity(&csv, error);
    return code ? code : write_inventory(&csv, error);
}
