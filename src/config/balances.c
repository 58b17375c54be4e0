/* Balances of a simulated account as text. See config/balances.h. */
#include <config.h>

#include "config/balances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"

enum { BALANCES_MAX = SETTING_TEXT_MAX / 4 /* "1 A," is the shortest */ };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One "AMOUNT ASSET" between two commas; NULL or why not. */
static const char *read_one(const char *text, size_t length, struct balance *out)
{
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    while (length > 0 && is_blank(*text)) {
        text++;
        length--;
    }
    size_t digits = 0;
    while (digits < length && !is_blank(text[digits]))
        digits++;
    size_t asset = digits;
    while (asset < length && is_blank(text[asset]))
        asset++;
    size_t width = length - asset;
    if (digits == 0 || width == 0)
        return "has an amount without its asset, or the reverse";
    if (width >= BALANCE_ASSET_MAX)
        return "has an asset name that is too long";
    if (!utf8_is_word(text + asset, width))
        return "has an asset's name that is not one word";
    money amount;
    if (money_from_text(text, digits, &amount) != NUMBER_VALUE)
        return "has an amount that is not a number, or is too large";
    if (amount.atto < 0)
        return "has a negative amount";
    *out = (struct balance){.amount = amount};
    memcpy(out->asset, text + asset, width);
    return NULL;
}

static int by_asset(const void *left, const void *right)
{
    const struct balance *a = left, *b = right;
    return strcmp(a->asset, b->asset);
}

static const char *write_all(struct balance *balances, size_t count, struct setting_text *out)
{
    qsort(balances, count, sizeof *balances, by_asset);
    size_t used = 0;
    out->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(balances[i - 1].asset, balances[i].asset) == 0)
            return "names an asset twice";
        char amount[MONEY_TEXT_MAX];
        money_to_text(balances[i].amount, amount);
        used += (size_t)snprintf(out->text + used, SETTING_TEXT_MAX - used, "%s%s %s",
                                 i > 0 ? ", " : "", amount, balances[i].asset);
        if (used >= SETTING_TEXT_MAX)
            return "is too long";
    }
    return NULL;
}

const char *balances_from_text(const char *text, size_t length, struct setting_text *out)
{
    struct balance balances[BALANCES_MAX];
    size_t count = 0;
    if (length == 0) {
        out->text[0] = '\0';
        return NULL;
    }
    for (size_t from = 0; from <= length;) {
        const char *comma = from < length ? memchr(text + from, ',', length - from) : NULL;
        size_t until = comma == NULL ? length : (size_t)(comma - text);
        if (count == BALANCES_MAX)
            return "is too long";
        const char *why = read_one(text + from, until - from, &balances[count]);
        if (why != NULL)
            return why;
        count++;
        from = until + 1;
    }
    return write_all(balances, count, out);
}

bool balances_next(const struct setting_text *balances, size_t *cursor, struct balance *out)
{
    const char *from = balances->text + *cursor;
    if (*from == '\0')
        return false;
    size_t length = strcspn(from, ",");
    const char *why = read_one(from, length, out);
    ASSERT(why == NULL); /* the text went through balances_from_text */
    *cursor += length + (from[length] == ',');
    return true;
}
