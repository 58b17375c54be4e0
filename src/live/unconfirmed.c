/* See unconfirmed.h. */
#include "config.h"

#include "live/unconfirmed.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_BYTES_MAX = 64 };

struct instrument {
    char name[EVENT_INSTRUMENT_NAME_MAX];
    int price_exponent, quantity_exponent;
};

struct unconfirmed {
    char *path, *session;
    unsigned count;
    struct instrument instruments[];
};

int unconfirmed_open(struct unconfirmed **out, const char *tape, const char *session,
                     const struct event_names *names, struct error *error)
{
    static const char ending[] = ".unconfirmed";
    struct unconfirmed *unconfirmed = calloc(
        1, sizeof *unconfirmed + names->instrument_count * sizeof unconfirmed->instruments[0]);
    size_t length = strlen(tape) + sizeof ending;
    if (unconfirmed) {
        unconfirmed->path = malloc(length);
        unconfirmed->session = strdup(session);
    }
    *out = unconfirmed;
    if (!unconfirmed || !unconfirmed->path || !unconfirmed->session) {
        unconfirmed_close(out);
        return error_set(error, ERROR_SYSTEM, "no memory for a session");
    }
    snprintf(unconfirmed->path, length, "%s%s", tape, ending);
    unconfirmed->count = names->instrument_count;
    for (unsigned i = 0; i < names->instrument_count; i++) {
        struct instrument *instrument = &unconfirmed->instruments[i];
        event_instrument_name(names, i, instrument->name);
        instrument->price_exponent = names->definitions[i].price_exponent;
        instrument->quantity_exponent = names->definitions[i].quantity_exponent;
    }
    return 0;
}

void unconfirmed_close(struct unconfirmed **unconfirmed)
{
    if (*unconfirmed) {
        free((*unconfirmed)->path);
        free((*unconfirmed)->session);
        free(*unconfirmed);
    }
    *unconfirmed = NULL;
}

const char *unconfirmed_path(const struct unconfirmed *unconfirmed)
{
    return unconfirmed->path;
}

uint64_t unconfirmed_left(const struct unconfirmed *unconfirmed)
{
    FILE *file = fopen(unconfirmed->path, "r");
    uint64_t lines = 0;
    for (int byte; file && (byte = fgetc(file)) != EOF;)
        lines += byte == '\n';
    if (file)
        fclose(file);
    return lines;
}

static void add_number(cJSON *root, const char *name, struct number number, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    if (number.status != NUMBER_VALUE) {
        cJSON_AddNullToObject(root, name);
        return;
    }
    decimal_to_text(number.units, exponent, text);
    cJSON_AddStringToObject(root, name, text);
}

static void add_ids(cJSON *root, const struct unconfirmed *unconfirmed,
                    const struct open_order *order)
{
    char text[ID_BYTES_MAX];
    const uint64_t epoch = order->order >> 32, counter = order->order & UINT32_MAX;
    if (order->order != 0) {
        snprintf(text, sizeof text, "#%" PRIu64 ".%" PRIu64, epoch, counter);
        cJSON_AddStringToObject(root, "order", text);
        snprintf(text, sizeof text, "%.16s-%" PRIu64 "-%" PRIu64, unconfirmed->session, epoch,
                 counter);
        cJSON_AddStringToObject(root, "client_order", text);
    }
    snprintf(text, sizeof text, "%.*s", order->venue_order.length, order->venue_order.bytes);
    if (order->venue_order.length > 0)
        cJSON_AddStringToObject(root, "venue_order", text);
    else
        cJSON_AddNullToObject(root, "venue_order");
}

char *unconfirmed_line(const struct unconfirmed *unconfirmed, const struct open_order *order)
{
    cJSON *root = cJSON_CreateObject();
    if (order->instrument < unconfirmed->count) {
        const struct instrument *instrument = &unconfirmed->instruments[order->instrument];
        char venue[EVENT_INSTRUMENT_NAME_MAX];
        snprintf(venue, sizeof venue, "%.*s", (int)strcspn(instrument->name, ":"),
                 instrument->name);
        cJSON_AddStringToObject(root, "venue", venue);
        cJSON_AddStringToObject(root, "instrument", instrument->name);
        add_ids(root, unconfirmed, order);
        cJSON_AddStringToObject(root, "side", event_enum_text(FIELD_SIDE, order->side));
        add_number(root, "price", order->price, instrument->price_exponent);
        add_number(root, "leaves", order->leaves, instrument->quantity_exponent);
    } else {
        add_ids(root, unconfirmed, order);
    }
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

void unconfirmed_log(const struct unconfirmed *unconfirmed, const struct log *log,
                     const char *target, int64_t time_ns, const struct open_order *orders,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *line = unconfirmed_line(unconfirmed, &orders[i]);
        const struct log_field field = log_text("order", line ? line : "no memory");
        log_write(log, LOG_ERROR, target, time_ns, "unconfirmed", &field, 1);
        cJSON_free(line);
    }
}

int unconfirmed_write(const struct unconfirmed *unconfirmed, const struct open_order *orders,
                      size_t count, struct error *error)
{
    if (count == 0)
        return unlink(unconfirmed->path) == 0 || errno == ENOENT
                   ? 0
                   : error_set(error, ERROR_SYSTEM, "%s: %s", unconfirmed->path, strerror(errno));
    FILE *file = fopen(unconfirmed->path, "w");
    bool failed = !file;
    if (file)
        setvbuf(file, NULL, _IOLBF,
                0); /* the process may end while this goes on: what is told stands there */
    for (size_t i = 0; file && i < count; i++) {
        char *line = unconfirmed_line(unconfirmed, &orders[i]);
        failed = failed || !line || fprintf(file, "%s\n", line) < 0;
        cJSON_free(line);
    }
    failed = failed || fflush(file) != 0 || fsync(fileno(file)) != 0;
    int code = errno;
    if (file)
        failed = fclose(file) != 0 || failed;
    return failed ? error_set(error, ERROR_SYSTEM, "%s: %s", unconfirmed->path, strerror(code)) : 0;
}
