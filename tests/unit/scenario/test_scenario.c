/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins.h"
#include "scenario/parts.h"

#define EMPTY_HINT "give it a value, or leave it out; a variable of the shell may not be set"

/* Reads YAML text as if it were the file "f". */
static int read_text(struct scenario *s, const char *yaml, struct bench_error *err)
{
    struct yaml_tree tree = {0};
    int result;

    scenario_init(s);
    if (yaml_tree_parse(&tree, "f", yaml, strlen(yaml), err) < 0)
        return -1;
    result = scenario_read_tree(s, &tree, err);
    yaml_tree_release(&tree);
    return result;
}

static void must_read(struct scenario *s, const char *yaml)
{
    struct bench_error err = {0};

    if (read_text(s, yaml, &err) < 0)
        fail_msg("%s", err.message);
}

static void must_check(struct scenario *s, const char *yaml)
{
    struct bench_error err = {0};

    must_read(s, yaml);
    if (scenario_check(s, &test_registry, test_capture_known, &err) < 0)
        fail_msg("%s", err.message);
}

static void refuses(const char *yaml, const char *message, const char *hint)
{
    struct bench_error err = {0};
    struct scenario s;
    int result = read_text(&s, yaml, &err);

    if (result == 0)
        result = scenario_check(&s, &test_registry, test_capture_known, &err);
    assert_int_equal(result, -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    scenario_release(&s);
}

static void table_is_valid(void **state)
{
    struct bench_error err = {0};

    (void)state;
    if (option_check(scenario_keys, sizeof(struct scenario), &err) < 0)
        fail_msg("%s", err.message);
}

static void defaults(void **state)
{
    struct scenario s;

    (void)state;
    must_check(&s, "bench: 1");
    assert_string_equal(s.workload, "builtin");
    assert_string_equal(s.name, "builtin");
    assert_string_equal(s.protocol, "tcp");
    assert_int_equal(s.jobs, 2);
    assert_int_equal(s.hops, 2);
    assert_int_equal(s.repeat, 6);
    assert_int_equal(s.seed, -1);
    assert_int_equal(s.warmup_ns, 1000000000);
    assert_int_equal(s.duration_ns, INT64_C(3000000000));
    assert_int_equal(s.tick_ns, 100000000);
    assert_true(s.cpu_limit == 1);
    assert_int_equal(s.cpu_period_ns, 100000000);
    assert_int_equal(s.network, NETWORK_AUTO);
    assert_null(s.congestion);
    assert_int_equal(s.start_timeout_ns, INT64_C(10000000000));
    assert_int_equal(s.stop_timeout_ns, INT64_C(2000000000));
    assert_int_equal(s.n_arms, 1);
    assert_string_equal(s.arms[0].name, "none");
    assert_string_equal(s.baseline, "none");
    assert_null(scenario_where(&s, "jobs"));
    /* Options that were not given are written out. */
    assert_string_equal(settings_get(&s.workload_options, "size"), "64K");
    assert_null(settings_get(&s.workload_options, "note"));
    scenario_release(&s);
}

static const char everything[] = "bench: 1\n"
                                 "name: all of it\n"
                                 "workload: {plugin: builtin, mode: echo, note: [a, b]}\n"
                                 "protocol: tcp\n"
                                 "jobs: 10\n"
                                 "hops: 3\n"
                                 "repeat: 2\n"
                                 "seed: 9007199254740991\n"
                                 "warmup: 250ms\n"
                                 "duration: 1.5s\n"
                                 "tick: 50ms\n"
                                 "cpu_limit: 0.1\n"
                                 "cpu_period: 20ms\n"
                                 "network: isolated\n"
                                 "congestion: \"cubic\"\n"
                                 "start_timeout: 1m\n"
                                 "stop_timeout: 0\n"
                                 "baseline: mine\n"
                                 "relays:\n"
                                 "  - none\n"
                                 "  - &fast {plugin: fast, options: {workers: 2}}\n"
                                 "  - {<<: *fast, name: mine, path: /opt/x, env: {A: '', B_1: b}}\n"
                                 "  - {name: fast, plugin: fast, <<: *fast}\n"
                                 "capture: [stat, {record: {frequency: 997, events: [a, b]}}]\n"
                                 "cpus: {relay: 2-3, client: 0, server: [1, 4], relay_3: 5}\n"
                                 "sweep:\n"
                                 "  jobs: [1, 10]\n"
                                 "  workload.size: [1K, 2K]\n"
                                 "  relay.workers: 4\n";

static char *without_duplicate(void)
{
    const char *cut = strstr(everything, "  - {name: fast,");

    return xasprintf("%.*s%s", (int)(cut - everything), everything, strchr(cut, '\n') + 1);
}

static void every_key(void **state)
{
    cleanup_free char *yaml = without_duplicate();
    struct scenario s;

    (void)state;
    must_check(&s, yaml);
    assert_string_equal(s.name, "all of it");
    assert_int_equal(s.seed, INT64_C(9007199254740991));
    assert_int_equal(s.duration_ns, 1500000000);
    assert_true(s.cpu_limit == 0.1);
    assert_int_equal(s.network, NETWORK_ISOLATED);
    assert_string_equal(s.congestion, "cubic");
    assert_string_equal(scenario_where(&s, "jobs"), "f:5:7");
    assert_string_equal(settings_get(&s.workload_options, "mode"), "echo");
    assert_string_equal(settings_get(&s.workload_options, "note"), "a,b");
    assert_int_equal(s.n_arms, 3);
    assert_string_equal(s.arms[1].name, "fast");
    assert_string_equal(s.arms[2].name, "mine");
    assert_string_equal(s.arms[2].plugin, "fast");
    assert_string_equal(s.arms[2].path, "/opt/x");
    assert_string_equal(s.arms[2].where, "f:22:5");
    assert_string_equal(settings_get(&s.arms[2].env, "A"), "");
    assert_string_equal(settings_get(&s.arms[2].options, "workers"), "2");
    assert_int_equal(s.n_captures, 2);
    assert_string_equal(s.captures[1].name, "record");
    assert_string_equal(settings_get(&s.captures[1].options, "events"), "a,b");
    assert_int_equal(s.n_pins, 4);
    assert_string_equal(s.pins[2].role, "server");
    assert_string_equal(s.pins[2].cpus, "1,4");
    assert_int_equal(s.n_axes, 3);
    assert_string_equal(s.axes[1].key, "workload.size");
    assert_string_equal(s.axes[1].values.items[1], "2K");
    assert_string_equal(s.axes[1].wheres.items[1], "f:27:23");
    scenario_release(&s);
}

static void arms_choose_captures(void **state)
{
    struct scenario s, copy;
    json_t *json, *relays;

    (void)state;
    must_check(&s, "bench: 1\ncapture: [stat, record]\n"
                   "relays: [none, {name: bare, plugin: none, capture: []},\n"
                   "         {name: seen, plugin: none, capture: [record]}]\n");
    scenario_copy(&copy, &s);
    scenario_release(&s);
    assert_false(copy.arms[0].chooses_captures);
    assert_true(copy.arms[1].chooses_captures && copy.arms[1].captures.count == 0);
    assert_true(copy.arms[2].chooses_captures && copy.arms[2].captures.count == 1);
    assert_string_equal(copy.arms[2].captures.items[0], "record");
    json = scenario_json(&copy);
    relays = json_object_get(json, "relays");
    assert_null(json_object_get(json_array_get(relays, 0), "capture"));
    assert_int_equal(json_array_size(json_object_get(json_array_get(relays, 1), "capture")), 0);
    assert_true(json_is_array(json_object_get(json_array_get(relays, 1), "capture")));
    assert_int_equal(json_array_size(json_object_get(json_array_get(relays, 2), "capture")), 1);
    json_decref(json);
    scenario_release(&copy);
    refuses("bench: 1\ncapture: [stat]\nrelays: [{name: none, capture: [recrod]}]\n",
            "f:3:10: unknown capture 'recrod'",
            "a relay chooses among the captures that the scenario's 'capture' lists");
    refuses("bench: 1\nrelays: [{name: none, capture: {a: 1}}]\n",
            "f:2:32: capture: expected a single value, found a map", "");
}

static void arms_have_limits_of_their_own(void **state)
{
    struct scenario s, copy;
    json_t *json, *relays;

    (void)state;
    must_check(&s, "bench: 1\ncpu_limit: 0.3\nrelays: [none, {name: less, plugin: none, cpu_limit: "
                   "0.285},\n         {name: free, plugin: none, cpu_limit: 0}]\n");
    scenario_copy(&copy, &s);
    scenario_release(&s);
    assert_true(scenario_cpu_limit(&copy, &copy.arms[0]) == 0.3);
    assert_true(scenario_cpu_limit(&copy, &copy.arms[1]) == 0.285);
    assert_true(scenario_cpu_limit(&copy, &copy.arms[2]) == 0);
    assert_true(scenario_largest_cpu_limit(&copy) == 0.3);
    copy.cpu_limit = 0;
    assert_true(scenario_largest_cpu_limit(&copy) == 0.285);
    json = scenario_json(&copy);
    relays = json_object_get(json, "relays");
    assert_null(json_object_get(json_array_get(relays, 0), "cpu_limit"));
    assert_true(json_real_value(json_object_get(json_array_get(relays, 1), "cpu_limit")) == 0.285);
    assert_true(json_is_real(json_object_get(json_array_get(relays, 2), "cpu_limit")));
    json_decref(json);
    scenario_release(&copy);
    refuses("bench: 1\nrelays: [{name: none, cpu_limit: -1}]\n",
            "f:2:34: cpu_limit: '-1' is out of range, allowed is 0 to 1024", "");
    refuses("bench: 1\nrelays: [{name: none, cpu_limit: [1]}]\n",
            "f:2:34: cpu_limit: expected a single value, found a list", "");
    refuses("bench: 1\nrelays:\n  - {name: none, cpu_limit: 0.005}\n",
            "f:3:5: cpu_limit: 0.005 CPUs of a period of 100ms are less than 1ms",
            "raise cpu_limit or cpu_period, or set cpu_limit to 0 for no limit");
}

static void what_captures_cost(void **state)
{
    struct bench_error err = {0};
    struct scenario s;

    (void)state;
    must_read(&s,
              "bench: 1\ncapture: [stat, record]\nrelays: [{name: fast, options: {workers: 2}}]\n");
    assert_int_equal(scenario_capture_cost(&s, &err), 0);
    assert_int_equal(scenario_check(&s, &test_registry, test_capture_known, &err), 0);
    assert_int_equal(s.n_arms, 3);
    assert_string_equal(s.baseline, "fast");
    assert_string_equal(s.arms[1].name, "fast + stat");
    assert_string_equal(s.arms[2].name, "fast + record");
    assert_string_equal(settings_get(&s.arms[2].options, "workers"), "2");
    assert_true(s.arms[0].chooses_captures && s.arms[0].captures.count == 0);
    assert_string_equal(s.arms[2].captures.items[0], "record");
    assert_int_equal(s.arms[2].captures.count, 1);
    scenario_release(&s);

    /* What has had its repetitions is forgotten, but not what an arm is there for. */
    must_read(&s, "bench: 1\ncapture: [stat, record]\nrelays: [fast]\n");
    assert_int_equal(scenario_check(&s, &test_registry, test_capture_known, &err), 0);
    scenario_drop_captures(&s);
    assert_int_equal(s.n_captures, 1);
    assert_string_equal(s.captures[0].name, "stat");
    scenario_release(&s);
    must_read(&s, "bench: 1\ncapture: [stat, record]\nrelays: [fast]\n");
    assert_int_equal(scenario_capture_cost(&s, &err), 0);
    assert_int_equal(scenario_check(&s, &test_registry, test_capture_known, &err), 0);
    scenario_drop_captures(&s);
    assert_int_equal(s.n_captures, 2);
    assert_int_equal(s.captures[1].repetitions, CAPTURE_CHOSEN);
    scenario_release(&s);

    /* More than the list of arms has room for at first. */
    must_read(&s, "bench: 1\nrelays: fast\ncapture: [a, b, c, d, e, f, g, h, i]\n");
    assert_int_equal(scenario_capture_cost(&s, &err), 0);
    assert_int_equal(s.n_arms, 10);
    assert_string_equal(s.arms[9].name, "fast + i");
    scenario_release(&s);

    must_read(&s, "bench: 1\nrelays: [none]\n");
    assert_int_equal(scenario_capture_cost(&s, &err), -1);
    assert_string_equal(err.message, "there is no capture whose cost could be measured");
    scenario_release(&s);
    must_read(&s, "bench: 1\ncapture: stat\nrelays: [none, fast]\n");
    assert_int_equal(scenario_capture_cost(&s, &err), -1);
    assert_string_equal(err.message, "the cost of captures is measured on one relay, here are 2");
    assert_string_equal(err.hint, "choose it with --relay");
    scenario_release(&s);
}

static void errors_of_shape(void **state)
{
    (void)state;
    refuses("bench: 1\njob: 2\n", "f:2:1: unknown key 'job'", "did you mean 'jobs'?");
    refuses("bench: 1\nduraton: 2\n", "f:2:1: unknown key 'duraton'", "did you mean 'duration'?");
    refuses("bench: 1\nfrobnicate: 2\n", "f:2:1: unknown key 'frobnicate'",
            "known: bench, name, workload, protocol, jobs, rate, arrivals, hops, repeat, metric, "
            "margin, reject, precision, stop, seed, "
            "warmup, duration, "
            "tick, interleave, slice, cpu_limit, cpu_period, network, congestion, start_timeout, "
            "stop_timeout, "
            "baseline, relays, capture, cpus, sweep, fail_on");
    refuses("bench: 1\njobs: 2\njobs: 3\n", "f:3:1: duplicate key 'jobs', first on line 2", "");
    refuses("jobs: 2\n", "f:1:1: the key 'bench' is missing",
            "add 'bench: 1', the version of the format");
    refuses("bench: 2\n", "f:1:8: bench: '2' is out of range, allowed is 1 to 1",
            "this bench reads format 1 only; a newer one wrote this file");
    refuses("[bench, 1]", "f:1:1: not a scenario: expected a map of keys, found a list",
            "the smallest scenario is 'bench: 1'");
    refuses("int main(void);",
            "f:1:1: not a scenario: expected a map of keys, found a single value",
            "the smallest scenario is 'bench: 1'");
    refuses("---\n", "f:2:1: not a scenario: expected a map of keys, found nothing",
            "the smallest scenario is 'bench: 1'");
    refuses("bench: 1\njobs: [2]\n", "f:2:7: jobs: expected a single value, found a list", "");
    refuses("bench: 1\njobs: {a: 2}\n", "f:2:7: jobs: expected a single value, found a map", "");
    refuses("bench: 1\njobs:\nhops: 2\n", "f:2:6: jobs: expected a single value, found nothing",
            "");
    refuses("bench: 1\njobs: two\n",
            "f:2:7: jobs: 'two' is not an integer: write digits only, like 10 or -1", "");
    refuses("bench: 1\njobs: 0\n", "f:2:7: jobs: '0' is out of range, allowed is 1 to 1000000", "");
    refuses("bench: 1\nduration: 5 parsecs\n",
            "f:2:11: duration: '5 parsecs' is not a duration: write a number with ns, us, ms, s, "
            "m or h, like 500ms",
            "");
    refuses("bench: 1\ncpu_period: 2s\n",
            "f:2:13: cpu_period: '2s' is out of range, allowed is 1ms to 1s", "");
    refuses("bench: 1\nnetwork: isolate\n",
            "f:2:10: network: 'isolate' is not one of auto, isolated, host",
            "did you mean 'isolated'?");
    refuses("bench: 1\nname: ''\n", "f:2:7: name: is empty", EMPTY_HINT);
    refuses("bench: 1\nmargin: 3\n", "f:2:9: margin: '3' would be 300%",
            "write '3%', or '300%' if that is meant");
    refuses("bench: 1\njobs: 99999999999999999999\n",
            "f:2:7: jobs: '99999999999999999999' is out of range, allowed is 1 to 1000000", "");
    refuses("bench: 1\nduration: -1s\n",
            "f:2:11: duration: '-1s' is out of range, allowed is 10ms to 24h", "");
    refuses("bench: 1\ncpus: {server: 0-1,3}\n", "f:2:20: cpus: '3' is not a role",
            "a comma ends a value in '{}': quote the list: server: \"0-1,3\"");
    refuses("bench: 1\ncpus: {client: 0, server: 1,3-4,6, relay: 2}\n",
            "f:2:29: cpus: '3-4' is not a role",
            "a comma ends a value in '{}': quote the list: server: \"1,3-4,6\"");
    refuses("bench: 1\nname: \"a\\nb\"\n",
            "f:2:7: name: the name of a run is one line, and not empty", "");
}

static void errors_of_structures(void **state)
{
    (void)state;
    refuses("bench: 1\nworkload: [builtin]\n",
            "f:2:11: workload: expected a single value, found a list", "");
    refuses("bench: 1\nworkload: {mode: echo}\n", "f:2:11: workload: the key 'plugin' is missing",
            "");
    refuses("bench: 1\nworkload: {plugin: builtin, mode: {a: b}}\n",
            "f:2:35: mode: expected a single value, found a map", "");
    refuses("bench: 1\nworkload: {plugin: builtin, note: [[a]]}\n",
            "f:2:36: note: expected a single value, found a list", "");
    refuses("bench: 1\nrelays: []\n", "f:2:9: relays: the list is empty", "");
    refuses("bench: 1\nrelays: [[none]]\n", "f:2:10: relays: expected a map, found a list", "");
    refuses("bench: 1\nrelays:\n", "f:2:8: relays: expected a single value, found nothing", "");
    refuses("bench: 1\nrelays: [{path: x}]\n",
            "f:2:10: relays: a relay needs the key 'plugin' or 'name'", "");
    refuses("bench: 1\nrelays: [{name: none, option: {}}]\n",
            "f:2:23: relays: unknown key 'option'", "did you mean 'options'?");
    refuses("bench: 1\nrelays: [{plugin: none, path: ''}]\n", "f:2:31: path: is empty", "");
    refuses("bench: 1\nrelays: [{plugin: none, env: x}]\n",
            "f:2:30: env: expected a map, found a single value", "");
    refuses("bench: 1\nrelays: [{plugin: none, env: {1X: y}}]\n",
            "f:2:35: env: '1X' is not the name of a variable", "");
    refuses("bench: 1\ncapture: [{stat: {}, record: {}}]\n",
            "f:2:11: capture: expected one name with its options, found 2", "");
    refuses("bench: 1\ncapture: [{stat: 1}]\n",
            "f:2:18: stat: expected a map, found a single value", "");
    refuses("bench: 1\ncpus: 0-1\n", "f:2:7: cpus: expected a map, found a single value", "");
    refuses("bench: 1\nsweep: [jobs]\n", "f:2:8: sweep: expected a map, found a list", "");
    refuses("bench: 1\nsweep: {jobs: []}\n", "f:2:15: jobs: the list is empty", "");
    refuses("bench: 1\nsweep: {jobs: [[1]]}\n",
            "f:2:16: jobs: expected a single value, found a list", "");
}

static void errors_of_plugins(void **state)
{
    (void)state;
    refuses("bench: 1\nworkload: buildin\n", "f:2:11: unknown workload 'buildin'",
            "did you mean 'builtin'?");
    refuses("bench: 1\nworkload: {plugin: builtin, mod: echo}\n",
            "f:2:34: workload 'builtin': unknown option 'mod'", "did you mean 'mode'?");
    refuses("bench: 1\nworkload: {plugin: builtin, size: 2M}\n",
            "f:2:35: workload 'builtin': size: '2M' is out of range, allowed is 1 to 1M", "");
    refuses("bench: 1\nworkload: {plugin: other, x: 1}\n",
            "f:2:30: workload 'other': unknown option 'x'", "known: none");
    refuses("bench: 1\nprotocol: http2\n",
            "f:2:11: protocol: workload 'builtin' does not speak 'http2'", "it speaks tcp, http1");
    refuses("bench: 1\nrelays: [none, fats]\n", "f:2:16: unknown relay 'fats'",
            "did you mean 'fast'?");
    refuses("bench: 1\nprotocol: http1\nrelays: [none, fast]\n",
            "f:3:16: relay 'fast' cannot carry 'http1'", "it carries tcp");
    refuses("bench: 1\nrelays: [short]\n", "f:2:10: relay 'short' works with at most 1 hop, not 2",
            "");
    refuses("bench: 1\nhops: 3\nrelays: [short]\n",
            "f:2:7: relay 'short' works with at most 1 hop, not 3", "");
    refuses("bench: 1\nhops: 17\n", "f:2:7: hops: '17' is out of range, allowed is 0 to 16", "");
    refuses("bench: 1\nrelays: [{plugin: fast, options: {worker: 2}}]\n",
            "f:2:43: relay 'fast': unknown option 'worker'", "did you mean 'workers'?");
    refuses("bench: 1\nrelays: [fast, fast]\n", "f:2:16: two relays are called 'fast'",
            "give one of them another 'name'");
    refuses("bench: 1\nrelays: [{name: \"a\\tb\", plugin: none}]\n",
            "f:2:10: name: a relay's name is one line, and not empty", "");
    refuses("bench: 1\nrelays: [none, fast]\nbaseline: fats\n", "f:3:11: unknown baseline 'fats'",
            "did you mean 'fast'?");
    refuses("bench: 1\ncapture: [stat, recrod]\n", "f:2:17: unknown capture 'recrod'",
            "did you mean 'record'?");
    refuses("bench: 1\ncapture: [stat, {stat: {}}]\n", "f:2:17: capture 'stat' is there twice", "");
    refuses("bench: 1\ncpus: {clients: 0}\n", "f:2:17: cpus: unknown role 'clients'",
            "did you mean 'client'?");
    refuses("bench: 1\ncapture: [{stat: {roles: \"relay, relay_7\"}}]\n",
            "f:2:26: capture 'stat': option 'roles': unknown role 'relay_7'",
            "did you mean 'relay_1'?");
    refuses("bench: 1\ncpus: {relay_3: 0}\n", "f:2:17: cpus: unknown role 'relay_3'",
            "did you mean 'relay_1'?");
    refuses("bench: 1\ncpus: {client: 1-}\n",
            "f:2:16: cpus: client: '1-' is not a list of CPUs: write numbers and ranges, "
            "like 0-2,5",
            "");
    refuses("bench: 1\ncpu_limit: 0.01\ncpu_period: 10ms\n",
            "f:2:12: cpu_limit: 0.01 CPUs of a period of 10ms are less than 1ms",
            "raise cpu_limit or cpu_period, or set cpu_limit to 0 for no limit");
}

static void gates(void **state)
{
    struct scenario s, copy;
    struct bench_error err = {0};
    json_t *json;

    (void)state;
    must_check(&s, "bench: 1\nfail_on:\n  - a > 1\n  - b regresses 3%\n");
    assert_int_equal(scenario_set(&s, "fail_on", "c < 2", "--fail-on", &err), 0);
    assert_int_equal(scenario_set(&s, "fail_on", "a > 1", "--fail-on", &err), 0);
    scenario_copy(&copy, &s);
    scenario_release(&s);
    json = scenario_json(&copy);
    assert_int_equal(json_array_size(json_object_get(json, "fail_on")), 3);
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "fail_on"), 2)),
                        "c < 2");
    assert_string_equal(copy.fail_on.items[0].where, "--fail-on");
    assert_string_equal(copy.fail_on.items[1].where, "f:4:5");
    json_decref(json);
    assert_int_equal(scenario_set(&copy, "fail_on", "none", "--set", &err), 0);
    assert_int_equal(copy.fail_on.count, 0);
    scenario_release(&copy);
    must_check(&s, "bench: 1\nfail_on: none\ncapture: none\n");
    assert_int_equal(s.fail_on.count + s.n_captures, 0);
    scenario_release(&s);
    must_check(&s, "bench: 1\nfail_on: a > 1\n");
    assert_string_equal(s.fail_on.items[0].text, "a > 1");
    scenario_release(&s);
    refuses("bench: 1\nfail_on: {a: 1}\n", "f:2:10: fail_on: expected a single value, found a map",
            "");
}

