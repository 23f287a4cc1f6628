/* SPDX-License-Identifier: Apache-2.0 */
#include "process/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* How long the drainer does not look at what is printed after it did, unless that was much: a role
 * that prints many lines is not slowed down by a wake-up for each. */
enum { REST_MS = 10, MUCH = 64 * 1024 };
/* Room for what is printed while it rests. */
#define PIPE_BYTES (256 * 1024)
#define MOST_KEPT (2 * (uint64_t)OUTPUT_KEPT)

static int make_pipe(struct output *o, int *ret_fd, struct bench_error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a pipe");
    fcntl(ends[0], F_SETFL, O_NONBLOCK); /* of this end alone */
    fcntl(ends[1], F_SETPIPE_SZ,
          PIPE_BYTES); /* refused beyond a user's share: it is smaller then */
    o->pipe = ends[0];
    *ret_fd = ends[1];
    return 0;
}

int output_open(struct output *o, const char *path, bool whole, struct output_state *state,
                int *ret_fd, struct bench_error *err)
{
    int flags = whole ? O_WRONLY | O_APPEND : O_RDWR;
    int fd = open(path, flags | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    *o = (struct output){.state = state, .pipe = -1, .file = -1};
    if (fd < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot create '%s'", path);
    o->path = xstrdup(path);
    if (whole) {
        *ret_fd = fd;
        return 0;
    }
    o->file = fd;
    if (make_pipe(o, ret_fd, err) == 0)
        return 0;
    output_close(o);
    return -1;
}

/* Where byte number `at` of the stream stands in the file, and how many follow it there. */
static off_t place(uint64_t at, size_t *ret_room)
{
    uint64_t in_ring;

    if (at < OUTPUT_KEPT) {
        *ret_room = (size_t)(OUTPUT_KEPT - at);
        return (off_t)at;
    }
    in_ring = (at - OUTPUT_KEPT) % OUTPUT_KEPT;
    *ret_room = (size_t)(OUTPUT_KEPT - in_ring);
    return (off_t)(OUTPUT_KEPT + in_ring);
}

static int file_of(struct output *o)
{
    if (o->file < 0)
        o->file = open(o->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return o->file;
}

static void keep(struct output *o, const char *bytes, size_t n)
{
    uint64_t at = atomic_load(&o->state->written);

    while (n) {
        size_t room;
        off_t where = place(at, &room);
        size_t part = n < room ? n : room;
        ssize_t kept = pwrite(file_of(o), bytes, part, where);

        if (kept < 0 && errno == EINTR)
            continue;
        if (kept < 0 && !atomic_load(&o->state->error))
            atomic_store(&o->state->error, errno);
        if (kept > 0 && (size_t)kept < part)
            part = (size_t)kept; /* the rest fails with a reason */
        bytes += part;
        n -= part;
        at += part;
    }
    atomic_store(&o->state->written, at);
}

size_t output_drain(struct output *o)
{
    char buffer[65536];
    size_t all = 0;
    ssize_t n = 1;

    /* As much as fits the pipe at once: whoever fills it without end must not hold the caller. */
    while (o->pipe >= 0 && n > 0 && all < PIPE_BYTES) {
        n = read(o->pipe, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0) {
            keep(o, buffer, (size_t)n);
            all += (size_t)n;
        }
    }
    return all;
}

/* The last bytes of the stream, in order, out of what the file holds. */
static char *in_order(struct output *o, uint64_t written, size_t limit, size_t *ret_length)
{
    size_t length = written < limit ? (size_t)written : limit, done = 0;
    char *bytes = xcalloc(length + 1, 1);

    while (done < length) {
        size_t room, left = length - done;
        off_t where = place(written - left, &room);
        ssize_t n = pread(file_of(o), bytes + done, left < room ? left : room, where);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    bytes[done] = '\0';
    *ret_length = done;
    return bytes;
}

static void write_back(struct output *o, off_t at, const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = pwrite(file_of(o), bytes, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            atomic_store(&o->state->error, errno);
            return;
        }
        bytes += done;
        at += done;
        n -= (size_t)done;
    }
}

void output_finish(struct output *o)
{
    uint64_t written;
    cleanup_text struct text end = {0};
    cleanup_free char *last = NULL;
    size_t length;

    if (o->pipe < 0)
        return;
    while (output_drain(o) > 0)
        ;
    written = atomic_load(&o->state->written);
    if (written <= MOST_KEPT)
        return;
    last = in_order(o, written, OUTPUT_KEPT, &length);
    text_add(&end, "\n[bench: %" PRIu64 " bytes are left out here]\n", written - MOST_KEPT);
    text_add_bytes(&end, last, length);
    write_back(o, OUTPUT_KEPT, text_get(&end), end.length);
    close(o->pipe);
    o->pipe = -1; /* a whole file from now on */
}

char *output_tail(struct output *o, size_t limit)
{
    uint64_t written = atomic_load(&o->state->written);
    cleanup_free char *bytes = NULL;
    char *line;
    size_t length;

    if (o->pipe < 0 || written <= MOST_KEPT)
        return file_tail(AT_FDCWD, o->path, limit);
    bytes = in_order(o, written, limit, &length);
    for (char *nul = bytes; (nul = memchr(nul, '\0', (size_t)(bytes + length - nul)));)
        *nul = '?';
    line = strchr(bytes, '\n');
    return xstrdup(line && line[1] ? line + 1 : bytes);
}

void output_leave_file(struct output *o)
{
    cleanup_closep(&o->file);
    o->file = -1;
}

void output_close(struct output *o)
{
    cleanup_closep(&o->pipe);
    output_leave_file(o);
    free(o->path);
    *o = (struct output){.pipe = -1, .file = -1};
}

/* ---- the drainer ---- */

static size_t drain_all(struct output *outputs, size_t n)
{
    size_t all = 0;

    for (size_t i = 0; i < n; i++)
        all += output_drain(&outputs[i]);
    return all;
}

_Noreturn static void run_drainer(int stop, struct output *outputs, size_t n)
{
    struct pollfd fds[3] = {{.fd = stop, .events = POLLIN}};
    int keep[5] = {stop}, rest_ms = -1;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "bench-output");
    for (size_t i = 0; i < n; i++) {
        fds[1 + i] = (struct pollfd){.fd = outputs[i].pipe, .events = POLLIN};
        keep[1 + 2 * i] = outputs[i].pipe;
        keep[2 + 2 * i] = outputs[i].file;
    }
    close_descriptors_but(keep, 1 + 2 * n);
    for (;;) {
        /* One whose writers have gone is at its end, and would be readable for ever. */
        int ready = poll(fds, rest_ms < 0 ? 1 + n : 1, rest_ms);

        if (ready < 0)
            continue;
        if (fds[0].revents)
            _exit(0);
        if (ready > 0)
            rest_ms = drain_all(outputs, n) < MUCH ? REST_MS : 0;
        else
            rest_ms = -1;
        for (size_t i = 0; i < n; i++)
            if (rest_ms != -1 && (fds[1 + i].revents & (POLLHUP | POLLIN)) == POLLHUP)
                fds[1 + i].fd = -1;
    }
}

int drainer_start(struct drainer *d, struct output *outputs, size_t n, struct bench_error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a pipe");
    d->pid = fork();
    if (d->pid == 0)
        run_drainer(ends[0], outputs, n);
    close(ends[0]);
    d->stop = ends[1];
    if (d->pid > 0)
        return 0;
    d->pid = 0;
    error_errno(err, BENCH_ERROR_RUN, errno, "cannot start a process");
    close(ends[1]);
    return -1;
}

void drainer_stop(struct drainer *d, struct output *outputs, size_t n)
{
    if (!d->pid)
        return;
    close(d->stop);
    while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    d->pid = 0;
    drain_all(outputs, n);
}
