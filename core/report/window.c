/* SPDX-License-Identifier: Apache-2.0 */
#include "report/window.h"

struct metric_window metric_window(const struct repetition_record *r)
{
    const struct series *s = &r->series;
    struct metric_window w = {0};

    if (r->window_end_ns <= r->window_begin_ns)
        return w;
    while (w.first < s->n_rows && s->times[w.first] < r->window_begin_ns)
        w.first++;
    w.last = w.first;
    while (w.last + 1 < s->n_rows && s->times[w.last + 1] <= r->window_end_ns)
        w.last++;
    if (w.last > w.first && s->times[w.last] <= r->window_end_ns)
        w.seconds = (double)(s->times[w.last] - s->times[w.first]) * 1e-9;
    return w;
}
