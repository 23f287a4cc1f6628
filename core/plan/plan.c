/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

/* A state with its defaults and then the settings. NULL with an error. */
static void *make_state(const struct bench_plugin *plugin, const struct settings *settings,
                        struct bench_error *err)
{
    void *state = xcalloc(1, plugin->state_size);

    option_defaults(plugin->options, state);
    if (settings_apply(settings, plugin->options, state, plugin->name, err) == 0)
        return state;
    option_release(plugin->options, state);
    free(state);
    return NULL;
}

static void free_state(const struct bench_plugin *plugin, void *state)
{
    if (!plugin)
        return;
    option_release(plugin->options, state);
    free(state);
}

static int resolve_arm(struct point *p, size_t i, const struct registry *r, struct bench_error *err)
{
    const struct arm *arm = &p->scenario.arms[i];
    const struct bench_plugin *plugin = registry_find(r, BENCH_RELAY, arm->plugin, err);
    const struct bench_relay *relay = (const struct bench_relay *)plugin;

    if (!plugin)
        return -1;
    p->relays[i] = relay;
    p->hops[i] = relay->max_hops == 0 ? 0 : (uint32_t)p->scenario.hops;
    p->relay_states[i] = make_state(plugin, &arm->options, err);
    return p->relay_states[i] ? 0 : -1;
}

static int resolve(struct point *p, const struct registry *r, struct bench_error *err)
{
    size_t n = p->scenario.n_arms;
    const struct bench_plugin *plugin = registry_find(r, BENCH_WORKLOAD, p->scenario.workload, err);

    if (!plugin)
        return -1;
    p->workload = (const struct bench_workload *)plugin;
    p->workload_state = make_state(plugin, &p->scenario.workload_options, err);
    if (!p->workload_state)
        return -1;
    p->relays = xcalloc(n, sizeof(const struct bench_relay *));
    p->relay_states = xcalloc(n, sizeof(void *));
    p->hops = xcalloc(n, sizeof(uint32_t));
    for (size_t i = 0; i < n; i++)
        if (resolve_arm(p, i, r, err) < 0)
            return -1;
    return 0;
}

/* Point `number` of the matrix; the last axis changes fastest. `base` is `s` without its sweep. */
static int make_point(struct point *p, const struct scenario *s, const struct scenario *base,
                      size_t number, const struct registry *r, struct bench_error *err)
{
    cleanup_text struct text label = {0};
    size_t stride = 1;

    for (size_t i = 0; i < s->n_axes; i++)
        stride *= s->axes[i].values.count;
    scenario_copy(&p->scenario, base);
    for (size_t i = 0; i < s->n_axes; i++) {
        const struct sweep_axis *axis = &s->axes[i];
        size_t value;

        stride /= axis->values.count;
        value = number / stride % axis->values.count;
        if (scenario_set(&p->scenario, axis->key, axis->values.items[value],
                         axis->wheres.items[value], err) < 0)
            return -1;
        text_add(&label, "%s%s=%s", i ? " " : "", axis->key, axis->values.items[value]);
    }
    p->label = text_take(&label);
    /* Values that are valid one by one can still be wrong together. */
    if (s->n_axes && scenario_check_point(&p->scenario, r, err) < 0)
        return error_context(err, "sweep at %s", p->label);
    return resolve(p, r, err);
}

static void point_release(struct point *p)
{
    for (size_t i = 0; p->relays && i < p->scenario.n_arms; i++)
        free_state(p->relays[i] ? &p->relays[i]->plugin : NULL, p->relay_states[i]);
    free_state(p->workload ? &p->workload->plugin : NULL, p->workload_state);
    free(p->relays);
    free(p->relay_states);
    free(p->hops);
    free(p->label);
    scenario_release(&p->scenario);
}

static int make_points(struct plan *plan, const struct scenario *s, const struct registry *r,
                       struct bench_error *err)
{
    size_t n = 1;
    int result = 0;

    scenario_copy(&plan->scenario, s);
    scenario_drop_sweep(&plan->scenario);
    for (size_t i = 0; i < s->n_axes; i++)
        n *= s->axes[i].values.count;
    plan->points = xcalloc(n, sizeof(*plan->points));
    for (size_t i = 0; result == 0 && i < n; i++) {
        plan->n_points++; /* also when it stays half-built */
        result = make_point(&plan->points[i], s, &plan->scenario, i, r, err);
    }
    return result;
}

static void shuffled(struct random *random, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    random_shuffle(random, order, n);
}

