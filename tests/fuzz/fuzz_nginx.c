/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target of what nginx says about itself. */
#include "statistics.h"

#include "../../plugins/relays/nginx.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bench_plugin_get(host_get());
    fuzz_statistics(&nginx, data, size);
    return 0;
}
