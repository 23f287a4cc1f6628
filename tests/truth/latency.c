/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether latencies are true. Each line is a statement, what was measured and what it must be;
 * `short` divides the times of the second statement by five. Exits 1 when one is wrong, 2 when the
 * machine was too busy to tell.
 *
 *   delay  a server that takes 10 ms longer shifts the median by 10 ms ± (1% + 100 µs)
 *   stall  coordinated omission: with a stall of s in a run of T at the load ρ the percentile q of
 *          the response is s − (1−q)(1−ρ)T and the mean s²/2(1−ρ)T, ± 5%; a closed loop hides it
 */
#include <math.h>
#include <time.h>

#include "../plugins/ends.h"
#include "stats/histogram.h"

enum verdict { TRUE_, FALSE_, UNDECIDED };

struct run {
    const char *delay;
    double rate;                 /* 0: closed loop */
    double before, stall, after; /* seconds */
};

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
static struct histogram *try_record(const struct run *r)
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
    w.role.poisson = false; /* the formulas want as many in the stall as in any such time */
    end_start(&server, &w, BENCH_SERVER);
    end_start(&client, &w, BENCH_CLIENT);
    sleep_until(clock_now(), 0.3);
    start = clock_now();
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
static struct histogram *record(const struct run *r)
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
    return (int)worse(verdict, check_stall(is_short ? 0.2 : 1));
}
