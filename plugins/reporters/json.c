/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document for programs: one JSON object, docs/measurement.md lists the metrics. Written by
 * hand because it is a walk over one struct: strings are escaped here, and what is no number is
 * null.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <bench/characters.h>
#include <bench/reporter.h>

#include "shared/numbers.h"
#include "shared/plugin.h"

/* --- values -------------------------------------------------------------------------------- */

/* How many bytes from `s` on can stand in a JSON string as they are, and on a terminal. */
static size_t plain(const char *s)
{
    size_t n = 0, length;
    uint32_t c;

    while ((length = bench_character_at(s + n, &c)) > 0 && !bench_character_is_unsafe(c) &&
           c != '"' && c != '\\')
        n += length;
    return n;
}

/* "\u001b"; above U+FFFF a pair. */
static void escape(struct bench_output *out, uint32_t c)
{
    if (c > 0xffff) {
        host->emit(out, "\\u%04x", 0xd800 + ((c - 0x10000) >> 10));
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    host->emit(out, "\\u%04x", c);
}

static void string(struct bench_output *out, const char *s)
{
    if (!s) {
        host->emit(out, "null");
        return;
    }
    host->emit(out, "\"");
    while (*s) {
        size_t n = plain(s);
        uint32_t c = 0xfffd;

        host->emit(out, "%.*s", (int)n, s);
        s += n;
        if (*s == '"' || *s == '\\') {
            host->emit(out, "\\%c", *s++);
        } else if (*s) {
            n = bench_character_at(s, &c);
            escape(out, c);
            s += n ? n : 1;
        }
    }
    host->emit(out, "\"");
}

/* JSON as it is stored: what a terminal would obey can only stand in its strings. */
static void stored(struct bench_output *out, const char *json)
{
    uint32_t c = 0;

    for (const char *s = json ? json : "null"; *s;) {
        size_t n = strcspn(s, "\x7f\xc2\xd8\xe1\xe2\xef\xf3"); /* what those begin with */

        host->emit(out, "%.*s", (int)n, s);
        s += n;
        n = *s ? bench_character_at(s, &c) : 0;
        if (n && bench_character_is_unsafe(c))
            escape(out, c);
        else
            host->emit(out, "%.*s", (int)n, s);
        s += n || !*s ? n : 1;
    }
}

static void number(struct bench_output *out, double v)
{
    char text[EXACT_SIZE];

    host->emit(out, "%s", isfinite(v) ? exact(v, text) : "null");
}

/* --- members ------------------------------------------------------------------------------- */

/* A comma before every member but the first of its object or array. */
static void key(struct bench_output *out, bool *first, const char *indent, const char *name)
{
    host->emit(out, "%s\n%s", *first ? "" : ",", indent);
    *first = false;
    if (!name)
        return;
    string(out, name);
    host->emit(out, ": ");
}

static void text_member(struct bench_output *out, bool *first, const char *indent, const char *name,
                        const char *value)
{
    key(out, first, indent, name);
    string(out, value);
}

static void number_member(struct bench_output *out, bool *first, const char *indent,
                          const char *name, double value)
{
    key(out, first, indent, name);
    number(out, value);
}

static void lines_member(struct bench_output *out, bool *first, const char *name, uint32_t n,
                         const char *const *lines)
{
    bool none = true;

    key(out, first, "  ", name);
    host->emit(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        key(out, &none, "    ", NULL);
        string(out, lines[i]);
    }
    host->emit(out, n ? "\n  ]" : "]");
}

static void inline_number(struct bench_output *out, const char *name, double v)
{
    host->emit(out, ", \"%s\": ", name);
    number(out, v);
}

static void estimate(struct bench_output *out, const struct bench_estimate *e)
{
    host->emit(out, "{\"value\": ");
    number(out, e->n ? e->value : NAN);
    host->emit(out, ", \"unit\": ");
    string(out, e->metric->unit);
    host->emit(out, ", \"state\": \"%s\", \"n\": %u", state_name(e->state), e->n);
    inline_number(out, "low", e->has_interval ? e->low : NAN);
    inline_number(out, "high", e->has_interval ? e->high : NAN);
    inline_number(out, "confidence", e->confidence);
    inline_number(out, "cv", e->cv);
    inline_number(out, "autocorrelation", e->autocorrelation);
    inline_number(out, "ratio", e->ratio);
    inline_number(out, "ratio_low", e->has_ratio_interval ? e->ratio_low : NAN);
    inline_number(out, "ratio_high", e->has_ratio_interval ? e->ratio_high : NAN);
    host->emit(out, ", \"ratio_pairs\": %u", e->ratio_pairs);
    if (e->reason) {
        host->emit(out, ", \"reason\": ");
        string(out, e->reason);
    }
    host->emit(out, "}");
}

static void hop_cost(struct bench_output *out, const struct bench_hop_cost *c)
{
    host->emit(out, "{\"value\": ");
    number(out, c->value);
    inline_number(out, "low", c->has_interval ? c->low : NAN);
    inline_number(out, "high", c->has_interval ? c->high : NAN);
    host->emit(out, ", \"blocks\": %" PRIu32 "}", c->blocks);
}

static void arm(struct bench_output *out, const struct bench_arm *a)
{
    bool first = true, none = true, no_cost = true;

    host->emit(out, "{");
    text_member(out, &first, "      ", "name", a->name);
    text_member(out, &first, "      ", "relay", a->relay);
    text_member(out, &first, "      ", "point", a->point);
    number_member(out, &first, "      ", "hops", a->hops);
    number_member(out, &first, "      ", "cpu_limit", a->cpu_limit);
    number_member(out, &first, "      ", "valid", a->valid);
    number_member(out, &first, "      ", "failed", a->failed);
    number_member(out, &first, "      ", "rejected", a->rejected);
    number_member(out, &first, "      ", "damaged", a->damaged);
    text_member(out, &first, "      ", "limited_by", a->limited_by);
    text_member(out, &first, "      ", "limited_why", a->limited_why);
    key(out, &first, "      ", "relay_limited");
    host->emit(out, a->relay_limited ? "true" : "false");
    text_member(out, &first, "      ", "saturated", a->saturated);
    key(out, &first, "      ", "hop_costs");
    host->emit(out, "{");
    for (uint32_t i = 0; i < a->n_hop_costs; i++) {
        key(out, &no_cost, "        ", a->hop_costs[i].metric->name);
        hop_cost(out, &a->hop_costs[i]);
    }
    host->emit(out, no_cost ? "}" : "\n      }");
    key(out, &first, "      ", "metrics");
    host->emit(out, "{");
    for (uint32_t i = 0; i < a->n_estimates; i++) {
        key(out, &none, "        ", a->estimates[i]->metric->name);
        estimate(out, a->estimates[i]);
    }
    host->emit(out, none ? "}\n    }" : "\n      }\n    }");
}

static void repetition(struct bench_output *out, const struct bench_repetition *r)
{
    bool first = true, none = true;

    host->emit(out, "{");
    number_member(out, &first, "      ", "index", r->index);
    text_member(out, &first, "      ", "arm", r->arm);
    text_member(out, &first, "      ", "point", r->point);
    number_member(out, &first, "      ", "block", r->block);
    text_member(out, &first, "      ", "purpose", r->purpose);
    text_member(out, &first, "      ", "state", r->state);
    text_member(out, &first, "      ", "error", r->error);
    text_member(out, &first, "      ", "directory", r->directory);
    number_member(out, &first, "      ", "overhead_seconds", r->overhead_seconds);
    key(out, &first, "      ", "captures");
    host->emit(out, "[");
    for (uint32_t i = 0; i < r->n_artifacts; i++)
        host->emit(out, "%s\n        %s", i ? "," : "", r->artifacts[i]->json);
    host->emit(out, r->n_artifacts ? "\n      ]" : "]");
    key(out, &first, "      ", "metrics");
    host->emit(out, "{");
    for (uint32_t i = 0; i < r->n_values; i++) {
        bool is_number = bench_is_number(r->values[i].state);

        key(out, &none, "        ", r->metrics[i]->name);
        host->emit(out, "{\"value\": ");
        number(out, is_number ? r->values[i].value : NAN);
        host->emit(out, ", \"state\": \"%s\"}", state_name(r->values[i].state));
    }
    host->emit(out, none ? "}\n    }" : "\n      }\n    }");
}

static void strings_member(struct bench_output *out, bool *first, const char *indent,
                           const char *name, uint32_t n, const char *const *items)
{
    key(out, first, indent, name);
    host->emit(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        host->emit(out, i ? ", " : "");
        string(out, items[i]);
    }
    host->emit(out, "]");
}

static void finding(struct bench_output *out, const struct bench_finding *f)
{
    bool first = true, none = true;

    host->emit(out, "{");
    text_member(out, &first, "      ", "rule", f->rule);
    text_member(out, &first, "      ", "arm", f->arm);
    text_member(out, &first, "      ", "role", f->role);
    text_member(out, &first, "      ", "capture", f->capture);
    text_member(out, &first, "      ", "evidence", f->evidence);
    text_member(out, &first, "      ", "meaning", f->meaning);
    text_member(out, &first, "      ", "try", f->remedy);
    number_member(out, &first, "      ", "value", f->value);
    number_member(out, &first, "      ", "threshold", f->threshold);
    number_member(out, &first, "      ", "holds", f->holds);
    number_member(out, &first, "      ", "of", f->of);
    strings_member(out, &first, "      ", "points", f->n_points, f->points);
    key(out, &first, "      ", "metrics");
    host->emit(out, "{");
    for (uint32_t i = 0; i < f->n_cited; i++)
        number_member(out, &none, "        ", f->cited[i], f->cited_values[i]);
    host->emit(out, none ? "}\n    }" : "\n      }\n    }");
}

static void findings_members(struct bench_output *out, bool *first, const struct bench_document *d)
{
    bool none = true;

    key(out, first, "  ", "findings");
    host->emit(out, "[");
    for (uint32_t i = 0; i < d->n_findings; i++) {
        key(out, &none, "    ", NULL);
        finding(out, d->findings[i]);
    }
    host->emit(out, none ? "]" : "\n  ]");
    lines_member(out, first, "unseen", d->n_unseen, d->unseen);
}

/* --- comparisons --------------------------------------------------------------------------- */

static void comparison(struct bench_output *out, const struct bench_comparison *c)
{
    bool first = true;

    host->emit(out, "{");
    text_member(out, &first, "      ", "arm", c->arm);
    text_member(out, &first, "      ", "point", c->point);
    text_member(out, &first, "      ", "base", c->base);
    text_member(out, &first, "      ", "metric", c->metric->name);
    text_member(out, &first, "      ", "verdict", c->verdict);
    text_member(out, &first, "      ", "finding", c->finding);
    number_member(out, &first, "      ", "sign", c->sign);
    number_member(out, &first, "      ", "ratio", c->ratio);
    number_member(out, &first, "      ", "low", c->has_interval ? c->low : NAN);
    number_member(out, &first, "      ", "high", c->has_interval ? c->high : NAN);
    number_member(out, &first, "      ", "confidence", c->confidence);
    number_member(out, &first, "      ", "p", c->p);
    number_member(out, &first, "      ", "p_holm", c->p_adjusted);
    number_member(out, &first, "      ", "blocks", c->blocks);
    number_member(out, &first, "      ", "failed", c->failed);
    number_member(out, &first, "      ", "blocks_needed",
                  c->blocks_needed ? c->blocks_needed : NAN);
    number_member(out, &first, "      ", "blocks_if_as_estimated",
                  c->blocks_if_as_estimated ? c->blocks_if_as_estimated : NAN);
    number_member(out, &first, "      ", "detectable", c->detectable);
    host->emit(out, "\n    }");
}

static void comparison_members(struct bench_output *out, bool *first,
                               const struct bench_document *d)
{
    bool none = true;

    if (isnan(d->margin))
        return;
    number_member(out, first, "  ", "margin", d->margin);
    number_member(out, first, "  ", "blocks", d->n_blocks);
    key(out, first, "  ", "rejected");
    host->emit(out, "[");
    for (uint32_t i = 0; i < d->n_rejected; i++) {
        host->emit(out, "%s{\"block\": %" PRIu32 ", \"why\": ", i ? ", " : "",
                   d->rejected[i].block);
        string(out, d->rejected[i].why);
        host->emit(out, "}");
    }
    host->emit(out, "]");
    key(out, first, "  ", "comparisons");
    host->emit(out, "[");
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        key(out, &none, "    ", NULL);
        comparison(out, d->comparisons[i]);
    }
    host->emit(out, none ? "]" : "\n  ]");
}

