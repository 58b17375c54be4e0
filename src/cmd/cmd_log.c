/* The log of commands that run for long. */
#include "config.h"

#include "cmd/cmd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_writer.h"
#include "base/time.h"

/* With the fifth of a second that log_writer_close may add this makes the second that a session leaves the log
 * (live/ending.c): for what is left in the ring, and then for a result that has to go where the log did not get through. */
#define CLOSE_WAIT_NS (600 * NS_PER_MS)
#define RESULT_NS     (200 * NS_PER_MS)

static int read_form(const char *text, enum log_form *form, struct error *error)
{
    static const char *const names[] = {
#define X(name, text) text,
        LOG_FORMS(X)
#undef X
    };
    *form = LOG_FORM_AUTO;
    for (unsigned i = 0; text && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *form = (enum log_form)i;
        return 0;
    }
    return text ? error_set(error, ERROR_INPUT,
                            "--log-form=%s: expected auto, json or human (auto: human at a "
                            "terminal)",
                            text)
                : 0;
}

int cmd_open_log(const struct cmd_log_options *options, struct log *log, struct error *error)
{
    struct log_writer_options writer = {.path = options->file, .filter = getenv("CAPSTAN_LOG")};
    int code = read_form(options->form, &writer.form, error);
    memset(log, 0, sizeof *log);
    return code ? code : log_writer_open(log, &writer, error);
}

static void *end_by_force(void *context)
{
    (void)context;
    nanosleep(&(struct timespec){.tv_nsec = RESULT_NS}, NULL);
    _exit(ERROR_SYSTEM);
}

void cmd_close_log(struct log *log)
{
    pthread_t thread;
    const bool elsewhere = log_writer_has_file(log->writer);
    if (!log_writer_close(log, CLOSE_WAIT_NS) && !elsewhere &&
        pthread_create(&thread, NULL, end_by_force, NULL) == 0)
        pthread_detach(thread);
}
