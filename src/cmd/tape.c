/* capstan tape: what can be done with a tape. */
#include "cmd/tape.h"

#include "base/time.h"
#include "cmd/cmd.h"

int cmd_tape(int argc, char **argv)
{
    static const struct cmd_entry entries[] = {
#define X(name, line) {#name, cmd_tape_##name, line},
        TAPE_COMMANDS(X)
#undef X
    };
    static const struct cmd_group group = {
        .name = "capstan tape",
        .opening = "Look at a tape, or make another one of it.\n",
        .closing = "Examples:\n"
                   "  capstan tape info day.tape\n"
                   "  capstan tape book day.tape --at 2024-08-09T00:00:00Z --depth 5\n"
                   "docs/tape-format.md has the bytes of a tape, docs/tape-text.md its text.\n",
        .entries = entries,
        .entry_count = sizeof entries / sizeof entries[0],
    };
    return cmd_dispatch(&group, argc, argv);
}

void tape_identity_text(const uint8_t identity[TAPE_IDENTITY_BYTES],
                        char out[TAPE_IDENTITY_TEXT_MAX])
{
    for (unsigned i = 0; i < TAPE_IDENTITY_BYTES; i++)
        snprintf(out + (size_t)2 * i, 3, "%02x", identity[i]);
}

bool tape_loses_book(const struct message *message, unsigned instrument, unsigned venue)
{
    if (message->kind == EVENT_feed_connection)
        return !message->record->feed_connection.connected &&
               message->record->feed_connection.venue == venue;
    unsigned channel = EVENT_STREAM_CHANNEL(message->stream);
    if (message->kind != EVENT_gap ||
        (message->stream != EVENT_NONE_16 && (channel == CHANNEL_TRADE || channel == CHANNEL_TOP)))
        return false;
    return message->record->gap.instrument == instrument ||
           message->record->gap.instrument == EVENT_NONE_16;
}

int tape_check_span(const struct tape_reader *reader, const char *path, int64_t from, int64_t to,
                    struct error *error)
{
    char asked[TIME_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    size_t count = tape_reader_block_count(reader);
    if (from > to && count == 0)
        return error_set(error, ERROR_INPUT, "--from is after --to");
    if (count == 0)
        return 0;
    int64_t first_ts = tape_reader_block_info(reader, 0)->first_ts;
    int64_t last_ts = tape_reader_block_info(reader, count - 1)->last_ts;
    if (from <= to && from <= last_ts && to >= first_ts)
        return 0;
    time_to_text(from > last_ts ? from : to, asked);
    time_to_text(first_ts, first);
    time_to_text(last_ts, last);
    if (from > to)
        return error_set(error, ERROR_INPUT, "--from is after --to; %.300s goes from %s to %s",
                         path, first, last);
    return error_set(error, ERROR_INPUT, "%s %s: %.300s has nothing %s it; it goes from %s to %s",
                     from > last_ts ? "--from" : "--to", asked, path,
                     from > last_ts ? "at or after" : "at or before", first, last);
}

int tape_need_output(const char *command, const char *output, const char *input)
{
    struct error error = {0};
    if (output == NULL)
        return cmd_fail_with(command, ERROR_INPUT, "expected -o TAPE, the tape to write");
    if (cmd_check_output("-o", output, &input, 1, &error) != 0)
        return cmd_fail(command, &error);
    return 0;
}
