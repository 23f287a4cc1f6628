/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/random.h"
#include "store/fields.h"
#include "store/layout.h"
#include "store/record_json.h"
#include "store/latency_text.h"
#include "store/series_text.h"

#define SCENARIO_LIMIT (1 << 20) /* as scenario_read() accepts */

static int write_json(const char *path, const json_t *json, struct bench_error *err)
{
    cleanup_free char *text = json_dumps(json, JSON_INDENT(2));
    cleanup_text struct text t = {0};

    text_add(&t, "%s\n", text ? text : "");
    if (!text)
        return error_set(err, BENCH_ERROR_RUN, "'%s': cannot be written as JSON", path);
    return file_write(AT_FDCWD, path, t.data, t.length, err);
}

static int write_run(const struct store_writer *w, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_RUN, w->path);

    return write_json(path, w->run, err);
}

/* run.json */

/* The members of `scenario` that differ from those of `base`: what the sweep changed. */
static json_t *settings_json(json_t *base, json_t *scenario)
{
    json_t *settings = json_object(), *value;
    const char *key;

    json_object_foreach(scenario, key, value)
    {
        json_t *other = json_object_get(base, key);

        if (!other || !json_equal(value, other))
            json_object_set(settings, key, value);
    }
    return settings;
}

static json_t *point_json(const struct point *point, json_t *base)
{
    json_t *json = json_object(), *hops = json_object(),
           *scenario = scenario_json(&point->scenario);

    for (size_t i = 0; i < point->scenario.n_arms; i++)
        json_object_set_new(hops, point->scenario.arms[i].name, json_integer(point->hops[i]));
    json_object_set_new(json, "label", json_text(point->label));
    json_object_set_new(json, "settings", settings_json(base, scenario));
    json_object_set_new(json, "hops", hops);
    json_decref(scenario);
    return json;
}

/* `first`: index of the plan's first point among those of the run. */
static json_t *step_json(const struct step *step, const struct plan *plan, size_t first)
{
    json_t *json = json_object();

    json_object_set_new(json, "index", json_integer(step->index));
    json_object_set_new(json, "block", json_integer(step->block));
    json_object_set_new(json, "point",
                        json_integer(step->point - plan->points + (json_int_t)first));
    json_object_set_new(json, "arm", json_text(step->point->scenario.arms[step->arm].name));
    json_object_set_new(json, "purpose", json_text(step->purpose));
    return json;
}

static void add_plan(json_t *run, const struct plan *plan)
{
    json_t *scenario = json_object_get(run, "scenario"), *points = json_object_get(run, "points"),
           *steps = json_object_get(run, "plan");
    size_t first = json_array_size(points);

    for (size_t i = 0; i < plan->n_points; i++)
        json_array_append_new(points, point_json(&plan->points[i], scenario));
    for (size_t i = 0; i < plan->n_steps; i++)
        json_array_append_new(steps, step_json(&plan->steps[i], plan, first));
    json_object_set_new(run, "seed", field_seed.put(&plan->seed));
    json_object_set_new(run, "blocks", json_integer(plan->blocks));
}

static json_t *command_json(char *const *command)
{
    json_t *array = json_array();

    for (; command && *command; command++)
        json_array_append_new(array, json_text(*command));
    return array;
}

static json_t *run_json(const struct store_writer *w, int64_t started, const struct plan *plan,
                        json_t *environment, char *const *command)
{
    cleanup_free char *cwd = getcwd(NULL, 0);
    json_t *run = json_object();
    char time[32];

    clock_rfc3339(started, time);
    json_object_set_new(run, "format", json_integer(STORE_FORMAT));
    json_object_set_new(run, "bench_version", json_string(BENCH_VERSION));
    json_object_set_new(run, "id", json_text(w->id));
    json_object_set_new(run, "name", json_text(plan->scenario.name));
    json_object_set_new(run, "started", json_string(time));
    json_object_set_new(run, "finished", json_null());
    json_object_set_new(run, "state", json_string("running"));
    json_object_set_new(run, "command", command_json(command));
    json_object_set_new(run, "cwd", json_text(cwd ? cwd : "")); /* it may be gone */
    json_object_set_new(run, "environment", environment ? json_incref(environment) : json_null());
    json_object_set_new(run, "scenario", scenario_json(&plan->scenario));
    json_object_set_new(run, "chosen", scenario_chosen_options(&plan->scenario));
    json_object_set_new(run, "points", json_array());
    json_object_set_new(run, "left_out", field_strings.put(&plan->scenario.left_out));
    json_object_set_new(run, "plan", json_array());
    add_plan(run, plan);
    return run;
}

