/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether latencies are true. Each line is a statement, what was measured and what it must be;
 * `short` divides the times of the second statement by five. Exits 1 when one is wrong, 2 when the
 * machine was too busy to tell.
 *
 *   delay  a server that takes 10 ms longer shifts the median by 10 ms ± (1% + 100 µs)
 *   stall  coordinated omission: with a stall of s in a run of T at the load ρ the percentile q of
 *          the response is s − (1−q)(1−ρ)T and the mean s²/2(1−ρ)T, ± 5%; a closed loop hides it.
 *          That is for constant arrivals. How many Poisson arrivals fall into a stall varies by
 * more (3% of 1000), so theirs are compared with a queue that is given the same schedule.
 */
#include <math.h>
#include <time.h>

#include "../plugins/ends.h"
#include "stats/histogram.h"

#include "../../plugins/workloads/builtin/arrivals.c"

enum verdict { TRUE_, FALSE_, UNDECIDED };

struct run {
    const char *delay;
    double rate;                 /* 0: closed loop */
    double before, stall, after; /* seconds */
    bool poisson;
    uint64_t ret_done; /* requests that were done when it began, after the warm-up */
};

#define SERVICE 200e-6 /* s that the stalled server takes for a request */
enum { SEED = 8812 };

static void sleep_until(int64_t start, double seconds)
{
    int64_t due = start + (int64_t)(seconds * 1e9);

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
                    &(struct timespec){.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S}, NULL);
}

static struct histogram *read_histogram(const struct end *client, enum bench_latency kind)
{
    struct histogram *h = histogram_new();

    for (size_t i = 0; i < BENCH_HISTOGRAMS; i++)
        histogram_add_shared(h, &client->page->histogram[kind][i]);
    return h;
}

/* What the client recorded while the server, which answers one request at a time on one
 * connection, is stopped in mid-run. NULL with a line of its own when that cannot be told. */
static struct histogram *try_record(struct run *r)
{
    struct bench_error err = {0};
    struct end server, client;
    struct histogram *before, *after = NULL;
    enum bench_latency kind = r->rate > 0 ? BENCH_LATENCY_RESPONSE : BENCH_LATENCY_SERVICE;
    struct workload w;
    int64_t start;

    if (workload_open(&w, "builtin", &err) < 0 || workload_set(&w, "mode", "rr", &err) < 0 ||
        workload_set(&w, "delay", r->delay, &err) < 0) {
        printf("%s\n", err.message);
        return NULL;
    }
    w.role.jobs = 1;
    w.role.rate = r->rate;
    w.role.poisson = r->poisson;
    w.role.seed = SEED;
    end_start(&server, &w, BENCH_SERVER);
    end_start(&client, &w, BENCH_CLIENT);
    sleep_until(clock_now(), 0.3);
    start = clock_now();
    r->ret_done = end_sum(&client, operations);
    before = read_histogram(&client, kind);
    sleep_until(start, r->before);
    if (r->stall > 0) {
        kill(server.pid, SIGSTOP);
        sleep_until(start, r->before + r->stall);
        kill(server.pid, SIGCONT);
    }
    sleep_until(start, r->before + r->stall + r->after);
    after = read_histogram(&client, kind);
    histogram_subtract(after, before);
    free(before);
    end_stop(&client);
    end_stop(&server);
    if (client.page->invalid[0] || client.page->message[0] || server.page->message[0]) {
        printf("cannot be told: %s%s%s\n", client.page->invalid, client.page->message,
               server.page->message);
        free(after);
        after = NULL;
    }
    end_release(&client);
    end_release(&server);
    workload_close(&w);
    return after;
}

/* A machine that was busy for a moment is given another chance; figures never are. */
static struct histogram *record(struct run *r)
{
    struct histogram *h = NULL;

    for (int i = 0; i < 3 && !h; i++)
        h = try_record(r);
    return h;
}

static enum verdict state(const char *what, double seconds, double low, double high)
{
    bool ok = seconds >= low && seconds <= high;

    printf("%-6s %-34s %9.3f ms, must be %9.3f to %9.3f ms\n", ok ? "ok" : "WRONG", what,
           seconds * 1e3, low * 1e3, high * 1e3);
    return ok ? TRUE_ : FALSE_;
}

static enum verdict worse(enum verdict a, enum verdict b)
{
    return a == FALSE_ || b == FALSE_ ? FALSE_ : a == UNDECIDED ? a : b;
}

