/* capstan tape info: what stands on a tape and how far to trust it. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/tape.h"
#include "run/grade.h"

/* X(name, what it counts): the rows of each use, counted apart. */
#define ROW_USES(X)                                                                                \
    X(level_changes, "changed levels, those held before a snapshot included")                      \
    X(snapshot_levels, "levels of snapshots themselves")                                           \
    X(trades, "trades")                                                                            \
    X(top_rows, "rows of best bid and ask")                                                        \
    X(order_level_rows, "order-level events")

enum row_use {
#define X(name, meaning) USE_##name,
    ROW_USES(X)
#undef X
        USE_COUNT
};

static const char *const use_names[USE_COUNT] = {
#define X(name, meaning) #name,
    ROW_USES(X)
#undef X
};

enum { FEE_EXPONENT = -9 /* maker and taker fee of a definition: 1e-9 of the value */ };

struct counts {
    uint64_t kinds[256];
    uint64_t uses[USE_COUNT];
    int64_t first_ts, last_ts;
    uint64_t messages;
};

struct info {
    const char *path;
    struct tape_reader *reader;
    uint64_t bytes;
    struct counts all;
    struct counts *instruments;
    char identity[TAPE_IDENTITY_TEXT_MAX];
    struct market_faults *faults;
    struct run_grade grade; /* the header's, made worse by what stands on the tape */
    bool follows;           /* another tape: */
    struct event_predecessor predecessor;
};

static enum row_use use_of(unsigned kind, const struct row *row)
{
    switch (kind) {
    case EVENT_trade:
        return USE_trades;
    case EVENT_top:
        return USE_top_rows;
    case EVENT_order_level:
        return USE_order_level_rows;
    case EVENT_snapshot:
        return (row->flags & ROW_FROM_SNAPSHOT) != 0 ? USE_snapshot_levels : USE_level_changes;
    default:
        return USE_level_changes;
    }
}

static void count(struct counts *counts, const struct message *message)
{
    counts->kinds[message->kind]++;
    if (counts->messages++ == 0)
        counts->first_ts = message->ts_local;
    counts->last_ts = message->ts_local;
    for (uint32_t i = 0; i < message->row_count; i++)
        counts->uses[use_of(message->kind, &message->rows[i])]++;
}

static int count_block(struct info *info, const struct tape_block *block,
                       struct tape_identity *identity, struct error *error)
{
    int code = 0;
    for (uint32_t m = 0; m < block->message_count && code == 0; m++) {
        const struct message *message = &block->messages[m];
        count(&info->all, message);
        if (message->kind == EVENT_predecessor) {
            info->follows = true;
            info->predecessor = message->record->predecessor;
        }
        if (message->stream != EVENT_NONE_16)
            count(&info->instruments[EVENT_STREAM_INSTRUMENT(message->stream)], message);
        tape_identity_add(identity, message);
        code = market_faults_take(info->faults, message, error);
    }
    return code;
}

static int grade(struct info *info, struct error *error)
{
    const struct tape_header *header = tape_reader_header(info->reader);
    return run_grade_of_market(info->faults, header, header->grade_reasons, &info->grade, error);
}

static int gather(struct info *info, struct error *error)
{
    struct tape_block block = {0};
    struct tape_identity identity = {0};
    struct stat status = {0};
    const struct event_names *names = &tape_reader_header(info->reader)->names;
    info->instruments = calloc((size_t)names->instrument_count + 1, sizeof *info->instruments);
    int code = info->instruments == NULL ? error_set(error, ERROR_SYSTEM, "no memory for counts")
                                         : tape_block_init(&block, info->reader, error);
    if (code == 0)
        code = tape_identity_open(&identity, tape_reader_most_rows(info->reader), error);
    if (code == 0)
        code = market_faults_open(&info->faults, names, NULL, error);
    for (size_t b = 0; code == 0 && b < tape_reader_block_count(info->reader); b++) {
        code = tape_reader_read(info->reader, b, &block, error);
        if (code == 0)
            code = count_block(info, &block, &identity, error);
    }
    if (code == 0)
        code = grade(info, error);
    if (code == 0) {
        uint8_t bytes[TAPE_IDENTITY_BYTES];
        tape_identity_get(&identity, bytes);
        tape_identity_text(bytes, info->identity);
        if (stat(info->path, &status) == 0)
            info->bytes = (uint64_t)status.st_size;
    }
    tape_identity_close(&identity);
    tape_block_free(&block);
    return code;
}

