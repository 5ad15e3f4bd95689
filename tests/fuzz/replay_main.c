/*
 * replay_main: feeds every file of the given folders to a fuzz target, in the order of their
 * names, so that the corpus is checked in builds without libFuzzer too.
 *
 * 0: all were fed; 1: a folder is missing or empty, or a file can not be read.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

/* Reads a whole file into a block of exactly its size, so that ASan sees one byte too far. */
static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    bool done = false;
    struct stat info;
    uint8_t *content = NULL;
    if (fstat(fileno(file), &info) == 0) {
        size_t len = (size_t)info.st_size;
        content = malloc(len == 0 ? 1 : len);
        done = content != NULL && fread(content, 1, len, file) == len;
        if (done)
            LLVMFuzzerTestOneInput(len == 0 ? content + 1 : content, len);
    }
    free(content);
    fclose(file);
    return done;
}

/* Returns how many files were fed; -1: something could not be read. */
static int replay_folder(const char *folder)
{
    struct dirent **entries;
    int entry_count = scandir(folder, &entries, NULL, alphasort);
    if (entry_count < 0) {
        perror(folder);
        return -1;
    }
    int fed = 0;
    for (int i = 0; i < entry_count; i++) {
        char path[4096];
        struct stat info;
        int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        bool fits = len > 0 && (size_t)len < sizeof(path);
        if (fed >= 0 && fits && stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            if (replay_file(path)) {
                fed++;
            } else {
                perror(path);
                fed = -1;
            }
        }
        free(entries[i]);
    }
    free(entries);
    return fed;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s FOLDER...\n", arguments[0]);
        return 1;
    }
    int total = 0;
    for (int i = 1; i < count; i++) {
        int fed = replay_folder(arguments[i]);
        if (fed <= 0) {
            fprintf(stderr, "%s: nothing to feed\n", arguments[i]);
            return 1;
        }
        total += fed;
    }
    printf("%d inputs\n", total);
    return 0;
}
