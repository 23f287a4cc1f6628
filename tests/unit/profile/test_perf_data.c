/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/perf_data.h"
#include "perf_file.h"

#define DATA_AT (104 + 8 + sizeof(struct perf_event_attr) + 16) /* of a file with one event */

static struct perf_data *opened(const struct perf_file *f)
{
    struct perf_data *d = NULL;
    struct bench_error err = {0};

    if (perf_data_open(AT_FDCWD, f->path, &d, &err) < 0)
        fail_msg("%s", err.message);
    return d;
}

/* The times of all records, one after the other; what went wrong at the end. */
static char *times(struct perf_file *f, uint64_t *ret_late)
{
    cleanup_perf_data struct perf_data *d = opened(f);
    struct text t = {0};
    struct bench_error err = {0};
    struct perf_record r;
    int got;

    while ((got = perf_data_next(d, &r, &err)) > 0)
        text_add(&t, "%llu ", (unsigned long long)r.time);
    if (got < 0)
        fail_msg("%s", err.message);
    *ret_late = perf_data_late(d);
    return text_take(&t);
}

static void sample_at(struct perf_file *f, uint64_t time)
{
    perf_file_sample(f, 7, 8, time, 1, NULL, 0);
}

static void records_come_in_the_order_of_time(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_free char *got = NULL;
    uint64_t late;

    (void)state;
    perf_file_begin(&f);
    perf_file_comm(&f, 0, 7, 7, "no time", 0);
    sample_at(&f, 30); /* one CPU's buffer */
    sample_at(&f, 50);
    sample_at(&f, 10); /* the next one's */
    sample_at(&f, 40);
    perf_file_round(&f);
    sample_at(&f, 60);
    sample_at(&f,
              45); /* older than the newest of the last round: the reason for waiting one more */
    perf_file_round(&f);
    sample_at(&f, 55);
    perf_file_end(&f);
    got = times(&f, &late);
    assert_string_equal(got, "0 10 30 40 45 50 55 60 ");
    assert_int_equal(late, 0);
}

static void what_comes_after_its_round_is_counted(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_free char *got = NULL;
    uint64_t late;

    (void)state;
    perf_file_begin(&f);
    sample_at(&f, 10);
    perf_file_round(&f);
    perf_file_round(&f);
    sample_at(&f, 20);
    perf_file_round(&f);
    perf_file_round(&f);
    sample_at(&f, 5);
    sample_at(&f, 30);
    perf_file_end(&f);
    got = times(&f, &late);
    assert_string_equal(got, "10 20 5 30 ");
    assert_int_equal(late, 1);
}

/* More than a block, and more than may wait: newer first, no round ever. */
static void memory_is_bounded(void **state)
{
    enum { RECORDS = 2200, CHAIN = 8000 };
    cleanup_perf_file struct perf_file f;
    static uint64_t chain[CHAIN];
    cleanup_free char *got = NULL;
    uint64_t late;

    (void)state;
    perf_file_begin(&f);
    for (uint64_t i = RECORDS; i > 0; i--)
        perf_file_sample(&f, 1, 1, i, 1, chain, CHAIN);
    perf_file_end(&f);
    got = times(&f, &late);
    assert_true(late > 0 && late < RECORDS);
}

