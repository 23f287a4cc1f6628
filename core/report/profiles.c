/* SPDX-License-Identifier: Apache-2.0 */
#include "report/profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "profile/fold.h"
#include "profile/folded.h"
#include "profile/offcpu.h"
#include "report/metrics.h"
#include "report/run_facts.h"

/* One file of stacks. */
struct entry {
    const struct repetition_record *record;
    const json_t *facts; /* of record->captures */
    const char *file;
};

struct entries {
    struct entry *items;
    size_t count, capacity;
};

static const char *fact(const struct entry *e, const char *name)
{
    return json_text_or(json_object_get(e->facts, name), "");
}

/* --- which of them --------------------------------------------------------------------------- */

static const char *folded_file(const json_t *facts)
{
    const json_t *files = json_object_get(facts, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *file = json_text_or(json_array_get(files, i), "");
        size_t length = strlen(file);

        if (length > 7 && strcmp(file + length - 7, ".folded") == 0)
            return file;
    }
    return NULL;
}

static void find_entries(const struct stored_run *run, struct entries *ret)
{
    for (size_t i = 0; i < run->n_repetitions; i++) {
        const struct repetition_record *r = &run->repetitions[i];

        for (size_t k = 0; r->ok && k < json_array_size(r->captures); k++) {
            const json_t *facts = json_array_get(r->captures, k);
            const char *file = folded_file(facts);

            if (!file)
                continue;
            ret->items = grow(ret->items, &ret->capacity, ret->count + 1, sizeof(*ret->items));
            ret->items[ret->count++] = (struct entry){r, facts, file};
        }
    }
}

static const char *arm_of(const struct entry *e)
{
    return e->record->arm;
}

static const char *point_of(const struct entry *e)
{
    return e->record->point;
}

static const char *capture_of(const struct entry *e)
{
    return fact(e, "capture");
}

static const char *role_of(const struct entry *e)
{
    return fact(e, "role");
}

typedef const char *property(const struct entry *e);

static void list(const struct entries *entries, property *of, struct strings *ret)
{
    for (size_t i = 0; i < entries->count; i++)
        if (!strings_has(ret, of(&entries->items[i])))
            strings_add(ret, of(&entries->items[i]));
}

/* Keeps the entries whose property is `wanted`, or the only one. */
static int choose(struct entries *entries, const char *what, property *of, const char *wanted,
                  struct bench_error *err)
{
    cleanup_strings struct strings names = {0};
    size_t kept = 0;

    list(entries, of, &names);
    if (wanted && !strings_has(&names, wanted))
        return error_unknown(err, what, wanted, (const char *const *)names.items);
    if (!wanted && names.count > 1) {
        cleanup_text struct text all = {0};

        for (size_t i = 0; i < names.count; i++)
            text_add(&all, "%s'%s'", i ? ", " : "", names.items[i]);
        error_set(err, BENCH_ERROR_USAGE, "stacks of more than one %s: %s", what, text_get(&all));
        error_hint(err, "choose one with '--%s'", what);
        return -1;
    }
    for (size_t i = 0; i < entries->count; i++)
        if (!wanted || strcmp(of(&entries->items[i]), wanted) == 0)
            entries->items[kept++] = entries->items[i];
    entries->count = kept;
    return 0;
}

static int choose_all(struct entries *entries, const struct profile_choice *choice,
                      struct bench_error *err)
{
    if (choose(entries, "capture", capture_of, choice->capture, err) < 0 ||
        choose(entries, "arm", arm_of, choice->arm, err) < 0 ||
        choose(entries, "point", point_of, choice->point, err) < 0)
        return -1;
    return choice->role ? choose(entries, "role", role_of, choice->role, err) : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

struct below {
    struct stacks *stacks;
    const char *root;
};

static int add_below(void *context, const struct frame *const *frames, size_t n, double weight)
{
    const struct below *below = context;
    struct frame all[STACKS_DEPTH + 1] = {{.name = below->root}};

    for (size_t i = 0; i < n; i++)
        all[i + 1] = *frames[i];
    stacks_add(below->stacks, all, n + 1, weight);
    return 0;
}

static int fold(const struct entry *e, int dirfd, const char *path, struct stacks *ret,
                struct bench_error *err)
{
    cleanup_fold_summary struct fold_summary summary = {0};
    const struct fold_options wanted = {.event = fact(e, "event")};
    cleanup_offcpu_summary struct offcpu_summary away = {0};
    const struct offcpu_options whole = {0};

    return strcmp(fact(e, "capture"), "offcpu") == 0
               ? perf_fold_offcpu(dirfd, path, &whole, ret, &away, err)
               : perf_fold(dirfd, path, &wanted, ret, &summary, err);
}

/* From the recording, where the folded text is gone. */
static int read_file(const struct entry *e, const struct stored_run *run, struct stacks *ret,
                     struct strings *notes, struct bench_error *err)
{
    const char *recording =
        json_text_or(json_array_get(json_object_get(e->facts, "files"), 0), e->file);
    cleanup_free char *folded = xasprintf("%s/%s", e->record->directory, e->file);
    cleanup_free char *perf_data = xasprintf("%s/%s", e->record->directory, recording);
    cleanup_close int dirfd = stored_run_open(run, err);
    struct bench_error why = {0};

