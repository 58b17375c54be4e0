/* What adapters are made of besides their venue's protocol. Whoever writes an adapter for another venue
 * begins here:
 *
 *   adapter_settings_copy   own copies of the settings, checked
 *   adapter_names           which instrument is meant, by symbol or by number; numbers of assets
 *   adapter_out             what the engine is told: records and rows, one frame a call, MESSAGE_MORE set
 *   adapter_requests        what was asked, by the tag that comes back with the answer
 *   adapter_backoff         how long to wait after the n-th failure in a row
 *   adapter_decimal         units as the decimal text that goes into a request
 *   json.h                  members of answers, read strictly
 *   adapter_order_name, adapter_order_of (adapter.h)   client order ids, both ways
 *
 * Every callback of adapter.h does what it says, telling as it goes, and ends with adapter_out_end(): what one
 * callback tells is one frame. binance_us.c shows it whole. Tests drive an adapter as its host would; see
 * tests/unit/binance_us_bench.h. Nothing here does I/O. */
#ifndef CAPSTAN_VENUE_LIVE_ADAPTER_PARTS_H
#define CAPSTAN_VENUE_LIVE_ADAPTER_PARTS_H

#include "base/random.h"
#include "venue/live/adapter.h"

/* The kinds there are. */
extern const struct adapter_kind binance_us_kind, coinbase_kind, oanda_kind;

/* --- settings -------------------------------------------------------------------------------------- */

/* Check and copy: at least one symbol, each a name, none twice; session 1 to 8 of [a-z0-9] where there are
 * credentials; times above 0; URLs with a scheme and no longer than half of ADAPTER_URL_MAX, without the
 * slash at their end. ERROR_INPUT names the setting. Free it also after an error. */
int adapter_settings_copy(struct adapter_settings *copy, const struct adapter_settings *settings,
                          struct error *error);
void adapter_settings_free(struct adapter_settings *copy);

/* --- names ----------------------------------------------------------------------------------------- */

enum { ADAPTER_NO_PLACE = 0xffff };

/* Finds instruments by the venue's symbol, and by the tape's number once those are known. A *place* is an index
 * into `found` and into the settings' symbols. */
struct adapter_names {
    const char *const *symbols; /* the settings' */
    uint16_t *sorted;           /* places by symbol */
    size_t count;
    const struct adapter_numbers *numbers; /* NULL before begin() */
    uint16_t *places;                      /* by the tape's number */
};

/* ERROR_SYSTEM without memory. The settings must outlive it. */
int adapter_names_init(struct adapter_names *names, const struct adapter_settings *settings,
                       struct error *error);
void adapter_names_free(struct adapter_names *names);
/* ERROR_SYSTEM without memory. */
int adapter_names_begin(struct adapter_names *names, const struct adapter_numbers *numbers,
                        struct error *error);
/* ADAPTER_NO_PLACE where it is none of ours. */
uint16_t adapter_place_of_symbol(const struct adapter_names *names, const char *symbol);
uint16_t adapter_place_of_number(const struct adapter_names *names, unsigned instrument);
/* The tape's number and definition of a place; after begin(). */
uint16_t adapter_number(const struct adapter_names *names, uint16_t place);
const struct event_definition *adapter_definition(const struct adapter_names *names,
                                                  uint16_t place);
/* The tape's number of an asset; EVENT_NONE_16 where it has none of that name. */
uint16_t adapter_asset(const struct adapter_names *names, const char *asset);

/* --- what the engine is told ------------------------------------------------------------------------ */

enum { ADAPTER_HIDDEN_MAX = 4 };

/* When something happened at the venue. */
struct adapter_when {
    int64_t ns;
    uint8_t flags; /* MESSAGE_VENUE_TIME, MESSAGE_VENUE_ESTIMATED, or 0: not known */
};

/* One message is held back, so that all but a frame's last can bear MESSAGE_MORE. A market message and a
 * session message never share a frame: a host may drop market data when it must, and no answers. */
struct adapter_out {
    struct adapter_port port;
    struct message held;
    union event_record record;
    bool holds;
    const char *hidden[ADAPTER_HIDDEN_MAX]; /* what no log line may have; NULL and "": nothing */
};

/* Key and secret of `credentials` (NULL: none) are hidden; they must outlive it. */
void adapter_out_init(struct adapter_out *out, const struct adapter_port *port,
                      const struct credentials *credentials);
