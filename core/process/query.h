/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a program something and reads the answer: `nginx -v`. A short-lived child outside of any
 * measurement, killed with everything it started when it does not answer in time.
 */
#ifndef PROCESS_QUERY_H
#define PROCESS_QUERY_H

#include <bench/types.h>

#include "base/text.h"

/* Runs `program` (absolute path) with `arguments` (without argv[0], NULL-terminated) and
 * `environment` ("NAME=value", over ours; may be empty); standard input is empty. Appends at most
 * 64 KiB of what it prints on either output to `ret`. The exit status does not matter: many programs
 * print their version and fail. */
int process_query(const char *program, const char *const *arguments,
                  const struct strings *environment, int64_t timeout_ns, struct text *ret,
                  struct bench_error *err);

/* The first line of `output` that holds a digit (a version does), without spaces around it. Caller
 * frees; NULL when there is none. */
char *query_version_line(const char *output);

#endif
