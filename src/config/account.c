/* The account's currency and rates. See config/account.h. */
#include <config.h>

#include "config/account.h"

#include <string.h>

static int asset_by_name(const struct event_names *names, const char *text, size_t length)
{
    for (unsigned asset = 0; asset < names->asset_count; asset++)
        if (strlen(names->assets[asset]) == length &&
            memcmp(names->assets[asset], text, length) == 0)
            return (int)asset;
    return -1;
}

static int fail(struct error *error, const char *name, const char *text, size_t length,
                const char *why)
{
    return error_set(error, ERROR_INPUT, "%s: '%.*s' %s", name, (int)length, text, why);
}

/* One "ASSET=venue:SYMBOL", without blanks at its ends. */
static int read_rate(const struct event_names *names, bool allow_unknown, const char *text,
                     size_t length, uint16_t *rates, struct error *error)
{
    static const char *const name = "account.rates";
    const char *sign = memchr(text, '=', length);
    if (sign == NULL || sign == text || sign + 1 == text + length)
        return fail(error, name, text, length,
                    "is not ASSET=venue:SYMBOL; several have commas between them");
    if (memchr(text, ' ', length) != NULL)
        return fail(error, name, text, length,
                    "has a blank in it; several have commas between them");
    size_t width = (size_t)(sign - text), rest = length - width - 1;
    int asset = asset_by_name(names, text, width);
    int instrument = event_instrument_by_name(names, sign + 1, rest);
    if ((asset < 0 || instrument < 0) && allow_unknown)
        return ERROR_NONE;
    if (asset < 0)
        return fail(error, name, text, width, "is no asset of the tape");
    if (instrument < 0)
        return fail(error, name, sign + 1, rest, "is no instrument of the tape");
    const struct event_definition *definition = &names->definitions[instrument];
    if (definition->base != asset && definition->quote != asset)
        return fail(error, name, text, length, "names an instrument that does not trade the asset");
    for (unsigned other = 0; other < names->asset_count; other++)
        if (rates[other] == instrument || (rates[other] != EVENT_NONE_16 && (int)other == asset))
            return fail(error, name, text, length, "names an asset or an instrument twice");
    rates[asset] = (uint16_t)instrument;
    return ERROR_NONE;
}

static int read_rates(const struct event_names *names, bool allow_unknown, const char *text,
                      uint16_t *rates, struct error *error)
{
    while (*text != '\0') {
        text += strspn(text, " ,");
        size_t length = strcspn(text, ","), used = length;
        while (used > 0 && text[used - 1] == ' ')
            used--;
        if (used > 0) {
            int status = read_rate(names, allow_unknown, text, used, rates, error);
            if (status != ERROR_NONE)
                return status;
        }
        text += length;
    }
    return ERROR_NONE;
}

/* The asset that a rate leads to. */
static unsigned leads_to(const struct event_names *names, unsigned asset, unsigned instrument)
{
    const struct event_definition *definition = &names->definitions[instrument];
    return definition->base == asset ? definition->quote : definition->base;
}

/* A way that is longer than there are assets goes round in a circle. */
static int check_circles(const struct event_names *names, const uint16_t *rates, unsigned currency,
                         struct error *error)
{
    for (unsigned asset = 0; asset < names->asset_count; asset++) {
        unsigned at = asset, steps = 0;
        while (at != currency && rates[at] != EVENT_NONE_16 && steps++ <= names->asset_count)
            at = leads_to(names, at, rates[at]);
        if (steps > names->asset_count)
            return fail(error, "account.rates", names->assets[asset], strlen(names->assets[asset]),
                        "is converted in a circle");
    }
    return ERROR_NONE;
}

/* Profit of everything that is quoted is in one asset. */
static bool has_common_asset(const struct event_names *names, const struct config_resolved *out)
{
    int common = -1;
    for (unsigned i = 0; i < names->instrument_count; i++) {
        const struct event_definition *definition = &names->definitions[i];
        int own = definition->contract == CONTRACT_SPOT ? definition->quote : definition->settle;
        if (!out->instruments[i].quote_enabled)
            continue;
        if (common >= 0 && own != common)
            return false;
        common = own;
    }
    return true;
}

/* A limit that was asked for is in force or refused; only the daily loss that nobody changed may be out of
 * force. By value, because a tape's own configuration gives every setting. */
static int check_limits(const struct event_names *names, const struct config_resolved *out,
                        struct error *error)
{
    const struct settings_global *global = &out->global;
    const int128 untouched = (int128)5000 * INT64_C(1000000000000000000);
    const char *asked =
        global->risk_drawdown_limit.atto > 0 ? "risk.drawdown_limit"
        : global->risk_daily_loss_limit.atto > 0 && global->risk_daily_loss_limit.atto != untouched
            ? "risk.daily_loss_limit"
            : NULL;
    if (asked == NULL || global->account_currency.text[0] != '\0' || has_common_asset(names, out))
        return ERROR_NONE;
    return error_set(error, ERROR_INPUT,
                     "%s: profit is in several assets: set account.currency to the one that it is "
                     "counted in",
                     asked);
}

int account_resolve(const struct event_names *names, bool allow_unknown,
                    struct config_resolved *out, struct error *error)
{
    const char *currency = out->global.account_currency.text;
    for (unsigned asset = 0; asset < names->asset_count; asset++)
        out->account_rates[asset] = EVENT_NONE_16;
    int asset = currency[0] == '\0' ? -1 : asset_by_name(names, currency, strlen(currency));
    if (currency[0] != '\0' && asset < 0 && !allow_unknown)
        return fail(error, "account.currency", currency, strlen(currency),
                    "is no asset of the tape");
    out->account_currency = asset < 0 ? EVENT_NONE_16 : (uint16_t)asset;
    int status =
        read_rates(names, allow_unknown, out->global.account_rates.text, out->account_rates, error);
    if (status != ERROR_NONE)
        return status;
    status = check_circles(names, out->account_rates, out->account_currency, error);
    return status != ERROR_NONE ? status : check_limits(names, out, error);
}