static void fields_of_every_kind(void **state)
{
    const uint64_t chain[] = {(uint64_t)PERF_CONTEXT_USER, 0x1000, 0x2000};
    cleanup_perf_data struct perf_data *d = NULL;
    cleanup_perf_file struct perf_file f;
    struct bench_error err = {0};
    struct perf_record r;
    struct text body = {0};

    (void)state;
    perf_file_begin(&f);
    perf_file_fork(&f, 8, 7, 9, 7, 1);
    perf_file_map(&f, 8, 0x1000, 0x2000, 0x3000, "/bin/true", 2);
    perf_file_sample(&f, 8, 9, 3, 1234, chain, 3);
    perf_file_word(&body, 0);
    perf_file_word(&body, 55);
    perf_file_trailer(&body, 8, 9, 4);
    perf_file_record(&f, PERF_RECORD_LOST, 0, &body);
    perf_file_pair(&body, 8, 8); /* MMAP2 with a build-id */
    for (int i = 1; i <= 3; i++)
        perf_file_word(&body, (uint64_t)i);
    text_add_bytes(&body, "\4\0\0\0\xde\xad\xbe\xef", 8);
    perf_file_word(&body, 0);
    perf_file_word(&body, 0);
    perf_file_word(&body, 0);
    perf_file_string(&body, "/lib/x.so");
    perf_file_trailer(&body, 8, 8, 5);
    perf_file_record(&f, PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID, &body);
    perf_file_end(&f);
    d = opened(&f);
    assert_string_equal(perf_data_header(d)->events[0].name, "cpu-clock");

    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.type, PERF_RECORD_FORK);
    assert_true(r.pid == 8 && r.parent_pid == 7 && r.tid == 9 && r.parent_tid == 7 && r.time == 1);
    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.type, PERF_RECORD_MMAP);
    assert_true(r.map.start == 0x1000 && r.map.length == 0x2000 && r.map.offset == 0x3000);
    assert_true(r.pid == 8 && !r.map.build_id);
    assert_string_equal(r.map.path, "/bin/true");
    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.type, PERF_RECORD_SAMPLE);
    assert_true(r.pid == 8 && r.tid == 9 && r.sample.period == 1234 && r.sample.n_chain == 3);
    assert_memory_equal(r.sample.chain, chain, sizeof(chain));
    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.type, PERF_RECORD_LOST);
    assert_int_equal(r.lost, 55);
    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.type, PERF_RECORD_MMAP2);
    assert_string_equal(r.map.path, "/lib/x.so");
    assert_int_equal(r.map.build_id_size, 4);
    assert_memory_equal(r.map.build_id, "\xde\xad\xbe\xef", 4);
    assert_int_equal(perf_data_next(d, &r, &err), 0);
}

