/* The databases of a session: each tape of a chain has one of its own, numbered as the tape is. */
#ifndef CAPSTAN_LIVE_SESSION_DATABASES_H
#define CAPSTAN_LIVE_SESSION_DATABASES_H

#include "base/error.h"
#include "ops/ops.h"

struct session;

/* At a start: that of the tape which is open, where there is to be one; one that a death left unfinished as its tape
 * rotated is told. ERROR_INPUT where database.required asks for one that
 * --db does not name, and as session_store_open. */
int session_databases_open(struct session *session, struct error *error);
/* The tape is another: the database of the one before gets its last word by its own thread, which is not waited for, as
 * orders rest meanwhile; the next is opened. The loop's sinks are to be wired anew. Only where database.required is set is it an
 * error that this can't be. */
int session_databases_rotate(struct session *session, struct error *error);
/* The loop has ended: write the rest, in 3 s, a second more for a thread that hangs. */
void session_databases_close(struct session *session);
/* For the ops server, any thread. */
enum ops_check session_databases_check(const struct session *session);

#endif
