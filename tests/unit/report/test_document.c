/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "report/document.h"
#include "report/metrics.h"

#include "example.h"

struct fixture {
    struct stored_run run;
    struct document *document;
    const struct bench_document *d;
};

static struct fixture made(void (*fill)(struct stored_run *run))
{
    struct fixture f;

    fill(&f.run);
    assert_int_equal(document_new(&f.document, &f.run, NULL), 0);
    f.d = document_get(f.document);
    return f;
}

static void again(struct fixture *f)
{
    document_free(f->document);
    assert_int_equal(document_new(&f->document, &f->run, NULL), 0);
    f->d = document_get(f->document);
}

static void release(struct fixture *f)
{
    document_free(f->document);
    example_release(&f->run);
}
#define cleanup_fixture __attribute__((cleanup(release)))

static const struct bench_estimate *find(const struct bench_arm *a, const char *name)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (strcmp(a->estimates[i]->metric->name, name) == 0)
            return a->estimates[i];
    fail_msg("no metric '%s'", name);
    return NULL;
}

static bool close_to(double got, double expected)
{
    return fabs(got - expected) <= 1e-9 * fabs(expected);
}

static bool has_line(const char *const *lines, uint32_t n, const char *part)
{
    for (uint32_t i = 0; i < n; i++)
        if (strstr(lines[i], part))
            return true;
    return false;
}

static void assert_warned(const struct bench_document *d, const char *part)
{
    if (has_line(d->warnings, d->n_warnings, part))
        return;
    for (uint32_t i = 0; i < d->n_warnings; i++)
        print_message("# warning: %s\n", d->warnings[i]);
    fail_msg("no warning with '%s'", part);
}

static void two_arms(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    const struct bench_estimate *e;

    (void)state;
    assert_string_equal(f.d->name, "none and nginx");
    assert_string_equal(f.d->state, "complete");
    assert_string_equal(f.d->network, "isolated (reno)");
    assert_string_equal(f.d->workload, "builtin");
    assert_string_equal(f.d->baseline, "none");
    assert_true(f.d->seed == 8812 && f.d->planned == 12 && f.d->n_repetitions == 12);
    assert_true(f.d->warmup_ns == 500000000 && f.d->duration_ns == INT64_C(3000000000));
    assert_int_equal(f.d->n_arms, 2);
    assert_string_equal(f.d->arms[0]->name, "none");
    assert_string_equal(f.d->arms[1]->name, "nginx");
    assert_int_equal(f.d->arms[1]->hops, 2);
    assert_true(f.d->arms[1]->cpu_limit == 1);
    assert_true(isnan(f.d->arms[0]->cpu_achieved_low));
    assert_true(close_to(f.d->arms[1]->cpu_achieved_low, 0.986));
    assert_true(close_to(f.d->arms[1]->cpu_achieved_high, 0.991));
    assert_string_equal(f.d->arms[0]->limited_by, "nothing");
    assert_string_equal(f.d->arms[1]->limited_by, "relay_1");
    assert_true(f.d->arms[1]->relay_limited && !f.d->arms[0]->relay_limited);

    e = find(f.d->arms[0], "bits_per_second"); /* 40 G × 1.01 … 1.06 */
    assert_int_equal(e->n, 6);
    assert_true(close_to(e->value, 41.4e9) && e->has_interval && e->confidence == 0.95);
    assert_true(close_to(e->low, 40.4e9) && close_to(e->high, 42.4e9));
    assert_true(isnan(e->ratio) && !e->has_ratio_interval);
    assert_true(e->cv > 0.01 && e->cv < 0.02 && isfinite(e->autocorrelation));

    /* Within a block the common drift cancels: 0.2 × 1, 1.002 or 1.004, two of each. */
    e = find(f.d->arms[1], "bits_per_second");
    assert_true(fabs(e->ratio / 0.2 - 1.002) < 1e-5);
    assert_true(e->has_ratio_interval);
    assert_int_equal(e->ratio_pairs, 6);
    assert_true(close_to(e->ratio_low, 0.2) && close_to(e->ratio_high, 0.2 * 1.004));
    assert_true(isnan(find(f.d->arms[1], "tcp_retransmits")->ratio));
    assert_int_equal(find(f.d->arms[1], "tcp_retransmits")->ratio_pairs, 0);
    assert_int_equal(f.d->n_warnings, 0);
}

/* Whatever a search did, nothing but the list of repetitions shows it. */
static void only_measuring_counts(void **state)
{
    cleanup_fixture struct fixture plain = made(example_two_arms);
    cleanup_fixture struct fixture searched = made(example_two_arms);
    const struct bench_estimate *a, *b;

    (void)state;
    for (size_t i = 0; i < searched.run.n_repetitions; i++)
        if (searched.run.repetitions[i].block == 1) {
            free(searched.run.repetitions[i].purpose);
            searched.run.repetitions[i].purpose = xstrdup("search");
        }
    again(&searched);
    assert_int_equal(searched.d->n_repetitions, plain.d->n_repetitions);
    assert_string_equal(searched.d->repetitions[0]->purpose, "search");
    assert_string_equal(plain.d->repetitions[0]->purpose, "measure");
    assert_int_equal(searched.d->arms[1]->valid, plain.d->arms[1]->valid - 1);
    a = find(plain.d->arms[1], "bits_per_second");
    b = find(searched.d->arms[1], "bits_per_second");
    assert_int_equal(b->n, a->n - 1);
}

static const struct bench_estimate *counted(const struct bench_arm *arm, const char *event,
                                            const char *stem)
{
    for (uint32_t i = 0; i < arm->n_estimates; i++) {
        const struct bench_metric *m = arm->estimates[i]->metric;

        if (m->event && strcmp(m->event, event) == 0 && strcmp(m->role, "server") == 0 &&
            strcmp(m->stem, stem) == 0)
            return arm->estimates[i];
    }
    return NULL;
}

/* What a capture counted in repetitions of its own is shown and marked; what else they came to, and
 * what the others counted too, is not of interest. */