/* Every field that perf record can ask for, in the order of linux/perf_event.h. */
static void the_longest_sample(void **state)
{
    cleanup_perf_data struct perf_data *d = NULL;
    cleanup_perf_file struct perf_file f;
    struct bench_error err = {0};
    struct text body = {0};
    struct perf_record r;

    (void)state;
    perf_file_begin(&f);
    f.attrs[0].sample_type = (PERF_SAMPLE_MAX - 1) & ~(uint64_t)PERF_SAMPLE_WEIGHT;
    f.attrs[0].read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED;
    f.attrs[0].branch_sample_type = PERF_SAMPLE_BRANCH_HW_INDEX;
    f.attrs[0].sample_regs_user = 0x7;
    f.attrs[0].sample_regs_intr = 0x1;
    perf_file_word(&body, FIRST_ID); /* IDENTIFIER */
    perf_file_word(&body, 0x42);     /* IP */
    perf_file_pair(&body, 5, 6);     /* TID */
    perf_file_word(&body, 77);       /* TIME */
    for (int i = 0; i < 4; i++)      /* ADDR, ID, STREAM_ID, CPU */
        perf_file_word(&body, 1);
    perf_file_word(&body, 99); /* PERIOD */
    perf_file_word(&body, 2);  /* READ: two of a group */
    for (int i = 0; i < 5; i++)
        perf_file_word(&body, 1);
    perf_file_word(&body, 1); /* CALLCHAIN */
    perf_file_word(&body, 0x1111);
    text_add_bytes(&body, "\4\0\0\0RAW!", 8); /* RAW */
    perf_file_word(&body, 1);                 /* BRANCH_STACK: one, after the index */
    for (int i = 0; i < 4; i++)
        perf_file_word(&body, 1);
    perf_file_word(&body, PERF_SAMPLE_REGS_ABI_64); /* REGS_USER */
    for (uint64_t i = 0; i < 3; i++)
        perf_file_word(&body, 0xa0 + i);
    perf_file_word(&body, 16); /* STACK_USER: room for 16, 5 are used */
    text_add_bytes(&body, "stack...........", 16);
    perf_file_word(&body, 5);
    for (int i = 0; i < 3; i++) /* WEIGHT_STRUCT, DATA_SRC, TRANSACTION */
        perf_file_word(&body, 1);
    perf_file_word(&body, PERF_SAMPLE_REGS_ABI_NONE); /* REGS_INTR */
    for (int i = 0; i < 4; i++)                       /* PHYS_ADDR, CGROUP, page sizes */
        perf_file_word(&body, 1);
    perf_file_word(&body, 8); /* AUX */
    perf_file_word(&body, 1);
    perf_file_record(&f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, &body);
    perf_file_end(&f);
    d = opened(&f);
    if (perf_data_next(d, &r, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(r.pid == 5 && r.tid == 6 && r.time == 77);
    assert_true(r.sample.ip == 0x42 && r.sample.period == 99);
    assert_true(r.sample.n_chain == 1 && r.sample.chain[0] == 0x1111);
    assert_true(r.sample.register_mask == 0x7 && r.sample.registers[2] == 0xa2);
    assert_int_equal(r.sample.stack_size, 5);
    assert_memory_equal(r.sample.stack, "stack", 5);
    assert_int_equal(perf_data_next(d, &r, &err), 0);
}

static void assert_refused(struct perf_file *f, const char *what)
{
    struct perf_data *d = NULL;
    struct bench_error err = {0};
    struct perf_record r;
    int got = perf_data_open(AT_FDCWD, f->path, &d, &err);

    while (got >= 0 && (got = perf_data_next(d, &r, &err)) > 0)
        ;
    perf_data_close(d);
    assert_int_equal(got, -1);
    if (!strstr(err.message, what))
        fail_msg("'%s' is not in '%s'", what, err.message);
    assert_non_null(strstr(err.message, f->path));
}

static void several_events_are_told_apart_by_their_id(void **state)
{
    cleanup_perf_data struct perf_data *d = NULL;
    cleanup_perf_file struct perf_file f;
    struct bench_error err = {0};
    struct perf_record r;

    (void)state;
    perf_file_begin(&f);
    f.n_attrs = 2;
    f.names[1] = "sched:sched_switch";
    f.attrs[0].sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME;
    f.attrs[1] = f.attrs[0];
    f.attrs[1].type = PERF_TYPE_TRACEPOINT;
    for (uint64_t i = 0; i < 2; i++) {
        struct text body = {0};

        perf_file_word(&body, FIRST_ID + 1 - i);
        perf_file_word(&body, 1 + i);
        perf_file_record(&f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, &body);
    }
    perf_file_end(&f);
    d = opened(&f);
    assert_string_equal(perf_data_header(d)->events[1].name, "sched:sched_switch");
    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.event, 1);
    assert_int_equal(perf_data_next(d, &r, &err), 1);
    assert_int_equal(r.event, 0);
    assert_int_equal(perf_data_next(d, &r, &err), 0);
    f.bytes.data[104] = 5; /* the first event's id */
    perf_file_rewrite(&f, f.bytes.length);
    assert_refused(&f, "a sample of no event that is listed");
}

static void tables_behind_the_records(void **state)
{
    struct perf_event_header header = {.size = 48, .misc = 1 << 15};
    cleanup_perf_data struct perf_data *d = NULL;
    cleanup_perf_file struct perf_file f;
    const struct perf_header *h;

    (void)state;
    perf_file_begin(&f);
    sample_at(&f, 1);
    text_add_bytes(&f.build_ids, &header, sizeof(header));
    text_add_bytes(&f.build_ids, "\xff\xff\xff\xff\xab\xcd\x01", 7); /* pid, the id's first bytes */
    text_add_bytes(&f.build_ids, (char[17]){0}, 17);
    text_add_bytes(&f.build_ids, "\3\0\0\0/bin/x\0\0\0\0\0", 16); /* its size, the path */
    perf_file_end(&f);
    d = opened(&f);
    h = perf_data_header(d);
    assert_string_equal(perf_header_build_id(h, "/bin/x"), "abcd01");
    assert_null(perf_header_build_id(h, "/bin/y"));
}

/* In place: nothing else in the file changes. */
static void the_name_of_the_machine_is_forgotten(void **state)
{
    cleanup_perf_header struct perf_header h = {0}, again = {0};
    cleanup_perf_file struct perf_file f;
    cleanup_free char *bytes = NULL;
    char *name;

    (void)state;
    perf_file_begin(&f);
    sample_at(&f, 1);
    f.host = "build-7.example.org";
    perf_file_end(&f);
    assert_int_equal(perf_header_read(&h, f.fd, f.path, NULL), 0);
    assert_int_equal(h.host_size, 64);
    assert_int_equal(perf_header_forget_host(&h, f.fd, f.path, NULL), 0);
    bytes = xcalloc(f.bytes.length + 1, 1);
    assert_int_equal(pread(f.fd, bytes, f.bytes.length + 1, 0), f.bytes.length);
    name = memmem(f.bytes.data, f.bytes.length, f.host, strlen(f.host));
    assert_non_null(name);
    memset(name, 0, strlen(f.host));
    assert_memory_equal(bytes, f.bytes.data, f.bytes.length);
    assert_int_equal(perf_header_read(&again, f.fd, f.path, NULL), 0);
    assert_true(again.host == h.host && again.host_size == h.host_size && again.n_events == 1);
}

static void any_file_that_is_cut_short_is_refused(void **state)
{
    cleanup_perf_file struct perf_file f;

    (void)state;
    perf_file_begin(&f);
    perf_file_map(&f, 8, 0x1000, 0x2000, 0x3000, "/bin/true", 2);
    sample_at(&f, 1);
    perf_file_end(&f);
    for (size_t n = 0; n < f.bytes.length; n++) {
        perf_file_rewrite(&f, n);
        assert_refused(&f, n < 16 ? "is no perf.data file" : "is damaged: offset ");
    }
}

static void other_files_are_refused_by_name(void **state)
{
    cleanup_perf_file struct perf_file f;
    char expected[80];
    uint64_t word;

    (void)state;
    perf_file_begin(&f);
    sample_at(&f, 1);
    perf_file_end(&f);
    memcpy(f.bytes.data, "2ELIFREP", 8);
    perf_file_rewrite(&f, f.bytes.length);
    assert_refused(&f, "comes from a machine of the other byte order, which is not supported");
    assert_true(perf_data_is(f.path));
    memcpy(f.bytes.data, "PERFILE2", 8);
    f.bytes.data[72 + 19 / 8] |= 1 << 19 % 8; /* the feature that perf stat adds */
    perf_file_rewrite(&f, f.bytes.length);
    assert_refused(&f, "was written by 'perf stat record': it has no samples");
    f.bytes.data[72 + 19 / 8] ^= 1 << 19 % 8;
    memcpy(f.bytes.data + 8, &(uint64_t){16}, 8);
    perf_file_rewrite(&f, f.bytes.length);
    assert_refused(&f, "was written to a pipe");
    memcpy(f.bytes.data + 8, &(uint64_t){104}, 8);
    memcpy(&word, f.bytes.data + 48, 8);
    memset(f.bytes.data + 48, 0, 8); /* as perf leaves it when it is killed */
    perf_file_rewrite(&f, f.bytes.length);
    assert_refused(&f, "'perf record' did not end properly");
    memcpy(f.bytes.data + 48, &word, 8);
    f.bytes.data[DATA_AT] = 81;
    perf_file_rewrite(&f, f.bytes.length);
    assert_refused(&f, "compressed records");
    f.bytes.data[DATA_AT] = PERF_RECORD_SAMPLE;
    f.bytes.data[DATA_AT + 6] = 7;
    perf_file_rewrite(&f, f.bytes.length);
    snprintf(expected, sizeof(expected), "is damaged: offset %zu: a record of an impossible size",
             DATA_AT);
    assert_refused(&f, expected);
    f.bytes.data[DATA_AT + 6] = 24;
    perf_file_rewrite(&f, f.bytes.length);
    snprintf(expected, sizeof(expected),
             "is damaged: offset %zu: a record (type 9) that does not add up", DATA_AT);
    assert_refused(&f, expected);
}

static void fields_that_are_not_known_are_refused(void **state)
{
    cleanup_perf_file struct perf_file f;

    (void)state;
    perf_file_begin(&f);
    f.attrs[0].sample_type |= 1ULL << 40;
    sample_at(&f, 1);
    perf_file_end(&f);
    assert_refused(&f, "event 'cpu-clock' was recorded with fields that are not known here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_the_order_of_time),
        cmocka_unit_test(what_comes_after_its_round_is_counted),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(fields_of_every_kind),
        cmocka_unit_test(the_longest_sample),
        cmocka_unit_test(several_events_are_told_apart_by_their_id),
        cmocka_unit_test(tables_behind_the_records),
        cmocka_unit_test(the_name_of_the_machine_is_forgotten),
        cmocka_unit_test(any_file_that_is_cut_short_is_refused),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(fields_that_are_not_known_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
