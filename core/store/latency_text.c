/* SPDX-License-Identifier: Apache-2.0 */
#include "store/latency_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

static double seconds(int64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

void latency_to_text(const struct repetition_record *r, struct text *out)
{
    int64_t begin = r->window_begin_ns + r->wall_minus_monotonic_ns;

    text_add(out, "#[Histogram log format version 1.3]\n");
    text_add(out, "#[BaseTime: %.3f (seconds since epoch)]\n", seconds(begin));
    text_add(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                  "\"Interval_Compressed_Histogram\"\n");
    for (size_t i = 0; i < r->n_latencies; i++) {
        const struct histogram *h = r->latencies[i].histogram;
        cleanup_free char *encoded = histogram_encode(h);

        /* Processors expect the maximum in ms when values are ns. */
        text_add(out, "Tag=%s,0.000,%.3f,%.3f,%s\n", r->latencies[i].name,
                 seconds(r->window_end_ns - r->window_begin_ns),
                 h->total ? histogram_maximum(h) / (double)NS_PER_MS : 0, encoded);
    }
}

/* "Tag=NAME,START,LENGTH,MAX,HISTOGRAM", without the line's end. */
static int read_line(struct repetition_record *r, char *line, struct bench_error *err)
{
    char *fields[5], *rest = line;
    cleanup_free struct histogram *h = histogram_new();

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        fields[i] = strsep(&rest, ",");
    if (rest || !fields[4] || strncmp(fields[0], "Tag=", 4) != 0)
        return error_set(err, BENCH_ERROR_RUN, "expected 'Tag=NAME,START,LENGTH,MAX,HISTOGRAM'");
    if (histogram_decode(h, fields[4], err) < 0)
        return -1;
    record_add_latency(r, fields[0] + 4, h);
    h = NULL;
    return 0;
}

int latency_from_text(struct repetition_record *r, const char *text, struct bench_error *err)
{
    cleanup_free char *copy = xstrdup(text);
    char *rest = copy;

    for (unsigned number = 1; rest && *rest; number++) {
        char *line = strsep(&rest, "\n");

        if (*line == '#' || *line == '"')
            continue;
        if (!rest)
            return error_set(err, BENCH_ERROR_RUN, "%u: the line is cut off", number);
        if (read_line(r, line, err) < 0)
            return error_context(err, "%u", number);
    }
    return 0;
}
