/* SPDX-License-Identifier: Apache-2.0 */
/* bench flamegraph: stacks as a picture, as folded text or for speedscope; or two of them compared.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "cli/say.h"
#include "cli/stacks_input.h"
#include "profile/flamegraph.h"
#include "profile/folded.h"
#include "profile/speedscope.h"
#include "report/run_facts.h"

/* As given on the command line, whose strings these are. */
struct request {
    struct strings inputs, bases; /* files, or one run; what they are compared with */
    struct strings divisors, base_divisors;
    struct profile_choice choice;
    const char *output, *format, *title, *unit, *per, *event;
    double share;
    bool files; /* the inputs are */
};

static void request_release(struct request *q)
{
    strings_release(&q->inputs);
    strings_release(&q->bases);
    strings_release(&q->divisors);
    strings_release(&q->base_divisors);
}

static int print_help(void)
{
    say_out(
        "usage: bench flamegraph [RUN] [options]\n"
        "       bench flamegraph [RUN] --diff ARM:ARM|RUN [options]\n"
        "       bench flamegraph FILE … [--diff FILE …] [options]\n\n"
        "Draws where the time went: one SVG file that any browser opens, without a network, to\n"
        "zoom and to search in. RUN is a run directory, a name below bench-results or a part\n"
        "of one, or a scenario's name for its newest run (default: latest), with stacks, as\n"
        "'bench record' leaves them. FILE is what 'perf record -g' leaves (perf.data), or\n"
        "folded text ('main;read;copy 12' per line; '-': standard input); several\n"
        "are repetitions of the same. Folded text with two weights per line is a\n"
        "difference, as difffolded.pl writes it.\n\n"
        "With --diff the picture shows what it costs now, red where that is more than before and\n"
        "blue where it is less, per operation or byte; what vanished is shown, what may be noise "
        "is\n"
        "pale. ARM:ARM is before:after; another RUN, or FILE, is what was before.\n\n");
    cli_help_row("-o, --output FILE", "write there, not to standard output ('-')");
    cli_help_row("--format NAME",
                 "svg, folded, or speedscope (for www.speedscope.app); default svg");
    cli_help_row("--title TEXT", "above the picture");
    cli_help_row("--share SHARE", "least width of a frame that is drawn (default 0.1%)");
    cli_help_row("--diff WITH", "draw the difference; several FILEs are repetitions of the same");
    cli_help_row("--per NAME", "with --diff: byte, operation or none (default: operation where the "
                               "run counts them, else byte)");
    say_out("\nof a RUN, where there are several:\n");
    cli_help_row("--arm NAME", "which arm");
    cli_help_row("--role NAME", "client, relay_1 …, server (default: all, side by side)");
    cli_help_row("--point LABEL", "which point of the sweep");
    cli_help_row("--capture NAME", "which capture");
    say_out("\nof FILEs:\n");
    cli_help_row("--unit NAME",
                 "of folded weights: samples (default), s, ms, us, ns, bytes, cycles …");
    cli_help_row("--event NAME", "of perf.data: which event, where several were recorded");
    cli_help_row("--divisor N[,N…]",
                 "with --diff: bytes or operations behind the FILEs, one number "
                 "or one for each");
    cli_help_row("--diff-divisor N[,N…]", "the same of what they are compared with");
    cli_help_row("-h, --help", "this text");
    say_out("\nexample:\n"
            "  printf 'main;read 7\\nmain;write;copy 3\\n' | bench flamegraph - -o flame.svg\n");
    return 0;
}

/* --- output ---------------------------------------------------------------------------------- */

/* "WORD WHAT: 3.24 s, 3240 samples, 56 distinct stacks", then what there is to say about it. */
static void describe(const char *word, const struct stacks_input *input, struct strings *ret)
{
    const struct profiles *p = &input->profiles;
    cleanup_stacks struct stacks *all = profile_set_merge(&p->set);
    cleanup_text struct text line = {0};

    text_add(&line, "%s%s: ", word, input->what);
    flamegraph_summary(all, p->set.unit, profile_set_samples(&p->set), p->set.lost, &line);
    strings_add(ret, text_get(&line));
    for (size_t i = 0; i < p->notes.count; i++)
        strings_addf(ret, "! %s", p->notes.items[i]);
}

/* What a picture without `--title` is called. */
static char *title_of(const struct stacks_input *before, const struct stacks_input *after)
{
    const struct profiles *old = &before->profiles, *new = &after->profiles;
    const char *name = json_text_or(json_object_get(after->run.run, "name"), NULL);

    if (!name)
        return xstrdup(old->set.count ? "Flame graph of a difference" : "Flame graph");
    if (old->set.count && strcmp(old->arm, new->arm) != 0)
        return xasprintf("%s: from %s to %s", name, old->arm, new->arm);
    return xasprintf("%s: %s%s", name, new->arm, old->set.count ? ", what changed" : "");
}

