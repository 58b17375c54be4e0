/* The breakers around the requests to each venue and around the database (trading-semantics 29).
 *
 *   closed ──N failures in a row──► open ──timeout──► half-open ──success of the trial──► closed
 *                                    ▲                    │
 *                                    └──failure of it─────┘
 *
 * A failure is a request without an answer, by transport, time or the venue's own fault (5xx): the records
 * order_unknown and breaker_input, a query of ours that had to be sent because nothing came, a snapshot that
 * did not come. What the venue refuses (4xx, 429) it has answered. Places and modifies wait for closed. While
 * it is open cancels and queries pass, paced, and how they end changes nothing; half-open the next of them is
 * the trial, and the others wait for its end.
 *
 * The database is the part INFRASTRUCTURE_DATABASE, in records venue=-. Each of its calls ends as one breaker_input;
 * who makes them obeys the state (live/session_store.h): none while it is open, one when it becomes half-open. It holds
 * orders back only where database.required says so, and begins closed at each start. */
#ifndef CAPSTAN_ENGINE_INFRASTRUCTURE_H
#define CAPSTAN_ENGINE_INFRASTRUCTURE_H

#include "config/settings.h"
#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* A trial without an answer has failed after so long. */
#define INFRASTRUCTURE_TRIAL_NS (5 * INT64_C(1000000000))

/* The part that is the database, where a function takes a venue. */
#define INFRASTRUCTURE_DATABASE EVENT_NONE_8

/* Of one venue, part of the carry; or of the database. */
struct infrastructure {
    uint8_t state;     /* enum infrastructure_state */
    uint64_t failures; /* in a row */
    int64_t since;     /* in this state; valid unless closed from the start */
    int64_t
        failed; /* when something last failed since the start; INT64_MIN: nothing did. No part of the carry */
    int64_t passed;     /* open: when a cancel or query last passed; INT64_MIN: none did */
    int64_t trial;      /* half-open: when the trial left; TIME_NEVER: none did */
    uint64_t threshold; /* settings; 0: it never opens */
    int64_t timeout, pace;
};

/* Settings of a venue. */
void infrastructure_init(struct infrastructure *infrastructure,
                         const struct settings_venue *settings);
/* Settings of the database. */
void infrastructure_init_database(struct infrastructure *infrastructure,
                                  const struct settings_global *settings);
/* An engine starts: the database is opened anew, whatever became of it before, and nothing has failed yet. */
void infrastructure_start(struct engine *engine);
/* A request to the venue was answered, by whatever answer; or failed: transport, timeout, 5xx. */
void infrastructure_succeeded(struct engine *engine, unsigned venue);
void infrastructure_failed(struct engine *engine, unsigned venue);
/* A cancel or a query left. */
void infrastructure_sent(struct engine *engine, unsigned venue, int64_t now);
/* Places and modifies wait: for the database, all of them. */
bool infrastructure_database_blocks(const struct engine *engine);
/* Places and modifies wait. */
bool infrastructure_blocks(const struct engine *engine, unsigned venue);
/* A cancel or a query may leave now (they are paced while it is open). */
bool infrastructure_lets_through(const struct engine *engine, unsigned venue);
/* Before when none may leave; INT64_MIN where one may now. It may be the present time where the breaker is
 * about to change. */
int64_t infrastructure_next(const struct engine *engine, unsigned venue);
/* A decision of this engine or of the tape. */
void infrastructure_take(struct engine *engine, const struct event_infrastructure *infrastructure);
int64_t infrastructure_deadline(const struct engine *engine);
void infrastructure_due(struct engine *engine);
void infrastructure_walk(struct walker *walker, const struct engine *engine);
/* The database's, and times of failures: no part of the carry. */
void infrastructure_walk_cold(struct walker *walker, const struct engine *engine);

#endif
