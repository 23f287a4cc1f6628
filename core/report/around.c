/* SPDX-License-Identifier: Apache-2.0 */
#include "report/around.h"

#include <math.h>

#include "report/window.h"

double around_throttled(const struct repetition_record *r)
{
    struct metric_window w = metric_window(r);
    struct bench_value all = series_delta(&r->series, "around.periods", w.first, w.last);
    struct bench_value throttled =
        series_delta(&r->series, "around.throttled_periods", w.first, w.last);

    return w.seconds > 0 && bench_is_number(all.state) && bench_is_number(throttled.state) &&
                   all.value > 0
               ? throttled.value / all.value
               : NAN;
}
