/* The stream of our orders at a venue, told by its adapter (record orders_stream). While it is down a venue fills what
 * rests and nobody tells.
 *
 *   stands ──down──► lost ──grace──► blocked ──limit──► pulled
 *     ▲               │                │                  │
 *     └───────────────┴────────────────┴──────────────────┘  it stands again, and an account that was asked for
 *                                                            since then is known
 *
 * Blocked: no new order leaves (gate orders_stream), and the account is asked for every few seconds, so that fills are
 * found without the stream. Pulled: what rests is cancelled, by requests of its own. A venue that never told of its
 * stream (a replay, paper) has none that could be lost. Nothing of it outlives a start: who goes on tells it again. */
#ifndef CAPSTAN_ENGINE_ORDERS_STREAM_H
#define CAPSTAN_ENGINE_ORDERS_STREAM_H

#include "config/settings.h"
#include "event/event.h"

struct engine;
struct walker;

/* Between two requests for the account from then on. */
#define ORDERS_STREAM_ASK_NS (3 * INT64_C(1000000000))

/* Of one venue. */
struct orders_stream {
    int64_t lost; /* since when fills may be missing; TIME_NEVER: it stands */
    int64_t
        again; /* since when it stands again, and an account is awaited; TIME_NEVER: it does not */
    bool blocked, pulled; /* told to the instruments of the venue */
    int64_t grace, limit; /* settings; limit 0: what rests stays */
};

void orders_stream_init(struct orders_stream *stream, const struct settings_venue *settings);
/* A start: it is not known to be lost. */
void orders_stream_reset(struct engine *engine);
void orders_stream_take(struct engine *engine, const struct event_orders_stream *told);
/* An account that was asked for at `taken` is known. */
void orders_stream_account(struct engine *engine, unsigned venue, int64_t taken);
/* No new order of the instrument may leave; nothing of it may rest. */
bool orders_stream_blocks(const struct engine *engine, unsigned instrument);
bool orders_stream_pulls(const struct engine *engine, unsigned instrument);
/* The same of a venue, from scratch: what an audit goes by. */
bool orders_stream_is_lost(const struct engine *engine, unsigned venue);
/* When one of the venues' has something due, and doing it. */
int64_t orders_stream_deadline(const struct engine *engine);
void orders_stream_due(struct engine *engine);
void orders_stream_walk(struct walker *walker, const struct engine *engine);

#endif