/* The record of a new message of the frame, zeroed, to be filled before the next call. */
union event_record *adapter_tell(struct adapter_out *out, enum event_kind kind, uint16_t stream,
                                 struct adapter_when when);
/* A message of rows, which must stay where they are until the frame ends. */
void adapter_tell_rows(struct adapter_out *out, enum event_kind kind, uint16_t stream,
                       uint64_t sequence, struct adapter_when when, const struct row *rows,
                       size_t row_count);
/* The sequence number of the message told last. */
void adapter_tell_sequence(struct adapter_out *out, uint64_t sequence);
/* The frame ends: what is held goes out. */
void adapter_out_end(struct adapter_out *out);
/* Where that is news: whether the private stream stands. Before it did for the first time it has 5 s. */
void adapter_tell_stream(struct adapter_out *out, struct adapter *adapter,
                         const struct adapter_numbers *numbers, int64_t now);
/* From now on this text is blotted out of log lines, should a venue say it: keys, secrets, names of private
 * streams. It must outlive the adapter; it may change. */
void adapter_hide(struct adapter_out *out, const char *text);
/* A log line; longer ones are cut. Nothing secret: no URL of a request. */
void adapter_log(struct adapter_out *out, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum { ADAPTER_NO_ANSWER_MAX = 384 };
/* Why an answer tells nothing: the net's words for none (NULL: there was one), else its status. */
void adapter_no_answer(const char *failure, long status, char out[ADAPTER_NO_ANSWER_MAX]);

/* --- back-off --------------------------------------------------------------------------------------- */

/* Failures in a row of one thing. */
struct adapter_backoff {
    int64_t least_ns, most_ns;
    unsigned failures;
};

/* One more failure: how long to wait. Doubles from `least_ns` up to `most_ns`; of that between a half and the
 * whole, by chance, so that many clients don't come back together. */
int64_t adapter_backoff_wait(struct adapter_backoff *backoff, struct random *random);

/* --- requests under way ------------------------------------------------------------------------------ */

enum { ADAPTER_REQUESTS_MAX = 1024 };

/* What was asked. `kind` and `note` mean what the adapter likes. */
struct adapter_asked {
    uint64_t tag;
    int64_t sent_ns; /* session's clock */
    order_id order, replaces;
    uint32_t note;
    uint16_t place;
    uint8_t kind;
};

struct adapter_requests {
    struct adapter_asked list[ADAPTER_REQUESTS_MAX];
    size_t count;
    uint64_t last_tag;
};

/* Note a request; gives its tag, or 0 where there are too many: nothing is to be sent then. */
uint64_t adapter_requests_add(struct adapter_requests *requests, const struct adapter_asked *asked);
/* The request of an answer, which is then no longer under way; false for a tag that is not known. */
bool adapter_requests_take(struct adapter_requests *requests, uint64_t tag,
                           struct adapter_asked *asked);
/* How many of a kind are under way, and one of a kind about an order (either of its two), or NULL. */
size_t adapter_requests_of(const struct adapter_requests *requests, unsigned kind);
const struct adapter_asked *adapter_requests_about(const struct adapter_requests *requests,
                                                   unsigned kind, order_id order);

/* --- trades that were told ---------------------------------------------------------------------------- */

/* Start from zero; free the list at the end. */
struct adapter_told {
    struct adapter_trade *list;
    size_t count, capacity;
};

/* Note a trade. False where it was noted before, or without memory. */
bool adapter_told_note(struct adapter_told *told, order_id order, const struct venue_id *trade);

/* --- numbers ---------------------------------------------------------------------------------------- */

/* units x 10^exponent as plain decimal text without zeros that say nothing: "0.5", "120". Returns the length. */
size_t adapter_decimal(int64_t units, int exponent, char out[DECIMAL_TEXT_MAX]);
/* A number of a venue, as the text of an event's id. */
struct venue_id adapter_venue_id(uint64_t number);

/* --- states ------------------------------------------------------------------------------------------ */

/* The adapter is of no use: ADAPTER_FAILED with one line that says which venue and why, without what is hidden. */
void adapter_fail(struct adapter *adapter, const struct adapter_out *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same where settings or keys are what is wrong: nobody need try again. */
void adapter_refuse(struct adapter *adapter, const struct adapter_out *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
