/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target of gates: whatever is written, it is one, or an error says why not. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/gates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_free char *text = xstrndup((const char *)data, size);
    struct bench_error err = {0};
    struct gate g;

    if (gate_parse(&g, text, &err) < 0) {
        if (!err.message[0])
            abort();
        return 0;
    }
    if (!g.metric || !isfinite(g.value) || (g.arm && !*g.arm) || (g.point && !*g.point))
        abort();
    gate_matches(&g, "nginx", "jobs=10 hops=2");
    gate_decide(&g, BENCH_LOWER_IS_BETTER, true, 1, 2);
    gate_release(&g);
    return 0;
}
