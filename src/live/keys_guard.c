/* See keys_guard.h. */
#include "config.h" /* POSIX and Linux names */

#include "live/keys_guard.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define HAS_LEAK_CHECKER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(leak_sanitizer)
#define HAS_LEAK_CHECKER 1
#endif
#endif

static bool forbid_dumps(void)
{
#if defined(__linux__) && !defined(HAS_LEAK_CHECKER)
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
#else
    return true;
#endif
}

int keys_guard(struct error *error)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || !forbid_dumps())
        return error_set(error, ERROR_SYSTEM, "core files can't be forbidden: %s", strerror(errno));
    return 0;
}