static void errors_of_sweeps(void **state)
{
    static const char known[] =
        "known: protocol, jobs, rate, arrivals, hops, warmup, duration, tick, interleave, slice, "
        "cpu_limit, "
        "cpu_period, network, "
        "congestion, start_timeout, stop_timeout, workload.OPTION, relay.OPTION, cpus.ROLE";

    (void)state;
    refuses("bench: 1\nsweep: {job: [1]}\n", "f:2:9: sweep: unknown key 'job'",
            "did you mean 'jobs'?");
    refuses("bench: 1\nsweep: {repeat: [1]}\n", "f:2:9: sweep: unknown key 'repeat'", known);
    refuses("bench: 1\nsweep: {workload: [builtin]}\n", "f:2:9: sweep: unknown key 'workload'",
            known);
    refuses("bench: 1\nsweep: {jobs: [1, 2, x]}\n",
            "f:2:22: jobs: 'x' is not an integer: write digits only, like 10 or -1", "");
    refuses("bench: 1\nsweep:\n  jobs: [1, 2]\n  hops: [0, 17]\n",
            "f:4:13: hops: '17' is out of range, allowed is 0 to 16", "");
    refuses("bench: 1\nrelays: [short]\nsweep:\n  hops: [0, 1, 2]\n",
            "f:4:16: relay 'short' works with at most 1 hop, not 2", "");
    refuses("bench: 1\nsweep: {jobs: [1, 2, 1]}\n", "f:2:22: jobs: value '1' is there twice", "");
    refuses("bench: 1\nsweep: {workload.mode: [echo, ecko]}\n",
            "f:2:31: workload 'builtin': mode: 'ecko' is not one of stream, echo",
            "did you mean 'echo'?");
    refuses("bench: 1\nsweep: {workload.mod: [echo]}\n",
            "f:2:24: workload 'builtin': unknown option 'mod'", "did you mean 'mode'?");
    refuses("bench: 1\nrelays: [none, fast]\nsweep: {relay.workrs: [1]}\n",
            "f:3:24: relays: unknown option 'workrs'", "did you mean 'workers'?");
    refuses("bench: 1\nrelays: [none, fast]\nsweep: {relay.workers: [1, 65]}\n",
            "f:3:28: relay 'fast': workers: '65' is out of range, allowed is 1 to 64", "");
    refuses("bench: 1\nrepeat: 50001\nsweep: {jobs: [1, 2]}\n",
            "f:3:9: 100002 repetitions, at most 100000 are allowed",
            "every combination of the sweep is measured with every relay, 'repeat' times");
}

