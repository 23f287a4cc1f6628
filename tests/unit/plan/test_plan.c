/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../scenario/plugins.h"
#include "plan/plan.h"
#include "scenario/parts.h"

static void checked(struct scenario *s, const char *yaml)
{
    struct bench_error err = {0};
    struct yaml_tree tree = {0};

    scenario_init(s);
    if (yaml_tree_parse(&tree, "f", yaml, strlen(yaml), &err) < 0 ||
        scenario_read_tree(s, &tree, &err) < 0 ||
        scenario_check(s, &test_registry, test_capture_known, &err) < 0)
        fail_msg("%s", err.message);
    yaml_tree_release(&tree);
}

static void make(struct plan *p, const char *yaml)
{
    struct bench_error err = {0};
    struct scenario s;

    checked(&s, yaml);
    if (plan_make(p, &s, &test_registry, &err) < 0)
        fail_msg("%s", err.message);
    scenario_release(&s); /* the plan has its own copy */
}

static void rates_that_a_search_wants(void **state)
{
    static const double rates[] = {0, 4680};
    struct bench_error err = {0};
    struct scenario s;
    struct plan p;

    (void)state;
    checked(&s, "bench: 1\nseed: 1\nrepeat: 2\nrate: auto\nrelays: [none, fast]\n");
    assert_true(s.rate == RATE_AUTO);
    scenario_sweep_rate(&s, rates, 2);
    assert_int_equal(plan_make(&p, &s, &test_registry, &err), 0);
    scenario_release(&s);
    assert_true(p.scenario.rate == RATE_AUTO && p.scenario.n_axes == 0);
    assert_int_equal(p.n_points, 2);
    assert_true(p.points[0].scenario.rate == 0 && p.points[1].scenario.rate == 4680);
    assert_string_equal(p.points[1].label, "rate=4680");
    assert_int_equal(p.steps[0].index, 1);
    assert_string_equal(p.steps[7].purpose, PURPOSE_MEASURE);
    plan_follow(&p, 10, PURPOSE_SEARCH);
    assert_int_equal(p.before, 10);
    assert_int_equal(p.steps[0].index, 11);
    assert_int_equal(p.steps[7].index, 18);
    assert_string_equal(p.steps[7].purpose, PURPOSE_SEARCH);
    plan_release(&p);
}

static void one_point(void **state)
{
    const struct fast_state *fast;
    const struct work_state *work_state;
    struct plan p;

    (void)state;
    make(&p, "bench: 1\nseed: 1\nrepeat: 3\nhops: 3\n"
             "workload: {plugin: builtin, mode: echo}\n"
             "relays: [none, {plugin: fast, options: {workers: 4, extra: x}}]\n");
    assert_int_equal(p.seed, 1);
    assert_int_equal(p.blocks, 3);
    assert_int_equal(p.n_points, 1);
    assert_int_equal(p.n_steps, 6);
    assert_string_equal(p.points[0].label, "");
    assert_ptr_equal(p.points[0].workload, &work);
    work_state = p.points[0].workload_state;
    assert_int_equal(work_state->mode, 1);
    assert_int_equal(work_state->size, 65536);
    assert_ptr_equal(p.points[0].relays[0], &relay_none);
    assert_ptr_equal(p.points[0].relays[1], &relay_fast);
    assert_int_equal(p.points[0].hops[0], 0); /* 'none' never has a hop */
    assert_int_equal(p.points[0].hops[1], 3);
    fast = p.points[0].relay_states[1];
    assert_int_equal(fast->workers, 4);
    assert_string_equal(fast->extra, "x");
    plan_release(&p);
    plan_release(&p); /* twice is harmless */
}

/* Every block has every arm at every point exactly once, points stay together, seeds belong to the
 * block, and steps are numbered in order. */
static void blocks_are_complete(void **state)
{
    enum { POINTS = 6, ARMS = 3, BLOCKS = 5 };
    struct plan p;

    (void)state;
    make(&p, "bench: 1\nseed: 7\nrepeat: 5\nrelays: [none, fast, {name: b, plugin: fast}]\n"
             "sweep: {jobs: [1, 10, 100], relay.workers: [1, 2]}\n");
    assert_int_equal(p.n_points, POINTS);
    assert_int_equal(p.n_steps, POINTS * ARMS * BLOCKS);
    for (size_t b = 0; b < BLOCKS; b++) {
        const struct step *block = &p.steps[b * POINTS * ARMS];
        bool seen[POINTS][ARMS] = {{false}};

        for (size_t i = 0; i < POINTS * ARMS; i++) {
            size_t point = (size_t)(block[i].point - p.points);

            assert_int_equal(block[i].index, b * POINTS * ARMS + i + 1);
            assert_int_equal(block[i].block, b + 1);
            assert_true(block[i].seed == block[0].seed);
            assert_ptr_equal(block[i].point, block[i - i % ARMS].point);
            assert_true(point < POINTS && block[i].arm < ARMS);
            assert_false(seen[point][block[i].arm]);
            seen[point][block[i].arm] = true;
        }
        if (b)
            assert_true(block[0].seed != block[-1].seed);
    }
    plan_release(&p);
}

