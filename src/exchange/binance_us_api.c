/* Binance.US: of the WebSocket API only what opens the private stream, as binance.com has it since it took the
 * listen keys away: userDataStream.subscribe.signature. Events are wrapped with the subscription's number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/binance_us.h"
#include "exchange/signatures.h"

enum { PARAMS_MAX = 32, RECEIVE_WINDOW_DEFAULT = 5000 };

static int by_name(const void *left, const void *right)
{
    const cJSON *const *a = left, *const *b = right;
    return strcmp((*a)->string, (*b)->string);
}

/* "params sorted by name, including apiKey, excluding signature, joined k=v&". False where there are too many. */
static bool write_signed(const cJSON *params, struct json *total)
{
    const cJSON *sorted[PARAMS_MAX], *item;
    size_t count = 0;
    cJSON_ArrayForEach(item, params)
    {
        if (strcmp(item->string, "signature") == 0)
            continue;
        if (count == PARAMS_MAX)
            return false;
        sorted[count++] = item;
    }
    qsort(sorted, count, sizeof(sorted[0]), by_name);
    json_clear(total);
    for (size_t i = 0; i < count; i++) {
        char room[JSON_NUMBER_MAX];
        const char *value = json_get_scalar(params, sorted[i]->string, room);
        if (i > 0)
            json_append(total, "&", 1);
        json_append(total, sorted[i]->string, strlen(sorted[i]->string));
        json_append(total, "=", 1);
        json_append(total, value, strlen(value));
    }
    return true;
}

/* What is wrong with a signed request, 0 where nothing is. */
static int check_params(struct binance_us *venue, const cJSON *params, int64_t now,
                        const char **text)
{
    char room[2][JSON_NUMBER_MAX], expected[HMAC_HEX_MAX];
    const char *key = json_get_text(params, "apiKey");
    const char *signature = json_get_text(params, "signature");
    int64_t timestamp = strtoll(json_get_scalar(params, "timestamp", room[0]), NULL, 10);
    int64_t window = strtoll(json_get_scalar(params, "recvWindow", room[1]), NULL, 10);
    int64_t server = binance_ms(venue, now);
    *text = "Signature for this request is not valid.";
    if (!key || strcmp(key, venue->options.credentials->key) != 0) {
        *text = "Invalid API-key, IP, or permissions for action.";
        return -2015;
    }
    if (timestamp >= server + 1000 ||
        server - timestamp > (window > 0 ? window : RECEIVE_WINDOW_DEFAULT)) {
        *text = "Timestamp for this request is outside of the recvWindow.";
        return -1021;
    }
    if (!signature || !write_signed(params, &venue->scratch))
        return -1022;
    hmac_sha256_hex(venue->options.credentials->secret,
                    venue->scratch.bytes ? venue->scratch.bytes : "", venue->scratch.length,
                    expected);
    return signature_equal(expected, signature) ? 0 : -1022;
}

/* {"id":…,"status":…} up to what was asked for. */
static struct json *begin_answer(struct binance_us *venue, const cJSON *id, int status)
{
    struct json *json = &venue->scratch;
    json_clear(json);
    json_open(json, NULL, '{');
    if (cJSON_IsString(id))
        json_text(json, "id", id->valuestring);
    else if (cJSON_IsNumber(id))
        json_integer(json, "id", (int64_t)id->valuedouble);
    else
        json_null(json, "id");
    json_integer(json, "status", status);
    return json;
}

static void end_answer(struct binance_us *venue, struct exchange_stream *stream)
{
    struct json *json = &venue->scratch;
    json_open(json, "rateLimits", '[');
    json_close(json, ']');
    json_close(json, '}');
    venue->options.port->send(venue->options.port->context, stream, "response", json->bytes,
                              json->length);
}

static void answer_error(struct binance_us *venue, struct exchange_stream *stream, const cJSON *id,
                         int code, const char *text)
{
    struct json *json = begin_answer(venue, id, code == -2015 ? 401 : 400);
    json_open(json, "error", '{');
    json_integer(json, "code", code);
    json_text(json, "msg", text);
    json_close(json, '}');
    end_answer(venue, stream);
}

void binance_api_text(struct binance_us *venue, struct exchange_stream *stream, const cJSON *root,
                      int64_t now)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(root, "id");
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(root, "params");
    const char *method = json_get_text(root, "method"), *text;
    if (method && strcmp(method, "userDataStream.subscribe.signature") == 0) {
        int code = check_params(venue, params, now, &text);
        if (code) {
            answer_error(venue, stream, id, code, text);
            return;
        }
        stream->private_one = true;
        struct json *json = begin_answer(venue, id, 200);
        json_open(json, "result", '{');
        json_integer(json, "subscriptionId", 0);
        json_close(json, '}');
        end_answer(venue, stream);
    } else if (method &&
               (strcmp(method, "userDataStream.unsubscribe") == 0 || strcmp(method, "ping") == 0)) {
        stream->private_one &= strcmp(method, "ping") == 0;
        json_open(begin_answer(venue, id, 200), "result", '{');
        json_close(&venue->scratch, '}');
        end_answer(venue, stream);
    } else {
        answer_error(venue, stream, id, -1020, "This operation is not supported.");
    }
}