/* A base value that no point uses does not count. */
/* A machine with CPUs 1021 and 1022 has yet to be seen. */
static void cpus_that_a_machine_lacks(void **state)
{
    struct scenario s, copy;
    cpu_set_t allowed;
    char text[160];
    int cpu = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    snprintf(text, sizeof(text), "bench: 1\nsweep:\n  cpus.server: [%d, \"%d,1022\", 1021-1022]\n",
             cpu, cpu);
    must_check(&s, text);
    snprintf(text, sizeof(text), "cpus.server=%d,1022", cpu);
    assert_int_equal(s.axes[0].values.count, 1);
    assert_int_equal(s.axes[0].wheres.count, 1);
    scenario_copy(&copy, &s);
    assert_int_equal(copy.left_out.count, 2);
    assert_string_equal(copy.left_out.items[0], text);
    assert_string_equal(copy.left_out.items[1], "cpus.server=1021-1022");
    scenario_release(&copy);
    scenario_release(&s);

    must_check(&s, "bench: 1\nsweep: {cpus.server: [1021, 1022]}\n");
    assert_int_equal(s.axes[0].values.count, 2);
    assert_int_equal(s.left_out.count, 0);
    scenario_release(&s);

    refuses("bench: 1\nsweep: {cpus.relay_3: [0]}\n", "f:2:24: cpus: unknown role 'relay_3'",
            "did you mean 'relay_1'?");
    refuses("bench: 1\nsweep: {cpus.server: [0, x]}\n",
            "f:2:26: cpus: server: 'x' is not a list of CPUs: write numbers and ranges, "
            "like 0-2,5",
            "");
}

