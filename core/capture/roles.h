/* SPDX-License-Identifier: Apache-2.0 */
/* The option `roles` that captures have: whose processes are looked at. */
#ifndef CAPTURE_ROLES_H
#define CAPTURE_ROLES_H

#include <bench/types.h>

#define ROLES_HELP "relay, relay_1, client, server or all, separated by commas"

/* USAGE error for a list that is empty or names what no role can be called. */
int roles_check(const char *list, struct bench_error *err);
/* Whether the list names the role called `name`; "relay" names every hop. */
bool roles_name(const char *list, const char *name);

#endif
