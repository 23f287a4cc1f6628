/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"

static void duration_is(const char *text, int64_t expected)
{
    struct bench_error err = {0};
    int64_t ns = -1;

    if (parse_duration(text, &ns, &err) < 0)
        fail_msg("'%s': %s", text, err.message);
    assert_int_equal(ns, expected);
}

static void durations(void **state)
{
    (void)state;
    duration_is("5s", INT64_C(5000000000));
    duration_is("5", INT64_C(5000000000));
    duration_is("0", 0);
    duration_is("0.1", 100000000);
    duration_is("0.1s", 100000000);
    duration_is("1.50s", 1500000000);
    duration_is("500ms", 500000000);
    duration_is("250us", 250000);
    duration_is("250\u00b5s", 250000);
    duration_is("7ns", 7);
    duration_is("1m", INT64_C(60000000000));
    duration_is("1.5min", INT64_C(90000000000));
    duration_is("2h", INT64_C(7200000000000));
    duration_is("9223372036854775807ns", INT64_MAX);
    duration_is("0.000000001s", 1);
    duration_is("1.00000000000000000000000s", 1000000000);
}

static void bad_durations(void **state)
{
    static const char *const bad[] = {
        "",
        "s",
        "-1s",
        "+1s",
        " 1s",
        "1 s",
        "1s ",
        "1sec",
        "1.s",
        ".5s",
        "1..5",
        "1.5.5",
        "0.1ns",
        "0.0000000001",
        "1e3",
        "0x10",
        "infinity",
        "nan",
        "1S",
        "5 parsecs",
        "9223372036854775808ns",
        "9223372037",
        "99999999999999999999999",
        "1s2s",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct bench_error err = {0};
        int64_t ns = 77;

        assert_int_equal(parse_duration(bad[i], &ns, &err), -1);
        assert_int_equal(ns, 77);
        assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    }
}

static void messages(void **state)
{
    struct bench_error err = {0};
    uint64_t cpus[UNITS_CPU_WORDS];
    int64_t whole;
    double number;
    int truth;

    (void)state;
    parse_duration("5 parsecs", &whole, &err);
    assert_string_equal(err.message, "'5 parsecs' is not a duration: write a number with ns, us, "
                                     "ms, s, m or h, like 500ms");
    parse_integer("two", &whole, &err);
    assert_string_equal(err.message, "'two' is not an integer: write digits only, like 10 or -1");
    parse_number("1,5", &number, &err);
    assert_string_equal(err.message,
                        "'1,5' is not a number: write a decimal number like 0.5, 2 or 1e6");
    parse_size("64Q", &whole, &err);
    assert_string_equal(err.message, "'64Q' is not a size: write bytes, or 64K, 1M, 2G (of 1024), "
                                     "or 64kB (of 1000)");
    parse_rate("1/s", &number, &err);
    assert_string_equal(
        err.message, "'1/s' is not a rate: write a number per second, like 500, 10k, 2.5M or 1G");
    parse_share("x%", &number, &err);
    assert_string_equal(err.message,
                        "'x%' is not a share: write a percentage or a fraction, like 3% or 0.03");
    parse_share("3", &number, &err);
    assert_string_equal(err.message, "'3' would be 300%");
    assert_string_equal(err.hint, "write '3%', or '300%' if that is meant");
    parse_bool("maybe", &truth, &err);
    assert_string_equal(err.message, "'maybe' is not a truth value: write true or false");
    parse_cpus("2-1", cpus, &err);
    assert_string_equal(err.message, "'2-1' is not a list of CPUs: write numbers and ranges, like "
                                     "0-2,5");
}

