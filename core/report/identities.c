/* SPDX-License-Identifier: Apache-2.0 */
#include "report/identities.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/run_facts.h"

/* Below that, link order and the size of the environment can make the difference (Mytkowicz et al.,
 * "Producing wrong data without doing anything obviously wrong", ASPLOS 2009). */
#define LAYOUT_EFFECT 0.05

/* Of the first hop: executable first. NULL when it is not known. */
static const json_t *binaries_of(const struct repetition_record *r)
{
    for (size_t i = 0; i < r->n_roles; i++)
        if (strcmp(r->roles[i].name, "relay_1") == 0)
            return json_array_size(r->roles[i].binaries) ? r->roles[i].binaries : NULL;
    return NULL;
}

static const char *member(const json_t *binary, const char *name)
{
    return json_text_or(json_object_get(binary, name), "");
}

static const json_t *first_binaries(const struct observations *all, const char *arm)
{
    const json_t *found = NULL;

    for (size_t i = 0; i < all->count && !found; i++)
        if (strcmp(all->items[i]->record->arm, arm) == 0 && all->items[i]->record->ok)
            found = binaries_of(all->items[i]->record);
    return found;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* "libqpid-proton.so" of "/usr/lib/libqpid-proton.so.11.3". */
static size_t stem_length(const char *name)
{
    const char *so = strstr(name, ".so");

    return so ? (size_t)(so - name) + 3 : strlen(name);
}

static bool same_library(const char *a, const char *b)
{
    size_t n = stem_length(a);

    return n == stem_length(b) && strncmp(a, b, n) == 0;
}

/* Libraries of one that the other has in another form, or not at all. */
static void add_differences(const json_t *of, const json_t *from, struct strings *ret)
{
    for (size_t i = 1; i < json_array_size(of); i++) {
        const json_t *mine = json_array_get(of, i);
        const char *name = base_name(member(mine, "path"));
        bool same = false;

        for (size_t k = 1; k < json_array_size(from) && !same; k++) {
            const json_t *other = json_array_get(from, k);

            same = same_library(name, base_name(member(other, "path"))) &&
                   strcmp(member(mine, "sha256"), member(other, "sha256")) == 0;
        }
        if (!same) {
            cleanup_free char *stem = xstrndup(name, stem_length(name));

            if (!strings_has(ret, stem))
                strings_add(ret, stem);
        }
    }
}

/* "workers 1 and 2", of what the arms set each for itself; variables only by name. */
static void add_settings(const json_t *a, const json_t *b, struct strings *ret)
{
    static const char *const members[] = {"options", "env"};

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const json_t *x = json_object_get(a, members[i]), *y = json_object_get(b, members[i]);
        json_t *all = json_object();
        const char *name;
        json_t *value;

        json_object_update(all, (json_t *)x);
        json_object_update(all, (json_t *)y);
        json_object_foreach(all, name, value)
        {
            if (strcmp(member(x, name), member(y, name)) == 0)
                continue;
            if (i == 0)
                strings_addf(ret, "%s '%s' and '%s'", name, member(x, name), member(y, name));
            else
                strings_addf(ret, "environment variable %s", name);
        }
        json_decref(all);
    }
}

static void describe(const json_t *a, const json_t *b, const struct strings *settings,
                     struct text *ret)
{
    const json_t *x = json_array_get(a, 0), *y = json_array_get(b, 0);
    cleanup_strings struct strings libraries = {0};

    add_differences(a, b, &libraries);
    add_differences(b, a, &libraries);
    if (strcmp(member(x, "sha256"), member(y, "sha256")) != 0)
        text_add(ret, "different programs (build-id %.8s and %.8s)", member(x, "build_id"),
                 member(y, "build_id"));
    else
        text_add(ret, "the same program");
    for (size_t i = 0; i < libraries.count; i++)
        text_add(ret, "%s%s", i ? ", " : "; they differ in ", libraries.items[i]);
    for (size_t i = 0; i < settings->count; i++)
        text_add(ret, "%s%s", i ? ", " : "; set differently: ", settings->items[i]);
    if (settings->count == 0 && libraries.count == 0 &&
        strcmp(member(x, "sha256"), member(y, "sha256")) == 0)
        text_add(ret, ", libraries and options under both names");
}

