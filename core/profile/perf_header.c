/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/perf_header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* Far above what perf writes: files with more are damaged, or made to harm. */
#define EVENTS_MAX 1024
#define IDS_MAX (1 << 20)
#define FEATURE_BYTES_MAX (64 << 20)
#define ATTR_BYTES_MAX 4096
#define HOST_BYTES_MAX 4096

#define PIPE_HEADER_SIZE 16

/* Bits of the header's feature set, from tools/perf/util/header.h. */
enum { FEATURE_BUILD_ID = 2, FEATURE_HOSTNAME = 3, FEATURE_EVENT_DESC = 12, FEATURE_STAT = 19, FEATURES = 256 };

struct section {
    uint64_t offset, size;
};

struct file_header {
    char magic[8];
    uint64_t size, attr_size;
    struct section attrs, data, event_types;
    uint64_t features[FEATURES / 64];
};

struct source {
    int fd;
    const char *path;
    uint64_t size;
};

static int damaged(const struct source *s, struct bench_error *err, uint64_t offset,
                   const char *what)
{
    error_set(err, BENCH_ERROR_RUN, "'%s' is damaged: offset %llu: %s", s->path,
              (unsigned long long)offset, what);
    error_hint(err, "was it copied whole, and did 'perf record' end by itself?");
    return -1;
}

static int read_at(const struct source *s, uint64_t offset, void *ret, size_t n, const char *what,
                   struct bench_error *err)
{
    size_t done = 0;

    if (offset > s->size || n > s->size - offset)
        return damaged(s, err, offset, what);
    while (done < n) {
        ssize_t got = pread(s->fd, (char *)ret + done, n - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read '%s'", s->path);
        if (got == 0)
            return damaged(s, err, offset + done, what);
        done += (size_t)got;
    }
    return 0;
}

/* The whole of a section, NUL-terminated; caller frees. */
static int read_section(const struct source *s, const struct section *section, size_t limit,
                        const char *what, char **ret, struct bench_error *err)
{
    cleanup_free char *bytes = NULL;

    if (section->size > limit || section->offset > s->size ||
        section->size > s->size - section->offset)
        return damaged(s, err, section->offset, what);
    bytes = xcalloc(section->size + 1, 1);
    if (read_at(s, section->offset, bytes, section->size, what, err) < 0)
        return -1;
    *ret = bytes;
    bytes = NULL;
    return 0;
}

static int read_file_header(const struct source *s, struct file_header *ret,
                            struct bench_error *err)
{
    if (s->size < sizeof(ret->magic) ||
        read_at(s, 0, ret, sizeof(ret->magic) + sizeof(ret->size), "no header", err) < 0 ||
        memcmp(ret->magic, PERF_MAGIC, sizeof(ret->magic)) != 0) {
        if (s->size < sizeof(ret->magic) ||
            memcmp(ret->magic, PERF_MAGIC_SWAPPED, sizeof(ret->magic)) != 0)
            return error_set(err, BENCH_ERROR_RUN, "'%s' is no perf.data file", s->path);
        error_set(err, BENCH_ERROR_RUN,
                  "'%s' comes from a machine of the other byte order, which is not supported",
                  s->path);
        error_hint(err, "make folded text of it: 'perf script -i FILE | stackcollapse-perf.pl'");
        return -1;
    }
    if (ret->size == PIPE_HEADER_SIZE) {
        error_set(err, BENCH_ERROR_RUN, "'%s' was written to a pipe, which is not supported",
                  s->path);
        error_hint(err, "record with 'perf record -o FILE'");
        return -1;
    }
    if (ret->size < sizeof(*ret))
        return damaged(s, err, 8, "the header is too short");
    if (read_at(s, 0, ret, sizeof(*ret), "the header is cut short", err) < 0)
        return -1;
    if (ret->features[FEATURE_STAT / 64] & 1ULL << FEATURE_STAT % 64) {
        error_set(err, BENCH_ERROR_RUN, "'%s' was written by 'perf stat record': it has no samples",
                  s->path);
        error_hint(err, "record with 'perf record -g -o FILE'");
        return -1;
    }
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct perf_event_id *one = a, *two = b;

    return one->id < two->id ? -1 : one->id > two->id;
}

static int read_ids(struct perf_header *h, const struct source *s, const struct section *section,
                    uint32_t event, struct bench_error *err)
{
    size_t n = section->size / sizeof(uint64_t), capacity = h->n_ids;
    cleanup_free char *bytes = NULL;

    if (n > IDS_MAX - h->n_ids)
        return damaged(s, err, section->offset, "too many event ids");
    if (read_section(s, section, IDS_MAX * sizeof(uint64_t), "event ids", &bytes, err) < 0)
        return -1;
    h->ids = grow(h->ids, &capacity, h->n_ids + n, sizeof(*h->ids));
    for (size_t i = 0; i < n; i++) {
        memcpy(&h->ids[h->n_ids].id, bytes + i * sizeof(uint64_t), sizeof(uint64_t));
        h->ids[h->n_ids++].event = event;
    }
    return 0;
}

/* `bytes` has an attribute of `size` bytes by the file's idea: maybe older or newer than ours. */
static void take_attr(struct perf_event_attr *ret, const char *bytes, size_t size)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret, bytes, size < sizeof(*ret) ? size : sizeof(*ret));
}

