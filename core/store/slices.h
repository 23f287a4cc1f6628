/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window in slices: the repetitions of a block were alive together, and were measured in turn.
 * What is stored is raw; in memory the slices are joined to one window, so that nobody else need
 * know.
 */
#ifndef STORE_SLICES_H
#define STORE_SLICES_H

#include "store/record.h"

/*
 * Takes out what lies between the slices: times move up, counters lose what they counted there,
 * rows of other repetitions' slices go. From those rows comes first what the idle roles cost: total
 * "idle_cpus". Does nothing to a record without slices, or whose slices were joined before.
 */
void record_join_slices(struct repetition_record *r);

#endif
