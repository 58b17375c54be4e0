/* See scan.h. */
#include "import/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "import/capture.h"
#include "venue/live/binance_sync.h"

enum { PROGRESS_LINES = 8192, SYMBOL_BYTES = SCAN_SYMBOLS_MAX / 8 };

/* A run of the first pass. */
struct pass {
    struct scan *scan;
    const struct instrument_table *table;
    scan_progress *progress;
    void *context;
    struct error *error;
    struct binance_frame frame;
    size_t file;
    int last_symbol;
    uint64_t done, total; /* bytes as stored */
};

int scan_find_symbol(const struct scan *scan, enum binance_market market, const char *symbol)
{
    for (size_t i = 0; i < scan->symbol_count; i++) {
        if (scan->symbols[i].market == market && strcmp(scan->symbols[i].symbol, symbol) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int at_line(struct error *error, const char *path, uint64_t line)
{
    return error_prefix(error, "%s:%llu", path, (unsigned long long)line);
}

/* The entry of a frame's market and symbol, made where it is new. */
static int symbol_of(struct pass *pass, const struct binance_frame *frame, int *index)
{
    struct scan *scan = pass->scan;
    int found = pass->last_symbol;
    if (found < 0 || scan->symbols[found].market != frame->market ||
        strcmp(scan->symbols[found].symbol, frame->symbol) != 0) {
        found = scan_find_symbol(scan, frame->market, frame->symbol);
    }
    if (found < 0) {
        if (scan->symbol_count == SCAN_SYMBOLS_MAX) {
            return error_set(pass->error, ERROR_INPUT, "more than %d instruments",
                             SCAN_SYMBOLS_MAX);
        }
        found = (int)scan->symbol_count++;
        struct scan_symbol *symbol = &scan->symbols[found];
        memset(symbol, 0, sizeof *symbol);
        memcpy(symbol->symbol, frame->symbol, sizeof symbol->symbol);
        symbol->market = frame->market;
    }
    scan->files[pass->file].symbols[found / 8] |= (uint8_t)(1U << (found % 8));
    pass->last_symbol = found;
    *index = found;
    return 0;
}

static void add_values(const struct binance_frame *frame, struct grid *price, struct grid *quantity)
{
    struct decimal value;
    for (size_t i = 0; i < frame->level_count; i++) {
        const struct binance_level *level = &frame->levels[i];
        if (decimal_from_text(level->price.bytes, level->price.length, &value) == NUMBER_VALUE) {
            grid_add(price, value);
        }
        if (decimal_from_text(level->quantity.bytes, level->quantity.length, &value) ==
            NUMBER_VALUE) {
            grid_add(quantity, value);
        }
    }
}

static int add_bare_snapshot(struct pass *pass, uint64_t line)
{
    struct scan *scan = pass->scan;
    if (scan->snapshot_count == SCAN_SNAPSHOTS_MAX) {
        return error_set(pass->error, ERROR_INPUT, "more than %d snapshots without a symbol",
                         SCAN_SNAPSHOTS_MAX);
    }
    if (scan->snapshot_count == scan->snapshot_capacity) {
        size_t capacity = scan->snapshot_capacity == 0 ? 16 : scan->snapshot_capacity * 2;
        struct scan_snapshot *grown = realloc(scan->snapshots, capacity * sizeof *grown);
        if (grown == NULL) {
            return error_set(pass->error, ERROR_SYSTEM, "no memory for snapshots");
        }
        scan->snapshots = grown;
        scan->snapshot_capacity = capacity;
    }
    struct scan_snapshot *snapshot = &scan->snapshots[scan->snapshot_count++];
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->file = pass->file;
    snapshot->line = line;
    snapshot->id = pass->frame.last_id;
    snapshot->market = pass->frame.market;
    add_values(&pass->frame, &snapshot->price, &snapshot->quantity);
    return 0;
}

static int add_frame(struct pass *pass, const struct capture_line *line)
{
    const struct binance_frame *frame = &pass->frame;
    if (frame->kind == BINANCE_OTHER) {
        return 0;
    }
    if (frame->has_venue_time && clock_correction_add(&pass->scan->clock, line->receive_ns,
                                                      frame->venue_time_ns, pass->error) != 0) {
        return ERROR_SYSTEM;
    }
    if (frame->symbol[0] == '\0') {
        return add_bare_snapshot(pass, line->number);
    }
    int index = 0;
    int code = symbol_of(pass, frame, &index);
    if (code == 0) {
        struct scan_symbol *symbol = &pass->scan->symbols[index];
        symbol->had_depth = symbol->had_depth || frame->kind == BINANCE_DEPTH;
        add_values(frame, &symbol->price, &symbol->quantity);
    }
    return code;
}

static void show_progress(const struct pass *pass, const struct capture *capture)
{
    if (pass->progress != NULL) {
        uint64_t position, size;
        capture_position(capture, &position, &size);
        pass->progress(pass->context, pass->done + position, pass->total);
    }
}

/* Read a file whole, giving each decoded frame to `take`. */
static int read_frames(struct pass *pass, struct capture *capture,
                       int (*take)(struct pass *pass, const struct capture_line *line))
{
    struct scan_file *file = &pass->scan->files[pass->file];
    for (;;) {
        struct capture_line line;
        bool more;
        int code = capture_next(capture, &line, &more, pass->error);
        if (code != 0 || !more) {
            return code;
        }
        code = binance_decode(&pass->frame, line.frame, line.length, pass->error);
        if (code == 0) {
            code = take(pass, &line);
        }
        if (code != 0) {
            return at_line(pass->error, file->path, line.number);
        }
        if (line.number % PROGRESS_LINES == 0) {
            show_progress(pass, capture);
        }
    }
}

static int count_line(struct pass *pass, const struct capture_line *line)
{
    struct scan_file *file = &pass->scan->files[pass->file];
    if (file->lines++ == 0) {
        file->first_ns = line->receive_ns;
    }
    return add_frame(pass, line);
}

static int read_file(struct pass *pass)
{
    struct scan_file *file = &pass->scan->files[pass->file];
    struct capture *capture;
    int code = capture_open(&capture, file->path, pass->error);
    if (code != 0) {
        return code;
    }
    uint64_t position, size;
    capture_position(capture, &position, &size);
    pass->last_symbol = -1;
    code = read_frames(pass, capture, count_line);
    if (code == 0 && file->lines == 0) {
        code =
            error_set(pass->error, ERROR_INPUT, "%s: has no line, expected a capture", file->path);
    }
    if (code == 0) {
        capture_digest(capture, file->digest, &file->bytes);
    }
    pass->done += size;
    capture_close(&capture);
    return code;
}

static int compare_content(const struct scan_file *a, const struct scan_file *b)
{
    int order = (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
    return order != 0 ? order : memcmp(a->digest, b->digest, sizeof a->digest);
}

/* Put the files in the order of their content; snapshots follow their file. */
static int order_files(struct scan *scan, struct error *error)
{
    size_t count = scan->file_count;
    struct scan_file *sorted = malloc(count * sizeof *sorted);
    size_t *place = malloc(count * sizeof *place);
    if (sorted == NULL || place == NULL) {
        free(sorted);
        free(place);
        return error_set(error, ERROR_SYSTEM, "no memory for %zu files", count);
    }
    for (size_t i = 0; i < count; i++) {
        place[i] = 0;
        for (size_t j = 0; j < count; j++) {
            int order = compare_content(&scan->files[j], &scan->files[i]);
            place[i] += order < 0 || (order == 0 && j < i);
        }
        sorted[place[i]] = scan->files[i];
    }
    for (size_t i = 1; i < count; i++) {
        sorted[i].twice = compare_content(&sorted[i - 1], &sorted[i]) == 0;
    }
    for (size_t i = 0; i < scan->snapshot_count; i++) {
        scan->snapshots[i].file = place[scan->snapshots[i].file];
    }
    memcpy(scan->files, sorted, count * sizeof *sorted);
    free(sorted);
    free(place);
    return 0;
}

/* --- futures trades: which market -------------------------------------------------------------- */

static int place_trades(struct pass *pass, struct scan_symbol *trades)
{
    struct scan *scan = pass->scan;
    const char *name = trades->symbol;
    int usdm = scan_find_symbol(scan, BINANCE_USDM, name);
    int coinm = scan_find_symbol(scan, BINANCE_COINM, name);
    if (usdm < 0 && coinm < 0) {
        struct instrument_terms terms;
        bool is_usdm =
            instrument_table_find(pass->table, binance_venue_name(BINANCE_USDM), name, &terms);
        bool is_coinm =
            instrument_table_find(pass->table, binance_venue_name(BINANCE_COINM), name, &terms);
        if (is_usdm != is_coinm) {
            trades->market = is_usdm ? BINANCE_USDM : BINANCE_COINM;
            return 0;
        }
    }
    if ((usdm < 0) == (coinm < 0)) {
        return error_set(pass->error, ERROR_INPUT,
                         "trades of %s say neither USD-M nor COIN-M, and it could be "
                         "binance_usdm:%s or binance_coinm:%s; add its depth or bookTicker, or a "
                         "line for it to the instruments file",
                         name, name, name);
    }
    int target = usdm >= 0 ? usdm : coinm;
    grid_merge(&scan->symbols[target].price, &trades->price);
    grid_merge(&scan->symbols[target].quantity, &trades->quantity);
    for (size_t i = 0; i < scan->file_count; i++) {
        size_t bit = (size_t)(trades - scan->symbols);
        if (scan->files[i].symbols[bit / 8] >> (bit % 8) & 1) {
            scan->files[i].symbols[target / 8] |= (uint8_t)(1U << (target % 8));
        }
    }
    return 0;
}

static int compare_symbols(const struct scan_symbol *a, const struct scan_symbol *b)
{
    int order = strcmp(binance_venue_name(a->market), binance_venue_name(b->market));
    return order != 0 ? order : strcmp(a->symbol, b->symbol);
}

/* Number the instruments by (venue name, symbol), which is the order on the tape. */
static int number_instruments(struct pass *pass)
{
    struct scan *scan = pass->scan;
    for (size_t i = 0; i < scan->symbol_count; i++) {
        if (scan->symbols[i].market == BINANCE_FUTURES &&
            place_trades(pass, &scan->symbols[i]) != 0) {
            return ERROR_INPUT;
        }
    }
    for (size_t i = 0; i < scan->symbol_count; i++) {
        if (scan->symbols[i].market == BINANCE_FUTURES) {
            continue;
        }
        size_t at = scan->instrument_count++;
        while (at > 0 &&
               compare_symbols(&scan->symbols[scan->instruments[at - 1]], &scan->symbols[i]) > 0) {
            scan->instruments[at] = scan->instruments[at - 1];
            at--;
        }
        scan->instruments[at] = (uint16_t)i;
    }
    for (size_t i = 0; i < scan->instrument_count; i++) {
        scan->symbols[scan->instruments[i]].instrument = (uint16_t)i;
    }
    for (size_t i = 0; i < scan->symbol_count; i++) {
        struct scan_symbol *symbol = &scan->symbols[i];
        if (symbol->market == BINANCE_FUTURES) {
            int usdm = scan_find_symbol(scan, BINANCE_USDM, symbol->symbol);
            int coinm = scan_find_symbol(scan, BINANCE_COINM, symbol->symbol);
            symbol->instrument = scan->symbols[usdm >= 0 ? usdm : coinm].instrument;
        }
    }
    if (scan->instrument_count == 0 && scan->snapshot_count == 0) {
        return error_set(pass->error, ERROR_INPUT,
                         "%s: has no depth, trade, best bid/ask or snapshot", scan->files[0].path);
    }
    return 0;
}

/* --- bare snapshots: which instrument ---------------------------------------------------------- */

static bool is_in_file(const struct scan_file *file, size_t symbol)
{
    return file->symbols[symbol / 8] >> (symbol % 8) & 1;
}

/* Mark the candidates of a snapshot: instruments of its market in its file, or, where the file has
 * none, of all files. Returns how many. */
static size_t candidates(const struct scan *scan, const struct scan_snapshot *snapshot,
                         uint8_t *marks)
{
    const struct scan_file *file = &scan->files[snapshot->file];
    size_t count = 0;
    for (int everywhere = 0; everywhere < 2 && count == 0; everywhere++) {
        for (size_t i = 0; i < scan->instrument_count; i++) {
            size_t symbol = scan->instruments[i];
            marks[i] = scan->symbols[symbol].market == snapshot->market &&
                       (everywhere || is_in_file(file, symbol));
            count += marks[i];
        }
    }
    return count;
}

enum { MARK_CANDIDATE = 1, MARK_JOINS = 2 };

struct snapshot_id {
    uint64_t id;
    size_t number; /* of the snapshot */
};

/* Context of the second reading that only unplaced snapshots need. */
struct joining {
    struct pass pass;
    uint8_t *marks;            /* instrument_count for each snapshot */
    struct snapshot_id *by_id; /* in order */
};

/* Where the snapshots of that id and above begin in their order. */
static size_t find_id(const struct joining *joining, uint64_t id)
{
    const struct scan *scan = joining->pass.scan;
    size_t low = 0, high = scan->snapshot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (joining->by_id[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int test_joins(struct pass *pass, const struct capture_line *line)
{
    struct joining *joining = (struct joining *)(void *)pass;
    struct scan *scan = pass->scan;
    const struct binance_frame *frame = &pass->frame;
    (void)line;
    if (frame->kind != BINANCE_DEPTH) {
        return 0;
    }
    int symbol = scan_find_symbol(scan, frame->market, frame->symbol);
    ASSERT(symbol >= 0);
    /* A snapshot that a frame joins has an id of the frame's own, or the one before. */
    for (size_t at = find_id(joining, frame->first_id - (frame->first_id > 0));
         at < scan->snapshot_count && joining->by_id[at].id <= frame->last_id; at++) {
        size_t i = joining->by_id[at].number;
        uint8_t *mark =
            &joining->marks[i * scan->instrument_count + scan->symbols[symbol].instrument];
        /* Futures: only the strict rule tells symbols apart, since they share their ids. */
        if (*mark == MARK_CANDIDATE &&
            binance_sync_joins(frame->market != BINANCE_SPOT, scan->snapshots[i].id,
                               frame->first_id, frame->last_id, UINT64_MAX)) {
            *mark |= MARK_JOINS;
        }
    }
    return 0;
}

static int unplaced(const struct scan *scan, const struct scan_snapshot *snapshot,
                    const uint8_t *marks, size_t count, struct error *error)
{
    char names[512] = "";
    size_t length = 0;
    for (size_t i = 0; i < scan->instrument_count && count > 0; i++) {
        const struct scan_symbol *symbol = &scan->symbols[scan->instruments[i]];
        if (marks[i] != 0 && length < sizeof names) {
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s:%s",
                                       length == 0 ? "" : ", ", binance_venue_name(symbol->market),
                                       symbol->symbol);
        }
    }
    error_set(error, ERROR_INPUT,
              "snapshot %llu of %s does not name its symbol, and its ids join %s (candidates: %s)",
              (unsigned long long)snapshot->id, binance_venue_name(snapshot->market),
              count > 1 ? "the depth of several" : "no depth", length == 0 ? "none" : names);
    return at_line(error, scan->files[snapshot->file].path, snapshot->line);
}

/* Place each snapshot by its marks: the only candidate, else the only one whose ids it joins. */
static int place_snapshots(struct scan *scan, const uint8_t *all_marks, struct error *error)
{
    for (size_t i = 0; i < scan->snapshot_count; i++) {
        struct scan_snapshot *snapshot = &scan->snapshots[i];
        const uint8_t *marks = all_marks + i * scan->instrument_count;
        size_t possible = 0, joins = 0, chosen = 0, joined = 0;
        for (size_t k = 0; k < scan->instrument_count; k++) {
            if (marks[k] != 0) {
                possible++;
                chosen = k;
            }
            if (marks[k] & MARK_JOINS) {
                joins++;
                joined = k;
            }
        }
        if (possible != 1 && joins != 1) {
            return unplaced(scan, snapshot, marks,
                            possible == 0 ? 0
                            : joins > 1   ? joins
                                          : 1,
                            error);
        }
        snapshot->instrument = (uint16_t)(possible == 1 ? chosen : joined);
        struct scan_symbol *symbol = &scan->symbols[scan->instruments[snapshot->instrument]];
        grid_merge(&symbol->price, &snapshot->price);
        grid_merge(&symbol->quantity, &snapshot->quantity);
    }
    return 0;
}

static int compare_ids(const void *left, const void *right)
{
    const struct snapshot_id *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

/* Where they are many, each frame is held against few. */
static void order_by_id(struct joining *joining)
{
    const struct scan *scan = joining->pass.scan;
    for (size_t i = 0; i < scan->snapshot_count; i++) {
        joining->by_id[i] = (struct snapshot_id){scan->snapshots[i].id, i};
    }
    qsort(joining->by_id, scan->snapshot_count, sizeof *joining->by_id, compare_ids);
}

/* In the order in which the second reading meets them. */
static int compare_places(const void *left, const void *right)
{
    const struct scan_snapshot *a = left, *b = right;
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return (a->line > b->line) - (a->line < b->line);
}

static int find_snapshots(struct pass *from)
{
    struct scan *scan = from->scan;
    struct joining joining = {.pass = *from};
    size_t count = scan->snapshot_count * scan->instrument_count;
    bool again = false;
    joining.marks = calloc(count + 1, 1);
    joining.by_id = calloc(scan->snapshot_count + 1, sizeof *joining.by_id);
    if (joining.marks == NULL || joining.by_id == NULL) {
        free(joining.marks);
        free(joining.by_id);
        return error_set(from->error, ERROR_SYSTEM, "no memory to place snapshots");
    }
    for (size_t i = 0; i < scan->snapshot_count; i++) {
        uint8_t *marks = joining.marks + i * scan->instrument_count;
        again = candidates(scan, &scan->snapshots[i], marks) > 1 || again;
    }
    order_by_id(&joining);
    int code = 0;
    for (size_t i = 0; again && code == 0 && i < scan->file_count; i++) {
        struct capture *capture;
        joining.pass.file = i;
        code = capture_open(&capture, scan->files[i].path, from->error);
        if (code == 0) {
            code = read_frames(&joining.pass, capture, test_joins);
            capture_close(&capture);
        }
    }
    if (code == 0) {
        code = place_snapshots(scan, joining.marks, from->error);
    }
    if (code == 0 && scan->snapshot_count > 1) {
        qsort(scan->snapshots, scan->snapshot_count, sizeof *scan->snapshots, compare_places);
    }
    from->frame = joining.pass.frame;
    free(joining.marks);
    free(joining.by_id);
    return code;
}

/* --- the whole --------------------------------------------------------------------------------- */

static int init(struct scan *scan, const char *const *paths, size_t path_count, struct error *error)
{
    memset(scan, 0, sizeof *scan);
    scan->files = calloc(path_count, sizeof *scan->files);
    scan->symbols = calloc(SCAN_SYMBOLS_MAX, sizeof *scan->symbols);
    if (scan->files == NULL || scan->symbols == NULL) {
        return error_set(error, ERROR_SYSTEM, "no memory for %zu files", path_count);
    }
    scan->file_count = path_count;
    for (size_t i = 0; i < path_count; i++) {
        scan->files[i].path = paths[i];
        scan->files[i].symbols = calloc(SYMBOL_BYTES, 1);
        if (scan->files[i].symbols == NULL) {
            return error_set(error, ERROR_SYSTEM, "no memory for %zu files", path_count);
        }
    }
    return 0;
}

/* Open each file once before any is read, so that a missing one is told at once. */
static int check_files(struct pass *pass)
{
    for (size_t i = 0; i < pass->scan->file_count; i++) {
        struct capture *capture;
        uint64_t position, size;
        int code = capture_open(&capture, pass->scan->files[i].path, pass->error);
        if (code != 0) {
            return code;
        }
        capture_position(capture, &position, &size);
        pass->total += size;
        capture_close(&capture);
    }
    return 0;
}

int scan_run(struct scan *scan, const char *const *paths, size_t path_count,
             const struct instrument_table *table, int64_t floor_ns, scan_progress *progress,
             void *context, struct error *error)
{
    ASSERT(path_count > 0);
    struct pass pass = {.scan = scan,
                        .table = table,
                        .progress = progress,
                        .context = context,
                        .error = error,
                        .last_symbol = -1};
    int code = init(scan, paths, path_count, error);
    if (code == 0) {
        code = check_files(&pass);
    }
    for (size_t i = 0; code == 0 && i < path_count; i++) {
        pass.file = i;
        code = read_file(&pass);
    }
    if (code == 0) {
        code = order_files(scan, error);
    }
    if (code == 0) {
        code = number_instruments(&pass);
    }
    if (code == 0) {
        code = find_snapshots(&pass);
    }
    binance_frame_free(&pass.frame);
    if (code != 0) {
        scan_free(scan);
        return code;
    }
    clock_correction_finish(&scan->clock, floor_ns);
    return 0;
}

void scan_free(struct scan *scan)
{
    for (size_t i = 0; i < scan->file_count; i++) {
        free(scan->files[i].symbols);
    }
    free(scan->files);
    free(scan->symbols);
    free(scan->snapshots);
    clock_correction_free(&scan->clock);
    memset(scan, 0, sizeof *scan);
}

static int snapshot_instrument(const struct scan *scan, size_t file, uint64_t line)
{
    const struct scan_snapshot wanted = {.file = file, .line = line};
    const struct scan_snapshot *found =
        scan->snapshot_count == 0 ? NULL
                                  : bsearch(&wanted, scan->snapshots, scan->snapshot_count,
                                            sizeof wanted, compare_places);
    return found == NULL ? -1 : found->instrument;
}

int scan_instrument(const struct scan *scan, const struct binance_frame *frame, size_t file,
                    uint64_t line)
{
    if (frame->kind == BINANCE_OTHER) {
        return -1;
    }
    if (frame->symbol[0] == '\0') {
        return snapshot_instrument(scan, file, line);
    }
    int symbol = scan_find_symbol(scan, frame->market, frame->symbol);
    if (symbol < 0 && frame->market == BINANCE_FUTURES) {
        /* Trades only, and the instruments file told the market. */
        symbol = scan_find_symbol(scan, BINANCE_USDM, frame->symbol);
        if (symbol < 0) {
            symbol = scan_find_symbol(scan, BINANCE_COINM, frame->symbol);
        }
    }
    return symbol < 0 ? -1 : scan->symbols[symbol].instrument;
}
