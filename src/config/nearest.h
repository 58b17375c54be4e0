/* The known word nearest to an unknown one, for "did you mean". */
#ifndef CAPSTAN_CONFIG_NEAREST_H
#define CAPSTAN_CONFIG_NEAREST_H

#include "base/integer.h"

/* Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
 * (optimal string alignment). Words over 63 bytes are compared by their first 63. */
unsigned nearest_distance(const char *a, const char *b);

/* The distance from which a word is no longer worth suggesting for `word`. */
unsigned nearest_limit(const char *word);

/* Put `candidate` in *best and its distance in *distance where it is nearer to `word` than
 * *distance. Start with *best NULL and *distance nearest_limit(word). The first of equals stays. */
void nearest_offer(const char *word, const char *candidate, const char **best, unsigned *distance);

#endif
