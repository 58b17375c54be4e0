/* Text as roff, the language of manual pages. */
#ifndef CAPSTAN_CMD_ROFF_H
#define CAPSTAN_CMD_ROFF_H

#include <stdio.h>

/* Words within a line: backslashes and hyphens are escaped. */
void roff_words(FILE *to, const char *text);
/* What --help prints, as paragraphs: lines that begin with two spaces stay as they are, the others flow; an empty line
 * begins a paragraph. */
void roff_text(FILE *to, const char *text);

#endif
