/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control group controllers through libcgroup: where one is mounted, making a version 1 group, and
 * values written and read back. The only file that knows libcgroup, whose `struct cgroup` is not
 * ours. Groups are named by their path below the controller's mount, "bench-1-2-3/relay_1".
 *
 * controller_init() comes first, once, from one thread. libcgroup's messages are discarded: it
 * writes them to standard output.
 */
#ifndef PROCESS_CONTROLLER_H
#define PROCESS_CONTROLLER_H

#include <bench/types.h>

struct controller_value {
    const char *name, *value; /* "cpu.max", "50000 100000" */
};

/* Reads the mount table again each time it is called. */
int controller_init(struct bench_error *err);
/* The mount point of `controller`. Returns 0, or -1 when it is not mounted or does not fit. */
int controller_mount(const char *controller, char *out, size_t size);

/* Makes the group and what is missing above it, then writes the values in their order. Version 1
 * only: in version 2 libcgroup enables the controller in every ancestor from the mount down, which
 * an ordinary user may not. */
int controller_create(const char *controller, const char *group,
                      const struct controller_value *values, size_t n, struct bench_error *err);
/* Writes values of a group that exists. Both versions. */
int controller_set(const char *controller, const char *group, const struct controller_value *values,
                   size_t n, struct bench_error *err);
/* Fails unless the kernel shows each value exactly as given. */
int controller_verify(const char *controller, const char *group,
                      const struct controller_value *values, size_t n, struct bench_error *err);
/* Removes an empty group. libcgroup reports success for a busy one that it left in place, and
 * without its "empty only" flag would move the processes to the parent: check that it is gone. */
void controller_remove(const char *controller, const char *group);

#endif