static uint64_t row_count(const struct counts *counts)
{
    uint64_t rows = 0;
    for (unsigned u = 0; u < USE_COUNT; u++)
        rows += counts->uses[u];
    return rows;
}

/* --- JSON -------------------------------------------------------------------------------------- */

static void json_counts(cJSON *object, const struct counts *counts)
{
    cmd_json_count(object, "messages", counts->messages);
    cmd_json_count(object, "rows", row_count(counts));
    if (counts->messages > 0) {
        cmd_json_time(object, "first", counts->first_ts);
        cmd_json_time(object, "last", counts->last_ts);
    }
    for (unsigned u = 0; u < USE_COUNT; u++)
        cmd_json_count(object, use_names[u], counts->uses[u]);
    cJSON *kinds = cmd_json_object(object, "kinds");
    for (unsigned k = 0; k < 256; k++)
        if (counts->kinds[k] != 0)
            cmd_json_count(kinds, event_kind_info(k)->name, counts->kinds[k]);
}

/* The asset's name, or "-". */
static const char *asset_text(const struct event_names *names, unsigned asset)
{
    return asset < names->asset_count ? names->assets[asset] : "-";
}

/* Assets and terms of trade, which decide what a fill earns. */
static void json_terms(cJSON *object, const struct event_names *names,
                       const struct event_definition *definition)
{
    cmd_json_text(object, "base", asset_text(names, definition->base));
    cmd_json_text(object, "quote", asset_text(names, definition->quote));
    cmd_json_text(object, "settle", asset_text(names, definition->settle));
    cmd_json_decimal(object, "multiplier", definition->multiplier, definition->multiplier_exponent);
    cmd_json_money(object, "minimum_notional", definition->minimum_notional);
    cmd_json_decimal(object, "maker_fee", definition->maker_fee, FEE_EXPONENT);
    cmd_json_decimal(object, "taker_fee", definition->taker_fee, FEE_EXPONENT);
    cmd_json_integer(object, "base_commission_exponent", definition->base_commission_exponent);
    cmd_json_integer(object, "quote_commission_exponent", definition->quote_commission_exponent);
    cmd_json_text(object, "fee_asset", event_enum_text(FIELD_FEE_ASSET, definition->fee_asset));
}

static void json_instrument(cJSON *object, const struct info *info, unsigned i)
{
    const struct event_names *names = &tape_reader_header(info->reader)->names;
    const struct event_definition *definition = &names->definitions[i];
    cmd_json_text(object, "contract", event_enum_text(FIELD_CONTRACT, definition->contract));
    cmd_json_decimal(object, "tick", definition->tick, definition->price_exponent);
    cmd_json_decimal(object, "lot", definition->lot, definition->quantity_exponent);
    cmd_json_text(object, "grid", event_enum_text(FIELD_BASIS, definition->grid_basis));
    json_terms(object, names, definition);
    json_counts(object, &info->instruments[i]);
}

static void json_predecessor(cJSON *object, const struct event_predecessor *told)
{
    char name[EVENT_TEXT_MAX + 1], identity[HASH_128_TEXT_BYTES];
    snprintf(name, sizeof name, "%.*s", told->name.length, told->name.bytes);
    hash_128_to_text((struct hash_128){told->identity_high, told->identity_low}, identity);
    cmd_json_text(object, "tape", name);
    cmd_json_text(object, "identity", identity);
    cmd_json_count(object, "messages", told->messages);
    cmd_json_time(object, "last", told->last);
    cmd_json_count(object, "epoch", told->epoch);
    cmd_json_count(object, "number", told->number);
}

