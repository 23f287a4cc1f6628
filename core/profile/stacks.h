/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A weighted set of call stacks: a prefix tree with interned frames, so that a stack costs memory
 * only for what it does not share with others. Add, merge and scale; then walk it, as stacks in a
 * deterministic order or as the tree itself. Owns every name; what it hands out lives as long as
 * it.
 */
#ifndef PROFILE_STACKS_H
#define PROFILE_STACKS_H

#include <stddef.h>
#include <bench/types.h>

enum frame_kind {
    FRAME_USER,
    FRAME_INLINED, /* into the frame before it */
    FRAME_KERNEL,
};

struct frame {
    const char *name; /* "" and NULL mean "[unknown]" */
    enum frame_kind kind;
    const char *module; /* where it was found, or NULL: a remark, no part of its identity */
};

enum {
    STACKS_DEPTH = 512,      /* deeper frames are replaced by one frame "[truncated]" */
    STACKS_NAME = 16 * 1024, /* bytes; of a longer name the rest is replaced by "[truncated]" */
    STACKS_ROOT = 0,         /* the node that stands for no frame */
};
#define STACKS_TRUNCATED "[truncated]"
#define STACKS_UNKNOWN "[unknown]"

struct stacks;

struct stacks *stacks_new(void);
void stacks_free(struct stacks *s);

/* Frames from the root (main) to the leaf; names are copied. A weight must be finite and positive;
 * 0 adds nothing. No frames at all are one frame "[unknown]". */
void stacks_add(struct stacks *s, const struct frame *frames, size_t n, double weight);
/* Adds every stack of `from`, its weight times `factor` (≥ 0). With `ret_map` not NULL: the node of
 * `s` for every node of `from`; caller frees. */
void stacks_merge(struct stacks *s, const struct stacks *from, double factor, uint32_t **ret_map);

double stacks_total(const struct stacks *s);
size_t stacks_count(const struct stacks *s); /* distinct stacks: nodes with a weight of their own */

/* Calls `visit` for every distinct stack, siblings in the order of their names (bytes), then kinds.
 * Ends early with what `visit` returned when that is not 0. */
typedef int stacks_visit(void *context, const struct frame *const *frames, size_t n, double weight);
int stacks_each(struct stacks *s, stacks_visit *visit, void *context);

/* The tree. A node's number is greater than its parent's, so one loop downwards from the last sums
 * up subtrees. 0 as first child or next sibling: none. */
size_t stacks_nodes(const struct stacks *s); /* with the root: at least 1 */
struct stacks_node {
    uint32_t parent, frame, first, next;
    double self; /* weight of the stack that ends here */
};
size_t stacks_frames(const struct stacks *s); /* distinct frames: a node's `frame` is below it */
const struct stacks_node *stacks_node(const struct stacks *s, uint32_t node);
const struct frame *stacks_frame(const struct stacks *s, uint32_t node); /* not of the root */
/* The node that follows in preorder, its children first or, without `into`, none of them;
 * STACKS_ROOT behind the last. `depth`, the number of frames from the root, follows. */
uint32_t stacks_next(const struct stacks *s, uint32_t node, bool into, size_t *depth);
/* Sorts siblings as stacks_each() has them; stays so until something is added. */
void stacks_sort(struct stacks *s);
/* Weight of every node with all below it, indexed by node; caller frees. */
double *stacks_totals(const struct stacks *s);

void stacks_freep(struct stacks **s);
#define cleanup_stacks __attribute__((cleanup(stacks_freep)))

#endif
