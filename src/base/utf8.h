/* UTF-8 read one character at a time, strictly (RFC 3629). */
#ifndef CAPSTAN_BASE_UTF8_H
#define CAPSTAN_BASE_UTF8_H

#include "base/integer.h"

/* Read the character at the beginning of `length` bytes. Returns its bytes (1 to 4), or 0 where there
 * is none: an empty text, a wrong or cut sequence, a longer form than needed, a surrogate, a number
 * past U+10FFFF. `character` may be NULL. */
size_t utf8_read(const char *text, size_t length, uint32_t *character);

/* Whether `length` bytes are at least one character, all well formed and printable: no blank, control,
 * line or paragraph separator, byte order mark. Such text stays on its line and in its word. */
bool utf8_is_word(const char *text, size_t length);

#endif
