/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/saturation.h"

#include <math.h>

#include "base/memory.h"
#include "stats/summary.h"

enum { MOST_TRIES = 24 };

/* Of the capacity. What a closed loop reaches is a good guess, and can be wrong either way: few
 * connections leave the relay idle in between. */
#define FIRST_TRY 0.8
#define STEP_UP 1.25
#define LEAST_TRY 0.01

enum saturation_sign saturation_judge(const struct load *l)
{
    if (l->done < SATURATION_LEAST_DONE * l->offered)
        return SATURATION_BEHIND;
    if (l->backlog > SATURATION_MOST_BACKLOG * l->offered)
        return SATURATION_BACKLOG;
    if (l->p99 > SATURATION_MOST_SLOWER * l->p99_light)
        return SATURATION_SLOW;
    return SATURATION_NONE;
}

double saturation_slope(const double *x, const double *y, size_t n)
{
    cleanup_free double *slopes = NULL;
    size_t count = 0;

    if (n < 3)
        return NAN;
    slopes = xcalloc(n * (n - 1) / 2, sizeof(*slopes));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (x[j] != x[i])
                slopes[count++] = (y[j] - y[i]) / (x[j] - x[i]);
    return stats_median(slopes, count);
}

void saturation_begin(struct saturation_search *s, double capacity, double precision)
{
    *s = (struct saturation_search){.capacity = capacity, .precision = precision, .high = INFINITY};
}

double saturation_round(double rate)
{
    double digits = 2 - floor(log10(rate));

    /* A power of ten below 1 is no exact number: 895 / 100 is 8.95, 895 * 0.01 is not. */
    return digits > 0 ? round(rate * pow(10, digits)) / pow(10, digits)
                      : round(rate / pow(10, -digits)) * pow(10, -digits);
}

static double try_next(const struct saturation_search *s)
{
    if (s->low == 0 && isinf(s->high))
        return s->capacity * SATURATION_LIGHT;
    if (s->low == 0)
        return s->high / 2;
    if (isinf(s->high))
        return fmax(s->low * STEP_UP, s->capacity * FIRST_TRY);
    return sqrt(s->low * s->high);
}

bool saturation_next(const struct saturation_search *s, double *ret_rate)
{
    double rate;

    if (!(s->capacity > 0) || s->tries == MOST_TRIES || s->high <= s->low * (1 + s->precision))
        return false;
    rate = saturation_round(try_next(s));
    if (rate < s->capacity * LEAST_TRY || rate <= s->low || rate >= s->high)
        return false;
    *ret_rate = rate;
    return true;
}

void saturation_tell(struct saturation_search *s, double rate, bool kept_up)
{
    s->tries++;
    if (kept_up)
        s->low = fmax(s->low, rate);
    else
        s->high = fmin(s->high, rate);
}
