/* SPDX-License-Identifier: Apache-2.0 */
#include "written.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"

static const char *member(const struct stored_run *run, const char *name)
{
    return json_string_value(json_object_get(run->run, name));
}

static void overwrite(const char *path, const char *text)
{
    struct bench_error err = {0};

    if (file_write(AT_FDCWD, path, text, strlen(text), &err) < 0)
        fail_msg("%s", err.message);
}

static void a_run_comes_back_equal(void **state)
{
    struct store_writer w;
    struct stored_run run;
    struct setup s;
    struct bench_error err = {0};

    (void)state;
    setup_init(&s);
    create(&w, NULL, &s.plan);
    /* Stored out of order, read in order. */
    for (size_t i = 0; i < 4; i++)
        must_add(&w, &s, i ^ 1);
    assert_int_equal(store_finish(&w, "complete", &err), 0);
    must_read(&run, "latest");
    assert_string_equal(run.path, w.path);
    assert_string_equal(run.id, w.id);
    assert_string_equal(strrchr(w.path, '/') + 1, w.id);
    assert_string_equal(member(&run, "state"), "complete");
    assert_string_equal(member(&run, "name"), "http over two relays");
    assert_true(run.seed == UINT64_MAX - 1);
    assert_int_equal(run.n_repetitions, 4);
    assert_int_equal(run.damaged.count, 0);
    for (uint32_t i = 0; i < 4; i++) {
        const char *arm = s.arms[s.steps[i].arm].name;
        struct repetition_record r;

        sample_record(&r, i + 1, arm);
        r.directory = layout_repetition(i + 1, arm);
        assert_record_equal(&run.repetitions[i], &r);
        record_release(&r);
    }
    stored_run_release(&run);
    store_writer_release(&w);
    setup_release(&s);
}

static void run_json_says_what_was_run(void **state)
{
    struct store_writer w;
    struct stored_run run;
    struct setup s;
    json_t *expected, *scenario;
    char cwd[256];

    (void)state;
    setup_init(&s);
    create(&w, NULL, &s.plan);
    must_read(&run, w.path);
    scenario = scenario_json(&s.point.scenario);
    assert_true(json_equal(json_object_get(run.run, "scenario"), scenario));
    json_decref(scenario);
    expected = json_pack("[s,s,s]", "bench", "run", "caf\xef\xbf\xbd.yaml");
    assert_true(json_equal(json_object_get(run.run, "command"), expected));
    json_decref(expected);
    expected = json_pack("[{s:i,s:i,s:i,s:s,s:s},{s:i,s:i,s:i,s:s,s:s},{s:i,s:i,s:i,s:s,s:s},"
                         "{s:i,s:i,s:i,s:s,s:s}]",
                         "index", 1, "block", 1, "point", 0, "arm", "none", "purpose", "search",
                         "index", 2, "block", 1, "point", 0, "arm", "nginx", "purpose", "search",
                         "index", 3, "block", 2, "point", 0, "arm", "nginx", "purpose", "measure",
                         "index", 4, "block", 2, "point", 0, "arm", "none", "purpose", "measure");
    assert_true(json_equal(json_object_get(run.run, "plan"), expected));
    json_decref(expected);
    expected = json_pack("[{s:s,s:{},s:{s:i,s:i}}]", "label", "", "settings", "hops", "none", 0,
                         "nginx", 2);
    assert_true(json_equal(json_object_get(run.run, "points"), expected));
    json_decref(expected);
    expected = json_pack("{s:s}", "kernel", "6.18.0");
    assert_true(json_equal(json_object_get(run.run, "environment"), expected));
    json_decref(expected);
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_string_equal(member(&run, "cwd"), cwd);
    assert_string_equal(member(&run, "bench_version"), BENCH_VERSION);
    assert_int_equal(json_integer_value(json_object_get(run.run, "format")), STORE_FORMAT);
    assert_true(json_is_null(json_object_get(run.run, "finished")));
    stored_run_release(&run);
    store_writer_release(&w);
    setup_release(&s);
}

