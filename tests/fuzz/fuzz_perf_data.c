/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target of perf.data: every record is read and told to what keeps maps and names, and
 * every address of a sample looked up there, short of opening the files that the recording names.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profile/perf_data.h"
#include "profile/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink; /* so that what is read is not optimised away */

static void look_up(struct symbols *symbols, const struct perf_record *r)
{
    const struct perf_sample *s = &r->sample;
    uint64_t offset = 0, sum = 0;

    for (size_t i = 0; i < s->n_chain; i++) {
        symbols_module(symbols, r->pid, s->chain[i], &offset);
        sum += offset;
    }
    for (int i = 0; i < __builtin_popcountll(s->register_mask); i++)
        sum += s->registers[i];
    for (size_t i = 0; i < s->stack_size; i++)
        sum += s->stack[i];
    sink = sum;
}

static void read_all(struct perf_data *d)
{
    cleanup_symbols struct symbols *symbols = symbols_new(perf_data_header(d));
    struct bench_error err = {0};
    struct perf_record r;
    int got;

    while ((got = perf_data_next(d, &r, &err)) > 0) {
        symbols_record(symbols, &r);
        if (r.type == PERF_RECORD_SAMPLE)
            look_up(symbols, &r);
    }
    if (got < 0 && !err.message[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct perf_data *d = NULL;
    struct bench_error err = {0};
    char path[32];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (perf_data_open(AT_FDCWD, path, &d, &err) == 0)
        read_all(d);
    else if (!err.message[0])
        abort();
    perf_data_close(d);
    close(fd);
    return 0;
}
