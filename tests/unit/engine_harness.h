/* Drives an engine with messages made by hand, for the unit tests of src/engine. One instrument unless a
 * test asks for more; prices in units of 0.1, quantities in units of 0.001. */
#ifndef CAPSTAN_TESTS_ENGINE_HARNESS_H
#define CAPSTAN_TESTS_ENGINE_HARNESS_H

#include "engine/engine_internal.h"

enum { HARNESS_INSTRUMENTS = 4, HARNESS_ASSETS = 4, HARNESS_ROWS = 64, HARNESS_DECISIONS = 4096 };
enum { ASSET_BASE, ASSET_QUOTE, ASSET_OTHER };

/* Settings and definitions to change before harness_start. */
struct harness {
    struct settings_global global;
    struct settings_venue venues[2];
    struct settings_instrument settings[HARNESS_INSTRUMENTS];
    struct event_definition definitions[HARNESS_INSTRUMENTS];
    unsigned instrument_count;
    bool audit_each;
    const struct engine_account *account;
    /* Around each step, for tests of what listens to the loop; NULL: nothing. */
    void (*before)(void *context, const struct message *message);
    void (*after)(void *context);
    void *context;
    void *memory;
    size_t size;
    struct engine *engine;
    int64_t now;
    uint64_t sequence;
    uint64_t trade;
    /* Decisions of the last step, copied, and all since the start. */
    struct message decisions[HARNESS_DECISIONS];
    union event_record records[HARNESS_DECISIONS];
    size_t count; /* of the last step */
};

#define TICKS(n)                  ((struct setting_amount){{(n), 0}, SETTING_TICK})
#define LOTS(n)                   ((struct setting_amount){{(n), 0}, SETTING_LOT})
#define PLAIN(mantissa, exponent) ((struct setting_amount){{(mantissa), (exponent)}, SETTING_PLAIN})
#define SECONDS(n)                ((int64_t)(n)*1000000000)
#define MILLISECONDS(n)           ((int64_t)(n)*1000000)

/* One linear instrument, tick 5 units (0.5), lot 1 unit (0.001), one level of 10 lots, no size band. */
void harness_init(struct harness *harness);
/* Lay the engine out; give it start and a reconciled account; both. */
void harness_make(struct harness *harness);
void harness_begin(struct harness *harness);
void harness_start(struct harness *harness);
void harness_close(struct harness *harness);

/* Give one message at harness->now; the decisions stand in the harness afterwards. */
void harness_give(struct harness *harness, const struct message *message);
void harness_record(struct harness *harness, enum event_kind kind, unsigned stream,
                    const union event_record *record);
/* A snapshot or depth message with one level a side (price 0: that side is left out). */
void harness_book(struct harness *harness, unsigned instrument, enum event_kind kind, int64_t bid,
                  int64_t bid_quantity, int64_t ask, int64_t ask_quantity);
/* The same with the venue's sequence. */
void harness_book_at(struct harness *harness, unsigned instrument, enum event_kind kind,
                     uint64_t sequence, int64_t bid, int64_t bid_quantity, int64_t ask,
                     int64_t ask_quantity);
void harness_trade(struct harness *harness, unsigned instrument, enum side aggressor, int64_t price,
                   int64_t quantity);
void harness_tick(struct harness *harness, int64_t now);
/* Ticks at each deadline until `now`, then stand there. */
void harness_run_to(struct harness *harness, int64_t now);

void harness_accept(struct harness *harness, order_id order);
/* A fill with a fresh trade id. */
void harness_fill(struct harness *harness, order_id order, enum side side, int64_t price,
                  int64_t quantity, int64_t leaves);
/* A fill of an order that the table does not know: for positions. */
void harness_position(struct harness *harness, unsigned instrument, enum side side, int64_t price,
                      int64_t quantity);
/* A fill of 5 @ 100.0 of such an order, of the first instrument, which the venue made at `made`; told at the engine's time. */
void harness_told_fill(struct harness *harness, int64_t made);
/* The quote balance at the first venue, whole units, as of `made`: the venue's own time, or an estimate, by `flags`. */
void harness_told_balance(struct harness *harness, int64_t made, uint8_t flags, int64_t total);
void harness_cancelled(struct harness *harness, order_id order, int64_t leaves);
void harness_reject(struct harness *harness, order_id order, enum reject reason);
void harness_command(struct harness *harness, enum command command);

/* The n-th decision of that kind in the last step, NULL where there is none. */
const union event_record *harness_find(const struct harness *harness, enum event_kind kind,
                                       size_t n);
size_t harness_count(const struct harness *harness, enum event_kind kind);
struct order *harness_order(struct harness *harness, order_id order);
/* Bits of gates that block the first instrument. */
uint32_t harness_blocking(const struct harness *harness);

#endif
