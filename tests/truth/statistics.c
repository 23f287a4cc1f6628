/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether verdicts hold: each line is a claim, its share (or mean) over simulated experiments with
 * fixed seeds, and what it must be. Needs no quiet machine. `short` runs a tenth of each. Exits 1
 * when one is wrong.
 */
#include <stdio.h>
#include <string.h>

#include "../harness/calibration.h"
#include "base/memory.h"

int main(int argc, char **argv)
{
    bool is_short = argc > 1 && strcmp(argv[1], "short") == 0;
    int status = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < ARRAY_SIZE(calibrations); i++) {
        const struct calibration *c = &calibrations[i];
        double got = c->measure(is_short ? c->trials / 10 : c->trials);
        bool ok = got >= c->low && got <= c->high;

        printf("%-6s %-40s %8.4f, must be %6.4g to %6.4g\n", ok ? "ok" : "WRONG", c->what, got,
               c->low, c->high);
        status |= !ok;
    }
    return status;
}