/* --- gates --------------------------------------------------------------------------------- */

static void gate(struct bench_output *out, const struct bench_gate *g)
{
    bool first = true;

    host->emit(out, "{");
    text_member(out, &first, "      ", "gate", g->gate);
    text_member(out, &first, "      ", "arm", g->arm);
    text_member(out, &first, "      ", "point", g->point);
    text_member(out, &first, "      ", "metric", g->metric ? g->metric->name : NULL);
    text_member(out, &first, "      ", "outcome", g->outcome);
    text_member(out, &first, "      ", "evidence", g->evidence);
    number_member(out, &first, "      ", "value", g->value);
    number_member(out, &first, "      ", "low", g->low);
    number_member(out, &first, "      ", "high", g->high);
    number_member(out, &first, "      ", "confidence", g->confidence);
    host->emit(out, "\n    }");
}

static void gates_member(struct bench_output *out, bool *first, const struct bench_document *d)
{
    bool none = true;

    key(out, first, "  ", "gates");
    host->emit(out, "[");
    for (uint32_t i = 0; i < d->n_gates; i++) {
        key(out, &none, "    ", NULL);
        gate(out, d->gates[i]);
    }
    host->emit(out, none ? "]" : "\n  ]");
}

/* --- the document -------------------------------------------------------------------------- */

