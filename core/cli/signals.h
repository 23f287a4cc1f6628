/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that ask to stop (INT, TERM, HUP) become readable, so that every wait of the runner sees
 * them. Those that whoever started us has ignored stay so. SIGCONT stays pending, for the clock.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

/* The descriptor; *ret_old is for signals_close(). */
int signals_open(sigset_t *ret_old);
/* The signal that came, or 0; the first by number of several. */
int signals_close(int fd, const sigset_t *old);

#endif