/* The directory */

static int directory_is_empty(const char *path, bool *ret, struct bench_error *err)
{
    struct dirent *entry;
    DIR *dir = opendir(path);

    if (!dir)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read directory '%s'", path);
    *ret = true;
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            *ret = false;
    closedir(dir);
    return 0;
}

/* A directory that the user named. */
static int make_given(const char *path, bool *ret_made, struct bench_error *err)
{
    cleanup_free char *copy = xstrdup(path);
    bool empty = false;

    if (directory_make(AT_FDCWD, dirname(copy), err) < 0)
        return -1;
    *ret_made = mkdir(path, 0755) == 0;
    if (!*ret_made && errno != EEXIST)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot create directory '%s'", path);
    if (directory_is_empty(path, &empty, err) < 0)
        return -1;
    if (!empty) {
        error_set(err, BENCH_ERROR_USAGE, "directory '%s' is not empty", path);
        error_hint(err, "name one that does not exist: a run never mixes with other files");
        return -1;
    }
    return 0;
}

/* A new directory of its own below bench-results, however many benches start in this second. */
static int make_named(const char *id, struct bench_error *err)
{
    cleanup_free char *path = xasprintf(LAYOUT_RESULTS "/%s", id);

    if (mkdir(path, 0755) == 0)
        return 0;
    return errno == EEXIST
               ? 1
               : error_errno(err, BENCH_ERROR_RUN, errno, "cannot create directory '%s'", path);
}

static int make_directory(struct store_writer *w, const char *path, int64_t started,
                          const char *name, bool *ret_made, struct bench_error *err)
{
    cleanup_free char *below = NULL;
    int made = 1;

    if (path) {
        w->id = layout_id(started, name, (uint16_t)random_seed());
        if (make_given(path, ret_made, err) < 0)
            return -1;
    } else {
        if (directory_make(AT_FDCWD, LAYOUT_RESULTS, err) < 0)
            return -1;
        while (made == 1) {
            free(w->id);
            w->id = layout_id(started, name, (uint16_t)random_seed());
            made = make_named(w->id, err);
        }
        if (made < 0)
            return -1;
        *ret_made = true;
        path = below = xasprintf(LAYOUT_RESULTS "/%s", w->id);
    }
    w->path = realpath(path, NULL);
    if (!w->path)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot resolve '%s'", path);
    return 0;
}

/* The lock tells readers that the writer lives; the kernel drops it however the writer ends. A file
 * system without locks costs no more than that knowledge. */
