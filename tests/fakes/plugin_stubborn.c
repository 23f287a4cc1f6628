/* SPDX-License-Identifier: Apache-2.0 */
/* A workload whose client moves nothing and ignores the request to stop. */
#include <signal.h>
#include <unistd.h>

#include <bench/workload.h>

static const struct bench_host *host;

static int wait_for_the_end(const struct bench_child *child)
{
    (void)child;
    sleep(120); /* a test that goes wrong leaves nothing for long */
    return 0;
}

static int hang(const struct bench_child *child)
{
    signal(SIGTERM, SIG_IGN);
    return wait_for_the_end(child);
}

static int server(void *state, const struct bench_role *role, struct bench_process *process,
                  struct bench_error *err)
{
    (void)state, (void)role, (void)err;
    host->main(process, wait_for_the_end);
    return 0;
}

static int client(void *state, const struct bench_role *role, struct bench_process *process,
                  struct bench_error *err)
{
    (void)state, (void)role, (void)err;
    host->main(process, hang);
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

static const struct bench_workload stubborn = {
    .plugin = {.size = sizeof(stubborn),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_WORKLOAD,
               .name = "stubborn",
               .description = "never stops by itself"},
    .protocols = protocols,
    .server = server,
    .client = client,
};

BENCH_EXPORT const struct bench_plugin *bench_plugin_get(const struct bench_host *h)
{
    host = h;
    return &stubborn.plugin;
}
