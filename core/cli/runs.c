/* SPDX-License-Identifier: Apache-2.0 */
/* bench list runs: what was run, from the index beside the run directories. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/printable.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "cli/select.h"
#include "store/layout.h"

enum { STATE = SELECT_END, LIMIT, SORT, REBUILD };

/* What is printed is kept until all is known: a damaged index is asked twice. */
struct listing {
    struct selection selection;
    bool rebuild, json;
    struct text out;
};

enum { WIDEST = 52 };

/* A cell and a space. No printf: there may be a hundred thousand lines. */
static void add_cell(struct text *out, const char *s, size_t width)
{
    static const char blanks[WIDEST + 1] = {[0 ... WIDEST] = ' '};
    size_t begin = out->length, n;

    printable_add(out, s, strlen(s), PRINTABLE_ONE_LINE);
    n = out->length - begin;
    text_add_bytes(out, blanks, n < width ? width - n + 1 : 1);
}

/* What other commands take as RUN stands first. */
static void add_line(void *context, const struct indexed_run *run)
{
    struct text *out = context;
    char done[48];

    snprintf(done, sizeof(done), "%3" PRId64 "/%" PRId64, run->done, run->planned);
    add_cell(out, run->directory, WIDEST);
    add_cell(out, run->state, 12);
    add_cell(out, run->started, 20);
    if (!run->reason)
        add_cell(out, done, 7);
    add_cell(out, run->reason ? run->reason : run->relays, 0);
    out->data[out->length - 1] = '\n';
}

/* As it is where nothing in it needs more, as is usual; else by jansson, which takes ten times as
 * long. */
static void add_string(struct text *out, const char *s)
{
    const char *p = s;
    json_t *string;
    char *text;

    while (p && *p >= ' ' && *p <= '~' && *p != '"' && *p != '\\')
        p++;
    if (p && !*p) {
        text_add_bytes(out, "\"", 1);
        text_add_bytes(out, s, (size_t)(p - s));
        text_add_bytes(out, "\"", 1);
        return;
    }
    string = json_text(s);
    text = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    text_add_bytes(out, text, strlen(text));
    free(text);
    json_decref(string);
}

#define KEY(name) "\"" name "\":"

static void add_object(void *context, const struct indexed_run *run)
{
    struct text *out = context;
    const struct {
        const char *key, *value;
    } members[] = {
        {"{" KEY("directory"), run->directory},
        {"," KEY("id"), run->id},
        {"," KEY("name"), run->name},
        {"," KEY("started"), run->started},
        {"," KEY("finished"), run->finished},
        {"," KEY("state"), run->state},
        {"," KEY("reason"), run->reason},
        {"," KEY("workload"), run->workload},
        {"," KEY("protocol"), run->protocol},
        {"," KEY("relays"), run->relays},
        {"," KEY("kernel"), run->kernel},
        {"," KEY("cpu_model"), run->cpu_model},
        {"," KEY("bench_version"), run->bench_version},
    };

    text_add(out, "%s\n  ", out->length ? "," : "[");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        text_add_bytes(out, members[i].key, strlen(members[i].key));
        add_string(out, members[i].value);
    }
    if (run->cpus)
        text_add(out, "," KEY("cpus") "%" PRId64, run->cpus);
    else
        text_add(out, "," KEY("cpus") "null");
    text_add(out, "," KEY("planned") "%" PRId64 "," KEY("done") "%" PRId64 "}", run->planned,
             run->done);
}

static int ask(struct run_index *x, void *context, struct bench_error *err)
{
    struct listing *l = context;

    text_release(&l->out);
    l->selection.filter.brief = !l->json;
    return index_runs(x, &l->selection.filter, l->json ? add_object : add_line, &l->out, err);
}

static void show_progress(void *context, size_t done, size_t n)
{
    struct listing *l = context;

    select_progress(&l->selection, done, n);
}

static bool is_filtered(const struct index_filter *f)
{
    return f->pattern || f->name || f->relay || f->state || f->since;
}

static void print_head(void)
{
    cleanup_text struct text head = {0};

    add_cell(&head, "run", WIDEST);
    add_cell(&head, "state", 12);
    add_cell(&head, "started", 20);
    add_cell(&head, "done", 7);
    add_cell(&head, "relays", 0);
    head.data[head.length - 1] = '\n';
    say_result(text_get(&head), head.length);
}

static int list(struct listing *l)
{
    cleanup_strings struct strings notes = {0};
    struct bench_error err = {0};

    int result = index_with(NULL, l->rebuild, ask, l, show_progress, &notes, &err);

    select_progress_end(&l->selection);
    select_notes(&notes);
    if (result < 0)
        return cli_error(&err);
    if (l->out.length == 0 && is_filtered(&l->selection.filter)) {
        say_line(stderr, "bench: no stored run is like that");
    } else if (l->out.length == 0) {
        say_line(stderr, "bench: there is no stored run in '" LAYOUT_RESULTS "'");
        say_line(stderr, "hint: 'bench run' makes one below the directory in which it is started");
    }
    if (!l->json)
        print_head();
    if (l->json)
        text_add(&l->out, l->out.length ? "\n]\n" : "[]\n");
    say_result(text_get(&l->out), l->out.length);
    return 0;
}

static int print_help(void)
{
    cleanup_text struct text sorts = {0};

    for (size_t i = 0; index_sorts[i]; i++)
        text_add(&sorts, "%s%s", i ? ", " : "", index_sorts[i]);
    text_add(&sorts, "; -KEY the other way (default started)");
    say_out("usage: bench list runs [PATTERN] [options]\n\n"
            "Stored runs below bench-results, oldest first: name, state, start, repetitions\n"
            "finished and planned, arms. PATTERN keeps names that contain it.\n\n");
    select_help();
    cli_help_row("--state STATE", "running, complete, interrupted, failed, damaged (by its "
                                  "content) or unreadable (now: permissions, the disk, …)");
    cli_help_row("--limit N", "the newest N only");
    cli_help_row("--sort KEY", text_get(&sorts));
    cli_help_row("--format text|json", "how to print them (default text)");
    cli_help_row("--rebuild", "make the index anew from the run directories first");
    cli_help_row("-h, --help", "this text");
    say_out("\nexamples:\n"
            "  bench list runs --since 7d --state complete\n"
            "  bench list runs --name 'none*' --relay nginx --limit 10 --sort -started\n");
    return 0;
}

static int take_state(struct index_filter *f, const char *argument, struct bench_error *err)
{
    for (size_t i = 0; index_states[i]; i++)
        if (strcmp(index_states[i], argument) == 0) {
            f->state = index_states[i];
            return 0;
        }
    error_unknown(err, "state", argument, index_states);
    return error_context(err, "--state");
}

static int take(struct listing *l, int flag, const char *argument, struct bench_error *err)
{
    struct index_filter *f = &l->selection.filter;

    switch (flag) {
    case STATE:
        return take_state(f, argument, err);
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
    int c, code;

    optind = 0;
    opterr = 0;
    while ((c = cli_option("list runs", argc, argv, ":h", options)) != -1) {
        if (c == 'h')
            return print_help();
        if (c == CLI_REFUSED)
            return BENCH_ERROR_USAGE;
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
