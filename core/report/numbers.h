/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in evidence, as people read them. */
#ifndef REPORT_NUMBERS_H
#define REPORT_NUMBERS_H

#include <bench/reporter.h>

#include "base/text.h"

void number_add(struct text *t, enum bench_format format, const char *unit, double v);
/* The unit that number_add() wants for values of the metric. */
const char *number_unit(const struct bench_metric *m);

#endif
