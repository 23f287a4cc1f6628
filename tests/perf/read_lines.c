/* SPDX-License-Identifier: Apache-2.0 */
/* read_lines COMMAND.SO FILE: how many million lines/s the plugin 'command' reads as numbers. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <bench/workload.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/option.h"
#include "plugin/host.h"

static long count_lines(const char *path)
{
    FILE *f = fopen(path, "re");
    long n = 0;

    for (int c; f && (c = getc_unlocked(f)) != EOF;)
        n += c == '\n';
    if (f)
        fclose(f);
    return n;
}

int main(int argc, char **argv)
{
    void *handle = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct bench_plugin *(*get)(const struct bench_host *) = NULL;
    struct bench_leftovers left = {.size = sizeof(left)};
    const struct bench_workload *w;
    struct bench_result result = {0};
    struct bench_error err = {0};
    int64_t begin, took;
    void *state;

    if (!handle) {
        fprintf(stderr, "usage: read_lines COMMAND.SO FILE\n");
        return 2;
    }
    *(void **)&get = dlsym(handle, BENCH_PLUGIN_SYMBOL);
    w = (const struct bench_workload *)get(host_get());
    state = xcalloc(1, w->plugin.state_size);
    option_defaults(w->plugin.options, state);
    option_set(option_find(w->plugin.options, "result"), state, "lines", &err);
    left.client_stdout = argv[2];
    left.client_stderr = "/dev/null";
    begin = clock_now();
    if (w->parse(state, &left, &result, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    took = clock_now() - begin;
    printf("%.3f\n", (double)count_lines(argv[2]) * 1e3 / (double)took);
    result_release(&result);
    option_release(w->plugin.options, state);
    free(state);
    return 0;
}
