/* The engine's thread fills one journal while the tape's thread makes a block of the other. What they share: each
 * journal's state, and under a mutex, which the engine's thread takes only where it may wait, the rest. */
#include "config.h" /* POSIX names */

#include "tape/appender.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/time.h"
#include "tape/growing.h"

enum {
    /* While the other journal is not empty market data may go on to twice a block; a slow disk has so long. */
    MARKET_BLOCKS = 2,
    MARKET_BYTES = 9 << 19, /* 4.5 MiB: the largest message still fits behind, and the reserve */
    /* Kept for the decisions of a message: cancels of all orders of the default orders.capacity, and more. */
    DECISIONS = 8192,
    DECISION_BYTES = 192, /* of an entry; the longest is a `replace` */
    HASHES_BYTES = TAPE_STATE_HASHES_MAX * TAPE_STATE_HASH_BYTES + 64, /* an entry, aligned */
    POLL_NS = 2000000,   /* how often the tape's thread looks for a sealed journal */
    RETRY_NS = 100000000 /* and how often it tries a disk that was full */
};
#define BLOCK_AGE_NS NS_PER_SECOND

enum journal_state { JOURNAL_FREE, JOURNAL_OPEN, JOURNAL_SEALED };

struct tape_appender {
    struct tape_growing growing; /* the tape's thread's while that runs, but for the open journal */
    unsigned block_events;
    int64_t sync_every;

    /* The engine's thread. */
    unsigned open;   /* journal */
    uint64_t number; /* of the open block */
    uint32_t messages, rows, events;
    int64_t first_ts, last_ts;
    uint64_t trouble_told; /* changes that were told */

    /* Both. */
    atomic_int state[TAPE_JOURNALS]; /* enum journal_state */
    atomic_bool full;                /* the disk is; tried again */
    atomic_bool failed;              /* for good */
    atomic_ullong trouble_changes;

    /* Under the mutex. */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake, progress; /* of the tape's thread; of who waits for it */
    bool has_thread, stop;
    uint64_t syncs_wanted, syncs_done;
    struct error trouble; /* ERROR_NONE: none */

    /* The tape's thread. */
    bool made;     /* a block that is not written yet */
    bool unsynced; /* written, but maybe not on the disk */
    int64_t synced_at, tried_at;
};

/* --- the tape's thread -------------------------------------------------------------------------------- */

