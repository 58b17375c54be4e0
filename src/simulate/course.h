/* What a seed stands for: instruments, settings, a market with its accidents, what the operator does, and
 * how bad the connection to the venues is. The same on every machine. */
#ifndef CAPSTAN_SIMULATE_COURSE_H
#define CAPSTAN_SIMULATE_COURSE_H

#include "base/error.h"
#include "event/event.h"
#include "venue/fault.h"

enum {
    COURSE_INSTRUMENTS_MAX = 3,
    COURSE_ASSETS_MAX = 4,
    COURSE_SETTINGS_MAX = 256,
    COURSE_SETTING_MAX = 120 /* bytes of "name=value" */
};

/* 2024-01-01T00:00:00Z, where a scenario begins. */
#define COURSE_START_NS INT64_C(1704067200000000000)

/* A course. Everything but `settings` and the names is in memory that the next draw uses again. */
struct course {
    struct event_names names;
    const char *venues[COURSE_INSTRUMENTS_MAX];
    const char *assets[COURSE_ASSETS_MAX];
    const char *symbols[COURSE_INSTRUMENTS_MAX];
    struct event_definition definitions[COURSE_INSTRUMENTS_MAX];
    char settings[COURSE_SETTINGS_MAX][COURSE_SETTING_MAX];
    size_t setting_count;
    struct fault_options faults;
    struct message *messages; /* market data, commands, restarts, the shutdown; by ts_local */
    union event_record *records;
    struct row *rows;
    size_t count, capacity, record_count, row_count, row_capacity;
    uint64_t seed;
    uint64_t restarts; /* among the messages */
};

/* Room for a course of `events` market messages. Zero before, close after, also on failure. */
int course_open(struct course *course, uint64_t events, struct error *error);
void course_close(struct course *course);
/* The course of a seed. */
void course_draw(struct course *course, uint64_t seed, uint64_t events);

/* Names, definitions and settings of a seed (draw.c). */
struct random;
void course_draw_world(struct course *course, struct random *random);

#endif
