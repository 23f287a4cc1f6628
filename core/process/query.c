/* SPDX-License-Identifier: Apache-2.0 */
#include "process/query.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

enum { MOST = 64 << 10 };

/* In the child. A process group of its own, so that all it starts can be killed at once. */
_Noreturn static void become(const char *program, const char *const *arguments,
                             const struct strings *environment, int output)
{
    struct strings argv = {0};
    int null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    strings_add(&argv, program);
    for (; *arguments; arguments++)
        strings_add(&argv, *arguments);
    for (size_t i = 0; i < environment->count; i++)
        putenv(environment->items[i]);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0)
        execv(program, argv.items);
    _exit(127);
}

/* Until end of file, the deadline or enough text. */
static int read_answer(int fd, int64_t deadline, struct text *ret)
{
    char buffer[4096];

    while (ret->length < MOST) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = (deadline - clock_now()) / NS_PER_MS;
        ssize_t n;

        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return -1;
        n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        text_add_bytes(ret, buffer, (size_t)n);
    }
    return 0;
}

int process_query(const char *program, const char *const *arguments,
                  const struct strings *environment, int64_t timeout_ns, struct text *ret,
                  struct bench_error *err)
{
    int64_t deadline = clock_now() + timeout_ns;
    int pipe_ends[2], answered, status = 0;
    pid_t pid;

    if (pipe2(pipe_ends, O_CLOEXEC) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a pipe");
    pid = fork();
    if (pid == 0)
        become(program, arguments, environment, pipe_ends[1]);
    close(pipe_ends[1]);
    if (pid < 0) {
        close(pipe_ends[0]);
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot start '%s'", program);
    }
    setpgid(pid, pid); /* whoever comes first: the group exists before it may have to be killed */
    answered = read_answer(pipe_ends[0], deadline, ret);
    close(pipe_ends[0]);
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (answered < 0)
        return error_set(err, BENCH_ERROR_RUN, "'%s' does not answer", program);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && ret->length == 0)
        return error_set(err, BENCH_ERROR_ENVIRONMENT, "'%s' cannot be started", program);
    return 0;
}

char *query_version_line(const char *output)
{
    while (*output) {
        size_t length = strcspn(output, "\n"), end = length;

        while (end && isspace((unsigned char)output[end - 1]))
            end--;
        for (size_t i = 0; i < end; i++) {
            if (isdigit((unsigned char)output[i])) {
                size_t start = strspn(output, " \t\r");

                return xstrndup(output + start, end - start);
            }
        }
        output += length + (output[length] == '\n');
    }
    return NULL;
}
