/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of perf.data, taken apart: what the kernel wrote (linux/perf_event.h, "enum
 * perf_event_type") with the fields that readers here want. A sample is parsed to its end, so that
 * one which does not add up is found. Nothing is owned: pointers are into the record's bytes.
 */
#ifndef PROFILE_PERF_RECORD_H
#define PROFILE_PERF_RECORD_H

#include "profile/perf_header.h"

struct perf_sample {
    uint64_t ip, period;
    const uint64_t *chain; /* leaf first, with PERF_CONTEXT_… marks */
    size_t n_chain;
    const struct perf_branch_entry *calls; /* of --call-graph=lbr: the latest first */
    size_t n_calls;
    uint64_t abi;              /* of the registers; 0: none */
    const uint64_t *registers; /* in the order of the bits in `register_mask` */
    uint64_t register_mask;    /* PERF_REG_… of asm/perf_regs.h */
    const unsigned char *stack;
    size_t stack_size;
};

struct perf_mmap {
    uint64_t start, length, offset;
    const unsigned char *build_id; /* NULL when the record has none */
    size_t build_id_size;
    const char *path;
};

struct perf_record {
    uint32_t type; /* PERF_RECORD_… */
    uint16_t misc;
    uint32_t pid, tid;
    uint32_t parent_pid, parent_tid; /* of FORK */
    uint64_t time;                   /* 0 when it has none */
    size_t event;                    /* index; of SAMPLE */
    union {
        struct perf_sample sample; /* SAMPLE */
        struct perf_mmap map;      /* MMAP, MMAP2 */
        const char *comm;          /* COMM */
        uint64_t lost;             /* LOST, LOST_SAMPLES */
    };
};

/* Every field of a sample must be known to find the next: refuses events with others. */
int perf_record_supported(const struct perf_header *h, struct bench_error *err);

/* `bytes` begins with a struct perf_event_header whose size was checked; 8-byte aligned. */
int perf_record_parse(const struct perf_header *h, const void *bytes, struct perf_record *ret,
                      struct bench_error *err);
/* Only its time: 0 when it has none, or is too short. */
uint64_t perf_record_time(const struct perf_header *h, const void *bytes);

#endif
