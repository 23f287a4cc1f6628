/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "cli/supervisor.h"

static const struct command *find_command(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[32] = {0}, *close;

    for (size_t i = 0; commands[i].name && i < ARRAY_SIZE(names) - 1; i++)
        names[i] = commands[i].name;
    close = nearest(name, names);
    say_line(stderr, "bench: unknown command '%s'", name);
    if (close)
        say_line(stderr, "hint: did you mean 'bench %s'?", close);
    else
        say_line(stderr, "hint: 'bench help' lists the commands");
    return BENCH_ERROR_USAGE;
}

/* A descriptor that is closed at start would be given to the first file that is opened, and what is
 * printed would end up there. Writing to it fails still, as it should. */
static void open_standard_files(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* What bench and its plugins use at most is below a quarter of it. Roles inherit the limit, so it
 * is not changed here. Written plainly: printing needs more stack than there may be. */
static bool stack_suffices(void)
{
    static const char message[] = "bench: the stack is limited to less than 1 MiB\n"
                                  "hint: 'ulimit -s 8192' is usual\n";
    struct rlimit stack;

    if (getrlimit(RLIMIT_STACK, &stack) < 0 || stack.rlim_cur >= 1 << 20)
        return true;
    return write(STDERR_FILENO, message, sizeof(message) - 1) < 0 && false;
}

struct job {
    int argc;
    char **argv;
};

static int run_command(void *context)
{
    const struct job *job = context;
    struct cli cli = {0};
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    const struct command *command = find_command(job->argv[1]);
    int code;

    cli.program = n > 0 ? xstrndup(path, (size_t)n) : xstrdup(job->argv[0]);
    code = command->run(&cli, job->argc - 1, job->argv + 1);
    if (cli.loaded)
        registry_release(&cli.registry);
    free(cli.program);
    return say_end(code);
}

static int bench(int argc, char **argv)
{
    struct cli cli = {0};

    open_standard_files();
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        say_out("bench %s\n", BENCH_VERSION);
        return say_end(0);
    }
    setlocale(LC_CTYPE, "");
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead, which names the file */
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return say_end(cli_help(&cli, 1, argv) || argc < 2 ? BENCH_ERROR_USAGE : 0);
    if (!find_command(argv[1]))
        return say_end(unknown_command(argv[1]));
    return supervise(run_command, &(struct job){argc, argv});
}

int main(int argc, char **argv)
{
    return stack_suffices() ? bench(argc, argv) : BENCH_ERROR_ENVIRONMENT;
}
