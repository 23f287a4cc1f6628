/* SPDX-License-Identifier: Apache-2.0 */
#include "study/judges.h"

#include <math.h>

#include "base/memory.h"
#include "stats/sequential.h"
#include "stats/sides.h"
#include "study/comparison.h"

/* --- good and bad --------------------------------------------------------------------------- */

size_t judge_ends_least(void)
{
    struct stats_look first;

    stats_look(0, &first);
    return first.n;
}

static bool find_look(const struct judge_ends *q, size_t n, struct stats_look *ret)
{
    size_t i = 0;

    while (stats_look(i, ret) && ret->n < n)
        i++;
    return stats_look(i, ret) && ret->n <= q->most;
}

/* The larger of the two. */
static size_t count_failures(const struct trial_seen *seen)
{
    size_t good = seen->failed[JUDGED_GOOD], bad = seen->failed[JUDGED_BAD];

    return good > bad ? good : bad;
}

size_t judge_ends(void *context, const struct trial_seen *seen)
{
    struct judge_ends *q = context;
    struct stats_look look;
    cleanup_free double *ratios = NULL;
    size_t n;

    if (!find_look(q, seen->n, &look))
        return 0;
    if (look.n > seen->n)
        return look.n - seen->n;
    ratios = trial_ratios(seen, JUDGED_BAD, JUDGED_GOOD, &n);
    q->verdict = (struct stats_verdict){.finding = STATS_FAILED};
    if (n == 0 || (double)count_failures(seen) > STATS_MOST_FAILED * (double)seen->n)
        return 0;
    stats_compare(ratios, n, look.alpha * fmin(1, q->error / COMPARISON_ALPHA), 1, &q->comparison);
    stats_verdict(&q->comparison, q->margin, 0, &q->verdict);
    if (q->verdict.finding != STATS_INCONCLUSIVE && q->verdict.finding != STATS_DIFFERENT)
        return 0;
    return find_look(q, seen->n + 1, &look) ? look.n - seen->n : 0;
}

/* --- a commit ------------------------------------------------------------------------------- */

/* One failure may have any cause; what fails again does not work. */
enum { MOST_FAILURES = 1 };

static bool is_broken(const struct trial_seen *seen)
{
    for (size_t arm = 0; arm < TRIAL_MOST_ARMS; arm++)
        if (seen->failed[arm] > MOST_FAILURES)
            return true;
    return false;
}

static enum stats_side find_side(const struct judge_commit *q, const struct trial_seen *seen)
{
    enum stats_side side = STATS_UNDECIDED;
    struct stats_sides sides;

    stats_sides_begin(&sides, q->effect, q->spread, q->error);
    for (size_t i = 0; i < seen->n && side == STATS_UNDECIDED; i++) {
        const struct stats_outcome *y = seen->blocks[i], good = y[JUDGED_GOOD], bad = y[JUDGED_BAD],
                                   candidate = y[JUDGED_CANDIDATE];

        if (!good.failed && !bad.failed && !candidate.failed)
            side = stats_sides_tell(&sides, stats_log_ratio(candidate, good, seen->direction),
                                    stats_log_ratio(candidate, bad, seen->direction));
    }
    return side;
}

size_t judge_commit(void *context, const struct trial_seen *seen)
{
    static const enum walk_answer answers[] = {
        [STATS_UNDECIDED] = WALK_UNDECIDED,
        [STATS_LIKE_GOOD] = WALK_LIKE_GOOD,
        [STATS_LIKE_BAD] = WALK_LIKE_BAD,
    };
    struct judge_commit *q = context;
    size_t least = stats_sides_least(q->error);

    q->answer = is_broken(seen) ? WALK_BROKEN : answers[find_side(q, seen)];
    if (q->answer != WALK_UNDECIDED || seen->n >= q->most)
        return 0;
    return seen->n < least ? least - seen->n : 1;
}