static void identity_members(struct bench_output *out, bool *first, const struct bench_document *d)
{
    number_member(out, first, "  ", "schema", d->schema);
    text_member(out, first, "  ", "run", d->run);
    text_member(out, first, "  ", "path", d->path);
    text_member(out, first, "  ", "name", d->name);
    text_member(out, first, "  ", "started", d->started);
    text_member(out, first, "  ", "state", d->state);
}

static void run_members(struct bench_output *out, bool *first, const struct bench_document *d)
{
    /* 64 bits do not survive a reader that has only doubles. */
    key(out, first, "  ", "seed");
    host->emit(out, "\"%" PRIu64 "\"", d->seed);
    number_member(out, first, "  ", "planned", d->planned);
    text_member(out, first, "  ", "workload", d->workload);
    text_member(out, first, "  ", "protocol", d->protocol);
    text_member(out, first, "  ", "network", d->network);
    number_member(out, first, "  ", "warmup_seconds", (double)d->warmup_ns / 1e9);
    number_member(out, first, "  ", "duration_seconds", (double)d->duration_ns / 1e9);
    text_member(out, first, "  ", "baseline", d->baseline);
    comparison_members(out, first, d);
    gates_member(out, first, d);
    lines_member(out, first, "design", d->n_design, d->design);
    lines_member(out, first, "warnings", d->n_warnings, d->warnings);
    key(out, first, "  ", "scenario");
    stored(out, d->scenario_json);
    key(out, first, "  ", "environment");
    stored(out, d->environment_json);
}

