/* See follower.h. */
#include "config.h"

#include "store/follower.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "store/record_ring.h"

enum { RING_BYTES = 1 << 24, CHUNK_BYTES = 1 << 16 };
/* The thread looks so often, which saves the engine's the call that would wake it. */
#define LOOK_EVERY_NS (5 * NS_PER_MS)
/* An outcome that the engine has not taken by then is lost; the next call may begin. */
#define JUDGED_NS (2 * NS_PER_SECOND)
/* Beyond the time limit of a call, before the thread is taken to hang: the limit is looked at between rows, and a commit
 * waits for the disk. */
#define HANGS_AFTER_NS NS_PER_SECOND

static const char target[] = "capstan.database";

enum ending { RUNNING, FLUSH, END };

struct follower {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct follower_options options;
    struct spool *spool;
    struct sink *taken; /* the spool's */
    struct record_ring *ring;
    pthread_t thread;
    _Atomic int64_t start,
        last;           /* ts_local of the session's start, and of the last message; INT64_MIN */
    atomic_uint state;  /* of the breaker, as the engine decided */
    atomic_bool lost;   /* the ring was full */
    atomic_uint awaits; /* outcomes that were told and not yet judged */
    /* The thread's last sign of life. Negative: the engine's thread has taken it to hang since. 0: it does what may take
     * any time. One word, so that either the thread or the engine tells how a call went, never both. */
    _Atomic int64_t alive;
    atomic_int ending; /* enum ending */
    atomic_bool flushed, ended;
    void (*_Atomic done)(void *context, bool failed);
    void *done_context;
    const struct store_provenance *_Atomic last_word;
    _Atomic int64_t give_up; /* by the clock, when it ends whatever is left */
    atomic_uint_fast64_t calls, failed, refused, behind;
    atomic_bool last_worked;
    int64_t failure_told; /* the engine's thread's own: when it told one of a thread that hangs */
    /* the thread's own */
    struct live_database database;
    struct record_file records;
    bool ready;         /* the session has started and `database` is set up */
    bool tried;         /* in this half-open spell */
    bool told_failure;  /* since the last call that worked */
    bool owes;          /* taken to hang since the last outcome: a call is due anyhow */
    unsigned seen;      /* state when last looked at */
    int64_t next, told; /* when the next call is due; when an outcome was told */
    uint8_t chunk[CHUNK_BYTES];
};

static int64_t now_of(const struct follower *follower)
{
    return clock_now(follower->options.database.clock);
}

static void say(const struct follower *follower, enum log_level level, const char *text,
                const struct log_field *fields, size_t count)
{
    log_write(follower->options.log, level, target, now_of(follower), text, fields, count);
}

/* --- the engine's thread -------------------------------------------------------------------------- */

static int take_record(void *context, const uint8_t *bytes, size_t length, struct error *error)
{
    struct follower *follower = context;
    (void)error;
    /* After the first that is lost none is taken: what follows a hole is not the session. */
    if (!atomic_load_explicit(&follower->lost, memory_order_relaxed) &&
        !record_ring_put(follower->ring, bytes, length))
        atomic_store(&follower->lost, true);
    return 0;
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct follower *follower = (struct follower *)sink;
    int code = follower->taken->message(follower->taken, message, error);
    atomic_store_explicit(&follower->last, message->ts_local, memory_order_relaxed);
    if (message->kind == EVENT_start)
        atomic_store(&follower->start, message->ts_local);
    return code;
}

static int take_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct follower *follower = (struct follower *)sink;
    return follower->taken->stepped(follower->taken, engine, error);
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct follower *follower = (struct follower *)sink;
    return follower->taken->decision(follower->taken, decision, error);
}

static int take_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct follower *follower = (struct follower *)sink;
    return follower->taken->finishing(follower->taken, engine, error);
}

void follower_obey(struct follower *follower, unsigned state)
{
    atomic_store(&follower->state, state);
}

void follower_judged(struct follower *follower)
{
    unsigned awaits = atomic_load(&follower->awaits);
    while (awaits > 0 && !atomic_compare_exchange_weak(&follower->awaits, &awaits, awaits - 1)) {
    }
}

