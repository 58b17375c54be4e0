/* Run databases read through SQLite, read only, with nothing of their schema trusted. */
#include "config.h"

#include "store/reader.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store.h"

enum { BUSY_MS = 5000 }; /* a live session's transaction takes less */

struct store_reader {
    const char *path;
    sqlite3 *database;
    sqlite3_stmt *row;
    const char *table; /* that is read, for errors */
    int64_t rows;      /* of this query */
    struct error error;
};

/* What SQLite says may quote what stands in the file. */
static void make_printable(char *words)
{
    for (; *words; words++)
        if (*words < ' ' || *words > '~')
            *words = '?';
}

/* What SQLite says, in words of a run database. */
static int fail(struct store_reader *reader, int code, struct error *error)
{
    char words[256];
    int cause = reader->database ? sqlite3_system_errno(reader->database) : 0;
    snprintf(words, sizeof words, "%s",
             reader->database ? sqlite3_errmsg(reader->database) : sqlite3_errstr(code));
    make_printable(words);
    switch (code & 0xff) {
    case SQLITE_NOTADB:
        return error_set(error, ERROR_INPUT,
                         "%s: is no SQLite database; expected a run database, as 'capstan replay "
                         "-o' writes it",
                         reader->path);
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: /* a table or column of this version is not there */
    case SQLITE_MISMATCH:
        return error_set(error, ERROR_INPUT, "%s: is damaged: %s", reader->path, words);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return error_set(error, ERROR_INPUT, "%s: cannot be opened%s%s", reader->path,
                         cause ? ": " : "", cause ? strerror(cause) : "");
    default:
        return error_set(error, ERROR_SYSTEM, "%s: %s", reader->path, words);
    }
}

static int ask_integer(struct store_reader *reader, const char *sql, int64_t *value,
                       struct error *error)
{
    int code = store_reader_query(reader, "PRAGMA", sql, error);
    if (code)
        return code;
    *value = store_reader_next(reader) ? sqlite3_column_int64(reader->row, 0) : 0;
    return store_reader_end(reader, error);
}

static int check_kind(struct store_reader *reader, struct error *error)
{
    int64_t kind, version;
    int code = ask_integer(reader, "PRAGMA application_id", &kind, error);
    if (!code)
        code = ask_integer(reader, "PRAGMA user_version", &version, error);
    if (code)
        return code;
    if (kind != STORE_APPLICATION_ID)
        return error_set(error, ERROR_INPUT,
                         "%s: is a SQLite database, but not of a run; expected one that 'capstan "
                         "replay -o' or 'capstan project -o' wrote",
                         reader->path);
    if (version != STORE_VERSION)
        return error_set(error, ERROR_INPUT,
                         "%s: is a run database of version %" PRId64
                         ", this build reads version %d; make it again from its tape",
                         reader->path, version, STORE_VERSION);
    return 0;
}

static int check_pages(struct store_reader *reader, struct error *error)
{
    char words[256];
    int code = store_reader_query(reader, "PRAGMA", "PRAGMA quick_check(1)", error);
    if (code)
        return code;
    snprintf(words, sizeof words, "%s",
             store_reader_next(reader) ? store_reader_text(reader, 0) : "ok");
    words[strcspn(words, "\n")] = 0;
    make_printable(words);
    code = store_reader_end(reader, error);
    if (!code && strcmp(words, "ok") != 0)
        code = error_set(error, ERROR_INPUT, "%s: is damaged: %s", reader->path, words);
    return code;
}

static int open_file(struct store_reader *reader, struct error *error)
{
    struct stat file;
    if (stat(reader->path, &file) != 0)
        return error_set(error, ERROR_INPUT, "%s: there is no such file", reader->path);
    if (!S_ISREG(file.st_mode))
        return error_set(error, ERROR_INPUT, "%s: is no file; expected a run database",
                         reader->path);
    if (file.st_size == 0)
        return error_set(error, ERROR_INPUT, "%s: is empty; expected a run database", reader->path);
    int code = sqlite3_open_v2(reader->path, &reader->database,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return fail(reader, code, error);
    sqlite3_busy_timeout(reader->database, BUSY_MS);
    sqlite3_db_config(reader->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(reader->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    code = check_kind(reader, error);
    return code ? code : check_pages(reader, error);
}

int store_reader_open(struct store_reader **out, const char *path, struct error *error)
{
    struct store_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_set(error, ERROR_SYSTEM, "no memory to read a run database");
    reader->path = path;
    int code = open_file(reader, error);
    if (code)
        store_reader_close(&reader);
    else
        *out = reader;
    return code;
}

void store_reader_close(struct store_reader **out)
{
    struct store_reader *reader = *out;
    if (!reader)
        return;
    *out = NULL;
    sqlite3_finalize(reader->row);
    sqlite3_close(reader->database);
    free(reader);
}

int store_reader_query(struct store_reader *reader, const char *table, const char *sql,
                       struct error *error)
{
    sqlite3_finalize(reader->row);
    reader->row = NULL;
    reader->table = table;
    reader->rows = 0;
    reader->error.code = ERROR_NONE;
    int code = sqlite3_prepare_v2(reader->database, sql, -1, &reader->row, NULL);
    return code == SQLITE_OK ? 0 : fail(reader, code, error);
}

bool store_reader_next(struct store_reader *reader)
{
    if (reader->error.code)
        return false;
    int code = sqlite3_step(reader->row);
    if (code == SQLITE_ROW) {
        reader->rows++;
        return true;
    }
    if (code != SQLITE_DONE)
        fail(reader, code, &reader->error);
    return false;
}

int store_reader_end(struct store_reader *reader, struct error *error)
{
    sqlite3_finalize(reader->row);
    reader->row = NULL;
    return reader->error.code ? error_set(error, reader->error.code, "%s", reader->error.text) : 0;
}

bool store_reader_is_null(struct store_reader *reader, int column)
{
    return sqlite3_column_type(reader->row, column) == SQLITE_NULL;
}

void store_reader_refuse(struct store_reader *reader, int column, const char *what)
{
    if (reader->error.code)
        return;
    error_set(&reader->error, ERROR_INPUT, "%s: is damaged: %s.%s in row %" PRId64 ": expected %s",
              reader->path, reader->table, sqlite3_column_name(reader->row, column), reader->rows,
              what);
}

int64_t store_reader_integer(struct store_reader *reader, int column, int64_t least, int64_t most)
{
    char words[96];
    int64_t value = sqlite3_column_int64(reader->row, column);
    if (sqlite3_column_type(reader->row, column) == SQLITE_INTEGER && value >= least &&
        value <= most)
        return value;
    snprintf(words, sizeof words, "an integer from %" PRId64 " to %" PRId64, least, most);
    store_reader_refuse(reader, column, words);
    return least > 0 ? least : 0;
}

const char *store_reader_text(struct store_reader *reader, int column)
{
    const char *text = (const char *)sqlite3_column_text(reader->row, column);
    if (text)
        return text;
    store_reader_refuse(reader, column, "text");
    return "";
}

money store_reader_money(struct store_reader *reader, int column)
{
    money amount = MONEY_ZERO;
    const char *text = store_reader_text(reader, column);
    if (money_from_text(text, strlen(text), &amount) != NUMBER_VALUE)
        store_reader_refuse(reader, column, "a decimal");
    return amount;
}
