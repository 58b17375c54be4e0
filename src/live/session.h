/* A live session from its first look at the venues to its last word: what `capstan live`, `capstan paper` and
 * `capstan record` share.
 *
 *   lease       of the account; another session's is waited for or refused (live)
 *   discover    a thread a venue connects and finds its instruments
 *   restart     the tape, if there is one, is recovered and folded into a fresh engine
 *   run         sequencer → tape → engine → tape → venues; by signals a shutdown begins; from time to time the tape
 *               ends and the next begins
 *   end         venues disconnect, the tape is finished
 *
 * Exit: see session_run. */
#ifndef CAPSTAN_LIVE_SESSION_H
#define CAPSTAN_LIVE_SESSION_H

#include "base/log.h"
#include "config/config.h"

enum session_mode {
    SESSION_LIVE,  /* orders go to the venues */
    SESSION_PAPER, /* live market data, orders at the simulated venue */
    SESSION_RECORD /* market data only, no engine */
};

struct session_options {
    enum session_mode mode;
    const struct config *config;
    const char *tape; /* the first of its chain: the newest is gone on with (run/rotation.h) */
    /* A projection to SQLite that follows the tape; NULL: none. Not where there is no engine. */
    const char *database;
    const char *raw; /* file for the venues' frames as they came; NULL: none */
    const struct log *log;
    bool
        stands_by; /* wait while another session has the account's lease (live/lease.h), instead of refusing */
    int64_t run_for_ns; /* end by itself after so long, as by SIGTERM; TIME_NEVER: by signal only */
};

/* How it ended. */
struct session_result {
    uint64_t messages, events, decisions, fills;
    uint64_t open_orders; /* not known to have ended */
    uint64_t violations;  /* of invariants */
    bool forced;          /* the shutdown ended by force */
    uint64_t epoch;
};

/* Run one session. SIGTERM and SIGINT begin its shutdown, a second one forces it. 0 where it ended in order;
 * ERROR_INPUT for settings, credentials or a tape that can't be used; ERROR_SYSTEM where a venue can't be
 * reached at the start, the tape can't be written, or the shutdown ended by force. */
int session_run(const struct session_options *options, struct session_result *result,
                struct error *error);

#endif
