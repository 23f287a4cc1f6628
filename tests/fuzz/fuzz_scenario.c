/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes are a scenario or an error with a place. A scenario that is accepted
 * can be planned, and its JSON reads back as the same scenario.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/scenario/plugins.h"
#include "plan/plan.h"
#include "scenario/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what, const char *detail)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz_scenario: %s: %s\n", what, detail);
    abort();
}

/* Reads and checks; the error has its place. */
static bool accepted(struct scenario *s, const char *data, size_t size, struct bench_error *err)
{
    struct yaml_tree tree = {0};
    int result = yaml_tree_parse(&tree, "f", data, size, err);

    scenario_init(s);
    if (result == 0)
        result = scenario_read_tree(s, &tree, err);
    yaml_tree_release(&tree);
    if (result == 0)
        result = scenario_check(s, &test_registry, test_capture_known, err);
    if (result == 0)
        return true;
    must(err->kind == BENCH_ERROR_USAGE, "error of the wrong kind", err->message);
    must(strncmp(err->message, "f:", 2) == 0, "error without a place", err->message);
    return false;
}

static char *dump(const struct scenario *s)
{
    json_t *json = scenario_json(s);
    char *text = json_dumps(json, 0);

    must(text != NULL, "no JSON", s->name);
    json_decref(json);
    return text;
}

static void read_back(const struct scenario *s)
{
    cleanup_free char *first = dump(s), *second = NULL;
    struct bench_error err = {0};
    struct scenario again;

    must(accepted(&again, first, strlen(first), &err), err.message, first);
    second = dump(&again);
    must(strcmp(first, second) == 0, second, first);
    scenario_release(&again);
}

static void make_plan(const struct scenario *s)
{
    size_t repetitions = (size_t)s->repeat;
    struct bench_error err = {0};
    struct plan plan;

    if (plan_make(&plan, s, &test_registry, &err) < 0) {
        must(strncmp(err.message, "sweep at ", 9) == 0, "no plan", err.message);
        return;
    }
    for (size_t i = 0; i < s->n_captures; i++)
        repetitions += (size_t)s->captures[i].repetitions;
    must(plan.n_steps == plan.n_points * s->n_arms * repetitions, "steps are missing", s->name);
    plan_release(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench_error err = {0};
    struct scenario s;

    if (accepted(&s, (const char *)data, size, &err)) {
        read_back(&s);
        make_plan(&s);
    }
    scenario_release(&s);
    return 0;
}