static void sweep_replaces_base(void **state)
{
    struct scenario s;

    (void)state;
    must_check(&s, "bench: 1\nhops: 5\nrelays: [short]\nsweep: {hops: [0, 1]}\n");
    scenario_release(&s);
    must_check(&s, "bench: 1\ncpus: {relay_3: 0}\nsweep: {hops: [1, 3]}\n"
                   "capture: [{stat: {roles: \"relay_3,server\"}}]\n");
    scenario_release(&s);
    refuses("bench: 1\nhops: 3\ncpus: {relay_3: 0}\nsweep: {hops: [1, 2]}\n",
            "f:3:17: cpus: unknown role 'relay_3'", "did you mean 'relay_1'?");
}

static void many_relays(void **state)
{
    cleanup_text struct text yaml = {0};

    (void)state;
    text_add(&yaml, "bench: 1\nrelays: [none");
    for (int i = 1; i <= SCENARIO_MAX_ARMS; i++)
        text_add(&yaml, ", {name: n%d, plugin: none}", i);
    text_add(&yaml, "]\n");
    refuses(text_get(&yaml), "f:2:10: relays: 1001, at most 1000 are allowed", "");
}

static void set_ok(struct scenario *s, const char *key, const char *text)
{
    struct bench_error err = {0};

    if (scenario_set(s, key, text, "--set", &err) < 0)
        fail_msg("%s", err.message);
}

