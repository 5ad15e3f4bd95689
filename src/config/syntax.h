/*
 * syntax: checks the grammar of a source before libconfig sees it.
 *
 * libconfig stops at the first error and often names the wrong line.  This finds them all,
 * with the place where a brace was opened, mends what it can (lexer.h) and notes where every
 * setting and list element stands, in the order in which libconfig creates them.
 */
#ifndef SB_CONFIG_SYNTAX_H
#define SB_CONFIG_SYNTAX_H

#include "source.h"

enum {
    SYNTAX_DEPTH_MAX = 32,  /* of nested groups, lists and arrays */
    SYNTAX_NAMES_MAX = 1000 /* settings in one group */
};

/* One setting or one element; line from 1, of the source. */
struct syntax_mark {
    uint32_t line;
    uint32_t column;
};

struct syntax {
    struct syntax_mark *marks;
    uint32_t count;
    uint32_t room;
    bool broken; /* libconfig can not read it, or would read something else than was meant */
};

/* Errors go to the source's report.  SB_ERR_MEMORY.  syntax_clear in any case. */
enum sb_err syntax_check(struct source *source, struct syntax *ret) SB_MUST_USE;
void syntax_clear(struct syntax *syntax);

#endif
