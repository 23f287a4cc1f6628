/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/perf_record.h"

#include <string.h>

#include "base/error.h"

/* The bits of sample_type and branch_sample_type whose fields are known here. */
#define SAMPLE_KNOWN ((uint64_t)PERF_SAMPLE_MAX - 1)
#define BRANCH_COUNTERS (1ULL << 19) /* PERF_SAMPLE_BRANCH_COUNTERS, Linux 6.8 */
#define BRANCH_KNOWN (((uint64_t)PERF_SAMPLE_BRANCH_MAX - 1) | BRANCH_COUNTERS)
#define READ_KNOWN ((1ULL << 5) - 1) /* up to PERF_FORMAT_LOST */
#define BRANCH_ENTRY_WORDS (sizeof(struct perf_branch_entry) / sizeof(uint64_t))

struct cursor {
    const uint64_t *at, *end;
};

static bool skip(struct cursor *c, uint64_t words)
{
    if (words > (uint64_t)(c->end - c->at))
        return false;
    c->at += words;
    return true;
}

static bool take(struct cursor *c, uint64_t *ret)
{
    if (c->at == c->end)
        return false;
    *ret = *c->at++;
    return true;
}

/* `bytes` bytes, filled up to whole words. */
static const unsigned char *take_bytes(struct cursor *c, uint64_t bytes)
{
    const unsigned char *start = (const unsigned char *)c->at;

    return bytes <= UINT64_MAX - 7 && skip(c, (bytes + 7) / 8) ? start : NULL;
}

static void split(uint64_t word, uint32_t *ret_first, uint32_t *ret_second)
{
    uint32_t halves[2];

    memcpy(halves, &word, sizeof(halves));
    *ret_first = halves[0];
    *ret_second = halves[1];
}

static bool take_pair(struct cursor *c, uint32_t *ret_first, uint32_t *ret_second)
{
    uint64_t word;

    if (!take(c, &word))
        return false;
    split(word, ret_first, ret_second);
    return true;
}

int perf_record_supported(const struct perf_header *h, struct bench_error *err)
{
    for (size_t i = 0; i < h->n_events; i++) {
        const struct perf_event_attr *attr = &h->events[i].attr;

        if (!(attr->sample_type & ~SAMPLE_KNOWN) && !(attr->read_format & ~READ_KNOWN) &&
            !(attr->branch_sample_type & ~BRANCH_KNOWN))
            continue;
        error_set(err, BENCH_ERROR_RUN,
                  "event '%s' was recorded with fields that are not known here", h->events[i].name);
        error_hint(err, "the perf that wrote it is newer: use its 'perf script'");
        return -1;
    }
    return 0;
}

/* How many words lie before the id of a sample; -1 when it has none. */
static int id_position(uint64_t type)
{
    if (type & PERF_SAMPLE_IDENTIFIER)
        return 0;
    if (!(type & PERF_SAMPLE_ID))
        return -1;
    return __builtin_popcountll(
        type & (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR));
}

/* The same from the end of a record that is no sample: 1 is the last word. */
static int id_position_from_end(uint64_t type)
{
    if (type & PERF_SAMPLE_IDENTIFIER)
        return 1;
    if (!(type & PERF_SAMPLE_ID))
        return -1;
    return 1 + __builtin_popcountll(type & (PERF_SAMPLE_CPU | PERF_SAMPLE_STREAM_ID));
}

/* Which event a record belongs to. Where there are several, all have their id at the same place. */
static bool find_event(const struct perf_header *h, const struct perf_event_header *header,
                       const struct cursor *c, size_t *ret)
{
    uint64_t type = h->events[0].attr.sample_type, words = (uint64_t)(c->end - c->at);
    bool sample = header->type == PERF_RECORD_SAMPLE;
    int at = sample ? id_position(type) : id_position_from_end(type);
    int64_t event;

    *ret = 0;
    if (h->n_events == 1)
        return true;
    if (at < 0 || (uint64_t)at >= words + !sample)
        return !sample;
    event = perf_header_event(h, sample ? c->at[at] : c->end[-at]);
    if (event < 0)
        return !sample; /* what perf made up at the start has id 0 */
    *ret = (size_t)event;
    return true;
}

static const struct perf_event_header *start(const void *bytes, struct cursor *ret)
{
    const struct perf_event_header *header = bytes;

    ret->at = (const uint64_t *)bytes + 1;
    ret->end = (const uint64_t *)bytes + header->size / sizeof(uint64_t);
    return header;
}

