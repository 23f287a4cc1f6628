/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs say of their own version. Asked once per program and environment before anything is
 * measured, since asking starts a process.
 */
#ifndef SITE_VERSIONS_H
#define SITE_VERSIONS_H

#include "site/role_chain.h"

struct versions {
    struct settings known; /* program and environment → version */
};

/* Asks the role's program, if its plugin says how and it was not asked before. */
void versions_ask(struct versions *v, const struct chain_role *r);
/* The answer, owned by `v`; NULL when there is none. */
const char *versions_get(const struct versions *v, const struct chain_role *r);
void versions_release(struct versions *v);

#endif
