/* What a venue knows us by. Read once from where only we can read it, kept in memory that is never
 * swapped, dumped or handed to a child, and wiped at the end. */
#ifndef CAPSTAN_VENUE_LIVE_CREDENTIALS_H
#define CAPSTAN_VENUE_LIVE_CREDENTIALS_H

#include "base/error.h"

enum { CREDENTIALS_TEXT_MAX = 4096 };

/* By venue: Binance.US has key and secret; Coinbase key (the key's name) and secret (its PEM or base64);
 * OANDA key (the account id) and secret (the token). */
struct credentials {
    char key[CREDENTIALS_TEXT_MAX];
    char secret[CREDENTIALS_TEXT_MAX];
};

/* Read a JSON file {"key": …, "secret": …} (for Coinbase also its own {"name"|"id": …, "privateKey": …},
 * for OANDA {"account": …, "token": …}). It must be a regular file that belongs to this user (or root)
 * and that nobody else may read or write (0600 or 0400), else ERROR_INPUT says what to do. NULL `path`:
 * the file `venue` in $CREDENTIALS_DIRECTORY (systemd), else, with *warning set to words for the log, the
 * environment's CAPSTAN_<VENUE>_KEY and CAPSTAN_<VENUE>_SECRET, which are then taken out of it. Placeholders
 * ("changeme", "<…>", "your-…", empty) are refused. */
int credentials_load(struct credentials **credentials, const char *venue, const char *path,
                     const char **warning, struct error *error);
/* Wipe and free; NULL is allowed. */
void credentials_free(struct credentials **credentials);

#endif
