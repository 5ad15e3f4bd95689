/*
 * checker: the state of one syntax_check, and what stands in frames.c of it.
 */
#ifndef SB_CONFIG_CHECKER_H
#define SB_CONFIG_CHECKER_H

#include "lexer.h"
#include "syntax.h"

/* An open bracket, or the file itself. */
struct checker_frame {
    char open;    /* { ( [ or 0 for the file */
    char read_as; /* what it can only be meant as: libconfig is shown that */
    struct lexer_spot spot;
    struct bytes name;     /* of the setting that it is the value of, or empty */
    uint32_t names_before; /* length of `names` when it was opened */
    enum lexer_token kind; /* of an array's elements; LEXER_END: none yet */
};

/* The name of a setting, to find it when it comes again. */
struct checker_name {
    struct bytes text;
    uint32_t line;
};

enum checker_state { EXPECT_NAME, EXPECT_EQUALS, EXPECT_VALUE, AFTER_VALUE };

struct checker {
    struct lexer lexer;
    struct config_report *report;
    struct syntax *syntax;
    struct checker_frame stack[SYNTAX_DEPTH_MAX + 1];
    uint32_t depth;             /* index of the innermost frame */
    struct checker_name *names; /* of all open groups, the innermost last */
    uint32_t name_count;
    uint32_t name_room;
    enum checker_state state;
    bool after_string;
    struct lexer_spot name_spot;
    size_t comma_at; /* of a comma that was the last token, else SIZE_MAX */
    uint32_t renamed;
    enum sb_err error;
};

struct checker_frame *checker_innermost(struct checker *checker);
bool checker_in_group(struct checker *checker);
char checker_closer(char open);

/* Begins the report of an error, as lexer_fault does. */
bool checker_fault(struct checker *checker, struct lexer_spot spot, struct place *ret_at);

/* The same for one that can not be mended: libconfig will not be asked. */
bool checker_breaks(struct checker *checker, struct lexer_spot spot, struct place *ret_at);

/* Notes where a setting or an element stands. */
void checker_add_mark(struct checker *checker, struct lexer_spot spot);

/* " of NAME", or nothing. */
struct quoted checker_of_name(struct bytes name);

/* The last token is the name of a setting. */
void checker_begin_name(struct checker *checker);

/* The last token opens a group, list or array. */
void checker_push(struct checker *checker);

/* Leaves the innermost frame, whose closing character is at `close_at`. */
void checker_pop(struct checker *checker, size_t close_at);

/* The last token closes something, the innermost frame if all is well. */
void checker_close(struct checker *checker);

/* Reports a frame that is not closed `until` some place, " before line 3" or "". */
void checker_tell_unclosed(struct checker *checker, const struct checker_frame *frame,
                           const char *until);

/* Leaves all lists up to the group around them. */
void checker_leave_lists(struct checker *checker, const char *until);

#endif
