/* Client order ids of a session, both ways (adapter.h). */
#include "venue/live/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

void adapter_order_name(const char *session, order_id order, char out[ADAPTER_ORDER_NAME_MAX])
{
    ASSERT(order != 0);
    int length = snprintf(out, ADAPTER_ORDER_NAME_MAX, "%s-%" PRIu32 "-%" PRIu32, session,
                          (uint32_t)(order >> 32), (uint32_t)order);
    ASSERT(length > 0 && length < ADAPTER_ORDER_NAME_MAX);
}

/* Digits without a needless zero in front, up to `end` or to a dash; moves `at` behind them. */
static bool read_part(const char **at, const char *end, uint32_t *out)
{
    const char *first = *at;
    uint64_t value = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        value = value * 10 + (uint64_t)(**at - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)value;
    return *at > first && (*first != '0' || *at == first + 1);
}

order_id adapter_order_of(const char *session, const char *name, size_t length)
{
    size_t prefix = strlen(session);
    const char *at = name + prefix + 1, *end = name + length;
    uint32_t epoch, counter;
    if (length <= prefix + 1 || memcmp(name, session, prefix) != 0 || name[prefix] != '-')
        return 0;
    if (!read_part(&at, end, &epoch) || at == end || *at++ != '-' ||
        !read_part(&at, end, &counter) || at != end || counter == 0)
        return 0;
    return (order_id)epoch << 32 | counter;
}
