/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings from outside (names, errors) as they may reach a reader: no control character, nothing
 * that is not UTF-8, and with a width in columns.
 */
#ifndef SHARED_CHARACTERS_H
#define SHARED_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>

/* Columns that the string fills on a terminal. */
int width_of(const char *s);

/* A copy that is safe to print; caller frees. NULL gives "". */
char *clean(const char *s, bool utf8);

/* Cuts a clean string to `width` columns: its middle gives way to a mark. */
void cut(char *s, int width, bool utf8);

#endif
