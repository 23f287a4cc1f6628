/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a perf.data file says about itself: the events that were recorded, where the records lie,
 * and which build-ids the mapped files had. The format is described in
 * linux/tools/perf/Documentation/perf.data-file-format.txt; the attributes in linux/perf_event.h.
 *
 * The file is not trusted: every offset, size and count is checked against the file's size and
 * against limits before it is used. Owns all that it hands out.
 */
#ifndef PROFILE_PERF_HEADER_H
#define PROFILE_PERF_HEADER_H

#include <linux/perf_event.h>

#include <bench/types.h>

#define PERF_MAGIC "PERFILE2" /* the first bytes of a file */
#define PERF_MAGIC_SWAPPED "2ELIFREP"

struct perf_event {
    struct perf_event_attr attr; /* what the file does not have is 0 */
    char *name;                  /* "cpu-clock:u" */
};

struct perf_event_id {
    uint64_t id;
    uint32_t event; /* index */
};

struct perf_build_id {
    char *path;          /* "/usr/sbin/nginx", "[vdso]", "[kernel.kallsyms]" */
    char id[2 * 20 + 1]; /* lower-case hex */
};

struct perf_header {
    struct perf_event *events;
    size_t n_events;           /* at least 1 */
    struct perf_event_id *ids; /* in the order of ids */
    size_t n_ids;
    struct perf_build_id *build_ids;
    size_t n_build_ids;
    uint64_t data, data_size; /* where the records are; within the file */
    uint64_t host, host_size; /* where the name of the machine is; size 0: nowhere */
};

/* Reads from `fd`; `path` is for messages. Zero-initialised or failed, `h` may be released. */
int perf_header_read(struct perf_header *h, int fd, const char *path, struct bench_error *err);
/* Makes the machine's name empty, in place: the file stays one that perf reads. */
int perf_header_forget_host(const struct perf_header *h, int fd, const char *path,
                            struct bench_error *err);
void perf_header_release(struct perf_header *h);

/* Index of the event with that id, or -1. */
int64_t perf_header_event(const struct perf_header *h, uint64_t id);
/* NULL when the file does not tell. */
const char *perf_header_build_id(const struct perf_header *h, const char *path);

#define cleanup_perf_header __attribute__((cleanup(perf_header_release)))

#endif
