/* capstan-bench: what each stage of a replay costs, as ratios to decompressing the tape alone.
 *
 * All stages run interleaved in one process, so that what else the machine does touches all of them,
 * and the median of the runs counts. CPU time of this thread; wall time where a second thread works. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "cmd/cmd.h"
#include "engine/book.h"
#include "run/backtest.h"
#include "tape/format.h"
#include "tape/tape.h"

static const char name[] = "bench";

enum {
    RUNS_DEFAULT = 7,
    RUNS_MAX = 101,
    STRUCT_BYTES = 48,        /* of the flat record that the tape is compared with */
    STRUCT_BLOCK = 16 * 1024, /* events compressed at once, as many as in a block of the tape */
    STRUCT_LEVEL = 3,
    BOOK_ALIGNMENT = 64
};

/* X(stage, function, what it does) */
#define STAGES(X)                                                                                  \
    X(b0, stage_decompress, "decompress every block's frame from memory, nothing else")            \
    X(read, stage_read, "read, check and decompress every block")                                  \
    X(decode, stage_decode, "the same, to messages and rows")                                      \
    X(book, stage_book, "the same, and every book with a look at its best prices per message")     \
    X(replay, stage_replay, "full replay on one thread")                                           \
    X(replay_wall, stage_replay_wall, "the same, wall time")                                       \
    X(threads_wall, stage_threads_wall, "with the decoder on a second thread, wall time")          \
    X(encode, stage_encode, "write the same messages to a tape")

enum stage {
#define X(stage, function, what) STAGE_##stage,
    STAGES(X)
#undef X
        STAGE_COUNT
};

struct bench {
    const char *tape, *scratch;
    struct config *config;
    struct tape_reader *reader;
    struct tape_block block;
    struct book **books;
    unsigned book_count;
    uint64_t events, messages;
    uint64_t checksum;       /* keeps the work from being left out */
    uint8_t *file, *payload; /* the whole tape; room for its largest block */
    size_t payload_bytes;
    ZSTD_DCtx *decompressor;
    int64_t runs;
    double times[STAGE_COUNT][RUNS_MAX]; /* seconds */
    struct engine_counters counters;
    char fingerprint[FINGERPRINT_TEXT_MAX];
};

typedef int stage_function(struct bench *bench, double *seconds, struct error *error);
#define X(stage, function, what) static stage_function function;
STAGES(X)
#undef X

static double seconds_since(const struct clock *clock, int64_t began)
{
    return (double)(clock_now(clock) - began) / (double)NS_PER_SECOND;
}

static int stage_decompress(struct bench *bench, double *seconds, struct error *error)
{
    int64_t began = clock_now(&clock_thread);
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++) {
        const struct tape_block_info *info = tape_reader_block_info(bench->reader, i);
        const uint8_t *frame = bench->file + info->offset + TAPE_BLOCK_HEADER_BYTES;
        size_t got = ZSTD_decompressDCtx(bench->decompressor, bench->payload, bench->payload_bytes,
                                         frame, info->compressed_bytes);
        if (got != info->raw_bytes)
            return error_set(error, ERROR_INPUT, "%s: block %zu does not decompress", bench->tape,
                             i);
    }
    *seconds = seconds_since(&clock_thread, began);
    return 0;
}

static int stage_read(struct bench *bench, double *seconds, struct error *error)
{
    int64_t began = clock_now(&clock_thread);
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++)
        if (tape_reader_decompress(bench->reader, i, error))
            return error->code;
    *seconds = seconds_since(&clock_thread, began);
    return 0;
}

static int stage_decode(struct bench *bench, double *seconds, struct error *error)
{
    const struct tape_block *block = &bench->block;
    int64_t began = clock_now(&clock_thread);
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++) {
        if (tape_reader_read(bench->reader, i, &bench->block, error))
            return error->code;
        for (uint32_t row = 0; row < block->row_count; row++)
            bench->checksum += (uint64_t)block->rows[row].quantity;
    }
    *seconds = seconds_since(&clock_thread, began);
    return 0;
}

static void apply(struct bench *bench, const struct message *message)
{
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->stream == EVENT_NONE_16 || instrument >= bench->book_count)
        return;
    struct book *book = bench->books[instrument];
    if (message->kind == EVENT_depth || message->kind == EVENT_snapshot)
        book_apply(book, message);
    struct book_level level = {0, 0};
    if (book_best(book, SIDE_BUY, &level))
        bench->checksum += (uint64_t)level.price;
    if (book_best(book, SIDE_SELL, &level))
        bench->checksum += (uint64_t)level.price;
}

