/* Text as pages and CSV need it: whatever stands in a name, it stays text. */
#ifndef CAPSTAN_REPORT_WRITE_H
#define CAPSTAN_REPORT_WRITE_H

#include <stdio.h>

/* Text in HTML, between tags or in a quoted attribute. What is no UTF-8, and control characters other than a line
 * feed, become U+FFFD. */
void write_html(FILE *stream, const char *text);
/* A JSON string with its quotes, safe inside a script element: '<', '>', '&' and the line ends that JavaScript
 * knows stand as escapes. Wrong UTF-8 as in write_html. */
void write_json(FILE *stream, const char *text);
/* One field of RFC 4180: quoted where it has to be; its bytes are kept. */
void write_csv(FILE *stream, const char *text);

#endif
