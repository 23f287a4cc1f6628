/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/perf_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define BLOCK_BYTES ((size_t)256 << 10) /* a record has at most 64 KiB */
#define BLOCKS_MAX 512                  /* 128 MiB are held back at most */

/* Records of tools/perf itself: tools/lib/perf/include/perf/event.h. */
enum {
    RECORD_USER_FIRST = 64,
    RECORD_FINISHED_ROUND = 68,
    RECORD_AUXTRACE = 71,
    RECORD_COMPRESSED = 81,
    RECORD_COMPRESSED2 = 83,
};

/* Bytes of the file from a record's start on; freed with the last record that is waiting in it. */
struct block {
    uint64_t offset; /* in the file */
    size_t size, users;
    _Alignas(uint64_t) unsigned char bytes[];
};

struct waiting {
    uint64_t time, sequence; /* order */
    uint64_t offset;
    struct block *block;
};

struct perf_data {
    int fd;
    char *path;
    struct perf_header header;
    uint64_t at, end;    /* in the file: the next record, and where they end */
    struct block *block; /* the one that `at` is in, or NULL */
    size_t n_blocks;
    struct waiting *heap; /* the oldest first */
    size_t n, capacity;
    uint64_t sequence;
    uint64_t newest;       /* seen so far */
    uint64_t round_newest; /* when the last round ended */
    uint64_t ripe;         /* records up to that time can be handed out */
    struct block *lent;    /* holds the record that the caller has */
    uint64_t last, late;   /* the newest time handed out */
};

static int damaged(const struct perf_data *d, struct bench_error *err, uint64_t offset,
                   const char *what)
{
    error_set(err, BENCH_ERROR_RUN, "'%s' is damaged: offset %llu: %s", d->path,
              (unsigned long long)offset, what);
    error_hint(err, "was it copied whole, and did 'perf record' end by itself?");
    return -1;
}

static void drop(struct perf_data *d, struct block *block)
{
    if (block && --block->users == 0) {
        free(block);
        d->n_blocks--;
    }
}

/* Reads on from the record at `d->at`. What is read need not be zeroed first. */
static int next_block(struct perf_data *d, struct bench_error *err)
{
    uint64_t left = d->end - d->at;
    size_t want = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
    struct block *block = xrealloc(NULL, sizeof(*block) + want);

    drop(d, d->block);
    *block = (struct block){.offset = d->at, .users = 1};
    d->block = block;
    d->n_blocks++;
    while (block->size < want) {
        ssize_t got = pread(d->fd, block->bytes + block->size, want - block->size,
                            (off_t)(d->at + block->size));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read '%s'", d->path);
        if (got == 0)
            return damaged(d, err, d->at + block->size, "the file ends before its records do");
        block->size += (size_t)got;
    }
    return 0;
}

static const void *in_block(const struct block *block, uint64_t offset)
{
    return block->bytes + (offset - block->offset);
}

/* The record at `d->at`, whole and of a possible size. */
static int peek(struct perf_data *d, const struct perf_event_header **ret, struct bench_error *err)
{
    uint64_t left = d->block ? d->block->offset + d->block->size - d->at : 0;
    const struct perf_event_header *header = left ? in_block(d->block, d->at) : NULL;

    if (left < sizeof(*header) || header->size > left) {
        if (d->end - d->at < sizeof(*header))
            return damaged(d, err, d->at, "the last record is cut short");
        if (next_block(d, err) < 0)
            return -1;
        header = in_block(d->block, d->at);
    }
    if (header->type == RECORD_COMPRESSED || header->type == RECORD_COMPRESSED2) {
        error_set(err, BENCH_ERROR_RUN, "'%s' has compressed records, which are not supported",
                  d->path);
        error_hint(err, "record without '-z'");
        return -1;
    }
    if (header->size < sizeof(*header) || header->size % sizeof(uint64_t) != 0)
        return damaged(d, err, d->at, "a record of an impossible size");
    if (header->size > d->end - d->at)
        return damaged(d, err, d->at, "the last record is cut short");
    *ret = header;
    return 0;
}

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->time < b->time || (a->time == b->time && a->sequence < b->sequence);
}

static void push(struct perf_data *d, uint64_t time)
{
    struct waiting added = {time, d->sequence++, d->at, d->block};
    size_t i;

    d->block->users++;
    d->heap = grow(d->heap, &d->capacity, d->n + 1, sizeof(*d->heap));
    for (i = d->n++; i > 0 && before(&added, &d->heap[(i - 1) / 2]); i = (i - 1) / 2)
        d->heap[i] = d->heap[(i - 1) / 2];
    d->heap[i] = added;
}

static struct waiting pop(struct perf_data *d)
{
    struct waiting oldest = d->heap[0], moved = d->heap[--d->n];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < d->n) {
        if (child + 1 < d->n && before(&d->heap[child + 1], &d->heap[child]))
            child++;
        if (!before(&d->heap[child], &moved))
            break;
        d->heap[i] = d->heap[child];
        i = child;
    }
    if (d->n)
        d->heap[i] = moved;
    return oldest;
}

