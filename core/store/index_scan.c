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
#include "base/prefetch.h"
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

/* When the file was last written, replaced or got other permissions. */
static int64_t ctime_of(const struct stat *st)
{
    return st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec;
}

/* --- statements ---------------------------------------------------------------------------- */

/* What is done for every run, prepared once: that takes longer than doing it. */
struct entering {
    struct statement put, relay, forget;
};

static void entering_release(struct entering *e)
{
    statement_release(&e->put);
    statement_release(&e->relay);
    statement_release(&e->forget);
}
#define cleanup_entering __attribute__((cleanup(entering_release)))

static int entering_prepare(struct entering *ret, struct run_index *x, struct bench_error *err)
{
    static const char put[] =
        "INSERT OR REPLACE INTO runs (directory, id, name, started, finished, state, reason,"
        " workload, protocol, relays, bench_version, kernel, cpu_model, cpus, planned, done,"
        " settled, changed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static const char relay[] = "INSERT OR IGNORE INTO relays (name, run) VALUES (?, ?)";
    static const char forget[] = "DELETE FROM runs WHERE directory = ?";

    return statement_prepare(&ret->put, &x->db, put, err) < 0 ||
                   statement_prepare(&ret->relay, &x->db, relay, err) < 0 ||
                   statement_prepare(&ret->forget, &x->db, forget, err) < 0
               ? -1
               : 0;
}

/* --- one run ------------------------------------------------------------------------------- */

static int by_text(const void *key, const void *item)
{
    return strcmp(key, *(char *const *)item);
}

/* Repetitions of the plan that were finished: a copy of one is none. */
static int count_done(int dirfd, const json_t *run, int64_t *ret, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};
    struct bench_error why = {0};
    const json_t *step;
    int64_t n = 0;
    size_t i;

    if (directory_list(dirfd, LAYOUT_REPETITIONS, &names, &why) < 0 && error_is_passing(&why)) {
        *err = why;
        return -1;
    } /* else it was killed before the first one began */
    json_array_foreach(json_object_get(run, "plan"), i, step)
    {
        json_int_t index = json_integer_value(json_object_get(step, "index"));
        cleanup_free char *home =
            layout_repetition((uint32_t)index, json_string_value(json_object_get(step, "arm")));
        cleanup_free char *path = NULL;
        struct stat st;

        if (names.count == 0 || !bsearch(home + strlen(LAYOUT_REPETITIONS "/"), names.items,
                                         names.count, sizeof(*names.items), by_text))
            continue;
        path = xasprintf("%s/" LAYOUT_REPETITION, home);
        if (fstatat(dirfd, path, &st, 0) == 0)
            n++;
        else if (error_is_passing(&(struct bench_error){.errnum = errno}))
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", path);
    }
    *ret = n;
    return 0;
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

static int put_relay(struct statement *s, int64_t run, const char *name, struct bench_error *err)
{
    if (!name)
        return 0;
    statement_text(s, 1, name);
    statement_integer(s, 2, run);
    return statement_step(s, err);
}

/* By what a run can be found: the arms' names and their plugins. */
static int put_relays(struct statement *s, int64_t run, const json_t *scenario,
                      struct bench_error *err)
{
    json_t *arm;
    size_t i;

