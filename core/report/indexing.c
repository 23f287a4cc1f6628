/* SPDX-License-Identifier: Apache-2.0 */
#include "report/indexing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "base/memory.h"
#include "base/prefetch.h"
#include "report/document_parts.h"
#include "report/run_facts.h"

/* Of a text in hex; caller frees. */
static char *digest_of(const char *text)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    char *hex = xcalloc(2 * sizeof(digest) + 1, 1);
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, strlen(text), (const uint8_t *)text);
    sha256_digest(&sha, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return hex;
}

/* What the first relay process had mapped as code, or NULL when no repetition knows. */
static const json_t *find_binaries(const struct stored_run *run, const struct bench_arm *a)
{
    for (size_t i = 0; i < run->n_repetitions; i++) {
        const struct repetition_record *r = &run->repetitions[i];

        if (strcmp(r->arm, a->name) != 0 || strcmp(r->point, a->point) != 0)
            continue;
        for (size_t k = 0; k < r->n_roles; k++)
            if (strncmp(r->roles[k].name, "relay_", 6) == 0 &&
                json_array_size(r->roles[k].binaries) > 0)
                return r->roles[k].binaries;
    }
    return NULL;
}

static const char *sha256_at(const json_t *binaries, size_t i)
{
    return json_string_value(json_object_get(json_array_get(binaries, i), "sha256"));
}

/* NULL unless all of it is known. Caller frees. */
static char *code_of(const json_t *binaries)
{
    cleanup_text struct text all = {0};

    for (size_t i = 0; i < json_array_size(binaries); i++) {
        const char *hash = sha256_at(binaries, i);

        if (!hash)
            return NULL;
        text_add(&all, "%s\n", hash);
    }
    return all.length ? digest_of(text_get(&all)) : NULL;
}

/* The scenario as far as it bears on this arm; its point has a label of its own. Caller frees. */
static char *settings_of(const struct stored_run *run, const struct bench_arm *a)
{
    static const char *const aside[] = {"name",      "seed",     "repeat", "relays",
                                        "sweep",     "baseline", "metric", "margin",
                                        "precision", "stop",     "fail_on"};
    json_t *settings = json_copy(json_object_get(run->run, "scenario")), *arm;
    cleanup_free char *text = NULL;
    size_t i;

    json_array_foreach(json_object_get(settings, "relays"), i, arm)
    {
        const json_t *name = json_is_object(arm) ? json_object_get(arm, "name") : arm;

        if (strcmp(json_text_or(name, ""), a->name) == 0)
            json_object_set(settings, "arm", arm);
    }
    for (i = 0; i < ARRAY_SIZE(aside); i++)
        json_object_del(settings, aside[i]);
    text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(settings);
    return text ? digest_of(text) : NULL;
}

/* For each estimate of the arm, what part of the event was counted: strings of the run. */
static const char **parts_of(const struct document *d, const struct bench_arm *a)
{
    const char **parts = xcalloc(a->n_estimates + 1, sizeof(*parts));

    for (size_t o = 0; o < d->n_observed; o++) {
        const struct repetition_record *record = d->observed[o].record;
        const struct metric_set *set = &d->observed[o].set;

        if (strcmp(record->arm, a->name) != 0 || strcmp(record->point, a->point) != 0)
            continue;
        for (size_t v = 0; v < set->count; v++)
            for (uint32_t i = 0; set->items[v].part && i < a->n_estimates; i++)
                if (a->estimates[i]->metric == set->items[v].metric && !parts[i])
                    parts[i] = set->items[v].part;
    }
    return parts;
}

int indexing_add(struct run_index *x, const char *directory, const struct stored_run *run,
                 const struct document *document, struct bench_error *err)
{
    const struct bench_document *d = document_get(document);
    cleanup_free struct index_arm *arms = xcalloc(d->n_arms + 1, sizeof(*arms));
    int result;

    for (uint32_t i = 0; i < d->n_arms; i++) {
        const json_t *binaries = find_binaries(run, d->arms[i]);

        arms[i] = (struct index_arm){
            .arm = d->arms[i],
            .baseline = strcmp(d->arms[i]->name, d->baseline) == 0,
            .binary = sha256_at(binaries, 0),
            .code = code_of(binaries),
            .settings = settings_of(run, d->arms[i]),
            .parts = parts_of(document, d->arms[i]),
        };
    }
    result = index_put_estimates(
        x, directory, json_is_string(json_object_get(run->run, "finished")), arms, d->n_arms, err);
    for (uint32_t i = 0; i < d->n_arms; i++) {
        free((void *)arms[i].parts);
        free((char *)arms[i].code);
        free((char *)arms[i].settings);
    }
    return result;
}

/* A run that was read, with what the index holds of it; without a document there is a reason. */
struct ready {
    struct stored_run run;
    struct document *document;
    struct bench_error why;
};

struct reading {
    const char *results;
    const struct strings *directories;
};

static void *read_one(void *context, size_t i)
{
    const struct reading *r = context;
    cleanup_free char *path = xasprintf("%s/%s", r->results, r->directories->items[i]);
    struct ready *ready = xcalloc(1, sizeof(*ready));

    if (store_read(&ready->run, path, &ready->why) == 0)
        document_new_brief(&ready->document, &ready->run, &ready->why);
    return ready;
}

static void ready_free(void *item)
{
    struct ready *ready = item;

    document_free(ready->document);
    stored_run_release(&ready->run);
    free(ready);
}

/* A run that cannot be read is noted: its estimates stay missing, so it is tried again next time.
 */
static int add_one(struct run_index *x, const char *directory, const struct ready *ready,
                   struct strings *unread, struct bench_error *err)
{
    if (ready->document)
        return indexing_add(x, directory, &ready->run, ready->document, err);
    strings_add(unread, ready->why.message);
    return 0;
}

int indexing_complete(struct run_index *x, const char *results, const struct index_filter *filter,
                      index_progress progress, void *context, struct strings *unread,
                      struct bench_error *err)
{
    cleanup_strings struct strings missing = {0};
    struct reading reading = {results, &missing};
    struct prefetch *runs;
    int result = 0;

    if (index_unestimated(x, filter, &missing, err) < 0)
        return -1;
    runs = prefetch_new(&(struct prefetch_spec){
        .n = missing.count, .make = read_one, .drop = ready_free, .context = &reading});
    for (size_t i = 0; i < missing.count && result == 0; i++) {
        struct ready *ready = prefetch_take(runs);

        result = add_one(x, missing.items[i], ready, unread, err);
        ready_free(ready);
        if (progress)
            progress(context, i + 1, missing.count);
    }
    prefetch_free(runs);
    return result;
}
