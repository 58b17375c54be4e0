/* Reads a decision for whoever stands between the engine and a venue. */
#include "venue/asked.h"

bool asked_read(struct asked *out, const struct message *decision, const struct event_names *names)
{
    const union event_record *record = decision->record;
    *out = (struct asked){.instrument = EVENT_NONE_16, .request = -1};
    switch (decision->kind) {
    case EVENT_place:
        *out = (struct asked){0, record->place.instrument, record->place.order, REQUEST_PLACE, 0};
        break;
    case EVENT_cancel:
        *out =
            (struct asked){0, record->cancel.instrument, record->cancel.order, REQUEST_CANCEL, 0};
        break;
    case EVENT_modify:
        *out =
            (struct asked){0, record->modify.instrument, record->modify.order, REQUEST_MODIFY, 0};
        break;
    case EVENT_query:
        *out = (struct asked){0, record->query.instrument, record->query.order, REQUEST_QUERY, 0};
        break;
    case EVENT_replace:
        *out = (struct asked){0, record->replace.instrument, record->replace.order, REQUEST_PLACE,
                              record->replace.replaces};
        break;
    case EVENT_cancel_orphan:
        *out = (struct asked){0, record->cancel_orphan.instrument, 0, -1, 0};
        break;
    case EVENT_request_snapshot:
        out->venue = record->request_snapshot.venue;
        return true;
    default:
        return false;
    }
    out->venue = names->definitions[out->instrument].venue;
    return true;
}
