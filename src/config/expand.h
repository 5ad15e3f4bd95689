/*
 * expand: variables inside text: ${NAME}, ${NAME:-default}, ${file:PATH}; $${ is a plain ${.
 */
#ifndef SB_CONFIG_EXPAND_H
#define SB_CONFIG_EXPAND_H

#include "config/load.h"

struct expansion {
    bool secret;        /* from a file, or from a variable whose name says so: never shown */
    size_t secret_from; /* that part of `out`, and all between the first and the last one */
    size_t secret_to;
    char text[256];
    char help[256]; /* "" : none */
};

enum { EXPAND_FILE_BYTES_MAX = 64 << 10 };

/* True if there is anything to expand. */
bool expand_needed(const char *raw);

/*
 * Appends `raw` with its variables replaced.  A file's last newline is dropped; its path is
 * relative to `beside`, the configuration file.  SB_ERR_INPUT: ret->text and ret->help tell
 * why.  SB_ERR_MEMORY.
 */
enum sb_err expand(const char *raw, const char *beside, const struct config_files *files,
                   struct text *out, struct expansion *ret) SB_MUST_USE;

/* Appends `path`, relative to the folder of the file `beside`. */
void expand_path(const char *path, const char *beside, struct text *out);

#endif