static void events_counted_apart_are_marked(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    const struct bench_estimate *apart, *both;

    (void)state;
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct repetition_record *r = &f.run.repetitions[i];

        if (r->block != 1)
            continue;
        free(r->purpose);
        r->purpose = xstrdup("capture:stat");
        for (size_t c = 0; c < r->series.n_columns; c++) {
            char **name = &r->series.columns[c].name, *event = strstr(*name, "task-clock");

            if (event)
                memcpy(event, "apart-only", strlen("apart-only"));
        }
    }
    again(&f);
    both = counted(f.d->arms[1], "context-switches", "context_switches");
    assert_int_equal(both->n, 5);
    assert_null(both->reason);
    assert_int_equal(find(f.d->arms[1], "bits_per_second")->n, 5);
    apart = counted(f.d->arms[1], "apart-only", "apart_only");
    assert_non_null(apart);
    assert_int_equal(apart->n, 1);
    assert_string_equal(apart->reason, "counted in repetitions of its own, which it slows");
    assert_int_equal(apart->ratio_pairs, 1);
    assert_int_equal(counted(f.d->arms[1], "task-clock", "task_clock")->n, 5);
}

static void design_lines(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);

    (void)state;
    assert_string_equal(f.d->design[0], "6 randomised blocks × 2 arms, fresh processes, 0.5 s "
                                        "warm-up + 3 s window, seed 8812");
    assert_string_equal(f.d->design[1], "2 jobs");
    assert_string_equal(f.d->design[2], "network isolated (reno), loopback");
    assert_string_equal(f.d->design[3], "machine: 4 CPUs (Example 9000), Linux 6.18.0");
    assert_string_equal(f.d->design[4], "relay limit 1.00 CPU per process (used 0.986 to 0.991), "
                                        "period 100 ms");
    assert_string_equal(f.d->design[5],
                        "no-relay ceiling 41.4 Gbit/s, 5 times the fastest relay (nginx)");
    assert_string_equal(f.d->design[6], "captured in every repetition: stat");
    assert_true(has_line(f.d->design, f.d->n_design, "bench itself used 0.2% of a core"));
}

static void design_of_the_load(void **state)
{
    struct stored_run run;
    json_t *scenario;
    struct document *d;

    (void)state;
    example_two_arms(&run);
    scenario = json_object_get(run.run, "scenario");
    json_object_set_new(scenario, "hops", json_integer(1));
    json_object_set_new(scenario, "cpus", json_pack("{s:s,s:s}", "client", "0", "relay", "2-3"));
    json_object_set_new(scenario, "sweep", json_pack("{s:[s]}", "cpus.client", "0"));
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_string_equal(document_get(d)->design[1], "2 jobs, 1 hop, relay on CPU 2-3");
    document_free(d);
    example_release(&run);
}

/* The line on what made the client send, of requests at a rate that were timed in one way. */
static char *loop_at_a_rate(const char *kind)
{
    struct stored_run run;
    struct document *d = NULL;
    char *line = NULL;

    example_two_arms(&run);
    json_object_set_new(json_object_get(run.run, "scenario"), "rate", json_string("2k"));
    json_object_set_new(json_object_get(run.run, "scenario"), "arrivals", json_string("constant"));
    for (size_t i = 0; i < run.n_repetitions; i++)
        record_add_latency(&run.repetitions[i], kind, histogram_new());
    assert_int_equal(document_new(&d, &run, NULL), 0);
    for (uint32_t i = 0; i < document_get(d)->n_design; i++)
        if (strstr(document_get(d)->design[i], "2000 requests/s"))
            line = xstrdup(document_get(d)->design[i]);
    document_free(d);
    example_release(&run);
    return line;
}

static void a_rate_is_no_open_loop_by_itself(void **state)
{
    cleanup_free char *open = loop_at_a_rate("response"), *paced = loop_at_a_rate("service");

    (void)state;
    assert_string_equal(open, "open loop, 2000 requests/s, constant arrivals");
    assert_string_equal(paced, "paced, 2000 requests/s, constant arrivals: requests that a stall "
                               "holds back are not timed");
}

/* Two rates; at the higher one nginx answers `share` of what is due. */
static void example_rates(struct stored_run *run, double share)
{
    static const double rates[] = {1000, 4000};
    json_t *points = json_array();

    for (int p = 0; p < 2; p++)
        json_array_append_new(points,
                              json_pack("{s:s,s:{s:f},s:{}}", "label", p ? "rate=4k" : "rate=1k",
                                        "settings", "rate", rates[p], "hops"));
    example_run_init(
        run, example_run_json("rates", "complete", json_pack("[s]", "nginx"), points, 12), 12);
    for (uint32_t i = 0; i < 12; i++) {
        struct repetition_record *r = &run->repetitions[i];
        struct histogram *h = histogram_new();
        bool high = i % 2;

        example_ok(r, i + 1, i / 2 + 1, "nginx", "nginx", high ? "rate=4k" : "rate=1k", 1, 1e6, 0.4,
                   0.5);
        histogram_record(h, 1000000, 5000);
        record_add_latency(r, "response", h);
        record_add_total(r, "operations_per_second", high ? 4000 * share : 1000);
    }
}

static void too_high_a_rate_is_called_so(void **state)
{
    struct fixture f;

    (void)state;
    example_rates(&f.run, 0.97);
    assert_int_equal(document_new(&f.document, &f.run, NULL), 0);
    f.d = document_get(f.document);
    assert_null(f.d->arms[0]->saturated);
    assert_string_equal(f.d->arms[1]->saturated,
                        "answered 97.0% of the requests that were due; so in 6 of 6 repetitions");
    assert_warned(f.d, "nginx at rate=4k: saturated: answered 97.0% of");
    release(&f);
}

static void repetitions_that_warn(void **state)
{
    static const char *const sentences[] = {"wrote 12 MiB to stderr", "wrote 7.5 MiB to stderr",
                                            "wrote 12 KiB to stderr"};
    cleanup_fixture struct fixture f;
    size_t n = 0;

    (void)state;
    example_two_arms(&f.run);
    for (size_t i = 0; i < f.run.n_repetitions && n < ARRAY_SIZE(sentences); i++)
        if (strcmp(f.run.repetitions[i].arm, "nginx") == 0)
            record_warn(&f.run.repetitions[i], "%s", sentences[n++]);
    assert_int_equal(document_new(&f.document, &f.run, NULL), 0);
    f.d = document_get(f.document);
    assert_warned(f.d, "nginx: in 2 of 6 repetitions: wrote 12 MiB to stderr");
    assert_warned(f.d, "nginx: in 1 of 6 repetitions: wrote 12 KiB to stderr");
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "7.5"));
}

