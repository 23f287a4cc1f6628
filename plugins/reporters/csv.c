/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row per repetition and metric, as RFC 4180 has it: for spreadsheets and data frames. A
 * repetition without metrics, because it failed, has one row that says so. With a role in the
 * style, only what was measured of that side.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <bench/reporter.h>

#include "shared/characters.h"
#include "shared/numbers.h"
#include "shared/plugin.h"

/* Behind a comma unless it is the first of its row. */
static void field(struct bench_output *out, bool first, const char *text)
{
    char *s = clean(text, true);
    bool quoted = strpbrk(s, ",\"") || *s == ' ' || (*s && s[strlen(s) - 1] == ' ');

    host->emit(out, "%s%s", first ? "" : ",", quoted ? "\"" : "");
    for (const char *p = s; *p;) {
        size_t n = strcspn(p, "\"");

        host->emit(out, "%.*s%s", (int)n, p, p[n] ? "\"\"" : "");
        p += n + (p[n] != '\0');
    }
    host->emit(out, "%s", quoted ? "\"" : "");
    free(s);
}

static void row(struct bench_output *out, const struct bench_document *d,
                const struct bench_repetition *r, const struct bench_metric *m,
                const struct bench_value *v)
{
    bool is_number = v && bench_is_number(v->state) && isfinite(v->value);
    char text[EXACT_SIZE];

    field(out, true, d->run);
    field(out, false, r->arm);
    field(out, false, r->point);
    host->emit(out, ",%u,%u", r->block, r->index);
    field(out, false, r->purpose);
    field(out, false, r->state);
    field(out, false, m ? m->name : "");
    field(out, false, m ? m->unit : "");
    host->emit(out, ",%s", is_number ? exact(v->value, text) : "");
    field(out, false, v ? state_name(v->state) : "");
    field(out, false, r->error);
    host->emit(out, "\r\n");
}

static bool wanted(const struct bench_metric *m, const struct bench_style *style)
{
    return !style->role || (m->role && strcmp(m->role, style->role) == 0);
}

static int report(void *state, const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out, struct bench_error *err)
{
    (void)state;
    (void)err;
    host->emit(out, "run,arm,point,block,index,purpose,state,metric,unit,value,value_state,"
                    "error\r\n");
    for (uint32_t i = 0; i < d->n_repetitions; i++) {
        const struct bench_repetition *r = d->repetitions[i];

        for (uint32_t k = 0; k < r->n_values; k++)
            if (wanted(r->metrics[k], style))
                row(out, d, r, r->metrics[k], &r->values[k]);
        if (r->n_values == 0)
            row(out, d, r, NULL, NULL);
    }
    return 0;
}

static const struct bench_reporter plugin = {
    .plugin = {PLUGIN(plugin, BENCH_REPORTER), .name = "csv",
               .description = "one row per repetition and metric"},
    .extension = "csv",
    .report = report,
    .by_role = true,
};

PLUGIN_EXPORT(plugin)