static void set_fails(const char *key, const char *text, const char *message, const char *hint)
{
    struct bench_error err = {0};
    struct scenario s;

    scenario_init(&s);
    assert_int_equal(scenario_set(&s, key, text, "--set", &err), -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    scenario_release(&s);
}

/* What refuses a value does not depend on how it arrives. */
static void a_value_is_judged_alike_everywhere(void **state)
{
    static const char *const texts[] = {
        "",     "3",   "-1",   "300%",     "-1%",      "1e999", "99999999999999999999",
        "0x10", "inf", "1h1",  "1.5s",     "0.1ns",    "-1s",   "999999h",
        "yes",  "1 2", "auto", "\xc3\xa9", "9000000T", "2.5G",
    };
    size_t refused = 0;

    (void)state;
    for (const struct bench_option *row = scenario_keys; row->name; row++)
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
            cleanup_free char *yaml =
                xasprintf("%s%s: \"%s\"\n", strcmp(row->name, "bench") ? "bench: 1\n" : "",
                          row->name, texts[i]);
            cleanup_free char *where =
                xasprintf("f:%d:%zu: ", strcmp(row->name, "bench") ? 2 : 1, strlen(row->name) + 3);
            struct bench_error flag = {0}, file = {0};
            struct scenario s, t;

            scenario_init(&s);
            scenario_set(&s, row->name, texts[i], "--set", &flag);
            scenario_release(&s);
            read_text(&t, yaml, &file);
            scenario_release(&t);
            assert_int_equal(flag.kind, file.kind);
            if (!flag.kind)
                continue;
            refused++;
            assert_memory_equal(flag.message, "--set: ", strlen("--set: "));
            assert_memory_equal(file.message, where, strlen(where));
            assert_string_equal(flag.message + strlen("--set: "), file.message + strlen(where));
            if (strcmp(row->name, "bench") != 0)
                assert_string_equal(flag.hint, file.hint);
        }
    assert_true(refused > 200);
}

