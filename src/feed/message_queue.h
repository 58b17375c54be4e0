/* Messages of any length from one thread to another, in order: canonical bytes in a ring of the memory
 * that both see. One producer, one consumer, no lock, no allocation after opening. */
#ifndef CAPSTAN_FEED_MESSAGE_QUEUE_H
#define CAPSTAN_FEED_MESSAGE_QUEUE_H

#include "base/error.h"
#include "event/event.h"

struct message_queue;

/* `capacity` in bytes, a power of two, at least 4 KiB. A message takes its canonical bytes and 8, and
 * must be shorter than a third of it. */
int message_queue_open(struct message_queue **queue, size_t capacity, struct error *error);
void message_queue_close(struct message_queue **queue);

/* Producer: append, or false where there is no room now. */
bool message_queue_put(struct message_queue *queue, const struct message *message);
/* Producer: a message of so many bytes would find room. */
bool message_queue_has_room(struct message_queue *queue, size_t bytes);

/* Consumer: where a message's rows and record are unpacked to. */
struct message_room {
    struct row *rows;
    size_t row_capacity;
    union event_record record;
};

/* Consumer: the oldest message, unpacked; false where there is none. It is taken. */
bool message_queue_get(struct message_queue *queue, struct message_room *room,
                       struct message *message);
/* Consumer: there is one. */
bool message_queue_is_empty(struct message_queue *queue);
/* Either: bytes that wait. A figure for metrics. */
size_t message_queue_depth(const struct message_queue *queue);

#endif
