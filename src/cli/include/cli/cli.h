/*
 * cli: the command line: finds the command and runs it.
 */
#ifndef SB_CLI_CLI_H
#define SB_CLI_CLI_H

/* Returns the exit code of the process: 0, 1 or one of sysexits.h (product.md). */
int cli_main(int argc, char **argv);

#endif
