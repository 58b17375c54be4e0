/* A replay at a pace: a sink that lets each message pass when its time has come, by the tape's time at a speed, and
 * that can be paused and stepped from another thread, from the engine's start on. It changes when a message is told, never
 * which. */
#ifndef CAPSTAN_RUN_PLAYBACK_H
#define CAPSTAN_RUN_PLAYBACK_H

#include "clock/clock.h"
#include "loop.h"

struct playback;

/* Speeds are 1/1,000 of the tape's own; 0: as fast as it can. */
struct playback_state {
    bool paused, ended;
    int64_t speed;
};

/* At first it is paused where `paused`. ERROR_SYSTEM: no memory. */
int playback_open(struct playback **playback, int64_t speed, bool paused, struct error *error);
void playback_close(struct playback **playback);
/* The loop's first sink. */
struct sink *playback_sink(struct playback *playback);
/* The tape's time that was reached. Any thread. */
const struct clock *playback_clock(const struct playback *playback);

/* From any thread. A step pauses, and lets what follows pass up to the end of `messages` of the market. */
void playback_pause(struct playback *playback);
void playback_resume(struct playback *playback);
void playback_step(struct playback *playback, int64_t messages);
void playback_set_speed(struct playback *playback, int64_t speed);
struct playback_state playback_state(struct playback *playback);
/* The run ends with ERROR_SYSTEM, "stopped", at its next message; and playback_wait returns. */
void playback_stop(struct playback *playback);
/* The run has ended; wait until playback_stop. */
void playback_wait(struct playback *playback);

#endif
