/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/h2load.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/origin.h"
#include "shared/regular_file.h"
#include "shared/wrapper.h"

#define MS 1000000LL /* ns */
#define US 1000LL
/* What h2load is asked for beyond the window: its clock starts a little before the warm-up's. */
#define MARGIN_MS 500
#define LOG "requests.tsv"
/* A silence that is no sign of a dead server, beside what the requests themselves took. */
#define SILENCE (100 * MS)

/* The client */

/* Every client sends at its share of the rate, all of them at the same moments, the first of which
 * is the start. */
static int check_rate(const struct bench_role *role, struct bench_error *err)
{
    const double window = (double)role->duration_ns / 1e9;
    const double each = role->rate * window / (double)role->jobs;

    if (role->rate <= 0 || each >= WRAPPER_LEAST_PACED)
        return 0;
    host->fail(err, BENCH_ERROR_USAGE,
               "rate: %.10g requests/s are %.3g of each of h2load's %lld clients ('jobs') in a "
               "window of %.3g s, too few to be a rate",
               role->rate, each, (long long)role->jobs, window);
    host->hint(err,
               "%d are needed: a 'rate' of %.0f, fewer 'jobs', a longer 'duration', or workload "
               "'builtin'",
               WRAPPER_LEAST_PACED, ceil(WRAPPER_LEAST_PACED * (double)role->jobs / window));
    return -1;
}

static int check(const struct h2load *o, const struct bench_role *role, struct bench_error *err)
{
    if (role->rate > 0 && role->poisson) {
        host->fail(err, BENCH_ERROR_USAGE, "rate: h2load sends at constant intervals only");
        host->hint(err, "set 'arrivals: constant', or use workload 'builtin'");
        return -1;
    }
    if (check_rate(role, err) < 0)
        return -1;
    return wrapper_check_threads("h2load", o->threads, role->jobs, "client", err);
}

int h2load_client(const struct h2load *o, bool h1, const struct bench_role *role,
                  struct bench_process *p, struct bench_error *err)
{
    if (check(o, role, err) < 0)
        return -1;
    host->argument(p, "h2load");
    if (h1)
        host->argument(p, "--h1");
    host->argument(p, "--clients=%lld", (long long)role->jobs);
    host->argument(p, "--threads=%lld", (long long)o->threads);
    host->argument(p, "--max-concurrent-streams=%lld", (long long)o->in_flight);
    host->argument(p, "--duration=%lldms",
                   (long long)((role->warmup_ns + role->duration_ns + MS - 1) / MS) + MARGIN_MS);
    host->argument(p, "--warm-up-time=0");
    if (role->rate > 0)
        host->argument(p, "--rps=%.10g", role->rate / (double)role->jobs);
    host->argument(p, "--log-file=" LOG);
    origin_url(p, &role->connect);
    return 0;
}

/* The summary: "requests: 12 total, 14 started, 12 done, 12 succeeded, 0 failed, …" and "traffic:
 * 1.2KB (1234) total, 1B (1) headers (space savings 1.00%), 1.1KB (1200) data". */
struct summary {
    unsigned long long started, done, succeeded, errored, data;
};

static bool read_requests(const char *line, struct summary *s)
{
    unsigned long long total, failed;

    return sscanf(line,
                  "requests: %llu total, %llu started, %llu done, %llu succeeded, %llu failed, "
                  "%llu errored",
                  &total, &s->started, &s->done, &s->succeeded, &failed, &s->errored) == 6;
}

static bool read_traffic(const char *line, struct summary *s)
{
    const char *at = strrchr(line, '(');

    return strncmp(line, "traffic: ", 9) == 0 && at && sscanf(at, "(%llu) data", &s->data) == 1;
}

static int read_summary(const char *path, struct summary *s, struct bench_error *err)
{
    FILE *f = regular_file(path);
    bool requests = false, traffic = false;
    char line[512];

    if (!f)
        return host->fail(err, BENCH_ERROR_RUN, "cannot read '%s': %s", path, strerror(errno));
    while (fgets(line, sizeof(line), f)) {
        requests = requests || read_requests(line, s);
        traffic = traffic || read_traffic(line, s);
    }
    fclose(f);
    if (!requests || !traffic)
        return host->fail(err, BENCH_ERROR_RUN, "h2load printed no summary");
    return 0;
}

/* The record of requests, one per line: start (µs since the epoch) TAB status TAB duration (µs). */

struct request {
    int64_t begin_ns, duration_ns;
    long status; /* -1: the stream failed */
};

struct log {
    uint64_t lines, taken, failed; /* in all; ended in the window; of these not 2xx or 3xx */
    long failed_status;            /* of the last that failed */
    int64_t last_ns;               /* when the last one ended */
    int64_t longest_ns;            /* of those in the window */
};

static bool read_number(const char **at, char end, long long minimum, long long maximum,
                        long long *ret)
{
    char *stop;

    if (**at != '-' && (**at < '0' || **at > '9'))
        return false;
    errno = 0;
    *ret = strtoll(*at, &stop, 10);
    /* More columns may follow in a later h2load. */
    if (errno || (*stop != end && !(end == '\n' && *stop == '\t')) || *ret < minimum ||
        *ret > maximum)
        return false;
    *at = stop + 1;
    return true;
}

