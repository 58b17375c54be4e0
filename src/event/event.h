/* Messages: the one unit of what the engine learns and wants, in memory, as canonical bytes and as
 * canonical text. The kinds and their fields are the tables of event/kinds.h. */
#ifndef CAPSTAN_EVENT_EVENT_H
#define CAPSTAN_EVENT_EVENT_H

#include "base/decimal.h"
#include "base/money.h"
#include "event/kinds.h"

enum {
    EVENT_VENUE_ID_MAX = 40, /* bytes of a venue's order or trade id; carried, never interpreted */
    EVENT_TEXT_MAX = 64,     /* bytes of source text kept with a number that has no value */
    EVENT_ROWS_MAX = 256 * 1024, /* rows in one message */
    EVENT_INSTRUMENTS_MAX = 1024,
    EVENT_VENUES_MAX = 64,
    EVENT_ASSETS_MAX = 1024,
    EVENT_NONE_16 = 0xffff, /* no instrument, asset or stream */
    EVENT_NONE_8 = 0xff     /* no venue */
};

/* The highest usable price, and the largest usable tick: what is above is no market's in its unit, and four
 * times it fits. */
#define EVENT_PRICE_MAX (INT64_C(1) << 60)

enum event_class { EVENT_MARKET, EVENT_SESSION, EVENT_DECISION };
enum event_shape { EVENT_ROWS, EVENT_RECORD };

enum event_kind {
#define X(name, number, class, shape, meaning) EVENT_##name = number,
    EVENT_KINDS_IN(X) EVENT_KINDS_OUT(X)
#undef X
};

#define X(name, number, text) name = number,
enum side { ENUM_SIDES(X) };
enum contract { ENUM_CONTRACTS(X) CONTRACT_COUNT };
enum fee_asset { ENUM_FEE_ASSETS(X) FEE_ASSET_COUNT };
enum basis { ENUM_BASES(X) BASIS_COUNT };
enum trading { ENUM_TRADING(X) TRADING_COUNT };
enum gap_cause { ENUM_GAP_CAUSES(X) GAP_CAUSE_COUNT };
enum time_in_force { ENUM_TIMES_IN_FORCE(X) TIME_IN_FORCE_COUNT };
enum liquidity { ENUM_LIQUIDITIES(X) LIQUIDITY_COUNT };
enum fill_cause { ENUM_FILL_CAUSES(X) FILL_CAUSE_COUNT };
enum cancel_cause { ENUM_CANCEL_CAUSES(X) CANCEL_CAUSE_COUNT };
enum reject { ENUM_REJECTS(X) REJECT_COUNT };
enum request { ENUM_REQUESTS(X) REQUEST_COUNT };
enum command { ENUM_COMMANDS(X) COMMAND_COUNT };
enum breaker { ENUM_BREAKERS(X) BREAKER_COUNT };
enum breaker_state { ENUM_BREAKER_STATES(X) BREAKER_STATE_COUNT };
enum removed_where { ENUM_REMOVED_WHERE(X) REMOVED_WHERE_COUNT };
enum shutdown_step { ENUM_SHUTDOWN_STEPS(X) SHUTDOWN_STEP_COUNT };
enum infrastructure_state { ENUM_INFRASTRUCTURE_STATES(X) INFRASTRUCTURE_STATE_COUNT };
enum alarm { ENUM_ALARMS(X) ALARM_COUNT };
enum gate { ENUM_GATES(X) GATE_COUNT };
enum adoption { ENUM_ADOPTIONS(X) ADOPTION_COUNT };
#undef X

