/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table for people. Everything is laid out as tables of cells: a column is as wide as its
 * widest cell, and where the width does not suffice the least important columns go, by name in a
 * note. Strings from outside (names, errors) are cleaned first: no control character reaches a
 * terminal.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bench/reporter.h>

static const struct bench_host *host;

#define CELLS 24 /* columns of a table; relay chains are shown up to 6 hops in detail */

/* --- characters ---------------------------------------------------------------------------- */

/* Decodes one character at `s`; returns its length, or 0 for what is not UTF-8. */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

    if (n == 0 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return n;
}

struct range {
    uint32_t first, last;
};

static bool within(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}
#define WITHIN(r, c) within(r, sizeof(r) / sizeof((r)[0]), c)

/* Controls, and characters that reorder or hide their neighbours. */
static const struct range harmful[] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0x200b, 0x200f},
                                       {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                                       {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
static const struct range combining[] = {{0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
                                         {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xa960, 0xa97c}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

/* Columns that the string fills on a terminal. */
static int width_of(const char *s)
{
    int width = 0;

    while (*s) {
        uint32_t c = 0xfffd;
        size_t n = decode((const unsigned char *)s, &c);

        width += WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;
        s += n ? n : 1;
    }
    return width;
}

/* What stands for a character in plain ASCII. */
static const char *ascii(uint32_t c)
{
    static const struct {
        uint32_t c;
        const char *plain;
    } table[] = {{0xd7, "x"},    {0xb1, "+-"},   {0xb5, "u"},   {0xb7, "*"},
                 {0x2013, "-"},  {0x2014, "-"},  {0x2212, "-"}, {0x2026, "..."},
                 {0x2192, "->"}, {0x2264, "<="}, {0x2265, ">="}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].c == c)
            return table[i].plain;
    return "?";
}

/* A copy that is safe to print; caller frees. NULL gives "". */
static char *clean(const char *s, bool utf8)
{
    size_t length = s ? strlen(s) : 0;
    char *out = malloc(length * 3 + 1), *to = out;

    if (!out)
        abort();
    while (s && *s) {
        uint32_t c = 0;
        size_t n = decode((const unsigned char *)s, &c);
        bool bad = n == 0 || WITHIN(harmful, c);

        if (c == '\n' || c == '\t')
            *to++ = ' ';
        else if (!bad && (utf8 || c < 0x80))
            to = (char *)memcpy(to, s, n) + n;
        else
            to = stpcpy(to, bad ? (utf8 ? "\xef\xbf\xbd" : "?") : ascii(c));
        s += n ? n : 1;
    }
    *to = '\0';
    return out;
}

/* Cuts a clean string to `width` columns, the last of which shows that it was cut. */
static void cut(char *s, int width, bool utf8)
{
    const char *mark = utf8 ? "…" : ".";
    int used = 0;

    if (width_of(s) <= width)
        return;
    for (char *p = s;;) {
        uint32_t c = 0;
        size_t n = decode((const unsigned char *)p, &c);
        int w = WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;

        if (used + w > width - 1) {
            /* What is cut off is never shorter than a mark: the string was too wide. */
            if (strlen(p) >= strlen(mark))
                strcpy(p, mark);
            else
                *p = '\0';
            return;
        }
        used += w;
        p += n ? n : 1;
    }
}

/* --- numbers ------------------------------------------------------------------------------- */

/* Three significant digits, never in exponents: 1.23, 12.3, 123, 1234 (only when `v` < 10000). */
static void digits(double v, char *out, size_t size)
{
    double a = v == 0 ? 1000 : fabs(v);

    snprintf(out, size, "%.*f", a < 9.995 ? 2 : a < 99.95 ? 1 : 0, v);
}

/* Splits v into a mantissa and the prefix that `scale` (of the headline of its row) asks for. */
struct prefix {
    double factor;
    const char *name;
};
static const struct prefix decimal[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"},
                                        {1e3, "k"},  {1, ""},     {0, NULL}};
static const struct prefix binary[] = {{1099511627776.0, "Ti"},
                                       {1073741824.0, "Gi"},
                                       {1048576.0, "Mi"},
                                       {1024.0, "Ki"},
                                       {1, ""},
                                       {0, NULL}};
static const struct prefix seconds[] = {{1, "s"},     {1e-3, "ms"},  {1e-6, "µs"},
                                        {1e-9, "ns"}, {1e-12, "ps"}, {0, NULL}};

static const struct prefix *prefix_for(const struct prefix *table, double v)
{
    double a = fabs(v) * 1.0005; /* 999.7 is better shown as 1.00 k */

    if (v == 0)
        while (table->factor > 1)
            table++;
    while (table[1].name && a < table->factor)
        table++;
    return table;
}

static const struct prefix *prefix_of(const struct bench_metric *m, double v)
{
    static const struct prefix one = {1, ""}, percent = {0.01, "%"};

    switch (m->format) {
    case BENCH_FORMAT_SI:
        return prefix_for(decimal, v);
    case BENCH_FORMAT_BINARY:
        return prefix_for(binary, v);
    case BENCH_FORMAT_SECONDS:
        return prefix_for(seconds, v);
    case BENCH_FORMAT_SHARE:
        return &percent;
    default:
        return &one;
    }
}

/* The number alone, in units of the prefix. */
static void mantissa(const struct bench_metric *m, const struct prefix *p, double v, char *out,
                     size_t size)
{
    if (!isfinite(v))
        snprintf(out, size, isnan(v) ? "?" : v < 0 ? "-inf" : "inf");
    else if (m->format == BENCH_FORMAT_CPUS)
        snprintf(out, size, "%.3f", v);
    else if (m->format == BENCH_FORMAT_PLAIN)
        snprintf(out, size, fabs(v) >= 1000 && fabs(v) < 1e15 ? "%.0f" : "%.4g", v);
    else
        digits(v / p->factor, out, size);
}

/* "12.3 Gbit/s", "9.87 MiB", "12.3 ms", "12.3%", "0.993". */
static void with_unit(const struct bench_metric *m, double v, char *out, size_t size)
{
    const struct prefix *p = prefix_of(m, v);
    const char *unit = m->unit;
    char number[48];

    mantissa(m, p, v, number, sizeof(number));
    if (m->format == BENCH_FORMAT_SHARE)
        unit = "";
    else if (m->format == BENCH_FORMAT_BINARY && strcmp(unit, "bytes") == 0)
        unit = "B";
    else if (m->format == BENCH_FORMAT_SECONDS)
        unit = strncmp(unit, "s/", 2) == 0 ? unit + 1 : "";
    else if (strcmp(unit, "1") == 0)
        unit = "";
    else if (strncmp(unit, "1/", 2) == 0)
        unit++;
    snprintf(out, size, "%s%s%s%s", number,
             m->format == BENCH_FORMAT_SHARE || !(*p->name || *unit) ? "" : " ", p->name, unit);
}

/* A change against the baseline: "-81.1%", or "x 12.3" where percent would mislead. */
static void change(double ratio, char *out, size_t size)
{
    if (!isfinite(ratio))
        snprintf(out, size, "?");
    else if (ratio >= 10)
        snprintf(out, size, "×%.3g", ratio);
    else
        snprintf(out, size, "%+.1f%%", (ratio - 1) * 100);
}

/* --- lines --------------------------------------------------------------------------------- */

/* Prints `text` behind `label`, wrapped at the width with the continuation under the text. */
static void emit_wrapped(const char *label, const char *text, const struct bench_style *style,
                         struct bench_output *out)
{
    char *s = clean(text, style->utf8), *p = s;
    int indent = width_of(label), room = style->width > indent + 20 ? style->width - indent : 0;

    host->emit(out, "%s", label);
    for (bool first = true; *p || first; first = false) {
        size_t n = strlen(p), end = 0;
        char keep;

        for (size_t i = 1; room > 0 && i <= n; i++) {
            if (p[i] != ' ' && p[i] != '\0')
                continue;
            keep = p[i];
            p[i] = '\0';
            if (width_of(p) <= room || end == 0)
                end = i;
            p[i] = keep;
        }
        if (room == 0 || n == 0)
            end = n;
        host->emit(out, "%*s%.*s\n", first ? 0 : indent, "", (int)end, p);
        p += end;
        while (*p == ' ')
            p++;
    }
    free(s);
}

/* --- tables -------------------------------------------------------------------------------- */

struct cell {
    char *text; /* clean; NULL: empty */
};

struct column {
    char *head;
    char *group; /* stands above neighbours that share it; NULL: none */
    bool left;
    int importance; /* the least goes first when the width does not suffice; 0 never goes */
    bool hidden;
    int width;
};

struct row {
    struct cell cells[CELLS];
    bool heading; /* only cell 0 counts, over the full width */
};

struct table {
    const struct bench_style *style;
    struct column columns[CELLS];
    int n_columns;
    struct row *rows;
    size_t n_rows, capacity;
    int least; /* columns that names keep while there is something else to hide */
};

static int column(struct table *t, const char *head, bool left, int importance)
{
    if (t->n_columns == CELLS)
        return CELLS; /* cells there are dropped */
    t->columns[t->n_columns] = (struct column){
        .head = clean(head, t->style->utf8), .left = left, .importance = importance};
    return t->n_columns++;
}

/* The same below a common head. */
static int grouped(struct table *t, const char *group, const char *head, int importance)
{
    int c = column(t, head, false, importance);

    if (c < CELLS)
        t->columns[c].group = clean(group, t->style->utf8);
    return c;
}

static void new_row(struct table *t)
{
    if (t->n_rows == t->capacity) {
        t->capacity = t->capacity ? t->capacity * 2 : 16;
        t->rows = realloc(t->rows, t->capacity * sizeof(*t->rows));
        if (!t->rows)
            abort();
    }
    t->rows[t->n_rows++] = (struct row){0};
}

static void put(struct table *t, int column, const char *text)
{
    struct cell *c = &t->rows[t->n_rows - 1].cells[column < CELLS ? column : 0];

    if (column >= CELLS)
        return;
    free(c->text);
    c->text = clean(text, t->style->utf8);
}

static void put_heading(struct table *t, const char *text)
{
    new_row(t);
    put(t, 0, text);
    t->rows[t->n_rows - 1].heading = true;
}

static void measure(struct table *t)
{
    for (int c = 0; c < t->n_columns; c++) {
        t->columns[c].width = width_of(t->columns[c].head);
        for (size_t r = 0; r < t->n_rows; r++) {
            int w = t->rows[r].cells[c].text ? width_of(t->rows[r].cells[c].text) : 0;

            if (!t->rows[r].heading && w > t->columns[c].width)
                t->columns[c].width = w;
        }
    }
}

static int next_visible(const struct table *t, int c)
{
    do
        c++;
    while (c < t->n_columns && t->columns[c].hidden);
    return c;
}

static bool same_group(const struct column *a, const struct column *b)
{
    return a->group && b->group && strcmp(a->group, b->group) == 0;
}

/* Gives each group's head room above its visible columns. */
static void widen_groups(struct table *t)
{
    for (int c = next_visible(t, -1), next; c < t->n_columns; c = next) {
        int last = c, width = t->columns[c].width;

        for (next = next_visible(t, c);
             next < t->n_columns && same_group(&t->columns[c], &t->columns[next]);
             next = next_visible(t, next)) {
            width += 2 + t->columns[next].width;
            last = next;
        }
        if (t->columns[c].group && width_of(t->columns[c].group) > width)
            t->columns[last].width += width_of(t->columns[c].group) - width;
    }
}

static int total_width(struct table *t)
{
    int width = -2;

    widen_groups(t);
    for (int c = 0; c < t->n_columns; c++)
        width += t->columns[c].hidden ? 0 : t->columns[c].width + 2;
    return width;
}

/* Hides columns, then cuts the first one, until the table fits. */
static void fit(struct table *t)
{
    const int shortest = 8;
    int limit = t->style->width, over;

    measure(t);
    widen_groups(t); /* also when there is no limit to measure the width against */
    while (limit > 0 && total_width(t) > limit) {
        int victim = -1;

        for (int c = 0; c < t->n_columns; c++)
            if (!t->columns[c].hidden && t->columns[c].importance > 0 &&
                (victim < 0 || t->columns[c].importance <= t->columns[victim].importance))
                victim = c;
        over = total_width(t) - limit;
        /* A long name gives way before a number does. */
        if (victim < 0 || t->columns[0].width - over >= (t->least ? t->least : 24)) {
            t->columns[0].width -= over;
            if (t->columns[0].width < shortest)
                t->columns[0].width = shortest;
            break;
        }
        t->columns[victim].hidden = true;
    }
    for (size_t r = 0; r < t->n_rows; r++)
        if (t->rows[r].cells[0].text && !t->rows[r].heading)
            cut(t->rows[r].cells[0].text, t->columns[0].width, t->style->utf8);
}

static void emit_cells(const struct table *t, const struct row *r, struct bench_output *out)
{
    int pending = 0; /* spaces due before the next text: none at the end of a line */

    for (int c = 0; c < t->n_columns; c++) {
        const struct column *col = &t->columns[c];
        const char *s = r ? r->cells[c].text : col->head;
        int pad;

        if (col->hidden)
            continue;
        s = s ? s : "";
        pad = col->width - width_of(s);
        if (*s) {
            host->emit(out, "%*s%s", pending + (col->left ? 0 : pad), "", s);
            pending = (col->left ? pad : 0) + 2;
        } else {
            pending += col->width + 2;
        }
    }
    host->emit(out, "\n");
}

static void emit_groups(const struct table *t, struct bench_output *out)
{
    int pending = 0;
    const struct column *before = NULL;
    bool any = false;

    for (int c = 0; c < t->n_columns; c++)
        any |= t->columns[c].group && !t->columns[c].hidden;
    for (int c = next_visible(t, -1); any && c < t->n_columns; c = next_visible(t, c)) {
        const struct column *col = &t->columns[c];

        if (col->group && !(before && same_group(before, col))) {
            host->emit(out, "%*s%s", pending, "", col->group);
            pending = -width_of(col->group);
        }
        pending += col->width + 2;
        before = col;
    }
    if (any)
        host->emit(out, "\n");
}

static void emit_hidden(const struct table *t, struct bench_output *out)
{
    char *line = NULL, *more;

    for (int c = 0; c < t->n_columns; c++) {
        if (!t->columns[c].hidden)
            continue;
        if (asprintf(&more, "%s%s%s%s%s", line ? line : "too narrow to show: ", line ? ", " : "",
                     t->columns[c].group ? t->columns[c].group : "", t->columns[c].group ? " " : "",
                     t->columns[c].head) < 0)
            break;
        free(line);
        line = more;
    }
    if (line)
        emit_wrapped("  ", line, t->style, out);
    free(line);
}

enum shade { PLAIN, BOLD, YELLOW };

static void shade(const struct bench_style *style, enum shade shade, struct bench_output *out)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[33m"};

    if (style->color)
        host->emit(out, "%s", codes[shade]);
}

static void emit_table(struct table *t, struct bench_output *out)
{
    fit(t);
    shade(t->style, BOLD, out);
    emit_groups(t, out);
    emit_cells(t, NULL, out);
    shade(t->style, PLAIN, out);
    for (size_t r = 0; r < t->n_rows; r++) {
        if (t->rows[r].heading)
            host->emit(out, "%s\n", t->rows[r].cells[0].text);
        else
            emit_cells(t, &t->rows[r], out);
    }
    emit_hidden(t, out);
}

static void table_release(struct table *t)
{
    for (int c = 0; c < t->n_columns; c++) {
        free(t->columns[c].head);
        free(t->columns[c].group);
    }
    for (size_t r = 0; r < t->n_rows; r++)
        for (int c = 0; c < CELLS; c++)
            free(t->rows[r].cells[c].text);
    free(t->rows);
}

/* --- footnotes ----------------------------------------------------------------------------- */

/* Why numbers are missing: each reason once, with what it concerns. */
struct footnotes {
    struct {
        const char *reason; /* of the document */
        enum bench_state state;
        char *names;
    } items[32];
    size_t count;
};

static const char *state_name(enum bench_state s)
{
    static const char *const names[] = {"ok",     "scaled", "not counted", "not supported",
                                        "failed", "absent"};

    return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

static bool listed(const char *names, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = names; (p = strstr(p, name)); p += n)
        if ((p == names || p[-1] == ' ') && (p[n] == '\0' || p[n] == ','))
            return true;
    return false;
}

/* The footnote names the events itself; their reasons then read alike and share one line. */
static const char *common_reason(const char *reason)
{
    const char *end = strncmp(reason, "event '", 7) == 0 ? strstr(reason, "': ") : NULL;

    return end ? end + 3 : reason;
}

static void footnote(struct footnotes *f, const struct bench_estimate *e, const char *name)
{
    const char *reason = common_reason(e->reason ? e->reason : "");
    size_t i = 0;

    while (i < f->count &&
           (f->items[i].state != e->state || strcmp(f->items[i].reason, reason) != 0))
        i++;
    if (i == sizeof(f->items) / sizeof(f->items[0]))
        return;
    if (i == f->count) {
        f->items[f->count].reason = reason;
        f->items[f->count].state = e->state;
        f->items[f->count++].names = strdup(name);
    } else if (f->items[i].names && !listed(f->items[i].names, name)) {
        char *more = NULL;

        if (asprintf(&more, "%s, %s", f->items[i].names, name) >= 0) {
            free(f->items[i].names);
            f->items[i].names = more;
        }
    }
}

static void emit_footnotes(struct footnotes *f, const struct bench_style *style,
                           struct bench_output *out)
{
    for (size_t i = 0; i < f->count; i++) {
        const char *mark = f->items[i].state == BENCH_SCALED ? "~ " : style->utf8 ? "– " : "- ";
        char *line = NULL;

        if (asprintf(&line, "%s: %s%s%s", f->items[i].names, state_name(f->items[i].state),
                     *f->items[i].reason ? ": " : "", f->items[i].reason) >= 0)
            emit_wrapped(mark, line, style, out);
        free(line);
        free(f->items[i].names);
    }
}

/* --- the document -------------------------------------------------------------------------- */

static const struct bench_estimate *find(const struct bench_arm *a, const char *name)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (strcmp(a->estimates[i]->metric->name, name) == 0)
            return a->estimates[i];
    return NULL;
}

static const struct bench_estimate *find_role(const struct bench_arm *a, const char *stem,
                                              const char *role)
{
    for (uint32_t i = 0; i < a->n_estimates; i++) {
        const struct bench_metric *m = a->estimates[i]->metric;

        if (m->role && strcmp(m->role, role) == 0 && strcmp(m->stem, stem) == 0)
            return a->estimates[i];
    }
    return NULL;
}

static bool is_number(const struct bench_estimate *e)
{
    return e && e->n > 0 && (e->state == BENCH_OK || e->state == BENCH_SCALED);
}

/* A dash for what is not a number (with a footnote), "~" behind what was scaled. Without the unit
 * where the column's head says it. */
static void put_value(struct table *t, int at, const struct bench_estimate *e, bool unit,
                      struct footnotes *notes, const char *note_name)
{
    char s[80];

    if (!is_number(e)) {
        put(t, at, "–");
        if (e && e->state != BENCH_ABSENT)
            footnote(notes, e, note_name);
        return;
    }
    if (unit)
        with_unit(e->metric, e->value, s, sizeof(s) - 1);
    else
        mantissa(e->metric, prefix_of(e->metric, e->value), e->value, s, sizeof(s) - 1);
    if (e->state == BENCH_SCALED) {
        strcat(s, "~");
        footnote(notes, e, note_name);
    }
    put(t, at, s);
}

static void put_estimate(struct table *t, int at, const struct bench_estimate *e,
                         struct footnotes *notes, const char *note_name)
{
    put_value(t, at, e, true, notes, note_name);
}

static void put_interval(struct table *t, int at, const struct bench_estimate *e)
{
    const struct prefix *p;
    char low[48], high[48], s[120];

    if (!is_number(e) || !e->has_interval) {
        put(t, at, e && e->n ? "no interval" : "");
        return;
    }
    p = prefix_of(e->metric, e->value);
    mantissa(e->metric, p, e->low, low, sizeof(low));
    mantissa(e->metric, p, e->high, high, sizeof(high));
    snprintf(s, sizeof(s), "[%s, %s]", low, high);
    put(t, at, s);
}

static void put_ratio(struct table *t, int at, int at_interval, const struct bench_estimate *e)
{
    char low[32], high[32], s[80];

    if (!is_number(e) || isnan(e->ratio)) {
        put(t, at, "–");
        return;
    }
    change(e->ratio, s, sizeof(s));
    put(t, at, s);
    if (!e->has_ratio_interval)
        return;
    change(e->ratio_low, low, sizeof(low));
    change(e->ratio_high, high, sizeof(high));
    snprintf(s, sizeof(s), "[%s, %s]", low, high);
    put(t, at_interval, s);
}

static void put_share(struct table *t, int at, double v)
{
    char s[32] = "–";

    if (isfinite(v))
        snprintf(s, sizeof(s), "%.1f%%", v * 100);
    put(t, at, s);
}

static bool is_sweep(const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (*d->arms[i]->point)
            return true;
    return false;
}

/* Starts the row of an arm; a new point of a sweep gets a line of its own first. */
static void arm_row(struct table *t, const struct bench_document *d, uint32_t i)
{
    const struct bench_arm *a = d->arms[i];
    bool sweep = is_sweep(d);
    char *name = NULL;

    if (sweep && (i == 0 || strcmp(a->point, d->arms[i - 1]->point) != 0))
        put_heading(t, *a->point ? a->point : "(no point)");
    new_row(t);
    if (asprintf(&name, "%s%s", sweep ? "  " : "", a->name) >= 0)
        put(t, 0, name);
    free(name);
}

/* The first metric with that name that any arm has. */
static const struct bench_metric *metric_named(const struct bench_document *d, const char *name)
{
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_estimate *e = find(d->arms[i], name);

        if (e)
            return e->metric;
    }
    return NULL;
}

/* How many repetitions succeeded, and who limited them. */
static void put_runs(struct table *t, int ok, int by, const struct bench_arm *a)
{
    char runs[32];

    snprintf(runs, sizeof(runs), "%u/%u", a->valid, a->valid + a->failed);
    put(t, ok, runs);
    put(t, by, strcmp(a->limited_by, "cpu") == 0 ? "the machine's CPUs" : a->limited_by);
}

/* One headline metric: how much, how sure, against the baseline. `m` is NULL when no arm has any.
 */
static void emit_headline(const struct bench_document *d, const struct bench_metric *m, bool first,
                          struct footnotes *notes, const struct bench_style *style,
                          struct bench_output *out)
{
    struct table t = {.style = style};
    int value = 0, interval = 0, ratio = 0, sure = 0, cv = 0, ok = 0, by = 0;
    bool compared = m && d->n_arms > 1;
    char head[96];

    column(&t, "relay", true, 0);
    if (m) {
        value = column(&t, m->title, false, 0);
        interval = column(&t, "95% interval", true, 5);
    }
    if (compared) {
        snprintf(head, sizeof(head), "vs %.80s", d->baseline);
        ratio = column(&t, head, false, 9);
        sure = column(&t, "95% interval", true, 4);
    }
    if (m)
        cv = column(&t, "run CV", false, 3);
    if (first) {
        ok = column(&t, "valid", false, 6);
        by = column(&t, "limited by", true, 8);
    }
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct bench_estimate *e = m ? find(a, m->name) : NULL;

        arm_row(&t, d, i);
        if (m) {
            put_estimate(&t, value, e, notes, m->title);
            put_interval(&t, interval, e);
            put_share(&t, cv, e ? e->cv : NAN);
        }
        if (compared && strcmp(a->name, d->baseline) == 0)
            put(&t, ratio, "baseline");
        else if (compared)
            put_ratio(&t, ratio, sure, e);
        if (first)
            put_runs(&t, ok, by, a);
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}

static uint32_t most_hops(const struct bench_document *d)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < d->n_arms; i++)
        if (d->arms[i]->hops > most)
            most = d->arms[i]->hops;
    return most < 4 ? most : 4;
}

