/* The pace of a replay. One mutex guards all but the time that was reached. */
#include "config.h"

#include "run/playback.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"

/* The longest that the loop waits before it looks again. */
#define LOOK_NS (100 * NS_PER_MS)
enum { SPEED_ONE = 1000 };

/* First, so that a pointer to it is one to the whole. */
struct playback_time {
    struct clock clock;
    _Atomic int64_t reached;
};

struct playback {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct playback_time time;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool started; /* the engine is; what comes before it only builds books, and passes at once */
    bool paused, ended, stopped;
    int64_t speed;
    int64_t steps;               /* messages of the market that still pass */
    int64_t from_tape, from_now; /* where the speed was last set: tape's time, monotonic */
    bool begun;                  /* both are known */
};

static int64_t reached(const struct clock *clock)
{
    return atomic_load(&((const struct playback_time *)clock)->reached);
}

static void wait_for(struct playback *playback, int64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t at = until.tv_nsec + (ns < LOOK_NS ? ns : LOOK_NS);
    until.tv_sec += (time_t)(at / NS_PER_SECOND);
    until.tv_nsec = (long)(at % NS_PER_SECOND);
    pthread_cond_timedwait(&playback->changed, &playback->mutex, &until);
}

/* How long until a message of `ts` is due; 0 or less: now. */
static int64_t due_in(struct playback *playback, int64_t ts)
{
    int64_t now = clock_now(&clock_monotonic);
    if (!playback->begun) {
        playback->begun = true;
        playback->from_tape = ts;
        playback->from_now = now;
    }
    if (playback->speed == 0)
        return 0;
    int128 after = (int128)(ts - playback->from_tape) * SPEED_ONE / playback->speed;
    int128 wait = playback->from_now + after - now;
    return wait > LOOK_NS ? LOOK_NS : (int64_t)wait;
}

/* It may pass now. Held: the mutex. */
static bool may_pass(struct playback *playback, const struct message *message, int64_t *wait)
{
    *wait = LOOK_NS;
    playback->started |= message->kind == EVENT_start;
    if (playback->stopped || !playback->started)
        return true;
    if (playback->paused) {
        if (playback->steps == 0)
            return false;
        playback->steps -= message->kind < EVENT_start;
        playback->begun = false;
        return true;
    }
    *wait = due_in(playback, message->ts_local);
    return *wait <= 0;
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct playback *playback = (struct playback *)sink;
    int64_t wait;
    pthread_mutex_lock(&playback->mutex);
    while (!may_pass(playback, message, &wait))
        wait_for(playback, wait);
    bool stopped = playback->stopped;
    pthread_mutex_unlock(&playback->mutex);
    atomic_store(&playback->time.reached, message->ts_local);
    return stopped ? error_set(error, ERROR_SYSTEM, "stopped before the end of the tape") : 0;
}

int playback_open(struct playback **out, int64_t speed, bool paused, struct error *error)
{
    pthread_condattr_t attributes;
    struct playback *playback = calloc(1, sizeof *playback);
    if (!playback)
        return error_set(error, ERROR_SYSTEM, "no memory for a watched replay");
    playback->sink = (struct sink){.market = true, .message = take_message};
    playback->time.clock.now = reached;
    playback->speed = speed;
    playback->paused = paused;
    pthread_mutex_init(&playback->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&playback->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    *out = playback;
    return 0;
}

void playback_close(struct playback **out)
{
    struct playback *playback = *out;
    if (!playback)
        return;
    *out = NULL;
    pthread_cond_destroy(&playback->changed);
    pthread_mutex_destroy(&playback->mutex);
    free(playback);
}

struct sink *playback_sink(struct playback *playback)
{
    return &playback->sink;
}

const struct clock *playback_clock(const struct playback *playback)
{
    return &playback->time.clock;
}

/* Changes from outside: each wakes the loop, which then counts time from where it stands. */
static void change(struct playback *playback, bool paused, int64_t speed, int64_t steps)
{
    playback->paused = paused;
    playback->speed = speed;
    playback->steps = steps;
    playback->begun = false;
    pthread_cond_broadcast(&playback->changed);
    pthread_mutex_unlock(&playback->mutex);
}

void playback_pause(struct playback *playback)
{
    pthread_mutex_lock(&playback->mutex);
    change(playback, true, playback->speed, 0);
}

void playback_resume(struct playback *playback)
{
    pthread_mutex_lock(&playback->mutex);
    change(playback, false, playback->speed, 0);
}

void playback_step(struct playback *playback, int64_t messages)
{
    pthread_mutex_lock(&playback->mutex);
    change(playback, true, playback->speed, playback->steps + messages);
}

void playback_set_speed(struct playback *playback, int64_t speed)
{
    pthread_mutex_lock(&playback->mutex);
    change(playback, playback->paused, speed, playback->steps);
}

struct playback_state playback_state(struct playback *playback)
{
    pthread_mutex_lock(&playback->mutex);
    const struct playback_state state = {
        .paused = playback->paused, .ended = playback->ended, .speed = playback->speed};
    pthread_mutex_unlock(&playback->mutex);
    return state;
}

void playback_stop(struct playback *playback)
{
    pthread_mutex_lock(&playback->mutex);
    playback->stopped = true;
    pthread_cond_broadcast(&playback->changed);
    pthread_mutex_unlock(&playback->mutex);
}

void playback_wait(struct playback *playback)
{
    pthread_mutex_lock(&playback->mutex);
    playback->ended = true;
    while (!playback->stopped)
        pthread_cond_wait(&playback->changed, &playback->mutex);
    pthread_mutex_unlock(&playback->mutex);
}
