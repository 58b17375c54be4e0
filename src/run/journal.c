/* The sink that writes decisions and own-order messages as text. */
#include "run/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "run/fingerprint.h"

enum {
    JOURNAL_LINE_MAX = 4096, /* a RECORD's text is far below: at most 19 fields */
    JOURNAL_BUFFER_BYTES = 1 << 16
};

struct journal {
    struct sink sink; /* first: the loop holds a pointer to it */
    FILE *file;
    const char *path;
    const struct event_names *names;
    char line[JOURNAL_LINE_MAX];
    char buffer[JOURNAL_BUFFER_BYTES];
};

static int refused(const struct journal *journal, struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "%s: cannot write the journal: %s", journal->path,
                     strerror(errno));
}

static int write_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct journal *journal = (struct journal *)sink;
    size_t length = message_to_text(decision, journal->names, journal->line, JOURNAL_LINE_MAX);
    ASSERT(length < JOURNAL_LINE_MAX);
    journal->line[length++] = '\n';
    if (fwrite(journal->line, 1, length, journal->file) != length)
        return refused(journal, error);
    return 0;
}

static int write_message(struct sink *sink, const struct message *message, struct error *error)
{
    return is_own_order_message(message) ? write_decision(sink, message, error) : 0;
}

int journal_open(struct journal **out, const char *path, const struct event_names *names,
                 struct error *error)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (!journal)
        return error_set(error, ERROR_SYSTEM, "no memory for the journal");
    journal->sink = (struct sink){.message = write_message, .decision = write_decision};
    journal->path = path;
    journal->names = names;
    journal->file = fopen(path, "w");
    if (!journal->file) {
        int code =
            error_set(error, ERROR_INPUT, "%s: cannot make the journal: %s", path, strerror(errno));
        free(journal);
        return code;
    }
    setvbuf(journal->file, journal->buffer, _IOFBF, JOURNAL_BUFFER_BYTES);
    *out = journal;
    return 0;
}

struct sink *journal_sink(struct journal *journal)
{
    return &journal->sink;
}

int journal_close(struct journal **out, struct error *error)
{
    struct journal *journal = *out;
    if (!journal)
        return 0;
    *out = NULL;
    bool failed = ferror(journal->file) != 0;
    failed = fclose(journal->file) != 0 || failed;
    int code = failed ? refused(journal, error) : 0;
    free(journal);
    return code;
}
