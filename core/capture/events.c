/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/events.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libpfm4 brings a copy of <linux/perf_event.h>, which would define every name a second time. */
#define __PERFMON_PERF_EVENT_H__
#include <perfmon/pfmlib_perf_event.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/tracefs.h"

/* perf's generic events with a meaning; the cache events come from libpfm4. */
static const struct generic {
    const char *kind, *name, *help;
} generic[] = {
    {"hardware", "cycles", "CPU cycles, slower or faster with the clock"},
    {"hardware", "instructions", "instructions retired"},
    {"hardware", "cache-references", "accesses that reached the last level cache"},
    {"hardware", "cache-misses", "accesses that missed the last level cache"},
    {"hardware", "branches", "branch instructions retired"},
    {"hardware", "branch-misses", "branches that were predicted wrongly"},
    {"hardware", "bus-cycles", "bus cycles"},
    {"hardware", "stalled-cycles-frontend", "cycles that waited for instructions"},
    {"hardware", "stalled-cycles-backend", "cycles that waited for data or units"},
    {"hardware", "ref-cycles", "cycles at a constant clock"},
    {"software", "task-clock", "CPU time in ns"},
    {"software", "cpu-clock", "CPU time in ns, by another timer"},
    {"software", "context-switches", "switches to another task"},
    {"software", "cpu-migrations", "moves to another CPU"},
    {"software", "page-faults", "page faults"},
    {"software", "minor-faults", "page faults served from memory"},
    {"software", "major-faults", "page faults that needed I/O"},
    {"software", "cgroup-switches", "switches to a task of another control group"},
};

/* What stands behind the last ':' in perf's notation. */
struct modifiers {
    bool user, kernel, hypervisor;
    unsigned precise;
};

/* Cuts the modifiers off `name`, in place; false when the last part is something else. */
static bool cut_modifiers(char *name, struct modifiers *ret)
{
    struct modifiers m = {0};
    char *colon = strrchr(name, ':');

    if (!colon || colon == name || colon[-1] == ':' || !colon[1])
        return false;
    for (const char *p = colon + 1; *p; p++) {
        if (*p == 'u')
            m.user = true;
        else if (*p == 'k')
            m.kernel = true;
        else if (*p == 'h')
            m.hypervisor = true;
        else if (*p == 'p' && m.precise < 3)
            m.precise++;
        else
            return false;
    }
    *colon = '\0';
    *ret = m;
    return true;
}

static void apply_modifiers(const struct modifiers *m, struct perf_event_attr *attr)
{
    attr->precise_ip = m->precise;
    if (!m->user && !m->kernel && !m->hypervisor)
        return;
    attr->exclude_user = !m->user;
    attr->exclude_kernel = !m->kernel;
    attr->exclude_hv = !m->hypervisor;
}

/* perf writes lower case, apart from the caches' proper names; libpfm4 reads any case. */
static void perf_spelling(char *name)
{
    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (strncmp(name, "l1-", 3) == 0)
        *name = 'L';
    else if (strncmp(name, "llc-", 4) == 0)
        memcpy(name, "LLC", 3);
    else if (strncmp(name + 1, "tlb-", 4) == 0)
        memcpy(name + 1, "TLB", 3);
}

typedef void (*pfm_visit_fn)(void *context, const pfm_pmu_info_t *pmu,
                             const pfm_event_info_t *event);

/* Every event of the PMUs that libpfm4 finds here. */
static void visit_pfm(pfm_visit_fn visit, void *context)
{
    if (pfm_initialize() != PFM_SUCCESS)
        return;
    for (int i = PFM_PMU_NONE; i < PFM_PMU_MAX; i++) {
        pfm_pmu_info_t pmu = {.size = sizeof(pmu)};

        if (pfm_get_pmu_info((pfm_pmu_t)i, &pmu) != PFM_SUCCESS || !pmu.is_present)
            continue;
        for (int e = pmu.first_event; e != -1; e = pfm_get_event_next(e)) {
            pfm_event_info_t event = {.size = sizeof(event)};

            if (pfm_get_event_info(e, PFM_OS_PERF_EVENT_EXT, &event) == PFM_SUCCESS)
                visit(context, &pmu, &event);
        }
    }
}