/* Which list belongs to which field type. E(field type, list) */
#define EVENT_FLAGS(X) X(FLAG_NO, 0, "no") X(FLAG_YES, 1, "yes")
#define EVENT_ENUMERATIONS(E)                                                                      \
    E(FLAG, EVENT_FLAGS)                                                                           \
    E(SIDE, ENUM_SIDES)                                                                            \
    E(CONTRACT, ENUM_CONTRACTS)                                                                    \
    E(FEE_ASSET, ENUM_FEE_ASSETS)                                                                  \
    E(BASIS, ENUM_BASES)                                                                           \
    E(TRADING, ENUM_TRADING)                                                                       \
    E(GAP_CAUSE, ENUM_GAP_CAUSES)                                                                  \
    E(TIME_IN_FORCE, ENUM_TIMES_IN_FORCE)                                                          \
    E(LIQUIDITY, ENUM_LIQUIDITIES)                                                                 \
    E(FILL_CAUSE, ENUM_FILL_CAUSES)                                                                \
    E(CANCEL_CAUSE, ENUM_CANCEL_CAUSES)                                                            \
    E(REJECT, ENUM_REJECTS)                                                                        \
    E(REQUEST, ENUM_REQUESTS)                                                                      \
    E(COMMAND, ENUM_COMMANDS)                                                                      \
    E(BREAKER, ENUM_BREAKERS)                                                                      \
    E(BREAKER_STATE, ENUM_BREAKER_STATES)                                                          \
    E(REMOVED_WHERE, ENUM_REMOVED_WHERE)                                                           \
    E(SHUTDOWN_STEP, ENUM_SHUTDOWN_STEPS)                                                          \
    E(INFRASTRUCTURE_STATE, ENUM_INFRASTRUCTURE_STATES)                                            \
    E(ALARM, ENUM_ALARMS)                                                                          \
    E(GATE, ENUM_GATES)                                                                            \
    E(ADOPTION, ENUM_ADOPTIONS)

/* A venue's own id: carried, compared for equality, never interpreted. Bytes past `length` are 0. */
struct venue_id {
    uint8_t length;
    char bytes[EVENT_VENUE_ID_MAX];
};

/* Source text of at most 64 bytes. Bytes past `length` are 0. */
struct event_text {
    uint8_t length;
    char bytes[EVENT_TEXT_MAX];
};

/* A client order id: epoch in the high 32 bits, counter (from 1) in the low ones. 0 is no order.
 * Text: "#17" in epoch 0, "#2.17" in epoch 2. */
typedef uint64_t order_id;

/* T(type, C type, canonical bytes, how text reads) */
#define EVENT_FIELD_TYPES(T)                                                                       \
    T(INSTRUMENT, uint16_t, 2, "venue:symbol, or - for none")                                      \
    T(VENUE, uint8_t, 1, "venue name, or - for none")                                              \
    T(ASSET, uint16_t, 2, "asset name, or - for none")                                             \
    T(ORDER, uint64_t, 8, "#counter or #epoch.counter, or - for none")                             \
    T(COUNT, uint64_t, 8, "unsigned integer")                                                      \
    T(INTEGER, int64_t, 8, "signed integer")                                                       \
    T(UNITS, int64_t, 8, "signed integer in the instrument's unit")                                \
    T(EXPONENT, int8_t, 1, "power of ten, -18 to 18")                                              \
    T(FLAG, uint8_t, 1, "yes or no")                                                               \
    T(TIME, int64_t, 8, "RFC 3339 with nine decimals, or absent")                                  \
    T(DURATION, int64_t, 8, "signed number with its unit")                                         \
    T(PRICE, struct number, 9, "decimal in the instrument's price unit, or its status")            \
    T(QUANTITY, struct number, 9, "decimal in the instrument's quantity unit, or its status")      \
    T(MONEY, money, 16, "decimal")                                                                 \
    T(RATE, int64_t, 8, "decimal; 1e-9 a unit")                                                    \
    T(MILLITICK, int64_t, 8, "signed integer in 1/1,000 tick")                                     \
    T(GATES, uint32_t, 4, "hexadecimal bits by enum gate")                                         \
    T(VENUE_ID, struct venue_id, 41, "quoted text")                                                \
    T(TEXT, struct event_text, 65, "quoted text")                                                  \
    T(SIDE, uint8_t, 1, "buy or sell")                                                             \
    T(CONTRACT, uint8_t, 1, "enum contract")                                                       \
    T(FEE_ASSET, uint8_t, 1, "enum fee_asset")                                                     \
    T(BASIS, uint8_t, 1, "enum basis")                                                             \
    T(TRADING, uint8_t, 1, "enum trading")                                                         \
    T(GAP_CAUSE, uint8_t, 1, "enum gap_cause")                                                     \
    T(TIME_IN_FORCE, uint8_t, 1, "enum time_in_force")                                             \
    T(LIQUIDITY, uint8_t, 1, "enum liquidity")                                                     \
    T(FILL_CAUSE, uint8_t, 1, "enum fill_cause")                                                   \
    T(CANCEL_CAUSE, uint8_t, 1, "enum cancel_cause")                                               \
    T(REJECT, uint8_t, 1, "enum reject")                                                           \
    T(REQUEST, uint8_t, 1, "enum request")                                                         \
    T(COMMAND, uint8_t, 1, "enum command")                                                         \
    T(BREAKER, uint8_t, 1, "enum breaker")                                                         \
    T(BREAKER_STATE, uint8_t, 1, "enum breaker_state")                                             \
    T(REMOVED_WHERE, uint8_t, 1, "enum removed_where")                                             \
    T(SHUTDOWN_STEP, uint8_t, 1, "enum shutdown_step")                                             \
    T(INFRASTRUCTURE_STATE, uint8_t, 1, "enum infrastructure_state")                               \
    T(ALARM, uint8_t, 1, "enum alarm")                                                             \
    T(GATE, uint8_t, 1, "enum gate")                                                               \
    T(ADOPTION, uint8_t, 1, "enum adoption")

