/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/events.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static int perf_open(struct perf_event_attr *attr, pid_t pid)
{
    return (int)syscall(SYS_perf_event_open, attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int event_paranoid(void)
{
    cleanup_free char *text = file_peek("/proc/sys/kernel/perf_event_paranoid");

    return text ? atoi(text) : -2;
}

/* CPU PMUs by their names in sysfs: "cpu" (x86), "cpu_core" and "cpu_atom" (hybrid x86),
 * "armv8_pmuv3_0" and the like, "cpum_cf" (s390). */
static bool sysfs_has_cpu_pmu(void)
{
    DIR *dir = opendir(EVENT_DEVICES);
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir)))
        found = strncmp(entry->d_name, "cpu", 3) == 0 || strncmp(entry->d_name, "armv", 4) == 0;
    if (dir)
        closedir(dir);
    return found;
}

bool event_have_pmu(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_HW_CPU_CYCLES,
        .disabled = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    int fd = perf_open(&attr, 0);

    if (fd >= 0) {
        close(fd);
        return true;
    }
    /* Forbidden is not missing. */
    return (errno == EACCES || errno == EPERM) && sysfs_has_cpu_pmu();
}

static bool is_hardware(const struct perf_event_attr *attr)
{
    return attr->type != PERF_TYPE_SOFTWARE && attr->type != PERF_TYPE_TRACEPOINT &&
           attr->type != PERF_TYPE_BREAKPOINT;
}

static enum bench_state explain_missing(const char *name, const struct perf_event_attr *attr,
                                        struct bench_error *err)
{
    if (attr->type == PERF_TYPE_TRACEPOINT) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s': this kernel has no such tracepoint",
                  name);
    } else if (!is_hardware(attr)) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s': this kernel does not count it", name);
    } else if (!event_have_pmu()) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "event '%s': this machine has no hardware performance counters (no 'cpu' PMU in "
                  "'" EVENT_DEVICES "')",
                  name);
        error_hint(err, "run on bare metal, or give the virtual machine a PMU (KVM: '-cpu "
                        "host,pmu=on')");
    } else {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s': this CPU does not count it", name);
        error_hint(err, "'bench list events' shows what it counts");
    }
    return BENCH_NOT_SUPPORTED;
}

/* The highest paranoia at which an ordinary user may count this event. */
static int needed_paranoia(const struct perf_event_attr *attr)
{
    if (attr->type == PERF_TYPE_TRACEPOINT)
        return -1;
    return attr->exclude_kernel ? 2 : 1;
}

static enum bench_state explain_forbidden(const char *name, const struct perf_event_attr *attr,
                                          int errnum, struct bench_error *err)
{
    int paranoid = event_paranoid(), needed = needed_paranoia(attr);

    if (geteuid() == 0 || paranoid <= needed) {
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errnum,
                    "event '%s': the kernel refuses perf_event_open() here", name);
        error_hint(err, "in a container, allow the system call and CAP_PERFMON (docker: "
                        "'--cap-add PERFMON' and a seccomp profile with perf_event_open)");
    } else {
        error_set(
            err, BENCH_ERROR_ENVIRONMENT,
            "event '%s': not permitted: '/proc/sys/kernel/perf_event_paranoid' is %d and this "
            "user lacks CAP_PERFMON",
            name, paranoid);
        error_hint(err,
                   "run as root or with CAP_PERFMON, or let every user: sysctl "
                   "kernel.perf_event_paranoid=%d",
                   needed);
    }
    return BENCH_NOT_SUPPORTED;
}

