/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture `offcpu`: where each role's threads were when they did not run, and for how long, by
 * recording every context switch with the perf tool. Leaves offcpu-ROLE.perf.data, and its stacks
 * in microseconds as offcpu-ROLE.folded, .svg and .speedscope.json. Columns, for each role,
 * cumulative, ns summed over threads:
 *
 *   ROLE.event:offcpu-blocked     waiting for something, or then for a CPU
 *   ROLE.event:offcpu-preempted   it could have run on
 *
 * from the begin of the window on. A thread that was away then counts from when it next leaves.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/recording.h"
#include "capture/roles.h"
#include "capture/sampling.h"
#include "profile/chain.h"
#include "profile/offcpu.h"

/* perf's own, and told to it. */
#define EVENT "context-switches"

struct offcpu_state {
    char *roles; /* option */
    struct recording recording;
    int64_t end_ns; /* of the window */
};

static const struct bench_option options[] = {
    {
        .name = "roles",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct offcpu_state, roles),
        .fallback = "all",
        .help = "whose threads: " ROLES_HELP,
    },
    {0},
};

static int check_offcpu(void *state, struct bench_error *err)
{
    return roles_check(((struct offcpu_state *)state)->roles, err);
}

static int probe_offcpu(void *state, struct bench_error *err)
{
    struct sampling sampling = {0};
    struct perf_program perf;

    (void)state;
    if (sampling_take(&sampling, EVENT, err) < 0)
        return -1;
    sampling_release(&sampling);
    if (perf_find(&perf, err) < 0)
        return -1;
    perf_program_release(&perf);
    return 0;
}

static int open_offcpu(void *state, const struct capture_target *t, struct bench_error *err)
{
    static const char *const events[] = {EVENT, NULL};
    struct offcpu_state *s = state;
    cleanup_strings struct strings arguments = {0};
    struct recording_spec spec = {
        .capture = "offcpu", .roles = s->roles, .arguments = &arguments, .events = events};

    /* Follows what is started and mapped from the first instruction on, and who comes back. */
    strings_add(&arguments, "--event=dummy");
    strings_add(&arguments, "--event=" EVENT);
    strings_add(&arguments, "--count=1");
    strings_add(&arguments, "--switch-events");
    strings_add(&arguments, "--call-graph=fp");
    strings_add(&arguments, "--clockid=monotonic");
    /* Tens of thousands in a second: room for those of the time in which perf gets no CPU. */
    if (geteuid() == 0)
        strings_add(&arguments, "--mmap-pages=1024");
    return recording_open(&s->recording, t, &spec, err);
}

static int begin_offcpu(void *state, struct bench_error *err)
{
    return recording_begin(&((struct offcpu_state *)state)->recording, err);
}

static int end_offcpu(void *state, struct bench_error *err)
{
    struct offcpu_state *s = state;

    s->end_ns = clock_now();
    return recording_end(&s->recording, err);
}

/* ---- times away → columns of the series ---- */

struct column {
    const struct series *series;
    /* A time away adds its whole length to every row after it, and a part to those within it. */
    int64_t *whole, *part;
};

/* The first row later than `time`. */
static size_t row_after(const struct series *s, int64_t time)
{
    size_t low = 0, high = s->n_rows;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (s->times[middle] > time)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void add_time(void *context, bool preempted, uint64_t from_ns, uint64_t to_ns)
{
    struct column *c = &((struct column *)context)[preempted];
    int64_t from = (int64_t)from_ns, to = (int64_t)to_ns;
    size_t row = row_after(c->series, from);

    for (; row < c->series->n_rows && c->series->times[row] < to; row++)
        c->part[row] += c->series->times[row] - from;
    if (row < c->series->n_rows)
        c->whole[row] += to - from;
}

static void append_column(struct series *s, const char *role, const char *event,
                          const struct column *c)
{
    cleanup_free char *name = xasprintf("%s.event:%s", role, event);
    int64_t sum = 0;

    for (size_t row = 0; row < s->n_rows; row++) {
        sum += c->whole[row];
        c->part[row] += sum;
    }
    series_append_column(s, name, SERIES_COUNTER, NULL, c->part);
}

/* ---- what is kept ---- */

static json_t *facts(const struct offcpu_summary *folded)
{
    json_t *json = json_object(), *notes = json_array();

    for (size_t i = 0; i < folded->problems.count; i++)
        json_array_append_new(notes, json_text(folded->problems.items[i]));
    if (folded->broken_file) {
        cleanup_free char *note = xasprintf(
            "most user stacks end too early, in '%s': it was built without frame pointers; the "
            "kernel's part is right, 'bench record --call-graph dwarf' has the program's callers",
            folded->broken_file);

        json_array_append_new(notes, json_text(note));
    }
    if (folded->unmatched)
        json_array_append_new(notes, json_sprintf("%llu times away are not counted: their end was "
                                                  "lost",
                                                  (unsigned long long)folded->unmatched));
    json_object_set_new(json, "event", json_text(EVENT));
    json_object_set_new(json, "unit", json_text("us"));
    json_object_set_new(json, "call_graph", json_text("fp"));
    json_object_set_new(json, "switches", json_integer((json_int_t)folded->switches));
    json_object_set_new(json, "lost", json_integer((json_int_t)folded->lost));
    json_object_set_new(json, "frame_pointers", folded->broken_file ? json_false() : json_null());
    json_object_set_new(json, "notes", notes);
    return json;
}

static int finish_role(struct offcpu_state *s, size_t i, struct bench_error *err)
{
    const struct recorded *item = &s->recording.items[i];
    struct series *series = s->recording.target.series;
    cleanup_stacks struct stacks *stacks = stacks_new();
    cleanup_offcpu_summary struct offcpu_summary folded = {0};
    cleanup_free int64_t *times = xcalloc(4 * series->n_rows, sizeof(*times));
    struct column columns[2]; /* blocked, preempted */
    struct offcpu_options wanted = {
        .end_ns = (uint64_t)s->end_ns, .visit = add_time, .context = columns};

    for (size_t k = 0; k < 2; k++)
        columns[k] = (struct column){.series = series,
                                     .whole = times + 2 * k * series->n_rows,
                                     .part = times + (2 * k + 1) * series->n_rows};
    if (perf_fold_offcpu(AT_FDCWD, item->path, &wanted, stacks, &folded, err) < 0)
        return -1;
    append_column(series, item->role, "offcpu-blocked", &columns[0]);
    append_column(series, item->role, "offcpu-preempted", &columns[1]);
    return recording_keep_stacks(&s->recording, i, stacks, facts(&folded), err);
}

static int finish_offcpu(void *state, struct bench_error *err)
{
    struct offcpu_state *s = state;

    if (recording_finish(&s->recording, err) < 0)
        return -1;
    for (size_t i = 0; i < s->recording.count; i++)
        if (finish_role(s, i, err) < 0)
            return error_context(err, "%s", s->recording.items[i].name);
    return 0;
}

static const char *perturbs(const void *state)
{
    (void)state;
    return "recording every context switch with its stack costs a few µs of CPU for each";
}

static void close_offcpu(void *state)
{
    recording_close(&((struct offcpu_state *)state)->recording);
}

const struct capture_ops capture_offcpu = {
    .name = "offcpu",
    .help = "where threads are while they do not run, blocked and preempted apart, by stack",
    .options = options,
    .state_size = sizeof(struct offcpu_state),
    .check = check_offcpu,
    .probe = probe_offcpu,
    .open = open_offcpu,
    .begin = begin_offcpu,
    .end = end_offcpu,
    .finish = finish_offcpu,
    .perturbs = perturbs,
    .close = close_offcpu,
};
