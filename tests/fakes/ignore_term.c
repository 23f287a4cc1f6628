/* SPDX-License-Identifier: Apache-2.0 */
/* ignore_term [PORT]: listens and ignores every polite request to end. */
#include <signal.h>

#include "fake.h"

int main(int argc, char **argv)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    listen_on(argc > 1 ? argv[1] : NULL);
    puts("ready");
    fflush(stdout);
    linger();
}
