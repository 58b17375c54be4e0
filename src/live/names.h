/* The names of a live session: what the venues told of their instruments, in the order of a tape. */
#ifndef CAPSTAN_LIVE_NAMES_H
#define CAPSTAN_LIVE_NAMES_H

#include "engine/engine.h"
#include "event/event.h"
#include "live/live_io.h"
#include "live/wanted.h"

struct live_names {
    struct event_names names;
    struct adapter_numbers numbers[LIVE_VENUES_MAX]; /* by venue */
    void *memory;
};

/* Venues stand by name, assets by name, instruments by (venue, symbol). `ios` in the order of `venues`, which
 * are sorted. What is found belongs to the ios and must outlive the names. ERROR_INPUT where a tape could not
 * hold it. Free it also after an error; zero it before. */
int live_names_make(struct live_names *names, struct live_io *const *ios, size_t count,
                    struct error *error);
/* Tell the adapters which positions a folded engine carries. False where one is no count of the venue's units:
 * that of `*instrument`. */
bool live_names_carry(struct live_names *names, struct engine *engine, unsigned *instrument);
/* Tell them which of its trades it has, and that fills of `since_ns` and later may be missing; 0: none is. ERROR_SYSTEM
 * without memory. */
int live_names_carry_trades(struct live_names *names, const struct engine *engine, int64_t since_ns,
                            struct error *error);
void live_names_free(struct live_names *names);

#endif