/* A column that shows one quantity of one role. */
struct cost {
    int at;
    char role[32];
    const char *stem;
    bool unit;
};

struct costs {
    struct cost items[CELLS];
    int count;
};

static void add_cost(struct costs *c, int at, const char *stem, const char *role, bool unit)
{
    struct cost *cost = &c->items[c->count];

    if (at >= CELLS)
        return;
    *cost = (struct cost){.at = at, .stem = stem, .unit = unit};
    snprintf(cost->role, sizeof(cost->role), "%s", role);
    c->count++;
}

static bool any_has(const struct bench_document *d, const char *stem, const char *role)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (find_role(d->arms[i], stem, role))
            return true;
    return false;
}

/* One column per hop below a common head. */
static void add_hops(const struct bench_document *d, struct table *t, struct costs *c,
                     const char *group, const char *stem, bool unit, int importance)
{
    for (uint32_t h = 1; h <= most_hops(d); h++) {
        char role[32], head[32];

        snprintf(role, sizeof(role), "relay_%u", h);
        snprintf(head, sizeof(head), "R%u", h);
        if (any_has(d, stem, role))
            add_cost(c, grouped(t, group, head, importance), stem, role, unit);
    }
}

/* Where the CPU and the memory went. */
static void emit_costs(const struct bench_document *d, struct footnotes *notes,
                       const struct bench_style *style, struct bench_output *out)
{
    struct table t = {.style = style};
    struct costs c = {.count = 0};

    column(&t, "relay", true, 0);
    add_cost(&c, grouped(&t, "CPUs used", "client", 6), "cpus", "client", false);
    add_hops(d, &t, &c, "CPUs used", "cpus", false, 9);
    add_cost(&c, grouped(&t, "CPUs used", "server", 6), "cpus", "server", false);
    if (any_has(d, "cpu_seconds_per_gigabyte", "relay"))
        add_cost(&c, grouped(&t, "relays' CPU", "s/GB", 8), "cpu_seconds_per_gigabyte", "relay",
                 false);
    if (any_has(d, "cpu_seconds_per_operation", "relay"))
        add_cost(&c, grouped(&t, "relays' CPU", "per op", 8), "cpu_seconds_per_operation", "relay",
                 true);
    add_hops(d, &t, &c, "throttled", "throttled_share", true, 5);
    add_hops(d, &t, &c, "RSS", "rss_bytes", true, 4);
    for (uint32_t i = 0; i < d->n_arms; i++) {
        arm_row(&t, d, i);
        for (int k = 0; k < c.count; k++) {
            const struct cost *cost = &c.items[k];
            const struct bench_estimate *e = find_role(d->arms[i], cost->stem, cost->role);

            put_value(&t, cost->at, e, cost->unit, notes, e ? e->metric->title : "");
        }
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}

/* --- counters ------------------------------------------------------------------------------ */

/* The events of a document in the order they were asked for. */
static size_t list_events(const struct bench_document *d, const char *ret[], size_t most)
{
    size_t n = 0;

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const char *event = d->arms[i]->estimates[k]->metric->event;
            size_t known = 0;

            while (event && known < n && strcmp(ret[known], event) != 0)
                known++;
            if (event && known == n && n < most)
                ret[n++] = event;
        }
    return n;
}

