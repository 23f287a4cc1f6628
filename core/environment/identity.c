/* SPDX-License-Identifier: Apache-2.0 */
#include "environment/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "environment/binary.h"

#define DELETED " (deleted)"

struct entry {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec mtime;
    json_t *facts; /* identity without path */
};

struct identity_cache {
    struct entry *entries;
    size_t count, capacity;
};

struct identity_cache *identity_cache_new(void)
{
    return xcalloc(1, sizeof(struct identity_cache));
}

void identity_cache_free(struct identity_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        json_decref(c->entries[i].facts);
    free(c->entries);
    free(c);
}

/* --- one file ------------------------------------------------------------------------------ */

/* NULL when the file cannot be read to its end. Not mapped: one cut short meanwhile would be a
 * SIGBUS. */
static json_t *sha256(int fd)
{
    enum { BLOCK = 1 << 18 };
    cleanup_free uint8_t *block = xcalloc(BLOCK, 1);
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    struct sha256_ctx sha;
    off_t at = 0;

    sha256_init(&sha);
    for (;;) {
        ssize_t n = pread(fd, block, BLOCK, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NULL;
        if (n == 0)
            break;
        sha256_update(&sha, (size_t)n, block);
        at += n;
    }
    sha256_digest(&sha, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return json_string(hex);
}

static json_t *number_or_null(double n)
{
    return isnan(n) ? json_null() : json_real(n);
}

static json_t *describe(json_t *size, json_t *hash, const struct binary *b)
{
    json_t *facts = json_object();

    json_object_set_new(facts, "size", size);
    json_object_set_new(facts, "build_id", b->build_id[0] ? json_string(b->build_id) : json_null());
    json_object_set_new(facts, "sha256", hash ? hash : json_null());
    json_object_set_new(facts, "frame_pointers",
                        b->frame_pointers == FRAME_POINTERS_UNKNOWN
                            ? json_null()
                            : json_boolean(b->frame_pointers == FRAME_POINTERS_YES));
    json_object_set_new(facts, "frame_pointer_share", number_or_null(b->share));
    return facts;
}

static const struct entry *find(const struct identity_cache *c, const struct stat *st)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct entry *e = &c->entries[i];

        if (e->device == st->st_dev && e->inode == st->st_ino && e->size == st->st_size &&
            e->mtime.tv_sec == st->st_mtim.tv_sec && e->mtime.tv_nsec == st->st_mtim.tv_nsec)
            return e;
    }
    return NULL;
}

static const struct entry *add(struct identity_cache *c, const struct stat *st, json_t *facts)
{
    c->entries = grow(c->entries, &c->capacity, c->count + 1, sizeof(*c->entries));
    c->entries[c->count] = (struct entry){.device = st->st_dev,
                                          .inode = st->st_ino,
                                          .size = st->st_size,
                                          .mtime = st->st_mtim,
                                          .facts = facts};
    return &c->entries[c->count++];
}

/* `path` is what the file is called; `fd` (or -1) is what is read. */
static json_t *identify(struct identity_cache *c, const char *path, int fd)
{
    struct binary b = {.share = NAN};
    const struct entry *e;
    struct stat st;
    json_t *json = json_object(), *unknown;

    json_object_set_new(json, "path", json_text(path));
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        unknown = describe(json_null(), NULL, &b);
        json_object_update(json, unknown);
        json_decref(unknown);
        return json;
    }
    e = find(c, &st);
    if (!e) {
        binary_read(fd, &b);
        e = add(c, &st, describe(json_integer(st.st_size), sha256(fd), &b));
    }
    json_object_update(json, e->facts);
    return json;
}

json_t *identity_file(struct identity_cache *c, const char *path)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return identify(c, path, fd);
}

/* --- a process ----------------------------------------------------------------------------- */

static bool cut_deleted(char *path)
{
    size_t length = strlen(path), suffix = strlen(DELETED);

    if (length <= suffix || strcmp(path + length - suffix, DELETED) != 0)
        return false;
    path[length - suffix] = '\0';
    return true;
}

/* `path` as the kernel shows it. */
static json_t *identify_mapped(struct identity_cache *c, const char *path, int fd)
{
    cleanup_free char *name = xstrdup(path);
    bool deleted = cut_deleted(name);
    json_t *json = identify(c, name, fd);

    if (deleted)
        json_object_set_new(json, "deleted", json_true());
    return json;
}

/* A line of /proc/PID/maps that maps a file as code. */
struct mapping {
    char range[64]; /* "7f25904ab000-7f2590a07000", the name in map_files */
    char *path;     /* into the line; with " (deleted)" */
};

static bool parse_mapping(char *line, struct mapping *ret)
{
    unsigned long begin, end, inode;
    char permissions[8];
    int at = 0;

    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %n", &begin, &end, permissions, &inode, &at) < 4 ||
        !at)
        return false;
    snprintf(ret->range, sizeof(ret->range), "%lx-%lx", begin, end);
    ret->path = line + at;
    /* Code made at run time (memfd) differs every time and says nothing of what was installed. */
    return permissions[2] == 'x' && inode && ret->path[0] == '/' &&
           strncmp(ret->path, "/memfd:", 7) != 0 && strncmp(ret->path, "/dev/", 5) != 0;
}

/* map_files is exact, whatever happened to the name, but asks for a capability. */
static int open_mapping(pid_t pid, const struct mapping *m)
{
    cleanup_free char *exact = xasprintf("/proc/%d/map_files/%s", (int)pid, m->range);
    cleanup_free char *seen = xasprintf("/proc/%d/root%s", (int)pid, m->path);
    int fd = open(exact, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? open(seen, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : fd;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "path")),
                  json_string_value(json_object_get(*(json_t *const *)b, "path")));
}

/* Appends what the process mapped beside `executable`, by path: the order of addresses is random.
 */
static void add_mapped(struct identity_cache *c, pid_t pid, const char *executable, json_t *ret)
{
    cleanup_free char *maps = xasprintf("/proc/%d/maps", (int)pid), *line = NULL;
    cleanup_file FILE *file = fopen(maps, "re");
    cleanup_strings struct strings seen = {0};
    cleanup_free json_t **found = NULL;
    size_t count = 0, capacity = 0, room = 0;

    strings_add(&seen, executable);
    while (file && getline(&line, &room, file) > 0) {
        struct mapping m;

        if (!parse_mapping(line, &m) || strings_has(&seen, m.path))
            continue;
        strings_add(&seen, m.path);
        cleanup_close int fd = open_mapping(pid, &m);
        found = grow(found, &capacity, count + 1, sizeof(*found));
        found[count++] = identify_mapped(c, m.path, fd);
    }
    if (count)
        qsort(found, count, sizeof(*found), by_path);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(ret, found[i]);
}

json_t *identity_process(struct identity_cache *c, pid_t pid)
{
    cleanup_free char *link = xasprintf("/proc/%d/exe", (int)pid);
    cleanup_close int fd = open(link, O_RDONLY | O_CLOEXEC);
    char path[4096];
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    json_t *all = json_array();

    if (length < 0)
        return all;
    path[length] = '\0';
    json_array_append_new(all, identify_mapped(c, path, fd));
    add_mapped(c, pid, path, all);
    return all;
}
