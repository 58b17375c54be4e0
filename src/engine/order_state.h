/* The order state machine: which states an order has, what can happen to it, and what then follows. */
#ifndef CAPSTAN_ENGINE_ORDER_STATE_H
#define CAPSTAN_ENGINE_ORDER_STATE_H

#include "base/integer.h"

/* X(name, text, live): live orders may still fill, and count in exposure. */
#define ORDER_STATES(X)                                                                            \
    X(ORDER_NONE, "none", false)                                                                   \
    X(ORDER_PENDING_NEW, "pending_new", true)                                                      \
    X(ORDER_ACTIVE, "active", true)                                                                \
    X(ORDER_PARTLY_FILLED, "partly_filled", true)                                                  \
    X(ORDER_PENDING_CANCEL, "pending_cancel", true)                                                \
    X(ORDER_PENDING_MODIFY, "pending_modify", true)                                                \
    X(ORDER_UNKNOWN, "unknown", true)                                                              \
    X(ORDER_FILLED, "filled", false)                                                               \
    X(ORDER_CANCELLED, "cancelled", false)                                                         \
    X(ORDER_REJECTED, "rejected", false)                                                           \
    X(ORDER_EXPIRED, "expired", false)

enum order_state {
#define X(name, text, live) name,
    ORDER_STATES(X)
#undef X
        ORDER_STATE_COUNT,
    /* Only as a target in the transition table: active or partly filled, by what has filled. */
    ORDER_RESTING = ORDER_STATE_COUNT,
    ORDER_SAME /* no change of state */
};

/* X(name, meaning) */
#define ORDER_EVENTS(X)                                                                            \
    X(ORDER_EVENT_ACCEPTED, "the venue took it")                                                   \
    X(ORDER_EVENT_REJECTED, "the venue refused it")                                                \
    X(ORDER_EVENT_FILL, "a fill that leaves something")                                            \
    X(ORDER_EVENT_FILL_LAST, "a fill that leaves nothing")                                         \
    X(ORDER_EVENT_FILL_OWING, "the venue's last fill; fills before it are still to come")          \
    X(ORDER_EVENT_FILL_DOUBT, "a fill that leaves nothing by our count, and more by the venue's")  \
    X(ORDER_EVENT_CANCELLED, "the venue ended it; every fill before that has been told")           \
    X(ORDER_EVENT_CANCELLED_OWING, "the venue ended it, and fills before that are still to come")  \
    X(ORDER_EVENT_EXPIRED, "its time ran out at the venue")                                        \
    X(ORDER_EVENT_CANCEL_SENT, "we sent a cancel")                                                 \
    X(ORDER_EVENT_CANCEL_REJECTED, "the cancel was refused; the order rests as before")            \
    X(ORDER_EVENT_CANCEL_TOO_LATE, "the cancel was refused: filled already, or not found")         \
    X(ORDER_EVENT_MODIFY_SENT, "we sent a modify")                                                 \
    X(ORDER_EVENT_MODIFIED, "the venue changed it as we asked, or tells again what is known")      \
    X(ORDER_EVENT_MODIFIED_OTHER, "the venue changed it otherwise than we asked")                  \
    X(ORDER_EVENT_MODIFY_REJECTED, "the modify was refused; the order rests as before")            \
    X(ORDER_EVENT_MODIFY_TOO_LATE, "the modify was refused: filled already, or not found")         \
    X(ORDER_EVENT_UNANSWERED, "no answer, or none that can be read")                               \
    X(ORDER_EVENT_SEEN, "an open-orders list or a query shows that it rests")                      \
    X(ORDER_EVENT_NOT_FOUND, "the venue knows no such order, but it is too early to believe")      \
    X(ORDER_EVENT_GONE, "the venue knows no such order, asked twice, fills asked for")             \
    X(ORDER_EVENT_SETTLED, "the modify that its leaves hung on was refused: nothing is left")      \
    X(ORDER_EVENT_REPEATED, "an answer that settles nothing: its request is, or the order is "     \
                            "over")

enum order_event {
#define X(name, meaning) name,
    ORDER_EVENTS(X)
#undef X
        ORDER_EVENT_COUNT
};

/* What a transition does beside changing the state. */
enum order_effect {
    EFFECT_NONE,
    EFFECT_FILL,      /* take the fill: leaves, position, money */
    EFFECT_END,       /* nothing more is expected: leave exposure and the live list */
    EFFECT_FILL_END,  /* both */
    EFFECT_LATE_FILL, /* a fill of an order that had ended: position and money only */
    EFFECT_MODIFY,    /* take the new price and leaves, or of two leaves the larger */
    EFFECT_REVERT,    /* forget the price and leaves that were asked for */
    EFFECT_OWE,       /* leaves become what the missing fills must bring */
    EFFECT_SEEN,      /* take price and leaves as the venue shows them */
    EFFECT_REPEAT,    /* told before: counted, ignored */
    EFFECT_SURPRISE   /* can't follow from what we know: counted, ignored */
};

struct order_transition {
    uint8_t state;  /* enum order_state, ORDER_RESTING or ORDER_SAME */
    uint8_t effect; /* enum order_effect */
};

/* What follows in `state` on `event`. */
struct order_transition order_transition(enum order_state state, enum order_event event);
/* The table has a row for it: it is no surprise. */
bool order_transition_exists(enum order_state state, enum order_event event);

static inline bool order_state_is_live(enum order_state state)
{
    unsigned live = 0;
#define X(name, text, is_live) live |= (unsigned)is_live << name;
    ORDER_STATES(X)
#undef X
    return live >> state & 1;
}

/* Live and without an unanswered request, so that a cancel or a modify may go out. */
static inline bool order_state_is_resting(enum order_state state)
{
    return state == ORDER_ACTIVE || state == ORDER_PARTLY_FILLED;
}

const char *order_state_name(enum order_state state);

/* The invariant: what must hold of an order's figures in `state`. leaves and filled in quantity
 * units; `listed`: it stands in its instrument's live list. */
bool order_state_holds(enum order_state state, int64_t quantity, int64_t leaves, int64_t filled,
                       bool listed);

#endif
