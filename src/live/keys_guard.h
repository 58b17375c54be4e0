/* What a process does before it reads keys: nobody shall find them in what it leaves or shows. */
#ifndef CAPSTAN_LIVE_KEYS_GUARD_H
#define CAPSTAN_LIVE_KEYS_GUARD_H

#include "base/error.h"

/* No core file from here on: its size is limited to nothing, which counts where the system writes a file, and on Linux
 * the process is not dumpable, which counts where it is piped to a program, too; nor can another process of this user
 * trace it, or read its memory or environment. ERROR_SYSTEM where that is refused. Built for a sanitizer, the process stays
 * dumpable: the leak checker has to trace it. */
int keys_guard(struct error *error);

#endif
