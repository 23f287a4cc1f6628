/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without cleaning up, which would need memory: the guardian and the inits do it (containment.h).
 */
_Noreturn static void out_of_memory(void)
{
    static const char message[] =
        "bench: out of memory\n"
        "hint: free some, or raise the limit: 'ulimit -v', memory.max of the control group\n";

    if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
        _exit(BENCH_ERROR_RUN);
    _exit(BENCH_ERROR_RUN);
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

char *xstrdup(const char *s)
{
    return s ? xstrndup(s, strlen(s)) : NULL;
}

void xreplace(char **old, const char *text)
{
    char *copy = xstrdup(text);

    free(*old);
    *old = copy;
}

char *xstrndup(const char *s, size_t n)
{
    size_t length = strnlen(s, n);
    char *copy = xcalloc(length + 1, 1);

    memcpy(copy, s, length);
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        out_of_memory();
    return s;
}

void *grow(void *array, size_t *capacity, size_t need, size_t size)
{
    size_t n = *capacity;

    if (need <= n)
        return array;
    n = n ? n * 2 : 8;
    if (n < need)
        n = need;
    if (n > SIZE_MAX / size)
        out_of_memory();
    *capacity = n;
    return xrealloc(array, n * size);
}

void cleanup_freep(void *p)
{
    free(*(void **)p);
}

void cleanup_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void cleanup_filep(void *file)
{
    FILE *f = *(FILE **)file;

    if (f)
        fclose(f);
}
