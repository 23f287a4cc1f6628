/* SPDX-License-Identifier: Apache-2.0 */
#include "study/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "plugin/host.h"
#include "process/command.h"

/* Checking out a large tree from a slow disk; everything else takes milliseconds. */
#define PATIENCE (600 * NS_PER_S)
#define MOST_OUTPUT ((size_t)256 << 20)
#define TREES "bench-bisect-"

/* --- git ------------------------------------------------------------------------------------ */

void history_forget_repository(struct strings *argv)
{
    static const char *const variables[] = {
        "GIT_DIR",        "GIT_WORK_TREE",        "GIT_INDEX_FILE", "GIT_PREFIX",
        "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"};

    strings_add(argv, "env");
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        strings_add(argv, "-u");
        strings_add(argv, variables[i]);
    }
}

/* Configuration of the user's that would put other lines between the answers, start what outlives a
 * question, or run hooks of theirs. */
static const char *const settings[] = {"log.showSignature=false", "gc.auto=0",
                                       "core.fsmonitor=false", "core.hooksPath=/dev/null"};

static char *output_of(const struct history *h, const char *stream)
{
    cleanup_free char *path = xasprintf("%s/%s", h->log, stream);
    char *data;
    size_t length;

    return file_read(AT_FDCWD, path, MOST_OUTPUT, &data, &length, NULL) < 0 ? xstrdup("") : data;
}

/* Runs git with the arguments, up to NULL. *ret_status: what it exited with; what it printed is
 * read with output_of(). */
static int ask(struct history *h, int *ret_status, const char *const *arguments,
               struct bench_error *err)
{
    cleanup_strings struct strings argv = {0};
    struct command_spec command = {
        .name = "git",
        .directory = h->log,
        .timeout_ns = PATIENCE,
        .interrupt_fd = h->interrupt_fd,
    };
    enum command_end end;
    int status;

    history_forget_repository(&argv);
    strings_add(&argv, h->git);
    strings_add(&argv, "-C");
    strings_add(&argv, h->repository);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        strings_add(&argv, "-c");
        strings_add(&argv, settings[i]);
    }
    for (; *arguments; arguments++)
        strings_add(&argv, *arguments);
    command.argv = (const char *const *)argv.items;
    if (command_run(h->containment, &command, &end, &status, err) < 0)
        return -1;
    h->interrupted = end == COMMAND_INTERRUPTED;
    if (end == COMMAND_EXITED && WIFEXITED(status)) {
        *ret_status = WEXITSTATUS(status);
        return 0;
    }
    return error_set(err, BENCH_ERROR_RUN,
                     h->interrupted             ? "git was interrupted"
                     : end == COMMAND_TIMED_OUT ? "git does not come to an end"
                                                : "git was killed");
}

static int refused(const struct history *h, const char *what, struct bench_error *err)
{
    cleanup_free char *said = output_of(h, "stderr");

    error_set(err, BENCH_ERROR_RUN, "git: cannot %s in '%s'", what, h->repository);
    error_detail(err, said);
    return -1;
}

/* A question whose answer is what git prints. `what` is for the message when it fails. */
static int tell(struct history *h, char **ret, const char *what, const char *const *arguments,
                struct bench_error *err)
{
    int status;

    if (ask(h, &status, arguments, err) < 0)
        return -1;
    if (status != 0)
        return refused(h, what, err);
    *ret = output_of(h, "stdout");
    return 0;
}

#define ARGUMENTS(...)            \
    (const char *const[])         \
    {                             \
        __VA_ARGS__, (char *)NULL \
    }

static void cut_line(char *s)
{
    s[strcspn(s, "\n")] = '\0';
}

/* --- questions ------------------------------------------------------------------------------ */

int history_shallow(struct history *h, bool *ret, struct bench_error *err)
{
    cleanup_free char *said = NULL;

    if (tell(h, &said, "tell whether it is whole",
             ARGUMENTS("rev-parse", "--is-shallow-repository"), err) < 0)
        return -1;
    *ret = strcmp(said, "true\n") == 0;
    return 0;
}