enum bench_state event_explain(const char *name, const struct perf_event_attr *attr, int errnum,
                               struct bench_error *err)
{
    switch (errnum) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return explain_missing(name, attr, err);
    case EACCES:
    case EPERM:
        return explain_forbidden(name, attr, errnum, err);
    case EOPNOTSUPP:
        if (is_hardware(attr) && !event_have_pmu())
            return explain_missing(name, attr, err);
        error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s': its PMU cannot count it this way%s",
                  name, attr->precise_ip ? " (precise)" : " (per process, with its children)");
        error_hint(err, attr->precise_ip ? "leave out the modifier ':p'"
                                         : "'bench list events' shows what works");
        return BENCH_NOT_SUPPORTED;
    case EINVAL:
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "event '%s': the kernel rejects its parameters on this machine (type %u, config "
                  "0x%llx)",
                  name, attr->type, (unsigned long long)attr->config);
        error_hint(err, "the CPU may not have this combination; 'bench list events' shows what it "
                        "counts");
        return BENCH_NOT_SUPPORTED;
    case ENOSYS:
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "event '%s': this kernel was built without performance events", name);
        return BENCH_NOT_SUPPORTED;
    case EMFILE:
        error_set(err, BENCH_ERROR_RUN,
                  "event '%s': too many open files: each event of each role "
                  "needs one",
                  name);
        error_hint(err, "raise the limit (ulimit -n), or name fewer events or roles");
        return BENCH_FAILED;
    case EBUSY:
        error_set(err, BENCH_ERROR_RUN, "event '%s': another user of the PMU holds it exclusively",
                  name);
        error_hint(err, "look for a running perf, or the NMI watchdog: sysctl "
                        "kernel.nmi_watchdog=0");
        return BENCH_FAILED;
    case ESRCH:
        error_set(err, BENCH_ERROR_RUN, "event '%s': the process has ended", name);
        return BENCH_FAILED;
    default:
        error_errno(err, BENCH_ERROR_RUN, errnum, "event '%s': cannot open it", name);
        return BENCH_FAILED;
    }
}

static bool is_clock(const struct perf_event_attr *attr)
{
    return attr->type == PERF_TYPE_SOFTWARE &&
           (attr->config == PERF_COUNT_SW_TASK_CLOCK || attr->config == PERF_COUNT_SW_CPU_CLOCK);
}

/* The kernel's own events (switches, migrations, tracepoints) happen in kernel mode: user-only they
 * open and stay 0 for ever, which would be a lie. */
static bool counts_user_mode(const struct perf_event_attr *attr)
{
    if (attr->exclude_user || attr->exclude_kernel)
        return false;
    if (attr->type != PERF_TYPE_SOFTWARE)
        return is_hardware(attr);
    return is_clock(attr) || attr->config == PERF_COUNT_SW_PAGE_FAULTS ||
           attr->config == PERF_COUNT_SW_PAGE_FAULTS_MIN ||
           attr->config == PERF_COUNT_SW_PAGE_FAULTS_MAJ;
}

int event_open(const char *name, struct perf_event_attr *attr, pid_t pid, bool *ret_user_only,
               enum bench_state *ret_state, struct bench_error *err)
{
    int fd = perf_open(attr, pid), errnum = errno;
    struct perf_event_attr user = *attr;

    if (fd < 0 && (errnum == EACCES || errnum == EPERM) && counts_user_mode(attr)) {
        user.exclude_kernel = 1;
        user.exclude_hv = 1;
        fd = perf_open(&user, pid);
        if (fd >= 0) {
            *attr = user;
            *ret_user_only = !is_clock(attr); /* a task's clock runs in both modes */
            return fd;
        }
        errnum = errno;
    }
    if (fd < 0) {
        *ret_state = event_explain(name, &user, errnum, err);
        return -1;
    }
    *ret_user_only = false;
    return fd;
}

bool event_have_build_ids(void)
{
    struct perf_event_attr attr = {.size = sizeof(attr),
                                   .type = PERF_TYPE_SOFTWARE,
                                   .config = PERF_COUNT_SW_DUMMY,
                                   .disabled = 1,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1,
                                   .mmap = 1,
                                   .mmap2 = 1,
                                   .build_id = 1};
    cleanup_close int fd = perf_open(&attr, 0);

    return fd >= 0;
}
