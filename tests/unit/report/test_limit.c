/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "report/limit.h"

#include "example.h"

/* CPU used by each; negative: not known. */
struct usage {
    double client, server, relay_1, relay_2, idle;
    double limit, throttled; /* of the hops; 0: none */
    const char *pin;         /* of the client */
};

static double around; /* throttled by a quota around bench; 0: there is none */
static double allowed; /* CPUs on which the bench may run; 0: not known */

static struct limit limit_of(const struct usage *u, double cpus, double jobs)
{
    const struct {
        const char *role;
        double used;
    } roles[] = {{"server", u->server},
                 {"client", u->client},
                 {"relay_1", u->relay_1},
                 {"relay_2", u->relay_2}};
    struct repetition_record r;
    struct metric_pool pool = {0};
    struct metric_set set;
    struct example e = {0};
    struct limit found;

    example_record(&r, 1, 1, "nginx", "nginx", "", u->relay_1 < 0 ? 0 : u->relay_2 < 0 ? 1 : 2);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        if (roles[i].used < 0)
            continue;
        example_add_role(&r, roles[i].role, i >= 2 ? u->limit : 0, NULL);
        example_add(&e, roles[i].role, "cpu_ns", roles[i].used * 1e9);
        if (i >= 2 && u->limit > 0) {
            example_add(&e, roles[i].role, "periods", 1000);
            example_add(&e, roles[i].role, "throttled_periods", 1000 * u->throttled);
        }
        if (i == 1)
            r.roles[r.n_roles - 1].cpus = xstrdup(u->pin);
    }
    if (u->idle >= 0)
        example_machine(&e, u->idle);
    if (around > 0) {
        example_add(&e, "around", "periods", 1000);
        example_add(&e, "around", "throttled_periods", 1000 * around);
    }
    example_series(&e, &r.series);
    metrics_compute(&r, &pool, &set);
    limit_find(&r, &set, &(struct limit_context){.cpus = cpus, .allowed = allowed, .jobs = jobs},
               &found);
    metric_set_release(&set);
    metric_pool_release(&pool);
    record_release(&r);
    return found;
}

static void check(const struct usage *u, double cpus, double jobs, const char *role,
                  const char *why)
{
    struct limit found = limit_of(u, cpus, jobs);

    assert_string_equal(found.role, role);
    assert_string_equal(found.why, why);
    assert_int_equal(found.relay, strncmp(role, "relay_", 6) == 0);
}

static void a_relay_at_its_quota(void **state)
{
    (void)state;
    check(&(struct usage){0.4, 0.4, 0.99, 0.96, 0.5, 1, 0, NULL}, 8, 2, "relay_1",
          "relay_1 used 0.99 CPU, 99% of the 1 of its limit");
    /* also when the whole machine is busy: the quota is what it would hit first */
    check(&(struct usage){0.3, 0.3, 0.3, 0.49, 0, 0.5, 0, NULL}, 2, 2, "relay_2",
          "relay_2 used 0.49 CPU, 98% of the 0.5 of its limit");
    check(&(struct usage){0.4, 0.4, 0.94, 0.3, 0.5, 1, 0.05, NULL}, 8, 2, "nothing",
          "every role waited: CPUs 50% idle; most CPU used relay_1: 0.94");
}

/* Before all else: it may be what kept the relay below its own. */
static void a_quota_around_bench(void **state)
{
    struct usage u = {0.1, 0.1, 0.3, -1, 0.5, 0.3, 0.9, NULL};

    (void)state;
    assert_string_equal(limit_of(&u, 4, 10).role, "relay_1");
    around = 0.5;
    check(&u, 4, 10, "quota", "the CPU quota around bench: throttled in 50% of its periods");
    around = 0;
}

static void a_throttled_relay(void **state)
{
    (void)state;
    check(&(struct usage){0.4, 0.4, 0.6, -1, 0.5, 1, 0.5, NULL}, 8, 2, "relay_1",
          "relay_1 used 0.6 CPU and was throttled in 50% of the periods");
    check(&(struct usage){0.4, 0.4, 0.6, -1, 0.5, 1, 0.1, NULL}, 8, 2, "nothing",
          "every role waited: CPUs 50% idle; most CPU used relay_1: 0.6");
}

static void one_busy_thread(void **state)
{
    (void)state;
    check(&(struct usage){0.4, 0.4, 0.99, -1, 0.5, 0, 0, NULL}, 8, 4, "relay_1",
          "relay_1 used 0.99 CPU: one busy thread");
    check(&(struct usage){0.4, 0.98, 0.5, -1, 0.5, 0, 0, NULL}, 8, 4, "server",
          "server used 0.98 CPU: one busy thread");
    /* more than one thread, so not at the end of one */
    check(&(struct usage){0.4, 0.4, 1.3, -1, 0.5, 0, 0, NULL}, 8, 4, "nothing",
          "every role waited: CPUs 50% idle; most CPU used relay_1: 1.3");
}

