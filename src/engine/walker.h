/* The walker: names every field of an engine's state once, in a fixed order. Its visitors hash the state,
 * print it as text, and find the first field in which two engines differ. */
#ifndef CAPSTAN_ENGINE_WALKER_H
#define CAPSTAN_ENGINE_WALKER_H

#include "engine/engine.h"

/* A visitor. Rooms do not nest; `index` tells the instrument, slot or balance that a field is of, and 0
 * where there is only one. Names are literals. */
struct walker {
    /* instrument: EVENT_NONE_16 where the room is no instrument's. */
    void (*room)(struct walker *walker, const char *name, uint16_t instrument);
    void (*field)(struct walker *walker, const char *name, uint64_t index, int64_t value);
    /* Money, and other 128-bit integers. */
    void (*wide)(struct walker *walker, const char *name, uint64_t index, int128 value);
};

/* A double of a model, as a field of its bits: one NaN, and no negative zero. */
void walker_double(struct walker *walker, const char *name, uint64_t index, double value);

/* A hash over everything walked; the same on every platform. */
struct walker_hash {
    struct walker walker;
    uint64_t hash;
};
void walker_hash_init(struct walker_hash *hash);

/* One line a field: "room instrument name index value", instrument and index as numbers or "-". */
struct walker_text {
    struct walker walker;
    char *out;
    size_t capacity;
    size_t length; /* that the whole text has; more than capacity: it was cut */
    const char *room;
    uint16_t instrument;
};
/* Print into `out` of `capacity` bytes, without a final NUL. Text and comparison are for the restart and for
 * naming the field in which a verify differs, which no command does yet; today only tests call them. */
void walker_text_init(struct walker_text *text, char *out, size_t capacity);

/* Compare with the text that walker_text made of another engine. */
struct walker_difference {
    struct walker walker;
    const char *text; /* the other's, and how much of it is left */
    size_t left;
    const char *room;
    uint16_t instrument;
    /* The first difference; `found` tells that there is one. */
    bool found;
    const char *found_room, *found_name;
    uint16_t found_instrument;
    uint64_t found_index;
    char ours[256], theirs[256]; /* both lines */
};
void walker_difference_init(struct walker_difference *difference, const char *text, size_t length);
/* Call after the walk: text that was not walked over is a difference too. */
bool walker_difference_found(struct walker_difference *difference);

#endif
