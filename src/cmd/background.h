/* A command that goes on in the background once it is ready, so that a script can wait for it by calling it. */
#ifndef CAPSTAN_CMD_BACKGROUND_H
#define CAPSTAN_CMD_BACKGROUND_H

#include <stdbool.h>

#include "base/error.h"

struct background {
    bool is_parent; /* the caller has nothing more to do than to end with `status` */
    int status;
    int pipe; /* the child's, to its parent; closed, it has failed */
};

/* Split in two, before any thread is made. The child goes on in a session of its own. The parent comes back when the child
 * is ready, having printed the child's process id on standard output, or has ended; then with its exit status.
 * ERROR_SYSTEM: it can't be split. */
int background_split(struct background *background, struct error *error);
/* The child: let the parent go. What is said from here on is appended to `log` (0600). */
int background_ready(struct background *background, const char *log, struct error *error);

#endif
