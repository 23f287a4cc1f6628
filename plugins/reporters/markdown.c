/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For a pull request: verdicts first, a table per metric that decides, the rule and what was thrown
 * away; the rest folded. GitHub's dialect (tables, <details>), readable elsewhere.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bench/reporter.h>

#include "shared/characters.h"
#include "shared/lookup.h"
#include "shared/numbers.h"
#include "shared/plugin.h"

/* --- text from outside --------------------------------------------------------------------- */

/* Whether the character at `p` may mean something there: markup, a link, the name of an emoji. */
static bool is_special(const char *text, const char *p)
{
    bool first = p == text, apart = p[1] == ' ' || p[1] == '\0';
    size_t digits = strspn(text, "0123456789");

    if (*p == '_')
        return first || !isalnum((unsigned char)p[-1]) || !isalnum((unsigned char)p[1]);
    if (*p == ':')
        return !apart;
    if (*p == '.' || *p == ')') /* "1. " begins a list, "www." a link */
        return (digits && p == text + digits && apart) ||
               (!first && tolower((unsigned char)p[-1]) == 'w');
    if (strchr("+-=", *p))
        return first && (apart || p[1] == *p);
    return strchr("\\`*[]<>|~&#@$", *p);
}

/* Nothing in it is markup, a mention of somebody, a reference or a link. An empty comment behind
 * '@' and '#' keeps GitHub from finding names, which it looks for when backslashes are gone. */
static void escaped(struct bench_output *out, const char *text)
{
    char *s = clean(text, true);

    for (const char *p = s; *p; p++) {
        host->emit(out, "%s%c", is_special(s, p) ? "\\" : "", *p);
        if (*p == '@' || *p == '#')
            host->emit(out, "<!-- -->");
    }
    free(s);
}

/* Behind words or markup of ours. */
static void labelled(struct bench_output *out, const char *before, const char *text)
{
    host->emit(out, "%s", before);
    escaped(out, text);
}

/* --- cells --------------------------------------------------------------------------------- */

#define NUMBER 64

/* A dash for what is not a number; "~" behind what was scaled. */
static void value_cell(struct bench_output *out, const struct bench_estimate *e)
{
    char s[80] = "–";

    if (is_number(e))
        with_unit(e->metric, e->value, s, sizeof(s));
    host->emit(out, " %s%s |", s, is_number(e) && e->state == BENCH_SCALED ? " (scaled)" : "");
}

static void interval_cell(struct bench_output *out, const struct bench_estimate *e)
{
    char low[NUMBER], high[NUMBER];
    const struct prefix *p;

    if (!is_number(e) || !e->has_interval) {
        host->emit(out, " %s |", is_number(e) ? "no interval" : "");
        return;
    }
    p = prefix_of(e->metric, e->value);
    mantissa(e->metric, p, e->low, low, sizeof(low));
    mantissa(e->metric, p, e->high, high, sizeof(high));
    host->emit(out, " [%s, %s] |", low, high);
}

/* A ratio, and its interval in a cell of its own. */
static void ratio_cells(struct bench_output *out, double ratio, bool has_interval, double low,
                        double high)
{
    char s[NUMBER];

    change(ratio, s, sizeof(s));
    host->emit(out, " %s |", isnan(ratio) ? "–" : s);
    if (!has_interval) {
        host->emit(out, " %s |", isnan(ratio) ? "" : "no interval");
        return;
    }
    change(low, s, sizeof(s));
    host->emit(out, " [%s, ", s);
    change(high, s, sizeof(s));
    host->emit(out, "%s] |", s);
}

static void share_cell(struct bench_output *out, double share)
{
    if (isfinite(share))
        host->emit(out, " %.1f%% |", share * 100);
    else
        host->emit(out, " – |");
}

static void arm_cells(struct bench_output *out, const struct bench_document *d,
                      const struct bench_arm *a)
{
    labelled(out, "| ", a->name);
    if (is_sweep(d))
        labelled(out, " | ", a->point);
    host->emit(out, " |");
}

/* Begins a table about arms. The caller adds its titles, then rule_cells(). */
static void arm_titles(struct bench_output *out, const struct bench_document *d)
{
    host->emit(out, "| relay |%s", is_sweep(d) ? " point |" : "");
}

static void against_title(struct bench_output *out, const char *base, double confidence)
{
    labelled(out, " vs ", base);
    host->emit(out, " | %.3g%% interval |", confidence * 100);
}