static void a_rate_that_is_kept_up_with(void **state)
{
    struct fixture f;

    (void)state;
    example_rates(&f.run, 0.99);
    assert_int_equal(document_new(&f.document, &f.run, NULL), 0);
    f.d = document_get(f.document);
    assert_null(f.d->arms[1]->saturated);
    for (uint32_t i = 0; i < f.d->n_warnings; i++)
        assert_null(strstr(f.d->warnings[i], "saturated"));
    /* One p99 in ten times its value under light load is saturation as well; here in all six. */
    for (size_t i = 1; i < 12; i += 2)
        histogram_record(f.run.repetitions[i].latencies[0].histogram, 11000000, 100);
    again(&f);
    assert_string_equal(f.d->arms[1]->saturated,
                        "p99 was 11 ms, 11 times that of the light load; so in 6 of 6 repetitions");
    release(&f);
}

static void what_a_search_found(void **state)
{
    struct fixture f;

    (void)state;
    example_rates(&f.run, 1);
    json_object_set_new(f.run.run, "saturation",
                        json_pack("{s:f,s:f,s:f,s:s,s:s,s:i}", "capacity", 5100.0, "rate", 4210.0,
                                  "gave_way", 4400.0, "arm", "nginx", "why", "too slow", "steps",
                                  14));
    assert_int_equal(document_new(&f.document, &f.run, NULL), 0);
    f.d = document_get(f.document);
    assert_true(has_line(f.d->design, f.d->n_design,
                         "searched in 14 repetitions of their own: every arm keeps up with 4210 "
                         "requests/s; with 4400 'nginx' does not (too slow)"));
    for (uint32_t i = 0; i < f.d->n_warnings; i++)
        assert_null(strstr(f.d->warnings[i], "the search"));
    json_object_set_new(json_object_get(f.run.run, "saturation"), "rate", json_real(51));
    again(&f);
    assert_warned(f.d, "the search for a rate ended at 1% of the 5.10 k/s that the slowest relay "
                       "does in a closed loop");
    release(&f);
}

/* Two arms of six blocks at a fifth of the throughput, and the rule beside them. */
static struct fixture compared(double margin, const char *metrics)
{
    struct fixture f = made(example_two_arms);
    json_t *names = json_array();

    if (metrics)
        json_array_append_new(names, json_string(metrics));
    json_object_set_new(
        f.run.run, "comparison",
        json_pack("{s:o,s:f,s:f}", "metrics", names, "margin", margin, "alpha", 0.05));
    again(&f);
    return f;
}

/* Also where the workload does not count what is due. */
static void at_a_rate_latency_decides(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    json_object_set_new(json_object_get(f.run.run, "scenario"), "rate", json_string("2k"));
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct histogram *h = histogram_new(), *lag = histogram_new();

        histogram_record(h, 1000000, 5000);
        histogram_record(lag, (int64_t)(i + 1) * 10000, i < 11 ? 5000 : 5); /* too few to tell */
        record_add_latency(&f.run.repetitions[i], "service", h);
        record_add_latency(&f.run.repetitions[i], "lag", lag);
        record_add_total(&f.run.repetitions[i], "operations_per_second", 2000);
    }
    again(&f);
    assert_string_equal(f.d->comparisons[0]->metric->name, "latency_p99_seconds");
    assert_true(has_line(f.d->design, f.d->n_design, "schedule lag p99 at most 0.11 ms"));
}

static void verdicts_of_a_comparison(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);
    const struct bench_comparison *c;

    (void)state;
    assert_int_equal(f.d->n_comparisons, 1);
    assert_true(f.d->margin == 0.03);
    c = f.d->comparisons[0];
    assert_string_equal(c->arm, "nginx");
    assert_string_equal(c->metric->name, "bits_per_second");
    assert_int_equal(c->blocks, 6);
    assert_true(fabs(c->ratio / 0.2 - 1.002) < 1e-5);
    assert_true(c->has_interval && close_to(c->low, 0.2) && close_to(c->high, 0.2 * 1.004));
    assert_true(close_to(c->confidence, 0.95));
    assert_true(close_to(c->p, 2.0 / 64) && close_to(c->p_adjusted, 2.0 / 64));
    assert_string_equal(c->verdict, "SLOWER (by at least 3%)");
    assert_string_equal(c->finding, "beyond");
    assert_int_equal(c->sign, -1);
    assert_true(has_line(f.d->design, f.d->n_design,
                         "rule: primary throughput; family error 5% (1 comparison); margin 3%; "
                         "fixed before the run"));
}

static void a_failure_counts_as_an_outcome(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, "bits_per_second");
    size_t i = 0;

    (void)state;
    while (strcmp(f.run.repetitions[i].arm, "nginx") != 0)
        i++;
    f.run.repetitions[i].ok = false;
    error_set(&f.run.repetitions[i].error, BENCH_ERROR_RUN, "it crashed");
    again(&f);
    /* One of six is more than a tenth. */
    assert_string_equal(f.d->comparisons[0]->finding, "failed");
    assert_int_equal(f.d->comparisons[0]->failed, 1);
    assert_int_equal(f.d->comparisons[0]->blocks, 6);
}

/* Stopping when the numbers please is what the rule forbids: estimates, and no verdict. */
static void an_unfinished_comparison_has_no_verdict(void **state)
{
    static const char *const states[][2] = {
        {"interrupted", "interrupted: no verdict"},
        {"failed", "run failed: no verdict"},
        {"running", "still running: no verdict"},
    };
    cleanup_fixture struct fixture f = compared(0.03, NULL);
    double ratio = f.d->comparisons[0]->ratio;

    (void)state;
    assert_string_equal(f.d->comparisons[0]->verdict, "SLOWER (by at least 3%)");
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        const struct bench_comparison *c;

        json_object_set_new(f.run.run, "state", json_string(states[i][0]));
        again(&f);
        c = f.d->comparisons[0];
        assert_string_equal(c->verdict, states[i][1]);
        assert_string_equal(c->finding, "incomplete");
        assert_int_equal(c->sign, 0);
        assert_true(c->ratio == ratio && c->has_interval);
        assert_true(isnan(c->p) && isnan(c->p_adjusted));
        assert_int_equal(c->blocks_needed, 0);
        assert_int_equal(c->blocks_if_as_estimated, 0);
    }
    json_object_set_new(f.run.run, "state", json_string("complete"));
    again(&f);
    assert_string_equal(f.d->comparisons[0]->verdict, "SLOWER (by at least 3%)");
}

