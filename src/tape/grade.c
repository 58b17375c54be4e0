/* Makes the grade of a header worse, with its reason. */
#include "tape/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tape_header_lower_grade(struct tape_header *header, enum tape_grade grade, const char *reason,
                            char **memory, struct error *error)
{
    const char *old = header->grade_reasons;
    size_t size = strlen(old) + strlen(reason) + 2;
    char *reasons = malloc(size);
    if (reasons == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the reasons of a tape's grade");
    size_t length = strlen(old);
    while (length > 0 && old[length - 1] == '\n')
        length--;
    snprintf(reasons, size, "%.*s%s%s", (int)length, old, length == 0 ? "" : "\n", reason);
    header->grade_reasons = reasons;
    if (header->grade < grade)
        header->grade = (uint8_t)grade;
    *memory = reasons;
    return 0;
}
