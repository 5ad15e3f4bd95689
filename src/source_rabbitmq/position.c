#include "position.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"

enum { LINE_LEN = 320, FILE_MODE = 0640 };

/* All of a short file, NUL-terminated; what is longer is none of ours. */
static enum sb_err read_line(const char *path, char ret[LINE_LEN])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SB_ERR_NOT_FOUND : SB_ERR_IO;
    ssize_t len = read(fd, ret, LINE_LEN - 1);
    (void)close(fd);
    if (len < 0)
        return SB_ERR_IO;
    ret[len] = '\0';
    return SB_OK;
}

enum sb_err position_read(const char *path, const char *queue, int64_t *ret)
{
    char line[LINE_LEN];
    enum sb_err err = read_line(path, line);
    if (err != SB_OK)
        return err;
    size_t len = strlen(queue);
    if (strncmp(line, queue, len) != 0 || line[len] != ' ' || line[len + 1] < '0' ||
        line[len + 1] > '9')
        return SB_ERR_INPUT;
    char *end;
    errno = 0;
    long long offset = strtoll(line + len + 1, &end, 10);
    if (errno != 0 || strcmp(end, "\n") != 0)
        return SB_ERR_INPUT;
    *ret = offset;
    return SB_OK;
}

static bool write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, at, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        len -= (size_t)written;
    }
    return fsync(fd) == 0;
}

/* The new name lasts only once its folder is on disk. */
static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *name = strrchr(path, '/');
    int len = name == NULL || name == path ? 1 : (int)(name - path);
    (void)snprintf(folder, sizeof(folder), "%.*s", len, name == NULL ? "." : path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0;
    (void)close(fd);
    return synced;
}

enum sb_err position_write(const char *path, const char *queue, int64_t offset)
{
    char line[LINE_LEN];
    char beside[PATH_MAX];
    int len = snprintf(line, sizeof(line), "%s %" PRId64 "\n", queue, offset);
    int path_len = snprintf(beside, sizeof(beside), "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof(line) || path_len < 0 ||
        (size_t)path_len >= sizeof(beside))
        return SB_ERR_IO;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return SB_ERR_IO;
    bool written = write_all(fd, line, (size_t)len);
    written = close(fd) == 0 && written;
    if (!written || rename(beside, path) != 0) {
        (void)unlink(beside);
        return SB_ERR_IO;
    }
    return sync_folder(path) ? SB_OK : SB_ERR_IO;
}
