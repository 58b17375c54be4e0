/* A seeded generator of whole market sessions: several instruments of made venues, their books, trades
 * and best prices as a receiver would have recorded them. Model and figures: docs/synth.md. */
#ifndef CAPSTAN_SYNTH_SYNTH_H
#define CAPSTAN_SYNTH_SYNTH_H

#include "base/error.h"
#include "event/event.h"

struct synth;
struct tape_header;

enum {
    SYNTH_INSTRUMENTS_MAX = 60, /* twenty assets, spot, linear and inverse each */
    SYNTH_LIVE_INSTRUMENTS = 6, /* of the venues that live mode trades on */
    SYNTH_RATE_MAX = 5000,
    SYNTH_FEED_FLOOR_NS = 1000000 /* no message arrives sooner after it was sent */
};

/* What to make. The same options give the same messages on every machine. */
struct synth_options {
    uint64_t seed;
    bool live;                    /* instruments of binance_us, coinbase and oanda, not made ones */
    unsigned instruments;         /* 1..SYNTH_INSTRUMENTS_MAX; SYNTH_LIVE_INSTRUMENTS where live */
    int64_t start_ns;             /* first moment; whole milliseconds, 0 or later */
    int64_t rate;                 /* order events a second and instrument, 1..SYNTH_RATE_MAX */
    int64_t depth_interval_ns;    /* between depth messages: whole ms, 10 ms to 10 s */
    int64_t snapshot_interval_ns; /* a multiple of it; 0: one snapshot, at the start */
};

/* 3 instruments from 2024-01-01, 50 events a second, depth every 100 ms, one snapshot, seed 1. */
extern const struct synth_options synth_defaults;

/* Check the options and take all memory. ERROR_INPUT names the option. */
int synth_create(struct synth **synth, const struct synth_options *options, struct error *error);
void synth_free(struct synth **synth);

/* Venues, assets and instruments in the order of a tape. Belongs to `synth`. */
const struct event_names *synth_names(const struct synth *synth);

/* The seed it was made with. */
uint64_t synth_seed(const struct synth *synth);

/* The next message in the order of ts_local; there is always one. Valid until the next call. */
const struct message *synth_next(struct synth *synth);

/* The header for a tape of it; text given here is not copied. */
void synth_header(const struct synth *synth, const char *tool_version, const char *build_id,
                  struct tape_header *header);

/* What synth_write made. */
struct synth_result {
    uint64_t messages,
        events; /* an event is a row of a book, a best price or a trade, or a record */
    int64_t first_ts, last_ts; /* ts_local */
};

/* Append messages to a tape until it has `events` events (the last message is whole), then finish it.
 * `progress` (may be NULL) is called now and then. */
struct tape_writer;
int synth_write(struct synth *synth, uint64_t events, struct tape_writer **writer,
                void (*progress)(void *context, uint64_t events), void *context,
                struct synth_result *result, struct error *error);

#endif
