/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum mode { MODE_USER, MODE_KERNEL, MODE_OTHER };

static enum mode mode_of_misc(uint16_t misc)
{
    switch (misc & PERF_RECORD_MISC_CPUMODE_MASK) {
    case PERF_RECORD_MISC_USER:
        return MODE_USER;
    case PERF_RECORD_MISC_KERNEL:
        return MODE_KERNEL;
    default:
        return MODE_OTHER;
    }
}

/* A return address that was read from a wrong place may look like a mark that does not exist. perf
 * then throws the whole stack away; here what is before it stays. */
static enum mode mode_of_mark(uint64_t mark)
{
    switch (mark) {
    case (uint64_t)PERF_CONTEXT_USER:
        return MODE_USER;
    case (uint64_t)PERF_CONTEXT_KERNEL:
        return MODE_KERNEL;
    default:
        return MODE_OTHER;
    }
}

/* The outermost functions of processes and threads. */
static bool is_start(const char *name)
{
    static const char *const starts[] = {"_start",
                                         "__libc_start_call_main",
                                         "__libc_start_main_impl",
                                         "__libc_start_main",
                                         "start_thread",
                                         "clone",
                                         "clone3",
                                         "__clone3",
                                         "runtime.rt0_go",
                                         "runtime.goexit.abi0",
                                         "runtime.mstart.abi0"};

    for (size_t i = 0; name && i < ARRAY_SIZE(starts); i++)
        if (strcmp(name, starts[i]) == 0)
            return true;
    return false;
}

/* Leaf first: chain_build() turns them round. */
static void add(struct chain *c, struct symbols *symbols, uint32_t pid, uint64_t address,
                enum mode mode)
{
    struct frame frame = {STACKS_UNKNOWN, FRAME_USER, NULL};

    if (mode != MODE_OTHER)
        frame = symbols_frame(symbols, pid, address, mode == MODE_KERNEL);
    c->frames = grow(c->frames, &c->capacity, c->n + 1, sizeof(*c->frames));
    c->frames[c->n++] = frame;
    if (mode != MODE_USER)
        return;
    c->user++;
    c->ends_nowhere = !frame.module;
    c->complete = frame.module && is_start(frame.name);
    if (frame.module)
        c->stops = frame.module;
}

static void reverse(struct chain *c)
{
    for (size_t i = 0; i < c->n / 2; i++) {
        struct frame swapped = c->frames[i];

        c->frames[i] = c->frames[c->n - 1 - i];
        c->frames[c->n - 1 - i] = swapped;
    }
}

/* The CPU's record of calls: into the innermost function, and from where each was called. */
static void add_calls(struct chain *c, struct symbols *symbols, uint32_t pid,
                      const struct perf_sample *s)
{
    add(c, symbols, pid, s->calls[0].to, MODE_USER);
    for (size_t i = 0; i < s->n_calls; i++)
        add(c, symbols, pid, s->calls[i].from, MODE_USER);
}

/* What the kernel found, leaf first; of user space the CPU's own record when there is one. */
static void add_chain(struct chain *c, struct symbols *symbols, const struct perf_record *r)
{
    const struct perf_sample *s = &r->sample;
    enum mode mode = mode_of_misc(r->misc);

    for (size_t i = 0; i < s->n_chain; i++) {
        if (s->chain[i] < (uint64_t)PERF_CONTEXT_MAX) {
            add(c, symbols, r->pid, s->chain[i], mode);
            continue;
        }
        mode = mode_of_mark(s->chain[i]);
        if (mode == MODE_USER && s->n_calls) {
            add_calls(c, symbols, r->pid, s);
            return;
        }
    }
}

void chain_build(struct chain *c, struct symbols *symbols, struct unwinder *unwinder,
                 const struct perf_record *r)
{
    const struct perf_sample *s = &r->sample;
    uint64_t unwound[UNWIND_MAX];
    size_t n = s->stack ? unwind(unwinder, r, unwound) : 0;

    c->n = c->user = 0;
    c->ends_nowhere = c->complete = false;
    c->stops = NULL;
    add_chain(c, symbols, r);
    for (size_t i = 0; i < n; i++)
        add(c, symbols, r->pid, unwound[i], MODE_USER);
    if (!s->chain && n == 0)
        add(c, symbols, r->pid, s->ip, mode_of_misc(r->misc));
    reverse(c);
}

struct frame chain_thread(const struct symbols *symbols, uint32_t tid, char room[THREAD_NAME])
{
    const char *name = symbols_comm(symbols, tid);

    if (*name)
        snprintf(room, THREAD_NAME, "%s", name);
    else
        snprintf(room, THREAD_NAME, ":%u", tid);
    return (struct frame){room, FRAME_USER, NULL};
}

void chain_release(struct chain *c)
{
    free(c->frames);
    *c = (struct chain){0};
}

#define MANY_BROKEN 0.5 /* share of user stacks; with frame pointers it is near 0 */
#define FEW_SAMPLES 20  /* below it a share says little */

bool chain_is_broken(const struct chain *c)
{
    return !c->complete && (c->user <= CHAIN_SHALLOW || c->ends_nowhere);
}

void chain_stops_add(struct chain_stops *s, const struct chain *c)
{
    size_t i = 0;

    if (c->user == 0)
        return;
    s->with_user++;
    if (!chain_is_broken(c))
        return;
    s->broken++;
    while (i < s->count && s->items[i].file != c->stops)
        i++;
    if (i == s->count) {
        s->items = grow(s->items, &s->capacity, i + 1, sizeof(*s->items));
        s->items[s->count++] = (struct chain_stop){c->stops, 0};
    }
    s->items[i].n++;
}

const char *chain_stops_file(const struct chain_stops *s)
{
    const struct chain_stop *most = NULL;

    if (s->with_user < FEW_SAMPLES || (double)s->broken < MANY_BROKEN * (double)s->with_user)
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (!most || s->items[i].n > most->n)
            most = &s->items[i];
    return most && most->file ? most->file : STACKS_UNKNOWN;
}

void chain_stops_release(struct chain_stops *s)
{
    free(s->items);
    *s = (struct chain_stops){0};
}
