/* SPDX-License-Identifier: Apache-2.0 */
/* die_at_start [PORT]: complains on stderr and ends with status 3 before it listens. */
#include <stdio.h>

int main(void)
{
    for (int line = 1; line <= 200; line++)
        fprintf(stderr, "line %d of the complaint\n", line);
    fprintf(stderr, "fatal: no such luck\n");
    return 3;
}
