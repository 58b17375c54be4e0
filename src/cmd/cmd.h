/* What every subcommand shares: the table of commands, the option parser, configuration from the
 * command line, progress at a terminal, JSON output and checked standard output.
 *
 * To add a command NAME: write `int cmd_NAME(int argc, char **argv)` in src/cmd/NAME.c, add its
 * line to COMMANDS below and its file to capstan_SOURCES. argv[0] is the command's own word. A
 * command describes itself in a struct cmd_usage, calls cmd_parse, does its work, and returns the
 * exit status (enum error_code); main flushes and checks standard output after it. */
#ifndef CAPSTAN_CMD_CMD_H
#define CAPSTAN_CMD_CMD_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/decimal.h"
#include "base/error.h"
#include "base/log.h"
#include "base/money.h"
#include "config/config.h"

/* X(name, one line), in the order of `capstan --help`. */
#define COMMANDS(X)                                                                                \
    X(import, "turn recorded files of a venue into a tape")                                        \
    X(replay, "run the engine over a tape, its orders at a simulated venue")                       \
    X(live, "trade on real venues, every message and decision on a tape")                          \
    X(paper, "real market data, orders at the simulated venue")                                    \
    X(record, "write real market data to a tape")                                                  \
    X(watchdog, "cancel a live session's orders when its engine is gone")                          \
    X(health, "ask whether the engine on this machine lives, for health checks")                   \
    X(verify, "run the engine over a session and compare its decisions with the tape")             \
    X(project, "write a session's orders, fills and profit to a SQLite database")                  \
    X(report, "report a run or compare two, as a page or CSV")                                     \
    X(tape, "look into a tape, check it, make another one of it")                                  \
    X(scenario, "run scenario files and compare with their golden texts")                          \
    X(simulate, "run random markets and faults, every invariant checked")                          \
    X(synth, "make a market tape from a seed")                                                     \
    X(exchange, "serve venues on this machine, to try live mode without keys or network")          \
    X(config, "show and check settings")                                                           \
    X(help, "tell more about one command")                                                         \
    X(version, "print the version and what it was built with")

#define X(name, line) int cmd_##name(int argc, char **argv);
COMMANDS(X)
#undef X

/* --- Groups: words that choose among functions (capstan itself, `tape`, `config`) ---------------
 */

struct cmd_entry {
    const char *name; /* the word */
    int (*run)(int argc, char **argv);
    const char *line; /* one line without a full stop; NULL: works, but help does not list it */
};

struct cmd_group {
    const char *name;    /* "capstan", "capstan tape" */
    const char *opening; /* what it is; ends in a newline */
    const char *closing; /* examples and where to read on; ends in a newline; may be NULL */
    const struct cmd_entry *entries;
    size_t entry_count;
};

/* Run the entry that argv[1] names, with argv and argc from there on. --help, -h and `help [WORD]`
 * print help; no word or an unknown one is one line with a hint and ERROR_INPUT. */
int cmd_dispatch(const struct cmd_group *group, int argc, char **argv);

/* --- Options of one command ---------------------------------------------------------------------
 */

/* A list of texts that point into argv; free `items` with cmd_list_free. */
struct cmd_list {
    const char **items;
    size_t count;
};
int cmd_list_add(struct cmd_list *list, const char *text, struct error *error);
void cmd_list_free(struct cmd_list *list);

enum cmd_option_kind {
    CMD_KIND_FLAG,     /* no value; sets true */
    CMD_KIND_TEXT,     /* as all that follow but lists: given twice is an error */
    CMD_KIND_LIST,     /* may be repeated; kept in the order given */
    CMD_KIND_TIME,     /* RFC 3339 or integer nanoseconds; ns since 1970 */
    CMD_KIND_DURATION, /* "250ms"; ns */
    CMD_KIND_COUNT     /* integer in least..most */
};

/* One option. Fill it with the macros below; the target keeps its initial value, which is the
 * default, where the option is not given. */
struct cmd_option {
    const char *name;  /* long name without dashes */
    char letter;       /* short name, or 0 */
    uint8_t kind;      /* enum cmd_option_kind */
    const char *value; /* what help calls the value ("FILE"); NULL for a flag */
    const char *line;  /* one line without a full stop */
    union {
        bool *flag;
        const char **text;
        struct cmd_list *list;
        int64_t *integer;
    } target;
    int64_t least, most; /* CMD_KIND_COUNT only */
};

#define CMD_FLAG(name, letter, line, to)                                                           \
    {                                                                                              \
        name, letter, CMD_KIND_FLAG, NULL, line, {.flag = (to)}, 0, 0                              \
    }
