/* SPDX-License-Identifier: Apache-2.0 */
#include "store/find.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/layout.h"
#include "store/run_json.h"

enum {
    LEAST_PART = 3, /* characters: a shorter word is rather a mistake */
    LISTED = 5,     /* runs that an error names */
};

/* Opens `path` below `dirfd` when it is a run's directory. -1 with an error, or without one (`kind`
 * is NONE) when there is no run of that name. */
static int open_directory(int dirfd, const char *path, struct bench_error *ret)
{
    cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int found = fd;
    struct stat st;

    if (fd < 0)
        error_errno(ret, BENCH_ERROR_RUN, errno, "cannot open '%s'", path);
    else if (fstatat(fd, LAYOUT_RUN, &st, AT_SYMLINK_NOFOLLOW) < 0)
        error_errno(ret, BENCH_ERROR_RUN, errno, "cannot open '%s/" LAYOUT_RUN "'", path);
    else {
        fd = -1;
        return found;
    }
    if (!error_is_passing(ret))
        *ret = (struct bench_error){0};
    return -1;
}

/* Whether a directory may hold a run of that scenario: "20261120-064944-SLUG-3f9a". */
static bool has_slug(const char *directory, const char *slug)
{
    const char *begin = strchr(directory, '-'), *end = strrchr(directory, '-');

    begin = begin ? strchr(begin + 1, '-') : NULL;
    return begin && end > begin && (size_t)(end - begin - 1) == strlen(slug) &&
           strncmp(begin + 1, slug, strlen(slug)) == 0;
}

static bool is_of_scenario(int results, const char *directory, const char *name)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_RUN, directory);
    json_t *run = json_read(results, path, path, RUN_JSON_LIMIT, NULL);
    const char *own = json_string_value(json_object_get(run, "name"));
    bool same = own && strcmp(own, name) == 0;

    json_decref(run);
    return same;
}

/* The newest run of a scenario: names begin with the time. NULL: there is none. */
static const char *newest_of(int results, const struct strings *names, const char *scenario)
{
    cleanup_free char *slug = layout_slug(scenario);

    for (size_t i = names->count; i-- > 0;)
        if (has_slug(names->items[i], slug) && is_of_scenario(results, names->items[i], scenario))
            return names->items[i];
    return NULL;
}

static int ambiguous(const char *word, const struct strings *found, struct bench_error *err)
{
    cleanup_text struct text list = {0};
    size_t first = found->count > LISTED ? found->count - LISTED : 0;

    for (size_t i = first; i < found->count; i++)
        text_add(&list, "%s%s", i > first ? ", " : "", found->items[i]);
    error_set(err, BENCH_ERROR_USAGE, "'%s' is part of the names of %zu runs%s: %s", word,
              found->count, first ? ", the newest" : "", text_get(&list));
    error_hint(err, "give more of the name: 'bench list runs %s' lists them", word);
    return -1;
}

/* The run that has the word in its name. -1 without an error: none has. */
static int open_part(int results, const struct strings *names, const char *word,
                     struct bench_error *err)
{
    cleanup_strings struct strings found = {0};
    int fd = -1;

    if (strlen(word) < LEAST_PART)
        return -1;
    for (size_t i = 0; i < names->count; i++) {
        int other;

        if (!strstr(names->items[i], word))
            continue;
        other = open_directory(results, names->items[i], err);
        if (other < 0 && err->kind)
            break;
        if (other < 0)
            continue;
        if (fd >= 0)
            close(fd);
        fd = other;
        strings_add(&found, names->items[i]);
    }
    if (!err->kind && found.count > 1)
        ambiguous(word, &found, err);
    if (err->kind && fd >= 0)
        close(fd);
    return err->kind ? -1 : fd;
}

static void add_run_name(const char *name, struct strings *ret)
{
    if (strcmp(name, LAYOUT_BASELINES) != 0 && strcmp(name, LAYOUT_LATEST) != 0)
        strings_add(ret, name);
}

static int open_below_results(const char *word, struct bench_error *err)
{
    cleanup_close int results = open(LAYOUT_RESULTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_strings struct strings all = {0}, names = {0};
    const char *newest;
    int fd;

    if (results < 0)
        return -1;
    fd = open_directory(results, word, err);
    if (fd >= 0 || err->kind)
        return fd;
    if (directory_list(results, ".", &all, err) < 0)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        add_run_name(all.items[i], &names);
    newest = newest_of(results, &names, word);
    return newest ? open_directory(results, newest, err) : open_part(results, &names, word, err);
}

int run_find(const char *word, struct bench_error *err)
{
    bool below = !strchr(word, '/');
    struct bench_error why = {0};
    int fd = open_directory(AT_FDCWD, word, &why);

    if (fd < 0 && !why.kind && below)
        fd = open_below_results(word, &why);
    if (fd >= 0)
        return fd;
    if (why.kind) {
        if (err)
            *err = why;
        return -1;
    }
    if (below)
        error_set(err, BENCH_ERROR_USAGE,
                  "neither '%s' nor '" LAYOUT_RESULTS "/%s' is a run directory", word, word);
    else
        error_set(err, BENCH_ERROR_USAGE, "'%s' is not a run directory", word);
    error_hint(err,
               "a run directory holds '" LAYOUT_RUN
               "'; 'bench run' makes one below '" LAYOUT_RESULTS "', 'bench list runs' names them");
    return -1;
}
