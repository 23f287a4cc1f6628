/* SPDX-License-Identifier: Apache-2.0 */
#include "study/build.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "process/command.h"

/* The last line that the build printed, without its end. Caller frees. */
static char *last_words(const char *log)
{
    static const char *const streams[] = {"stderr", "stdout"};

    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        cleanup_free char *path = xasprintf("%s/%s", log, streams[i]);
        cleanup_free char *tail = file_tail(AT_FDCWD, path, 4096);
        cleanup_strings struct strings lines = {0};

        strings_split(&lines, tail ? tail : "", "\n");
        if (lines.count)
            return xstrdup(lines.items[lines.count - 1]);
    }
    return xstrdup("it printed nothing");
}

/* As git bisect does it: in the commit's tree, by a shell. */
static void make_argv(struct strings *ret, const char *tree, const char *command)
{
    const char *const shell[] = {"sh", "-c", "cd \"$1\" && exec sh -c \"$2\"", "sh", tree, command};

    history_forget_repository(ret);
    for (size_t i = 0; i < ARRAY_SIZE(shell); i++)
        strings_add(ret, shell[i]);
}

/* What is wrong with how it ended, or NULL. Caller frees. */
static char *complain(enum command_end end, int status, const char *log)
{
    cleanup_free char *words = NULL;

    if (end == COMMAND_EXITED && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return NULL;
    words = last_words(log);
    if (end == COMMAND_TIMED_OUT)
        return xasprintf("the build takes too long: %s", words);
    if (WIFEXITED(status))
        return xasprintf("the build exits with %d: %s", WEXITSTATUS(status), words);
    return xasprintf("the build was killed: %s", words);
}

static int build_tree(const struct build *b, const char *commit, const char *tree, char **ret_why,
                      bool *ret_interrupted, struct bench_error *err)
{
    cleanup_free char *log = xasprintf("%s/%.*s", b->logs, BUILD_DIGITS, commit);
    cleanup_strings struct strings argv = {0};
    struct command_spec command = {
        .name = "build",
        .directory = log,
        .timeout_ns = b->timeout_ns,
        .interrupt_fd = b->history->interrupt_fd,
    };
    enum command_end end;
    int status;

    make_argv(&argv, tree, b->command);
    command.argv = (const char *const *)argv.items;
    if (command_run(b->history->containment, &command, &end, &status, err) < 0)
        return -1;
    if (end == COMMAND_INTERRUPTED)
        *ret_interrupted = true;
    else
        *ret_why = complain(end, status, log);
    return 0;
}

int build_commit(const struct build *b, const char *commit, char **ret_tree, char **ret_why,
                 bool *ret_interrupted, struct bench_error *err)
{
    cleanup_free char *tree = NULL, *why = NULL;
    bool interrupted = false;

    if (history_checkout(b->history, commit, &tree, err) < 0 ||
        build_tree(b, commit, tree, &why, &interrupted, err) < 0)
        return -1;
    /* After an interrupt history_close() removes it. */
    if (why && history_discard(b->history, tree, err) < 0)
        return -1;
    *ret_interrupted = interrupted;
    if (!why && !interrupted) {
        *ret_tree = tree;
        tree = NULL;
    }
    *ret_why = why;
    why = NULL;
    return 0;
}