static int64_t monotonic_now(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    ASSERT(failed == 0);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void tell_trouble(struct tape_appender *appender, const struct error *trouble)
{
    pthread_mutex_lock(&appender->mutex);
    appender->trouble = *trouble;
    pthread_cond_broadcast(&appender->progress);
    pthread_mutex_unlock(&appender->mutex);
    atomic_fetch_add(&appender->trouble_changes, 1);
}

static void fail(struct tape_appender *appender, const struct error *error)
{
    tell_trouble(appender, error);
    atomic_store(&appender->failed, true);
}

/* A block of what stands in the sealed journal. */
static int make_block(struct tape_appender *appender, const struct tape_journal *journal,
                      struct error *error)
{
    struct tape_journal_walk walk;
    uint64_t messages = 0;
    int failed = tape_growing_take(&appender->growing, journal, &walk, &messages, error);
    if (failed == 0 && !walk.sealed)
        failed = error_set(
            error, ERROR_SYSTEM, "%s: the journal of block %llu is not what was written to it",
            appender->growing.output.path, (unsigned long long)tape_journal_block(journal));
    if (failed == 0)
        failed = tape_blocks_seal(&appender->growing.blocks, error);
    appender->made = failed == 0;
    return failed;
}

/* Write the block; false where that is to be tried again. */
static bool write_block(struct tape_appender *appender)
{
    struct error error = {0};
    if (atomic_load(&appender->full) && monotonic_now() - appender->tried_at < RETRY_NS)
        return false;
    if (tape_growing_write(&appender->growing, &error) == 0) {
        if (atomic_load(&appender->full)) {
            tell_trouble(appender, &(struct error){.code = ERROR_NONE});
            atomic_store(&appender->full, false);
        }
        return true;
    }
    appender->tried_at = monotonic_now();
    if (!appender->growing.output.full) {
        fail(appender, &error);
    } else if (!atomic_load(&appender->full)) {
        tell_trouble(appender, &error);
        atomic_store(&appender->full, true);
    }
    return false;
}

static void sync_tape(struct tape_appender *appender)
{
    struct error error = {0};
    /* What a failed sync left undone is not known, and a second one may tell of success. */
    if (tape_output_sync(&appender->growing.output, &error) != 0)
        fail(appender, &error);
    appender->unsynced = false;
    appender->synced_at = monotonic_now();
}

static int sealed_journal(struct tape_appender *appender)
{
    for (int i = 0; i < TAPE_JOURNALS; i++)
        if (atomic_load_explicit(&appender->state[i], memory_order_acquire) == JOURNAL_SEALED)
            return i;
    return -1;
}

/* Make, write and empty. True where nothing is left to do. */
static bool work_on_journal(struct tape_appender *appender)
{
    struct error error = {0};
    int sealed = sealed_journal(appender);
    if (sealed < 0)
        return true;
    struct tape_journal *journal = &appender->growing.journals[sealed];
    if (!appender->made && make_block(appender, journal, &error) != 0) {
        fail(appender, &error);
        return false;
    }
    if (!write_block(appender))
        return false;
    appender->made = false;
    appender->unsynced = true;
    tape_journal_empty(journal);
    atomic_store_explicit(&appender->state[sealed], JOURNAL_FREE, memory_order_release);
    return true;
}

static void work(struct tape_appender *appender, uint64_t wanted)
{
    bool idle = work_on_journal(appender);
    bool is_time = monotonic_now() - appender->synced_at >= appender->sync_every;
    if (appender->unsynced && !atomic_load(&appender->failed) &&
        (is_time || (idle && wanted > appender->syncs_done)))
        sync_tape(appender);
    pthread_mutex_lock(&appender->mutex);
    if (idle && !atomic_load(&appender->failed))
        appender->syncs_done = wanted;
    pthread_cond_broadcast(&appender->progress);
    pthread_mutex_unlock(&appender->mutex);
}

/* Sleep until there may be something to do. The mutex is held. */
static void wait_a_while(struct tape_appender *appender)
{
    int64_t until = monotonic_now() + POLL_NS;
    const struct timespec time = {.tv_sec = (time_t)(until / NS_PER_SECOND),
                                  .tv_nsec = (long)(until % NS_PER_SECOND)};
    pthread_cond_timedwait(&appender->wake, &appender->mutex, &time);
}

static void *thread_main(void *context)
{
    struct tape_appender *appender = context;
    pthread_mutex_lock(&appender->mutex);
    while (!appender->stop) {
        uint64_t wanted = appender->syncs_wanted;
        pthread_mutex_unlock(&appender->mutex);
        if (!atomic_load(&appender->failed))
            work(appender, wanted);
        pthread_mutex_lock(&appender->mutex);
        if (!appender->stop && appender->syncs_wanted == wanted)
            wait_a_while(appender);
    }
    pthread_mutex_unlock(&appender->mutex);
    return NULL;
}

/* --- opening and closing ------------------------------------------------------------------------------- */

static void begin_block(struct tape_appender *appender, unsigned journal, uint64_t number)
{
    appender->open = journal;
    appender->number = number;
    appender->messages = appender->rows = appender->events = 0;
    tape_journal_begin(&appender->growing.journals[journal], number);
    atomic_store_explicit(&appender->state[journal], JOURNAL_OPEN, memory_order_relaxed);
}

static int start_thread(struct tape_appender *appender, struct error *error)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&appender->mutex, NULL);
    pthread_cond_init(&appender->wake, &monotonic);
    pthread_cond_init(&appender->progress, NULL);
    pthread_condattr_destroy(&monotonic);
    appender->synced_at = monotonic_now();
    /* Signals are for the threads that know what to do with them. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int cause = pthread_create(&appender->thread, NULL, thread_main, appender);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    appender->has_thread = cause == 0;
    return cause == 0 ? 0
                      : error_set(error, ERROR_SYSTEM, "%s: no thread to write a tape: %s",
                                  appender->growing.output.path, strerror(cause));
}

int tape_appender_open(struct tape_appender **out, const char *path,
                       const struct tape_header *header,
                       const struct tape_appender_options *options, struct tape_recovery *recovery,
                       struct error *error)
{
    unsigned events;
    int level, failed = tape_blocks_options(&options->writer, &events, &level, error);
    if (failed == 0 && events > TAPE_APPENDER_EVENTS_MAX)
        failed = error_set(error, ERROR_INPUT, "blocks of %u events, expected at most %d", events,
                           TAPE_APPENDER_EVENTS_MAX);
    if (failed != 0)
        return failed;
    struct tape_appender *appender = calloc(1, sizeof *appender);
    if (appender == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    appender->block_events = events;
    appender->sync_every = options->sync_every;
    failed = tape_growing_open(&appender->growing, path, header, &options->writer, recovery, error);
    if (failed == 0) {
        appender->last_ts = recovery->last_ts;
        begin_block(appender, 0, appender->growing.blocks.number);
        failed = start_thread(appender, error);
    }
    if (failed != 0)
        tape_appender_abandon(&appender);
    else
        *out = appender;
    return failed;
}

const struct tape_header *tape_appender_header(const struct tape_appender *appender)
{
    return &appender->growing.header;
}

static void stop_thread(struct tape_appender *appender)
{
    if (!appender->has_thread)
        return;
    pthread_mutex_lock(&appender->mutex);
    appender->stop = true;
    pthread_cond_signal(&appender->wake);
    pthread_mutex_unlock(&appender->mutex);
    pthread_join(appender->thread, NULL);
    pthread_mutex_destroy(&appender->mutex);
    pthread_cond_destroy(&appender->wake);
    pthread_cond_destroy(&appender->progress);
    appender->has_thread = false;
}

/* --- what the engine's thread asks ------------------------------------------------------------------------- */

