/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of any origin in documents that browsers read. What XML 1.0 forbids, and what would draw
 * lines about or turn the direction of the text around it, becomes visible: a control character its
 * picture (U+2400 …), everything else U+FFFD. Appends to `out`.
 */
#ifndef BASE_XML_H
#define BASE_XML_H

#include "base/text.h"

/* In an element or an attribute in either kind of quotes. */
void xml_text(struct text *out, const char *s);
/* As a JSON string with its quotes, safe inside <script> in XML and in HTML: no '<', '>' or '&'. */
void xml_json_string(struct text *out, const char *s);
/* One character of `*s`, made harmless: at most 4 bytes and a NUL; `*s` moves on. Returns the
 * columns that it takes in a font of fixed width: 1, or 2 where it may be wide. */
size_t xml_character(const char **s, char ret[5]);

#endif
