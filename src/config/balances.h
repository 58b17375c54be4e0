/* The text of a simulated account's balances: "100000 USDT, 1.5 BTC". */
#ifndef CAPSTAN_CONFIG_BALANCES_H
#define CAPSTAN_CONFIG_BALANCES_H

#include "base/money.h"
#include "config/settings.h"

enum { BALANCE_ASSET_MAX = 32 /* bytes of an asset's name, with its NUL */ };

struct balance {
    money amount; /* not negative */
    char asset[BALANCE_ASSET_MAX];
};

/* Check `length` bytes of balances and write their canonical text: sorted by asset, amounts without
 * trailing zeros. NULL, or why it can't be read ("names USDT twice"). */
const char *balances_from_text(const char *text, size_t length, struct setting_text *out);

/* Walk a setting's balances: set *cursor to 0 before the first call; false after the last one. */
bool balances_next(const struct setting_text *balances, size_t *cursor, struct balance *out);

#endif
