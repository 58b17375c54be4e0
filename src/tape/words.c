/* The words for a tape's origin and grade. */
#include "base/assert.h"
#include "tape/tape.h"

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
