#!/usr/bin/env bats
# A name that is nearly right gets the right one; names that tables print are taken as they are.
bats_require_minimum_version 1.5.0
load common

# The last line that the command prints, which fails with the status.
last() { # status, expected, command…
    local status_expected=$1 expected=$2
    shift 2
    run "$BENCH" "$@"
    echo "$output"
    [ "$status" -eq "$status_expected" ]
    [ "${lines[-1]}" = "$expected" ]
}

@test "a misspelled scenario, or another ending: of a shipped one, and of a file" {
    mkdir mine
    printf 'bench: 1\n' >mine/nightly.yaml
    printf 'bench: 1\n' >weekly.yml
    for command in run check compare bisect; do
        last 2 "hint: did you mean the shipped scenario 'smoke'?" $command smok
        last 2 "hint: did you mean the shipped scenario 'smoke'?" $command smoke.yml
        last 2 "hint: did you mean 'mine/nightly.yaml'?" $command mine/nightly.yml
        last 2 "hint: did you mean 'mine/nightly.yaml'?" $command mine/nigthly.yaml
        last 2 "hint: did you mean 'weekly.yml'?" $command weekly
        last 2 "hint: 'bench list scenarios' names the shipped ones" $command nonesuch
    done
    [ "${lines[0]}" = "bench: cannot open 'nonesuch': No such file or directory" ]
}

@test "an unknown relay: the nearest one, or how any can be measured" {
    last 2 "hint: did you mean 'nginx'?" run -r ngnix --dry-run
    last 2 "hint: there are: command, nginx, none, skrouterd; 'command' runs any other from its command line, and BENCH_PLUGIN_PATH names directories with more plugins" \
        run -r haproxy --dry-run
    printf 'bench: 1\nrelays: [none, haproxy]\n' >s.yaml
    run "$BENCH" run s.yaml --dry-run
    [ "${lines[0]}" = "bench: s.yaml:2:16: unknown relay 'haproxy'" ]
}

@test "metrics are named as tables head them: compare, gates, history" {
    mkdir bench-results
    for i in 1 2; do
        "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --set workload.mode=rr --warmup 0 \
            --duration 100ms --repeat 1 -q -o bench-results/run$i >/dev/null
    done
    "$BENCH" history bits_per_second >by-name
    "$BENCH" history throughput | cmp - by-name
    "$BENCH" history Throughput | cmp - by-name
    "$BENCH" history 'latency p99' | cmp - <("$BENCH" history latency_p99_seconds)
    run "$BENCH" compare a=run1 b=run2 --metric throughput,'latency p99'
    [[ $output == *"rule: primary "*"throughput"*"latency p99"* ]]
    run "$BENCH" report run1 --fail-on 'throughput of none < 1'
    [[ $output == *"throughput of none < 1"* ]]
    [ "$status" -ne 2 ]
    last 2 "hint: say which: throttled_seconds_relay_1, throttled_share_relay_1" \
        run smoke --fail-on 'throttled relay_1 > 1' --dry-run
}