static void a_run_grows_by_another_plan(void **state)
{
    struct stored_run run = {0};
    struct store_writer w;
    struct setup s;
    const json_t *last;

    (void)state;
    setup_init(&s);
    create(&w, "grown", &s.plan);
    plan_follow(&s.plan, 4, PURPOSE_MEASURE);
    s.plan.seed = 77;
    s.plan.blocks = 9;
    assert_int_equal(store_extend(&w, &s.plan, NULL), 0);
    assert_int_equal(store_note(&w, "saturation", json_pack("{s:f}", "rate", 1000.0), NULL), 0);
    store_writer_release(&w);
    must_read(&run, "grown");
    assert_int_equal(json_array_size(json_object_get(run.run, "points")), 2);
    assert_int_equal(json_array_size(json_object_get(run.run, "plan")), 8);
    last = json_array_get(json_object_get(run.run, "plan"), 7);
    assert_int_equal(json_integer_value(json_object_get(last, "index")), 8);
    assert_int_equal(json_integer_value(json_object_get(last, "point")), 1);
    assert_int_equal(json_integer_value(json_object_get(run.run, "blocks")), 9);
    assert_true(run.seed == 77);
    assert_true(json_real_value(json_object_get(json_object_get(run.run, "saturation"), "rate")) ==
                1000);
    stored_run_release(&run);
    setup_release(&s);
}

static void a_point_tells_what_the_sweep_changed(void **state)
{
    struct setup s;
    struct point points[2];
    struct store_writer w;
    const json_t *settings;

    (void)state;
    setup_init(&s);
    points[0] = points[1] = s.point;
    points[1].scenario.jobs = points[0].scenario.jobs + 7;
    s.plan.points = points;
    s.plan.n_points = 2;
    for (size_t i = 0; i < 4; i++)
        s.steps[i].point = &points[i / 2];
    create(&w, "swept", &s.plan);
    settings = json_object_get(json_array_get(json_object_get(w.run, "points"), 1), "settings");
    assert_int_equal(json_object_size(settings), 1);
    assert_int_equal(json_integer_value(json_object_get(settings, "jobs")),
                     points[1].scenario.jobs);
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(w.run, "plan"), 2), "point")),
                     1);
    store_writer_release(&w);
    setup_release(&s);
}

static void the_scenario_file_is_kept_as_it_was(void **state)
{
    static const char yaml[] = "bench: 1 # my own words\n";
    struct store_writer w;
    struct setup s;
    char *path, *copy;

    (void)state;
    setup_init(&s);
    overwrite("mine.yaml", yaml);
    s.plan.scenario.file = s.point.scenario.file = xstrdup("mine.yaml");
    create(&w, "kept", &s.plan);
    path = xasprintf("%s/scenario.yaml", w.path);
    assert_int_equal(file_read(AT_FDCWD, path, 1000, &copy, NULL, NULL), 0);
    assert_string_equal(copy, yaml);
    free(copy);
    store_writer_release(&w);

    /* Standard input cannot be read twice. */
    free(s.point.scenario.file);
    s.plan.scenario.file = s.point.scenario.file = xstrdup("-");
    free(path);
    create(&w, "piped", &s.plan);
    assert_int_equal(access("piped/scenario.yaml", F_OK), -1);
    store_writer_release(&w);
    setup_release(&s);
}

