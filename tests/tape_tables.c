/* Prints the tables of docs/tape-format.md that come from src/event/kinds.h: kinds, record fields and
 * enumerations. tests/end_to_end/tape_format.sh compares them with the page. */
#include <stdio.h>
#include <string.h>

#include "event/event.h"

#define T(type, c_type, size, text) size,
static const unsigned type_bytes[] = {EVENT_FIELD_TYPES(T)};
#undef T
#define T(type, c_type, size, text) #type,
static const char *const type_names[] = {EVENT_FIELD_TYPES(T)};
#undef T

static void print_kinds(void)
{
    static const char *const classes[] = {"market", "session", "decision"};
    printf("| kind | name | class | shape | body bytes |\n|---|---|---|---|---|\n");
    for (unsigned k = 0; k < 256; k++) {
        const struct event_kind_info *kind = event_kind_info(k);
        if (kind == NULL)
            continue;
        if (kind->shape == EVENT_ROWS)
            printf("| %u | %s | %s | rows | 24 a row |\n", k, kind->name,
                   classes[kind->event_class]);
        else
            printf("| %u | %s | %s | record | %u |\n", k, kind->name, classes[kind->event_class],
                   kind->body_bytes);
    }
}

static void print_fields(void)
{
    printf("\n| kind | fields in order, each with its type |\n|---|---|\n");
    for (unsigned k = 0; k < 256; k++) {
        const struct event_kind_info *kind = event_kind_info(k);
        if (kind == NULL || kind->shape == EVENT_ROWS)
            continue;
        printf("| %u %s |", k, kind->name);
        for (unsigned f = 0; f < kind->field_count; f++)
            printf("%s %s %s", f == 0 ? "" : ",", kind->fields[f].name,
                   type_names[kind->fields[f].type]);
        printf(" |\n");
    }
}

static void print_enumerations(void)
{
    printf("\n| type | bytes | values |\n|---|---|---|\n");
    for (unsigned t = 0; t < FIELD_TYPE_COUNT; t++) {
        if (event_enum_text((enum event_field_type)t, 0) == NULL)
            continue;
        printf("| %s | %u |", type_names[t], type_bytes[t]);
        for (unsigned v = 0; v < 256; v++) {
            const char *text = event_enum_text((enum event_field_type)t, v);
            if (text != NULL)
                printf("%s %u %s", v == 0 ? "" : ",", v, text);
        }
        printf(" |\n");
    }
}

int main(void)
{
    print_kinds();
    print_fields();
    print_enumerations();
    return 0;
}
