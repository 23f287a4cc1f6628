/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/histogram.h"

/* Every value up to 2047 has a bucket of its own, above it 1024 steps an octave. */
static void buckets(void **state)
{
    (void)state;
    assert_int_equal(bench_histogram_index(-5), 0);
    assert_int_equal(bench_histogram_index(0), 0);
    assert_int_equal(bench_histogram_index(2047), 2047);
    assert_int_equal(bench_histogram_index(2048), 2048);
    assert_int_equal(bench_histogram_index(2049), 2048);
    assert_int_equal(bench_histogram_index(4095), 3071);
    assert_int_equal(bench_histogram_index(4096), 3072);
    assert_int_equal(bench_histogram_index(BENCH_HISTOGRAM_MAXIMUM), BENCH_HISTOGRAM_COUNTS - 1);
    assert_int_equal(bench_histogram_index(INT64_MAX), BENCH_HISTOGRAM_COUNTS - 1);
    assert_true(BENCH_HISTOGRAM_MAXIMUM > INT64_C(60000000000));
}

/* A value's bucket is at most a thousandth of it wide: known samples replayed. */
static void percentiles_within_one_bucket(void **state)
{
    cleanup_free struct histogram *h = histogram_new();
    struct random random = {7};

    (void)state;
    for (int64_t i = 1; i <= 100000; i++)
        histogram_record(h, i * 1000, 1);
    for (int i = 0; i < 1000; i++) {
        double q = (double)(1 + random_below(&random, 99999)) / 100000;
        double exact = ceil(q * 100000 - 1e-9) * 1000;

        assert_true(fabs(histogram_percentile(h, q) - exact) <= exact / 1000);
    }
    assert_true(fabs(histogram_mean(h) - 50000500) < 50000);
    assert_true(fabs(histogram_maximum(h) - 1e8) <= 1e5);
}

static void too_few(void **state)
{
    cleanup_free struct histogram *h = histogram_new();

    (void)state;
    assert_true(isnan(histogram_percentile(h, 0.5)));
    assert_true(isnan(histogram_mean(h)));
    assert_true(isnan(histogram_maximum(h)));
    assert_false(histogram_supports(h, 0.5));
    histogram_record(h, 1, 999);
    assert_true(histogram_supports(h, 0.5));
    assert_false(histogram_supports(h, 0.99));
    histogram_record(h, 1, 1);
    assert_true(histogram_supports(h, 0.99));
    assert_false(histogram_supports(h, 0.999));
}

static void differences(void **state)
{
    cleanup_free struct bench_histogram *shared = xcalloc(1, sizeof(*shared));
    cleanup_free struct histogram *before = histogram_new(), *after = histogram_new();

    (void)state;
    bench_histogram_record(shared, 100);
    histogram_add_shared(before, shared);
    bench_histogram_record(shared, 500);
    histogram_add_shared(after, shared);
    histogram_subtract(after, before);
    assert_int_equal(after->total, 1);
    assert_true(histogram_percentile(after, 0.5) == 500);
    histogram_merge(after, before);
    assert_int_equal(after->total, 2);
    assert_true(histogram_percentile(after, 0.5) == 100);
}

static void there_and_back(void **state)
{
    cleanup_free struct histogram *h = histogram_new(), *back = histogram_new();
    cleanup_free char *text = NULL;
    struct random random = {1};

    (void)state;
    histogram_record(h, 0, 1);
    histogram_record(h, INT64_MAX, UINT64_C(1) << 60);
    for (int i = 0; i < 5000; i++)
        histogram_record(h, (int64_t)random_below(&random, 1000000000), random_below(&random, 900));
    text = histogram_encode(h);
    assert_int_equal(histogram_decode(back, text, NULL), 0);
    assert_memory_equal(h, back, sizeof(*h));
}

/* Written by HdrHistogram's own encoder for one record of 1000 (lowest 1, highest 2^36, 3 digits)
 * would start like this: the cookie of the compressed form. */
static void reads_like_hdrhistogram(void **state)
{
    cleanup_free struct histogram *h = histogram_new();
    cleanup_free char *text = NULL;

    (void)state;
    histogram_record(h, 1000, 1);
    text = histogram_encode(h);
    assert_memory_equal(text, "HISTFAAAA", 9);
}

static void refuses_everything_else(void **state)
{
    cleanup_free struct histogram *h = histogram_new(), *back = histogram_new();
    cleanup_free char *text = NULL;
    struct bench_error err = {0};

    (void)state;
    histogram_record(h, 123456, 3);
    text = histogram_encode(h);
    for (size_t n = strlen(text); n-- > 0;) {
        cleanup_free char *cut = xstrndup(text, n);

        assert_int_equal(histogram_decode(back, cut, &err), -1);
    }
    for (size_t n = strlen(text); n-- > 0;) {
        cleanup_free char *bent = xstrdup(text);

        bent[n] = bent[n] == 'A' ? 'B' : 'A';
        histogram_decode(back, bent, &err); /* either way, no crash */
    }
    assert_int_equal(histogram_decode(back, "hello", &err), -1);
    assert_string_equal(err.message, "not a histogram that bench wrote: not base64");
    assert_int_equal(histogram_decode(back, "aGVsbG8gd29ybGQ=", &err), -1);
    assert_string_equal(err.message,
                        "not a histogram that bench wrote: not the compressed V2 encoding");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets),
        cmocka_unit_test(percentiles_within_one_bucket),
        cmocka_unit_test(too_few),
        cmocka_unit_test(differences),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(reads_like_hdrhistogram),
        cmocka_unit_test(refuses_everything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
