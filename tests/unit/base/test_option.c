/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/option.h"

struct sample {
    int verbose, mode;
    int64_t jobs, wait, size;
    double limit, rate, share;
    char *name, *none;
};

static const char *const modes[] = {"stream", "echo", NULL};
static const char *const words[] = {"auto", "most", NULL};
#define AT(field) BENCH_OFFSET(struct sample, field)
static const struct bench_option table[] = {
    {"verbose", BENCH_OPTION_BOOL, AT(verbose), NULL, 0, 0, "yes", NULL, "say more"},
    {"mode", BENCH_OPTION_CHOICE, AT(mode), NULL, 0, 0, "echo", modes, "how"},
    {"jobs", BENCH_OPTION_INTEGER, AT(jobs), NULL, 1, 1000000, "2", NULL, "how many"},
    {"wait", BENCH_OPTION_DURATION, AT(wait), NULL, 1e6, 6e10, "500ms", NULL, "how long"},
    {"size", BENCH_OPTION_SIZE, AT(size), NULL, 1, 1 << 30, "64K", NULL, "how large"},
    {"limit", BENCH_OPTION_NUMBER, AT(limit), "CPUs", 0, 1024, "0.5", NULL, "how much"},
    {"rate", BENCH_OPTION_RATE, AT(rate), NULL, 0, 1e12, "1M", words, "how often"},
    {"share", BENCH_OPTION_SHARE, AT(share), NULL, 0, 1, "3%", NULL, "which part"},
    {"name", BENCH_OPTION_STRING, AT(name), NULL, 0, 0, "x", NULL, "who"},
    {"none", BENCH_OPTION_STRING, AT(none), NULL, 0, 0, NULL, NULL, "nobody"},
    {0},
};

static int set(struct sample *s, const char *name, const char *text, struct bench_error *err)
{
    return option_set(option_find(table, name), s, text, err);
}

static void words_stand_for_rates(void **state)
{
    cleanup_free char *help = option_describe(option_find(table, "rate"));
    struct sample s = {0};
    char *text;

    (void)state;
    assert_int_equal(set(&s, "rate", "most", NULL), 0);
    assert_true(s.rate == -2);
    text = option_format(option_find(table, "rate"), &s);
    assert_string_equal(text, "most");
    free(text);
    assert_int_equal(set(&s, "rate", "2k", NULL), 0);
    assert_true(s.rate == 2000);
    assert_int_equal(set(&s, "rate", "-1", NULL), -1);
    assert_int_equal(set(&s, "rate", "Auto", NULL), -1);
    assert_true(s.rate == 2000);
    assert_string_equal(help, "rate, 0 to 1T, or auto, most; default 1M");
}

static void defaults_and_release(void **state)
{
    struct sample s;

    (void)state;
    memset(&s, 0xa5, sizeof(s));
    option_defaults(table, &s);
    assert_int_equal(s.verbose, 1);
    assert_int_equal(s.mode, 1);
    assert_int_equal(s.jobs, 2);
    assert_int_equal(s.wait, 500000000);
    assert_int_equal(s.size, 65536);
    assert_true(s.limit == 0.5 && s.rate == 1e6 && s.share == 0.03);
    assert_string_equal(s.name, "x");
    assert_null(s.none);
    option_release(table, &s);
    assert_null(s.name);
    option_release(table, &s); /* twice is harmless */
    option_release(NULL, &s);
}

static void set_replaces(void **state)
{
    struct sample s;

    (void)state;
    option_defaults(table, &s);
    assert_int_equal(set(&s, "name", "first", NULL), 0);
    assert_int_equal(set(&s, "name", s.name, NULL), 0); /* from itself */
    assert_string_equal(s.name, "first");
    assert_int_equal(set(&s, "mode", "stream", NULL), 0);
    assert_int_equal(s.mode, 0);
    option_release(table, &s);
}

static void wrong(const char *name, const char *text, const char *message, const char *hint)
{
    struct bench_error err = {0};
    struct sample s, before;

    option_defaults(table, &s);
    before = s;
    assert_int_equal(set(&s, name, text, &err), -1);
    assert_memory_equal(&s, &before, sizeof(s));
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    option_release(table, &s);
}

static void refusals(void **state)
{
    (void)state;
    wrong("jobs", "0", "jobs: '0' is out of range, allowed is 1 to 1000000", "");
    wrong("jobs", "many", "jobs: 'many' is not an integer: write digits only, like 10 or -1", "");
    wrong("wait", "2m", "wait: '2m' is out of range, allowed is 1ms to 1m", "");
    wrong("size", "2G", "size: '2G' is out of range, allowed is 1 to 1G", "");
    wrong("limit", "-1", "limit: '-1' is out of range, allowed is 0 to 1024", "");
    wrong("rate", "2T", "rate: '2T' is out of range, allowed is 0 to 1T", "");
    wrong("share", "101%", "share: '101%' is out of range, allowed is 0% to 100%", "");
    wrong("mode", "strem", "mode: 'strem' is not one of stream, echo", "did you mean 'stream'?");
    wrong("mode", "quantum", "mode: 'quantum' is not one of stream, echo", "");
    wrong("verbose", "2", "verbose: '2' is not a truth value: write true or false", "");
}

