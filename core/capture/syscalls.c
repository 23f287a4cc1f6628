/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture `syscalls`: every system call of each role, by name. Columns, for each role:
 *
 *   ROLE.event:syscalls       cumulative count of all
 *   ROLE.event:syscall:NAME   of those called NAME ("read"; "number_600" when nobody knows its
 *                             name), only where there were any in the window
 *
 * Which calls a role makes is known at the end, so the columns come then: until that, the samples
 * are kept here. Names are those of the machine's own calls: the numbers of a 32-bit program on a
 * 64-bit machine would be taken for them.
 */
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "capture/capture.h"
#include "capture/roles.h"
#include "capture/syscall_counts.h"

/* One number of one role that was seen; in the order in which they were. */
struct seen {
    size_t role, number;
};

struct syscalls_state {
    char *roles; /* option */
    struct syscall_counts *counts;
    struct strings names; /* of the roles that are looked at */
    struct series *series;
    struct seen *seen;
    size_t n_seen, seen_capacity;
    /* Of each sample, where its values begin: one per number seen until then. */
    size_t *samples, n_samples, samples_capacity;
    int64_t *values;
    size_t n_values, values_capacity;
    size_t window; /* sample at which it begins */
};

static const struct bench_option options[] = {
    {
        .name = "roles",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct syscalls_state, roles),
        .fallback = "all",
        .help = "whose system calls: " ROLES_HELP,
    },
    {0},
};

static int check_syscalls(void *state, struct bench_error *err)
{
    return roles_check(((struct syscalls_state *)state)->roles, err);
}

static int probe_syscalls(void *state, struct bench_error *err)
{
    (void)state;
    return syscall_counts_possible(err);
}

static int open_syscalls(void *state, const struct capture_target *t, struct bench_error *err)
{
    struct syscalls_state *s = state;
    cleanup_free pid_t *inits = xcalloc(t->n_roles, sizeof(*inits));

    s->series = t->series;
    for (size_t i = 0; i < t->n_roles; i++) {
        const char *name = role_name(t->roles[i]);

        if (!roles_name(s->roles, name))
            continue;
        inits[s->names.count] = role_pid(t->roles[i]);
        strings_add(&s->names, name);
    }
    return s->names.count ? syscall_counts_open(&s->counts, inits, s->names.count, err) : 0;
}

static int begin_syscalls(void *state, struct bench_error *err)
{
    struct syscalls_state *s = state;

    (void)err;
    s->window = s->n_samples;
    return 0;
}

static bool was_seen(const struct syscalls_state *s, size_t role, size_t number)
{
    for (size_t i = 0; i < s->n_seen; i++)
        if (s->seen[i].role == role && s->seen[i].number == number)
            return true;
    return false;
}

static void see(struct syscalls_state *s, size_t role, const int64_t *counts)
{
    for (size_t number = 0; number < SYSCALL_NUMBERS; number++) {
        if (counts[number] == 0 || was_seen(s, role, number))
            continue;
        s->seen = grow(s->seen, &s->seen_capacity, s->n_seen + 1, sizeof(*s->seen));
        s->seen[s->n_seen++] = (struct seen){role, number};
    }
}

static void sample_syscalls(void *state, int64_t *row)
{
    struct syscalls_state *s = state;
    size_t roles = s->names.count;
    cleanup_free int64_t *counts = xcalloc(roles * SYSCALL_NUMBERS, sizeof(*counts));

    (void)row;
    for (size_t r = 0; r < roles; r++) {
        syscall_counts_read(s->counts, r, counts + r * SYSCALL_NUMBERS);
        see(s, r, counts + r * SYSCALL_NUMBERS);
    }
    s->samples = grow(s->samples, &s->samples_capacity, s->n_samples + 1, sizeof(*s->samples));
    s->samples[s->n_samples++] = s->n_values;
    s->values = grow(s->values, &s->values_capacity, s->n_values + s->n_seen, sizeof(*s->values));
    for (size_t i = 0; i < s->n_seen; i++)
        s->values[s->n_values++] = counts[s->seen[i].role * SYSCALL_NUMBERS + s->seen[i].number];
}

static int64_t value_at(const struct syscalls_state *s, size_t sample, size_t seen)
{
    size_t end = sample + 1 < s->n_samples ? s->samples[sample + 1] : s->n_values;
    size_t at = s->samples[sample] + seen;

    return at < end ? s->values[at] : 0;
}

static char *name_of(size_t number)
{
    char *known = number + 1 < SYSCALL_NUMBERS
                      ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number)
                      : NULL;
    char *name = known ? xstrdup(known) : xasprintf("number_%zu", number);

    free(known);
    return name;
}

static void add_number(struct syscalls_state *s, size_t seen, const char *note)
{
    cleanup_free int64_t *values = xcalloc(s->n_samples, sizeof(*values));
    cleanup_free char *name = name_of(s->seen[seen].number), *column = NULL;

    for (size_t i = 0; i < s->n_samples; i++)
        values[i] = value_at(s, i, seen);
    if (values[s->n_samples - 1] == values[s->window])
        return;
    column = xasprintf("%s.event:syscall:%s", s->names.items[s->seen[seen].role], name);
    series_append_column(s->series, column, SERIES_COUNTER, note, values);
}

static void add_role(struct syscalls_state *s, size_t role, const char *note)
{
    cleanup_free int64_t *all = xcalloc(s->n_samples, sizeof(*all));
    cleanup_free char *column = xasprintf("%s.event:syscalls", s->names.items[role]);

    for (size_t i = 0; i < s->n_samples; i++)
        for (size_t k = 0; k < s->n_seen; k++)
            if (s->seen[k].role == role)
                all[i] += value_at(s, i, k);
    series_append_column(s->series, column, SERIES_COUNTER, note, all);
    for (size_t k = 0; k < s->n_seen; k++)
        if (s->seen[k].role == role)
            add_number(s, k, note);
}

static int finish_syscalls(void *state, struct bench_error *err)
{
    struct syscalls_state *s = state;
    int64_t missed = s->counts ? syscall_counts_missed(s->counts) : 0;
    cleanup_free char *note =
        missed ? xasprintf("%lld calls of the machine are in no count", (long long)missed) : NULL;

    (void)err;
    for (size_t role = 0; role < s->names.count; role++)
        add_role(s, role, note);
    return 0;
}

static const char *perturbs(const void *state)
{
    (void)state;
    return "counting system calls costs 0.1 µs of CPU for each of them";
}

static void close_syscalls(void *state)
{
    struct syscalls_state *s = state;

    syscall_counts_free(s->counts);
    strings_release(&s->names);
    free(s->seen);
    free(s->samples);
    free(s->values);
}

const struct capture_ops capture_syscalls = {
    .name = "syscalls",
    .help = "system calls of each role, all of them, by name",
    .options = options,
    .state_size = sizeof(struct syscalls_state),
    .check = check_syscalls,
    .probe = probe_syscalls,
    .open = open_syscalls,
    .begin = begin_syscalls,
    .sample = sample_syscalls,
    .finish = finish_syscalls,
    .perturbs = perturbs,
    .close = close_syscalls,
};
