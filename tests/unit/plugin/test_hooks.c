/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that describe and report wrong things, and what is said of them. The ends of a process that
 * only a parent can see are in tests/system/plugins.bats. */
#include "plugin/hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/memory.h"
#include "plugin/hook.h"

/* What the hook that is called next does. */
static void (*misdeed)(struct bench_process *p, struct bench_result *r);
static int returned;

static int describe(void *state, const struct bench_hop *hop, struct bench_process *p,
                    struct bench_error *err)
{
    (void)state;
    (void)hop;
    (void)err;
    host_get()->argument(p, "true");
    if (misdeed)
        misdeed(p, NULL);
    return returned;
}

static int parse_statistics(void *state, const struct bench_statistics *read,
                            struct bench_result *r, struct bench_error *err)
{
    (void)state;
    (void)read;
    (void)err;
    misdeed(NULL, r);
    return returned;
}

static int parse(void *state, const struct bench_leftovers *left, struct bench_result *r,
                 struct bench_error *err)
{
    (void)state;
    (void)left;
    (void)err;
    misdeed(NULL, r);
    return returned;
}

static const struct bench_relay relay = {
    .plugin = {.size = sizeof(relay), .kind = BENCH_RELAY, .name = "odd"},
    .extra_ports = 1,
    .describe = describe,
    .parse_statistics = parse_statistics,
};

static const struct bench_workload workload = {
    .plugin = {.size = sizeof(workload), .kind = BENCH_WORKLOAD, .name = "odd"},
    .parse = parse,
};

/* The error of `hook` ends with `end`; NULL: there is none. */
static void expect(int result, const struct bench_error *err, const char *hook, const char *end)
{
    cleanup_free char *message =
        end ? xasprintf("plugin 'odd' ('%s'): hook '%s' %s", plugin_file(&relay.plugin), hook, end)
            : NULL;

    assert_int_equal(result, end ? -1 : 0);
    if (!end)
        return;
    assert_string_equal(err->message, message);
    assert_int_equal(err->kind, BENCH_ERROR_RUN);
    assert_non_null(strstr(err->hint, "docs/plugin-api.md"));
}

static void describes(void (*fn)(struct bench_process *, struct bench_result *), const char *end)
{
    static const uint16_t ports[] = {4001};
    const struct bench_hop hop = {.size = sizeof(hop), .listen = {.port = 4000}, .ports = ports};
    struct bench_error err = {0};
    struct bench_process p;
    int result;

    process_init(&p, NULL, NULL);
    misdeed = fn;
    result = hook_describe(&relay, NULL, &hop, &p, &err);
    expect(result, &err, "describe", end);
    process_release(&p);
}

static void parses(void (*fn)(struct bench_process *, struct bench_result *), const char *end)
{
    const struct bench_leftovers left = {.size = sizeof(left)};
    struct bench_result r = {.begin_ns = 100, .end_ns = 200};
    struct bench_error err = {0};
    int result;

    misdeed = fn;
    result = hook_parse(&workload, NULL, &left, &r, &err);
    expect(result, &err, "parse", end);
    result_release(&r);
}

static void counts(void (*fn)(struct bench_process *, struct bench_result *), const char *end)
{
    const struct bench_statistics read = {.size = sizeof(read)};
    struct bench_result r = {0};
    struct bench_error err = {0};
    int result;

    misdeed = fn;
    result = hook_parse_statistics(&relay, NULL, &read, &r, &err);
    expect(result, &err, "parse_statistics", end);
    result_release(&r);
}

/* `of` is a process p or a result r. */
#define DOES(name, statement)                                         \
    static void name(struct bench_process *p, struct bench_result *r) \
    {                                                                 \
        const struct bench_host *h = host_get();                      \
        (void)p;                                                      \
        (void)r;                                                      \
        statement;                                                    \
    }

/* ---- descriptions ---- */

static void long_argument(struct bench_process *p, struct bench_result *r)
{
    cleanup_free char *text = xcalloc(200001, 1);

    (void)r;
    memset(text, 'a', 200000);
    host_get()->argument(p, "%s", text);
}

