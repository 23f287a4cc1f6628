/* SPDX-License-Identifier: Apache-2.0 */
/* One arm: the order of things, and every end that a repetition can have. */
#include "fake_site.h"

#define TWO_HOPS                                                                                 \
    "bench: 1\nseed: 1\nname: t\nworkload: work\nhops: 2\nrepeat: 1\nwarmup: 1s\nduration: 2s\n" \
    "tick: 100ms\nrelays: [fast]\n"
#define THREE                                                                                    \
    "bench: 1\nseed: 1\nname: t\nworkload: work\nhops: 2\nrepeat: 3\nwarmup: 1s\nduration: 2s\n" \
    "tick: 100ms\nrelays: [fast]\n"
#define TOOL                                                                            \
    "bench: 1\nseed: 1\nname: t\nworkload: tool\nrepeat: 1\nwarmup: 1s\nduration: 2s\n" \
    "tick: 100ms\nrelays: [none]\n"

#define STARTED                                                                              \
    "prepare hold captures release:server identify:server release:relay_2 identify:relay_2 " \
    "release:relay_1 identify:relay_1 release:client identify:client "
#define STOPPED                                                                                  \
    "resume ask:client stop:client ask:server ask:relay_1 ask:relay_2 stop:server stop:relay_1 " \
    "stop:relay_2 "

static const struct repetition_record *only_record(const struct fake *f)
{
    assert_int_equal(f->run.n_repetitions, 1);
    return &f->run.repetitions[0];
}

static void order_of_starts_and_stops(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    fake_run(&f, TWO_HOPS);
    assert_int_equal(f.result, 0);
    assert_int_equal(f.outcome, RUNNER_COMPLETE);
    assert_int_equal(f.failed, 0);
    assert_string_equal(text_get(&f.log),
                        STARTED "phase:warm-up statistics:before begin slice sliced end "
                                "statistics:after " STOPPED "valid finish remove");
    assert_string_equal(text_get(&f.progress), "start:1 stop:1 done:1");
    fake_release_all(&f);
}

static void a_record_is_complete(void **state)
{
    const struct repetition_record *r;
    const int64_t started = FAKE_BEGIN + (1 + 4 * 2) * NS_PER_MS; /* held, then four roles */
    const int64_t begin = started + NS_PER_S + 5 * NS_PER_MS;     /* warm-up, statistics */
    struct fake f;

    (void)state;
    fake_init(&f);
    fake_run(&f, TWO_HOPS);
    r = only_record(&f);
    assert_true(r->ok && r->error.kind == BENCH_ERROR_NONE);
    assert_int_equal(r->index, 1);
    assert_int_equal(r->block, 1);
    assert_string_equal(r->arm, "fast");
    assert_string_equal(r->relay, "fast");
    assert_string_equal(r->point, "");
    assert_string_equal(r->purpose, "measure");
    assert_string_equal(r->delivered, "server");
    assert_string_equal(r->network, "isolated");
    assert_int_equal(r->hops, 2);
    assert_int_equal(r->seed, f.plan.steps[0].seed);
    assert_int_equal(r->started_wall_ns, FAKE_BEGIN + FAKE_OFFSET);
    assert_int_equal(r->wall_minus_monotonic_ns, FAKE_OFFSET);
    assert_int_equal(r->clock_step_ns, 0);
    assert_int_equal(r->warmup_ns, NS_PER_S);
    assert_int_equal(r->window_begin_ns, begin);
    assert_int_equal(r->window_end_ns, begin + 2 * NS_PER_S);
    assert_int_equal(r->n_slices, 0);
    /* statistics, then the client's end and the others' together */
    assert_int_equal(r->total_ns, r->window_end_ns + (5 + 2 * 3) * NS_PER_MS - FAKE_BEGIN);
    assert_int_equal(r->n_roles, 4);
    assert_string_equal(r->roles[3].name, "client");
    for (size_t i = 0; i < 4; i++)
        assert_true(!r->roles[i].forced && r->roles[i].status == 0);
    /* A sample at each edge, and one on each tick between: of the warm-up the first edge only. */
    assert_int_equal(r->series.n_rows, 1 + 9 + 2 + 19);
    assert_int_equal(r->series.times[10], begin);
    assert_int_equal(r->series.times[11], begin + 100 * NS_PER_MS);
    assert_int_equal(series_delta(&r->series, "server.bytes_received", 10, 30).value, 2 * NS_PER_S);
    fake_release_all(&f);
}

