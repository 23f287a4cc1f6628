/* SPDX-License-Identifier: Apache-2.0 */
#include "process/machine_cpu.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "process/controller.h"

static void add_file(struct machine_cpu *m, int directory, const char *path)
{
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    m->files = xrealloc(m->files, (m->n_files + 1) * sizeof(*m->files));
    m->files[m->n_files++] = fd;
}

static void open_groups(struct machine_cpu *m, const char *mount)
{
    DIR *directory = opendir(mount);
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        cleanup_free char *path = xasprintf("%s/cpu.stat", entry->d_name);

        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            add_file(m, dirfd(directory), path);
    }
    if (directory)
        closedir(directory);
}

void machine_cpu_open(struct machine_cpu *m)
{
    char mount[PATH_MAX];

    *m = (struct machine_cpu){.unit_ns = 1};
    if (controller_mount("cpuacct", mount, sizeof(mount)) == 0) {
        cleanup_free char *path = xasprintf("%s/cpuacct.usage", mount);

        add_file(m, AT_FDCWD, path);
    } else {
        m->unit_ns = 1000;
        open_groups(m, "/sys/fs/cgroup");
    }
}

static int64_t read_one(int fd)
{
    static const char key[] = "usage_usec ";
    char text[512];
    const char *number = text;

    if (file_again(fd, text, sizeof(text)) <= 0)
        return -1;
    if (strncmp(text, key, sizeof(key) - 1) == 0)
        number = text + sizeof(key) - 1;
    return strtoll(number, NULL, 10);
}

int64_t machine_cpu_read(const struct machine_cpu *m)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->n_files; i++) {
        int64_t one = read_one(m->files[i]);

        /* A group that went takes its share along: the sum would jump. */
        if (one < 0)
            return -1;
        sum += one * m->unit_ns;
    }
    return m->n_files ? sum : -1;
}

void machine_cpu_close(struct machine_cpu *m)
{
    for (size_t i = 0; i < m->n_files; i++)
        close(m->files[i]);
    free(m->files);
    *m = (struct machine_cpu){0};
}
