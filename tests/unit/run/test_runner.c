/* SPDX-License-Identifier: Apache-2.0 */
/* Several repetitions: slices of arms that live together, purposes, and what ends a run. */
#include "fake_site.h"

#define THREE_ARMS                                                                               \
    "bench: 1\nseed: 1\nname: t\nworkload: work\nhops: 1\nrepeat: 1\nwarmup: 1s\nduration: 2s\n" \
    "tick: 100ms\nslice: 500ms\nrelays: [{name: a, plugin: fast}, {name: b, plugin: fast}, "     \
    "{name: c, plugin: fast}]\n"
#define TOGETHER THREE_ARMS "interleave: yes\n"
#define IN_TURN THREE_ARMS "interleave: no\n"

static const struct repetition_record *record_of(const struct fake *f, const char *arm)
{
    for (size_t i = 0; i < f->run.n_repetitions; i++)
        if (strcmp(f->run.repetitions[i].arm, arm) == 0)
            return &f->run.repetitions[i];
    fail_msg("no repetition of '%s'", arm);
    return NULL;
}

/* The arms in the order in which `op` was logged: "abc". Caller frees. */
static char *arms_at(const struct fake *f, const char *op)
{
    cleanup_free char *log = xstrdup(text_get(&f->log));
    struct text arms = {0};

    for (char *rest = log, *word; (word = strsep(&rest, " "));)
        if (strcmp(word + 2, op) == 0)
            text_add(&arms, "%c", *word);
    return text_take(&arms);
}

/* What was logged of one arm. Caller frees. */
static char *log_of(const struct fake *f, char arm)
{
    cleanup_free char *log = xstrdup(text_get(&f->log));
    struct text own = {0};

    for (char *rest = log, *word; (word = strsep(&rest, " "));)
        if (*word == arm)
            text_add(&own, "%s%s", own.length ? " " : "", word + 2);
    return text_take(&own);
}

#define ALONE                                                                                \
    "prepare hold captures release:server identify:server release:relay_1 identify:relay_1 " \
    "release:client identify:client "
#define STOPPED "resume ask:client stop:client ask:server ask:relay_1 stop:server stop:relay_1 "
#define SLICE "resume slice sliced pause "

static void arms_in_turn(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.prefix = true;
    fake_run(&f, IN_TURN);
    assert_int_equal(f.result, 0);
    assert_int_equal(f.failed, 0);
    assert_int_equal(f.most_alive, 1);
    for (char arm = 'a'; arm <= 'c'; arm++) {
        cleanup_free char *own = log_of(&f, arm);

        assert_string_equal(own, ALONE "phase:warm-up statistics:before begin slice sliced end "
                                       "statistics:after " STOPPED "valid finish remove");
    }
    assert_string_equal(text_get(&f.progress),
                        "start:1 stop:1 done:1 start:2 stop:2 done:2 start:3 stop:3 done:3");
    fake_release_all(&f);
}

static void slices(void **state)
{
    cleanup_free char *starts = NULL, *measured = NULL;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.prefix = true;
    fake_run(&f, TOGETHER);
    assert_int_equal(f.result, 0);
    assert_int_equal(f.failed, 0);
    assert_int_equal(f.most_alive, 3);
    for (char arm = 'a'; arm <= 'c'; arm++) {
        cleanup_free char *own = log_of(&f, arm);

        assert_string_equal(
            own, ALONE
            "pause resume phase:warm-up statistics:before begin pause " SLICE SLICE SLICE SLICE
            "end statistics:after " STOPPED "valid finish remove");
    }
    /* In the order of the plan; then each round is an order of its own, and every arm has its turn.
     */
    starts = arms_at(&f, "prepare");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(starts[i], 'a' + (int)f.plan.steps[i].arm);
    measured = arms_at(&f, "slice");
    assert_int_equal(strlen(measured), 12);
    for (size_t round = 0; round < 4; round++)
        for (char arm = 'a'; arm <= 'c'; arm++)
            assert_non_null(memchr(measured + 3 * round, arm, 3));
    assert_true(memcmp(measured, measured + 3, 3) || memcmp(measured, measured + 6, 3) ||
                memcmp(measured, measured + 9, 3));
    assert_string_equal(text_get(&f.progress), "start:1 start:2 start:3 stop:1 done:1 stop:2 "
                                               "done:2 stop:3 done:3");
    fake_release_all(&f);
}

