/* See orders_stream.h. */
#include "engine/orders_stream.h"

#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

void orders_stream_init(struct orders_stream *stream, const struct settings_venue *settings)
{
    *stream = (struct orders_stream){.lost = TIME_NEVER,
                                     .again = TIME_NEVER,
                                     .grace = settings->safety_orders_stream_grace,
                                     .limit = settings->safety_orders_stream_limit};
}

void orders_stream_reset(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        struct orders_stream *stream = &engine->venues[venue].orders_stream;
        stream->lost = stream->again = TIME_NEVER;
        stream->blocked = stream->pulled = false;
    }
}

static const struct orders_stream *stream_of(const struct engine *engine, unsigned instrument)
{
    return &engine->venues[engine->instruments[instrument].definition.venue].orders_stream;
}

bool orders_stream_blocks(const struct engine *engine, unsigned instrument)
{
    return stream_of(engine, instrument)->blocked;
}

bool orders_stream_pulls(const struct engine *engine, unsigned instrument)
{
    return stream_of(engine, instrument)->pulled;
}

bool orders_stream_is_lost(const struct engine *engine, unsigned venue)
{
    const struct orders_stream *stream = &engine->venues[venue].orders_stream;
    return stream->lost != TIME_NEVER && engine->now - stream->lost >= stream->grace;
}

static void mark_due(struct engine *engine, unsigned venue)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (engine->instruments[index].definition.venue == venue)
            engine_mark_due(engine, index);
}

/* --- deadlines ------------------------------------------------------------------------------------- */

/* When what is lost blocks, or pulls, if that is still to come. */
static int64_t next_of(const struct orders_stream *stream)
{
    if (stream->lost == TIME_NEVER)
        return TIME_NEVER;
    if (!stream->blocked)
        return stream->lost + stream->grace;
    if (stream->pulled || stream->limit == 0)
        return TIME_NEVER;
    return stream->lost + (stream->limit > stream->grace ? stream->limit : stream->grace);
}

int64_t orders_stream_deadline(const struct engine *engine)
{
    int64_t earliest = TIME_NEVER;
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        int64_t next = next_of(&engine->venues[venue].orders_stream);
        if (next < earliest)
            earliest = next;
    }
    return earliest;
}

void orders_stream_due(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        struct orders_stream *stream = &engine->venues[venue].orders_stream;
        while (next_of(stream) <= engine->now) {
            if (stream->blocked) {
                stream->pulled = true;
            } else {
                stream->blocked = true;
                sync_ask_often(engine, venue);
            }
            mark_due(engine, venue);
        }
    }
}

/* --- what is told ---------------------------------------------------------------------------------- */

void orders_stream_take(struct engine *engine, const struct event_orders_stream *told)
{
    if (told->venue >= engine->venue_count)
        return;
    struct orders_stream *stream = &engine->venues[told->venue].orders_stream;
    stream->again = TIME_NEVER;
    if (!told->connected && stream->lost == TIME_NEVER)
        stream->lost = engine->now;
    if (told->connected && stream->lost != TIME_NEVER)
        stream->again = told->since < engine->now ? told->since : engine->now;
    timers_common_moved(engine);
    if (orders_stream_deadline(engine) <= engine->now) /* without a grace */
        orders_stream_due(engine);
}

void orders_stream_account(struct engine *engine, unsigned venue, int64_t taken)
{
    struct orders_stream *stream = &engine->venues[venue].orders_stream;
    if (stream->again == TIME_NEVER || taken < stream->again)
        return;
    stream->lost = stream->again = TIME_NEVER;
    if (stream->blocked)
        mark_due(engine, venue);
    stream->blocked = stream->pulled = false;
    timers_common_moved(engine);
}

/* --- walk ------------------------------------------------------------------------------------------ */

void orders_stream_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        const struct orders_stream *stream = &engine->venues[venue].orders_stream;
        walker->field(walker, "orders_stream.lost", venue, stream->lost);
        walker->field(walker, "orders_stream.again", venue, stream->again);
        walker->field(walker, "orders_stream.blocked", venue, stream->blocked);
        walker->field(walker, "orders_stream.pulled", venue, stream->pulled);
        walker->field(walker, "orders_stream.grace", venue, stream->grace);
        walker->field(walker, "orders_stream.limit", venue, stream->limit);
    }
}
