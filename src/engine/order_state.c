/* The order state machine: diagram, table, invariant.
 *
 *                       rejected                                        expired
 *                    ┌────────────► REJECTED                         ┌──────────► EXPIRED
 *                    │                                               │
 *   place ──► PENDING_NEW ──accepted──► ACTIVE ──fill──► PARTLY_FILLED ──last fill──► FILLED
 *                    │                    │  ▲               │  ▲
 *                    │          cancel or │  │ refused,      │  │ refused,
 *                    │             modify │  │ modified      │  │ modified
 *                    │                    ▼  │               ▼  │
 *                    │               PENDING_CANCEL ─────cancelled────► CANCELLED
 *                    │               PENDING_MODIFY
 *                    │                    │
 *        no answer   │                    │ no answer · "filled already" or "not found" before the
 *                    ▼                    ▼ fill that says so · over, with fills still to come
 *                 UNKNOWN ◄───────────────┘ · a change that nobody asked for
 *                    └──► whatever the venue then tells: any state above
 *
 * Every live state takes a fill and an end, because answers overtake each other: a fill before its
 * acceptance, a fill while the cancel travels, a cancel refused because the fill was first. The four
 * states on the right are final; what still comes then is a late fill (a trade is a fact and counts),
 * or a repetition. UNKNOWN is not failed: it counts in exposure and is asked for (trading-semantics
 * 28). */
#include "engine/order_state.h"

#include "base/assert.h"

/* X(event, target, effect), one list a state. What a list leaves out is a surprise. */
#define FROM_NONE(X)