int history_resolve(struct history *h, const char *revision, char **ret_hash,
                    struct bench_error *err)
{
    cleanup_free char *commit = xasprintf("%s^{commit}", revision);
    char *hash;
    int status;

    if (ask(h, &status, ARGUMENTS("rev-parse", "--verify", "--quiet", "--end-of-options", commit),
            err) < 0)
        return -1;
    if (status != 0) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' is no commit of '%s'", revision, h->repository);
        error_hint(err, "a branch, a tag or a hash: 'git -C %s log --oneline' shows some",
                   h->repository);
        return -1;
    }
    hash = output_of(h, "stdout");
    cut_line(hash);
    *ret_hash = hash;
    return 0;
}

int history_line(struct history *h, const char *from, const char *also, const char *to,
                 struct strings *ret, struct bench_error *err)
{
    cleanup_free char *without = xasprintf("^%s", from), *nor = xasprintf("^%s", also);
    cleanup_free char *said = NULL;

    if (tell(h, &said, "list commits",
             ARGUMENTS("rev-list", "--first-parent", "--reverse", to, without, nor), err) < 0)
        return -1;
    strings_split(ret, said, "\n");
    return 0;
}

int history_merges(struct history *h, const char *from, const char *to, bool *ret,
                   struct bench_error *err)
{
    cleanup_free char *range = xasprintf("%s..%s", from, to), *said = NULL;

    if (tell(h, &said, "list merges",
             ARGUMENTS("rev-list", "--min-parents=2", "--max-count=1", range), err) < 0)
        return -1;
    *ret = *said != '\0';
    return 0;
}

int history_contains(struct history *h, const char *ancestor, const char *commit, bool *ret,
                     struct bench_error *err)
{
    int status;

    if (ask(h, &status, ARGUMENTS("merge-base", "--is-ancestor", ancestor, commit), err) < 0)
        return -1;
    if (status > 1)
        return refused(h, "compare commits", err);
    *ret = status == 0;
    return 0;
}

int history_parents(struct history *h, const char *commit, struct strings *ret,
                    struct bench_error *err)
{
    cleanup_free char *said = NULL;

    if (tell(h, &said, "read a commit", ARGUMENTS("show", "-s", "--format=%P", commit), err) < 0)
        return -1;
    strings_split(ret, said, " \n");
    return 0;
}

int history_subject(struct history *h, const char *commit, char **ret, struct bench_error *err)
{
    if (tell(h, ret, "read a commit", ARGUMENTS("show", "-s", "--format=%s", commit), err) < 0)
        return -1;
    cut_line(*ret);
    return 0;
}

/* --- trees ---------------------------------------------------------------------------------- */

int history_checkout(struct history *h, const char *commit, char **ret_path,
                     struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/%.12s", h->trees, commit), *said = NULL;

    if (tell(h, &said, "check a commit out",
             ARGUMENTS("worktree", "add", "--force", "--detach", path, commit), err) < 0)
        return -1;
    *ret_path = xstrdup(path);
    return 0;
}

static int remove_tree(struct history *h, const char *path, struct bench_error *err)
{
    cleanup_free char *said = NULL;

    return tell(h, &said, "remove a work tree",
                ARGUMENTS("worktree", "remove", "--force", "--force", path), err);
}

int history_discard(struct history *h, const char *path, struct bench_error *err)
{
    return h->keep ? 0 : remove_tree(h, path, err);
}

/* Work trees of ours in the repository's list: those below `below`, or, if that is NULL, those
 * whose directory is gone. */
static int sweep(struct history *h, const char *below, struct bench_error *err)
{
    static const char key[] = "worktree ";
    cleanup_strings struct strings lines = {0};
    cleanup_free char *said = NULL;

    if (tell(h, &said, "list work trees", ARGUMENTS("worktree", "list", "--porcelain"), err) < 0)
        return -1;
    strings_split(&lines, said, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        const char *path = lines.items[i] + strlen(key);
        bool wanted;

        if (strncmp(lines.items[i], key, strlen(key)) != 0)
            continue;
        wanted = below ? strncmp(path, below, strlen(below)) == 0 && path[strlen(below)] == '/'
                       : strstr(path, "/" TREES) && access(path, F_OK) < 0 && errno == ENOENT;
        if (wanted && remove_tree(h, path, err) < 0)
            return -1;
    }
    return 0;
}