/* The hypervisor takes `share` of the CPU time in a block. */
static void steal(struct fixture *f, uint32_t block, double share)
{
    for (size_t i = 0; i < f->run.n_repetitions; i++) {
        struct repetition_record *r = &f->run.repetitions[i];
        int column = series_find(&r->series, "system.steal_ns");
        struct metric_window w = metric_window(r);

        if (r->block != block)
            continue;
        for (size_t row = w.first; row < r->series.n_rows; row++)
            r->series.values[row * r->series.n_columns + (size_t)column] =
                (int64_t)((double)(r->series.times[row] - r->series.times[w.first]) * 4 * share);
    }
}

static void set_reject(struct fixture *f, const char *word)
{
    json_object_set_new(json_object_get(f->run.run, "scenario"), "reject", json_string(word));
}

static void unfit_blocks_do_not_count(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    assert_int_equal(f.d->n_blocks, 6);
    assert_int_equal(f.d->n_rejected, 0);
    steal(&f, 2, 0.03);
    again(&f);
    assert_int_equal(f.d->n_rejected, 1);
    assert_int_equal(f.d->rejected[0].block, 2);
    assert_non_null(strstr(f.d->rejected[0].why, "% > 1%"));
    assert_int_equal(f.d->comparisons[0]->blocks, 5);
    /* Five blocks give no interval, six gave one: who was thrown away decides. */
    assert_string_equal(f.d->comparisons[0]->verdict,
                        "INCONCLUSIVE (with the rejected blocks: SLOWER (by at least 3%))");
    assert_string_equal(f.d->comparisons[0]->finding, "inconclusive");
    assert_true(has_line(f.d->design, f.d->n_design, "blocks: 6 run, 1 rejected (2: steal "));
    set_reject(&f, "nothing");
    again(&f);
    assert_int_equal(f.d->n_rejected, 0);
    assert_string_equal(f.d->comparisons[0]->verdict, "SLOWER (by at least 3%)");
}

/* A repetition that was stopped from outside has no outcome: it turns nothing and is no failure. */
static void a_stopped_repetition_is_no_outcome(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, "bits_per_second");
    struct repetition_record *r = f.run.repetitions;

    (void)state;
    while (strcmp(r->arm, "nginx") != 0)
        r++;
    disturbances_add(&r->disturbances, "relay_1", DISTURBANCE_STOPPED, xstrdup("it was stopped"),
                     r->window_begin_ns, r->window_begin_ns);
    r->ok = false;
    error_set(&r->error, BENCH_ERROR_RUN, "disturbed");
    for (int i = 0; i < 2; i++) {
        again(&f);
        assert_int_equal(f.d->n_rejected, 1);
        assert_int_equal(f.d->rejected[0].block, r->block);
        assert_string_equal(f.d->rejected[0].why,
                            "relay_1: it was stopped at 0.00 s of the window");
        assert_int_equal(f.d->comparisons[0]->failed, 0);
        assert_int_equal(f.d->comparisons[0]->blocks, 5);
        assert_null(strstr(f.d->comparisons[0]->verdict, "rejected"));
        set_reject(&f, "nothing"); /* there is nothing to keep of it */
    }
}

/* One that counts and was disturbed speaks against its block, unless every block is to be kept. */
static void a_moved_process_rejects_its_block(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, "bits_per_second");
    struct repetition_record *r = &f.run.repetitions[2];

    (void)state;
    disturbances_add(&r->disturbances, "relay_1", DISTURBANCE_ENDED, xstrdup("it ended"),
                     r->window_begin_ns, r->window_begin_ns);
    again(&f);
    assert_int_equal(f.d->n_rejected, 0); /* perhaps by itself */
    disturbances_add(&r->disturbances, "server", DISTURBANCE_CPUS, xstrdup("it was moved"),
                     r->window_begin_ns + EXAMPLE_TICK, r->window_begin_ns + EXAMPLE_TICK);
    again(&f);
    assert_int_equal(f.d->n_rejected, 1);
    assert_string_equal(f.d->rejected[0].why, "server: it was moved at 0.10 s of the window");
    set_reject(&f, "nothing");
    again(&f);
    assert_int_equal(f.d->n_rejected, 0);
}

/* Nothing moves from 1.0 to 1.5 s of one window. */
static void a_hole_is_said(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, "bits_per_second");
    struct repetition_record *r = &f.run.repetitions[0];
    int column = series_find(&r->series, "server.bytes_received");
    size_t first = metric_window(r).first + 10, width = r->series.n_columns;
    int64_t *at = r->series.values + first * width + (size_t)column;
    char line[160];

    (void)state;
    for (size_t i = 1; i <= 5; i++)
        at[i * width] = at[0];
    again(&f);
    snprintf(line, sizeof(line),
             "%s: in 1 of 6 repetitions nothing at all moved for a while, which is part of every "
             "number: ",
             r->arm);
    assert_true(has_line(f.d->warnings, f.d->n_warnings, line));
    assert_true(has_line(f.d->warnings, f.d->n_warnings, "first for 0.50 s at 1.00 s"));
    assert_int_equal(f.d->n_rejected, 0); /* it may be the relay's own doing */
}

static void a_laboratory_has_no_steal(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    steal(&f, 4, 0.005);
    again(&f);
    assert_int_equal(f.d->n_rejected, 0);
    set_reject(&f, "lab");
    again(&f);
    assert_int_equal(f.d->n_rejected, 1);
}

static void another_clock_is_another_machine(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    json_object_set_new(json_object_get(f.run.run, "environment"), "clocksource",
                        json_string("tsc"));
    f.run.repetitions[7].clocksource = xstrdup("hpet");
    again(&f);
    assert_int_equal(f.d->n_rejected, 1);
    assert_string_equal(f.d->rejected[0].why, "clock source became 'hpet'");
}

static void too_many_make_the_environment_unfit(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    steal(&f, 1, 0.03);
    steal(&f, 6, 0.03);
    again(&f);
    assert_string_equal(f.d->comparisons[0]->verdict, "ENVIRONMENT UNFIT");
    assert_string_equal(f.d->comparisons[0]->finding, "unfit");
    assert_int_equal(f.d->comparisons[0]->sign, 0);
}

/* A block is thrown away as a whole: with every number that it has. */
static void unfit_blocks_enter_no_estimate(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    steal(&f, 2, 0.03);
    again(&f);
    assert_int_equal(f.d->arms[1]->valid, 5);
    assert_int_equal(f.d->arms[1]->failed, 0);
    assert_int_equal(find(f.d->arms[1], "bits_per_second")->n, 5);
    assert_int_equal(find(f.d->arms[1], "bits_per_second")->ratio_pairs, 5);
    assert_int_equal(f.d->arms[1]->rejected, 1);
    steal(&f, 1, 0.03); /* nothing is left to be trusted: what there is, is shown */
    again(&f);
    assert_int_equal(find(f.d->arms[1], "bits_per_second")->n, 6);
}

