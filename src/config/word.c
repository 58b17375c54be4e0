/* Checks names of a configuration, character by character. See config/word.h. */
#include <config.h>

#include "config/word.h"

/* Read one character of UTF-8 (RFC 3629) at `text`; its length in bytes, or 0 where it is none. */
static size_t read_character(const unsigned char *text, size_t length, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t width = text[0] < 0x80   ? 1
                   : text[0] < 0xc2 ? 0
                   : text[0] < 0xe0 ? 2
                   : text[0] < 0xf0 ? 3
                   : text[0] < 0xf5 ? 4
                                    : 0;
    if (width == 0 || width > length)
        return 0;
    uint32_t value = width == 1 ? text[0] : text[0] & (0x7fu >> width);
    for (size_t i = 1; i < width; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < least[width] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *character = value;
    return width;
}

/* Blanks, controls, line ends and marks of Unicode that libyaml refuses or folds. */
static bool is_unfit(uint32_t character)
{
    return character <= ' ' || (character >= 0x7f && character <= 0xa0) || character == 0x2028 ||
           character == 0x2029 || character == 0xfeff || character == 0xfffe || character == 0xffff;
}

bool word_is_good(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t character = 0;
        size_t width = read_character((const unsigned char *)text + at, length - at, &character);
        if (width == 0 || is_unfit(character))
            return false;
        at += width;
    }
    return length > 0;
}