static int open_locked(struct store_writer *w, struct bench_error *err)
{
    w->dirfd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dirfd < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", w->path);
    if (flock(w->dirfd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return error_set(err, BENCH_ERROR_RUN, "'%s' is being written by another bench", w->path);
    return 0;
}

/* The user's own words beside what they resolved to. Standard input and pipes were read up. */
static int copy_scenario(const struct store_writer *w, const char *file, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_SCENARIO, w->path), *data = NULL;
    struct stat st;
    size_t length;

    if (!file || strcmp(file, "-") == 0 || stat(file, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    if (file_read(AT_FDCWD, file, SCENARIO_LIMIT, &data, &length, err) < 0)
        return -1;
    return file_write(AT_FDCWD, path, data, length, err);
}

/* Renamed over the old link: at no moment is there none. */
static int link_latest(const struct store_writer *w, struct bench_error *err)
{
    cleanup_free char *temporary = xasprintf(LAYOUT_RESULTS "/." LAYOUT_LATEST "-%s", w->id);
    const char *latest = LAYOUT_RESULTS "/" LAYOUT_LATEST;
    int saved;

    if (symlink(w->id, temporary) == 0 && rename(temporary, latest) == 0)
        return 0;
    saved = errno;
    unlink(temporary);
    return error_errno(err, BENCH_ERROR_RUN, saved, "cannot replace the link '%s'", latest);
}

int store_create(struct store_writer *w, const char *path, const struct plan *plan,
                 json_t *environment, char *const *command, struct bench_error *err)
{
    const struct scenario *scenario = &plan->scenario;
    int64_t started = clock_wall();
    bool made = false;

    *w = (struct store_writer){.dirfd = -1};
    if (make_directory(w, path, started, scenario->name, &made, err) == 0 &&
        open_locked(w, err) == 0 && copy_scenario(w, scenario->file, err) == 0) {
        w->run = run_json(w, started, plan, environment, command);
        if (write_run(w, err) == 0 && (path || link_latest(w, err) == 0))
            return 0;
    }
    if (made && w->path)
        directory_remove(AT_FDCWD, w->path, NULL);
    store_writer_release(w);
    error_context(err, "cannot store results");
    if (err && !err->hint[0])
        error_hint(err, "name a directory that you may write to with -o");
    return -1;
}

int store_extend(struct store_writer *w, const struct plan *plan, struct bench_error *err)
{
    add_plan(w->run, plan);
    return write_run(w, err);
}

int store_note(struct store_writer *w, const char *key, json_t *value, struct bench_error *err)
{
    json_object_set_new(w->run, key, value);
    return write_run(w, err);
}

int store_begin(struct store_writer *w, const struct step *step, char **ret_directory,
                struct bench_error *err)
{
    cleanup_free char *name =
        layout_repetition(step->index, step->point->scenario.arms[step->arm].name);
    cleanup_free char *parent = xasprintf("%s/" LAYOUT_REPETITIONS, w->path);
    cleanup_free char *path = xasprintf("%s/%s", w->path, name);

    if (directory_make(AT_FDCWD, parent, err) < 0 || directory_make(AT_FDCWD, path, err) < 0)
        return -1;
    *ret_directory = path;
    path = NULL;
    return 0;
}

/* Only where something measured a latency. */
static int add_latencies(struct store_writer *w, const char *name,
                         const struct repetition_record *record, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/%s/" LAYOUT_LATENCY, w->path, name);
    cleanup_text struct text t = {0};

    if (record->n_latencies == 0)
        return 0;
    latency_to_text(record, &t);
    return file_write(AT_FDCWD, path, t.data, t.length, err);
}

static int add(struct store_writer *w, const char *name, const struct repetition_record *record,
               struct bench_error *err)
{
    cleanup_free char *series = xasprintf("%s/%s/" LAYOUT_SERIES, w->path, name);
    cleanup_free char *rest = xasprintf("%s/%s/" LAYOUT_REPETITION, w->path, name);
    cleanup_text struct text t = {0};
    json_t *json;
    int r;

    series_to_text(&record->series, &t);
    if (file_write(AT_FDCWD, series, t.data, t.length, err) < 0 ||
        add_latencies(w, name, record, err) < 0)
        return -1;
    json = record_to_json(record);
    json_object_set_new(json, "series_rows", json_integer((json_int_t)record->series.n_rows));
    json_object_set_new(json, "latencies", json_integer((json_int_t)record->n_latencies));
    r = write_json(rest, json, err);
    json_decref(json);
    return r;
}

int store_add(struct store_writer *w, struct repetition_record *record, struct bench_error *err)
{
    cleanup_free char *name = layout_repetition(record->index, record->arm);

    if (add(w, name, record, err) < 0) {
        cleanup_free char *directory = xasprintf("%s/%s", w->path, name);

        disk_explain_full(directory, err);
        return -1;
    }
    free(record->directory);
    record->directory = name;
    name = NULL;
    return 0;
}

int store_finish(struct store_writer *w, const char *state, struct bench_error *err)
{
    char time[32];

    clock_rfc3339(clock_wall(), time);
    json_object_set_new(w->run, "state", json_text(state));
    json_object_set_new(w->run, "finished", json_string(time));
    return write_run(w, err);
}

void store_writer_release(struct store_writer *w)
{
    if (w->path && w->dirfd >= 0) /* a zeroed writer holds no descriptor 0 */
        close(w->dirfd);
    free(w->path);
    free(w->id);
    json_decref(w->run);
    *w = (struct store_writer){.dirfd = -1};
}
