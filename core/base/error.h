/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling, extending and formatting `struct bench_error`. Errors are values on the caller's stack;
 * nothing here allocates.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <bench/types.h>

/* Sets kind and message, clears detail and hint. Returns -1. `err` may be NULL. */
int error_set(struct bench_error *err, enum bench_error_kind kind, const char *fmt, ...)
    BENCH_PRINTF(3, 4);
/* Like error_set, with ": strerror(errnum)" at the end; the error keeps the number. */
int error_errno(struct bench_error *err, enum bench_error_kind kind, int errnum, const char *fmt,
                ...) BENCH_PRINTF(4, 5);
/* Whether a system call failed for a reason that may be gone the next time (EACCES, EIO, EMFILE,
 * ENOMEM, …): that says nothing about the file which was asked for. A name that is missing or
 * stands for something else is no such reason. */
bool error_is_passing(const struct bench_error *err);
/* Puts "context: " before the message. Returns -1. */
int error_context(struct bench_error *err, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* Puts the place where a value stood before a message that begins with its key; a flag of that name
 * ("--cpu-limit") takes the key's place. `where` may be NULL. Returns -1. */
int error_at(struct bench_error *err, const char *where);
void error_hint(struct bench_error *err, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* "unknown WHAT 'name'", kind USAGE, with the nearest of `names` (NULL-terminated, or NULL) as the
 * hint, or all of them when none is near. Returns -1. */
int error_unknown(struct bench_error *err, const char *what, const char *name,
                  const char *const *names);
/* Stores verbatim text; when it is too long, its last lines. */
void error_detail(struct bench_error *err, const char *text);

#endif
