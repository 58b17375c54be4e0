/* See counting_allocator.h. */
#include "tests/unit/counting_allocator.h"

#include <stdatomic.h>
#include <stdlib.h>

#if defined __SANITIZE_ADDRESS__ || !defined __GLIBC__
#define CAN_COUNT 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define CAN_COUNT 0
#endif
#endif
#ifndef CAN_COUNT
#define CAN_COUNT 1
#endif

static atomic_ulong allocations;

#if CAN_COUNT
/* The C library's own, under the names that it keeps for such replacements. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, size);
}
#endif

bool counting_allocator_works(void)
{
    return CAN_COUNT;
}

unsigned long counting_allocator_count(void)
{
    return atomic_load(&allocations);
}