static int report(void *state, const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out, struct bench_error *err)
{
    bool first = true, none = true;

    (void)state;
    (void)err;
    host->emit(out, "{");
    identity_members(out, &first, d);
    if (style->part == BENCH_PART_FINDINGS) {
        findings_members(out, &first, d);
        host->emit(out, "\n}\n");
        return 0;
    }
    run_members(out, &first, d);
    key(out, &first, "  ", "arms");
    host->emit(out, "[");
    for (uint32_t i = 0; i < d->n_arms; i++) {
        key(out, &none, "    ", NULL);
        arm(out, d->arms[i]);
    }
    host->emit(out, none ? "]" : "\n  ]");
    findings_members(out, &first, d);
    none = true;
    key(out, &first, "  ", "repetitions");
    host->emit(out, "[");
    for (uint32_t i = 0; i < d->n_repetitions; i++) {
        key(out, &none, "    ", NULL);
        repetition(out, d->repetitions[i]);
    }
    host->emit(out, none ? "]\n}\n" : "\n  ]\n}\n");
    return 0;
}

/* --- history ------------------------------------------------------------------------------- */

static void history_run(struct bench_output *out, const struct bench_history_run *r)
{
    bool number = bench_is_number(r->state), first = true;

    host->emit(out, "{");
    text_member(out, &first, "          ", "run", r->run);
    text_member(out, &first, "          ", "started", r->started);
    text_member(out, &first, "          ", "state", state_name(r->state));
    number_member(out, &first, "          ", "value", number ? r->value : NAN);
    number_member(out, &first, "          ", "low", r->has_interval ? r->low : NAN);
    number_member(out, &first, "          ", "high", r->has_interval ? r->high : NAN);
    number_member(out, &first, "          ", "n", r->n);
    number_member(out, &first, "          ", "ratio", r->ratio);
    number_member(out, &first, "          ", "ratio_low",
                  r->has_ratio_interval ? r->ratio_low : NAN);
    number_member(out, &first, "          ", "ratio_high",
                  r->has_ratio_interval ? r->ratio_high : NAN);
    text_member(out, &first, "          ", "differs", r->changed);
    key(out, &first, "          ", "new_level");
    host->emit(out, r->new_level ? "true" : "false");
    number_member(out, &first, "          ", "before", r->new_level ? r->before : NAN);
    number_member(out, &first, "          ", "after", r->new_level ? r->after : NAN);
    host->emit(out, "\n        }");
}

