/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as values of an option of type BENCH_OPTION_CHOICE. */
#ifndef SHARED_SIGNALS_H
#define SHARED_SIGNALS_H

extern const char *const signal_choices[]; /* "TERM", "INT", … */
int signal_number(int choice);

#endif
