/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target of what skstat says about a router. */
#include "statistics.h"

#include "../../plugins/relays/skrouterd.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bench_plugin_get(host_get());
    fuzz_statistics(&skrouterd, data, size);
    return 0;
}