static int read_attrs(struct perf_header *h, const struct source *s, const struct file_header *file,
                      struct bench_error *err)
{
    uint64_t entry = file->attr_size, n = entry ? file->attrs.size / entry : 0;
    cleanup_free char *bytes = NULL;

    if (entry < PERF_ATTR_SIZE_VER0 + sizeof(struct section) || entry > ATTR_BYTES_MAX || n == 0 ||
        n > EVENTS_MAX)
        return damaged(s, err, offsetof(struct file_header, attr_size), "no or too many events");
    if (read_section(s, &file->attrs, EVENTS_MAX * ATTR_BYTES_MAX, "events", &bytes, err) < 0)
        return -1;
    h->events = xcalloc(n, sizeof(*h->events));
    for (; h->n_events < n; h->n_events++) {
        const char *at = bytes + h->n_events * entry;
        struct perf_event *event = &h->events[h->n_events];
        struct section ids;

        take_attr(&event->attr, at, entry - sizeof(ids));
        event->name = xasprintf("type %u config 0x%llx", event->attr.type,
                                (unsigned long long)event->attr.config);
        memcpy(&ids, at + entry - sizeof(ids), sizeof(ids));
        if (read_ids(h, s, &ids, (uint32_t)h->n_events, err) < 0) {
            h->n_events++;
            return -1;
        }
    }
    if (h->n_ids)
        qsort(h->ids, h->n_ids, sizeof(*h->ids), compare_ids);
    return 0;
}

/* Takes `n` bytes off the front; NULL when there are fewer. */
static const char *take(const char **at, const char *end, uint64_t n)
{
    const char *start = *at;

    if (n > (uint64_t)(end - start))
        return NULL;
    *at += n;
    return start;
}

static bool take_u32(const char **at, const char *end, uint32_t *ret)
{
    const char *bytes = take(at, end, sizeof(*ret));

    if (bytes)
        memcpy(ret, bytes, sizeof(*ret));
    return bytes;
}

/* { attr, number of ids, length of name, name, ids }: the events again, in the same order. */
static bool take_description(struct perf_event *event, const char **at, const char *end,
                             uint32_t attr_size)
{
    const char *attr = take(at, end, attr_size), *name;
    uint32_t n_ids, length;
    struct perf_event_attr found;

    if (!attr || !take_u32(at, end, &n_ids) || !take_u32(at, end, &length) ||
        !(name = take(at, end, length)) || !take(at, end, n_ids * sizeof(uint64_t)))
        return false;
    take_attr(&found, attr, attr_size);
    if (found.type != event->attr.type || found.config != event->attr.config)
        return false;
    free(event->name);
    event->name = xstrndup(name, length);
    return true;
}

static int read_descriptions(struct perf_header *h, const struct source *s,
                             const struct section *section, struct bench_error *err)
{
    cleanup_free char *bytes = NULL;
    const char *at, *end;
    uint32_t n, attr_size;

    if (read_section(s, section, FEATURE_BYTES_MAX, "names of events", &bytes, err) < 0)
        return -1;
    at = bytes;
    end = bytes + section->size;
    if (!take_u32(&at, end, &n) || !take_u32(&at, end, &attr_size) || n != h->n_events)
        return damaged(s, err, section->offset, "names of events");
    for (size_t i = 0; i < h->n_events; i++)
        if (!take_description(&h->events[i], &at, end, attr_size))
            return damaged(s, err, section->offset + (uint64_t)(at - bytes), "names of events");
    return 0;
}

/* struct perf_record_header_build_id: header, pid, 20 bytes (their number after them, when the
 * header says so), path. */
enum { BUILD_ID_AT = 12, BUILD_ID_BYTES = 20, BUILD_ID_SIZE_AT = 32, BUILD_ID_PATH_AT = 36 };
#define MISC_BUILD_ID_SIZE (1 << 15) /* PERF_RECORD_MISC_BUILD_ID_SIZE of tools/perf */

static void add_build_id(struct perf_header *h, size_t *capacity, const char *entry, size_t size,
                         uint16_t misc)
{
    size_t n = misc & MISC_BUILD_ID_SIZE ? (unsigned char)entry[BUILD_ID_SIZE_AT] : BUILD_ID_BYTES;
    struct perf_build_id *b;

    h->build_ids = grow(h->build_ids, capacity, h->n_build_ids + 1, sizeof(*h->build_ids));
    b = &h->build_ids[h->n_build_ids++];
    *b =
        (struct perf_build_id){.path = xstrndup(entry + BUILD_ID_PATH_AT, size - BUILD_ID_PATH_AT)};
    for (size_t i = 0; i < n && i < BUILD_ID_BYTES; i++)
        snprintf(b->id + 2 * i, 3, "%02x", (unsigned char)entry[BUILD_ID_AT + i]);
}

