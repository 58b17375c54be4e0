/* A session begins under other settings than the newest tape of its chain has: that tape is folded, and the next one begins
 * with what the fold left, under these settings (docs/live.md, "Other settings"). */
#ifndef CAPSTAN_RUN_SUCCESSION_H
#define CAPSTAN_RUN_SUCCESSION_H

#include "run/rotation.h"
#include "run/settings_change.h"

struct config;

/* The steps, in order; a death between two of them loses nothing: before the next tape is whole on the disk the old one
 * is the newest, and behind it a start gives the old one its end (rotation_settle). */
enum succession_step {
    SUCCESSION_RECOVERED, /* the old tape is brought to its last message */
    SUCCESSION_FOLDED,    /* and what it left is in an engine of the new settings */
    SUCCESSION_WRITTEN,   /* the next tape is there, with its name */
    SUCCESSION_FINISHED   /* the old one has its end */
};

struct succession_options {
    const char *base;                 /* of the chain */
    uint64_t number;                  /* of its newest tape, which rotation_settle() has seen */
    const struct tape_header *header; /* wanted; its names as they are found today */
    const struct config *config;      /* its settings; NULL: a chain without engines (`record`) */
    config_told *changed;             /* is told each of them once nothing can be in the way */
    void (*passed)(void *context, enum succession_step step); /* tests; NULL */
    void *context;
};

struct succession {
    bool begun;                    /* tape number + 1 is there, and the one to go on with */
    bool withdrawn;                /* the tape had no message: it is gone, and may begin anew */
    struct tape_recovery recovery; /* of the tape before, where either is so */
};

/* Whether there is a tape, and is under other settings; if so, begin the next. ERROR_INPUT where it can't be gone on with
 * under these, or another process writes it; then all stays as it was. */
int succession_begin(const struct succession_options *options, struct succession *succession,
                     struct error *error);

#endif
