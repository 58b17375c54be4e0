/* What may be a name in a configuration: printable UTF-8 without blanks. */
#ifndef CAPSTAN_CONFIG_WORD_H
#define CAPSTAN_CONFIG_WORD_H

#include "base/integer.h"

/* Whether `length` bytes are at least one character, each of them valid UTF-8 and neither a blank, a
 * control, a line end nor a byte order mark: so that they print on one line and YAML reads them back.
 * Venues do have symbols beyond ASCII. */
bool word_is_good(const char *text, size_t length);

#endif