/* What is well formed is told from what is not, for callers that know the bounds. */
static void out_of_range(void **state)
{
    static const struct {
        const char *text;
        int (*whole)(const char *, int64_t *, struct bench_error *);
        int (*real)(const char *, double *, struct bench_error *);
        const char *why;
    } cases[] = {
        {"9223372036854775808", parse_integer, NULL,
         "an integer lies between -9223372036854775808 and 9223372036854775807"},
        {"-9223372036854775809", parse_integer, NULL,
         "an integer lies between -9223372036854775808 and 9223372036854775807"},
        {"9223372037", parse_duration, NULL, "a duration is at most 292 years"},
        {"99999999999999999999999999999999999999999s", parse_duration, NULL,
         "a duration is at most 292 years"},
        {"-1.5s", parse_duration, NULL, "a duration is not negative"},
        {"0.1ns", parse_duration, NULL, "a duration is a whole number of ns"},
        {"0.00000000000000000000000000000000000000000001h", parse_duration, NULL,
         "a duration is a whole number of ns"},
        {"9000000T", parse_size, NULL, "a size is at most 8191 PiB"},
        {"0.3K", parse_size, NULL, "a size is a whole number of bytes"},
        {"-1", parse_size, NULL, "a size is not negative"},
        {"1e999", NULL, parse_number,
         "a number other than 0 lies between 1e-308 and 1e308, either side of 0"},
        {"-1e-999", NULL, parse_number,
         "a number other than 0 lies between 1e-308 and 1e308, either side of 0"},
        {"1e308T", NULL, parse_rate,
         "a number other than 0 lies between 1e-308 and 1e308, either side of 0"},
        {"-5k", NULL, parse_rate, "a rate is not negative"},
        {"1e999%", NULL, parse_share,
         "a number other than 0 lies between 1e-308 and 1e308, either side of 0"},
    };
    uint64_t cpus[UNITS_CPU_WORDS];
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_free char *expected =
            xasprintf("'%s' is out of range: %s", cases[i].text, cases[i].why);
        int64_t whole = 77;
        double real = 77;

        errno = 0;
        assert_int_equal(cases[i].whole ? cases[i].whole(cases[i].text, &whole, &err)
                                        : cases[i].real(cases[i].text, &real, &err),
                         -1);
        assert_int_equal(errno, ERANGE);
        assert_string_equal(err.message, expected);
        assert_true(whole == 77 && real == 77);
    }
    assert_int_equal(parse_cpus("0-99999999999999999999", cpus, &err), -1);
    assert_int_equal(errno, ERANGE);
    assert_string_equal(err.message, "'0-99999999999999999999' is out of range: CPUs are numbered "
                                     "from 0 to 1023");
    errno = ERANGE;
    assert_int_equal(parse_duration("1parsec", &(int64_t){0}, &err), -1);
    assert_int_equal(errno, 0);
}

static void integers(void **state)
{
    static const char *const bad[] = {"",    "-",   "+1",  " 1",  "1 ",
                                      "1.0", "1e3", "0x1", "--1", "9223372036854775808"};
    int64_t v = 0;

    (void)state;
    assert_int_equal(parse_integer("-1", &v, NULL), 0);
    assert_int_equal(v, -1);
    assert_int_equal(parse_integer("9223372036854775807", &v, NULL), 0);
    assert_true(v == INT64_MAX);
    assert_int_equal(parse_integer("-9223372036854775808", &v, NULL), 0);
    assert_true(v == INT64_MIN);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse_integer(bad[i], &v, NULL), -1);
}

static void numbers(void **state)
{
    static const char *const bad[] = {"",   "nan", "inf", "-inf", "0x10", "1e999", " 1",
                                      "1 ", "e",   ".",   "--1",  "1.5x", "+1",    "-x"};
    double v = 0;

    (void)state;
    assert_int_equal(parse_number("0.1", &v, NULL), 0);
    assert_true(v == 0.1);
    assert_int_equal(parse_number("-2.5e-3", &v, NULL), 0);
    assert_true(v == -2.5e-3);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse_number(bad[i], &v, NULL) == 0)
            fail_msg("'%s' was read as %g", bad[i], v);
}

static void size_is(const char *text, int64_t expected)
{
    struct bench_error err = {0};
    int64_t v = -1;

    if (parse_size(text, &v, &err) < 0)
        fail_msg("'%s': %s", text, err.message);
    assert_int_equal(v, expected);
}

static void sizes(void **state)
{
    int64_t v;

    (void)state;
    size_is("100", 100);
    size_is("100B", 100);
    size_is("64K", 65536);
    size_is("64k", 65536);
    size_is("64KiB", 65536);
    size_is("64kB", 64000);
    size_is("64KB", 64000);
    size_is("1M", 1048576);
    size_is("1.5M", 1572864);
    size_is("2G", INT64_C(2147483648));
    size_is("1TB", INT64_C(1000000000000));
    assert_int_equal(parse_size("0.3K", &v, NULL), -1); /* not a whole number of bytes */
    assert_int_equal(parse_size("-1", &v, NULL), -1);
    assert_int_equal(parse_size("9000000T", &v, NULL), -1);
    assert_int_equal(parse_size("9223372036854775807T", &v, NULL), -1);
}

