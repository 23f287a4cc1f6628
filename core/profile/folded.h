/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks as folded text, the format of Brendan Gregg's FlameGraph: one stack per line, frames from
 * the root separated by ';', a blank, the weight. "_[k]" behind a name marks a frame of the kernel,
 * "_[i]" an inlined one.
 *
 * Names with ';', control characters or '\' survive: written as \x3b, \x0a …, and \\. So does a
 * user frame that is really called "x_[k]": the bracket is written \x5d; and one at the end of a stack
 * that is called "x 12": the blank is written \x20, or it would look like a weight. Modules are not
 * written. Any other '\' that is read stands for itself. A weight is a decimal number, integers in full.
 */
#ifndef PROFILE_FOLDED_H
#define PROFILE_FOLDED_H

#include <stdio.h>
#include <bench/types.h>

#include "base/text.h"
#include "profile/stacks.h"

enum { FOLDED_LINE = 16 << 20 }; /* bytes; a longer line is an error */

/* Adds what `in` holds to its end; `name` is for messages ("NAME:12: …"). Empty lines, those of weight
 * 0 and a byte order mark are passed over. After an error, the lines before it have been added.
 *
 * Where every line ends in two weights, the text is a difference, as difffolded.pl writes it: then
 * `before` gets the first and `s` the second of them, and 1 is returned. `before` NULL: an error. */
int folded_read(struct stacks *s, struct stacks *before, FILE *in, const char *name,
                struct bench_error *err);
/* The same from a file; "-" is standard input. With AT_FDCWD it may be a pipe; from any other
 * `dirfd` on, the path has to lead down (file_open_beneath()). */
int folded_read_file(struct stacks *s, struct stacks *before, int dirfd, const char *path,
                     struct bench_error *err);
/* In the order of stacks_each(). */
void folded_write(struct stacks *s, struct text *out);

#endif
