/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small plot: points from left to right, evenly spaced, a metric upwards. What is exact stands in
 * a table beside it.
 */
#ifndef TEXT_PLOT_H
#define TEXT_PLOT_H

#include <bench/reporter.h>

enum { PLOT_SERIES = 6 };

struct plot {
    const struct bench_style *style;
    const struct bench_metric *metric;
    size_t n_points, n_series;
    const char *const *labels;           /* below each point */
    const char *series[PLOT_SERIES];     /* names for the legend */
    const double (*values)[PLOT_SERIES]; /* of each point; NaN: none */
    double bottom, top;                  /* of the scale */
    int least;                           /* columns from one point to the next, at least */
};

/* How many of the points find room side by side. */
size_t plot_room(const struct plot *p);
/* With everything in it: check plot_room() before. */
void emit_graph(const struct plot *p, const char *title, struct bench_output *out);

#endif