DOES(own_ports, h->listens(p, 4000); h->listens(p, 4001))
DOES(foreign_port, h->listens(p, 1))
DOES(many_ports, for (int i = 0; i < 5000; i++) h->listens(p, 4000))
DOES(many_arguments, for (int i = 0; i < 20000; i++) h->argument(p, "1"))
DOES(file_above, h->file(p, "../escape", "x"))
DOES(file_nameless, h->file(p, NULL, "x"))
DOES(long_file, for (int i = 0; i < 70; i++) h->file(p, "f", "%1048576d", 1))
DOES(directory_above, h->directory(p, ".."))
DOES(no_signal, h->stop_signal(p, 9999))
DOES(variable, h->environment(p, "A=B", "x"))
DOES(wild_main, h->main(p, (bench_main_fn)(uintptr_t)0x1234))
DOES(foreign_main, h->main(p, (bench_main_fn)(uintptr_t)getpid))
DOES(no_main, h->main(p, NULL))
DOES(no_program, h->find_program(p, NULL, NULL))

static void many_files(struct bench_process *p, struct bench_result *r)
{
    (void)r;
    for (int i = 0; i < 2000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "f%d", i);
        host_get()->file(p, name, "x");
    }
}

static void test_descriptions_have_bounds(void **state)
{
    (void)state;
    describes(NULL, NULL);
    describes(own_ports, NULL);
    describes(foreign_port, "says that port 1 is listened on, which it was not given");
    describes(many_ports, "listens on port 0, or on more than 1000 ports");
    describes(long_argument, "describes an argument of 200000 bytes: at most 131071 can be passed");
    describes(many_arguments, "describes more than 10000 arguments");
    describes(file_above, "describes a file called '../escape'");
    describes(file_nameless, "describes a file called ''");
    describes(many_files, "describes more than 1000 files, or one of more than 64 MiB");
    describes(long_file, "describes more than 1000 files, or one of more than 64 MiB");
    describes(directory_above, "describes a directory called '..'");
    describes(no_signal, "asks to be stopped by 9999, which is not a signal");
    describes(variable, "describes the environment variable 'A=B', which cannot be set");
    describes(wild_main, "describes a main that is not a function of it");
    describes(foreign_main, "describes a main that is not a function of it");
    describes(no_main, "describes a main that is not a function of it");
    describes(no_program, "looks for no program, or for more than 1000");
}

static void test_only_0_and_minus_1_are_results(void **state)
{
    (void)state;
    returned = 5;
    describes(NULL, "returned 5: 0 or -1 is expected");
    returned = -1;
    describes(NULL, "failed without saying why");
    returned = 0;
}

/* ---- results ---- */

DOES(nothing, (void)h)
DOES(bytes, h->result_total(r, "bytes", 1); h->result_window(r, 120, 180))
DOES(no_number, h->result_total(r, "bytes", NAN))
DOES(infinite, h->result_total(r, "bytes", -INFINITY))
DOES(negative, h->result_total(r, "bytes", -5))
DOES(bad_name, h->result_total(r, "1bytes", 5))
DOES(empty_name, h->result_total(r, "", 5))
DOES(upper_name, h->result_total(r, "Bytes", 5))
DOES(nameless, h->result_total(r, NULL, 5))
DOES(inverted, h->result_window(r, 180, 120))
DOES(empty_window, h->result_window(r, 120, 120))
DOES(wild_window, h->result_window(r, INT64_MAX, INT64_MIN))
DOES(negative_request, h->result_request(r, 120, -5, true))
DOES(endless_request, h->result_request(r, INT64_MAX, INT64_MAX, true))

static void many_totals(struct bench_process *p, struct bench_result *r)
{
    (void)p;
    for (int i = 0; i < 2000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "n%d", i);
        host_get()->result_total(r, name, i);
    }
}

static void long_name(struct bench_process *p, struct bench_result *r)
{
    char name[128];

    (void)p;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    host_get()->result_total(r, name, 1);
}

#define A_NAME ": a name is at most 64 lower-case letters, digits and '_'"
#define A16 "aaaaaaaaaaaaaaaa"

