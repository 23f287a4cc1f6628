/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In what arms of the same relay differ: the program, libraries that it had mapped, options, or
 * nothing at all. By the SHA-256 of what ran, not by what it says of itself.
 */
#ifndef REPORT_IDENTITIES_H
#define REPORT_IDENTITIES_H

#include "report/observed.h"
#include "store/store.h"

/* One line per arm that is compared with one of the same relay plugin, or shares it with an earlier
 * one: "a and b: the same program, …". */
void identities_compare(const struct stored_run *run, const struct bench_document *d,
                        const struct observations *all, struct strings *ret);
/* The program behind a name was replaced while the run went on. */
void identities_changed(const struct bench_document *d, const struct observations *all,
                        struct strings *ret);
/* A small difference between two builds may be that of their layout in memory alone. */
void identities_layout(const struct bench_document *d, const struct observations *all,
                       struct strings *ret);

#endif
