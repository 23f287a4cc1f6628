/* SPDX-License-Identifier: Apache-2.0 */
#include "process/controller.h"

#include <libcgroup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static void discard(void *data, int level, const char *fmt, va_list ap)
{
    (void)data, (void)level, (void)fmt, (void)ap;
}

int controller_init(struct bench_error *err)
{
    int code;

    cgroup_set_logger(discard, CGROUP_LOG_ERROR, NULL);
    code = cgroup_init();
    if (code)
        return error_set(err, BENCH_ERROR_ENVIRONMENT, "libcgroup: %s", cgroup_strerror(code));
    return 0;
}

int controller_mount(const char *controller, char *out, size_t size)
{
    char *mount;
    size_t length;

    if (cgroup_get_subsys_mount_point(controller, &mount))
        return -1;
    length = strlen(mount);
    if (length < size)
        memcpy(out, mount, length + 1);
    free(mount);
    return length < size ? 0 : -1;
}

static void cgroup_freep(struct cgroup **group)
{
    if (*group)
        cgroup_free(group);
}
#define cleanup_libcgroup __attribute__((cleanup(cgroup_freep)))

static struct cgroup *describe(const char *controller, const char *group,
                               const struct controller_value *values, size_t n)
{
    cleanup_libcgroup struct cgroup *g = cgroup_new_cgroup(group);
    struct cgroup_controller *c = g ? cgroup_add_controller(g, controller) : NULL;
    struct cgroup *ready;

    if (!c)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (cgroup_add_value_string(c, values[i].name, values[i].value))
            return NULL;
    ready = g;
    g = NULL;
    return ready;
}

static int failed(int code, const char *what, const char *controller, const char *group,
                  struct bench_error *err)
{
    /* ECGOTHER stands for "see errno"; the library keeps that. */
    const char *why = code == ECGOTHER ? strerror(cgroup_get_last_errno()) : cgroup_strerror(code);

    return error_set(err, BENCH_ERROR_ENVIRONMENT, "cannot %s '%s' of controller '%s': %s", what,
                     group, controller, why);
}

int controller_create(const char *controller, const char *group,
                      const struct controller_value *values, size_t n, struct bench_error *err)
{
    cleanup_libcgroup struct cgroup *g = describe(controller, group, values, n);
    int code = g ? cgroup_create_cgroup(g, 1) : ECGFAIL;

    return code ? failed(code, "make control group", controller, group, err) : 0;
}

int controller_set(const char *controller, const char *group, const struct controller_value *values,
                   size_t n, struct bench_error *err)
{
    cleanup_libcgroup struct cgroup *g = describe(controller, group, values, n);
    int code = g ? cgroup_modify_cgroup(g) : ECGFAIL;

    return code ? failed(code, "set values of control group", controller, group, err) : 0;
}

static int read_value(const char *controller, const char *group, const char *name, char *out,
                      int size)
{
    void *handle = NULL;
    char file[64];
    int code;

    snprintf(file, sizeof(file), "%s", name);
    code = cgroup_read_value_begin(controller, group, file, &handle, out, size);
    if (handle)
        cgroup_read_value_end(&handle);
    if (code)
        return -1;
    out[strcspn(out, "\n")] = '\0';
    return 0;
}

int controller_verify(const char *controller, const char *group,
                      const struct controller_value *values, size_t n, struct bench_error *err)
{
    for (size_t i = 0; i < n; i++) {
        char shown[64];

        if (read_value(controller, group, values[i].name, shown, sizeof(shown)) < 0)
            return error_set(err, BENCH_ERROR_ENVIRONMENT,
                             "cannot read '%s' of control group '%s' back", values[i].name, group);
        if (strcmp(shown, values[i].value) != 0)
            return error_set(err, BENCH_ERROR_ENVIRONMENT,
                             "'%s' of control group '%s' was set to '%s' but reads '%s'",
                             values[i].name, group, values[i].value, shown);
    }
    return 0;
}

void controller_remove(const char *controller, const char *group)
{
    cleanup_libcgroup struct cgroup *g = describe(controller, group, NULL, 0);

    if (g)
        cgroup_delete_cgroup_ext(g, CGFLAG_DELETE_EMPTY_ONLY);
}
