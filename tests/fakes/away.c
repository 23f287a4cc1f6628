/* SPDX-License-Identifier: Apache-2.0 */
/* Is off the CPU in a known way. "sleep": reads a byte from the FIFO "go" in its directory, sleeps
 * 20 times for 10 ms, and says how many ns passed meanwhile. "spin": two processes that never wait.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long sleep_20_times(void)
{
    const struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};
    long long begin = now();

    for (int i = 0; i < 20; i++)
        nanosleep(&nap, NULL);
    return now() - begin;
}

int main(int argc, char **argv)
{
    char byte;
    int go;

    if (argc > 1 && strcmp(argv[1], "spin") == 0) {
        fork();
        dprintf(STDOUT_FILENO, "ready\n");
        for (;;)
            ;
    }
    mkfifo("go", 0600);
    go = open("go", O_RDWR);
    dprintf(STDOUT_FILENO, "ready\n");
    while (read(go, &byte, 1) == 1)
        dprintf(STDOUT_FILENO, "slept %lld\n", sleep_20_times());
    return 1;
}
