/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a perf.data file, one after the other, in the order of their time.
 *
 * `perf record` writes what it finds in one CPU's buffer after the other's, and a record
 * FINISHED_ROUND when it has been through all of them: what comes after a round is not older than
 * the newest of the round before (tools/perf/util/ordered-events.c). So records are held back until
 * the round after theirs has ended, within a limit of memory; beyond it the oldest are handed out,
 * and what then comes too late is counted. Records without a time are handed out at once.
 *
 *   open, next until it returns 0, close. A damaged file ends it with an error that names the
 * offset.
 */
#ifndef PROFILE_PERF_DATA_H
#define PROFILE_PERF_DATA_H

#include "profile/perf_record.h"

struct perf_data;

/* Whether a file begins as one does, of either byte order. */
bool perf_data_is(const char *path);
/* From any other `dirfd` than AT_FDCWD on, the path has to lead down (file_open_beneath()). */
int perf_data_open(int dirfd, const char *path, struct perf_data **ret, struct bench_error *err);
/* 1 and a record, which is valid until the next call; 0 after the last; -1. Records of perf's own
 * are passed over. */
int perf_data_next(struct perf_data *d, struct perf_record *ret, struct bench_error *err);
void perf_data_close(struct perf_data *d);

const struct perf_header *perf_data_header(const struct perf_data *d);
/* Records so far that were older than one that had been handed out. */
uint64_t perf_data_late(const struct perf_data *d);

void perf_data_closep(struct perf_data **d);
#define cleanup_perf_data __attribute__((cleanup(perf_data_closep)))

#endif
