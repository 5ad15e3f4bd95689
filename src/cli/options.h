/*
 * options: getopt_long with messages that help.
 */
#ifndef SB_CLI_OPTIONS_H
#define SB_CLI_OPTIONS_H

#include <getopt.h>

#include "command.h"

enum {
    OPTIONS_END = -1,
    OPTIONS_HELP = 'h',  /* the help was printed */
    OPTIONS_BAD = '?',   /* reported: exit with EX_USAGE */
    OPTIONS_LATER = 1000 /* val of options that this version does not have */
};

/* Begins anew with argv[1]. */
void options_begin(void);

/*
 * The next option's val, OPTIONS_END, OPTIONS_HELP or OPTIONS_BAD.  Operands may stand
 * between options; afterwards they begin at optind.
 */
int options_next(int argc, char **argv, const struct option *options,
                 const struct command *command);

/* Reports to stderr how the command is used, and returns EX_USAGE. */
int options_usage(const struct command *command, const char *text);

#endif
