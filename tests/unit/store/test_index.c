/* SPDX-License-Identifier: Apache-2.0 */
#include "written.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "store/index.h"

#define DB "bench-results/index.db"

static void put_file(const char *path, const char *text)
{
    struct bench_error err = {0};

    if (file_write(AT_FDCWD, path, text, strlen(text), &err) < 0)
        fail_msg("%s", err.message);
}

/* A run as another bench might have left it. */
static void plant(const char *id, const char *name, const char *started, const char *state,
                  const char *relay)
{
    cleanup_free char *directory = xasprintf("bench-results/%s", id);
    cleanup_free char *path = xasprintf("%s/run.json", directory), *text = NULL;
    json_t *json =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:s, s:s, s:i, "
                  "s:[{s:s, s:{}, s:{}}], s:[{s:i, s:i, s:i, s:s}], s:{s:s, s:i, s:s}, s:{s:{s:s}, "
                  "s:s, s:[s, {s:s, s:s}]}}",
                  "format", 1, "bench_version", "0.1.0", "id", id, "name", name, "started", started,
                  "finished", started, "state", state, "command", "cwd", "", "seed", "1", "blocks",
                  1, "points", "label", "", "settings", "hops", "plan", "index", 1, "block", 1,
                  "point", 0, "arm", "none", "environment", "kernel", "6.18.0", "cpus_online", 2,
                  "cpu_model", "Example 9000", "scenario", "workload", "plugin", "h2load",
                  "protocol", "http2", "relays", "none", "name", relay, "plugin", "nginx");

    text = json_dumps(json, 0);
    assert_int_equal(directory_make(AT_FDCWD, directory, NULL), 0);
    put_file(path, text);
    json_decref(json);
}

/* Asks for runs and keeps "id:state id:state …". */
struct question {
    struct index_filter filter;
    struct text found;
    struct strings notes;
    struct bench_error err;
    size_t progress[2]; /* the last: done, of how many */
};

static void add_found(void *context, const struct indexed_run *run)
{
    struct text *found = context;

    text_add(found, "%s%s:%s", found->length ? " " : "", run->id ? run->id : run->directory,
             run->state);
}

static int ask_runs(struct run_index *x, void *context, struct bench_error *err)
{
    struct question *q = context;

    text_release(&q->found);
    return index_runs(x, &q->filter, add_found, &q->found, err);
}

static int ask(struct question *q, bool rebuild)
{
    strings_release(&q->notes);
    return index_with(NULL, rebuild, ask_runs, q, NULL, &q->notes, &q->err);
}

static void question_release(struct question *q)
{
    text_release(&q->found);
    strings_release(&q->notes);
}
#define cleanup_question __attribute__((cleanup(question_release)))

static void expect_asked(struct question *q, bool rebuild, const char *expected, const char *note)
{
    if (ask(q, rebuild) < 0)
        fail_msg("%s", q->err.message);
    assert_string_equal(text_get(&q->found), expected);
    if (q->notes.count)
        assert_string_equal(q->notes.items[0], note ? note : "no note");
    assert_int_equal(q->notes.count, note ? 1 : 0);
}

static void expect(const char *expected)
{
    cleanup_question struct question q = {0};

    expect_asked(&q, false, expected, NULL);
}

static void expect_note(const char *expected, const char *note)
{
    cleanup_question struct question q = {0};

    expect_asked(&q, false, expected, note);
}