static void history_series(struct bench_output *out, const struct bench_history_series *s)
{
    bool first = true, none = true;

    host->emit(out, "{");
    text_member(out, &first, "      ", "name", s->name);
    text_member(out, &first, "      ", "arm", s->arm);
    text_member(out, &first, "      ", "point", s->point);
    text_member(out, &first, "      ", "machine", s->machine);
    text_member(out, &first, "      ", "part", s->part);
    text_member(out, &first, "      ", "anchor", s->anchor);
    key(out, &first, "      ", "runs");
    host->emit(out, "[");
    for (uint32_t i = 0; i < s->n_runs; i++) {
        key(out, &none, "        ", NULL);
        history_run(out, s->runs[i]);
    }
    host->emit(out, none ? "]\n    }" : "\n      ]\n    }");
}

static int history(void *state, const struct bench_history *h, const struct bench_style *style,
                   struct bench_output *out, struct bench_error *err)
{
    bool first = true, none = true;

    (void)state;
    (void)style;
    (void)err;
    host->emit(out, "{");
    number_member(out, &first, "  ", "schema", h->schema);
    text_member(out, &first, "  ", "metric", h->metric->name);
    text_member(out, &first, "  ", "unit", h->metric->unit);
    key(out, &first, "  ", "series");
    host->emit(out, "[");
    for (uint32_t i = 0; i < h->n_series; i++) {
        key(out, &none, "    ", NULL);
        history_series(out, h->series[i]);
    }
    host->emit(out, none ? "]" : "\n  ]");
    lines_member(out, &first, "warnings", h->n_warnings, h->warnings);
    host->emit(out, "\n}\n");
    return 0;
}

static const struct bench_reporter plugin = {
    .plugin = {PLUGIN(plugin, BENCH_REPORTER), .name = "json",
               .description = "one JSON object for programs"},
    .extension = "json",
    .report = report,
    .history = history,
};

PLUGIN_EXPORT(plugin)
