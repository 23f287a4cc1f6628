/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "profile/comparison.h"
#include "profile/folded.h"

enum { MOST = 6, LEAVES = 40 };

static void read_text(struct stacks *s, const char *text)
{
    cleanup_file FILE *in = fmemopen((void *)text, strlen(text), "r");
    struct bench_error err = {0};

    assert_int_equal(folded_read(s, NULL, in, "text", &err), 0);
}

static uint32_t find(const struct comparison *c, const char *name)
{
    for (uint32_t i = 1; i < stacks_nodes(c->tree); i++)
        if (strcmp(stacks_frame(c->tree, i)->name, name) == 0)
            return i;
    fail_msg("no frame '%s'", name);
    return 0;
}

static void means_per_unit(void **state)
{
    cleanup_stacks struct stacks *a = stacks_new(), *b = stacks_new(), *c = stacks_new();
    struct comparison x;
    uint32_t f, old, new;

    (void)state;
    read_text(a, "main;f 10\nmain;old 4\nmain 2\n");
    read_text(b, "main;f 30\n");
    read_text(c, "main;f 5\nmain;new 5\n");
    comparison_make(&x, (struct profile[]){{a, 2, 0}, {b, 10, 0}}, 2,
                    (struct profile[]){{c, 0.5, 0}}, 1, 0.001);
    assert_int_equal(x.rule, COMPARISON_NONE);
    f = find(&x, "f");
    old = find(&x, "old");
    new = find(&x, "new");
    assert_true(x.before[f] == (10 / 2.0 + 30 / 10.0) / 2 && x.after[f] == 10);
    assert_true(x.before[old] == 1 && x.after[old] == 0);
    assert_true(x.before[new] == 0 && x.after[new] == 10);
    assert_true(x.before[STACKS_ROOT] == (16 / 2.0 + 30 / 10.0) / 2 && x.after[STACKS_ROOT] == 20);
    assert_true(x.self_before[find(&x, "main")] == 0.5 && x.self_after[find(&x, "main")] == 0);
    for (uint32_t i = 0; i < stacks_nodes(x.tree); i++)
        assert_true(isnan(x.p[i]));
    comparison_release(&x);
}

/* Of counts, one repetition each suffices. */
static void counts_are_tested_without_repeats(void **state)
{
    cleanup_stacks struct stacks *a = stacks_new(), *b = stacks_new(), *c = stacks_new();
    struct comparison x;

    (void)state;
    read_text(a, "tiny 1\nf 5\nbig 999994\n");
    read_text(b, "big 4000000\n");
    read_text(c, "big 1000000\n");
    /* The weights of b are nanoseconds, 4 to a sample; its load was twice that of a. */
    comparison_make(&x, (struct profile[]){{a, 1, 1000000}}, 1, (struct profile[]){{b, 2, 1000000}},
                    1, 0.01);
    assert_int_equal(x.rule, COMPARISON_COUNTS);
    assert_true(x.after[STACKS_ROOT] == 2000000 && x.before[STACKS_ROOT] == 1000000);
    assert_true(isnan(x.p[find(&x, "tiny")]) && isnan(x.p[find(&x, "f")])); /* too small to ask */
    assert_true(x.p[find(&x, "big")] < 1e-6);
    comparison_release(&x);
    comparison_make(&x, (struct profile[]){{a, 1, 1000000}}, 1, (struct profile[]){{c, 1, 1000000}},
                    1, 0.01);
    assert_true(x.p[find(&x, "big")] > 0.9);
    comparison_release(&x);
}

static double uniform(struct random *r)
{
    return (double)(random_next(r) >> 11) * 0x1p-53;
}

static double poisson(struct random *r, double mean)
{
    double n = 0;

    for (double t = -log(uniform(r)); t < mean; t -= log(uniform(r)))
        n++;
    return n;
}

/* A program of LEAVES functions that is sampled `n` times over; the cost of "leaf0" is multiplied
 * by `factor`. With `vary`, repetitions differ by up to ±20% beyond sampling. */
static void simulate(struct random *r, struct profile *ret, size_t n, bool vary, double factor)
{
    for (size_t i = 0; i < n; i++) {
        double pace = vary ? 0.8 + 0.4 * uniform(r) : 1;

        ret[i] = (struct profile){.stacks = stacks_new(), .divisor = 1};
        for (int k = 0; k < LEAVES; k++) {
            char middle[16], leaf[16];
            struct frame f[] = {{.name = "main"}, {.name = middle}, {.name = leaf}};

            snprintf(middle, sizeof(middle), "part%d", k % 5);
            snprintf(leaf, sizeof(leaf), "leaf%d", k);
            stacks_add(ret[i].stacks, f, 3, poisson(r, (5 + k) * pace * (k == 0 ? factor * 4 : 1)));
        }
        ret[i].samples = stacks_total(ret[i].stacks);
    }
}

static void release(struct profile *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        stacks_free(p[i].stacks);
}

/* In how many of `pictures` any frame, or that of leaf0, is called different. */
static void count_called(uint64_t seed, int pictures, size_t n, bool vary, double factor,
                         int *ret_any, int *ret_leaf)
{
    struct random r = {.state = seed};

    *ret_any = *ret_leaf = 0;
    for (int i = 0; i < pictures; i++) {
        struct profile before[MOST], after[MOST];
        struct comparison c;
        bool any = false;

        simulate(&r, before, n, vary, 1);
        simulate(&r, after, n, vary, factor);
        comparison_make(&c, before, n, after, n, 0.001);
        for (uint32_t k = 0; k < stacks_nodes(c.tree); k++)
            any |= c.p[k] <= COMPARISON_LEVEL;
        *ret_any += any;
        *ret_leaf += c.p[find(&c, "leaf0")] <= COMPARISON_LEVEL;
        comparison_release(&c);
        release(before, n);
        release(after, n);
    }
}

/* When nothing differs, at most 5% of the pictures show anything; three standard deviations more.
 */
static void false_alarms(void **state)
{
    enum { PICTURES = 400 };
    int any, leaf;

    (void)state;
    count_called(11, PICTURES, 1, false, 1, &any, &leaf);
    assert_true(any <= 0.05 * PICTURES + 3 * sqrt(0.05 * 0.95 * PICTURES));
    count_called(12, PICTURES, MOST, true, 1, &any, &leaf);
    assert_true(any <= 0.05 * PICTURES + 3 * sqrt(0.05 * 0.95 * PICTURES));
}

/* A function that became four times as expensive is found, nearly always: its whole path moves. */
static void what_differs_is_found(void **state)
{
    int any, leaf;

    (void)state;
    count_called(13, 50, 1, false, 4, &any, &leaf);
    assert_true(leaf >= 48);
    count_called(14, 50, MOST, false, 4, &any, &leaf);
    assert_true(leaf >= 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_per_unit),
        cmocka_unit_test(counts_are_tested_without_repeats),
        cmocka_unit_test(false_alarms),
        cmocka_unit_test(what_differs_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
