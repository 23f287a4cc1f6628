/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/suggest.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

/* Length of the name without ".yaml" or ".yml". */
static size_t stem_length(const char *name)
{
    size_t n = strlen(name);

    return n - (string_ends_with(name, ".yaml") ? 5 : string_ends_with(name, ".yml") ? 4 : 0);
}

static bool is_yaml(const char *name)
{
    return stem_length(name) < strlen(name);
}

static bool same_stem(const char *a, const char *b)
{
    size_t n = stem_length(a);

    return n == stem_length(b) && strncmp(a, b, n) == 0;
}

/* Scenario files of a directory. One that cannot be read has none. */
static void find_files(const char *directory, struct strings *ret)
{
    cleanup_strings struct strings all = {0};

    directory_list(AT_FDCWD, directory, &all, NULL);
    for (size_t i = 0; i < all.count; i++)
        if (is_yaml(all.items[i]))
            strings_add(ret, all.items[i]);
}

static const char *with_stem(const struct strings *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (same_stem(names->items[i], name))
            return names->items[i];
    return NULL;
}

/* By their stems: an ending may be missing, or another. */
static const char *near(const struct strings *names, const char *name)
{
    cleanup_strings struct strings stems = {0};
    cleanup_free char *stem = xstrndup(name, stem_length(name));
    const char *close;

    for (size_t i = 0; i < names->count; i++)
        strings_addf(&stems, "%.*s", (int)stem_length(names->items[i]), names->items[i]);
    close = stems.count ? nearest(stem, (const char *const *)stems.items) : NULL;
    for (size_t i = 0; close && i < names->count; i++)
        if (stems.items[i] == close)
            return names->items[i];
    return NULL;
}

void suggest_scenario(const struct cli *cli, const char *name, struct bench_error *err)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name, *found = NULL;
    cleanup_free char *directory = slash ? xstrndup(name, (size_t)(base - name)) : xstrdup("");
    cleanup_strings struct strings directories = {0}, here = {0}, shipped = {0};
    const char *(*const looks[])(const struct strings *, const char *) = {with_stem, near};

    find_files(*directory ? directory : ".", &here);
    cli_scenario_directories(cli, &directories);
    for (size_t i = 0; i < directories.count; i++)
        find_files(directories.items[i], &shipped);
    for (size_t i = 0; i < ARRAY_SIZE(looks) && !found; i++) {
        found = looks[i](&here, base);
        if (found) {
            error_hint(err, "did you mean '%s%s'?", directory, found);
            return;
        }
        found = looks[i](&shipped, base);
    }
    if (found)
        error_hint(err, "did you mean the shipped scenario '%.*s'?", (int)stem_length(found),
                   found);
    else if (!slash) /* a path is none of theirs */
        error_hint(err, "'bench list scenarios' names the shipped ones");
}
