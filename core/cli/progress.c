/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "report/metrics.h"

static const char *const phases[] = {
    [PROGRESS_START] = "start", [PROGRESS_WARMUP] = "warm-up", [PROGRESS_WINDOW] = "window",
    [PROGRESS_STOP] = "stop",   [PROGRESS_DONE] = "done",
};

void progress_view_init(struct progress_view *v, bool quiet)
{
    const char *term = getenv("TERM");

    *v = (struct progress_view){
        .quiet = quiet,
        .live = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
    };
}

void progress_view_clear(struct progress_view *v)
{
    if (v->open)
        say_live(0, "%s", "");
    v->open = false;
}

/* "3/12  block 2/6  nginx jobs=10" */
static void add_place(struct text *t, const struct progress *p)
{
    const struct point *point = p->step->point;

    text_add(t, "%u/%zu  ", p->step->index - p->plan->before, p->plan->n_steps);
    if (strcmp(p->step->purpose, PURPOSE_MEASURE) == 0)
        text_add(t, "block %u/%u", p->step->block, p->plan->blocks);
    else
        text_add(t, "%s", p->step->purpose);
    text_add(t, "  %s%s%s", point->scenario.arms[p->step->arm].name, point->label[0] ? " " : "",
             point->label);
    if (p->step->capture)
        text_add(t, " %s", p->step->purpose);
}

static void print_live(struct progress_view *v, const struct progress *p)
{
    long long seconds = (p->remaining_ns + NS_PER_S / 2) / NS_PER_S;
    cleanup_text struct text line = {0};
    const int width = cli_width(stderr);
    char value[32];

    add_place(&line, p);
    text_add(&line, "  %s  %lld:%02lld left", phases[p->phase], seconds / 60, seconds % 60);
    if (!isnan(p->bits_per_second))
        text_add(&line, "  %sbit/s", format_si(p->bits_per_second, value, sizeof(value)));
    /* A line that wraps cannot be rewritten; the last column stays free, where some wrap early. */
    say_live(width > 1 ? width - 1 : 0, "%s", text_get(&line));
    v->open = true;
}

/* What the repetition came to: its first headline metric. */
static void add_headline(struct text *t, const struct repetition_record *record)
{
    struct metric_pool pool = {0};
    struct metric_set set = {0};
    char value[32];

    metrics_compute(record, &pool, &set);
    for (size_t i = 0; i < set.count; i++) {
        const struct metric_value *m = &set.items[i];

        if (m->metric->rank != 0 || m->value.state > BENCH_SCALED)
            continue;
        /* "20.9 k/s", not "20.9 k1/s" */
        text_add(t, "%s%s", format_si(m->value.value, value, sizeof(value)),
                 m->metric->unit + (m->metric->unit[0] == '1'));
        break;
    }
    metric_set_release(&set);
    metric_pool_release(&pool);
}

static void print_line(const struct progress *p)
{
    cleanup_text struct text line = {0};

    add_place(&line, p);
    text_add(&line, "  ");
    if (p->record->ok)
        add_headline(&line, p->record);
    else
        text_add(&line, "FAILED: %s", p->record->error.message);
    say_line(stderr, "%s", text_get(&line));
    if (!p->record->ok)
        cli_error_proof(&p->record->error);
}

void progress_view_update(void *view, const struct progress *p)
{
    struct progress_view *v = view;

    if (p->phase == PROGRESS_DONE && !p->record->ok) {
        progress_view_clear(v);
        print_line(p);
    } else if (v->quiet) {
        return;
    } else if (v->live) {
        print_live(v, p);
    } else if (p->phase == PROGRESS_DONE) {
        print_line(p);
    }
}
