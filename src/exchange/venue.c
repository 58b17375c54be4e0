/* See exchange/venue.h. */
#include "exchange/venue.h"

#include "base/assert.h"
#include "base/time.h"

/* How much of a tape may pass, before its first moment is now, while its books come. */
#define PAST_MAX_NS (60 * NS_PER_SECOND)

static void order_event(void *context, const struct core_event *event)
{
    struct exchange_venue *venue = context;
    if (venue->protocol)
        venue->protocol->order(venue->protocol, event, venue->now);
}

static int publish(struct exchange_venue *venue, struct error *error)
{
    struct feed *feed = played_feed(venue->played);
    const struct message *message;
    error->code = ERROR_NONE;
    while ((message = feed->next(feed, error))) {
        struct public_instrument *instrument = NULL;
        enum market_news news = market_view_take(&venue->market, message, &instrument);
        if (news != MARKET_NOTHING)
            venue->protocol->market(venue->protocol, news, instrument, message, venue->now);
    }
    return error->code;
}

int exchange_venue_advance(struct exchange_venue *venue, int64_t now, struct error *error)
{
    ASSERT(now >= venue->now);
    venue->now = now;
    played_advance(venue->played, now);
    /* What is published may have been matched already: the matching engine is where the market is made. */
    if (core_advance(venue->core, now, error) || publish(venue, error))
        return error->code;
    if (venue->protocol->deadline(venue->protocol) <= now)
        venue->protocol->tick(venue->protocol, now);
    return 0;
}

int64_t exchange_venue_deadline(struct exchange_venue *venue, struct error *error)
{
    int64_t deadline = played_next_time(venue->played, error);
    int64_t others[] = {core_deadline(venue->core), venue->protocol->deadline(venue->protocol)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] < deadline)
            deadline = others[i];
    return deadline;
}

static int open_parts(struct exchange_venue *venue, const struct exchange_venue_options *options,
                      struct error *error)
{
    const char *name = options->names->venues[options->venue];
    const struct protocol_kind *kind = protocol_by_venue(name);
    if (!kind)
        return error_set(error, ERROR_INPUT,
                         "the exchange can't be %s; expected binance_us, coinbase or oanda", name);
    if (played_open(&venue->played, &options->source, options->names, options->venue, error) ||
        played_start(venue->played, options->now, PAST_MAX_NS, error) ||
        market_view_open(&venue->market, options->names, options->venue, error))
        return error->code;
    const struct core_options core = {.feed = played_feed(venue->played),
                                      .names = options->names,
                                      .venue = options->venue,
                                      .balances = options->balances,
                                      .event = order_event,
                                      .context = venue};
    if (core_open(&venue->core, &core, options->now, error))
        return error->code;
    const struct protocol_options protocol = {.port = options->port,
                                              .core = venue->core,
                                              .market = &venue->market,
                                              .names = options->names,
                                              .venue = options->venue,
                                              .credentials = options->credentials,
                                              .seed = options->seed,
                                              .now = options->now};
    return kind->open(&venue->protocol, &protocol, error);
}

int exchange_venue_open(struct exchange_venue *venue, const struct exchange_venue_options *options,
                        struct error *error)
{
    *venue = (struct exchange_venue){.now = options->now};
    if (open_parts(venue, options, error))
        return error->code;
    return exchange_venue_advance(venue, options->now, error);
}

void exchange_venue_close(struct exchange_venue *venue)
{
    if (venue->protocol)
        venue->protocol->close(venue->protocol);
    core_close(&venue->core);
    market_view_close(&venue->market);
    played_close(&venue->played);
    *venue = (struct exchange_venue){0};
}
