#include "support/temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"

void temp_dir_make(struct temp_dir *dir)
{
    const char *base = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): tests never set it
    if (base == NULL || *base == '\0')
        base = "/tmp";
    int len = snprintf(dir->path, sizeof(dir->path), "%s/spanbridge-test-XXXXXX", base);
    SB_ASSERT(len > 0 && (size_t)len < sizeof(dir->path));
    char *made = mkdtemp(dir->path);
    SB_ASSERT(made != NULL);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void temp_dir_remove(struct temp_dir *dir)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): without FTW_CHDIR nothing is shared
    int failed = nftw(dir->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    SB_ASSERT(failed == 0);
    dir->path[0] = '\0';
}

void temp_dir_path(const struct temp_dir *dir, const char *name, char ret[TEMP_DIR_PATH_LEN])
{
    int len = snprintf(ret, TEMP_DIR_PATH_LEN, "%s/%s", dir->path, name);
    SB_ASSERT(len > 0 && len < TEMP_DIR_PATH_LEN);
}

void temp_dir_write(const struct temp_dir *dir, const char *name, const void *at, size_t len)
{
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_path(dir, name, path);
    FILE *file = fopen(path, "wb");
    SB_ASSERT(file != NULL);
    size_t written = len == 0 ? 0 : fwrite(at, 1, len, file);
    SB_ASSERT(written == len);
    int failed = fclose(file);
    SB_ASSERT(failed == 0);
}