/* The line below the head: numbers, marked '>', stand to the right. */
static void rule_cells(struct bench_output *out, const struct bench_document *d,
                       const char *columns)
{
    host->emit(out, is_sweep(d) ? "\n|:--|:--|" : "\n|:--|");
    for (; *columns; columns++)
        host->emit(out, *columns == '>' ? "--:|" : ":--|");
    host->emit(out, "\n");
}

static void state_cells(struct bench_output *out, const struct bench_arm *a)
{
    host->emit(out, " %u/%u |", a->valid, bench_arm_repetitions(a));
    labelled(out, " ",
             strcmp(a->limited_by, "cpu") == 0     ? "the machine's CPUs"
             : strcmp(a->limited_by, "quota") == 0 ? "the quota around bench"
                                                   : a->limited_by);
    host->emit(out, " |\n");
}

/* --- what decides -------------------------------------------------------------------------- */

static void emit_verdict_list(struct bench_output *out, const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_comparison *c = d->comparisons[i];
        char s[NUMBER];

        change(c->ratio, s, sizeof(s));
        labelled(out, "- **", c->arm);
        labelled(out, *c->point ? "** at " : "**", c->point);
        labelled(out, ": ", c->metric->title);
        host->emit(out, " %s against ", has_size(c) ? s : "–");
        escaped(out, c->base);
        labelled(out, ": **", c->verdict);
        host->emit(out, "**\n");
    }
    if (d->n_comparisons)
        host->emit(out, "\n");
}

/* `c` NULL: there is nothing that the arm is compared with. */
static void comparison_cells(struct bench_output *out, const struct bench_comparison *c, bool base)
{
    if (!c) {
        host->emit(out, " %s | | | |", base ? "baseline" : "–");
        return;
    }
    if (has_size(c))
        ratio_cells(out, c->ratio, c->has_interval, c->low, c->high);
    else
        host->emit(out, " – | |");
    if (!has_size(c) || isnan(c->p_adjusted))
        host->emit(out, " – |");
    else if (c->p_adjusted < 0.001)
        host->emit(out, " \\<0.001 |");
    else
        host->emit(out, " %.3f |", c->p_adjusted);
    labelled(out, " **", c->verdict);
    host->emit(out, "** |");
}

static void emit_deciding(struct bench_output *out, const struct bench_document *d,
                          const struct bench_metric *m, double confidence)
{
    char least[NUMBER];

    labelled(out, "### ", m->title);
    host->emit(out, "\n\n");
    arm_titles(out, d);
    labelled(out, " ", m->title);
    host->emit(out, " | run CV |");
    against_title(out, base_name(d), confidence);
    host->emit(out, " p (Holm) | verdict | valid | limited by |");
    rule_cells(out, d, ">>><><><");
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct bench_estimate *e = find(a, m->name);

        arm_cells(out, d, a);
        value_cell(out, e);
        share_cell(out, e ? e->cv : NAN);
        comparison_cells(out, find_comparison(d, a, m), is_base(d, a));
        state_cells(out, a);
    }
    if (detectable(d, m, least, sizeof(least)))
        host->emit(out, "\nSmallest difference that this run could detect (80%% power): about %s\n",
                   least);
    host->emit(out, "\n");
}

static void emit_verdicts(struct bench_output *out, const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_comparison *c = d->comparisons[i];
        uint32_t before = 0;

        while (before < i && d->comparisons[before]->metric != c->metric)
            before++;
        if (before == i)
            emit_deciding(out, d, c->metric, c->confidence);
    }
}

static void emit_gates(struct bench_output *out, const struct bench_document *d)
{
    if (d->n_gates == 0)
        return;
    host->emit(out, "### gates\n\n| gate | relay |%s outcome | evidence |\n|:--|:--|%s:--|:--|\n",
               is_sweep(d) ? " point |" : "", is_sweep(d) ? ":--|" : "");
    for (uint32_t i = 0; i < d->n_gates; i++) {
        const struct bench_gate *g = d->gates[i];

        labelled(out, "| ", g->gate);
        labelled(out, " | ", g->arm);
        if (is_sweep(d))
            labelled(out, " | ", g->point);
        labelled(out, " | **", g->outcome);
        labelled(out, "** | ", g->evidence);
        host->emit(out, " |\n");
    }
    host->emit(out, "\n");
}

/* --- what does not ------------------------------------------------------------------------- */

static void emit_arms(struct bench_output *out, const struct bench_document *d)
{
    arm_titles(out, d);
    host->emit(out, " valid | limited by |");
    rule_cells(out, d, "><");
    for (uint32_t i = 0; i < d->n_arms; i++) {
        arm_cells(out, d, d->arms[i]);
        state_cells(out, d->arms[i]);
    }
    host->emit(out, "\n");
}

