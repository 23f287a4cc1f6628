/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hook of a plugin runs in the bench process, so it can do anything to it. Each call stands
 * between hook_begin() and hook_end(), which see to three things:
 *
 * - A mark says which hook is running, in memory that a parent process may share: when the process
 *   ends, crashes or hangs in a hook, the parent can still say whose it was (cli/supervisor.h).
 * - What the hook changed of the process is set back: working directory, umask, signal dispositions
 *   and mask, child processes. Such a hook has failed. A closed descriptor cannot be had back: the
 *   process ends, and the mark says why.
 * - A result that is neither 0 nor -1, and -1 without a message, become errors.
 *
 * An error names the plugin, its file and the hook. hooks.h has a function for each hook.
 */
#ifndef PLUGIN_HOOK_H
#define PLUGIN_HOOK_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <bench/plugin.h>

/* The process's own; there is one. */
struct hook_mark {
    atomic_uint_fast64_t sequence; /* grows by one on entry and on return: odd inside of a hook */
    char plugin[64];               /* empty while its name is not known */
    char file[512];
    char hook[64];
    char misdeed[256]; /* why the process ended itself behind the hook: "closed descriptor 2" */
};

/* Marks go there from now on; it lives as long as the process. */
void hook_mark_use(struct hook_mark *mark);
/* "plugin 'NAME' ('FILE'): hook 'HOOK'". */
const char *hook_mark_text(const struct hook_mark *mark, char *out, size_t size);

struct hook_descriptor {
    int fd;
    dev_t device;
    ino_t inode;
};

/* One call: what the process was like before. */
struct hook_call {
    pid_t pid;
    int directory;
    struct stat directory_was;
    mode_t mask;
    sigset_t blocked;
    struct sigaction signals[NSIG];
    char *children; /* "12 34 ", or NULL where the kernel does not tell */
    struct hook_descriptor *descriptors;
    size_t n_descriptors;
    struct bench_error error; /* what the hook is given as `err` */
};

/* `plugin` is NULL while it is being loaded from `file`; otherwise `file` may be NULL. */
void hook_begin(struct hook_call *c, const struct bench_plugin *plugin, const char *file,
                const char *hook);
/* `result` is the hook's. Returns 0, or -1 with the error. */
int hook_end(struct hook_call *c, int result, struct bench_error *err);
/* Between hook_begin() and hook_end(): the plugin has broken its contract. Returns -1. */
int BENCH_PRINTF(2, 3) hook_mistake(struct bench_error *err, const char *fmt, ...);

/* The file that a plugin was loaded from; NULL when it is not known. */
const char *plugin_file(const struct bench_plugin *plugin);

#endif
