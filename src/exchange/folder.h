/* The exchange's folder: a test authority and the server's certificate, credentials for each venue, a ready
 * configuration of live mode, and the state that is written for whoever judges a session. */
#ifndef CAPSTAN_EXCHANGE_FOLDER_H
#define CAPSTAN_EXCHANGE_FOLDER_H

#include "event/event.h"
#include "exchange/protocol.h"

enum { FOLDER_PATH_MAX = 512 };

struct exchange_folder {
    char path[FOLDER_PATH_MAX]; /* absolute */
};

/* Make the folder where it is not there. ERROR_SYSTEM where it can't be made; ERROR_INPUT for a path too long
 * for the settings that name files in it. */
int folder_open(struct exchange_folder *folder, const char *path, struct error *error);
/* The path of a file in it. */
void folder_file(const struct exchange_folder *folder, const char *name,
                 char out[FOLDER_PATH_MAX + 64]);

/* ca.pem, server.pem and server.key: those that are there where all are and are good for a day more, else new
 * ones for 127.0.0.1, ::1 and localhost. The authority's own key is thrown away. */
int folder_certificates(const struct exchange_folder *folder, int64_t now, struct error *error);

/* VENUE.json with {"key","secret"}, 0600: what is there, else made anew of random bytes. */
int folder_credentials(const struct exchange_folder *folder, const char *venue,
                       struct exchange_credentials *credentials, struct error *error);

/* One venue as live.yaml names it. */
struct folder_venue {
    const char *name;
    unsigned number; /* in names */
    uint16_t port;
};

/* live.yaml: the venues with their addresses, their instruments, sizes and limits of about 200 to 2,000 USD by
 * the market's `prices` (price units by instrument), and a warm-up of seconds. */
int folder_live_config(const struct exchange_folder *folder, const struct folder_venue *venues,
                       size_t count, const struct event_names *names, const int64_t *prices,
                       struct error *error);

/* Write `text` to `name`, whole or not at all: under another name first. `mode` as chmod's. */
int folder_write(const struct exchange_folder *folder, const char *name, const char *text,
                 size_t length, unsigned mode, struct error *error);

#endif
