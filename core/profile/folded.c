/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/folded.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "profile/perf_header.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static const struct {
    enum frame_kind kind;
    const char *mark;
} marks[] = {{FRAME_KERNEL, "_[k]"}, {FRAME_INLINED, "_[i]"}};

static bool ends_with(const char *s, size_t n, const char *tail)
{
    size_t m = strlen(tail);

    return n >= m && memcmp(s + n - m, tail, m) == 0;
}

/* --- reading --------------------------------------------------------------------------------- */

static int hex(char c)
{
    return isdigit((unsigned char)c)        ? c - '0'
           : c && strchr("abcdefABCDEF", c) ? (c | 0x20) - 'a' + 10
                                            : -1;
}

/* Undoes \\ and \xHH in place. */
static void unescape(char *name)
{
    char *to = name;

    for (const char *from = name; *from; from++) {
        *to = *from;
        if (from[0] == '\\' && from[1] == '\\') {
            from++;
        } else if (from[0] == '\\' && from[1] == 'x' && hex(from[2]) >= 0 && hex(from[3]) >= 0 &&
                   (hex(from[2]) || hex(from[3]))) {
            *to = (char)(hex(from[2]) << 4 | hex(from[3]));
            from += 3;
        }
        to++;
    }
    *to = '\0';
}

/* `name` ends at a NUL and is changed. */
static struct frame read_frame(char *name)
{
    struct frame f = {.name = name, .kind = FRAME_USER};
    size_t length = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        if (f.kind == FRAME_USER && ends_with(name, length, marks[i].mark)) {
            f.kind = marks[i].kind;
            name[length - strlen(marks[i].mark)] = '\0';
        }
    }
    unescape(name);
    return f;
}

static int read_weight(const char *word, double *ret, struct bench_error *err)
{
    if (parse_number(word, ret, NULL) == 0 && *ret >= 0 && *ret <= 1e18) /* sums stay finite */
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "'%.40s' is no weight", word);
    error_hint(err,
               "a line is 'frame;frame;frame WEIGHT', the weight a number that is not negative");
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t trimmed(const char *line, size_t length)
{
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    return length;
}

/* Where the last word of a trimmed line begins. */
static size_t last_word(const char *line, size_t length)
{
    while (length > 0 && !is_blank(line[length - 1]))
        length--;
    return length;
}

/* Whether the line ends in two weights with a stack before them. */
static bool has_two_weights(const char *line, size_t length)
{
    double weight;

    if (memchr(line, '\0', length))
        return false;
    for (int i = 0; i < 2; i++) {
        size_t end = trimmed(line, length), begin = last_word(line, end);
        cleanup_free char *word = xstrndup(line + begin, end - begin);

        if (begin == end || read_weight(word, &weight, NULL) < 0)
            return false;
        length = begin;
    }
    return trimmed(line, length) > 0;
}

/* Takes the weight off the end of a line, and the blank before it. */
static int take_weight(char *line, size_t *length, double *ret, struct bench_error *err)
{
    size_t begin;

    *length = trimmed(line, *length);
    line[*length] = '\0';
    begin = last_word(line, *length);
    if (read_weight(line + begin, ret, err) < 0)
        return -1;
    if (begin == 0)
        return error_set(err, BENCH_ERROR_USAGE, "a weight without a stack");
    *length = begin - 1;
    line[*length] = '\0';
    return 0;
}

/* The stack of a line, whose weights were taken; is changed. */
static void add_stack(struct stacks *s, char *line, double weight)
{
    struct frame frames[STACKS_DEPTH + 1]; /* one more shows that there are more */
    size_t n = 0;
    char *rest;

    for (char *name = line; name && n < ARRAY_SIZE(frames); name = rest) {
        rest = strchr(name, ';');
        if (rest)
            *rest++ = '\0';
        frames[n++] = read_frame(name);
    }
    stacks_add(s, frames, n, weight);
}

/* Without its newline, NUL-terminated; is changed. With `before`: of two weights. */
static int read_line(struct stacks *s, struct stacks *before, char *line, size_t length,
                     struct bench_error *err)
{
    double weight, old = 0;

    if (memchr(line, '\0', length))
        return error_set(err, BENCH_ERROR_USAGE, "a NUL byte: this is no folded text");
    if (trimmed(line, length) == 0)
        return 0;
    if (take_weight(line, &length, &weight, err) < 0 ||
        (before && take_weight(line, &length, &old, err) < 0))
        return -1;
    if (before) {
        cleanup_free char *copy = xstrndup(line, trimmed(line, length));

        line[trimmed(line, length)] = '\0';
        add_stack(before, copy, old);
    }
    add_stack(s, line, weight);
    return 0;
}

/* Lines that were kept until it is known what they are. */
static int read_kept(struct stacks *s, struct stacks *before, struct text *kept,
                     struct bench_error *err)
{
    char *end, *line = kept->data;
    int result = 0;

    for (; result == 0 && line && *line; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        result = read_line(s, before, line, (size_t)(end - line), err);
    }
    text_release(kept);
    return result;
}

static int refuse_difference(const char *name, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_USAGE,
              "%s: every line ends in two weights: it is a difference already", name);
    error_hint(err, "draw it alone, as svg, without '--diff'; a name that ends in a number has its "
                    "blank written as \\x20");
    return -1;
}

/* One line in memory at a time. 1: a line, 0: the end. */
static int next_line(FILE *in, char **line, size_t *capacity, size_t *ret_length,
                     struct bench_error *err)
{
    size_t length = 0;
    int c;