static void points_of_a_sweep(void **state)
{
    static const char *const labels[] = {
        "jobs=1 relay.workers=1",
        "jobs=1 relay.workers=2",
        "jobs=10 relay.workers=1",
        "jobs=10 relay.workers=2",
    };
    struct plan p;

    (void)state;
    make(&p, "bench: 1\nrepeat: 1\nrelays: [none, fast]\n"
             "sweep: {jobs: [1, 10], relay.workers: [1, 2]}\n");
    for (size_t i = 0; i < p.n_points; i++) {
        const struct fast_state *fast = p.points[i].relay_states[1];

        assert_string_equal(p.points[i].label, labels[i]);
        assert_int_equal(p.points[i].scenario.jobs, i < 2 ? 1 : 10);
        assert_int_equal(p.points[i].scenario.n_axes, 0);
        assert_int_equal(fast->workers, i % 2 + 1);
    }
    plan_release(&p);
}

static char *order(const struct plan *p)
{
    struct text t = {0};

    for (size_t i = 0; i < p->n_steps; i++)
        text_add(&t, "%zu.%zu ", (size_t)(p->steps[i].point - p->points), p->steps[i].arm);
    return text_take(&t);
}

static char *order_of(const char *yaml)
{
    struct plan p;
    char *result;

    make(&p, yaml);
    result = order(&p);
    plan_release(&p);
    return result;
}

