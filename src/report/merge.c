/* Rows of two tables matched by their keys. */
#include "report/merge.h"

#include <stdlib.h>
#include <string.h>

static bool same_keys(const struct table *a, size_t row_a, const struct table *b, size_t row_b)
{
    for (unsigned i = 0; i < a->column_count; i++)
        if (a->columns[i].kind == TABLE_KEY &&
            strcmp(table_cell(a, row_a, i), table_cell(b, row_b, i)) != 0)
            return false;
    return true;
}

/* The row of `in` with the keys of a row; MERGE_NONE where there is none. The search begins at `hint`: rows of two
 * runs mostly stand in one order. */
static size_t find(const struct table *in, const struct table *of, size_t row, size_t hint)
{
    size_t count = table_rows(in);
    for (size_t i = 0; i < count; i++) {
        size_t at = (hint + i) % count;
        if (same_keys(of, row, in, at))
            return at;
    }
    return MERGE_NONE;
}

int merge_tables(const struct table *a, const struct table *b, struct merge_row **out,
                 size_t *count, struct error *error)
{
    size_t rows_a = table_rows(a), rows_b = table_rows(b), hint = 0;
    struct merge_row *rows = calloc(rows_a + rows_b + 1, sizeof *rows);
    if (!rows)
        return error_set(error, ERROR_SYSTEM, "no memory for the report");
    *count = 0;
    for (size_t i = 0; i < rows_a; i++) {
        size_t other = find(b, a, i, hint);
        hint = other == MERGE_NONE ? hint : other + 1;
        rows[(*count)++] = (struct merge_row){{i, other}};
    }
    hint = 0;
    for (size_t i = 0; i < rows_b; i++) {
        size_t other = find(a, b, i, hint);
        hint = other == MERGE_NONE ? hint : other + 1;
        if (other == MERGE_NONE)
            rows[(*count)++] = (struct merge_row){{MERGE_NONE, i}};
    }
    *out = rows;
    return 0;
}

bool merge_difference(const char *a, const char *b, char text[MONEY_TEXT_MAX])
{
    money one, other, difference;
    if (money_from_text(a, strlen(a), &one) != NUMBER_VALUE ||
        money_from_text(b, strlen(b), &other) != NUMBER_VALUE ||
        !money_try_subtract(other, one, &difference))
        return false;
    money_to_text(difference, text);
    return true;
}
