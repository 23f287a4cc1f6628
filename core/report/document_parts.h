/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the document share and nobody else sees: document.c makes and frees it,
 * document_arms.c fills the arms, document_verdicts.c and document_gates.c what was decided; all
 * of them choose their repetitions here.
 */
#ifndef REPORT_DOCUMENT_PARTS_H
#define REPORT_DOCUMENT_PARTS_H

#include "report/document.h"
#include "report/explanation.h"
#include "report/fitness.h"
#include "report/observed.h"
#include "report/verdicts.h"

struct document {
    struct bench_document document;
    struct metric_pool pool;
    struct observed *observed; /* one per stored repetition */
    size_t n_observed;
    struct bench_arm **arms;
    size_t arms_capacity;
    struct bench_repetition **repetitions;
    struct strings kept, design, warnings; /* kept: every string that comes from the run */
    struct explanation explanation;
    struct bench_comparison **comparisons;
    size_t n_comparisons, comparisons_capacity;
    struct bench_gate **gates;
    size_t gates_capacity;
    struct fitness fitness; /* of the blocks of a comparison */
    struct bench_rejection *rejected;
    bool brief; /* document_new_brief() */
};

/* A copy that lives as long as the document; NULL stays NULL. */
const char *document_keep(struct document *d, const char *s);
/* The repetitions of an arm at a point that count, or those of them that succeeded. The caller
 * releases the list. */
struct observations document_select(const struct document *d, const char *arm, const char *point,
                                    bool ok_only);
/* Those of blocks that were not thrown away; never one that has no outcome. The caller releases the list. */
struct observations document_fit(const struct observations *all, const struct fitness *fitness);

/* document_arms.c: estimates, limits, loads, what a hop costs. */
void document_add_arms(struct document *d, const struct stored_run *run);

/* document_verdicts.c: of a comparison first which blocks count, then what they decide. */
void document_judge_blocks(struct document *d, const struct stored_run *run);
void document_add_comparisons(struct document *d, const struct stored_run *run);
/* With whom an arm is compared; NULL: with nobody. */
const char *document_base(const struct document *d, const struct verdict_rule *rule,
                          const struct bench_arm *arm);

/* document_gates.c */
void document_add_gates(struct document *d, const struct stored_run *run,
                        const struct strings *texts);

#endif