static void estimate_row(struct bench_output *out, const struct bench_document *d,
                         const struct bench_arm *a, const struct bench_estimate *e)
{
    arm_cells(out, d, a);
    labelled(out, " ", e->metric->name);
    host->emit(out, " |");
    value_cell(out, e);
    interval_cell(out, e);
    if (is_compared(d) && strcmp(a->name, d->baseline) == 0)
        host->emit(out, " baseline | |");
    else if (is_compared(d))
        ratio_cells(out, e->ratio, e->has_ratio_interval, e->ratio_low, e->ratio_high);
    host->emit(out, "\n");
}

/* Metrics of these ranks that have no verdict. */
static void emit_estimates(struct bench_output *out, const struct bench_document *d, int from,
                           int to)
{
    arm_titles(out, d);
    host->emit(out, " metric | value | 95%% interval |");
    if (is_compared(d))
        against_title(out, baseline_name(d), 0.95);
    rule_cells(out, d, is_compared(d) ? "<><><" : "<><");
    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_estimate *e = d->arms[i]->estimates[k];

            if (e->metric->rank >= from && e->metric->rank <= to && !decides(d, e->metric))
                estimate_row(out, d, d->arms[i], e);
        }
    host->emit(out, "\n");
}

static void emit_folded(struct bench_output *out, const struct bench_document *d,
                        const struct bench_style *style)
{
    bool compared = d->n_comparisons > 0;

    host->emit(out, "<details><summary>%s</summary>\n\n",
               compared ? "exploratory, not error-controlled" : "more metrics");
    emit_estimates(out, d, compared ? 0 : 1, style->details ? 2 : 1);
    host->emit(out, "</details>\n\n");
}

/* --- prose --------------------------------------------------------------------------------- */

static void emit_lines(struct bench_output *out, const char *before, const char *each, uint32_t n,
                       const char *const *lines)
{
    if (n == 0)
        return;
    host->emit(out, "%s", before);
    for (uint32_t i = 0; i < n; i++) {
        labelled(out, each, lines[i]);
        host->emit(out, "\n");
    }
    host->emit(out, "\n");
}

static void emit_findings(struct bench_output *out, const struct bench_document *d, uint32_t most)
{
    if (d->n_findings == 0)
        return;
    host->emit(out, "### findings\n\n");
    for (uint32_t i = 0; i < d->n_findings && i < most; i++) {
        const struct bench_finding *f = d->findings[i];

        labelled(out, "- **", f->rule);
        labelled(out, "** ", f->arm);
        labelled(out, f->role ? ", " : "", f->role ? f->role : "");
        labelled(out, ": ", f->evidence);
        labelled(out, ". ", f->meaning);
        labelled(out, ". Try: ", f->remedy);
        host->emit(out, "\n");
    }
    if (d->n_findings > most)
        host->emit(out, "- and %u more: `bench explain`\n", d->n_findings - most);
    host->emit(out, "\n");
}

static void emit_head(struct bench_output *out, const struct bench_document *d)
{
    labelled(out, "## ", *d->name ? d->name : "bench run");
    host->emit(out, "\n\n");
}

static void emit_origin(struct bench_output *out, const struct bench_document *d)
{
    labelled(out, "run ", d->run);
    labelled(out, ", ", d->started);
    labelled(out, ", ", d->state);
    labelled(out, "; ", d->workload);
    labelled(out, *d->protocol ? ", " : "", d->protocol);
    host->emit(out, "\n\n");
}

static int report(void *state, const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out, struct bench_error *err)
{
    (void)state;
    (void)err;
    emit_head(out, d);
    if (style->part == BENCH_PART_FINDINGS) {
        emit_origin(out, d);
        emit_findings(out, d, UINT32_MAX);
        emit_lines(out, "### not looked at\n\n", "- ", d->n_unseen, d->unseen);
        return 0;
    }
    emit_verdict_list(out, d);
    emit_gates(out, d);
    emit_verdicts(out, d);
    if (d->n_comparisons == 0) {
        emit_arms(out, d);
        emit_estimates(out, d, 0, 0);
    }
    emit_origin(out, d);
    emit_lines(out, "", "- ", d->n_design, d->design);
    emit_lines(out, "> [!WARNING]\n", "> - ", d->n_warnings, d->warnings);
    emit_findings(out, d, 3);
    emit_folded(out, d, style);
    return 0;
}

static const struct bench_reporter plugin = {
    .plugin = {PLUGIN(plugin, BENCH_REPORTER), .name = "markdown",
               .description = "tables for a pull request, verdicts first"},
    .extension = "md",
    .report = report,
};

PLUGIN_EXPORT(plugin)