static struct tape_journal *open_journal(struct tape_appender *appender)
{
    return &appender->growing.journals[appender->open];
}

static bool other_is_free(const struct tape_appender *appender)
{
    return atomic_load_explicit(&appender->state[1 - appender->open], memory_order_acquire) ==
           JOURNAL_FREE;
}

bool tape_appender_has_failed(const struct tape_appender *appender)
{
    return atomic_load_explicit(&appender->failed, memory_order_relaxed);
}

static bool is_in_trouble(const struct tape_appender *appender)
{
    return tape_appender_has_failed(appender) ||
           atomic_load_explicit(&appender->full, memory_order_relaxed);
}

static size_t used(const struct tape_appender *appender)
{
    return appender->growing.journals[appender->open].used;
}

enum tape_appender_state tape_appender_state(const struct tape_appender *appender)
{
    bool has_room =
        other_is_free(appender) || (appender->messages < MARKET_BLOCKS * appender->block_events &&
                                    appender->events < MARKET_BLOCKS * appender->block_events &&
                                    used(appender) < MARKET_BYTES);
    if (has_room && !is_in_trouble(appender))
        return TAPE_WRITABLE;
    bool has_reserve = appender->messages + DECISIONS < GROWING_MESSAGES_MAX &&
                       used(appender) + (size_t)DECISIONS * DECISION_BYTES < TAPE_JOURNAL_BYTES;
    return has_reserve ? TAPE_RESERVE : TAPE_SHUT;
}

uint64_t tape_appender_block(const struct tape_appender *appender)
{
    return appender->number;
}

bool tape_appender_is_empty(const struct tape_appender *appender)
{
    return appender->messages == 0;
}

bool tape_appender_is_due(const struct tape_appender *appender, int64_t ts_local)
{
    if (appender->messages == 0 || tape_appender_has_failed(appender))
        return false;
    return (appender->events >= appender->block_events ||
            ts_local - appender->first_ts >= BLOCK_AGE_NS) &&
           other_is_free(appender);
}

/* --- appending ------------------------------------------------------------------------------------------ */

