/* SPDX-License-Identifier: Apache-2.0 */
#include "process/descriptors.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>

bool descriptors_read(pid_t pid, struct descriptors *ret)
{
    char path[64];
    struct rlimit limit;
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    directory = opendir(path);
    if (!directory)
        return false;
    *ret = (struct descriptors){0};
    for (struct dirent *entry; (entry = readdir(directory));)
        ret->open += entry->d_name[0] != '.';
    closedir(directory);
    if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) != 0)
        return false;
    ret->limit = limit.rlim_cur;
    return true;
}

bool descriptors_exhausted(const struct descriptors *d)
{
    /* A relay needs two for a connection, and gives up the first when there is no second. */
    return d->open >= d->limit - d->limit / 20;
}
