/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that a wrapped tool wrote, and what it printed beside it. */
#ifndef SHARED_JSON_FILE_H
#define SHARED_JSON_FILE_H

#include <jansson.h>

#include <bench/types.h>

/* The whole of a text file without a byte order mark, NUL-terminated; NULL with errno. Caller frees.
 * What is behind a NUL is left out. */
char *text_file(const char *path);

/* The document in the file at `path`, of which messages speak as `what` ("iperf3's JSON"); NULL with
 * an error. *ret_rest: other text that stands behind it, or NULL. Caller frees both. */
json_t *json_file(const char *path, const char *what, char **ret_rest, struct bench_error *err);

#endif