/* What the arm is compared with, if that is the same relay, else the first of its relay before it.
 * Of saved runs only those are a pair that are compared. */
static const struct bench_arm *partner(const struct bench_document *d, const struct bench_arm *arm,
                                       bool saved)
{
    const char *base = NULL;

    for (uint32_t i = 0; i < d->n_comparisons && !base; i++)
        if (strcmp(d->comparisons[i]->arm, arm->name) == 0)
            base = d->comparisons[i]->base;
    for (uint32_t k = 0; k < d->n_arms && base; k++)
        if (strcmp(d->arms[k]->name, base) == 0 && strcmp(d->arms[k]->relay, arm->relay) == 0)
            return d->arms[k];
    for (uint32_t k = 0; k < d->n_arms && d->arms[k] != arm && !saved; k++)
        if (strcmp(d->arms[k]->relay, arm->relay) == 0 && strcmp(d->arms[k]->name, arm->name) != 0)
            return d->arms[k];
    return NULL;
}

void identities_compare(const struct stored_run *run, const struct bench_document *d,
                        const struct observations *all, struct strings *ret)
{
    bool saved = run_compares_saved(run);

    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *b = d->arms[i], *a = partner(d, b, saved);
        const json_t *x = a ? first_binaries(all, a->name) : NULL;
        const json_t *y = first_binaries(all, b->name);
        cleanup_strings struct strings settings = {0};
        cleanup_text struct text t = {0};

        if (!x || !y || strcmp(b->point, d->arms[0]->point) != 0)
            continue;
        add_settings(run_arm(run, a->name), run_arm(run, b->name), &settings);
        describe(x, y, &settings, &t);
        if (a->cpu_limit != b->cpu_limit)
            text_add(&t, "; CPU limits %g and %g", a->cpu_limit, b->cpu_limit);
        strings_addf(ret, "%s and %s: %s", a->name, b->name, text_get(&t));
    }
}

void identities_changed(const struct bench_document *d, const struct observations *all,
                        struct strings *ret)
{
    cleanup_strings struct strings said = {0};

    for (uint32_t i = 0; i < d->n_arms; i++) {
        const json_t *first = NULL;

        for (size_t r = 0; r < all->count && !strings_has(&said, d->arms[i]->name); r++) {
            const struct repetition_record *record = all->items[r]->record;
            const json_t *program = json_array_get(binaries_of(record), 0);

            if (!program || strcmp(record->arm, d->arms[i]->name) != 0)
                continue;
            if (!first)
                first = program;
            if (strcmp(member(first, "sha256"), member(program, "sha256")) == 0)
                continue;
            strings_add(&said, d->arms[i]->name);
            strings_addf(ret, "%s: the relay's program changed during the run (repetition %u)",
                         d->arms[i]->name, record->index);
        }
    }
}

void identities_layout(const struct bench_document *d, const struct observations *all,
                       struct strings *ret)
{
    cleanup_strings struct strings said = {0};

    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_comparison *c = d->comparisons[i];
        const json_t *own = first_binaries(all, c->arm), *base = first_binaries(all, c->base);

        if (!base || !own || c->sign == 0 || fabs(c->ratio - 1) >= LAYOUT_EFFECT ||
            strings_has(&said, c->arm) ||
            strcmp(member(json_array_get(own, 0), "sha256"),
                   member(json_array_get(base, 0), "sha256")) == 0)
            continue;
        strings_add(&said, c->arm);
        strings_addf(ret,
                     "%s: a difference below %.0f%% between one build and another can be that of "
                     "their layout in memory: build both in several ways before you believe it",
                     c->arm, LAYOUT_EFFECT * 100);
    }
}