static void write_one(const struct request *q, const struct stacks_input *input, const char *title,
                      struct text *out)
{
    const struct profile_set *set = &input->profiles.set;
    cleanup_stacks struct stacks *all = profile_set_merge(set);
    cleanup_strings struct strings lines = {0};
    struct flamegraph graph = {.title = title, .unit = set->unit, .share = q->share};

    if (strcmp(q->format, "folded") == 0) {
        folded_write(all, out);
    } else if (strcmp(q->format, "speedscope") == 0) {
        speedscope_write(all, title, set->unit, out);
    } else {
        describe("", input, &lines);
        graph.lines = (const char *const *)lines.items;
        flamegraph_write(all, &graph, out);
    }
}

static void write_difference(const struct request *q, const struct stacks_input *before,
                             const struct stacks_input *after, const char *title, const char *per,
                             struct text *out)
{
    const struct profile_set *old = &before->profiles.set, *new = &after->profiles.set;
    cleanup_strings struct strings lines = {0};
    struct flamegraph graph = {.title = title, .unit = new->unit, .per = per, .share = q->share};
    struct comparison c;

    describe("before: ", before, &lines);
    describe("after: ", after, &lines);
    graph.lines = (const char *const *)lines.items;
    comparison_make(&c, old->items, old->count, new->items, new->count, q->share);
    flamegraph_write_comparison(&c, &graph, out);
    comparison_release(&c);
}

/* --- input ----------------------------------------------------------------------------------- */

/* "before:after" as the arms of the run. */
static int read_arms(const struct request *q, const char *path, struct stacks_input *before,
                     struct stacks_input *after, struct bench_error *err)
{
    const char *words = q->bases.items[0], *colon = strchr(words, ':');
    cleanup_free char *old = xstrndup(words, (size_t)(colon - words));
    struct profile_choice choice = q->choice;

    choice.arm = old;
    if (stacks_input_run(before, path, &choice, err) < 0)
        return -1;
    choice.arm = colon + 1;
    return stacks_input_run(after, path, &choice, err);
}

static int read_runs(const struct request *q, struct stacks_input *before,
                     struct stacks_input *after, struct bench_error *err)
{
    const char *path = q->inputs.count ? q->inputs.items[0] : "latest";

    if (q->bases.count && strchr(q->bases.items[0], ':'))
        return read_arms(q, path, before, after, err);
    if (stacks_input_run(after, path, &q->choice, err) < 0)
        return -1;
    return q->bases.count ? stacks_input_like(before, q->bases.items[0], after, err) : 0;
}

static int check_alike(const struct stacks_input *before, const struct stacks_input *after,
                       struct bench_error *err)
{
    const struct profile_set *a = &before->profiles.set, *b = &after->profiles.set;

    const char *old = a->event ? a->event : "", *new = b->event ? b->event : "";

    if ((!*old || !*new || strcmp(old, new) == 0) && strcmp(a->unit, b->unit) == 0)
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "'%s' in %s is not to be compared with '%s' in %s", old,
              a->unit, new, b->unit);
    error_hint(err, "record both with the same 'event'");
    return -1;
}

static int answer(const struct request *q, struct text *out, struct bench_error *err)
{
    cleanup_stacks_input struct stacks_input before = {0}, after = {0};
    cleanup_free char *own = NULL;
    const char *per = q->per, *title;

    if (q->files) {
        const struct stacks_files old = {&q->bases, &q->base_divisors, q->unit, q->event},
                                  new = {&q->inputs, &q->divisors, q->unit, q->event};

        if (stacks_input_files(&before, NULL, &old, err) < 0 ||
            stacks_input_files(&after, q->bases.count ? NULL : &before, &new, err) < 0 ||
            (q->bases.count && check_alike(&before, &after, err) < 0))
            return -1;
    } else if (read_runs(q, &before, &after, err) < 0 ||
               (q->bases.count && (check_alike(&before, &after, err) < 0 ||
                                   stacks_input_divide(&before, &after, &per, err) < 0))) {
        return -1;
    }
    if (before.profiles.set.count && strcmp(q->format, "svg") != 0)
        return error_set(err, BENCH_ERROR_USAGE, "a difference is drawn as svg only, not as '%s'",
                         q->format);
    own = title_of(&before, &after);
    title = q->title ? q->title : own;
    if (before.profiles.set.count)
        write_difference(q, &before, &after, title, per, out);
    else
        write_one(q, &after, title, out);
    return 0;
}

/* --- command line ---------------------------------------------------------------------------- */

static int check_files(const struct request *q)
{
    if (q->choice.arm || q->choice.point || q->choice.capture || q->choice.role)
        return cli_usage("flamegraph", "files have no arm, role, point or capture to choose");
    if (q->bases.count == 0 && (q->divisors.count || q->base_divisors.count))
        return cli_usage("flamegraph", "weights are divided for a difference only: '--diff'");
    if ((q->divisors.count == 0) != (q->base_divisors.count == 0))
        return cli_usage("flamegraph", "'--divisor' and '--diff-divisor' go together");
    if (q->per && q->divisors.count == 0)
        return cli_usage("flamegraph", "'--per %s' needs '--divisor' and '--diff-divisor'", q->per);
    for (size_t i = 0; i < q->bases.count; i++)
        if (!stacks_input_is_file(q->bases.items[i]))
            return cli_usage("flamegraph", "'%s' is no file to compare with", q->bases.items[i]);
    return 0;
}

