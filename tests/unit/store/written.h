/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that the store has written without anything having been run. */
#ifndef TESTS_STORE_WRITTEN_H
#define TESTS_STORE_WRITTEN_H

#include "sample.h"

#include "store/layout.h"

/* One point, two arms, two blocks. */
struct setup {
    struct arm arms[2];
    uint32_t hops[2];
    struct point point;
    struct step steps[4];
    struct plan plan;
};

static inline void setup_init(struct setup *s)
{
    static char *const names[2] = {"none", "nginx"};

    *s = (struct setup){.hops = {0, 2}};
    scenario_init(&s->point.scenario);
    free(s->point.scenario.name);
    s->point.scenario.name = xstrdup("http over two relays");
    for (size_t i = 0; i < 2; i++)
        s->arms[i] = (struct arm){.name = names[i], .plugin = names[i], .where = "test"};
    s->point.scenario.arms = s->arms;
    s->point.scenario.n_arms = 2;
    s->point.label = "";
    s->point.hops = s->hops;
    for (uint32_t i = 0; i < 4; i++)
        s->steps[i] = (struct step){.index = i + 1,
                                    .block = i / 2 + 1,
                                    .point = &s->point,
                                    .arm = (i & 1) ^ (i >> 1),
                                    .seed = i / 2,
                                    .purpose = i < 2 ? PURPOSE_SEARCH : PURPOSE_MEASURE};
    s->plan = (struct plan){.scenario = s->point.scenario,
                            .seed = UINT64_MAX - 1,
                            .points = &s->point,
                            .n_points = 1,
                            .steps = s->steps,
                            .n_steps = 4,
                            .blocks = 2};
}

static inline void setup_release(struct setup *s)
{
    s->point.scenario.arms = NULL;
    s->point.scenario.n_arms = 0;
    scenario_release(&s->point.scenario);
}

static char *const command[] = {"bench", "run", "caf\xe9.yaml", NULL};

static void create(struct store_writer *w, const char *path, const struct plan *plan)
{
    struct bench_error err = {0};
    json_t *environment = json_pack("{s:s}", "kernel", "6.18.0");

    if (store_create(w, path, plan, environment, command, &err) < 0)
        fail_msg("%s", err.message);
    json_decref(environment);
}

/* Runs step `i` without running anything. */
static inline int add(struct store_writer *w, struct setup *s, size_t i, struct bench_error *err)
{
    const struct step *step = &s->steps[i];
    struct repetition_record r;
    char *directory;
    int result;

    if (store_begin(w, step, &directory, err) < 0)
        return -1;
    sample_record(&r, step->index, s->arms[step->arm].name);
    result = store_add(w, &r, err);
    record_release(&r);
    free(directory);
    return result;
}

static inline void must_add(struct store_writer *w, struct setup *s, size_t i)
{
    struct bench_error err = {0};

    if (add(w, s, i, &err) < 0)
        fail_msg("%s", err.message);
}

static inline void must_read(struct stored_run *run, const char *path)
{
    struct bench_error err = {0};

    if (store_read(run, path, &err) < 0)
        fail_msg("%s", err.message);
}

#endif
