/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives a built-in workload over the loopback without a relay and prints one line:
 *
 *   drive [-w WORKLOAD] [-j JOBS] [-u WARMUP] [-t DURATION] [OPTION=VALUE...]
 *   152.310 Gbit/s 0.1020 ns/byte, stopped in 0.4 and 0.6 ms
 *   166.310 k/s, 0.133 Gbit/s …      with a mode that has requests
 *
 * The window is cut as the bench does it: counters of the page at its edges. CPU is that of both
 * ends. Exits 1 when an end failed or when the workload's bytes are not those of the kernel.
 */
#include "../plugins/ends.h"

struct reading {
    int64_t at, cpu;
    uint64_t bytes, operations;
};

static int64_t cpu_of(const struct end *e)
{
    struct timespec ts = {0};
    clockid_t clock;

    if (!clock_getcpuclockid(e->pid, &clock))
        clock_gettime(clock, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static struct reading read_ends(const struct workload *w, const struct end *server,
                                const struct end *client)
{
    bool at_client = w->plugin->delivered && w->plugin->delivered(w->state) == BENCH_CLIENT;

    return (struct reading){.at = clock_now(),
                            .cpu = cpu_of(server) + cpu_of(client),
                            .bytes = end_sum(at_client ? client : server, bytes_received),
                            .operations = end_sum(client, operations)};
}

static int complain(const char *what, const struct end *e)
{
    fprintf(stderr, "drive: %s: status %#x %s\n", what, (unsigned int)e->status, e->page->message);
    return 1;
}

static int check_end(const char *what, const struct end *e)
{
    if (e->status)
        return complain(what, e);
    if (end_sum(e, bytes_sent) == end_sum(e, kernel_bytes_sent) &&
        end_sum(e, bytes_received) == end_sum(e, kernel_bytes_received))
        return 0;
    fprintf(stderr, "drive: %s: sent %llu (kernel %llu), received %llu (kernel %llu)\n", what,
            (unsigned long long)end_sum(e, bytes_sent),
            (unsigned long long)end_sum(e, kernel_bytes_sent),
            (unsigned long long)end_sum(e, bytes_received),
            (unsigned long long)end_sum(e, kernel_bytes_received));
    return 1;
}

static int drive(struct workload *w, double warmup, double duration)
{
    struct end server, client = {0};
    struct reading begin, end;
    double seconds;

    end_start(&server, w, BENCH_SERVER);
    if (!server.pid)
        return complain("server", &server);
    end_start(&client, w, BENCH_CLIENT);
    if (end_wait(&client, (int64_t)(warmup * 1e9)))
        return complain("client", &client);
    begin = read_ends(w, &server, &client);
    if (end_wait(&client, (int64_t)(duration * 1e9)))
        return complain("client", &client);
    end = read_ends(w, &server, &client);
    end_stop(&client);
    end_stop(&server);
    if (check_end("client", &client) || check_end("server", &server))
        return 1;
    seconds = (double)(end.at - begin.at) / 1e9;
    if (end.operations > begin.operations)
        printf("%.3f k/s, ", (double)(end.operations - begin.operations) / seconds / 1e3);
    printf("%.3f Gbit/s %.4f ns/byte, stopped in %.1f and %.1f ms\n",
           (double)(end.bytes - begin.bytes) * 8 / seconds / 1e9,
           (double)(end.cpu - begin.cpu) / (double)(end.bytes - begin.bytes),
           (double)client.stop_ns / 1e6, (double)server.stop_ns / 1e6);
    end_release(&client);
    end_release(&server);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = "builtin";
    double warmup = 0.3, duration = 1;
    int64_t jobs = 2;
    struct bench_error err = {0};
    struct workload w;
    int c, rc;

    while ((c = getopt(argc, argv, "w:j:u:t:")) != -1) {
        if (c == 'w')
            name = optarg;
        else if (c == 'j')
            jobs = atoll(optarg);
        else if (c == 'u')
            warmup = atof(optarg);
        else if (c == 't')
            duration = atof(optarg);
        else
            return 2;
    }
    rc = workload_open(&w, name, &err);
    if (rc < 0) {
        fprintf(stderr, "drive: %s\n", err.message);
        return 2;
    }
    w.role.jobs = jobs;
    for (; optind < argc && !rc; optind++) {
        char *value = strchr(argv[optind], '=');

        if (!value)
            return 2;
        *value++ = '\0';
        rc = workload_set(&w, argv[optind], value, &err);
    }
    if (rc < 0)
        fprintf(stderr, "drive: %s\nhint: %s\n", err.message, err.hint);
    else
        rc = drive(&w, warmup, duration);
    workload_close(&w);
    return rc < 0 ? 2 : rc;
}
