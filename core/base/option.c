/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

/* What a row's field holds, while it is parsed and formatted. */
union value {
    int truth; /* BOOL and CHOICE */
    int64_t whole;
    double number;
    char *string;
};

static size_t field_size(enum bench_option_type type)
{
    switch (type) {
    case BENCH_OPTION_BOOL:
    case BENCH_OPTION_CHOICE:
        return sizeof(int);
    case BENCH_OPTION_INTEGER:
    case BENCH_OPTION_DURATION:
    case BENCH_OPTION_SIZE:
        return sizeof(int64_t);
    case BENCH_OPTION_NUMBER:
    case BENCH_OPTION_RATE:
    case BENCH_OPTION_SHARE:
        return sizeof(double);
    case BENCH_OPTION_STRING:
        return sizeof(char *);
    }
    return 0;
}

static const char *type_name(enum bench_option_type type)
{
    switch (type) {
    case BENCH_OPTION_BOOL:
        return "true or false";
    case BENCH_OPTION_INTEGER:
        return "integer";
    case BENCH_OPTION_NUMBER:
        return "number";
    case BENCH_OPTION_DURATION:
        return "duration";
    case BENCH_OPTION_SIZE:
        return "size";
    case BENCH_OPTION_RATE:
        return "rate";
    case BENCH_OPTION_SHARE:
        return "share";
    case BENCH_OPTION_STRING:
        return "text";
    case BENCH_OPTION_CHOICE:
        return "one of";
    }
    return "?";
}

static char *field(const struct bench_option *row, const void *state)
{
    return (char *)state + row->offset;
}

static union value load(const struct bench_option *row, const void *state)
{
    union value v = {.whole = 0};

    memcpy(&v, field(row, state), field_size(row->type));
    return v;
}

static void store(const struct bench_option *row, void *state, union value v)
{
    memcpy(field(row, state), &v, field_size(row->type));
}

