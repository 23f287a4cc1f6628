/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(struct bench_error *err, enum bench_error_kind kind, const char *fmt, va_list ap)
{
    err->kind = kind;
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    err->detail[0] = '\0';
    err->hint[0] = '\0';
}

int error_set(struct bench_error *err, enum bench_error_kind kind, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    set(err, kind, fmt, ap);
    va_end(ap);
    return -1;
}

int error_errno(struct bench_error *err, enum bench_error_kind kind, int errnum, const char *fmt,
                ...)
{
    va_list ap;
    size_t length;

    if (!err)
        return -1;
    va_start(ap, fmt);
    set(err, kind, fmt, ap);
    va_end(ap);
    length = strlen(err->message);
    snprintf(err->message + length, sizeof(err->message) - length, ": %s", strerror(errnum));
    return -1;
}

int error_context(struct bench_error *err, const char *fmt, ...)
{
    char old[sizeof(err->message)];
    va_list ap;
    size_t length;

    if (!err)
        return -1;
    memcpy(old, err->message, sizeof(old));
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);
    length = strlen(err->message);
    snprintf(err->message + length, sizeof(err->message) - length, ": %s", old);
    return -1;
}

void error_hint(struct bench_error *err, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return;
    va_start(ap, fmt);
    vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
}

void error_detail(struct bench_error *err, const char *text)
{
    size_t length, room = sizeof(err->detail) - 1;

    if (!err || !text)
        return;
    length = strlen(text);
    if (length > room) {
        const char *cut = text + length - room, *line = strchr(cut, '\n');

        text = line && line[1] ? line + 1 : cut;
        length = strlen(text);
    }
    memcpy(err->detail, text, length + 1);
}