    while ((c = getc_unlocked(in)) != EOF && c != '\n') {
        if (length >= FOLDED_LINE)
            return error_set(err, BENCH_ERROR_USAGE, "a line of more than %d bytes", FOLDED_LINE);
        *line = grow(*line, capacity, length + 2, 1);
        (*line)[length++] = (char)c;
    }
    if (ferror(in))
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read");
    if (c == EOF && length == 0)
        return 0;
    *line = grow(*line, capacity, length + 1, 1);
    (*line)[length] = '\0';
    *ret_length = length;
    return 1;
}

/* What stands at the beginning of a text and is no stack. */
static int pass_mark(char **line, size_t *length, struct bench_error *err)
{
    size_t magic = strlen(PERF_MAGIC);

    if (*length >= 3 && memcmp(*line, BYTE_ORDER_MARK, 3) == 0) {
        *line += 3;
        *length -= 3;
    }
    if (*length <= magic || memcmp(*line, PERF_MAGIC, magic) != 0 ||
        !memchr(*line + magic, '\0', *length - magic))
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "this is perf.data, no folded text");
    error_hint(err, "write it with 'perf record -o FILE', and give that file");
    return -1;
}

/* A line is kept as long as every one has two weights. */
struct reading {
    struct stacks *s;
    struct text kept;
    bool single; /* one had not */
};

static int take_line(struct reading *r, char *line, size_t length, struct bench_error *err)
{
    if (!r->single && trimmed(line, length) == 0)
        return 0;
    if (!r->single && has_two_weights(line, length)) {
        text_add_bytes(&r->kept, line, length);
        text_add_bytes(&r->kept, "\n", 1);
        return 0;
    }
    r->single = true;
    if (read_kept(r->s, NULL, &r->kept, err) < 0)
        return -1;
    return read_line(r->s, NULL, line, length, err);
}

int folded_read(struct stacks *s, struct stacks *before, FILE *in, const char *name,
                struct bench_error *err)
{
    cleanup_free char *buffer = NULL;
    struct reading r = {.s = s};
    size_t capacity = 0, length = 0;
    int result = 1;

    for (size_t number = 1; result > 0; number++) {
        char *line;

        result = next_line(in, &buffer, &capacity, &length, err);
        line = buffer;
        if (result < 0 || (result > 0 && number == 1 && pass_mark(&line, &length, err) < 0) ||
            (result > 0 && take_line(&r, line, length, err) < 0))
            result = error_context(err, "%s:%zu", name, number);
    }
    if (result == 0 && r.kept.length && !before)
        result = refuse_difference(name, err);
    else if (result == 0 && r.kept.length)
        result = read_kept(s, before, &r.kept, err) < 0 ? -1 : 1;
    text_release(&r.kept);
    return result;
}

int folded_read_file(struct stacks *s, struct stacks *before, int dirfd, const char *path,
                     struct bench_error *err)
{
    cleanup_close int fd = -1;
    cleanup_file FILE *in = NULL;

    if (strcmp(path, "-") == 0)
        return folded_read(s, before, stdin, "standard input", err);
    fd = dirfd == AT_FDCWD ? openat(dirfd, path, O_RDONLY | O_CLOEXEC)
                           : file_open_beneath(dirfd, path, err);
    if (fd < 0)
        return dirfd == AT_FDCWD
                   ? error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", path)
                   : -1;
    in = fdopen(fd, "r");
    if (!in)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", path);
    fd = -1;
    return folded_read(s, before, in, path, err);
}

/* --- writing --------------------------------------------------------------------------------- */

/* The blank in a name that ends a stack and that ends in what would be read as a weight. */
static size_t misleading_blank(const struct frame *f, bool last)
{
    size_t end = trimmed(f->name, strlen(f->name)), begin = last_word(f->name, end);
    cleanup_free char *word = last && begin ? xstrndup(f->name + begin, end - begin) : NULL;
    double weight;

    if (!word || f->kind != FRAME_USER || read_weight(word, &weight, NULL) < 0)
        return SIZE_MAX;
    return begin - 1;
}

static void write_frame(const struct frame *f, bool last, struct text *out)
{
    const char *s = f->name;
    size_t length = strlen(s), begin = 0, hidden = misleading_blank(f, last);
    bool looks_marked = false;

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        looks_marked |= f->kind == FRAME_USER && ends_with(s, length, marks[i].mark);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)s[i];
        bool plain = c >= 0x20 && c != 0x7f && c != ';' && c != '\\';
        bool begins_text = i == 0 && strncmp(s, BYTE_ORDER_MARK, 3) == 0; /* or may do so */

        if (plain && !(looks_marked && i == length - 1) && i != hidden && !begins_text)
            continue;
        text_add_bytes(out, s + begin, i - begin);
        text_add(out, c == '\\' ? "\\\\" : "\\x%02x", c);
        begin = i + 1;
    }
    text_add_bytes(out, s + begin, length - begin);
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (f->kind == marks[i].kind)
            text_add(out, "%s", marks[i].mark);
}

static int write_stack(void *context, const struct frame *const *frames, size_t n, double weight)
{
    struct text *out = context;
    char number[32];

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            text_add_bytes(out, ";", 1);
        write_frame(frames[i], i + 1 == n, out);
    }
    if (weight == floor(weight) && weight < 0x1p53)
        text_add(out, " %.0f\n", weight);
    else
        text_add(out, " %s\n", format_number(weight, number, sizeof(number)));
    return 0;
}

void folded_write(struct stacks *s, struct text *out)
{
    stacks_each(s, write_stack, out);
}
