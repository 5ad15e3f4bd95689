#include "position.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.h"
#include "support/test.h"

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    int64_t offset = 7;
    temp_dir_make(&dir);
    temp_dir_path(&dir, "offsets", path);
    assert_int_equal(position_read(path, "my queue", &offset), SB_ERR_NOT_FOUND);
    assert_int_equal(position_write(path, "my queue", 123), SB_OK);
    assert_int_equal(position_write(path, "my queue", INT64_MAX), SB_OK);
    assert_int_equal(position_read(path, "my queue", &offset), SB_OK);
    assert_true(offset == INT64_MAX);
    assert_int_equal(position_read(path, "my", &offset), SB_ERR_INPUT);
    assert_int_equal(position_read(path, "another", &offset), SB_ERR_INPUT);
    temp_dir_path(&dir, "offsets.new", path);
    assert_int_not_equal(access(path, F_OK), 0);
    temp_dir_remove(&dir);
}

static void test_what_is_no_position(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",          "q",       "q ",   "q 1",    "q x\n",
        "q -1\n",    "q 1 2\n", "q\n1", "q  1\n", "q 99999999999999999999\n",
        "other 1\n", "q 1x\n"};
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_make(&dir);
    temp_dir_path(&dir, "offsets", path);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t offset = 7;
        temp_dir_write(&dir, "offsets", texts[i], strlen(texts[i]));
        assert_int_equal(position_read(path, "q", &offset), SB_ERR_INPUT);
        assert_int_equal(offset, 7);
    }
    assert_int_equal(position_read(dir.path, "q", &(int64_t){0}), SB_ERR_IO);
    temp_dir_remove(&dir);
}

static void test_a_folder_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(position_write("/nowhere/at/all/offsets", "q", 1), SB_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_what_is_no_position),
        cmocka_unit_test(test_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
