/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target of h2load's summary and of its record of requests, which a NUL separates. */
#include <string.h>

#include "wrapper.h"

#include "../../plugins/shared/h2load.c"
#include "../../plugins/shared/origin.c"
#include "../../plugins/shared/regular_file.c"
#include "../../plugins/shared/wrapper.c"
#include "../../plugins/workloads/h2load.c"

static const char *log_path;

/* As the plugin's own, but for where the record is. */
static int parse_both(void *state, const struct bench_leftovers *left, struct bench_result *result,
                      struct bench_error *err)
{
    return h2load_parse_log(state, log_path, left, result, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench_leftovers left = fuzz_leftovers(size ? data[0] : 0);
    const uint8_t *separator = size ? memchr(data + 1, '\0', size - 1) : NULL;
    struct bench_workload same = workload;
    char out[32], log[32];
    int out_fd, log_fd;

    if (!separator)
        return 0;
    out_fd = fuzz_file(data + 1, (size_t)(separator - data - 1), out);
    log_fd = fuzz_file(separator + 1, (size_t)(data + size - separator - 1), log);
    left.client_stdout = out;
    log_path = log;
    same.parse = parse_both;
    bench_plugin_get(host_get());
    fuzz_parse(&same, &left);
    close(out_fd);
    close(log_fd);
    return 0;
}
