/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/fields.h"
#include "store/layout.h"
#include "store/record_json.h"
#include "store/latency_text.h"
#include "store/series_text.h"
#include "store/slices.h"

#define RUN_LIMIT (64 << 20)
#define REPETITION_LIMIT (16 << 20)
#define SERIES_LIMIT (256 << 20)
#define LATENCY_LIMIT (4 << 20)

/* New reference; messages begin with `name` and the place in it. */
static json_t *read_json(int dirfd, const char *path, const char *name, size_t limit,
                         struct bench_error *err)
{
    cleanup_free char *data = NULL;
    json_error_t e;
    json_t *json;
    size_t length;

    if (file_read(dirfd, path, limit, &data, &length, err) < 0)
        return NULL;
    json = json_loadb(data, length, JSON_REJECT_DUPLICATES, &e);
    if (!json)
        error_set(err, BENCH_ERROR_RUN, "%s:%d:%d: %s", name, e.line, e.column, e.text);
    return json;
}

/* run.json */

struct member {
    const char *name;
    json_type type;
    const char *what;
};

static const struct member run_members[] = {
    {"bench_version", JSON_STRING, "a string"},
    {"id", JSON_STRING, "a string"},
    {"name", JSON_STRING, "a string"},
    {"started", JSON_STRING, "a string"},
    {"state", JSON_STRING, "a string"},
    {"command", JSON_ARRAY, "an array"},
    {"cwd", JSON_STRING, "a string"},
    {"seed", JSON_STRING, "a string"},
    {"blocks", JSON_INTEGER, "an integer"},
    {"scenario", JSON_OBJECT, "an object"},
    {"points", JSON_ARRAY, "an array"},
    {"plan", JSON_ARRAY, "an array"},
    {0},
};

static const struct member point_members[] = {
    {"label", JSON_STRING, "a string"},
    {"settings", JSON_OBJECT, "an object"},
    {"hops", JSON_OBJECT, "an object"},
    {0},
};

static const struct member step_members[] = {
    {"index", JSON_INTEGER, "an integer"},
    {"block", JSON_INTEGER, "an integer"},
    {"point", JSON_INTEGER, "an integer"},
    {"arm", JSON_STRING, "a string"},
    {0},
};

static int check_members(const json_t *object, const struct member *members,
                         struct bench_error *err)
{
    if (!json_is_object(object))
        return field_expected(err, "an object");
    for (; members->name; members++) {
        const json_t *value = json_object_get(object, members->name);

        if (!value)
            return error_set(err, BENCH_ERROR_RUN, "missing field '%s'", members->name);
        if (json_typeof(value) != members->type)
            return error_set(err, BENCH_ERROR_RUN, "field '%s': expected %s", members->name,
                             members->what);
    }
    return 0;
}

static int check_elements(const json_t *run, const char *name, const struct member *members,
                          struct bench_error *err)
{
    const json_t *element;
    size_t i;

    json_array_foreach(json_object_get(run, name), i,
                       element) if (check_members(element, members, err) <
                                    0) return error_context(err, "field '%s': element %zu", name,
                                                            i);
    return 0;
}

static int check_steps(const json_t *run, struct bench_error *err)
{
    size_t n_points = json_array_size(json_object_get(run, "points")), i;
    const json_t *step;

    json_array_foreach(json_object_get(run, "plan"), i, step)
    {
        json_int_t point = json_integer_value(json_object_get(step, "point"));

        if (point < 0 || (size_t)point >= n_points)
            return error_set(err, BENCH_ERROR_RUN,
                             "field 'plan': element %zu: there is no point %" PRId64, i,
                             (int64_t)point);
    }
    return 0;
}

static int check_format(const json_t *run, struct bench_error *err)
{
    const json_t *format = json_object_get(run, "format");

    if (!json_is_integer(format) || json_integer_value(format) < 1)
        return error_set(err, BENCH_ERROR_RUN, "missing field 'format', a number from 1");
    if (json_integer_value(format) > STORE_FORMAT) {
        error_set(err, BENCH_ERROR_USAGE, "has format %" PRId64 ", this bench reads up to %d",
                  (int64_t)json_integer_value(format), STORE_FORMAT);
        error_hint(err, "read it with the bench that wrote it, or a newer one");
        return -1;
    }
    return 0;
}

static int check_environment(const json_t *run, struct bench_error *err)
{
    const json_t *environment = json_object_get(run, "environment");

    if (json_is_object(environment) || json_is_null(environment))
        return 0;
    return error_set(err, BENCH_ERROR_RUN, "field 'environment': expected an object or null");
}

static int check_run(const json_t *run, struct bench_error *err)
{
    if (check_format(run, err) < 0 || check_members(run, run_members, err) < 0 ||
        check_elements(run, "points", point_members, err) < 0 ||
        check_elements(run, "plan", step_members, err) < 0 || check_steps(run, err) < 0 ||
        check_environment(run, err) < 0)
        return -1;
    return 0;
}