#define T(type, c_type, size, text) typedef c_type event_field_##type;
EVENT_FIELD_TYPES(T)
#undef T

/* One struct a record kind: struct event_place { uint16_t instrument; uint64_t order; … }. */
#define F(type, name) event_field_##type name;
#define EVENT_STRUCT_ROWS(name)
#define EVENT_STRUCT_RECORD(name)                                                                  \
    struct event_##name {                                                                          \
        FIELDS_##name(F)                                                                           \
    };
#define X(name, number, class, shape, meaning) EVENT_STRUCT_##shape(name)
EVENT_KINDS_IN(X)
EVENT_KINDS_OUT(X)
#undef X
#undef F

/* Any record: `u.place` is a struct event_place where the message's kind is EVENT_place. */
union event_record {
#define EVENT_MEMBER_ROWS(name)
#define EVENT_MEMBER_RECORD(name)              struct event_##name name;
#define X(name, number, class, shape, meaning) EVENT_MEMBER_##shape(name)
    EVENT_KINDS_IN(X) EVENT_KINDS_OUT(X)
#undef X
};

/* Bits of a row's flags. */
enum {
    ROW_SELL = 1,          /* ask level, ask of a top, or a trade whose aggressor sold */
    ROW_LAST = 2,          /* last row of its message; kept by tape and decoder */
    ROW_FROM_SNAPSHOT = 4, /* a snapshot's own level, not a change held before it */
    ROW_NOT_MARKET = 8     /* a trade that fills nobody (trading-semantics 7) */
};

/* One price-quantity row of a message. 24 bytes. price and quantity are 0 unless their status is
 * NUMBER_VALUE. A level's quantity is absolute, 0 removes it. */
struct row {
    int64_t price;
    int64_t quantity;
    uint8_t flags;
    uint8_t price_status;    /* enum number_status */
    uint8_t quantity_status; /* enum number_status */
    uint8_t action;          /* order-level rows only */
    uint32_t slot;           /* order-level rows only: dense order slot */
};

/* What a stream carries. Stream number = instrument x 8 + channel; EVENT_NONE_16 for messages that
 * belong to no instrument. */
enum channel {
    CHANNEL_DEPTH,
    CHANNEL_TRADE,
    CHANNEL_TOP,
    CHANNEL_ORDER_LEVEL,
    CHANNEL_REFERENCE, /* definition, status, mark, index, funding, rates, open interest */
    CHANNEL_SESSION,   /* session and decision records of an instrument */
    CHANNEL_COUNT,     /* how many have a meaning; no message bears one above */
    CHANNELS_PER_INSTRUMENT = 8
};
#define EVENT_STREAM(instrument, channel) ((uint16_t)((instrument)*8 + (channel)))
#define EVENT_STREAM_INSTRUMENT(stream)   ((uint16_t)((stream) / 8))
#define EVENT_STREAM_CHANNEL(stream)      ((stream) % 8)

