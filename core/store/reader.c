/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

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
#include "store/find.h"
#include "store/layout.h"
#include "store/record_json.h"
#include "store/run_json.h"
#include "store/latency_text.h"
#include "store/series_text.h"
#include "store/slices.h"

#define REPETITION_LIMIT (16 << 20)
#define SERIES_LIMIT (256 << 20)
#define LATENCY_LIMIT (4 << 20)

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
    if (file_read_beneath(dirfd, path, LATENCY_LIMIT, &text, NULL, err) < 0)
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

    if (file_read_beneath(dirfd, path, SERIES_LIMIT, &text, &length, err) < 0)
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
    json_t *json = json_read(dirfd, path, path, REPETITION_LIMIT, err);
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

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Enters the repetition of that directory as lost, when it is one of the plan: not a copy of one.
 */
static void lose(struct stored_run *run, const char *directory)
{
    const json_t *points = json_object_get(run->run, "points"), *step;
    size_t i;

    json_array_foreach(json_object_get(run->run, "plan"), i, step)
    {
        json_int_t index = json_integer_value(json_object_get(step, "index"));
        json_int_t point = json_integer_value(json_object_get(step, "point"));
        json_int_t block = json_integer_value(json_object_get(step, "block"));
        const char *arm = text_of(step, "arm"), *purpose = text_of(step, "purpose");
        cleanup_free char *home = layout_repetition((uint32_t)index, arm);

        if (strcmp(home, directory) != 0)
            continue;
        stored_run_add_lost(run, arm, text_of(json_array_get(points, (size_t)point), "label"),
                            (uint32_t)block, !*purpose || strcmp(purpose, PURPOSE_MEASURE) == 0);
        return;
    }
}

/* A directory without repetition.json is a repetition that never finished: not damage. What could
 * not be read for the moment is an error: without it, the others may tell something else. */
static int add_repetition(struct stored_run *run, int dirfd, const char *name,
                          struct bench_error *err)
{
    cleanup_free char *directory = xasprintf(LAYOUT_REPETITIONS "/%s", name);
    cleanup_free char *path = xasprintf("%s/" LAYOUT_REPETITION, directory);
    struct repetition_record record = {0};
    struct bench_error why = {0};
    struct stat st;

    if (fstatat(dirfd, path, &st, 0) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (read_repetition(dirfd, directory, &record, &why) < 0) {
        record_release(&record);
        if (!error_is_passing(&why)) {
            strings_add(&run->damaged, why.message);
            lose(run, directory);
            return 0;
        }
        if (!why.hint[0])
            error_hint(&why, "a run is read as a whole or not at all: a part of it may tell "
                             "something else");
        if (err)
            *err = why;
        return error_context(err, "%s", run->path);
    }
    run->repetitions =
        xrealloc(run->repetitions, (run->n_repetitions + 1) * sizeof(*run->repetitions));
    run->repetitions[run->n_repetitions++] = record;
    return 0;
}

static int read_repetitions(struct stored_run *run, int dirfd, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};
    struct stat st;

    if (fstatat(dirfd, LAYOUT_REPETITIONS, &st, 0) < 0 && errno == ENOENT)
        return 0; /* killed before the first one began */
    if (directory_list(dirfd, LAYOUT_REPETITIONS, &names, err) < 0)
        return error_context(err, "%s", run->path);
    for (size_t i = 0; i < names.count; i++)
        if (add_repetition(run, dirfd, names.items[i], err) < 0)
            return -1;
    if (run->n_repetitions)
        qsort(run->repetitions, run->n_repetitions, sizeof(*run->repetitions), by_index);
    return 0;
}

static int read_seed(struct stored_run *run, struct bench_error *err)
{
    if (field_seed.get(&run->seed, json_object_get(run->run, "seed"), err) == 0)
        return 0;
    return error_context(err, "%s/" LAYOUT_RUN ": field 'seed'", run->path);
}

int store_read(struct stored_run *ret, const char *word, struct bench_error *err)
{
    cleanup_close int dirfd = run_find(word, err);
    cleanup_free char *link = NULL;
    struct stored_run run = {0};

    if (dirfd < 0)
        return -1;
    link = xasprintf("/proc/self/fd/%d", dirfd);
    run.path = realpath(link, NULL);
    if (!run.path)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot resolve '%s'", word);
    run.run = run_json_read(dirfd, run.path, err);
    if (!run.run || read_seed(&run, err) < 0 || read_repetitions(&run, dirfd, err) < 0) {
        stored_run_release(&run);
        return -1;
    }
    run.id = xstrdup(json_string_value(json_object_get(run.run, "id")));
    *ret = run;
    return 0;
}

void stored_run_add_lost(struct stored_run *r, const char *arm, const char *point, uint32_t block,
                         bool measures)
{
    r->lost = grow(r->lost, &r->lost_capacity, r->n_lost + 1, sizeof(*r->lost));
    r->lost[r->n_lost++] = (struct lost_repetition){
        .arm = xstrdup(arm), .point = xstrdup(point), .block = block, .measures = measures};
}

int stored_run_open(const struct stored_run *r, struct bench_error *err)
{
    int fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", r->path) : fd;
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
    for (size_t i = 0; i < r->n_lost; i++) {
        free(r->lost[i].arm);
        free(r->lost[i].point);
    }
    free(r->lost);
    *r = (struct stored_run){0};
}
