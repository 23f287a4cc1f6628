/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target of the totals that wrk writes when it is done. */
#include "wrapper.h"

#include "../../plugins/shared/origin.c"
#include "../../plugins/shared/json_file.c"
#include "../../plugins/shared/regular_file.c"
#include "../../plugins/shared/wrapper.c"
#include "../../plugins/workloads/wrk.c"

static const char *result_path;

/* As the plugin's own, but for where the result is. */
static int parse_path(void *state, const struct bench_leftovers *left, struct bench_result *result,
                      struct bench_error *err)
{
    return parse_result(state, result_path, left, result, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench_leftovers left = fuzz_leftovers(size ? data[0] : 0);
    struct bench_workload same = workload;
    char path[32];
    int fd;

    if (size == 0)
        return 0;
    fd = fuzz_file(data + 1, size - 1, path);
    result_path = path;
    same.parse = parse_path;
    bench_plugin_get(host_get());
    fuzz_parse(&same, &left);
    close(fd);
    return 0;
}
