/* Counts the process's allocations, all threads together: linked into a test, it stands before the C
 * library's allocator. */
#ifndef CAPSTAN_TESTS_COUNTING_ALLOCATOR_H
#define CAPSTAN_TESTS_COUNTING_ALLOCATOR_H

#include <stdbool.h>

/* Whether it can count here: not where a sanitizer has replaced the allocator, nor without glibc. */
bool counting_allocator_works(void);
/* Allocations since the process began. */
unsigned long counting_allocator_count(void);

#endif
