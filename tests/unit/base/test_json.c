/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"

/* A sanitizer ends the program by itself otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_bytes_that_are_no_text_are_replaced(void **state)
{
    json_t *json = json_text("a\xff");

    (void)state;
    assert_string_equal(json_string_value(json), "a\xEF\xBF\xBD");
    json_decref(json);
    assert_true(json_is_null(json_text(NULL)));
}

/* jansson's callers do not look for NULL: there is none. */
static void test_without_memory_the_program_says_so_and_ends(void **state)
{
    json_malloc_t allocate;
    json_free_t release;
    char said[256] = "";
    int pair[2], status;
    pid_t pid;

    (void)state;
    json_get_alloc_funcs(&allocate, &release);
    assert_int_equal(pipe(pair), 0);
    pid = fork();
    if (pid == 0) {
        dup2(pair[1], STDERR_FILENO);
        allocate(SIZE_MAX / 4);
        _exit(0);
    }
    close(pair[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(read(pair[0], said, sizeof(said) - 1) > 0);
    close(pair[0]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(said, "bench: out of memory\nhint: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_that_are_no_text_are_replaced),
        cmocka_unit_test(test_without_memory_the_program_says_so_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
