/* See request_id.h. */
#include "config.h" /* POSIX names */

#include "ops/request_id.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/assert.h"

void ops_request_id(char out[OPS_REQUEST_ID_BYTES])
{
    unsigned char bytes[16];
    /* So few bytes come whole, without a wait once the system has begun. */
    ssize_t taken = getrandom(bytes, sizeof bytes, 0);
    ASSERT(taken == (ssize_t)sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    char *at = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        snprintf(at, 3, "%02x", bytes[i]);
        at += 2;
    }
}
