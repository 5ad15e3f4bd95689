#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/test.h"

enum { WORDS_MAX = 32 };

/* Puts a file in memory in place of `fd`; returns what stood there. */
static int divert(int fd, int *ret_file)
{
    int before = dup(fd);
    *ret_file = memfd_create("capture", MFD_CLOEXEC);
    assert_true(before >= 0 && *ret_file >= 0);
    assert_int_equal(dup2(*ret_file, fd), fd);
    return before;
}

static char *restore(int fd, int before, int file)
{
    char *text = calloc(1, CAPTURE_LEN);
    assert_non_null(text);
    assert_int_equal(dup2(before, fd), fd);
    close(before);
    assert_true(pread(file, text, CAPTURE_LEN - 1, 0) >= 0);
    close(file);
    return text;
}

void capture_run(struct capture *capture, int (*run)(int argc, char **argv),
                 const char *const *words)
{
    char *argv[WORDS_MAX] = {NULL};
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        assert_true(argc < WORDS_MAX - 1);
        argv[argc] = strdup(words[argc]);
    }
    /* getopt moves the words about. */
    char *freed[WORDS_MAX];
    memcpy(freed, argv, sizeof(freed));
    int out;
    int err;
    fflush(stdout);
    int out_before = divert(STDOUT_FILENO, &out);
    int err_before = divert(STDERR_FILENO, &err);
    capture->code = run(argc, argv);
    fflush(stdout);
    capture->out = restore(STDOUT_FILENO, out_before, out);
    capture->err = restore(STDERR_FILENO, err_before, err);
    for (int i = 0; i < argc; i++)
        free(freed[i]);
}

void capture_clear(struct capture *capture)
{
    free(capture->out);
    free(capture->err);
}

void capture_expect(int (*run)(int argc, char **argv), const char *const *words, int code,
                    const char *out, const char *err)
{
    struct capture capture;
    capture_run(&capture, run, words);
    if (out != NULL)
        assert_string_equal(capture.out, out);
    if (err != NULL)
        assert_string_equal(capture.err, err);
    assert_int_equal(capture.code, code);
    capture_clear(&capture);
}
