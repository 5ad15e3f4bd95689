/*
 * config_files: a folder with configuration files, right and wrong ones.
 */
#ifndef SB_TEST_CLI_CONFIG_FILES_H
#define SB_TEST_CLI_CONFIG_FILES_H

#include <string.h>

#include "support/temp_dir.h"

struct config_folder {
    struct temp_dir dir;
    char worker[TEMP_DIR_PATH_LEN]; /* right */
    char topic[TEMP_DIR_PATH_LEN];  /* right */
    char odd[TEMP_DIR_PATH_LEN];    /* a worker file with a warning */
    char bad[TEMP_DIR_PATH_LEN];    /* a worker file with an error */
};

#define CONFIG_FILES_REST                                                                      \
    "kafka = { bootstrap = \"localhost:9092\"; };\n"                                           \
    "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"          \
    "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://localhost:4318\"; } " \
    ");\n"

static inline void config_folder_write(struct config_folder *folder, const char *name,
                                       const char *content, char path[TEMP_DIR_PATH_LEN])
{
    temp_dir_write(&folder->dir, name, content, strlen(content));
    temp_dir_path(&folder->dir, name, path);
}

static inline void config_folder_make(struct config_folder *folder)
{
    temp_dir_make(&folder->dir);
    config_folder_write(folder, "worker.conf", CONFIG_FILES_REST, folder->worker);
    config_folder_write(folder, "topic.conf", "topic = \"a\"; role = \"spans\";\n",
                        folder->topic);
    config_folder_write(folder, "odd.conf", "window = { idle = \"5m\"; };\n" CONFIG_FILES_REST,
                        folder->odd);
    config_folder_write(folder, "bad.conf", "workres = 4;\n" CONFIG_FILES_REST, folder->bad);
}

#endif
