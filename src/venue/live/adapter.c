/* See adapter.h and adapter_parts.h. */
#include "venue/live/adapter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/live/adapter_parts.h"

enum {
    LINE_MAX_BYTES = ADAPTER_FAILURE_MAX,
    LINE_ROOM = LINE_MAX_BYTES + CREDENTIALS_TEXT_MAX,
    HIDDEN_LEAST = 6,
    SESSION_MAX = 8,
    BACKOFF_DOUBLINGS = 32
};

/* A private stream that takes longer to stand at the start is lost: what rests of sessions before is not watched. */
#define STREAM_AWAITED_NS (5 * NS_PER_SECOND)

const struct adapter_kind *adapter_kind_by_name(const char *name)
{
    static const struct adapter_kind *const kinds[] = {&binance_us_kind, &coinbase_kind,
                                                       &oanda_kind};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

/* --- settings -------------------------------------------------------------------------------------- */

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "no memory for an adapter");
}

/* NULL stays NULL. A slash at the end goes. */
static int copy_text(const char **out, const char *text, struct error *error)
{
    *out = NULL;
    if (!text)
        return 0;
    size_t length = strlen(text);
    char *copy = malloc(length + 1);
    if (!copy)
        return no_memory(error);
    memcpy(copy, text, length + 1);
    *out = copy;
    return 0;
}

/* Nothing is said to a venue in the clear. A stream may be a websocket. */
static bool is_secure(const char *url, bool stream)
{
    return (strncmp(url, "https://", 8) == 0 && url[8] != '\0') ||
           (stream && strncmp(url, "wss://", 6) == 0 && url[6] != '\0');
}

static int copy_url(const char **out, const char *what, bool stream, const char *url,
                    struct error *error)
{
    int code = copy_text(out, url, error);
    if (code || !url)
        return code;
    size_t length = strlen(url);
    if (!is_secure(url, stream) || length > ADAPTER_URL_MAX / 2)
        return error_set(error, ERROR_INPUT,
                         "live.%s: '%.80s' is no address of a venue; expected https://%s and a "
                         "host",
                         what, url, stream ? " or wss://" : "");
    if (url[length - 1] == '/')
        ((char *)(uintptr_t)*out)[length - 1] = '\0';
    return 0;
}

static int copy_symbols(struct adapter_settings *copy, const struct adapter_settings *settings,
                        struct error *error)
{
    const char **symbols = calloc(settings->symbol_count + 1, sizeof *symbols);
    copy->symbols = symbols;
    copy->symbol_count = 0;
    if (!symbols)
        return no_memory(error);
    for (size_t i = 0; i < settings->symbol_count; i++) {
        const char *symbol = settings->symbols[i];
        if (!event_name_is_valid(symbol, strlen(symbol)))
            return error_set(error, ERROR_INPUT, "%s: '%.80s' is no symbol", copy->name, symbol);
        for (size_t k = 0; k < i; k++)
            if (strcmp(symbols[k], symbol) == 0)
                return error_set(error, ERROR_INPUT, "%s: %s is named twice", copy->name, symbol);
        int code = copy_text(&symbols[i], symbol, error);
        if (code)
            return code;
        copy->symbol_count++;
    }
    return 0;
}

static bool is_session(const char *session)
{
    size_t length = session ? strlen(session) : 0;
    for (size_t i = 0; i < length; i++)
        if (!((session[i] >= 'a' && session[i] <= 'z') || (session[i] >= '0' && session[i] <= '9')))
            return false;
    return length >= 1 && length <= SESSION_MAX;
}

static int check_settings(const struct adapter_settings *settings, struct error *error)
{
    if (settings->symbol_count == 0 || settings->symbol_count > EVENT_INSTRUMENTS_MAX)
        return error_set(error, ERROR_INPUT, "%s: expected 1 to %d instruments, got %zu",
                         settings->name, EVENT_INSTRUMENTS_MAX, settings->symbol_count);
    if (settings->request_timeout_ns <= 0)
        return error_set(error, ERROR_INPUT, "%s: expected a request timeout above 0",
                         settings->name);
    if (settings->credentials && !is_session(settings->session))
        return error_set(error, ERROR_INPUT, "%s: expected a session of 1 to %d of a-z and 0-9",
                         settings->name, SESSION_MAX);
    return 0;
}