static int print_json(const struct info *info, struct error *error)
{
    const struct tape_header *header = tape_reader_header(info->reader);
    cJSON *root = cJSON_CreateObject();
    cmd_json_text(root, "tape", info->path);
    cmd_json_count(root, "version", header->version);
    cmd_json_text(root, "origin", tape_origin_text(header->origin));
    cmd_json_text(root, "grade", tape_grade_letter(info->grade.grade));
    cJSON *reasons = cmd_json_array(root, "grade_reasons");
    cmd_json_lines(reasons, header->grade_reasons);
    cmd_json_lines(reasons, info->grade.reasons);
    cmd_json_text(root, "header_grade", tape_grade_letter(header->grade));
    cmd_json_text(root, "tool_version", header->tool_version);
    cmd_json_text(root, "build_id", header->build_id);
    cmd_json_count(root, "seed", header->seed);
    cmd_json_integer(root, "feed_floor_ns", header->feed_floor_ns);
    cmd_json_flag(root, "finished", tape_reader_is_finished(info->reader));
    cmd_json_count(root, "bytes", info->bytes);
    cmd_json_count(root, "blocks", tape_reader_block_count(info->reader));
    uint64_t rows = row_count(&info->all);
    if (rows > 0)
        cmd_json_measure(root, "bytes_per_row", (double)info->bytes / (double)rows, 3);
    cmd_json_text(root, "identity", info->identity);
    if (info->follows)
        json_predecessor(cmd_json_object(root, "predecessor"), &info->predecessor);
    json_counts(root, &info->all);
    cJSON *instruments = cmd_json_object(root, "instruments");
    for (unsigned i = 0; i < header->names.instrument_count; i++) {
        char name[EVENT_INSTRUMENT_NAME_MAX];
        event_instrument_name(&header->names, i, name);
        json_instrument(cmd_json_object(instruments, name), info, i);
    }
    return cmd_json_print(root, true, stdout, error);
}

/* --- text -------------------------------------------------------------------------------------- */

static void print_counts(const struct counts *counts, const char *indent)
{
    static const char *const meanings[USE_COUNT] = {
#define X(name, meaning) meaning,
        ROW_USES(X)
#undef X
    };
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    if (counts->messages == 0) {
        printf("%snothing\n", indent);
        return;
    }
    time_to_text(counts->first_ts, first);
    time_to_text(counts->last_ts, last);
    printf("%sfrom %s to %s (%.3f s)\n", indent, first, last,
           ((double)counts->last_ts - (double)counts->first_ts) / (double)NS_PER_SECOND);
    for (unsigned k = 0; k < 256; k++)
        if (counts->kinds[k] != 0)
            printf("%s%12" PRIu64 " messages of kind %s\n", indent, counts->kinds[k],
                   event_kind_info(k)->name);
    for (unsigned u = 0; u < USE_COUNT; u++)
        if (counts->uses[u] != 0)
            printf("%s%12" PRIu64 " %s\n", indent, counts->uses[u], meanings[u]);
}

static void print_terms(const struct event_names *names, const struct event_definition *definition)
{
    char maker[DECIMAL_TEXT_MAX], taker[DECIMAL_TEXT_MAX], multiplier[DECIMAL_TEXT_MAX];
    char notional[MONEY_TEXT_MAX];
    decimal_to_text(definition->maker_fee, FEE_EXPONENT, maker);
    decimal_to_text(definition->taker_fee, FEE_EXPONENT, taker);
    decimal_to_text(definition->multiplier, definition->multiplier_exponent, multiplier);
    money_to_text(definition->minimum_notional, notional);
    printf("  base %s, quote %s, settled in %s, multiplier %s, minimum notional %s\n",
           asset_text(names, definition->base), asset_text(names, definition->quote),
           asset_text(names, definition->settle), multiplier, notional);
    printf("  fees: maker %s, taker %s of the value; commission in units of 1e%d of base, 1e%d of "
           "quote\n",
           maker, taker, definition->base_commission_exponent,
           definition->quote_commission_exponent);
}

