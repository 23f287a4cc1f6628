/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing among the stored runs, and how to print what was found: the options that the commands
 * share which ask the index. The strings of a selection are those of the command line.
 */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include <getopt.h>

#include "store/index.h"

struct selection {
    struct index_filter filter;
    const char *format;
    char since[32]; /* what filter.since points to */
    struct select_progress {
        int64_t begin;      /* of reading; 0: it has not begun */
        bool live, printed; /* a line stands on the terminal; a line was printed once */
    } progress;
};

enum { SELECT_NAME = 256, SELECT_RELAY, SELECT_SINCE, SELECT_FORMAT, SELECT_END };

#define SELECT_OPTIONS                                                        \
    {"name", 1, NULL, SELECT_NAME}, {"relay", 1, NULL, SELECT_RELAY},         \
        {"since", 1, NULL, SELECT_SINCE}, {"format", 1, NULL, SELECT_FORMAT}, \
    {                                                                         \
        "help", 0, NULL, 'h'                                                  \
    }

/* Takes one of SELECT_OPTIONS. */
int select_option(struct selection *s, int flag, const char *argument, struct bench_error *err);
/* Rows of the help. */
void select_help(void);
/* Says on standard error how far reading the runs has come, once it takes longer than a second: on
 * a terminal as it goes on, else once. */
void select_progress(struct selection *s, size_t done, size_t n);
/* Clears the terminal's line. */
void select_progress_end(struct selection *s);
/* Prints what the index noted, to standard error. */
void select_notes(const struct strings *notes);

#endif
