/* Safety sync: what the venue says of our account against what we know (trading-semantics 28).
 *
 * A snapshot is rows (balance, venue_position, venue_entry, open_order) and then snapshot_end. Rows change nothing: they
 * are kept beside what they are about, and judged when the end comes. Its `taken` is the ts_local at which
 * its request was sent: what happened at the venue before that is in it, so what we heard of since is newer
 * and is never overridden. A balance that comes while no snapshot is awaited is news and counts at once. Where a fill
 * fell within the reading, so that balances may be those of before it or of after, the account is asked for anew. */
#ifndef CAPSTAN_ENGINE_SYNC_H
#define CAPSTAN_ENGINE_SYNC_H

#include "config/settings.h"
#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* Rule 28: an order that only the venue knows is left alone for so long; then between two cancels of it. */
#define SYNC_GRACE_NS (5 * INT64_C(1000000000))
/* Rule 28: a position is compared no sooner after its last fill. */
#define SYNC_SETTLED_NS (2 * INT64_C(1000000000))
/* While a shutdown goes on: between two requests for the account; and after a cancel of an order without our
 * id, whose end no answer tells. */
#define SYNC_CLOSING_NS (5 * INT64_C(1000000000))
#define SYNC_CONFIRM_NS (1 * INT64_C(1000000000))
/* Leaves of an order that the venue names without a usable number: it may fill anything (B14). */
#define SYNC_LEAVES_UNKNOWN INT64_MAX
/* Snapshots that must differ before it is drift. */
enum { SYNC_DRIFT_SNAPSHOTS = 2 };
/* So many of them wait longer than any interval: 2^17 s are more than a day. */
enum { SYNC_ANEW_MAX = 18 };

/* Of one venue. */
struct sync {
    int64_t requested; /* when the snapshot that is awaited was asked for; TIME_NEVER: none is */
    int64_t next;      /* when one is asked for again; TIME_NEVER */
    int64_t regular;   /* while `hurried`: when it would have been */
    int64_t trusted;   /* `taken` of the newest that was trusted; INT64_MIN: none was */
    int64_t started;   /* of this session */
    int64_t full_ts;   /* when orphans last were more than there is room for; INT64_MIN: never */
    int64_t awaited;   /* a shutdown waits for one taken then or later; INT64_MIN: it does not */
    /* Venue time. Balances that are as of an asking may have a fill made within it, or not; until INT64_MIN: there
     * is no doubt. */
    int64_t doubt_from, doubt_until;
    int64_t interval, age, limit; /* settings; 0: off */
    uint32_t generation;          /* of the snapshot whose rows come now, from 1 */
    uint8_t anew;                 /* asked for anew so often since one was asked for in its time */
    bool hurried;                 /* `next` is of such a one */
    bool overflow;                /* it has more orders that we don't know than there is room for */
    bool exclusive;               /* the account is ours alone */
};

/* Of one instrument. */
struct sync_instrument {
    int64_t orphan_leaves[2]; /* sums by side */
    int64_t fill_ts;          /* of the last fill; INT64_MIN: none */
    int64_t venue_position;   /* quantity units, as the snapshot `told` has it */
    int64_t at;               /* venue time of it; 0: not known */
    int64_t entry; /* price at which it was entered on average, as the snapshot `priced` has it */
    uint32_t told, priced;
    uint32_t
        compared; /* the newest snapshot whose position was compared with ours; 0: a fill came since */
    uint8_t differing; /* snapshots in a row that disagree, up to SYNC_DRIFT_SNAPSHOTS */
};

