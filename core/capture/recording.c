/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "capture/roles.h"
#include "profile/flamegraph.h"
#include "profile/folded.h"
#include "profile/perf_header.h"
#include "profile/speedscope.h"

/* Pages of buffer per CPU, so that every perf of the repetition fits into what the kernel lets one
 * user lock (perf_event_mlock_kb, per CPU); root may lock what it likes. 0: perf's default. */
static unsigned buffer_pages(size_t n_roles)
{
    cleanup_free char *text = file_peek("/proc/sys/kernel/perf_event_mlock_kb");
    long allowed = text ? atol(text) * 1024 / sysconf(_SC_PAGESIZE) : 0;
    unsigned pages = 1;

    if (geteuid() == 0 || n_roles == 0)
        return 0;
    while ((long)n_roles * (2 * pages + 1) <= allowed)
        pages *= 2;
    return pages;
}

static int spawn(struct recording *r, const struct recording_spec *spec,
                 const struct strings *arguments, const struct role *role, struct bench_error *err)
{
    struct recorded *item = &r->items[r->count];
    struct perf_recording recording = {
        .perf = &r->perf,
        .role = role,
        .arguments = arguments,
        .events = spec->events,
    };

    item->role = xstrdup(role_name(role));
    item->name = xasprintf("%s-%s", spec->capture, item->role);
    item->path = xasprintf("%s/%s.perf.data", r->target.directory, item->name);
    recording.name = item->name;
    return perf_tool_spawn(&r->tools[r->count++], &r->target, &recording, err);
}

int recording_open(struct recording *r, const struct capture_target *t,
                   const struct recording_spec *spec, struct bench_error *err)
{
    cleanup_strings struct strings arguments = {0};
    unsigned pages = buffer_pages(t->n_roles);

    *r = (struct recording){.target = *t, .capture = xstrdup(spec->capture)};
    for (size_t i = 0; spec->events[i]; i++)
        strings_add(&r->events, spec->events[i]);
    if (perf_find(&r->perf, err) < 0)
        return -1;
    r->tools = xcalloc(t->n_roles, sizeof(*r->tools));
    r->items = xcalloc(t->n_roles, sizeof(*r->items));
    if (pages)
        strings_addf(&arguments, "--mmap-pages=%u", pages);
    for (size_t i = 0; i < spec->arguments->count; i++)
        strings_add(&arguments, spec->arguments->items[i]);
    for (size_t i = 0; i < t->n_roles; i++)
        if (roles_name(spec->roles, role_name(t->roles[i])) &&
            spawn(r, spec, &arguments, t->roles[i], err) < 0)
            return -1;
    for (size_t i = 0; i < r->count; i++)
        if (perf_tool_await(r->tools[i], err) < 0)
            return -1;
    return 0;
}

int recording_begin(struct recording *r, struct bench_error *err)
{
    return perf_tool_switch(r->tools, r->count, true, err);
}

int recording_end(struct recording *r, struct bench_error *err)
{
    int rc = perf_tool_switch(r->tools, r->count, false, err);

    for (size_t i = 0; i < r->count; i++)
        perf_tool_stop(r->tools[i]);
    return rc;
}

static bool was_recorded(const struct perf_header *h, const char *event)
{
    for (size_t i = 0; i < h->n_events; i++)
        if (strcmp(h->events[i].name, event) == 0)
            return true;
    return false;
}

/* perf takes another event where the CPU has not the one that was asked for, and succeeds. It also
 * writes down the name of the machine, which no run keeps. */