/* Of whatever kind they are, they add up to the same number everywhere. */
static void every_repetition_is_counted_once(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);
    const struct bench_arm *a;
    struct repetition_record gone;

    (void)state;
    steal(&f, 2, 0.03);
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct repetition_record *r = &f.run.repetitions[i];

        if (r->block == 3 && strcmp(r->arm, "nginx") == 0) {
            r->ok = false;
            error_set(&r->error, BENCH_ERROR_RUN, "killed");
        }
    }
    /* The last of the sixth block cannot be read any more. */
    gone = f.run.repetitions[11];
    assert_int_equal(gone.block, 6);
    stored_run_add_lost(&f.run, gone.arm, gone.point, gone.block, true);
    stored_run_add_lost(&f.run, gone.arm, gone.point, 0, false); /* a pilot */
    strings_add(&f.run.damaged, "repetitions/0012: cut off");
    record_release(&f.run.repetitions[11]);
    f.run.n_repetitions--;
    again(&f);
    a = f.d->arms[strcmp(f.d->arms[1]->name, "nginx") == 0];
    assert_string_equal(a->name, "nginx");
    assert_int_equal(a->failed, 1);
    assert_int_equal(a->rejected, 1);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(bench_arm_repetitions(f.d->arms[i]), 6);
        assert_int_equal(f.d->arms[i]->rejected, 1);
    }
    assert_int_equal(f.d->arms[0]->damaged + f.d->arms[1]->damaged, 1);
    assert_int_equal(f.d->n_blocks, 6);
    assert_true(has_line(f.d->design, f.d->n_design, "blocks: 6 run, 1 rejected (2: steal "));
    assert_true(has_line(f.d->design, f.d->n_design, ", 1 failed, 1 damaged"));
    assert_warned(f.d, "nginx: 1 of 6 repetitions failed; the first: killed");
    assert_string_equal(f.d->repetitions[2]->state, "rejected");
}

/* All that it had is gone: it is there all the same, with nothing. */
static void an_arm_without_readable_repetitions_is_listed(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    size_t kept = 0;

    (void)state;
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct repetition_record *r = &f.run.repetitions[i];

        if (strcmp(r->arm, "nginx") == 0) {
            stored_run_add_lost(&f.run, r->arm, r->point, r->block, true);
            record_release(r);
        } else {
            f.run.repetitions[kept++] = *r;
        }
    }
    f.run.n_repetitions = kept;
    json_object_set_new(f.run.run, "points",
                        json_pack("[{s:s, s:{s:i}}]", "label", "", "hops", "nginx", 2));
    again(&f);
    assert_int_equal(f.d->n_arms, 2);
    assert_string_equal(f.d->arms[1]->name, "nginx");
    assert_string_equal(f.d->arms[1]->relay, "nginx");
    assert_int_equal(f.d->arms[1]->hops, 2);
    assert_int_equal(f.d->arms[1]->damaged, 6);
    assert_int_equal(f.d->arms[1]->valid, 0);
    assert_int_equal(f.d->arms[1]->n_estimates, 0);
}

static void a_counter_that_was_away_is_unfit(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, "page_faults_server"),
                                   g = compared(0.03, "context_switches_server");

    (void)state;
    assert_int_equal(f.d->n_rejected, 6);
    assert_string_equal(f.d->rejected[0].why, "page-faults server counted 50% of the time < 95%");
    assert_string_equal(f.d->comparisons[0]->finding, "unfit");
    assert_int_equal(g.d->n_rejected, 0); /* that one does not decide here */
}

/* What only some arms have is compared among them, and they alone share the error. */
static void a_metric_that_an_arm_cannot_have(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, "cpu_seconds_per_gigabyte_relay");
    json_t *metrics = json_object_get(json_object_get(f.run.run, "comparison"), "metrics");

    (void)state;
    assert_int_equal(f.d->n_comparisons, 0);
    assert_warned(f.d,
                  "nothing was decided by 'cpu_seconds_per_gigabyte_relay', which is no metric "
                  "of none: choose another 'baseline'");
    json_object_set_new(json_object_get(f.run.run, "scenario"), "baseline", json_string("nginx"));
    again(&f);
    assert_warned(f.d, "decided by 'cpu_seconds_per_gigabyte_relay', which is no metric of none");
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "choose another"));
    json_object_del(json_object_get(f.run.run, "scenario"), "baseline");
    json_array_append_new(metrics, json_string("bits_per_second"));
    again(&f);
    assert_int_equal(f.d->n_comparisons, 1);
    assert_true(close_to(f.d->comparisons[0]->confidence, 0.95));
    assert_string_equal(f.d->comparisons[0]->verdict, "SLOWER (by at least 3%)");
}

static void all_failed_is_no_decision(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    for (size_t i = 0; i < f.run.n_repetitions; i++)
        f.run.repetitions[i].ok = false;
    again(&f);
    assert_int_equal(f.d->n_comparisons, 0);
    assert_warned(f.d, "nothing was decided: no repetition succeeded");
}

/* The error of the family is that of all looks together. */
static void looks_are_part_of_the_rule(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    json_object_set_new(json_object_get(f.run.run, "comparison"), "looks", json_true());
    again(&f);
    assert_true(close_to(f.d->comparisons[0]->confidence, 0.998));
    assert_true(has_line(f.d->design, f.d->n_design,
                         "family error 5% (1 comparison); margin 3%; looks after 10, 20, 30, 40 "
                         "blocks, this one at 0.2%; fixed before the run"));
    json_object_set_new(json_object_get(f.run.run, "comparison"), "looks", json_false());
    json_object_set_new(json_object_get(f.run.run, "scenario"), "precision", json_string("2%"));
    again(&f);
    assert_true(has_line(f.d->design, f.d->n_design,
                         "margin 3%; as many blocks as intervals of ±2% take, 10 to 40; fixed"));
}

/* Multiplies the throughput of each block by `base` to the power of its number. */
static void bend(struct fixture *f, double base)
{
    for (size_t i = 0; i < f->run.n_repetitions; i++) {
        struct repetition_record *r = &f->run.repetitions[i];
        int column = series_find(&r->series, "server.bytes_received");

        for (size_t row = 0; row < r->series.n_rows; row++) {
            int64_t *value = &r->series.values[row * r->series.n_columns + (size_t)column];

            *value = (int64_t)((double)*value * pow(base, r->block));
        }
    }
    again(f);
}

