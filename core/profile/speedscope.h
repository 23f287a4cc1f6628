/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks in the format of https://www.speedscope.app (its schema: /file-format-schema.json): one
 * profile of the type "sampled". Frames of the kernel and inlined ones are marked as in folded
 * text.
 */
#ifndef PROFILE_SPEEDSCOPE_H
#define PROFILE_SPEEDSCOPE_H

#include <jansson.h>

#include "base/text.h"
#include "profile/stacks.h"

/* `unit` as struct flamegraph has it; those that the format does not know become "none". New
 * reference. */
json_t *speedscope_json(struct stacks *s, const char *title, const char *unit);
/* The same as text, appended. */
void speedscope_write(struct stacks *s, const char *title, const char *unit, struct text *out);

#endif