static int check_file(const struct recording *r, const struct recorded *item,
                      struct bench_error *err)
{
    cleanup_close int fd = open(item->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    cleanup_perf_header struct perf_header header = {0};
    cleanup_text struct text names = {0};

    if (fd < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", item->path);
    if (perf_header_read(&header, fd, item->path, err) < 0)
        return -1;
    for (size_t i = 0; i < header.n_events; i++)
        text_add(&names, "%s'%s'", i ? ", " : "", header.events[i].name);
    for (size_t i = 0; i < r->events.count; i++)
        if (!was_recorded(&header, r->events.items[i]))
            return error_set(err, BENCH_ERROR_RUN, "%s: perf did not record '%s', but %s",
                             item->name, r->events.items[i], text_get(&names));
    return perf_header_forget_host(&header, fd, item->path, err);
}

int recording_finish(struct recording *r, struct bench_error *err)
{
    for (size_t i = 0; i < r->count; i++)
        if (perf_tool_finish(r->tools[i], err) < 0 || check_file(r, &r->items[i], err) < 0)
            return -1;
    return 0;
}

static int write_item(const struct recording *r, const char *name, const char *suffix,
                      const struct text *text, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/%s.%s", r->target.directory, name, suffix);

    return file_write(AT_FDCWD, path, text_get(text), text->length, err);
}

static int write_facts(const struct recording *r, const char *name, const json_t *facts,
                       struct bench_error *err)
{
    cleanup_free char *json = json_dumps(facts, JSON_INDENT(2));
    cleanup_text struct text text = {0};

    text_add(&text, "%s\n", json);
    return write_item(r, name, "json", &text, err);
}

int recording_keep(struct recording *r, size_t i, const char *const *more, json_t *facts,
                   struct bench_error *err)
{
    const struct recorded *item = &r->items[i];
    json_t *files = json_array();

    json_array_append_new(files, json_sprintf("%s.perf.data", item->name));
    for (; *more; more++)
        json_array_append_new(files, json_sprintf("%s.%s", item->name, *more));
    json_object_set_new(facts, "capture", json_text(r->capture));
    json_object_set_new(facts, "role", json_text(item->role));
    json_object_set_new(facts, "files", files);
    json_object_set_new(facts, "perf", json_text(r->perf.version));
    json_array_append_new(r->target.facts, facts);
    return write_facts(r, item->name, facts, err);
}

static void draw(struct stacks *stacks, const char *title, const json_t *facts, struct text *out)
{
    const json_t *notes = json_object_get(facts, "notes");
    const char *unit = json_string_value(json_object_get(facts, "unit"));
    cleanup_strings struct strings lines = {0};
    cleanup_text struct text line = {0};
    struct flamegraph graph = {.title = title, .unit = unit};

    text_add(&line, "%s: ", json_string_value(json_object_get(facts, "event")));
    flamegraph_summary(stacks, unit, json_number_value(json_object_get(facts, "samples")),
                       json_number_value(json_object_get(facts, "lost")), &line);
    strings_add(&lines, text_get(&line));
    for (size_t i = 0; i < json_array_size(notes); i++)
        strings_addf(&lines, "! %s", json_string_value(json_array_get(notes, i)));
    graph.lines = (const char *const *)lines.items;
    flamegraph_write(stacks, &graph, out);
}

int recording_keep_stacks(struct recording *r, size_t i, struct stacks *stacks, json_t *facts,
                          struct bench_error *err)
{
    static const char *const files[] = {"folded", "svg", "speedscope.json", NULL};
    const struct recorded *item = &r->items[i];
    cleanup_free char *title = xasprintf("%s, %s of %s", r->target.title, r->capture, item->role);
    cleanup_text struct text folded = {0}, picture = {0}, speedscope = {0};

    folded_write(stacks, &folded);
    draw(stacks, title, facts, &picture);
    speedscope_write(stacks, title, json_string_value(json_object_get(facts, "unit")), &speedscope);
    if (write_item(r, item->name, files[0], &folded, err) < 0 ||
        write_item(r, item->name, files[1], &picture, err) < 0 ||
        write_item(r, item->name, files[2], &speedscope, err) < 0) {
        json_decref(facts);
        return -1;
    }
    return recording_keep(r, i, files, facts, err);
}

void recording_close(struct recording *r)
{
    for (size_t i = 0; i < r->count; i++) {
        perf_tool_free(r->tools[i]);
        free(r->items[i].role);
        free(r->items[i].name);
        free(r->items[i].path);
    }
    free(r->tools);
    free(r->items);
    free(r->capture);
    strings_release(&r->events);
    perf_program_release(&r->perf);
    *r = (struct recording){0};
}