static bool tells_of_order(const struct bench_document *d)
{
    return has_line(d->warnings, d->n_warnings, "over the run") ||
           has_line(d->warnings, d->n_warnings, "place in the block");
}

static void a_drift_is_told(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL);
    cleanup_fixture struct fixture plain = made(example_two_arms);

    (void)state;
    assert_warned(f.d, "throughput rose over the run"); /* the example gains 1% per block */
    assert_false(tells_of_order(plain.d));              /* where nothing is decided, nobody asks */
    bend(&f, 0.9);
    assert_warned(f.d, "throughput fell over the run (rank correlation -");
    assert_string_equal(f.d->comparisons[0]->verdict, "SLOWER (by at least 3%)");
}

static void no_order_is_not_told(void **state)
{
    static const double noise[] = {1.02, 0.97, 1.01, 0.99, 1.03, 0.98};
    cleanup_fixture struct fixture f = compared(0.03, NULL);

    (void)state;
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct repetition_record *r = &f.run.repetitions[i];
        int column = series_find(&r->series, "server.bytes_received");
        double factor = noise[(r->block - 1 + (i % 2) * 3) % 6] / (1 + 0.01 * r->block);

        for (size_t row = 0; row < r->series.n_rows; row++) {
            int64_t *value = &r->series.values[row * r->series.n_columns + (size_t)column];

            *value = (int64_t)((double)*value * factor);
        }
    }
    again(&f);
    assert_false(tells_of_order(f.d));
}

/* Windows of three slices, 1 s each, in which the first arm's blocks carry 100 MB/s. */
static void in_slices(struct fixture *f, double (*factor)(uint32_t block, size_t slice))
{
    enum { SLICE = (EXAMPLE_END - EXAMPLE_BEGIN) / 3 };

    for (size_t i = 0; i < f->run.n_repetitions; i++) {
        struct repetition_record *r = &f->run.repetitions[i];
        size_t column = (size_t)series_find(&r->series, "server.bytes_received");
        int64_t bytes = 0;

        r->joined = true;
        for (size_t k = 0; k < 3; k++) {
            int64_t begin = r->window_begin_ns + (int64_t)k * SLICE * EXAMPLE_TICK;
            bool first = strcmp(r->arm, f->d->arms[0]->name) == 0;

            record_add_slice(r, begin, begin + SLICE * EXAMPLE_TICK);
            for (size_t row = 1; row <= SLICE; row++) {
                size_t at = EXAMPLE_BEGIN + k * SLICE + row;

                bytes += (int64_t)(1e7 * (first ? 1 : factor(r->block, k)));
                r->series.values[at * r->series.n_columns + column] = bytes;
            }
        }
        r->series.values[EXAMPLE_BEGIN * r->series.n_columns + column] = 0;
    }
    again(f);
}

static double block_by_block(uint32_t block, size_t slice)
{
    return (block % 2 ? 1.1 : 0.9) + 0.001 * (double)slice;
}

static double slice_by_slice(uint32_t block, size_t slice)
{
    return (block + slice) % 2 ? 1.1 : 0.9;
}

static double hardly(uint32_t block, size_t slice)
{
    return 1 + 0.001 * (double)((block + slice) % 2);
}

/* All ratios of a block are the same: nothing of it is explained by slices. And where two of three
 * slices are alike and one is not, (2 × 10% − 1 × 10%) / 3, the slices explain it all. */
static void what_the_ratio_varies_with_is_told(void **state)
{
    cleanup_fixture struct fixture f = compared(0.03, NULL), g = compared(0.03, NULL),
                                   h = compared(0.03, NULL), pinned = compared(0.03, NULL);

    (void)state;
    in_slices(&f, block_by_block);
    assert_warned(f.d, "varies by 11% from block to block, where its 3 slices explain 0.059%");
    assert_warned(f.d, "'cpus' gives roles CPUs of their own");
    in_slices(&g, slice_by_slice);
    assert_warned(g.d, "varies by 3.7% from block to block, as its 3 slices do");
    in_slices(&h, hardly);
    assert_false(has_line(h.d->warnings, h.d->n_warnings, "from block to block"));
    for (size_t i = 0; i < pinned.run.n_repetitions; i++)
        for (size_t k = 0; k < pinned.run.repetitions[i].n_roles; k++)
            pinned.run.repetitions[i].roles[k].cpus = xstrdup("0");
    in_slices(&pinned, block_by_block);
    assert_warned(pinned.d, "only more blocks ('repeat') help");
}

static void set_cpus_online(struct fixture *f, int n)
{
    json_object_set_new(json_object_get(f->run.run, "environment"), "cpus_online", json_integer(n));
    again(f);
}

static void who_has_his_own_cpus_does_not_compete(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);

    (void)state;
    set_cpus_online(&f, 2);
    assert_warned(f.d, "2 CPUs: client, relays and server compete for them");
    for (size_t i = 0; i < f.run.n_repetitions; i++)
        for (size_t k = 0; k < f.run.repetitions[i].n_roles; k++)
            f.run.repetitions[i].roles[k].cpus = xstrdup(k ? "0" : "1");
    again(&f);
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "compete for them"));
}

static void no_comparison_without_a_rule(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms),
                                   g = compared(0.03, "latency_p99_seconds");

    (void)state;
    assert_int_equal(f.d->n_comparisons, 0);
    assert_true(isnan(f.d->margin));
    /* What was to decide was not measured: said, not passed over. */
    assert_int_equal(g.d->n_comparisons, 0);
    assert_warned(g.d, "nothing was decided: no repetition has the metric 'latency_p99_seconds'");
}

static void states_of_estimates(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    const struct bench_estimate *e;

    (void)state;
    e = find(f.d->arms[1], "cycles_relay_1");
    assert_int_equal(e->state, BENCH_NOT_SUPPORTED);
    assert_string_equal(e->reason, "no hardware PMU on this machine");
    assert_true(e->n == 0 && isnan(e->value) && !e->has_interval && isnan(e->cv));
    e = find(f.d->arms[1], "page_faults_relay_1");
    assert_int_equal(e->state, BENCH_SCALED);
    assert_true(e->n == 6 && close_to(e->value, 60));
}