static void benches_that_start_together_do_not_meet(void **state)
{
    enum { PROCESSES = 4, RUNS = 4 };
    struct setup s;
    glob_t found;

    (void)state;
    setup_init(&s);
    for (int p = 0; p < PROCESSES; p++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            for (int i = 0; i < RUNS; i++) {
                struct store_writer w;

                if (store_create(&w, NULL, &s.plan, NULL, command, NULL) < 0)
                    _exit(1);
                store_writer_release(&w);
            }
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(glob("bench-results/2*", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, PROCESSES * RUNS);
    globfree(&found);
    setup_release(&s);
}

static void latest_follows_the_last_run(void **state)
{
    struct store_writer first, second;
    struct stored_run run;
    struct setup s;
    char target[256] = "";

    (void)state;
    setup_init(&s);
    create(&first, NULL, &s.plan);
    create(&second, NULL, &s.plan);
    assert_true(readlink("bench-results/latest", target, sizeof(target) - 1) > 0);
    assert_string_equal(target, second.id);
    must_read(&run, first.id); /* a name below bench-results */
    assert_string_equal(run.path, first.path);
    stored_run_release(&run);
    assert_int_equal(chdir("bench-results"), 0);
    must_read(&run, "latest");
    assert_string_equal(run.path, second.path);
    stored_run_release(&run);
    store_writer_release(&first);
    store_writer_release(&second);
    setup_release(&s);
}

static void a_directory_with_files_is_refused(void **state)
{
    struct bench_error err = {0};
    struct store_writer w;
    struct setup s;

    (void)state;
    setup_init(&s);
    assert_int_equal(mkdir("results", 0755), 0);
    create(&w, "results", &s.plan); /* empty is fine */
    store_writer_release(&w);
    assert_int_equal(store_create(&w, "results", &s.plan, NULL, command, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "cannot store results: directory 'results' is not empty");
    assert_string_equal(err.hint,
                        "name one that does not exist: a run never mixes with other files");
    assert_int_equal(access("results/run.json", F_OK), 0);

    overwrite("file", "x");
    assert_int_equal(store_create(&w, "file", &s.plan, NULL, command, &err), -1);
    assert_string_equal(err.message,
                        "cannot store results: cannot read directory 'file': Not a directory");
    setup_release(&s);
}

static void running_without_a_writer_means_interrupted(void **state)
{
    struct stored_run run;
    struct setup s;
    int ready[2], status;
    char byte;
    pid_t pid;

    (void)state;
    setup_init(&s);
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct store_writer w;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (store_create(&w, NULL, &s.plan, NULL, command, NULL) < 0 || add(&w, &s, 0, NULL) < 0 ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    must_read(&run, "latest");
    assert_string_equal(member(&run, "state"), "running");
    stored_run_release(&run);

    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    must_read(&run, "latest");
    assert_string_equal(member(&run, "state"), "interrupted");
    assert_int_equal(run.n_repetitions, 1);
    stored_run_release(&run);
    close(ready[0]);
    close(ready[1]);
    setup_release(&s);
}

static void a_writer_killed_at_any_moment_leaves_whole_repetitions(void **state)
{
    enum { KILLS = 24, STEP_US = 1500 };
    struct setup s;
    size_t finished = 0;

    (void)state;
    setup_init(&s);
    for (int i = 0; i < KILLS; i++) {
        char *path = xasprintf("run%d", i);
        struct bench_error err = {0};
        struct stored_run run;
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
            struct store_writer w;

            if (store_create(&w, path, &s.plan, NULL, command, NULL) < 0)
                _exit(1);
            for (size_t k = 0; k < 4; k++)
                add(&w, &s, k, NULL);
            pause();
        }
        usleep((useconds_t)(i * STEP_US));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (store_read(&run, path, &err) < 0) {
            assert_int_equal(err.kind, BENCH_ERROR_USAGE); /* not even run.json yet */
        } else {
            assert_string_equal(member(&run, "state"), "interrupted");
            assert_int_equal(run.damaged.count, 0);
            for (size_t k = 0; k < run.n_repetitions; k++)
                assert_int_equal(run.repetitions[k].index, k + 1);
            finished += run.n_repetitions;
            stored_run_release(&run);
        }
        free(path);
    }
    print_message("# %zu repetitions were finished before the %d kills\n", finished, KILLS);
    setup_release(&s);
}

static void damaged_repetitions_are_told_apart(void **state)
{
    struct store_writer w;
    struct stored_run run;
    struct setup s;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    for (size_t i = 0; i < 4; i++)
        must_add(&w, &s, i);
    overwrite("run/repetitions/0001-none/repetition.json", "{\"index\": 1, \"index\": 2}");
    overwrite("run/repetitions/0002-nginx/repetition.json", "{}");
    overwrite("run/repetitions/0003-nginx/series.tsv", "time_ns\n#kind\n#state\n#reason\n7\n");
    assert_int_equal(system("cp -r run/repetitions/0004-none run/repetitions/0004-copy && "
                            "mkdir run/repetitions/0005-unfinished && "
                            "echo mine > run/repetitions/notes.txt"),
                     0);
    must_read(&run, "run");
    assert_int_equal(run.n_repetitions, 1);
    assert_int_equal(run.repetitions[0].index, 4);
    assert_int_equal(run.damaged.count, 4);
    assert_string_equal(run.damaged.items[0], "repetitions/0001-none/repetition.json:1:20: "
                                              "duplicate object key near '\"index\"'");
    assert_string_equal(run.damaged.items[1],
                        "repetitions/0002-nginx/repetition.json: missing field 'index'");
    assert_string_equal(run.damaged.items[2], "repetitions/0003-nginx/series.tsv: 1 rows, "
                                              "'repetition.json' says 20");
    assert_string_equal(run.damaged.items[3], "repetitions/0004-copy/repetition.json: is the "
                                              "repetition of 'repetitions/0004-none'");
    stored_run_release(&run);

    overwrite("run/repetitions/0003-nginx/series.tsv", "time_ns\n#kind\n#state\n#reason\n7");
    assert_int_equal(unlink("run/repetitions/0004-none/series.tsv"), 0);
    must_read(&run, "run");
    assert_int_equal(run.n_repetitions, 0);
    assert_string_equal(run.damaged.items[2],
                        "repetitions/0003-nginx/series.tsv:5: the line is cut off");
    assert_string_equal(run.damaged.items[4], "cannot open 'repetitions/0004-none/series.tsv': No "
                                              "such file or directory");
    stored_run_release(&run);
    store_writer_release(&w);
    setup_release(&s);
}

/* The file cut at `cut`, all others whole. */
/* Reads as an ordinary user, whom permissions bind. */
static int read_as_user(const char *path, struct stored_run *run, struct bench_error *err)
{
    uid_t user = geteuid();
    int result;

    assert_int_equal(user == 0 ? chmod(".", 0755) | seteuid(65534) : 0, 0);
    result = store_read(run, path, err);
    assert_int_equal(user == 0 ? seteuid(0) : 0, 0);
    return result;
}

/* Without a repetition the others may have another verdict: what cannot be read for the moment is
 * an error that names the file, whatever part of the run it is. */
static void what_cannot_be_read_now_is_an_error(void **state)
{
    static const struct {
        const char *path;
        mode_t mode;
        const char *message; /* behind the run's path */
    } parts[] = {
        {"run", 0755, "cannot open 'run': Permission denied"},
        {"run/run.json", 0644, "cannot open 'run.json': Permission denied"},
        {"run/repetitions", 0755, "cannot read directory 'repetitions': Permission denied"},
        {"run/repetitions/0002-nginx", 0755,
         "cannot open 'repetitions/0002-nginx/repetition.json': Permission denied"},
        {"run/repetitions/0002-nginx/repetition.json", 0644,
         "cannot open 'repetitions/0002-nginx/repetition.json': Permission denied"},
        {"run/repetitions/0002-nginx/series.tsv", 0644,
         "cannot open 'repetitions/0002-nginx/series.tsv': Permission denied"},
        {"run/repetitions/0002-nginx/latency.hlog", 0644,
         "cannot open 'repetitions/0002-nginx/latency.hlog': Permission denied"},
    };
    struct stored_run run = {0};
    struct store_writer w;
    struct setup s;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    must_add(&w, &s, 0);
    must_add(&w, &s, 1);
    store_writer_release(&w);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        struct bench_error err = {0};

        assert_int_equal(chmod(parts[i].path, 0), 0);
        assert_int_equal(read_as_user("run", &run, &err), -1);
        assert_non_null(strstr(err.message, parts[i].message));
        assert_true(error_is_passing(&err));
        assert_int_equal(err.kind, BENCH_ERROR_RUN);
        assert_int_equal(chmod(parts[i].path, parts[i].mode), 0);
    }
    assert_int_equal(read_as_user("run", &run, NULL), 0);
    assert_int_equal(run.n_repetitions, 2);
    assert_int_equal(run.damaged.count, 0);
    stored_run_release(&run);
    setup_release(&s);
}

/* However few descriptors are left: all of the run, or an error. */
static void too_few_descriptors_are_an_error(void **state)
{
    struct rlimit old, limit;
    struct store_writer w;
    struct setup s;
    int refused = 0, result = -1;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    must_add(&w, &s, 0);
    must_add(&w, &s, 1);
    store_writer_release(&w);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (rlim_t n = 3; result < 0 && n < 100; n++) {
        struct stored_run run = {0};
        struct bench_error err = {0};

        limit = (struct rlimit){n, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        result = store_read(&run, "run", &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        if (result < 0) {
            assert_int_equal(err.errnum, EMFILE);
            assert_string_equal(err.hint, "raise the limit on open files: 'ulimit -n'");
            refused++;
        } else {
            assert_int_equal(run.n_repetitions, 2);
            assert_int_equal(run.damaged.count, 0);
        }
        stored_run_release(&run);
    }
    assert_int_equal(result, 0);
    assert_true(refused >= 2); /* the run's directory, and a file in it */
    setup_release(&s);
}

/* In place of what a repetition has. */
static void expect_damaged(const char *reason)
{
    struct stored_run run = {0};

    must_read(&run, "run");
    assert_int_equal(run.n_repetitions, 1);
    assert_int_equal(run.damaged.count, 1);
    assert_non_null(strstr(run.damaged.items[0], reason));
    stored_run_release(&run);
}

/* Nor is anything read through a link, or waited for. */
static void nothing_outside_of_the_run_is_read(void **state)
{
    static const char *const names[] = {"../../../secret.txt", "/etc/passwd", "a/../../x", ""};
    const char *path = "run/repetitions/0002-nginx/repetition.json";
    struct store_writer w;
    struct setup s;
    json_t *json;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    must_add(&w, &s, 0);
    must_add(&w, &s, 1);
    store_writer_release(&w);
    json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *reason = xasprintf(
            "field 'captures': element 0: file '%s' is not below the repetition", names[i]);

        json_object_set_new(json, "captures",
                            json_pack("[{s:s, s:[s]}]", "capture", "c2c", "files", names[i]));
        assert_int_equal(json_dump_file(json, path, 0), 0);
        expect_damaged(reason);
    }
    json_object_set_new(json, "captures",
                        json_pack("[{s:s, s:[s]}]", "capture", "c2c", "files", "a/b.txt"));
    assert_int_equal(json_dump_file(json, path, 0), 0);
    json_decref(json);
    assert_int_equal(rename("run/repetitions/0002-nginx/series.tsv", "series.tsv"), 0);
    assert_int_equal(symlink("../../../series.tsv", "run/repetitions/0002-nginx/series.tsv"), 0);
    expect_damaged("'repetitions/0002-nginx/series.tsv' leads through a symbolic link");
    assert_int_equal(unlink("run/repetitions/0002-nginx/series.tsv"), 0);
    assert_int_equal(mkfifo("run/repetitions/0002-nginx/series.tsv", 0600), 0);
    expect_damaged("'repetitions/0002-nginx/series.tsv' is not a regular file");
    assert_int_equal(rename("run/repetitions/0002-nginx", "other"), 0);
    assert_int_equal(symlink("../../other", "run/repetitions/0002-nginx"), 0);
    expect_damaged("'repetitions/0002-nginx/repetition.json' leads through a symbolic link");
    setup_release(&s);
}

/* One that is finished and cannot be read is known by the plan; a copy of one is none of it. */
static void damaged_repetitions_stay_in_the_count(void **state)
{
    struct stored_run run;
    struct store_writer w;
    struct setup s;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    for (size_t i = 0; i < 4; i++)
        must_add(&w, &s, i);
    store_writer_release(&w);
    assert_int_equal(unlink("run/repetitions/0002-nginx/series.tsv"), 0); /* of a search */
    assert_int_equal(unlink("run/repetitions/0003-nginx/series.tsv"), 0);
    assert_int_equal(mkdir("run/repetitions/0003-copy", 0755), 0);
    overwrite("run/repetitions/0003-copy/repetition.json", "{}");
    must_read(&run, "run");
    assert_int_equal(run.n_repetitions, 2);
    assert_int_equal(run.damaged.count, 3);
    assert_int_equal(run.n_lost, 2);
    assert_string_equal(run.lost[0].arm, "nginx");
    assert_false(run.lost[0].measures);
    assert_string_equal(run.lost[1].arm, "nginx");
    assert_string_equal(run.lost[1].point, "");
    assert_int_equal(run.lost[1].block, 2);
    assert_true(run.lost[1].measures);
    stored_run_release(&run);
    setup_release(&s);
}

static void read_cut(const char *path, const char *data, size_t cut, size_t n_whole)
{
    struct bench_error err = {0};
    struct stored_run run;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, cut, file), cut);
    fclose(file);
    if (store_read(&run, "run", &err) < 0) {
        assert_non_null(strstr(err.message, "run/run.json:"));
        assert_int_equal(n_whole, 0);
        return;
    }
    assert_int_equal(run.n_repetitions, n_whole);
    assert_int_equal(run.damaged.count, 2 - n_whole);
    stored_run_release(&run);
}

static void no_cut_file_is_mistaken_for_a_whole_one(void **state)
{
    static const struct {
        const char *path;
        size_t whole;
    } files[] = {
        {"run/repetitions/0001-none/series.tsv", 1},
        {"run/repetitions/0001-none/repetition.json", 1},
        {"run/run.json", 0},
    };
    struct store_writer w;
    struct setup s;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    must_add(&w, &s, 0);
    must_add(&w, &s, 1);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *data;
        size_t length;

        assert_int_equal(file_read(AT_FDCWD, files[i].path, 1 << 20, &data, &length, NULL), 0);
        /* A JSON text is whole without its last newline. */
        for (size_t cut = 0; cut + 1 < length; cut++)
            read_cut(files[i].path, data, cut, files[i].whole);
        overwrite(files[i].path, data);
        free(data);
    }
    store_writer_release(&w);
    setup_release(&s);
}

