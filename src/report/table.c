/* Cells of tables, and figures as their text. */
#include "config.h"

#include "report/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum { WIDE_TEXT_MAX = 80 };

void table_open(struct table *table, const char *id, const char *title, const char *note,
                const struct table_column *columns, unsigned column_count)
{
    ASSERT(column_count > 0 && column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){
        .id = id, .title = title, .note = note, .columns = columns, .column_count = column_count};
}

void table_close(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->cell_count = table->cell_capacity = 0;
}

size_t table_rows(const struct table *table)
{
    return table->cell_count / table->column_count;
}

const char *table_cell(const struct table *table, size_t row, unsigned column)
{
    ASSERT(row < table_rows(table) && column < table->column_count);
    return table->cells[row * table->column_count + column];
}

void table_text(struct table *table, const char *text)
{
    if (table->cell_count == table->cell_capacity) {
        size_t capacity = table->cell_capacity ? table->cell_capacity * 2 : 64;
        char **cells = realloc(table->cells, capacity * sizeof *cells);
        if (!cells) {
            table->no_memory = true;
            return;
        }
        table->cells = cells;
        table->cell_capacity = capacity;
    }
    char *copy = strdup(text);
    table->no_memory |= !copy;
    if (copy)
        table->cells[table->cell_count++] = copy;
}

void table_count(struct table *table, uint64_t count)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, count);
    table_text(table, text);
}

void table_integer(struct table *table, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    table_text(table, text);
}

void table_money(struct table *table, money amount)
{
    char text[MONEY_TEXT_MAX];
    money_to_text(amount, text);
    table_text(table, text);
}

/* Digits of a magnitude with `decimals` after the point, at least one before it. */
static const char *wide_text(uint128 magnitude, bool negative, int decimals,
                             char text[WIDE_TEXT_MAX])
{
    char *at = text + WIDE_TEXT_MAX - 1;
    *at = 0;
    for (int i = 0; magnitude > 0 || i <= decimals; i++) {
        if (i == decimals && decimals > 0)
            *--at = '.';
        *--at = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    }
    if (negative)
        *--at = '-';
    return at;
}

void table_decimal(struct table *table, int128 units, int exponent)
{
    char text[WIDE_TEXT_MAX];
    uint128 magnitude = units < 0 ? -(uint128)units : (uint128)units;
    for (; exponent > 0 && magnitude <= ~(uint128)0 / 10; exponent--)
        magnitude *= 10;
    ASSERT(exponent <= 0 && exponent >= 2 * DECIMAL_EXPONENT_MIN);
    table_text(table, wide_text(magnitude, units < 0, -exponent, text));
}

void table_time(struct table *table, int64_t time_ns)
{
    char text[TIME_TEXT_MAX];
    time_to_text(time_ns, text);
    table_text(table, text);
}

void table_ratio(struct table *table, int128 numerator, int128 denominator, int decimals)
{
    char text[WIDE_TEXT_MAX];
    ASSERT(decimals >= 0 && decimals <= 9);
    if (denominator == 0) {
        table_text(table, "");
        return;
    }
    bool negative = (numerator < 0) != (denominator < 0);
    uint128 top = numerator < 0 ? -(uint128)numerator : (uint128)numerator;
    uint128 bottom = denominator < 0 ? -(uint128)denominator : (uint128)denominator;
    uint128 scale = (uint128)power_of_ten(decimals);
    /* Digits that no rounded ratio shows make room for the scale. */
    while (top > ~(uint128)0 / scale || bottom > ~(uint128)0 >> 2) {
        top /= 10;
        bottom /= 10;
    }
    if (bottom == 0) {
        table_text(table, "");
        return;
    }
    uint128 quotient = top * scale / bottom, twice = top * scale % bottom * 2;
    quotient += twice > bottom || (twice == bottom && quotient % 2 == 1);
    table_text(table, wide_text(quotient, negative && quotient > 0, decimals, text));
}

void table_basis_points(struct table *table, int128 numerator, int128 denominator)
{
    while (numerator > MONEY_ATTO_MAX / 10000 || numerator < -(MONEY_ATTO_MAX / 10000)) {
        numerator /= 10;
        denominator /= 10;
    }
    table_ratio(table, numerator * 10000, denominator, 2);
}