const struct bench_option *option_find(const struct bench_option *table, const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

int option_unknown(const struct bench_option *table, const char *what, const char *name,
                   struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (; table && table->name; table++)
        strings_add(&names, table->name);
    return error_unknown(err, what, name, (const char *const *)names.items);
}

/* Value as number in base units, for the range check. */
static double magnitude(enum bench_option_type type, union value v)
{
    switch (type) {
    case BENCH_OPTION_INTEGER:
    case BENCH_OPTION_DURATION:
    case BENCH_OPTION_SIZE:
        return (double)v.whole;
    default:
        return v.number;
    }
}

static bool has_range(const struct bench_option *row)
{
    return row->minimum != 0 || row->maximum != 0;
}

/* `number` in base units as the row's type writes it. */
static const char *format_bound(enum bench_option_type type, double number, char *out, size_t size)
{
    switch (type) {
    case BENCH_OPTION_DURATION:
        return format_duration((int64_t)number, out, size);
    case BENCH_OPTION_SIZE:
        return format_size((int64_t)number, out, size);
    case BENCH_OPTION_RATE:
        return format_rate(number, out, size);
    case BENCH_OPTION_SHARE:
        return format_share(number, out, size);
    case BENCH_OPTION_INTEGER:
        snprintf(out, size, "%lld", (long long)number);
        return out;
    default:
        return format_number(number, out, size);
    }
}

static int refuse_range(const struct bench_option *row, const char *text, struct bench_error *err)
{
    char low[64], high[64];

    return error_set(err, BENCH_ERROR_USAGE, "'%s' is out of range, allowed is %s to %s", text,
                     format_bound(row->type, row->minimum, low, sizeof(low)),
                     format_bound(row->type, row->maximum, high, sizeof(high)));
}

static int check_range(const struct bench_option *row, union value v, const char *text,
                       struct bench_error *err)
{
    double number = magnitude(row->type, v);

    if (!has_range(row) || (number >= row->minimum && number <= row->maximum))
        return 0;
    return refuse_range(row, text, err);
}

static void join_choices(const struct bench_option *row, struct text *out)
{
    for (const char *const *c = row->choices; *c; c++)
        text_add(out, "%s%s", c == row->choices ? "" : ", ", *c);
}

/* Index of the choice, or -1. */
static int find_choice(const struct bench_option *row, const char *text)
{
    for (int i = 0; row->choices && row->choices[i]; i++)
        if (strcmp(row->choices[i], text) == 0)
            return i;
    return -1;
}

static int parse_choice(const struct bench_option *row, const char *text, int *ret,
                        struct bench_error *err)
{
    cleanup_text struct text all = {0};
    const char *near;

    *ret = find_choice(row, text);
    if (*ret >= 0)
        return 0;
    join_choices(row, &all);
    error_set(err, BENCH_ERROR_USAGE, "'%s' is not one of %s", text, text_get(&all));
    near = nearest(text, row->choices);
    if (near)
        error_hint(err, "did you mean '%s'?", near);
    return -1;
}

/* Of a number that was refused. In its place a word may stand; what no value of the type can be is
 * not within the row's bounds either. */
static int refused(const struct bench_option *row, const char *text, struct bench_error *err)
{
    if (errno == ERANGE && has_range(row))
        refuse_range(row, text, err);
    if (row->choices)
        error_hint(err, "or write '%s'", row->choices[0]);
    return -1;
}

/* A word that may stand in the place of a number; stored as a negative one. */
static bool is_word(const struct bench_option *row, const char *text, int *ret)
{
    int i = find_choice(row, text);

    *ret = -1 - i;
    return i >= 0;
}

static int parse(const struct bench_option *row, const char *text, union value *v,
                 struct bench_error *err)
{
    int result = 0, word;

    switch (row->type) {
    case BENCH_OPTION_BOOL:
        return parse_bool(text, &v->truth, err);
    case BENCH_OPTION_CHOICE:
        return parse_choice(row, text, &v->truth, err);
    case BENCH_OPTION_STRING:
        v->string = (char *)text; /* copied once it is accepted */
        return 0;
    case BENCH_OPTION_INTEGER:
        result = parse_integer(text, &v->whole, err);
        break;
    case BENCH_OPTION_DURATION:
        if (is_word(row, text, &word)) {
            v->whole = word;
            return 0;
        }
        result = parse_duration(text, &v->whole, err);
        break;
    case BENCH_OPTION_SIZE:
        result = parse_size(text, &v->whole, err);
        break;
    case BENCH_OPTION_NUMBER:
        result = parse_number(text, &v->number, err);
        break;
    case BENCH_OPTION_RATE:
        if (is_word(row, text, &word)) {
            v->number = word;
            return 0;
        }
        result = parse_rate(text, &v->number, err);
        break;
    case BENCH_OPTION_SHARE:
        result = parse_share(text, &v->number, err);
        break;
    }
    return result < 0 ? refused(row, text, err) : check_range(row, *v, text, err);
}

int option_set(const struct bench_option *row, void *state, const char *text,
               struct bench_error *err)
{
    union value v = {.whole = 0};

    if (parse(row, text, &v, err) < 0)
        return error_context(err, "%s", row->name);
    if (row->type == BENCH_OPTION_STRING) {
        v.string = xstrdup(text);
        free(load(row, state).string);
    }
    store(row, state, v);
    return 0;
}

void option_defaults(const struct bench_option *table, void *state)
{
    for (; table && table->name; table++) {
        memset(field(table, state), 0, field_size(table->type));
        if (table->fallback)
            option_set(table, state, table->fallback, NULL);
    }
}

void option_release(const struct bench_option *table, void *state)
{
    for (; table && table->name && state; table++)
        if (table->type == BENCH_OPTION_STRING) {
            free(load(table, state).string);
            store(table, state, (union value){.string = NULL});
        }
}

void *option_copy(const struct bench_option *table, const void *state, size_t size)
{
    void *copy = xcalloc(1, size);

    if (size)
        memcpy(copy, state, size);
    for (; table && table->name; table++)
        if (table->type == BENCH_OPTION_STRING)
            store(table, copy, (union value){.string = xstrdup(load(table, state).string)});
    return copy;
}

char *option_format(const struct bench_option *row, const void *state)
{
    union value v = load(row, state);
    char out[64];

    switch (row->type) {
    case BENCH_OPTION_BOOL:
        return xstrdup(v.truth ? "true" : "false");
    case BENCH_OPTION_CHOICE:
        return xstrdup(row->choices[v.truth]);
    case BENCH_OPTION_STRING:
        return xstrdup(v.string);
    case BENCH_OPTION_INTEGER: /* not by way of a double, which has 53 bits */
        return xasprintf("%lld", (long long)v.whole);
    case BENCH_OPTION_DURATION:
        if (row->choices && v.whole < 0)
            return xstrdup(row->choices[-v.whole - 1]);
        return xstrdup(format_duration(v.whole, out, sizeof(out)));
    case BENCH_OPTION_SIZE:
        return xstrdup(format_size(v.whole, out, sizeof(out)));
    case BENCH_OPTION_RATE:
        if (row->choices && v.number < 0)
            return xstrdup(row->choices[(int)-v.number - 1]);
        /* fall through */
    case BENCH_OPTION_NUMBER:
    case BENCH_OPTION_SHARE:
        return xstrdup(format_bound(row->type, v.number, out, sizeof(out)));
    }
    return NULL;
}

char *option_describe(const struct bench_option *row)
{
    cleanup_text struct text t = {0};
    char low[64], high[64];

    text_add(&t, "%s", type_name(row->type));
    if (row->type == BENCH_OPTION_CHOICE) {
        text_add(&t, " ");
        join_choices(row, &t);
    }
    if (row->unit)
        text_add(&t, " (%s)", row->unit);
    if (has_range(row))
        text_add(&t, ", %s to %s", format_bound(row->type, row->minimum, low, sizeof(low)),
                 format_bound(row->type, row->maximum, high, sizeof(high)));
    if (row->choices && row->type != BENCH_OPTION_CHOICE) {
        text_add(&t, ", or ");
        join_choices(row, &t);
    }
    if (row->fallback)
        text_add(&t, "%s default %s", row->choices ? ";" : ",", row->fallback);
    return text_take(&t);
}

static bool valid_name(const char *name)
{
    return *name >= 'a' && *name <= 'z' &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static bool overlap(const struct bench_option *a, const struct bench_option *b)
{
    return a->offset < b->offset + field_size(b->type) &&
           b->offset < a->offset + field_size(a->type);
}

static int check_fallback(const struct bench_option *row, struct bench_error *err)
{
    struct bench_option moved = *row; /* one field is enough to try it in */
    union value scratch = {.whole = 0};

    moved.offset = 0;
    if (row->fallback && option_set(&moved, &scratch, row->fallback, err) < 0)
        return error_context(err, "default");
    if (row->type == BENCH_OPTION_STRING)
        free(scratch.string);
    return 0;
}

static int check_row(const struct bench_option *row, size_t size, struct bench_error *err)
{
    size_t bytes = field_size(row->type);

    if (!valid_name(row->name))
        return error_set(err, BENCH_ERROR_USAGE,
                         "option '%s': a name is lower case letters, digits and '_'", row->name);
    if (!bytes)
        return error_set(err, BENCH_ERROR_USAGE, "option '%s': unknown type %d", row->name,
                         (int)row->type);
    if (row->offset % bytes || size < bytes || row->offset > size - bytes)
        return error_set(err, BENCH_ERROR_USAGE,
                         "option '%s': offset %zu does not fit a state of %zu bytes", row->name,
                         row->offset, size);
    if (row->type == BENCH_OPTION_CHOICE && !(row->choices && row->choices[0]))
        return error_set(err, BENCH_ERROR_USAGE, "option '%s': has no choices", row->name);
    if (row->choices && row->type != BENCH_OPTION_CHOICE && row->type != BENCH_OPTION_RATE &&
        row->type != BENCH_OPTION_DURATION)
        return error_set(err, BENCH_ERROR_USAGE,
                         "option '%s': choices without the type choice, rate or duration",
                         row->name);
    if (row->choices && row->type != BENCH_OPTION_CHOICE && row->minimum < 0)
        return error_set(err, BENCH_ERROR_USAGE,
                         "option '%s': words stand for negative values, its range has such",
                         row->name);
    if (!(row->minimum <= row->maximum))
        return error_set(err, BENCH_ERROR_USAGE, "option '%s': its range is empty", row->name);
    if (!row->help || !*row->help || row->help[strcspn(row->help, "\n\r\x1b")])
        return error_set(err, BENCH_ERROR_USAGE, "option '%s': its help is not one line",
                         row->name);
    return check_fallback(row, err);
}

int option_check(const struct bench_option *table, size_t size, struct bench_error *err)
{
    for (const struct bench_option *row = table; row && row->name; row++) {
        if (check_row(row, size, err) < 0)
            return -1;
        for (const struct bench_option *other = table; other < row; other++) {
            if (strcmp(row->name, other->name) == 0)
                return error_set(err, BENCH_ERROR_USAGE, "option '%s': is there twice", row->name);
            if (overlap(row, other))
                return error_set(err, BENCH_ERROR_USAGE, "options '%s' and '%s' share a field",
                                 other->name, row->name);
        }
    }
    return 0;
}