static bool read_request(const char *line, struct request *ret)
{
    long long begin, status, duration;

    if (!strchr(line, '\n') || !read_number(&line, '\t', 0, WRAPPER_LATEST_US, &begin) ||
        !read_number(&line, '\t', -1, 999, &status) ||
        !read_number(&line, '\n', 0, WRAPPER_LATEST_US, &duration))
        return false;
    *ret = (struct request){begin * US, duration * US, (long)status};
    return true;
}

static void take(const struct request *r, const struct bench_leftovers *left, struct log *log,
                 struct bench_result *result)
{
    const int64_t end = r->begin_ns + r->duration_ns;
    const bool ok = r->status >= 200 && r->status < 400;

    /* All of them: those outside of the window show whether its clock is ours. */
    host->result_request(result, r->begin_ns, r->duration_ns, ok);
    log->lines++;
    if (end > log->last_ns)
        log->last_ns = end;
    if (end < left->window_begin_ns || end >= left->window_end_ns)
        return;
    log->taken++;
    if (r->duration_ns > log->longest_ns)
        log->longest_ns = r->duration_ns;
    if (!ok) {
        log->failed++;
        log->failed_status = r->status;
    }
}

static int read_log(const char *path, const struct bench_leftovers *left, struct log *log,
                    struct bench_result *result, struct bench_error *err)
{
    FILE *f = regular_file(path);
    struct request request;
    char line[256];
    bool good = true, cut = false;

    if (!f)
        return host->fail(err, BENCH_ERROR_RUN, "cannot read '%s': %s", path, strerror(errno));
    while (good && fgets(line, sizeof(line), f)) {
        cut = !strchr(line, '\n') && feof(f);
        if (cut)
            break;
        good = read_request(line, &request);
        if (good)
            take(&request, left, log, result);
    }
    fclose(f);
    if (cut)
        host->result_warning(result, "h2load's record of requests ends within a line, which is "
                                     "left out: is the disk full?");
    if (!good)
        return host->fail(err, BENCH_ERROR_RUN, "h2load's record of requests: line %llu is not one",
                          (unsigned long long)log->lines + 1);
    return 0;
}

/* What went wrong */

static int check_summary(const struct h2load *o, const struct summary *s, const struct log *log,
                         struct bench_error *err)
{
    unsigned long long apart = log->lines > s->done ? log->lines - s->done : s->done - log->lines;

    if (s->started == 0)
        return host->fail(err, BENCH_ERROR_RUN,
                          "h2load started no request: it reached no server, and exits with 0");
    if (s->done == 0)
        return host->fail(err, BENCH_ERROR_RUN, "h2load started %llu requests and completed none",
                          s->started);
    /* Requests that end while it stops may be in one and not in the other. */
    if (apart > s->done / 100 && apart > s->started - s->done)
        return host->fail(err, BENCH_ERROR_RUN,
                          "h2load has recorded %llu requests, but says that it completed %llu",
                          (unsigned long long)log->lines, s->done);
    if (s->data / (unsigned long long)o->requests_size < s->succeeded)
        return host->fail(
            err, BENCH_ERROR_RUN,
            "%llu responses of %lld bytes were expected, but only %llu bytes came in all",
            s->succeeded, (long long)o->requests_size, s->data);
    return 0;
}

/* A server that died leaves no trace in h2load's counts: only silence. */
static int check_silence(const struct bench_leftovers *left, const struct log *log,
                         struct bench_error *err)
{
    const int64_t window = left->window_end_ns - left->window_begin_ns;
    const int64_t silence = left->window_end_ns - log->last_ns;

    if (silence <= 2 * log->longest_ns + 10 * (window / (int64_t)log->taken) + SILENCE)
        return 0;
    return host->fail(err, BENCH_ERROR_RUN,
                      "no response came in the last %.3f s of the window, and h2load says nothing",
                      (double)silence / 1e9);
}

static int check_log(const struct bench_leftovers *left, const struct log *log,
                     struct bench_error *err)
{
    if (log->taken == 0)
        return host->fail(err, BENCH_ERROR_RUN, "no request ended in the window");
    if ((double)log->failed > WRAPPER_MAX_FAILED * (double)log->taken)
        return host->fail(
            err, BENCH_ERROR_RUN,
            log->failed_status < 0 ? "%llu of %llu requests failed"
                                   : "%llu of %llu requests failed, the last with status %ld",
            (unsigned long long)log->failed, (unsigned long long)log->taken, log->failed_status);
    return check_silence(left, log, err);
}

int h2load_parse_log(const struct h2load *o, const char *path, const struct bench_leftovers *left,
                     struct bench_result *result, struct bench_error *err)
{
    struct summary summary = {0};
    struct log log = {0};

    if (wrapper_check_ending("h2load", left->client_status, err) < 0 ||
        read_summary(left->client_stdout, &summary, err) < 0 ||
        read_log(path, left, &log, result, err) < 0 || check_summary(o, &summary, &log, err) < 0 ||
        check_log(left, &log, err) < 0)
        return -1;
    host->result_total(result, "bytes",
                       (double)(log.taken - log.failed) * (double)o->requests_size);
    return 0;
}

int h2load_parse(void *options, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err)
{
    const struct h2load *o = options;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/" LOG, left->client_directory);
    if (h2load_parse_log(o, path, left, result, err) < 0)
        return -1;
    if (!o->keep_log)
        unlink(path);
    return 0;
}