static void print_predecessor(const struct event_predecessor *told)
{
    char identity[HASH_128_TEXT_BYTES], last[TIME_TEXT_MAX];
    hash_128_to_text((struct hash_128){told->identity_high, told->identity_low}, identity);
    time_to_text(told->last, last);
    printf("tape %" PRIu64 " of its chain: goes on behind %.*s of %" PRIu64
           " messages, the last at %s, session %" PRIu64 ", identity %s\n",
           told->number, told->name.length, told->name.bytes, told->messages, last, told->epoch,
           identity);
}

static void print_text(const struct info *info)
{
    const struct tape_header *header = tape_reader_header(info->reader);
    uint64_t rows = row_count(&info->all);
    const unsigned found = info->grade.grade;
    printf("%s: tape of format %" PRIu32 ", %s%s\n", info->path, header->version,
           tape_origin_text(header->origin),
           tape_reader_is_finished(info->reader) ? "" : ", NOT FINISHED (see tape repair)");
    printf("grade %s: %s\n", tape_grade_letter(found), tape_grade_meaning(found));
    cmd_print_lines(header->grade_reasons, "  ", stdout);
    cmd_print_lines(info->grade.reasons, "  ", stdout);
    printf("identity %s\n", info->identity);
    if (info->follows)
        print_predecessor(&info->predecessor);
    printf("tool %s, build %s, seed %" PRIu64 ", feed floor %.6f ms\n", header->tool_version,
           header->build_id[0] != 0 ? header->build_id : "not told", header->seed,
           (double)header->feed_floor_ns / (double)NS_PER_MS);
    printf("%" PRIu64 " bytes in %zu blocks, %" PRIu64 " messages, %" PRIu64 " rows", info->bytes,
           tape_reader_block_count(info->reader), info->all.messages, rows);
    if (rows > 0)
        printf(", %.3f bytes a row", (double)info->bytes / (double)rows);
    printf("\n");
    print_counts(&info->all, "");
    for (unsigned i = 0; i < header->names.instrument_count; i++) {
        const struct event_definition *definition = &header->names.definitions[i];
        char name[EVENT_INSTRUMENT_NAME_MAX], tick[DECIMAL_TEXT_MAX], lot[DECIMAL_TEXT_MAX];
        event_instrument_name(&header->names, i, name);
        decimal_to_text(definition->tick, definition->price_exponent, tick);
        decimal_to_text(definition->lot, definition->quantity_exponent, lot);
        printf("%s: %s, tick %s, lot %s (%s)\n", name,
               event_enum_text(FIELD_CONTRACT, definition->contract), tick, lot,
               event_enum_text(FIELD_BASIS, definition->grid_basis));
        print_terms(&header->names, definition);
        print_counts(&info->instruments[i], "  ");
    }
}

int cmd_tape_info(int argc, char **argv)
{
    bool json = false, config = false;
    const struct cmd_option table[] = {
        CMD_FLAG("json", 0, "print one JSON object", &json),
        CMD_FLAG("settings", 0, "print the settings that stand on the tape, and nothing else",
                 &config),
    };
    const struct cmd_usage usage = {
        .name = "tape info",
        .arguments = "TAPE",
        .opening = "Tell what a tape is: where it comes from and its grade, what stands on it, of\n"
                   "each kind and instrument, and its identity, which is the hash of all its\n"
                   "messages whatever blocks they stand in.\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    struct info info = {.path = arguments.items[0]};
    status = tape_reader_open(&info.reader, info.path, &error);
    if (status == 0 && config)
        fputs(tape_reader_header(info.reader)->config, stdout);
    else if (status == 0)
        status = gather(&info, &error);
    if (status == 0 && json && !config)
        status = print_json(&info, &error);
    else if (status == 0 && !config)
        print_text(&info);
    run_grade_free(&info.grade);
    market_faults_close(&info.faults);
    free(info.instruments);
    tape_reader_close(&info.reader);
    return status == 0 ? 0 : cmd_fail(usage.name, &error);
}
