/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/hole.h"

#define LEAST_PIECES 20
#define LEAST_INTERVALS 2
#define OTHER_PAUSES 0.25
#define MOST_EMPTY 0.1

/* From `first` on; none without a pause that ends in the window. */
static bool next_pause(const double *amounts, const double *seconds, size_t n, size_t first,
                       struct hole *ret)
{
    *ret = (struct hole){.first = first};
    while (ret->first < n && amounts[ret->first] > 0)
        ret->first++;
    while (ret->first + ret->count < n && amounts[ret->first + ret->count] <= 0)
        ret->seconds += seconds[ret->first + ret->count++];
    return ret->first + ret->count < n;
}

bool stats_hole(const double *amounts, const double *seconds, size_t n, double unit, double least,
                struct hole *ret)
{
    struct hole longest = {0}, pause;
    double second = 0, sum = 0, others;
    size_t empty = 0;

    for (size_t at = 0; next_pause(amounts, seconds, n, at, &pause);
         at = pause.first + pause.count) {
        empty += pause.count;
        if (pause.first == 0) { /* it may not have begun yet */
            second = pause.seconds;
        } else if (pause.seconds > longest.seconds) {
            second = longest.seconds > second ? longest.seconds : second;
            longest = pause;
        } else if (pause.seconds > second) {
            second = pause.seconds;
        }
    }
    for (size_t i = 0; i < n; i++)
        sum += amounts[i];
    if (longest.count < LEAST_INTERVALS || longest.seconds < least)
        return false;
    others = (double)(n - longest.count);
    if (second > OTHER_PAUSES * longest.seconds ||
        (double)(empty - longest.count) > MOST_EMPTY * others ||
        sum / unit / others * (double)longest.count < LEAST_PIECES)
        return false;
    *ret = longest;
    return true;
}
