/* The state of exchange/core.h, shared by its files. */
#ifndef CAPSTAN_EXCHANGE_CORE_INTERNAL_H
#define CAPSTAN_EXCHANGE_CORE_INTERNAL_H

#include "config/config.h"
#include "exchange/core.h"
#include "venue/sim/sim.h"

enum { CORE_BUCKETS = 1 << 14 };
#define CORE_NONE SIZE_MAX

/* What is kept of an event: one link of its order's history. */
struct core_history {
    size_t next; /* of the same order, CORE_NONE at the end */
    int64_t time, price, quantity;
    uint8_t kind; /* enum core_event_kind */
};

/* An order and what only the core needs of it. */
struct core_slot {
    struct core_order order; /* first */
    size_t next_of_client;   /* same bucket, older */
    size_t history_first, history_last;
};

struct core {
    struct core_options options;
    struct config *config;
    struct config_resolved resolved;
    struct venue *venue; /* the simulated one */
    struct core_slot **slots;
    size_t count, capacity;
    size_t buckets[CORE_BUCKETS]; /* youngest order of the client ids there */
    struct core_fill *fills;
    size_t fill_count, fill_capacity;
    struct core_history *history;
    size_t history_count, history_capacity;
    size_t *open; /* orders that rest, oldest first */
    size_t open_count, open_capacity;
    int64_t *positions; /* by instrument */
    bool *has_asset;
    enum reject answer; /* of the request under way */
    const char *cancel_client;
    bool expiring;
};

#endif
