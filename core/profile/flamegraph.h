/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks, or the comparison of two sets of them, as one SVG that needs nothing else: a legible
 * still picture wherever SVG is shown, and where scripts run one to zoom and search in. The script
 * is flamegraph.js, the look flamegraph.css. Appends to `out`.
 */
#ifndef PROFILE_FLAMEGRAPH_H
#define PROFILE_FLAMEGRAPH_H

#include "base/text.h"
#include "profile/comparison.h"
#include "profile/stacks.h"

/* Share of the whole width below which a frame is not drawn: at most 1000 frames per level. */
#define FLAMEGRAPH_SHARE 0.001

struct flamegraph {
    const char *title;
    const char *const
        *lines;       /* below the title: what was sampled, where; NULL-terminated, or NULL */
    const char *unit; /* of the weights: "samples", "ns", "us", "s", … */
    const char *per;  /* what they were divided by: "byte", "operation" …; NULL: nothing */
    double share;     /* 0: FLAMEGRAPH_SHARE */
};

/* Of which `samples` and `lost` may be 0: unknown. "3.24 s, 3240 samples, 56 distinct stacks" is
 * appended, a line for below the title. */
void flamegraph_summary(const struct stacks *s, const char *unit, double samples, double lost,
                        struct text *out);

void flamegraph_write(struct stacks *s, const struct flamegraph *g, struct text *out);
void flamegraph_write_comparison(const struct comparison *c, const struct flamegraph *g,
                                 struct text *out);

#endif
