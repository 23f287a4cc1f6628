/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define TRACEFS "/sys/kernel/tracing"
#define PARANOID "sysctl kernel.perf_event_paranoid=-1"
static const char *const places[] = {TRACEFS, "/sys/kernel/debug/tracing"};

/* A mount that has no place in any tree and goes away with its descriptor. */
static int open_detached(void)
{
    cleanup_close int context = fsopen("tracefs", FSOPEN_CLOEXEC);

    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

/* The tree, or -1 with the reason. Where it is not mounted, the directory exists and is empty. */
static int open_tree_root(enum tracefs_access *ret_access)
{
    int fd;

    *ret_access = TRACEFS_MISSING;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        cleanup_free char *events = xasprintf("%s/events", places[i]);

        if (access(events, R_OK | X_OK) == 0) {
            *ret_access = TRACEFS_READABLE;
            return open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        if (errno == EACCES)
            *ret_access = TRACEFS_DENIED;
    }
    fd = open_detached();
    if (fd >= 0)
        *ret_access = TRACEFS_READABLE;
    return fd;
}

enum tracefs_access tracefs_access(void)
{
    enum tracefs_access found;
    cleanup_close int tree = open_tree_root(&found);

    return tree < 0 && found == TRACEFS_READABLE ? TRACEFS_DENIED : found;
}

int tracefs_explain(const char *event, enum tracefs_access found, struct bench_error *err)
{
    if (found == TRACEFS_DENIED) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "event '%s': tracepoints are listed in '%s', which this user may not read", event,
                  TRACEFS);
        error_hint(err, "run as root, or let every user: mount -o remount,mode=755 %s; " PARANOID,
                   TRACEFS);
    } else {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "event '%s': tracepoints are listed in '%s', which is not mounted", event,
                  TRACEFS);
        error_hint(
            err,
            "run as root, or let every user: mount -t tracefs -o mode=755 tracefs %s; " PARANOID,
            TRACEFS);
    }
    return -1;
}

/* Names come from the user and become path components. */
static bool plain(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/');
}

bool tracefs_has_system(const char *system)
{
    enum tracefs_access found;
    cleanup_close int tree = open_tree_root(&found);
    cleanup_free char *path = xasprintf("events/%s", system);

    return tree >= 0 && plain(system) && faccessat(tree, path, X_OK, 0) == 0;
}

int64_t tracefs_id(const char *system, const char *event)
{
    enum tracefs_access found;
    cleanup_close int tree = open_tree_root(&found);
    cleanup_free char *path = xasprintf("events/%s/%s/id", system, event), *text = NULL;

    if (tree < 0 || !plain(system) || !plain(event) ||
        file_read(tree, path, 64, &text, NULL, NULL) < 0)
        return -1;
    return strtoll(text, NULL, 10);
}

void tracefs_names(struct strings *ret)
{
    enum tracefs_access found;
    cleanup_close int tree = open_tree_root(&found);
    cleanup_free char *names = NULL;

    if (tree >= 0 && file_read(tree, "available_events", 16 << 20, &names, NULL, NULL) == 0)
        strings_split(ret, names, "\n");
}
