/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/layout.h"
#include "store/run_json.h"

enum {
    BATCH = 128, /* runs per transaction: others want to write as well */
};

/* A directory that was changed less than this ago may change again within the same time stamp. */
#define FRESH_NS (2 * NS_PER_S)

static int64_t mtime_of(const struct stat *st)
{
    return st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

/* --- one run ------------------------------------------------------------------------------- */

/* Repetitions that were finished. */
static int64_t count_done(int dirfd)
{
    cleanup_strings struct strings names = {0};
    int64_t n = 0;

    if (directory_list(dirfd, LAYOUT_REPETITIONS, &names, NULL) < 0)
        return 0; /* killed before the first one began */
    for (size_t i = 0; i < names.count; i++) {
        cleanup_free char *path =
            xasprintf(LAYOUT_REPETITIONS "/%s/" LAYOUT_REPETITION, names.items[i]);

        n += faccessat(dirfd, path, F_OK, 0) == 0;
    }
    return n;
}

static const char *arm_name(const json_t *arm)
{
    return json_string_value(json_is_object(arm) ? json_object_get(arm, "name") : arm);
}

/* The arms, separated by ", ". */
static void join_arms(const json_t *scenario, struct text *ret)
{
    json_t *arm;
    size_t i;

    json_array_foreach(json_object_get(scenario, "relays"), i, arm)
    {
        const char *name = arm_name(arm);

        text_add(ret, "%s%s", i ? ", " : "", name ? name : "?");
    }
}

static int put_relay(struct run_index *x, int64_t run, const char *name, struct bench_error *err)
{
    cleanup_statement struct statement s = {0};

    if (!name)
        return 0;
    if (statement_prepare(&s, &x->db, "INSERT OR IGNORE INTO relays (name, run) VALUES (?, ?)",
                          err) < 0)
        return -1;
    statement_text(&s, 1, name);
    statement_integer(&s, 2, run);
    return statement_step(&s, err);
}

/* By what a run can be found: the arms' names and their plugins. */
static int put_relays(struct run_index *x, int64_t run, const json_t *scenario,
                      struct bench_error *err)
{
    json_t *arm;
    size_t i;

    json_array_foreach(json_object_get(scenario, "relays"), i, arm)
    {
        if (put_relay(x, run, arm_name(arm), err) < 0 ||
            put_relay(x, run, json_string_value(json_object_get(arm, "plugin")), err) < 0)
            return -1;
    }
    return 0;
}

static void bind_run(struct statement *s, const json_t *run)
{
    static const char *const members[] = {"id", "name", "started", "finished", "state"};
    const json_t *scenario = json_object_get(run, "scenario");
    const json_t *environment = json_object_get(run, "environment");
    const json_t *workload = json_object_get(scenario, "workload");

    if (json_is_object(workload)) /* {plugin: h2load, …} */
        workload = json_object_get(workload, "plugin");
    for (int i = 0; i < (int)ARRAY_SIZE(members); i++)
        statement_text(s, i + 2, json_string_value(json_object_get(run, members[i])));
    statement_text(s, 8, json_string_value(workload));
    statement_text(s, 9, json_string_value(json_object_get(scenario, "protocol")));
    statement_text(s, 11, json_string_value(json_object_get(run, "bench_version")));
    statement_text(s, 12, json_string_value(json_object_get(environment, "kernel")));
    statement_text(s, 13, json_string_value(json_object_get(environment, "cpu_model")));
    statement_integer(s, 14, json_integer_value(json_object_get(environment, "cpus_online")));
    statement_integer(s, 15, (int64_t)json_array_size(json_object_get(run, "plan")));
    /* Of a writer that was killed nothing but its lock tells that it ended. */
    statement_integer(s, 17, json_is_string(json_object_get(run, "finished")));
}

/* `run` is NULL for one that cannot be read. */
static int put_run(struct run_index *x, const char *directory, const json_t *run,
                   const char *reason, int64_t done, int64_t mtime, struct bench_error *err)
{
    static const char sql[] =
        "INSERT OR REPLACE INTO runs (directory, id, name, started, finished, state, reason,"
        " workload, protocol, relays, bench_version, kernel, cpu_model, cpus, planned, done,"
        " settled, mtime)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    cleanup_statement struct statement s = {0};
    cleanup_text struct text relays = {0};
    const json_t *scenario = json_object_get(run, "scenario");

    if (statement_prepare(&s, &x->db, sql, err) < 0)
        return -1;
    if (run) {
        join_arms(scenario, &relays);
        bind_run(&s, run);
        statement_text(&s, 10, text_get(&relays));
    } else {
        statement_text(&s, 4, "");
        statement_text(&s, 6, "damaged");
        statement_text(&s, 7, reason);
        statement_integer(&s, 15, 0);
        statement_integer(&s, 17, 0);
    }
    statement_text(&s, 1, directory);
    statement_integer(&s, 16, done);
    statement_integer(&s, 18, mtime);
    if (statement_step(&s, err) < 0)
        return -1;
    return put_relays(x, sqlite3_last_insert_rowid(x->db.handle), scenario, err);
}

static int forget(struct run_index *x, const char *directory, struct bench_error *err)
{
    cleanup_statement struct statement s = {0};

    if (statement_prepare(&s, &x->db, "DELETE FROM runs WHERE directory = ?", err) < 0)
        return -1;
    statement_text(&s, 1, directory);
    return statement_step(&s, err);
}

/* Not through links: `latest` is one of the others. */
static int open_run(const struct run_index *x, const char *name, struct stat *ret)
{
    int fd = openat(x->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && fstatat(fd, LAYOUT_RUN, ret, 0) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Enters the run as it is now, or forgets what is none any more. */
static int read_run(struct run_index *x, const char *name, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/%s", x->directory, name);
    struct bench_error reason = {0};
    struct stat st;
    cleanup_close int fd = open_run(x, name, &st);
    json_t *run;
    int result;

    if (fd < 0)
        return forget(x, name, err);
    run = run_json_read(fd, path, &reason);
    result = put_run(x, name, run, reason.message, count_done(fd), mtime_of(&st), err);
    json_decref(run);
    return result;
}

/* In transactions of a size that lets others in. */
static int read_runs(struct run_index *x, const struct strings *names, struct bench_error *err)
{
    for (size_t i = 0; i < names->count; i += BATCH) {
        size_t end = i + BATCH < names->count ? i + BATCH : names->count;
        int result = database_begin(&x->db, err);

        if (result < 0)
            return -1;
        for (size_t k = i; k < end && result == 0; k++)
            result = read_run(x, names->items[k], err);
        if (database_end(&x->db, result, err) < 0)
            return -1;
    }
    return 0;
}

/* --- names --------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What may be a run, sorted. */
static int list_present(const struct run_index *x, struct strings *ret, struct bench_error *err)
{
    int fd = openat(x->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        int saved = errno;

        if (fd >= 0)
            close(fd);
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", x->directory);
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, LAYOUT_BASELINES) != 0 &&
            (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            strings_add(ret, entry->d_name);
    closedir(dir);
    if (ret->count)
        qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
    return 0;
}

static int list_names(struct run_index *x, const char *sql, struct strings *ret,
                      struct bench_error *err)
{
    cleanup_statement struct statement s = {0};
    int more;

    if (statement_prepare(&s, &x->db, sql, err) < 0)
        return -1;
    while ((more = statement_step(&s, err)) > 0)
        strings_add(ret, column_text(&s, 0));
    return more;
}

/* What only one of two sorted lists has. */
static void differences(const struct strings *present, const struct strings *known,
                        struct strings *ret_come, struct strings *ret_gone)
{
    size_t p = 0, k = 0;

    while (p < present->count || k < known->count) {
        int order = p == present->count ? 1
                    : k == known->count ? -1
                                        : strcmp(present->items[p], known->items[k]);

        if (order < 0)
            strings_add(ret_come, present->items[p]);
        else if (order > 0)
            strings_add(ret_gone, known->items[k]);
        p += order <= 0;
        k += order >= 0;
    }
}

/* Those of the names that are runs. Whether all are: one that is none may become one unseen. */
static bool keep_runs(const struct run_index *x, const struct strings *names, struct strings *ret)
{
    for (size_t i = 0; i < names->count; i++) {
        struct stat st;
        int fd = open_run(x, names->items[i], &st);

        if (fd < 0)
            continue;
        close(fd);
        strings_add(ret, names->items[i]);
    }
    return ret->count == names->count;
}

static int remember(struct run_index *x, int64_t mtime, struct bench_error *err)
{
    cleanup_statement struct statement s = {0};

    if (statement_prepare(&s, &x->db, "UPDATE scan SET mtime = ?", err) < 0)
        return -1;
    statement_integer(&s, 1, mtime);
    return statement_step(&s, err);
}

static int compare_names(struct run_index *x, struct bench_error *err)
{
    cleanup_strings struct strings present = {0}, known = {0}, come = {0}, gone = {0}, runs = {0};
    int64_t before = 0, now = 0;
    struct stat st;
    bool all;

    if (fstat(x->dirfd, &st) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read directory '%s'", x->directory);
    now = mtime_of(&st);
    if (database_integer(&x->db, "SELECT mtime FROM scan", &before, err) < 0)
        return -1;
    if (now == before)
        return 0;
    if (clock_wall() - now < FRESH_NS)
        now = 0;
    if (list_present(x, &present, err) < 0 ||
        list_names(x, "SELECT directory FROM runs ORDER BY directory", &known, err) < 0)
        return -1;
    differences(&present, &known, &come, &gone);
    all = keep_runs(x, &come, &runs);
    /* What is gone is looked at as well: it may have come since the names were listed. */
    if (read_runs(x, &gone, err) < 0 || read_runs(x, &runs, err) < 0)
        return -1;
    return all && now != before ? remember(x, now, err) : 0;
}

/* Whether a run that was not settled has to be read again: its file changed, or its writer is gone,
 * which no file tells. */
static bool may_have_changed(const struct run_index *x, const char *name, bool running,
                             int64_t mtime)
{
    struct stat st;
    cleanup_close int fd = open_run(x, name, &st);

    return fd < 0 || running || mtime_of(&st) != mtime;
}

static int refresh(struct run_index *x, struct bench_error *err)
{
    cleanup_strings struct strings changed = {0};
    cleanup_statement struct statement s = {0};
    int more;

    if (statement_prepare(&s, &x->db,
                          "SELECT directory, state = 'running', mtime FROM runs WHERE NOT settled",
                          err) < 0)
        return -1;
    while ((more = statement_step(&s, err)) > 0)
        if (may_have_changed(x, column_text(&s, 0), column_integer(&s, 1), column_integer(&s, 2)))
            strings_add(&changed, column_text(&s, 0));
    return more < 0 ? -1 : read_runs(x, &changed, err);
}

int index_scan(struct run_index *x, struct bench_error *err)
{
    return compare_names(x, err) < 0 ? -1 : refresh(x, err);
}
