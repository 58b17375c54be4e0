/* See clock_correction.h. */
#include "import/clock_correction.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static int64_t aligned_start(int64_t time_ns)
{
    int64_t rest = time_ns % CLOCK_WINDOW_NS;
    return time_ns - (rest < 0 ? rest + CLOCK_WINDOW_NS : rest);
}

/* Index of the first window that does not start before `start_ns`. */
static size_t find(const struct clock_correction *clock, int64_t start_ns)
{
    size_t low = 0, high = clock->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (clock->windows[middle].start_ns < start_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int insert(struct clock_correction *clock, size_t at, int64_t start_ns, struct error *error)
{
    if (clock->count == clock->capacity) {
        size_t capacity = clock->capacity == 0 ? 64 : clock->capacity * 2;
        struct clock_window *windows = realloc(clock->windows, capacity * sizeof *windows);
        if (windows == NULL) {
            return error_set(error, ERROR_SYSTEM, "no memory for clock windows");
        }
        clock->windows = windows;
        clock->capacity = capacity;
    }
    memmove(clock->windows + at + 1, clock->windows + at,
            (clock->count - at) * sizeof *clock->windows);
    clock->count++;
    clock->windows[at] = (struct clock_window){
        .start_ns = start_ns, .first_ns = INT64_MAX, .last_ns = INT64_MIN, .minimum_ns = INT64_MAX};
    return 0;
}

int clock_correction_add(struct clock_correction *clock, int64_t receive_ns, int64_t venue_ns,
                         struct error *error)
{
    int64_t start_ns = aligned_start(receive_ns);
    size_t at = clock->last;
    if (at >= clock->count || clock->windows[at].start_ns != start_ns) {
        at = find(clock, start_ns);
        if ((at == clock->count || clock->windows[at].start_ns != start_ns) &&
            insert(clock, at, start_ns, error) != 0) {
            return ERROR_SYSTEM;
        }
        clock->last = at;
    }
    struct clock_window *window = &clock->windows[at];
    int64_t difference = receive_ns - venue_ns;
    window->first_ns = receive_ns < window->first_ns ? receive_ns : window->first_ns;
    window->last_ns = receive_ns > window->last_ns ? receive_ns : window->last_ns;
    window->minimum_ns = difference < window->minimum_ns ? difference : window->minimum_ns;
    return 0;
}

static void join(struct clock_window *into, const struct clock_window *window)
{
    if (window->minimum_ns < into->minimum_ns) {
        into->minimum_ns = window->minimum_ns;
    }
    into->joined += window->joined + 1;
}

void clock_correction_finish(struct clock_correction *clock, int64_t floor_ns)
{
    size_t kept = 0;
    clock->floor_ns = floor_ns;
    for (size_t i = 0; i < clock->count; i++) {
        struct clock_window window = clock->windows[i];
        bool is_short = window.last_ns - window.first_ns < CLOCK_WINDOW_SPAN_MIN_NS;
        if (is_short && kept > 0) {
            join(&clock->windows[kept - 1], &window);
            continue;
        }
        if (is_short && i + 1 < clock->count) {
            join(&clock->windows[i + 1], &window);
            continue;
        }
        clock->windows[kept++] = window;
    }
    clock->count = kept;
    for (size_t i = 0; i < kept; i++) {
        clock->windows[i].correction_ns = floor_ns - clock->windows[i].minimum_ns;
    }
}

int64_t clock_correction_at(const struct clock_correction *clock, int64_t receive_ns)
{
    const int64_t half = CLOCK_WINDOW_NS / 2;
    if (clock->count == 0) {
        return 0;
    }
    /* The first window whose middle is not before the time. */
    size_t after = find(clock, receive_ns - half);
    if (after == 0) {
        return clock->windows[0].correction_ns;
    }
    if (after == clock->count) {
        return clock->windows[after - 1].correction_ns;
    }
    const struct clock_window *a = &clock->windows[after - 1], *b = &clock->windows[after];
    int128 width = b->start_ns - a->start_ns;
    int128 part =
        (int128)(b->correction_ns - a->correction_ns) * (receive_ns - (a->start_ns + half));
    ASSERT(width > 0);
    int128 step = part / width - (part % width < 0);
    return a->correction_ns + (int64_t)step;
}

void clock_correction_free(struct clock_correction *clock)
{
    free(clock->windows);
    memset(clock, 0, sizeof *clock);
}