struct death {
    const char *at, *role;
    int64_t after_ns;
    const char *error; /* NULL: the repetition is good */
    const char *log;   /* from the operation of the death on */
};

/* Runs with the event; checks what the record says and how the log ends. */
static void dies(const char *yaml, const struct death *d)
{
    const struct repetition_record *r;
    const char *from;
    struct fake f;

    fake_init(&f);
    f.script[0] = (struct fake_event){FAKE_DEATH, d->at, .role = d->role, .after_ns = d->after_ns,
                                      .status = 3 << 8};
    fake_run(&f, yaml);
    assert_int_equal(f.result, 0);
    assert_int_equal(f.outcome, RUNNER_COMPLETE);
    r = only_record(&f);
    if (d->error) {
        assert_string_equal(r->error.message, d->error);
        assert_false(r->ok);
        assert_int_equal(r->error.kind, BENCH_ERROR_RUN);
        assert_int_equal(f.failed, 1);
    } else {
        assert_string_equal(r->error.message, "");
        assert_true(r->ok);
        assert_int_equal(f.failed, 0);
    }
    from = strstr(text_get(&f.log), d->at);
    assert_non_null(from);
    assert_string_equal(from, d->log);
    assert_string_equal(text_get(&f.progress), "start:1 stop:1 done:1");
    fake_release_all(&f);
}

static void every_role_dies_while_all_start(void **state)
{
    static const char *const roles[][2] = {
        {"server", "server of 'work'"},
        {"relay_1", "relay 'fast' (hop 1)"},
        {"relay_2", "relay 'fast' (hop 2)"},
        {"client", "client of 'work'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        cleanup_free char *error = xasprintf("%s: start: ended early", roles[i][1]);

        dies(TWO_HOPS, &(struct death){"hold", roles[i][0], 0, error, "hold " STOPPED "remove"});
        dies(TWO_HOPS, &(struct death){"release:relay_2", roles[i][0], NS_PER_MS, error,
                                       "release:relay_2 " STOPPED "remove"});
    }
}

static void every_role_dies_before_and_in_the_window(void **state)
{
    static const char *const roles[][2] = {
        {"server", "server of 'work'"},
        {"relay_1", "relay 'fast' (hop 1)"},
        {"relay_2", "relay 'fast' (hop 2)"},
        {"client", "client of 'work'"},
    };
    static const struct {
        const char *at, *phase, *rest;
        int64_t after_ns;
    } phases[] = {
        {"phase:warm-up", "warm-up", "phase:warm-up " STOPPED "remove", 450 * NS_PER_MS},
        {"phase:warm-up", "warm-up", "phase:warm-up " STOPPED "remove", 950 * NS_PER_MS},
        {"statistics:before", "statistics", "statistics:before " STOPPED "remove", NS_PER_MS},
        {"slice", "window",
         "slice resume break-off ask:client stop:client ask:server ask:relay_1 ask:relay_2 "
         "stop:server stop:relay_1 stop:relay_2 remove",
         NS_PER_S},
        {"slice", "window",
         "slice resume break-off ask:client stop:client ask:server ask:relay_1 ask:relay_2 "
         "stop:server stop:relay_1 stop:relay_2 remove",
         1999 * NS_PER_MS},
        {"statistics:after", "statistics", "statistics:after " STOPPED "remove", NS_PER_MS},
    };

    (void)state;
    for (size_t p = 0; p < ARRAY_SIZE(phases); p++)
        for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
            cleanup_free char *error =
                xasprintf("%s: %s: ended early", roles[i][1], phases[p].phase);

            dies(TWO_HOPS, &(struct death){phases[p].at, roles[i][0], phases[p].after_ns, error,
                                           phases[p].rest});
        }
}

