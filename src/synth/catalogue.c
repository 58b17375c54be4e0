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
    catalogue->price_step[i] = catalogue->definitions[i].tick;
    catalogue->quantity_step[i] = catalogue->definitions[i].lot;
    catalogue->has_trades[i] = true;
    catalogue->has_mark[i] = kind->contract != CONTRACT_SPOT;
    catalogue->stream[i] = asset * CATALOGUE_VENUES_MAX + kind->rank;
}

static void point_names(struct catalogue *catalogue)
{
    catalogue->names.venues = catalogue->venues;
    catalogue->names.assets = catalogue->assets;
    catalogue->names.symbols = catalogue->symbols;
    catalogue->names.definitions = catalogue->definitions;
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
    point_names(catalogue);
}

/* --- the venues of live mode ------------------------------------------------------------------- */

enum live_asset { LIVE_BTC, LIVE_ETH, LIVE_EUR, LIVE_USD, LIVE_ASSETS };
static const char live_assets[LIVE_ASSETS][4] = {"BTC", "ETH", "EUR", "USD"};
static const char *const live_venues[CATALOGUE_VENUES_MAX] = {"binance_us", "coinbase", "oanda"};

/* Grids are those of the venues in 2026. A step of the model is several ticks, so that the spread and the value
 * that stands at a price are of the size that they have there; peers then stay within 0.1 % for hours. */
static const struct {
    uint8_t venue, base, contract, fee_asset;
    const char *symbol;
    int8_t price_exponent, quantity_exponent, quote_commission_exponent;
    int64_t tick, lot, price_step, quantity_step, price_steps;
    int64_t least_notional; /* whole USD; 0: none */
    int64_t maker_fee, taker_fee;
} live[] = {
    {0, LIVE_BTC, CONTRACT_SPOT, FEE_IN_RECEIVED, "BTCUSD", -2, -5, -8, 1, 1, 25, 200, 240000, 1,
     1000000, 1000000},
    {0, LIVE_ETH, CONTRACT_SPOT, FEE_IN_RECEIVED, "ETHUSD", -2, -4, -8, 1, 1, 5, 300, 50000, 1,
     1000000, 1000000},
    {1, LIVE_BTC, CONTRACT_SPOT, FEE_IN_QUOTE, "BTC-USD", -2, -8, -8, 1, 1, 25, 200000, 240000, 1,
     4000000, 6000000},
    {1, LIVE_ETH, CONTRACT_SPOT, FEE_IN_QUOTE, "ETH-USD", -2, -8, -8, 1, 1, 5, 3000000, 50000, 1,
     4000000, 6000000},
    {2, LIVE_BTC, CONTRACT_LINEAR, FEE_IN_SETTLE, "BTC_USD", -1, -2, -4, 1, 1, 5, 10, 120000, 0, 0,
     0},
    {2, LIVE_EUR, CONTRACT_LINEAR, FEE_IN_SETTLE, "EUR_USD", -5, 0, -4, 1, 1, 1, 50000, 110000, 0,
     0, 0},
};

static struct event_definition define_live(unsigned i)
{
    money minimum = MONEY_ZERO;
    ASSERT(money_from_units(live[i].least_notional, 0, &minimum));
    return (struct event_definition){
        .instrument = (uint16_t)i,
        .venue = live[i].venue,
        .contract = live[i].contract,
        .price_exponent = live[i].price_exponent,
        .quantity_exponent = live[i].quantity_exponent,
        .tick = live[i].tick,
        .lot = live[i].lot,
        .multiplier = 1,
        .minimum_notional = minimum,
        .maker_fee = live[i].maker_fee,
        .taker_fee = live[i].taker_fee,
        .fee_asset = live[i].fee_asset,
        .base_commission_exponent = -8,
        .quote_commission_exponent = live[i].quote_commission_exponent,
        .base = live[i].base,
        .quote = LIVE_USD,
        .settle = LIVE_USD,
        .grid_basis = BASIS_GIVEN,
    };
}

void catalogue_init_live(struct catalogue *catalogue)
{
    memset(catalogue, 0, sizeof *catalogue);
    struct event_names *names = &catalogue->names;
    names->venue_count = CATALOGUE_VENUES_MAX;
    names->asset_count = LIVE_ASSETS;
    names->instrument_count = SYNTH_LIVE_INSTRUMENTS;
    for (unsigned i = 0; i < CATALOGUE_VENUES_MAX; i++)
        catalogue->venues[i] = live_venues[i];
    for (unsigned i = 0; i < LIVE_ASSETS; i++)
        catalogue->assets[i] = live_assets[i];
    for (unsigned i = 0; i < SYNTH_LIVE_INSTRUMENTS; i++) {
        catalogue->symbols[i] = live[i].symbol;
        catalogue->definitions[i] = define_live(i);
        catalogue->price_ticks[i] = live[i].price_steps;
        catalogue->price_step[i] = live[i].price_step;
        catalogue->quantity_step[i] = live[i].quantity_step;
        catalogue->has_trades[i] = live[i].contract == CONTRACT_SPOT;
        catalogue->stream[i] = i;
    }
    point_names(catalogue);
}
