/* See live_venue.h. */
#include "live/live_venue.h"

#include "base/assert.h"
#include "base/time.h"

static int nothing_to_do(struct venue *venue, int64_t now, struct error *error)
{
    (void)venue;
    (void)now;
    (void)error;
    return 0;
}

static const struct message *no_answer(struct venue *venue, int64_t now)
{
    (void)venue;
    (void)now;
    return NULL;
}

static int64_t never(const struct venue *venue)
{
    (void)venue;
    return TIME_NEVER;
}

static int finish(struct venue *venue, struct error *error)
{
    (void)venue;
    (void)error;
    return 0;
}

static void close_nothing(struct venue *venue)
{
    (void)venue;
}

/* What a decision asks of a venue. */
struct asked {
    uint16_t instrument; /* EVENT_NONE_16: the venue is named */
    uint8_t venue;
    enum request request;
    order_id order, also; /* whose states are unknown where it was not sent; 0: none */
};

/* False for decisions that go to no venue. */
static bool read_asked(const struct message *decision, struct asked *asked)
{
    const union event_record *record = decision->record;
    switch ((int)decision->kind) {
    case EVENT_place:
        *asked = (struct asked){.instrument = record->place.instrument,
                                .request = REQUEST_PLACE,
                                .order = record->place.order};
        return true;
    case EVENT_cancel:
        *asked = (struct asked){.instrument = record->cancel.instrument,
                                .request = REQUEST_CANCEL,
                                .order = record->cancel.order};
        return true;
    case EVENT_modify:
        *asked = (struct asked){.instrument = record->modify.instrument,
                                .request = REQUEST_MODIFY,
                                .order = record->modify.order};
        return true;
    case EVENT_replace:
        *asked = (struct asked){.instrument = record->replace.instrument,
                                .request = REQUEST_REPLACE,
                                .order = record->replace.order,
                                .also = record->replace.replaces};
        return true;
    case EVENT_query:
        *asked = (struct asked){.instrument = record->query.instrument,
                                .request = REQUEST_QUERY,
                                .order = record->query.order};
        return true;
    case EVENT_cancel_orphan:
        *asked = (struct asked){.instrument = record->cancel_orphan.instrument};
        return true;
    case EVENT_request_snapshot:
        *asked =
            (struct asked){.instrument = EVENT_NONE_16, .venue = record->request_snapshot.venue};
        return true;
    default:
        return false;
    }
}

static void tell_unknown(struct live_venue *live, const struct asked *asked, order_id order)
{
    const union event_record record = {.order_unknown = {.instrument = asked->instrument,
                                                         .order = order,
                                                         .request = (uint8_t)asked->request}};
    if (order)
        live_feed_post(live->feed, EVENT_order_unknown, &record);
}

static int submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct live_venue *live = (struct live_venue *)venue;
    struct asked asked;
    (void)error;
    if (!read_asked(decision, &asked))
        return 0;
    if (asked.instrument != EVENT_NONE_16) {
        ASSERT(asked.instrument < live->names->instrument_count);
        asked.venue = live->names->definitions[asked.instrument].venue;
    }
    ASSERT(asked.venue < LIVE_VENUES_MAX);
    if (live->ios[asked.venue] && live_io_submit(live->ios[asked.venue], decision))
        return 0;
    live->unsent++;
    tell_unknown(live, &asked, asked.order);
    tell_unknown(live, &asked, asked.also);
    return 0;
}

void live_venue_init(struct live_venue *live)
{
    live->venue = (struct venue){.start = nothing_to_do,
                                 .advance = nothing_to_do,
                                 .answer = no_answer,
                                 .next = never,
                                 .submit = submit,
                                 .finish = finish,
                                 .close = close_nothing};
}
