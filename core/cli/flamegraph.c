/* SPDX-License-Identifier: Apache-2.0 */
/* bench flamegraph: stacks as a picture, as folded text or for speedscope; or two of them compared.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "profile/flamegraph.h"
#include "profile/folded.h"
#include "profile/profile_set.h"
#include "profile/speedscope.h"

/* As given on the command line; every string is the command line's. */
struct request {
    struct strings inputs, bases; /* FILEs or a RUN; what they are compared with */
    struct strings divisors, base_divisors;
    const char *output, *format, *title, *unit, *per;
    double share;
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
    printf(
        "usage: bench flamegraph FILE.folded … [options]\n"
        "       bench flamegraph --diff BEFORE.folded AFTER.folded [options]\n\n"
        "Draws where the time went: one SVG file that any browser opens, without a network, to\n"
        "zoom and to search in. FILE is folded text ('main;read;copy 12' per line; '-': standard\n"
        "input); several are repetitions of the same.\n\n"
        "With --diff the picture is that of AFTER, red where it costs more than BEFORE and blue\n"
        "where less; what vanished is shown, what may be noise is pale.\n\n");
    cli_help_row("-o FILE", "write there, not to standard output");
    cli_help_row("--format NAME",
                 "svg, folded, or speedscope (for www.speedscope.app); default svg");
    cli_help_row("--title TEXT", "above the picture");
    cli_help_row("--unit NAME",
                 "of the weights: samples (default), s, ms, us, ns, bytes, cycles …");
    cli_help_row("--share PERCENT", "least width of a frame that is drawn (default 0.1%)");
    cli_help_row("--diff FILE", "what to compare with; several times for repetitions");
    cli_help_row("--divisor N[,N…]", "bytes or operations behind the FILEs: one number, or one for "
                                     "each; weights are divided by it");
    cli_help_row("--diff-divisor N[,N…]", "the same of what they are compared with");
    cli_help_row("--per NAME", "what the divisors count: byte or operation");
    cli_help_row("-h, --help", "this text");
    printf("\nexample:\n"
           "  printf 'main;read 7\\nmain;write;copy 3\\n' | bench flamegraph - -o flame.svg\n");
    return 0;
}

/* --- input ----------------------------------------------------------------------------------- */

static int divisor_of(const struct strings *divisors, size_t i, double *ret,
                      struct bench_error *err)
{
    const char *text;

    *ret = 1;
    if (divisors->count == 0)
        return 0;
    text = divisors->items[divisors->count == 1 ? 0 : i];
    if (parse_number(text, ret, err) < 0)
        return -1;
    if (!(*ret > 0))
        return error_set(err, BENCH_ERROR_USAGE, "a divisor of '%s' is not above 0", text);
    return 0;
}

static int read_files(const struct strings *files, const struct strings *divisors, const char *unit,
                      struct profile_set *ret, struct bench_error *err)
{
    if (divisors->count > 1 && divisors->count != files->count)
        return error_set(err, BENCH_ERROR_USAGE,
                         "%zu divisors for %zu files: give one, or one for each", divisors->count,
                         files->count);
    ret->unit = xstrdup(unit);
    for (size_t i = 0; i < files->count; i++) {
        struct profile *p = profile_set_add(ret);

        if (divisor_of(divisors, i, &p->divisor, err) < 0 ||
            folded_read_file(p->stacks, AT_FDCWD, files->items[i], err) < 0)
            return -1;
        if (strcmp(unit, "samples") == 0)
            p->samples = stacks_total(p->stacks);
    }
    return 0;
}

/* --- output ---------------------------------------------------------------------------------- */

/* "a.folded, b.folded: 1234 samples, 56 distinct stacks" */
static char *describe(const struct strings *files, const struct profile_set *set)
{
    struct text line = {0};
    struct stacks *all = profile_set_merge(set);

    for (size_t i = 0; i < files->count; i++)
        text_add(&line, "%s%s", i ? ", " : "", files->items[i]);
    text_add(&line, ": %.10g %s, %zu distinct stacks", stacks_total(all), set->unit,
             stacks_count(all));
    stacks_free(all);
    return text_take(&line);
}

static void write_json(json_t *json, struct text *out)
{
    char *dump = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

    text_add_bytes(out, dump, strlen(dump));
    text_add_bytes(out, "\n", 1);
    free(dump);
    json_decref(json);
}

static void draw_one(const struct request *q, const struct profile_set *set, struct text *out)
{
    cleanup_free char *what = describe(&q->inputs, set);
    const char *const lines[] = {what, NULL};
    cleanup_stacks struct stacks *all = profile_set_merge(set);
    const struct flamegraph graph = {
        .title = q->title ? q->title : "Flame graph",
        .lines = lines,
        .unit = set->unit,
        .share = q->share,
    };

    if (strcmp(q->format, "svg") == 0)
        flamegraph_write(all, &graph, out);
    else if (strcmp(q->format, "folded") == 0)
        folded_write(all, out);
    else
        write_json(speedscope_json(all, q->title ? q->title : what, set->unit), out);
}

