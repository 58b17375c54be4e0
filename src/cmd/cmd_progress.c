/* The progress line of long commands. See cmd/cmd.h. */
#include "config.h" /* POSIX names */

#include "cmd/cmd.h"

#include <unistd.h>

#include "base/time.h"
#include "clock/clock.h"

enum { SHOW_EVERY_NS = 200 * 1000 * 1000 };

void cmd_progress_start(struct cmd_progress *progress, const char *what)
{
    *progress = (struct cmd_progress){.on = isatty(STDERR_FILENO) == 1, .what = what};
    if (progress->on)
        progress->started_ns = progress->shown_ns = clock_now(&clock_monotonic);
}

/* "1.2M" and the like: three digits are enough to look at. */
static void rate_text(double rate, char *out, size_t size)
{
    static const char suffixes[] = {' ', 'k', 'M', 'G'};
    size_t step = 0;
    while (rate >= 999.5 && step + 1 < sizeof suffixes) {
        rate /= 1000;
        step++;
    }
    snprintf(out, size, "%.*f%c", rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0, rate, suffixes[step]);
}

void cmd_progress_show(struct cmd_progress *progress, uint64_t events, uint64_t done,
                       uint64_t total)
{
    if (!progress->on)
        return;
    int64_t now = clock_now(&clock_monotonic);
    if (now - progress->shown_ns < SHOW_EVERY_NS)
        return;
    progress->shown_ns = now;
    double seconds = (double)(now - progress->started_ns) / NS_PER_SECOND;
    char rate[32];
    rate_text((double)events / seconds, rate, sizeof rate);
    fprintf(stderr, "\r%s: %s events/s", progress->what, rate);
    if (total > 0 && done > 0) {
        double part = done < total ? (double)done / (double)total : 1;
        long left = (long)(seconds * (1 - part) / part + 0.5);
        fprintf(stderr, ", %.0f %%, %ld:%02ld left", part * 100, left / 60, left % 60);
    }
    fputs("\033[K", stderr); /* clear what a longer line left behind */
    fflush(stderr);
}

void cmd_progress_end(struct cmd_progress *progress)
{
    if (!progress->on)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->on = false;
}