void tape_appender_seal(struct tape_appender *appender)
{
    ASSERT(appender->messages > 0 && other_is_free(appender));
    tape_journal_seal(open_journal(appender));
    atomic_store_explicit(&appender->state[appender->open], JOURNAL_SEALED, memory_order_release);
    begin_block(appender, 1 - appender->open, appender->number + 1);
}

void tape_appender_state_hashes(struct tape_appender *appender,
                                const struct tape_state_hash *hashes, size_t count)
{
    struct tape_journal *journal = open_journal(appender);
    ASSERT(appender->messages > 0 && count > 0 && count <= TAPE_STATE_HASHES_MAX);
    uint8_t *body = tape_journal_body(journal);
    for (size_t i = 0; i < count; i++, body += TAPE_STATE_HASH_BYTES) {
        bytes_put_u16(body, hashes[i].room);
        bytes_put_u64(body + 2, hashes[i].hash);
    }
    tape_journal_commit(journal, TAPE_JOURNAL_HASHES, count * TAPE_STATE_HASH_BYTES);
}

static bool is_market_data(const struct message *message)
{
    return message->kind < EVENT_start && message->kind != EVENT_gap;
}

static bool is_decision(const struct message *message)
{
    return message->kind >= EVENT_place;
}

static bool has_room(const struct tape_appender *appender, const struct message *message)
{
    return appender->messages < GROWING_MESSAGES_MAX &&
           appender->rows + (uint64_t)message->row_count <= GROWING_ROWS_MAX &&
           tape_journal_has_room(&appender->growing.journals[appender->open],
                                 message_encoded_bytes(message) + HASHES_BYTES);
}

bool tape_appender_takes(const struct tape_appender *appender, const struct message *message)
{
    enum tape_appender_state state = tape_appender_state(appender);
    if (is_decision(message))
        return has_room(appender, message);
    if (is_market_data(message) ? state != TAPE_WRITABLE : state == TAPE_SHUT)
        return false;
    return tape_appender_is_due(appender, message->ts_local) || has_room(appender, message);
}

/* What the tape's thread would find too late. */
static int check(const struct tape_appender *appender, const struct message *message,
                 struct error *error)
{
    if (message->ts_local < appender->last_ts)
        return error_set(error, ERROR_INPUT, "%s: a message at %lld comes after one at %lld",
                         appender->growing.output.path, (long long)message->ts_local,
                         (long long)appender->last_ts);
    int failed = payload_check_message(message, &appender->growing.header.names, error);
    return failed == 0 ? 0 : error_prefix(error, "%s", appender->growing.output.path);
}

/* The same of a record, whose bytes are written but not published. */
static int check_record(const struct tape_appender *appender, const struct message *message,
                        const uint8_t *bytes, size_t length, struct error *error)
{
    union event_record record;
    const struct event_kind_info *kind = event_kind_info(message->kind);
    int failed = record_decode(message->kind, bytes + EVENT_HEAD_BYTES, length - EVENT_HEAD_BYTES,
                               &record, error);
    if (failed == 0)
        failed = payload_check_record(kind, &record, &appender->growing.header.names, error);
    return failed == 0 ? 0 : error_prefix(error, "%s", appender->growing.output.path);
}

static void count(struct tape_appender *appender, const struct message *message)
{
    if (appender->messages++ == 0)
        appender->first_ts = message->ts_local;
    appender->last_ts = message->ts_local;
    appender->rows += message->row_count;
    appender->events += message->row_count > 0 ? message->row_count : 1;
}

int tape_appender_append(struct tape_appender *appender, const struct message *message,
                         struct error *error)
{
    int failed = check(appender, message, error);
    if (failed != 0)
        return failed;
    if (!has_room(appender, message))
        return error_set(error, ERROR_SYSTEM,
                         "%s: not writable: no room in the journal of block %llu",
                         appender->growing.output.path, (unsigned long long)appender->number);
    struct tape_journal *journal = open_journal(appender);
    uint8_t *body = tape_journal_body(journal);
    size_t bytes = message_encode(message, body, message_encoded_bytes(message));
    if (message->rows == NULL && message->record != NULL)
        failed = check_record(appender, message, body, bytes, error);
    if (failed != 0)
        return failed;
    tape_journal_commit(journal, TAPE_JOURNAL_MESSAGE, bytes);
    count(appender, message);
    return 0;
}

