/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/hook.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* A crash leaves no other way to learn what was running. */
static struct hook_mark own_mark, *mark = &own_mark;

void hook_mark_use(struct hook_mark *where)
{
    mark = where;
}

const char *hook_mark_text(const struct hook_mark *m, char *out, size_t size)
{
    snprintf(out, size, "plugin %s%s%s'%s'%s: hook '%s'", m->plugin[0] ? "'" : "", m->plugin,
             m->plugin[0] ? "' (" : "", m->file, m->plugin[0] ? ")" : "", m->hook);
    return out;
}

const char *plugin_file(const struct bench_plugin *plugin)
{
    Dl_info info;

    return dladdr(plugin, &info) ? info.dli_fname : NULL;
}

/* ---- what the process is like ---- */

static int by_number(const void *a, const void *b)
{
    const struct hook_descriptor *x = a, *y = b;

    return (x->fd > y->fd) - (x->fd < y->fd);
}

static void list_descriptors(struct hook_call *c)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t capacity = 0;
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        int fd = atoi(entry->d_name);
        struct stat st;

        if (entry->d_name[0] == '.' || fd == dirfd(directory) || fstat(fd, &st) < 0)
            continue;
        c->descriptors =
            grow(c->descriptors, &capacity, c->n_descriptors + 1, sizeof(*c->descriptors));
        c->descriptors[c->n_descriptors++] = (struct hook_descriptor){fd, st.st_dev, st.st_ino};
    }
    if (directory)
        closedir(directory);
    if (c->n_descriptors)
        qsort(c->descriptors, c->n_descriptors, sizeof(*c->descriptors), by_number);
}

/* The first one that is gone or another file now; -1: none. */
static int lost_descriptor(const struct hook_call *c)
{
    struct stat st;

    for (size_t i = 0; i < c->n_descriptors; i++) {
        const struct hook_descriptor *d = &c->descriptors[i];

        if (fstat(d->fd, &st) < 0 || st.st_dev != d->device || st.st_ino != d->inode)
            return d->fd;
    }
    return -1;
}

static char *list_children(void)
{
    return file_peek("/proc/thread-self/children");
}

static bool same_action(const struct sigaction *a, const struct sigaction *b)
{
    return a->sa_handler == b->sa_handler && a->sa_flags == b->sa_flags;
}

/* ---- setting it back; each says what was changed, or NULL ---- */

static const char *restore_directory(const struct hook_call *c)
{
    struct stat now;

    if (c->directory < 0 || (stat(".", &now) == 0 && now.st_dev == c->directory_was.st_dev &&
                             now.st_ino == c->directory_was.st_ino))
        return NULL;
    return fchdir(c->directory) < 0 ? "left the working directory for good"
                                    : "changed the working directory";
}

static const char *restore_mask(const struct hook_call *c)
{
    return umask(c->mask) == c->mask ? NULL : "changed the umask";
}

static const char *restore_signals(const struct hook_call *c)
{
    bool changed = false;
    sigset_t now;

    for (int s = 1; s < NSIG; s++) {
        struct sigaction action;

        if (sigaction(s, NULL, &action) < 0 || same_action(&action, &c->signals[s]))
            continue;
        sigaction(s, &c->signals[s], NULL);
        changed = true;
    }
    sigprocmask(SIG_SETMASK, &c->blocked, &now);
    for (int s = 1; s < NSIG; s++)
        changed |= sigismember(&now, s) != sigismember(&c->blocked, s);
    return changed ? "changed how signals are handled" : NULL;
}

/* Those that it started are killed. */
static const char *restore_children(const struct hook_call *c)
{
    cleanup_free char *now = list_children();
    cleanup_strings struct strings before = {0}, after = {0};
    const char *changed = NULL;

    if (!now || (c->children && strcmp(now, c->children) == 0))
        return NULL;
    strings_split(&before, c->children ? c->children : "", " ");
    strings_split(&after, now, " ");
    for (size_t i = 0; i < after.count; i++) {
        pid_t pid = atoi(after.items[i]);

        if (strings_has(&before, after.items[i]))
            continue;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        changed = "started a process";
    }
    return changed;
}

static const char *restore(const struct hook_call *c)
{
    const char *(*const all[])(const struct hook_call *) = {restore_signals, restore_directory,
                                                            restore_mask, restore_children};
    const char *first = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const char *changed = all[i](c);

        first = first ? first : changed;
    }
    return first;
}

/* ---- a call ---- */

static void enter(const struct bench_plugin *plugin, const char *file, const char *hook)
{
    file = file ? file : plugin_file(plugin);
    snprintf(mark->plugin, sizeof(mark->plugin), "%s", plugin ? plugin->name : "");
    snprintf(mark->file, sizeof(mark->file), "%s", file ? file : "unknown");
    snprintf(mark->hook, sizeof(mark->hook), "%s", hook);
    atomic_fetch_add(&mark->sequence, 1);
}

void hook_begin(struct hook_call *c, const struct bench_plugin *plugin, const char *file,
                const char *hook)
{
    *c = (struct hook_call){.pid = getpid()};
    c->directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (c->directory >= 0)
        fstat(c->directory, &c->directory_was);
    c->mask = umask(077);
    umask(c->mask);
    sigprocmask(SIG_SETMASK, NULL, &c->blocked);
    for (int s = 1; s < NSIG; s++)
        sigaction(s, NULL, &c->signals[s]);
    c->children = list_children();
    list_descriptors(c);
    enter(plugin, file, hook);
}

/* A hook that is given no way to fail is told all the same. */
static void check_process(struct hook_call *c)
{
    int lost;

    if (getpid() != c->pid) /* a child that the hook forked: there is one bench */
        _exit(BENCH_ERROR_RUN);
    lost = lost_descriptor(c);
    if (lost < 0)
        return;
    /* The next file that is opened would take its place, and get what is meant for another. */
    snprintf(mark->misdeed, sizeof(mark->misdeed), "closed descriptor %d", lost);
    _exit(BENCH_ERROR_RUN);
}

int hook_mistake(struct bench_error *err, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    char where[768];
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    error_set(err, BENCH_ERROR_RUN, "%s %s", hook_mark_text(mark, where, sizeof(where)),
              text_get(&t));
    error_hint(err, "this is a mistake in the plugin: docs/plugin-api.md says what a hook may do");
    return -1;
}

/* What the hook wrote there may be anything. */
static int take_error(struct hook_call *c, struct bench_error *err)
{
    struct bench_error *own = &c->error;

    own->message[sizeof(own->message) - 1] = '\0';
    own->detail[sizeof(own->detail) - 1] = '\0';
    own->hint[sizeof(own->hint) - 1] = '\0';
    if (!own->message[0])
        return hook_mistake(err, "failed without saying why");
    if (own->kind <= BENCH_ERROR_NONE || own->kind > BENCH_ERROR_ENVIRONMENT)
        own->kind = BENCH_ERROR_RUN;
    if (err)
        *err = *own;
    return -1;
}

int hook_end(struct hook_call *c, int result, struct bench_error *err)
{
    const char *changed;

    check_process(c);
    changed = restore(c);
    if (changed)
        result = hook_mistake(err, "%s", changed);
    else if (result == -1)
        result = take_error(c, err);
    else if (result != 0)
        result = hook_mistake(err, "returned %d: 0 or -1 is expected", result);
    atomic_fetch_add(&mark->sequence, 1);
    free(c->children);
    free(c->descriptors);
    cleanup_closep(&c->directory);
    return result;
}
