/* What a capture cannot tell of an instrument: contract, multiplier, fees, smallest notional,
 * commission precision, assets. Read from YAML; one file for Binance is built in.
 *
 * The file is a mapping of venues. A venue's keys are defaults for its `symbols`, a mapping from a
 * symbol, or a pattern with one `*`, to keys that differ. The first entry that matches counts. What
 * `*` stands for at a pattern's beginning is the base asset, unless `base` says another.
 *
 *   contract: spot | linear | inverse          fee_asset: received | quote | settle
 *   maker_fee, taker_fee: share of the value (0.001 is 0.1 %)
 *   multiplier: of one contract, in base (linear) or quote (inverse); 1 by default
 *   minimum_notional: in quote; 0 by default
 *   base_commission_precision, quote_commission_precision: decimals to which commissions are rounded
 *   base, quote, settle: assets; settle is by default the quote, of an inverse contract the base */
#ifndef CAPSTAN_IMPORT_INSTRUMENTS_H
#define CAPSTAN_IMPORT_INSTRUMENTS_H

#include "base/error.h"
#include "base/money.h"

enum { INSTRUMENT_ASSET_MAX = 24, INSTRUMENTS_FILE_MAX = 4 * 1024 * 1024 };

struct instrument_terms {
    uint8_t contract;             /* enum contract */
    uint8_t fee_asset;            /* enum fee_asset */
    int64_t maker_fee, taker_fee; /* 1e-9 */
    int64_t multiplier;
    int multiplier_exponent;
    money minimum_notional;
    int base_commission_exponent, quote_commission_exponent;
    char base[INSTRUMENT_ASSET_MAX + 1], quote[INSTRUMENT_ASSET_MAX + 1],
        settle[INSTRUMENT_ASSET_MAX + 1];
};

struct instrument_table;

/* Read a file; NULL: the table built in. ERROR_INPUT names file, line, key and what was expected. */
int instrument_table_load(struct instrument_table **table, const char *path, struct error *error);
void instrument_table_free(struct instrument_table **table);
/* The terms of one instrument; false where no entry matches. */
bool instrument_table_find(const struct instrument_table *table, const char *venue,
                           const char *symbol, struct instrument_terms *terms);
/* The file's name for messages, and its text (for the tape's provenance). */
const char *instrument_table_name(const struct instrument_table *table);
const char *instrument_table_text(const struct instrument_table *table, size_t *length);

#endif
