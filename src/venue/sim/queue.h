/* Things waiting for their time in the simulated venue: a queue sorted by time and rank, for
 * arrivals that are nearly in order, and the slots that its entries point to. */
#ifndef CAPSTAN_VENUE_SIM_QUEUE_H
#define CAPSTAN_VENUE_SIM_QUEUE_H

#include "event/event.h"

struct sim_entry {
    int64_t time;  /* ns */
    uint32_t rank; /* at one time lower first, then in order of arrival */
    uint32_t slot; /* of what waits, or */
    const struct message *message;
};

/* Entries [head, head + count) of `entries`, in order. */
struct sim_queue {
    struct sim_entry *entries;
    size_t head, count, capacity;
};

/* Takes memory for `capacity` entries; ERROR_SYSTEM where there is none. */
int sim_queue_open(struct sim_queue *queue, size_t capacity, struct error *error);
void sim_queue_close(struct sim_queue *queue);
/* Put one behind all of its time and rank. False where the queue is full. */
bool sim_queue_push(struct sim_queue *queue, struct sim_entry entry);
/* Drop the first. */
void sim_queue_pop(struct sim_queue *queue);

/* The first, or NULL. */
static inline const struct sim_entry *sim_queue_first(const struct sim_queue *queue)
{
    return queue->count ? &queue->entries[queue->head] : NULL;
}

/* Free slots of a table, the last one given back first. */
struct sim_slots {
    uint32_t *free;
    size_t count;
};

/* All of `capacity` free; ERROR_SYSTEM where there is no memory. */
int sim_slots_open(struct sim_slots *slots, size_t capacity, struct error *error);
/* Gives the memory back; may be called on zeroed slots. */
void sim_slots_close(struct sim_slots *slots);

/* A free slot, UINT32_MAX where there is none. */
static inline uint32_t sim_slots_take(struct sim_slots *slots)
{
    return slots->count ? slots->free[--slots->count] : UINT32_MAX;
}

static inline void sim_slots_give(struct sim_slots *slots, uint32_t slot)
{
    slots->free[slots->count++] = slot;
}

#endif
