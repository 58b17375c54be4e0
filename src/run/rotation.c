/* Names of a chain's tapes, the carry in parts, and the beginning of the next tape. */
#include "config.h" /* POSIX names */

#include "run/rotation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "tape/file.h"
#include "tape/journal.h"
#include "tape/reader.h"

enum {
    DIGITS_LEAST = 4,
    DIGITS_MOST = 6,
    ENGINE_ALIGNMENT = 64,
    /* Two journals, and the first blocks of a busy market. */
    ROOM_BYTES = TAPE_JOURNALS * TAPE_JOURNAL_BYTES + (4 << 20)
};

/* --- names ---------------------------------------------------------------------------------------------- */

const char *rotation_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Bytes of a name before its ending: .tape, and .db of the database beside it. */
static size_t stem_of(const char *name)
{
    static const char *const endings[] = {".tape", ".db"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t tail = strlen(endings[i]);
        if (length > tail && strcmp(name + length - tail, endings[i]) == 0)
            return length - tail;
    }
    return length;
}

int rotation_path(const char *base, uint64_t number, char path[ROTATION_PATH_BYTES],
                  struct error *error)
{
    ASSERT(number > 0);
    int stem = (int)stem_of(base), length;
    if (number == 1)
        length = snprintf(path, ROTATION_PATH_BYTES, "%s", base);
    else
        length = snprintf(path, ROTATION_PATH_BYTES, "%.*s-%0*" PRIu64 "%s", stem, base,
                          DIGITS_LEAST, number, base + stem);
    if (length < 0 || length >= ROTATION_PATH_BYTES)
        return error_set(error, ERROR_INPUT, "%.200s…: the path is too long", base);
    if (number > 1 && strlen(rotation_file(path)) > EVENT_TEXT_MAX)
        return error_set(error, ERROR_INPUT,
                         "%s: the file's name is too long for a tape that others follow: at most "
                         "%d bytes, or tape.rotate_every 0",
                         rotation_file(path), EVENT_TEXT_MAX);
    if (number > ROTATION_NUMBER_MAX)
        return error_set(error, ERROR_INPUT, "%s: more than %d tapes follow each other", base,
                         ROTATION_NUMBER_MAX);
    return 0;
}

/* The number in a file's name; 0: it is none of the chain. */
static uint64_t number_of(const char *base, const char *name)
{
    size_t stem = stem_of(base), digits = 0;
    uint64_t number = 0;
    if (strncmp(name, base, stem) != 0 || name[stem] != '-')
        return 0;
    name += stem + 1;
    for (; name[digits] >= '0' && name[digits] <= '9' && digits <= DIGITS_MOST; digits++)
        number = number * 10 + (uint64_t)(name[digits] - '0');
    bool padded = digits == DIGITS_LEAST || (digits > DIGITS_LEAST && name[0] != '0');
    return padded && digits <= DIGITS_MOST && strcmp(name + digits, base + stem) == 0 ? number : 0;
}

int rotation_newest(const char *base, uint64_t *number, struct error *error)
{
    char folder[ROTATION_PATH_BYTES];
    const char *file = rotation_file(base);
    int length = snprintf(folder, sizeof folder, "%.*s.", (int)(file - base), base);
    if (length < 0 || length >= (int)sizeof folder)
        return error_set(error, ERROR_INPUT, "%.200s…: the path is too long", base);
    DIR *all = opendir(folder);
    *number = 1;
    if (all == NULL)
        return error_set(error, ERROR_INPUT, "%s: can't be looked through for tapes: %s", folder,
                         strerror(errno));
    for (const struct dirent *entry; (entry = readdir(all)) != NULL;) {
        uint64_t found = number_of(file, entry->d_name);
        *number = found > *number ? found : *number;
    }
    closedir(all);
    return 0;
}

/* A tape's name, the writer's process and ".part" (tape/file.c). */
static bool is_part_of(const char *tape, const char *name)
{
    static const char part[] = ".part";
    size_t length = strlen(tape);
    if (strncmp(name, tape, length) != 0 || name[length] != '.')
        return false;
    name += length + 1;
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && strcmp(name + digits, part) == 0;
}

