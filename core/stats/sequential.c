/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sequential.h"

#include <math.h>

#include "base/memory.h"

size_t stats_second_stage(double half_width, double precision)
{
    double n = ceil(STATS_FIRST_STAGE * pow(half_width / log1p(precision), 2));

    if (!(precision > 0) || !(n < STATS_MOST_BLOCKS))
        return STATS_MOST_BLOCKS;
    return n > STATS_FIRST_STAGE ? (size_t)n : STATS_FIRST_STAGE;
}

bool stats_look(size_t i, struct stats_look *ret)
{
    static const struct stats_look looks[] = {
        {10, 0.0020},
        {20, 0.0110},
        {30, 0.0220},
        {40, 0.0345},
    };

    if (i >= ARRAY_SIZE(looks))
        return false;
    *ret = looks[i];
    return true;
}