int adapter_settings_copy(struct adapter_settings *copy, const struct adapter_settings *settings,
                          struct error *error)
{
    *copy = *settings;
    copy->name = copy->rest_url = copy->stream_url = copy->private_url = copy->session = NULL;
    copy->symbols = NULL;
    int code = check_settings(settings, error);
    if (!code)
        code = copy_text(&copy->name, settings->name, error);
    if (!code)
        code = copy_text(&copy->session, settings->session, error);
    if (!code)
        code = copy_url(&copy->rest_url, "rest_url", false, settings->rest_url, error);
    if (!code)
        code = copy_url(&copy->stream_url, "stream_url", true, settings->stream_url, error);
    if (!code)
        code = copy_url(&copy->private_url, "private_url", true, settings->private_url, error);
    return code ? code : copy_symbols(copy, settings, error);
}

static void free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

void adapter_settings_free(struct adapter_settings *copy)
{
    for (size_t i = 0; copy->symbols && i < copy->symbol_count; i++)
        free_text(copy->symbols[i]);
    free((void *)(uintptr_t)copy->symbols);
    free_text(copy->name);
    free_text(copy->session);
    free_text(copy->rest_url);
    free_text(copy->stream_url);
    free_text(copy->private_url);
    *copy = (struct adapter_settings){0};
}

/* --- names ----------------------------------------------------------------------------------------- */

int adapter_names_init(struct adapter_names *names, const struct adapter_settings *settings,
                       struct error *error)
{
    *names = (struct adapter_names){.symbols = settings->symbols, .count = settings->symbol_count};
    names->sorted = calloc(names->count, sizeof *names->sorted);
    if (!names->sorted)
        return no_memory(error);
    for (size_t i = 0; i < names->count; i++) { /* insertion: at most some hundreds, once */
        size_t at = i;
        for (; at > 0 && strcmp(names->symbols[names->sorted[at - 1]], names->symbols[i]) > 0; at--)
            names->sorted[at] = names->sorted[at - 1];
        names->sorted[at] = (uint16_t)i;
    }
    return 0;
}

void adapter_names_free(struct adapter_names *names)
{
    free(names->sorted);
    free(names->places);
    *names = (struct adapter_names){0};
}

int adapter_names_begin(struct adapter_names *names, const struct adapter_numbers *numbers,
                        struct error *error)
{
    unsigned count = numbers->names->instrument_count;
    names->places = malloc((count + 1) * sizeof *names->places);
    if (!names->places)
        return no_memory(error);
    for (unsigned i = 0; i < count; i++)
        names->places[i] = ADAPTER_NO_PLACE;
    for (size_t place = 0; place < names->count; place++) {
        ASSERT(numbers->instruments[place] < count);
        names->places[numbers->instruments[place]] = (uint16_t)place;
    }
    names->numbers = numbers;
    return 0;
}

uint16_t adapter_place_of_symbol(const struct adapter_names *names, const char *symbol)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(names->symbols[names->sorted[middle]], symbol);
        if (order == 0)
            return names->sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ADAPTER_NO_PLACE;
}

uint16_t adapter_place_of_number(const struct adapter_names *names, unsigned instrument)
{
    if (!names->numbers || instrument >= names->numbers->names->instrument_count)
        return ADAPTER_NO_PLACE;
    return names->places[instrument];
}

uint16_t adapter_number(const struct adapter_names *names, uint16_t place)
{
    ASSERT(names->numbers && place < names->count);
    return names->numbers->instruments[place];
}

const struct event_definition *adapter_definition(const struct adapter_names *names, uint16_t place)
{
    return &names->numbers->names->definitions[adapter_number(names, place)];
}

uint16_t adapter_asset(const struct adapter_names *names, const char *asset)
{
    const struct event_names *of = names->numbers->names;
    for (unsigned i = 0; i < of->asset_count; i++)
        if (strcmp(of->assets[i], asset) == 0)
            return (uint16_t)i;
    return EVENT_NONE_16;
}

/* --- what the engine is told ------------------------------------------------------------------------ */

void adapter_out_init(struct adapter_out *out, const struct adapter_port *port,
                      const struct credentials *credentials)
{
    *out = (struct adapter_out){.port = *port};
    if (!credentials)
        return;
    adapter_hide(out, credentials->key);
    adapter_hide(out, credentials->secret);
}

static void release(struct adapter_out *out, uint8_t flags)
{
    if (!out->holds)
        return;
    out->held.flags |= flags;
    out->holds = false;
    out->port.emit(out->port.context, &out->held);
}

