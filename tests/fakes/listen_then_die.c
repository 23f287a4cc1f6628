/* SPDX-License-Identifier: Apache-2.0 */
/* listen_then_die PORT MILLISECONDS: a good server at first; then it ends with status 4. */

#include "fake.h"

int main(int argc, char **argv)
{
    listen_on(argc > 1 ? argv[1] : NULL);
    usleep((useconds_t)(argc > 2 ? atoi(argv[2]) : 0) * 1000);
    fprintf(stderr, "fatal: that was it\n");
    return 4;
}