#define FROM_PENDING_NEW(X)                                                                        \
    X(ACCEPTED, ORDER_ACTIVE, EFFECT_NONE)                                                         \
    X(REJECTED, ORDER_REJECTED, EFFECT_END)                                                        \
    X(FILL, ORDER_PARTLY_FILLED, EFFECT_FILL)                                                      \
    X(FILL_LAST, ORDER_FILLED, EFFECT_FILL_END)                                                    \
    X(FILL_OWING, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(FILL_DOUBT, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(CANCELLED, ORDER_CANCELLED, EFFECT_END)                                                      \
    X(CANCELLED_OWING, ORDER_UNKNOWN, EFFECT_OWE)                                                  \
    X(EXPIRED, ORDER_EXPIRED, EFFECT_END)                                                          \
    X(UNANSWERED, ORDER_UNKNOWN, EFFECT_NONE)                                                      \
    X(SEEN, ORDER_RESTING, EFFECT_SEEN)                                                            \
    X(NOT_FOUND, ORDER_SAME, EFFECT_NONE)

#define FROM_RESTING(X)                                                                            \
    X(ACCEPTED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(FILL, ORDER_PARTLY_FILLED, EFFECT_FILL)                                                      \
    X(FILL_LAST, ORDER_FILLED, EFFECT_FILL_END)                                                    \
    X(FILL_OWING, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(FILL_DOUBT, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(CANCELLED, ORDER_CANCELLED, EFFECT_END)                                                      \
    X(CANCELLED_OWING, ORDER_UNKNOWN, EFFECT_OWE)                                                  \
    X(EXPIRED, ORDER_EXPIRED, EFFECT_END)                                                          \
    X(CANCEL_SENT, ORDER_PENDING_CANCEL, EFFECT_NONE)                                              \
    X(MODIFY_SENT, ORDER_PENDING_MODIFY, EFFECT_NONE)                                              \
    X(MODIFIED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(MODIFIED_OTHER, ORDER_UNKNOWN, EFFECT_MODIFY)                                                \
    X(CANCEL_REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(MODIFY_REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(CANCEL_TOO_LATE, ORDER_UNKNOWN, EFFECT_NONE)                                                 \
    X(MODIFY_TOO_LATE, ORDER_UNKNOWN, EFFECT_NONE)                                                 \
    X(UNANSWERED, ORDER_UNKNOWN, EFFECT_NONE)                                                      \
    X(SEEN, ORDER_SAME, EFFECT_NONE)                                                               \
    X(NOT_FOUND, ORDER_UNKNOWN, EFFECT_NONE)

#define FROM_PENDING_CANCEL(X)                                                                     \
    X(ACCEPTED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(FILL, ORDER_SAME, EFFECT_FILL)                                                               \
    X(FILL_LAST, ORDER_FILLED, EFFECT_FILL_END)                                                    \
    X(FILL_OWING, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(FILL_DOUBT, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(CANCELLED, ORDER_CANCELLED, EFFECT_END)                                                      \
    X(CANCELLED_OWING, ORDER_UNKNOWN, EFFECT_OWE)                                                  \
    X(EXPIRED, ORDER_EXPIRED, EFFECT_END)                                                          \
    X(CANCEL_REJECTED, ORDER_RESTING, EFFECT_NONE)                                                 \
    X(CANCEL_TOO_LATE, ORDER_UNKNOWN, EFFECT_NONE)                                                 \
    X(MODIFIED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(MODIFIED_OTHER, ORDER_SAME, EFFECT_MODIFY)                                                   \
    X(MODIFY_REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(MODIFY_TOO_LATE, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(UNANSWERED, ORDER_UNKNOWN, EFFECT_NONE)                                                      \
    X(SEEN, ORDER_SAME, EFFECT_NONE)                                                               \
    X(NOT_FOUND, ORDER_UNKNOWN, EFFECT_NONE)

#define FROM_PENDING_MODIFY(X)                                                                     \
    X(ACCEPTED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(FILL, ORDER_SAME, EFFECT_FILL)                                                               \
    X(FILL_LAST, ORDER_FILLED, EFFECT_FILL_END)                                                    \
    X(FILL_OWING, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(FILL_DOUBT, ORDER_UNKNOWN, EFFECT_FILL)                                                      \
    X(CANCELLED, ORDER_CANCELLED, EFFECT_END)                                                      \
    X(CANCELLED_OWING, ORDER_UNKNOWN, EFFECT_OWE)                                                  \
    X(EXPIRED, ORDER_EXPIRED, EFFECT_END)                                                          \
    X(MODIFIED, ORDER_RESTING, EFFECT_MODIFY)                                                      \
    X(MODIFIED_OTHER, ORDER_SAME, EFFECT_MODIFY)                                                   \
    X(MODIFY_REJECTED, ORDER_RESTING, EFFECT_REVERT)                                               \
    X(MODIFY_TOO_LATE, ORDER_UNKNOWN, EFFECT_NONE)                                                 \
    X(CANCEL_REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(CANCEL_TOO_LATE, ORDER_UNKNOWN, EFFECT_NONE)                                                 \
    X(UNANSWERED, ORDER_UNKNOWN, EFFECT_NONE)                                                      \
    X(SEEN, ORDER_SAME, EFFECT_NONE)                                                               \
    X(NOT_FOUND, ORDER_UNKNOWN, EFFECT_NONE)

#define FROM_UNKNOWN(X)                                                                            \
    X(ACCEPTED, ORDER_RESTING, EFFECT_NONE)                                                        \
    X(REJECTED, ORDER_REJECTED, EFFECT_END)                                                        \
    X(FILL, ORDER_SAME, EFFECT_FILL)                                                               \
    X(FILL_LAST, ORDER_FILLED, EFFECT_FILL_END)                                                    \
    X(FILL_OWING, ORDER_SAME, EFFECT_FILL)                                                         \
    X(FILL_DOUBT, ORDER_SAME, EFFECT_FILL)                                                         \
    X(CANCELLED, ORDER_CANCELLED, EFFECT_END)                                                      \
    X(CANCELLED_OWING, ORDER_SAME, EFFECT_OWE)                                                     \
    X(EXPIRED, ORDER_EXPIRED, EFFECT_END)                                                          \
    X(CANCEL_SENT, ORDER_SAME, EFFECT_NONE)                                                        \
    X(CANCEL_REJECTED, ORDER_RESTING, EFFECT_NONE)                                                 \
    X(CANCEL_TOO_LATE, ORDER_SAME, EFFECT_NONE)                                                    \
    X(MODIFIED, ORDER_RESTING, EFFECT_MODIFY)                                                      \
    X(MODIFIED_OTHER, ORDER_SAME, EFFECT_MODIFY)                                                   \
    X(MODIFY_REJECTED, ORDER_RESTING, EFFECT_REVERT)                                               \
    X(MODIFY_TOO_LATE, ORDER_SAME, EFFECT_NONE)                                                    \
    X(UNANSWERED, ORDER_SAME, EFFECT_REPEAT)                                                       \
    X(SEEN, ORDER_RESTING, EFFECT_SEEN)                                                            \
    X(NOT_FOUND, ORDER_SAME, EFFECT_NONE)                                                          \
    X(GONE, ORDER_CANCELLED, EFFECT_END)                                                           \
    X(SETTLED, ORDER_FILLED, EFFECT_END)                                                           \
    X(REPEATED, ORDER_SAME, EFFECT_REPEAT)

/* FILLED, CANCELLED, REJECTED, EXPIRED. A fill after a rejection is a surprise in the venue, but a
 * trade all the same; nothing is left of an order that is over, so each is a last one. */
#define FROM_ENDED(X)                                                                              \
    X(ACCEPTED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(FILL_LAST, ORDER_SAME, EFFECT_LATE_FILL)                                                     \
    X(CANCELLED, ORDER_SAME, EFFECT_REPEAT)                                                        \
    X(EXPIRED, ORDER_SAME, EFFECT_REPEAT)                                                          \
    X(CANCEL_REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(CANCEL_TOO_LATE, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(MODIFIED, ORDER_SAME, EFFECT_REPEAT)                                                         \
    X(MODIFY_REJECTED, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(MODIFY_TOO_LATE, ORDER_SAME, EFFECT_REPEAT)                                                  \
    X(UNANSWERED, ORDER_SAME, EFFECT_REPEAT)                                                       \
    X(NOT_FOUND, ORDER_SAME, EFFECT_REPEAT)

#define CELL(event, target, effect) [ORDER_EVENT_##event] = {target, effect},
#define SURPRISE                                                                                   \
    {                                                                                              \
        ORDER_SAME, EFFECT_SURPRISE                                                                \
    }
/* Designated rows of one state; columns that a list leaves out are zero: ORDER_NONE, EFFECT_NONE,
 * which order_transition() reads as a surprise. */
static const struct order_transition transitions[ORDER_STATE_COUNT][ORDER_EVENT_COUNT] = {
    [ORDER_PENDING_NEW] = {FROM_PENDING_NEW(CELL)},
    [ORDER_ACTIVE] = {FROM_RESTING(CELL)},
    [ORDER_PARTLY_FILLED] = {FROM_RESTING(CELL)},
    [ORDER_PENDING_CANCEL] = {FROM_PENDING_CANCEL(CELL)},
    [ORDER_PENDING_MODIFY] = {FROM_PENDING_MODIFY(CELL)},
    [ORDER_UNKNOWN] = {FROM_UNKNOWN(CELL)},
    [ORDER_FILLED] = {FROM_ENDED(CELL)},
    [ORDER_CANCELLED] = {FROM_ENDED(CELL)},
    [ORDER_REJECTED] = {FROM_ENDED(CELL)},
    [ORDER_EXPIRED] = {FROM_ENDED(CELL)},
};

struct order_transition order_transition(enum order_state state, enum order_event event)
{
    ASSERT(state < ORDER_STATE_COUNT);
    ASSERT(event < ORDER_EVENT_COUNT);
    struct order_transition transition = transitions[state][event];
    if (transition.state == ORDER_NONE)
        return (struct order_transition)SURPRISE;
    return transition;
}

bool order_transition_exists(enum order_state state, enum order_event event)
{
    ASSERT(state < ORDER_STATE_COUNT);
    ASSERT(event < ORDER_EVENT_COUNT);
    return transitions[state][event].state != ORDER_NONE;
}

const char *order_state_name(enum order_state state)
{
    static const char *const names[ORDER_STATE_COUNT] = {
#define X(name, text, is_live) [name] = text,
        ORDER_STATES(X)
#undef X
    };
    ASSERT(state < ORDER_STATE_COUNT);
    return names[state];
}

bool order_state_holds(enum order_state state, int64_t quantity, int64_t leaves, int64_t filled,
                       bool listed)
{
    if (state == ORDER_NONE)
        return !listed;
    if (order_state_is_live(state) != listed)
        return false;
    if (leaves < 0 || filled < 0 || quantity <= 0 || filled > quantity)
        return false;
    if (!order_state_is_live(state))
        return leaves == 0 && (state != ORDER_FILLED || filled == quantity);
    if (state == ORDER_PENDING_NEW || state == ORDER_ACTIVE)
        return filled == 0 && leaves == quantity;
    if (state == ORDER_PARTLY_FILLED && filled == 0)
        return false;
    return leaves > 0 && filled + leaves == quantity;
}
