/* SPDX-License-Identifier: Apache-2.0 */
/* Every input in tests/data/scenarios, through the fuzz target's own checks. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#include "../../fuzz/fuzz_scenario.c"

static void every_input(void **state)
{
    DIR *directory = opendir("tests/data/scenarios");
    struct dirent *entry;
    size_t n = 0;

    (void)state;
    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        cleanup_free char *data = NULL;
        size_t length;

        if (entry->d_name[0] == '.')
            continue;
        assert_int_equal(file_read(dirfd(directory), entry->d_name, 2 << 20, &data, &length, NULL),
                         0);
        LLVMFuzzerTestOneInput((const uint8_t *)data, length);
        n++;
    }
    closedir(directory);
    assert_true(n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_input)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
