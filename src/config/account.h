/* The account's currency and the rates that lead to it, from names to the tape's numbers. */
#ifndef CAPSTAN_CONFIG_ACCOUNT_H
#define CAPSTAN_CONFIG_ACCOUNT_H

#include "config/config.h"

/* Resolve account.currency and account.rates of out->global for the names of a tape, into
 * out->account_currency and out->account_rates (of asset_count). An asset or instrument that the tape
 * does not have is an error; with `allow_unknown` it is as if it had not been said. A rate whose
 * instrument does not trade its asset, an asset or instrument that is named twice, and rates that lead
 * round in a circle are errors always. */
int account_resolve(const struct event_names *names, bool allow_unknown,
                    struct config_resolved *out, struct error *error);

#endif
