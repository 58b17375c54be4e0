/* Accounts that were read around a fill (trading-semantics 9, 28). Their balances are those of before the fill or of
 * after, so the account is asked for anew: where the fill was told before the account's end, and where it is told
 * behind it and the venue may have made it while it read. */
#ifndef CAPSTAN_ENGINE_ANEW_H
#define CAPSTAN_ENGINE_ANEW_H

#include <stdint.h>

struct engine;
struct sync;

/* A balance as of the asking, `at`, by an estimate of the venue's clock. One with the venue's own time has every fill
 * until then and no other, and is not told here. */
void anew_balance(struct sync *sync, int64_t at);
/* The account of that balance ended, so long after it was asked for. */
void anew_account_end(struct sync *sync, int64_t lasted);
/* A fill that the venue made at `made`; INT64_MAX: not known. */
void anew_fill(struct engine *engine, unsigned venue, int64_t made);
/* The balances of an account were not taken, because something had moved ours since it was asked for. */
void anew_not_taken(struct engine *engine, unsigned venue);

#endif
