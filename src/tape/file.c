/* Files of a tape: reads, writes, the index behind them, and the change of name at the end. */
#include "config.h" /* POSIX names */

#include "tape/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int tape_file_open(const char *path, int *fd, uint64_t *bytes, struct error *error)
{
    struct stat status;
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    if (fstat(opened, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(opened);
        return error_set(error, ERROR_INPUT, "%s: not a regular file, expected a tape", path);
    }
    *fd = opened;
    *bytes = (uint64_t)status.st_size;
    return 0;
}

int tape_file_read(int fd, const char *path, uint64_t offset, void *to, size_t length,
                   struct error *error)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = pread(fd, (char *)to + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_SYSTEM, "%s: reading at byte %llu: %s", path,
                             (unsigned long long)offset + done, strerror(errno));
        if (got == 0)
            return error_set(error, ERROR_INPUT, "%s: ends at byte %llu, expected %zu bytes more",
                             path, (unsigned long long)offset + done, length - done);
        done += (size_t)got;
    }
    return 0;
}

static int locked_by_other(const char *path, struct error *error)
{
    return error_set(error, ERROR_INPUT, "%s: another process is writing this tape", path);
}

/* What is there may be replaced: it is a file, and nobody appends to it. */
static int check_replaceable(const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return 0;
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INPUT, "%s: not a regular file, a tape can't replace it",
                         path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return locked ? locked_by_other(path, error) : 0;
}