/* A failure is counted and said; the estimate and the ratio come from the others. */
static void failures(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);

    (void)state;
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct repetition_record *r = &f.run.repetitions[i];

        if (r->block > 2 || strcmp(r->arm, "nginx") != 0)
            continue;
        r->ok = false;
        error_set(&r->error, BENCH_ERROR_RUN, "relay (hop %u): killed by signal 9", r->block);
    }
    again(&f);
    assert_true(f.d->arms[1]->valid == 4 && f.d->arms[1]->failed == 2);
    assert_int_equal(find(f.d->arms[1], "bits_per_second")->n, 4);
    assert_false(find(f.d->arms[1], "bits_per_second")->has_interval);
    assert_false(find(f.d->arms[1], "bits_per_second")->has_ratio_interval);
    assert_int_equal(find(f.d->arms[1], "bits_per_second")->ratio_pairs, 4);
    assert_warned(f.d, "nginx: 2 of 6 repetitions failed; the first: relay (hop 1): killed");
    assert_string_equal(f.d->repetitions[1]->state, "failed");
    assert_true(f.d->repetitions[1]->n_values == 0);
    assert_true(isnan(f.d->repetitions[1]->overhead_seconds));
    assert_true(close_to(f.d->repetitions[0]->overhead_seconds, 0.25));
}

static void all_failed(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);

    (void)state;
    for (size_t i = 0; i < f.run.n_repetitions; i++)
        f.run.repetitions[i].ok = false;
    again(&f);
    assert_int_equal(f.d->n_arms, 2);
    assert_true(f.d->arms[0]->valid == 0 && f.d->arms[0]->failed == 6);
    assert_int_equal(f.d->arms[0]->n_estimates, 0);
    assert_string_equal(f.d->arms[0]->limited_by, "unknown");
    assert_warned(f.d, "none: 6 of 6 repetitions failed");
}

static void another_baseline(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);

    (void)state;
    json_object_set_new(json_object_get(f.run.run, "scenario"), "baseline", json_string("nginx"));
    again(&f);
    assert_string_equal(f.d->baseline, "nginx");
    assert_string_equal(f.d->arms[0]->name, "nginx");
    assert_true(find(f.d->arms[1], "bits_per_second")->ratio > 4.9);
}

/* Arms and points come in the order of the scenario, however they were shuffled. */
static void interrupted_sweep(void **state)
{
    cleanup_fixture struct fixture f = made(example_hostile);

    (void)state;
    assert_string_equal(f.d->state, "interrupted");
    assert_int_equal(f.d->n_arms, 4);
    assert_string_equal(f.d->arms[0]->point, "jobs=1");
    assert_string_equal(f.d->arms[0]->name, "none");
    assert_string_equal(f.d->arms[1]->name, EXAMPLE_HOSTILE);
    assert_true(f.d->arms[1]->failed == 1 && f.d->arms[1]->valid == 0);
    assert_string_equal(f.d->arms[2]->point, "jobs=100");
    assert_string_equal(f.d->arms[2]->limited_by, "cpu");
    assert_warned(f.d, "the run was interrupted: 5 of 12 repetitions are finished");
    assert_warned(f.d, "a stored repetition was skipped: repetitions/0006");
    assert_int_equal(f.d->n_findings, 2);
    assert_string_equal(f.d->findings[0]->rule, "no bottleneck found");
    assert_string_equal(f.d->findings[0]->arm, EXAMPLE_HOSTILE);
    assert_string_equal(f.d->findings[0]->points[0], "jobs=100");
    assert_string_equal(f.d->findings[1]->rule, "others at work");
    assert_string_equal(f.d->findings[1]->arm, "none");
}

/* What somebody removed from a complete run is missed. */
static void repetitions_removed(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    size_t kept = f.run.n_repetitions;

    (void)state;
    f.run.n_repetitions = kept - 2;
    again(&f);
    assert_warned(f.d, "2 of the run's 12 repetitions are no longer there");
    f.run.n_repetitions = kept;
}

static void set_column(struct repetition_record *r, const char *name, int64_t per_row)
{
    int column = series_find(&r->series, name);

    assert_true(column >= 0);
    for (size_t row = 0; row < r->series.n_rows; row++)
        r->series.values[row * r->series.n_columns + (size_t)column] = per_row * (int64_t)row;
}

static void what_a_reader_must_know(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    struct repetition_record *r = &f.run.repetitions[1];

    (void)state;
    assert_string_equal(r->arm, "nginx");
    set_column(r, "relay_1.cpu_ns", EXAMPLE_TICK * 11 / 10);
    set_column(r, "relay_2.cpu_ns", EXAMPLE_TICK * 9 / 10);
    set_column(r, "relay_2.throttled_periods", 100);
    set_column(r, "system.steal_ns", EXAMPLE_TICK / 10);
    set_column(r, "net.listen_overflows", 1);
    set_column(r, "client.errors", 2);
    json_decref(r->roles[2].binaries);
    r->roles[2].binaries = json_pack("[{s:s}]", "sha256", "bb");
    for (size_t i = 0; i < f.run.n_repetitions; i++) {
        struct repetition_record *q = &f.run.repetitions[i];

        set_column(q, "bench.cpu_ns", EXAMPLE_TICK / 50);
        for (size_t k = 0; k < q->n_roles; k++)
            q->roles[k].cpu_period_ns *= 2;
    }
    json_object_set_new(f.run.run, "left_out",
                        json_pack("[s, s]", "cpus.server=0-3", "cpus.relay=2"));
    again(&f);
    assert_warned(f.d, "left out, because the machine lacks these CPUs: cpus.server=0-3, "
                       "cpus.relay=2");
    assert_warned(f.d, "the CPU limit did not hold: up to 110.0% of it was used (1 time)");
    assert_warned(f.d, "throttled relays got less than their CPU limit: down to 90.0% of it");
    assert_warned(f.d, "the client counted up to 60 errors in a window");
    assert_warned(f.d, "the bench itself used 2.0% of a core");
    assert_warned(f.d, "nginx: the relay's program changed during the run (repetition 3)");
    assert_warned(f.d, "the window holds 15 periods of the CPU limit");
}

/* What the machine did before the run is of interest only where its windows do not tell. */
static void others_before_the_run(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    json_t *facts = json_object_get(f.run.run, "environment");

    (void)state;
    json_object_set_new(facts, "load", json_pack("[f]", 3.0));
    json_object_set_new(facts, "steal", json_real(0.02));
    again(&f);
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "load average"));
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "since boot"));
    for (size_t i = 0; i < f.run.n_repetitions; i++)
        f.run.repetitions[i].ok = false;
    again(&f);
    assert_warned(f.d, "load average 3.00 at start");
    assert_warned(f.d, "the hypervisor took 2% of the CPU time since boot");
}

