/* SPDX-License-Identifier: Apache-2.0 */
#include "report/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/run_facts.h"

enum { TABLE_BYTES = 16 * 1024 };

static const char *keep(struct strings *kept, const char *text)
{
    strings_add(kept, text);
    return kept->items[kept->count - 1];
}

/* A text or a picture is looked at as it is; what perf recorded needs perf. */
static const char *first_to_look_at(const json_t *files)
{
    json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        const char *name = json_text_or(file, "");

        if (string_ends_with(name, ".txt") || string_ends_with(name, ".svg"))
            return name;
    }
    return json_text_or(json_array_get(files, 0), "");
}

/* The beginning of a tool's table; NULL when it is no text, or cannot be read: then with the
 * reason, unless it is no longer there. */
static char *read_table(const char *run, const char *file, struct bench_error *why)
{
    cleanup_close int dirfd = -1, fd = -1;
    char buffer[TABLE_BYTES];
    ssize_t n;

    if (!run || !string_ends_with(file, ".txt"))
        return NULL;
    dirfd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        error_errno(why, BENCH_ERROR_RUN, errno, "cannot open '%s'", run);
    else
        fd = file_open_beneath(dirfd, file, why);
    n = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));
    if (fd >= 0 && n < 0)
        error_errno(why, BENCH_ERROR_RUN, errno, "cannot read '%s'", file);
    if (why->errnum == ENOENT || why->errnum == ENOTDIR)
        *why = (struct bench_error){0};
    return n > 0 ? xstrndup(buffer, (size_t)n) : NULL;
}

static void summarise(const json_t *json, struct text *out)
{
    const char *event = json_text_or(json_object_get(json, "event"), "");
    double samples = json_number_or(json_object_get(json, "samples"), -1);
    double switches = json_number_or(json_object_get(json, "switches"), -1);
    double lost = json_number_or(json_object_get(json, "lost"), 0);

    if (samples >= 0)
        text_add(out, "%.0f samples%s", samples, *event ? " by " : "");
    if (switches >= 0)
        text_add(out, "%.0f ", switches);
    text_add(out, "%s", event);
    if (lost > 0)
        text_add(out, ", %.0f lost", lost);
}

static struct bench_artifact *new_artifact(const struct repetition_record *r, const char *run,
                                           const json_t *json, struct strings *kept)
{
    struct bench_artifact *a = xcalloc(1, sizeof(*a));
    const json_t *notes = json_object_get(json, "notes");
    cleanup_free char *all = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    cleanup_free char *file = xasprintf("%s/%s", r->directory ? r->directory : "",
                                        first_to_look_at(json_object_get(json, "files")));
    struct bench_error why = {0};
    cleanup_free char *table = read_table(run, file, &why);
    cleanup_text struct text summary = {0};
    const char **lines = xcalloc(json_array_size(notes) + 1, sizeof(*lines));

    summarise(json, &summary);
    a->capture = keep(kept, json_text_or(json_object_get(json, "capture"), ""));
    a->role = keep(kept, json_text_or(json_object_get(json, "role"), ""));
    a->summary = keep(kept, text_get(&summary));
    a->file = keep(kept, file);
    a->json = keep(kept, all);
    a->table = table ? keep(kept, table) : NULL;
    a->n_notes = (uint32_t)json_array_size(notes);
    for (uint32_t i = 0; i < a->n_notes; i++)
        lines[i] = keep(kept, json_text_or(json_array_get(notes, i), ""));
    if (why.message[0])
        lines[a->n_notes++] = keep(kept, why.message);
    a->notes = lines;
    return a;
}

struct bench_artifact **artifacts_of(const struct repetition_record *r, const char *run,
                                     struct strings *kept, uint32_t *ret_count)
{
    struct bench_artifact **artifacts =
        xcalloc(json_array_size(r->captures) + 1, sizeof(*artifacts));
    json_t *json;
    size_t i;

    *ret_count = 0;
    json_array_foreach(r->captures, i, json)
    {
        if (json_is_string(json_object_get(json, "capture")))
            artifacts[(*ret_count)++] = new_artifact(r, run, json, kept);
    }
    return artifacts;
}

void artifacts_free(struct bench_artifact **artifacts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        free((void *)artifacts[i]->notes);
        free(artifacts[i]);
    }
    free(artifacts);
}