/* The window is over: what was measured is good. */
static void every_role_dies_while_all_stop(void **state)
{
    static const char *const roles[] = {"server", "relay_1", "relay_2", "client"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        dies(TWO_HOPS, &(struct death){"ask:client", roles[i], NS_PER_MS, NULL,
                                       "ask:client stop:client ask:server ask:relay_1 ask:relay_2 "
                                       "stop:server stop:relay_1 stop:relay_2 valid finish "
                                       "remove"});
}

static void a_role_that_never_listens(void **state)
{
    const struct repetition_record *r;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] = (struct fake_event){FAKE_SLOW, "release:relay_2", .role = "relay_2"};
    fake_run(&f, TWO_HOPS);
    r = only_record(&f);
    assert_string_equal(r->error.message, "relay 'fast' (hop 2): start: not listening");
    assert_int_equal(f.failed, 1);
    /* To the deadline and no longer. It runs, so it is asked to stop; what is held is not. */
    assert_int_equal(r->total_ns, 3 * NS_PER_MS + f.plan.scenario.start_timeout_ns + 3 * NS_PER_MS);
    fake_release_all(&f);
}

static void a_role_that_ignores_the_request_to_stop(void **state)
{
    const struct repetition_record *r;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] = (struct fake_event){FAKE_STUBBORN, "hold", .role = "relay_1"};
    f.script[1] = (struct fake_event){FAKE_STUBBORN, "hold", .role = "client"};
    fake_run(&f, TWO_HOPS);
    r = only_record(&f);
    assert_true(r->ok);
    assert_true(r->roles[1].forced && r->roles[3].forced);
    assert_true(!r->roles[0].forced && !r->roles[2].forced);
    assert_int_equal(r->roles[1].status, 9);
    /* The grace of the client, then that of the others, which they share. */
    assert_int_equal(r->total_ns, r->window_end_ns + 5 * NS_PER_MS - FAKE_BEGIN +
                                      2 * f.plan.scenario.stop_timeout_ns);
    fake_release_all(&f);
}

static void an_operation_that_fails(void **state)
{
    static const struct {
        const char *at, *error, *rest;
    } cases[] = {
        {"prepare", "refused by the test", "prepare resume remove"},
        {"hold", "refused by the test", "hold " STOPPED "remove"},
        {"captures", "refused by the test", "captures " STOPPED "remove"},
        {"release:relay_1", "relay 'fast' (hop 1): start: refused by the test",
         "release:relay_1 " STOPPED "remove"},
        {"statistics:before", "refused by the test", "statistics:before " STOPPED "remove"},
        {"begin", "refused by the test",
         "begin resume break-off ask:client stop:client ask:server ask:relay_1 ask:relay_2 "
         "stop:server stop:relay_1 stop:relay_2 remove"},
        {"end", "refused by the test", "end " STOPPED "remove"},
        {"statistics:after", "refused by the test", "statistics:after " STOPPED "remove"},
        {"valid", "refused by the test", "valid remove"},
        {"finish", "refused by the test", "finish remove"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct repetition_record *r;
        struct fake f;

        fake_init(&f);
        f.script[0] = (struct fake_event){FAKE_ERROR, cases[i].at, .kind = BENCH_ERROR_RUN};
        fake_run(&f, TWO_HOPS);
        assert_int_equal(f.result, 0);
        assert_int_equal(f.failed, 1);
        r = only_record(&f);
        assert_string_equal(r->error.message, cases[i].error);
        assert_string_equal(strstr(text_get(&f.log), cases[i].at), cases[i].rest);
        fake_release_all(&f);
    }
}

/* What survives, or cannot be removed, ends the run; the repetition is stored. */
static void something_is_left(void **state)
{
    static const char *const ats[] = {"stop:client", "stop:relay_2", "remove"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ats); i++) {
        struct fake f;

        fake_init(&f);
        f.script[0] = (struct fake_event){FAKE_ERROR, ats[i], .kind = BENCH_ERROR_RUN};
        fake_run(&f, TWO_HOPS);
        assert_int_equal(f.result, -1);
        assert_string_equal(f.err.message, "refused by the test");
        assert_true(only_record(&f)->ok);
        assert_non_null(strstr(text_get(&f.log), "stop:relay_2 valid finish remove"));
        fake_release_all(&f);
    }
}