static void rates_and_shares(void **state)
{
    double v;

    (void)state;
    assert_int_equal(parse_rate("2.5G", &v, NULL), 0);
    assert_true(v == 2.5e9);
    assert_int_equal(parse_rate("10k", &v, NULL), 0);
    assert_true(v == 1e4);
    assert_int_equal(parse_rate("-1", &v, NULL), -1);
    assert_int_equal(parse_rate("1e308T", &v, NULL), -1);
    assert_int_equal(parse_share("3%", &v, NULL), 0);
    assert_true(v == 0.03);
    assert_int_equal(parse_share("0.03", &v, NULL), 0);
    assert_true(v == 0.03);
    assert_int_equal(parse_share("3%%", &v, NULL), -1);
    assert_int_equal(parse_share("300%", &v, NULL), 0);
    assert_true(v == 3);
    assert_int_equal(parse_share("0.999", &v, NULL), 0);
    assert_int_equal(parse_share("1", &v, NULL), -1);
    assert_int_equal(parse_share("-0.5", &v, NULL), 0); /* ranges are the caller's */
}

static void truth_values(void **state)
{
    static const char *const yes[] = {"true", "yes", "on", "True", "ON"};
    static const char *const no[] = {"false", "no", "off", "False"};
    int v;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        v = 7;
        assert_int_equal(parse_bool(yes[i], &v, NULL), 0);
        assert_int_equal(v, 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
        v = 7;
        assert_int_equal(parse_bool(no[i], &v, NULL), 0);
        assert_int_equal(v, 0);
    }
    assert_int_equal(parse_bool("1", &v, NULL), -1);
    assert_int_equal(parse_bool("", &v, NULL), -1);
}

static void cpu_lists(void **state)
{
    static const char *const bad[] = {"",     ",",    "1,",  ",1", "a",    "1-",
                                      "-1",   "1--2", "3-2", "1 ", "1024", "0-9999999999999999999",
                                      "1-2-3"};
    uint64_t bits[UNITS_CPU_WORDS];

    (void)state;
    assert_int_equal(parse_cpus("0-2,5", bits, NULL), 0);
    assert_true(bits[0] == 0x27);
    assert_int_equal(parse_cpus("64,1023", bits, NULL), 0);
    assert_true(bits[0] == 0 && bits[1] == 1 && bits[15] == UINT64_C(1) << 63);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse_cpus(bad[i], bits, NULL) == 0)
            fail_msg("'%s' was accepted", bad[i]);
    assert_true(bits[1] == 1); /* untouched by a failure */
}

static void formats(void **state)
{
    char s[64];

    (void)state;
    assert_string_equal(format_si(12.34e9, s, sizeof(s)), "12.3 G");
    assert_string_equal(format_si(987, s, sizeof(s)), "987 ");
    assert_string_equal(format_si(999.4, s, sizeof(s)), "999 ");
    assert_string_equal(format_si(999.6, s, sizeof(s)), "1.00 k");
    assert_string_equal(format_si(1000, s, sizeof(s)), "1.00 k");
    assert_string_equal(format_si(9.996, s, sizeof(s)), "10.0 ");
    assert_string_equal(format_si(-1500, s, sizeof(s)), "-1.50 k");
    assert_string_equal(format_si(0, s, sizeof(s)), "0 ");
    assert_string_equal(format_si(0.00123, s, sizeof(s)), "1.23 m");
    assert_string_equal(format_si(1e20, s, sizeof(s)), "100000 P");
    assert_string_equal(format_si(NAN, s, sizeof(s)), "nan ");
    assert_string_equal(format_binary(12.34 * 1048576, s, sizeof(s)), "12.3 Mi");
    assert_string_equal(format_binary(512, s, sizeof(s)), "512 ");
    assert_string_equal(format_binary(5, s, sizeof(s)), "5 ");
    assert_string_equal(format_binary(1023.7, s, sizeof(s)), "1.00 Ki");
    assert_string_equal(format_seconds(0.01234, s, sizeof(s)), "12.3 ms");
    assert_string_equal(format_seconds(0.0000005, s, sizeof(s)), "500 ns");
    assert_string_equal(format_seconds(0.0009999, s, sizeof(s)), "1.00 ms");
    assert_string_equal(format_seconds(90, s, sizeof(s)), "90.0 s");
    assert_string_equal(format_seconds(4000, s, sizeof(s)), "4000 s");
    assert_string_equal(format_seconds(0, s, sizeof(s)), "0 s");
    assert_string_equal(format_si(12.34e9, s, 5), "12.3"); /* cut, and still a string */
}