/* libpfm4 lists perf's events under the header's names, with perf's names as aliases of them. */
static bool is_cache_alias(const pfm_pmu_info_t *pmu, const pfm_event_info_t *event)
{
    return pmu->pmu == PFM_PMU_PERF_EVENT && event->equiv &&
           strncmp(event->equiv, "PERF_COUNT_HW_CACHE_", 20) == 0 && strchr(event->equiv, ':');
}

static void add_candidate(void *context, const pfm_pmu_info_t *pmu, const pfm_event_info_t *event)
{
    struct strings *candidates = context;
    char *name;

    strings_add(candidates, event->name);
    name = candidates->items[candidates->count - 1];
    if (pmu->pmu == PFM_PMU_PERF_EVENT && event->equiv)
        perf_spelling(name);
}

static int unknown_event(const char *name, struct bench_error *err)
{
    cleanup_strings struct strings candidates = {0};
    const char *near;

    for (size_t i = 0; i < ARRAY_SIZE(generic); i++)
        strings_add(&candidates, generic[i].name);
    visit_pfm(add_candidate, &candidates);
    if (strchr(name, ':'))
        tracefs_names(&candidates);
    near = nearest(name, (const char *const *)candidates.items);
    error_set(err, BENCH_ERROR_USAGE, "unknown event '%s'", name);
    if (near)
        error_hint(err, "did you mean '%s'?", near);
    else
        error_hint(err, "'bench list events' shows all");
    return -1;
}

/* "skl::INST_RETIRED": the PMU that libpfm4 knows under the prefix but does not find here. */
static bool foreign_pmu(const char *name, const char **ret_description)
{
    const char *end = strstr(name, "::");

    for (int i = PFM_PMU_NONE; end && i < PFM_PMU_MAX; i++) {
        pfm_pmu_info_t pmu = {.size = sizeof(pmu)};

        if (pfm_get_pmu_info((pfm_pmu_t)i, &pmu) == PFM_SUCCESS && !pmu.is_present &&
            strlen(pmu.name) == (size_t)(end - name) &&
            strncasecmp(pmu.name, name, (size_t)(end - name)) == 0) {
            *ret_description = pmu.desc;
            return true;
        }
    }
    return false;
}

static pfm_err_t ask_pfm(const char *name, struct perf_event_attr *attr)
{
    pfm_perf_encode_arg_t arg = {.attr = attr, .size = sizeof(arg)};

    return pfm_get_os_event_encoding(name, PFM_PLM0 | PFM_PLM3 | PFM_PLMH, PFM_OS_PERF_EVENT_EXT,
                                     &arg);
}

static pfm_err_t try_pfm(const char *name, struct perf_event_attr *attr)
{
    pfm_err_t rc = pfm_initialize();

    if (rc != PFM_SUCCESS)
        return rc;
    if (!strstr(name, "::")) { /* perf's own names come before a CPU's */
        cleanup_free char *qualified = xasprintf("perf::%s", name);

        rc = ask_pfm(qualified, attr);
        if (rc != PFM_ERR_NOTFOUND)
            return rc;
    }
    return ask_pfm(name, attr);
}

static int explain_pfm(const char *name, pfm_err_t rc, struct bench_error *err)
{
    const char *description;

    if (rc == PFM_ERR_NOTFOUND && foreign_pmu(name, &description)) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s' is of another CPU: %s", name,
                  description);
        error_hint(err, "'bench list events' shows what this one counts");
        return -1;
    }
    if (rc == PFM_ERR_NOTFOUND)
        return unknown_event(name, err);
    if (rc == PFM_ERR_NOTSUPP || rc == PFM_ERR_NOINIT)
        return error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s': libpfm4: %s", name,
                         pfm_strerror(rc));
    error_set(err, BENCH_ERROR_USAGE, "event '%s': %s", name, pfm_strerror(rc));
    error_hint(err, "modifiers are u (user), k (kernel), h (hypervisor) and p (precise), as in "
                    "'cycles:u'; a unit mask or attribute must be one of the event's");
    return -1;
}

