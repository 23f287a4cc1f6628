/* SPDX-License-Identifier: Apache-2.0 */
#include "process/containment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "process/descendants.h"
#include "process/init.h"
#include "process/network.h"

#define PATIENCE_NS (10 * NS_PER_S)

/* ---- what this host allows ---- */

/* Tried for real: capabilities do not tell what a seccomp filter or a limit refuses. */
static bool can_make_pid_namespaces(void)
{
    pid_t pid = init_fork(true, -1);

    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static bool can_make_network_namespaces(void)
{
    struct network *n;

    if (network_new(&n, true, NULL, NULL) < 0)
        return false;
    network_free(n);
    return true;
}

static int check_proc(const struct containment *c, struct bench_error *err)
{
    char self[32] = "";
    ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

    if (n <= 0 || atoi(self) != getpid()) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "'/proc' does not show this process");
        error_hint(err, "mount the proc file system of this PID namespace: "
                        "'mount -t proc proc /proc'");
        return -1;
    }
    if (!c->pid_namespaces && access("/proc/thread-self/children", R_OK) < 0) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "cannot contain processes: no PID namespaces and no '/proc/PID/task/*/children'");
        error_hint(err, "run as root or in a user namespace ('unshare -Ur bench …'), or use a kernel "
                        "with CONFIG_PROC_CHILDREN");
        return -1;
    }
    return 0;
}

/* ---- the guardian ---- */

/* Holds nothing of the bench's but the pipe's reading end: a reader of the bench's output must see
 * its end when the bench is gone. */
static void become_guardian(int pipe_end)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    int null = open("/dev/null", O_RDWR);

    setsid();
    prctl(PR_SET_NAME, "bench-guardian");
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        signal(ignored[i], SIG_IGN);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    dup2(pipe_end, 3);
    close_range(4, ~0U, 0);
    if (chdir("/") < 0)
        _exit(1);
}

/* "+PATH" and "-PATH": directories to remove should the bench die. */
static void take_note(struct strings *directories, const char *packet)
{
    if (packet[0] == '+') {
        strings_add(directories, packet + 1);
        return;
    }
    for (size_t i = 0; i < directories->count; i++)
        if (strcmp(directories->items[i], packet + 1) == 0) {
            free(directories->items[i]);
            directories->items[i] = directories->items[--directories->count];
            directories->items[directories->count] = NULL;
            return;
        }
}

_Noreturn static void guard(const struct containment *c, int pipe_end)
{
    struct strings directories = {0};
    char packet[4352];
    ssize_t n;

    become_guardian(pipe_end);
    while ((n = read(3, packet, sizeof(packet) - 1)) != 0) {
        packet[n > 0 ? n : 0] = '\0';
        if (n > 1)
            take_note(&directories, packet);
        else if (n < 0 && errno != EINTR)
            break;
    }
    cgroup_destroy_tree(&c->host, c->id);
    cgroup_host_leave(&c->host);
    for (size_t i = 0; i < directories.count; i++)
        directory_remove(AT_FDCWD, directories.items[i], NULL);
    _exit(0);
}

static void tell_guardian(const struct containment *c, char what, const char *path)
{
    cleanup_free char *packet = xasprintf("%c%s", what, path);

    send(c->guardian_pipe, packet, strlen(packet), MSG_NOSIGNAL);
}

void containment_remember(const struct containment *c, const char *path)
{
    tell_guardian(c, '+', path);
}

void containment_forget(const struct containment *c, const char *path)
{
    tell_guardian(c, '-', path);
}

static int start_guardian(struct containment *c, struct bench_error *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a socket pair");
    c->guardian = fork();
    if (c->guardian == 0)
        guard(c, pair[1]);
    close(pair[1]);
    if (c->guardian < 0) {
        close(pair[0]);
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot start the guardian");
    }
    c->guardian_pipe = pair[0];
    return 0;
}

/* ---- children ---- */

struct own_children {
    pid_t *items; /* the guardian first */
    size_t count, capacity;
};

void containment_add_child(const struct containment *c, pid_t pid)
{
    struct own_children *own = c->own;

    own->items = grow(own->items, &own->capacity, own->count + 1, sizeof(*own->items));
    own->items[own->count++] = pid;
}

void containment_drop_child(const struct containment *c, pid_t pid)
{
    struct own_children *own = c->own;

    for (size_t i = 0; i < own->count; i++)
        if (own->items[i] == pid) {
            own->items[i] = own->items[--own->count];
            return;
        }
}

int containment_kill_adopted(const struct containment *c)
{
    return descendants_kill_adopted(c->own->items, c->own->count, clock_now() + PATIENCE_NS);
}

/* ---- life ---- */

int containment_start(struct containment *c, struct bench_error *err)
{
    struct containment made = {.guardian_pipe = -1};

    cgroup_owner_id(made.id, sizeof(made.id));
    cgroup_host_detect(&made.host);
    made.pid_namespaces = can_make_pid_namespaces();
    made.network_namespaces = can_make_network_namespaces();
    if (check_proc(&made, err) < 0)
        return -1;
    cgroup_sweep_stale(&made.host);
    cgroup_claim(&made.host, made.id, &made.claim);
    if (cgroup_host_enter(&made.host, made.id, err) < 0 || start_guardian(&made, err) < 0) {
        cgroup_destroy_tree(&made.host, made.id);
        cgroup_host_leave(&made.host);
        cgroup_claim_release(&made.claim);
        return -1;
    }
    made.own = xcalloc(1, sizeof(*made.own));
    containment_add_child(&made, made.guardian);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *c = made;
    return 0;
}

/* The name of a group of ours below `mount`; false when there is none. */
static bool find_group(const struct containment *c, const char *mount, const char *parent,
                       char *ret, size_t size)
{
    cleanup_free char *path = xasprintf("%s%s/%s", mount, parent, c->id);
    DIR *dir = *mount ? opendir(path) : NULL;
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            snprintf(ret, size, "%s/%s", path, entry->d_name);
            found = true;
        }
    if (dir)
        closedir(dir);
    return found;
}

int containment_stop(struct containment *c, struct bench_error *err)
{
    const struct cgroup_host *h = &c->host;
    const char *const places[][2] = {{h->v2_mount, h->parent},
                                     {h->accounting_mount, h->accounting_parent},
                                     {h->cpu_mount, h->cpu_parent}};
    char left[512];
    bool found = false;
    int rc = 0;

    for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++)
        found = find_group(c, places[i][0], places[i][1], left, sizeof(left));
    if (cgroup_destroy_tree(&c->host, c->id) != 0) {
        rc = error_set(err, BENCH_ERROR_RUN, "control groups '%s' cannot be removed", c->id);
        error_hint(err, "the next run sweeps them; a process in them may be stuck in the kernel");
    } else if (found) {
        rc = error_set(err, BENCH_ERROR_RUN, "control group '%s' was left; killed and removed",
                       left);
    }
    /* Nothing is left for it to do, and it ignores whatever is politer. */
    kill(c->guardian, SIGKILL);
    waitpid(c->guardian, NULL, 0);
    close(c->guardian_pipe);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    free(c->own->items);
    free(c->own);
    c->own = NULL;
    cgroup_host_leave(&c->host);
    cgroup_claim_release(&c->claim);
    c->guardian = 0;
    c->guardian_pipe = -1;
    return rc;
}
