/* SPDX-License-Identifier: Apache-2.0 */
/* On which TCP ports some processes listen: to tell where a role is, that is not where it should be. */
#ifndef PROCESS_LISTENERS_H
#define PROCESS_LISTENERS_H

#include <sys/types.h>

#include "base/text.h"

/* Adds "127.0.0.1:80" or "[::]:80" for each listening socket of any of them, each once. What may not
 * be read is left out. */
void listeners_find(const pid_t *pids, size_t n, struct strings *ret);

#endif
