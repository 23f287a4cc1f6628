/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's control groups can do for this process, and stepping aside where they demand it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "process/cgroup.h"
#include "process/cgroup_tree.h"
#include "process/controller.h"
#include "process/descendants.h"

#define ALONE "systemd-run --user --scope -p Delegate=yes -- bench …"

static enum cgroup_version version_of(const char *mount)
{
    struct statfs fs;

    if (statfs(mount, &fs) < 0)
        return CGROUP_NONE;
    return fs.f_type == CGROUP2_SUPER_MAGIC  ? CGROUP_V2
           : fs.f_type == CGROUP_SUPER_MAGIC ? CGROUP_V1
                                             : CGROUP_NONE;
}

static void find_v2_mount(char *out, size_t size)
{
    cleanup_file FILE *table = setmntent("/proc/self/mounts", "re");
    char buffer[4096];
    struct mntent entry;

    out[0] = '\0';
    while (table && getmntent_r(table, &entry, buffer, sizeof(buffer)))
        if (strcmp(entry.mnt_type, "cgroup2") == 0 && strlen(entry.mnt_dir) < size) {
            strcpy(out, entry.mnt_dir);
            return;
        }
}

/* This process's group, as seen below the mount: `controller` of version 1, or NULL for version 2.
 * "" stands for the top. Returns -1 when it lies outside of our cgroup namespace. */
static int own_group(const char *controller, char *out, size_t size)
{
    cleanup_free char *table = file_peek("/proc/self/cgroup");
    cleanup_strings struct strings lines = {0};

    if (table)
        strings_split(&lines, table, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        cleanup_strings struct strings names = {0};
        char *list = strchr(lines.items[i], ':'), *path = list ? strchr(list + 1, ':') : NULL;

        if (!path)
            continue;
        *path++ = '\0';
        strings_split(&names, list + 1, ",");
        if (controller ? !strings_has(&names, controller) : names.count > 0)
            continue;
        if (strncmp(path, "/..", 3) == 0 || strlen(path) >= size)
            return -1;
        strcpy(out, strcmp(path, "/") == 0 ? "" : path);
        return 0;
    }
    return -1;
}

