/* What a campaign must have seen: every fault, every gate, every row of the order table, but for those rows
 * that no venue behind a bad connection can cause. */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "event/event.h"
#include "simulate/simulate.h"

/* X(state, event, why it is in the table and never happens here) */
#define NEVER(X)                                                                                   \
    X(PENDING_NEW, FILL_DOUBT, "only a modify makes the venue's count the larger; none was sent")  \
    X(ACTIVE, FILL_DOUBT,                                                                          \
      "a first fill that leaves more than we count: none has more left at the venue (3, run.c)")   \
    X(PENDING_NEW, NOT_FOUND, "a query makes the order unknown, so none is answered before that")  \
    X(FILLED, FILL_LAST, "more than was ever asked for: invariant 6 tells of it")                  \
    X(REJECTED, MODIFIED, "no modify leaves before the venue took the order")                      \
    X(REJECTED, MODIFY_REJECTED, "no modify leaves before the venue took the order")               \
    X(REJECTED, MODIFY_TOO_LATE, "no modify leaves before the venue took the order")

static const char *why_never(enum order_state state, enum order_event event)
{
#define X(s, e, why)                                                                               \
    if (state == ORDER_##s && event == ORDER_EVENT_##e)                                            \
        return why;
    NEVER(X)
#undef X
    return NULL;
}

const char *simulate_event_name(enum order_event event)
{
    static const char *const names[ORDER_EVENT_COUNT] = {
#define X(name, meaning) [name] = #name,
        ORDER_EVENTS(X)
#undef X
    };
    enum { PREFIX = sizeof "ORDER_EVENT_" - 1 };
    ASSERT(event < ORDER_EVENT_COUNT);
    return names[event] + PREFIX;
}

static unsigned missing_rows(const struct simulate_counts *counts)
{
    unsigned missing = 0;
    for (unsigned s = 0; s < ORDER_STATE_COUNT; s++)
        for (unsigned e = 0; e < ORDER_EVENT_COUNT; e++) {
            const enum order_state state = (enum order_state)s;
            const enum order_event event = (enum order_event)e;
            const char *never = why_never(state, event);
            bool seen = counts->order_events[s][e] > 0;
            if (!order_transition_exists(state, event) || seen == (never == NULL))
                continue;
            missing++;
            printf("%s %s: %s%s\n", order_state_name(state), simulate_event_name(event),
                   seen ? "happened, though " : "never happened", seen ? never : "");
        }
    return missing;
}

unsigned simulate_print_missing(const struct simulate_counts *counts)
{
    unsigned missing = missing_rows(counts);
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++)
        if (counts->faults[kind] == 0) {
            printf("fault %s: never happened\n", fault_word((enum fault_kind)kind));
            missing++;
        }
    if (counts->restarts == 0) {
        printf("restart: never happened\n");
        missing++;
    }
    if (counts->rotations == 0) {
        printf("rotation: never happened\n");
        missing++;
    }
    if (counts->adoptions == 0) {
        printf("adoption: never happened\n");
        missing++;
    }
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        if (counts->gates[gate] == 0) {
            printf("gate %s: never blocked\n", event_enum_text(FIELD_GATE, gate));
            missing++;
        }
    return missing;
}
