/* SPDX-License-Identifier: Apache-2.0 */
#include "study/walk.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

void walk_begin(struct walk *w, size_t n, double error)
{
    *w = (struct walk){.bad = n, .skipped = xcalloc(n + 1, sizeof(*w->skipped)), .error = error};
}

size_t walk_left(const struct walk *w)
{
    size_t steps = 0;

    while (((size_t)1 << steps) < w->bad - w->good)
        steps++;
    return steps;
}

/* 1/2, 1/4, 3/4, 1/8, 5/8, … (van der Corput): commits next to a broken one are mostly broken as
 * well, so the next try is far from it. */
static double share(size_t i)
{
    double result = 0, bit = 0.5;

    for (i++; i; i >>= 1, bit /= 2)
        result += i & 1 ? bit : 0;
    return result;
}

static bool open_to(const struct walk *w, size_t commit)
{
    return commit > w->good && commit < w->bad && !w->skipped[commit];
}

/* The nearest commit to `target` that can be asked about, or w->bad. */
static size_t nearest_open(const struct walk *w, size_t target)
{
    for (size_t distance = 0; distance < w->bad - w->good; distance++) {
        if (target >= distance && open_to(w, target - distance))
            return target - distance;
        if (open_to(w, target + distance))
            return target + distance;
    }
    return w->bad;
}

static size_t choose(const struct walk *w)
{
    size_t skipped = 0;

    for (size_t i = w->good + 1; i < w->bad; i++)
        skipped += w->skipped[i];
    return nearest_open(w, w->good + (size_t)((double)(w->bad - w->good) * share(skipped)));
}

/* Of what is left each question that is to come has the same share. One that decides leaves fewer;
 * one that does not has used its share up, and the rest is divided anew. The last one takes all. */
static double question_error(const struct walk *w)
{
    size_t left = walk_left(w);

    return left ? w->error / (double)left : 0;
}

bool walk_next(const struct walk *w, size_t *ret_commit, double *ret_error)
{
    size_t commit = choose(w);

    if (commit == w->bad)
        return false;
    *ret_commit = commit;
    *ret_error = question_error(w);
    return true;
}

void walk_tell(struct walk *w, enum walk_answer answer)
{
    size_t commit = choose(w);

    if (answer != WALK_BROKEN)
        w->error = fmax(0, w->error - question_error(w));
    if (answer == WALK_LIKE_GOOD)
        w->good = commit;
    else if (answer == WALK_LIKE_BAD)
        w->bad = commit;
    else
        w->skipped[commit] = true;
}

void walk_release(struct walk *w)
{
    free(w->skipped);
    w->skipped = NULL;
}
