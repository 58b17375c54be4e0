/* See exchange/faults.h. */
#include "config.h" /* POSIX names */

#include "exchange/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"

enum { WORD_MAX = 160, PPM = 1000000 };

struct faults {
    struct fault *items;
    size_t count, capacity;
};

/* One line while it is read. */
struct line {
    const char *name; /* of the script */
    unsigned number;
    struct fault fault;
    bool ours, any_venue;
    unsigned given; /* bits of the words that stood in it */
    char message[WORD_MAX];
    struct error *error;
};

static const struct {
    const char *name;
    bool on[3]; /* by enum fault_where */
} kinds[FAULT_KINDS] = {
#define X(name, request, message, time, meaning) {#name, {request, message, time}},
    EXCHANGE_FAULTS(X)
#undef X
};

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

/* --- words ------------------------------------------------------------------------------------- */

enum word {
    WORD_VENUE,
    WORD_REQUEST,
    WORD_MESSAGE,
    WORD_CLIENT,
    WORD_NTH,
    WORD_COUNT,
    WORD_EVERY,
    WORD_CHANCE,
    WORD_AT,
    WORD_UNTIL,
    WORD_BY,
    WORD_FOR,
    WORD_CODE,
    WORD_RETRY_AFTER,
    WORD_DONE,
    WORDS
};

static const char *const word_names[WORDS] = {"venue", "request", "message", "client",      "nth",
                                              "count", "every",   "chance",  "at",          "until",
                                              "by",    "for",     "code",    "retry_after", "done"};

static int fail(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct line *line, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(line->error, ERROR_INPUT, "%s:%u: %s", line->name, line->number, text);
}

static bool has(const struct line *line, enum word word)
{
    return line->given >> word & 1;
}

static int read_count(struct line *line, enum word word, const char *value, int64_t least,
                      int64_t most, int64_t *out)
{
    char *end;
    long long number = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || number < least || number > most)
        return fail(line, "%s: expected a whole number from %lld to %lld, found '%s'",
                    word_names[word], (long long)least, (long long)most, value);
    *out = number;
    return 0;
}

static int read_duration(struct line *line, enum word word, const char *value, bool negative_too,
                         int64_t *out)
{
    struct error error = {0};
    bool minus = negative_too && *value == '-';
    if (duration_from_text(value + minus, strlen(value + minus), out, &error) || *out < 0)
        return fail(line, "%s: expected a time with its unit, like 250ms, found '%s'",
                    word_names[word], value);
    if (minus)
        *out = -*out;
    return 0;
}

static int read_chance(struct line *line, const char *value)
{
    size_t length = strlen(value);
    struct number percent = {0, NUMBER_MALFORMED};
    if (length > 1 && value[length - 1] == '%')
        percent = number_from_text(value, length - 1, -4);
    if (percent.status != NUMBER_VALUE || percent.units < 1 || percent.units > PPM)
        return fail(line, "chance: expected a part like 5%% or 0.1%%, found '%s'", value);
    line->fault.chance_ppm = percent.units;
    return 0;
}

static int read_venue(struct line *line, const char *value, const struct protocol_kind *venue)
{
    line->any_venue = strcmp(value, "any") == 0;
    if (!line->any_venue && !protocol_by_venue(value))
        return fail(line, "venue: expected binance_us, coinbase, oanda or any, found '%s'", value);
    line->ours = line->any_venue || strcmp(value, venue->venue) == 0;
    return 0;
}

static int read_request(struct line *line, const char *value)
{
    line->fault.where = FAULT_ON_REQUEST;
    line->fault.request = -1;
    if (strcmp(value, "any") == 0)
        return 0;
    enum exchange_request request = exchange_request_by_name(value, strlen(value));
    if (request == EXCHANGE_REQUEST_COUNT)
        return fail(line,
                    "request: there is none of the name '%s'; expected place, cancel, query … "
                    "or any",
                    value);
    line->fault.request = (int)request;
    return 0;
}

static int read_yes(struct line *line, const char *value)
{
    line->fault.done = strcmp(value, "yes") == 0;
    if (!line->fault.done && strcmp(value, "no") != 0)
        return fail(line, "done: expected yes or no, found '%s'", value);
    return 0;
}

