/* Commands by POST: who may give them, and the record that each becomes on the tape. */
#include "ops/http.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <strings.h>

static struct ops_command_answer refuse(int status, const char *error)
{
    return (struct ops_command_answer){.status = status, .error = error};
}

/* --- who asks ----------------------------------------------------------------------------------- */

/* A page of another site can't be what an operator uses. Programs send neither header. */
static bool is_cross_site(const struct net_incoming *incoming)
{
    const char *site = net_incoming_header(incoming, "sec-fetch-site");
    const char *origin = net_incoming_header(incoming, "origin");
    const char *host = net_incoming_header(incoming, "host");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    if (!origin)
        return false;
    const char *behind = strstr(origin, "://");
    return !behind || !host || strcasecmp(behind + 3, host) != 0;
}

static bool is_json(const struct net_incoming *incoming)
{
    static const char json[] = "application/json";
    const char *type = net_incoming_header(incoming, "content-type");
    return type && strncasecmp(type, json, sizeof json - 1) == 0 &&
           strchr("; \t", type[sizeof json - 1]) != NULL;
}

static bool has_token(const struct ops_http *http, const struct net_incoming *incoming)
{
    static const char scheme[] = "Bearer ";
    const char *given = net_incoming_header(incoming, "authorization");
    return given && strncasecmp(given, scheme, sizeof scheme - 1) == 0 &&
           ops_token_matches(&http->token, given + sizeof scheme - 1);
}

/* --- what is asked ------------------------------------------------------------------------------ */

/* The instrument that the body names, EVENT_NONE_16 for all; an error's words, or NULL. */
static const char *read_body(const struct event_names *names, const struct net_incoming *incoming,
                             uint16_t *instrument)
{
    const char *error = NULL;
    *instrument = EVENT_NONE_16;
    if (incoming->length == 0)
        return NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(incoming->body, incoming->length + 1, NULL, true);
    const cJSON *member = root ? root->child : NULL;
    if (!cJSON_IsObject(root)) {
        error = "the body is no JSON object; expected {\"instrument\": \"exchange:symbol\"}, or "
                "none for all";
    } else if (member && (member->next || strcmp(member->string, "instrument") != 0)) {
        error = "the body has another member than instrument";
    } else if (member && !cJSON_IsNull(member)) {
        int found = cJSON_IsString(member) ? event_instrument_by_name(names, member->valuestring,
                                                                      strlen(member->valuestring))
                                           : -1;
        if (found < 0)
            error = "instrument: expected the name of one of this session, as exchange:symbol";
        else
            *instrument = (uint16_t)found;
    }
    cJSON_Delete(root);
    return error;
}

/* A decimal of the body in the instrument's unit; one that is not named or null is absent. */
static bool read_number(const cJSON *root, const char *name, int exponent, struct number *number)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    *number = (struct number){0, NUMBER_ABSENT};
    if (!member || cJSON_IsNull(member))
        return true;
    if (!cJSON_IsString(member))
        return false;
    *number = number_from_text(member->valuestring, strlen(member->valuestring), exponent);
    return number->status == NUMBER_VALUE;
}

/* {"instrument": "exchange:symbol", "position": "1.5", "price": "60000.0"}: the last two may be missing. */
static const char *read_adoption(const struct event_names *names,
                                 const struct net_incoming *incoming, struct event_adopt *adopt)
{
    cJSON *root = incoming->length > 0
                      ? cJSON_ParseWithLengthOpts(incoming->body, incoming->length + 1, NULL, true)
                      : NULL;
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, "instrument");
    const char *error = NULL;
    int found = cJSON_IsString(member) ? event_instrument_by_name(names, member->valuestring,
                                                                  strlen(member->valuestring))
                                       : -1;
    for (const cJSON *any = root ? root->child : NULL; any; any = any->next)
        if (!cJSON_IsObject(root) ||
            (strcmp(any->string, "instrument") != 0 && strcmp(any->string, "position") != 0 &&
             strcmp(any->string, "price") != 0))
            error = "the body has another member than instrument, position and price";
    if (!error && found < 0)
        error = "instrument: expected the name of one of this session, as exchange:symbol";
    if (!error && !read_number(root, "position", names->definitions[found].quantity_exponent,
                               &adopt->position))
        error = "position: expected a decimal as text, no finer than the instrument's unit; or "
                "none for what the exchange has";
    if (!error &&
        (!read_number(root, "price", names->definitions[found].price_exponent, &adopt->price) ||
         (adopt->price.status == NUMBER_VALUE && adopt->price.units <= 0)))
        error = "price: expected a decimal above 0 as text, no finer than the instrument's unit; "
                "or none for the exchange's average price, else the mark";
    adopt->instrument = (uint16_t)found;
    cJSON_Delete(root);
    return error;
}

static int command_of(enum ops_endpoint endpoint)
{
    switch ((int)endpoint) {
    case OPS_ENDPOINT_PAUSE:
        return COMMAND_PAUSE;
    case OPS_ENDPOINT_RESUME:
        return COMMAND_RESUME;
    case OPS_ENDPOINT_CANCEL_ALL:
        return COMMAND_CANCEL_ALL;
    case OPS_ENDPOINT_TRIP:
        return COMMAND_TRIP;
    case OPS_ENDPOINT_CLEAR:
        return COMMAND_RESET;
    default:
        return -1;
    }
}

static struct ops_command_answer shut_down(struct ops_http *http)
{
    if (!http->stop)
        return refuse(409, "nothing can be shut down here");
    http->stop(http->context);
    return (struct ops_command_answer){.status = 202, .stop = true};
}

/* A command of the engine; `command` below 0: an adoption. */
static struct ops_command_answer post(struct ops_http *http, int command,
                                      const struct net_incoming *incoming)
{
    const struct ops_session *session = http->collect ? &http->collect->session : NULL;
    if (!session || !session->engine || !session->post)
        return refuse(409, "no engine runs here that could be commanded");
    union event_record record = {.command = {.command = (uint8_t)command}};
    const char *error = command < 0
                            ? read_adoption(session->names, incoming, &record.adopt)
                            : read_body(session->names, incoming, &record.command.instrument);
    if (error)
        return refuse(400, error);
    if (!session->post(session->context, command < 0 ? EVENT_adopt : EVENT_command, &record))
        return refuse(503, "too many commands wait already");
    return (struct ops_command_answer){.status = 202};
}

struct ops_command_answer ops_command(struct ops_http *http, enum ops_endpoint endpoint,
                                      const struct net_incoming *incoming)
{
    if (is_cross_site(incoming))
        return refuse(403, "commands are taken from this site's own page and from programs only");
    if (http->token.text[0] == '\0')
        return refuse(403, "no token is set, so nothing can be commanded: name a file with one in "
                           "ops.token_file, or give the service a credential named ops-token");
    if (!has_token(http, incoming))
        return refuse(401, "expected Authorization: Bearer and the token of ops.token_file");
    if (incoming->length > 0 && !is_json(incoming))
        return refuse(415, "expected Content-Type: application/json");
    if (endpoint >= OPS_ENDPOINT_PLAYBACK_PAUSE && endpoint <= OPS_ENDPOINT_PLAYBACK_SPEED)
        return ops_playback_command(http, endpoint, incoming);
    int command = command_of(endpoint);
    if (endpoint == OPS_ENDPOINT_ADOPT)
        return post(http, command, incoming);
    return command < 0 ? shut_down(http) : post(http, command, incoming);
}