/* What stands at the end of a record that is no sample: struct sample_id. Cuts it off `c`. */
static bool take_trailer(const struct perf_event_attr *attr, struct cursor *c,
                         struct perf_record *r)
{
    uint64_t type = attr->sample_type;
    struct cursor trailer = {c->end, c->end};
    int words = __builtin_popcountll(type & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
                                             PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
                                             PERF_SAMPLE_IDENTIFIER));

    if (!attr->sample_id_all)
        return true;
    if (words > c->end - c->at)
        return false;
    trailer.at = c->end - words;
    c->end = trailer.at;
    if (type & PERF_SAMPLE_TID)
        take_pair(&trailer, &r->pid, &r->tid);
    if (type & PERF_SAMPLE_TIME)
        take(&trailer, &r->time);
    return true;
}

static bool take_read(const struct perf_event_attr *attr, struct cursor *c)
{
    uint64_t format = attr->read_format, n = 1;
    uint64_t times = (uint64_t)__builtin_popcountll(
        format & (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING));
    uint64_t each = 1 + (uint64_t)__builtin_popcountll(format & READ_KNOWN &
                                                       ~(uint64_t)(PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                                   PERF_FORMAT_TOTAL_TIME_RUNNING |
                                                                   PERF_FORMAT_GROUP));

    if ((format & PERF_FORMAT_GROUP) && !take(c, &n))
        return false;
    return n <= UINT16_MAX && skip(c, times + n * each);
}

static bool take_chain(struct cursor *c, struct perf_sample *s)
{
    uint64_t n;

    if (!take(c, &n))
        return false;
    s->chain = c->at;
    s->n_chain = n;
    return skip(c, n);
}

/* u32 size, then that many bytes; both together are whole words. */
static bool take_raw(struct cursor *c)
{
    uint32_t size;

    if (c->at == c->end)
        return false;
    memcpy(&size, c->at, sizeof(size));
    return take_bytes(c, sizeof(size) + (uint64_t)size);
}

/* The entries, and maybe counters of each after them all. */
static bool take_branches(const struct perf_event_attr *attr, struct cursor *c,
                          struct perf_sample *s)
{
    uint64_t n, kind = attr->branch_sample_type;

    if (!take(c, &n) || n > UINT16_MAX || ((kind & PERF_SAMPLE_BRANCH_HW_INDEX) && !skip(c, 1)))
        return false;
    if (kind & PERF_SAMPLE_BRANCH_CALL_STACK) {
        s->calls = (const struct perf_branch_entry *)c->at;
        s->n_calls = n;
    }
    return skip(c, n * BRANCH_ENTRY_WORDS) && (!(kind & BRANCH_COUNTERS) || skip(c, n));
}

static bool take_registers(struct cursor *c, uint64_t mask, struct perf_sample *s)
{
    uint64_t abi;

    if (!take(c, &abi))
        return false;
    if (s) {
        s->abi = abi;
        s->registers = c->at;
        s->register_mask = abi ? mask : 0;
    }
    return !abi || skip(c, (uint64_t)__builtin_popcountll(mask));
}

/* Of the `room` that was set aside, `used` bytes are stack. */
static bool take_stack(struct cursor *c, struct perf_sample *s)
{
    uint64_t room, used;

    if (!take(c, &room))
        return false;
    if (room == 0)
        return true;
    s->stack = take_bytes(c, room);
    if (!s->stack || !take(c, &used) || used > room)
        return false;
    s->stack_size = used;
    return true;
}

static bool take_aux(struct cursor *c)
{
    uint64_t size;

    return take(c, &size) && take_bytes(c, size);
}

/* The fields in the order of linux/perf_event.h. */
static bool take_sample(const struct perf_event_attr *attr, struct cursor *c, struct perf_record *r)
{
    uint64_t type = attr->sample_type;
    struct perf_sample *s = &r->sample;
    uint64_t words_after = (uint64_t)__builtin_popcountll(
        type & (PERF_SAMPLE_WEIGHT_TYPE | PERF_SAMPLE_DATA_SRC | PERF_SAMPLE_TRANSACTION));
    uint64_t words_last = (uint64_t)__builtin_popcountll(
        type & (PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_CGROUP | PERF_SAMPLE_DATA_PAGE_SIZE |
                PERF_SAMPLE_CODE_PAGE_SIZE));
    uint64_t ids = (uint64_t)__builtin_popcountll(
        type & (PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU));

    *s = (struct perf_sample){.period = attr->freq ? 0 : attr->sample_period};
    return (!(type & PERF_SAMPLE_IDENTIFIER) || skip(c, 1)) &&
           (!(type & PERF_SAMPLE_IP) || take(c, &s->ip)) &&
           (!(type & PERF_SAMPLE_TID) || take_pair(c, &r->pid, &r->tid)) &&
           (!(type & PERF_SAMPLE_TIME) || take(c, &r->time)) && skip(c, ids) &&
           (!(type & PERF_SAMPLE_PERIOD) || take(c, &s->period)) &&
           (!(type & PERF_SAMPLE_READ) || take_read(attr, c)) &&
           (!(type & PERF_SAMPLE_CALLCHAIN) || take_chain(c, s)) &&
           (!(type & PERF_SAMPLE_RAW) || take_raw(c)) &&
           (!(type & PERF_SAMPLE_BRANCH_STACK) || take_branches(attr, c, s)) &&
           (!(type & PERF_SAMPLE_REGS_USER) || take_registers(c, attr->sample_regs_user, s)) &&
           (!(type & PERF_SAMPLE_STACK_USER) || take_stack(c, s)) && skip(c, words_after) &&
           (!(type & PERF_SAMPLE_REGS_INTR) || take_registers(c, attr->sample_regs_intr, NULL)) &&
           skip(c, words_last) && (!(type & PERF_SAMPLE_AUX) || take_aux(c));
}