/* Each slice as it was, and on reading one window of them, without what lay between. */
static void records_of_slices(void **state)
{
    const struct repetition_record *r;
    struct fake f;

    (void)state;
    fake_init(&f);
    fake_run(&f, TOGETHER);
    for (char arm[2] = "a"; *arm <= 'c'; ++*arm) {
        int64_t moved = 0;

        r = record_of(&f, arm);
        assert_true(r->ok);
        assert_int_equal(r->n_slices, 4);
        assert_int_equal(r->window_begin_ns, r->slices[0].begin_ns);
        assert_int_equal(r->window_end_ns - r->window_begin_ns, 2 * NS_PER_S);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(r->slices[i].end_ns - r->slices[i].begin_ns, 500 * NS_PER_MS);
            /* Its client has run for the settling time before. */
            if (i)
                assert_true(r->slices[i].begin_ns >= r->slices[i - 1].end_ns + 50 * NS_PER_MS);
        }
        for (const char *other = "abc"; *other; other++) {
            const struct repetition_record *o = record_of(&f, (char[]){*other, 0});

            for (size_t i = 0; o != r && i < 16; i++)
                assert_true(r->slices[i / 4].end_ns <= o->slices[i % 4].begin_ns ||
                            r->slices[i / 4].begin_ns >= o->slices[i % 4].end_ns);
        }
        for (size_t row = 1; row < r->series.n_rows; row++)
            if (r->series.times[row - 1] >= r->window_begin_ns &&
                r->series.times[row] <= r->window_end_ns)
                moved += series_at(&r->series, row, 0) - series_at(&r->series, row - 1, 0);
        assert_int_equal(moved, 2 * NS_PER_S);
    }
    fake_release_all(&f);
}

static void a_long_slice_is_two(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    fake_run(&f, TOGETHER "cpu_limit: 1\ncpu_period: 200ms\n");
    assert_int_equal(record_of(&f, "a")->n_slices, 4);
    fake_release_all(&f);
    fake_init(&f);
    f.plan = (struct plan){0};
    fake_plan(&f.plan, TOGETHER);
    f.plan.points[0].scenario.slice_ns = 60 * NS_PER_S;
    fake_run_plan(&f);
    assert_int_equal(record_of(&f, "b")->n_slices, 2);
    fake_release_all(&f);
}