static void notations_read_back(void **state)
{
    static const int64_t whole[] = {0,        1,          1000,        1024,        1500,
                                    65536,    1000000000, 60000000000, 90000000000, 3600000000000,
                                    INT64_MAX};
    static const double real[] = {0,   0.1,  1.0 / 3, 1e6, 2.5e9, 1e15, 123456789,
                                  0.5, 1e-9, 999,     1e4, 12345, 1e300};
    char s[64];
    int64_t v;
    double d;

    (void)state;
    assert_string_equal(format_duration(1500000000, s, sizeof(s)), "1500ms");
    assert_string_equal(format_duration(5000000000, s, sizeof(s)), "5s");
    assert_string_equal(format_duration(60000000000, s, sizeof(s)), "1m");
    assert_string_equal(format_duration(0, s, sizeof(s)), "0s");
    assert_string_equal(format_size(65536, s, sizeof(s)), "64K");
    assert_string_equal(format_size(1000, s, sizeof(s)), "1000");
    assert_string_equal(format_rate(1e4, s, sizeof(s)), "10k");
    assert_string_equal(format_rate(2.5e9, s, sizeof(s)), "2500M");
    assert_string_equal(format_number(0.1, s, sizeof(s)), "0.1");
    for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
        assert_int_equal(parse_duration(format_duration(whole[i], s, sizeof(s)), &v, NULL), 0);
        assert_int_equal(v, whole[i]);
        assert_int_equal(parse_size(format_size(whole[i], s, sizeof(s)), &v, NULL), 0);
        assert_int_equal(v, whole[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
        assert_int_equal(parse_number(format_number(real[i], s, sizeof(s)), &d, NULL), 0);
        assert_true(d == real[i]);
        assert_int_equal(parse_rate(format_rate(real[i], s, sizeof(s)), &d, NULL), 0);
        assert_true(d == real[i]);
        assert_int_equal(parse_share(format_share(real[i], s, sizeof(s)), &d, NULL), 0);
        assert_true(d == real[i]);
    }
    assert_string_equal(format_share(0.03, s, sizeof(s)), "3%");
    assert_string_equal(format_share(3, s, sizeof(s)), "300%");
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none */
    } cases[] = {
        {"2026-11-20", 1795132800},
        {"2026-11-20T06:49", 1795157340},
        {"2026-11-20T06:49:44", 1795157384},
        {"2026-11-20T06:49:44Z", 1795157384},
        {"30d", 2000000000 - 30 * 86400},
        {"90m", 2000000000 - 5400},
        {"1969-12-31", -86400},
        {"2026-02-30", -1},
        {"2026-1-02", -1},
        {" 2026-11-20", -1},
        {"2026-11-20T6:49", -1},
        {"2026-11-20T06:49Z", -1},
        {"2026-11-20T06:49:44+01:00", -1},
        {"9999-01-01", -1},
        {"yesterday", -1},
        {"", -1},
    };
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t v = -1;

        assert_int_equal(parse_time(cases[i].text, 2000000000 * NS_PER_S, &v, &err),
                         cases[i].seconds == -1 ? -1 : 0);
        assert_true(cases[i].seconds == -1 || v == cases[i].seconds * NS_PER_S);
    }
    parse_time("x", 0, &(int64_t){0}, &err);
    assert_string_equal(err.message, "'x' is not a time: write 2026-11-20 or 2026-11-20T06:49 "
                                     "(UTC), or how long ago: 90m, 12h, 30d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(bad_durations),
        cmocka_unit_test(messages),
        cmocka_unit_test(times),
        cmocka_unit_test(out_of_range),
        cmocka_unit_test(integers),
        cmocka_unit_test(numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(rates_and_shares),
        cmocka_unit_test(truth_values),
        cmocka_unit_test(cpu_lists),
        cmocka_unit_test(formats),
        cmocka_unit_test(notations_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
