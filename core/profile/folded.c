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

/* Without its newline, NUL-terminated; is changed. */
static int read_line(struct stacks *s, char *line, size_t length, struct bench_error *err)
{
    struct frame frames[STACKS_DEPTH + 1]; /* one more shows that there are more */
    size_t n = 0;
    char *blank, *rest;
    double weight;

    if (memchr(line, '\0', length))
        return error_set(err, BENCH_ERROR_USAGE, "a NUL byte: this is no folded text");
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    if (length == 0)
        return 0;
    blank = line + length;
    while (blank > line && blank[-1] != ' ' && blank[-1] != '\t')
        blank--;
    if (read_weight(blank, &weight, err) < 0)
        return -1;
    if (blank == line)
        return error_set(err, BENCH_ERROR_USAGE, "a weight without a stack");
    blank[-1] = '\0';
    for (char *name = line; name && n < ARRAY_SIZE(frames); name = rest) {
        rest = strchr(name, ';');
        if (rest)
            *rest++ = '\0';
        frames[n++] = read_frame(name);
    }
    stacks_add(s, frames, n, weight);
    return 0;
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

int folded_read(struct stacks *s, FILE *in, const char *name, struct bench_error *err)
{
    cleanup_free char *line = NULL;
    size_t capacity = 0, length = 0;

    for (size_t number = 1;; number++) {
        int result = next_line(in, &line, &capacity, &length, err);

        if (result == 0)
            return 0;
        if (result < 0 || read_line(s, line, length, err) < 0)
            return error_context(err, "%s:%zu", name, number);
    }
}

int folded_read_file(struct stacks *s, int dirfd, const char *path, struct bench_error *err)
{
    cleanup_close int fd = -1;
    cleanup_file FILE *in = NULL;

    if (strcmp(path, "-") == 0)
        return folded_read(s, stdin, "standard input", err);
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
    return folded_read(s, in, path, err);
}

/* --- writing --------------------------------------------------------------------------------- */

static void write_frame(const struct frame *f, struct text *out)
{
    const char *s = f->name;
    size_t length = strlen(s), begin = 0;
    bool looks_marked = false;

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        looks_marked |= f->kind == FRAME_USER && ends_with(s, length, marks[i].mark);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)s[i];
        bool plain = c >= 0x20 && c != 0x7f && c != ';' && c != '\\';

        if (plain && !(looks_marked && i == length - 1))
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
        write_frame(frames[i], out);
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
