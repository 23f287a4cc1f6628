/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"

#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/memory.h"

/* Whoever started us ignores it (nohup, a shell's background job). Once blocked, it would arrive
 * all the same. */
static bool ignored(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int signals_open(sigset_t *ret_old)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set, blocked;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (!ignored(signals[i]))
            sigaddset(&set, signals[i]);
    blocked = set;
    sigaddset(&blocked, SIGCONT); /* stays pending until a clock asks for it (clock.h) */
    sigprocmask(SIG_BLOCK, &blocked, ret_old);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_close(int fd, const sigset_t *old)
{
    struct signalfd_siginfo info;
    int received = 0;

    /* One that stayed would end us before anything was said. */
    while (read(fd, &info, sizeof(info)) == sizeof(info))
        received = received ? received : (int)info.ssi_signo;
    close(fd);
    sigprocmask(SIG_SETMASK, old, NULL);
    return received;
}