/* The estimate of an event in a role: its count, or with `per` set, per byte or operation. */
static const struct bench_estimate *find_event(const struct bench_arm *a, const char *event,
                                               const char *role, const char *per)
{
    for (uint32_t i = 0; i < a->n_estimates; i++) {
        const struct bench_metric *m = a->estimates[i]->metric;
        const char *found;

        if (!m->event || !m->role || strcmp(m->event, event) != 0 || strcmp(m->role, role) != 0)
            continue;
        found = strstr(m->stem, "_per_byte")        ? "byte"
                : strstr(m->stem, "_per_operation") ? "operation"
                                                    : NULL;
        if (found == per || (found && per && strcmp(found, per) == 0))
            return a->estimates[i];
    }
    return NULL;
}

/* An event that no role of any arm could count is a footnote, not a row of dashes. */
static bool counted(const struct bench_document *d, const char *event, struct footnotes *notes)
{
    const struct bench_estimate *missing = NULL;

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_estimate *e = d->arms[i]->estimates[k];

            if (!e->metric->event || strcmp(e->metric->event, event) != 0)
                continue;
            if (is_number(e))
                return true;
            missing = e;
        }
    if (missing)
        footnote(notes, missing, event);
    return false;
}

static bool has_per(const struct bench_document *d, const char *event, const char *per)
{
    static const char *const ends[] = {"client", "server", "relay_1"};

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (size_t k = 0; k < 3; k++)
            if (find_event(d->arms[i], event, ends[k], per))
                return true;
    return false;
}