static bool may_write(const char *mount, const char *group, const char *file)
{
    cleanup_free char *path = xasprintf("%s%s/%s", mount, group, file);

    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* Groups can be made in it and processes can be moved to them. */
static bool usable(const char *mount, const char *group)
{
    return may_write(mount, group, ".") && may_write(mount, group, "cgroup.procs");
}

static char *peek(const struct cgroup_host *h, const char *file)
{
    cleanup_free char *path = xasprintf("%s%s/%s", h->v2_mount, h->parent, file);

    return file_peek(path);
}

static bool lists(const struct cgroup_host *h, const char *file, const char *word)
{
    cleanup_free char *text = peek(h, file);
    cleanup_strings struct strings words = {0};

    if (text)
        strings_split(&words, text, " ");
    return strings_has(&words, word);
}

static void BENCH_PRINTF(3, 4)
    cannot(struct cgroup_host *h, const char *remedy, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(h->why_not, sizeof(h->why_not), fmt, ap);
    va_end(ap);
    snprintf(h->remedy, sizeof(h->remedy), "%s", remedy);
}

/* Containers often have it so, whatever the user may do otherwise. */
static bool read_only(const char *mount)
{
    struct statvfs fs;

    return statvfs(mount, &fs) == 0 && fs.f_flag & ST_RDONLY;
}

static void cannot_make(struct cgroup_host *h, const char *remedy, const char *mount,
                        const char *group)
{
    if (read_only(mount))
        cannot(h,
               "'mount -o remount,rw' as root makes it writable; a container needs --privileged, "
               "or /sys/fs/cgroup mounted read-write",
               "control groups in '%.120s' are mounted read-only", mount);
    else
        cannot(h, remedy, "no permission to make control groups in '%.120s%.100s'", mount, group);
}

/* The group that we were started in, else the top of what a container sees. */
static bool choose_parent(struct cgroup_host *h, const char *mount, const char *controller,
                          char ret[sizeof(h->parent)])
{
    if (own_group(controller, ret, sizeof(h->parent)) == 0 && usable(mount, ret))
        return true;
    ret[0] = '\0';
    if (usable(mount, ""))
        return true;
    cannot_make(h, "run as root, or in a group of your own: " ALONE, mount, "");
    return false;
}

static bool is_ours(pid_t pid)
{
    return pid == getpid() || pid == supervisor_pid();
}

/* In version 2 a group below the top holds processes or limits its children, never both. */
static bool holds_others(const struct cgroup_host *h)
{
    cleanup_free char *path = xasprintf("%s%s", h->v2_mount, h->parent);
    cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_free pid_t *pids = NULL;
    size_t count = fd < 0 ? 0 : tree_pids(fd, &pids);

    for (size_t i = 0; i < count; i++)
        if (!is_ours(pids[i]))
            return true;
    return false;
}

/* Whether leaving the group for the one above it leaves a limit behind. */
static bool holds_back(const struct cgroup_host *h)
{
    cleanup_free char *max = peek(h, "cpu.max"), *cpus = peek(h, "cpuset.cpus");

    return (max && strncmp(max, "max", 3) != 0) || (cpus && *cpus);
}

static void detect_limits_below(struct cgroup_host *h)
{
    cleanup_free char *type = peek(h, "cgroup.type"); /* only the real root has none */

    if (!lists(h, "cgroup.controllers", "cpu")) {
        cannot(h,
               "run as root, or have the cpu controller delegated: systemctl edit "
               "user@.service, [Service] Delegate=cpu cpuset io memory pids",
               "control group '%.120s/' has no cpu controller", h->parent);
    } else if (lists(h, "cgroup.subtree_control", "cpu") || !type) {
        h->can_limit = true;
    } else if (holds_others(h)) {
        cannot(h, "start bench by itself, not from a shell, in a group of its own: " ALONE,
               "control group '%.120s/' holds other processes, which the kernel does not allow "
               "beside limits",
               h->parent);
    } else {
        h->can_limit = h->must_move = true;
    }
}

/* Where processes beside us are in the way (a shell of the same session), the next group above that
 * has the controller for its children will do, as long as no limit is left behind. */
static void detect_v2_limits(struct cgroup_host *h)
{
    struct cgroup_host above = *h;
    char *slash;

    detect_limits_below(h);
    while (!h->can_limit && !holds_back(&above) && (slash = strrchr(above.parent, '/'))) {
        *slash = '\0';
        if (usable(above.v2_mount, above.parent) &&
            lists(&above, "cgroup.subtree_control", "cpu")) {
            strcpy(h->parent, above.parent);
            h->can_limit = true;
        }
    }
}

static void detect_v1_limits(struct cgroup_host *h)
{
    if (!choose_parent(h, h->cpu_mount, "cpu", h->cpu_parent))
        return;
    if (!h->can_group) { /* limits only */
        h->v2_mount[0] = '\0';
        h->accounting = CGROUP_NONE;
    }
    h->can_limit = h->can_group = true;
}

/* The version 2 tree, unless only cpuacct of version 1 lets us in. */
static void choose_accounting(struct cgroup_host *h)
{
    char cpuacct[sizeof(h->accounting_mount)] = "";

    find_v2_mount(h->v2_mount, sizeof(h->v2_mount));
    if (h->cpu != CGROUP_V2)
        controller_mount("cpuacct", cpuacct, sizeof(cpuacct));
    if (h->v2_mount[0]) {
        h->accounting = CGROUP_V2;
        strcpy(h->accounting_mount, h->v2_mount);
        h->can_group = choose_parent(h, h->v2_mount, NULL, h->parent);
    }
    if (!h->can_group && cpuacct[0] && choose_parent(h, cpuacct, "cpuacct", h->accounting_parent)) {
        h->v2_mount[0] = '\0';
        h->can_group = true;
    }
    if (!h->v2_mount[0] && cpuacct[0]) {
        h->accounting = CGROUP_V1;
        strcpy(h->accounting_mount, cpuacct);
    }
}

/* Roles inherit the policy, and the kernel's quotas hold for ordinary processes only. */
static void refuse_realtime(struct cgroup_host *h)
{
    int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;

    if (!h->can_limit || (policy != SCHED_FIFO && policy != SCHED_RR && policy != SCHED_DEADLINE))
        return;
    h->can_limit = false;
    cannot(h, "start bench under SCHED_OTHER: 'chrt -o 0 bench …'",
           "bench runs under a real-time scheduling policy, for which no CPU limit holds");
}

/* Without the means to make groups, roles stay where this process is. */
static void find_around(struct cgroup_host *h)
{
    bool ours = h->can_group && (h->cpu == CGROUP_V2 || h->can_limit);

    if (ours)
        strcpy(h->around, h->cpu_parent);
    else if (h->cpu != CGROUP_NONE &&
             own_group(h->cpu == CGROUP_V1 ? "cpu" : NULL, h->around, sizeof(h->around)) < 0)
        h->around[0] = '\0';
}

void cgroup_host_detect(struct cgroup_host *h)
{
    struct bench_error err;

    memset(h, 0, sizeof(*h));
    if (controller_init(&err) == 0 &&
        controller_mount("cpu", h->cpu_mount, sizeof(h->cpu_mount)) == 0)
        h->cpu = version_of(h->cpu_mount);
    choose_accounting(h);
    if (h->cpu == CGROUP_NONE)
        cannot(h, "mount cgroup version 2: mount -t cgroup2 none /sys/fs/cgroup",
               "no control group tree with a cpu controller is mounted");
    else if (h->cpu == CGROUP_V1)
        detect_v1_limits(h);
    else if (h->can_group)
        detect_v2_limits(h);
    if (h->cpu == CGROUP_V2)
        strcpy(h->cpu_parent, h->parent);
    if (h->accounting == CGROUP_V2)
        strcpy(h->accounting_parent, h->parent);
    find_around(h);
    refuse_realtime(h);
}

const char *cgroup_host_describe(const struct cgroup_host *h, char *out, size_t size)
{
    static const char *const names[] = {"none", "v1", "v2"};

    if (h->cpu == h->accounting)
        snprintf(out, size, "%s", names[h->cpu]);
    else if (h->cpu == CGROUP_NONE)
        snprintf(out, size, "%s, accounting only", names[h->accounting]);
    else if (h->accounting == CGROUP_NONE)
        snprintf(out, size, "%s, limits only", names[h->cpu]);
    else
        snprintf(out, size, "hybrid (limits %s, accounting %s)", names[h->cpu],
                 names[h->accounting]);
    return out;
}

/* Writes to a control file of a version 2 group; errno tells why not. */
static int control(const struct cgroup_host *h, const char *group, const char *file,
                   const char *value)
{
    cleanup_free char *path = xasprintf("%s%s/%s", h->v2_mount, group, file);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -1;
}

/* Moves the bench and its supervisor from one group to the other; errno tells why not. */
static int move_ours(const struct cgroup_host *h, const char *from, const char *to)
{
    cleanup_free char *path = xasprintf("%s%s", h->v2_mount, from);
    cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_free pid_t *pids = NULL;
    size_t count = fd < 0 ? 0 : tree_pids(fd, &pids);

    for (size_t i = 0; i < count; i++) {
        cleanup_free char *pid = xasprintf("%d", (int)pids[i]);

        if (is_ours(pids[i]) && control(h, to, "cgroup.procs", pid) < 0)
            return -1;
    }
    return 0;
}

int cgroup_host_enter(struct cgroup_host *h, const char *id, struct bench_error *err)
{
    cleanup_free char *leaf = xasprintf("%s/%s.self", h->parent, id);
    cleanup_free char *path = xasprintf("%s%s", h->v2_mount, leaf);

    if (!h->must_move)
        return 0;
    if (strlen(leaf) >= sizeof(h->leaf))
        return error_set(err, BENCH_ERROR_ENVIRONMENT, "control group '%s' has too long a name",
                         leaf);
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot make control group '%s'",
                           path);
    if (move_ours(h, h->parent, leaf) < 0) {
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot enter control group '%s'", path);
        rmdir(path);
        return -1;
    }
    strcpy(h->leaf, leaf);
    return 0;
}

void cgroup_host_leave(const struct cgroup_host *h)
{
    cleanup_free char *path = xasprintf("%s%s", h->v2_mount, h->leaf);

    if (!h->leaf[0])
        return;
    /* While a controller is enabled for the children, no process may enter. */
    control(h, h->parent, "cgroup.subtree_control", "-cpu");
    move_ours(h, h->leaf, h->parent);
    rmdir(path);
}
