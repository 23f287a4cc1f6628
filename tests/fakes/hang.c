/* SPDX-License-Identifier: Apache-2.0 */
/* hang [PORT]: starts well and never listens. */

#include "fake.h"

int main(void)
{
    linger();
}
