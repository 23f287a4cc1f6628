/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events are those of `perf mem record` (tools/perf/util/mem-events.c and its arch files in
 * Linux), with names of their own: perf takes no commands for names as long as theirs.
 */
#include "capture/memory_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "capture/events.h"

enum { USUAL_LATENCY = 30 };

static bool has(const char *devices, const char *device, const char *event)
{
    cleanup_free char *path = event ? xasprintf("%s/%s/events/%s", devices, device, event)
                                    : xasprintf("%s/%s", devices, device);

    return access(path, F_OK) == 0;
}

/* A CPU that also has the event mem-loads-aux (Sapphire Rapids) samples loads only beside it. */
static void add_pebs(struct memory_events *m, const char *devices, const char *pmu, int64_t latency)
{
    long long least = latency ? latency : USUAL_LATENCY;

    if (has(devices, pmu, "mem-loads-aux")) {
        strings_addf(&m->events,
                     "{%s/mem-loads-aux,name=%s-aux/,%s/mem-loads,ldlat=%lld,name=%s-loads/}:P",
                     pmu, pmu, pmu, least, pmu);
        strings_addf(&m->names, "%s-aux", pmu); /* leads the group: the loads follow it */
    } else {
        strings_addf(&m->events, "%s/mem-loads,ldlat=%lld,name=%s-loads/P", pmu, least, pmu);
        strings_addf(&m->names, "%s-loads", pmu);
    }
    if (has(devices, pmu, "mem-stores")) {
        strings_addf(&m->events, "%s/mem-stores,name=%s-stores/P", pmu, pmu);
        strings_addf(&m->names, "%s-stores", pmu);
    }
}

static bool find_pebs(struct memory_events *m, const char *devices, int64_t latency)
{
    /* One kind of core, or two. */
    static const char *const pmus[] = {"cpu", "cpu_core", "cpu_atom"};

    for (size_t i = 0; i < ARRAY_SIZE(pmus); i++)
        if (has(devices, pmus[i], "mem-loads"))
            add_pebs(m, devices, pmus[i], latency);
    m->kind = "PEBS";
    return m->events.count > 0;
}

static bool find_spe(struct memory_events *m, const char *devices, int64_t latency)
{
    if (!has(devices, "arm_spe_0", NULL))
        return false;
    m->kind = "SPE";
    strings_addf(&m->events,
                 "arm_spe_0/ts_enable=1,pa_enable=1,load_filter=1,store_filter=1,min_latency=%lld,"
                 "name=arm_spe/",
                 (long long)(latency ? latency : USUAL_LATENCY));
    strings_add(&m->names, "arm_spe");
    return true;
}

static bool find_ibs(struct memory_events *m, const char *devices)
{
    if (!has(devices, "ibs_op", NULL))
        return false;
    m->kind = "IBS";
    strings_add(&m->events, "ibs_op//");
    strings_add(&m->names, "ibs_op//");
    return true;
}

int memory_events_find(struct memory_events *ret, const char *devices, int64_t latency,
                       struct bench_error *err)
{
    *ret = (struct memory_events){0};
    if (find_pebs(ret, devices, latency) || find_spe(ret, devices, latency))
        return 0;
    if (!find_ibs(ret, devices)) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "this machine does not sample memory accesses: '%s' has neither "
                  "'cpu/events/mem-loads' (Intel PEBS) nor 'ibs_op' (AMD IBS) nor 'arm_spe_0' (ARM "
                  "SPE)",
                  devices);
        error_hint(err, "use an Intel, AMD or ARM server CPU on bare metal, or a virtual machine "
                        "that is given its PMU; here 'bench record' shows where time goes, and "
                        "'bench stat' context switches and migrations, which move cache lines");
        return -1;
    }
    if (latency == 0)
        return 0;
    memory_events_release(ret);
    error_set(err, BENCH_ERROR_ENVIRONMENT,
              "option 'ldlat': AMD IBS samples accesses of every latency");
    error_hint(err, "leave it out");
    return -1;
}

/* The others need no try: the kernel has their events only where it can sample by them. */
int memory_events_try(const struct memory_events *m, const char *devices, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/ibs_op/type", devices);
    struct perf_event_attr attr = {
        .size = sizeof(attr),
        .disabled = 1,
        .freq = 1,
        .sample_freq = 100,
        .sample_type = PERF_SAMPLE_IP,
    };
    cleanup_free char *type = NULL;
    cleanup_close int fd = -1;

    if (strcmp(m->kind, "IBS") != 0)
        return 0;
    type = file_peek(path);
    attr.type = type ? (uint32_t)strtoul(type, NULL, 10) : 0;
    fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0)
        return 0;
    event_explain("ibs_op//", &attr, errno, err);
    err->kind = BENCH_ERROR_ENVIRONMENT;
    if (!err->hint[0])
        error_hint(err,
                   "IBS samples single processes from Linux 6.2 on; 'bench record' shows where "
                   "time goes");
    return -1;
}

void memory_events_release(struct memory_events *m)
{
    strings_release(&m->events);
    strings_release(&m->names);
}
