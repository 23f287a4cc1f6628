/* SPDX-License-Identifier: Apache-2.0 */
/* Makes exactly the same system calls each time that it reads a byte from the FIFO "go" in its
 * directory, some of them in a child: 1000 reads, 500 writes, 100 closes in the child, 7 fsyncs, 3
 * connects. Says "ready", and "done" after each round: one more write, and one more read that
 * waits. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void round_of_calls(int zero, int null)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    char byte;
    pid_t child = fork();

    if (child == 0) {
        for (int i = 0; i < 100; i++)
            close(-1);
        _exit(0);
    }
    for (int i = 0; i < 1000; i++)
        if (read(zero, &byte, 1) != 1)
            _exit(1);
    for (int i = 0; i < 500; i++)
        if (write(null, &byte, 1) != 1)
            _exit(1);
    for (int i = 0; i < 7; i++)
        fsync(-1);
    for (int i = 0; i < 3; i++)
        connect(-1, &nowhere, sizeof(nowhere));
    waitpid(child, NULL, 0);
}

int main(void)
{
    int go, zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    const char *word = "ready\n";
    char byte;

    mkfifo("go", 0600);
    go = open("go", O_RDWR);
    while (write(STDOUT_FILENO, word, 6) == 6 && read(go, &byte, 1) == 1) {
        round_of_calls(zero, null);
        word = "done.\n";
    }
    return 1;
}
