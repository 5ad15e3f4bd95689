/*
 * command: one command of the command line.
 */
#ifndef SB_CLI_COMMAND_H
#define SB_CLI_COMMAND_H

struct command {
    const char *name;
    const char *summary;               /* one line of `spanbridge --help` */
    const char *help;                  /* what `spanbridge NAME --help` prints */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command command_check;
extern const struct command command_config;
extern const struct command command_run;
extern const struct command command_demo;

#endif