/* A call that ends at this moment tells its outcome by itself: then the exchange fails. */
static bool hangs(struct follower *follower, int64_t now)
{
    int64_t alive = atomic_load_explicit(&follower->alive, memory_order_relaxed);
    if (alive < 0)
        return true;
    return alive > 0 &&
           now - alive >= follower->options.database.call_timeout_ns + HANGS_AFTER_NS &&
           atomic_compare_exchange_strong(&follower->alive, &alive, -alive);
}

bool follower_is_cut_off(struct follower *follower, int64_t now)
{
    const int64_t every = follower->options.database.call_timeout_ns;
    if (!hangs(follower, now) && !atomic_load_explicit(&follower->lost, memory_order_relaxed))
        return false;
    if (atomic_load(&follower->start) == INT64_MIN ||
        atomic_load(&follower->state) == INFRASTRUCTURE_OPEN ||
        (follower->failure_told != INT64_MIN && now - follower->failure_told < every))
        return true;
    atomic_fetch_add(&follower->awaits, 1);
    if (follower->options.outcome(follower->options.context, false))
        follower->failure_told = now;
    else
        follower_judged(follower);
    return true;
}

/* --- the thread ----------------------------------------------------------------------------------- */

/* A sign of life. False: it came late, and the engine has counted a failure. */
static bool live(struct follower *follower)
{
    if (atomic_exchange(&follower->alive, now_of(follower)) >= 0)
        return true;
    follower->told = now_of(follower);
    follower->owes = true;
    return false;
}

/* It takes as long as the tape is. */
static int read_history(void *context, struct record_file *file, struct error *error)
{
    struct follower *follower = context;
    const struct live_database_options *options = &follower->options.database;
    (void)live(follower);
    atomic_store(&follower->alive, 0);
    int code = options->history(options->context, file, error);
    (void)live(follower);
    return code;
}

static void take_from_ring(struct follower *follower)
{
    struct error error = {0};
    uint8_t record[SPOOL_RECORD_BYTES_MAX];
    size_t length = 0, bytes = 0;
    uint64_t count = 0;
    while (bytes + SPOOL_RECORD_BYTES_MAX <= CHUNK_BYTES &&
           (length = record_ring_get(follower->ring, record)) > 0) {
        memcpy(follower->chunk + bytes, record, length);
        bytes += length;
        count++;
    }
    while (bytes > 0 &&
           record_file_append(&follower->records, follower->chunk, bytes, count, &error)) {
        /* The disk is full. The ring holds what comes meanwhile, as long as it can. */
        if (atomic_load(&follower->ending) == END && now_of(follower) >= follower->give_up) {
            atomic_store(&follower->lost, true);
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 100 * NS_PER_MS}, NULL);
    }
}

static void log_call(struct follower *follower, int code, const struct error *error)
{
    if (code) {
        const struct log_field field = log_text("why", error->text);
        say(follower, follower->told_failure ? LOG_DEBUG : LOG_WARN,
            "a call of the database failed", &field, 1);
        follower->told_failure = true;
    } else if (follower->told_failure) {
        const struct log_field field = log_unsigned("behind", atomic_load(&follower->behind));
        say(follower, LOG_INFO, "the database answers again", &field, 1);
        follower->told_failure = false;
    }
}

static int call(struct follower *follower)
{
    struct error error = {0};
    uint64_t remade = follower->database.remade;
    int code = live_database_call(&follower->database, &follower->records, &error);
    atomic_fetch_add(&follower->calls, 1);
    atomic_fetch_add(&follower->failed, code != 0);
    atomic_store(&follower->behind, live_database_behind(&follower->database, &follower->records));
    atomic_store(&follower->last_worked, code == 0);
    if (remade != follower->database.remade)
        say(follower, LOG_INFO, "the database was behind the tape and is made anew from it", NULL,
            0);
    log_call(follower, code, &error);
    follower->next = now_of(follower) + follower->options.every_ns;
    return code;
}

/* The engine hears of every call, or the breaker would not be the tape's. */
static void tell(struct follower *follower, bool worked)
{
    atomic_fetch_add(&follower->awaits, 1);
    follower->told = now_of(follower);
    follower->owes = false;
    while (atomic_load(&follower->ending) != END &&
           !follower->options.outcome(follower->options.context, worked)) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
        (void)live(follower);
    }
}

