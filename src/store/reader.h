/* Reads a run database: opens it with every check that tells a run from anything else, and gives its rows. What
 * stands in the file may have been written by anybody: a value of the wrong kind is an error, never trusted. */
#ifndef CAPSTAN_STORE_READER_H
#define CAPSTAN_STORE_READER_H

#include "base/money.h"

struct store_reader;

/* Open a run database for reading. ERROR_INPUT with its path and what is wrong: it cannot be read, is none of
 * ours, is of another version, or is damaged (SQLite's own check of every page is made). */
int store_reader_open(struct store_reader **reader, const char *path, struct error *error);
void store_reader_close(struct store_reader **reader);

/* Begin to read the rows of a query; the one before it ends. `sql` is the caller's own text, `table` what its
 * errors name. */
int store_reader_query(struct store_reader *reader, const char *table, const char *sql,
                       struct error *error);
/* The next row; false at the end and after a failure, which store_reader_end then tells. */
bool store_reader_next(struct store_reader *reader);
/* After store_reader_next gave false: what failed in this query, in its rows or in a value that was asked for;
 * a value that failed was given as 0, "" or NULL. */
int store_reader_end(struct store_reader *reader, struct error *error);

/* Values of the row, by column from 0. Text is valid until the next row. */
bool store_reader_is_null(struct store_reader *reader, int column);
/* An integer from `least` to `most`. */
int64_t store_reader_integer(struct store_reader *reader, int column, int64_t least, int64_t most);
/* UTF-8 or not: whatever bytes stand there, up to the first NUL. */
const char *store_reader_text(struct store_reader *reader, int column);
/* Exact decimal text as money. */
money store_reader_money(struct store_reader *reader, int column);
/* Say that the row's value is not what stands in a run database: `what` was expected. */
void store_reader_refuse(struct store_reader *reader, int column, const char *what);

#endif
