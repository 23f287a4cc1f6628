/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from outside (what a program wrote, names in files, words of a plugin) as it may reach a
 * terminal: nothing in it moves the cursor, changes a title, or reorders what stands beside it.
 */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include "base/text.h"

enum printable {
    PRINTABLE_LINES = 0,     /* newlines and tabs stay */
    PRINTABLE_ONE_LINE = 1,  /* they become blanks */
    PRINTABLE_COLOURS = 2,   /* "ESC [ … m" stays as well */
    PRINTABLE_EIGHT_BIT = 4, /* no terminal of UTF-8: it may take bytes 0x80 to 0x9f for controls */
};

/* Appends `n` bytes at `s`, among which no NUL: "\u001b" stands for a character that is unsafe,
 * "\x9b" for a byte that is not UTF-8. `how`: of enum printable. */
void printable_add(struct text *t, const char *s, size_t n, unsigned how);

#endif
