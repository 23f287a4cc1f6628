/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perf.data files as a test wants them: records one after the other, then a file around them.
 */
#ifndef TESTS_PERF_FILE_H
#define TESTS_PERF_FILE_H

#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define FINISHED_ROUND 68
#define FIRST_ID 100 /* of the first event; the next has the next */

struct perf_file {
    struct perf_event_attr attrs[4];
    const char *names[4];
    size_t n_attrs;
    struct text records;
    struct text build_ids; /* the feature's content; none when empty */
    const char *host;      /* likewise; NULL: none */
    struct text bytes; /* the whole file */
    int fd;
    char path[32];
};

static inline void perf_file_word(struct text *t, uint64_t word)
{
    text_add_bytes(t, &word, sizeof(word));
}

static inline void perf_file_pair(struct text *t, uint32_t first, uint32_t second)
{
    text_add_bytes(t, &first, sizeof(first));
    text_add_bytes(t, &second, sizeof(second));
}

/* With its NUL, filled up to whole words. */
static inline void perf_file_string(struct text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s) + 1);
    while (t->length % 8)
        text_add_bytes(t, "", 1);
}

/* Takes the content of `body`, which is empty then. */
static inline void perf_file_record(struct perf_file *f, uint32_t type, uint16_t misc,
                                    struct text *body)
{
    struct perf_event_header header = {type, misc, (uint16_t)(sizeof(header) + body->length)};

    text_add_bytes(&f->records, &header, sizeof(header));
    text_add_bytes(&f->records, body->data, body->length);
    text_release(body);
}

/* The end of a record that is no sample: TID and TIME. */
static inline void perf_file_trailer(struct text *t, uint32_t pid, uint32_t tid, uint64_t time)
{
    perf_file_pair(t, pid, tid);
    perf_file_word(t, time);
}

static inline void perf_file_comm(struct perf_file *f, uint16_t misc, uint32_t pid, uint32_t tid,
                                  const char *comm, uint64_t time)
{
    struct text body = {0};

    perf_file_pair(&body, pid, tid);
    perf_file_string(&body, comm);
    perf_file_trailer(&body, pid, tid, time);
    perf_file_record(f, PERF_RECORD_COMM, misc, &body);
}

static inline void perf_file_fork(struct perf_file *f, uint32_t pid, uint32_t parent, uint32_t tid,
                                  uint32_t parent_tid, uint64_t time)
{
    struct text body = {0};

    perf_file_pair(&body, pid, parent);
    perf_file_pair(&body, tid, parent_tid);
    perf_file_word(&body, time);
    perf_file_trailer(&body, pid, tid, time);
    perf_file_record(f, PERF_RECORD_FORK, 0, &body);
}

static inline void perf_file_map(struct perf_file *f, uint32_t pid, uint64_t start, uint64_t length,
                                 uint64_t offset, const char *path, uint64_t time)
{
    struct text body = {0};

    perf_file_pair(&body, pid, pid);
    perf_file_word(&body, start);
    perf_file_word(&body, length);
    perf_file_word(&body, offset);
    perf_file_string(&body, path);
    perf_file_trailer(&body, pid, pid, time);
    perf_file_record(f, PERF_RECORD_MMAP, PERF_RECORD_MISC_USER, &body);
}

/* For events with IP|TID|TIME|PERIOD|CALLCHAIN. */
static inline void perf_file_sample(struct perf_file *f, uint32_t pid, uint32_t tid, uint64_t time,
                                    uint64_t period, const uint64_t *chain, size_t n)
{
    struct text body = {0};

    perf_file_word(&body, n > 1 ? chain[1] : 0);
    perf_file_pair(&body, pid, tid);
    perf_file_word(&body, time);
    perf_file_word(&body, period);
    perf_file_word(&body, n);
    text_add_bytes(&body, chain, n * sizeof(*chain));
    perf_file_record(f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, &body);
}

static inline void perf_file_round(struct perf_file *f)
{
    struct text body = {0};

    perf_file_record(f, FINISHED_ROUND, 0, &body);
}

/* cpu-clock with stacks, as perf record -g -e cpu-clock has it. */
static inline void perf_file_begin(struct perf_file *f)
{
    *f = (struct perf_file){.n_attrs = 1, .names = {"cpu-clock"}, .fd = -1};
    f->attrs[0] = (struct perf_event_attr){
        .size = sizeof(f->attrs[0]),
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD |
                       PERF_SAMPLE_CALLCHAIN,
        .freq = 1,
        .sample_freq = 997,
        .sample_id_all = 1,
    };
}

