/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded: sets the wall clock of a process forward by an hour once the file exists that
 * BENCH_TEST_CLOCK_SET names. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *file = getenv("BENCH_TEST_CLOCK_SET");
    int result;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    result = real(clock, ret);
    if (clock == CLOCK_REALTIME && file && access(file, F_OK) == 0)
        ret->tv_sec += 3600;
    return result;
}
