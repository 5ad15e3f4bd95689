/*
 * temp_dir: a temporary folder of one test.  Trouble with it is a failed assertion: a test can
 * do nothing about it.
 */
#ifndef SB_SUPPORT_TEMP_DIR_H
#define SB_SUPPORT_TEMP_DIR_H

#include <stddef.h>

enum { TEMP_DIR_PATH_LEN = 512 };

struct temp_dir {
    char path[TEMP_DIR_PATH_LEN];
};

/* Makes a new folder below $TMPDIR or /tmp. */
void temp_dir_make(struct temp_dir *dir);

/* Removes the folder and all that is in it. */
void temp_dir_remove(struct temp_dir *dir);

/* The path of `name` in the folder, in `ret`. */
void temp_dir_path(const struct temp_dir *dir, const char *name, char ret[TEMP_DIR_PATH_LEN]);

/* Writes a file in the folder with that content. */
void temp_dir_write(const struct temp_dir *dir, const char *name, const void *at, size_t len);

#endif
