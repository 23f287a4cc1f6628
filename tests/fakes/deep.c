/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deep [once]: is to be sampled: calls functions of its own and of libraries, and the kernel, in
 * threads and forked children, and runs itself once more.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;

__attribute__((noinline)) static void leaf(void)
{
    for (unsigned long i = 0; i < 200000; i++)
        sink += i;
}

__attribute__((noinline)) static void descend(int depth)
{
    if (depth > 0)
        descend(depth - 1);
    else
        leaf();
    sink++;
}

__attribute__((noinline)) static void ask_kernel(void)
{
    char buffer[4096] = "";
    int pipes[2];

    if (pipe(pipes) < 0)
        exit(1);
    for (int i = 0; i < 100; i++)
        if (write(pipes[1], buffer, sizeof(buffer)) != read(pipes[0], buffer, sizeof(buffer)))
            exit(1);
    close(pipes[0]);
    close(pipes[1]);
    sink++;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(int));
}

__attribute__((noinline)) static void ask_library(void)
{
    struct timespec now;
    int numbers[1000];

    for (int i = 0; i < 1000; i++) {
        numbers[i] = rand();
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    qsort(numbers, 1000, sizeof(numbers[0]), compare);
    sink += (unsigned long)numbers[0];
}

static void *work(void *unused)
{
    for (int i = 0; i < 40; i++) {
        descend(i % 4);
        ask_kernel();
        ask_library();
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int status;

    if (pthread_create(&thread, NULL, work, NULL) != 0)
        return 1;
    if (fork() == 0) {
        work(NULL);
        _exit(0);
    }
    work(NULL);
    pthread_join(thread, NULL);
    wait(&status);
    if (argc < 2)
        execl("/proc/self/exe", argv[0], "once", NULL);
    return argc < 2;
}
