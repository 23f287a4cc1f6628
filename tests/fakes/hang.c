/* SPDX-License-Identifier: Apache-2.0 */
/* hang [PORT]: starts well and never listens. */
#include <unistd.h>

int main(void)
{
    for (;;)
        pause();
}
