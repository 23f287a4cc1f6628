/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void set(struct bench_error *err, enum bench_error_kind kind, const char *fmt, va_list ap)
    BENCH_PRINTF(3, 0);

static void set(struct bench_error *err, enum bench_error_kind kind, const char *fmt, va_list ap)
{
    err->kind = kind;
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    err->detail[0] = '\0';
    err->hint[0] = '\0';
    err->errnum = 0;
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
    err->errnum = errnum;
    if (errnum == EMFILE)
        error_hint(err, "raise the limit on open files: 'ulimit -n'");
    return -1;
}

bool error_is_passing(const struct bench_error *err)
{
    switch (err->errnum) {
    case 0:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return false;
    default:
        return true;
    }
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

/* How much of the message is the key that the flag `where` is called after, with its colon. */
static size_t repeated(const char *message, const char *where)
{
    size_t n = strlen(where) - strlen("--");

    for (size_t i = 0; i < n; i++) {
        char c = where[i + strlen("--")];

        if (message[i] != (c == '-' ? '_' : c))
            return 0;
    }
    return strncmp(message + n, ": ", 2) == 0 ? n + 2 : 0;
}

int error_at(struct bench_error *err, const char *where)
{
    size_t skip;

    if (!err || !where)
        return -1;
    skip = strncmp(where, "--", 2) == 0 ? repeated(err->message, where) : 0;
    memmove(err->message, err->message + skip, strlen(err->message + skip) + 1);
    return error_context(err, "%s", where);
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

int error_unknown(struct bench_error *err, const char *what, const char *name,
                  const char *const *names)
{
    const char *near = names ? nearest(name, names) : NULL;

    error_set(err, BENCH_ERROR_USAGE, "unknown %s '%s'", what, name);
    if (near || !err) {
        error_hint(err, "did you mean '%s'?", near ? near : "");
        return -1;
    }
    error_hint(err, "known: %s", names && names[0] ? names[0] : "none");
    for (size_t i = 1; names && names[0] && names[i]; i++) {
        size_t length = strlen(err->hint);

        if (length + strlen(names[i]) + sizeof(", , …") > sizeof(err->hint)) {
            snprintf(err->hint + length, sizeof(err->hint) - length, ", …");
            break;
        }
        snprintf(err->hint + length, sizeof(err->hint) - length, ", %s", names[i]);
    }
    return -1;
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
