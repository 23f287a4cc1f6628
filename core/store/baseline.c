/* SPDX-License-Identifier: Apache-2.0 */
#include "store/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/layout.h"

enum { NAME_MOST = 64, FILE_LIMIT = 8192 };

static const char *or_default(const char *results)
{
    return results ? results : LAYOUT_RESULTS;
}

int baseline_check_name(const char *name, struct bench_error *err)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char others[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (strcmp(name, "now") == 0) {
        error_set(err, BENCH_ERROR_USAGE, "'now' is no name for a baseline");
        error_hint(err, "what is compared with it is called so");
        return -1;
    }
    /* ".tmp." is in the name of a file that is being written. */
    if (*name && !strstr(name, ".tmp.") && strchr(first, *name) &&
        strspn(name, others) == strlen(name) && strlen(name) <= NAME_MOST)
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "'%s' is no name for a baseline", name);
    error_hint(err, "letters, digits, '.', '_' and '-', at most %d; a letter or digit first",
               NAME_MOST);
    return -1;
}

/* The directory that `run` stands for. NULL with the reason why it cannot be read now, or without
 * one (`kind` is NONE): it is no run. Caller frees. */
static char *run_path(const char *results, const char *run, struct bench_error *why)
{
    cleanup_free char *below = xasprintf("%s/%s", results, run), *file = NULL;
    const char *named = strchr(run, '/') ? run : below;
    cleanup_free char *path = realpath(named, NULL);
    char *found = NULL;
    struct stat st;

    *why = (struct bench_error){0};
    file = xasprintf("%s/" LAYOUT_RUN, path ? path : named);
    if (!path || stat(file, &st) < 0) {
        error_errno(why, BENCH_ERROR_RUN, errno, "cannot open '%s'", file);
        if (!error_is_passing(why))
            *why = (struct bench_error){0};
        return NULL;
    }
    found = path;
    path = NULL;
    return found;
}

int baseline_save(const char *results, const char *name, const char *run, struct bench_error *err)
{
    const char *from = or_default(results);
    struct bench_error why;
    cleanup_free char *path = run_path(from, run, &why), *home = realpath(from, NULL);
    cleanup_free char *directory = xasprintf("%s/" LAYOUT_BASELINES, from);
    cleanup_free char *file = xasprintf("%s/%s", directory, name), *line = NULL;
    size_t length = home ? strlen(home) : 0;

    if (baseline_check_name(name, err) < 0)
        return -1;
    if (!path && why.kind) {
        if (err)
            *err = why;
        return -1;
    }
    if (!path) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' is not a stored run", run);
        error_hint(err, "'bench list runs' names them");
        return -1;
    }
    /* By its name where it can: results may be moved as a whole. */
    if (home && strncmp(path, home, length) == 0 && path[length] == '/' &&
        !strchr(path + length + 1, '/'))
        line = xasprintf("%s\n", path + length + 1);
    else
        line = xasprintf("%s\n", path);
    if (directory_make(AT_FDCWD, directory, err) < 0)
        return -1;
    return file_write(AT_FDCWD, file, line, strlen(line), err);
}

int baseline_find(const char *results, const char *name, char **ret_run, struct bench_error *err)
{
    const char *from = or_default(results);
    cleanup_free char *file = xasprintf("%s/" LAYOUT_BASELINES "/%s", from, name);
    cleanup_free char *line = NULL, *path = NULL;
    struct bench_error why;
    struct stat st;

    if (baseline_check_name(name, err) < 0)
        return -1;
    if (stat(file, &st) < 0 && errno == ENOENT) {
        cleanup_strings struct strings names = {0};

        if (baseline_list(results, &names, NULL) == 0 && names.count)
            return error_unknown(err, "baseline", name, (const char *const *)names.items);
        return error_set(err, BENCH_ERROR_USAGE, "there is no baseline '%s'", name);
    }
    if (file_read(AT_FDCWD, file, FILE_LIMIT, &line, NULL, err) < 0)
        return -1;
    line[strcspn(line, "\n")] = '\0';
    path = run_path(from, line, &why);
    if (!path && why.kind) {
        if (err)
            *err = why;
        return error_context(err, "baseline '%s'", name);
    }
    if (!path)
        return error_set(err, BENCH_ERROR_USAGE, "baseline '%s': there is no run '%s' any more",
                         name, line);
    /* Never the bare name: there may be a run of that name in the working directory as well. */
    *ret_run = strchr(line, '/') ? xstrdup(line) : xasprintf("%s/%s", from, line);
    return 0;
}

int baseline_list(const char *results, struct strings *ret, struct bench_error *err)
{
    cleanup_free char *directory = xasprintf("%s/" LAYOUT_BASELINES, or_default(results));
    cleanup_strings struct strings names = {0};

    if (access(directory, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (directory_list(AT_FDCWD, directory, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (baseline_check_name(names.items[i], NULL) == 0)
            strings_add(ret, names.items[i]);
    return 0;
}
