/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ELF file tells about how it was built: its GNU build-id, and whether its functions keep
 * frame pointers, without which `perf record --call-graph fp` shows wrong user stacks.
 *
 * The latter is judged by looking at the code: the share of functions (of .symtab, else .dynsym)
 * that set the frame pointer near their entry. Compilers leave it out of leaf functions and of some
 * others, so the share is well below 1 where frame pointers are kept; where they are not, it is
 * nearly 0. Too few functions, another machine or a share in between: unknown.
 */
#ifndef ENVIRONMENT_BINARY_H
#define ENVIRONMENT_BINARY_H

#include <stdint.h>

enum frame_pointers { FRAME_POINTERS_UNKNOWN, FRAME_POINTERS_NO, FRAME_POINTERS_YES };

struct binary {
    char build_id[129]; /* lower-case hex, "" without one */
    enum frame_pointers frame_pointers;
    uint32_t functions; /* that were looked at */
    double share;       /* of them that set a frame pointer; NaN when `functions` is 0 */
};

/* Never fails: a file that is no ELF object has none of it. */
void binary_read(int fd, struct binary *ret);

#endif
