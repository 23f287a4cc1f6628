/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plan/plan.h"

bool record_measures(const struct repetition_record *r)
{
    return !r->purpose || strcmp(r->purpose, PURPOSE_MEASURE) == 0;
}

struct record_role *record_add_role(struct repetition_record *r, const char *name)
{
    struct record_role *role;

    r->roles = xrealloc(r->roles, (r->n_roles + 1) * sizeof(*r->roles));
    role = &r->roles[r->n_roles++];
    *role = (struct record_role){.name = xstrdup(name), .status = -1};
    return role;
}

void record_add_slice(struct repetition_record *r, int64_t begin_ns, int64_t end_ns)
{
    r->slices = xrealloc(r->slices, (r->n_slices + 1) * sizeof(*r->slices));
    r->slices[r->n_slices++] = (struct record_slice){begin_ns, end_ns};
}

void record_add_total(struct repetition_record *r, const char *metric, double value)
{
    r->totals = xrealloc(r->totals, (r->n_totals + 1) * sizeof(*r->totals));
    r->totals[r->n_totals++] = (struct record_total){.metric = xstrdup(metric), .value = value};
}

void record_add_latency(struct repetition_record *r, const char *name, struct histogram *histogram)
{
    r->latencies = xrealloc(r->latencies, (r->n_latencies + 1) * sizeof(*r->latencies));
    r->latencies[r->n_latencies++] =
        (struct record_latency){.name = xstrdup(name), .histogram = histogram};
}

void record_warn(struct repetition_record *r, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    if (!strings_has(&r->warnings, text_get(&t)))
        strings_add(&r->warnings, text_get(&t));
}

static void release_role(struct record_role *role)
{
    free(role->name);
    strings_release(&role->argv);
    strings_release(&role->environment);
    free(role->cpus);
    free(role->version);
    json_decref(role->binaries);
}

void record_release(struct repetition_record *r)
{
    for (size_t i = 0; i < r->n_roles; i++)
        release_role(&r->roles[i]);
    for (size_t i = 0; i < r->n_totals; i++)
        free(r->totals[i].metric);
    for (size_t i = 0; i < r->n_latencies; i++) {
        free(r->latencies[i].name);
        free(r->latencies[i].histogram);
    }
    free(r->roles);
    free(r->totals);
    free(r->latencies);
    free(r->arm);
    free(r->relay);
    free(r->point);
    free(r->purpose);
    free(r->slices);
    free(r->delivered);
    free(r->network);
    free(r->congestion);
    free(r->clocksource);
    free(r->directory);
    strings_release(&r->warnings);
    json_decref(r->captures);
    disturbances_release(&r->disturbances);
    series_release(&r->series);
    *r = (struct repetition_record){0};
}
