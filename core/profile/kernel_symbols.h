/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The symbols of the running kernel and its modules, from /proc/kallsyms. They serve for a
 * recording only when it was made on this kernel; since this one may have been started anew since
 * then, at other addresses, symbols are moved to where the kernel was in the recording.
 */
#ifndef PROFILE_KERNEL_SYMBOLS_H
#define PROFILE_KERNEL_SYMBOLS_H

#include "profile/symbol_table.h"

/* `build_id` of the recorded kernel, "" when unknown; `text`: where its "_text" was, 0 when
 * unknown. Returns NULL, or why there are no symbols (a constant string; `t` is then empty). */
const char *kernel_symbols_read(struct symbol_table *t, const char *build_id, uint64_t text);

/* The same from the text of /proc/kallsyms, for a kernel that is known to be the right one. Cuts it
 * into pieces. */
const char *kernel_symbols_parse(struct symbol_table *t, char *kallsyms, uint64_t text);

#endif