    json_array_foreach(json_object_get(scenario, "relays"), i, arm)
    {
        if (put_relay(s, run, arm_name(arm), err) < 0 ||
            put_relay(s, run, json_string_value(json_object_get(arm, "plugin")), err) < 0)
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
    int64_t cpus = json_integer_value(json_object_get(environment, "cpus_online"));

    if (json_is_object(workload)) /* {plugin: h2load, …} */
        workload = json_object_get(workload, "plugin");
    for (int i = 0; i < (int)ARRAY_SIZE(members); i++)
        statement_text(s, i + 2, json_string_value(json_object_get(run, members[i])));
    statement_text(s, 8, json_string_value(workload));
    statement_text(s, 9, json_string_value(json_object_get(scenario, "protocol")));
    statement_text(s, 11, json_string_value(json_object_get(run, "bench_version")));
    statement_text(s, 12, json_string_value(json_object_get(environment, "kernel")));
    statement_text(s, 13, json_string_value(json_object_get(environment, "cpu_model")));
    statement_integer(s, 14, cpus > 0 && cpus <= INT32_MAX ? cpus : 0);
    statement_integer(s, 15, (int64_t)json_array_size(json_object_get(run, "plan")));
    /* Of a writer that was killed nothing but its lock tells that it ended. */
    statement_integer(s, 17, json_is_string(json_object_get(run, "finished")));
}

/* A directory as it was found: `run` is NULL for a run that cannot be read, then there is a reason,
 * and for what is none. */
struct found {
    json_t *run;
    int64_t done, changed;
    struct bench_error reason;
};

static void found_free(void *item)
{
    struct found *f = item;

    json_decref(f->run);
    free(f);
}

/* Its content is damaged, or it could not be had now. */
static void bind_unread(struct statement *s, const struct bench_error *reason)
{
    statement_text(s, 4, "");
    statement_text(s, 6, error_is_passing(reason) ? "unreadable" : "damaged");
    statement_text(s, 7, reason->message);
    statement_integer(s, 15, 0);
    statement_integer(s, 17, 0);
}

static int put_run(struct run_index *x, struct entering *e, const char *directory,
                   const struct found *f, struct bench_error *err)
{
    const json_t *scenario = json_object_get(f->run, "scenario");
    cleanup_text struct text relays = {0};
    struct statement *s = &e->put;

    sqlite3_clear_bindings(s->handle);
    if (f->run) {
        join_arms(scenario, &relays);
        bind_run(s, f->run);
        statement_text(s, 10, text_get(&relays));
    } else {
        bind_unread(s, &f->reason);
    }
    statement_text(s, 1, directory);
    statement_integer(s, 16, f->done);
    statement_integer(s, 18, f->changed);
    if (statement_step(s, err) < 0)
        return -1;
    return put_relays(&e->relay, sqlite3_last_insert_rowid(x->db.handle), scenario, err);
}

/* Not through links: `latest` is one of the others. -1 with the reason why it cannot be read now,
 * or without one (`kind` is NONE): it is no run. */
static int open_run(const struct run_index *x, const char *name, struct stat *ret,
                    struct bench_error *why)
{
    cleanup_close int fd = openat(x->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int opened = fd;

    if (fd < 0) {
        error_errno(why, BENCH_ERROR_RUN, errno, "cannot open '%s/%s'", x->directory, name);
    } else if (fstatat(fd, LAYOUT_RUN, ret, AT_SYMLINK_NOFOLLOW) < 0) {
        error_errno(why, BENCH_ERROR_RUN, errno, "cannot open '%s/%s/" LAYOUT_RUN "'", x->directory,
                    name);
    } else {
        fd = -1;
        return opened;
    }
    if (!error_is_passing(why))
        *why = (struct bench_error){0};
    return -1;
}

struct looking {
    const struct run_index *index;
    const struct strings *names;
};

static void *look(void *context, size_t i)
{
    const struct looking *l = context;
    cleanup_free char *path = xasprintf("%s/%s", l->index->directory, l->names->items[i]);
    struct found *f = xcalloc(1, sizeof(*f));
    struct stat st = {0};
    cleanup_close int fd = open_run(l->index, l->names->items[i], &st, &f->reason);

    f->changed = ctime_of(&st);
    if (fd >= 0)
        f->run = run_json_read(fd, path, &f->reason);
    if (f->run && count_done(fd, f->run, &f->done, &f->reason) < 0) {
        error_context(&f->reason, "%s", path);
        json_decref(f->run);
        f->run = NULL;
    }
    return f;
}

/* Enters the run as it is now, or forgets what is none: then it is not counted. */
static int enter(struct run_index *x, struct entering *e, const char *name, const struct found *f,
                 size_t *count, struct bench_error *err)
{
    if (!f->run && !f->reason.kind) {
        statement_text(&e->forget, 1, name);
        return statement_step(&e->forget, err);
    }
    ++*count;
    return put_run(x, e, name, f, err);
}

static int enter_some(struct run_index *x, struct prefetch *found, const struct strings *names,
                      size_t begin, size_t end, struct entering *e, size_t *count,
                      struct bench_error *err)
{
    int result = database_begin(&x->db, err);