/* The writer holds a lock on the directory for as long as it lives. */
static bool writer_lives(int dirfd)
{
    if (flock(dirfd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(dirfd, LOCK_UN);
    return false;
}

/* Reads and checks run.json; "running" without a writer becomes "interrupted". */
static json_t *read_run(int dirfd, const char *directory, struct bench_error *err)
{
    cleanup_free char *name = xasprintf("%s/" LAYOUT_RUN, directory);
    json_t *run = read_json(dirfd, LAYOUT_RUN, name, RUN_LIMIT, err);

    if (!run)
        return NULL;
    if (check_run(run, err) < 0) {
        error_context(err, "%s", name);
        json_decref(run);
        return NULL;
    }
    if (strcmp(json_string_value(json_object_get(run, "state")), "running") == 0 &&
        !writer_lives(dirfd))
        json_object_set_new(run, "state", json_string("interrupted"));
    return run;
}

/* Repetitions */

/* The message begins with the line. */
static int in_file(const char *path, struct bench_error *err)
{
    char message[sizeof(err->message)];

    memcpy(message, err->message, sizeof(message));
    return error_set(err, err->kind, "%s:%s", path, message);
}

/* The file is there when repetition.json counts what is in it. */
static int read_latencies(int dirfd, const char *directory, const json_t *json,
                          struct repetition_record *ret, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_LATENCY, directory), *text = NULL;
    json_int_t count = json_integer_value(json_object_get(json, "latencies"));

    if (count == 0)
        return 0;
    if (file_read(dirfd, path, LATENCY_LIMIT, &text, NULL, err) < 0)
        return -1;
    if (latency_from_text(ret, text, err) < 0)
        return in_file(path, err);
    if (count != (json_int_t)ret->n_latencies)
        return error_set(err, BENCH_ERROR_RUN,
                         "%s: %zu distributions, '" LAYOUT_REPETITION "' says %" PRId64, path,
                         ret->n_latencies, (int64_t)count);
    return 0;
}

static int read_series(int dirfd, const char *directory, const json_t *json, struct series *ret,
                       struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_SERIES, directory), *text = NULL;
    const json_t *rows = json_object_get(json, "series_rows");
    size_t length;

    if (file_read(dirfd, path, SERIES_LIMIT, &text, &length, err) < 0)
        return -1;
    if (series_from_text(ret, text, length, err) < 0)
        return in_file(path, err);
    if (json_integer_value(rows) != (json_int_t)ret->n_rows)
        return error_set(err, BENCH_ERROR_RUN,
                         "%s: %zu rows, '" LAYOUT_REPETITION "' says %" PRId64, path, ret->n_rows,
                         (int64_t)json_integer_value(rows));
    return 0;
}

/* `directory` is relative to the run: "repetitions/0001-nginx". */
static int read_repetition(int dirfd, const char *directory, struct repetition_record *ret,
                           struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_REPETITION, directory), *home = NULL;
    json_t *json = read_json(dirfd, path, path, REPETITION_LIMIT, err);
    int r;

    if (!json)
        return -1;
    r = record_from_json(ret, json, err);
    if (r < 0)
        error_context(err, "%s", path);
    else if ((r = read_series(dirfd, directory, json, &ret->series, err)) == 0)
        r = read_latencies(dirfd, directory, json, ret, err);
    json_decref(json);
    if (r < 0)
        return -1;
    /* A copy left beside the original would count twice. */
    home = layout_repetition(ret->index, ret->arm);
    if (strcmp(home, directory) != 0)
        return error_set(err, BENCH_ERROR_RUN, "%s: is the repetition of '%s'", path, home);
    ret->directory = xstrdup(directory);
    record_join_slices(ret);
    return 0;
}

