/* Orders that a session could not end, named in a file beside its tape: "TAPE.unconfirmed", one JSON object a line.
 *
 *   {"venue":…,"instrument":…,"order":"#3.17","client_order":"mm1-3-17","venue_order":…,"side":…,"price":…,"leaves":…}
 *
 * It is there while the last session of the tape that had an engine may have left orders. */
#ifndef CAPSTAN_LIVE_UNCONFIRMED_H
#define CAPSTAN_LIVE_UNCONFIRMED_H

#include "base/log.h"
#include "live/open_orders.h"

struct unconfirmed;

/* What it is given is copied: the file can be written when all else is being closed. `session`: live.session. */
int unconfirmed_open(struct unconfirmed **unconfirmed, const char *tape, const char *session,
                     const struct event_names *names, struct error *error);
void unconfirmed_close(struct unconfirmed **unconfirmed);
const char *unconfirmed_path(const struct unconfirmed *unconfirmed);
/* Lines in the file that is there; 0: none. */
uint64_t unconfirmed_left(const struct unconfirmed *unconfirmed);
/* An order's line without its end, to be freed; NULL: no memory. */
char *unconfirmed_line(const struct unconfirmed *unconfirmed, const struct open_order *order);
/* A line an order into the log, as an error of `target`, with that text as its field `order`. Any thread. */
void unconfirmed_log(const struct unconfirmed *unconfirmed, const struct log *log,
                     const char *target, int64_t time_ns, const struct open_order *orders,
                     size_t count);
/* Write the file anew, on the disk when this returns; no order: remove it. Any thread, one at a time. */
int unconfirmed_write(const struct unconfirmed *unconfirmed, const struct open_order *orders,
                      size_t count, struct error *error);

#endif