    if (result < 0)
        return -1;
    for (size_t i = begin; i < end && result == 0; i++) {
        struct found *f = prefetch_take(found);

        result = enter(x, e, names->items[i], f, count, err);
        found_free(f);
    }
    return database_end(&x->db, result, err);
}

/* In transactions of a size that lets others in. `ret_count`: how many are runs. */
static int read_runs(struct run_index *x, const struct strings *names, size_t *ret_count,
                     struct bench_error *err)
{
    cleanup_entering struct entering e = {0};
    struct looking looking = {x, names};
    struct prefetch *found;
    int result = 0;

    *ret_count = 0;
    if (names->count == 0)
        return 0;
    if (entering_prepare(&e, x, err) < 0)
        return -1;
    found = prefetch_new(&(struct prefetch_spec){
        .n = names->count, .make = look, .drop = found_free, .context = &looking});
    for (size_t i = 0; i < names->count && result == 0; i += BATCH) {
        size_t end = i + BATCH < names->count ? i + BATCH : names->count;

        result = enter_some(x, found, names, i, end, &e, ret_count, err);
        if (result == 0 && x->progress)
            x->progress(x->progress_context, end, names->count);
    }
    prefetch_free(found);
    return result;
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
    int saved = errno;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", x->directory);
    }
    while (errno = 0, (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, LAYOUT_BASELINES) != 0 &&
            (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            strings_add(ret, entry->d_name);
    saved = errno;
    closedir(dir);
    if (saved)
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", x->directory);
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
    cleanup_strings struct strings present = {0}, known = {0}, come = {0}, gone = {0};
    int64_t before = 0, now = 0;
    size_t came, went;
    struct stat st;

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
    /* What is gone is looked at as well: it may have come since the names were listed. */
    if (read_runs(x, &gone, &went, err) < 0 || read_runs(x, &come, &came, err) < 0)
        return -1;
    /* What is no run may become one, and the directory's time does not tell. */
    return came == come.count && now != before ? remember(x, now, err) : 0;
}

/* Whether a run that was not settled has to be read again: its file changed; or no file tells,
 * because its writer may be gone, or because it could not be read. */
static bool may_have_changed(const struct run_index *x, const char *name, bool passing,
                             int64_t changed)
{
    struct bench_error unused = {0};
    struct stat st;
    cleanup_close int fd = passing ? -1 : open_run(x, name, &st, &unused);

    return fd < 0 || ctime_of(&st) != changed;
}

static int refresh(struct run_index *x, struct bench_error *err)
{
    cleanup_strings struct strings changed = {0};
    cleanup_statement struct statement s = {0};
    size_t unused;
    int more;

    if (statement_prepare(&s, &x->db,
                          "SELECT directory, state IN ('running', 'unreadable'), changed FROM runs"
                          " WHERE NOT settled",
                          err) < 0)
        return -1;
    while ((more = statement_step(&s, err)) > 0)
        if (may_have_changed(x, column_text(&s, 0), column_integer(&s, 1), column_integer(&s, 2)))
            strings_add(&changed, column_text(&s, 0));
    return more < 0 ? -1 : read_runs(x, &changed, &unused, err);
}

/* A run that is left out of an answer for the moment is said. */
static int note_unreadable(struct run_index *x, struct strings *notes, struct bench_error *err)
{
    int64_t n = 0;

    if (database_integer(&x->db,
                         "SELECT count(*) FROM runs WHERE NOT settled AND state = 'unreadable'", &n,
                         err) < 0)
        return -1;
    if (n > 0)
        strings_addf(notes,
                     "%lld run%s cannot be read now: 'bench list runs --state unreadable' says why",
                     (long long)n, n == 1 ? "" : "s");
    return 0;
}

int index_scan(struct run_index *x, struct strings *notes, struct bench_error *err)
{
    return compare_names(x, err) < 0 || refresh(x, err) < 0 ? -1 : note_unreadable(x, notes, err);
}