static int by_index(const void *a, const void *b)
{
    const struct repetition_record *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

/* A directory without repetition.json is a repetition that never finished: not damage. */
static void add_repetition(struct stored_run *run, int dirfd, const char *name)
{
    cleanup_free char *directory = xasprintf(LAYOUT_REPETITIONS "/%s", name);
    cleanup_free char *path = xasprintf("%s/" LAYOUT_REPETITION, directory);
    struct repetition_record record = {0};
    struct bench_error err;

    if (faccessat(dirfd, path, F_OK, 0) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return;
    if (read_repetition(dirfd, directory, &record, &err) < 0) {
        record_release(&record);
        strings_add(&run->damaged, err.message);
        return;
    }
    run->repetitions =
        xrealloc(run->repetitions, (run->n_repetitions + 1) * sizeof(*run->repetitions));
    run->repetitions[run->n_repetitions++] = record;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a directory, sorted, without those that begin with a dot. */
static int list_names(int dirfd, const char *path, struct strings *ret, struct bench_error *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        int saved = errno;

        if (fd >= 0)
            close(fd);
        errno = saved;
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", path);
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            strings_add(ret, entry->d_name);
    closedir(dir);
    if (ret->count)
        qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
    return 0;
}

static int read_repetitions(struct stored_run *run, int dirfd, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    if (faccessat(dirfd, LAYOUT_REPETITIONS, F_OK, 0) < 0 && errno == ENOENT)
        return 0; /* killed before the first one began */
    if (list_names(dirfd, LAYOUT_REPETITIONS, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        add_repetition(run, dirfd, names.items[i]);
    if (run->n_repetitions)
        qsort(run->repetitions, run->n_repetitions, sizeof(*run->repetitions), by_index);
    return 0;
}

/* The directory that `path` stands for, opened: itself, or the run of that name in bench-results.
 */
static int open_run(const char *path, struct bench_error *err)
{
    cleanup_free char *below = xasprintf(LAYOUT_RESULTS "/%s", path);
    const char *const candidates[] = {path, strchr(path, '/') ? NULL : below};

    for (size_t i = 0; i < ARRAY_SIZE(candidates) && candidates[i]; i++) {
        cleanup_close int fd = open(candidates[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int found = fd;

        if (fd < 0 || faccessat(fd, LAYOUT_RUN, F_OK, 0) < 0)
            continue;
        fd = -1;
        return found;
    }
    if (candidates[1])
        error_set(err, BENCH_ERROR_USAGE, "neither '%s' nor '%s' is a run directory", path, below);
    else
        error_set(err, BENCH_ERROR_USAGE, "'%s' is not a run directory", path);
    error_hint(err,
               "a run directory holds '" LAYOUT_RUN
               "'; 'bench run' makes one below '" LAYOUT_RESULTS "', 'bench list runs' names them");
    return -1;
}

static int read_seed(struct stored_run *run, struct bench_error *err)
{
    if (field_seed.get(&run->seed, json_object_get(run->run, "seed"), err) == 0)
        return 0;
    return error_context(err, "%s/" LAYOUT_RUN ": field 'seed'", run->path);
}

int store_read(struct stored_run *ret, const char *path, struct bench_error *err)
{
    cleanup_close int dirfd = open_run(path, err);
    cleanup_free char *link = NULL;
    struct stored_run run = {0};

    if (dirfd < 0)
        return -1;
    link = xasprintf("/proc/self/fd/%d", dirfd);
    run.path = realpath(link, NULL);
    if (!run.path)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot resolve '%s'", path);
    run.run = read_run(dirfd, run.path, err);
    if (!run.run || read_seed(&run, err) < 0 || read_repetitions(&run, dirfd, err) < 0) {
        stored_run_release(&run);
        return -1;
    }
    run.id = xstrdup(json_string_value(json_object_get(run.run, "id")));
    *ret = run;
    return 0;
}

void stored_run_release(struct stored_run *r)
{
    for (size_t i = 0; i < r->n_repetitions; i++)
        record_release(&r->repetitions[i]);
    free(r->repetitions);
    free(r->path);
    free(r->id);
    json_decref(r->run);
    strings_release(&r->damaged);
    *r = (struct stored_run){0};
}

/* The list */

static json_t *summary(int dirfd, const char *path)
{
    static const char *const copied[] = {"id", "name", "started", "finished", "state"};
    struct bench_error err;
    json_t *run = read_run(dirfd, path, &err), *json = json_object();

    json_object_set_new(json, "path", json_text(path));
    if (!run) {
        json_object_set_new(json, "started", json_string(""));
        json_object_set_new(json, "state", json_string("damaged"));
        json_object_set_new(json, "reason", json_text(err.message));
        return json;
    }
    for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
        json_object_set(json, copied[i], json_object_get(run, copied[i]));
    json_object_set_new(json, "planned",
                        json_integer((json_int_t)json_array_size(json_object_get(run, "plan"))));
    json_decref(run);
    return json;
}

static int by_start(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(json_string_value(json_object_get(x, "started")),
                       json_string_value(json_object_get(y, "started")));

    return order ? order
                 : strcmp(json_string_value(json_object_get(x, "path")),
                          json_string_value(json_object_get(y, "path")));
}

json_t *store_list(const char *directory, struct bench_error *err)
{
    const char *from = directory ? directory : LAYOUT_RESULTS;
    cleanup_strings struct strings names = {0};
    cleanup_free json_t **runs = NULL;
    json_t *list;
    size_t n = 0;

    if (!directory && access(from, F_OK) < 0 && errno == ENOENT)
        return json_array(); /* nothing was run here yet */
    if (list_names(AT_FDCWD, from, &names, err) < 0)
        return NULL;
    runs = xcalloc(names.count, sizeof(*runs));
    for (size_t i = 0; i < names.count; i++) {
        cleanup_free char *path = xasprintf("%s/%s", from, names.items[i]);
        /* Not through links: `latest` is one of the others. */
        cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 && faccessat(fd, LAYOUT_RUN, F_OK, 0) == 0)
            runs[n++] = summary(fd, path);
    }
    qsort(runs, n, sizeof(*runs), by_start);
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, runs[i]);
    return list;
}
