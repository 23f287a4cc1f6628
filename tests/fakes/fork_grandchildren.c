/* SPDX-License-Identifier: Apache-2.0 */
/* fork_grandchildren [PORT [exit]]: listens, then leaves behind a worker, a worker in a session of
 * its own, a daemon (forked twice) and one that forks all the time. None of them obeys SIGTERM.
 * With "exit" the first process ends and leaves them alone. */
#include <signal.h>
#include <string.h>

#include "fake.h"

static void daemonize(void)
{
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
    linger();
}

/* A new process every few milliseconds, each outliving its parent for a moment. */
static void keep_forking(void)
{
    enum { LIFE_US = 3000, OVERLAP_US = 1000 };

    for (int i = 0; i < LIFETIME_S * 1000000 / LIFE_US; i++) {
        usleep(LIFE_US - OVERLAP_US);
        if (fork() > 0) {
            usleep(OVERLAP_US);
            _exit(0);
        }
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    listen_on(argc > 1 ? argv[1] : NULL);
    if (fork() == 0)
        linger();
    if (fork() == 0) {
        setsid();
        linger();
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
    linger();
}
