/* The importer's first pass: everything that must be known before the first message is written.
 * Which instruments there are and on which grid, which order the files have, to which instrument a
 * bare snapshot belongs, and how far the recording clock stands from the venue's. */
#ifndef CAPSTAN_IMPORT_SCAN_H
#define CAPSTAN_IMPORT_SCAN_H

#include "import/clock_correction.h"
#include "import/grid.h"
#include "import/instruments.h"
#include "import/report.h"
#include "venue/live/binance_decode.h"

enum {
    SCAN_SNAPSHOTS_MAX = 64 * 1024, /* bare snapshots in one import: one a minute for 45 days */
    SCAN_SYMBOLS_MAX = EVENT_INSTRUMENTS_MAX
};

/* One file, in the order that its content gives it: by first receive time, then digest. */
struct scan_file {
    const char *path; /* as given; the caller's */
    int64_t first_ns; /* raw */
    uint64_t bytes, lines;
    uint8_t digest[16]; /* of the unpacked bytes */
    bool twice;         /* the same content stands before it: left out */
    uint8_t *symbols;   /* bit by index into scan.symbols: seen in this file */
};

/* One symbol of one market; with BINANCE_FUTURES, trades whose market is not told by their frame. */
struct scan_symbol {
    char symbol[BINANCE_SYMBOL_MAX + 1];
    uint8_t market; /* enum binance_market */
    bool had_depth;
    struct grid price, quantity;
    uint16_t instrument; /* after the scan: index in order of (venue, symbol) */
};

/* A snapshot that does not name its symbol. */
struct scan_snapshot {
    size_t file; /* index into scan.files */
    uint64_t line, id;
    uint8_t market;
    struct grid price, quantity;
    uint16_t instrument; /* after the scan */
};

struct scan {
    struct scan_file *files;
    size_t file_count;
    struct scan_symbol *symbols;
    size_t symbol_count;
    struct scan_snapshot *snapshots;
    size_t snapshot_count, snapshot_capacity;
    /* Instruments in order of (venue name, symbol). */
    uint16_t instruments[SCAN_SYMBOLS_MAX]; /* index into symbols */
    size_t instrument_count;
    struct clock_correction clock;
};

/* Called now and then with the bytes done and to do; may be NULL. */
typedef void scan_progress(void *context, uint64_t done, uint64_t total);

/* Read all files once. `table` decides about futures trades whose symbol no other frame places. On
 * failure everything is freed. */
int scan_run(struct scan *scan, const char *const *paths, size_t path_count,
             const struct instrument_table *table, int64_t floor_ns, scan_progress *progress,
             void *context, struct error *error);
void scan_free(struct scan *scan);

/* The instrument of a frame that stands in `file` (index) at `line`, after scan_run; -1 where it has
 * none (BINANCE_OTHER). */
int scan_instrument(const struct scan *scan, const struct binance_frame *frame, size_t file,
                    uint64_t line);
/* Index into scan.symbols, or -1. */
int scan_find_symbol(const struct scan *scan, enum binance_market market, const char *symbol);

#endif
