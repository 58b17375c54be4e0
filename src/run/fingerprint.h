/* The fingerprint of a run: XXH3-128 of the canonical bytes of every decision and every own-order
 * message, in order, the final positions and balances included. */
#ifndef CAPSTAN_RUN_FINGERPRINT_H
#define CAPSTAN_RUN_FINGERPRINT_H

#include "loop.h"

enum { FINGERPRINT_TEXT_MAX = 33 };

/* True for answers about our own orders (order_accepted to order_status): with the decisions they
 * are what the fingerprint and the journal are made of. */
bool is_own_order_message(const struct message *message);

struct fingerprint;

/* Takes all its memory here. */
int fingerprint_open(struct fingerprint **fingerprint, struct error *error);
void fingerprint_close(struct fingerprint **fingerprint);
struct sink *fingerprint_sink(struct fingerprint *fingerprint);
/* 32 hexadecimal digits of what has passed so far. */
void fingerprint_text(struct fingerprint *fingerprint, char out[FINGERPRINT_TEXT_MAX]);

#endif
