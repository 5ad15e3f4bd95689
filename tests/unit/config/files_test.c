#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source.h"
#include "support/temp_dir.h"
#include "support/test.h"

static enum sb_err read_path(const char *path, size_t len_max, struct text *out)
{
    text_init(out, len_max);
    return source_file_system.read(source_file_system.arg, path, out);
}

static void test_read(void **state)
{
    (void)state;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    struct text text;
    temp_dir_make(&dir);
    temp_dir_write(&dir, "a", "content", 7);
    temp_dir_path(&dir, "a", path);
    assert_int_equal(read_path(path, 100, &text), SB_OK);
    assert_string_equal(text_string(&text), "content");
    text_clear(&text);
    assert_int_equal(read_path(path, 3, &text), SB_ERR_LIMIT);
    text_clear(&text);
    assert_int_equal(read_path(dir.path, 100, &text), SB_ERR_IO);
    assert_int_equal(errno, EISDIR);
    text_clear(&text);
    temp_dir_path(&dir, "none", path);
    assert_int_equal(read_path(path, 100, &text), SB_ERR_IO);
    assert_int_equal(errno, ENOENT);
    text_clear(&text);
    temp_dir_remove(&dir);
}

/* More than one step of reading. */
static void test_read_long(void **state)
{
    (void)state;
    static char content[100000];
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    struct text text;
    memset(content, 'x', sizeof(content));
    temp_dir_make(&dir);
    temp_dir_write(&dir, "a", content, sizeof(content));
    temp_dir_path(&dir, "a", path);
    assert_int_equal(read_path(path, 1 << 20, &text), SB_OK);
    assert_int_equal(text.len, sizeof(content));
    text_clear(&text);
    temp_dir_remove(&dir);
}

static void note(void *arg, const char *path)
{
    text_append_text(arg, strrchr(path, '/'));
}

static void test_list(void **state)
{
    (void)state;
    struct temp_dir dir;
    char pattern[TEMP_DIR_PATH_LEN];
    struct text found;
    temp_dir_make(&dir);
    temp_dir_write(&dir, "b.conf", "", 0);
    temp_dir_write(&dir, "a.conf", "", 0);
    temp_dir_write(&dir, "c.txt", "", 0);
    temp_dir_write(&dir, ".d.conf", "", 0);
    text_init(&found, 1000);
    temp_dir_path(&dir, "*.conf", pattern);
    assert_int_equal(source_file_system.list(NULL, pattern, note, &found), SB_OK);
    assert_string_equal(text_string(&found), "/a.conf/b.conf");
    temp_dir_path(&dir, "none/*", pattern);
    assert_int_equal(source_file_system.list(NULL, pattern, note, &found), SB_OK);
    assert_string_equal(text_string(&found), "/a.conf/b.conf");
    text_clear(&found);
    temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_long),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
