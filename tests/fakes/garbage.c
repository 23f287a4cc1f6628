/* SPDX-License-Identifier: Apache-2.0 */
/* garbage [PORT [exit]]: writes every byte value to stdout and stderr, without a line end, then
 * listens. With "exit" it ends with status 5 instead. */
#include <string.h>

#include "fake.h"

int main(int argc, char **argv)
{
    for (int i = 0; i < 65536; i++) {
        unsigned byte = (unsigned)i * 167 + (unsigned)i / 256;

        putchar((int)(byte & 0xff));
        fputc((int)(byte & 0xff), stderr);
    }
    fflush(stdout);
    if (argc > 2 && strcmp(argv[2], "exit") == 0)
        return 5;
    listen_on(argc > 1 ? argv[1] : NULL);
    linger();
}
