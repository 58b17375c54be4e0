/* The secret that whoever commands the engine shows. */
#ifndef CAPSTAN_OPS_TOKEN_H
#define CAPSTAN_OPS_TOKEN_H

#include "base/error.h"

enum { OPS_TOKEN_LEAST = 16, OPS_TOKEN_MAX = 256 };

struct ops_token {
    char text[OPS_TOKEN_MAX]; /* the rest is 0; empty: there is none, and nothing is commanded */
};

/* From `path`, else from the file ops-token in $CREDENTIALS_DIRECTORY (systemd), else none. The file must be a
 * regular one that belongs to this user or root and that nobody else may read (0600 or 0400), and hold one line
 * of 16 to 255 printable characters without space; else ERROR_INPUT says what to do. */
int ops_token_load(struct ops_token *token, const char *path, struct error *error);
/* In a time that tells nothing of where they differ. False where there is no token. */
bool ops_token_matches(const struct ops_token *token, const char *given);

#endif