/* It ends the repetition at once, which leaves nothing: no record, no directory, no role. */
static void an_interrupt_in_each_phase(void **state)
{
    static const struct {
        const char *at, *rest;
        int64_t after_ns;
    } cases[] = {
        {"hold", "hold " STOPPED "remove", 0},
        {"release:server", "release:server " STOPPED "remove", NS_PER_MS},
        {"release:relay_1", "release:relay_1 " STOPPED "remove", NS_PER_MS},
        {"release:client", "release:client " STOPPED "remove", NS_PER_MS},
        {"phase:warm-up", "phase:warm-up " STOPPED "remove", 333 * NS_PER_MS},
        {"statistics:before", "statistics:before " STOPPED "remove", 2 * NS_PER_MS},
        {"slice",
         "slice resume break-off ask:client stop:client ask:server ask:relay_1 ask:relay_2 "
         "stop:server stop:relay_1 stop:relay_2 remove",
         1234 * NS_PER_MS},
        {"statistics:after", "statistics:after " STOPPED "remove", 2 * NS_PER_MS},
        /* While roles have their grace, it ends that. */
        {"ask:client",
         "ask:client stop:client ask:server ask:relay_1 ask:relay_2 stop:server stop:relay_1 "
         "stop:relay_2 remove",
         NS_PER_MS},
        {"ask:relay_1", "ask:relay_1 ask:relay_2 stop:server stop:relay_1 stop:relay_2 remove",
         200 * NS_PER_MS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t due;
        struct fake f;

        fake_init(&f);
        f.script[0] =
            (struct fake_event){FAKE_INTERRUPT, cases[i].at, .after_ns = cases[i].after_ns};
        if (strncmp(cases[i].at, "ask", 3) == 0)
            f.script[1] = (struct fake_event){FAKE_STUBBORN, "hold", .role = "relay_1"};
        fake_run(&f, TWO_HOPS);
        due = f.interrupt_ns;
        assert_int_equal(f.result, 0);
        assert_int_equal(f.outcome, RUNNER_INTERRUPTED);
        assert_int_equal(f.failed, 0);
        assert_string_equal(strstr(text_get(&f.log), cases[i].at), cases[i].rest);
        assert_string_equal(text_get(&f.progress), "start:1 stop:1");
        assert_int_equal(f.run.n_repetitions, 0);
        assert_int_not_equal(access("run/repetitions/0001-fast", F_OK), 0);
        /* Heard when it came: only the ends of client and others take their time. */
        assert_true(f.now >= due && f.now <= due + 6 * NS_PER_MS);
        fake_release_all(&f);
    }
}

/* The client of a wrapper ends by itself: that is fine when it has succeeded, and ends the window.
 */
static void a_tool_that_ends_by_itself(void **state)
{
    const struct repetition_record *r;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] = (struct fake_event){FAKE_DEATH, "slice", .role = "client",
                                      .after_ns = 1500 * NS_PER_MS, .status = 0};
    fake_run(&f, TOOL);
    r = only_record(&f);
    assert_true(r->ok);
    assert_int_equal(r->window_end_ns - r->window_begin_ns, 1500 * NS_PER_MS);
    assert_int_equal(fake_left.client_status, 0);
    assert_int_equal(fake_left.client_end_ns, r->window_end_ns + FAKE_OFFSET);
    assert_int_equal(fake_left.window_begin_ns, r->window_begin_ns + FAKE_OFFSET);
    assert_int_equal(fake_left.client_begin_ns, FAKE_BEGIN + 3 * NS_PER_MS + FAKE_OFFSET);
    fake_release_all(&f);
    dies(TOOL, &(struct death){"slice", "client", NS_PER_S, "client of 'tool': window: ended early",
                               "slice resume break-off ask:client stop:client ask:server "
                               "stop:server remove"});
}

