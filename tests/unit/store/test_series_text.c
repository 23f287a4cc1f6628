/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "store/series_text.h"

static void a_series_comes_back_equal(void **state)
{
    struct series before = {0}, after = {0};
    struct bench_error err = {0};
    struct text t = {0};

    (void)state;
    sample_series(&before);
    series_to_text(&before, &t);
    assert_int_equal(series_from_text(&after, t.data, t.length, &err), 0);
    assert_series_equal(&before, &after);
    series_release(&before);
    series_release(&after);
    text_release(&t);
}

static void an_empty_series_comes_back_empty(void **state)
{
    struct series before = {0}, after = {0};
    struct bench_error err = {0};
    struct text t = {0};

    (void)state;
    series_to_text(&before, &t);
    assert_string_equal(text_get(&t), "time_ns\n#kind\n#state\n#reason\n");
    assert_int_equal(series_from_text(&after, t.data, t.length, &err), 0);
    assert_int_equal(after.n_columns + after.n_rows, 0);
    series_release(&after);
    text_release(&t);
}

static void the_text_is_a_plain_table(void **state)
{
    struct series s = {0};
    struct text t = {0};

    (void)state;
    series_add_column(&s, "a.ns", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&s, "b", SERIES_GAUGE, BENCH_NOT_COUNTED, "never ran");
    series_add_row(&s, 5)[0] = -1;
    series_to_text(&s, &t);
    assert_string_equal(text_get(&t), "time_ns\ta.ns\tb\n"
                                      "#kind\tcounter\tgauge\n"
                                      "#state\tok\tnot_counted\n"
                                      "#reason\t-\tnever ran\n"
                                      "5\t-1\t-\n");
    series_release(&s);
    text_release(&t);
}

#define HEAD "time_ns\ta\n#kind\tgauge\n#state\tok\n#reason\t-\n"

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "1: expected the line 'time_ns'"},
        {"time_ns\ta", "1: the line is cut off"},
        {"time\ta\n", "1: expected the line 'time_ns'"},
        {"time_ns\ta\n#kind\n", "2: 0 columns, expected 1"},
        {"time_ns\ta\n#kind\tgauge\tgauge\n", "2: 2 columns, expected 1"},
        {"time_ns\ta\n#kind\tgauge\n", "3: expected the line '#state'"},
        {"time_ns\ta\n#kind\tgouge\n#state\tok\n#reason\t-\n",
         "column 1: invalid name, kind, state or reason"},
        {"time_ns\ta\n#kind\tgauge\n#state\tfine\n#reason\t-\n",
         "column 1: invalid name, kind, state or reason"},
        {"time_ns\t-\n#kind\tgauge\n#state\tok\n#reason\t-\n",
         "column 1: invalid name, kind, state or reason"},
        {"time_ns\ta\n#kind\tgauge\n#state\tok\n#reason\t\\x\n",
         "column 1: invalid name, kind, state or reason"},
        {HEAD "1\t2\n2\t3", "6: the line is cut off"},
        {HEAD "\n", "5: expected a time in nanoseconds"},
        {HEAD "-\t2\n", "5: expected a time in nanoseconds"},
        {HEAD "1\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t 2\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t2x\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t--\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t9223372036854775808\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t-9223372036854775808\n", "5: column 'a': expected an integer or '-'"},
        {HEAD "1\t2\t3\n", "5: more than 1 columns"},
        {HEAD "2\t2\n1\t3\n", "6: time goes backwards"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = xstrdup(cases[i].text);
        struct bench_error err = {0};
        struct series s = {0};

        assert_int_equal(series_from_text(&s, text, strlen(text), &err), -1);
        assert_string_equal(err.message, cases[i].message);
        assert_null(s.columns);
        free(text);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    char text[] = HEAD "1\t2\0\t3\n";
    struct bench_error err = {0};
    struct series s = {0};

    (void)state;
    assert_int_equal(series_from_text(&s, text, sizeof(text) - 1, &err), -1);
    assert_string_equal(err.message, "5: the line holds a NUL byte");
}

static void every_cut_but_at_a_line_is_noticed(void **state)
{
    struct series whole = {0};
    struct text t = {0};

    (void)state;
    sample_series(&whole);
    series_to_text(&whole, &t);
    for (size_t cut = 0; cut < t.length; cut++) {
        char *text = xstrndup(t.data, cut);
        bool line = cut && text[cut - 1] == '\n';
        struct bench_error err = {0};
        struct series s = {0};
        int r = series_from_text(&s, text, cut, &err);

        if (!line)
            assert_int_equal(r, -1);
        if (r == 0)
            assert_true(s.n_rows < whole.n_rows); /* repetition.json knows how many there were */
        series_release(&s);
        free(text);
    }
    series_release(&whole);
    text_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_comes_back_equal),
        cmocka_unit_test(an_empty_series_comes_back_empty),
        cmocka_unit_test(the_text_is_a_plain_table),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(every_cut_but_at_a_line_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
