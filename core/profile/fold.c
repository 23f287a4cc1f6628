/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "profile/chain.h"

struct fold {
    const struct fold_options *options;
    struct symbols *symbols;
    struct unwinder *unwinder;
    struct stacks *stacks;
    struct chain chain;
    struct fold_summary *summary;
    char thread[THREAD_NAME];
    struct frame *frames; /* of the chain, with the thread's name before them */
    size_t capacity;
    struct chain_stops stops;
    uint64_t *others; /* samples of each event that is not chosen */
};

static const char *unit_of(const struct perf_event_attr *attr, const struct fold_options *options)
{
    if (options->count)
        return "samples";
    if (attr->type == PERF_TYPE_SOFTWARE &&
        (attr->config == PERF_COUNT_SW_CPU_CLOCK || attr->config == PERF_COUNT_SW_TASK_CLOCK))
        return "ns";
    return "events";
}

static bool is_dummy(const struct perf_event *event)
{
    return event->attr.type == PERF_TYPE_SOFTWARE && event->attr.config == PERF_COUNT_SW_DUMMY;
}

/* "cpu-clock" also means "cpu-clock:u", which is what an ordinary user gets. */
static bool is_called(const char *name, const char *wanted)
{
    size_t length = strlen(wanted);

    return strncmp(name, wanted, length) == 0 &&
           (name[length] == '\0' || (name[length] == ':' && !strchr(wanted, ':')));
}

static int choose_event(const struct perf_header *h, const char *path, const char *wanted,
                        size_t *ret, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (size_t i = 0; i < h->n_events; i++) {
        if (wanted ? is_called(h->events[i].name, wanted) : !is_dummy(&h->events[i])) {
            *ret = i;
            return 0;
        }
        strings_add(&names, h->events[i].name);
    }
    error_unknown(err, "event", wanted ? wanted : "", (const char *const *)names.items);
    return error_context(err, "'%s'", path);
}

static void add_sample(struct fold *f, const struct perf_record *r)
{
    uint64_t weight = f->options->count ? 1 : r->sample.period;
    size_t n = 0;

    chain_build(&f->chain, f->symbols, f->unwinder, r);
    chain_stops_add(&f->stops, &f->chain);
    f->summary->without_user += f->chain.user == 0;
    f->frames = grow(f->frames, &f->capacity, f->chain.n + 1, sizeof(*f->frames));
    if (!f->options->no_comm)
        f->frames[n++] = chain_thread(f->symbols, r->tid, f->thread);
    if (f->chain.n)
        memcpy(f->frames + n, f->chain.frames, f->chain.n * sizeof(*f->frames));
    stacks_add(f->stacks, f->frames, n + f->chain.n, (double)weight);
    f->summary->samples++;
}

static int each_record(struct fold *f, struct perf_data *data, size_t event,
                       struct bench_error *err)
{
    struct perf_record r;
    int got;

    while ((got = perf_data_next(data, &r, err)) > 0) {
        if (r.type == PERF_RECORD_SAMPLE) {
            if (r.event == event)
                add_sample(f, &r);
            else
                f->others[r.event]++;
        } else if (r.type == PERF_RECORD_LOST || r.type == PERF_RECORD_LOST_SAMPLES) {
            f->summary->lost += r.lost;
        } else {
            symbols_record(f->symbols, &r);
        }
    }
    return got;
}

static void conclude(struct fold *f, const struct perf_data *data)
{
    const char *file = chain_stops_file(&f->stops);

    const struct perf_header *h = perf_data_header(data);

    for (size_t i = 0; i < h->n_events; i++)
        if (f->others[i])
            strings_addf(&f->summary->others, "%llu samples of '%s'",
                         (unsigned long long)f->others[i], h->events[i].name);
    f->summary->with_user = f->stops.with_user;
    f->summary->broken = f->stops.broken;
    f->summary->broken_file = file ? xstrdup(file) : NULL;
    f->summary->late = perf_data_late(data);
    symbols_problems(f->symbols, &f->summary->problems);
}

int perf_fold(int dirfd, const char *path, const struct fold_options *options,
              struct stacks *stacks, struct fold_summary *ret, struct bench_error *err)
{
    cleanup_perf_data struct perf_data *data = NULL;
    cleanup_symbols struct symbols *symbols = NULL;
    cleanup_unwinder struct unwinder *unwinder = NULL;
    struct fold f = {.options = options, .stacks = stacks, .summary = ret};
    const struct perf_event *event;
    size_t chosen = 0;
    int failed;

    *ret = (struct fold_summary){0};
    if (perf_data_open(dirfd, path, &data, err) < 0 ||
        choose_event(perf_data_header(data), path, options->event, &chosen, err) < 0)
        return -1;
    event = &perf_data_header(data)->events[chosen];
    ret->event = xstrdup(event->name);
    ret->unit = unit_of(&event->attr, options);
    f.symbols = symbols = symbols_new(perf_data_header(data));
    f.unwinder = unwinder = unwinder_new(symbols);
    f.others = xcalloc(perf_data_header(data)->n_events, sizeof(*f.others));
    failed = each_record(&f, data, chosen, err);
    conclude(&f, data);
    chain_release(&f.chain);
    free(f.frames);
    free(f.others);
    chain_stops_release(&f.stops);
    return failed;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

void fold_notes(const struct fold_summary *s, struct strings *ret)
{
    if (s->lost)
        strings_addf(ret, "%llu samples were lost: the kernel's buffer was full; sample less often",
                     (unsigned long long)s->lost);
    if (s->late)
        strings_addf(ret, "%llu records came too late to be put in order",
                     (unsigned long long)s->late);
    if (s->broken_file)
        strings_addf(ret,
                     "%.0f%% of the user stacks end too early, most of them in '%s': it was built "
                     "without frame pointers; use 'call_graph: dwarf'",
                     share(s->broken, s->with_user) * 100, s->broken_file);
    for (size_t i = 0; i < s->problems.count; i++)
        strings_add(ret, s->problems.items[i]);
}

void fold_summary_release(struct fold_summary *s)
{
    free(s->event);
    free(s->broken_file);
    strings_release(&s->others);
    strings_release(&s->problems);
    *s = (struct fold_summary){0};
}
