/* SPDX-License-Identifier: Apache-2.0 */
#include "report/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/metric_names.h"
#include "stats/changes.h"

#define SCHEMA 1
#define FALSE_ALARMS 0.01 /* chance of a change point in a history without one */

/* A copy of what the index told, beside what is shown of it. */
struct entry {
    struct bench_history_run run;
    size_t number; /* of the run, in order of time */
    const char *arm;
    char *bench_version, *kernel, *binary, *code, *settings;
    bool baseline;
    double to_baseline, to_baseline_low, to_baseline_high;
};

struct group {
    struct bench_history_series series;
    struct entry **entries; /* also series.runs: an entry begins with its run */
    size_t capacity;
    bool rescoped; /* the scenario changed from one run to the next */
};

struct history {
    struct bench_history history;
    struct bench_metric metric;
    struct group **groups; /* also history.series: a group begins with its series */
    size_t capacity;
    size_t n_runs; /* so far, and the last of them */
    char *last;
    struct strings kept, warnings;
};

static const char *keep(struct history *h, const char *s)
{
    if (!s)
        return NULL;
    strings_add(&h->kept, s);
    return h->kept.items[h->kept.count - 1];
}

/* --- grouping ------------------------------------------------------------------------------ */

static char *machine_of(const struct index_sample *s)
{
    return xasprintf("%s, %d CPU%s", s->cpu_model ? s->cpu_model : "unknown CPU", (int)s->cpus,
                     s->cpus == 1 ? "" : "s");
}