#define CMD_TEXT(name, letter, value, line, to)                                                    \
    {                                                                                              \
        name, letter, CMD_KIND_TEXT, value, line, {.text = (to)}, 0, 0                             \
    }
#define CMD_LIST(name, letter, value, line, to)                                                    \
    {                                                                                              \
        name, letter, CMD_KIND_LIST, value, line, {.list = (to)}, 0, 0                             \
    }
#define CMD_TIME(name, letter, line, to)                                                           \
    {                                                                                              \
        name, letter, CMD_KIND_TIME, "TIME", line, {.integer = (to)}, 0, 0                         \
    }
#define CMD_DURATION(name, letter, line, to)                                                       \
    {                                                                                              \
        name, letter, CMD_KIND_DURATION, "TIME", line, {.integer = (to)}, 0, 0                     \
    }
#define CMD_COUNT(name, letter, least, most, line, to)                                             \
    {                                                                                              \
        name, letter, CMD_KIND_COUNT, "N", line, {.integer = (to)}, least, most                    \
    }

enum { CMD_ARGUMENTS_ANY = -1, CMD_CONTINUE = -1 };

/* The value of --without-gate (tests only): the bit of the gate that `name` names, 0 for NULL. False, and
 * one line on standard error, where no gate has that name. */
bool cmd_gate(const char *command, const char *name, uint32_t *bit);

struct cmd_usage {
    const char *name;      /* "tape cut", without capstan */
    const char *arguments; /* "TAPE [FILE]...", as the usage line has it; "" for none */
    const char *opening;   /* what it does; ends in a newline */
    const char *closing;   /* examples, exit status; ends in a newline; may be NULL */
    const struct cmd_option *options;
    size_t option_count;
    int arguments_least, arguments_most; /* CMD_ARGUMENTS_ANY: no limit */
};

/* Positional arguments; they point into argv. */
struct cmd_arguments {
    char **items;
    int count;
};

/* Parse argv by `usage`. CMD_CONTINUE: go on, `arguments` holds what stands outside options (argv
 * is reordered). Anything else is the exit status: 0 after --help was printed, ERROR_INPUT after
 * one line to standard error. Lists that were filled are the caller's to free either way. */
int cmd_parse(const struct cmd_usage *usage, int argc, char **argv,
              struct cmd_arguments *arguments);

/* Who is told what --help would print, in place of printing it: what makes pages and completion. */
struct cmd_describer {
    void (*command)(void *context, const struct cmd_usage *usage);
    void (*group)(void *context, const struct cmd_group *group);
    void *context;
};
/* From now on --help calls it, which must outlive that; NULL: it prints again. */
void cmd_describe_to(const struct cmd_describer *describer);
/* Who is told, or NULL. */
const struct cmd_describer *cmd_describer(void);

/* --- Errors and standard output -----------------------------------------------------------------
 */

/* Print "capstan NAME: text" (or "capstan: text" with NULL) to standard error; returns the error's
 * code, which is the exit status. */
