/* Strict UTF-8; see base/utf8.h. */
#include "base/utf8.h"

/* Bytes of a sequence by its first byte, 0 where none begins so. */
static size_t sequence_bytes(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_read(const char *text, size_t length, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;

    size_t count = length == 0 ? 0 : sequence_bytes(bytes[0]);
    if (count == 0 || count > length)
        return 0;
    uint32_t value = count == 1 ? bytes[0] : bytes[0] & (0x7fU >> count);
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3fU);
    }
    if (value < least[count] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    if (character != NULL)
        *character = value;
    return count;
}

static bool is_printable(uint32_t character)
{
    return character > 0x20 && !(character >= 0x7f && character <= 0xa0) && character != 0x2028 &&
           character != 0x2029 && character != 0xfeff && character != 0xfffe && character != 0xffff;
}

bool utf8_is_word(const char *text, size_t length)
{
    uint32_t character = 0;

    for (size_t at = 0, bytes; at < length; at += bytes) {
        bytes = utf8_read(text + at, length - at, &character);
        if (bytes == 0 || !is_printable(character))
            return false;
    }
    return length > 0;
}
