/* SPDX-License-Identifier: Apache-2.0 */
/* fork_grandchildren [PORT [exit]]: listens, then leaves behind a worker, a worker in a session of
 * its own, a daemon (forked twice) and one that forks all the time. None of them obeys SIGTERM.
 * With "exit" the first process ends and leaves them alone. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listen.h"

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void daemonize(void)
{
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
    wait_for_ever();
}

/* A new process every few milliseconds, each outliving its parent for a moment. */
static void keep_forking(void)
{
    for (;;) {
        usleep(2000);
        if (fork() > 0) {
            usleep(1000);
            _exit(0);
        }
    }
}

int main(int argc, char **argv)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    listen_on(argc > 1 ? argv[1] : NULL);
    if (fork() == 0)
        wait_for_ever();
    if (fork() == 0) {
        setsid();
        wait_for_ever();
    }
    if (fork() == 0)
        daemonize();
    if (fork() == 0)
        keep_forking();
    puts("ready");
    fflush(stdout);
    if (argc > 2 && strcmp(argv[2], "exit") == 0)
        return 0;
    signal(SIGTERM, SIG_DFL);
    for (;;)
        if (wait(NULL) < 0)
            pause();
}
