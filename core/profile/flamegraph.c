/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/flamegraph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "base/xml.h"

/* flamegraph.css and flamegraph.js as they are, each ended by a NUL. */
__asm__(".pushsection .rodata\n"
        "flamegraph_css: .incbin \"core/profile/flamegraph.css\"\n.byte 0\n"
        "flamegraph_js: .incbin \"core/profile/flamegraph.js\"\n.byte 0\n"
        ".popsection");
extern const char flamegraph_css[], flamegraph_js[];

/* In pixels; flamegraph.js has the margin and the character, too. */
#define WIDTH 1200.0
#define MARGIN 10.0
#define ROW 19.0
#define LINE 17.0
#define LETTERS 170    /* of a line below the title that fit, at least */
#define CHARACTER 7.23 /* of the 12 px font of fixed width, where that is wide */

struct picture {
    const struct flamegraph *options;
    const struct stacks *tree;
    const struct comparison *comparison; /* NULL: one side only */
    double *width, *x;                   /* by node, in weight */
    double least;                        /* narrower frames are not drawn */
    size_t drawn, deepest;
    double top, bottom; /* of the frames */
    struct text *out;
};

/* --- which frames, how wide, and where ------------------------------------------------------- */

/* As wide as after; what vanished keeps its old width, and widens what called it. */
static double *comparison_widths(const struct comparison *c)
{
    size_t n = stacks_nodes(c->tree);
    double *width = xcalloc(n, sizeof(*width));

    for (uint32_t i = (uint32_t)n; i-- > 0;) {
        if (c->after[i] > 0)
            width[i] += c->self_after[i];
        else
            width[i] = c->before[i];
        if (i != STACKS_ROOT)
            width[stacks_node(c->tree, i)->parent] += width[i];
    }
    return width;
}

/* In preorder; STACKS_ROOT behind the last. What is too narrow has nothing above it that is not. */
static uint32_t next_drawn(const struct picture *p, uint32_t node, size_t *depth)
{
    do
        node = stacks_next(p->tree, node, p->width[node] >= p->least, depth);
    while (node != STACKS_ROOT && p->width[node] < p->least);
    return node;
}

static void arrange(struct picture *p)
{
    const double share = p->options->share > 0 ? p->options->share : FLAMEGRAPH_SHARE;
    uint32_t node = STACKS_ROOT;
    size_t depth = 0;

    p->x = xcalloc(stacks_nodes(p->tree), sizeof(*p->x));
    p->least = p->width[STACKS_ROOT] * share;
    do {
        double x = p->x[node];

        for (uint32_t c = stacks_node(p->tree, node)->first; c; c = stacks_node(p->tree, c)->next) {
            p->x[c] = x;
            x += p->width[c];
        }
        p->drawn++;
        p->deepest = depth > p->deepest ? depth : p->deepest;
        node = next_drawn(p, node, &depth);
    } while (node != STACKS_ROOT);
}

/* --- colours --------------------------------------------------------------------------------- */

/* One name has one shade, in every picture. */
static unsigned shade_of(const char *name)
{
    unsigned shade = 0;

    while (*name)
        shade = shade * 31 + (unsigned char)*name++;
    return shade % 6;
}

static const struct {
    double factor;
    const char *more, *less;
} steps[] = {{2, "more4", "less4"},
             {1.5, "more3", "less3"},
             {1.2, "more2", "less2"},
             {1.05, "more1", "less1"}};

static const char *change_class(double before, double after)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (after >= before * steps[i].factor)
            return steps[i].more;
        if (before >= after * steps[i].factor)
            return steps[i].less;
    }
    return "same";
}

static void write_class(const struct picture *p, uint32_t node)
{
    static const char letters[] = {[FRAME_USER] = 'u', [FRAME_INLINED] = 'i', [FRAME_KERNEL] = 'k'};
    const struct comparison *c = p->comparison;
    const struct frame *f;

    if (c) {
        text_add(p->out, "f %s",
                 c->after[node] > 0 ? change_class(c->before[node], c->after[node]) : "gone");
        if (c->rule != COMPARISON_NONE && !(c->p[node] <= COMPARISON_LEVEL))
            text_add(p->out, " dim");
        return;
    }
    if (node == STACKS_ROOT) {
        text_add(p->out, "f all");
        return;
    }
    f = stacks_frame(p->tree, node);
    if (strcmp(f->name, STACKS_UNKNOWN) == 0 || strcmp(f->name, STACKS_TRUNCATED) == 0)
        text_add(p->out, "f x");
    else
        text_add(p->out, "f %c%u", letters[f->kind], shade_of(f->name));
}