/* It gets the time to write its results, and an interrupt cuts that short. */
static void a_tool_is_waited_for(void **state)
{
    const struct repetition_record *r;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] = (struct fake_event){FAKE_DEATH, "end", .role = "client",
                                      .after_ns = 700 * NS_PER_MS, .status = 0};
    fake_run(&f, TOOL);
    r = only_record(&f);
    assert_true(r->ok && !r->roles[1].forced);
    assert_int_equal(fake_left.client_end_ns, r->window_end_ns + 700 * NS_PER_MS + FAKE_OFFSET);
    fake_release_all(&f);

    fake_init(&f);
    f.script[0] = (struct fake_event){FAKE_INTERRUPT, "end", .after_ns = 700 * NS_PER_MS};
    fake_run(&f, TOOL);
    assert_int_equal(f.outcome, RUNNER_INTERRUPTED);
    assert_int_equal(f.run.n_repetitions, 0);
    assert_int_equal(f.now, f.interrupt_ns + 6 * NS_PER_MS);
    fake_release_all(&f);
}

static void nothing_moved(void **state)
{
    const struct repetition_record *r;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] = (struct fake_event){.what = FAKE_BLOCKED, .at = "release:client"};
    fake_run(&f, TWO_HOPS);
    r = only_record(&f);
    assert_string_equal(r->error.message, "client of 'work': moved no data in the window");
    assert_string_equal(r->error.detail, "relay 'fast' (hop 1) printed last:\nwords of relay_1\n"
                                         "relay 'fast' (hop 2) printed last:\nwords of relay_2\n");
    assert_string_equal(strstr(text_get(&f.log), " end "), " end " STOPPED "remove");
    fake_release_all(&f);
}

/* Its roles ran on unwatched: whenever that was, the repetition has failed, and the next has not.
 */
static void bench_is_stopped_in_each_phase(void **state)
{
    static const char *const ats[] = {"hold", "release:client", "phase:warm-up", "slice",
                                      "end",  "ask:server"};
    static const char words[] = "bench itself was stopped (Ctrl-Z, SIGSTOP) and went on, while its "
                                "roles ran without being watched";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ats); i++) {
        struct fake f;

        fake_init(&f);
        f.stood_still = true; /* before the first: that is not its concern */
        f.script[0] = (struct fake_event){.what = FAKE_STILL, .at = ats[i], .nth = 2};
        fake_run(&f, THREE);
        assert_int_equal(f.run.n_repetitions, 3);
        assert_int_equal(f.failed, 1);
        assert_true(f.run.repetitions[0].ok && f.run.repetitions[2].ok);
        assert_non_null(strstr(f.run.repetitions[1].error.message, words));
        fake_release_all(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_starts_and_stops),
        cmocka_unit_test(a_record_is_complete),
        cmocka_unit_test(every_role_dies_while_all_start),
        cmocka_unit_test(every_role_dies_before_and_in_the_window),
        cmocka_unit_test(every_role_dies_while_all_stop),
        cmocka_unit_test(a_role_that_never_listens),
        cmocka_unit_test(a_role_that_ignores_the_request_to_stop),
        cmocka_unit_test(an_operation_that_fails),
        cmocka_unit_test(something_is_left),
        cmocka_unit_test(an_interrupt_in_each_phase),
        cmocka_unit_test(a_tool_that_ends_by_itself),
        cmocka_unit_test(a_tool_is_waited_for),
        cmocka_unit_test(nothing_moved),
        cmocka_unit_test(bench_is_stopped_in_each_phase),
    };

    return cmocka_run_group_tests(tests, sample_enter, sample_leave);
}
