/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dry_run.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "site/local.h"
#include "site/role_chain.h"
#include "study/saturation.h"
#include "study/warmup.h"

/* What makes the client send the next request; workloads without requests know no rate. */
static void print_rate(const struct scenario *s)
{
    if (s->rate > 0)
        say_out("open loop, %g requests/s, %s arrivals\n", s->rate,
                s->arrivals == ARRIVALS_POISSON ? "poisson" : "constant");
}

static void add_file(const struct process_file *file, struct text *ret)
{
    const char *line = text_get(&file->content);

    text_add(ret, "           %s:\n", file->name);
    while (*line) {
        size_t n = strcspn(line, "\n");

        text_add(ret, "             %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* Its command and files. */
static char *describe_role(const struct chain_role *m)
{
    struct text t = {0};

    text_add(&t, "  %-8s ", m->name);
    if (m->process.main)
        text_add(&t, "(built in)%s", m->process.argv.count ? " " : "");
    for (size_t i = 0; i < m->process.argv.count; i++)
        text_add(&t, "%s%s", i ? " " : "", i ? m->process.argv.items[i] : m->process.program);
    text_add(&t, "\n");
    for (size_t i = 0; i < m->process.n_files; i++)
        add_file(&m->process.files[i], &t);
    return text_take(&t);
}

/* Ports stand for the kernel's choice. */
static void init_chain(struct role_chain *c, const struct point *point, size_t arm)
{
    role_chain_init(c, point, arm, "DIR", 0);
    for (size_t i = 0; i < c->n_ports; i++)
        c->ports[i] = (uint16_t)(10001 + i);
}

static int describe_arm(const struct point *point, size_t arm, struct strings *ret,
                        struct bench_error *err)
{
    struct role_chain chain;
    int result;

    init_chain(&chain, point, arm);
    result = role_chain_describe(&chain, err);
    for (size_t i = 0; result == 0 && i < chain.count; i++) {
        cleanup_free char *member = describe_role(&chain.roles[role_chain_start_order(&chain, i)]);

        strings_add(ret, member);
    }
    role_chain_release(&chain);
    return result;
}

/* At the first point everything, at the others what is not the same there. */
static int print_arm(const struct plan *plan, size_t arm, struct bench_error *err)
{
    const char *name = plan->points[0].scenario.arms[arm].name;
    cleanup_strings struct strings first = {0};

    for (size_t p = 0; p < plan->n_points; p++) {
        const struct point *point = &plan->points[p];
        cleanup_strings struct strings own = {0};
        struct bench_error refusal = {0};
        size_t same = 0;

        if (describe_arm(point, arm, p ? &own : &first, &refusal) < 0) {
            if (refusal.kind == BENCH_ERROR_ENVIRONMENT)
                return 0; /* say_obstacles() says it */
            *err = refusal;
            return -1;
        }
        say_out("\narm '%s'%s%s", name, point->label[0] ? ", " : "", point->label);
        if (point->scenario.arms[arm].cpu_limit >= 0)
            say_out(", CPU limit %g", point->scenario.arms[arm].cpu_limit);
        say_out(":\n");
        for (size_t i = 0; p == 0 && i < first.count; i++)
            say_out("%s", first.items[i]);
        for (size_t i = 0; i < own.count; i++) {
            if (strings_has(&first, own.items[i]))
                same++;
            else
                say_out("%s", own.items[i]);
        }
        if (same)
            say_out("  %s as at %s\n", same == own.count ? "commands and files" : "the others",
                    plan->points[0].label);
    }
    return 0;
}

int dry_run_check(const struct plan *plan, struct bench_error *err)
{
    for (size_t p = 0; p < plan->n_points; p++) {
        if (point_check_interleaving(&plan->points[p], err) < 0)
            return -1;
        for (size_t arm = 0; arm < plan->points[p].scenario.n_arms; arm++) {
            struct bench_error refusal = {0};
            struct role_chain chain;
            bool refused;

            init_chain(&chain, &plan->points[p], arm);
            refused =
                role_chain_compose(&chain, &refusal) < 0 && refusal.kind != BENCH_ERROR_ENVIRONMENT;
            role_chain_release(&chain);
            if (refused) {
                *err = refusal;
                return -1;
            }
        }
    }
    return 0;
}

/* Says everything that stands in the way here. Returns the exit status. */
static int say_obstacles(const struct plan *plan)
{
    struct containment c = {.guardian_pipe = -1};
    struct obstacles found = {0};
    struct bench_error err = {0};
    int status = 0;

    if (containment_start(&c, &err) < 0)
        return cli_error(&err);
    local_obstacles(&c, plan, &found);
    for (size_t i = 0; i < found.count; i++) {
        int code = cli_error(&found.items[i]);

        status = status ? status : code;
    }
    obstacles_release(&found);
    if (containment_stop(&c, &err) < 0)
        status = cli_error(&err);
    return status;
}

int dry_run_print(const struct plan *plan, bool verbose, struct bench_error *err)
{
    const struct point *first = &plan->points[0];
    int64_t length = 0;

    if (dry_run_check(plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->n_steps; i++)
        length +=
            plan->steps[i].point->scenario.warmup_ns + plan->steps[i].point->scenario.duration_ns;
    say_out(
        "%zu repetition%s: blocks %u, arms %zu, points %zu; seed %llu; warm-up and windows take "
        "%.4g s\n",
        plan->n_steps, plural(plan->n_steps), plan->blocks, first->scenario.n_arms, plan->n_points,
        (unsigned long long)plan->seed, (double)length * 1e-9);
    if (plan->scenario.warmup_ns == WARMUP_AUTO)
        say_out("warmup: auto: these are %d pilots of every arm, from cold; then %lld blocks with "
                "the warm-up that they show\n",
                WARMUP_PILOTS, (long long)plan->scenario.repeat);
    if (plan->scenario.rate == RATE_AUTO)
        say_out(
            "rate: auto: these are the first of a search for the highest rate at which every arm "
            "keeps up;\nthen %lld blocks × %zu arms × %d rates, 20%% to 95%% of it\n",
            (long long)plan->scenario.repeat, first->scenario.n_arms, SATURATION_RATES);
    for (size_t i = 0; i < plan->scenario.left_out.count; i++)
        say_out("left out, this machine lacks these CPUs: %s\n", plan->scenario.left_out.items[i]);
    print_rate(&first->scenario);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *s = &plan->steps[i];

        say_out("%5u  block %-4u %-20s %s%s%s\n", s->index, s->block,
                s->point->scenario.arms[s->arm].name, s->point->label,
                s->capture && s->point->label[0] ? " " : "", s->capture ? s->purpose : "");
    }
    for (size_t arm = 0; verbose && arm < first->scenario.n_arms; arm++)
        if (print_arm(plan, arm, err) < 0)
            return -1;
    return say_obstacles(plan);
}
