/* JSON as it is read by the exchange; written by base/json.h. */
#ifndef CAPSTAN_EXCHANGE_JSON_H
#define CAPSTAN_EXCHANGE_JSON_H

#include <cjson/cJSON.h>

#include "base/json.h"

/* A member's text, or NULL where it is none or not there. */
const char *json_get_text(const cJSON *object, const char *name);
/* A member that is text or a number, as text: a number's digits only where a double holds them. "" where
 * there is none. */
const char *json_get_scalar(const cJSON *object, const char *name, char out[JSON_NUMBER_MAX]);

#endif
