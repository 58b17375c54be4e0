/* See log_writer.h. The ring is one of slots with turns: a slot whose turn equals the writer's position is free, one
 * beyond it is filled (Vyukov's bounded queue); many threads put, one takes. */
#include "config.h" /* POSIX names */

#include "base/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"

enum { LINES_DEFAULT = 4096 };
/* The thread looks so often, which saves the others the call that would wake it. */
#define LOOK_EVERY_NS (5 * NS_PER_MS)
#define WRITABLE_MS   50
/* An ending thread that has given up says so within this, unless a write holds it. */
#define SLACK_NS (200 * NS_PER_MS)

struct slot {
    atomic_size_t turn;
    size_t length;
    char line[LOG_LINE_MAX];
};

struct log_writer {
    struct log own; /* how a line of our own looks: a copy, for the opener's may be gone */
    struct slot *slots;
    size_t mask;
    alignas(64) atomic_size_t head; /* next to be put */
    alignas(64) atomic_size_t tail; /* next to be taken; the thread's */
    atomic_uint_fast64_t dropped;
    uint64_t told; /* of them */
    atomic_bool reopen, ending;
    atomic_int_fast64_t give_up; /* monotonic: when an ending thread leaves what is left */
    atomic_bool parted;          /* see parts_last */
    atomic_int descriptor;
    bool ours; /* the descriptor is to be closed */
    char *path;
    pthread_t thread;
};

/* A line that a thread of its own writes, for the write may never return. */
struct last_words {
    atomic_bool parted;
    bool written;
    int descriptor;
    size_t length;
    char line[LOG_LINE_MAX];
};

static int64_t wall_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t monotonic_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void doze(int64_t wait_ns)
{
    const struct timespec pause = {.tv_nsec = wait_ns};
    nanosleep(&pause, NULL);
}

/* What two threads share is freed by the one that leaves it last: each asks this once. The one that finds the other gone
 * sees all that it did. */
static bool parts_last(atomic_bool *parted)
{
    return atomic_exchange(parted, true);
}

static void await_parting(const atomic_bool *parted, int64_t until)
{
    while (!atomic_load(parted) && monotonic_now() < until)
        doze(NS_PER_MS);
}

/* --- the ring ------------------------------------------------------------------------------------ */

void log_writer_put(struct log_writer *writer, const char *line, size_t length)
{
    size_t at = atomic_load_explicit(&writer->head, memory_order_relaxed);
    struct slot *slot;
    ASSERT(length <= LOG_LINE_MAX);
    for (;;) {
        slot = &writer->slots[at & writer->mask];
        size_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        if (turn == at) {
            if (atomic_compare_exchange_weak_explicit(&writer->head, &at, at + 1,
                                                      memory_order_relaxed, memory_order_relaxed))
                break;
        } else if ((intptr_t)(turn - at) < 0) { /* filled a round ago and not yet taken */
            atomic_fetch_add_explicit(&writer->dropped, 1, memory_order_relaxed);
            return;
        } else {
            at = atomic_load_explicit(&writer->head, memory_order_relaxed);
        }
    }
    memcpy(slot->line, line, length);
    slot->length = length;
    atomic_store_explicit(&slot->turn, at + 1, memory_order_release);
}

/* The oldest line, or NULL. */
static struct slot *oldest(struct log_writer *writer)
{
    size_t at = atomic_load_explicit(&writer->tail, memory_order_relaxed);
    struct slot *slot = &writer->slots[at & writer->mask];
    return atomic_load_explicit(&slot->turn, memory_order_acquire) == at + 1 ? slot : NULL;
}

static void release(struct log_writer *writer, struct slot *slot)
{
    size_t at = atomic_load_explicit(&writer->tail, memory_order_relaxed);
    atomic_store_explicit(&slot->turn, at + writer->mask + 1, memory_order_release);
    atomic_store_explicit(&writer->tail, at + 1, memory_order_release);
}

/* --- the file ------------------------------------------------------------------------------------ */

