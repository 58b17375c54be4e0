/* See import.h. */
#include "import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "import/emit.h"
#include "import/header.h"

enum { PROGRESS_FRAMES = 8192 };

/* One import on its way. */
struct job {
    const struct import_options *options;
    struct import_report *report;
    struct error *error;
    struct instrument_table *table;
    struct scan scan;
    struct import_header *header;
    char *part; /* path of the tape as it is before its grade is known */
    bool part_written;
    uint64_t total; /* bytes of all files as stored */
};

static void scan_shown(void *context, uint64_t done, uint64_t total)
{
    struct job *job = context;
    job->total = total;
    if (job->options->progress != NULL) {
        job->options->progress(job->options->progress_context, 0, done, total * 2);
    }
}

static void merge_shown(const struct job *job, const struct merge *merge)
{
    if (job->options->progress != NULL) {
        job->options->progress(job->options->progress_context, job->report->messages,
                               job->total + merge_position(merge), job->total * 2);
    }
}

static int write_message(void *context, const struct message *message, struct error *error)
{
    return tape_writer_append(context, message, error);
}

/* Frames of all files in order, through the emitter, to the writer. */
static int emit_all(struct job *job, struct tape_writer *writer)
{
    struct merge *merge = NULL;
    struct emitter *emitter = NULL;
    struct emit_sink sink = {write_message, writer};
    const struct merge_entry *entry;
    int code = merge_open(&merge, &job->scan, job->error);
    if (code == 0) {
        code = emitter_open(&emitter, job->report, &job->scan.clock, sink, job->error);
    }
    while (code == 0) {
        code = merge_next(merge, &entry, job->error);
        if (code != 0 || entry == NULL) {
            break;
        }
        job->report->lines++;
        code = emitter_frame(emitter, entry, job->error);
        if (code == ERROR_INPUT) {
            merge_blame(merge, entry, job->error);
        }
        if (job->report->lines % PROGRESS_FRAMES == 0) {
            merge_shown(job, merge);
        }
    }
    if (code == 0) {
        emitter_finish(emitter);
        job->report->receive_time_back = merge_receive_time_back(merge);
        job->report->blank_lines = merge_blank_lines(merge);
    }
    emitter_close(&emitter);
    merge_close(&merge);
    return code;
}

static int write_part(struct job *job)
{
    struct tape_writer *writer;
    int code =
        tape_writer_open(&writer, job->part, import_header_tape(job->header), NULL, job->error);
    if (code != 0) {
        return code;
    }
    code = emit_all(job, writer);
    if (code != 0) {
        tape_writer_abandon(&writer);
        return code;
    }
    code = tape_writer_finish(&writer, job->error);
    job->part_written = code == 0;
    return code;
}

static int copy_blocks(struct tape_reader *reader, struct tape_writer *writer, struct error *error)
{
    struct tape_block block;
    int code = tape_block_init(&block, reader, error);
    if (code != 0) {
        return code;
    }
    size_t count = tape_reader_block_count(reader);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = tape_reader_read(reader, i, &block, error);
        for (size_t k = 0; code == 0 && k < block.message_count; k++) {
            code = tape_writer_append(writer, &block.messages[k], error);
        }
    }
    tape_block_free(&block);
    return code;
}

/* Copy the part to the output under a first block that bears the grade. Encoding again costs a few
 * percent of what decoding the frames again would. */
static int write_output(struct job *job)
{
    struct tape_header *header = import_header_tape(job->header);
    struct tape_reader *reader;
    struct tape_writer *writer;
    header->grade = job->report->grade;
    header->grade_reasons = job->report->reasons != NULL ? job->report->reasons : "";
    int code = tape_reader_open(&reader, job->part, job->error);
    if (code != 0) {
        return code;
    }
    code = tape_writer_open(&writer, job->options->output, header, NULL, job->error);
    if (code == 0) {
        code = copy_blocks(reader, writer, job->error);
        if (code == 0) {
            code = tape_writer_finish(&writer, job->error);
        } else {
            tape_writer_abandon(&writer);
        }
    }
    tape_reader_close(&reader);
    return code;
}

static int run(struct job *job)
{
    const struct import_options *options = job->options;
    int code = instrument_table_load(&job->table, options->instruments, job->error);
    if (code == 0) {
        code = scan_run(&job->scan, options->files, options->file_count, job->table,
                        options->floor_ns, scan_shown, job, job->error);
    }
    if (code == 0) {
        code = import_header_make(&job->header, &job->scan, job->table, options, job->report,
                                  job->error);
    }
    if (code == 0) {
        code = write_part(job);
    }
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < job->scan.file_count; i++) {
        job->report->files += !job->scan.files[i].twice;
        job->report->files_twice += job->scan.files[i].twice;
    }
    job->report->clock = job->scan.clock;
    memset(&job->scan.clock, 0, sizeof job->scan.clock);
    code = import_report_grade(job->report, job->error);
    return code == 0 ? write_output(job) : code;
}

int import_binance(const struct import_options *options, struct import_report *report,
                   struct error *error)
{
    ASSERT(options->file_count > 0 && options->output != NULL);
    struct job job = {.options = options, .report = report, .error = error};
    size_t length = strlen(options->output) + sizeof ".part";
    memset(report, 0, sizeof *report);
    if (options->file_count > IMPORT_FILES_MAX) {
        return error_set(error, ERROR_INPUT, "more than %d files", IMPORT_FILES_MAX);
    }
    job.part = malloc(length);
    if (job.part == NULL) {
        return error_set(error, ERROR_SYSTEM, "no memory to import");
    }
    snprintf(job.part, length, "%s.part", options->output);
    int code = run(&job);
    if (job.part_written) {
        remove(job.part);
    }
    import_header_free(&job.header);
    scan_free(&job.scan);
    instrument_table_free(&job.table);
    free(job.part);
    if (code != 0) {
        import_report_free(report);
    }
    return code;
}
