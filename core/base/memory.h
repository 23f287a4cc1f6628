/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that ends the program when memory is out (a bench that cannot allocate a few bytes has
 * nothing to measure), and cleanup attributes. Everything returned is owned by the caller: free().
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <bench/types.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
void xreplace(char **old, const char *text); /* frees *old, also when `text` lies in it */
char *xasprintf(const char *fmt, ...) BENCH_PRINTF(1, 2);

/* Grows `*array` of `*capacity` elements of `size` bytes so that it holds at least `need`. */
void *grow(void *array, size_t *capacity, size_t need, size_t size);

void cleanup_freep(void *p);
void cleanup_closep(int *fd);
void cleanup_filep(void *file);
#define cleanup_free __attribute__((cleanup(cleanup_freep)))
#define cleanup_close __attribute__((cleanup(cleanup_closep)))
#define cleanup_file __attribute__((cleanup(cleanup_filep)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
