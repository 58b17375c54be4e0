/* capstan tape: what can be done with a tape. */
#include "cmd/tape.h"

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
        .closing = "Example: capstan tape book day.tape --at 2024-08-09T00:00:00Z --depth 5\n",
        .entries = entries,
        .entry_count = sizeof entries / sizeof entries[0],
    };
    return cmd_dispatch(&group, argc, argv);
}