static int stage_book(struct bench *bench, double *seconds, struct error *error)
{
    const struct tape_block *block = &bench->block;
    for (unsigned i = 0; i < bench->book_count; i++)
        book_clear(bench->books[i]);
    int64_t began = clock_now(&clock_thread);
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++) {
        if (tape_reader_read(bench->reader, i, &bench->block, error))
            return error->code;
        for (uint32_t message = 0; message < block->message_count; message++)
            apply(bench, &block->messages[message]);
    }
    *seconds = seconds_since(&clock_thread, began);
    return 0;
}

/* One backtest, timed from the first message to the last. */
static int replay(struct bench *bench, const char *threads, const struct clock *clock,
                  double *seconds, struct error *error)
{
    struct backtest backtest = {0};
    const struct backtest_options options = {.tape = bench->tape,
                                             .config = bench->config,
                                             .from = INT64_MIN,
                                             .to = INT64_MAX,
                                             .allow_unknown = true};
    int code = config_set(bench->config, threads, error);
    if (!code)
        code = backtest_open(&backtest, &options, error);
    if (!code) {
        int64_t began = clock_now(clock);
        code = backtest_run(&backtest, error);
        *seconds = seconds_since(clock, began);
    }
    if (!code) {
        bench->counters = *engine_counters(backtest.engine.engine);
        fingerprint_text(backtest.fingerprint, bench->fingerprint);
    }
    backtest_close(&backtest);
    return code;
}

static int stage_replay(struct bench *bench, double *seconds, struct error *error)
{
    return replay(bench, "feed.threads=1", &clock_thread, seconds, error);
}

static int stage_replay_wall(struct bench *bench, double *seconds, struct error *error)
{
    return replay(bench, "feed.threads=1", &clock_monotonic, seconds, error);
}

static int stage_threads_wall(struct bench *bench, double *seconds, struct error *error)
{
    return replay(bench, "feed.threads=2", &clock_monotonic, seconds, error);
}

static int append_blocks(struct bench *bench, struct tape_writer *writer, double *seconds,
                         struct error *error)
{
    const struct tape_block *block = &bench->block;
    *seconds = 0;
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++) {
        if (tape_reader_read(bench->reader, i, &bench->block, error))
            return error->code;
        int64_t began = clock_now(&clock_thread);
        for (uint32_t message = 0; message < block->message_count; message++)
            if (tape_writer_append(writer, &block->messages[message], error))
                return error->code;
        *seconds += seconds_since(&clock_thread, began);
    }
    return 0;
}

static int stage_encode(struct bench *bench, double *seconds, struct error *error)
{
    struct tape_writer *writer = NULL;
    const struct tape_writer_options options = {0};
    int code = tape_writer_open(&writer, bench->scratch, tape_reader_header(bench->reader),
                                &options, error);
    if (!code)
        code = append_blocks(bench, writer, seconds, error);
    if (code) {
        tape_writer_abandon(&writer);
        return code;
    }
    code = tape_writer_finish(&writer, error);
    unlink(bench->scratch);
    return code;
}

/* --- the flat records that the tape is compared with ---------------------------------------------- */

/* A row as the 48-byte record that a simpler tape would hold. */
static void put_struct(uint8_t *to, const struct message *message, const struct row *row)
{
    struct flat {
        int64_t ts_local, ts_venue, price, quantity;
        uint64_t sequence;
        uint16_t stream;
        uint8_t kind, flags;
        uint32_t row_count;
    } flat = {message->ts_local, message->ts_venue, row->price,
              row->quantity,     message->sequence, message->stream,
              message->kind,     row->flags,        message->row_count};
    _Static_assert(sizeof flat == STRUCT_BYTES, "the record has no padding");
    memcpy(to, &flat, sizeof flat);
}

struct flat_tape {
    uint8_t *structs, *compressed;
    size_t count, capacity;
    uint64_t bytes;
};

static void compress_structs(struct flat_tape *flat)
{
    size_t bytes = ZSTD_compress(flat->compressed, flat->capacity, flat->structs,
                                 flat->count * STRUCT_BYTES, STRUCT_LEVEL);
    ASSERT(!ZSTD_isError(bytes));
    flat->bytes += bytes;
    flat->count = 0;
}