static void what_is_no_run_is_refused(void **state)
{
    struct bench_error err = {0};
    struct stored_run run;

    (void)state;
    assert_int_equal(mkdir("empty", 0755), 0);
    assert_int_equal(store_read(&run, "./empty", &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "'./empty' is not a run directory");
    assert_string_equal(err.hint, "a run directory holds 'run.json'; 'bench run' makes one below "
                                  "'bench-results', 'bench list runs' names them");
    assert_int_equal(store_read(&run, "latest", &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message,
                        "neither 'latest' nor 'bench-results/latest' is a run directory");
}

/* `run.json` with one member replaced. */
static void expect_run_error(const json_t *whole, const char *name, json_t *value,
                             enum bench_error_kind kind, const char *message)
{
    json_t *json = json_deep_copy(whole);
    struct bench_error err = {0};
    struct stored_run run;
    char *text, *full, cwd[256];

    if (value)
        json_object_set_new(json, name, value);
    else
        json_object_del(json, name);
    text = json_dumps(json, 0);
    overwrite("run/run.json", text);
    assert_int_equal(store_read(&run, "run", &err), -1);
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    full = xasprintf("%s/run/run.json: %s", cwd, message);
    assert_string_equal(err.message, full);
    assert_int_equal(err.kind, kind);
    free(full);
    free(text);
    json_decref(json);
}

static void run_json_is_checked(void **state)
{
    struct store_writer w;
    struct setup s;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    expect_run_error(w.run, "format", json_integer(STORE_FORMAT + 1), BENCH_ERROR_USAGE,
                     "has format 2, this bench reads up to 1");
    expect_run_error(w.run, "format", NULL, BENCH_ERROR_RUN,
                     "missing field 'format', a number from 1");
    expect_run_error(w.run, "seed", json_string("-1"), BENCH_ERROR_RUN,
                     "field 'seed': expected a number of 64 bits as a string");
    expect_run_error(w.run, "environment", json_array(), BENCH_ERROR_RUN,
                     "field 'environment': expected an object or null");
    expect_run_error(w.run, "plan", NULL, BENCH_ERROR_RUN, "missing field 'plan'");
    expect_run_error(w.run, "name", json_integer(1), BENCH_ERROR_RUN,
                     "field 'name': expected a string");
    expect_run_error(w.run, "plan", json_pack("[n]"), BENCH_ERROR_RUN,
                     "field 'plan': element 0: expected an object");
    expect_run_error(
        w.run, "plan",
        json_pack("[{s:i,s:i,s:i,s:s}]", "index", 1, "block", 1, "point", 1, "arm", "none"),
        BENCH_ERROR_RUN, "field 'plan': element 0: there is no point 1");
    expect_run_error(w.run, "points", json_pack("[{s:s}]", "label", ""), BENCH_ERROR_RUN,
                     "field 'points': element 0: missing field 'settings'");
    store_writer_release(&w);
    setup_release(&s);
}

static void a_file_size_limit_leaves_earlier_repetitions(void **state)
{
    struct rlimit before, tight;
    struct bench_error err = {0};
    struct store_writer w;
    struct stored_run run;
    struct setup s;
    char *message;
    int r;

    (void)state;
    setup_init(&s);
    create(&w, "run", &s.plan);
    must_add(&w, &s, 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = (struct rlimit){.rlim_cur = 1000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    r = add(&w, &s, 1, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(r, -1);
    message =
        xasprintf("cannot write '%s/repetitions/0002-nginx/series.tsv': File too large", w.path);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, "a limit on the size of files is in force, see 'ulimit -f'");
    must_read(&run, "run");
    assert_int_equal(run.n_repetitions, 1);
    assert_int_equal(run.damaged.count, 0);
    stored_run_release(&run);
    free(message);
    store_writer_release(&w);
    setup_release(&s);
}

static void a_full_disk_leaves_earlier_repetitions(void **state)
{
    struct bench_error err = {0};
    struct store_writer w;
    struct stored_run run;
    struct setup s;
    char block[4096] = "";
    int filler, r;

    (void)state;
    assert_int_equal(mkdir("disk", 0755), 0);
    /* In a mount namespace of its own, so that nothing is left however this test ends. */
    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("bench-test", "disk", "tmpfs", 0, "size=256k") < 0) {
        print_message("# SKIP cannot mount a tmpfs: %s\n", strerror(errno));
        skip();
    }
    setup_init(&s);
    create(&w, "disk/run", &s.plan);
    must_add(&w, &s, 0);
    filler = open("disk/filler", O_WRONLY | O_CREAT, 0600);
    while (write(filler, block, sizeof(block)) > 0)
        ;
    close(filler);
    r = add(&w, &s, 1, &err);
    must_read(&run, "disk/run");
    store_writer_release(&w);
    umount("disk");
    assert_int_equal(r, -1);
    assert_non_null(strstr(err.message, "disk/run/repetitions/0002-nginx"));
    assert_non_null(strstr(err.message, "No space left on device"));
    assert_string_equal(err.hint,
                        "the disk or the quota is full: free some space, or use another directory");
    assert_int_equal(run.n_repetitions, 1);
    assert_int_equal(run.damaged.count, 0);
    stored_run_release(&run);
    setup_release(&s);
}

static void results_that_cannot_be_stored_are_an_error(void **state)
{
    struct bench_error err = {0};
    struct store_writer w;
    struct setup s;

    (void)state;
    setup_init(&s);
    overwrite("bench-results", "in the way");
    assert_int_equal(store_create(&w, NULL, &s.plan, NULL, command, &err), -1);
    assert_string_equal(err.message, "cannot store results: 'bench-results' is not a directory");
    assert_string_equal(err.hint, "name a directory that you may write to with -o");
    unlink("bench-results");

    /* A directory where the link should be: nothing half made stays behind. */
    assert_int_equal(mkdir("bench-results", 0755) | mkdir("bench-results/latest", 0755), 0);
    assert_int_equal(store_create(&w, NULL, &s.plan, NULL, command, &err), -1);
    assert_non_null(strstr(err.message, "cannot replace the link 'bench-results/latest'"));
    assert_int_equal(rmdir("bench-results/latest") | rmdir("bench-results"), 0);
    setup_release(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sample_enter, sample_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_comes_back_equal),
        TEST(run_json_says_what_was_run),
        TEST(a_run_grows_by_another_plan),
        TEST(a_point_tells_what_the_sweep_changed),
        TEST(the_scenario_file_is_kept_as_it_was),
        TEST(benches_that_start_together_do_not_meet),
        TEST(latest_follows_the_last_run),
        TEST(a_directory_with_files_is_refused),
        TEST(running_without_a_writer_means_interrupted),
        TEST(a_writer_killed_at_any_moment_leaves_whole_repetitions),
        TEST(damaged_repetitions_are_told_apart),
        TEST(what_cannot_be_read_now_is_an_error),
        TEST(too_few_descriptors_are_an_error),
        TEST(nothing_outside_of_the_run_is_read),
        TEST(damaged_repetitions_stay_in_the_count),
        TEST(no_cut_file_is_mistaken_for_a_whole_one),
        TEST(what_is_no_run_is_refused),
        TEST(run_json_is_checked),
        TEST(a_file_size_limit_leaves_earlier_repetitions),
        TEST(a_full_disk_leaves_earlier_repetitions),
        TEST(results_that_cannot_be_stored_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