/* Dead in any phase: the others are measured to the end, in full. */
static void a_failing_arm_leaves_the_others(void **state)
{
    static const struct {
        const char *at, *role, *error;
        unsigned nth;
        int64_t after_ns;
    } cases[] = {
        {"hold", "relay_1", "relay 'b' (hop 1): start: ended early", 1, 0},
        {"phase:warm-up", "server", "server of 'work': warm-up: ended early", 1, NS_PER_MS},
        {"statistics:before", "client", "client of 'work': statistics: ended early", 1, NS_PER_MS},
        {"slice", "client", "client of 'work': window: ended early", 2, 300 * NS_PER_MS},
        /* Between its slices: seen when it is its turn again. */
        {"pause", "relay_1", "relay 'b' (hop 1): window: ended early", 4, 10 * NS_PER_MS},
        {"resume", "server", "server of 'work': window: ended early", 4, 20 * NS_PER_MS},
        {"statistics:after", "relay_1", "relay 'b' (hop 1): statistics: ended early", 1,
         2 * NS_PER_MS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fake f;

        fake_init(&f);
        f.prefix = true;
        f.script[0] = (struct fake_event){
            FAKE_DEATH,          cases[i].at,           .arm = "b",
            .nth = cases[i].nth, .role = cases[i].role, .after_ns = cases[i].after_ns,
            .status = 9};
        fake_run(&f, TOGETHER);
        assert_int_equal(f.result, 0);
        assert_int_equal(f.outcome, RUNNER_COMPLETE);
        assert_int_equal(f.failed, 1);
        assert_string_equal(record_of(&f, "b")->error.message, cases[i].error);
        for (const char *other = "ac"; *other; other++) {
            const struct repetition_record *r = record_of(&f, (char[]){*other, 0});

            assert_true(r->ok);
            assert_int_equal(r->n_slices, 4);
        }
        fake_release_all(&f);
    }
}

static void an_interrupt_ends_all(void **state)
{
    static const struct {
        const char *at;
        unsigned nth;
        int64_t after_ns;
    } cases[] = {
        {"hold", 1, 0},
        {"release:client", 2, NS_PER_MS},
        {"phase:warm-up", 2, NS_PER_S / 2},
        {"slice", 1, NS_PER_MS},
        {"slice", 7, 250 * NS_PER_MS},
        {"sliced", 5, 20 * NS_PER_MS},
        {"statistics:after", 2, NS_PER_MS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_free char *removed = NULL, *measured = NULL;
        size_t slices_then;
        struct fake f;

        fake_init(&f);
        f.prefix = true;
        f.script[0] = (struct fake_event){FAKE_INTERRUPT, cases[i].at, .nth = cases[i].nth,
                                          .after_ns = cases[i].after_ns};
        fake_run(&f, TOGETHER);
        assert_int_equal(f.result, 0);
        assert_int_equal(f.outcome, RUNNER_INTERRUPTED);
        assert_int_equal(f.failed, 0);
        assert_int_equal(f.run.n_repetitions, 0);
        assert_int_not_equal(rmdir("run/repetitions"), -1); /* nothing is in it */
        removed = arms_at(&f, "remove");
        assert_int_equal(strlen(removed), 3);
        measured = arms_at(&f, "slice");
        slices_then = strcmp(cases[i].at, "slice") == 0      ? cases[i].nth
                      : strcmp(cases[i].at, "sliced") == 0   ? 5
                      : strncmp(cases[i].at, "stat", 4) == 0 ? 12
                                                             : 0;
        assert_int_equal(strlen(measured), slices_then);
        assert_true(f.now <= f.interrupt_ns + 3 * 6 * NS_PER_MS);
        fake_release_all(&f);
    }
}

/* What was finished before stays, and nothing more begins. */
static void an_interrupt_between_repetitions(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] = (struct fake_event){.what = FAKE_INTERRUPT, .at = "valid"};
    fake_run(&f, IN_TURN);
    assert_int_equal(f.outcome, RUNNER_INTERRUPTED);
    assert_int_equal(f.run.n_repetitions, 1);
    assert_true(f.run.repetitions[0].ok);
    assert_string_equal(text_get(&f.progress), "start:1 stop:1 done:1");
    fake_release_all(&f);
    fake_init(&f);
    f.interrupt_ns = FAKE_BEGIN;
    fake_run(&f, IN_TURN);
    assert_int_equal(f.outcome, RUNNER_INTERRUPTED);
    assert_string_equal(text_get(&f.log), "");
    fake_release_all(&f);
}

/* Those of a search and the pilots of a warm-up are stored as such; a capture has its own. */
static void purposes(void **state)
{
    static const char *const given[] = {PURPOSE_PILOT, PURPOSE_SEARCH};
    struct fake f;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
        fake_init(&f);
        fake_plan(&f.plan, TOGETHER "rate: 100\n");
        plan_follow(&f.plan, 10, given[i]);
        fake_run_plan(&f);
        assert_int_equal(f.failed, 0);
        assert_int_equal(f.run.n_repetitions, 3);
        for (uint32_t r = 0; r < 3; r++) {
            assert_int_equal(f.run.repetitions[r].index, 11 + r);
            assert_string_equal(f.run.repetitions[r].purpose, given[i]);
            assert_false(record_measures(&f.run.repetitions[r]));
        }
        fake_release_all(&f);
    }
    fake_init(&f);
    fake_run(&f, TOGETHER "capture: [record]\n");
    assert_int_equal(f.run.n_repetitions, 6);
    assert_int_equal(f.most_alive, 3);
    for (uint32_t r = 0; r < 6; r++) {
        const struct repetition_record *own = &f.run.repetitions[r];

        assert_string_equal(own->purpose, r < 3 ? PURPOSE_MEASURE : PURPOSE_CAPTURE "record");
        assert_int_equal(own->n_slices, r < 3 ? 4 : 0); /* alone, in one piece */
    }
    fake_release_all(&f);
}