    if (dirfd < 0)
        return -1;
    if (folded_read_file(ret, NULL, dirfd, folded, &why) == 0)
        return 0;
    if (why.errnum == ENOENT && fold(e, dirfd, perf_data, ret, &why) == 0) {
        strings_addf(notes,
                     "'%s' is gone: folded again from '%s', with the programs as they are now",
                     e->file, recording);
        return 0;
    }
    if (why.errnum == ENOENT) {
        error_set(&why, BENCH_ERROR_RUN, "'%s' is gone, and so is '%s'", folded, recording);
        error_hint(&why, "the stacks cannot be had without one of the two: record them again");
    }
    if (err)
        *err = why;
    return error_context(err, "%s", run->path);
}

/* Below a frame `root`, or as they are when that is NULL. */
static int read_stacks(const struct entry *e, const struct stored_run *run, const char *root,
                       struct stacks *ret, struct strings *notes, struct bench_error *err)
{
    cleanup_stacks struct stacks *own = stacks_new();
    struct below below = {ret, root};

    if (!root)
        return read_file(e, run, ret, notes, err);
    if (read_file(e, run, own, notes, err) < 0)
        return -1;
    return stacks_each(own, add_below, &below);
}

static int same(char **known, const char *now, const char *what, struct bench_error *err)
{
    if (!*known)
        *known = xstrdup(now);
    if (strcmp(*known, now) == 0)
        return 0;
    return error_set(err, BENCH_ERROR_RUN, "stacks of different %s, '%s' and '%s', do not add up",
                     what, *known, now);
}

static void take_notes(const struct entry *e, struct strings *ret)
{
    const json_t *notes = json_object_get(e->facts, "notes");

    for (size_t i = 0; i < json_array_size(notes); i++) {
        const char *note = json_text_or(json_array_get(notes, i), "");

        if (!strings_has(ret, note))
            strings_add(ret, note);
    }
}

static int read_entry(struct profiles *ret, const struct entry *e, const struct stored_run *run,
                      const char *root, struct bench_error *err)
{
    const double samples = json_number_or(json_object_get(e->facts, "samples"), 0);
    size_t n = ret->set.count;

    if (same(&ret->set.event, fact(e, "event"), "events", err) < 0 ||
        same(&ret->set.unit, fact(e, "unit"), "units", err) < 0)
        return -1;
    if (n == 0 || ret->records[n - 1] != e->record) {
        profile_set_add(&ret->set);
        ret->records[n++] = e->record;
    }
    /* Only what was taken at a frequency counts samples, also in older runs. */
    if (json_object_get(e->facts, "frequency"))
        ret->set.items[n - 1].samples += samples;
    ret->set.lost += json_number_or(json_object_get(e->facts, "lost"), 0);
    take_notes(e, &ret->notes);
    return read_stacks(e, run, root, ret->set.items[n - 1].stacks, &ret->notes, err);
}

int profiles_read(struct profiles *ret, const struct stored_run *run,
                  const struct profile_choice *choice, struct bench_error *err)
{
    struct entries entries = {0};
    cleanup_strings struct strings roles = {0};
    cleanup_text struct text names = {0};
    int result = 0;

    *ret = (struct profiles){0};
    find_entries(run, &entries);
    if (entries.count == 0) {
        result = error_set(err, BENCH_ERROR_USAGE, "run '%s' has no stacks", run->id);
        error_hint(err, "'bench record SCENARIO' samples them");
    }
    if (result == 0)
        result = choose_all(&entries, choice, err);
    list(&entries, role_of, &roles);
    for (size_t i = 0; i < roles.count; i++)
        text_add(&names, "%s%s", i ? ", " : "", roles.items[i]);
    ret->roles = text_take(&names);
    ret->records = xcalloc(entries.count, sizeof(*ret->records));
    for (size_t i = 0; result == 0 && i < entries.count; i++) {
        const struct entry *e = &entries.items[i];

        ret->arm = e->record->arm;
        ret->point = e->record->point;
        ret->capture = capture_of(e);
        result = read_entry(ret, e, run, roles.count > 1 ? role_of(e) : NULL, err);
    }
    free(entries.items);
    if (result < 0)
        profiles_release(ret);
    return result < 0 ? -1 : 0;
}

/* --- dividing -------------------------------------------------------------------------------- */

/* NaN when the repetition has none. */
static double delivered(const struct repetition_record *r, const char *per)
{
    const bool bytes = strcmp(per, "byte") == 0;
    const double seconds = (double)(r->window_end_ns - r->window_begin_ns) * 1e-9;
    struct metric_pool pool = {0};
    struct metric_set set;
    const struct metric_value *rate;
    double amount = NAN;

    metrics_compute(r, &pool, &set);
    rate = metric_set_find(&set, bytes ? "bits_per_second" : "operations_per_second");
    if (rate)
        amount = rate->value.value * seconds / (bytes ? 8 : 1);
    metric_set_release(&set);
    metric_pool_release(&pool);
    return amount;
}

int profiles_divide(struct profiles *p, const char *per, struct bench_error *err)
{
    cleanup_free double *divisors = xcalloc(p->set.count, sizeof(*divisors));

    for (size_t i = 0; i < p->set.count; i++) {
        divisors[i] = per ? delivered(p->records[i], per) : 1;
        if (!(divisors[i] > 0))
            return error_set(err, BENCH_ERROR_USAGE, "repetition %u has no %ss to divide by",
                             p->records[i]->index, per);
    }
    for (size_t i = 0; i < p->set.count; i++)
        p->set.items[i].divisor = divisors[i];
    return 0;
}

void profiles_release(struct profiles *p)
{
    profile_set_release(&p->set);
    free(p->records);
    free(p->roles);
    strings_release(&p->notes);
    *p = (struct profiles){0};
}
