/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture `record`: where each role spends its time, by sampling its stacks with the perf tool.
 * Leaves record-ROLE.perf.data, which `perf report -i` reads, and its stacks as record-ROLE.folded,
 * .svg and .speedscope.json.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/events.h"
#include "capture/recording.h"
#include "capture/roles.h"
#include "capture/sampling.h"
#include "profile/fold.h"

enum call_graph { CALL_GRAPH_FP, CALL_GRAPH_DWARF, CALL_GRAPH_LBR, CALL_GRAPH_NONE };
static const char *const call_graphs[] = {"fp", "dwarf", "lbr", "none", NULL};

struct record_state {
    int64_t frequency; /* options */
    int call_graph;
    char *event, *roles;
    struct sampling sampling;
    struct recording recording;
};

static const struct bench_option options[] = {
    {
        .name = "frequency",
        .type = BENCH_OPTION_INTEGER,
        .offset = BENCH_OFFSET(struct record_state, frequency),
        .unit = "samples per second",
        .minimum = 1,
        .maximum = 100000,
        .fallback = "997",
        .help = "how often each running thread is sampled; not a round number, so that it does not "
                "fall into step with timers",
    },
    {
        .name = "call_graph",
        .type = BENCH_OPTION_CHOICE,
        .offset = BENCH_OFFSET(struct record_state, call_graph),
        .fallback = "fp",
        .choices = call_graphs,
        .help = "how callers are found: frame pointers, DWARF (for programs built without them; "
                "large), the CPU's branch records, or not at all",
    },
    {
        .name = "event",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct record_state, event),
        .help = "what is sampled, as perf calls it (default: cycles, or cpu-clock where the CPU "
                "does not count)",
    },
    {
        .name = "roles",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct record_state, roles),
        .fallback = "all",
        .help = "who is sampled: " ROLES_HELP,
    },
    {0},
};

/* One event in perf's notation; PMU/…/ is known to perf alone. */
static int check_event(const char *event, struct bench_error *err)
{
    struct bench_error found = {0};
    struct perf_event_attr attr;

    if (strlen(event) > PERF_EVENT_NAME)
        return error_set(err, BENCH_ERROR_USAGE, "option 'event': longer than %d characters",
                         PERF_EVENT_NAME);
    if (strpbrk(event, ", {}") || strstr(event, "::")) {
        error_set(err, BENCH_ERROR_USAGE,
                  "option 'event': '%s' is not one event in perf's notation", event);
        error_hint(err, "such as 'cycles', 'cache-misses:u', 'r1c0' or 'sched:sched_switch'");
        return -1;
    }
    if (strchr(event, '/') || event_encode(event, &attr, &found) == 0 ||
        found.kind == BENCH_ERROR_ENVIRONMENT)
        return 0;
    *err = found;
    return -1;
}

static int check(void *state, struct bench_error *err)
{
    const struct record_state *s = state;

    if (s->event && check_event(s->event, err) < 0)
        return -1;
    return roles_check(s->roles, err);
}

static int choose(struct record_state *s, struct bench_error *err)
{
    sampling_release(&s->sampling);
    return s->event ? sampling_take(&s->sampling, s->event, err)
                    : sampling_choose(&s->sampling, err);
}

static int probe(void *state, struct bench_error *err)
{
    struct record_state *s = state;
    struct perf_program perf;

    if (choose(s, err) < 0)
        return -1;
    if (s->call_graph == CALL_GRAPH_LBR && sampling_branches(&s->sampling, err) < 0)
        return error_context(err, "call_graph 'lbr'");
    if (perf_find(&perf, err) < 0)
        return -1;
    perf_program_release(&perf);
    return 0;
}

static void add_arguments(const struct record_state *s, struct strings *arguments)
{
    /* Follows what is started and mapped from the first instruction on. */
    strings_add(arguments, "--event=dummy");
    strings_addf(arguments, "--event=%s", s->sampling.event);
    strings_addf(arguments, "--freq=%lld", (long long)s->frequency);
    /* Times are the bench's. */
    strings_add(arguments, "--clockid=monotonic");
    if (s->call_graph != CALL_GRAPH_NONE)
        strings_addf(arguments, "--call-graph=%s", call_graphs[s->call_graph]);
}

static int open_record(void *state, const struct capture_target *t, struct bench_error *err)
{
    struct record_state *s = state;
    cleanup_strings struct strings arguments = {0};
    const char *const events[] = {s->sampling.event, NULL};
    struct recording_spec spec = {
        .capture = "record", .roles = s->roles, .arguments = &arguments, .events = events};

    if (choose(s, err) < 0)
        return -1;
    add_arguments(s, &arguments);
    return recording_open(&s->recording, t, &spec, err);
}

static int begin_record(void *state, struct bench_error *err)
{
    return recording_begin(&((struct record_state *)state)->recording, err);
}

static int end_record(void *state, struct bench_error *err)
{
    return recording_end(&((struct record_state *)state)->recording, err);
}

static json_t *facts(const struct record_state *s, const struct fold_summary *folded)
{
    json_t *json = json_object(), *notes = json_array();
    cleanup_strings struct strings said = {0};
    bool by_frame_pointer = s->call_graph == CALL_GRAPH_FP;

    fold_notes(folded, &said);
    for (size_t i = 0; i < said.count; i++)
        json_array_append_new(notes, json_text(said.items[i]));
    json_object_set_new(json, "event", json_text(s->sampling.event));
    json_object_set_new(json, "unit", json_text(s->sampling.unit));
    json_object_set_new(json, "instead", json_text(s->sampling.instead));
    json_object_set_new(json, "frequency", json_integer(s->frequency));
    json_object_set_new(json, "call_graph", json_text(call_graphs[s->call_graph]));
    json_object_set_new(json, "samples", json_integer((json_int_t)folded->samples));
    json_object_set_new(json, "lost", json_integer((json_int_t)folded->lost));
    json_object_set_new(json, "frame_pointers",
                        by_frame_pointer && folded->broken_file ? json_false()
                                                                              : json_null());
    json_object_set_new(json, "notes", notes);
    return json;
}

static int finish_role(struct record_state *s, size_t i, struct bench_error *err)
{
    const struct fold_options wanted = {.event = s->sampling.event};
    cleanup_stacks struct stacks *stacks = stacks_new();
    cleanup_fold_summary struct fold_summary folded = {0};

    if (perf_fold(AT_FDCWD, s->recording.items[i].path, &wanted, stacks, &folded, err) < 0)
        return -1;
    return recording_keep_stacks(&s->recording, i, stacks, facts(s, &folded), err);
}

static int finish_record(void *state, struct bench_error *err)
{
    struct record_state *s = state;
    struct recording *r = &s->recording;

    if (recording_finish(r, err) < 0)
        return -1;
    for (size_t i = 0; i < r->count; i++)
        if (finish_role(s, i, err) < 0)
            return error_context(err, "%s", r->items[i].name);
    return 0;
}

static const char *perturbs(const void *state)
{
    (void)state;
    return "sampling with stacks costs up to 14 % of the throughput";
}

static void close_record(void *state)
{
    struct record_state *s = state;

    recording_close(&s->recording);
    sampling_release(&s->sampling);
}

const struct capture_ops capture_record = {
    .name = "record",
    .help = "where each role spends its time: its stacks, sampled with the perf tool",
    .options = options,
    .state_size = sizeof(struct record_state),
    .check = check,
    .probe = probe,
    .open = open_record,
    .begin = begin_record,
    .end = end_record,
    .finish = finish_record,
    .perturbs = perturbs,
    .close = close_record,
};