/* No second repetition could do better: what failed is kept, and the run ends with its error. */
static void an_environment_error_ends_the_run(void **state)
{
    static const char *const ats[] = {"prepare", "hold", "captures", "begin"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ats); i++) {
        struct fake f;

        fake_init(&f);
        f.script[0] =
            (struct fake_event){FAKE_ERROR, ats[i], .nth = 2, .kind = BENCH_ERROR_ENVIRONMENT};
        fake_run(&f, IN_TURN);
        assert_int_equal(f.result, -1);
        assert_int_equal(f.err.kind, BENCH_ERROR_ENVIRONMENT);
        assert_string_equal(f.err.message, "refused by the test");
        assert_int_equal(f.run.n_repetitions, 2);
        assert_true(f.run.repetitions[0].ok && !f.run.repetitions[1].ok);
        assert_string_equal(text_get(&f.progress), "start:1 stop:1 done:1 start:2 stop:2");
        fake_release_all(&f);
    }
}

/* After the window it is one repetition that failed, whatever the kind. */
static void an_error_of_a_parser_does_not(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.script[0] =
        (struct fake_event){FAKE_ERROR, "finish", .nth = 2, .kind = BENCH_ERROR_ENVIRONMENT};
    fake_run(&f, IN_TURN);
    assert_int_equal(f.result, 0);
    assert_int_equal(f.failed, 1);
    assert_int_equal(f.run.n_repetitions, 3);
    fake_release_all(&f);
}

/* The run ends, and every role with it. */
static void errors_of_the_store(void **state)
{
    struct fake f;
    cleanup_free char *removed = NULL;

    (void)state;
    fake_init(&f);
    f.prefix = true;
    f.script[0] = (struct fake_event){FAKE_BREAK, "sliced", .nth = 4};
    fake_run(&f, TOGETHER);
    assert_int_equal(f.result, -1);
    assert_int_equal(f.err.kind, BENCH_ERROR_RUN);
    assert_non_null(strstr(f.err.message, "/run/repetitions/0001-"));
    removed = arms_at(&f, "remove");
    assert_int_equal(strlen(removed), 3);
    assert_string_equal(text_get(&f.progress), "start:1 start:2 start:3 stop:1 stop:2 stop:3");
    fake_release_all(&f);

    fake_init(&f);
    f.script[0] = (struct fake_event){.what = FAKE_BREAK, .at = "remove"};
    fake_run(&f, IN_TURN);
    assert_int_equal(f.result, -1);
    assert_string_equal(text_get(&f.progress), "start:1 stop:1");
    fake_release_all(&f);
}

/* The estimate of what remains uses the time that repetitions took. */
static int64_t remaining[8];

static void note_remaining(void *context, const struct progress *p)
{
    (void)context;
    if (p->phase == PROGRESS_START)
        remaining[p->step->index] = p->remaining_ns;
}

static void time_that_remains(void **state)
{
    static char *const command[] = {(char *)"bench", NULL};
    struct store_writer store = {.dirfd = -1};
    struct bench_error err = {0};
    struct fake f;
    struct session session = {.host = &f.host,
                              .store = &store,
                              .clock = &f.clock,
                              .interrupt_fd = INTERRUPT_FD,
                              .progress = note_remaining};

    (void)state;
    fake_init(&f);
    fake_plan(&f.plan, IN_TURN);
    assert_int_equal(store_create(&store, "run", &f.plan, NULL, command, &err), 0);
    assert_int_equal(runner_run(&session, &f.plan, &f.outcome, &f.failed, &err), 0);
    assert_int_equal(remaining[1], 3 * (3000 + 300) * NS_PER_MS); /* a guess */
    /* Held, three roles, twice statistics, two ends: 23 ms. */
    assert_int_equal(remaining[2], 2 * (3000 + 23) * NS_PER_MS);
    assert_int_equal(remaining[3], (3000 + 23) * NS_PER_MS);
    store_writer_release(&store);
    fake_release_all(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arms_in_turn),
        cmocka_unit_test(slices),
        cmocka_unit_test(records_of_slices),
        cmocka_unit_test(a_long_slice_is_two),
        cmocka_unit_test(a_failing_arm_leaves_the_others),
        cmocka_unit_test(an_interrupt_ends_all),
        cmocka_unit_test(an_interrupt_between_repetitions),
        cmocka_unit_test(purposes),
        cmocka_unit_test(an_environment_error_ends_the_run),
        cmocka_unit_test(an_error_of_a_parser_does_not),
        cmocka_unit_test(errors_of_the_store),
        cmocka_unit_test(time_that_remains),
    };

    return cmocka_run_group_tests(tests, sample_enter, sample_leave);
}
