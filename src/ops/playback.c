/* The pace of a replay that is watched: pause, resume, step, speed. */
#include "ops/http.h"

#include <cjson/cJSON.h>
#include <string.h>

static struct ops_command_answer refuse(int status, const char *error)
{
    return (struct ops_command_answer){.status = status, .error = error};
}

/* The text of the body's only member, `name`; NULL where it has none. It belongs to *root. */
static const char *member_text(const struct net_incoming *incoming, const char *name, cJSON **root)
{
    *root = incoming->length > 0
                ? cJSON_ParseWithLengthOpts(incoming->body, incoming->length + 1, NULL, true)
                : NULL;
    const cJSON *member = cJSON_IsObject(*root) ? (*root)->child : NULL;
    bool only = member && !member->next && strcmp(member->string, name) == 0;
    return only && cJSON_IsString(member) ? member->valuestring : NULL;
}

/* The figure of a member in 10^exponent; false where it is none between `least` and `most`. */
static bool read_figure(const char *text, int exponent, int64_t least, int64_t most, int64_t *value)
{
    if (!text)
        return false;
    const struct number number = number_from_text(text, strlen(text), exponent);
    *value = number.units;
    return number.status == NUMBER_VALUE && number.units >= least && number.units <= most;
}

static const char *read_step(const struct net_incoming *incoming, int64_t *messages)
{
    cJSON *root;
    *messages = 1;
    if (incoming->length == 0)
        return NULL;
    bool fine =
        read_figure(member_text(incoming, "messages", &root), 0, 1, OPS_STEP_MOST, messages);
    cJSON_Delete(root);
    return fine ? NULL : "expected {\"messages\": \"1\"}, at most 1,000,000, or no body";
}

static const char *read_speed(const struct net_incoming *incoming, int64_t *speed)
{
    cJSON *root;
    const char *text = member_text(incoming, "speed", &root);
    bool fine = true;
    if (text && strcmp(text, "max") == 0)
        *speed = 0;
    else
        fine = read_figure(text, -3, OPS_SPEED_LEAST, OPS_SPEED_MOST, speed);
    cJSON_Delete(root);
    return fine ? NULL : "expected {\"speed\": \"10\"}, from 0.001 to 1,000,000, or \"max\"";
}

struct ops_command_answer ops_playback_command(struct ops_http *http, enum ops_endpoint endpoint,
                                               const struct net_incoming *incoming)
{
    const struct ops_session *session = http->collect ? &http->collect->session : NULL;
    const char *error = NULL;
    int64_t value = 0;
    if (!session || !session->playback)
        return refuse(409, "no replay runs here whose pace could be changed");
    if (endpoint == OPS_ENDPOINT_PLAYBACK_STEP)
        error = read_step(incoming, &value);
    else if (endpoint == OPS_ENDPOINT_PLAYBACK_SPEED)
        error = read_speed(incoming, &value);
    else if (incoming->length > 0)
        error = "expected no body";
    if (error)
        return refuse(400, error);
    session->playback(session->context,
                      (enum ops_playback_command)(endpoint - OPS_ENDPOINT_PLAYBACK_PAUSE), value);
    return (struct ops_command_answer){.status = 202};
}
