/* SPDX-License-Identifier: Apache-2.0 */
#include "report/numbers.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

void number_add(struct text *t, enum bench_format format, const char *unit, double v)
{
    char s[48];
    size_t n;

    switch (format) {
    case BENCH_FORMAT_BINARY:
        text_add(t, "%s%s", format_binary(v, s, sizeof(s)), unit);
        return;
    case BENCH_FORMAT_SECONDS:
        text_add(t, "%s", format_seconds(v, s, sizeof(s)));
        return;
    case BENCH_FORMAT_SHARE:
        text_add(t, "%.3g%%", v * 100);
        return;
    case BENCH_FORMAT_CPUS:
        text_add(t, "%.3f", v);
        return;
    default:
        break;
    }
    if (fabs(v) < 1000 && format == BENCH_FORMAT_PLAIN) {
        text_add(t, "%.3g%s", v, unit);
        return;
    }
    format_si(v, s, sizeof(s));
    n = strlen(s);
    if (!*unit && n && s[n - 1] == ' ')
        s[n - 1] = '\0';
    text_add(t, "%s%s", s, unit);
}

const char *number_unit(const struct bench_metric *m)
{
    return strcmp(m->unit, "bit/s") == 0 ? "bit/s" : strcmp(m->unit, "bytes") == 0 ? "B" : "";
}
