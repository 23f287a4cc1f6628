/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of control groups as a tree: who is in it, kill them all, remove it. Works on both
 * versions through the file system alone, takes no locks and keeps no state, so the guardian can
 * use it when the bench is gone.
 */
#ifndef PROCESS_CGROUP_TREE_H
#define PROCESS_CGROUP_TREE_H

#include <sys/types.h>

#include <bench/types.h>

/* Host pids in the group itself (not below). Caller frees *ret_pids. Returns the count. A process
 * of another PID namespace shows as 0. */
size_t tree_pids(int dirfd, pid_t **ret_pids);
/* One pass of SIGKILL over the group and everything below; never the caller. Returns how many
 * processes were there. */
size_t tree_kill(int dirfd);
/* Removes the groups below this one, deepest first. Busy ones stay. */
void tree_remove_below(int dirfd);
/* Kills and removes `parent`/`name` with everything in it, trying for up to `patience_ns`.
 * Returns 0 when it is gone. */
int tree_destroy(const char *parent, const char *name, int64_t patience_ns);

#endif