static int read_value(struct line *line, enum word word, const char *value,
                      const struct protocol_kind *venue)
{
    struct fault *fault = &line->fault;
    switch (word) {
    case WORD_VENUE:
        return read_venue(line, value, venue);
    case WORD_REQUEST:
        return read_request(line, value);
    case WORD_MESSAGE:
        fault->where = FAULT_ON_MESSAGE;
        snprintf(line->message, sizeof line->message, "%s", value);
        return 0;
    case WORD_CLIENT:
        snprintf(fault->client, sizeof fault->client, "%s", value);
        return 0;
    case WORD_NTH:
        return read_count(line, word, value, 1, INT32_MAX, &fault->nth);
    case WORD_COUNT:
        return read_count(line, word, value, 1, INT32_MAX, &fault->count);
    case WORD_EVERY:
        return read_count(line, word, value, 1, INT32_MAX, &fault->every);
    case WORD_CHANCE:
        return read_chance(line, value);
    case WORD_AT:
        return read_duration(line, word, value, false, &fault->at);
    case WORD_UNTIL:
        return read_duration(line, word, value, false, &fault->until);
    case WORD_BY:
        return read_duration(line, word, value, true, &fault->by);
    case WORD_FOR:
        return read_duration(line, word, value, false, &fault->lasts);
    case WORD_CODE:
        return read_count(line, word, value, 300, 599, &fault->code);
    case WORD_RETRY_AFTER:
        return read_count(line, word, value, 0, 86400, &fault->retry_after_s);
    case WORD_DONE:
        return read_yes(line, value);
    case WORDS:
        break;
    }
    return 0;
}

static int read_word(struct line *line, char *word, const struct protocol_kind *venue)
{
    char *equals = strchr(word, '=');
    if (!equals || equals == word)
        return fail(line, "expected NAME=VALUE, found '%s'", word);
    *equals = '\0';
    for (unsigned i = 0; i < WORDS; i++) {
        if (strcmp(word_names[i], word) != 0)
            continue;
        if (has(line, (enum word)i))
            return fail(line, "%s stands there twice", word);
        line->given |= 1U << i;
        return read_value(line, (enum word)i, equals + 1, venue);
    }
    return fail(line,
                "there is no '%s'; expected venue, request, message, client, nth, count, every, "
                "chance, at, until, by, for, code, retry_after or done",
                word);
}

/* --- what must stand together ------------------------------------------------------------------ */

static bool is_message_of(const struct protocol_kind *venue, const char *name, const char **found)
{
    for (const char *const *message = venue->messages; *message; message++)
        if (strcmp(*message, name) == 0) {
            *found = *message;
            return true;
        }
    return false;
}

/* A message's name is one of the line's venues. */
static int check_message(struct line *line, const struct protocol_kind *venue)
{
    static const struct protocol_kind *const all[] = {&protocol_binance_us, &protocol_coinbase,
                                                      &protocol_oanda};
    const char *found = NULL;
    bool known = strcmp(line->message, "any") == 0;
    if (known)
        return 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        known |= is_message_of(all[i], line->message, &found);
    if (!known)
        return fail(line, "message: no venue sends '%s'; docs/exchange.md lists them",
                    line->message);
    found = NULL;
    if (line->ours && !is_message_of(venue, line->message, &found)) {
        if (!line->any_venue)
            return fail(line, "message: %s sends no '%s'", venue->venue, line->message);
        line->ours = false;
    }
    line->fault.message = found;
    return 0;
}

static int check_where(struct line *line)
{
    static const char *const names[] = {"a request", "a message", "a moment (at=)"};
    const struct fault *fault = &line->fault;
    if (has(line, WORD_REQUEST) && has(line, WORD_MESSAGE))
        return fail(line, "expected request= or message=, not both");
    if (fault->where == FAULT_AT_TIME && !has(line, WORD_AT))
        return fail(line, "expected request=, message= or at=");
    if (!kinds[fault->kind].on[fault->where])
        return fail(line, "%s does not go with %s", kinds[fault->kind].name, names[fault->where]);
    if (fault->where == FAULT_AT_TIME &&
        (line->given & (1U << WORD_NTH | 1U << WORD_COUNT | 1U << WORD_EVERY | 1U << WORD_CHANCE |
                        1U << WORD_UNTIL)))
        return fail(line, "nth, count, every, chance and until go with request= or message=");
    if (fault->where != FAULT_ON_REQUEST && has(line, WORD_CLIENT))
        return fail(line, "client goes with request=");
    return 0;
}