/* --- frames ---------------------------------------------------------------------------------- */

/* As much of the name as fits, without the characters that markup has a use for. */
static char *label_of(const char *name, double width)
{
    const size_t fits = width > 6 ? (size_t)((width - 6) / CHARACTER) : 0;
    struct text label = {0};
    size_t used = 0, cut = 0;
    char c[5];

    while (fits >= 3 && *name) {
        used += xml_character(&name, c);
        if (used > fits) {
            label.length = cut;
            text_add(&label, "…");
            break;
        }
        text_add(&label, "%s", c);
        if (used < fits)
            cut = label.length;
    }
    return text_take(&label);
}

static void write_frame(const struct picture *p, uint32_t node, size_t depth)
{
    const double scale = (WIDTH - 2 * MARGIN) / p->width[STACKS_ROOT];
    const double x = MARGIN + p->x[node] * scale, width = p->width[node] * scale;
    const double y = p->bottom - ROW * (double)(depth + 1);
    cleanup_free char *label =
        label_of(node == STACKS_ROOT ? "all" : stacks_frame(p->tree, node)->name, width);

    text_add(p->out, "<g class=\"");
    write_class(p, node);
    text_add(p->out, "\"><rect x=\"%.2f\" y=\"%g\" width=\"%.2f\" height=\"%g\"/>", x, y, width,
             ROW);
    if (label[0]) {
        text_add(p->out, "<text x=\"%.2f\" y=\"%g\">", x + 4, y + 13.5);
        xml_text(p->out, label);
        text_add(p->out, "</text>");
    }
    text_add(p->out, "</g>\n");
}

static void write_frames(const struct picture *p)
{
    uint32_t node = STACKS_ROOT;
    size_t depth = 0;

    text_add(p->out, "<g>\n");
    do {
        write_frame(p, node, depth);
        node = next_drawn(p, node, &depth);
    } while (node != STACKS_ROOT);
    text_add(p->out, "</g>\n");
}

/* --- data for the script --------------------------------------------------------------------- */

static void write_name(const struct picture *p, const struct frame *f, bool first)
{
    text_add(p->out, "%s[", first ? "" : ",");
    xml_json_string(p->out, f->name);
    text_add(p->out, ",%d", f->kind);
    if (f->module) {
        text_add(p->out, ",");
        xml_json_string(p->out, f->module);
    }
    text_add(p->out, "]");
}

/* Each name once; returns its number, from 1, by interned frame. Caller frees. */
static uint32_t *write_names(const struct picture *p)
{
    uint32_t *numbers = xcalloc(stacks_frames(p->tree), sizeof(*numbers)), node = STACKS_ROOT,
             n = 0;
    size_t depth = 0;

    while ((node = next_drawn(p, node, &depth)) != STACKS_ROOT) {
        uint32_t *number = &numbers[stacks_node(p->tree, node)->frame];

        if (*number)
            continue;
        write_name(p, stacks_frame(p->tree, node), n == 0);
        *number = ++n;
    }
    return numbers;
}

static void write_row(const struct picture *p, uint32_t node, size_t depth, uint32_t name)
{
    const struct comparison *c = p->comparison;
    const double self = c ? c->self_after[node] : stacks_node(p->tree, node)->self;

    text_add(p->out, "%s\n[%zu,%u,%.9g,%.9g,%.9g", node == STACKS_ROOT ? "" : ",", depth, name,
             p->x[node], p->width[node], self);
    if (c)
        text_add(p->out, ",%.9g,%.9g,", c->before[node], c->after[node]);
    if (c && isnan(c->p[node]))
        text_add(p->out, "null");
    else if (c)
        text_add(p->out, "%.3g", c->p[node]);
    text_add(p->out, "]");
}