static void set_overrides(void **state)
{
    struct bench_error err = {0};
    struct scenario s;

    (void)state;
    must_read(&s, "bench: 1\n"
                  "workload: {plugin: builtin, mode: echo}\n"
                  "relays: [none, {name: mine, plugin: fast, path: /x, options: {workers: 2}}]\n"
                  "capture: [{record: {frequency: 99}}]\n"
                  "sweep: {jobs: [1, 2], hops: [1, 2]}\n"
                  "cpus: {client: 0}\n");
    set_ok(&s, "jobs", "7");
    set_ok(&s, "workload.mode", "stream");
    set_ok(&s, "relay.workers", "3");
    set_ok(&s, "relays", "mine,fast");
    set_ok(&s, "capture", "stat,record");
    set_ok(&s, "cpus.client", "1");
    set_ok(&s, "cpus.relay", "2");
    set_ok(&s, "sweep.hops", "3,4,5");
    if (scenario_check(&s, &test_registry, test_capture_known, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(s.jobs, 7);
    assert_string_equal(scenario_where(&s, "jobs"), "--set");
    assert_int_equal(s.n_axes, 1); /* the sweep over jobs is gone */
    assert_int_equal(s.axes[0].values.count, 3);
    assert_string_equal(settings_get(&s.workload_options, "mode"), "stream");
    assert_int_equal(s.n_arms, 2);
    assert_string_equal(s.arms[0].name, "mine");
    assert_string_equal(s.arms[0].path, "/x"); /* kept its long form */
    assert_string_equal(settings_get(&s.arms[0].options, "workers"), "3");
    assert_string_equal(settings_get(&s.arms[1].options, "workers"), "3");
    assert_string_equal(s.baseline, "mine");
    assert_int_equal(s.n_captures, 2);
    assert_string_equal(settings_get(&s.captures[1].options, "frequency"), "99");
    assert_int_equal(s.n_pins, 2);
    assert_string_equal(s.pins[0].cpus, "1");
    set_ok(&s, "workload", "builtin"); /* the same: keeps its options */
    assert_string_equal(settings_get(&s.workload_options, "mode"), "stream");
    set_ok(&s, "workload", "other");
    assert_int_equal(s.workload_options.count, 0);
    set_ok(&s, "capture.record.frequency", "7");
    assert_string_equal(settings_get(&s.captures[1].options, "frequency"), "7");
    set_ok(&s, "capture", "none");
    assert_int_equal(s.n_captures, 0);
    set_ok(&s, "capture.record.frequency", "8"); /* adds it */
    assert_int_equal(s.n_captures, 1);
    assert_string_equal(s.captures[0].name, "record");
    assert_string_equal(settings_get(&s.captures[0].options, "frequency"), "8");
    scenario_release(&s);
}

static void set_errors(void **state)
{
    struct bench_error err = {0};
    struct scenario s;

    (void)state;
    set_fails("jobs", "x", "--set: jobs: 'x' is not an integer: write digits only, like 10 or -1",
              "");
    set_fails("job", "1", "--set: unknown key 'job'", "did you mean 'jobs'?");
    set_fails("cpu.client", "1", "--set: unknown key 'cpu.client'",
              "known: bench, name, workload, protocol, jobs, rate, arrivals, hops, repeat, metric, "
              "margin, reject, precision, stop, seed, warmup, "
              "duration, tick, interleave, slice, cpu_limit, cpu_period, network, congestion, "
              "start_timeout, "
              "stop_timeout, baseline, relays, capture, cpus, sweep, fail_on, workload.OPTION, "
              "relay.OPTION, capture.NAME.OPTION, cpus.ROLE, sweep.KEY");
    set_fails("capture.record", "1", "--set: capture.record: is not capture.NAME.OPTION", "");
    set_fails("capture..x", "1", "--set: capture..x: is not capture.NAME.OPTION", "");
    set_fails("capture.", "1", "--set: unknown key 'capture.'", "did you mean 'capture'?");
    set_fails("cpus", "1", "--set: cpus: is a map, set one of its keys: cpus.client=0", "");
    set_fails("sweep", "1", "--set: sweep: is a map, set one of its keys: sweep.jobs=1,10", "");
    set_fails("relays", ", ", "--set: relays: the list is empty", "");
    set_fails("sweep.jobs", "", "--set: sweep.jobs: is empty", EMPTY_HINT);
    set_fails("sweep.jobs", ",", "--set: sweep.jobs: the list is empty", "");
    set_fails("fail_on", "", "--set: fail_on: is empty", EMPTY_HINT);
    set_fails("capture", "", "--set: capture: is empty", EMPTY_HINT);
    set_fails("capture", " , ", "--set: capture: the list is empty", "");
    set_fails("cpus.server", "", "--set: cpus.server: is empty", EMPTY_HINT);
    set_fails("relays", "", "--set: relays: is empty", EMPTY_HINT);
    set_fails("name", "a\x01", "--set: name: only UTF-8 without control characters is allowed", "");
    set_fails("name", "a\xff", "--set: name: only UTF-8 without control characters is allowed", "");
    scenario_init(&s);
    set_ok(&s, "relay.workers", "3");
    assert_int_equal(scenario_check(&s, &test_registry, test_capture_known, &err), -1);
    assert_string_equal(err.message, "--set: relays: unknown option 'workers'");
    assert_string_equal(err.hint, "known: none");
    scenario_release(&s);
}

static char *dump(const struct scenario *s)
{
    json_t *json = scenario_json(s);
    char *text = json_dumps(json, JSON_INDENT(2));

    json_decref(json);
    return text;
}

static void json_reads_back(void **state)
{
    cleanup_free char *yaml = without_duplicate();
    cleanup_free char *first = NULL, *second = NULL;
    struct scenario s, again;

    (void)state;
    must_check(&s, yaml);
    first = dump(&s);
    must_check(&again, first);
    second = dump(&again);
    assert_string_equal(first, second);
    assert_int_equal(again.seed, s.seed);
    assert_true(again.cpu_limit == s.cpu_limit);
    assert_int_equal(again.warmup_ns, s.warmup_ns);
    assert_int_equal(again.n_axes, 3);
    assert_string_equal(again.arms[2].path, "/opt/x");
    scenario_release(&s);
    scenario_release(&again);
}

static void json_is_typed(void **state)
{
    struct scenario s;
    json_t *json, *relay;

    (void)state;
    must_check(&s, "bench: 1\nrelays: [fast]\ncpu_limit: 0.5\n");
    json = scenario_json(&s);
    assert_int_equal(json_integer_value(json_object_get(json, "bench")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "jobs")), 2);
    assert_true(json_real_value(json_object_get(json, "cpu_limit")) == 0.5);
    assert_string_equal(json_string_value(json_object_get(json, "duration")), "3s");
    assert_string_equal(json_string_value(json_object_get(json, "network")), "auto");
    assert_null(json_object_get(json, "congestion"));
    relay = json_array_get(json_object_get(json, "relays"), 0);
    assert_string_equal(json_string_value(json_object_get(relay, "plugin")), "fast");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(relay, "options"), "workers")), "1");
    json_decref(json);
    scenario_release(&s);
}