/* What a kind needs, and what only it takes. */
static int check_parameters(struct line *line)
{
    enum fault_kind kind = line->fault.kind;
    const char *name = kinds[kind].name;
    bool by = kind == FAULT_accept_late || kind == FAULT_answer_late || kind == FAULT_clock_skew;
    bool needs_lasts = kind == FAULT_stall || kind == FAULT_outage || kind == FAULT_private_outage;
    bool lasts = needs_lasts || kind == FAULT_clock_skew;
    bool code = kind == FAULT_status;
    bool done = kind == FAULT_status || kind == FAULT_reset || kind == FAULT_stall ||
                kind == FAULT_half_open;
    if (by != has(line, WORD_BY))
        return fail(line, by ? "%s: expected by=TIME" : "%s takes no by", name);
    if (needs_lasts && !has(line, WORD_FOR))
        return fail(line, "%s: expected for=TIME", name);
    if (!lasts && has(line, WORD_FOR))
        return fail(line, "%s takes no for", name);
    if (code != has(line, WORD_CODE))
        return fail(line, code ? "%s: expected code=STATUS" : "%s takes no code", name);
    if (!code && has(line, WORD_RETRY_AFTER))
        return fail(line, "%s takes no retry_after", name);
    if (has(line, WORD_DONE) && (!done || line->fault.where != FAULT_ON_REQUEST))
        return fail(line, "%s takes no done here", name);
    if (kind != FAULT_clock_skew && line->fault.by < 0)
        return fail(line, "by: expected a time that is not negative");
    return 0;
}

/* Without any word that chooses: the first, or within a window all. */
static int check_choice(struct line *line)
{
    struct fault *fault = &line->fault;
    unsigned choices = has(line, WORD_NTH) + has(line, WORD_EVERY) + has(line, WORD_CHANCE);
    bool window = has(line, WORD_AT) || has(line, WORD_UNTIL);
    if (choices > 1)
        return fail(line, "expected one of nth, every and chance");
    if (fault->until <= fault->at)
        return fail(line, "until: expected a later time than at");
    if (choices == 0 && !window)
        fault->nth = 1;
    if (choices == 0 && window && has(line, WORD_COUNT))
        fault->nth = 1;
    if (has(line, WORD_COUNT) && fault->nth == 0)
        return fail(line, "count goes with nth");
    return 0;
}

static int check_line(struct line *line, const struct protocol_kind *venue)
{
    if (!has(line, WORD_VENUE))
        return fail(line, "expected venue=NAME");
    if (check_where(line) || check_parameters(line) || check_choice(line))
        return ERROR_INPUT;
    return has(line, WORD_MESSAGE) ? check_message(line, venue) : 0;
}

/* --- reading ----------------------------------------------------------------------------------- */

static int find_kind(struct line *line, const char *word)
{
    for (unsigned i = 0; i < FAULT_KINDS; i++)
        if (strcmp(kinds[i].name, word) == 0) {
            line->fault.kind = (enum fault_kind)i;
            return 0;
        }
    return fail(line, "there is no fault '%s'; docs/exchange.md lists them", word);
}

static void keep(struct faults *faults, const struct line *line, uint64_t seed)
{
    if (faults->count == faults->capacity) {
        faults->capacity = faults->capacity ? 2 * faults->capacity : 16;
        faults->items = realloc(faults->items, faults->capacity * sizeof *faults->items);
        ASSERT(faults->items);
    }
    struct fault *fault = &faults->items[faults->count++];
    *fault = line->fault;
    fault->chance = malloc(sizeof *fault->chance);
    ASSERT(fault->chance);
    random_init(fault->chance, seed, line->number);
}

static int read_line(struct faults *faults, struct line *line, char *text, uint64_t seed,
                     const struct protocol_kind *venue)
{
    char *rest = NULL, *hash = strchr(text, '#');
    if (hash)
        *hash = '\0';
    char *word = strtok_r(text, " \t\r", &rest);
    if (!word)
        return 0;
    line->fault = (struct fault){.where = FAULT_AT_TIME,
                                 .line = line->number,
                                 .request = -1,
                                 .count = 1,
                                 .until = TIME_NEVER};
    line->given = 0;
    line->ours = line->any_venue = false;
    if (find_kind(line, word))
        return ERROR_INPUT;
    while ((word = strtok_r(NULL, " \t\r", &rest)))
        if (read_word(line, word, venue))
            return ERROR_INPUT;
    if (check_line(line, venue))
        return ERROR_INPUT;
    if (line->ours)
        keep(faults, line, seed);
    return 0;
}

