/* See signals.h: a thread waits for them; SIGUSR2 to itself ends it. */
#include "config.h" /* POSIX names */

#include "live/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/time.h"

struct signals {
    pthread_t thread;
    sigset_t waited, before;
    void (*caught)(void *context, int signal);
    void *context;
};

static void *wait_for_them(void *context)
{
    struct signals *signals = context;
    for (;;) {
        int number = 0;
        if (sigwait(&signals->waited, &number) != 0)
            continue;
        if (number == SIGUSR2)
            return NULL;
        signals->caught(signals->context, number);
    }
}

static void set_alarm(int64_t after_ns)
{
    struct itimerval alarm = {0};
    if (after_ns == TIME_NEVER)
        return;
    alarm.it_value.tv_sec = (time_t)(after_ns / NS_PER_SECOND);
    alarm.it_value.tv_usec = (suseconds_t)(after_ns % NS_PER_SECOND / NS_PER_US);
    if (alarm.it_value.tv_sec == 0 && alarm.it_value.tv_usec == 0)
        alarm.it_value.tv_usec = 1; /* 0 would be never */
    setitimer(ITIMER_REAL, &alarm, NULL);
}

int signals_open(struct signals **out, int64_t after_ns, void (*caught)(void *context, int signal),
                 void *context, struct error *error)
{
    struct signals *signals = calloc(1, sizeof *signals);
    if (!signals)
        return error_set(error, ERROR_SYSTEM, "no memory for signals");
    signals->caught = caught;
    signals->context = context;
    sigemptyset(&signals->waited);
    sigaddset(&signals->waited, SIGTERM);
    sigaddset(&signals->waited, SIGINT);
    sigaddset(&signals->waited, SIGHUP);
    sigaddset(&signals->waited, SIGALRM);
    sigaddset(&signals->waited, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals->waited, &signals->before);
    if (pthread_create(&signals->thread, NULL, wait_for_them, signals) != 0) {
        pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
        free(signals);
        return error_set(error, ERROR_SYSTEM, "no thread for signals");
    }
    set_alarm(after_ns);
    *out = signals;
    return 0;
}

void signals_close(struct signals **out)
{
    struct signals *signals = *out;
    if (!signals)
        return;
    const struct itimerval none = {0};
    setitimer(ITIMER_REAL, &none, NULL);
    pthread_kill(signals->thread, SIGUSR2);
    pthread_join(signals->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    free(signals);
    *out = NULL;
}
