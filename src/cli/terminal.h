/*
 * terminal: what goes to stdout and stderr, and how it looks.
 */
#ifndef SB_CLI_TERMINAL_H
#define SB_CLI_TERMINAL_H

#include <stdbool.h>

#include "config/load.h"
#include "core/text.h"

/* The largest text that a command prints at once. */
enum { TERMINAL_TEXT_MAX = 64 << 20 };

/* True where stderr is a terminal that may show colours (NO_COLOR is not set). */
bool terminal_has_colour(void);

/* Writes all of it to stdout: 0, or EX_IOERR or EX_OSERR with a message. */
int terminal_print(const struct text *text);

/* Errors, warnings and notes to stderr; a count of what is amiss at the end. */
void terminal_report(const struct config_report *report);

#endif
