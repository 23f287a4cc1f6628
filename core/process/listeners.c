/* SPDX-License-Identifier: Apache-2.0 */
#include "process/listeners.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define LISTEN 0x0a /* of the column "st" */

struct sockets {
    unsigned long *inodes;
    size_t count, capacity;
};

static void add_sockets(pid_t pid, struct sockets *s)
{
    cleanup_free char *path = xasprintf("/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char target[64] = "";
        unsigned long inode;

        if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) < 0 ||
            sscanf(target, "socket:[%lu]", &inode) != 1)
            continue;
        s->inodes = grow(s->inodes, &s->capacity, s->count + 1, sizeof(*s->inodes));
        s->inodes[s->count++] = inode;
    }
    if (dir)
        closedir(dir);
}

static bool has(const struct sockets *s, unsigned long inode)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->inodes[i] == inode)
            return true;
    return false;
}

/* `hex` is the address as the kernel prints it: words in the byte order of the machine. */
static void add_address(const char *hex, unsigned port, struct strings *ret)
{
    uint32_t words[4] = {0};
    size_t n = strlen(hex) / 8;
    char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

    for (size_t i = 0; i < n && i < ARRAY_SIZE(words); i++)
        sscanf(hex + 8 * i, "%8" SCNx32, &words[i]);
    if (!inet_ntop(n == 1 ? AF_INET : AF_INET6, words, address, sizeof(address)))
        return;
    snprintf(text, sizeof(text), n == 1 ? "%s:%u" : "[%s]:%u", address, port);
    if (!strings_has(ret, text))
        strings_add(ret, text);
}

/* The table is that of the process's network. */
static void add_listening(pid_t pid, const char *table, const struct sockets *own,
                          struct strings *ret)
{
    cleanup_free char *path = xasprintf("/proc/%d/net/%s", (int)pid, table);
    FILE *f = fopen(path, "re");
    char line[512], hex[33];
    unsigned port, state;
    unsigned long inode;

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, " %*u: %32[0-9A-F]:%x %*s %x %*s %*s %*s %*u %*u %lu", hex, &port, &state,
                   &inode) == 4 &&
            state == LISTEN && has(own, inode))
            add_address(hex, port, ret);
    if (f)
        fclose(f);
}

void listeners_find(const pid_t *pids, size_t n, struct strings *ret)
{
    struct sockets own = {0};

    for (size_t i = 0; i < n; i++)
        add_sockets(pids[i], &own);
    if (own.count) {
        add_listening(pids[0], "tcp", &own, ret);
        add_listening(pids[0], "tcp6", &own, ret);
    }
    free(own.inodes);
}
