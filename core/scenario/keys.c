/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/keys.h"

#include "base/error.h"
#include "base/text.h"
#include "scenario/scenario.h"

#define AT(field) BENCH_OFFSET(struct scenario, field)
#define MS 1e6
#define S 1e9

static const char *const arrivals[] = {"poisson", "constant", NULL};
static const char *const rate_words[] = {"auto", NULL};
static const char *const warmup_words[] = {"auto", NULL};
static const char *const interleaving[] = {"no", "auto", "yes", NULL};
static const char *const stops[] = {"fixed", "looks", NULL};
static const char *const rejections[] = {"shared", "lab", "nothing", NULL};
static const char *const networks[] = {"auto", "isolated", "host", NULL};

const struct bench_option scenario_keys[] = {
    {.name = "bench",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(format),
     .minimum = 1,
     .maximum = 1,
     .fallback = "1",
     .help = "version of the scenario format; required in a file"},
    {.name = "name",
     .type = BENCH_OPTION_STRING,
     .offset = AT(name),
     .help =
         "what the run is called; unless given the name of the file, or of the run that keeps it"},
    {.name = "workload",
     .type = BENCH_OPTION_STRING,
     .offset = AT(workload),
     .fallback = "builtin",
     .help = "workload plugin, or a map with its options: {plugin: builtin, mode: echo}"},
    {.name = "protocol",
     .type = BENCH_OPTION_STRING,
     .offset = AT(protocol),
     .help = "tcp, http1 or http2; the first that the workload speaks unless given"},
    {.name = "jobs",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(jobs),
     .minimum = 1,
     .maximum = 1000000,
     .fallback = "2",
     .help = "concurrent communications of the workload"},
    {.name = "rate",
     .type = BENCH_OPTION_RATE,
     .offset = AT(rate),
     .unit = "requests/s",
     .minimum = 0,
     .maximum = 1e9,
     .fallback = "0",
     .choices = rate_words,
     .help = "open loop: requests per second of the whole client, sent when they are due whether "
             "or not earlier ones were answered; 0: closed loop, the next follows an answer; auto: "
             "finds the highest rate at which every arm keeps up, and measures at 20% to 95% of "
             "it"},
    {.name = "arrivals",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(arrivals),
     .fallback = "poisson",
     .choices = arrivals,
     .help = "how requests at `rate` are spread in time; poisson: at random from the seed, the "
             "same for every arm of a block; constant: evenly"},
    {.name = "hops",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(hops),
     .minimum = 0,
     .maximum = SCENARIO_MAX_HOPS,
     .fallback = "2",
     .help = "relay processes in a chain between client and server; 0: none, whatever the arm"},
    {.name = "repeat",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(repeat),
     .minimum = 1,
     .maximum = SCENARIO_MAX_STEPS,
     .fallback = "6",
     .help = "repetitions of every arm, each with fresh processes; 6 are the fewest that give a "
             "95% interval"},
    {.name = "metric",
     .type = BENCH_OPTION_STRING,
     .offset = AT(metric),
     .help =
         "bench compare: metrics that decide, separated by commas, each by its name, a beginning "
         "that fits no other, or the head of its column; unless given operations per second "
         "where requests are counted, else throughput, at a rate the p99 of the latency"},
    {.name = "margin",
     .type = BENCH_OPTION_SHARE,
     .offset = AT(margin),
     .minimum = 0.0001,
     .maximum = 10,
     .fallback = "3%",
     .help = "bench compare: what counts as a difference; 1% in a quiet laboratory, 3% on a shared "
             "machine"},
    {.name = "reject",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(reject),
     .fallback = "shared",
     .choices = rejections,
     .help = "bench compare: blocks that do not count and are measured again; shared: others used "
             "more than 0.05 CPUs, steal above 1%, another clock source, a role that was "
             "disturbed from outside, a counter that decides ran "
             "less than 95% of the time; lab: any steal at all; nothing"},
    {.name = "precision",
     .type = BENCH_OPTION_SHARE,
     .offset = AT(precision),
     .minimum = 0,
     .maximum = 10,
     .fallback = "0%",
     .help = "bench compare: half width of the interval that is wanted, and so many blocks as that "
             "takes, 10 to 40; 0%: as many as `repeat` says"},
    {.name = "stop",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(stop),
     .fallback = "fixed",
     .choices = stops,
     .help =
         "bench compare: fixed: after `repeat` blocks; looks: after 10, 20, 30 or 40, as soon as "
         "every comparison is decided, at levels that keep the family error"},
    {.name = "seed",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(seed),
     .minimum = -1,
     .maximum = 9007199254740991.0, /* 2^53 - 1: exact in every reader of JSON */
     .fallback = "-1",
     .help = "seed of every random choice, such as the order of the arms; -1 draws one"},
    {.name = "warmup",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(warmup_ns),
     .minimum = 0,
     .maximum = 3600 * S,
     .fallback = "1s",
     .choices = warmup_words,
     .help = "time under load before the measured window; auto: every arm is tried beforehand, and "
             "all get what the slowest to settle needs, half as long again"},
    {.name = "duration",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(duration_ns),
     .minimum = 10 * MS,
     .maximum = 24 * 3600 * S,
     .fallback = "3s",
     .help = "length of the measured window"},
    {.name = "tick",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(tick_ns),
     .minimum = 10 * MS,
     .maximum = 60 * S,
     .fallback = "100ms",
     .help = "time between two samples in the window"},
    {.name = "interleave",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(interleave),
     .fallback = "no",
     .choices = interleaving,
     .help = "yes: all arms of a block live together and are measured in turn, in slices of their "
             "windows, so that a change of the machine's speed meets all of them; auto: where the "
             "workload can pause; no: one after the other"},
    {.name = "slice",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(slice_ns),
     .minimum = 10 * MS,
     .maximum = 3600 * S,
     .fallback = "400ms",
     .help = "about how long a slice of the window is when arms are interleaved"},
    {.name = "cpu_limit",
     .type = BENCH_OPTION_NUMBER,
     .offset = AT(cpu_limit),
     .unit = "CPUs",
     .minimum = 0,
     .maximum = 1024,
     .fallback = "1",
     .help = "CPU time that each relay process gets, fractions allowed; 0: no limit, needs no "
             "privilege"},
    {.name = "cpu_period",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(cpu_period_ns),
     .minimum = 1 * MS,
     .maximum = 1 * S,
     .fallback = "100ms",
     .help = "period over which the CPU limit is enforced; short ones throttle less at a time, "
             "but below 100ms a limit of 1 or more comes out too low"},
    {.name = "network",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(network),
     .fallback = "auto",
     .choices = networks,
     .help = "isolated: a network namespace of its own for each repetition; host: the machine's "
             "loopback; auto: isolated where privilege allows"},
    {.name = "congestion",
     .type = BENCH_OPTION_STRING,
     .offset = AT(congestion),
     .help = "TCP congestion control of an isolated network; reno there unless given"},
    {.name = "start_timeout",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(start_timeout_ns),
     .minimum = 1 * MS,
     .maximum = 3600 * S,
     .fallback = "10s",
     .help = "how long a process may take until it is ready"},
    {.name = "stop_timeout",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(stop_timeout_ns),
     .minimum = 0,
     .maximum = 3600 * S,
     .fallback = "2s",
     .help = "how long a process may take to end before it is killed"},
    {.name = "baseline",
     .type = BENCH_OPTION_STRING,
     .offset = AT(baseline),
     .help = "name of the arm that the others are compared with; the first unless given"},
    {0},
};