static void seed_decides_order(void **state)
{
    static const char seven[] = "bench: 1\nseed: 7\nrepeat: 20\nrelays: [none, fast, short]\n"
                                "hops: 1\n";
    static const char eight[] = "bench: 1\nseed: 8\nrepeat: 20\nrelays: [none, fast, short]\n"
                                "hops: 1\n";
    cleanup_free char *a = order_of(seven), *b = order_of(seven), *c = order_of(eight);

    (void)state;
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

/* Without a seed two plans differ, and the seed that was drawn gives the same plan again. */
static void drawn_seed_can_be_given(void **state)
{
    static const char drawn[] = "bench: 1\nrepeat: 20\nrelays: [none, fast, short]\nhops: 1\n";
    cleanup_free char *yaml = NULL, *a = NULL, *b = NULL;
    struct plan first, second;

    (void)state;
    make(&first, drawn);
    make(&second, drawn);
    assert_true(first.seed != second.seed);
    a = order(&first);
    yaml = xasprintf("%sseed: %llu\n", drawn, (unsigned long long)first.seed);
    b = order_of(yaml);
    assert_string_equal(a, b);
    plan_release(&first);
    plan_release(&second);
}

/* Each arm comes first about equally often: 3000 blocks, expected 1000 ± 26 (one sigma). */
static void order_is_random(void **state)
{
    size_t first[3] = {0};
    struct plan p;

    (void)state;
    make(&p, "bench: 1\nseed: 3\nrepeat: 3000\nrelays: [none, fast, short]\nhops: 1\n");
    for (size_t i = 0; i < p.n_steps; i += 3)
        first[p.steps[i].arm]++;
    for (size_t i = 0; i < 3; i++)
        assert_in_range(first[i], 870, 1130);
    plan_release(&p);
}

/* Each value is fine alone, together they are not. */
static void wrong_combination(void **state)
{
    struct bench_error err = {0};
    struct scenario s;
    struct plan p = {0};

    (void)state;
    checked(&s, "bench: 1\nsweep: {cpu_limit: [1, 0.01], cpu_period: [100ms, 10ms]}\n");
    assert_int_equal(plan_make(&p, &s, &test_registry, &err), -1);
    assert_string_equal(err.message,
                        "sweep at cpu_limit=0.01 cpu_period=10ms: f:2:24: cpu_limit: 0.01 CPUs of "
                        "a period of 10ms are less than 1ms");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_null(p.points);
    scenario_release(&s);
}

static void thousand_points(void **state)
{
    cleanup_text struct text yaml = {0};
    struct plan p;

    (void)state;
    text_add(&yaml, "bench: 1\nrepeat: 1\nsweep:\n  jobs: [1");
    for (int i = 2; i <= 1000; i++)
        text_add(&yaml, ", %d", i);
    text_add(&yaml, "]\n");
    make(&p, text_get(&yaml));
    assert_int_equal(p.n_steps, 1000);
    assert_int_equal(p.points[999].scenario.jobs, 1000);
    plan_release(&p);
}

/* One per point and arm behind the first block, two behind the second: repeat is 3. */
static void captures_that_perturb_follow_the_blocks(void **state)
{
    enum { CELLS = 4 };
    size_t own = 0;
    struct plan p;

    (void)state;
    make(&p, "bench: 1\nseed: 3\nrepeat: 2\nrelays: [none, fast]\nsweep: {jobs: [1, 10]}\n"
             "capture: [stat, {record: {repeat: 3}}]\n");
    assert_int_equal(p.n_steps, 2 * CELLS + 3 * CELLS);
    for (size_t i = 0; i < p.n_steps; i++) {
        const struct step *step = &p.steps[i];
        bool apart = (i >= CELLS && i < 2 * CELLS) || i >= 3 * CELLS;

        assert_int_equal(step->index, i + 1);
        assert_int_equal(step->block, i < 2 * CELLS ? 1 : 2);
        assert_string_equal(step->purpose, apart ? "capture:record" : "measure");
        assert_ptr_equal(step->capture, apart ? &step->point->scenario.captures[1] : NULL);
        own += apart && step->point == &p.points[1] && step->arm == 0;
    }
    assert_int_equal(own, 3);
    plan_release(&p);
}

static void an_arm_that_chooses_has_none_apart(void **state)
{
    struct plan p;

    (void)state;
    make(&p, "bench: 1\nrepeat: 2\ncapture: [record]\n"
             "relays: [{name: bare, plugin: none, capture: []}, fast]\n");
    assert_int_equal(p.n_steps, 2 * 2 + 1);
    for (size_t i = 0; i < p.n_steps; i++)
        if (p.steps[i].capture)
            assert_int_equal(p.steps[i].arm, 1);
    plan_release(&p);
}

/* Blocks that follow have none apart: neither of arms that choose nor of the others. */
static void captures_that_were_dropped_have_none_apart(void **state)
{
    struct plan first, p;
    struct scenario s;

    (void)state;
    make(&first, "bench: 1\nrepeat: 2\ncapture: [record]\n"
                 "relays: [{name: bare, plugin: none, capture: [record]}, fast]\n");
    scenario_copy(&s, &first.scenario);
    scenario_drop_captures(&s);
    assert_int_equal(plan_make(&p, &s, &test_registry, NULL), 0);
    assert_int_equal(p.n_steps, 2 * 2);
    assert_int_equal(p.points[0].scenario.n_captures, 1);
    plan_release(&p);
    plan_release(&first);
    scenario_release(&s);
}

/* Where nothing is captured apart, a seed still gives the order that it gave before. */
static void a_capture_apart_does_not_change_the_first_block(void **state)
{
    struct plan with, without;

    (void)state;
    make(&without, "bench: 1\nseed: 3\nrepeat: 1\nrelays: [none, fast]\nsweep: {jobs: [1, 10]}\n");
    make(&with, "bench: 1\nseed: 3\nrepeat: 1\nrelays: [none, fast]\nsweep: {jobs: [1, 10]}\n"
                "capture: [record]\n");
    assert_int_equal(with.n_steps, 2 * without.n_steps);
    for (size_t i = 0; i < without.n_steps; i++) {
        assert_int_equal(with.steps[i].point - with.points,
                         without.steps[i].point - without.points);
        assert_int_equal(with.steps[i].arm, without.steps[i].arm);
    }
    plan_release(&with);
    plan_release(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arm_that_chooses_has_none_apart),
        cmocka_unit_test(captures_that_were_dropped_have_none_apart),
        cmocka_unit_test(one_point),
        cmocka_unit_test(rates_that_a_search_wants),
        cmocka_unit_test(blocks_are_complete),
        cmocka_unit_test(points_of_a_sweep),
        cmocka_unit_test(seed_decides_order),
        cmocka_unit_test(drawn_seed_can_be_given),
        cmocka_unit_test(order_is_random),
        cmocka_unit_test(wrong_combination),
        cmocka_unit_test(thousand_points),
        cmocka_unit_test(captures_that_perturb_follow_the_blocks),
        cmocka_unit_test(a_capture_apart_does_not_change_the_first_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
