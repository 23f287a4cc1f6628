/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run came to as OpenMetrics text, for the textfile collector of the node exporter or a
 * pushgateway: a gauge per metric, with the arm, the point of the sweep and the role as labels.
 * Gauges only, and no time stamps: that also is Prometheus's older format, which these two read.
 * What is no number has no sample.
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

/* --- syntax -------------------------------------------------------------------------------- */

/* With `quote` for '"'. */
static void escaped(struct bench_output *out, const char *text, const char *quote)
{
    char *s = clean(text, true);

    for (const char *p = s; *p;) {
        size_t n = strcspn(p, "\\\"");

        host->emit(out, "%.*s", (int)n, p);
        p += n;
        if (*p)
            host->emit(out, "%s", *p++ == '"' ? quote : "\\\\");
    }
    free(s);
}

/* The units that a name may end in, longest first: the format wants UNIT to be that ending. */
static const char *unit_of(const char *name)
{
    static const char *const units[] = {"operations_per_second",
                                        "connections_per_second",
                                        "bits_per_second",
                                        "seconds_per_gigabyte",
                                        "seconds_per_operation",
                                        "seconds",
                                        "bytes",
                                        "cpus"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t n = strlen(units[i]);

        if (length >= n && strcmp(name + length - n, units[i]) == 0 &&
            (length == n || name[length - n - 1] == '_'))
            return units[i];
    }
    return NULL;
}

/* "bench_" and the name, of which the format allows letters, digits and '_'. */
static void put_name(struct bench_output *out, const char *name)
{
    host->emit(out, "bench_");
    for (; *name; name++)
        host->emit(out, "%c", isalnum((unsigned char)*name) ? *name : '_');
}

static void family(struct bench_output *out, const char *name, const char *help)
{
    host->emit(out, "# TYPE ");
    put_name(out, name);
    host->emit(out, " gauge\n");
    if (unit_of(name)) {
        host->emit(out, "# UNIT ");
        put_name(out, name);
        host->emit(out, " %s\n", unit_of(name));
    }
    host->emit(out, "# HELP ");
    put_name(out, name);
    host->emit(out, " ");
    escaped(out, help, "'"); /* the older format knows no quotes there */
    host->emit(out, "\n");
}

struct label {
    const char *name, *value; /* an empty value is none */
};

static void sample(struct bench_output *out, const char *name, const struct label *labels,
                   double value)
{
    const char *before = "{";
    char text[EXACT_SIZE];

    put_name(out, name);
    for (; labels->name; labels++) {
        if (!labels->value || !*labels->value)
            continue;
        host->emit(out, "%s%s=\"", before, labels->name);
        escaped(out, labels->value, "\\\"");
        host->emit(out, "\"");
        before = ",";
    }
    host->emit(out, "%s %s\n", *before == ',' ? "}" : "",
               isfinite(value) ? exact(value, text)
               : value > 0     ? "+Inf"
                               : "-Inf");
}

#define LABELS(...)          \
    ((const struct label[]){ \
        __VA_ARGS__,         \
        {0},                 \
    })

/* --- metrics ------------------------------------------------------------------------------- */

/* One metric of several roles, or of none: a family of samples. */
struct families {
    const struct bench_metric **items; /* the first metric of each */
    size_t count;
};

static void add_family(struct families *f, const struct bench_metric *m)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i]->stem, m->stem) == 0)
            return;
    f->items = realloc(f->items, (f->count + 1) * sizeof(*f->items));
    if (!f->items)
        abort();
    f->items[f->count++] = m;
}

static struct families families_of(const struct bench_document *d)
{
    struct families f = {0};

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++)
            if (is_number(d->arms[i]->estimates[k]))
                add_family(&f, d->arms[i]->estimates[k]->metric);
    return f;
}

static void emit_metric(const struct bench_document *d, const struct bench_metric *m,
                        struct bench_output *out)
{
    family(out, m->stem, m->meaning);
    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_arm *a = d->arms[i];
            const struct bench_estimate *e = a->estimates[k];

            if (is_number(e) && strcmp(e->metric->stem, m->stem) == 0)
                sample(out, m->stem,
                       LABELS({"scenario", d->name}, {"arm", a->name}, {"point", a->point},
                              {"role", e->metric->role}),
                       e->value);
        }
}

