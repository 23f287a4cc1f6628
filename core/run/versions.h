/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs say of their own version. Asked once per program and environment before anything is
 * measured, since asking starts a process.
 */
#ifndef RUN_VERSIONS_H
#define RUN_VERSIONS_H

#include "run/describe.h"

struct versions {
    struct settings known; /* program and environment → version */
};

/* Asks the member's program, if its plugin says how and nobody asked before. */
void versions_ask(struct versions *v, const struct member *m);
/* The answer, owned by `v`; NULL when there is none. */
const char *versions_get(const struct versions *v, const struct member *m);
void versions_release(struct versions *v);

#endif