void rotation_tidy(const char *base, uint64_t number)
{
    char next[ROTATION_PATH_BYTES], path[2 * ROTATION_PATH_BYTES];
    struct error ignored;
    if (rotation_path(base, number + 1, next, &ignored))
        return;
    int folder = (int)(rotation_file(next) - next);
    snprintf(path, sizeof path, "%.*s.", folder, next);
    DIR *all = opendir(path);
    for (const struct dirent *entry; all && (entry = readdir(all)) != NULL;) {
        if (!is_part_of(rotation_file(next), entry->d_name))
            continue;
        snprintf(path, sizeof path, "%.*s%s", folder, next, entry->d_name);
        unlink(path);
    }
    if (all)
        closedir(all);
}

int rotation_room(const char *path, struct error *error)
{
    char name[ROTATION_PATH_BYTES];
    if (access(path, F_OK) == 0)
        return error_set(error, ERROR_INPUT, "%s: is there already", path);
    int length = snprintf(name, sizeof name, "%s.room", path);
    if (length < 0 || length >= (int)sizeof name)
        return error_set(error, ERROR_INPUT, "%.200s…: the path is too long", path);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int cause = fd < 0 ? errno : 0;
    if (fd >= 0) {
        unlink(name); /* a death leaves nothing */
        cause = posix_fallocate(fd, 0, ROOM_BYTES);
        close(fd);
    }
    return cause == 0 ? 0
                      : error_set(error, ERROR_SYSTEM, "%s: there is no room for a new tape: %s",
                                  path, strerror(cause));
}

/* --- the carry in parts ----------------------------------------------------------------------------------- */

static int grow(struct rotation_carry *carry, struct error *error)
{
    if (carry->capacity - carry->length >= ROTATION_PART_BYTES)
        return 0;
    size_t capacity = 2 * carry->capacity + 64 * ROTATION_PART_BYTES;
    uint8_t *bytes = realloc(carry->bytes, capacity);
    if (bytes == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a carry");
    carry->bytes = bytes;
    carry->capacity = capacity;
    return 0;
}

static void add(struct rotation_carry *carry, const struct event_text *text)
{
    memcpy(carry->bytes + carry->length, text->bytes, text->length);
    carry->length += text->length;
}

static int take_part(struct rotation_carry *carry, const struct event_carry *part,
                     struct error *error)
{
    bool last = part->part + 1 == part->parts;
    bool full = part->bytes.length == EVENT_TEXT_MAX && part->more.length == EVENT_TEXT_MAX;
    if (!carry->follows || carry->whole || part->part != carry->parts ||
        part->part >= part->parts || (!last && !full) ||
        part->parts > ROTATION_CARRY_BYTES_MAX / ROTATION_PART_BYTES)
        return error_set(error, ERROR_INPUT,
                         "part %" PRIu64 " of %" PRIu64 " of a carry: expected part %" PRIu64
                         ", behind a predecessor",
                         part->part, part->parts, carry->parts);
    int code = grow(carry, error);
    if (code)
        return code;
    add(carry, &part->bytes);
    add(carry, &part->more);
    carry->parts++;
    carry->whole = last;
    return 0;
}

int rotation_carry_take(struct rotation_carry *carry, const struct message *message,
                        struct error *error)
{
    if (message->kind == EVENT_carry)
        return take_part(carry, &message->record->carry, error);
    ASSERT(message->kind == EVENT_predecessor);
    if (carry->follows)
        return error_set(error, ERROR_INPUT, "a second predecessor, expected one at most");
    carry->follows = true;
    carry->predecessor = message->record->predecessor;
    return 0;
}

bool rotation_goes_on(const struct rotation_carry *carry, const struct event_start *start)
{
    return carry->parts > 0 && start->epoch == carry->predecessor.epoch;
}

static int refuse(const char *fault, uint64_t index, const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT,
                     "the %s at the tape's beginning: field %s of %" PRIu64
                     " is not what this build reads",
                     what, fault, index);
}