static void copies_are_deep(void **state)
{
    cleanup_free char *yaml = without_duplicate();
    cleanup_free char *before = NULL, *after = NULL;
    struct scenario s, copy;

    (void)state;
    must_check(&s, yaml);
    before = dump(&s);
    scenario_copy(&copy, &s);
    scenario_release(&s);
    after = dump(&copy);
    assert_string_equal(before, after);
    assert_string_equal(scenario_where(&copy, "jobs"), "f:5:7");
    scenario_release(&copy);
    scenario_release(&copy); /* twice is harmless */
}

static void name_comes_from_the_file(void **state)
{
    struct bench_error err = {0};
    struct scenario s;
    char path[] = "/tmp/bench-test-scenario.XXXXXX.yaml";
    int fd = mkstemps(path, 5);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "bench: 1\n", 9), 9);
    close(fd);
    scenario_init(&s);
    assert_int_equal(scenario_read(&s, path, &err), 0);
    unlink(path);
    assert_int_equal(scenario_check(&s, &test_registry, test_capture_known, &err), 0);
    assert_int_equal(strncmp(s.name, "bench-test-scenario.", 20), 0);
    assert_int_equal(strlen(s.name), 26); /* without ".yaml" */
    scenario_release(&s);
    scenario_init(&s);
    assert_int_equal(scenario_read(&s, "no-such.yaml", &err), -1);
    assert_string_equal(err.message, "cannot open 'no-such.yaml': No such file or directory");
    scenario_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_valid),
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_key),
        cmocka_unit_test(arms_choose_captures),
        cmocka_unit_test(arms_have_limits_of_their_own),
        cmocka_unit_test(what_captures_cost),
        cmocka_unit_test(errors_of_shape),
        cmocka_unit_test(errors_of_structures),
        cmocka_unit_test(errors_of_plugins),
        cmocka_unit_test(gates),
        cmocka_unit_test(errors_of_sweeps),
        cmocka_unit_test(cpus_that_a_machine_lacks),
        cmocka_unit_test(sweep_replaces_base),
        cmocka_unit_test(many_relays),
        cmocka_unit_test(a_value_is_judged_alike_everywhere),
        cmocka_unit_test(set_overrides),
        cmocka_unit_test(set_errors),
        cmocka_unit_test(json_reads_back),
        cmocka_unit_test(json_is_typed),
        cmocka_unit_test(copies_are_deep),
        cmocka_unit_test(name_comes_from_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
