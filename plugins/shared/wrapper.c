/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/wrapper.h"

#include <sys/wait.h>

int wrapper_check_threads(const char *tool, int64_t threads, int64_t jobs, const char *job,
                          struct bench_error *err)
{
    if (threads <= jobs)
        return 0;
    host->fail(err, BENCH_ERROR_USAGE, "threads: %lld threads cannot share %lld %ss",
               (long long)threads, (long long)jobs, job);
    host->hint(err, "%s needs a %s for each thread: raise 'jobs'", tool, job);
    return -1;
}

int wrapper_check_ending(const char *tool, int status, struct bench_error *err)
{
    if (status == -1 || WIFSIGNALED(status)) {
        host->fail(err, BENCH_ERROR_RUN, "%s did not end by itself", tool);
        host->hint(err, "'stop_timeout' gives it more time");
        return -1;
    }
    if (WEXITSTATUS(status) != 0)
        return host->fail(err, BENCH_ERROR_RUN, "%s ended with status %d", tool,
                          WEXITSTATUS(status));
    return 0;
}