static bool call_and_tell(struct follower *follower)
{
    (void)live(follower);
    follower->owes = false;
    bool worked = call(follower) == 0;
    bool late = !live(follower) || follower->owes;
    if (worked || !late)
        tell(follower, worked);
    return worked;
}

static bool may_begin(struct follower *follower)
{
    if (!follower->ready || atomic_load(&follower->lost))
        return false;
    if (atomic_load(&follower->awaits) == 0)
        return true;
    if (now_of(follower) - follower->told < JUDGED_NS)
        return false;
    atomic_store(&follower->awaits, 0);
    return true;
}

static bool has_something(const struct follower *follower)
{
    return follower->database.in_history ||
           live_database_behind(&follower->database, &follower->records) > 0;
}

/* As the breaker's state has it. */
static void turn(struct follower *follower)
{
    unsigned state = atomic_load(&follower->state);
    follower->tried = follower->tried && state == follower->seen;
    follower->seen = state;
    if (!may_begin(follower) || atomic_load(&follower->ending) != RUNNING)
        return;
    if (state == INFRASTRUCTURE_HALF_OPEN && !follower->tried) {
        follower->tried = true;
        say(follower, LOG_DEBUG, "infrastructure breaker trial", NULL, 0);
        call_and_tell(follower);
    } else if (state == INFRASTRUCTURE_OPEN && now_of(follower) >= follower->next) {
        atomic_fetch_add(&follower->refused, 1);
        follower->next = now_of(follower) + follower->options.every_ns;
    } else if (state == INFRASTRUCTURE_CLOSED && now_of(follower) >= follower->next &&
               (follower->owes || has_something(follower))) {
        call_and_tell(follower);
    }
}

/* All that is there, while calls work and there is time; the breaker's word holds here too. */
static bool write_all(struct follower *follower)
{
    bool worked = follower->ready && !atomic_load(&follower->lost) &&
                  atomic_load(&follower->state) == INFRASTRUCTURE_CLOSED;
    take_from_ring(follower);
    while (worked && has_something(follower)) {
        worked = call_and_tell(follower);
        take_from_ring(follower);
        if (atomic_load(&follower->ending) == END && now_of(follower) >= follower->give_up)
            break;
    }
    return worked && !has_something(follower);
}

static void flush(struct follower *follower)
{
    const struct log_field field = log_text("file", follower->options.database.path);
    bool worked = write_all(follower);
    live_database_shut(&follower->database);
    say(follower, worked ? LOG_INFO : LOG_ERROR,
        worked ? "database closed" : "database closed before everything was written", &field, 1);
    atomic_store(&follower->flushed, true);
    void (*done)(void *, bool) = atomic_exchange(&follower->done, NULL);
    if (done)
        done(follower->done_context, !worked);
}

static void end(struct follower *follower)
{
    struct error error = {0};
    if (!follower->ready)
        return; /* the engine never started */
    bool whole = write_all(follower) && record_ring_is_empty(follower->ring);
    if (whole && live_database_finish(&follower->database, atomic_load(&follower->last_word),
                                      atomic_load(&follower->last), &error))
        whole = false;
    const struct log_field fields[] = {
        log_unsigned("behind", live_database_behind(&follower->database, &follower->records)),
        log_text("file", follower->options.database.path), log_text("why", error.text)};
    if (!whole)
        say(follower, LOG_ERROR, "the database is behind the tape: capstan project makes it anew",
            fields, 3);
}

static void set_up(struct follower *follower)
{
    struct live_database_session session = follower->options.session;
    session.start = atomic_load(&follower->start);
    if (follower->ready || session.start == INT64_MIN)
        return;
    struct live_database_options options = follower->options.database;
    options.history = read_history;
    options.context = follower;
    live_database_init(&follower->database, &options, &session);
    follower->ready = true;
}

static void tell_lost(struct follower *follower, bool *told)
{
    if (*told || !atomic_load(&follower->lost))
        return;
    *told = true;
    say(follower, LOG_ERROR,
        "records for the database were lost: it stays as it is, and capstan project makes it anew",
        NULL, 0);
}