static void unknown_names(void **state)
{
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(option_unknown(table, "key", "job", &err), -1);
    assert_string_equal(err.message, "unknown key 'job'");
    assert_string_equal(err.hint, "did you mean 'jobs'?");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    option_unknown(table, "key", "zzzzzz", &err);
    assert_string_equal(err.hint, "known: verbose, mode, jobs, wait, size, limit, rate, share, "
                                  "name, none");
    option_unknown(NULL, "option", "x", &err);
    assert_string_equal(err.hint, "known: none");
    assert_int_equal(option_unknown(table, "key", "job", NULL), -1);
    assert_null(option_find(table, "job"));
    assert_null(option_find(NULL, "jobs"));
}

static void copies_are_deep(void **state)
{
    struct sample s, *copy;

    (void)state;
    option_defaults(table, &s);
    copy = option_copy(table, &s, sizeof(s));
    assert_string_equal(copy->name, "x");
    assert_ptr_not_equal(copy->name, s.name);
    assert_null(copy->none);
    option_release(table, &s);
    assert_int_equal(copy->jobs, 2);
    option_release(table, copy);
    free(copy);
    free(option_copy(NULL, NULL, 0));
}

static void formats_read_back(void **state)
{
    static const char *const expected[] = {"true", "echo", "2",  "500ms", "64K",
                                           "0.5",  "1M",   "3%", "x",     NULL};
    struct sample s, again;

    (void)state;
    option_defaults(table, &s);
    option_defaults(table, &again);
    for (size_t i = 0; table[i].name; i++) {
        cleanup_free char *text = option_format(&table[i], &s);

        if (!expected[i]) {
            assert_null(text);
            continue;
        }
        assert_string_equal(text, expected[i]);
        assert_int_equal(option_set(&table[i], &again, text, NULL), 0);
    }
    assert_true(again.share == s.share && again.rate == s.rate && again.wait == s.wait);
    option_release(table, &s);
    option_release(table, &again);
}

static void described(void **state)
{
    static const char *const expected[] = {
        "true or false, default yes",
        "one of stream, echo; default echo",
        "integer, 1 to 1000000, default 2",
        "duration, 1ms to 1m, default 500ms",
        "size, 1 to 1G, default 64K",
        "number (CPUs), 0 to 1024, default 0.5",
        "rate, 0 to 1T, or auto, most; default 1M",
        "share, 0% to 100%, default 3%",
        "text, default x",
        "text",
    };

    (void)state;
    for (size_t i = 0; table[i].name; i++) {
        cleanup_free char *text = option_describe(&table[i]);

        assert_string_equal(text, expected[i]);
    }
}

static void refused_table(const struct bench_option *rows, size_t size, const char *message)
{
    struct bench_error err = {0};

    assert_int_equal(option_check(rows, size, &err), -1);
    assert_string_equal(err.message, message);
}

static void tables_are_checked(void **state)
{
    static const char *const empty[] = {NULL};
    struct bench_option row = {"a", BENCH_OPTION_INTEGER, 0, NULL, 0, 0, NULL, NULL, "h"};
    struct bench_option rows[3] = {row, row, {0}};

    (void)state;
    assert_int_equal(option_check(table, sizeof(struct sample), NULL), 0);
    assert_int_equal(option_check(NULL, 0, NULL), 0);
    refused_table(rows, 16, "option 'a': is there twice");
    rows[1].name = "b";
    refused_table(rows, 16, "options 'a' and 'b' share a field");
    rows[1].offset = 8;
    assert_int_equal(option_check(rows, 16, NULL), 0);
    refused_table(rows, 12, "option 'b': offset 8 does not fit a state of 12 bytes");
    rows[1].offset = 4;
    refused_table(rows, 16, "option 'b': offset 4 does not fit a state of 16 bytes");
    rows[1].offset = (size_t)-8;
    refused_table(rows, 16,
                  "option 'b': offset 18446744073709551608 does not fit a state of 16 bytes");
    rows[1] = (struct bench_option){0};
    rows[0].name = "Bad-Name";
    refused_table(rows, 16, "option 'Bad-Name': a name is lower case letters, digits and '_'");
    rows[0] = row;
    rows[0].type = 99;
    refused_table(rows, 16, "option 'a': unknown type 99");
    rows[0] = row;
    rows[0].help = NULL;
    refused_table(rows, 16, "option 'a': its help is not one line");
    rows[0] = row;
    rows[0].minimum = 2;
    rows[0].maximum = 1;
    refused_table(rows, 16, "option 'a': its range is empty");
    rows[0] = row;
    rows[0].choices = modes;
    refused_table(rows, 16, "option 'a': choices without the type choice, rate or duration");
    rows[0].type = BENCH_OPTION_CHOICE;
    assert_int_equal(option_check(rows, 16, NULL), 0);
    rows[0].choices = NULL;
    refused_table(rows, 16, "option 'a': has no choices");
    rows[0].choices = empty;
    refused_table(rows, 16, "option 'a': has no choices");
    rows[0] = row;
    rows[0].fallback = "x";
    refused_table(rows, 16, "default: a: 'x' is not an integer: write digits only, like 10 or -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_release), cmocka_unit_test(words_stand_for_rates),
        cmocka_unit_test(set_replaces),         cmocka_unit_test(refusals),
        cmocka_unit_test(unknown_names),        cmocka_unit_test(copies_are_deep),
        cmocka_unit_test(formats_read_back),    cmocka_unit_test(described),
        cmocka_unit_test(tables_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
