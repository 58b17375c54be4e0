/* Scenarios: stories of time-stamped market data, canned venue answers and expectations, compiled to a
 * real tape and replayed through the real loop. The language is described in docs/scenarios.md. */
#ifndef CAPSTAN_REPLAY_SCENARIO_H
#define CAPSTAN_REPLAY_SCENARIO_H

#include "base/error.h"
#include "event/event.h"

enum {
    SCENARIO_FILE_MAX = 1 << 20, /* bytes of a scenario file */
    SCENARIO_WORDS_MAX = 512,    /* words of one line */
    SCENARIO_INSTRUMENTS_MAX = 16,
    SCENARIO_ASSETS_MAX = 32,
    SCENARIO_NAME_MAX = 48
};

/* Times in a scenario count from here: 2024-01-01T00:00:00Z. */
#define SCENARIO_EPOCH_NS INT64_C(1704067200000000000)

/* A word of a line, with the column at which it stands. Points into the file's text. */
struct scenario_word {
    const char *text;
    size_t length;
    unsigned column; /* from 1 */
};

/* Something that happens: one message of the tape to be. Rows and text are owned by the scenario. */
struct scenario_event {
    unsigned line;
    struct message message;
    struct row *rows;
    union event_record record;
};

/* One part of a canned answer. */
struct scenario_reply {
    /* enum event_kind of the answer; 0: nothing ever comes. EVENT_replace: the old order is cancelled
     * and the new one accepted. A cancel_rejected of a replace rejects the new order too. */
    uint8_t kind;
    int64_t after_ns;
    struct number price, quantity; /* fills */
    uint8_t liquidity, reason;
    bool failed; /* a step of the shutdown */
};

/* A canned answer: the next `request` for `order` is answered by these replies and nothing else. Or the
 * answer to a step of the shutdown. */
struct scenario_when {
    unsigned line;
    unsigned instrument;
    uint8_t request; /* enum request */
    uint8_t step;    /* enum shutdown_step; SHUTDOWN_RUNNING: it is about an order */
    order_id order;
    struct scenario_reply *replies;
    size_t reply_count;
    bool used;
};

/* What a line expects. Decisions and own-order messages at exactly `ts`; states after all of `ts`. */
enum scenario_expect_kind {
    EXPECT_MESSAGE,  /* a decision or answer of `kind` with the fields given */
    EXPECT_NOTHING,  /* no place, cancel, modify or replace at ts */
    EXPECT_HALT,     /* a breaker goes to pause or cancel_all */
    EXPECT_POSITION, /* signed position, quantity units */
    EXPECT_OPEN,     /* exactly these orders are live */
    EXPECT_BALANCE,  /* total of an asset at the instrument's venue */
    EXPECT_METRIC,   /* a counter of the run */
    EXPECT_FULL /* the run ends because a table of the engine, sized by this setting, was full */
};

/* A field of an EXPECT_MESSAGE, as canonical text. */
struct scenario_field {
    char name[SCENARIO_NAME_MAX];
    char value[SCENARIO_NAME_MAX];
};

struct scenario_expect {
    unsigned line;
    int64_t ts;
    enum scenario_expect_kind kind;
    uint8_t message_kind;
    int instrument; /* -1: any */
    struct scenario_field fields[12];
    size_t field_count;
    struct number number;
    money amount;
    uint16_t asset;
    order_id orders[64];
    size_t order_count;
    char metric[SCENARIO_NAME_MAX]; /* EXPECT_FULL: the setting */
    uint64_t matched;               /* ordinal of the message that met it, from 1; 0: not met */
};

/* The instrument that an expectation is about: the one named, else the scenario's first. */
static inline unsigned scenario_expect_instrument(const struct scenario_expect *expect)
{
    return expect->instrument >= 0 ? (unsigned)expect->instrument : 0;
}

/* "LINE NAME=VALUE", one assignment a line; text NULL: there is none. */
struct scenario_settings {
    char *text;
    size_t length, capacity;
};

/* A whole file, parsed and checked. */
struct scenario {
    char *path;
    char *text; /* the file; words point into it */
    char title[256];
    char covers[256];
    struct scenario_settings config;
    unsigned restarts; /* so far */
    /* Of the restart that brings other settings: they come after all of `config`. Epoch 0: there is none. */
    struct scenario_settings restart_config;
    uint64_t restart_epoch;
    int64_t end_ts;
    bool has_end;
    bool no_defaults; /* settings begin at the program's own */
    bool full;        /* a table is full at the end: there is one EXPECT_FULL */
    bool silent;      /* no venue answers: what was answered stands in records */

    unsigned venue_count, asset_count, instrument_count;
    char venue_names[SCENARIO_INSTRUMENTS_MAX][SCENARIO_NAME_MAX];
    char asset_names[SCENARIO_ASSETS_MAX][SCENARIO_NAME_MAX];
    char symbols[SCENARIO_INSTRUMENTS_MAX][SCENARIO_NAME_MAX];
    const char *venue_pointers[SCENARIO_INSTRUMENTS_MAX];
    const char *asset_pointers[SCENARIO_ASSETS_MAX];
    const char *symbol_pointers[SCENARIO_INSTRUMENTS_MAX];
    struct event_definition definitions[SCENARIO_INSTRUMENTS_MAX];
    struct event_names names;
    uint64_t sequences[SCENARIO_INSTRUMENTS_MAX];

    struct scenario_event *events;
    size_t event_count, event_capacity;
    struct scenario_when *whens;
    size_t when_count, when_capacity;
    struct scenario_expect *expects;
    size_t expect_count, expect_capacity;
};

/* Parse and check a whole file before anything runs. ERROR_INPUT as "file:line:column: …, expected …".
 * Frees with scenario_free. */
int scenario_read(struct scenario **scenario, const char *path, struct error *error);
void scenario_free(struct scenario **scenario);

/* What a run is asked for besides passing. */
struct scenario_options {
    bool bless;         /* write the golden instead of comparing with it */
    const char *golden; /* path of the golden; NULL: beside the scenario */
    /* YAML read before the scenario's own configuration; NULL: defaults.yaml beside the scenario, where
     * there is one. */
    const char *defaults;
    bool print_journal; /* the run's text to standard output */
    /* Tests only: gates that never block, as bits by enum gate. A run with one is not verified. */
    uint32_t gates_off;
};

/* Compile to a tape, replay it through the loop, check every expectation, verify the tape that the run
 * wrote, compare with the golden. Where the scenario says that a table is full at the end, a run that ends with
 * just that error has done as it should, and so has the verification of its tape. Of a restart with other settings
 * the tape is that of the session before it, for a tape has one configuration. 0 if all held; ERROR_DIFFERENT with the first thing that did not. */
int scenario_run(const char *path, const struct scenario_options *options, struct error *error);

#endif
