/*
 * syntax_check: a source from a text, checked; for the tests of the syntax check's parts.
 */
#ifndef SB_TEST_CONFIG_SYNTAX_CHECK_H
#define SB_TEST_CONFIG_SYNTAX_CHECK_H

#include "memory_files.h"
#include "syntax.h"

struct checked {
    struct config_report report;
    struct source source;
    struct syntax syntax;
    struct config_files files;
    struct memory_file list[2];
};

void checked_open(struct checked *checked, const char *content);
void checked_close(struct checked *checked);

/* Exactly this report, and whether libconfig may still be asked. */
void checked_expect(const char *content, bool broken, const char *report);

/* No error, and libconfig reads the text; `expected` is what it is shown. */
void checked_expect_fine(const char *content, const char *expected);

#endif
