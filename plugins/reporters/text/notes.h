/* SPDX-License-Identifier: Apache-2.0 */
/* Footnotes: why numbers are missing or scaled. */
#ifndef TEXT_NOTES_H
#define TEXT_NOTES_H

#include <bench/reporter.h>

/* Why numbers are missing: each reason once, with what it concerns. */
struct footnotes {
    struct {
        const char *reason; /* of the document */
        enum bench_state state;
        char *names;
    } items[32];
    size_t count;
};

/* Notes that the estimate shown as `name` has the state it has. */
void footnote(struct footnotes *f, const struct bench_estimate *e, const char *name);

/* Prints and releases them. */
void emit_footnotes(struct footnotes *f, const struct bench_style *style, struct bench_output *out);

#endif
