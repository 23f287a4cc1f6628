/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/wrapper.h"

#include <sys/wait.h>

/* What a process lives for beside its measurement: it starts, connects, and waits for answers that
 * are still under way. */
#define BESIDE_NS INT64_C(500000000)
#define SLACK_NS INT64_C(10000000)

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

int wrapper_check_lasted(const char *tool, int64_t lasted_ns, const struct bench_leftovers *left,
                         struct bench_error *err)
{
    const int64_t life = left->client_end_ns - left->client_begin_ns;

    if (lasted_ns <= life + SLACK_NS && lasted_ns >= life - life / 10 - BESIDE_NS)
        return 0;
    host->fail(err, BENCH_ERROR_RUN,
               "%s says that it measured for %.3f s, but its process lived for %.3f s", tool,
               (double)lasted_ns / 1e9, (double)life / 1e9);
    host->hint(err, "%s's clock is not the machine's: was one of them set meanwhile?", tool);
    return -1;
}
