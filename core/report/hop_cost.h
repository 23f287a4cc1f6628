/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hop costs: how much later than without any relay, in the same block, requests were done,
 * and the CPU time of the relays; both divided by the number of hops.
 */
#ifndef REPORT_HOP_COST_H
#define REPORT_HOP_COST_H

#include "report/observed.h"

/* `arm` and `bare` are the ok repetitions of an arm and of one without hops at the same point. One
 * entry per metric that both (the CPU: the arm) have; the caller frees the array. */
struct bench_hop_cost *hop_costs(const struct observations *arm, const struct observations *bare,
                                 uint32_t hops, uint32_t *ret_count);

#endif