/* An order that only the venue knows. Without our id it has order id 0 and is known by the venue's. */
struct orphan {
    order_id id;
    struct venue_id venue_order;
    int64_t leaves;    /* SYNC_LEAVES_UNKNOWN: never told in a usable number */
    int64_t seen_ts;   /* when it was first judged to be one */
    int64_t event_ts;  /* when something last told of it */
    int64_t due;       /* next cancel; TIME_NEVER: none, its end is expected */
    int64_t price;     /* as the venue last told in a usable number; 0: never */
    bool priced;       /* that is where it rests: its row told so. A fill tells less */
    bool shown_priced; /* of the snapshot `shown` */
    int64_t shown_price, shown_leaves; /* of the snapshot `shown`, or as they were */
    uint32_t shown;
    uint16_t instrument;
    uint8_t side;
    bool judged; /* else only a row of a snapshot that has not ended */
    bool asked;  /* its cancel left since the shutdown began */
};

struct orphans {
    struct orphan *list;
    uint32_t count, capacity;
};

/* Settings of a venue. */
void sync_init(struct sync *sync, const struct settings_venue *settings);
/* A session begins: its timers. */
void sync_start(struct engine *engine);
/* Session records of an account snapshot: balance, venue_position, open_order, snapshot_end. */
void sync_take(struct engine *engine, const struct message *message);
/* An answer about an order that the table does not know; true if it was one of the orphans. */
bool sync_take_orphan_answer(struct engine *engine, const struct message *message);
/* A fill of such an order, with a usable price, that was not told before. */
void sync_take_orphan_fill(struct engine *engine, const struct event_order_filled *fill);
/* A fill of whatever order moved the instrument's position; `made`: its venue time, INT64_MAX where that is not known. */
void sync_filled(struct engine *engine, unsigned instrument, int64_t made);
void sync_take_request(struct engine *engine, const struct event_request_snapshot *request,
                       int64_t now);
void sync_take_cancel_orphan(struct engine *engine, const struct event_cancel_orphan *cancel,
                             int64_t now);
/* The newest account of the instrument's venue was compared with its position, and nothing filled since. */
bool sync_has_compared(const struct engine *engine, unsigned instrument);
/* The price at which the venue's position was entered on average, as its newest account has it; 0: not told. */
int64_t sync_entry_price(const struct engine *engine, unsigned instrument);
/* The venue's own time of its position, as its newest account has it; 0: not known. */
int64_t sync_position_time(const struct engine *engine, unsigned instrument);
/* An operator took over the position: drift is over. */
void sync_agree(struct engine *engine, unsigned instrument);
/* Ask the venue for its snapshot now, or as soon as the venue's breaker lets it through. */
void sync_request(struct engine *engine, unsigned venue);
void sync_ask_soon(struct engine *engine, unsigned venue);
/* At that time, before it is due by itself (anew.h). */
void sync_ask_anew(struct engine *engine, unsigned venue, int64_t at);
/* Its stream of our orders is lost: at once, and then more often than safety.sync_interval says; never where that
 * is 0. */
void sync_ask_often(struct engine *engine, unsigned venue);
/* When a venue has something due, and doing it. */
int64_t sync_deadline(const struct engine *engine);
void sync_due(struct engine *engine);
/* Quantity that orders which only the venue knows may still fill on a side: part of exposure. */
int64_t sync_orphan_leaves(const struct engine *engine, unsigned instrument, enum side side);
/* A shutdown begins: orphans that are ours to cancel are due at once, and where accounts are asked for at
 * all the venue is asked once more, for what it holds and we don't know. */
void sync_shut_down(struct engine *engine);
/* Orphans that are ours to cancel and are not known to have ended. */
uint32_t sync_open_orphans(const struct engine *engine);
/* Each of them was asked to go since the shutdown began. */
bool sync_all_asked(const struct engine *engine);
/* No venue's account is awaited any more since the shutdown began. */
bool sync_all_told(const struct engine *engine);
/* An alarm for each venue whose account is. */
void sync_tell_awaited(struct engine *engine);
/* A decision for each of sync_open_orphans. */
void sync_tell_unconfirmed(struct engine *engine);
/* What a restart leaves of it: nothing is known to be reconciled. */
void sync_reset(struct engine *engine);
void sync_walk(struct walker *walker, const struct engine *engine);

#endif