static int load(const struct rotation_carry *carry, struct engine *engine, size_t *used,
                struct error *error)
{
    uint64_t index;
    *used = 0;
    if (carry->parts == 0)
        return 0;
    if (!carry->whole)
        return error_set(error, ERROR_INPUT, "the carry at the tape's beginning is not whole");
    const char *fault = engine_read_carry(engine, carry->bytes, carry->length, used, &index);
    return fault == NULL ? 0 : refuse(fault, index, "carry", error);
}

int rotation_carry_load(const struct rotation_carry *carry, struct engine *engine,
                        struct error *error)
{
    size_t used;
    return load(carry, engine, &used, error);
}

int rotation_carry_load_warm(const struct rotation_carry *carry, struct engine *engine,
                             struct error *error)
{
    uint64_t index;
    size_t used;
    int code = load(carry, engine, &used, error);
    if (code)
        return code;
    if (used == carry->length)
        return error_set(error, ERROR_INPUT, "no warmth stands at the tape's beginning");
    const char *fault =
        engine_read_warmth(engine, carry->bytes + used, carry->length - used, &index);
    return fault == NULL ? 0 : refuse(fault, index, "warmth", error);
}

void rotation_carry_close(struct rotation_carry *carry)
{
    free(carry->bytes);
    *carry = (struct rotation_carry){.whole = false};
}

/* --- the next tape ------------------------------------------------------------------------------------------- */

static uint64_t half_of(const uint8_t *bytes)
{
    uint64_t half = 0;
    for (unsigned i = 0; i < 8; i++)
        half = half << 8 | bytes[i];
    return half;
}

struct event_predecessor rotation_describe(const struct tape_appender *appender, const char *path,
                                           uint64_t number, uint64_t epoch)
{
    uint8_t identity[TAPE_IDENTITY_BYTES];
    const char *file = rotation_file(path);
    struct event_predecessor predecessor = {.last = tape_appender_last_ts(appender),
                                            .epoch = epoch,
                                            .number = number,
                                            .messages = tape_appender_identity(appender, identity)};
    size_t length = strlen(file);
    ASSERT(length <= EVENT_TEXT_MAX); /* rotation_path() */
    predecessor.name.length = (uint8_t)length;
    memcpy(predecessor.name.bytes, file, length);
    predecessor.identity_high = half_of(identity);
    predecessor.identity_low = half_of(identity + TAPE_IDENTITY_BYTES / 2);
    return predecessor;
}

static struct message timed(const struct rotation_next *next, const struct message *message)
{
    struct message told = *message;
    told.ts_local = next->ts_local;
    return told;
}

