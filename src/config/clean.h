/*
 * clean: takes out of a file what only people need, in place.
 */
#ifndef SB_CONFIG_CLEAN_H
#define SB_CONFIG_CLEAN_H

#include "report.h"

/*
 * Overwrites comments, a byte order mark and carriage returns with spaces, so that places
 * stay; reports invalid UTF-8, NUL bytes and comments without an end, and overwrites them
 * too.  `at` names the file.
 */
void clean_text(char *text, size_t len, struct place at, struct config_report *report);

#endif
