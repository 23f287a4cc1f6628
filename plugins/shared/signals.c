/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/signals.h"

#include <signal.h>
#include <stddef.h>

const char *const signal_choices[] = {"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "KILL", NULL};

int signal_number(int choice)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGKILL};

    return numbers[choice];
}