/* A name may stand for two events: an ordinary user's has no kernel in it. */
static bool same_part(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct group *find_group(struct history *h, const struct index_sample *s)
{
    cleanup_free char *machine = machine_of(s);
    struct group *g;

    for (uint32_t i = 0; i < h->history.n_series; i++) {
        const struct bench_history_series *series = &h->groups[i]->series;

        if (strcmp(series->name, s->name) == 0 && strcmp(series->arm, s->arm) == 0 &&
            strcmp(series->point, s->point) == 0 && strcmp(series->machine, machine) == 0 &&
            same_part(series->part, s->part))
            return h->groups[i];
    }
    h->groups = grow(h->groups, &h->capacity, h->history.n_series + 1, sizeof(struct group *));
    g = h->groups[h->history.n_series++] = xcalloc(1, sizeof(*g));
    g->series.name = keep(h, s->name);
    g->series.arm = keep(h, s->arm);
    g->series.point = keep(h, s->point);
    g->series.machine = keep(h, machine);
    g->series.part = keep(h, s->part);
    return g;
}

static void add_sample(void *context, const struct index_sample *s)
{
    struct history *h = context;
    struct group *g = find_group(h, s);
    struct entry *e = xcalloc(1, sizeof(*e));

    if (!h->last || strcmp(h->last, s->directory) != 0) {
        free(h->last);
        h->last = xstrdup(s->directory);
        h->n_runs++;
    }
    *e = (struct entry){
        .run = {.run = keep(h, s->id),
                .started = keep(h, s->started),
                .state = s->state,
                .value = s->value,
                .has_interval = !isnan(s->low),
                .low = s->low,
                .high = s->high,
                .n = (uint32_t)s->n,
                .ratio = NAN,
                .ratio_low = NAN,
                .ratio_high = NAN,
                .before = NAN,
                .after = NAN},
        .number = h->n_runs,
        .arm = g->series.arm,
        .bench_version = xstrdup(s->bench_version),
        .kernel = xstrdup(s->kernel),
        .binary = xstrdup(s->binary),
        .code = xstrdup(s->code),
        .settings = xstrdup(s->settings),
        .baseline = s->baseline,
        .to_baseline = s->baseline ? 1 : s->ratio,
        .to_baseline_low = s->baseline ? 1 : s->ratio_low,
        .to_baseline_high = s->baseline ? 1 : s->ratio_high,
    };
    g->entries = grow(g->entries, &g->capacity, g->series.n_runs + 1, sizeof(*g->entries));
    g->entries[g->series.n_runs++] = e;
}

/* --- anchors ------------------------------------------------------------------------------- */

static const struct entry *find_entry(const struct group *g, size_t number)
{
    uint32_t low = 0, high = g->series.n_runs;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (g->entries[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->series.n_runs && g->entries[low]->number == number ? g->entries[low] : NULL;
}

/* The sample of the same run and point in arm `name`, or in its baseline (NULL). */
static const struct entry *beside(const struct history *h, const struct group *g,
                                  const struct entry *e, const char *name)
{
    for (uint32_t i = 0; i < h->history.n_series; i++) {
        const struct group *other = h->groups[i];
        const struct entry *found = NULL;

        if (strcmp(other->series.point, g->series.point) == 0 &&
            (!name || strcmp(other->series.arm, name) == 0))
            found = find_entry(other, e->number);
        if (found && (name || found->baseline))
            return found;
    }
    return NULL;
}

/* Ratios are known to the baseline, from pairs within blocks. That of two other arms is the
 * quotient, and has no interval: those of both are not independent. */
static void relate(struct bench_history_run *r, const struct entry *e, const struct entry *anchor)
{
    r->ratio = e->to_baseline / anchor->to_baseline;
    if (!e->baseline && !anchor->baseline)
        return;
    r->ratio_low = e->to_baseline_low / anchor->to_baseline_high;
    r->ratio_high = e->to_baseline_high / anchor->to_baseline_low;
    r->has_ratio_interval = !isnan(r->ratio_low) && !isnan(r->ratio_high);
}

/* The arm that a whole series is anchored at, as its newest run has it. */
static const char *choose_anchor(const struct history *h, const struct group *g, const char *asked)
{
    const struct entry *newest = g->entries[g->series.n_runs - 1], *anchor;

    if (asked)
        return asked;
    anchor = beside(h, g, newest, "none");
    if (!anchor)
        anchor = beside(h, g, newest, NULL);
    return anchor ? anchor->arm : NULL;
}

static void anchor_series(const struct history *h, struct group *g, const char *asked)
{
    const char *name = choose_anchor(h, g, asked);

    if (!name || strcmp(name, g->series.arm) == 0)
        return;
    g->series.anchor = name;
    for (uint32_t i = 0; i < g->series.n_runs; i++) {
        const struct entry *anchor = beside(h, g, g->entries[i], name);

        if (anchor)
            relate(&g->entries[i]->run, g->entries[i], anchor);
    }
}

/* --- what changed -------------------------------------------------------------------------- */

/* What is unknown on one side is no difference. */
static bool differ(const char *a, const char *b)
{
    return a && b && strcmp(a, b) != 0;
}

static void name_changes(struct history *h, const struct entry *before, struct entry *e)
{
    cleanup_text struct text t = {0};
    const struct {
        bool differs;
        const char *name;
    } parts[] = {
        {differ(before->binary, e->binary), "binary"},
        {!differ(before->binary, e->binary) && differ(before->code, e->code), "libraries"},
        {differ(before->settings, e->settings), "scenario"},
        {differ(before->kernel, e->kernel), "kernel"},
        {differ(before->bench_version, e->bench_version), "bench"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].differs)
            text_add(&t, "%s%s", t.length ? ", " : "", parts[i].name);
    e->run.changed = t.length ? keep(h, text_get(&t)) : NULL;
}

static void mark_levels(struct group *g)
{
    size_t n = 0, n_changes;
    cleanup_free double *x = xcalloc(g->series.n_runs + 1, sizeof(*x));
    cleanup_free struct entry **at = xcalloc(g->series.n_runs + 1, sizeof(struct entry *));
    cleanup_free struct stats_change *changes = NULL;

    for (uint32_t i = 0; i < g->series.n_runs; i++) {
        double v = g->series.anchor ? g->entries[i]->run.ratio : g->entries[i]->run.value;

        if (!isfinite(v))
            continue;
        at[n] = g->entries[i];
        x[n++] = v;
    }
    n_changes = stats_changes(x, n, FALSE_ALARMS, &changes);
    for (size_t i = 0; i < n_changes; i++) {
        at[changes[i].at]->run.new_level = true;
        at[changes[i].at]->run.before = changes[i].before;
        at[changes[i].at]->run.after = changes[i].after;
    }
}

static void finish_series(struct history *h, const char *anchor)
{
    for (uint32_t i = 0; i < h->history.n_series; i++)
        anchor_series(h, h->groups[i], anchor);
    for (uint32_t i = 0; i < h->history.n_series; i++) {
        struct group *g = h->groups[i];

        for (uint32_t k = 1; k < g->series.n_runs; k++) {
            name_changes(h, g->entries[k - 1], g->entries[k]);
            g->rescoped |= differ(g->entries[k - 1]->settings, g->entries[k]->settings);
        }
        mark_levels(g);
        g->series.runs = (const struct bench_history_run *const *)g->entries;
    }
}

/* --- the whole ----------------------------------------------------------------------------- */

static void free_group(struct group *g)
{
    for (uint32_t i = 0; i < g->series.n_runs; i++) {
        struct entry *e = g->entries[i];

        free(e->bench_version);
        free(e->kernel);
        free(e->binary);
        free(e->code);
        free(e->settings);
        free(e);
    }
    free(g->entries);
    free(g);
}

/* Anchors had to be there until now; of the arms, those that were asked for stay. */
static void keep_arms(struct history *h, const struct strings *arms)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->history.n_series; i++) {
        if (strings_has(arms, h->groups[i]->series.arm))
            h->groups[n++] = h->groups[i];
        else
            free_group(h->groups[i]);
    }
    h->history.n_series = n;
}

static void add_once(struct strings *s, const char *name)
{
    if (!strings_has(s, name))
        strings_add(s, name);
}

static void warn(struct history *h)
{
    cleanup_strings struct strings machines = {0}, parts = {0};
    bool rescoped = false;

    for (uint32_t i = 0; i < h->history.n_series; i++) {
        const struct bench_history_series *s = &h->groups[i]->series;

        add_once(&machines, s->machine);
        add_once(&parts, s->part ? s->part : "");
        rescoped |= h->groups[i]->rescoped;
    }
    if (machines.count > 1)
        strings_addf(&h->warnings, "runs of %zu kinds of machines: each is a history of its own",
                     machines.count);
    if (parts.count > 1)
        strings_add(&h->warnings, "some runs counted a part of the event only: what was counted "
                                  "with another privilege is a history of its own");
    if (rescoped)
        strings_add(&h->warnings, "the scenario changed from run to run, see 'differs': another "
                                  "level may be its doing");
    h->history.warnings = (const char *const *)h->warnings.items;
    h->history.n_warnings = (uint32_t)h->warnings.count;
}

struct names {
    const char *relay;
    struct strings arms; /* that are called so, or whose plugin is */
    struct strings all;
};

static void add_name(void *context, const struct index_sample *s)
{
    struct names *n = context;

    if (!strings_has(&n->all, s->arm))
        strings_add(&n->all, s->arm);
    if ((!n->relay || strcmp(s->arm, n->relay) == 0 || strcmp(s->relay, n->relay) == 0) &&
        !strings_has(&n->arms, s->arm))
        strings_add(&n->arms, s->arm);
}

static void take_name(void *context, const struct indexed_run *run)
{
    char **name = context;

    *name = xstrdup(run->name);
}

int history_choose(struct run_index *x, struct index_filter *filter, char **ret_name,
                   struct bench_error *err)
{
    cleanup_free char *newest = NULL;
    cleanup_text struct text glob = {0};

    if (filter->name)
        return 0;
    filter->limit = 1;
    filter->name = "*"; /* one that has a name: not damaged */
    if (index_runs(x, filter, take_name, &newest, err) < 0)
        return -1;
    for (const char *p = newest; p && *p; p++) /* a glob that means its name and no other */
        text_add(&glob, strchr("*?[", *p) ? "[%c]" : "%c", *p);
    filter->limit = 0;
    filter->name = *ret_name = text_take(&glob);
    return 0;
}

/* By its full name, or by a beginning that fits one only, as gates have it. */
static int find_metric(struct history *h, struct run_index *x, const char *name,
                       struct bench_error *err)
{
    cleanup_free char *full = NULL;
    const struct bench_metric *row;

    if (index_metric(x, name, &h->metric, &h->kept, err) == 0)
        return 0;
    full = metric_resolve(name, &row, NULL);
    return full && strcmp(full, name) != 0 ? index_metric(x, full, &h->metric, &h->kept, err) : -1;
}

static int collect(struct history *h, struct run_index *x, const struct history_question *q,
                   const struct index_filter *filter, struct bench_error *err)
{
    struct names names = {.relay = q->filter.relay};
    int result = -1;

    if (index_samples(x, filter, h->metric.name, q->point, add_name, &names, err) < 0 ||
        index_samples(x, filter, h->metric.name, q->point, add_sample, h, err) < 0)
        goto out;
    if (names.all.count == 0) {
        error_set(err, BENCH_ERROR_USAGE, "no run that was chosen has a metric '%s'%s%s%s",
                  h->metric.name, q->point ? " at '" : "", q->point ? q->point : "",
                  q->point ? "'" : "");
        error_hint(err, "'bench list runs' takes the same options and shows what there is");
    } else if (q->anchor && !strings_has(&names.all, q->anchor)) {
        error_unknown(err, "arm", q->anchor, (const char *const *)names.all.items);
        error_context(err, "--anchor");
    } else {
        finish_series(h, q->anchor);
        keep_arms(h, &names.arms);
        warn(h);
        result = 0;
    }
out:
    strings_release(&names.arms);
    strings_release(&names.all);
    return result;
}

int history_new(struct history **ret, struct run_index *x, const struct history_question *q,
                struct bench_error *err)
{
    struct history *h = xcalloc(1, sizeof(*h));
    struct index_filter filter = q->filter;
    cleanup_free char *name = NULL;

    h->history.size = sizeof(h->history);
    h->history.schema = SCHEMA;
    h->history.metric = &h->metric;
    if (history_choose(x, &filter, &name, err) < 0 || find_metric(h, x, q->metric, err) < 0 ||
        collect(h, x, q, &filter, err) < 0) {
        history_free(h);
        return -1;
    }
    h->history.series = (const struct bench_history_series *const *)h->groups;
    *ret = h;
    return 0;
}

const struct bench_history *history_get(const struct history *h)
{
    return &h->history;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    for (uint32_t i = 0; i < h->history.n_series; i++)
        free_group(h->groups[i]);
    free(h->groups);
    free(h->last);
    strings_release(&h->kept);
    strings_release(&h->warnings);
    free(h);
}
