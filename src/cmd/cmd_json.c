/* JSON output on cJSON without its doubles. See cmd/cmd.h. */
#include "config.h" /* POSIX names */

#include "cmd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

void cmd_json_text(cJSON *object, const char *name, const char *text)
{
    cJSON_AddStringToObject(object, name, text);
}

void cmd_json_flag(cJSON *object, const char *name, bool value)
{
    cJSON_AddBoolToObject(object, name, value);
}

void cmd_json_integer(cJSON *object, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    cJSON_AddRawToObject(object, name, text);
}

void cmd_json_count(cJSON *object, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, text);
}

void cmd_json_measure(cJSON *object, const char *name, double value, int decimals)
{
    char text[400]; /* the longest double has 309 digits before its point */
    if (value - value != 0) {
        cJSON_AddNullToObject(object, name);
        return;
    }
    snprintf(text, sizeof text, "%.*f", decimals, value);
    cJSON_AddRawToObject(object, name, text);
}

void cmd_json_decimal(cJSON *object, const char *name, int64_t units, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_to_text(units, exponent, text);
    cJSON_AddStringToObject(object, name, text);
}

void cmd_json_money(cJSON *object, const char *name, money amount)
{
    char text[MONEY_TEXT_MAX];
    money_to_text(amount, text);
    cJSON_AddStringToObject(object, name, text);
}

void cmd_json_time(cJSON *object, const char *name, int64_t time_ns)
{
    char text[TIME_TEXT_MAX];
    time_to_text(time_ns, text);
    cJSON_AddStringToObject(object, name, text);
}

cJSON *cmd_json_object(cJSON *object, const char *name)
{
    return cJSON_AddObjectToObject(object, name);
}

cJSON *cmd_json_array(cJSON *object, const char *name)
{
    return cJSON_AddArrayToObject(object, name);
}

int cmd_json_print(cJSON *root, bool indented, FILE *stream, struct error *error)
{
    char *text = NULL;
    if (root != NULL)
        text = indented ? cJSON_Print(root) : cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (text == NULL)
        return error_set(error, ERROR_SYSTEM, "out of memory for the JSON output");
    fputs(text, stream);
    fputc('\n', stream);
    cJSON_free(text);
    return ERROR_NONE;
}

void cmd_json_lines(cJSON *array, const char *lines)
{
    while (lines && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        char *line = strndup(lines, length);
        cJSON_AddItemToArray(array, cJSON_CreateString(line ? line : "no memory for this line"));
        free(line);
        lines += length + (lines[length] == '\n');
    }
}

void cmd_print_lines(const char *lines, const char *indent, FILE *stream)
{
    while (lines && *lines != '\0') {
        int length = (int)strcspn(lines, "\n");
        fprintf(stream, "%s%.*s\n", indent, length, lines);
        lines += length + (lines[length] == '\n');
    }
}