/* Number of events, size of an attribute, and per event: attribute, number of ids, name, ids. */
static inline void perf_file_descriptions(const struct perf_file *f, struct text *t)
{
    perf_file_pair(t, (uint32_t)f->n_attrs, sizeof(f->attrs[0]));
    for (size_t i = 0; i < f->n_attrs; i++) {
        char name[64] = "";

        strncpy(name, f->names[i], sizeof(name) - 1);
        text_add_bytes(t, &f->attrs[i], sizeof(f->attrs[i]));
        perf_file_pair(t, 1, sizeof(name));
        text_add_bytes(t, name, sizeof(name));
        perf_file_word(t, FIRST_ID + i);
    }
}

/* A file's table of features: build-ids (2), the host's name (3), names of events (12). */
static inline void perf_file_features(struct perf_file *f, uint64_t bits)
{
    struct text names = {0}, host = {0};
    const struct text *all[] = {&f->build_ids, &host, &names};
    const size_t n = sizeof(all) / sizeof(*all);
    uint64_t at = f->bytes.length + 16 * (uint64_t)__builtin_popcountll(bits);

    perf_file_descriptions(f, &names);
    if (f->host) {
        uint32_t length = 64; /* as perf rounds it up */
        char room[64] = "";

        strncpy(room, f->host, sizeof(room) - 1);
        text_add_bytes(&host, &length, sizeof(length));
        text_add_bytes(&host, room, sizeof(room));
    }
    for (size_t i = 0; i < n; i++)
        if (all[i]->length) {
            perf_file_word(&f->bytes, at);
            perf_file_word(&f->bytes, all[i]->length);
            at += all[i]->length;
        }
    for (size_t i = 0; i < n; i++)
        text_add_bytes(&f->bytes, all[i]->data, all[i]->length);
    text_release(&names);
    text_release(&host);
}

/* Puts the file together, in memory; `path` names it then. */
static inline void perf_file_end(struct perf_file *f)
{
    uint64_t attr = sizeof(f->attrs[0]) + 16, ids = 104, attrs = ids + 8 * f->n_attrs;
    uint64_t data = attrs + attr * f->n_attrs;
    uint64_t bits = 1 << 12 | (f->build_ids.length ? 1 << 2 : 0) | (f->host ? 1 << 3 : 0);

    text_add_bytes(&f->bytes, "PERFILE2", 8);
    perf_file_word(&f->bytes, 104);
    perf_file_word(&f->bytes, attr);
    perf_file_word(&f->bytes, attrs);
    perf_file_word(&f->bytes, attr * f->n_attrs);
    perf_file_word(&f->bytes, data);
    perf_file_word(&f->bytes, f->records.length);
    perf_file_word(&f->bytes, 0);
    perf_file_word(&f->bytes, 0);
    perf_file_word(&f->bytes, bits);
    for (int i = 0; i < 3; i++)
        perf_file_word(&f->bytes, 0);
    for (size_t i = 0; i < f->n_attrs; i++)
        perf_file_word(&f->bytes, FIRST_ID + i);
    for (size_t i = 0; i < f->n_attrs; i++) {
        text_add_bytes(&f->bytes, &f->attrs[i], sizeof(f->attrs[i]));
        perf_file_word(&f->bytes, ids + 8 * i);
        perf_file_word(&f->bytes, 8);
    }
    text_add_bytes(&f->bytes, f->records.data, f->records.length);
    perf_file_features(f, bits);
    f->fd = memfd_create("perf.data", MFD_CLOEXEC);
    if (f->fd < 0 || write(f->fd, f->bytes.data, f->bytes.length) != (ssize_t)f->bytes.length)
        abort();
    snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

/* Writes the file anew from changed `bytes`, the first `n` of them. */
static inline void perf_file_rewrite(struct perf_file *f, size_t n)
{
    if (ftruncate(f->fd, 0) < 0 || pwrite(f->fd, f->bytes.data, n, 0) != (ssize_t)n)
        abort();
}

static inline void perf_file_release(struct perf_file *f)
{
    text_release(&f->records);
    text_release(&f->build_ids);
    text_release(&f->bytes);
    if (f->fd >= 0)
        close(f->fd);
}

#define cleanup_perf_file __attribute__((cleanup(perf_file_release)))

#endif
