/* The first block: the tape's header as bytes (docs/tape-format.md). */
#ifndef CAPSTAN_TAPE_HEADER_H
#define CAPSTAN_TAPE_HEADER_H

#include "tape/tape.h"

/* Write `header` as bytes. On success *bytes (free()) and *length are the payload. ERROR_INPUT where
 * a text or name is not one that a tape can carry, or a table is too long. */
int tape_header_encode(const struct tape_header *header, uint8_t **bytes, size_t *length,
                       struct error *error);
/* Read a header. On success it points into *memory, which is the caller's to free(). */
int tape_header_decode(const uint8_t *bytes, size_t length, struct tape_header *header,
                       void **memory, struct error *error);

#endif