/* What this engine leaves, read again by a fresh one. */
static int try_carry(const struct rotation_next *next, const struct rotation_carry *carry,
                     struct error *error)
{
    const struct engine_config *config = &next->engine->config;
    size_t size =
        (engine_size(config) + ENGINE_ALIGNMENT - 1) / ENGINE_ALIGNMENT * ENGINE_ALIGNMENT;
    void *memory = aligned_alloc(ENGINE_ALIGNMENT, size);
    if (memory == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory to try a carry");
    struct engine *engine = engine_init(memory, size, config);
    for (size_t i = 0; i < next->market_count; i++) {
        const struct message message = timed(next, &next->market[i]);
        engine_step(engine, &message);
    }
    int code = next->warm ? rotation_carry_load_warm(carry, engine, error)
                          : rotation_carry_load(carry, engine, error);
    free(memory);
    return code;
}

static int make_carry(const struct rotation_next *next, struct rotation_carry *carry,
                      struct error *error)
{
    uint8_t none[1];
    const struct engine *engine = next->engine->engine;
    size_t first = engine_write_carry(engine, next->warm, none, 0);
    size_t length = first + (next->warm ? engine_write_warmth(engine, none, 0) : 0);
    carry->bytes = malloc(length);
    if (carry->bytes == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a carry");
    if (length > ROTATION_CARRY_BYTES_MAX)
        return error_set(error, ERROR_SYSTEM, "a carry of %zu bytes: expected at most %d", length,
                         ROTATION_CARRY_BYTES_MAX);
    engine_write_carry(engine, next->warm, carry->bytes, first);
    if (next->warm)
        engine_write_warmth(engine, carry->bytes + first, length - first);
    carry->length = carry->capacity = length;
    carry->parts = (length + ROTATION_PART_BYTES - 1) / ROTATION_PART_BYTES;
    carry->follows = carry->whole = true;
    return try_carry(next, carry, error);
}

static void put_text(struct event_text *text, const uint8_t *bytes, size_t length)
{
    text->length = (uint8_t)(length < EVENT_TEXT_MAX ? length : EVENT_TEXT_MAX);
    memcpy(text->bytes, bytes, text->length);
}

static int append(struct tape_writer *writer, const struct rotation_next *next, unsigned kind,
                  const union event_record *record, struct error *error)
{
    const struct message message = {.ts_local = next->ts_local,
                                    .stream = EVENT_NONE_16,
                                    .kind = (uint8_t)kind,
                                    .record = record};
    return tape_writer_append(writer, &message, error);
}

static int append_part(struct tape_writer *writer, const struct rotation_next *next,
                       const struct rotation_carry *carry, uint64_t part, struct error *error)
{
    union event_record record = {.carry = {.part = part, .parts = carry->parts}};
    const uint8_t *bytes = carry->bytes + part * ROTATION_PART_BYTES;
    size_t left = carry->length - part * ROTATION_PART_BYTES;
    put_text(&record.carry.bytes, bytes, left);
    if (left > EVENT_TEXT_MAX)
        put_text(&record.carry.more, bytes + EVENT_TEXT_MAX, left - EVENT_TEXT_MAX);
    return append(writer, next, EVENT_carry, &record, error);
}

static int write_tape(const struct rotation_next *next, const struct rotation_carry *carry,
                      struct error *error)
{
    struct tape_writer *writer = NULL;
    const union event_record record = {.predecessor = next->predecessor};
    int code = tape_writer_open(&writer, next->path, next->header,
                                &(struct tape_writer_options){.level = 0}, error);
    if (!code)
        code = append(writer, next, EVENT_predecessor, &record, error);
    for (uint64_t part = 0; !code && part < carry->parts; part++)
        code = append_part(writer, next, carry, part, error);
    for (size_t i = 0; !code && i < next->market_count; i++) {
        const struct message message = timed(next, &next->market[i]);
        code = tape_writer_append(writer, &message, error);
    }
    if (!code)
        return tape_writer_finish(&writer, error);
    tape_writer_abandon(&writer);
    return code;
}

int rotation_write(const struct rotation_next *next, struct error *error)
{
    struct rotation_carry carry = {.whole = false};
    int code = 0;
    if (access(next->path, F_OK) == 0)
        return error_set(error, ERROR_INPUT, "%s: is there already", next->path);
    if (next->engine != NULL)
        code = make_carry(next, &carry, error);
    if (!code)
        code = write_tape(next, &carry, error);
    rotation_carry_close(&carry);
    return code;
}

int rotation_withdraw(const char *path, struct error *error)
{
    char journal[ROTATION_PATH_BYTES];
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        snprintf(journal, sizeof journal, "%s.journal-%u", path, i);
        unlink(journal);
    }
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set(error, ERROR_SYSTEM, "%s: can't be removed: %s", path, strerror(errno));
    tape_file_sync_folder(path);
    return 0;
}

/* --- the tape before ------------------------------------------------------------------------------------------ */

/* The records of one block; `more`: they may go on in the next. */
static int read_block(const struct tape_block *block, struct rotation_carry *carry, bool *more,
                      struct error *error)
{
    for (uint32_t i = 0; i < block->message_count; i++) {
        const struct message *message = &block->messages[i];
        *more = message->kind == EVENT_predecessor || message->kind == EVENT_carry;
        if (!*more)
            return 0;
        if (rotation_carry_take(carry, message, error))
            return error->code;
    }
    return 0;
}

int rotation_carry_read(struct rotation_carry *carry, const char *path, struct error *error)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    bool more = true;
    /* It stands in the first blocks: a torn end is for the recovery. */
    int code = tape_reader_open_as(&reader, path, TAPE_OPEN_HOP, true, error);
    if (!code)
        code = tape_block_init(&block, reader, error);
    for (size_t i = 0; !code && more && i < tape_reader_block_count(reader); i++) {
        code = tape_reader_read(reader, i, &block, error);
        if (!code)
            code = read_block(&block, carry, &more, error);
    }
    if (block.memory)
        tape_block_free(&block);
    tape_reader_close(&reader);
    return code;
}