/* Only what differs by more than a tenth, and by more than next to nothing, is worth a word. */
static void time_charged_to_another(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    const char *const alike[][2] = {{"server", "0.43"}, {"client", "0.27"}};

    (void)state;
    for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
        for (size_t r = 0; r < f.run.n_repetitions; r++) {
            cleanup_free char *name = xasprintf("%s.cpu_ns", alike[i][0]);

            set_column(&f.run.repetitions[r], name,
                       (int64_t)((double)EXAMPLE_TICK * atof(alike[i][1])));
        }
    set_column(&f.run.repetitions[1], "relay_2.cpu_ns", EXAMPLE_TICK / 200);
    set_column(&f.run.repetitions[1], "relay_2.event:task-clock", EXAMPLE_TICK / 100);
    again(&f);
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "wrong process"));

    set_column(&f.run.repetitions[2], "server.cpu_ns", EXAMPLE_TICK * 6 / 10);
    set_column(&f.run.repetitions[3], "server.cpu_ns", EXAMPLE_TICK);
    set_column(&f.run.repetitions[3], "client.cpu_ns", EXAMPLE_TICK * 15 / 100);
    again(&f);
    assert_warned(f.d, "the scheduler charged CPU time to the wrong process: of what task-clock "
                       "counted, at worst server 250%, client 50%; for these trust task_clock");
}

/* nginx takes its first second (10 ticks of 30) to get to its rate, in `n` of the 6 blocks. */
static void start_slowly(struct stored_run *run, size_t n)
{
    for (size_t r = 0; r < run->n_repetitions && n; r++) {
        struct series *s = &run->repetitions[r].series;
        int column = series_find(s, "server.bytes_received");

        if (strcmp(run->repetitions[r].arm, "nginx") != 0)
            continue;
        n--;
        for (size_t row = EXAMPLE_BEGIN; row < s->n_rows; row++) {
            size_t ticks = row - EXAMPLE_BEGIN;

            s->values[row * s->n_columns + (size_t)column] =
                (int64_t)(ticks < 10 ? ticks : 10 + 2 * (ticks - 10)) * 1000000;
        }
    }
}

static void a_window_that_is_not_steady(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);

    (void)state;
    start_slowly(&f.run, 3);
    again(&f);
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "not steady"));
    start_slowly(&f.run, 4);
    again(&f);
    assert_warned(f.d, "nginx: not steady: in 4 of 6 repetitions the window's first 1.0 s went at "
                       "50% of the rate of its rest, which moves the mean by -16.7%; lengthen "
                       "'warmup' to 2.2 s");
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "none: not steady"));
    for (size_t r = 0; r < f.run.n_repetitions; r++) /* 1.5 s are too few ticks to tell */
        f.run.repetitions[r].window_end_ns -= 15 * EXAMPLE_TICK;
    again(&f);
    assert_false(has_line(f.d->warnings, f.d->n_warnings, "not steady"));
}

/* A description of another version, or a damaged one, still gives a report. */
static void little_is_known(void **state)
{
    cleanup_fixture struct fixture f = made(example_two_arms);
    struct bench_error err = {0};
    struct document *none = NULL;

    (void)state;
    json_object_clear(f.run.run);
    json_object_set_new(f.run.run, "scenario", json_string("?"));
    json_object_set_new(f.run.run, "points", json_integer(3));
    json_object_set_new(f.run.run, "seed", json_real(0.5));
    again(&f);
    assert_int_equal(f.d->n_arms, 2);
    assert_string_equal(f.d->state, "interrupted");
    json_decref(f.run.run);
    f.run.run = NULL;
    assert_int_equal(document_new(&none, &f.run, &err), -1);
    assert_string_equal(err.message, "run '20261120-064944-example-3f9a' has no description");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_arms),
        cmocka_unit_test(only_measuring_counts),
        cmocka_unit_test(events_counted_apart_are_marked),
        cmocka_unit_test(design_lines),
        cmocka_unit_test(design_of_the_load),
        cmocka_unit_test(a_rate_is_no_open_loop_by_itself),
        cmocka_unit_test(too_high_a_rate_is_called_so),
        cmocka_unit_test(a_rate_that_is_kept_up_with),
        cmocka_unit_test(what_a_search_found),
        cmocka_unit_test(at_a_rate_latency_decides),
        cmocka_unit_test(verdicts_of_a_comparison),
        cmocka_unit_test(a_failure_counts_as_an_outcome),
        cmocka_unit_test(no_comparison_without_a_rule),
        cmocka_unit_test(a_drift_is_told),
        cmocka_unit_test(no_order_is_not_told),
        cmocka_unit_test(what_the_ratio_varies_with_is_told),
        cmocka_unit_test(who_has_his_own_cpus_does_not_compete),
        cmocka_unit_test(an_unfinished_comparison_has_no_verdict),
        cmocka_unit_test(unfit_blocks_do_not_count),
        cmocka_unit_test(unfit_blocks_enter_no_estimate),
        cmocka_unit_test(every_repetition_is_counted_once),
        cmocka_unit_test(an_arm_without_readable_repetitions_is_listed),
        cmocka_unit_test(a_counter_that_was_away_is_unfit),
        cmocka_unit_test(a_metric_that_an_arm_cannot_have),
        cmocka_unit_test(all_failed_is_no_decision),
        cmocka_unit_test(looks_are_part_of_the_rule),
        cmocka_unit_test(a_stopped_repetition_is_no_outcome),
        cmocka_unit_test(a_moved_process_rejects_its_block),
        cmocka_unit_test(a_hole_is_said),
        cmocka_unit_test(a_laboratory_has_no_steal),
        cmocka_unit_test(another_clock_is_another_machine),
        cmocka_unit_test(too_many_make_the_environment_unfit),
        cmocka_unit_test(states_of_estimates),
        cmocka_unit_test(failures),
        cmocka_unit_test(all_failed),
        cmocka_unit_test(another_baseline),
        cmocka_unit_test(interrupted_sweep),
        cmocka_unit_test(repetitions_removed),
        cmocka_unit_test(what_a_reader_must_know),
        cmocka_unit_test(others_before_the_run),
        cmocka_unit_test(repetitions_that_warn),
        cmocka_unit_test(time_charged_to_another),
        cmocka_unit_test(a_window_that_is_not_steady),
        cmocka_unit_test(little_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
