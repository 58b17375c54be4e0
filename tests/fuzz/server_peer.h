/* A client of the server that has no socket: what it sends is any bytes, in pieces of any length, and the server's own
 * code works on them as its thread would. */
#ifndef CAPSTAN_FUZZ_SERVER_PEER_H
#define CAPSTAN_FUZZ_SERVER_PEER_H

#include "net/server_internal.h"

/* A client of a server with these options, before its first byte. */
struct net_client *server_peer_open(const struct net_server_options *options);
/* Send, from the first byte of HTTP on, also frames of a websocket. `worked` is called whenever the server has worked on
 * what it has; false: it takes nothing more. */
void server_peer_send(struct net_client *client, const uint8_t *data, size_t size, size_t piece,
                      bool (*worked)(struct net_client *client));
void server_peer_close(struct net_client *client);

#endif
