/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, in the order in which help lists them. */
#include "cli/cli.h"

const struct command commands[] = {
    {"run", cli_run, "run a scenario and print what its arms came to"},
    {"stat", cli_stat, "the same, with performance counters on every role"},
    {"record", cli_record, "the same, and where each role spends its time, by sampling"},
    {"c2c", cli_c2c, "the same, and which cache lines travel between CPUs"},
    {"mem", cli_mem, "the same, and where loads and stores find their data"},
    {"offcpu", cli_offcpu, "the same, and what each role waits for while it does not run"},
    {"syscalls", cli_syscalls, "the same, and every system call of each role, by name"},
    {"compare", cli_compare, "compare the relays of a scenario, or two stored runs, with verdicts"},
    {"bisect", cli_bisect, "find the commit that made a relay slower, or faster"},
    {"report", cli_report, "print a stored run again, in any format"},
    {"explain", cli_explain, "say what the numbers of a stored run mean, and what to try"},
    {"flamegraph", cli_flamegraph, "draw call stacks, or the difference of two sets of them"},
    {"history", cli_history, "a metric over the stored runs of a scenario, and where it changed"},
    {"list", cli_list,
     "list runs, baselines, workloads, relays, reporters, captures, events, scenarios"},
    {"check", cli_check, "say what this machine can do and how to fix what it cannot"},
    {"plugin", cli_plugin, "check plugins against the contract"},
    {"help", cli_help, "explain a command or the scenario language"},
    {0},
};
