/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This machine as a host: its sites run in this process.
 *
 * Life: local_host_init → containment_start on what was given → host operations → all sites are
 * freed → containment_stop → local_host_release.
 */
#ifndef SITE_LOCAL_H
#define SITE_LOCAL_H

#include "environment/identity.h"
#include "process/containment.h"
#include "process/network.h"
#include "site/site.h"
#include "site/versions.h"

struct local_host {
    struct host host;
    struct containment *containment; /* stays with the caller */
    struct identity_cache *identities;
    struct versions versions; /* filled by host_ops.check */
};

void local_host_init(struct local_host *h, struct containment *containment);
void local_host_release(struct local_host *h);

/* What the machine lacks. */
struct obstacles {
    struct bench_error *items;
    size_t count, capacity;
};
/* Adds everything that stands in the way of the plan: programs, CPUs, captures, limits, networks,
 * descriptors and ports. Limits and networks are tried; no program is started. */
void local_obstacles(const struct containment *c, const struct plan *plan, struct obstacles *ret);
void obstacles_release(struct obstacles *o);

/* The network that the scenario asks for, as every repetition makes it; also for `bench check`. */
int local_network(struct network **ret, const struct scenario *s, bool can_isolate,
                  struct bench_error *err);
/* Whether every pin of the scenario can be had. */
int local_pins(const struct scenario *s, struct bench_error *err);

#endif