/* What follows an AUXTRACE record and is not counted in its size. */
static int pass_auxtrace(struct perf_data *d, const struct perf_event_header *header,
                         struct bench_error *err)
{
    uint64_t size;

    if (header->size < sizeof(*header) + sizeof(size))
        return damaged(d, err, d->at, "a record of an impossible size");
    memcpy(&size, header + 1, sizeof(size));
    if (size > d->end - d->at - header->size || size % sizeof(uint64_t) != 0)
        return damaged(d, err, d->at, "trace data is cut short");
    d->at += header->size + size;
    drop(d, d->block);
    d->block = NULL;
    return 0;
}

static void end_round(struct perf_data *d)
{
    d->ripe = d->round_newest;
    d->round_newest = d->newest;
}

/* Takes the next record from the file to where it waits for its turn. One without a time has time 0
 * and is therefore the next. */
static int read_on(struct perf_data *d, struct bench_error *err)
{
    const struct perf_event_header *header;
    uint64_t time;

    if (peek(d, &header, err) < 0)
        return -1;
    if (header->type == RECORD_AUXTRACE)
        return pass_auxtrace(d, header, err);
    if (header->type == RECORD_FINISHED_ROUND)
        end_round(d);
    if (header->type < RECORD_USER_FIRST) {
        time = perf_record_time(&d->header, header);
        time = time == UINT64_MAX ? 0 : time;
        if (time > d->newest)
            d->newest = time;
        push(d, time);
    }
    d->at += header->size;
    return 0;
}

static bool has_ripe(const struct perf_data *d)
{
    return d->n && (d->at == d->end || d->heap[0].time <= d->ripe || d->heap[0].time == 0 ||
                    d->n_blocks > BLOCKS_MAX);
}

int perf_data_next(struct perf_data *d, struct perf_record *ret, struct bench_error *err)
{
    struct waiting next;

    drop(d, d->lent);
    d->lent = NULL;
    while (!has_ripe(d)) {
        if (d->at == d->end)
            return 0;
        if (read_on(d, err) < 0)
            return -1;
    }
    next = pop(d);
    d->lent = next.block;
    if (next.time && next.time < d->last)
        d->late++;
    if (next.time > d->last)
        d->last = next.time;
    if (perf_record_parse(&d->header, in_block(next.block, next.offset), ret, err) < 0) {
        struct bench_error cause = *err;

        return damaged(d, err, next.offset, cause.message);
    }
    return 1;
}

/* That a time stands at the same place in every record that has one. */
static int check_events(const struct perf_data *d, struct bench_error *err)
{
    const struct perf_header *h = &d->header;
    uint64_t ids = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_ID, first = h->events[0].attr.sample_type;

    for (size_t i = 1; i < h->n_events; i++)
        if (!(first & h->events[i].attr.sample_type & ids)) {
            error_set(err, BENCH_ERROR_RUN, "'%s' does not tell which event a sample belongs to",
                      d->path);
            error_hint(err, "record the events with one 'perf record', or one at a time");
            return -1;
        }
    if (perf_record_supported(h, err) < 0)
        return error_context(err, "'%s'", d->path);
    return 0;
}

bool perf_data_is(const char *path)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char magic[sizeof(PERF_MAGIC) - 1];
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
           (memcmp(magic, PERF_MAGIC, sizeof(magic)) == 0 ||
            memcmp(magic, PERF_MAGIC_SWAPPED, sizeof(magic)) == 0);
}

int perf_data_open(int dirfd, const char *path, struct perf_data **ret, struct bench_error *err)
{
    cleanup_perf_data struct perf_data *d = xcalloc(1, sizeof(*d));

    d->path = xstrdup(path);
    d->fd = dirfd == AT_FDCWD ? file_open(dirfd, path, err) : file_open_beneath(dirfd, path, err);
    if (d->fd < 0)
        return -1;
    if (perf_header_read(&d->header, d->fd, path, err) < 0 || check_events(d, err) < 0)
        return -1;
    d->at = d->header.data;
    d->end = d->at + d->header.data_size;
    *ret = d;
    d = NULL;
    return 0;
}

void perf_data_close(struct perf_data *d)
{
    if (!d)
        return;
    drop(d, d->lent);
    drop(d, d->block);
    while (d->n)
        drop(d, d->heap[--d->n].block);
    free(d->heap);
    perf_header_release(&d->header);
    free(d->path);
    if (d->fd >= 0)
        close(d->fd);
    free(d);
}

void perf_data_closep(struct perf_data **d)
{
    perf_data_close(*d);
}

const struct perf_header *perf_data_header(const struct perf_data *d)
{
    return &d->header;
}

uint64_t perf_data_late(const struct perf_data *d)
{
    return d->late;
}
