/* The names of what can go wrong (venue/fault.h). */
#include "base/assert.h"
#include "venue/fault.h"

const char *fault_word(enum fault_kind kind)
{
    static const char *const words[FAULT_KIND_COUNT] = {
#define X(name, word, meaning) [name] = word,
        FAULT_KINDS(X)
#undef X
    };
    ASSERT(kind < FAULT_KIND_COUNT);
    return words[kind];
}
