/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"

/* Why writing to standard output failed first; 0: it did not. */
static int output_errno;

static void put(FILE *to, const char *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, to) < n && to == stdout && !output_errno)
        output_errno = errno;
}

static unsigned locale(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? 0 : PRINTABLE_EIGHT_BIT;
}

/* What stands on standard error comes behind what was said before, where both go to one place. */
static void keep_order(FILE *to)
{
    if (to == stderr && fflush(stdout) != 0 && !output_errno)
        output_errno = errno;
}

static void say(FILE *to, unsigned how, const char *end, const char *fmt, va_list ap)
    BENCH_PRINTF(4, 0);

static void say(FILE *to, unsigned how, const char *end, const char *fmt, va_list ap)
{
    cleanup_text struct text raw = {0}, t = {0};

    text_vadd(&raw, fmt, ap);
    printable_add(&t, text_get(&raw), raw.length, how | locale());
    text_add_bytes(&t, end, strlen(end));
    keep_order(to);
    put(to, text_get(&t), t.length);
}

void say_out(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(stdout, PRINTABLE_LINES, "", fmt, ap);
    va_end(ap);
}

void say_line(FILE *to, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(to, PRINTABLE_ONE_LINE, "\n", fmt, ap);
    va_end(ap);
}

/* Bytes of `s` that fit into `width` columns, 0 meaning any. */
static size_t fitting(const char *s, int width)
{
    const char *p = s;

    for (int column = 0; *p && (width == 0 || column < width); column++)
        p += utf8_length(p) ? utf8_length(p) : 1;
    return (size_t)(p - s);
}

void say_live(int width, const char *fmt, ...)
{
    static const char erase[] = "\r\033[K";
    cleanup_text struct text t = {0}, line = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    printable_add(&line, text_get(&t), t.length, PRINTABLE_ONE_LINE | locale());
    put(stderr, erase, strlen(erase));
    put(stderr, text_get(&line), fitting(text_get(&line), width));
    fflush(stderr);
}

void say_result(const char *bytes, size_t n)
{
    cleanup_text struct text t = {0};

    if (isatty(STDOUT_FILENO))
        printable_add(&t, bytes, n, PRINTABLE_LINES | PRINTABLE_COLOURS | locale());
    put(stdout, t.length ? text_get(&t) : bytes, t.length ? t.length : n);
}

int say_end(int code)
{
    keep_order(stderr);
    if (output_errno == 0 || output_errno == EPIPE)
        return code;
    say_line(stderr, "bench: standard output cannot be written: %s",
             output_errno == EBADF ? "it is closed" : strerror(output_errno));
    if (output_errno == ENOSPC)
        say_line(stderr, "hint: free space there, or write elsewhere; runs that were measured are "
                         "kept, 'bench list runs'");
    return code ? code : BENCH_ERROR_RUN;
}
