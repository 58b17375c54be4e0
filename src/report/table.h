/* Tables of a report: the same cells go to the page and to CSV. */
#ifndef CAPSTAN_REPORT_TABLE_H
#define CAPSTAN_REPORT_TABLE_H

#include "base/money.h"

enum { TABLE_COLUMNS_MAX = 16 };

/* What a column holds. Rows of two runs with the same keys belong together. */
enum table_kind { TABLE_KEY, TABLE_TEXT, TABLE_FIGURE };

struct table_column {
    const char *id;   /* its name in CSV */
    const char *name; /* its heading */
    enum table_kind kind;
};

struct table {
    const char *id;    /* its CSV file without the ending */
    const char *title; /* heading */
    const char *note;  /* what it means, one or two sentences; "" for none */
    const struct table_column *columns;
    unsigned column_count;
    char **cells; /* row after row */
    size_t cell_count, cell_capacity;
    bool no_memory;
};

/* An empty table; the texts and columns must outlive it. */
void table_open(struct table *table, const char *id, const char *title, const char *note,
                const struct table_column *columns, unsigned column_count);
void table_close(struct table *table);
size_t table_rows(const struct table *table);
const char *table_cell(const struct table *table, size_t row, unsigned column);

/* The next cell, row after row. A failure for want of memory is kept in `no_memory`. */
void table_text(struct table *table, const char *text);
void table_count(struct table *table, uint64_t count);
void table_integer(struct table *table, int64_t value);
void table_money(struct table *table, money amount);
/* units x 10^exponent, which may be any wide sum. */
void table_decimal(struct table *table, int128 units, int exponent);
void table_time(struct table *table, int64_t time_ns);
/* numerator / denominator rounded half to even at `decimals` (0 to 9) decimals; "" where the denominator
 * is 0. */
void table_ratio(struct table *table, int128 numerator, int128 denominator, int decimals);
/* As table_ratio, times 10,000 with two decimals: basis points. */
void table_basis_points(struct table *table, int128 numerator, int128 denominator);

#endif