/* The steps so far have their place; `step` comes next. */
static void add_step(struct plan *plan, struct step step)
{
    step.index = (uint32_t)plan->n_steps + 1;
    plan->steps[plan->n_steps++] = step;
}

static void add_block(struct plan *plan, struct random *random, size_t n_arms, uint32_t block,
                      uint64_t seed)
{
    cleanup_free size_t *points = xcalloc(plan->n_points, sizeof(*points));
    cleanup_free size_t *arms = xcalloc(n_arms, sizeof(*arms));

    shuffled(random, points, plan->n_points);
    for (size_t i = 0; i < plan->n_points; i++) {
        shuffled(random, arms, n_arms);
        for (size_t j = 0; j < n_arms; j++)
            add_step(plan, (struct step){.block = block,
                                         .point = &plan->points[points[i]],
                                         .arm = arms[j],
                                         .seed = seed,
                                         .purpose = PURPOSE_MEASURE});
    }
}

/* How many repetitions of its own a capture has behind this block. */
static size_t captures_behind(const struct plan *plan, const struct capture_request *c,
                              uint32_t block)
{
    size_t own = c->repetitions > 0 ? (size_t)c->repetitions : 0;

    if (own < block)
        return 0;
    return block == plan->blocks ? own - block + 1 : 1;
}

static void add_captures(struct plan *plan, struct random *random, size_t n_arms, uint32_t block,
                         uint64_t seed)
{
    const struct scenario *s = &plan->points[0].scenario;
    size_t cells = plan->n_points * n_arms;

    for (size_t c = 0; c < s->n_captures; c++) {
        size_t n = captures_behind(plan, &s->captures[c], block) * cells;
        cleanup_free size_t *order = xcalloc(n, sizeof(*order));

        shuffled(random, order, n);
        for (size_t i = 0; i < n; i++) {
            const struct point *point = &plan->points[order[i] % cells / n_arms];

            if (s->arms[order[i] % n_arms].chooses_captures)
                continue; /* it runs in the ordinary ones, or not at all */
            add_step(plan, (struct step){.block = block,
                                         .point = point,
                                         .arm = order[i] % n_arms,
                                         .seed = seed,
                                         .purpose = plan->purposes.items[c],
                                         .capture = &point->scenario.captures[c]});
        }
    }
}

static void make_steps(struct plan *plan, size_t n_arms)
{
    const struct scenario *s = &plan->points[0].scenario;
    struct random random = {.state = plan->seed};
    size_t per_cell = plan->blocks;

    for (size_t i = 0; i < s->n_captures; i++) {
        strings_addf(&plan->purposes, PURPOSE_CAPTURE "%s", s->captures[i].name);
        per_cell += s->captures[i].repetitions > 0 ? (size_t)s->captures[i].repetitions : 0;
    }
    plan->steps = xcalloc(per_cell * plan->n_points * n_arms, sizeof(*plan->steps));
    for (uint32_t block = 1; block <= plan->blocks; block++) {
        uint64_t seed = random_below(&random, PLAN_SEEDS);

        add_block(plan, &random, n_arms, block, seed);
        add_captures(plan, &random, n_arms, block, seed);
    }
}

int plan_make(struct plan *ret_plan, const struct scenario *scenario, const struct registry *r,
              struct bench_error *err)
{
    struct plan plan = {.blocks = (uint32_t)scenario->repeat};

    plan.seed = scenario->seed >= 0 ? (uint64_t)scenario->seed : random_seed() % PLAN_SEEDS;
    if (make_points(&plan, scenario, r, err) < 0) {
        plan_release(&plan);
        return -1;
    }
    make_steps(&plan, scenario->n_arms);
    *ret_plan = plan;
    return 0;
}

void plan_follow(struct plan *p, uint32_t before, const char *purpose)
{
    p->before = before;
    for (size_t i = 0; i < p->n_steps; i++) {
        p->steps[i].index = before + (uint32_t)i + 1;
        if (purpose)
            p->steps[i].purpose = purpose;
    }
}

void plan_follow_blocks(struct plan *p, uint32_t before)
{
    p->blocks += before;
    for (size_t i = 0; i < p->n_steps; i++)
        p->steps[i].block += before;
}

void plan_release(struct plan *p)
{
    scenario_release(&p->scenario);
    for (size_t i = 0; i < p->n_points; i++)
        point_release(&p->points[i]);
    free(p->points);
    free(p->steps);
    strings_release(&p->purposes);
    *p = (struct plan){0};
}
