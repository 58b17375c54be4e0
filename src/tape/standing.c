/* See standing.h. */
#include "tape/standing.h"

#include <stdlib.h>
#include <string.h>

/* A record that was told, as the list grows: where it stood, so that it can be put in order. */
struct told {
    uint64_t place; /* rises along the tape */
    uint32_t about;
    struct message message;
    union event_record record;
};

struct gathering {
    struct told *told; /* in order of kind and what it is about */
    size_t count, capacity;
    uint64_t place;
};

static uint32_t about(const struct message *message)
{
    const struct event_reference_rate *rate = &message->record->reference_rate;
    if (message->kind == EVENT_reference_rate)
        return (uint32_t)rate->from << 16 | rate->to;
    if (message->kind == EVENT_orders_stream)
        return message->record->orders_stream.venue;
    return message->record->mark.instrument; /* it stands first in the others */
}

/* Where the record of that kind and matter is, or where it goes. */
static size_t find(const struct gathering *all, uint8_t kind, uint32_t of)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct told *told = &all->told[middle];
        if (told->message.kind < kind || (told->message.kind == kind && told->about < of))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int make_room(struct gathering *all, size_t at, struct error *error)
{
    if (all->count == all->capacity) {
        size_t capacity = 2 * all->capacity + 64;
        struct told *grown = realloc(all->told, capacity * sizeof *grown);
        if (grown == NULL)
            return error_set(error, ERROR_SYSTEM, "no memory for what a tape told");
        all->told = grown;
        all->capacity = capacity;
    }
    memmove(all->told + at + 1, all->told + at, (all->count - at) * sizeof *all->told);
    all->count++;
    return 0;
}

static int gather(struct gathering *all, const struct message *message, struct error *error)
{
    uint32_t of = about(message);
    size_t at = find(all, message->kind, of);
    bool known =
        at < all->count && all->told[at].message.kind == message->kind && all->told[at].about == of;
    if (!known && make_room(all, at, error) != 0)
        return error->code;
    all->told[at] = (struct told){
        .place = all->place++, .about = of, .message = *message, .record = *message->record};
    all->told[at].message.flags &= (uint8_t)~MESSAGE_MORE;
    return 0;
}

static int gather_block(struct gathering *all, const struct tape_block *block, struct error *error)
{
    int failed = 0;
    for (uint32_t m = 0; m < block->message_count && failed == 0; m++)
        if (tape_stands(block->messages[m].kind))
            failed = gather(all, &block->messages[m], error);
    return failed;
}

static int compare_places(const void *left, const void *right)
{
    const struct told *a = left, *b = right;
    return (a->place > b->place) - (a->place < b->place);
}

static int hand_out(struct tape_standing *standing, struct gathering *all, struct error *error)
{
    if (all->count == 0)
        return 0;
    qsort(all->told, all->count, sizeof *all->told, compare_places);
    standing->messages = calloc(all->count, sizeof *standing->messages);
    standing->records = calloc(all->count, sizeof *standing->records);
    if (standing->messages == NULL || standing->records == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for what a tape told");
    for (; standing->count < all->count; standing->count++) {
        const struct told *told = &all->told[standing->count];
        standing->records[standing->count] = told->record;
        standing->messages[standing->count] = told->message;
        standing->messages[standing->count].record = &standing->records[standing->count];
    }
    return 0;
}

int tape_standing_read(struct tape_standing *standing, struct tape_reader *reader, size_t first,
                       struct error *error)
{
    struct gathering all = {0};
    struct tape_block block = {0};
    *standing = (struct tape_standing){0};
    int failed = first == 0 ? 0 : tape_block_init(&block, reader, error);
    for (size_t b = 0; b < first && failed == 0; b++) {
        if (tape_reader_block_info(reader, b)->record_count == 0)
            continue;
        failed = tape_reader_read(reader, b, &block, error);
        if (failed == 0)
            failed = gather_block(&all, &block, error);
    }
    if (failed == 0)
        failed = hand_out(standing, &all, error);
    tape_block_free(&block);
    free(all.told);
    return failed;
}

void tape_standing_free(struct tape_standing *standing)
{
    free(standing->messages);
    free(standing->records);
    *standing = (struct tape_standing){0};
}
