/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "shared/numbers.h"
#include "sections.h"

#define ALL_SYSCALLS "syscalls"
#define SYSCALL "syscall:" /* and its name */

enum { MOST_EVENTS = 64, FEW_EVENTS = 12 };

/* Which of the events: system calls, of which there are many, or the others. */
struct view {
    const char *head; /* "counter" */
    bool syscalls;
};

static bool is_syscall(const char *event)
{
    return strcmp(event, ALL_SYSCALLS) == 0 || strncmp(event, SYSCALL, strlen(SYSCALL)) == 0;
}

static bool in_view(const struct view *v, const struct bench_metric *m)
{
    return m->event && is_syscall(m->event) == v->syscalls;
}

/* The events of a document in the order they were asked for. */
static size_t list_events(const struct bench_document *d, const struct view *v,
                          const char *ret[MOST_EVENTS])
{
    size_t n = 0;

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_metric *m = d->arms[i]->estimates[k]->metric;
            size_t known = 0;

            if (!in_view(v, m))
                continue;
            while (known < n && strcmp(ret[known], m->event) != 0)
                known++;
            if (known == n && n < MOST_EVENTS)
                ret[n++] = m->event;
        }
    return n;
}

/* The estimate of an event in a role: its count, or with `per` set, per byte or operation. */
static const struct bench_estimate *find_event(const struct bench_arm *a, const char *event,
                                               const char *role, const char *per)
{
    for (uint32_t i = 0; i < a->n_estimates; i++) {
        const struct bench_metric *m = a->estimates[i]->metric;
        const char *found;

        if (!m->event || !m->role || strcmp(m->event, event) != 0 || strcmp(m->role, role) != 0)
            continue;
        found = strstr(m->stem, "_per_byte")        ? "byte"
                : strstr(m->stem, "_per_operation") ? "operation"
                                                    : NULL;
        if (found == per || (found && per && strcmp(found, per) == 0))
            return a->estimates[i];
    }
    return NULL;
}

/* Whether anything was counted with this arm: relays may choose their captures. */
static bool has_events(const struct view *v, const struct bench_arm *a)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (in_view(v, a->estimates[i]->metric))
            return true;
    return false;
}

/* An event that no role of any arm could count is a footnote, not a row of dashes. */
static bool counted(const struct bench_document *d, const char *event, struct footnotes *notes)
{
    const struct bench_estimate *missing = NULL;

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_estimate *e = d->arms[i]->estimates[k];

            if (!e->metric->event || strcmp(e->metric->event, event) != 0)
                continue;
            if (is_number(e))
                return true;
            missing = e;
        }
    if (missing)
        footnote(notes, missing, event);
    return false;
}

static bool has_per(const struct bench_document *d, const char *event, const char *per)
{
    static const char *const ends[] = {"client", "server", "relay_1"};

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (size_t k = 0; k < 3; k++)
            if (find_event(d->arms[i], event, ends[k], per))
                return true;
    return false;
}

/* The largest count of an event in any role of any arm. */
static double largest(const struct bench_document *d, const char *event)
{
    double most = 0;

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_estimate *e = d->arms[i]->estimates[k];

            if (e->metric->event && strcmp(e->metric->event, event) == 0 &&
                !strstr(e->metric->stem, "_per_") && is_number(e) && e->value > most)
                most = e->value;
        }
    return most;
}

/* The most frequent first, but before them what they add up to. */
static void sort_events(const struct bench_document *d, const char *events[MOST_EVENTS], size_t n)
{
    double keys[MOST_EVENTS];

    for (size_t i = 0; i < n; i++) {
        const char *event = events[i];
        double key = strcmp(event, ALL_SYSCALLS) == 0 ? INFINITY : largest(d, event);
        size_t at = i;

        for (; at > 0 && keys[at - 1] < key; at--) {
            keys[at] = keys[at - 1];
            events[at] = events[at - 1];
        }
        keys[at] = key;
        events[at] = event;
    }
}