static int check_run(const struct request *q)
{
    if (q->inputs.count > 1)
        return cli_usage("flamegraph", "one run at a time, not '%s' and '%s'", q->inputs.items[0],
                         q->inputs.items[1]);
    if (q->bases.count > 1)
        return cli_usage("flamegraph", "one '--diff' for a run");
    if (q->unit || q->divisors.count || q->base_divisors.count)
        return cli_usage("flamegraph", "a run knows its units and divisors: '--per'");
    if (q->event)
        return cli_usage("flamegraph", "a capture of a run has one event: '--capture'");
    if (q->choice.arm && q->bases.count && strchr(q->bases.items[0], ':'))
        return cli_usage("flamegraph", "'--arm' or '--diff %s', not both", q->bases.items[0]);
    return 0;
}

static int check(const struct request *q)
{
    static const char *const formats[] = {"svg", "folded", "speedscope"};
    static const char *const pers[] = {"byte", "operation", "none"};
    bool known = false, divided = !q->per;

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        known |= strcmp(formats[i], q->format) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(pers); i++)
        divided |= q->per && strcmp(pers[i], q->per) == 0;
    if (!known)
        return cli_usage("flamegraph", "unknown format '%s': svg, folded or speedscope", q->format);
    if (!divided)
        return cli_usage("flamegraph", "per '%s'? byte, operation or none", q->per);
    if (q->bases.count && strcmp(q->format, "svg") != 0)
        return cli_usage("flamegraph", "a difference is drawn as svg only, not as '%s'", q->format);
    if (q->per && q->bases.count == 0)
        return cli_usage("flamegraph", "weights are divided for a difference only: '--diff'");
    return q->files ? check_files(q) : check_run(q);
}

/* -1: go on; else the exit code. */
static int parse(struct request *q, int argc, char **argv)
{
    static const struct option options[] = {
        {"output", 1, NULL, 'o'},  {"format", 1, NULL, 'f'},       {"title", 1, NULL, 't'},
        {"unit", 1, NULL, 'u'},    {"share", 1, NULL, 's'},        {"diff", 1, NULL, 'd'},
        {"divisor", 1, NULL, 'n'}, {"diff-divisor", 1, NULL, 'm'}, {"per", 1, NULL, 'p'},
        {"arm", 1, NULL, 'A'},     {"role", 1, NULL, 'R'},         {"point", 1, NULL, 'P'},
        {"capture", 1, NULL, 'C'}, {"event", 1, NULL, 'e'},        {"help", 0, NULL, 'h'},
        {0},
    };
    static const struct bench_option share = {
        .name = "share", .type = BENCH_OPTION_SHARE, .minimum = 0, .maximum = 1};
    const struct {
        int letter;
        const char **value;
    } words[] = {
        {'o', &q->output},      {'f', &q->format},       {'t', &q->title},
        {'u', &q->unit},        {'p', &q->per},          {'A', &q->choice.arm},
        {'R', &q->choice.role}, {'P', &q->choice.point}, {'C', &q->choice.capture},
        {'e', &q->event},
    };
    struct bench_error err = {0};
    int c;

    optind = 0;
    opterr = 0;
    while ((c = cli_option("flamegraph", argc, argv, ":o:h", options)) != -1) {
        if (c == 'h')
            return print_help();
        if (c == CLI_REFUSED)
            return BENCH_ERROR_USAGE;
        if (c == 's' && option_set(&share, &q->share, optarg, &err) < 0) {
            error_at(&err, "--share");
            return cli_error(&err);
        }
        if (c == 'd')
            strings_add(&q->bases, optarg);
        if (c == 'n' || c == 'm')
            strings_split(c == 'n' ? &q->divisors : &q->base_divisors, optarg, ",");
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            if (c == words[i].letter)
                *words[i].value = optarg;
    }
    for (; optind < argc; optind++)
        strings_add(&q->inputs, argv[optind]);
    q->files = q->inputs.count > 0 && stacks_input_is_file(q->inputs.items[0]);
    return check(q) == 0 ? -1 : BENCH_ERROR_USAGE;
}

int cli_flamegraph(struct cli *cli, int argc, char **argv)
{
    __attribute__((cleanup(request_release))) struct request q = {.format = "svg",
                                                                  .share = FLAMEGRAPH_SHARE};
    cleanup_text struct text out = {0};
    struct bench_error err = {0};
    int code = parse(&q, argc, argv);

    (void)cli;
    if (code >= 0)
        return code;
    if (q.output && strcmp(q.output, "-") == 0)
        q.output = NULL;
    if (answer(&q, &out, &err) < 0 ||
        (q.output && file_write_out(AT_FDCWD, q.output, out.data, out.length, &err) < 0))
        return cli_error(&err);
    if (!q.output)
        say_result(text_get(&out), out.length);
    return 0;
}
