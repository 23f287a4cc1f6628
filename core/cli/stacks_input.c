/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stacks_input.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/say.h"
#include "profile/fold.h"
#include "profile/folded.h"
#include "report/run_facts.h"

bool stacks_input_is_file(const char *name)
{
    size_t length = strlen(name);
    struct stat st;

    return strcmp(name, "-") == 0 || (length > 7 && strcmp(name + length - 7, ".folded") == 0) ||
           (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
}

static int divisor_of(const struct strings *divisors, size_t i, double *ret,
                      struct bench_error *err)
{
    const char *text;

    if (divisors->count == 0)
        return 0;
    text = divisors->items[divisors->count == 1 ? 0 : i];
    if (parse_number(text, ret, err) < 0)
        return -1;
    if (!(*ret > 0))
        return error_set(err, BENCH_ERROR_USAGE, "a divisor of '%s' is not above 0", text);
    return 0;
}

/* All files of a set have one unit, and one event if they tell. */
static int take_unit(struct profile_set *set, const char *unit, const char *event, const char *file,
                     struct bench_error *err)
{
    if ((set->unit && strcmp(set->unit, unit) != 0) ||
        (set->event && event && strcmp(set->event, event) != 0)) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' has %s%s%s, the file before it %s%s%s", file, unit,
                  event ? " of " : "", event ? event : "", set->unit, set->event ? " of " : "",
                  set->event ? set->event : "");
        error_hint(err, "files of one side are repetitions of the same");
        return -1;
    }
    if (!set->unit)
        set->unit = xstrdup(unit);
    if (!set->event && event)
        set->event = xstrdup(event);
    return 0;
}

static int no_stacks(const char *path, const struct strings *others, struct bench_error *err)
{
    if (strcmp(path, "-") == 0)
        error_set(err, BENCH_ERROR_USAGE, "standard input has no stacks");
    else
        error_set(err, BENCH_ERROR_USAGE, "'%s' has no stacks", path);
    if (others->count)
        error_hint(err, "it has %s: choose that with '--event'", others->items[0]);
    else
        error_hint(err, "did the program before it fail, or was nothing sampled?");
    return -1;
}

static int read_recording(struct profiles *p, struct profile *to, const char *path,
                          const char *event, struct bench_error *err)
{
    cleanup_fold_summary struct fold_summary summary = {0};
    const struct fold_options chosen = {.event = event};

    if (perf_fold(AT_FDCWD, path, &chosen, to->stacks, &summary, err) < 0)
        return -1;
    if (stacks_total(to->stacks) == 0)
        return no_stacks(path, &summary.others, err);
    if (take_unit(&p->set, summary.unit, summary.event, path, err) < 0)
        return -1;
    for (size_t i = 0; i < summary.others.count; i++)
        say_line(stderr, "bench: warning: '%s': only '%s' is drawn; left out are %s", path,
                 summary.event, summary.others.items[i]);
    if (summary.others.count && !event)
        say_line(stderr, "hint: '--event NAME' chooses another");
    to->samples = (double)summary.samples;
    p->set.lost += (double)summary.lost;
    fold_notes(&summary, &p->notes);
    return 0;
}

/* File number `i`, whose profile is the last in the set. */
static int read_folded(struct stacks_input *ret, struct stacks_input *before, size_t i,
                       const struct stacks_files *from, struct bench_error *err)
{
    struct profile_set *set = &ret->profiles.set;
    struct profile *to = &set->items[i], *old = NULL;
    const char *path = from->files->items[i], *unit = from->unit ? from->unit : "samples";
    cleanup_stacks struct stacks *first = stacks_new();
    int result = folded_read_file(to->stacks, before ? first : NULL, AT_FDCWD, path, err);

    if (result < 0 || take_unit(set, unit, NULL, path, err) < 0)
        return -1;
    if (from->event)
        return error_set(err, BENCH_ERROR_USAGE, "'%s' is folded text, which names no event", path);
    if (stacks_total(to->stacks) == 0 && stacks_total(first) == 0)
        return no_stacks(path, &(struct strings){0}, err);
    if (before && i > 0 && (result == 1) != (before->profiles.set.count > 0))
        return error_set(err, BENCH_ERROR_USAGE,
                         "'%s' and the file before it: one is a difference, the other is not", path);
    if (strcmp(unit, "samples") == 0)
        to->samples = stacks_total(to->stacks);
    if (result == 1) {
        old = profile_set_add(&before->profiles.set);
        stacks_merge(old->stacks, first, 1, NULL);
        old->samples = to->samples ? stacks_total(first) : 0;
        return take_unit(&before->profiles.set, unit, NULL, path, err);
    }
    return 0;
}

