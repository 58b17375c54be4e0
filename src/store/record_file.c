/* See record_file.h. */
#include "config.h"

#include "store/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

enum { PATH_BYTES_MAX = 4096 };

static int fail(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "records for the database: %s", strerror(errno));
}

int record_file_open(struct record_file *file, const char *path, struct error *error)
{
    char name[PATH_BYTES_MAX];
    int length = snprintf(name, sizeof name, "%s.records-XXXXXX", path);
    *file = (struct record_file){.descriptor = -1};
    if (length < 0 || length >= (int)sizeof name)
        return error_set(error, ERROR_INPUT, "%s: path too long", path);
    file->buffer = malloc(RECORD_FILE_BUFFER_BYTES);
    if (!file->buffer)
        return error_set(error, ERROR_SYSTEM, "no memory for the database's records");
    file->descriptor = mkstemp(name);
    if (file->descriptor < 0)
        return fail(error);
    unlink(name);
    fcntl(file->descriptor, F_SETFD, FD_CLOEXEC);
    return 0;
}

void record_file_close(struct record_file *file)
{
    if (file->buffer && file->descriptor >= 0)
        close(file->descriptor);
    free(file->buffer);
    *file = (struct record_file){.descriptor = -1};
}

int record_file_append(struct record_file *file, const uint8_t *bytes, size_t length,
                       uint64_t count, struct error *error)
{
    size_t done = 0;
    while (done < length) {
        ssize_t written = pwrite(file->descriptor, bytes + done, length - done,
                                 (off_t)(file->bytes + (int64_t)done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(error);
        done += (size_t)written;
    }
    file->bytes += (int64_t)length;
    file->count += count;
    return 0;
}

/* `length` bytes of the file at the next record, in the buffer. */
static int need(struct record_file *file, size_t length, const uint8_t **bytes, struct error *error)
{
    int64_t before = file->next_byte - file->buffer_byte;
    if (before < 0 || before + (int64_t)length > (int64_t)file->buffered) {
        ssize_t got;
        do
            got = pread(file->descriptor, file->buffer, RECORD_FILE_BUFFER_BYTES,
                        (off_t)file->next_byte);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return fail(error);
        if ((size_t)got < length)
            return error_set(error, ERROR_SYSTEM, "records for the database are cut off");
        file->buffer_byte = file->next_byte;
        file->buffered = (size_t)got;
        before = 0;
    }
    *bytes = file->buffer + before;
    return 0;
}

int record_file_next(struct record_file *file, const uint8_t **bytes, struct error *error)
{
    *bytes = NULL;
    if (file->next == file->count)
        return 0;
    const uint8_t *head;
    int code = need(file, SPOOL_HEAD_BYTES, &head, error);
    if (code)
        return code;
    size_t length = spool_record_bytes(head);
    code = need(file, length, bytes, error);
    if (code)
        return code;
    file->next++;
    file->next_byte += (int64_t)length;
    return 0;
}

int record_file_seek(struct record_file *file, uint64_t index, struct error *error)
{
    const uint8_t *bytes;
    ASSERT(index <= file->count);
    if (index < file->next)
        file->next = 0, file->next_byte = 0;
    while (file->next < index)
        if (record_file_next(file, &bytes, error))
            return error->code;
    return 0;
}
