/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C++ and Rust names as people write them, without parameters: what `perf script` shows. By
 * libiberty, because perf uses it too, and __cxa_demangle() cannot leave out the parameters.
 */
#ifndef PROFILE_DEMANGLE_H
#define PROFILE_DEMANGLE_H

#define DEMANGLE_STUB "@plt" /* behind the name of a function: its stub */

/* NULL when `name` is not mangled; caller frees. */
char *demangle(const char *name);

#endif
