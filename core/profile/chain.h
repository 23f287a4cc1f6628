/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of one sample as frames, root first. Reused from sample to sample; zero-initialised is
 * empty and valid. Names belong to `symbols`.
 */
#ifndef PROFILE_CHAIN_H
#define PROFILE_CHAIN_H

#include "profile/symbols.h"
#include "profile/unwind.h"

struct chain {
    struct frame *frames; /* root first */
    size_t n, capacity;
    size_t user;       /* how many of them are of user space */
    bool ends_nowhere; /* the outermost user frame is at an address where nothing is mapped */
};

enum { THREAD_NAME = 32 };

/* The frame that stands for a thread: its name, or ":TID", as perf has it, when no record told. The
 * name is put into `room`, so that it stays when the thread gets another. */
struct frame chain_thread(const struct symbols *symbols, uint32_t tid, char room[THREAD_NAME]);

void chain_build(struct chain *c, struct symbols *symbols, struct unwinder *unwinder,
                 const struct perf_record *r);
void chain_release(struct chain *c);

/* Whether its user part, which it has, was not followed to its end. */
enum { CHAIN_SHALLOW = 2 }; /* user frames: main and what called it are two already */
bool chain_is_broken(const struct chain *c);
/* Whether so many of the chains with a user part are that the code must have been built without
 * frame pointers. */
bool chains_lack_frame_pointers(uint64_t broken, uint64_t with_user);

#define cleanup_chain __attribute__((cleanup(chain_release)))

#endif