int tape_output_open(struct tape_output *output, const char *path, struct error *error)
{
    *output = (struct tape_output){.fd = -1};
    int failed = check_replaceable(path, error);
    if (failed != 0)
        return failed;
    size_t length = strlen(path) + 32;
    output->path = strdup(path);
    output->part = malloc(length);
    if (output->path == NULL || output->part == NULL) {
        tape_output_abandon(output);
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    }
    snprintf(output->part, length, "%s.%ld.part", path, (long)getpid());
    output->fd = open(output->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (output->fd < 0) {
        int cause = errno;
        free(output->part);
        output->part = NULL;
        tape_output_abandon(output);
        return error_set(error, cause == ENOENT || cause == ENOTDIR ? ERROR_INPUT : ERROR_SYSTEM,
                         "%s: can't be written: %s", path, strerror(cause));
    }
    return 0;
}

int tape_output_write(struct tape_output *output, const void *bytes, size_t length,
                      struct error *error)
{
    size_t done = 0;
    while (done < length) {
        ssize_t put = pwrite(output->fd, (const char *)bytes + done, length - done,
                             (off_t)(output->bytes + done));
        if (put < 0 && errno == EINTR)
            continue;
        /* What somebody may make room for. */
        output->full = put < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
        if (put < 0)
            return error_set(error, ERROR_SYSTEM, "%s: writing at byte %llu: %s", output->path,
                             (unsigned long long)output->bytes + done, strerror(errno));
        done += (size_t)put;
    }
    output->bytes += length;
    return 0;
}

/* --- a file that grows under its own name ------------------------------------------------------------ */

/* The file at `path` is still the one that is open. */
static bool is_at(int fd, const char *path)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

int tape_output_append(struct tape_output *output, const char *path, struct error *error)
{
    struct stat status;
    *output = (struct tape_output){.fd = -1, .path = strdup(path)};
    if (output->path == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    output->fd = open(path, O_RDWR | O_CLOEXEC);
    int failed = 0;
    if (output->fd < 0)
        failed = error_set(error, errno == ENOENT ? ERROR_INPUT : ERROR_SYSTEM, "%s: %s", path,
                           strerror(errno));
    else if (fstat(output->fd, &status) != 0 || !S_ISREG(status.st_mode))
        failed = error_set(error, ERROR_INPUT, "%s: not a regular file, expected a tape", path);
    else if (flock(output->fd, LOCK_EX | LOCK_NB) != 0 || !is_at(output->fd, path))
        failed = locked_by_other(path, error);
    if (failed != 0)
        tape_output_abandon(output);
    return failed;
}

int tape_output_cut(struct tape_output *output, uint64_t bytes, struct error *error)
{
    if (ftruncate(output->fd, (off_t)bytes) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: cutting it at byte %llu: %s", output->path,
                         (unsigned long long)bytes, strerror(errno));
    output->bytes = bytes;
    return 0;
}

int tape_output_sync(struct tape_output *output, struct error *error)
{
    if (fdatasync(output->fd) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: bringing it to the disk: %s", output->path,
                         strerror(errno));
    return 0;
}

/* --- the index ---------------------------------------------------------------------------------------- */

/* Write one part of the index and count it into the index's hash. */
static int write_hashed(struct tape_output *output, struct hash_stream *hash, const void *bytes,
                        size_t length, struct error *error)
{
    hash_stream_update(hash, bytes, length);
    return tape_output_write(output, bytes, length, error);
}

/* Read the block header at `offset` of what was written. `entry` is all zero where it can't be. */
static int read_back(const struct tape_output *output, uint64_t offset, struct tape_entry *entry,
                     struct error *error)
{
    uint8_t bytes[TAPE_BLOCK_HEADER_BYTES];
    const char *reason;
    *entry = (struct tape_entry){0};
    int failed = tape_file_read(output->fd, output->path, offset, bytes, sizeof bytes, error);
    if (failed == 0 && !tape_entry_decode(bytes, offset, entry, &reason))
        failed = error_set(error, ERROR_SYSTEM, "%s: at byte %llu, which was just written: %s",
                           output->path, (unsigned long long)offset, reason);
    return failed;
}

static int write_index(struct tape_output *output, struct hash_stream *hash, struct error *error)
{
    struct tape_end end = {.index_offset = output->bytes};
    struct tape_entry entry;
    uint64_t offset = 0, blocks = 0;
    int failed = 0;
    for (; offset < end.index_offset && failed == 0; offset += tape_entry_bytes(&entry), blocks++)
        failed = read_back(output, offset, &entry, error);
    uint8_t bytes[TAPE_END_BYTES];
    if (failed == 0) {
        tape_index_head(blocks - 1, bytes);
        failed = write_hashed(output, hash, bytes, TAPE_FRAME_HEAD_BYTES, error);
    }
    offset = 0;
    for (uint64_t b = 0; b < blocks && failed == 0; b++) {
        failed = read_back(output, offset, &entry, error);
        offset += tape_entry_bytes(&entry);
        end.last_hash = entry.header_hash;
        if (b == 0 || failed != 0)
            continue;
        tape_totals_add(&end.totals, &entry);
        tape_index_encode(&entry, bytes);
        failed = write_hashed(output, hash, bytes, TAPE_INDEX_ENTRY_BYTES, error);
    }
    if (failed != 0)
        return failed;
    end.index_hash = hash_stream_64(hash);
    tape_end_encode(&end, bytes);
    return tape_output_write(output, bytes, TAPE_END_BYTES, error);
}

int tape_output_write_index(struct tape_output *output, struct error *error)
{
    struct hash_stream hash;
    hash_stream_init(&hash);
    return write_index(output, &hash, error);
}

void tape_file_sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* Give the file its name: of a file that is there where `replace`, else only where there is none. */
static int give_name(struct tape_output *output, bool replace, struct error *error)
{
    bool given =
        replace ? rename(output->part, output->path) == 0 : link(output->part, output->path) == 0;
    if (!given)
        return error_set(error, ERROR_SYSTEM, "%s: giving it its name: %s", output->path,
                         strerror(errno));
    tape_file_sync_folder(output->path);
    if (replace) {
        free(output->part);
        output->part = NULL;
    }
    return 0;
}

static int finish(struct tape_output *output, bool replace, struct error *error)
{
    int failed = 0;
    if (fsync(output->fd) != 0)
        failed = error_set(error, ERROR_SYSTEM, "%s: bringing it to the disk: %s", output->path,
                           strerror(errno));
    else
        failed = give_name(output, replace, error);
    tape_output_abandon(output);
    return failed;
}

int tape_output_commit(struct tape_output *output, struct error *error)
{
    return finish(output, true, error);
}

int tape_output_commit_new(struct tape_output *output, struct error *error)
{
    return finish(output, false, error);
}

void tape_output_abandon(struct tape_output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    if (output->part != NULL)
        unlink(output->part);
    free(output->part);
    free(output->path);
    *output = (struct tape_output){.fd = -1};
}
