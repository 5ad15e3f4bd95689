/*
 * capture: a command run in this process, with what it wrote to stdout and stderr.
 */
#ifndef SB_TEST_CLI_CAPTURE_H
#define SB_TEST_CLI_CAPTURE_H

#include <stddef.h>

enum { CAPTURE_LEN = 1 << 20 };

struct capture {
    int code;
    char *out;
    char *err;
};

/* Calls run(argc, argv) with the words, the last of which is NULL. */
void capture_run(struct capture *capture, int (*run)(int argc, char **argv),
                 const char *const *words);
void capture_clear(struct capture *capture);

/* Runs, and expects that exit code, exactly that on stdout and on stderr; NULL: whatever. */
void capture_expect(int (*run)(int argc, char **argv), const char *const *words, int code,
                    const char *out, const char *err);

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