void tape_appender_unwritten(struct tape_appender *appender, uint64_t number)
{
    tape_journal_add_unwritten(open_journal(appender), number);
}

/* --- where the engine's thread may wait --------------------------------------------------------------------- */

bool tape_appender_trouble(struct tape_appender *appender, struct error *trouble)
{
    uint64_t changes = atomic_load(&appender->trouble_changes);
    if (changes == appender->trouble_told)
        return false;
    appender->trouble_told = changes;
    pthread_mutex_lock(&appender->mutex);
    *trouble = appender->trouble;
    pthread_mutex_unlock(&appender->mutex);
    return true;
}

/* The mutex is held. */
static int take_trouble(const struct tape_appender *appender, struct error *error)
{
    if (appender->trouble.code == ERROR_NONE)
        return 0;
    return error_set(error, appender->trouble.code, "%s", appender->trouble.text);
}

int tape_appender_wait(struct tape_appender *appender, struct error *error)
{
    pthread_mutex_lock(&appender->mutex);
    int failed = take_trouble(appender, error);
    while (failed == 0 && !other_is_free(appender)) {
        pthread_cond_signal(&appender->wake);
        pthread_cond_wait(&appender->progress, &appender->mutex);
        failed = take_trouble(appender, error);
    }
    pthread_mutex_unlock(&appender->mutex);
    return failed;
}

static int wait_for_disk(struct tape_appender *appender, struct error *error)
{
    pthread_mutex_lock(&appender->mutex);
    uint64_t wanted = ++appender->syncs_wanted;
    pthread_cond_signal(&appender->wake);
    int failed = take_trouble(appender, error);
    while (failed == 0 && appender->syncs_done < wanted) {
        pthread_cond_wait(&appender->progress, &appender->mutex);
        failed = take_trouble(appender, error);
    }
    pthread_mutex_unlock(&appender->mutex);
    return failed;
}

int tape_appender_sync(struct tape_appender *appender, struct error *error)
{
    int failed = tape_appender_wait(appender, error);
    if (failed == 0 && appender->messages > 0)
        tape_appender_seal(appender);
    return failed == 0 ? wait_for_disk(appender, error) : failed;
}

uint64_t tape_appender_identity(const struct tape_appender *appender,
                                uint8_t identity[TAPE_IDENTITY_BYTES])
{
    ASSERT(appender->messages == 0);
    tape_identity_get(&appender->growing.passage.identity, identity);
    return appender->growing.messages;
}

int64_t tape_appender_last_ts(const struct tape_appender *appender)
{
    return appender->last_ts;
}

void *tape_appender_keep_header(struct tape_appender *appender)
{
    void *kept = appender->growing.header_memory;
    appender->growing.header_memory = NULL;
    return kept;
}

/* A part of an index that could not be written whole is not left behind. */
static int write_index(struct tape_output *output, struct error *error)
{
    uint64_t bytes = output->bytes;
    struct error ignored;
    int failed = tape_output_write_index(output, error);
    if (failed != 0)
        tape_output_cut(output, bytes, &ignored);
    return failed;
}

int tape_appender_finish(struct tape_appender **out, struct error *error)
{
    struct tape_appender *appender = *out;
    int failed = tape_appender_sync(appender, error);
    stop_thread(appender);
    if (failed == 0)
        failed = write_index(&appender->growing.output, error);
    if (failed == 0)
        failed = tape_output_sync(&appender->growing.output, error);
    if (failed == 0)
        tape_journal_empty(open_journal(appender));
    tape_growing_close(&appender->growing, failed == 0);
    free(appender);
    *out = NULL;
    return failed;
}

void tape_appender_abandon(struct tape_appender **out)
{
    struct tape_appender *appender = *out;
    *out = NULL;
    if (appender == NULL)
        return;
    stop_thread(appender);
    tape_growing_close(&appender->growing, false);
    free(appender);
}