/* A new message takes the place of the held one. */
static void hold(struct adapter_out *out, const struct message *message)
{
    bool together = (out->held.kind < EVENT_start) == (message->kind < EVENT_start);
    release(out, together ? MESSAGE_MORE : 0);
    out->held = *message;
    out->holds = true;
}

union event_record *adapter_tell(struct adapter_out *out, enum event_kind kind, uint16_t stream,
                                 struct adapter_when when)
{
    hold(out, &(struct message){.ts_venue = when.ns,
                                .stream = stream,
                                .kind = (uint8_t)kind,
                                .flags = when.flags,
                                .record = &out->record});
    memset(&out->record, 0, sizeof out->record);
    return &out->record;
}

void adapter_tell_rows(struct adapter_out *out, enum event_kind kind, uint16_t stream,
                       uint64_t sequence, struct adapter_when when, const struct row *rows,
                       size_t row_count)
{
    ASSERT(row_count <= EVENT_ROWS_MAX);
    hold(out, &(struct message){.ts_venue = when.ns,
                                .sequence = sequence,
                                .stream = stream,
                                .kind = (uint8_t)kind,
                                .flags = when.flags,
                                .rows = rows,
                                .row_count = (uint32_t)row_count});
}

void adapter_tell_sequence(struct adapter_out *out, uint64_t sequence)
{
    ASSERT(out->holds);
    out->held.sequence = sequence;
}

void adapter_out_end(struct adapter_out *out)
{
    release(out, 0);
}

void adapter_tell_stream(struct adapter_out *out, struct adapter *adapter,
                         const struct adapter_numbers *numbers, int64_t now)
{
    const bool up = adapter->health.private_up;
    const uint8_t state = up ? ADAPTER_STREAM_UP : ADAPTER_STREAM_DOWN;
    if (adapter->state != ADAPTER_RUNNING)
        return;
    if (adapter->stream_due == 0)
        adapter->stream_due = now + STREAM_AWAITED_NS;
    bool awaited = adapter->stream_told == ADAPTER_STREAM_NOT_TOLD && now < adapter->stream_due;
    if (state == adapter->stream_told || (!up && awaited))
        return;
    adapter->stream_told = state;
    adapter_tell(out, EVENT_orders_stream, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->orders_stream = (struct event_orders_stream){numbers->venue, up, now};
}

void adapter_hide(struct adapter_out *out, const char *text)
{
    size_t at = 0;
    while (at < ADAPTER_HIDDEN_MAX && out->hidden[at])
        at++;
    ASSERT(at < ADAPTER_HIDDEN_MAX);
    out->hidden[at] = text;
}

/* A secret of few bytes is none, and would blot out everything. */
static void blot_out(char *line, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    if (length < HIDDEN_LEAST)
        return;
    for (char *at = line; (at = strstr(at, secret)) != NULL; at += length)
        memset(at, '*', length);
}

/* One line without what is hidden, cut to `capacity`. A secret that the end of the room cuts goes with it. */
__attribute__((format(printf, 4, 0))) static void format_line(const struct adapter_out *out,
                                                              char *line, size_t capacity,
                                                              const char *format, va_list arguments)
{
    char room[LINE_ROOM];
    vsnprintf(room, sizeof room, format, arguments);
    for (size_t i = 0; i < ADAPTER_HIDDEN_MAX; i++)
        blot_out(room, out->hidden[i]);
    room[capacity - 1] = '\0';
    memcpy(line, room, strlen(room) + 1);
}

void adapter_log(struct adapter_out *out, enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    format_line(out, line, sizeof line, format, arguments);
    va_end(arguments);
    out->port.log(out->port.context, level, line);
}

/* --- back-off --------------------------------------------------------------------------------------- */

int64_t adapter_backoff_wait(struct adapter_backoff *backoff, struct random *random)
{
    unsigned doublings =
        backoff->failures < BACKOFF_DOUBLINGS ? backoff->failures : BACKOFF_DOUBLINGS;
    int64_t whole = backoff->least_ns;
    for (unsigned i = 0; i < doublings && whole < backoff->most_ns; i++)
        whole *= 2;
    if (whole > backoff->most_ns)
        whole = backoff->most_ns;
    backoff->failures++;
    return whole - (int64_t)random_below(random, (uint64_t)whole / 2 + 1);
}

/* --- requests under way ------------------------------------------------------------------------------ */

uint64_t adapter_requests_add(struct adapter_requests *requests, const struct adapter_asked *asked)
{
    if (requests->count == ADAPTER_REQUESTS_MAX)
        return 0;
    struct adapter_asked *at = &requests->list[requests->count++];
    *at = *asked;
    at->tag = ++requests->last_tag;
    return at->tag;
}

bool adapter_requests_take(struct adapter_requests *requests, uint64_t tag,
                           struct adapter_asked *asked)
{
    for (size_t i = 0; i < requests->count; i++) {
        if (requests->list[i].tag != tag)
            continue;
        *asked = requests->list[i];
        requests->list[i] = requests->list[--requests->count];
        return true;
    }
    return false;
}

size_t adapter_requests_of(const struct adapter_requests *requests, unsigned kind)
{
    size_t count = 0;
    for (size_t i = 0; i < requests->count; i++)
        count += requests->list[i].kind == kind;
    return count;
}

const struct adapter_asked *adapter_requests_about(const struct adapter_requests *requests,
                                                   unsigned kind, order_id order)
{
    for (size_t i = 0; i < requests->count; i++) {
        const struct adapter_asked *asked = &requests->list[i];
        if (asked->kind == kind && (asked->order == order || asked->replaces == order))
            return asked;
    }
    return NULL;
}

/* --- numbers ---------------------------------------------------------------------------------------- */

size_t adapter_decimal(int64_t units, int exponent, char out[DECIMAL_TEXT_MAX])
{
    size_t length = decimal_to_text(units, exponent, out);
    if (memchr(out, '.', length)) {
        while (out[length - 1] == '0')
            length--;
        if (out[length - 1] == '.')
            length--;
    }
    out[length] = '\0';
    return length;
}

static bool is_listed(const struct adapter_trade *list, size_t count, order_id order,
                      const struct venue_id *trade)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].order == order && memcmp(&list[i].trade, trade, sizeof *trade) == 0)
            return true;
    return false;
}

