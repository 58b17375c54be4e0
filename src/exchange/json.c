/* See exchange/json.h. */
#include "exchange/json.h"

#include <stdio.h>

const char *json_get_text(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : NULL;
}

const char *json_get_scalar(const cJSON *object, const char *name, char out[JSON_NUMBER_MAX])
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (cJSON_IsString(member))
        return member->valuestring;
    out[0] = '\0';
    if (cJSON_IsNumber(member))
        snprintf(out, JSON_NUMBER_MAX, "%.15g", member->valuedouble);
    return out;
}
