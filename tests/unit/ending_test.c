/* How a session is asked to end: what its feed is told, whatever comes first. */
#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "live/ending.h"

enum { RACES = 500 };

static struct error error;
static struct session_clock clock_of_test;
static struct waker waker;
static struct log quiet;
static struct live_feed *live;
static int64_t now_of_test;

static int64_t time_of_test(const struct clock *clock)
{
    (void)clock;
    return now_of_test;
}

static const struct clock by_hand = {.now = time_of_test};

static struct ending begin(bool has_engine)
{
    const struct live_feed_options options = {.clock = &clock_of_test, .waker = &waker};
    now_of_test = NS_PER_SECOND;
    session_clock_start(&clock_of_test, INT64_MIN);
    cr_assert_eq(log_init(&quiet, stderr, "off", &error), 0);
    cr_assert_eq(waker_open(&waker, &error), 0);
    cr_assert_eq(live_feed_open(&live, &options, &error), 0, "%s", error.text);
    return (struct ending){.options = {.log = &quiet,
                                       .clock = &clock_of_test.clock,
                                       .monotonic = &by_hand,
                                       .has_engine = has_engine}};
}

static void publish(struct ending *ending)
{
    ending_goes_to(ending, live, 20 * NS_PER_SECOND);
}

static void signal_after(struct ending *ending, int64_t after_ns, int signal)
{
    now_of_test += after_ns;
    ending_signal(ending, signal);
}

/* The feed ends, and how many shutdowns it had. */
static unsigned shutdowns(void)
{
    struct feed *feed = live_feed_feed(live);
    const struct message *message;
    unsigned count = 0;
    live_feed_end(live);
    while ((message = feed->next(feed, &error)))
        count += message->kind == EVENT_shutdown;
    feed->close(feed);
    waker_close(&waker);
    return count;
}

/* --- the first one ---------------------------------------------------------------------------------- */

Test(ending, a_signal_before_there_is_a_feed_is_told_when_the_session_begins)
{
    struct ending ending = begin(true);
    ending_signal(&ending, SIGTERM);
    cr_assert(atomic_load(&ending.stopping) && atomic_load(&ending.asked));
    publish(&ending);
    ending_tell_what_came(&ending);
    cr_assert_eq(shutdowns(), 1);
}

Test(ending, a_signal_between_the_feed_and_the_session_s_look_is_told_once)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_signal(&ending, SIGTERM);
    ending_tell_what_came(&ending);
    cr_assert_eq(shutdowns(), 1);
}

Test(ending, a_signal_behind_the_session_s_look_is_told_once)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_tell_what_came(&ending);
    cr_assert_not(atomic_load(&ending.stopping));
    ending_signal(&ending, SIGTERM);
    cr_assert_eq(shutdowns(), 1);
}

static void *signal_once(void *context)
{
    ending_signal(context, SIGTERM);
    return NULL;
}

Test(ending, a_signal_during_the_session_s_look_is_told_once)
{
    for (int i = 0; i < RACES; i++) {
        struct ending ending = begin(true);
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, signal_once, &ending), 0);
        publish(&ending);
        while (!atomic_load(&ending.stopping))
            ; /* from here on the thread may tell, or not yet have told */
        ending_tell_what_came(&ending);
        pthread_join(thread, NULL);
        cr_assert_eq(shutdowns(), 1);
    }
}

Test(ending, nobody_is_told_of_what_nobody_asked)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_tell_what_came(&ending);
    cr_assert_eq(shutdowns(), 0);
}

Test(ending, without_an_engine_the_feed_ends)
{
    struct ending ending = begin(false);
    struct feed *feed = live_feed_feed(live);
    ending_signal(&ending, SIGINT);
    publish(&ending);
    ending_tell_what_came(&ending);
    cr_assert_null(feed->next(feed, &error));
    cr_assert_eq(shutdowns(), 0);
}