/* Counts and clocks per gigabyte: the same figure as per byte, in digits that can be read. */
static void put_per(struct table *t, int at, const struct bench_estimate *e, bool per_byte)
{
    struct bench_metric m;
    char s[80];

    if (!is_number(e)) {
        put(t, at, "–");
        return;
    }
    m = *e->metric;
    m.unit = "1";
    if (m.format == BENCH_FORMAT_PLAIN)
        m.format = e->value * (per_byte ? 1e9 : 1) >= 1000 ? BENCH_FORMAT_SI : BENCH_FORMAT_PLAIN;
    with_unit(&m, e->value * (per_byte ? 1e9 : 1), s, sizeof(s) - 1);
    put(t, at, strcat(s, mark_of(e)));
}

static const char *label_of(const char *event)
{
    if (strcmp(event, ALL_SYSCALLS) == 0)
        return "all";
    return is_syscall(event) ? event + strlen(SYSCALL) : event;
}

static void put_event(struct table *t, const struct bench_arm *a, const char *event,
                      const char *roles[], const int at[][2], int n_roles, const char *per,
                      struct footnotes *notes)
{
    put(t, 1, label_of(event));
    for (int r = 0; r < n_roles; r++) {
        const struct bench_estimate *count = find_event(a, event, roles[r], NULL);

        put_estimate(t, at[r][0], count, notes, is_syscall(event) ? "system calls" : event);
        put_per(t, at[r][1], find_event(a, event, roles[r], per), strcmp(per, "byte") == 0);
    }
}

static bool makes(const struct bench_arm *a, const char *event)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (a->estimates[i]->metric->event && strcmp(a->estimates[i]->metric->event, event) == 0)
            return true;
    return false;
}

static void emit_view(const struct bench_document *d, const struct view *v, const char *events[],
                      size_t n_events, struct footnotes *notes, const struct bench_style *style,
                      struct bench_output *out)
{
    static const char *const names[] = {"client",  "relay_1", "relay_2",
                                        "relay_3", "relay_4", "server"};
    const char *per = has_per(d, events[0], "operation") ? "operation" : "byte", *roles[6];
    struct table t = {.style = style};
    int at[6][2], n_roles = 0;

    column(&t, "relay", true, 0);
    column(&t, v->head, true, 0);
    for (int i = 0; i < 6; i++) {
        bool relay = strncmp(names[i], "relay_", 6) == 0;

        if (relay && (uint32_t)(names[i][6] - '0') > most_hops(d))
            continue;
        roles[n_roles] = names[i];
        at[n_roles][0] = grouped(&t, names[i], "window", relay ? 8 : 2);
        at[n_roles][1] =
            grouped(&t, names[i], strcmp(per, "byte") == 0 ? "per GB" : "per op", relay ? 9 : 3);
        n_roles++;
    }
    for (uint32_t i = 0; i < d->n_arms; i++) {
        if (!has_events(v, d->arms[i]))
            continue;
        for (size_t k = 0; k < n_events; k++) {
            if (k == 0)
                arm_row(&t, d, i);
            else if (v->syscalls && !makes(d->arms[i], events[k]))
                continue;
            else
                new_row(&t);
            put_event(&t, d->arms[i], events[k], roles, (const int(*)[2])at, n_roles, per, notes);
        }
    }
    emit_table(&t, out);
    table_release(&t);
}

void emit_counters(const struct bench_document *d, struct footnotes *notes,
                   const struct bench_style *style, struct bench_output *out)
{
    static const struct view views[] = {
        {"counter", false},
        {"system call", true},
    };

    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        const struct view *v = &views[i];
        const char *events[MOST_EVENTS];
        size_t n_listed = list_events(d, v, events), n = 0, shown;

        for (size_t k = 0; k < n_listed; k++)
            if (counted(d, events[k], notes))
                events[n++] = events[k];
        if (n == 0)
            continue;
        if (v->syscalls)
            sort_events(d, events, n);
        shown = v->syscalls && !style->details && n > FEW_EVENTS ? FEW_EVENTS : n;
        emit_view(d, v, events, shown, notes, style, out);
        if (shown < n)
            host->emit(out, "(%zu others, each less often: --details)\n", n - shown);
        host->emit(out, "\n");
    }
}
