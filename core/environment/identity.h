/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity of a binary: path, size, GNU build-id, SHA-256, and whether it was built with frame
 * pointers (null when unknown). What a program says of its own version is no part of it: two builds
 * of one version are two binaries. Files are hashed once per program run: the cache knows them by
 * device, inode, size and mtime.
 */
#ifndef ENVIRONMENT_IDENTITY_H
#define ENVIRONMENT_IDENTITY_H

#include <sys/types.h>

#include <jansson.h>

#include <bench/types.h>

struct identity_cache;
struct identity_cache *identity_cache_new(void);
void identity_cache_free(struct identity_cache *c);

/* {path, size, build_id, sha256, frame_pointers, frame_pointer_share}. New reference; members that
 * cannot be known are null. */
json_t *identity_file(struct identity_cache *c, const char *path);
/* Executable and every file that a live process mapped as code: [{…identity_file}], executable
 * first, the others by path; `deleted: true` is added to one whose name is gone. Read through the
 * process's own view of the file system. New reference, empty when it is gone. */
json_t *identity_process(struct identity_cache *c, pid_t pid);

#endif