/* One write of all of it would not wait: a pipe that can be written to takes a line as a whole. */
static bool is_writable(int descriptor, int wait_ms)
{
    struct pollfd descriptors = {.fd = descriptor, .events = POLLOUT};
    return poll(&descriptors, 1, wait_ms) > 0 && (descriptors.revents & (POLLOUT | POLLERR));
}

/* True where it was written, or never can be. */
static bool write_line(struct log_writer *writer, const char *line, size_t length)
{
    if (!is_writable(writer->descriptor, WRITABLE_MS))
        return false;
    while (length > 0) {
        ssize_t written = write(writer->descriptor, line, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN)
            return false;
        if (written < 0) { /* the disk is full, or the reader of a pipe is gone */
            atomic_fetch_add(&writer->dropped, 1);
            return true;
        }
        line += written;
        length -= (size_t)written;
    }
    return true;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

static void tell(struct log_writer *writer, enum log_level level, const char *message,
                 const struct log_field *field)
{
    char line[LOG_LINE_MAX];
    size_t length = log_format(&writer->own, __FILE__, __LINE__, level, "capstan.log", wall_now(),
                               message, field, 1, line);
    (void)write_line(writer, line, length); /* what can't be told here can't be told */
}

static void reopen(struct log_writer *writer)
{
    const struct log_field field = log_text("file", writer->path);
    int descriptor = open_file(writer->path);
    if (descriptor < 0) {
        tell(writer, LOG_ERROR, "the log's file can't be opened again: it goes on in the old one",
             &field);
        return;
    }
    close(atomic_exchange(&writer->descriptor, descriptor));
    tell(writer, LOG_INFO, "the log's file was opened again", &field);
}

static void tell_dropped(struct log_writer *writer)
{
    uint64_t dropped = atomic_load_explicit(&writer->dropped, memory_order_relaxed);
    const struct log_field field = log_unsigned("dropped", dropped - writer->told);
    if (dropped == writer->told)
        return;
    writer->told = dropped;
    tell(writer, LOG_WARN, "log lines were dropped: they could not be written fast enough", &field);
}

/* --- the thread ---------------------------------------------------------------------------------- */

/* True where there was a line. */
static bool write_oldest(struct log_writer *writer)
{
    struct slot *slot = oldest(writer);
    if (slot == NULL)
        return false;
    if (write_line(writer, slot->line, slot->length)) {
        release(writer, slot);
        tell_dropped(writer);
    }
    return true;
}

static bool gives_up(const struct log_writer *writer)
{
    return atomic_load(&writer->ending) && monotonic_now() >= atomic_load(&writer->give_up);
}

static void write_all(struct log_writer *writer)
{
    for (;;) {
        bool ending = atomic_load(&writer->ending);
        if (atomic_exchange(&writer->reopen, false))
            reopen(writer);
        bool any = write_oldest(writer);
        if (gives_up(writer) || (ending && !any))
            return;
        if (!any)
            doze(LOOK_EVERY_NS);
    }
}

static void free_writer(struct log_writer *writer)
{
    free(writer->path);
    free(writer->slots);
    free(writer);
}

/* Whatever touches the file is done here: closing it may hang, too. */
static void *run(void *context)
{
    struct log_writer *writer = context;
    write_all(writer);
    tell_dropped(writer);
    if (writer->ours)
        close(writer->descriptor);
    if (parts_last(&writer->parted))
        free_writer(writer);
    return NULL;
}

static void *write_last_words(void *context)
{
    struct last_words *words = context;
    words->written = is_writable(words->descriptor, 0) &&
                     write(words->descriptor, words->line, words->length) == (ssize_t)words->length;
    if (parts_last(&words->parted))
        free(words);
    return NULL;
}

/* --- the others' side ---------------------------------------------------------------------------- */

static int open_descriptor(struct log_writer *writer, const struct log_writer_options *options,
                           struct error *error)
{
    writer->descriptor = STDERR_FILENO;
    if (options->path == NULL)
        return 0;
    writer->path = strdup(options->path);
    if (writer->path == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the log");
    writer->descriptor = open_file(options->path);
    if (writer->descriptor < 0)
        return error_set(error, ERROR_INPUT, "log file %s: %s", options->path,
                         errno == ENXIO ? "a FIFO that nobody reads" : strerror(errno));
    writer->ours = true;
    return 0;
}

static void set_form(struct log *log, const struct log_writer *writer, enum log_form form)
{
    bool terminal = isatty(writer->descriptor);
    log->human = form == LOG_FORM_HUMAN || (form == LOG_FORM_AUTO && terminal);
    log->coloured = log->human && terminal;
}

static struct log_writer *new_writer(unsigned lines)
{
    struct log_writer *writer = aligned_alloc(alignof(struct log_writer), sizeof *writer);
    ASSERT(lines > 0 && (lines & (lines - 1)) == 0);
    if (writer == NULL)
        return NULL;
    *writer = (struct log_writer){.mask = lines - 1};
    writer->slots = calloc(lines, sizeof *writer->slots);
    if (writer->slots == NULL) {
        free(writer);
        return NULL;
    }
    for (size_t at = 0; at < lines; at++)
        atomic_init(&writer->slots[at].turn, at);
    return writer;
}

/* Signals are for whoever waits for them: our threads take none, whenever they were made. */
static bool start_thread(pthread_t *thread, void *(*what)(void *), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int made = pthread_create(thread, NULL, what, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return made == 0;
}

int log_writer_open(struct log *log, const struct log_writer_options *options, struct error *error)
{
    int code = log_init(log, stderr, options->filter, error);
    if (code)
        return code;
    struct log_writer *writer = new_writer(options->lines ? options->lines : LINES_DEFAULT);
    if (writer == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the log");
    code = open_descriptor(writer, options, error);
    if (!code) {
        set_form(log, writer, options->form);
        writer->own = *log;
        if (!start_thread(&writer->thread, run, writer))
            code = error_set(error, ERROR_SYSTEM, "no thread for the log");
    }
    if (code) {
        if (writer->ours)
            close(writer->descriptor);
        free_writer(writer);
        return code;
    }
    log->writer = writer;
    return 0;
}

void log_writer_reopen(struct log_writer *writer)
{
    if (writer->ours)
        atomic_store(&writer->reopen, true);
}

bool log_writer_has_file(const struct log_writer *writer)
{
    return writer != NULL && writer->ours;
}

uint64_t log_writer_dropped(const struct log_writer *writer)
{
    return atomic_load(&writer->dropped);
}

static bool is_empty(const struct log_writer *writer)
{
    return atomic_load(&writer->tail) == atomic_load(&writer->head);
}

bool log_writer_last_words(struct log_writer *writer, const char *line, size_t length,
                           int64_t limit_ns)
{
    const int64_t begun = monotonic_now();
    struct last_words *words = calloc(1, sizeof *words);
    pthread_t thread;
    ASSERT(length <= LOG_LINE_MAX);
    while (!is_empty(writer) && monotonic_now() < begun + limit_ns / 2)
        doze(LOOK_EVERY_NS);
    if (words == NULL)
        return false;
    words->descriptor = writer->descriptor;
    words->length = length;
    memcpy(words->line, line, length);
    if (!start_thread(&thread, write_last_words, words)) {
        free(words);
        return false;
    }
    pthread_detach(thread);
    await_parting(&words->parted, begun + limit_ns);
    if (!parts_last(&words->parted))
        return false;
    bool written = words->written;
    free(words);
    return written;
}

bool log_writer_close(struct log *log, int64_t limit_ns)
{
    struct log_writer *writer = log->writer;
    if (writer == NULL)
        return true;
    const pthread_t thread = writer->thread;
    const int64_t give_up = monotonic_now() + limit_ns;
    log->writer = NULL;
    atomic_store(&writer->give_up, give_up);
    atomic_store(&writer->ending, true);
    await_parting(&writer->parted, give_up + SLACK_NS);
    if (!parts_last(&writer->parted)) { /* it hangs in a write, and frees all should that return */
        pthread_detach(thread);
        return false;
    }
    pthread_join(thread, NULL);
    bool all = is_empty(writer);
    free_writer(writer);
    return all;
}