/* --- those behind it -------------------------------------------------------------------------------- */

Test(ending, a_second_signal_is_told_too)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_tell_what_came(&ending);
    signal_after(&ending, NS_PER_SECOND, SIGTERM);
    signal_after(&ending, NS_PER_SECOND, SIGTERM);
    cr_assert_eq(shutdowns(), 2);
}

Test(ending, a_second_signal_counts_also_where_the_first_came_before_the_feed)
{
    struct ending ending = begin(true);
    ending_signal(&ending, SIGINT);
    publish(&ending);
    signal_after(&ending, NS_PER_SECOND, SIGINT);
    ending_tell_what_came(&ending);
    cr_assert_eq(shutdowns(), 2);
}

Test(ending, a_second_signal_counts_also_where_both_come_before_the_look)
{
    struct ending ending = begin(true);
    publish(&ending);
    signal_after(&ending, NS_PER_SECOND, SIGINT);
    signal_after(&ending, NS_PER_SECOND, SIGINT);
    ending_tell_what_came(&ending);
    cr_assert_eq(shutdowns(), 2);
}

Test(ending, a_process_and_its_group_are_signalled_with_one_wish)
{
    struct ending ending = begin(true);
    publish(&ending);
    signal_after(&ending, 0, SIGTERM);
    signal_after(&ending, 499 * NS_PER_MS, SIGTERM);
    signal_after(&ending, 500 * NS_PER_MS, SIGTERM);
    cr_assert_eq(shutdowns(), 2, "the third alone is a wish of its own");
}

/* --- commands and the end of --for ------------------------------------------------------------------ */

Test(ending, the_first_signal_behind_a_command_forces_nothing)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_tell_what_came(&ending);
    ending_command(&ending);
    ending_command(&ending);
    signal_after(&ending, NS_PER_SECOND, SIGTERM);
    cr_assert_eq(shutdowns(), 1);
}

Test(ending, a_second_signal_behind_a_command_does)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_command(&ending);
    ending_tell_what_came(&ending);
    signal_after(&ending, NS_PER_SECOND, SIGTERM);
    signal_after(&ending, NS_PER_SECOND, SIGTERM);
    cr_assert_eq(shutdowns(), 2);
}

Test(ending, the_end_of_the_time_is_nobody_s_wish)
{
    struct ending ending = begin(true);
    publish(&ending);
    signal_after(&ending, NS_PER_SECOND, SIGALRM);
    cr_assert_not(atomic_load(&ending.asked));
    signal_after(&ending, NS_PER_SECOND, SIGTERM);
    cr_assert_eq(shutdowns(), 1);
}

Test(ending, behind_the_session_nobody_is_told)
{
    struct ending ending = begin(true);
    publish(&ending);
    ending_lets_go(&ending);
    ending_signal(&ending, SIGTERM);
    cr_assert_eq(shutdowns(), 0);
}

static atomic_bool entered, left;

/* Whoever asks for the time is for a while in the middle of telling. */
static int64_t slow_time(const struct clock *clock)
{
    (void)clock;
    atomic_store(&entered, true);
    nanosleep(&(struct timespec){.tv_nsec = 200 * NS_PER_MS}, NULL);
    atomic_store(&left, true);
    return NS_PER_SECOND;
}

/* What is told is closed behind it, so it waits for a signal that is being told. */
Test(ending, it_lets_go_when_no_signal_is_being_told)
{
    static const struct clock slow = {.now = slow_time};
    struct ending ending = begin(true);
    ending.options.monotonic = &slow;
    cr_assert_eq(ending_open(&ending, TIME_NEVER, &error), 0, "%s", error.text);
    publish(&ending);
    kill(getpid(), SIGTERM);
    while (!atomic_load(&entered))
        ;
    ending_lets_go(&ending);
    cr_assert(atomic_load(&left));
    cr_assert_eq(shutdowns(), 1);
    ending_close(&ending);
}
