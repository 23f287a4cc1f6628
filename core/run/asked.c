/* SPDX-License-Identifier: Apache-2.0 */
#include "run/asked.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

#define MORE 1.02     /* of what was asked for, beside a request of each connection */
#define MORE_BITS 1.1 /* beside what is in the buffers of each connection */
#define BUFFERED (8.0 * (1 << 20))
#define LESS_BITS 0.98 /* as of requests: SATURATION_LEAST_DONE */

/* What was counted in the window: by the tool, else by the role on the ticks. NaN: nothing was. */
static double counted(const struct repetition_record *r, const char *total, const char *role,
                      const char *column)
{
    cleanup_free char *name = xasprintf("%s.%s", role, column);
    const struct series *s = &r->series;
    struct bench_value v;
    size_t first = 0, last;

    for (size_t i = 0; i < r->n_totals; i++)
        if (strcmp(r->totals[i].metric, total) == 0)
            return r->totals[i].value;
    while (first < s->n_rows && s->times[first] < r->window_begin_ns)
        first++;
    for (last = first; last + 1 < s->n_rows && s->times[last + 1] <= r->window_end_ns;)
        last++;
    if (last <= first)
        return NAN;
    v = series_delta(s, name, first, last);
    return v.state == BENCH_OK ? v.value : NAN;
}

static int too_much(struct bench_error *err, const char *did, const char *asked)
{
    error_set(err, BENCH_ERROR_RUN, "INVALID: the client did %s where %s were asked for", did,
              asked);
    error_hint(err, "it does not keep this rate: with fewer 'jobs' or a higher rate it may");
    return -1;
}

static int compare_requests(const struct asked *a, const struct repetition_record *r,
                            double seconds, struct bench_error *err)
{
    const double asked = a->requests * seconds;
    const double done =
        a->own ? counted(r, "", "client", "due") : counted(r, "operations", "client", "operations");
    char did[48], wanted[32];

    /* By chance a Poisson process exceeds its mean by five of its deviations less than once in a
     * million windows. */
    if (isnan(done) || done <= MORE * asked + 5 * sqrt(asked) + (double)a->jobs)
        return 0;
    snprintf(did, sizeof(did), "%.4g requests/s", done / seconds);
    snprintf(wanted, sizeof(wanted), "%.4g", a->requests);
    return too_much(err, did, wanted);
}

static int compare_bits(const struct asked *a, struct repetition_record *r, double seconds,
                        struct bench_error *err)
{
    const double asked = a->bits * seconds;
    const double done = 8 * counted(r, "bytes", r->delivered, "bytes_received");
    char did[48], wanted[48];

    if (isnan(done))
        return 0;
    format_si(done / seconds, did, sizeof(did) - 8);
    format_si(a->bits, wanted, sizeof(wanted) - 8);
    strcat(did, "bit/s");
    strcat(wanted, "bit/s");
    if (!a->own && done > MORE_BITS * asked + BUFFERED * (double)a->jobs)
        return too_much(err, did, wanted);
    if (done < LESS_BITS * asked)
        record_warn(r, "saturated: %.1f%% of the %s that were asked for were moved",
                    100 * done / asked, wanted);
    return 0;
}

int asked_compare(const struct asked *a, struct repetition_record *record, struct bench_error *err)
{
    const double seconds = (double)(record->window_end_ns - record->window_begin_ns) * 1e-9;

    if (!(seconds > 0))
        return 0;
    if (a->requests > 0 && compare_requests(a, record, seconds, err) < 0)
        return -1;
    return a->bits > 0 ? compare_bits(a, record, seconds, err) : 0;
}
