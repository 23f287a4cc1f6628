/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role prints to one of its standard streams, kept in a file of bounded size: the first and
 * the last OUTPUT_KEPT bytes. A relay that repeats an error at full speed would else fill the disk.
 *
 * The stream is a pipe. The drainer, a process beside the bench, empties it while the role runs: it
 * is in none of the role's groups and namespaces, so that its work is not counted as the role's.
 * The bench empties what is left after the drainer has ended; both count in one mapping. Until
 * output_finish() the end of what was printed goes round in the second half of the file.
 *
 * Life: output_open → drainer_start → drainer_stop → output_finish → output_close. A stream that is
 * kept whole is a file without a pipe; nothing has to be drained then.
 */
#ifndef PROCESS_OUTPUT_H
#define PROCESS_OUTPUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <bench/types.h>

#define OUTPUT_KEPT (1 << 20)

/* Shared by the drainer and the bench. */
struct output_state {
    _Atomic uint64_t written; /* by the role */
    _Atomic int error;        /* errno of the first failure to keep it */
};

struct output {
    struct output_state *state;
    char *path;
    int pipe; /* its end to read from, -1: kept whole */
    int file; /* -1: opened when it is needed */
};

/* Creates the file at `path`. *ret_fd is for the role to write to; the caller closes it. `state` is
 * zero and must outlive the stream. */
int output_open(struct output *o, const char *path, bool whole, struct output_state *state,
                int *ret_fd, struct bench_error *err);
/* Keeps what is in the pipe now; never blocks on it. Returns how much that was. */
size_t output_drain(struct output *o);
/* After the last writer has gone: drains, and brings the file into order, with a line that tells
 * how much is missing. */
void output_finish(struct output *o);
/* The last `limit` bytes, from the begin of a line on when there are more. Caller frees; NULL when
 * the file cannot be read. */
char *output_tail(struct output *o, size_t limit);
/* Closes the file until it is needed: the bench has many streams. */
void output_leave_file(struct output *o);
void output_close(struct output *o);

/* Empties the `n` streams of a role. It ends when the bench does. */
struct drainer {
    pid_t pid; /* 0: none */
    int stop;  /* its end of file tells it to end */
};

/* `err`: RUN. To be called before the descriptors to write to are given to the role. */
int drainer_start(struct drainer *d, struct output *outputs, size_t n, struct bench_error *err);
/* After this what was printed until now is in the files. Without a drainer it does nothing. */
void drainer_stop(struct drainer *d, struct output *outputs, size_t n);

#endif