static void write_data(const struct picture *p)
{
    cleanup_free uint32_t *numbers = NULL;
    uint32_t node = STACKS_ROOT;
    size_t depth = 0;

    text_add(p->out, "<script type=\"application/json\" class=\"data\">{\"unit\":");
    xml_json_string(p->out, p->options->unit);
    text_add(p->out, ",\"per\":");
    xml_json_string(p->out, p->options->per ? p->options->per : "");
    text_add(p->out, ",\"level\":%g,\"names\":[", COMPARISON_LEVEL);
    numbers = write_names(p);
    text_add(p->out, "],\"frames\":[");
    do {
        write_row(p, node, depth,
                  node == STACKS_ROOT ? 0 : numbers[stacks_node(p->tree, node)->frame]);
        node = next_drawn(p, node, &depth);
    } while (node != STACKS_ROOT);
    text_add(p->out, "]}</script>\n");
}

/* --- what stands around the frames ----------------------------------------------------------- */

static void write_line(const struct picture *p, const char *class, double y, const char *words)
{
    text_add(p->out, "<text class=\"%s\" x=\"%g\" y=\"%g\">", class, MARGIN, y);
    xml_text(p->out, words);
    text_add(p->out, "</text>\n");
}

/* A coloured square and what it means; returns where the next one stands. */
static double write_key(const struct picture *p, double x, const char *class, const char *words)
{
    text_add(p->out,
             "<g class=\"%s\"><rect x=\"%g\" y=\"%g\" width=\"12\" height=\"12\"/></g>"
             "<text class=\"legend\" x=\"%g\" y=\"%g\">",
             class, x, p->top - 23, x + 17, p->top - 13);
    xml_text(p->out, words);
    text_add(p->out, "</text>\n");
    return x + 17 + 6.6 * (double)strlen(words) + 22;
}

static void write_legend(const struct picture *p)
{
    static const char *const names[] = {"user", "inlined", "kernel"};
    static const char *const classes[] = {"key u0", "key i0", "key k0"};
    double own[ARRAY_SIZE(names)] = {0}, x = MARGIN;

    for (uint32_t i = 1; i < stacks_nodes(p->tree); i++)
        own[stacks_frame(p->tree, i)->kind] += stacks_node(p->tree, i)->self;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *words =
            xasprintf("%s %.1f%%", names[i], 100 * own[i] / p->width[STACKS_ROOT]);

        if (own[i] > 0)
            x = write_key(p, x, classes[i], words);
    }
}

static void write_comparison_legend(const struct picture *p)
{
    double x = MARGIN;

    x = write_key(p, x, "key less4", "÷ 2");
    x = write_key(p, x, "key less3", "÷ 1.5");
    x = write_key(p, x, "key less2", "÷ 1.2");
    x = write_key(p, x, "key less1", "÷ 1.05");
    x = write_key(p, x, "key same", "the same");
    x = write_key(p, x, "key more1", "× 1.05");
    x = write_key(p, x, "key more2", "× 1.2");
    x = write_key(p, x, "key more3", "× 1.5");
    x = write_key(p, x, "key more4", "× 2, or new");
    write_key(p, x, "key gone", "gone, as wide as it was");
}

/* What is compared, and how it was judged; NULL without comparison. Caller frees. */
static char *judgement(const struct comparison *c, const char *per)
{
    struct text words = {0};

    if (!c)
        return NULL;
    text_add(&words, "cost%s%s; ", per ? " per " : " as it is, not divided by the work done",
             per ? per : "");
    if (c->rule == COMPARISON_REPEATED)
        text_add(&words,
                 "pale: may be noise (permutations of %zu and %zu repetitions; chance of any false "
                 "difference at most %g%%)",
                 c->n_before, c->n_after, 100 * COMPARISON_LEVEL);
    else if (c->rule == COMPARISON_COUNTS)
        text_add(
            &words,
            "pale: may be sampling noise (counts of samples; chance of any false difference at "
            "most %g%%); repetitions, fewer than %d on a side, may differ by more",
            100 * COMPARISON_LEVEL, COMPARISON_REPEATS);
    else
        text_add(&words, "fewer than %d repetitions on a side: any of these changes may be noise",
                 COMPARISON_REPEATS);
    return text_take(&words);
}