static int read_build_ids(struct perf_header *h, const struct source *s,
                          const struct section *section, struct bench_error *err)
{
    cleanup_free char *bytes = NULL;
    struct perf_event_header header;
    size_t capacity = 0;

    if (read_section(s, section, FEATURE_BYTES_MAX, "build-ids", &bytes, err) < 0)
        return -1;
    for (uint64_t at = 0; at < section->size; at += header.size) {
        if (section->size - at < BUILD_ID_PATH_AT)
            return damaged(s, err, section->offset + at, "build-ids");
        memcpy(&header, bytes + at, sizeof(header));
        if (header.size < BUILD_ID_PATH_AT || header.size > section->size - at)
            return damaged(s, err, section->offset + at, "build-ids");
        add_build_id(h, &capacity, bytes + at, header.size, header.misc);
    }
    return 0;
}

/* A length of 4 bytes, then so many with the name and zeros. */
static int read_host(struct perf_header *h, const struct source *s, const struct section *section,
                     struct bench_error *err)
{
    cleanup_free char *bytes = NULL;

    if (read_section(s, section, HOST_BYTES_MAX, "the host's name", &bytes, err) < 0)
        return -1;
    if (section->size < sizeof(uint32_t))
        return damaged(s, err, section->offset, "the host's name");
    h->host = section->offset + sizeof(uint32_t);
    h->host_size = section->size - sizeof(uint32_t);
    return 0;
}

static int read_feature(struct perf_header *h, const struct source *s, unsigned bit,
                        const struct section *section, struct bench_error *err)
{
    switch (bit) {
    case FEATURE_EVENT_DESC:
        return read_descriptions(h, s, section, err);
    case FEATURE_HOSTNAME:
        return read_host(h, s, section, err);
    case FEATURE_BUILD_ID:
        return read_build_ids(h, s, section, err);
    default:
        return 0;
    }
}

/* A table of sections, one for each bit that is set, stands behind the records. */
static int read_features(struct perf_header *h, const struct source *s,
                         const struct file_header *file, struct bench_error *err)
{
    uint64_t at = file->data.offset + file->data.size;

    for (unsigned bit = 0; bit < FEATURES; bit++) {
        struct section section;

        if (!(file->features[bit / 64] & (1ULL << bit % 64)))
            continue;
        if (read_at(s, at, &section, sizeof(section), "the table of features", err) < 0 ||
            read_feature(h, s, bit, &section, err) < 0)
            return -1;
        at += sizeof(section);
    }
    return 0;
}

int perf_header_read(struct perf_header *h, int fd, const char *path, struct bench_error *err)
{
    struct source s = {fd, path, 0};
    struct file_header file = {0};
    struct stat st;

    *h = (struct perf_header){0};
    if (fstat(fd, &st) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read '%s'", path);
    s.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    if (read_file_header(&s, &file, err) < 0)
        return -1;
    if (file.data.size == 0)
        return damaged(&s, err, offsetof(struct file_header, data),
                       "no records: 'perf record' did not end properly");
    if (file.data.offset > s.size || file.data.size > s.size - file.data.offset)
        return damaged(&s, err, s.size, "the file ends before its records do");
    h->data = file.data.offset;
    h->data_size = file.data.size;
    if (read_attrs(h, &s, &file, err) < 0)
        return -1;
    return read_features(h, &s, &file, err);
}

int perf_header_forget_host(const struct perf_header *h, int fd, const char *path,
                            struct bench_error *err)
{
    static const char nothing[HOST_BYTES_MAX];

    for (uint64_t done = 0; done < h->host_size;) {
        ssize_t n = pwrite(fd, nothing, h->host_size - done, (off_t)(h->host + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot write '%s'", path);
        done += (uint64_t)n;
    }
    return 0;
}

void perf_header_release(struct perf_header *h)
{
    for (size_t i = 0; i < h->n_events; i++)
        free(h->events[i].name);
    for (size_t i = 0; i < h->n_build_ids; i++)
        free(h->build_ids[i].path);
    free(h->events);
    free(h->ids);
    free(h->build_ids);
    *h = (struct perf_header){0};
}

int64_t perf_header_event(const struct perf_header *h, uint64_t id)
{
    struct perf_event_id key = {.id = id}, *found;

    found = h->n_ids ? bsearch(&key, h->ids, h->n_ids, sizeof(key), compare_ids) : NULL;
    return found ? (int64_t)found->event : -1;
}

const char *perf_header_build_id(const struct perf_header *h, const char *path)
{
    for (size_t i = 0; i < h->n_build_ids; i++)
        if (strcmp(h->build_ids[i].path, path) == 0)
            return h->build_ids[i].id;
    return NULL;
}