/* Bits of a message's flags. */
enum {
    MESSAGE_MORE = 1,           /* the next message belongs to the same frame: no cycle before it */
    MESSAGE_VENUE_TIME = 2,     /* ts_venue is the matching engine's own */
    MESSAGE_VENUE_ESTIMATED = 4 /* ts_venue is ts_local less the feed floor */
    /* neither: ts_venue is absent and 0 */
};

/* One message. Does not own `rows`. 64 bytes and the record. */
struct message {
    int64_t ts_local;  /* ns; never goes back along a tape */
    int64_t ts_venue;  /* ns; see flags */
    uint64_t sequence; /* the venue's own: last update id, trade id; 0 where it has none */
    uint16_t stream;
    uint8_t kind;  /* enum event_kind */
    uint8_t flags; /* MESSAGE_… */
    uint32_t row_count;
    const struct row *rows;           /* ROWS kinds: row_count of them; else NULL */
    const union event_record *record; /* RECORD kinds: the fields; else NULL */
};

/* What a name table tells of a kind. */
struct event_kind_info {
    const char *name;
    const char *meaning;
    uint8_t kind;
    uint8_t event_class; /* enum event_class */
    uint8_t shape;       /* enum event_shape */
    uint8_t field_count;
    uint16_t body_bytes; /* RECORD: length of the canonical body; ROWS: 0 */
    const struct event_field_info *fields;
};

enum event_field_type {
#define T(type, c_type, size, text) FIELD_##type,
    EVENT_FIELD_TYPES(T)
#undef T
        FIELD_TYPE_COUNT
};

struct event_field_info {
    const char *name;
    uint16_t offset; /* in the kind's struct, and so in union event_record */
    uint8_t type;    /* enum event_field_type */
};

/* NULL for a number that is no kind. */
const struct event_kind_info *event_kind_info(unsigned kind);
/* NULL where no kind has that name. */
const struct event_kind_info *event_kind_by_name(const char *name, size_t length);
/* The text of an enumeration's value ("maker"); NULL where the number has none or the field type is
 * no enumeration. */
const char *event_enum_text(enum event_field_type type, unsigned value);
/* The inverse; -1 where the text names none. */
int event_enum_value(enum event_field_type type, const char *text, size_t length);
/* How a field of this type reads ("buy or sell"); NULL for a number that is no type. */
const char *event_field_type_text(enum event_field_type type);
/* Canonical bytes of a field of this type. */
size_t event_field_bytes(enum event_field_type type);
/* The channel on which messages of a kind stand where nothing says otherwise. */
enum channel event_default_channel(unsigned kind);

/* --- canonical bytes ---------------------------------------------------------------------------
 *
 * u8 kind | u8 flags | u16 stream | u32 body bytes | i64 ts_local | i64 ts_venue | u64 sequence |
 * body. All little-endian. A ROWS body is 24 bytes a row (i64 price, i64 quantity, u8 flags, u8 price
 * status, u8 quantity status, u8 action, u32 slot); a RECORD body is its fields in table order.
 * ROW_LAST stands on the last row and on no other, and a number without value is 0: message_encode
 * writes it so whatever the caller left there.
 * The tape's identity, the fingerprint and the live journal are made of these bytes. */
enum {
    EVENT_HEAD_BYTES = 32,
    EVENT_ROW_BYTES = 24,
    EVENT_RECORD_BYTES_MAX = 512 /* head and body of any RECORD message */
};