bool adapter_told_note(struct adapter_told *told, order_id order, const struct venue_id *trade)
{
    if (is_listed(told->list, told->count, order, trade))
        return false;
    if (told->count == told->capacity) {
        size_t capacity = 2 * told->capacity + 64;
        void *grown = realloc(told->list, capacity * sizeof *told->list);
        if (!grown)
            return false;
        told->list = grown;
        told->capacity = capacity;
    }
    told->list[told->count++] =
        (struct adapter_trade){.order = order, .trade = *trade, .instrument = EVENT_NONE_16};
    return true;
}

bool adapter_trade_is_told(const struct adapter_numbers *numbers, order_id order,
                           const struct venue_id *trade)
{
    return is_listed(numbers->trades, numbers->trade_count, order, trade);
}

bool adapter_has_trade(const struct adapter_numbers *numbers, uint16_t instrument,
                       const struct venue_id *trade)
{
    for (size_t i = 0; i < numbers->trade_count; i++) {
        const struct adapter_trade *told = &numbers->trades[i];
        if (told->instrument == instrument && memcmp(&told->trade, trade, sizeof *trade) == 0)
            return true;
    }
    return false;
}

struct venue_id adapter_venue_id(uint64_t number)
{
    char text[24];
    struct venue_id id = {0};
    int length = snprintf(text, sizeof text, "%" PRIu64, number);
    id.length = (uint8_t)length;
    memcpy(id.bytes, text, (size_t)length);
    return id;
}

void adapter_no_answer(const char *failure, long status, char out[ADAPTER_NO_ANSWER_MAX])
{
    if (failure != NULL)
        snprintf(out, ADAPTER_NO_ANSWER_MAX, "%s", failure);
    else
        snprintf(out, ADAPTER_NO_ANSWER_MAX, "no answer that tells (HTTP %ld)", status);
}

/* --- states ------------------------------------------------------------------------------------------ */

void adapter_fail(struct adapter *adapter, const struct adapter_out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_line(out, adapter->failure, sizeof adapter->failure, format, arguments);
    va_end(arguments);
    adapter->state = ADAPTER_FAILED;
}

void adapter_refuse(struct adapter *adapter, const struct adapter_out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_line(out, adapter->failure, sizeof adapter->failure, format, arguments);
    va_end(arguments);
    adapter->refused = true;
    adapter->state = ADAPTER_FAILED;
}