/* The string at the cursor, if it ends within the record. */
static const char *take_string(struct cursor *c)
{
    const char *s = (const char *)c->at;

    return memchr(s, '\0', (size_t)(c->end - c->at) * sizeof(*c->at)) ? s : NULL;
}

static bool take_map(uint32_t type, struct cursor *c, struct perf_record *r)
{
    struct perf_mmap *m = &r->map;
    const unsigned char *identity;

    *m = (struct perf_mmap){0};
    if (!take_pair(c, &r->pid, &r->tid) || !take(c, &m->start) || !take(c, &m->length) ||
        !take(c, &m->offset))
        return false;
    if (type == PERF_RECORD_MMAP2) {
        identity = take_bytes(c, 24); /* device and inode, or { u8 size, 3 bytes, build-id[20] } */
        if (!identity || !skip(c, 1)) /* protection, flags */
            return false;
        if (r->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
            m->build_id = identity + 4;
            m->build_id_size = identity[0] <= 20 ? identity[0] : 20;
        }
    }
    m->path = take_string(c);
    return m->path;
}

/* FORK and EXIT: the time in the body is the one that the trailer has too, if there is one. */
static bool take_task(struct cursor *c, struct perf_record *r)
{
    return take_pair(c, &r->pid, &r->parent_pid) && take_pair(c, &r->tid, &r->parent_tid) &&
           take(c, &r->time);
}

static bool take_body(uint32_t type, struct cursor *c, struct perf_record *r)
{
    switch (type) {
    case PERF_RECORD_MMAP:
    case PERF_RECORD_MMAP2:
        return take_map(type, c, r);
    case PERF_RECORD_COMM:
        return take_pair(c, &r->pid, &r->tid) && (r->comm = take_string(c));
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
        return take_task(c, r);
    case PERF_RECORD_LOST:
        return skip(c, 1) && take(c, &r->lost);
    case PERF_RECORD_LOST_SAMPLES:
        return take(c, &r->lost);
    default:
        return true;
    }
}

int perf_record_parse(const struct perf_header *h, const void *bytes, struct perf_record *ret,
                      struct bench_error *err)
{
    struct cursor c;
    const struct perf_event_header *header = start(bytes, &c);
    struct perf_record r = {.type = header->type, .misc = header->misc};
    const struct perf_event_attr *attr;
    bool whole;

    if (header->type < PERF_RECORD_MAX) {
        if (!find_event(h, header, &c, &r.event))
            return error_set(err, BENCH_ERROR_RUN, "a sample of no event that is listed");
        attr = &h->events[r.event].attr;
        whole = header->type == PERF_RECORD_SAMPLE
                    ? take_sample(attr, &c, &r)
                    : take_trailer(attr, &c, &r) && take_body(header->type, &c, &r);
        if (!whole)
            return error_set(err, BENCH_ERROR_RUN, "a record (type %u) that does not add up",
                             header->type);
    }
    *ret = r;
    return 0;
}

uint64_t perf_record_time(const struct perf_header *h, const void *bytes)
{
    struct cursor c;
    const struct perf_event_header *header = start(bytes, &c);
    struct perf_record r = {0};
    uint64_t type, before;
    size_t event;

    if (header->type >= PERF_RECORD_MAX || !find_event(h, header, &c, &event))
        return 0;
    type = h->events[event].attr.sample_type;
    if (header->type != PERF_RECORD_SAMPLE)
        return take_trailer(&h->events[event].attr, &c, &r) ? r.time : 0;
    before = (uint64_t)__builtin_popcountll(
        type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID));
    return (type & PERF_SAMPLE_TIME) && skip(&c, before) && take(&c, &r.time) ? r.time : 0;
}
