/* files: the file system, as struct config_files. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

enum { READ_STEP = 16384 };

static enum sb_err read_all(int fd, struct text *out)
{
    uint8_t step[READ_STEP];
    for (;;) {
        ssize_t got = read(fd, step, sizeof(step));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SB_ERR_IO;
        if (got == 0)
            return SB_OK;
        text_append(out, bytes_of(step, (size_t)got));
        if (out->error != SB_OK)
            return out->error;
    }
}

/* Pipes are welcome: `spanbridge check <(generate)`. */
static enum sb_err read_file(void *arg, const char *path, struct text *out)
{
    (void)arg;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SB_ERR_IO;
    struct stat status;
    enum sb_err err = SB_ERR_IO;
    if (fstat(fd, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
        else
            err = read_all(fd, out);
    }
    int number = errno;
    close(fd);
    errno = number;
    return err;
}

static enum sb_err list_files(void *arg, const char *pattern,
                              void (*found)(void *, const char *), void *found_arg)
{
    (void)arg;
    glob_t names;
    /* Unsafe beside changes of the environment or the user database, which nobody makes. */
    int result = glob(pattern, 0, NULL, &names); /* NOLINT(concurrency-mt-unsafe) */
    if (result == GLOB_NOSPACE)
        return SB_ERR_MEMORY;
    if (result != 0)
        return SB_OK;
    for (size_t i = 0; i < names.gl_pathc; i++)
        found(found_arg, names.gl_pathv[i]);
    globfree(&names);
    return SB_OK;
}

const struct config_files source_file_system = {.read = read_file, .list = list_files};