static void test_results_are_checked(void **state)
{
    (void)state;
    parses(nothing, NULL);
    parses(bytes, NULL);
    parses(no_number, "reports nan for 'bytes': not a number");
    parses(infinite, "reports -inf for 'bytes': not a number");
    parses(negative, "reports -5 for 'bytes': less than nothing");
    parses(bad_name, "reports '1bytes'" A_NAME);
    parses(empty_name, "reports ''" A_NAME);
    parses(upper_name, "reports 'Bytes'" A_NAME);
    parses(long_name, "reports '" A16 A16 A16 A16 "'" A_NAME);
    parses(nameless, "reports a total without a name, or more than 1000");
    parses(many_totals, "reports a total without a name, or more than 1000");
    parses(inverted, "reports a window that is empty or ends before it begins");
    parses(empty_window, "reports a window that is empty or ends before it begins");
    parses(wild_window, "reports a window that is empty or ends before it begins");
    parses(negative_request, "reports a request that took -5 ns");
    parses(endless_request, "reports a request that took 9223372036854775807 ns");
    counts(bytes, NULL);
    counts(no_number, "reports nan for 'bytes': not a number");
    counts(long_name, "reports '" A16 A16 A16 A16 "'" A_NAME);
    counts(many_totals, "reports a total without a name, or more than 1000");
}

/* ---- reports ---- */

static int report(void *state, const struct bench_document *document,
                  const struct bench_style *style, struct bench_output *out,
                  struct bench_error *err)
{
    (void)state;
    (void)document;
    (void)style;
    (void)err;
    host_get()->emit(out, "more");
    return 0;
}

static void test_a_report_has_a_bound(void **state)
{
    static const struct bench_reporter reporter = {
        .plugin = {.size = sizeof(reporter), .kind = BENCH_REPORTER, .name = "odd"},
        .report = report,
    };
    /* As if that much were there: what is beyond it is not even written. */
    struct bench_output full = {.text.length = ((size_t)OUTPUT_MOST_MIB << 20) + 1}, out = {0};
    struct bench_error err = {0};

    (void)state;
    expect(hook_report(&reporter, NULL, NULL, NULL, &full, &err), &err, "report",
           "writes more than 1024 MiB");
    expect(hook_report(&reporter, NULL, NULL, NULL, &out, &err), &err, "report", NULL);
    assert_string_equal(text_get(&out.text), "more");
    text_release(&out.text);
}

/* ---- the process ---- */

DOES(changes_umask, (void)h; umask(0777))
DOES(ignores_children, (void)h; signal(SIGCHLD, SIG_IGN))
DOES(closes_errors, (void)h; close(STDERR_FILENO))

static void changes_directory(struct bench_process *p, struct bench_result *r)
{
    (void)p;
    (void)r;
    assert_int_equal(chdir("/"), 0);
}

static void blocks_signals(struct bench_process *p, struct bench_result *r)
{
    sigset_t all;

    (void)p;
    (void)r;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void forks(struct bench_process *p, struct bench_result *r)
{
    (void)p;
    (void)r;
    if (fork() == 0)
        for (;;)
            pause();
}

static void test_the_process_is_set_back(void **state)
{
    cleanup_free char *before = getcwd(NULL, 0), *after = NULL;
    mode_t mask = umask(022);
    struct sigaction now;
    sigset_t blocked;

    (void)state;
    describes(changes_umask, "changed the umask");
    assert_int_equal(umask(mask), 022);
    describes(changes_directory, "changed the working directory");
    after = getcwd(NULL, 0);
    assert_string_equal(before, after);
    describes(ignores_children, "changed how signals are handled");
    sigaction(SIGCHLD, NULL, &now);
    assert_true(now.sa_handler == SIG_DFL);
    describes(blocks_signals, "changed how signals are handled");
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
    describes(forks, "started a process");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it is gone */
}

/* In a child, since nothing can bring the descriptor back. */
static void test_a_closed_descriptor_ends_the_process_and_is_marked(void **state)
{
    struct hook_mark *mark =
        mmap(NULL, sizeof(*mark), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char where[768];
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        hook_mark_use(mark);
        describes(closes_errors, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_string_equal(mark->misdeed, "closed descriptor 2");
    assert_int_equal(mark->sequence, 1); /* in a hook still */
    assert_non_null(strstr(hook_mark_text(mark, where, sizeof(where)), "): hook 'describe'"));
    munmap(mark, sizeof(*mark));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptions_have_bounds),
        cmocka_unit_test(test_only_0_and_minus_1_are_results),
        cmocka_unit_test(test_results_are_checked),
        cmocka_unit_test(test_a_report_has_a_bound),
        cmocka_unit_test(test_the_process_is_set_back),
        cmocka_unit_test(test_a_closed_descriptor_ends_the_process_and_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
