/* See venue/sim/queue.h. */
#include "venue/sim/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Entries that may be gone before the rest moves to the front: few enough for the cache, many
 * enough that moving costs nothing. */
enum { GONE_MAX = 1024 };

int sim_queue_open(struct sim_queue *queue, size_t capacity, struct error *error)
{
    *queue = (struct sim_queue){.capacity = capacity};
    queue->entries = malloc((2 * capacity + GONE_MAX + 1) * sizeof *queue->entries);
    if (!queue->entries)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu entries of the simulated venue",
                         capacity);
    return 0;
}

void sim_queue_close(struct sim_queue *queue)
{
    free(queue->entries);
    queue->entries = NULL;
}

bool sim_queue_push(struct sim_queue *queue, struct sim_entry entry)
{
    if (queue->count == queue->capacity)
        return false;
    if (queue->head > GONE_MAX && queue->head >= queue->count) {
        memmove(queue->entries, queue->entries + queue->head,
                queue->count * sizeof *queue->entries);
        queue->head = 0;
    }
    struct sim_entry *first = queue->entries + queue->head;
    struct sim_entry *at = first + queue->count;
    for (; at > first; at--) {
        if (at[-1].time < entry.time || (at[-1].time == entry.time && at[-1].rank <= entry.rank))
            break;
        *at = at[-1];
    }
    *at = entry;
    queue->count++;
    return true;
}

void sim_queue_pop(struct sim_queue *queue)
{
    ASSERT(queue->count > 0);
    queue->count--;
    queue->head = queue->count ? queue->head + 1 : 0;
}

int sim_slots_open(struct sim_slots *slots, size_t capacity, struct error *error)
{
    slots->free = malloc(capacity * sizeof *slots->free);
    if (!slots->free)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu slots of the simulated venue",
                         capacity);
    for (size_t i = 0; i < capacity; i++)
        slots->free[i] = (uint32_t)(capacity - 1 - i);
    slots->count = capacity;
    return 0;
}

void sim_slots_close(struct sim_slots *slots)
{
    free(slots->free);
    slots->free = NULL;
}