/* Bytes that message_encode will write. */
size_t message_encoded_bytes(const struct message *message);
/* Write the canonical bytes; `capacity` must hold message_encoded_bytes(). Returns the length. */
size_t message_encode(const struct message *message, uint8_t *out, size_t capacity);
/* Write a RECORD's body only (the tape's `records` part). Returns its length. */
size_t record_encode(unsigned kind, const union event_record *record, uint8_t *out);
/* Read a RECORD's body: 0, or ERROR_INPUT where the kind is unknown, the length differs from the
 * kind's, or a field holds a value outside its type. */
int record_decode(unsigned kind, const uint8_t *bytes, size_t length, union event_record *out,
                  struct error *error);
/* Read one message. `rows` (capacity `row_capacity`) and `record` receive its contents and are what
 * `out` points to. `used` gets the bytes consumed. 0, or ERROR_INPUT. */
int message_decode(const uint8_t *bytes, size_t length, struct row *rows, size_t row_capacity,
                   union event_record *record, struct message *out, size_t *used,
                   struct error *error);

/* --- canonical text ----------------------------------------------------------------------------
 *
 * One line a message, fields as name=value in table order:
 *   <ts_local> <kind> <instrument|-> [sequence=N] [venue_time=T|venue_time=estimated:T] [more] fields…
 * and for ROWS a list: bid 100.0*0.050 ask 100.5*0.040, aggressor words buy/sell for trades.
 * Numbers without value read as their status (nan, absent …). Text reads back to the same message.
 */

/* Names and units that text needs. One for a tape; the engine never sees it. */
struct event_names {
    unsigned venue_count, asset_count, instrument_count;
    const char *const *venues;  /* "binance_spot" */
    const char *const *assets;  /* "USDT" */
    const char *const *symbols; /* the venue's symbol of each instrument, "BTCUSDT" */
    const struct event_definition *definitions; /* by instrument; units never change */
};

/* Whether an instrument can become what `next` says: tick, lot, fees and minimum notional may change, to a
 * tick and a lot above zero; units, contract, multiplier, venue and assets never do (ARCHITECTURE.md). */
static inline bool event_definition_may_follow(const struct event_definition *first,
                                               const struct event_definition *next)
{
    return next->instrument == first->instrument && next->venue == first->venue &&
           next->contract == first->contract && next->base == first->base &&
           next->quote == first->quote && next->settle == first->settle &&
           next->price_exponent == first->price_exponent &&
           next->quantity_exponent == first->quantity_exponent &&
           next->multiplier == first->multiplier &&
           next->multiplier_exponent == first->multiplier_exponent && next->tick > 0 &&
           next->tick <= EVENT_PRICE_MAX && next->lot > 0;
}

/* Longest name of a venue, an asset or a symbol, and of an instrument: venue, colon, symbol. */
enum { EVENT_NAME_MAX = 40, EVENT_INSTRUMENT_NAME_MAX = 96 };
/* Whether text can be a venue's, an asset's or a symbol's name: 1 to 40 bytes of printable UTF-8
 * without space, quote, backslash and =, not beginning with ? and not just -. (A venue's name has no
 * colon besides, so that an instrument's name can be taken apart.) */
bool event_name_is_valid(const char *text, size_t length);
size_t event_instrument_name(const struct event_names *names, unsigned instrument,
                             char out[EVENT_INSTRUMENT_NAME_MAX]);
/* The instrument of that name, or -1. */
int event_instrument_by_name(const struct event_names *names, const char *text, size_t length);

/* Text of a message, without line end, into `out` of `capacity`. Returns the length that the whole
 * text has (as snprintf does). */
size_t message_to_text(const struct message *message, const struct event_names *names, char *out,
                       size_t capacity);
/* Text of one field of a RECORD message, as it stands behind its name there; the same about length. */
size_t event_field_to_text(const struct message *message, const struct event_names *names,
                           unsigned field_index, char *out, size_t capacity);
/* The instrument of a message: its stream's, else its record's; EVENT_NONE_16. */
uint16_t message_instrument(const struct message *message);
/* Read one line. As message_decode; the error names the column and what was expected. */
int message_from_text(const char *text, size_t length, const struct event_names *names,
                      struct row *rows, size_t row_capacity, union event_record *record,
                      struct message *out, struct error *error);

#endif