/* At spaces, so that what a line says does not end at the picture's edge. */
static void add_wrapped(struct strings *ret, const char *words)
{
    while (strlen(words) > LETTERS) {
        size_t end = LETTERS;

        while (end > 0 && words[end] != ' ')
            end--;
        if (end == 0) /* one long word */
            break;
        strings_addf(ret, "%.*s", (int)end, words);
        words += end + 1;
    }
    strings_add(ret, words);
}

/* Below the title. */
static void find_lines(const struct picture *p, struct strings *ret)
{
    const char *const *line = p->options->lines;
    cleanup_free char *rule = judgement(p->comparison, p->options->per);

    for (; line && *line; line++)
        add_wrapped(ret, *line);
    if (rule)
        add_wrapped(ret, rule);
}

static void write_head(const struct picture *p, const struct strings *lines, double height)
{
    text_add(p->out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flame\" width=\"%g\" height=\"%g\" "
             "viewBox=\"0 0 %g %g\">\n<title>",
             WIDTH, height, WIDTH, height);
    xml_text(p->out, p->options->title);
    text_add(p->out, "</title>\n<style><![CDATA[\n%s]]></style>\n", flamegraph_css);
    text_add(p->out, "<rect class=\"paper\" width=\"%g\" height=\"%g\"/>\n", WIDTH, height);
    write_line(p, "title", 28, p->options->title);
    for (size_t i = 0; i < lines->count; i++)
        write_line(p, "line", 48 + LINE * (double)i, lines->items[i]);
}

static void write_picture(struct picture *p)
{
    const bool empty = !(p->width[STACKS_ROOT] > 0);
    cleanup_strings struct strings lines = {0};
    size_t left_out;
    double height;

    arrange(p);
    left_out = stacks_nodes(p->tree) - p->drawn;
    find_lines(p, &lines);
    p->top = 40 + LINE * (double)lines.count + 38;
    p->bottom = p->top + ROW * (double)(p->deepest + 1);
    height = p->bottom + 32;
    write_head(p, &lines, height);
    if (empty) {
        write_line(p, "note", p->bottom, "no stacks");
        text_add(p->out, "</svg>\n");
        return;
    }
    if (p->comparison)
        write_comparison_legend(p);
    else
        write_legend(p);
    write_frames(p);
    if (left_out) {
        cleanup_free char *note =
            xasprintf("%zu frame%s narrower than %g%% of the width %s not drawn.", left_out,
                      left_out == 1 ? "" : "s", 100 * p->least / p->width[STACKS_ROOT],
                      left_out == 1 ? "is" : "are");

        write_line(p, "note", p->bottom + 21, note);
    }
    write_data(p);
    text_add(p->out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", flamegraph_js);
}

/* "3.24 s", "12.3 G cycles", "3240 samples" */
static void add_weight(struct text *line, double weight, const char *unit)
{
    static const struct {
        const char *unit;
        double seconds;
    } times[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
    char number[32];

    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        if (strcmp(unit, times[i].unit) == 0) {
            text_add(line, "%s", format_seconds(weight * times[i].seconds, number, sizeof(number)));
            return;
        }
    }
    if (weight < 1e6)
        text_add(line, "%s %s", format_number(weight, number, sizeof(number)), unit);
    else
        text_add(line, "%s%s", format_si(weight, number, sizeof(number)), unit);
}

void flamegraph_summary(const struct stacks *s, const char *unit, double samples, double lost,
                        struct text *out)
{
    add_weight(out, stacks_total(s), unit);
    if (samples > 0 && strcmp(unit, "samples") != 0)
        text_add(out, ", %.0f samples", samples);
    text_add(out, ", %zu distinct stacks", stacks_count(s));
    if (lost > 0)
        text_add(out, ", %.0f lost", lost);
}

void flamegraph_write(struct stacks *s, const struct flamegraph *g, struct text *out)
{
    struct picture p = {.options = g, .tree = s, .width = stacks_totals(s), .out = out};

    stacks_sort(s);
    write_picture(&p);
    free(p.width);
    free(p.x);
}

void flamegraph_write_comparison(const struct comparison *c, const struct flamegraph *g,
                                 struct text *out)
{
    struct picture p = {
        .options = g, .tree = c->tree, .comparison = c, .width = comparison_widths(c), .out = out};

    write_picture(&p);
    free(p.width);
    free(p.x);
}
