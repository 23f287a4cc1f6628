/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target of what iperf3 prints. */
#include "wrapper.h"

#include "../../plugins/shared/json_file.c"
#include "../../plugins/shared/regular_file.c"
#include "../../plugins/shared/wrapper.c"
#include "../../plugins/workloads/iperf3.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench_leftovers left = fuzz_leftovers(size ? data[0] : 0);
    char path[32];
    int fd;

    if (size == 0)
        return 0;
    fd = fuzz_file(data + 1, size - 1, path);
    left.client_stdout = path;
    bench_plugin_get(host_get());
    fuzz_parse(&workload, &left);
    close(fd);
    return 0;
}