static int measure_structs(struct bench *bench, uint64_t *bytes, struct error *error)
{
    struct flat_tape flat = {.capacity = ZSTD_compressBound(STRUCT_BLOCK * STRUCT_BYTES)};
    flat.structs = malloc(STRUCT_BLOCK * STRUCT_BYTES);
    flat.compressed = malloc(flat.capacity);
    int code = flat.structs && flat.compressed ? 0 : error_set(error, ERROR_SYSTEM, "no memory");
    for (size_t i = 0; !code && i < tape_reader_block_count(bench->reader); i++) {
        code = tape_reader_read(bench->reader, i, &bench->block, error);
        for (uint32_t m = 0; !code && m < bench->block.message_count; m++) {
            const struct message *message = &bench->block.messages[m];
            for (uint32_t row = 0; row < message->row_count; row++) {
                put_struct(flat.structs + flat.count++ * STRUCT_BYTES, message,
                           &message->rows[row]);
                if (flat.count == STRUCT_BLOCK)
                    compress_structs(&flat);
            }
        }
    }
    if (!code && flat.count > 0)
        compress_structs(&flat);
    *bytes = flat.bytes;
    free(flat.structs);
    free(flat.compressed);
    return code;
}

/* --- running and telling -------------------------------------------------------------------------- */

static int open_books(struct bench *bench, struct error *error)
{
    struct config_resolved resolved;
    const struct event_names *names = &tape_reader_header(bench->reader)->names;
    if (config_resolve(bench->config, names, true, &resolved, error))
        return error->code;
    bench->books = calloc(names->instrument_count + 1u, sizeof(struct book *));
    ASSERT(bench->books);
    for (unsigned i = 0; i < names->instrument_count; i++) {
        unsigned far_levels = (unsigned)resolved.instruments[i].book_far_levels;
        size_t size =
            (book_size(far_levels) + BOOK_ALIGNMENT - 1) / BOOK_ALIGNMENT * BOOK_ALIGNMENT;
        void *memory = aligned_alloc(BOOK_ALIGNMENT, size);
        ASSERT(memory);
        bench->books[i] = book_init(memory, size, far_levels);
        bench->book_count++;
    }
    config_resolved_free(&resolved);
    return 0;
}

static void count_events(struct bench *bench)
{
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++) {
        const struct tape_block_info *info = tape_reader_block_info(bench->reader, i);
        bench->events += info->row_count + info->record_count;
        bench->messages += info->message_count;
    }
}

static int run_stages(struct bench *bench, const char *only, struct error *error)
{
    static stage_function *const functions[] = {
#define X(stage, function, what) function,
        STAGES(X)
#undef X
    };
    static const char *const names[] = {
#define X(stage, function, what) #stage,
        STAGES(X)
#undef X
    };
    for (int64_t run = 0; run < bench->runs; run++)
        for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
            if (only && strcmp(only, names[stage]) != 0)
                continue;
            int code = functions[stage](bench, &bench->times[stage][run], error);
            if (code)
                return code;
        }
    return 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double median(struct bench *bench, enum stage stage)
{
    qsort(bench->times[stage], (size_t)bench->runs, sizeof(double), compare_doubles);
    return bench->times[stage][bench->runs / 2];
}

static void tell_stages(struct bench *bench, cJSON *root)
{
    static const char *const names[] = {
#define X(stage, function, what) #stage,
        STAGES(X)
#undef X
    };
    double b0 = median(bench, STAGE_b0);
    cJSON *stages = cmd_json_object(root, "stages");
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        double seconds = median(bench, stage);
        cJSON *object = cmd_json_object(stages, names[stage]);
        cmd_json_measure(object, "seconds", seconds, 6);
        cmd_json_measure(object, "ns_per_event", seconds * 1e9 / (double)bench->events, 3);
        /* CPU time is not held against wall time. */
        if (stage == STAGE_threads_wall)
            cmd_json_measure(object, "ratio_to_replay_wall",
                             seconds / median(bench, STAGE_replay_wall), 3);
        else if (stage != STAGE_replay_wall)
            cmd_json_measure(object, "ratio_to_b0", seconds / b0, 3);
    }
}

