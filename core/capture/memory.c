/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The captures `c2c` and `mem`: samples of memory accesses, with where their data came from. The
 * first tells which cache lines travel between CPUs, the second how long accesses take. Both leave
 * CAPTURE-ROLE.perf.data, which `perf c2c report -i` and `perf mem report -i` read, and the report
 * that these give, CAPTURE-ROLE.txt.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "capture/capture.h"
#include "capture/events.h"
#include "capture/memory_events.h"
#include "capture/recording.h"
#include "capture/roles.h"

struct memory_state {
    int64_t latency; /* options */
    char *roles;
    struct memory_events events;
    struct recording recording;
};

static const struct bench_option options[] = {
    {
        .name = "ldlat",
        .type = BENCH_OPTION_INTEGER,
        .offset = BENCH_OFFSET(struct memory_state, latency),
        .unit = "cycles",
        .minimum = 1,
        .maximum = 65535,
        .help = "only loads that took at least as long are sampled (default 30; not on AMD)",
    },
    {
        .name = "roles",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct memory_state, roles),
        .fallback = "all",
        .help = "who is sampled: " ROLES_HELP,
    },
    {0},
};

static int check(void *state, struct bench_error *err)
{
    return roles_check(((struct memory_state *)state)->roles, err);
}

static int find_events(struct memory_state *s, struct bench_error *err)
{
    memory_events_release(&s->events);
    return memory_events_find(&s->events, EVENT_DEVICES, s->latency, err);
}

/* The machine first: perf can be installed. */
static int probe(void *state, struct bench_error *err)
{
    struct perf_program perf;

    struct memory_state *s = state;

    if (find_events(s, err) < 0 || memory_events_try(&s->events, EVENT_DEVICES, err) < 0 ||
        perf_find(&perf, err) < 0)
        return -1;
    perf_program_release(&perf);
    return 0;
}

/* As `perf c2c record` and `perf mem record` do: weights, addresses and the CPU of each sample. */
static void add_arguments(const struct memory_state *s, struct strings *arguments)
{
    static const char *const common[] = {"--event=dummy", "--weight", "--data", "--phys-data",
                                         "--sample-cpu"};

    for (size_t i = 0; i < ARRAY_SIZE(common); i++)
        strings_add(arguments, common[i]);
    for (size_t i = 0; i < s->events.events.count; i++)
        strings_addf(arguments, "--event=%s", s->events.events.items[i]);
}

static int open_memory(struct memory_state *s, const char *capture, const struct capture_target *t,
                       struct bench_error *err)
{
    cleanup_strings struct strings arguments = {0};
    struct recording_spec spec = {.capture = capture, .roles = s->roles, .arguments = &arguments};

    if (find_events(s, err) < 0)
        return -1;
    add_arguments(s, &arguments);
    spec.events = (const char *const *)s->events.names.items;
    return recording_open(&s->recording, t, &spec, err);
}

static int open_c2c(void *state, const struct capture_target *t, struct bench_error *err)
{
    return open_memory(state, "c2c", t, err);
}

static int open_mem(void *state, const struct capture_target *t, struct bench_error *err)
{
    return open_memory(state, "mem", t, err);
}

static int begin_memory(void *state, struct bench_error *err)
{
    return recording_begin(&((struct memory_state *)state)->recording, err);
}

static int end_memory(void *state, struct bench_error *err)
{
    return recording_end(&((struct memory_state *)state)->recording, err);
}

static json_t *facts(const struct memory_state *s)
{
    json_t *json = json_object();

    json_object_set_new(json, "event", json_string(s->events.kind));
    json_object_set_new(json, "unit", json_string("samples"));
    if (s->latency)
        json_object_set_new(json, "ldlat", json_integer(s->latency));
    return json;
}

/* The table of `perf COMMAND report` for each role. */
static int finish_memory(struct memory_state *s, const char *command, struct bench_error *err)
{
    struct recording *r = &s->recording;

    if (recording_finish(r, err) < 0)
        return -1;
    for (size_t i = 0; i < r->count; i++) {
        static const char *const table[] = {"txt", NULL};
        cleanup_strings struct strings arguments = {0};

        strings_add(&arguments, command);
        strings_add(&arguments, "report");
        strings_add(&arguments, "--stdio");
        strings_addf(&arguments, "--input=%s", r->items[i].path);
        if (perf_tool_report(&r->target, &r->perf, r->items[i].name, &arguments, err) < 0)
            return -1;
        if (recording_keep(r, i, table, facts(s), err) < 0)
            return -1;
    }
    return 0;
}

static int finish_c2c(void *state, struct bench_error *err)
{
    return finish_memory(state, "c2c", err);
}

static int finish_mem(void *state, struct bench_error *err)
{
    return finish_memory(state, "mem", err);
}

static const char *perturbs(const void *state)
{
    (void)state;
    return "every sampled access stops the CPU";
}

static void close_memory(void *state)
{
    struct memory_state *s = state;

    recording_close(&s->recording);
    memory_events_release(&s->events);
}

const struct capture_ops capture_c2c = {
    .name = "c2c",
    .help = "cache lines that travel between CPUs, by sampled memory accesses (PEBS, IBS or SPE)",
    .options = options,
    .state_size = sizeof(struct memory_state),
    .check = check,
    .probe = probe,
    .open = open_c2c,
    .begin = begin_memory,
    .end = end_memory,
    .finish = finish_c2c,
    .perturbs = perturbs,
    .close = close_memory,
};

const struct capture_ops capture_mem = {
    .name = "mem",
    .help = "where loads and stores find their data, and how long that takes (PEBS, IBS or SPE)",
    .options = options,
    .state_size = sizeof(struct memory_state),
    .check = check,
    .probe = probe,
    .open = open_mem,
    .begin = begin_memory,
    .end = end_memory,
    .finish = finish_mem,
    .perturbs = perturbs,
    .close = close_memory,
};
