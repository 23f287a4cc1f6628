/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON strings from bytes of any origin. Arguments, paths and what a child printed need not be
 * UTF-8, which JSON demands: such bytes become U+FFFD instead of an error.
 *
 * Memory for JSON comes from base/memory.h: a lack of it ends the program, as everywhere.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

/* New reference; NULL gives null. */
json_t *json_text(const char *s);

#endif
