/* A block's payload: messages and rows as columns, and back (docs/tape-format.md). One encoder and one
 * decoder, both with all their memory taken at the beginning. */
#ifndef CAPSTAN_TAPE_PAYLOAD_H
#define CAPSTAN_TAPE_PAYLOAD_H

#include "base/time.h"
#include "tape/tape.h"

enum {
    TAPE_PAYLOAD_PREFIX_BYTES = 80,
    TAPE_PAYLOAD_HEAD_BYTES = 8,
    TAPE_PAYLOAD_STATUS_BYTES = 6,
    TAPE_STREAMS = 65536,

    HEAD_EMPTY = 8, /* in a head's mode: a ROWS message without rows */
    HEAD_TIME_MASK = 7
};

/* How a message's venue time is stored; the low bits of a head's mode. */
enum venue_time_mode {
    VENUE_TIME_NONE,  /* 0 */
    VENUE_TIME_FLOOR, /* ts_local less the header's feed floor */
    VENUE_TIME_MILLISECONDS,
    VENUE_TIME_MICROSECONDS,
    VENUE_TIME_NANOSECONDS,
    VENUE_TIME_MODES
};

/* The StreamVByte columns of a payload, in order. */
enum payload_column {
    COLUMN_HEAD,
    COLUMN_TIME,
    COLUMN_VENUE_TIME,
    COLUMN_SEQUENCE,
    COLUMN_PRICE,
    COLUMN_QUANTITY,
    COLUMN_SLOT,
    PAYLOAD_COLUMNS
};

/* What the next message of a stream is predicted from; all 0 at the start of a block. */
struct stream_state {
    uint64_t lag; /* ts_local less venue time of the last message with one of its own */
    uint64_t sequence;
    uint64_t price[2]; /* last price by side */
};

/* Largest multiple of `unit` not above `ns`, in units. */
static inline int64_t floor_units(int64_t ns, int64_t unit)
{
    int64_t quotient = ns / unit;
    return quotient - (ns % unit < 0);
}

/* Whether a message can bear these flags: known ones, the venue's time or an estimate but not both, and
 * one of them where there is a time. */
static inline bool payload_flags_are_valid(unsigned flags, bool has_time)
{
    unsigned time = flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    return (flags & ~(unsigned)(MESSAGE_MORE | MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED)) ==
               0 &&
           time != (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED) && (time != 0 || !has_time);
}

/* Whether a stream is one of an instrument of the tape, or none. */
static inline bool payload_stream_is_valid(unsigned stream, const struct event_names *names)
{
    return stream == EVENT_NONE_16 || (EVENT_STREAM_INSTRUMENT(stream) < names->instrument_count &&
                                       EVENT_STREAM_CHANNEL(stream) < CHANNEL_COUNT);
}

/* The counts that a payload's meaning depends on. */
struct payload_counts {
    uint32_t messages, rows, records, state_hashes;
};

/* 0, or ERROR_INPUT where a message can't stand on a tape of these names: all but the fields of a record,
 * which are looked at as bytes (record_decode, payload_check_record). */
int payload_check_message(const struct message *message, const struct event_names *names,
                          struct error *error);

/* --- encoding ---------------------------------------------------------------------------------- */

struct payload_encoder;

/* Memory for blocks of `block_events`; NULL where there is none. */
struct payload_encoder *payload_encoder_make(unsigned block_events, int64_t feed_floor_ns,
                                             const struct event_names *names);
void payload_encoder_free(struct payload_encoder *encoder);
/* Add a message; 0 or ERROR_INPUT where its contents can't stand on a tape. There must be room. */
int payload_encoder_add(struct payload_encoder *encoder, const struct message *message,
                        struct error *error);
/* Add a state hash; there must be room (TAPE_STATE_HASHES_MAX). */
void payload_encoder_add_hash(struct payload_encoder *encoder, uint16_t room, uint64_t hash);
/* Forget the state hashes so far. */
void payload_encoder_drop_hashes(struct payload_encoder *encoder);
/* Rows and records so far, a message without rows counting as one. */
uint32_t payload_encoder_events(const struct payload_encoder *encoder);
struct payload_counts payload_encoder_counts(const struct payload_encoder *encoder);
/* Write the payload to `out` (tape_payload_bytes_max()), and start anew. Returns its length. */
size_t payload_encoder_finish(struct payload_encoder *encoder, uint8_t *out);

/* --- decoding ---------------------------------------------------------------------------------- */

struct payload_decoder;

/* Memory for payloads up to `most`; NULL where there is none. `names` must outlive it. */
struct payload_decoder *payload_decoder_make(struct payload_counts most, int64_t feed_floor_ns,
                                             const struct event_names *names, bool accelerate);
void payload_decoder_free(struct payload_decoder *decoder);
/* Decode `length` bytes into `block`, whose number, times and counts are set (from the header) and
 * whose arrays have room; sets its has_snapshot. ERROR_INPUT with what is wrong. */
int payload_decode(struct payload_decoder *decoder, const uint8_t *payload, size_t length,
                   struct tape_block *block, struct error *error);

/* 0, or ERROR_INPUT where a record names an instrument, venue or asset that `names` has not. */
int payload_check_record(const struct event_kind_info *kind, const union event_record *record,
                         const struct event_names *names, struct error *error);

#endif