static void draw_difference(const struct request *q, const struct profile_set *before,
                            const struct profile_set *after, struct text *out)
{
    cleanup_free char *old = describe(&q->bases, before), *new = describe(&q->inputs, after);
    cleanup_free char *from = xasprintf("before: %s", old), *to = xasprintf("after: %s", new);
    const char *const lines[] = {from, to, NULL};
    const struct flamegraph graph = {
        .title = q->title ? q->title : "Flame graph of a difference",
        .lines = lines,
        .unit = after->unit,
        .per = q->per,
        .share = q->share,
    };
    struct comparison c;

    comparison_make(&c, before->items, before->count, after->items, after->count, q->share);
    flamegraph_write_comparison(&c, &graph, out);
    comparison_release(&c);
}

static int answer(const struct request *q, struct bench_error *err)
{
    cleanup_profile_set struct profile_set before = {0}, after = {0};
    cleanup_text struct text out = {0};

    if (read_files(&q->bases, &q->base_divisors, q->unit, &before, err) < 0 ||
        read_files(&q->inputs, &q->divisors, q->unit, &after, err) < 0)
        return -1;
    if (before.count)
        draw_difference(q, &before, &after, &out);
    else
        draw_one(q, &after, &out);
    if (q->output)
        return file_write(AT_FDCWD, q->output, out.data, out.length, err);
    fwrite(text_get(&out), 1, out.length, stdout);
    return 0;
}

/* --- command line ---------------------------------------------------------------------------- */

static int check(const struct request *q)
{
    static const char *const formats[] = {"svg", "folded", "speedscope", NULL};
    size_t i = 0;

    while (formats[i] && strcmp(formats[i], q->format) != 0)
        i++;
    if (!formats[i])
        return cli_usage("flamegraph", "unknown format '%s': svg, folded or speedscope", q->format);
    if (q->inputs.count == 0)
        return cli_usage("flamegraph", "which file?");
    if (q->bases.count && strcmp(q->format, "svg") != 0)
        return cli_usage("flamegraph", "a difference is drawn as svg only, not as '%s'", q->format);
    if (q->bases.count == 0 && (q->divisors.count || q->base_divisors.count || q->per))
        return cli_usage("flamegraph", "weights are divided for a difference only: '--diff'");
    if (q->per && q->divisors.count == 0)
        return cli_usage("flamegraph", "'--per %s' needs '--divisor' and '--diff-divisor'", q->per);
    if ((q->divisors.count == 0) != (q->base_divisors.count == 0))
        return cli_usage("flamegraph", "'--divisor' and '--diff-divisor' go together");
    return 0;
}

int cli_flamegraph(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"output", 1, NULL, 'o'},
        {"format", 1, NULL, 'f'},
        {"title", 1, NULL, 't'},
        {"unit", 1, NULL, 'u'},
        {"share", 1, NULL, 's'},
        {"diff", 1, NULL, 'd'},
        {"divisor", 1, NULL, 'n'},
        {"diff-divisor", 1, NULL, 'm'},
        {"per", 1, NULL, 'p'},
        {"help", 0, NULL, 'h'},
        {0},
    };
    __attribute__((cleanup(request_release))) struct request q = {
        .format = "svg", .unit = "samples", .share = FLAMEGRAPH_SHARE};
    struct bench_error err = {0};
    char word[3];
    int c;

    (void)cli;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
        switch (c) {
        case 'h':
            return print_help();
        case ':':
            return cli_usage("flamegraph", "option '%s' needs a value", argv[optind - 1]);
        case '?':
            return cli_usage("flamegraph", "unknown option '%s'",
                             cli_refused_option(argv, "oh", word));
        case 's':
            if (parse_share(optarg, &q.share, &err) < 0)
                return cli_error(&err);
            break;
        case 'd':
            strings_add(&q.bases, optarg);
            break;
        case 'n':
            strings_split(&q.divisors, optarg, ",");
            break;
        case 'm':
            strings_split(&q.base_divisors, optarg, ",");
            break;
        default:
            *(c == 'o'   ? &q.output
              : c == 'f' ? &q.format
              : c == 't' ? &q.title
              : c == 'u' ? &q.unit
                         : &q.per) = optarg;
        }
    }
    for (; optind < argc; optind++)
        strings_add(&q.inputs, argv[optind]);
    if (check(&q) != 0)
        return BENCH_ERROR_USAGE;
    return answer(&q, &err) < 0 ? cli_error(&err) : 0;
}
