/*
 * terminal: how pictures may look where they go: colour, Unicode, width.
 */
#ifndef SB_DEMO_TERMINAL_H
#define SB_DEMO_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

enum { TERMINAL_COLUMNS_MIN = 80, TERMINAL_COLUMNS_MAX = 120, TERMINAL_COLUMNS_UNKNOWN = 100 };

struct terminal_style {
    bool unicode;
    bool colour;
    uint32_t columns;
};

/* What the style follows from. */
struct terminal_facts {
    bool is_tty;
    uint32_t columns;     /* 0: not known */
    const char *no_color; /* the environment's; NULL: not set */
    const char *term;
    const char *codeset; /* of the locale: "UTF-8" */
};

struct terminal_style terminal_style_of(const struct terminal_facts *facts);

/* Of a file descriptor, with the process's environment and locale. */
struct terminal_style terminal_style_of_fd(int fd);

enum terminal_ink {
    TERMINAL_PLAIN,
    TERMINAL_BOLD,
    TERMINAL_DIM,
    TERMINAL_RED,
    TERMINAL_GREEN,
    TERMINAL_YELLOW,
    TERMINAL_BLUE, /* the bright one: the other can not be read on black */
    TERMINAL_MAGENTA,
    TERMINAL_CYAN
};

/* The escape that begins an ink, and with TERMINAL_PLAIN ends it; "" without colour. */
const char *terminal_ink_text(const struct terminal_style *style, enum terminal_ink ink);

#endif
