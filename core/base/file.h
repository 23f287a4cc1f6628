/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files as a whole, and directories. Errors carry the path and errno's text; every descriptor
 * is close-on-exec. `dirfd` may be AT_FDCWD.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include <bench/types.h>

#include "base/text.h"

/* Opens a regular file for reading. What is none (a FIFO, a device, a socket, a directory) is
 * refused, without waiting for it. Returns the descriptor or -1. */
int file_open(int dirfd, const char *path, struct bench_error *err);
/* The same for a path that came from a file of others: it has to be relative and to lead down from
 * `dirfd`, through no symbolic link. */
int file_open_beneath(int dirfd, const char *path, struct bench_error *err);
/* Whether a path is relative and never goes up. */
bool path_is_beneath(const char *path);
/* Reads at most `limit` bytes of a regular file; a longer one is an error. NUL-terminated; caller
 * frees. */
int file_read(int dirfd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
              struct bench_error *err);
/* The same from a file that file_open_beneath() opens. */
int file_read_beneath(int dirfd, const char *path, size_t limit, char **ret_data,
                      size_t *ret_length, struct bench_error *err);
/* The same from an open descriptor of any kind, at its position; `path` is for messages. */
int file_read_fd(int fd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
                 struct bench_error *err);
/* The same for /proc and /sys: no error object, NULL when unreadable, trailing newline cut. */
char *file_peek(const char *path);
/* Re-reads an open /proc or /sys file from offset 0 into `buffer`; returns the length or -1. */
ssize_t file_again(int fd, char *buffer, size_t size);
/* The last `limit` bytes of a file, starting at a line; NULL when unreadable. Caller frees. */
char *file_tail(int dirfd, const char *path, size_t limit);
/* Writes to a new file, fsyncs and renames: readers see the old file or the whole new one. What is
 * there and no regular file (a link, a device, a pipe) is an error, and stays. */
int file_write(int dirfd, const char *path, const char *data, size_t length,
               struct bench_error *err);
/* The same to where the user wants to have it: what is there and no regular file is written to,
 * also through a link. */
int file_write_out(int dirfd, const char *path, const char *data, size_t length,
                   struct bench_error *err);
/* mkdir -p. */
int directory_make(int dirfd, const char *path, struct bench_error *err);
/* Adds the names in it, sorted, without those that begin with a dot. */
int directory_list(int dirfd, const char *path, struct strings *ret, struct bench_error *err);
/* rm -r, without following links; missing is fine. */
int directory_remove(int dirfd, const char *path, struct bench_error *err);

/* Closes every descriptor above 2 but the `n` in `keep`, which is sorted here; -1 among them is
 * none. */
void close_descriptors_but(int *keep, size_t n);

#endif