int cmd_fail(const char *name, const struct error *error);
/* The same with the text given here. */
int cmd_fail_with(const char *name, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Flush `stream` and say whether everything written to it arrived: a full disk or a closed pipe is
 * ERROR_SYSTEM. `what` stands in the error ("standard output", a path). main does it for stdout. */
int cmd_flush(FILE *stream, const char *what, struct error *error);
/* A write to standard output failed just now, and errno says why: what main will say of it, since
 * stdio itself keeps only that one failed. The first cause stays. */
void cmd_output_failed(void);

/* ERROR_INPUT where `output`, given by `option`, is one of the files that the command reads, however its
 * path is spelt: writing it would destroy what is read. NULL paths are passed over. */
int cmd_check_output(const char *option, const char *output, const char *const *inputs,
                     size_t input_count, struct error *error);

/* A file that a command writes: the option that names it, and its path or NULL. */
struct cmd_output {
    const char *option, *path;
};
/* ERROR_INPUT where two outputs are one file, however their paths are spelt: they would spoil each other. */
int cmd_check_outputs_differ(const struct cmd_output *outputs, size_t count, struct error *error);

/* --- Configuration ------------------------------------------------------------------------------
 */

struct cmd_config_options {
    struct cmd_list files;    /* -c */
    struct cmd_list settings; /* --set */
};

/* Two options for the table of a command: -c FILE and --set KEY=VALUE. */
#define CMD_CONFIG_OPTIONS(to)                                                                     \
    CMD_LIST("config", 'c', "FILE",                                                                \
             "read settings from this YAML file; may be repeated: a later one wins by setting",    \
             &(to)->files),                                                                        \
        CMD_LIST("set", 0, "KEY=VALUE", "change one setting; may be repeated; wins over all else", \
                 &(to)->settings)

void cmd_config_options_free(struct cmd_config_options *options);
/* ERROR_INPUT where `output`, given by `option`, is one of the files of -c, or `other` (NULL: none). */
int cmd_check_config_output(const char *option, const char *output,
                            const struct cmd_config_options *options, const char *other,
                            struct error *error);
/* Defaults, then the files in their order, then the environment, then --set. On success *config is the caller's. */
int cmd_load_config(const struct cmd_config_options *options, struct config **config,
                    struct error *error);
/* config_check() of all layers together; warnings are lines of `command` on standard error. */
int cmd_check_config(const char *command, const struct config *config, struct error *error);

/* --- The log ------------------------------------------------------------------------------------
 */

struct cmd_log_options {
    const char *file; /* --log; NULL: standard error */
    const char *form; /* --log-form; NULL: auto */
};

/* Two options for the table of a command that runs for long. */
#define CMD_LOG_OPTIONS(to)                                                                        \
    CMD_TEXT("log", 0, "FILE",                                                                     \
             "append log lines to this file, opened again at SIGHUP (default: standard error)",    \
             &(to)->file),                                                                         \
        CMD_TEXT("log-form", 0, "FORM", "json, human, or auto: human at a terminal (default)",     \
                 &(to)->form)

/* Start the log, filtered by CAPSTAN_LOG. ERROR_INPUT for the filter, the form or the file. `log` stays where it is
 * until cmd_close_log, which is allowed after an error too. Where that could not write all lines to standard error the
 * process has a fifth of a second to end by itself, for what it prints may hang as the log does; then it ends with
 * ERROR_SYSTEM. */
int cmd_open_log(const struct cmd_log_options *options, struct log *log, struct error *error);
void cmd_close_log(struct log *log);

/* --- Progress -----------------------------------------------------------------------------------
 */

/* One line on standard error, rewritten at most five times a second, only at a terminal. */
struct cmd_progress {
    bool on;
    const char *what;
    int64_t started_ns, shown_ns; /* monotonic */
};

/* `what` is one word ("replay") and must outlive it. */
void cmd_progress_start(struct cmd_progress *progress, const char *what);
/* `done` of `total` (any unit, say bytes; total 0: unknown) and the events so far. Cheap, but reads
 * a clock: call it once a block, not once an event. */
void cmd_progress_show(struct cmd_progress *progress, uint64_t events, uint64_t done,
                       uint64_t total);
/* Remove the line. Safe to call twice. */
void cmd_progress_end(struct cmd_progress *progress);

/* --- JSON output --------------------------------------------------------------------------------
 */

/* cJSON keeps numbers as doubles, so integers are written from their digits and exact decimals go
 * out as strings. All take a NULL `object` without harm, and cmd_json_print says so of a NULL root.
 * Names must be unique within an object. */
void cmd_json_text(cJSON *object, const char *name, const char *text);
void cmd_json_flag(cJSON *object, const char *name, bool value);
void cmd_json_integer(cJSON *object, const char *name, int64_t value);
void cmd_json_count(cJSON *object, const char *name, uint64_t value);
/* A measured figure (seconds, events/s) with `decimals` decimals; not finite goes out as null. */
void cmd_json_measure(cJSON *object, const char *name, double value, int decimals);
/* "0.010": units x 10^exponent. */
void cmd_json_decimal(cJSON *object, const char *name, int64_t units, int exponent);
void cmd_json_money(cJSON *object, const char *name, money amount);
/* RFC 3339 with nine decimals. */
void cmd_json_time(cJSON *object, const char *name, int64_t time_ns);
/* A new object or array under `name`, owned by `object`. */
cJSON *cmd_json_object(cJSON *object, const char *name);
cJSON *cmd_json_array(cJSON *object, const char *name);
/* Each line of a text as a string of the array; NULL: none. */
void cmd_json_lines(cJSON *array, const char *lines);
/* The same lines to a stream, each behind an indent. */
void cmd_print_lines(const char *lines, const char *indent, FILE *stream);
/* Write `root` and a newline to `stream` (one line, or indented) and free it. ERROR_SYSTEM where
 * memory ran out; a write error shows at cmd_flush. */
int cmd_json_print(cJSON *root, bool indented, FILE *stream, struct error *error);

#endif
