/* The commands of `capstan tape`, one file each. */
#ifndef CAPSTAN_CMD_TAPE_H
#define CAPSTAN_CMD_TAPE_H

/* X(name, one line) */
#define TAPE_COMMANDS(X) X(book, "the books of a tape as they stood at a time")

#define X(name, line) int cmd_tape_##name(int argc, char **argv);
TAPE_COMMANDS(X)
#undef X

#endif