static void *run(void *context)
{
    struct follower *follower = context;
    struct log_span span = {.name = "database"};
    bool told_lost = false;
    log_span_enter(&span);
    while (atomic_load(&follower->ending) != END) {
        (void)live(follower);
        set_up(follower);
        take_from_ring(follower);
        turn(follower);
        tell_lost(follower, &told_lost);
        if (atomic_load(&follower->ending) == FLUSH && !atomic_load(&follower->flushed))
            flush(follower);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    }
    set_up(follower);
    end(follower);
    if (follower->ready)
        live_database_close(&follower->database);
    log_span_leave(&span);
    atomic_store(&follower->ended, true);
    return NULL;
}

/* --- the others' side ------------------------------------------------------------------------------ */

static void free_parts(struct follower *follower)
{
    spool_close(&follower->spool);
    record_ring_close(&follower->ring);
    record_file_close(&follower->records);
    free(follower);
}

static int open_parts(struct follower *follower, struct error *error)
{
    const struct follower_options *options = &follower->options;
    int code = spool_open_into(&follower->spool, options->instrument_count, options->sample_ns,
                               take_record, follower, error);
    if (!code)
        code = record_ring_open(&follower->ring, RING_BYTES, error);
    if (!code)
        code = record_file_open(&follower->records, options->scratch, error);
    if (code)
        return code;
    spool_set_engine(follower->spool, options->engine);
    follower->taken = spool_sink(follower->spool);
    follower->sink = (struct sink){.market = true,
                                   .message = take_message,
                                   .stepped = take_stepped,
                                   .decision = take_decision,
                                   .finishing = take_finishing};
    return 0;
}

int follower_open(struct follower **out, const struct follower_options *options,
                  struct error *error)
{
    struct follower *follower = calloc(1, sizeof *follower);
    if (!follower)
        return error_set(error, ERROR_SYSTEM, "no memory for the database");
    follower->options = *options;
    atomic_init(&follower->start, INT64_MIN);
    follower->failure_told = INT64_MIN;
    int code = open_parts(follower, error);
    if (!code && pthread_create(&follower->thread, NULL, run, follower) != 0)
        code = error_set(error, ERROR_SYSTEM, "no thread for the database");
    if (code) {
        free_parts(follower);
        return code;
    }
    *out = follower;
    return 0;
}

struct sink *follower_sink(struct follower *follower)
{
    return &follower->sink;
}

struct spool_counts follower_counts(const struct follower *follower)
{
    return spool_counts(follower->spool);
}

struct follower_health follower_health(const struct follower *follower)
{
    bool closed = atomic_load(&follower->state) == INFRASTRUCTURE_CLOSED;
    bool lost = atomic_load(&follower->lost);
    bool cut_off = lost || atomic_load(&follower->alive) < 0;
    return (struct follower_health){.healthy =
                                        closed && !cut_off && atomic_load(&follower->last_worked),
                                    .stopped = lost,
                                    .calls = atomic_load(&follower->calls),
                                    .failed = atomic_load(&follower->failed),
                                    .refused = atomic_load(&follower->refused),
                                    .behind = atomic_load(&follower->behind)};
}

void follower_flush(struct follower *follower, void (*done)(void *context, bool failed),
                    void *context)
{
    follower->done_context = context;
    atomic_store(&follower->done, done);
    atomic_store(&follower->ending, FLUSH);
}

void follower_end(struct follower *follower, const struct store_provenance *last, int64_t limit_ns)
{
    atomic_store(&follower->last_word, last);
    atomic_store(&follower->give_up, now_of(follower) + limit_ns);
    atomic_store(&follower->ending, END);
}

void follower_close(struct follower **out)
{
    struct follower *follower = *out;
    if (!follower)
        return;
    const int64_t until = atomic_load(&follower->give_up) + NS_PER_SECOND;
    while (!atomic_load(&follower->ended) && now_of(follower) < until)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    if (!atomic_load(&follower->ended))
        return;
    pthread_join(follower->thread, NULL);
    free_parts(follower);
    *out = NULL;
}
