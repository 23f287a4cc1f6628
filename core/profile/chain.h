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
    bool complete;     /* the outermost user frame starts a process or a thread */
    const char *stops; /* file of the outermost user frame that is mapped; NULL without one */
};

enum { THREAD_NAME = 32 };

/* The frame that stands for a thread: its name, or ":TID", as perf has it, when no record told. The
 * name is put into `room`, so that it stays when the thread gets another. */
struct frame chain_thread(const struct symbols *symbols, uint32_t tid, char room[THREAD_NAME]);

void chain_build(struct chain *c, struct symbols *symbols, struct unwinder *unwinder,
                 const struct perf_record *r);
void chain_release(struct chain *c);

/* Whether its user part, which it has, was not followed to its end. */
enum { CHAIN_SHALLOW = 2 }; /* user frames */
bool chain_is_broken(const struct chain *c);

/* Of many chains those with a user part, those of them that are broken, and where these stop. */
struct chain_stop {
    const char *file;
    uint64_t n;
};

struct chain_stops {
    uint64_t with_user, broken;
    struct chain_stop *items; /* names belong to the symbols */
    size_t count, capacity;
};

void chain_stops_add(struct chain_stops *s, const struct chain *c);
/* Where most of the broken ones stop, and whether these are so many that the code there must have
 * been built without frame pointers; NULL when they are not. */
const char *chain_stops_file(const struct chain_stops *s);
void chain_stops_release(struct chain_stops *s);
#define cleanup_chain_stops __attribute__((cleanup(chain_stops_release)))

#define cleanup_chain __attribute__((cleanup(chain_release)))

#endif
