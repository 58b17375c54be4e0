/* Manual pages and shell completion, made of the tables that --help prints. */
#ifndef CAPSTAN_CMD_PAGES_H
#define CAPSTAN_CMD_PAGES_H

#include "cmd/cmd.h"

/* `capstan pages man FOLDER`: a page for each command of `group`, FOLDER/capstan-COMMAND.1; `capstan pages
 * bash|zsh|fish`: completion, to standard output. Returns the exit status. */
int pages(const struct cmd_group *group, int argc, char **argv);

/* Print what completes the words of `group` and of all in it. */
void pages_bash(const struct cmd_group *group);
void pages_zsh(const struct cmd_group *group);
void pages_fish(const struct cmd_group *group);

/* Tell `describer` of each command and group of `group`, itself first, as far as help lists them. `line`, where
 * not NULL, is set before each to what the group says of it. */
void pages_visit(const struct cmd_group *group, const struct cmd_describer *describer,
                 const char **line);

#endif
