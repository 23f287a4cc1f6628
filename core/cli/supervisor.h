/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that the user started forks a child that does the work, waits for it and decides the
 * exit status. Plugins run in the child and can do anything to it: exit(0) in a hook would
 * otherwise be the exit status of bench. The parent runs no code of theirs, and says which hook it
 * was.
 *
 * - The child reports that it has finished, and with which status. Without that report the status
 * is never 0.
 * - Signals that ask to end and were sent to the parent alone are passed on; those of a terminal
 * reach both. When a hook still runs some time after such a signal, or when a second one comes, the
 * child is killed: what it has started is then removed as after any kill (containment.h), and
 * waited for.
 * - The child is killed when the parent is.
 */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

/* Runs `work` in the child; returns the exit status of the program. Comes before anything that the
 * child must not have twice: buffered output, threads, children. */
int supervise(int (*work)(void *), void *context);

#endif
