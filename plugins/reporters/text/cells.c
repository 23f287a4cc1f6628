/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "shared/numbers.h"

const char *mark_of(const struct bench_estimate *e)
{
    return e->state == BENCH_SCALED ? "~" : e->reason ? "*" : "";
}

/* A dash for what is not a number (with a footnote), "~" behind what was scaled. Without the unit
 * where the column's head says it. */
void put_value(struct table *t, int at, const struct bench_estimate *e, bool unit,
               struct footnotes *notes, const char *note_name)
{
    char s[80];

    if (!is_number(e)) {
        put(t, at, "–");
        if (e && e->state != BENCH_ABSENT)
            footnote(notes, e, note_name);
        return;
    }
    if (unit)
        with_unit(e->metric, e->value, s, sizeof(s) - 1);
    else
        mantissa(e->metric, prefix_of(e->metric, e->value), e->value, s, sizeof(s) - 1);
    strcat(s, mark_of(e));
    if (*mark_of(e))
        footnote(notes, e, note_name);
    put(t, at, s);
}

void put_estimate(struct table *t, int at, const struct bench_estimate *e, struct footnotes *notes,
                  const char *note_name)
{
    put_value(t, at, e, true, notes, note_name);
}

void put_interval(struct table *t, int at, const struct bench_estimate *e)
{
    const struct prefix *p;
    char low[48], high[48], s[120];

    if (!is_number(e) || !e->has_interval) {
        put(t, at, e && e->n ? "no interval" : "");
        return;
    }
    p = prefix_of(e->metric, e->value);
    mantissa(e->metric, p, e->low, low, sizeof(low));
    mantissa(e->metric, p, e->high, high, sizeof(high));
    snprintf(s, sizeof(s), "[%s, %s]", low, high);
    put(t, at, s);
}

void put_ratio(struct table *t, int at, int at_interval, const struct bench_estimate *e)
{
    char low[32], high[32], s[80];

    if (!is_number(e) || isnan(e->ratio)) {
        put(t, at, "–");
        return;
    }
    change(e->ratio, s, sizeof(s));
    put(t, at, s);
    if (!e->has_ratio_interval)
        return;
    change(e->ratio_low, low, sizeof(low));
    change(e->ratio_high, high, sizeof(high));
    snprintf(s, sizeof(s), "[%s, %s]", low, high);
    put(t, at_interval, s);
}

void put_share(struct table *t, int at, double v)
{
    char s[32] = "–";

    if (isfinite(v))
        snprintf(s, sizeof(s), "%.1f%%", v * 100);
    put(t, at, s);
}

/* Starts the row of an arm; a new point of a sweep gets a line of its own first. */
void arm_row(struct table *t, const struct bench_document *d, uint32_t i)
{
    const struct bench_arm *a = d->arms[i];
    bool sweep = is_sweep(d);
    char *name = NULL;

    if (sweep && (i == 0 || strcmp(a->point, d->arms[i - 1]->point) != 0))
        put_heading(t, "", *a->point ? a->point : "(no point)");
    new_row(t);
    if (asprintf(&name, "%s%s", sweep ? "  " : "", a->name) >= 0)
        put(t, 0, name);
    free(name);
}

uint32_t longest_chain(const struct bench_document *d)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < d->n_arms; i++)
        if (d->arms[i]->hops > most)
            most = d->arms[i]->hops;
    return most;
}

uint32_t most_hops(const struct bench_document *d)
{
    uint32_t most = longest_chain(d);

    return most < 4 ? most : 4;
}
