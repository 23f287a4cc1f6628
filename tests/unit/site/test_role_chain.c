/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins are told of a role: that of their own arm, hop and point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../run/fake_plugins.h"
#include "site/role_chain.h"

#define ARMS                                                                                  \
    "bench: 1\nseed: 1\nname: t\nworkload: work\nhops: 2\ncpu_limit: 1\njobs: 3\nrate: 50\n"  \
    "relays:\n  - none\n  - {name: a, plugin: fast, path: /opt/a, env: {PATH: /opt/a/bin}}\n" \
    "  - {name: b, plugin: fast, cpu_limit: 0.5}\n  - {name: c, plugin: fast, cpu_limit: 0}\n"

static void composed(struct role_chain *c, const struct point *point, size_t arm)
{
    struct bench_error err = {0};

    role_chain_init(c, point, arm, "/r", 7);
    for (size_t i = 0; i < c->n_ports; i++)
        c->ports[i] = (uint16_t)(2001 + i);
    memset(fake_hops, 0, sizeof(fake_hops));
    if (role_chain_compose(c, &err) < 0)
        fail_msg("%s", err.message);
}

static void the_limit_is_the_arms_own(void **state)
{
    static const double limits[] = {0, 1, 0.5, 0};
    struct plan plan;

    (void)state;
    fake_plan(&plan, ARMS);
    for (size_t arm = 1; arm < 4; arm++) {
        struct role_chain c;

        composed(&c, &plan.points[0], arm);
        for (size_t hop = 0; hop + 2 < c.count; hop++)
            assert_true(fake_hops[hop].cpu_limit == limits[arm]);
        role_chain_release(&c);
    }
    plan_release(&plan);
}

static void hops_ports_and_addresses(void **state)
{
    struct role_chain c;
    struct plan plan;

    (void)state;
    fake_plan(&plan, ARMS);
    composed(&c, &plan.points[0], 1);
    assert_int_equal(c.count, 4);
    assert_int_equal(c.client, 3);
    assert_int_equal(c.n_ports, 1 + 2 * 3);
    assert_int_equal(c.roles[0].role.listen.port, 2001);
    assert_int_equal(c.roles[3].role.connect.port, 2002);
    assert_int_equal(fake_hops[0].index, 1);
    assert_int_equal(fake_hops[0].count, 2);
    assert_int_equal(fake_hops[0].listen.port, 2002);
    assert_int_equal(fake_hops[0].upstream.port, 2005);
    assert_int_equal(fake_hops[0].ports - c.ports, 2);
    assert_int_equal(fake_hops[0].next_ports - c.ports, 5);
    assert_int_equal(fake_hops[1].listen.port, 2005);
    assert_int_equal(fake_hops[1].upstream.port, 2001);
    assert_null(fake_hops[1].next_ports);
    assert_string_equal(fake_hops[1].directory, "/r/relay_2");
    assert_int_equal(fake_hops[1].connections, 3);
    assert_string_equal(fake_hops[1].protocol, "tcp");
    role_chain_release(&c);
    /* Without a relay the client is at the server. */
    composed(&c, &plan.points[0], 0);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.roles[1].role.connect.port, 2001);
    role_chain_release(&c);
    plan_release(&plan);
}

static void the_program_is_the_arms_own(void **state)
{
    struct role_chain c;
    struct plan plan;

    (void)state;
    fake_plan(&plan, ARMS);
    composed(&c, &plan.points[0], 1);
    assert_string_equal(c.roles[1].process.search, "/opt/a");
    assert_string_equal(c.roles[2].process.search_path, "/opt/a/bin");
    assert_string_equal(c.roles[2].reader.search, "/opt/a");
    assert_string_equal(c.roles[1].process.environment.items[0], "PATH=/opt/a/bin");
    assert_string_equal(c.roles[2].reader.environment.items[0], "PATH=/opt/a/bin");
    for (size_t end = 0; end < 4; end += 3) {
        assert_null(c.roles[end].process.search);
        assert_int_equal(c.roles[end].process.environment.count, 0);
    }
    role_chain_release(&c);
    composed(&c, &plan.points[0], 2);
    assert_null(c.roles[1].process.search);
    assert_int_equal(c.roles[1].process.environment.count, 0);
    role_chain_release(&c);
    plan_release(&plan);
}

static void client_and_server_are_told_the_points_load(void **state)
{
    struct role_chain c;
    struct plan plan;

    (void)state;
    fake_plan(&plan, "bench: 1\nseed: 1\nworkload: work\nwarmup: 1s\nduration: 2s\nrelays: [fast]\n"
                     "sweep: {jobs: [1, 10], rate: [0, 50], hops: [1, 3]}\n");
    assert_int_equal(plan.n_points, 8);
    for (size_t i = 0; i < plan.n_points; i++) {
        const struct scenario *s = &plan.points[i].scenario;

        composed(&c, &plan.points[i], 0);
        assert_int_equal(c.count, s->hops + 2);
        assert_int_equal(fake_hops[0].connections, s->jobs);
        assert_int_equal(fake_hops[0].count, s->hops);
        for (size_t end = 0; end < c.count; end += c.client) {
            const struct bench_role *role = &c.roles[end].role;

            assert_int_equal(role->jobs, s->jobs);
            assert_true(role->rate == s->rate);
            assert_int_equal(role->seed, 7);
            assert_int_equal(role->warmup_ns, NS_PER_S);
            assert_int_equal(role->duration_ns, 2 * NS_PER_S);
            assert_string_equal(role->server_directory, "/r/server");
        }
        role_chain_release(&c);
    }
    plan_release(&plan);
}

static void order_of_starts(void **state)
{
    static const size_t order[] = {0, 3, 2, 1, 4};
    const struct role_chain c = {.count = 5, .client = 4};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        assert_int_equal(role_chain_start_order(&c, i), order[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_the_arms_own),
        cmocka_unit_test(hops_ports_and_addresses),
        cmocka_unit_test(the_program_is_the_arms_own),
        cmocka_unit_test(client_and_server_are_told_the_points_load),
        cmocka_unit_test(order_of_starts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