/* --- life ----------------------------------------------------------------------------------- */

/* A bare repository has no work tree. */
static int check_cache(struct history *h, const char *cache, struct bench_error *err)
{
    cleanup_free char *top = NULL;
    int status;

    if (ask(h, &status, ARGUMENTS("rev-parse", "--show-toplevel"), err) < 0)
        return -1;
    top = output_of(h, "stdout");
    cut_line(top);
    if (status != 0 || !*top || strncmp(cache, top, strlen(top)) != 0 ||
        (cache[strlen(top)] && cache[strlen(top)] != '/'))
        return 0;
    error_set(err, BENCH_ERROR_USAGE,
              "commits would be checked out in '%s', below the work tree '%s'", cache, top);
    error_hint(err, "name a directory elsewhere with --cache");
    return -1;
}

static int check_repository(struct history *h, struct bench_error *err)
{
    cleanup_free char *said = NULL;
    int status;

    if (ask(h, &status, ARGUMENTS("rev-parse", "--git-dir"), err) < 0)
        return -1;
    if (status == 0)
        return 0;
    said = output_of(h, "stderr");
    error_set(err, BENCH_ERROR_USAGE, "'%s' is no git repository", h->repository);
    error_detail(err, said);
    error_hint(err, "name the repository whose commits are to be built with --repo");
    return -1;
}

static int find_git(struct history *h, struct bench_error *err)
{
    h->git = program_find("git", NULL, NULL);
    if (h->git)
        return 0;
    error_set(err, BENCH_ERROR_ENVIRONMENT, "'git' is not found on PATH");
    error_hint(err, "apt install git, or dnf install git");
    return -1;
}

/* Trees of our own, and what git prints. */
static int make_trees(struct history *h, const char *cache, struct bench_error *err)
{
    cleanup_free char *trees = xasprintf("%s/" TREES "XXXXXX", cache);

    if (!mkdtemp(trees))
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a directory in '%s'", cache);
    h->trees = xstrdup(trees);
    h->log = xasprintf("%s/git", trees);
    if (!h->keep)
        containment_remember(h->containment, h->trees);
    return 0;
}

static int open_in(struct history *h, const char *repository, const char *cache,
                   struct bench_error *err)
{
    h->repository = realpath(repository, NULL);
    if (!h->repository)
        return error_errno(err, BENCH_ERROR_USAGE, errno, "'%s'", repository);
    if (find_git(h, err) < 0 || make_trees(h, cache, err) < 0 || check_repository(h, err) < 0 ||
        check_cache(h, cache, err) < 0)
        return -1;
    return sweep(h, NULL, err);
}

int history_open(struct history *h, const char *repository, const char *cache,
                 struct bench_error *err)
{
    cleanup_free char *real = realpath(cache, NULL);

    if (!real)
        return error_errno(err, BENCH_ERROR_USAGE, errno, "'%s'", cache);
    if (open_in(h, repository, real, err) == 0)
        return 0;
    h->keep = false;
    history_close(h, NULL);
    return -1;
}

int history_close(struct history *h, struct bench_error *err)
{
    int result = 0;

    if (h->trees && !h->keep) {
        h->interrupt_fd = -1; /* whatever stopped us must not stop the cleaning up */
        result = sweep(h, h->trees, err);
        if (directory_remove(AT_FDCWD, h->trees, result < 0 ? NULL : err) < 0)
            result = -1;
        containment_forget(h->containment, h->trees);
    } else if (h->log) {
        result = directory_remove(AT_FDCWD, h->log, err);
    }
    free(h->git);
    free(h->repository);
    free(h->trees);
    free(h->log);
    h->git = h->repository = h->trees = h->log = NULL;
    return result;
}