static void query(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(DB, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* What the table has for the run. */
static const char *text_of(const char *column, const char *directory)
{
    static char text[512];
    cleanup_free char *sql =
        xasprintf("SELECT %s FROM runs WHERE directory = '%s'", column, directory);
    sqlite3_stmt *s;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(DB, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
    return text;
}

static const char *reason_of(const char *directory)
{
    return text_of("reason", directory);
}

static int done_of(const char *directory)
{
    return atoi(text_of("done", directory));
}

/* The results directory looks as if nothing had come or gone since `seconds`. */
static void set_mtime(time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    assert_int_equal(utimensat(AT_FDCWD, "bench-results", times, 0), 0);
}

static void the_list_is_in_order_and_names_the_damaged(void **state)
{
    cleanup_question struct question q = {0};
    struct bench_error err = {0};
    struct store_writer w;
    struct setup s;
    char *expected;

    (void)state;
    expect(""); /* nothing was run here yet, and nothing is made */
    assert_int_equal(access("bench-results", F_OK), -1);
    setup_init(&s);
    create(&w, NULL, &s.plan);
    assert_int_equal(store_finish(&w, "failed", &err), 0);
    assert_int_equal(mkdir("bench-results/broken", 0755), 0);
    assert_int_equal(mkdir("bench-results/other", 0755), 0);
    put_file("bench-results/broken/run.json", "{");
    put_file("bench-results/notes.txt", "mine");
    expected = xasprintf("broken:damaged %s:failed", w.id); /* `latest` is no third */
    expect(expected);
    /* What could not be read is looked at again. */
    plant("broken", "mended", "2020-01-01T00:00:00Z", "complete", "nginx");
    free(expected);
    expected = xasprintf("broken:complete %s:failed", w.id);
    expect(expected);
    free(expected);
    assert_int_equal(index_with("nowhere", false, ask_runs, &q, NULL, &q.notes, &err), -1);
    assert_string_equal(err.message, "cannot read directory 'nowhere': No such file or directory");
    store_writer_release(&w);
    setup_release(&s);
}

static void check_members(void *context, const struct indexed_run *run)
{
    *(bool *)context = true;
    assert_string_equal(run->directory, "a");
    assert_string_equal(run->id, "a");
    assert_string_equal(run->name, "night");
    assert_string_equal(run->started, "2026-01-01T00:00:00Z");
    assert_string_equal(run->finished, "2026-01-01T00:00:00Z");
    assert_string_equal(run->state, "complete");
    assert_null(run->reason);
    assert_string_equal(run->workload, "h2load");
    assert_string_equal(run->protocol, "http2");
    assert_string_equal(run->relays, "none, edge");
    assert_string_equal(run->bench_version, "0.1.0");
    assert_string_equal(run->kernel, "6.18.0");
    assert_string_equal(run->cpu_model, "Example 9000");
    assert_int_equal(run->cpus, 2);
    assert_int_equal(run->planned, 1);
    assert_int_equal(run->done, 1);
}

static int ask_members(struct run_index *x, void *context, struct bench_error *err)
{
    return index_runs(x, &(struct index_filter){0}, check_members, context, err);
}

static void every_member_of_a_run_is_there(void **state)
{
    cleanup_strings struct strings notes = {0};
    bool visited = false;

    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "edge");
    assert_int_equal(directory_make(AT_FDCWD, "bench-results/a/repetitions/0001-none", NULL), 0);
    assert_int_equal(directory_make(AT_FDCWD, "bench-results/a/repetitions/0002-x", NULL), 0);
    assert_int_equal(directory_make(AT_FDCWD, "bench-results/a/repetitions/0001-copy", NULL), 0);
    put_file("bench-results/a/repetitions/0001-none/repetition.json", "{}");
    put_file("bench-results/a/repetitions/0001-copy/repetition.json", "{}");
    assert_int_equal(index_with(NULL, false, ask_members, &visited, NULL, &notes, NULL), 0);
    assert_true(visited);
}

static void runs_are_chosen_and_sorted(void **state)
{
    static const struct {
        struct index_filter filter;
        const char *expected;
    } cases[] = {
        {{0}, "a:complete b:failed c:complete d:complete"},
        {{.pattern = "b"}, "b:failed"},
        {{.name = "night*"}, "a:complete c:complete"},
        {{.name = "night"}, "a:complete"},
        {{.name = "*' OR 1 --"}, ""},
        {{.relay = "edge"}, "a:complete"},
        {{.relay = "none"}, "a:complete b:failed c:complete d:complete"},
        {{.relay = "nginx"}, "a:complete b:failed c:complete d:complete"},
        {{.relay = "ngin"}, ""},
        {{.state = "failed"}, "b:failed"},
        {{.since = "2026-03"}, "c:complete d:complete"},
        {{.since = "2026-03-01T00:00:01Z"}, "d:complete"},
        {{.name = "night*", .since = "2026-02"}, "c:complete"},
        {{.limit = 2}, "c:complete d:complete"},
        {{.limit = 3, .sort = "name"}, "b:failed d:complete c:complete"},
        {{.sort = "-started"}, "d:complete c:complete b:failed a:complete"},
        {{.sort = "name"}, "b:failed d:complete a:complete c:complete"},
        {{.sort = "-state"}, "b:failed d:complete c:complete a:complete"},
        {{.sort = "finished"}, "a:complete b:failed c:complete d:complete"},
        {{.sort = "repetitions"}, "a:complete b:failed c:complete d:complete"},
    };
    cleanup_question struct question bad = {.filter = {.sort = "-stat"}};

    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "edge");
    plant("b", "day", "2026-02-01T00:00:00Z", "failed", "b");
    plant("c", "night 2", "2026-03-01T00:00:00Z", "complete", "c");
    plant("d", "day", "2026-04-01T00:00:00Z", "complete", "d");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_question struct question q = {.filter = cases[i].filter};

        expect_asked(&q, false, cases[i].expected, NULL);
    }
    assert_int_equal(ask(&bad, false), -1);
    assert_int_equal(bad.err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(bad.err.message, "unknown order 'stat'");
}

static void what_comes_or_goes_changes_the_time_of_the_directory(void **state)
{
    cleanup_question struct question q = {0};

    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    plant("b", "night", "2026-02-01T00:00:00Z", "complete", "b");
    set_mtime(1000000);
    expect("a:complete b:complete");
    set_mtime(1000001); /* the index itself has come */
    expect("a:complete b:complete");
    plant("c", "night", "2026-03-01T00:00:00Z", "complete", "c");
    assert_int_equal(directory_remove(AT_FDCWD, "bench-results/a", NULL), 0);
    set_mtime(1000001);
    expect("a:complete b:complete"); /* names are not compared without need */
    set_mtime(1000002);
    expect("b:complete c:complete");

    /* A change within a run that has ended is for a rebuild to find. */
    plant("b", "night", "2026-02-01T00:00:00Z", "failed", "b");
    set_mtime(1000003);
    expect("b:complete c:complete");
    expect_asked(&q, true, "b:failed c:complete", NULL);

    /* Of a directory that is no run yet nothing tells when it becomes one. */
    assert_int_equal(mkdir("bench-results/d", 0755), 0);
    set_mtime(1000004);
    expect("b:failed c:complete");
    plant("d", "night", "2026-04-01T00:00:00Z", "complete", "d");
    set_mtime(1000004);
    expect("b:failed c:complete d:complete");
}

static void a_writer_that_was_killed_is_noticed(void **state)
{
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
        if (store_create(&w, "bench-results/mine", &s.plan, NULL, command, NULL) < 0 ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    for (int i = 0; i < 2; i++) {
        cleanup_question struct question q = {0};

        set_mtime(1000000);
        assert_int_equal(ask(&q, false), 0);
        assert_non_null(strstr(text_get(&q.found), i ? ":interrupted" : ":running"));
        kill(pid, SIGKILL);
        if (i == 0)
            assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    close(ready[0]);
    close(ready[1]);
    setup_release(&s);
}

/* Overwrites the file from `from` to its end, or cuts it there. */
static void damage(off_t from, bool cut)
{
    int fd = open(DB, O_WRONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);

    assert_true(fd >= 0 && size > from);
    if (cut)
        assert_int_equal(ftruncate(fd, from), 0);
    for (off_t at = from; at < size && !cut; at++)
        assert_int_equal(pwrite(fd, "\xa5", 1, at), 1);
    close(fd);
}

static void a_damaged_index_is_made_anew(void **state)
{
    static const struct {
        off_t from;
        bool cut;
        const char *note;
    } cases[] = {
        {0, false, "'bench-results/index.db' was damaged: made anew"},
        {50, true, "'bench-results/index.db' was damaged: made anew"},
        {4096, false, "'bench-results/index.db': database disk image is malformed: made anew"},
        {8192, true, "'bench-results/index.db' was damaged: made anew"},
        {0, true, NULL}, /* as a bench leaves it that was killed at the very beginning */
    };

    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    expect("a:complete");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        query("PRAGMA wal_checkpoint(TRUNCATE)");
        damage(cases[i].from, cases[i].cut);
        expect_note("a:complete", cases[i].note);
        expect("a:complete");
    }
    query("DROP TABLE runs");
    expect_note("a:complete", "'bench-results/index.db': no such table: runs: made anew");
    unlink(DB);
    expect("a:complete");
}

static void another_schema_is_made_anew_or_refused(void **state)
{
    cleanup_question struct question q = {0};

    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    expect("a:complete");
    query("PRAGMA user_version = 99");
    assert_int_equal(ask(&q, false), -1);
    assert_int_equal(q.err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(q.err.message,
                        "'bench-results/index.db' has schema 99, this bench reads up to 3");
    assert_string_equal(q.err.hint, "use the bench that made it, or make it anew for this one with "
                                    "'bench list runs --rebuild'");
    expect_asked(&q, true, "a:complete", NULL);
    query("PRAGMA user_version = -1");
    expect_note("a:complete", "'bench-results/index.db' was of an older schema: made anew");
}

static void results_that_cannot_be_written_are_read(void **state)
{
    uid_t user = geteuid();
    bool silent;
    int result;
    cleanup_question struct question q = {0};

    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    assert_int_equal(chmod(".", 0755) | chmod("bench-results", 0555), 0);
    assert_int_equal(user == 0 ? seteuid(65534) : 0, 0);
    result = ask(&q, false);
    silent = q.notes.count == 0;
    result |= ask(&q, true);
    assert_int_equal(user == 0 ? seteuid(0) : 0, 0);
    assert_int_equal(chmod("bench-results", 0755), 0);
    assert_int_equal(result, 0);
    assert_true(silent);
    assert_string_equal(text_get(&q.found), "a:complete");
    assert_int_equal(q.notes.count, 1); /* what was asked for cannot be had */
    assert_string_equal(q.notes.items[0],
                        "'bench-results' cannot be written: every run is read, and nothing kept");
    assert_int_equal(access(DB, F_OK), -1);

    /* In its place lies what cannot be replaced. */
    assert_int_equal(mkdir(DB, 0755), 0);
    expect_note("a:complete",
                "'bench-results/index.db' is not a regular file; without it, every run is read");
    assert_int_equal(rmdir(DB) | mkfifo(DB, 0600), 0);
    expect_note("a:complete",
                "'bench-results/index.db' is not a regular file; without it, every run is read");
    assert_int_equal(unlink(DB) | symlink("elsewhere", DB), 0);
    expect_note("a:complete",
                "'bench-results/index.db' is not a regular file; without it, every run is read");
    assert_int_equal(access("elsewhere", F_OK), -1);
}

static const char unreadable_note[] =
    "1 run cannot be read now: 'bench list runs --state unreadable' says why";

/* As an ordinary user, whom permissions bind. */
static void expect_as_user(const char *expected, const char *note)
{
    cleanup_question struct question q = {0};
    uid_t user = geteuid();
    int result;

    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(user == 0 ? chown("bench-results", 65534, 65534) | seteuid(65534) : 0, 0);
    result = ask(&q, false);
    assert_int_equal(user == 0 ? seteuid(0) : 0, 0);
    if (result < 0)
        fail_msg("%s", q.err.message);
    assert_string_equal(text_get(&q.found), expected);
    assert_int_equal(q.notes.count, note ? 1 : 0);
    if (note)
        assert_string_equal(q.notes.items[0], note);
}

/* What the user may not read for the moment is listed with the reason, whatever part of the run it
 * is, and as it is once it can be read again, however old its files are. */
static void what_cannot_be_read_now_is_not_kept(void **state)
{
    static const struct {
        const char *path;
        mode_t mode;
        const char *reason;
    } parts[] = {
        {"bench-results/a", 0755, "cannot open 'bench-results/a': Permission denied"},
        {"bench-results/a/run.json", 0644,
         "bench-results/a/run.json: cannot open 'run.json': Permission denied"},
        {"bench-results/a/repetitions", 0755,
         "bench-results/a: cannot read directory 'repetitions': Permission denied"},
        {"bench-results/a/repetitions/0001-none", 0755,
         "bench-results/a: cannot open 'repetitions/0001-none/repetition.json': Permission denied"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

        plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
        assert_int_equal(directory_make(AT_FDCWD, "bench-results/a/repetitions/0001-none", NULL),
                         0);
        put_file("bench-results/a/repetitions/0001-none/repetition.json", "{}");
        assert_int_equal(utimensat(AT_FDCWD, "bench-results/a/run.json", long_ago, 0), 0);
        assert_int_equal(chmod(parts[i].path, 0), 0);
        set_mtime(1000000000 + (time_t)i);
        expect_as_user("a:unreadable", unreadable_note);
        assert_string_equal(reason_of("a"), parts[i].reason);
        assert_int_equal(chmod(parts[i].path, parts[i].mode), 0);
        expect_as_user("a:complete", NULL);
        assert_int_equal(done_of("a"), 1);
        assert_int_equal(directory_remove(AT_FDCWD, "bench-results/a", NULL), 0);
        set_mtime(1100000000 + (time_t)i);
        expect_as_user("", NULL);
    }
}

/* Content that is no run's is damage until it changes. */
static void damage_is_not_a_passing_fault(void **state)
{
    (void)state;
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    put_file("bench-results/a/run.json", "{");
    expect("a:damaged");
    assert_int_equal(unlink("bench-results/a/run.json") | mkfifo("bench-results/a/run.json", 0600),
                     0);
    expect("a:damaged");
    assert_string_equal(reason_of("a"),
                        "bench-results/a/run.json: 'run.json' is not a regular file");
    assert_int_equal(unlink("bench-results/a/run.json") |
                         symlink("../../elsewhere", "bench-results/a/run.json"),
                     0);
    expect("a:damaged");
    assert_string_equal(reason_of("a"),
                        "bench-results/a/run.json: 'run.json' leads through a symbolic link");
    assert_int_equal(unlink("bench-results/a/run.json"), 0);
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    expect("a:complete");
}

static void count_progress(void *context, size_t done, size_t n)
{
    size_t *most = ((struct question *)context)->progress;

    assert_true(done > most[0] && done <= n);
    most[0] = done;
    most[1] = n;
}

static void progress_is_told(void **state)
{
    cleanup_question struct question q = {0};

    (void)state;
    for (int i = 0; i < 300; i++) {
        cleanup_free char *id = xasprintf("r%03d", i);

        plant(id, "night", "2026-01-01T00:00:00Z", "complete", "a");
    }
    assert_int_equal(index_with(NULL, false, ask_runs, &q, count_progress, &q.notes, &q.err), 0);
    assert_int_equal(q.progress[0], 300);
    assert_int_equal(q.progress[1], 300);
}

/* Root asks first: the user must be able to keep it up to date. */
static void the_file_belongs_to_whom_the_results_belong(void **state)
{
    struct stat st;

    (void)state;
    if (geteuid() != 0) {
        print_message("# SKIP needs root\n");
        skip();
    }
    plant("a", "night", "2026-01-01T00:00:00Z", "complete", "a");
    assert_int_equal(chown("bench-results", 65534, 65534) | chmod(".", 0755), 0);
    expect("a:complete");
    assert_int_equal(stat(DB, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    plant("b", "night", "2026-02-01T00:00:00Z", "complete", "b");
    assert_int_equal(seteuid(65534), 0);
    expect("a:complete b:complete");
    assert_int_equal(seteuid(0), 0);
}

enum { MANY = 40, PROCESSES = 4 };

static void plant_many(struct text *ret_expected)
{
    for (int i = 0; i < MANY; i++) {
        char id[8];

        snprintf(id, sizeof(id), "r%02d", i);
        plant(id, "night", "2026-01-01T00:00:00Z", "complete", "a");
        text_add(ret_expected, "%s%s:complete", i ? " " : "", id);
    }
}

static void expect_sound(void)
{
    sqlite3_stmt *s;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(DB, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void several_at_once_see_the_same(void **state)
{
    cleanup_text struct text expected = {0};

    (void)state;
    plant_many(&expected);
    for (int p = 0; p < PROCESSES; p++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            struct question q = {0};

            /* All find it missing, then some make it anew under the others. */
            for (int i = 0; i < 4; i++)
                if (ask(&q, p == i) < 0 || strcmp(text_get(&q.found), text_get(&expected)) != 0)
                    _exit(1);
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    expect_sound();
}

static void killed_at_any_moment_it_stays_usable(void **state)
{
    enum { KILLS = 24, STEP_US = 1500 };
    cleanup_text struct text expected = {0};

    (void)state;
    plant_many(&expected);
    for (int i = 0; i < KILLS; i++) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
            struct question q = {0};

            for (;;)
                ask(&q, true);
        }
        usleep((useconds_t)(i * STEP_US));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        expect(text_get(&expected));
        expect_sound();
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sample_enter, sample_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_is_in_order_and_names_the_damaged),
        TEST(every_member_of_a_run_is_there),
        TEST(runs_are_chosen_and_sorted),
        TEST(what_comes_or_goes_changes_the_time_of_the_directory),
        TEST(a_writer_that_was_killed_is_noticed),
        TEST(a_damaged_index_is_made_anew),
        TEST(another_schema_is_made_anew_or_refused),
        TEST(results_that_cannot_be_written_are_read),
        TEST(what_cannot_be_read_now_is_not_kept),
        TEST(damage_is_not_a_passing_fault),
        TEST(progress_is_told),
        TEST(the_file_belongs_to_whom_the_results_belong),
        TEST(several_at_once_see_the_same),
        TEST(killed_at_any_moment_it_stays_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