static int tell(struct bench *bench, struct error *error)
{
    uint64_t struct_bytes = 0;
    if (measure_structs(bench, &struct_bytes, error))
        return error->code;
    uint64_t tape_bytes = 0;
    for (size_t i = 0; i < tape_reader_block_count(bench->reader); i++)
        tape_bytes += tape_reader_block_info(bench->reader, i)->compressed_bytes;
    const struct engine_counters *counters = &bench->counters;
    double events = (double)bench->events;
    cJSON *root = cJSON_CreateObject();
    cmd_json_text(root, "tape", bench->tape);
    cmd_json_count(root, "events", bench->events);
    cmd_json_count(root, "messages", bench->messages);
    cmd_json_integer(root, "runs", bench->runs);
    tell_stages(bench, root);
    double beyond_book = median(bench, STAGE_replay) - median(bench, STAGE_book);
    cmd_json_count(root, "cycles", counters->cycles);
    cmd_json_measure(root, "ns_per_cycle",
                     counters->cycles ? beyond_book * 1e9 / (double)counters->cycles : 0, 1);
    cmd_json_count(root, "decisions", counters->decisions);
    cmd_json_count(root, "place_requests", counters->placed);
    cmd_json_count(root, "fills", counters->fills);
    cmd_json_text(root, "fingerprint", bench->fingerprint);
    cmd_json_measure(root, "tape_bytes_per_event", (double)tape_bytes / events, 3);
    cmd_json_measure(root, "struct_zstd3_bytes_per_event", (double)struct_bytes / events, 3);
    cmd_json_measure(root, "tape_to_struct_bytes", (double)tape_bytes / (double)struct_bytes, 3);
    return cmd_json_print(root, true, stdout, error);
}

/* The whole tape in memory, so that the baseline reads nothing. */
static int load_file(struct bench *bench, struct error *error)
{
    size_t blocks = tape_reader_block_count(bench->reader), bytes = 0;
    for (size_t i = 0; i < blocks; i++) {
        const struct tape_block_info *info = tape_reader_block_info(bench->reader, i);
        bytes = (size_t)info->offset + TAPE_BLOCK_HEADER_BYTES + info->compressed_bytes;
        if (info->raw_bytes > bench->payload_bytes)
            bench->payload_bytes = info->raw_bytes;
    }
    bench->file = malloc(bytes + 1);
    bench->payload = malloc(bench->payload_bytes + 1);
    bench->decompressor = ZSTD_createDCtx();
    FILE *file = fopen(bench->tape, "rb");
    bool whole = bench->file && bench->payload && bench->decompressor && file &&
                 fread(bench->file, 1, bytes, file) == bytes;
    if (file)
        fclose(file);
    return whole ? 0 : error_set(error, ERROR_SYSTEM, "%s: cannot be read whole", bench->tape);
}

static int run_bench(struct bench *bench, const struct cmd_config_options *config, const char *only,
                     struct error *error)
{
    char scratch[4096];
    snprintf(scratch, sizeof scratch, "%s.bench", bench->tape);
    bench->scratch = scratch;
    int code = cmd_load_config(config, &bench->config, error);
    if (!code)
        code = tape_reader_open(&bench->reader, bench->tape, error);
    if (!code)
        code = tape_block_init(&bench->block, bench->reader, error);
    if (!code)
        code = open_books(bench, error);
    if (!code)
        code = load_file(bench, error);
    if (!code) {
        count_events(bench);
        code = run_stages(bench, only, error);
    }
    if (!code && !only)
        code = tell(bench, error);
    else if (!code)
        printf("{\"events\": %llu}\n", (unsigned long long)bench->events);
    for (unsigned i = 0; i < bench->book_count; i++)
        free(bench->books[i]);
    free(bench->books);
    free(bench->file);
    free(bench->payload);
    ZSTD_freeDCtx(bench->decompressor);
    if (bench->block.memory)
        tape_block_free(&bench->block);
    tape_reader_close(&bench->reader);
    config_free(&bench->config);
    return code;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.runs = RUNS_DEFAULT};
    struct cmd_config_options config = {0};
    const char *only = NULL;
    const struct cmd_option options[] = {
        CMD_CONFIG_OPTIONS(&config),
        CMD_COUNT("runs", 0, 1, RUNS_MAX, "runs of each stage, interleaved", &bench.runs),
        CMD_TEXT("only", 0, "STAGE", "run one stage and print the number of events: for profilers",
                 &only),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "TAPE",
        .opening = "Measure the stages of a replay of TAPE; prints JSON.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE) {
        struct error error = {0};
        bench.tape = arguments.items[0];
        status = run_bench(&bench, &config, only, &error);
        if (status)
            cmd_fail(name, &error);
    }
    cmd_config_options_free(&config);
    return status;
}
