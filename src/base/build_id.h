/* Which build this is: the linker's build id of the running program. */
#ifndef CAPSTAN_BASE_BUILD_ID_H
#define CAPSTAN_BASE_BUILD_ID_H

enum { BUILD_ID_TEXT_MAX = 80 };

/* Hexadecimal text of the GNU build-id note of the main program, or "unknown" where the linker wrote
 * none. Two programs with the same text are the same bytes. */
void build_id_text(char out[BUILD_ID_TEXT_MAX]);

#endif
