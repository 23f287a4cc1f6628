/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *regular_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    FILE *f = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0) {
        if (S_ISREG(st.st_mode))
            f = fdopen(fd, "r");
        else
            errno = EINVAL;
    }
    if (!f) {
        int saved = errno;

        close(fd);
        errno = saved;
    }
    return f;
}
