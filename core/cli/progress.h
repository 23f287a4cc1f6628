/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live progress on standard error: one line that is rewritten when it is a terminal, a plain line
 * per repetition when it is not.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "run/session.h"

struct progress_view {
    bool quiet, live; /* live: standard error is a terminal that can rewrite a line */
    bool open;        /* a live line stands unfinished */
};

void progress_view_init(struct progress_view *v, bool quiet);
void progress_view_update(void *view, const struct progress *p); /* a progress_fn */
/* Removes a live line, so that other text can be printed. */
void progress_view_clear(struct progress_view *v);

#endif
