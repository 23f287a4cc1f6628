/* SPDX-License-Identifier: Apache-2.0 */
#include "base/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define LEAST_FREE (64 * 1024) /* bytes; with less, most writes fail */
#define MOST_DEPTH 8

struct largest {
    char *path;
    off_t size;
};

static void look(const char *path, int depth, struct largest *found)
{
    cleanup_strings struct strings names = {0};

    if (depth == MOST_DEPTH || directory_list(AT_FDCWD, path, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        char *name = xasprintf("%s/%s", path, names.items[i]);
        struct stat st;

        if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
            look(name, depth + 1, found);
        else if (lstat(name, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > found->size) {
            free(found->path);
            *found = (struct largest){.path = name, .size = st.st_size};
            continue;
        }
        free(name);
    }
}

void disk_explain_full(const char *directory, struct bench_error *err)
{
    struct largest found = {0};
    struct statvfs fs;
    unsigned long long room;

    if (!err || statvfs(directory, &fs) < 0)
        return;
    room = (unsigned long long)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    if (room >= LEAST_FREE)
        return;
    look(directory, 0, &found);
    if (found.path)
        error_hint(err, "the disk is full; the largest file of this repetition is '%s' (%.1f MiB)",
                   found.path, (double)found.size / (1 << 20));
    free(found.path);
}