static void the_ends(void **state)
{
    (void)state;
    check(&(struct usage){1.95, 1.2, 0.5, -1, 0.5, 1, 0, NULL}, 8, 2, "client",
          "client used 1.95 CPU, 98% of the 2 that its jobs can use");
    check(&(struct usage){0.97, 0.5, 0.5, -1, 0, 1, 0, "3"}, 4, 8, "client",
          "client used 0.97 CPU, 97% of the 1 that it is pinned to");
    check(&(struct usage){0.2, 1.94, -1, -1, 0, 0, 0, NULL}, 2, 0, "server",
          "server used 1.94 CPU, 97% of the 2 of the machine");
}

static void the_machine(void **state)
{
    (void)state;
    /* of four CPUs */
    check(&(struct usage){0.8, 0.85, 0.9, 0.8, 0.02, 1, 0, NULL}, 4, 2, "cpu",
          "all CPUs of the machine busy, 2.0% idle; most by relay_1: 0.9");
    check(&(struct usage){1.4, 1.5, -1, -1, 0.04, 0, 0, NULL}, 4, 2, "cpu",
          "all CPUs of the machine busy, 4.0% idle; most by server: 1.5");
    check(&(struct usage){0.4, 0.5, 0.6, 0.4, 0.02, 1, 0, NULL}, 4, 2, "cpu",
          "all CPUs of the machine busy, 2.0% idle; most by other processes: 1.63");
}

static void what_is_not_known(void **state)
{
    (void)state;
    check(&(struct usage){-1, -1, -1, -1, -1, 0, 0, NULL}, 0, 0, "unknown",
          "the CPU of no role is known");
    check(&(struct usage){0.4, 0.4, 0.3, -1, -1, 1, 0, NULL}, 0, 0, "nothing",
          "no role was at its end; most CPU used client: 0.4");
}
/* The scheduler charged the client's time to the server; a limit acts on its account all the same.
 */
static void by_task_clock(void **state)
{
    struct repetition_record r;
    struct metric_pool pool = {0};
    struct metric_set set;
    struct example e = {0};

    (void)state;
    example_record(&r, 1, 1, "nginx", "nginx", "", 1);
    example_add_role(&r, "server", 0, NULL);
    example_add_role(&r, "client", 0, NULL);
    example_add_role(&r, "relay_1", 1, NULL);
    example_add(&e, "server", "cpu_ns", 0.9e9);
    example_add(&e, "client", "cpu_ns", 1.2e9);
    example_add(&e, "relay_1", "cpu_ns", 0.8e9);
    example_event(&e, "server", "task-clock", 0.1e9, 1);
    example_event(&e, "client", "task-clock", 1.99e9, 1);
    example_event(&e, "relay_1", "task-clock", 0.7e9, 1);
    example_series(&e, &r.series);
    metrics_compute(&r, &pool, &set);
    assert_float_equal(limit_cpus(&r, &set, "client"), 1.99, 1e-6);
    assert_float_equal(limit_cpus(&r, &set, "server"), 0.1, 1e-6);
    assert_float_equal(limit_cpus(&r, &set, "relay_1"), 0.8, 1e-6);
    r.series.columns[series_find(&r.series, "client.event:task-clock")].reason =
        xstrdup("user only");
    metric_set_release(&set);
    metrics_compute(&r, &pool, &set);
    assert_float_equal(limit_cpus(&r, &set, "client"), 1.2, 1e-6);
    metric_set_release(&set);
    metric_pool_release(&pool);
    record_release(&r);
}

/* A bench on 2 of 8 CPUs: that the others are idle helps nobody. */
static void some_of_the_machine(void **state)
{
    (void)state;
    allowed = 2;
    check(&(struct usage){0.5, 0.4, 1.05, -1, 0.75, 0, 0, NULL}, 8, 4, "cpu",
          "all of the 2 CPU that the bench may use busy; most by relay_1: 1.05");
    check(&(struct usage){0.05, 0.03, 1.94, -1, 0.75, 0, 0, NULL}, 8, 4, "relay_1",
          "relay_1 used 1.94 CPU, 97% of the 2 that the bench may use");
    check(&(struct usage){0.5, 0.4, 0.6, -1, 0.8, 0, 0, NULL}, 8, 4, "nothing",
          "every role waited: CPUs 80% idle; most CPU used relay_1: 0.6");
    /* pinned elsewhere: the list of the bench does not hold for them */
    check(&(struct usage){0.6, 0.5, 0.9, -1, 0.75, 0, 0, "3-4"}, 8, 4, "nothing",
          "every role waited: CPUs 75% idle; most CPU used relay_1: 0.9");
    allowed = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_at_its_quota), cmocka_unit_test(a_throttled_relay),
        cmocka_unit_test(a_quota_around_bench),
        cmocka_unit_test(one_busy_thread),      cmocka_unit_test(the_ends),
        cmocka_unit_test(the_machine),          cmocka_unit_test(some_of_the_machine),
        cmocka_unit_test(by_task_clock),        cmocka_unit_test(what_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