static int encode_pfm(const char *name, struct perf_event_attr *attr, struct bench_error *err)
{
    pfm_err_t rc = try_pfm(name, attr);

    return rc == PFM_SUCCESS ? 0 : explain_pfm(name, rc, err);
}

static int encode_tracepoint(const char *name, const char *system, const char *event,
                             struct perf_event_attr *attr, struct bench_error *err)
{
    int64_t id = tracefs_id(system, event);

    if (id < 0)
        return unknown_event(name, err);
    attr->type = PERF_TYPE_TRACEPOINT;
    attr->config = (uint64_t)id;
    return 0;
}

/* A name with one colon may be a tracepoint or a CPU's event with a unit mask: the kernel's list
 * decides; where it cannot be read, libpfm4 does. */
static int encode_colon(const char *name, const char *system, const char *event,
                        struct perf_event_attr *attr, struct bench_error *err)
{
    enum tracefs_access found;
    pfm_err_t rc;

    if (tracefs_has_system(system))
        return encode_tracepoint(name, system, event, attr, err);
    rc = try_pfm(name, attr);
    if (rc == PFM_SUCCESS)
        return 0;
    found = tracefs_access();
    if (rc == PFM_ERR_NOTFOUND && found != TRACEFS_READABLE)
        return tracefs_explain(name, found, err);
    return explain_pfm(name, rc, err);
}

int event_encode(const char *name, struct perf_event_attr *attr, struct bench_error *err)
{
    cleanup_free char *base = xstrdup(name), *system = NULL;
    struct modifiers modifiers = {0};
    struct perf_event_attr made = {0};
    char *colon;
    int rc;

    cut_modifiers(base, &modifiers);
    colon = strchr(base, ':');
    if (colon && colon == strrchr(base, ':')) {
        system = xstrndup(base, (size_t)(colon - base));
        rc = encode_colon(base, system, colon + 1, &made, err);
    } else {
        rc = encode_pfm(base, &made, err);
    }
    if (rc < 0)
        return -1;
    made.size = sizeof(made);
    apply_modifiers(&modifiers, &made);
    *attr = made;
    return 0;
}

static bool opens(const char *name)
{
    struct bench_error ignored = {0};
    struct perf_event_attr attr;
    enum bench_state state;
    bool user_only;
    int fd;

    if (event_encode(name, &attr, &ignored) < 0)
        return false;
    attr.disabled = 1;
    fd = event_open(name, &attr, 0, &user_only, &state, &ignored);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

struct listing {
    event_visit_fn visit;
    void *context;
};

static void list_pfm(void *context, const pfm_pmu_info_t *pmu, const pfm_event_info_t *event)
{
    const struct listing *l = context;

    if (is_cache_alias(pmu, event)) {
        cleanup_free char *name = xstrdup(event->name);

        perf_spelling(name);
        l->visit(l->context, "cache", name, opens(name), event->desc);
    } else if (pmu->pmu != PFM_PMU_PERF_EVENT && pmu->pmu != PFM_PMU_PERF_EVENT_RAW) {
        /* A CPU's own event mostly needs a unit mask; what can be told is whether it has a PMU. */
        cleanup_free char *name = xasprintf("%s::%s", pmu->name, event->name);

        l->visit(l->context, pmu->name, name, event_have_pmu(), event->desc);
    }
}

static void list_tracepoints(const struct listing *l)
{
    cleanup_strings struct strings names = {0};
    bool usable;

    tracefs_names(&names);
    usable = names.count && opens(names.items[0]); /* the right to one is the right to all */
    for (size_t i = 0; i < names.count; i++)
        l->visit(l->context, "tracepoint", names.items[i], usable, "");
}

void event_list(event_visit_fn visit, void *context)
{
    struct listing l = {.visit = visit, .context = context};

    for (size_t i = 0; i < ARRAY_SIZE(generic); i++)
        visit(context, generic[i].kind, generic[i].name, opens(generic[i].name), generic[i].help);
    visit_pfm(list_pfm, &l);
    list_tracepoints(&l);
}
