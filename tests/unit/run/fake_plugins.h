/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that describe and start nothing: the workload "work" and its like that is a tool
 * ("tool": its client ends by itself, and its output is parsed); relays none and fast. */
#ifndef TESTS_RUN_FAKE_PLUGINS_H
#define TESTS_RUN_FAKE_PLUGINS_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "plan/plan.h"
#include "plugin/host.h"
#include "plugin/registry.h"
#include "scenario/parts.h"

static struct bench_hop
    fake_hops[SCENARIO_MAX_HOPS];        /* as they were described last, by index - 1 */
static struct bench_leftovers fake_left; /* as they were parsed last */

static int fake_main(const struct bench_child *child)
{
    (void)child;
    return 0;
}

static int fake_end(void *state, const struct bench_role *role, struct bench_process *process,
                    struct bench_error *err)
{
    (void)state;
    (void)role;
    (void)err;
    process->main = fake_main;
    return 0;
}

static int fake_parse(void *state, const struct bench_leftovers *left, struct bench_result *result,
                      struct bench_error *err)
{
    (void)state;
    (void)result;
    (void)err;
    fake_left = *left;
    return 0;
}

static bool fake_pausable(const void *state, const struct bench_role *role)
{
    (void)state;
    (void)role;
    return true;
}

static int fake_describe(void *state, const struct bench_hop *hop, struct bench_process *process,
                         struct bench_error *err)
{
    (void)state;
    (void)err;
    fake_hops[hop->index - 1] = *hop;
    process->main = fake_main;
    return 0;
}

#define FAKE(type, kind_, name_)                                                                 \
    {                                                                                            \
        .size = sizeof(struct type), .abi_major = BENCH_ABI_MAJOR, .abi_minor = BENCH_ABI_MINOR, \
        .kind = (kind_), .name = (name_), .description = "for tests"                             \
    }

static const char *const fake_protocols[] = {"tcp", "http1", NULL};
static const struct bench_workload fake_work = {
    .plugin = FAKE(bench_workload, BENCH_WORKLOAD, "work"),
    .protocols = fake_protocols,
    .server = fake_end,
    .client = fake_end,
    .pausable = fake_pausable,
};
static const struct bench_workload fake_tool = {
    .plugin = FAKE(bench_workload, BENCH_WORKLOAD, "tool"),
    .protocols = fake_protocols,
    .server = fake_end,
    .client = fake_end,
    .parse = fake_parse,
};
static const struct bench_relay fake_none = {
    .plugin = FAKE(bench_relay, BENCH_RELAY, "none"),
    .protocols = fake_protocols,
};
static const struct bench_relay fake_fast = {
    .plugin = FAKE(bench_relay, BENCH_RELAY, "fast"),
    .protocols = fake_protocols,
    .max_hops = UINT32_MAX,
    .extra_ports = 2,
    .describe = fake_describe,
};

static struct plugin fake_plugins[] = {
    {.path = (char *)"work.so", .info = &fake_work.plugin},
    {.path = (char *)"tool.so", .info = &fake_tool.plugin},
    {.path = (char *)"none.so", .info = &fake_none.plugin},
    {.path = (char *)"fast.so", .info = &fake_fast.plugin},
};
static const struct registry fake_registry = {.plugins = fake_plugins,
                                              .count = ARRAY_SIZE(fake_plugins)};

/* Any capture exists, and has one repetition of its own. */
static int fake_capture_known(struct capture_request *c, struct bench_error *err)
{
    (void)err;
    c->repetitions = 1;
    return 0;
}

static inline void fake_plan(struct plan *p, const char *yaml)
{
    struct bench_error err = {0};
    struct yaml_tree tree = {0};
    struct scenario s;

    scenario_init(&s);
    if (yaml_tree_parse(&tree, "f", yaml, strlen(yaml), &err) < 0 ||
        scenario_read_tree(&s, &tree, &err) < 0 ||
        scenario_check(&s, &fake_registry, fake_capture_known, &err) < 0 ||
        plan_make(p, &s, &fake_registry, &err) < 0)
        fail_msg("%s", err.message);
    yaml_tree_release(&tree);
    scenario_release(&s);
}

#endif
