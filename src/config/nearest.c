/* Edit distance between short words. See config/nearest.h. */
#include <config.h>

#include "config/nearest.h"

#include <string.h>

enum { WORD_MAX = 63 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned nearest_distance(const char *a, const char *b)
{
    size_t length_a = strnlen(a, WORD_MAX), length_b = strnlen(b, WORD_MAX);
    unsigned row[3][WORD_MAX + 1];
    unsigned *before = row[0], *above = row[1], *current = row[2];
    for (size_t j = 0; j <= length_b; j++)
        above[j] = before[j] = (unsigned)j;
    for (size_t i = 1; i <= length_a; i++) {
        current[0] = (unsigned)i;
        for (size_t j = 1; j <= length_b; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            current[j] = least(replaced, 1 + least(above[j], current[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = least(current[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = above;
        above = current;
        current = oldest;
    }
    return above[length_b];
}

unsigned nearest_limit(const char *word)
{
    /* A third of the word may be wrong: more than that is another word. */
    return (unsigned)(strnlen(word, WORD_MAX) / 3 + 2);
}

void nearest_offer(const char *word, const char *candidate, const char **best, unsigned *distance)
{
    unsigned found = nearest_distance(word, candidate);
    if (found < *distance) {
        *best = candidate;
        *distance = found;
    }
}
