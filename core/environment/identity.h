/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity of a binary: path, size, GNU build-id, SHA-256, version as it prints it, and whether it
 * was built with frame pointers (null when unknown). Files are hashed once per program run: the
 * cache knows them by device, inode, size and mtime.
 */
#ifndef ENVIRONMENT_IDENTITY_H
#define ENVIRONMENT_IDENTITY_H

#include <sys/types.h>

#include <jansson.h>

#include <bench/types.h>

struct identity_cache;
struct identity_cache *identity_cache_new(void);
void identity_cache_free(struct identity_cache *c);

/* {path, size, build_id, sha256}. New reference; members that cannot be known are null. */
json_t *identity_file(struct identity_cache *c, const char *path);
/* Executable and every mapped file of a live process: [{…identity_file}], executable first. New
 * reference, empty when it is gone. */
json_t *identity_process(struct identity_cache *c, pid_t pid);

#endif
