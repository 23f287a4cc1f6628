/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives the parser of a wrapper what its tool may have left behind: recorded outputs from
 * tests/data, which the tools of Debian 12 wrote, or text. Life: parsing_open → parsing_file/_text
 * … → parsing_close. What was found stays until the next parse.
 */
#ifndef TESTS_PARSING_H
#define TESTS_PARSING_H

#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bench/workload.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "plugin/host.h"

struct parsing {
    const struct bench_workload *workload;
    void *state;
    char directory[64]; /* the client's; holds "stdout" and what the tool wrote beside it */
    char *out, *errors; /* its stdout and stderr */
    struct bench_leftovers left;
    struct bench_result result;
    struct bench_error err;
};

static inline void parsing_open(struct parsing *p, const char *name)
{
    const char *build = getenv("BUILD");
    cleanup_free char *path =
        xasprintf("%s/plugins/workloads/%s.so", build ? build : "build", name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct bench_plugin *(*get)(const struct bench_host *);

    if (!handle)
        fail_msg("%s", dlerror());
    *(void **)&get = dlsym(handle, BENCH_PLUGIN_SYMBOL);
    *p = (struct parsing){.workload = (const struct bench_workload *)get(host_get()),
                          .directory = "/tmp/bench-test-parsing-XXXXXX"};
    assert_non_null(mkdtemp(p->directory));
    p->out = xasprintf("%s/stdout", p->directory);
    p->errors = xasprintf("%s/stderr", p->directory);
    p->state = xcalloc(1, p->workload->plugin.state_size);
    option_defaults(p->workload->plugin.options, p->state);
    p->left = (struct bench_leftovers){.size = sizeof(p->left),
                                       .client_stdout = p->out,
                                       .client_stderr = p->errors,
                                       .client_directory = p->directory};
}

static inline void parsing_close(struct parsing *p)
{
    option_release(p->workload->plugin.options, p->state);
    free(p->state);
    result_release(&p->result);
    directory_remove(AT_FDCWD, p->directory, NULL);
    free(p->out);
    free(p->errors);
}

/* A file of the client's directory; "stdout" is what it printed. */
static inline void parsing_put(struct parsing *p, const char *name, const char *text, size_t size)
{
    cleanup_free char *path = xasprintf("%s/%s", p->directory, name);

    unlink(path);
    assert_int_equal(file_write(AT_FDCWD, path, text, size, NULL), 0);
}

static inline void parsing_put_file(struct parsing *p, const char *name, const char *recorded)
{
    cleanup_free char *path = xasprintf("tests/data/%s", recorded), *text = NULL;
    struct bench_error err;
    size_t size;

    if (file_read(AT_FDCWD, path, 64 << 20, &text, &size, &err) < 0)
        fail_msg("%s", err.message);
    parsing_put(p, name, text, size);
}

static inline int parsing_run(struct parsing *p)
{
    result_release(&p->result);
    p->err = (struct bench_error){0};
    p->result.begin_ns = p->left.window_begin_ns;
    p->result.end_ns = p->left.window_end_ns;
    return p->workload->parse(p->state, &p->left, &p->result, &p->err);
}

static inline void parsing_refuses(struct parsing *p, const char *message)
{
    assert_int_equal(parsing_run(p), -1);
    assert_string_equal(p->err.message, message);
}

static inline void parsing_accepts(struct parsing *p)
{
    if (parsing_run(p) < 0)
        fail_msg("%s", p->err.message);
}

static inline double parsing_total(const struct parsing *p, const char *metric)
{
    for (size_t i = 0; i < p->result.n_totals; i++)
        if (strcmp(p->result.totals[i].metric, metric) == 0)
            return p->result.totals[i].value;
    fail_msg("no total '%s'", metric);
    return 0;
}

/* The words of a command, separated by spaces. Caller frees. */
static inline char *parsing_command(const struct bench_process *process)
{
    struct text line = {0};

    for (size_t i = 0; i < process->argv.count; i++)
        text_add(&line, "%s%s", i ? " " : "", process->argv.items[i]);
    return text_take(&line);
}

#endif
