/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/numbers.h"

/* Three significant digits, never in exponents: 1.23, 12.3, 123, 1234 (only when `v` < 10000). */
static void digits(double v, char *out, size_t size)
{
    double a = v == 0 ? 1000 : fabs(v);

    snprintf(out, size, "%.*f", a < 9.995 ? 2 : a < 99.95 ? 1 : 0, v);
}

static const struct prefix decimal[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"},
                                        {1e3, "k"},  {1, ""},     {0, NULL}};
static const struct prefix binary[] = {{1099511627776.0, "Ti"},
                                       {1073741824.0, "Gi"},
                                       {1048576.0, "Mi"},
                                       {1024.0, "Ki"},
                                       {1, ""},
                                       {0, NULL}};
static const struct prefix seconds[] = {{1, "s"},     {1e-3, "ms"},  {1e-6, "µs"},
                                        {1e-9, "ns"}, {1e-12, "ps"}, {0, NULL}};

static const struct prefix *prefix_for(const struct prefix *table, double v)
{
    double a = fabs(v) * 1.0005; /* 999.7 is better shown as 1.00 k */

    if (v == 0)
        while (table->factor > 1)
            table++;
    while (table[1].name && a < table->factor)
        table++;
    return table;
}

const struct prefix *prefix_of(const struct bench_metric *m, double v)
{
    static const struct prefix one = {1, ""}, percent = {0.01, "%"};

    switch (m->format) {
    case BENCH_FORMAT_SI:
        return prefix_for(decimal, v);
    case BENCH_FORMAT_BINARY:
        return prefix_for(binary, v);
    case BENCH_FORMAT_SECONDS:
        return prefix_for(seconds, v);
    case BENCH_FORMAT_SHARE:
        return &percent;
    default:
        return &one;
    }
}

/* The number alone, in units of the prefix. */
void mantissa(const struct bench_metric *m, const struct prefix *p, double v, char *out,
              size_t size)
{
    if (!isfinite(v))
        snprintf(out, size, isnan(v) ? "?" : v < 0 ? "-inf" : "inf");
    else if (m->format == BENCH_FORMAT_CPUS)
        snprintf(out, size, "%.3f", v);
    else if (m->format == BENCH_FORMAT_PLAIN)
        snprintf(out, size, fabs(v) >= 1000 && fabs(v) < 1e15 ? "%.0f" : "%.4g", v);
    else
        digits(v / p->factor, out, size);
}

/* "12.3 Gbit/s", "9.87 MiB", "12.3 ms", "12.3%", "0.993". */
void with_unit(const struct bench_metric *m, double v, char *out, size_t size)
{
    const struct prefix *p = prefix_of(m, v);
    const char *unit = m->unit;
    char number[48];

    mantissa(m, p, v, number, sizeof(number));
    if (m->format == BENCH_FORMAT_SHARE)
        unit = "";
    else if (m->format == BENCH_FORMAT_BINARY && strcmp(unit, "bytes") == 0)
        unit = "B";
    else if (m->format == BENCH_FORMAT_SECONDS)
        unit = strncmp(unit, "s/", 2) == 0 ? unit + 1 : "";
    else if (strcmp(unit, "1") == 0)
        unit = "";
    else if (strncmp(unit, "1/", 2) == 0)
        unit++;
    snprintf(out, size, "%s%s%s%s", number,
             m->format == BENCH_FORMAT_SHARE || !(*p->name || *unit) ? "" : " ", p->name, unit);
}

/* A change against the baseline: "-81.1%", or "x 12.3" where percent would mislead. */
void change(double ratio, char *out, size_t size)
{
    if (isnan(ratio))
        snprintf(out, size, "?");
    else if (isinf(ratio)) /* failures make it so */
        snprintf(out, size, "×inf");
    else if (ratio >= 10)
        snprintf(out, size, "×%.3g", ratio);
    else
        snprintf(out, size, "%+.1f%%", (ratio - 1) * 100);
}

const char *exact(double v, char out[EXACT_SIZE])
{
    for (int n = 6; n <= 17; n++) {
        snprintf(out, EXACT_SIZE, "%.*g", n, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return out;
}

const char *state_name(enum bench_state s)
{
    static const char *const names[] = {"ok",     "scaled", "not counted", "not supported",
                                        "failed", "absent"};

    return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}