int faults_read(struct faults **out, const char *name, const char *text, uint64_t seed,
                const struct protocol_kind *venue, struct error *error)
{
    struct error own;
    struct line line = {.name = name, .error = error ? error : &own};
    struct faults *faults = calloc(1, sizeof *faults);
    char *copy = strdup(text ? text : "");
    ASSERT(faults && copy);
    int code = 0;
    for (char *at = copy; at && !code;) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        line.number++;
        code = read_line(faults, &line, at, seed, venue);
        at = end ? end + 1 : NULL;
    }
    free(copy);
    if (code)
        faults_free(&faults);
    *out = faults;
    return code;
}

void faults_free(struct faults **faults)
{
    if (!*faults)
        return;
    for (size_t i = 0; i < (*faults)->count; i++)
        free((*faults)->items[i].chance);
    free((*faults)->items);
    free(*faults);
    *faults = NULL;
}

/* --- choosing ---------------------------------------------------------------------------------- */

/* One more that matches: is it hit? */
static bool hits(struct fault *fault)
{
    fault->seen++;
    if (fault->nth > 0)
        return fault->seen >= fault->nth && fault->seen < fault->nth + fault->count;
    if (fault->every > 0)
        return fault->seen % fault->every == 0;
    if (fault->chance_ppm > 0)
        return (int64_t)random_below(fault->chance, PPM) < fault->chance_ppm;
    return true;
}

static bool is_in_window(const struct fault *fault, int64_t elapsed)
{
    return elapsed >= fault->at && elapsed < fault->until;
}

const struct fault *faults_on_request(struct faults *faults, const struct exchange_call *call,
                                      int64_t elapsed)
{
    struct fault *met = NULL;
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];
        if (fault->where != FAULT_ON_REQUEST || !is_in_window(fault, elapsed) ||
            (fault->request >= 0 && fault->request != (int)call->kind) ||
            (*fault->client && strcmp(fault->client, call->client) != 0))
            continue;
        if (hits(fault) && !met) /* later lines count it too, but one thing goes wrong at a time */
            met = fault;
    }
    if (met)
        met->hits++;
    return met;
}

const struct fault *faults_on_message(struct faults *faults, const char *message, int64_t elapsed)
{
    struct fault *met = NULL;
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];
        if (fault->where != FAULT_ON_MESSAGE || !is_in_window(fault, elapsed) ||
            (fault->message && strcmp(fault->message, message) != 0))
            continue;
        if (hits(fault) && !met)
            met = fault;
    }
    if (met)
        met->hits++;
    return met;
}

const struct fault *faults_due(struct faults *faults, int64_t elapsed)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];
        if (fault->where != FAULT_AT_TIME || fault->kind == FAULT_clock_skew || fault->seen > 0 ||
            elapsed < fault->at)
            continue;
        fault->seen = fault->hits = 1;
        return fault;
    }
    return NULL;
}

static int64_t skew_end(const struct fault *fault)
{
    return fault->lasts > 0 ? fault->at + fault->lasts : TIME_NEVER;
}

int64_t faults_skew(struct faults *faults, int64_t elapsed)
{
    int64_t skew = 0;
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];
        if (fault->kind != FAULT_clock_skew || elapsed < fault->at || elapsed >= skew_end(fault))
            continue;
        fault->seen = fault->hits = 1;
        skew += fault->by;
    }
    return skew;
}

int64_t faults_deadline(const struct faults *faults, int64_t elapsed)
{
    int64_t deadline = TIME_NEVER;
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        if (fault->where != FAULT_AT_TIME)
            continue;
        const int64_t times[2] = {fault->at,
                                  fault->kind == FAULT_clock_skew ? skew_end(fault) : fault->at};
        for (unsigned t = 0; t < 2; t++)
            if (times[t] > elapsed && times[t] < deadline)
                deadline = times[t];
        if (fault->kind != FAULT_clock_skew && fault->seen == 0 && fault->at <= elapsed)
            deadline = elapsed;
    }
    return deadline;
}

size_t faults_count(const struct faults *faults)
{
    return faults->count;
}

const struct fault *faults_at(const struct faults *faults, size_t index)
{
    return &faults->items[index];
}
