/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dry_run.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "run/describe.h"

static void print_file(const struct process_file *file)
{
    const char *line = text_get(&file->content);

    printf("           %s:\n", file->name);
    while (*line) {
        size_t n = strcspn(line, "\n");

        printf("             %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* What makes the client send the next request; workloads without requests know no rate. */
static void print_rate(const struct scenario *s)
{
    if (s->rate > 0)
        printf("open loop, %g requests/s, %s arrivals\n", s->rate,
               s->arrivals == ARRIVALS_POISSON ? "poisson" : "constant");
}

static void print_member(const struct member *m)
{
    printf("  %-8s ", m->name);
    if (m->process.main)
        printf("(built in)%s", m->process.argv.count ? " " : "");
    for (size_t i = 0; i < m->process.argv.count; i++)
        printf("%s%s", i ? " " : "", i ? m->process.argv.items[i] : m->process.program);
    putchar('\n');
    for (size_t i = 0; i < m->process.n_files; i++)
        print_file(&m->process.files[i]);
}

/* Ports stand for the kernel's choice. */
static int print_arm(const struct point *point, size_t arm, struct bench_error *err)
{
    struct cast cast;
    int result;

    cast_init(&cast, point, arm, "DIR", 0);
    for (size_t i = 0; i < cast.n_ports; i++)
        cast.ports[i] = (uint16_t)(10001 + i);
    result = cast_describe(&cast, err);
    if (result == 0) {
        printf("\narm '%s'%s%s:\n", point->scenario.arms[arm].name, point->label[0] ? ", " : "",
               point->label);
        for (size_t i = 0; i < cast.count; i++)
            print_member(&cast.members[cast_start_order(&cast, i)]);
    }
    cast_release(&cast);
    return result;
}

int dry_run_print(const struct plan *plan, bool commands, struct bench_error *err)
{
    const struct point *first = &plan->points[0];
    int64_t length = 0;
    char text[32];

    for (size_t i = 0; i < plan->n_steps; i++)
        length +=
            plan->steps[i].point->scenario.warmup_ns + plan->steps[i].point->scenario.duration_ns;
    printf("%zu repetitions: blocks %u, arms %zu, points %zu; seed %llu; warm-up and windows take "
           "%s\n",
           plan->n_steps, plan->blocks, first->scenario.n_arms, plan->n_points,
           (unsigned long long)plan->seed, format_duration(length, text, sizeof(text)));
    print_rate(&first->scenario);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *s = &plan->steps[i];

        printf("%5u  block %-4u %-20s %s\n", s->index, s->block,
               s->point->scenario.arms[s->arm].name, s->point->label);
    }
    for (size_t arm = 0; commands && arm < first->scenario.n_arms; arm++)
        if (print_arm(first, arm, err) < 0)
            return -1;
    return 0;
}
