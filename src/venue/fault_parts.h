/* What the parts of a venue behind a bad connection share (venue/fault.h): its state, and what each may ask of the others. */
#ifndef CAPSTAN_VENUE_FAULT_PARTS_H
#define CAPSTAN_VENUE_FAULT_PARTS_H

#include "base/random.h"
#include "venue/fault.h"
#include "venue/sim/queue.h"

enum {
    WAITING_MAX = 8192,    /* answers on their way */
    LOST_MAX = 2048,       /* facts that were not told; with more nothing more is lost */
    RECENT_MAX = 16,       /* orders that may end by themselves */
    LATE_MAX = 64,         /* requests on their way; with more none is late */
    UNASKED_MAX = 1024,    /* far more than have answers on their way at one time */
    STALE_MAX = 64,        /* answers that may come again */
    LATENCY_NS = 20000000, /* of an answer that is made here, at most */
};

/* When the engine may believe that an order is not there (trading-semantics 28): a request that is late comes before, and
 * so does the last query that is answered by an untrue "not found". */
#define BELIEF_NS (5 * NS_PER_SECOND)

/* An answer that waits, or that was lost. */
struct kept {
    struct message message;
    union event_record record;
    bool again; /* told before, or still to be told beside this */
    bool own;   /* a refusal that was made here */
};

/* An order that was sent to the venue behind. */
struct recent {
    order_id order;
    uint16_t instrument;
    bool cancelled; /* by us: its end is not the venue's doing */
    int64_t sent;
};

/* A request on its way to the venue behind, or the end of an order that was refused falsely. */
struct late {
    int64_t sent, due;
    bool ends; /* the order of the cancel, which is the venue's own */
    struct message message;
    union event_record record;
};

/* The connection to one venue. */
struct connection {
    struct random chance; /* of its outages alone */
    int64_t floor;        /* no answer comes before this */
    int64_t banned_until;
    int64_t down_from, down_until;     /* the last outage, or the one to come */
    struct random stream_chance;       /* of the stream of our orders alone */
    int64_t stream_from, stream_until; /* likewise: while it is broken */
};

struct fault {
    struct venue venue; /* first: the pointer that callers hold */
    uint32_t magic;
    struct venue *inner;
    struct fault_options options;
    struct random chance;
    struct sim_queue queue; /* of slots of `waiting`, by time */
    struct sim_slots slots;
    struct kept *waiting, *sifted, *lost; /* sifted: room for those that wait */
    size_t lost_count;
    uint32_t given; /* slot that the caller looks at, or UINT32_MAX */
    struct recent recent[RECENT_MAX];
    uint64_t recent_count;
    order_id ending;     /* the order whose cancel we sent ourselves; 0: none */
    bool ending_refused; /* that order was refused falsely */
    order_id filled;     /* it was filled in part just now and ends next; 0: any of `recent` */
    struct late late[LATE_MAX]; /* in no order */
    size_t late_count;
    order_id unasked[UNASKED_MAX]; /* orders that nobody will ask for: the newest */
    uint64_t unasked_count;
    struct kept stale[STALE_MAX]; /* the newest refusals and changes that were told */
    uint64_t stale_count;
    int64_t next_end;
    bool started;
    struct connection connections[EVENT_VENUES_MAX];
    uint64_t counts[FAULT_KIND_COUNT];
    struct kept nothing; /* an answer that finds no room */
};

/* --- fault.c ----------------------------------------------------------------------------------- */

/* The decorator that a venue is; it must be one. */
struct fault *fault_of(const struct venue *venue);
/* By chance, and counted. */
bool fault_happens(struct fault *fault, enum fault_kind kind);
/* When the next of what happens by itself does; TIME_NEVER: never. */
int64_t fault_next_time(struct fault *fault, struct random *chance, enum fault_kind kind,
                        int64_t now);
/* 1 to `longest` ns. */
int64_t fault_draw_duration(struct random *chance, int64_t longest);
/* A copy of an answer is told at `due`. Never NULL: one that finds no room is lost. */
struct kept *fault_queue_copy(struct fault *fault, const struct message *message, int64_t due);
/* An answer that is made here, told soon after `now`; its record is zeroed. */
union event_record *fault_answer_own(struct fault *fault, unsigned venue, enum event_kind kind,
                                     unsigned instrument, int64_t now);

/* --- fault_requests.c -------------------------------------------------------------------------- */

struct asked;

/* What became of a request is not known, and that is told. */
void fault_answer_unknown(struct fault *fault, const struct asked *request, int64_t now);
/* Whether requests and answers of that venue are lost now. */
bool fault_is_down(struct fault *fault, unsigned venue, int64_t now);
/* Nobody will ask for that order. */
void fault_note_unasked(struct fault *fault, order_id order);
/* An answer that was told just now may be told again with the order's next request. */
void fault_note_stale(struct fault *fault, const struct kept *kept);
/* What the order's last request came to is told again, as if it were what another has come to. */
void fault_tell_stale(struct fault *fault, order_id order, int64_t now);
/* `submit` of the venue. */
int fault_submit(struct venue *venue, const struct message *decision, struct error *error);

/* --- fault_answers.c --------------------------------------------------------------------------- */

/* What was refused here comes again as an answer of the venue does. */
void fault_echo_own(struct fault *fault, const struct kept *kept);
/* Keep a fact that was not told. False where there is no room: then it must be told. */
bool fault_lose(struct fault *fault, const struct message *answer);
/* The order was asked for: what was lost of it comes first, in its own order. */
void fault_find_again(struct fault *fault, order_id order, int64_t due);
/* The answer to a cancel that we sent ourselves: the venue's own doing. True where nothing is said. */
bool fault_ends_itself(struct fault *fault, struct kept *answer);
/* An answer of the venue behind. */
void fault_take_answer(struct fault *fault, const struct message *message);

#endif
