/* capstan tape: what can be done with a tape. */
#include "cmd/tape.h"

#include "base/assert.h"
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

const char *tape_origin_text(enum tape_origin origin)
{
    static const char *const texts[] = {"imported", "made", "recorded", "replayed", "scenario"};
    ASSERT((unsigned)origin < sizeof texts / sizeof texts[0]);
    return texts[origin];
}

const char *tape_grade_letter(enum tape_grade grade)
{
    static const char *const letters[] = {
#define X(name, letter, meaning) letter,
        TAPE_GRADES(X)
#undef X
    };
    ASSERT(grade < TAPE_GRADE_COUNT);
    return letters[grade];
}

const char *tape_grade_meaning(enum tape_grade grade)
{
    static const char *const meanings[] = {
#define X(name, letter, meaning) meaning,
        TAPE_GRADES(X)
#undef X
    };
    ASSERT(grade < TAPE_GRADE_COUNT);
    return meanings[grade];
}
