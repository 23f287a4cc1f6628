/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of prose and their colours. */
#ifndef TEXT_LINES_H
#define TEXT_LINES_H

#include <bench/reporter.h>

#include "shared/plugin.h"

/* Prints `text` behind `label`, wrapped at the width with the continuation under the text. */
void emit_wrapped(const char *label, const char *text, const struct bench_style *style,
                  struct bench_output *out);

enum shade { PLAIN, BOLD, YELLOW };

void shade(const struct bench_style *style, enum shade shade, struct bench_output *out);

#endif
