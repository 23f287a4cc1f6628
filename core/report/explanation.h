/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules (rules.h) applied to a run: what holds, with its evidence, the most important first.
 *
 * Life: explanation_add_arm for each arm at each point → explanation_finish → `list` and `unseen`,
 * which live until explanation_release.
 */
#ifndef REPORT_EXPLANATION_H
#define REPORT_EXPLANATION_H

#include "base/text.h"
#include "report/lacks.h"
#include "report/observed.h"

struct found; /* a finding that is being made */

struct explanation {
    struct found **items;
    size_t count, capacity;
    struct lacks lacks;                /* what had nothing to look at */
    const struct bench_finding **list; /* after explanation_finish(): `count` of them */
    struct strings unseen;             /* as in struct bench_document */
};

/* `ok`: the successful repetitions; `aside`: those made for a capture alone. `paced`: the load
 * was given as a rate. Keeps pointers to the arm's name and point. */
void explanation_add_arm(struct explanation *e, const struct bench_arm *arm,
                         const struct observations *ok, const struct observations *aside,
                         bool paced);
void explanation_finish(struct explanation *e);
void explanation_release(struct explanation *e);

#endif
