/* SPDX-License-Identifier: Apache-2.0 */
/* Files that wrapped tools leave behind: a tool may leave anything. */
#ifndef SHARED_REGULAR_FILE_H
#define SHARED_REGULAR_FILE_H

#include <stdio.h>

/* Opens a regular file for reading; NULL with errno, EINVAL for what is none: a FIFO or a device is
 * not waited for. */
FILE *regular_file(const char *path);

#endif
