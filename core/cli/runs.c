/* SPDX-License-Identifier: Apache-2.0 */
/* bench list runs: what was run, from the index beside the run directories. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/select.h"

enum { STATE = SELECT_END, LIMIT, SORT, REBUILD };

/* What is printed is kept until all is known: a damaged index is asked twice. */
struct listing {
    struct selection selection;
    bool rebuild, json;
    struct text out;
};

/* Bytes at `p` that make a control character: of ASCII, or of Unicode as UTF-8. */
static size_t control_length(const unsigned char *p)
{
    if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
        return 2;
    return *p < 0x20 || *p == 0x7f;
}

/* A cell and a space. What would move a terminal's cursor is not let through. No printf: there may
 * be a hundred thousand lines. */
static void add_cell(struct text *out, const char *s, size_t width)
{
    size_t n = strlen(s), begin = out->length;

    text_add_bytes(out, s, n);
    for (size_t i = begin; i < out->length; i++) {
        size_t length = control_length((const unsigned char *)out->data + i);

        memset(out->data + i, '?', length);
    }
    do
        text_add_bytes(out, " ", 1);
    while (++n <= width);
}

static void add_line(void *context, const struct indexed_run *run)
{
    struct text *out = context;
    char done[48];

    snprintf(done, sizeof(done), "%3" PRId64 "/%" PRId64, run->done, run->planned);
    add_cell(out, run->id ? run->id : run->directory, 52);
    add_cell(out, run->state, 12);
    add_cell(out, run->started, 20);
    if (!run->reason)
        add_cell(out, done, 7);
    add_cell(out, run->reason ? run->reason : run->relays, 0);
    out->data[out->length - 1] = '\n';
}

static void add_object(void *context, const struct indexed_run *run)
{
    struct text *out = context;
    json_t *object = json_object();
    char *text;
    const struct {
        const char *name, *value;
    } members[] = {
        {"directory", run->directory},
        {"id", run->id},
        {"name", run->name},
        {"started", run->started},
        {"finished", run->finished},
        {"state", run->state},
        {"reason", run->reason},
        {"workload", run->workload},
        {"protocol", run->protocol},
        {"relays", run->relays},
        {"kernel", run->kernel},
        {"cpu_model", run->cpu_model},
        {"bench_version", run->bench_version},
    };

    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        json_object_set_new(object, members[i].name, json_text(members[i].value));
    json_object_set_new(object, "cpus", run->cpus ? json_integer(run->cpus) : json_null());
    json_object_set_new(object, "planned", json_integer(run->planned));
    json_object_set_new(object, "done", json_integer(run->done));
    text = json_dumps(object, JSON_COMPACT);
    text_add(out, "%s\n  %s", out->length ? "," : "[", text);
    free(text);
    json_decref(object);
}

static int ask(struct run_index *x, void *context, struct bench_error *err)
{
    struct listing *l = context;

    text_release(&l->out);
    return index_runs(x, &l->selection.filter, l->json ? add_object : add_line, &l->out, err);
}

static int list(struct listing *l)
{
    cleanup_strings struct strings notes = {0};
    struct bench_error err = {0};

    if (index_with(NULL, l->rebuild, ask, l, &notes, &err) < 0) {
        select_notes(&notes);
        return cli_error(&err);
    }
    select_notes(&notes);
    if (l->json)
        text_add(&l->out, l->out.length ? "\n]\n" : "[]\n");
    fwrite(text_get(&l->out), 1, l->out.length, stdout);
    return 0;
}

static int print_help(void)
{
    cleanup_text struct text sorts = {0};

    for (size_t i = 0; index_sorts[i]; i++)
        text_add(&sorts, "%s%s", i ? ", " : "", index_sorts[i]);
    text_add(&sorts, "; -KEY the other way (default started)");
    printf("usage: bench list runs [PATTERN] [options]\n\n"
           "Stored runs below bench-results, oldest first: id, state, start, repetitions finished\n"
           "and planned, arms. PATTERN keeps ids that contain it.\n\n");
    select_help();
    cli_help_row("--state STATE", "running, complete, interrupted, failed or damaged");
    cli_help_row("--limit N", "the newest N only");
    cli_help_row("--sort KEY", text_get(&sorts));
    cli_help_row("--format text|json", "how to print them (default text)");
    cli_help_row("--rebuild", "make the index anew from the run directories first");
    cli_help_row("-h, --help", "this text");
    printf("\nexamples:\n"
           "  bench list runs --since 7d --state complete\n"
           "  bench list runs --name 'none*' --relay nginx --limit 10 --sort -started\n");
    return 0;
}

static int take(struct listing *l, int flag, const char *argument, struct bench_error *err)
{
    struct index_filter *f = &l->selection.filter;

    switch (flag) {
    case STATE:
        f->state = argument;
        return 0;
    case SORT:
        f->sort = argument;
        return 0;
    case REBUILD:
        l->rebuild = true;
        return 0;
    case LIMIT:
        if (parse_integer(argument, &f->limit, err) < 0)
            return error_context(err, "--limit");
        return f->limit > 0
                   ? 0
                   : error_set(err, BENCH_ERROR_USAGE, "--limit: '%s' is not at least 1", argument);
    default:
        return select_option(&l->selection, flag, argument, err);
    }
}

static int take_format(struct listing *l, struct bench_error *err)
{
    static const char *const formats[] = {"text", "json", NULL};
    const char *format = l->selection.format ? l->selection.format : formats[0];

    l->json = strcmp(format, "json") == 0;
    return l->json || strcmp(format, "text") == 0 ? 0
                                                  : error_unknown(err, "format", format, formats);
}

int cli_list_runs(int argc, char **argv)
{
    static const struct option options[] = {
        SELECT_OPTIONS,          {"state", 1, NULL, STATE},     {"limit", 1, NULL, LIMIT},
        {"sort", 1, NULL, SORT}, {"rebuild", 0, NULL, REBUILD}, {0},
    };
    struct listing l = {0};
    struct bench_error err = {0};
    char word[3];
    int c, code;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (c == 'h')
            return print_help();
        if (c == ':')
            return cli_usage("list runs", "option '%s' needs a value", argv[optind - 1]);
        if (c == '?')
            return cli_usage("list runs", "unknown option '%s'",
                             cli_refused_option(argv, "h", word));
        if (take(&l, c, optarg, &err) < 0)
            return cli_error(&err);
    }
    if (argc - optind > 1)
        return cli_usage("list", "one pattern at most, not '%s'", argv[optind + 1]);
    l.selection.filter.pattern = argv[optind];
    if (take_format(&l, &err) < 0)
        return cli_error(&err);
    code = list(&l);
    text_release(&l.out);
    return code;
}
