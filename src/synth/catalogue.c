/* See synth/catalogue.h. */
#include "synth/catalogue.h"

#include <string.h>

#include "base/assert.h"

/* What is alike for all instruments of one asset. Prices are about 30,000 ticks, so that a tick is
 * a third of a basis point, and a lot is worth 10 to 60 USD, as on real venues. */
struct quotation {
    int8_t price_exponent, quantity_exponent;
    int64_t tick, lot, price_ticks;
};
static const struct quotation quotations[] = {
    {-2, -5, 100, 100, 30000}, /* 30,000.00 by 1.00, lots of 0.001 */
    {-2, -4, 5, 100, 36000},   /* 1,800.00 by 0.05, lots of 0.01 */
    {-4, -2, 50, 25, 24000},   /* 120.0000 by 0.0050, lots of 0.25 */
    {-6, 0, 50, 20, 50000},    /* 2.500000 by 0.000050, lots of 20 */
};

/* What is alike for all instruments of one kind; in the order of the venues' names. */
struct venue_kind {
    const char *venue;
    const char *suffix;
    uint8_t contract, fee_asset;
    unsigned rank; /* in the sequence in which instruments are added */
    int64_t maker_fee, taker_fee;
};
static const struct venue_kind kinds[CATALOGUE_VENUES_MAX] = {
    {"synth_inverse", "USD_PERP", CONTRACT_INVERSE, FEE_IN_SETTLE, 2, 100000, 500000},
    {"synth_linear", "USD_PERP", CONTRACT_LINEAR, FEE_IN_SETTLE, 1, 200000, 500000},
    {"synth_spot", "USD", CONTRACT_SPOT, FEE_IN_RECEIVED, 0, 1000000, 1000000},
};

static void name_assets(struct catalogue *catalogue, unsigned assets)
{
    for (unsigned i = 0; i < assets; i++) {
        memset(catalogue->asset_text[i], 'A' + (int)i, 3);
        catalogue->assets[i] = catalogue->asset_text[i];
    }
    catalogue->assets[assets] = "USD"; /* after TTT, the last there may be */
    catalogue->names.asset_count = assets + 1;
}

static struct event_definition define(const struct venue_kind *kind, unsigned asset,
                                      unsigned dollar)
{
    const struct quotation *q = &quotations[asset % (sizeof quotations / sizeof quotations[0])];
    bool inverse = kind->contract == CONTRACT_INVERSE;
    money minimum = MONEY_ZERO;
    if (!inverse)
        ASSERT(money_from_units(5, 0, &minimum));
    return (struct event_definition){
        .contract = kind->contract,
        .price_exponent = q->price_exponent,
        .quantity_exponent = inverse ? 0 : q->quantity_exponent,
        .tick = q->tick,
        .lot = inverse ? 1 : q->lot,
        .multiplier = inverse ? 10 : 1,
        .minimum_notional = minimum,
        .maker_fee = kind->maker_fee,
        .taker_fee = kind->taker_fee,
        .fee_asset = kind->fee_asset,
        .base_commission_exponent = -8,
        .quote_commission_exponent = -8,
        .base = (uint16_t)asset,
        .quote = (uint16_t)dollar,
        .settle = (uint16_t)(inverse ? asset : dollar),
        .grid_basis = BASIS_GIVEN,
    };
}

/* Add instrument `asset` of `kind` at the venue that was added last. */
static void add(struct catalogue *catalogue, const struct venue_kind *kind, unsigned asset,
                unsigned dollar)
{
    struct event_names *names = &catalogue->names;
    unsigned i = names->instrument_count++;
    char *symbol = catalogue->symbol_text[i];
    memcpy(symbol, catalogue->asset_text[asset], 3);
    memcpy(symbol + 3, kind->suffix, strlen(kind->suffix) + 1);
    catalogue->symbols[i] = symbol;
    catalogue->definitions[i] = define(kind, asset, dollar);
    catalogue->definitions[i].instrument = (uint16_t)i;
    catalogue->definitions[i].venue = (uint8_t)(names->venue_count - 1);
    catalogue->price_ticks[i] =
        quotations[asset % (sizeof quotations / sizeof quotations[0])].price_ticks;
    catalogue->stream[i] = asset * CATALOGUE_VENUES_MAX + kind->rank;
}

void catalogue_init(struct catalogue *catalogue, unsigned instruments)
{
    ASSERT(instruments >= 1 && instruments <= SYNTH_INSTRUMENTS_MAX);
    memset(catalogue, 0, sizeof *catalogue);
    unsigned assets = (instruments + CATALOGUE_VENUES_MAX - 1) / CATALOGUE_VENUES_MAX;
    name_assets(catalogue, assets);
    for (unsigned k = 0; k < CATALOGUE_VENUES_MAX; k++) {
        if (kinds[k].rank >= instruments)
            continue;
        catalogue->venues[catalogue->names.venue_count++] = kinds[k].venue;
        for (unsigned asset = 0; asset < assets; asset++) {
            if (asset * CATALOGUE_VENUES_MAX + kinds[k].rank < instruments)
                add(catalogue, &kinds[k], asset, assets);
        }
    }
    ASSERT(catalogue->names.instrument_count == instruments);
    catalogue->names.venues = catalogue->venues;
    catalogue->names.assets = catalogue->assets;
    catalogue->names.symbols = catalogue->symbols;
    catalogue->names.definitions = catalogue->definitions;
}