static enum verdict check_delay(void)
{
    struct run r = {.delay = "1ms", .rate = 60, .before = 3};
    struct histogram *base = record(&r), *later;
    double shift;

    r.delay = "11ms";
    later = base ? record(&r) : NULL;
    if (!later) {
        free(base);
        return UNDECIDED;
    }
    shift = (histogram_percentile(later, 0.5) - histogram_percentile(base, 0.5)) * 1e-9;
    free(base);
    free(later);
    return state("delay: 10 ms more shift p50 by", shift, 0.0098, 0.0102);
}

/* What `r` must record: one server, one request at a time in the order of the schedule, of which
 * `ret_done` were done when it began. */
static struct histogram *simulate(const struct run *r)
{
    struct histogram *h = histogram_new();
    double length = r->before + r->stall + r->after, begin = 0, done = 0;
    struct arrivals a;

    arrivals_init(&a, r->rate, true, SEED);
    for (uint64_t i = 1; i < r->ret_done; i++)
        arrivals_next(&a);
    begin = a.due_ns * 1e-9 + SERVICE; /* the last of these was done then, or a moment ago */
    while (done <= length) {
        double due, start;

        arrivals_next(&a);
        due = a.due_ns * 1e-9 - begin;
        start = fmax(due, done);
        if (start >= r->before && start < r->before + r->stall)
            start = r->before + r->stall;
        done = start + SERVICE;
        if (done <= length)
            histogram_record(h, (int64_t)((done - due) * 1e9), 1);
    }
    return h;
}

static enum verdict check_poisson(double scale)
{
    static const double quantiles[] = {0.90, 0.95, 0.99};
    struct run r = {.delay = "200us",
                    .rate = 1000,
                    .poisson = true,
                    .before = 3 * scale,
                    .stall = 1 * scale,
                    .after = 6 * scale};
    struct histogram *h = record(&r), *want;
    enum verdict verdict = TRUE_;
    double mean;

    if (!h)
        return UNDECIDED;
    want = simulate(&r);
    for (size_t i = 0; i < 3; i++) {
        double ns = histogram_percentile(want, quantiles[i]);
        char what[64];

        snprintf(what, sizeof(what), "stall: Poisson arrivals, p%.0f", quantiles[i] * 100);
        verdict = worse(verdict, state(what, histogram_percentile(h, quantiles[i]) * 1e-9,
                                       ns * 0.95e-9, ns * 1.05e-9));
    }
    mean = histogram_mean(want) * 1e-9;
    verdict = worse(verdict, state("stall: Poisson arrivals, mean", histogram_mean(h) * 1e-9,
                                   mean * 0.95, mean * 1.05));
    free(h);
    free(want);
    return verdict;
}

static enum verdict check_stall(double scale)
{
    static const double quantiles[] = {0.90, 0.95, 0.99};
    const double load = 0.2, s = 1 * scale, T = 10 * scale;
    struct run r = {
        .delay = "200us", .rate = 1000, .before = 0.3 * T, .stall = s, .after = 0.7 * T - s};
    struct histogram *h = record(&r);
    enum verdict verdict = TRUE_;
    double mean = s * s / (2 * (1 - load) * T);

    if (!h)
        return UNDECIDED;
    for (size_t i = 0; i < 3; i++) {
        double want = s - (1 - quantiles[i]) * (1 - load) * T;
        char what[64];

        snprintf(what, sizeof(what), "stall: open loop, p%.0f", quantiles[i] * 100);
        verdict = worse(verdict, state(what, histogram_percentile(h, quantiles[i]) * 1e-9,
                                       want * 0.95, want * 1.05));
    }
    verdict = worse(verdict, state("stall: open loop, mean", histogram_mean(h) * 1e-9, mean * 0.95,
                                   mean * 1.05));
    free(h);
    r.rate = 0;
    h = record(&r);
    if (!h)
        return worse(verdict, UNDECIDED);
    verdict = worse(verdict, state("stall: a closed loop hides it, p99",
                                   histogram_percentile(h, 0.99) * 1e-9, 0, 0.05 * s));
    free(h);
    return verdict;
}

int main(int argc, char **argv)
{
    bool is_short = argc > 1 && strcmp(argv[1], "short") == 0;

    enum verdict verdict;

    setvbuf(stdout, NULL, _IOLBF, 0);
    verdict = check_delay();
    verdict = worse(verdict, check_stall(is_short ? 0.2 : 1));
    return (int)worse(verdict, check_poisson(is_short ? 0.2 : 1));
}
