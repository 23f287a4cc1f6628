/* SPDX-License-Identifier: Apache-2.0 */
#include "process/command.h"

#include <sys/eventfd.h>
#include <sys/wait.h>

#include "../../harness/leak.h"
#include "../../harness/stage.h"

#define MANY_SECONDS (20 * NS_PER_S)

static void run(struct stage *s, const char *script, int64_t timeout_ns, int interrupt_fd,
                enum command_end *ret_end, int *ret_status)
{
    cleanup_free char *directory = xasprintf("%s/log", s->directory);
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct command_spec spec = {
        .name = "build",
        .directory = directory,
        .argv = argv,
        .timeout_ns = timeout_ns,
        .interrupt_fd = interrupt_fd,
    };
    struct bench_error err = {0};

    stage_expect_ok(command_run(&s->containment, &spec, ret_end, ret_status, &err), &err);
}

static char *printed(const struct stage *s, const char *stream)
{
    cleanup_free char *path = xasprintf("%s/log/%s", s->directory, stream);

    return file_peek(path);
}

static void exit_status_and_output(void **state)
{
    struct stage s;
    enum command_end end;
    int status;
    cleanup_free char *out = NULL, *err = NULL;

    (void)state;
    stage_open(&s);
    run(&s, "echo one; echo two >&2; read line || exit 3", MANY_SECONDS, -1, &end, &status);
    assert_int_equal(end, COMMAND_EXITED);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    out = printed(&s, "stdout");
    err = printed(&s, "stderr");
    assert_string_equal(out, "one");
    assert_string_equal(err, "two");
    stage_close(&s);
}

/* What it left running does not outlive it, whichever way it ends. */
static void leaves_nothing(void **state)
{
    struct stage s;
    enum command_end end;
    int status, stop = eventfd(1, EFD_CLOEXEC);
    char marker[64], left[512] = "";
    cleanup_free char *script = NULL, *waits = NULL;

    (void)state;
    leak_marker(marker, sizeof(marker));
    script = xasprintf("export %s; sleep 1000 & setsid sleep 1000 & exit 0", marker);
    waits = xasprintf("export %s; sleep 1000 & setsid sleep 1000 & sleep 1000", marker);
    stage_open(&s);
    run(&s, script, MANY_SECONDS, -1, &end, &status);
    assert_int_equal(end, COMMAND_EXITED);
    run(&s, waits, 100 * NS_PER_MS, -1, &end, &status);
    assert_int_equal(end, COMMAND_TIMED_OUT);
    run(&s, waits, MANY_SECONDS, stop, &end, &status);
    assert_int_equal(end, COMMAND_INTERRUPTED);
    if (leak_process(marker, left, sizeof(left)))
        fail_msg("left behind: %s", left);
    close(stop);
    stage_close(&s);
}

static void what_cannot_be_found(void **state)
{
    struct stage s;
    struct bench_error err = {0};
    const char *const argv[] = {"no-such-program", NULL};
    struct command_spec spec = {.name = "build", .directory = "/nonexistent", .argv = argv};
    enum command_end end;
    int status;

    (void)state;
    stage_open(&s);
    assert_int_equal(command_run(&s.containment, &spec, &end, &status, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message, "build: program 'no-such-program' not found");
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_and_output),
        cmocka_unit_test(leaves_nothing),
        cmocka_unit_test(what_cannot_be_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