/* Counts and clocks per gigabyte: the same figure as per byte, in digits that can be read. */
static void put_per(struct table *t, int at, const struct bench_estimate *e, bool per_byte)
{
    struct bench_metric m;
    char s[80];

    if (!is_number(e)) {
        put(t, at, "–");
        return;
    }
    m = *e->metric;
    m.unit = "1";
    if (m.format == BENCH_FORMAT_PLAIN)
        m.format = e->value * (per_byte ? 1e9 : 1) >= 1000 ? BENCH_FORMAT_SI : BENCH_FORMAT_PLAIN;
    with_unit(&m, e->value * (per_byte ? 1e9 : 1), s, sizeof(s));
    put(t, at, s);
}

static void put_event(struct table *t, const struct bench_arm *a, const char *event,
                      const char *roles[], const int at[][2], int n_roles, const char *per,
                      struct footnotes *notes)
{
    put(t, 1, event);
    for (int r = 0; r < n_roles; r++) {
        const struct bench_estimate *count = find_event(a, event, roles[r], NULL);

        put_estimate(t, at[r][0], count, notes, event);
        put_per(t, at[r][1], find_event(a, event, roles[r], per), strcmp(per, "byte") == 0);
    }
}

static void emit_counters(const struct bench_document *d, struct footnotes *notes,
                          const struct bench_style *style, struct bench_output *out)
{
    static const char *const names[] = {"client",  "relay_1", "relay_2",
                                        "relay_3", "relay_4", "server"};
    const char *events[64], *roles[6], *per;
    size_t n_listed = list_events(d, events, 64), n_events = 0;
    struct table t = {.style = style};
    int at[6][2], n_roles = 0;

    for (size_t i = 0; i < n_listed; i++)
        if (counted(d, events[i], notes))
            events[n_events++] = events[i];
    if (n_events == 0)
        return;
    per = has_per(d, events[0], "operation") ? "operation" : "byte";
    column(&t, "relay", true, 0);
    column(&t, "counter", true, 0);
    for (int i = 0; i < 6; i++) {
        bool relay = strncmp(names[i], "relay_", 6) == 0;

        if (relay && (uint32_t)(names[i][6] - '0') > most_hops(d))
            continue;
        roles[n_roles] = names[i];
        at[n_roles][0] = grouped(&t, names[i], "window", relay ? 8 : 2);
        at[n_roles][1] =
            grouped(&t, names[i], strcmp(per, "byte") == 0 ? "per GB" : "per op", relay ? 9 : 3);
        n_roles++;
    }
    for (uint32_t i = 0; i < d->n_arms; i++) {
        if (d->arms[i]->valid == 0)
            continue;
        for (size_t k = 0; k < n_events; k++) {
            if (k == 0)
                arm_row(&t, d, i);
            else
                new_row(&t);
            put_event(&t, d->arms[i], events[k], roles, (const int(*)[2])at, n_roles, per, notes);
        }
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}

/* --- details ------------------------------------------------------------------------------- */

static void emit_metrics(const struct bench_document *d, const struct bench_style *style,
                         struct bench_output *out)
{
    struct footnotes unused = {0};
    struct table t = {.style = style, .least = 60};
    int metric, value, interval, n, cv, r1, state;

    metric = column(&t, "metric", true, 0);
    value = column(&t, "value", false, 0);
    interval = column(&t, "95% interval", true, 5);
    n = column(&t, "n", false, 4);
    cv = column(&t, "run CV", false, 3);
    r1 = column(&t, "lag 1", false, 2);
    state = column(&t, "state", true, 6);
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        char *head = NULL, s[48];

        if (asprintf(&head, "%s%s%s: limited by %s (%s)", a->name, *a->point ? " at " : "",
                     a->point, a->limited_by, a->limited_why) >= 0)
            put_heading(&t, head);
        free(head);
        for (uint32_t k = 0; k < a->n_estimates; k++) {
            const struct bench_estimate *e = a->estimates[k];

            new_row(&t);
            put(&t, metric, e->metric->name);
            put_estimate(&t, value, e, &unused, "");
            put_interval(&t, interval, e);
            snprintf(s, sizeof(s), "%u", e->n);
            put(&t, n, s);
            put_share(&t, cv, e->cv);
            snprintf(s, sizeof(s), "%+.2f", e->autocorrelation);
            put(&t, r1, isnan(e->autocorrelation) ? "–" : s);
            put(&t, state, state_name(e->state));
        }
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
    for (size_t i = 0; i < unused.count; i++)
        free(unused.items[i].names);
}

static double value_of(const struct bench_repetition *r, const struct bench_metric *m)
{
    for (uint32_t i = 0; i < r->n_values; i++)
        if (r->metrics[i] == m &&
            (r->values[i].state == BENCH_OK || r->values[i].state == BENCH_SCALED))
            return r->values[i].value;
    return NAN;
}

static void emit_repetitions(const struct bench_document *d, const struct bench_metric *headline,
                             const struct bench_style *style, struct bench_output *out)
{
    struct table t = {.style = style};
    int index = column(&t, "#", false, 0), block = column(&t, "block", false, 3);
    int arm = column(&t, "relay", true, 0), point = 0, value = 0, overhead, state, error;
    bool sweep = is_sweep(d);

    if (sweep)
        point = column(&t, "point", true, 6);
    if (headline)
        value = column(&t, headline->title, false, 8);
    overhead = column(&t, "overhead", false, 2);
    state = column(&t, "state", true, 7);
    error = column(&t, "error", true, 1);
    for (uint32_t i = 0; i < d->n_repetitions; i++) {
        const struct bench_repetition *r = d->repetitions[i];
        double v = headline ? value_of(r, headline) : NAN;
        char s[80];

        new_row(&t);
        snprintf(s, sizeof(s), "%u", r->index);
        put(&t, index, s);
        snprintf(s, sizeof(s), "%u", r->block);
        put(&t, block, s);
        put(&t, arm, r->arm);
        if (sweep)
            put(&t, point, r->point);
        if (headline && !isnan(v))
            with_unit(headline, v, s, sizeof(s));
        if (headline)
            put(&t, value, isnan(v) ? "–" : s);
        snprintf(s, sizeof(s), "%.3f s", r->overhead_seconds);
        put(&t, overhead, isnan(r->overhead_seconds) ? "–" : s);
        put(&t, state, r->state);
        put(&t, error, r->error ? r->error : "");
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}

/* --- head and warnings ---------------------------------------------------------------------- */

static void emit_head(const struct bench_document *d, const struct bench_style *style,
                      struct bench_output *out)
{
    char *line = NULL;

    shade(style, BOLD, out);
    if (asprintf(&line, "%s · %s%s%s", *d->name ? d->name : "bench run", d->workload,
                 *d->protocol ? ", " : "", d->protocol) >= 0)
        emit_wrapped("", line, style, out);
    free(line);
    shade(style, PLAIN, out);
    line = NULL;
    if (asprintf(&line, "%s, %s, %s", d->run, d->started, d->state) >= 0)
        emit_wrapped("run      ", line, style, out);
    free(line);
    for (uint32_t i = 0; i < d->n_design; i++)
        emit_wrapped(i == 0 ? "design   " : "         ", d->design[i], style, out);
    host->emit(out, "\n");
}

static void emit_warnings(const struct bench_document *d, const struct bench_style *style,
                          struct bench_output *out)
{
    for (uint32_t i = 0; i < d->n_warnings; i++) {
        shade(style, YELLOW, out);
        emit_wrapped("! ", d->warnings[i], style, out);
        shade(style, PLAIN, out);
    }
}

static int report(void *state, const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out, struct bench_error *err)
{
    struct footnotes notes = {0};
    const struct bench_metric *first = NULL;

    (void)state;
    (void)err;
    emit_head(d, style, out);
    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_metric *m = d->arms[i]->estimates[k]->metric;
            uint32_t before = 0;

            while (before < i && !find(d->arms[before], m->name))
                before++;
            if (m->rank != 0 || before < i)
                continue;
            emit_headline(d, metric_named(d, m->name), first == NULL, &notes, style, out);
            first = first ? first : m;
        }
    if (d->n_arms > 0 && first)
        emit_costs(d, &notes, style, out);
    else if (d->n_arms > 0)
        emit_headline(d, NULL, true, &notes, style, out);
    emit_counters(d, &notes, style, out);
    if (style->details) {
        emit_metrics(d, style, out);
        emit_repetitions(d, first, style, out);
    }
    emit_footnotes(&notes, style, out);
    emit_warnings(d, style, out);
    return 0;
}

static const struct bench_reporter plugin = {
    .plugin = {.size = sizeof(plugin),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_REPORTER,
               .name = "text",
               .description = "tables for people"},
    .extension = "txt",
    .report = report,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *h)
{
    host = h;
    return &plugin.plugin;
}
