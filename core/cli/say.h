/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that writes to standard output and standard error. Whatever is said may hold bytes
 * of others: what programs print, names in files, words of plugins. They are made printable here
 * (base/printable.h), so that no caller has to know which of its strings are whose.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdio.h>

#include <bench/types.h>

/* To standard output. */
void say_out(const char *fmt, ...) BENCH_PRINTF(1, 2);
/* One line, whatever the strings in it contain, and its end. */
void say_line(FILE *to, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* In place of what say_live() said last, without an end, on a terminal; say_live("") takes it
 * away. `width` columns at most; 0: any number. */
void say_live(int width, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* A result in a format of its own to standard output: as it is to a file or a pipe, printable to a
 * terminal, with its colours. */
void say_result(const char *bytes, size_t n);
/* At the end: what the exit status is when the program ends with `code`. Results that could not be
 * written are a failure; that the reader of a pipe went away is none. */
int say_end(int code);

#endif
