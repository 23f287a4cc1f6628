/* SPDX-License-Identifier: Apache-2.0 */
/* Gives bytes to a relay's parser of statistics, whose source the target includes. The first half
 * is what was printed before the window, the second half what was printed after it. */
#ifndef FUZZ_STATISTICS_H
#define FUZZ_STATISTICS_H

#include <stdint.h>
#include <stdlib.h>

#include <bench/relay.h>

#include "base/memory.h"
#include "plugin/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_statistics(const struct bench_relay *r, const uint8_t *data, size_t size)
{
    cleanup_free char *begin = xstrndup((const char *)data, size / 2);
    cleanup_free char *end = xstrndup((const char *)data + size / 2, size - size / 2);
    const struct bench_statistics read = {.size = sizeof(read), .begin = begin, .end = end};
    struct bench_result result = {0};
    struct bench_error err = {0};

    if (r->parse_statistics(NULL, &read, &result, &err) < 0 && !err.message[0])
        abort();
    result_release(&result);
}

#endif
