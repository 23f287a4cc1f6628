/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing string (always NUL-terminated), lists of strings, and the nearest of several words.
 * Zero-initialised is empty and valid; _release() accepts that too.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include <bench/types.h>

struct text {
    char *data; /* NULL while empty; use text_get() */
    size_t length, capacity;
};

void text_add(struct text *t, const char *fmt, ...) BENCH_PRINTF(2, 3);
void text_vadd(struct text *t, const char *fmt, va_list ap) BENCH_PRINTF(2, 0);
void text_add_bytes(struct text *t, const void *bytes, size_t n);
const char *text_get(const struct text *t); /* never NULL; owned by `t` */
char *text_take(struct text *t);            /* never NULL; caller frees; `t` is empty again */
void text_release(struct text *t);

struct strings {
    char **items; /* NULL-terminated as soon as there is one, so it can serve as argv */
    size_t count, capacity;
};

bool string_ends_with(const char *s, const char *tail);
/* A copy without blanks at its ends. Caller frees. */
char *string_trimmed(const char *s);
/* "s" behind a number of things, or "" behind one. */
const char *plural(size_t n);
void strings_add(struct strings *s, const char *item); /* copies */
void strings_addf(struct strings *s, const char *fmt, ...) BENCH_PRINTF(2, 3);
bool strings_has(const struct strings *s, const char *item);
void strings_release(struct strings *s);
/* Splits at any of `separators`, dropping empty pieces; appends to `s`. */
void strings_split(struct strings *s, const char *line, const char *separators);

/* Whether two texts differ in numbers alone. */
bool same_but_for_numbers(const char *a, const char *b);
/* Lines that follow one another and differ in numbers alone become the first of them, and how many
 * there were more. Caller frees. */
char *text_collapse_lines(const char *text);
/* The end of a text: whole lines of at most `limit` bytes in all, or the end of one that is longer.
 * Caller frees. */
char *text_last_lines(const char *text, size_t limit);

#define cleanup_text __attribute__((cleanup(text_release)))
#define cleanup_strings __attribute__((cleanup(strings_release)))

/* Length of the UTF-8 sequence at `s`, 1 to 4; 0 when it is none. */
size_t utf8_length(const char *s);

/* The candidate within a Damerau-Levenshtein distance of a third of its length (at least 1, at
 * most 3), or NULL. `candidates` is NULL-terminated. */
const char *nearest(const char *word, const char *const *candidates);

#endif