const struct scenario_structure scenario_structures[] = {
    {"relays",
     "list of arms, each a NAME or {name, plugin, path, env, options, cpu_limit, capture}",
     "the configurations being compared; 'none' connects directly"},
    {"capture", "list, each a NAME or {NAME: {OPTION: value}}",
     "what is collected beside resources"},
    {"cpus", "map of client, server, relay or relay_N to a list of CPUs such as 0-1,3",
     "pins the processes of a role to CPUs"},
    {"sweep", "map of a key, workload.OPTION, relay.OPTION or cpus.ROLE to a list of values",
     "a matrix: every arm is measured at every combination"},
    {"fail_on",
     "list of METRIC [of ARM] [at POINT] > VALUE (or >=, <, <=) or … regresses SHARE (or "
     "improves, changes)",
     "gates: what makes the run fail, decided by intervals; exit status 3, or 4 when undecided"},
    {0},
};

int scenario_unknown_key(const char *name, const char *const *more, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (const struct bench_option *row = scenario_keys; row->name; row++)
        strings_add(&names, row->name);
    for (const struct scenario_structure *row = scenario_structures; row->name; row++)
        strings_add(&names, row->name);
    for (; *more; more++)
        strings_add(&names, *more);
    return error_unknown(err, "key", name, (const char *const *)names.items);
}
