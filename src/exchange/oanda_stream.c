/* OANDA: prices, at most four a second and instrument, and transactions, as lines of JSON that go on. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/oanda.h"

enum { STREAMS_MAX = 20, LIST_MAX = 1024 };
#define PRICES_NS    (250 * NS_PER_MS)
#define HEARTBEAT_NS (5 * NS_PER_SECOND)

/* What one connection is told. */
struct oanda_stream {
    bool prices, unix_time;
    char instruments[LIST_MAX]; /* ",EUR_USD,BTC_USD," */
};

const char *const oanda_messages[] = {"PRICE",
                                      "HEARTBEAT",
                                      "TRANSFER_FUNDS",
                                      "MARKET_ORDER",
                                      "LIMIT_ORDER",
                                      "MARKET_ORDER_REJECT",
                                      "LIMIT_ORDER_REJECT",
                                      "ORDER_FILL",
                                      "ORDER_CANCEL",
                                      "ORDER_CANCEL_REJECT",
                                      NULL};

void oanda_get_stream(struct oanda_call *call)
{
    unsigned count = 0;
    for (const struct exchange_stream *stream = call->venue->protocol.streams; stream;
         stream = stream->next)
        count++;
    bool prices = strcmp(call->path->parts[2], "pricing") == 0;
    const char *list = parameter(call->parameters, "instruments");
    if (count >= STREAMS_MAX)
        oanda_error(call, 429, "Too many streams.");
    else if (prices && (!list || !*list || strlen(list) + 3 > LIST_MAX))
        oanda_error(call, 400, "Invalid value specified for 'instruments'");
    else
        call->reply->stream = true;
}

/* --- telling ----------------------------------------------------------------------------------- */

static void end_line(struct oanda *venue, struct exchange_stream *stream, const char *kind,
                     int64_t now)
{
    json_append(&venue->scratch, "\n", 1);
    stream->said = now;
    venue->options.port->send(venue->options.port->context, stream, kind, venue->scratch.bytes,
                              venue->scratch.length);
}

static bool is_listed(const struct oanda_stream *state, const char *symbol)
{
    char word[EVENT_NAME_MAX + 3] = ",";
    strncat(word, symbol, EVENT_NAME_MAX);
    strncat(word, ",", 2);
    return strstr(state->instruments, word);
}

static void send_price(struct oanda *venue, struct exchange_stream *stream,
                       const struct public_instrument *instrument, int64_t now)
{
    const struct oanda_stream *state = stream->state;
    json_clear(&venue->scratch);
    json_open(&venue->scratch, NULL, '{');
    oanda_write_price(venue, &venue->scratch, instrument, state->unix_time);
    json_close(&venue->scratch, '}');
    end_line(venue, stream, "PRICE", now);
}

static void send_heartbeat(struct oanda *venue, struct exchange_stream *stream, int64_t now)
{
    const struct oanda_stream *state = stream->state;
    json_clear(&venue->scratch);
    json_open(&venue->scratch, NULL, '{');
    json_text(&venue->scratch, "type", "HEARTBEAT");
    if (!state->prices)
        oanda_write_last(venue, &venue->scratch);
    oanda_write_time(venue, &venue->scratch, "time", now, state->unix_time);
    json_close(&venue->scratch, '}');
    end_line(venue, stream, "HEARTBEAT", now);
}

void oanda_stream_transaction(struct oanda *venue, const struct oanda_transaction *transaction)
{
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        const struct oanda_stream *state = stream->state;
        if (state->prices)
            continue;
        json_clear(&venue->scratch);
        oanda_write_transaction(venue, transaction, NULL, state->unix_time, &venue->scratch);
        end_line(venue, stream, oanda_type_names[transaction->type], transaction->time);
    }
}

/* --- opening ----------------------------------------------------------------------------------- */

void oanda_opened(struct protocol *protocol, struct exchange_stream *stream,
                  const struct net_incoming *incoming, int64_t now)
{
    struct oanda *venue = oanda_of(protocol);
    const struct market_view *market = venue->options.market;
    struct oanda_stream *state = calloc(1, sizeof *state);
    const char *format = exchange_request_header(incoming, "accept-datetime-format");
    struct parameters parameters;
    ASSERT(state);
    stream->state = state;
    state->unix_time = format && strcmp(format, "UNIX") == 0;
    state->prices = strstr(incoming->path, "/pricing/") != NULL;
    stream->private_one = !state->prices;
    parameters_init(&parameters);
    if (!state->prices || !parameters_add(&parameters, incoming->query, strlen(incoming->query))) {
        send_heartbeat(venue, stream, now);
        return;
    }
    const char *list = parameter(&parameters, "instruments");
    const char *snapshot = parameter(&parameters, "snapshot");
    strcat(state->instruments, ",");
    strncat(state->instruments, list ? list : "", LIST_MAX - 3);
    strcat(state->instruments, ",");
    for (unsigned i = 0; i < market->count; i++)
        if (is_listed(state, market->instruments[i].symbol) &&
            (!snapshot || strcasecmp(snapshot, "false") != 0))
            send_price(venue, stream, &market->instruments[i], now);
}

void oanda_closed(struct protocol *protocol, struct exchange_stream *stream, int64_t now)
{
    (void)protocol;
    (void)stream;
    (void)now;
}

/* There are no websockets: nobody says anything. */
void oanda_text(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                size_t length, int64_t now)
{
    (void)protocol;
    (void)stream;
    (void)text;
    (void)length;
    (void)now;
}

/* --- the market and time ----------------------------------------------------------------------- */

void oanda_market_news(struct protocol *protocol, enum market_news news,
                       struct public_instrument *instrument, const struct message *message,
                       int64_t now)
{
    (void)message;
    (void)now;
    struct oanda *venue = oanda_of(protocol);
    if (news != MARKET_BOOK)
        return;
    venue->price_changed[instrument - venue->options.market->instruments] = true;
    for (unsigned pace = 0; pace < MARKET_PACES; pace++)
        market_changes_taken(instrument, pace); /* a price is the whole ladder */
}

/* The last price of each window; those between are not told. */
static void tell_prices(struct oanda *venue, int64_t now)
{
    const struct market_view *market = venue->options.market;
    for (unsigned i = 0; i < market->count; i++) {
        if (!venue->price_changed[i])
            continue;
        venue->price_changed[i] = false;
        for (struct exchange_stream *stream = venue->protocol.streams, *next; stream;
             stream = next) {
            next = stream->next;
            const struct oanda_stream *state = stream->state;
            if (state->prices && is_listed(state, market->instruments[i].symbol))
                send_price(venue, stream, &market->instruments[i], now);
        }
    }
}

int64_t oanda_deadline(const struct protocol *protocol)
{
    const struct oanda *venue = oanda_of(protocol);
    return venue->next_prices < venue->next_heartbeat ? venue->next_prices : venue->next_heartbeat;
}

void oanda_tick(struct protocol *protocol, int64_t now)
{
    struct oanda *venue = oanda_of(protocol);
    if (now >= venue->next_prices) {
        venue->next_prices = now + PRICES_NS;
        tell_prices(venue, now);
    }
    if (now < venue->next_heartbeat)
        return;
    venue->next_heartbeat = now + HEARTBEAT_NS;
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        send_heartbeat(venue, stream, now);
    }
}