/* What stands on a tape without reading it: messages, and whether it was brought to its end. */
static int look_at(const char *path, uint64_t *messages, bool *finished, struct error *error)
{
    struct tape_reader *reader = NULL;
    int code = tape_reader_open(&reader, path, error);
    *messages = 0;
    if (code)
        return code;
    *finished = tape_reader_is_finished(reader);
    for (size_t i = 0; i < tape_reader_block_count(reader); i++)
        *messages += tape_reader_block_info(reader, i)->message_count;
    tape_reader_close(&reader);
    return 0;
}

static int finish(const char *path, struct error *error)
{
    struct tape_appender *appender = NULL;
    struct tape_reader *reader = NULL;
    struct tape_recovery recovery;
    int code = tape_reader_open(&reader, path, error);
    if (!code)
        code =
            tape_appender_open(&appender, path, tape_reader_header(reader),
                               &(struct tape_appender_options){.sync_every = 0}, &recovery, error);
    tape_reader_close(&reader);
    return code ? code : tape_appender_finish(&appender, error);
}

static bool has_journals(const char *path)
{
    char journal[ROTATION_PATH_BYTES + 16];
    bool has = false;
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        snprintf(journal, sizeof journal, "%s.journal-%u", path, i);
        has |= access(journal, F_OK) == 0;
    }
    return has;
}

/* The newest tape says so itself: a name alone may be another session's. */
static int check_newest(const char *path, uint64_t number, struct event_predecessor *predecessor,
                        struct error *error)
{
    struct rotation_carry carry = {.whole = false};
    int code = rotation_carry_read(&carry, path, error);
    *predecessor = carry.predecessor;
    if (!code && (!carry.follows || carry.predecessor.number != number))
        code = error_set(error, ERROR_INPUT,
                         "%s: has the name of tape %" PRIu64
                         " of a session, but is another; move it away, or name this session's "
                         "tape otherwise",
                         path, number);
    rotation_carry_close(&carry);
    return code;
}

/* The tape before has its end, and no journals. */
static int end_before(const char *before, uint64_t *messages, struct error *error)
{
    bool finished = false;
    int code = look_at(before, messages, &finished, error);
    if (code || (finished && !has_journals(before)))
        return code;
    code = finish(before, error);
    return code ? code : look_at(before, messages, &finished, error);
}

int rotation_settle(const char *base, uint64_t number, struct error *error)
{
    char before[ROTATION_PATH_BYTES], path[ROTATION_PATH_BYTES];
    struct event_predecessor predecessor;
    uint64_t messages;
    if (number < 2)
        return 0;
    int code = rotation_path(base, number, path, error);
    if (!code)
        code = rotation_path(base, number - 1, before, error);
    if (!code)
        code = check_newest(path, number, &predecessor, error);
    if (code || access(before, F_OK) != 0)
        return code;
    code = end_before(before, &messages, error);
    if (!code && predecessor.messages != messages)
        code = error_set(error, ERROR_INPUT,
                         "%s: has %" PRIu64 " messages, but %s goes on behind %" PRIu64
                         ": one of them is another session's",
                         before, messages, rotation_file(path), predecessor.messages);
    return code;
}