int stacks_input_files(struct stacks_input *ret, struct stacks_input *before,
                       const struct stacks_files *from, struct bench_error *err)
{
    const struct strings *files = from->files, *divisors = from->divisors;
    struct profiles *all = &ret->profiles;
    cleanup_text struct text line = {0};

    if (divisors->count > 1 && divisors->count != files->count)
        return error_set(err, BENCH_ERROR_USAGE,
                         "%zu divisors for %zu files: give one, or one for each", divisors->count,
                         files->count);
    for (size_t i = 0; i < files->count; i++) {
        const char *file = files->items[i];
        struct profile *p = profile_set_add(&all->set);

        if (divisor_of(divisors, i, &p->divisor, err) < 0 ||
            (perf_data_is(file) ? read_recording(all, p, file, from->event, err)
                                : read_folded(ret, before, i, from, err)) < 0)
            return -1;
        text_add(&line, "%s%s", i ? ", " : "", strcmp(file, "-") == 0 ? "standard input" : file);
    }
    if (before && before->profiles.set.count) {
        before->what = xasprintf("the first weights in %s", text_get(&line));
        ret->what = xasprintf("the second weights in %s", text_get(&line));
    } else {
        ret->what = text_take(&line);
    }
    return 0;
}

int stacks_input_run(struct stacks_input *ret, const char *path,
                     const struct profile_choice *choice, struct bench_error *err)
{
    struct profiles *p = &ret->profiles;

    if (store_read(&ret->run, path, err) < 0 || profiles_read(p, &ret->run, choice, err) < 0)
        return -1;
    ret->what = xasprintf("%s, arm %s%s%s, capture %s of %s: %s, %zu repetition%s", ret->run.id,
                          p->arm, p->point[0] ? ", " : "", p->point, p->capture, p->roles,
                          p->set.event, p->set.count, p->set.count == 1 ? "" : "s");
    return 0;
}

int stacks_input_like(struct stacks_input *ret, const char *path, const struct stacks_input *other,
                      struct bench_error *err)
{
    const struct profiles *p = &other->profiles;
    const struct profile_choice alike = {.arm = p->arm,
                                         .point = p->point,
                                         .capture = p->capture,
                                         .role = strchr(p->roles, ',') ? NULL : p->roles};
    struct profile_choice choice = alike;
    cleanup_strings struct strings arms = {0};
    struct stored_run run = {0};

    if (store_read(&run, path, err) < 0)
        return -1;
    run_arms(&run, &arms);
    stored_run_release(&run);
    if (!strings_has(&arms, p->arm))
        choice.arm = NULL;
    return stacks_input_run(ret, path, &choice, err);
}

static int divide_both(struct stacks_input *before, struct stacks_input *after, const char *per,
                       struct bench_error *err)
{
    if (profiles_divide(&before->profiles, per, err) < 0 ||
        profiles_divide(&after->profiles, per, err) < 0)
        return -1;
    return 0;
}

int stacks_input_divide(struct stacks_input *before, struct stacks_input *after, const char **per,
                        struct bench_error *err)
{
    if (*per && strcmp(*per, "none") != 0)
        return divide_both(before, after, *per, err);
    if (!*per && divide_both(before, after, "operation", NULL) == 0)
        *per = "operation";
    else if (!*per && divide_both(before, after, "byte", NULL) == 0)
        *per = "byte";
    else
        return divide_both(before, after, *per = NULL, err);
    return 0;
}

void stacks_input_release(struct stacks_input *s)
{
    profiles_release(&s->profiles);
    stored_run_release(&s->run);
    free(s->what);
}