/* The ends of all intervals: one family per end, or there would be three times as many. */
static void emit_intervals(const struct bench_document *d, bool high, struct bench_output *out)
{
    const char *name = high ? "interval_high" : "interval_low";

    family(out, name,
           high ? "Upper end of the 95% interval of a metric."
                : "Lower end of the 95% interval of a metric.");
    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_arm *a = d->arms[i];
            const struct bench_estimate *e = a->estimates[k];

            if (is_number(e) && e->has_interval)
                sample(out, name,
                       LABELS({"scenario", d->name}, {"arm", a->name}, {"point", a->point},
                              {"metric", e->metric->name}),
                       high ? e->high : e->low);
        }
}

/* --- the run ------------------------------------------------------------------------------- */

static void emit_run(const struct bench_document *d, struct bench_output *out)
{
    family(out, "run_info", "The run that the numbers are from; always 1.");
    sample(out, "run_info",
           LABELS({"scenario", d->name}, {"run", d->run}, {"started", d->started},
                  {"state", d->state}, {"workload", d->workload}, {"protocol", d->protocol},
                  {"baseline", d->baseline}),
           1);
    family(out, "repetitions", "Repetitions of an arm, by how they ended.");
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct {
            const char *state;
            uint32_t n;
        } states[] = {{"ok", a->valid},
                      {"failed", a->failed},
                      {"rejected", a->rejected},
                      {"damaged", a->damaged}};

        for (size_t k = 0; k < sizeof(states) / sizeof(*states); k++)
            sample(out, "repetitions",
                   LABELS({"scenario", d->name}, {"arm", a->name}, {"point", a->point},
                          {"state", states[k].state}),
                   states[k].n);
    }
}

static double ratio(const struct bench_comparison *c)
{
    return c->ratio;
}

static double ratio_low(const struct bench_comparison *c)
{
    return c->has_interval ? c->low : NAN;
}

static double ratio_high(const struct bench_comparison *c)
{
    return c->has_interval ? c->high : NAN;
}

static double one(const struct bench_comparison *c)
{
    (void)c;
    return 1;
}

static void emit_comparisons(const struct bench_document *d, struct bench_output *out)
{
    static const struct {
        const char *name, *help;
        double (*of)(const struct bench_comparison *c);
        bool verdict;
    } families[] = {
        {"comparison_ratio", "The arm's metric over that of the baseline.", ratio, false},
        {"comparison_ratio_low", "Lower end of the interval that decides.", ratio_low, false},
        {"comparison_ratio_high", "Upper end of the interval that decides.", ratio_high, false},
        {"comparison_verdict_info", "What the comparison says; always 1.", one, true},
    };

    for (size_t f = 0; d->n_comparisons && f < sizeof(families) / sizeof(families[0]); f++) {
        family(out, families[f].name, families[f].help);
        for (uint32_t i = 0; i < d->n_comparisons; i++) {
            const struct bench_comparison *c = d->comparisons[i];

            if (!isnan(families[f].of(c)))
                sample(out, families[f].name,
                       LABELS({"scenario", d->name}, {"arm", c->arm}, {"point", c->point},
                              {"metric", c->metric->name},
                              {"finding", families[f].verdict ? c->finding : NULL},
                              {"verdict", families[f].verdict ? c->verdict : NULL}),
                       families[f].of(c));
        }
    }
}

static void emit_gates(const struct bench_document *d, struct bench_output *out)
{
    if (d->n_gates == 0)
        return;
    family(out, "gate_passed", "Whether a gate was passed: 1 or 0.");
    for (uint32_t i = 0; i < d->n_gates; i++) {
        const struct bench_gate *g = d->gates[i];

        sample(out, "gate_passed",
               LABELS({"scenario", d->name}, {"arm", g->arm}, {"point", g->point},
                      {"gate", g->gate}, {"outcome", g->outcome}),
               strcmp(g->outcome, "passed") == 0);
    }
}

static int report(void *state, const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out, struct bench_error *err)
{
    struct families f = families_of(d);

    (void)state;
    (void)style;
    (void)err;
    emit_run(d, out);
    for (size_t i = 0; i < f.count; i++)
        emit_metric(d, f.items[i], out);
    emit_intervals(d, false, out);
    emit_intervals(d, true, out);
    emit_comparisons(d, out);
    emit_gates(d, out);
    host->emit(out, "# EOF\n");
    free(f.items);
    return 0;
}

static const struct bench_reporter plugin = {
    .plugin = {PLUGIN(plugin, BENCH_REPORTER), .name = "openmetrics",
               .description = "gauges for the node exporter's textfile collector or a pushgateway"},
    .extension = "prom",
    .report = report,
};

PLUGIN_EXPORT(plugin)
