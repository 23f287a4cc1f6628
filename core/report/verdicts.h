/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdicts of a comparison: every arm against the baseline, at every point, in each metric that
 * was named to decide before the run began (run.json, "comparison"). The statistics are those of
 * stats/compare.h and stats/verdict.h; docs/measurement.md, "Comparisons".
 */
#ifndef REPORT_VERDICTS_H
#define REPORT_VERDICTS_H

#include "report/observed.h"
#include "store/store.h"

/* The rule as it was fixed before the run. */
struct verdict_rule {
    struct strings metrics; /* that decide; empty: those of verdicts_default() */
    double margin;          /* 0.03 */
    double alpha;           /* of all comparisons together */
    bool looks;             /* the level is that of the look after so many blocks */
    const char *unfinished; /* run_unfinished() */
    json_t *pairs; /* arm → the one it is compared with, of saved runs; borrowed, NULL: in blocks */
};

/* false: the run is no comparison. */
bool verdict_rule_read(const struct stored_run *run, struct verdict_rule *ret);
void verdict_rule_release(struct verdict_rule *r);

/* What decides unless it was said: operations per second where requests are counted, else
 * throughput; at a given rate, where both only say what was asked for, the p99 of the latency. */
const char *verdicts_default(const struct metric_set *set, bool at_rate);

/* One arm against the baseline in the metric: `arm` and `base` are all repetitions of the two at a
 * point, failed ones too. `m`: comparisons of the run. `text` of the verdict goes to `ret_text`. */
void verdict_find(const struct observations *arm, const struct observations *base,
                  const struct bench_metric *metric, const struct verdict_rule *rule, size_t m,
                  struct bench_comparison *ret, char **ret_text);
/* The same for arms that do not share blocks. */
void verdict_find_unpaired(const struct observations *arm, const struct observations *base,
                           const struct bench_metric *metric, const struct verdict_rule *rule,
                           size_t m, struct bench_comparison *ret, char **ret_text);
/* Too much was thrown away to decide anything. Replaces *text. */
void verdict_unfit(struct bench_comparison *c, char **text);
/* The run ended before its plan did: estimates, and no verdict. Replaces *text. */
void verdict_withhold(struct bench_comparison *c, const char *unfinished, char **text);
/* With the blocks that were thrown away it would be `kept`: they decide, so nothing does. */
void verdict_turned(struct bench_comparison *c, const char *kept, char **text);
/* p by Holm over all comparisons of the run. */
void verdicts_adjust(struct bench_comparison *const *all, size_t n);

#endif
